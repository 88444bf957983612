package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/store"
)

const (
	md5Hash    = "$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1"
	cryptHash  = "$7$C6..../....swVShTUX9kLJepm0vvj7dUXPqtULzQ9G3GT/GAO3bd3$GMHJRyUdSRwNROunwtRbEDHlx5t3eNQew7bb1dz29K2"
	pbkdf2Hash = "$pbkdf2-sha256$1000$saltsaltsalt$d+o5+l8s+LGaQzxcovmk87gkRWX2/MUVH6/6GVFuZFA="
	key        = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@example.com"
)

// read reads texts as files named 0, 1, …
func read(t *testing.T, format string, texts ...string) *Accounts {
	t.Helper()
	var files []File
	for i, text := range texts {
		files = append(files, File{fmt.Sprint(i), []byte(text)})
	}
	a, err := Read(format, files)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// only is what becomes of the one account that was read.
func only(t *testing.T, a *Accounts) store.Account {
	t.Helper()
	if len(a.Entries) != 1 || len(a.Refused) > 0 {
		t.Fatalf("%d accounts, refused %v, left out %v; want one", len(a.Entries), a.Refused, a.LeftOut)
	}
	account := store.Account{User: ferry.User{Name: a.Entries[0].Name}}
	a.Entries[0].apply(&account)
	return account
}

// fields are those that are reported as not mapped.
func fields(a *Accounts) (all []string) {
	for _, u := range a.Unmapped {
		all = append(all, u.Field)
	}
	return all
}

func TestPasswd(t *testing.T) {
	a := read(t, "passwd",
		"root:x:0:0:root:/root:/bin/bash\n"+
			"daemon:*:1:1::/usr/sbin:/usr/sbin/nologin\n"+
			"# people\n"+
			"alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\n",
		"alice:!"+md5Hash+":0:0:90:7::20454:\n",
		"staff:x:50:bob,alice\n")
	if len(a.Refused) != 1 || a.Refused[0].String() != "0:1" || !strings.Contains(a.Refused[0].Reason, "root's") || a.Refused[0].User != "root" {
		t.Errorf("refused %v; want the user of ID 0", a.Refused)
	}
	if len(a.LeftOut) != 1 || a.LeftOut[0].User != "daemon" {
		t.Errorf("left out %v; want who cannot log in", a.LeftOut)
	}
	a.Refused = nil
	alice := only(t, a)
	if alice.Home != "/home/alice" || alice.Hash != md5Hash || !alice.Disabled {
		t.Errorf("%+v", alice)
	}
	if want := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); !alice.Expires.Equal(want) {
		t.Errorf("expires %v, want %v", alice.Expires, want)
	}
	if got, want := fields(a), []string{"uid", "groups", "shadow lastchg", "shadow max"}; !slices.Equal(got, want) {
		t.Errorf("not mapped: %q, want %q", got, want)
	}
}

func TestProFTPD(t *testing.T) {
	a := read(t, "proftpd", "alice:"+md5Hash+":1000:1000::/srv/alice:/bin/false\r\n")
	alice := only(t, a)
	if alice.Home != "/srv/alice" || alice.Hash != md5Hash || alice.Disabled {
		t.Errorf("%+v", alice)
	}
	if got, want := fields(a), []string{"uid", "shell"}; !slices.Equal(got, want) {
		t.Errorf("not mapped: %q, want %q", got, want)
	}
}

