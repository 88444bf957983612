package daemon

import (
	"testing"

	"ferry"
	"ferry/internal/auth"
)

func TestOwnUsersOfAHost(t *testing.T) {
	c := written(t, "[storage]\nroot = \"/srv\"\n[hosts]\nnames = [\"a.example\", \"b.example\"]\nown_users = [\"a.example\"]\n", nil)
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
	c := written(t, "[storage]\nroot = \"/srv\"\n[users]\nanonymous = true\n[hosts]\nnames = [\"A.example\", \"b.example\"]\nanonymous_roots = [\"a.Example=/srv/a\"]\n", nil)
	hasher, err := auth.NewHasher(auth.Cost{Memory: 1024, Passes: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][3]string{ // host, login, home; "": not let in
		{"", "ftp", "/srv"},
		{"a.example", "ftp", "/srv/a"},
		{"b.example", "ftp", "/srv"},
		{"", "Anonymous@a.Example", "/srv/a"},
		{"a.example", "ftp@a.example", "/srv/a"},
		{"", "ftp@b.example", "/srv"},
		{"b.example", "ftp@a.example", ""},
		{"", "ftp@c.example", ""},
		{"", "ftp@", ""},
		{"", "alice@a.example", ""},
	} {
		u, err := authenticator(c, auth.Static(), hasher, nil).Authenticate(t.Context(), ferry.Claim{Name: test[1], Host: test[0]})
		if in := err == nil; in != (test[2] != "") || in && (u.Home != test[2] || !u.Anonymous) {
			t.Errorf("%q on %q: %+v, %v; want the home %q", test[1], test[0], u, err, test[2])
		}
	}
}
