package store_test

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/store"
)

const (
	keyLine        = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@example.com"
	keyFingerprint = "SHA256:"
	// By ssh-keygen -s, for alice, without an end.
	certificateLine = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIF0H8zM4fm+ttB8P9K4vIK+CpcH1u6IJhSQaXb/1HO0oAAAAIGi2bXYBnyXB+MmLYGge4ScIpuEMb5Cow690qSpGvhkxAAAAAAAAAAAAAAABAAAAA2tpZAAAAAkAAAAFYWxpY2UAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgIYhOZp/AAxvzE8c6DP0X0rW8WhtcfnFwpHSRZN+2r/gAAABTAAAAC3NzaC1lZDI1NTE5AAAAQDISLtA4HTFusIiy4tFnmd+79H2YO5zkjO5+ZdNkELkVmwcvhcYWbhkhmetmt2QvFxqC6F5CJizJMCdSOvrjagk="
)

// full is an account in which nothing is as it would be by itself.
func full() store.Account {
	return store.Account{
		User: ferry.User{
			Name: "alice", Login: ferry.LoginKeyAndPassword, Principals: []string{"staff", "ops@example.com"}, Shared: true, Disabled: true, Expires: time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC),
			Home: "/srv/ftp/alice",
			Rules: []ferry.Rule{
				{Prefix: "/", Rights: ferry.RightsRead},
				{Prefix: "/in", Rights: ferry.RightCreate | ferry.RightSymlink},
				{Prefix: "/none"},
			},
			Limits:  ferry.Limits{Sessions: 3, Upload: 1 << 40, Download: 5, QuotaBytes: 10 << 30, QuotaFiles: 1000},
			Charset: "gbk", DirectUploads: true,
		},
		Hash: "$argon2id$…",
		Keys: []store.Key{{Line: keyLine}},
	}
}

func names(t *testing.T, s *store.Store) (all []string) {
	t.Helper()
	for a, err := range s.Accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a.Name)
	}
	return all
}