func TestPureFTPd(t *testing.T) {
	a := read(t, "pureftpd", "joe:"+cryptHash+":500:101::/home/ftpusers/joe/./:10240:20480:1:10:3:1000:10485760:::192.168.0.0/16:192.168.1.1:0900-1800:\n")
	joe := only(t, a)
	if joe.Home != "/home/ftpusers/joe" || joe.Hash != cryptHash || joe.Limits != (ferry.Limits{Sessions: 3, Upload: 10240, Download: 20480, QuotaFiles: 1000, QuotaBytes: 10485760}) {
		t.Errorf("%+v", joe)
	}
	want := []string{"uid", "upload ratio", "download ratio", "allowed client IPs", "denied client IPs", "time restrictions"}
	if got := fields(a); !slices.Equal(got, want) {
		t.Errorf("not mapped: %q, want %q", got, want)
	}
	// The short form, of a user who sees the whole host there.
	a = read(t, "pureftpd", "joe:"+md5Hash+":500:101::/home/joe\n")
	if joe := only(t, a); joe.Home != "/home/joe" {
		t.Errorf("%+v", joe)
	}
	if got, want := fields(a), []string{"home", "uid"}; !slices.Equal(got, want) {
		t.Errorf("not mapped: %q, want %q", got, want)
	}
}

func TestVsftpd(t *testing.T) {
	for _, text := range []string{"alice\nsecret \\5c\n", "VERSION=3\nformat=print\ntype=hash\nHEADER=END\n alice\n secret \\5c5c\nDATA=END\n"} {
		a := read(t, "vsftpd", text)
		if alice := only(t, a); alice.Home != "" || a.Entries[0].password != `secret \5c` {
			t.Errorf("%q: %+v, %q", text, alice, a.Entries[0].password)
		}
	}
	if alice := only(t, read(t, "vsftpd", "alice\n"+md5Hash+"\n\n")); alice.Hash != md5Hash {
		t.Errorf("%+v", alice)
	}
	database := strings.Repeat("\x00", 12) + "\x61\x15\x06\x00" + strings.Repeat("\x00", 100)
	a := read(t, "vsftpd", database)
	if len(a.Refused) != 1 || !strings.Contains(a.Refused[0].Reason, "db_dump -p") {
		t.Errorf("a database: %v", a.Refused)
	}
	// Where a line is missing the passwords stand where names should, and none is shown.
	for _, shifted := range []string{"alice\nhunter2\nbob\n", "top secret\nalice\n"} {
		a := read(t, "vsftpd", shifted)
		if len(a.Entries) != 0 || len(a.Refused) != 1 || strings.Contains(fmt.Sprint(a.Refused), "secret") {
			t.Errorf("%q: %+v", shifted, a)
		}
	}
}

const dump = `{
 "folders": [{"name": "f"}],
 "users": [
  {"id": 1, "status": 1, "username": "alice", "expiration_date": 1767225600000, "password": "` + pbkdf2Hash + `",
   "public_keys": ["` + key + `", "no key"], "home_dir": "/srv/alice/", "uid": 1000, "gid": 0, "max_sessions": 2,
   "quota_size": 1048576, "quota_files": 0, "used_quota_size": 12,
   "permissions": {"/": ["list", "download"], "/in": ["upload", "list", "rename_files", "mystery"], "/all": ["*"]},
   "upload_bandwidth": 128, "download_bandwidth": 0, "last_login": 5,
   "virtual_folders": [{"name": "pub", "mapped_path": "/srv/pub", "virtual_path": "/pub"}],
   "filters": {"allowed_ip": ["192.0.2.0/24"], "denied_login_methods": ["password", "keyboard-interactive"], "hooks": {"external_auth_disabled": false},
    "totp_config": {"enabled": true, "secret": {"payload": "JBSWY3DPEHPK3PXP"}}, "tls_username": "None", "file_patterns": [{"path": "/", "denied_patterns": ["*.exe"]}]},
   "filesystem": {"provider": 0, "s3config": {"access_secret": {}}}, "groups": [{"name": "staff", "type": 1}]},
  {"status": 0, "username": "bob", "home_dir": "/srv/bob", "permissions": {"/": ["*"]}, "password": "{SSHA512}x"}
 ], "version": 16}`

