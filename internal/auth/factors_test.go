package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"ferry"
)

// holders are accounts with one key, "SHA256:right".
type holders struct{ Users }

func (h holders) Keys(ctx context.Context, name string) ([]string, error) {
	if _, _, err := h.Lookup(ctx, name); err != nil {
		return nil, err
	}
	return []string{"SHA256:right"}, nil
}

// TestThreat29BothFactorsAreLookedAt: what an account wants to be shown is
// right, each part of it, or the claim does not hold; and where a password is
// looked at, it costs the same work whoever it is and whatever is missing,
// though it is remembered (threat 30).
func TestThreat29BothFactorsAreLookedAt(t *testing.T) {
	h, done := counting(t)
	right := hashed(t, h, "s3cret")
	var entries []Entry
	for name, login := range map[string]ferry.Login{"any": ferry.LoginAny, "key": ferry.LoginKey,
		"password": ferry.LoginPassword, "both": ferry.LoginKeyAndPassword} {
		entries = append(entries, Entry{ferry.User{Name: name, Login: login}, right})
	}
	entries = append(entries, Entry{ferry.User{Name: "off", Login: ferry.LoginKeyAndPassword, Disabled: true}, right})
	remembered := Remember(time.Hour, 10)
	a := Virtual(holders{Static(entries...)}, h, remembered, nil)
	for _, e := range entries {
		remembered.keep(e.User, e.Hash, "s3cret")
	}
	const rightKey, wrongKey = "SHA256:right", "SHA256:wrong"
	tests := []struct {
		claim ferry.Claim
		want  error
		cost  int // verifications
	}{
		{ferry.Claim{Name: "any", Password: "s3cret"}, nil, 0},
		{ferry.Claim{Name: "any", Key: rightKey}, nil, 0},
		{ferry.Claim{Name: "any", Key: rightKey, Password: "wrong", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "any", Key: wrongKey, Password: "s3cret", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "any", Certified: true, Password: "", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "key", Password: "s3cret"}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "key", Key: rightKey}, nil, 0},
		{ferry.Claim{Name: "key", Key: wrongKey}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "key", Certified: true}, nil, 0},
		{ferry.Claim{Name: "password", Password: "s3cret"}, nil, 0},
		{ferry.Claim{Name: "password", Key: rightKey}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "password", Certified: true}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "both", Password: "s3cret"}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "both", Password: "wrong"}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "both", Key: rightKey}, ferry.ErrPartial, 0},
		{ferry.Claim{Name: "both", Key: wrongKey}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "both", Certified: true}, ferry.ErrPartial, 0},
		{ferry.Claim{Name: "both", Key: rightKey, Password: "wrong", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "both", Key: rightKey, Password: "", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "both", Key: wrongKey, Password: "s3cret", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "both", Key: rightKey, Password: "s3cret", Both: true}, nil, 0},
		{ferry.Claim{Name: "both", Certified: true, Password: "s3cret", Both: true}, nil, 0},
		{ferry.Claim{Name: "both", Key: rightKey, Password: "s3cret", Both: true, Denied: "revoked"}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "both", Key: rightKey, Denied: "revoked"}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "both", Certified: true, Denied: "revoked"}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "any", Certified: true, Principals: []string{"any"}}, nil, 0},
		{ferry.Claim{Name: "any", Certified: true, Principals: []string{"both"}}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "both", Certified: true, Principals: []string{"any"}, Password: "s3cret", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "zoe", Certified: true}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "off", Key: rightKey}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "off", Key: rightKey, Password: "s3cret", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "zoe", Key: rightKey}, ferry.ErrLogin, 0},
		{ferry.Claim{Name: "zoe", Key: rightKey, Password: "s3cret", Both: true}, ferry.ErrLogin, 1},
		{ferry.Claim{Name: "zoe", Certified: true, Password: "s3cret", Both: true}, ferry.ErrLogin, 1},
	}
	for _, test := range tests {
		*done = nil
		u, err := a.Authenticate(t.Context(), test.claim)
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || (err != nil) != (u.Name == "") {
			t.Errorf("%+v: %q, %v, want %v", test.claim, u.Name, err, test.want)
		}
		if len(*done) != test.cost {
			t.Errorf("%+v: %d verifications, want %d", test.claim, len(*done), test.cost)
		}
	}
}
