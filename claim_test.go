package ferry_test

import (
	"errors"
	"testing"
	"time"

	"ferry"
)

// TestThreat29WhatIsMissingIsNotThere: an account that wants two factors is not
// let in by one, whichever, and a factor that it does not want counts for nothing.
func TestThreat29WhatIsMissingIsNotThere(t *testing.T) {
	const any, key, password, both = ferry.LoginAny, ferry.LoginKey, ferry.LoginPassword, ferry.LoginKeyAndPassword
	byPassword := ferry.Claim{Password: "s3cret"}
	byKey := ferry.Claim{Key: "SHA256:x"}
	byCertificate := ferry.Claim{Certified: true}
	byTwo := ferry.Claim{Key: "SHA256:x", Password: "s3cret", Both: true}
	byCertificateToo := ferry.Claim{Certified: true, Password: "s3cret", Both: true}
	tests := []struct {
		login ferry.Login
		claim ferry.Claim
		want  error
	}{
		{any, byPassword, nil}, {any, byKey, nil}, {any, byCertificate, nil}, {any, byTwo, nil},
		{key, byPassword, ferry.ErrLogin}, {key, byKey, nil}, {key, byCertificate, nil}, {key, byTwo, nil},
		{password, byPassword, nil}, {password, byKey, ferry.ErrLogin}, {password, byCertificate, ferry.ErrLogin}, {password, byTwo, nil},
		{both, byPassword, ferry.ErrLogin}, {both, byKey, ferry.ErrPartial}, {both, byCertificate, ferry.ErrPartial},
		{both, byTwo, nil}, {both, byCertificateToo, nil},
		// A key that comes with a password that was not asked for shows no password.
		{both, ferry.Claim{Key: "SHA256:x", Password: "s3cret"}, ferry.ErrPartial},
		{99, byTwo, ferry.ErrLogin},
	}
	for _, test := range tests {
		u := ferry.User{Name: "alice", Login: test.login}
		if err := u.Admits(test.claim, time.Now()); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%v, by %s: %v, want %v", test.login, test.claim.By(), err, test.want)
		}
		u.Disabled = true // threat 28
		if err := u.Admits(test.claim, time.Now()); !errors.Is(err, ferry.ErrLogin) {
			t.Errorf("disabled, %v, by %s: %v", test.login, test.claim.By(), err)
		}
	}
}

func TestLoginIsPrintedAsItIsRead(t *testing.T) {
	for _, word := range []string{"any", "key", "password", "key+password"} {
		if l, err := ferry.ParseLogin(word); err != nil || l.String() != word {
			t.Errorf("%q became %v, %v", word, l, err)
		}
	}
	for _, word := range []string{"", "Any", "password+key", "key,password", " key"} {
		if l, err := ferry.ParseLogin(word); err == nil {
			t.Errorf("%q became %v", word, l)
		}
	}
}

func TestByTellsNoSecret(t *testing.T) {
	tests := []struct {
		claim ferry.Claim
		want  string
	}{
		{ferry.Claim{Password: "s3cret"}, "password"},
		{ferry.Claim{Key: "SHA256:x"}, "key SHA256:x"},
		{ferry.Claim{Certified: true}, "certificate"},
		{ferry.Claim{Certified: true, Key: "SHA256:x", Certificate: "certificate of a CA"}, "certificate of a CA"},
		{ferry.Claim{Key: "SHA256:x", Password: "s3cret", Both: true}, "key SHA256:x and password"},
	}
	for _, test := range tests {
		if got := test.claim.By(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// TestPrincipals: a certificate stands for the account of its name, or for one
// that says which principals are its own; then the name is none of them.
func TestPrincipals(t *testing.T) {
	tests := []struct {
		own, principals []string
		in              bool
	}{
		{nil, nil, true},
		{nil, []string{"alice"}, true},
		{nil, []string{"bob", "alice"}, true},
		{nil, []string{"bob"}, false},
		{nil, []string{}, false},
		{nil, []string{"Alice"}, false},
		{[]string{"staff", "ops"}, []string{"web", "ops"}, true},
		{[]string{"staff"}, []string{"alice"}, false},
		{[]string{"staff"}, []string{}, false},
		{[]string{""}, []string{}, false},
		{[]string{"staff"}, nil, true},
	}
	for _, test := range tests {
		u := ferry.User{Name: "alice", Principals: test.own}
		err := u.Admits(ferry.Claim{Name: "alice", Certified: true, Principals: test.principals}, time.Now())
		if (err == nil) != test.in {
			t.Errorf("%q by %q: %v", test.own, test.principals, err)
		}
	}
}