func account(t *testing.T, s *store.Store, name string) store.Account {
	t.Helper()
	a, err := s.Account(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAddKeepsEverything(t *testing.T) {
	s := open(t, newPath(t))
	before := time.Now()
	if err := s.Add(t.Context(), full()); err != nil {
		t.Fatal(err)
	}
	got := account(t, s, "alice")
	if got.Created.Before(before.Truncate(0)) || !got.Changed.Equal(got.Created) || got.Version == 0 || !got.Keys[0].Added.Equal(got.Created) {
		t.Errorf("created %v, changed %v, version %d, key added %v", got.Created, got.Changed, got.Version, got.Keys[0].Added)
	}
	if !strings.HasPrefix(got.Keys[0].Fingerprint, keyFingerprint) {
		t.Errorf("fingerprint %q", got.Keys[0].Fingerprint)
	}
	want := full()
	want.Version, want.Created, want.Changed, want.Keys = got.Version, got.Created, got.Changed, got.Keys
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	u, hash, err := s.Lookup(t.Context(), "alice")
	if err != nil || hash != want.Hash || !reflect.DeepEqual(u, want.User) {
		t.Errorf("Lookup: %+v, %q, %v", u, hash, err)
	}
}

func TestAddRefuses(t *testing.T) { // threat 31
	long := strings.Repeat("x", 129)
	tests := []struct {
		name  string
		spoil func(*store.Account)
	}{
		{"no name", func(a *store.Account) { a.Name = "" }},
		{"long name", func(a *store.Account) { a.Name = long }},
		{"name with a slash", func(a *store.Account) { a.Name = "../root" }},
		{"name with a placeholder", func(a *store.Account) { a.Name = "%u" }},
		{"name of two lines", func(a *store.Account) { a.Name = "a\nb" }},
		{"anonymous", func(a *store.Account) { a.Anonymous = true }},
		{"negative sessions", func(a *store.Account) { a.Limits.Sessions = -1 }},
		{"negative upload", func(a *store.Account) { a.Limits.Upload = -1 }},
		{"negative quota", func(a *store.Account) { a.Limits.QuotaBytes = -1 }},
		{"negative quota of files", func(a *store.Account) { a.Limits.QuotaFiles = -1 }},
		{"negative download", func(a *store.Account) { a.Limits.Download = -1 }},
		{"unknown way to log in", func(a *store.Account) { a.Login = 99 }},
		{"empty principal", func(a *store.Account) { a.Principals = []string{"a", ""} }},
		{"two principals in one", func(a *store.Account) { a.Principals = []string{"a,b"} }},
		{"principal of two lines", func(a *store.Account) { a.Principals = []string{"a\nb"} }},
		{"relative home", func(a *store.Account) { a.Home = "srv" }},
		{"home with NUL", func(a *store.Account) { a.Home = "/srv\x00" }},
		{"relative prefix", func(a *store.Account) { a.Rules = []ferry.Rule{{Prefix: "in"}} }},
		{"empty prefix", func(a *store.Account) { a.Rules = []ferry.Rule{{Prefix: ""}} }},
		{"prefix that is not clean", func(a *store.Account) { a.Rules = []ferry.Rule{{Prefix: "/in/"}} }},
		{"prefix that climbs", func(a *store.Account) { a.Rules = []ferry.Rule{{Prefix: "/in/../out"}} }},
		{"unknown right", func(a *store.Account) { a.Rules = []ferry.Rule{{Prefix: "/", Rights: 1 << 15}} }},
		{"two rules for one prefix", func(a *store.Account) { a.Rules = []ferry.Rule{{Prefix: "/in"}, {Prefix: "/in", Rights: 1}} }},
		{"unknown charset", func(a *store.Account) { a.Charset = "klingon" }},
		{"hash of two lines", func(a *store.Account) { a.Hash = "a\nb" }},
		{"broken key", func(a *store.Account) { a.Keys = []store.Key{{Line: "ssh-ed25519 AAAA"}} }},
		{"one key twice", func(a *store.Account) { a.Keys = []store.Key{{Line: keyLine}, {Line: keyLine + "2"}} }},
	}
	s := open(t, newPath(t))
	for _, test := range tests {
		a := full()
		test.spoil(&a)
		if err := s.Add(t.Context(), a); err == nil {
			t.Errorf("%s: added", test.name)
		}
	}
	if got := names(t, s); len(got) != 0 {
		t.Errorf("accounts %q, want none", got)
	}
}

func TestUserExists(t *testing.T) {
	s := open(t, newPath(t))
	add(t, s, "alice")
	if err := s.Add(t.Context(), full()); !errors.Is(err, store.ErrUserExists) {
		t.Errorf("Add: %v, want ErrUserExists", err)
	}
	if a := account(t, s, "alice"); a.Home != "" {
		t.Errorf("the refused account has replaced the first: %+v", a)
	}
	add(t, s, "Alice") // names differ by case
}

func TestNoUser(t *testing.T) {
	s := open(t, newPath(t))
	_, errAccount := s.Account(t.Context(), "alice")
	_, _, errLookup := s.Lookup(t.Context(), "alice")
	_, errKey := s.AddKey(t.Context(), "alice", keyLine)
	errs := map[string]error{
		"Account": errAccount, "Lookup": errLookup, "AddKey": errKey,
		"Update": s.Update(t.Context(), "alice", func(*store.Account) error { t.Error("called"); return nil }),
		"Remove": s.Remove(t.Context(), "alice"),
	}
	for what, err := range errs {
		if !errors.Is(err, store.ErrNoUser) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want ErrNoUser", what, err)
		}
	}
}

func TestUpdate(t *testing.T) {
	s := open(t, newPath(t))
	if err := s.Add(t.Context(), full()); err != nil {
		t.Fatal(err)
	}
	before := account(t, s, "alice")
	err := s.Update(t.Context(), "alice", func(a *store.Account) error {
		a.Disabled = false
		a.Expires = time.Time{}
		a.Rules = a.Rules[:1]
		a.Created = time.Time{}
		a.Version = 7
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := account(t, s, "alice")
	want := before
	want.Disabled, want.Expires, want.Rules = false, time.Time{}, before.Rules[:1]
	want.Changed, want.Version = got.Changed, got.Version
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Version <= before.Version || !got.Changed.After(before.Changed) {
		t.Errorf("version %d after %d, changed %v after %v", got.Version, before.Version, got.Changed, before.Changed)
	}
}

func TestUpdateThatFailsChangesNothing(t *testing.T) {
	s := open(t, newPath(t))
	if err := s.Add(t.Context(), full()); err != nil {
		t.Fatal(err)
	}
	before := account(t, s, "alice")
	wrong := fs.ErrPermission // one that the Store itself has words for
	tests := []struct {
		name   string
		change func(*store.Account) error
		want   error
	}{
		{"error", func(a *store.Account) error { a.Home = "/x"; return wrong }, wrong},
		{"renamed", func(a *store.Account) error { a.Name = "bob"; return nil }, nil},
		{"not valid", func(a *store.Account) error { a.Home = "/x"; a.Limits.Upload = -1; return nil }, nil},
	}
	for _, test := range tests {
		err := s.Update(t.Context(), "alice", test.change)
		if err == nil || test.want != nil && err != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := account(t, s, "alice"); !reflect.DeepEqual(got, before) {
			t.Errorf("%s: changed to %+v", test.name, got)
		}
	}
}

func TestRemoveTakesEverythingAndVersionsNeverComeBack(t *testing.T) {
	s := open(t, newPath(t))
	if err := s.Add(t.Context(), full()); err != nil {
		t.Fatal(err)
	}
	first := account(t, s, "alice").Version
	if err := s.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	add(t, s, "alice")
	// What was remembered of the first alice must not fit the second.
	if a := account(t, s, "alice"); a.Version <= first || len(a.Rules) > 0 || len(a.Keys) > 0 || a.Hash != "" {
		t.Errorf("the new account is %+v, the first had version %d", a, first)
	}
}

func TestAccountsAreInOrder(t *testing.T) {
	s := open(t, newPath(t))
	add(t, s, "carol", "alice", "bob")
	if got := strings.Join(names(t, s), " "); got != "alice bob carol" {
		t.Errorf("accounts %q", got)
	}
	for a, err := range s.Accounts(t.Context()) { // a loop may be left, and change what it goes over
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(t.Context(), a.Name); err != nil {
			t.Fatal(err)
		}
		break
	}
	if got := strings.Join(names(t, s), " "); got != "bob carol" {
		t.Errorf("accounts %q", got)
	}
}

func TestKeys(t *testing.T) {
	s := open(t, newPath(t))
	add(t, s, "alice")
	key, err := s.AddKey(t.Context(), "alice", "  "+keyLine+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := account(t, s, "alice").Keys; !reflect.DeepEqual(got, []store.Key{key}) || key.Line != keyLine {
		t.Errorf("keys %+v, want %+v", got, key)
	}
	if _, err := s.AddKey(t.Context(), "alice", keyLine); !errors.Is(err, store.ErrKeyExists) {
		t.Errorf("AddKey again: %v, want ErrKeyExists", err)
	}
	if err := s.RemoveKey(t.Context(), "alice", key.Fingerprint); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveKey(t.Context(), "alice", key.Fingerprint); !errors.Is(err, store.ErrNoKey) {
		t.Errorf("RemoveKey again: %v, want ErrNoKey", err)
	}
	if got := account(t, s, "alice").Keys; len(got) != 0 {
		t.Errorf("keys %+v, want none", got)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	for _, line := range []string{
		"", "ssh-ed25519", "# comment", keyLine + "\n" + keyLine, keyLine + "\nrubbish", "rubbish\n" + keyLine, keyLine + "\x00",
		certificateLine, `cert-authority ` + keyLine,
		`from="192.0.2.1" ` + keyLine, `command="sh" ` + keyLine, "no-pty " + keyLine,
	} {
		if key, err := store.ParseKey(line); err == nil {
			t.Errorf("%q was read as %+v", line, key)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(keyLine)
	f.Add(`from="a,b" ` + keyLine)
	f.Add("ssh-rsa AAAAB3NzaC1yc2E= x")
	f.Fuzz(func(t *testing.T, line string) {
		key, err := store.ParseKey(line)
		if err != nil {
			return
		}
		if again, err := store.ParseKey(key.Line); err != nil || again != key {
			t.Errorf("%q is %+v, and that is %+v, %v", line, key, again, err)
		}
	})
}