func TestSFTPGo(t *testing.T) {
	a := read(t, "sftpgo", dump)
	if len(a.Entries) != 2 || a.Entries[1].Line != 13 {
		t.Fatalf("%+v", a)
	}
	bob := store.Account{}
	a.Entries[1].apply(&bob)
	if !bob.Disabled || bob.Hash != "" {
		t.Errorf("%+v", bob)
	}
	a.Entries = a.Entries[:1]
	alice := only(t, a)
	if alice.Home != "/srv/alice" || alice.Hash != pbkdf2Hash || alice.Disabled || alice.Login != ferry.LoginKey || len(alice.Keys) != 1 {
		t.Errorf("%+v", alice)
	}
	if want := (ferry.Limits{Sessions: 2, Upload: 128 << 10, QuotaBytes: 1 << 20}); alice.Limits != want || !alice.Expires.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, expires %v", alice.Limits, alice.Expires)
	}
	for name, want := range map[ferry.Name]string{"/x": "read-only", "/in/x": "list,create", "/all/x": "all"} {
		if got := ferry.RightsAt(alice.Rules, name).String(); got != want {
			t.Errorf("rights at %s: %s, want %s", name, got, want)
		}
	}
	want := []string{"public_keys", "permissions", "filters.allowed_ip", "filters.file_patterns", "filters.totp_config", "groups", "uid", "virtual_folders"}
	if got := fields(a)[:len(want)]; !slices.Equal(got, want) {
		t.Errorf("not mapped: %q, want %q", got, want)
	}
	if text := fmt.Sprint(a.Unmapped); strings.Contains(text, "JBSWY3DPEHPK3PXP") || !strings.Contains(text, "pub /pub") {
		t.Errorf("the report: %s", text)
	}
}

// TestPermissions: each of SFTPGo's permissions, and what has none like it.
func TestPermissions(t *testing.T) {
	for permissions, want := range map[string]string{
		"*":                        "all",
		"list,download":            "read-only",
		"upload":                   "create",
		"overwrite":                "overwrite,append",
		"delete":                   "delete,rmdir",
		"delete_files":             "delete",
		"delete_dirs":              "rmdir",
		"rename":                   "rename",
		"rename_files":             "none",
		"rename_dirs,list":         "list",
		"rename_dirs,rename_files": "rename",
		"create_dirs,chmod":        "mkdir,chmod",
		"chown,chtimes":            "times,chown",
		"create_symlinks,copy":     "symlink",
		"":                         "none",
	} {
		if got, _ := rightsOf(strings.Split(permissions, ",")); got.String() != want {
			t.Errorf("%s: %s, want %s", permissions, got, want)
		}
	}
}

