package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

// loadText loads a config file with that text.
func loadText(t *testing.T, text string, flags map[string]any) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ferry.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, flags)
	if err != nil && !strings.Contains(err.Error(), file) && len(flags) == 0 {
		t.Errorf("the error does not name the file: %v", err)
	}
	return c, err
}

func TestConfigMistakesNameLineAndRemedy(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"not TOML", "[ftp]\naddress :2121", "ferry.toml:2:"},
		{"twice", "[ftp]\nmode_z = true\nmode_z = true", "ferry.toml:3:"},
		{"misspelt key", "[ftp]\n\nadress = \":21\"", `ferry.toml:3: unknown key "ftp.adress": did you mean "ftp.address"?`},
		{"dash for underscore", "[ftp]\npassive-ports = \"1-2\"", `did you mean "ftp.passive_ports"?`},
		{"wrong section", "[ftp]\ndurable = true", `ferry.toml:2: unknown key "ftp.durable": did you mean "storage.durable"?`},
		{"unknown section", "[server]\n[nonsense]\n", `ferry.toml:2: unknown key "nonsense"`},
		{"no section", "zzzzzzzz = 1", `ferry.toml:1: unknown key "zzzzzzzz": ferry config example shows every key`},
		{"value for a section", "ftp = 1", `ferry.toml:1: unknown key "ftp"`},
		{"table for a value", "[ftp.address]\nx = 1", `ferry.toml:2: unknown key "ftp.address.x"`},
		{"inline table", "ftp = { adress = \":21\" }", `ferry.toml:1: unknown key "ftp.adress"`},
		{"dotted key", "\nftp.mode_z = 1", `ferry.toml:2: ftp.mode_z must be true or false, not 1`},
		{"string for bool", "[storage]\ndurable = \"yes\"", `ferry.toml:2: storage.durable must be true or false, not "yes"`},
		{"number for span", "[ftp]\nidle_timeout = 90", `ferry.toml:2: ftp.idle_timeout must be a time span such as "30s", "15m" or "24h", not 90`},
		{"negative span", "[ftp]\nidle_timeout = \"-1s\"", `must be a time span`},
		{"negative count", "[limits]\nsessions = -1", `ferry.toml:2: limits.sessions must be a whole number from 0 on, not -1`},
		{"fraction", "[limits]\nsessions = 1.5", `must be a whole number from 0 on, not 1.5`},
		{"startups out of order", "[limits]\nbefore_login = \"100:30:50\"", `limits.before_login must be a number, or "START:RATE:FULL" with a RATE from 1 to 100 and a FULL not below START, not "100:30:50"`},
		{"startups, no rate", "[limits]\nbefore_login = \"100:0:500\"", `limits.before_login must be a number, or`},
		{"startups, more behind", "[limits]\nbefore_login = \"100:30:500:1\"", `limits.before_login must be a number, or`},
		{"startups, words", "[limits]\nbefore_login = \"few\"", `limits.before_login must be a number, or`},
		{"size", "[limits]\nupload = \"10 MB\"", `limits.upload must be a size such as "500kB", "10MiB" or "1GiB", or 0, not "10 MB"`},
		{"size too large", "[limits]\nupload = \"99999999TiB\"", `limits.upload must be a size`},
		{"ports", "[ftp]\npassive_ports = \"60000-50000\"", `must be a range of ports`},
		{"port 0", "[ftp]\npassive_ports = \"0-10\"", `must be a range of ports`},
		{"port too large", "[ftp]\npassive_ports = \"1-65536\"", `must be a range of ports`},
		{"network", "[ftp]\nepsv_off = [\"10.0.0.0/33\"]", `ftp.epsv_off must hold networks`},
		{"list of numbers", "[hosts]\nnames = [1]", `must be a list of strings, but holds 1`},
		{"passive IPv6", "[ftp]\npassive_addresses = [\"2001:db8::1\"]", `PASV cannot carry IPv6`},
		{"passive host", "[ftp]\npassive_addresses = [\"a b\"]", `must name hosts`},
		{"active port", "[ftp]\nactive_port = \"below\"", `ftp.active_port must be "auto", "any" or a port`},
		{"active port 0", "[ftp]\nactive_port = 0", `ftp.active_port must be "auto", "any" or a port`},
		{"zone", "[ftp]\nzone = \"Mars/Base\"", `must be a time zone`},
		{"umask", "[storage]\numask = \"999\"", `must be an octal mask in quotes`},
		{"umask as number", "[storage]\numask = 22", `must be an octal mask in quotes`},
		{"choice", "[log]\nformat = \"xml\"", `log.format must be one of auto, text, json, short, not "xml"`},
		{"greeting of two lines", "[ftp]\ngreeting = \"a\\nb\"", `must be one line of text`},
		{"relative path", "[storage]\nroot = \"files\"", `ferry.toml:2: storage.root must be an absolute path, not "files"`},
		{"drop for nobody", "[users]\ndrop = \"/in\"", `ferry.toml:2: users.drop is for anonymous users, who are not let in`},
		{"drop in read-only", "[storage]\nread_only = true\n[users]\nanonymous = true\ndrop = \"/in\"", `ferry.toml:5: users.drop takes uploads, but storage.read_only`},
		{"drop is all", "[users]\nanonymous = true\ndrop = \"/x/..\"", `ferry.toml:3: users.drop must be a directory below the root`},
		{"nothing listens", "[ftp]\naddress = \"off\"\n[sftp]\naddress = \"off\"", `ferry.toml:2: ftp.address is "off", and nothing else listens`},
		{"user name", "[users]\nstatic = [\"a/b\"]", `users.static must be NAME or NAME:PASSWORD`},
		{"static anonymous", "[users]\nstatic = [\"ftp:x\"]", `stands for anonymous users`},
		{"user twice", "[users]\nstatic = [\"a:x\", \"a:y\"]", `must name each user once, not "a" twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadText(t, test.file, nil)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestFlagsOverrideTheFile(t *testing.T) {
	file := "[ftp]\naddress = \":21\"\n[storage]\nread_only = true\nroot = \"/srv\"\n[users]\nstatic = [\"a:secret\"]\n"
	c, err := loadText(t, file, map[string]any{"--ftp": "127.0.0.1:0", "--read-only": false, "--user": []string{"b:other"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.FTP.Address != "127.0.0.1:0" || c.Storage.ReadOnly || c.Storage.Root != "/srv" {
		t.Errorf("address %q, read-only %v, root %q", c.FTP.Address, c.Storage.ReadOnly, c.Storage.Root)
	}
	if len(c.Users.Static) != 1 || c.Users.Static[0].Name != "b" {
		t.Errorf("static users: %v", (*staticUserList)(&c.Users.Static).Toml())
	}
	for name, want := range map[string]string{"ftp.address": "--ftp", "storage.root": "ferry.toml:5", "ftp.zone": "default"} {
		if got := c.Source(name); !strings.HasSuffix(got, want) {
			t.Errorf("source of %s is %s, want %s", name, got, want)
		}
	}
}

// TestExampleIsTheDefault: the example with every key switched on is a config
// file that changes nothing.
func TestExampleIsTheDefault(t *testing.T) {
	preset, err := Preset()
	if err != nil {
		t.Fatal(err)
	}
	example := Example(preset)
	var on []string
	for line := range strings.Lines(example) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		on = append(on, line)
	}
	c, err := loadText(t, strings.Join(on, ""), map[string]any{"--state": "/s"})
	if err != nil {
		t.Fatal(err)
	}
	c.Server.State = ""
	if again := Example(c); again != example {
		t.Errorf("loaded and printed again it is\n%s", again)
	}
	if err := toml.Unmarshal([]byte(example), new(map[string]any)); err != nil {
		t.Errorf("the example is not TOML: %v", err)
	}
}

// TestConfigurationDocs holds docs/configuration.md to the table of keys.
func TestConfigurationDocs(t *testing.T) {
	preset, err := Preset()
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../docs/configuration.md"
	want := Docs(preset)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("%s does not say what keys.go says (%v): make docs", file, err)
	}
}

// TestPasswordsAreNotShown: neither by config show nor in a mistake's text.
func TestPasswordsAreNotShown(t *testing.T) {
	c, err := loadText(t, "[users]\nstatic = [\"a:hunter2\", \"b:$argon2id$v=19$m=32768,t=3,p=1$aHVudGVyMnNhbHQ$aHVudGVyMmh1bnRlcjJodW50ZXIy\"]", map[string]any{"--state": "/s"})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		if strings.Contains(k.At(c).Toml(), "hunter2") || strings.Contains(k.At(c).Toml(), "argon2id") {
			t.Errorf("%s shows a password: %s", k.Name, k.At(c).Toml())
		}
	}
	for _, static := range []string{`["a b:hunter2"]`, `["a:hunter2", "a:hunter2"]`, `["ftp:hunter2"]`, `"a b:hunter2"`, `{ a = "hunter2" }`, `[["hunter2"]]`} {
		if _, err := loadText(t, "[users]\nstatic = "+static, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", static, err)
		}
	}
}

func FuzzConfigFile(f *testing.F) {
	preset, err := Preset()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(Example(preset)))
	f.Add([]byte("[ftp]\naddress = \":21\"\n[[user]]\nname=\"a\"\nusers = {static = [\"a\"]}"))
	f.Add([]byte("a.b.c = [{x=1},{y={z=2}}]\n[ftp.\"\"]\n[\"\"]\n\"\"=1"))
	f.Add([]byte("[tls]\nmore = [\"/a:/b\"]\nhosts = [\"a.b\", \"::1\"]\nrequire_networks = [\"10.0.0.0/8=off\"]\nrequire_users = [\"a=all\"]\nacme_names = [\"a.b\"]\n" +
		"client_fingerprints = [\"SHA256:AB=c\"]\nlegacy_charset = \"gbk\"\n[hosts]\nnames = [\"A.b\"]\ngreetings = [\"a.b=c=d\"]\nanonymous_roots = [\"a.b=/c\"]\nown_users = [\"a.b\"]"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(dir, "fuzz.toml")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(file, map[string]any{"--state": "/s"})
		if err != nil {
			return
		}
		for _, k := range Keys() {
			if k.At(c).Toml() == "" {
				t.Errorf("%s prints as nothing", k.Name)
			}
		}
	})
}

// TestEveryFaultIsTold: of a list each item's, and what another fault does not touch.
func TestEveryFaultIsTold(t *testing.T) {
	_, err := loadText(t, `[ftp]
address = "bad"
epsv_off = ["x", "10.0.0.0/8", "y"]
[ftps]
address = ":990"
[sftp]
address = ":990"
[tls]
require_users = ["a=off", "b=never", "a=all"]
[users]
static = ["a/b", "c:", "d"]
`, nil)
	for _, want := range []string{
		`ferry.toml:2: ftp.address must be "HOST:PORT"`,
		`ferry.toml:3: ftp.epsv_off must hold networks such as "192.0.2.0/24" or addresses, not "x"`,
		`ferry.toml:3: ftp.epsv_off must hold networks such as "192.0.2.0/24" or addresses, not "y"`,
		`ferry.toml:7: sftp.address has port 990, and so has ftps.address`,
		`ferry.toml:9: tls.require_users must say one of off, login, data, all, not "never"`,
		`ferry.toml:9: tls.require_users must say one thing of a, not two`,
		`ferry.toml:11: users.static must be NAME or NAME:PASSWORD: user name "a/b"`,
		`ferry.toml:11: users.static must be NAME or NAME:PASSWORD: user "c" has an empty password`,
	} {
		if err == nil || strings.Count(err.Error(), want) != 1 {
			t.Errorf("not said once: %s\nin\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 8 {
		t.Errorf("%d lines are said:\n%v", n, err)
	}
}
