package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
)

func b64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

func claim(name, password string) ferry.Claim {
	return ferry.Claim{Protocol: "ftp", Name: name, Password: password}
}

func TestThreat30EveryFailureIsAlikeAndCostsTheSame(t *testing.T) { // and threat 28: who may not log in
	h, done := counting(t)
	right := hashed(t, h, "s3cret")
	users := Static(
		Entry{ferry.User{Name: "alice"}, right},
		Entry{ferry.User{Name: "bob"}, ""},
		Entry{ferry.User{Name: "dora", Disabled: true}, right},
		Entry{ferry.User{Name: "eve", Expires: time.Now().Add(-time.Second)}, right},
		Entry{ferry.User{Name: "frank"}, "s3cret"},
		Entry{ferry.User{Name: "../grace"}, right},
	)
	tests := []struct{ what, name, password, why string }{
		{"wrong password", "alice", "secret", "wrong password"},
		{"empty password", "alice", "", "wrong password"},
		{"hash as password", "alice", right, "wrong password"},
		{"overlong password", "alice", strings.Repeat("s3cret", MaxPassword), "wrong password"},
		{"other letter case", "Alice", "s3cret", "there is no such account"},
		{"unknown name", "zoe", "s3cret", "there is no such account"},
		{"unknown name, no password", "zoe", "", "there is no such account"},
		{"no name", "", "s3cret", "there is no such account"},
		{"name that no account may have", "../grace", "s3cret", "there is no such account"},
		{"no password set", "bob", "s3cret", "the account has no password"},
		{"no password set, none given", "bob", "", "the account has no password"},
		{"disabled", "dora", "s3cret", "the account is disabled"},
		{"expired", "eve", "s3cret", "the account has expired on 20"},
		{"password stored as it is", "frank", "s3cret", `account "frank": `},
	}
	a := Virtual(users, h, Remember(time.Hour, 100), nil)
	for _, test := range tests {
		*done = nil
		u, err := a.Authenticate(t.Context(), claim(test.name, test.password))
		if !errors.Is(err, ferry.ErrLogin) || u.Name != "" {
			t.Errorf("%s: %+v, %v; want ErrLogin", test.what, u, err)
		}
		if len(*done) != 1 || (*done)[0] != (work{h.cost.Passes, h.cost.Memory}) {
			t.Errorf("%s: work %v, want that of one verification", test.what, *done)
		}
		if why := fmt.Sprint(err); !strings.HasPrefix(why, "login incorrect: "+test.why) {
			t.Errorf("%s: the log is told %q, want %q", test.what, why, test.why)
		}
		if err != nil && (strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), right)) {
			t.Errorf("%s: the error %q tells a secret", test.what, err)
		}
	}
}

func TestVirtualLetsIn(t *testing.T) {
	h, _ := counting(t)
	want := ferry.User{Name: "alice@example.com", Home: "/srv", Expires: time.Now().Add(time.Hour), Version: 7}
	for _, r := range []*Remembered{nil, Remember(0, 0), Remember(time.Hour, 1)} {
		a := Virtual(Static(Entry{want, hashed(t, h, "s3cret")}), h, r, nil)
		for range 2 {
			u, err := a.Authenticate(t.Context(), claim(want.Name, "s3cret"))
			if err != nil || u.Name != want.Name || u.Home != want.Home || u.Version != want.Version {
				t.Errorf("%+v, %v", u, err)
			}
		}
	}
}