// TestRefused: what cannot be an account is refused with its line, and taken by none.
func TestRefused(t *testing.T) {
	user := func(fields string) string {
		return "{\"users\":[\n{\"username\":\"bob\",\"status\":1,\"home_dir\":\"/srv/bob\",\"password\":\"" + pbkdf2Hash + "\"," + fields + "}]}"
	}
	tests := []struct{ name, format, text, want string }{
		{"user ID 0", "passwd", "\nbob:" + md5Hash + ":0:100::/srv/bob:/bin/sh", "root's"},
		{"ID that is no number", "passwd", "\nbob:" + md5Hash + ":1000x:100::/srv/bob:/bin/sh", "no number"},
		{"group ID that is no number", "proftpd", "\nbob:" + md5Hash + ":1000:-1::/srv/bob:/bin/sh", "no number"},
		{"empty hash", "passwd", "\nbob::1000:100::/srv/bob:/bin/sh", "empty password hash"},
		{"name with a slash", "passwd", "\n../bob:" + md5Hash + ":1000:100::/srv/bob:/bin/sh", "only letters"},
		{"no name", "passwd", "\n:" + md5Hash + ":1000:100::/srv/bob:/bin/sh", "1 to 128 bytes"},
		{"anonymous", "proftpd", "\nftp:" + md5Hash + ":1000:100::/srv/bob:/bin/sh", "anonymous"},
		{"relative home", "passwd", "\nbob:" + md5Hash + ":1000:100::srv/bob:/bin/sh", "no absolute path"},
		{"no home", "passwd", "\nbob:" + md5Hash + ":1000:100:::/bin/sh", "no absolute path"},
		{"too few fields", "passwd", "\nbob:" + md5Hash, "2 fields"},
		{"NIS", "passwd", "\n+::::::", "directory service"},
		{"no text", "passwd", "\nbob\x00:", "no line of text"},
		{"twice", "passwd", "bob:" + md5Hash + ":1000:100::/srv/bob:/bin/sh\nbob:" + md5Hash + ":1001:100::/srv/bob:/bin/sh", "0:1 already"},
		{"pureftpd: user ID 0", "pureftpd", "\nbob:" + md5Hash + ":0:100::/srv/bob/./::::::::::::", "root's"},
		{"pureftpd: limit", "pureftpd", "\nbob:" + md5Hash + ":500:100::/srv/bob/./:fast:::::::::::", "upload bandwidth"},
		{"pureftpd: fields", "pureftpd", "\nbob:" + md5Hash + ":500", "at least 6"},
		{"pureftpd: more fields", "pureftpd", "\nbob:" + md5Hash + ":500:1::/srv/bob" + strings.Repeat(":", 20), "at most 18"},
		{"pureftpd: index", "pureftpd", "PDB2\x00", "pureftpd.passwd"},
		{"vsftpd: empty password", "vsftpd", "alice\nx\nbob\n\n", "empty"},
		{"sftpgo: relative home", "sftpgo", user(`"home_dir":"srv"`), "no absolute path"},
		{"sftpgo: name", "sftpgo", user(`"username":"a/b"`), "only letters"},
		{"sftpgo: no secret", "sftpgo", user(`"password":""`), "neither"},
		{"sftpgo: S3", "sftpgo", user(`"filesystem":{"provider":1}`), "provider 1"},
		{"sftpgo: pattern", "sftpgo", user(`"permissions":{"/":["*"],"/a*":["list"]}`), "pattern"},
		{"sftpgo: relative permission", "sftpgo", user(`"permissions":{"a":["list"]}`), "no absolute name"},
		{"sftpgo: limit", "sftpgo", user(`"upload_bandwidth":-1`), "below 0"},
		{"sftpgo: type", "sftpgo", user(`"max_sessions":"many"`), "max_sessions is a string"},
		{"sftpgo: anonymous", "sftpgo", user(`"filters":{"is_anonymous":true}`), "anonymous"},
		{"sftpgo: cut off", "sftpgo", user(`"a":1`)[:60], "no dump"},
		{"sftpgo: no users", "sftpgo", "{\n\"admins\":[]}", "no list of users"},
		{"sftpgo: no JSON", "sftpgo", "\nalice:x", "no dump"},
	}
	for _, test := range tests {
		a := read(t, test.format, test.text)
		if len(a.Refused) != 1 || !strings.Contains(a.Refused[0].Reason, test.want) {
			t.Errorf("%s: refused %v, want one with %q", test.name, a.Refused, test.want)
			continue
		}
		if line := a.Refused[0].Line; line < 1 || line > 3 {
			t.Errorf("%s: line %d", test.name, line)
		}
		if text := fmt.Sprint(a.Refused); strings.Contains(text, md5Hash) || strings.Contains(text, pbkdf2Hash) {
			t.Errorf("%s: the reason shows the hash: %s", test.name, text)
		}
	}
}

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "ferry.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func inDatabase(t *testing.T, s *store.Store) (all []string) {
	t.Helper()
	for a, err := range s.Accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a.Name)
	}
	return all
}

