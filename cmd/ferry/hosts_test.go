package main

import (
	"testing"

	"ferry"
)

func TestOwnUsersOfAHost(t *testing.T) {
	c, err := loadText(t, "[storage]\nroot = \"/srv\"\n[hosts]\nnames = [\"a.example\", \"b.example\"]\nown_users = [\"a.example\"]\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][3]string{ // host, login, account
		{"a.example", "alice", "alice@a.example"},
		{"a.example", "alice@a.example", "alice@a.example"},
		{"a.example", "anonymous", "anonymous"},
		{"b.example", "alice", "alice"},
		{"", "alice", "alice"},
	} {
		if got := accountOn(c)(test[0], test[1]); got != test[2] {
			t.Errorf("%q on %q is %q, want %q", test[1], test[0], got, test[2])
		}
	}
}

func TestAnonymousRootOfAHost(t *testing.T) {
	c, err := loadText(t, "[storage]\nroot = \"/srv\"\n[users]\nanonymous = true\n[hosts]\nnames = [\"A.example\", \"b.example\"]\nanonymous_roots = [\"a.Example=/srv/a\"]\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"": "/srv", "a.example": "/srv/a", "b.example": "/srv"} {
		u, err := authenticator(c, nil, nil).Authenticate(t.Context(), ferry.Claim{Name: "ftp", Host: host})
		if err != nil || u.Home != want || !u.Anonymous {
			t.Errorf("on %q: %+v, %v", host, u, err)
		}
	}
}