// A certificate that was verified stands for the password, and not for the
// account being usable; a claim that misses something else fails like any
// other, even where the password is remembered.
func TestCertifiedAndDeniedClaims(t *testing.T) {
	h, done := counting(t)
	right := hashed(t, h, "s3cret")
	a := Virtual(Static(Entry{ferry.User{Name: "alice"}, right}, Entry{ferry.User{Name: "keyed"}, ""},
		Entry{ferry.User{Name: "dora", Disabled: true}, right}), h, Remember(time.Hour, 10), nil)
	if _, err := a.Authenticate(t.Context(), claim("alice", "s3cret")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		claim ferry.Claim
		want  error
		cost  int // verifications: none where no password is looked at
	}{
		{ferry.Claim{Name: "alice", Certified: true}, nil, 0},
		{ferry.Claim{Name: "keyed", Certified: true}, nil, 0},
		{ferry.Claim{Name: "dora", Certified: true}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "zoe", Certified: true}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "", Certified: true}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "alice", Password: "s3cret", Denied: "no certificate"}, ferry.ErrLogin, 1},
	}
	for _, test := range tests {
		*done = nil
		if _, err := a.Authenticate(t.Context(), test.claim); !errors.Is(err, test.want) {
			t.Errorf("%+v: %v, want %v", test.claim, err, test.want)
		}
		if len(*done) != test.cost {
			t.Errorf("%+v: work %v, want that of %d verifications", test.claim, *done, test.cost)
		}
	}
}

// broken are Users that cannot find out.
type broken struct{}

var errAway = errors.New("the database is away")

func (broken) Lookup(context.Context, string) (ferry.User, string, error) {
	return ferry.User{}, "", errAway
}

func (broken) Keys(context.Context, string) ([]string, error) { return nil, errAway }

func TestWhoCannotFindOutDoesNotSayWrongPassword(t *testing.T) {
	h, _ := counting(t)
	known := Static(Entry{ferry.User{Name: "alice"}, hashed(t, h, "s3cret")})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name  string
		ctx   context.Context
		users Users
		want  error
	}{
		{"users away", t.Context(), broken{}, errAway},
		{"first of two away", t.Context(), Join(broken{}, known), errAway},
		{"context ended", ended, known, context.Canceled},
		{"context ended, unknown name", ended, Static(), context.Canceled},
	}
	for _, test := range tests {
		_, err := Virtual(test.users, h, nil, nil).Authenticate(test.ctx, claim("alice", "s3cret"))
		if !errors.Is(err, test.want) || errors.Is(err, ferry.ErrLogin) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestJoinAsksInOrder(t *testing.T) {
	first := Static(Entry{ferry.User{Name: "alice", Home: "/first"}, "1"})
	second := Static(Entry{ferry.User{Name: "alice", Home: "/second"}, "2"}, Entry{ferry.User{Name: "bob"}, "3"})
	all := Join(first, second)
	for name, want := range map[string]string{"alice": "/first 1", "bob": " 3"} {
		u, hash, err := all.Lookup(t.Context(), name)
		if got := fmt.Sprintf("%s %s", u.Home, hash); got != want || err != nil {
			t.Errorf("Lookup(%q): %q, %v; want %q", name, got, err, want)
		}
	}
	if _, _, err := all.Lookup(t.Context(), "zoe"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Lookup of an unknown name: %v", err)
	}
}

func TestAnonymous(t *testing.T) {
	h, done := counting(t)
	next := Virtual(Static(Entry{ferry.User{Name: "alice"}, hashed(t, h, "s3cret")}, Entry{ferry.User{Name: "ftp", Home: "/secret"}, hashed(t, h, "x")}), h, nil, nil)
	a := Anonymous(ferry.User{Name: "anonymous", Home: "/pub"}, next)
	*done = nil
	for _, name := range []string{"anonymous", "ftp", "FTP", "Anonymous"} {
		for _, password := range []string{"", "me@example.com", "x"} {
			u, err := a.Authenticate(t.Context(), claim(name, password))
			if err != nil || !u.Anonymous || !u.Shared || u.Name != "anonymous" || u.Home != "/pub" {
				t.Errorf("%q with %q: %+v, %v", name, password, u, err)
			}
		}
	}
	if len(*done) != 0 {
		t.Errorf("anonymous logins cost %d verifications", len(*done))
	}
	if u, err := a.Authenticate(t.Context(), claim("alice", "s3cret")); err != nil || u.Anonymous || u.Shared {
		t.Errorf("alice: %+v, %v", u, err)
	}
	if _, err := a.Authenticate(t.Context(), claim("alice", "")); !errors.Is(err, ferry.ErrLogin) {
		t.Errorf("alice without a password: %v", err)
	}
	off := Anonymous(ferry.User{Name: "anonymous", Disabled: true}, next) // threat 28
	if _, err := off.Authenticate(t.Context(), claim("ftp", "x")); !errors.Is(err, ferry.ErrLogin) {
		t.Errorf("disabled: %v", err)
	}
}

func TestRememberedPasswordCostsNothingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, done := counting(t)
		entry := Entry{ferry.User{Name: "alice", Expires: time.Now().Add(time.Hour)}, hashed(t, h, "s3cret")}
		users := static{"alice": entry}
		a := Virtual(users, h, Remember(5*time.Minute, 100), nil)
		change := func(f func(*Entry)) { e := entry; f(&e); users["alice"] = e }
		steps := []struct {
			name     string
			before   func()
			password string
			ok       bool
			cost     int // verifications
		}{
			{"wrong", nil, "wrong", false, 1},
			{"wrong again: never remembered", nil, "wrong", false, 1},
			{"right", nil, "s3cret", true, 1},
			{"right again", nil, "s3cret", true, 0},
			{"wrong after right", nil, "wrong", false, 1},
			{"just before the end", func() { time.Sleep(5*time.Minute - time.Nanosecond) }, "s3cret", true, 0},
			{"at the end, however often it was used", func() { time.Sleep(time.Nanosecond) }, "s3cret", true, 1},
			{"new version", func() { change(func(e *Entry) { e.User.Version++ }) }, "s3cret", true, 1},
			{"new hash in the same version", func() { change(func(e *Entry) { e.Hash = hashed(t, h, "other") }) }, "s3cret", false, 1},
			{"as before", func() { change(func(*Entry) {}) }, "s3cret", true, 0},
			{"disabled: no quicker than a wrong one", func() { change(func(e *Entry) { e.User.Disabled = true }) }, "s3cret", false, 1},
			{"no password any more", func() { change(func(e *Entry) { e.Hash = "" }) }, "s3cret", false, 1},
			{"removed", func() { delete(users, "alice") }, "s3cret", false, 1},
			{"expired", func() { change(func(e *Entry) { e.User.Expires = time.Now() }) }, "s3cret", false, 1},
		}
		for _, step := range steps {
			if step.before != nil {
				step.before()
			}
			*done = nil
			_, err := a.Authenticate(t.Context(), claim("alice", step.password))
			if (err == nil) != step.ok || err != nil && !errors.Is(err, ferry.ErrLogin) {
				t.Errorf("%s: %v", step.name, err)
			}
			if len(*done) != step.cost {
				t.Errorf("%s: %d verifications, want %d", step.name, len(*done), step.cost)
			}
		}
	})
}

func TestRememberedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 10
		r := Remember(time.Minute, most)
		name := func(i int) ferry.User { return ferry.User{Name: fmt.Sprint("user", i)} }
		for i := range 10 * most {
			r.keep(name(i), "hash", "s3cret")
			if len(r.until) > most {
				t.Fatalf("%d remembered, want at most %d", len(r.until), most)
			}
			if !r.knows(name(i), "hash", "s3cret") {
				t.Fatalf("the newest is not remembered")
			}
		}
		time.Sleep(time.Minute)
		r.keep(name(0), "hash", "s3cret")
		if len(r.until) != 1 {
			t.Errorf("%d remembered, want 1: the others are over", len(r.until))
		}
	})
}

func TestRememberedTellsClaimsApart(t *testing.T) {
	r := Remember(time.Minute, 10)
	r.keep(ferry.User{Name: "ab", Version: 1}, "h", "cd")
	others := []struct {
		name     string
		version  int64
		hash     string
		password string
	}{
		{"abc", 1, "h", "d"}, {"a", 1, "h", "bcd"}, {"ab", 1, "hc", "d"}, {"ab", 2, "h", "cd"}, {"ab", 1, "", "hcd"}, {"ab", 1, "h", ""},
	}
	for _, o := range others {
		if r.knows(ferry.User{Name: o.name, Version: o.version}, o.hash, o.password) {
			t.Errorf("%+v is taken for another claim", o)
		}
	}
}