// TestWriteIsAllOrNothing: whatever keeps one account out keeps out all.
func TestWriteIsAllOrNothing(t *testing.T) {
	s := open(t)
	old := store.Account{User: ferry.User{Name: "bob", Home: "/old", Charset: "gbk"}, Hash: "old"}
	if err := s.Add(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	text := "alice\npassword\nbob\n" + md5Hash + "\n"
	hash := func(_ context.Context, password string) (string, error) { return "hash of " + password, nil }
	report, err := read(t, "vsftpd", text).Write(t.Context(), s, Options{Hash: hash})
	if err == nil || !strings.Contains(err.Error(), "bob is there already") || report.Written || !slices.Equal(inDatabase(t, s), []string{"bob"}) {
		t.Fatalf("%+v, %v, users %q", report, err, inDatabase(t, s))
	}
	report, err = read(t, "vsftpd", text).Write(t.Context(), s, Options{Existing: Skip, DryRun: true})
	if err != nil || report.Written || !slices.Equal(report.Added, []string{"alice"}) || !slices.Equal(report.Skipped, []string{"bob"}) || len(inDatabase(t, s)) != 1 {
		t.Fatalf("dry run: %+v, %v", report, err)
	}
	if _, err = read(t, "vsftpd", text+"no name\nx\n").Write(t.Context(), s, Options{Existing: Skip, Hash: hash}); err == nil || len(inDatabase(t, s)) != 1 {
		t.Fatalf("with a refused line: %v", err)
	}
	report, err = read(t, "vsftpd", text+"no name\nx\n").Write(t.Context(), s, Options{Existing: Update, SkipRefused: true, Hash: hash})
	if err != nil || !report.Written || !slices.Equal(report.Updated, []string{"bob"}) {
		t.Fatalf("%+v, %v", report, err)
	}
	bob, err := s.Account(t.Context(), "bob")
	if err != nil || bob.Hash != md5Hash || bob.Home != "/old" || bob.Charset != "gbk" || len(bob.Rules) != 0 {
		t.Errorf("%+v, %v: want the new hash, and the rest as it was", bob, err)
	}
	alice, err := s.Account(t.Context(), "alice")
	if err != nil || alice.Hash != "hash of password" || ferry.RightsAt(alice.Rules, "/x") != ferry.RightsAll || alice.Created.IsZero() {
		t.Errorf("%+v, %v", alice, err)
	}
	if data, err := json.Marshal(report); err != nil || !strings.Contains(string(data), `"refused":[{"file":"0","line":5,"user":"","reason":`) {
		t.Errorf("%s, %v", data, err)
	}
}

// FuzzRead: whatever a file holds, what is taken can be kept by the database, names no
// user twice, and no reason shows what stands behind a name.
func FuzzRead(f *testing.F) {
	for _, seed := range []struct{ format, text string }{
		{"passwd", "alice:" + md5Hash + ":1000:1000::/home/alice:/bin/sh\nalice:!:1:1:1:1:1:1:\nstaff:x:5:alice"},
		{"pureftpd", "joe:" + md5Hash + ":500:101::/home/joe/./x:1:2:3:4:5:6:7:8:9:10:11:12:"},
		{"vsftpd", "alice\nx\nbob\n" + md5Hash}, {"vsftpd", "VERSION=3\nHEADER=END\n a\n \\41\nDATA=END"}, {"sftpgo", dump},
	} {
		f.Add(seed.format, []byte(seed.text))
	}
	f.Fuzz(func(t *testing.T, format string, data []byte) {
		a, err := Read(format, []File{{"file", data}})
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, e := range a.Entries {
			account := store.Account{User: ferry.User{Name: e.Name}}
			e.apply(&account)
			if err := ferry.CheckUserName(e.Name); err != nil || seen[e.Name] || account.Home != "" && !filepath.IsAbs(account.Home) || account.Limits.Upload < 0 || account.Limits.Sessions < 0 {
				t.Errorf("%q: taken: %+v, %v", e.Name, account, err)
			}
			seen[e.Name] = true
		}
	})
}
