package tls

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestCurlSecure moves several files both ways in one run, with every version
// of TLS, by AUTH TLS and with TLS from the start, in every mode of binding.
//
// In TLS 1.3 curl resumes on each data connection. In TLS 1.2 it wants no
// session tickets (SSL_OP_NO_TICKET), which are all that Go has there: hence
// the one mode that insists refuses it.
func TestCurlSecure(t *testing.T) {
	t.Parallel()
	for _, mode := range harness.Bindings() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding(mode))
			t.Run("clients", func(t *testing.T) {
				for _, c := range []struct {
					name, scheme, version string
					works                 bool
				}{
					{"explicit", "ftp", "1.3", true},
					{"explicit, TLS 1.2", "ftp", "1.2", mode != "enforce"},
					{"implicit", "ftps", "1.3", true},
					{"implicit, TLS 1.2", "ftps", "1.2", mode != "enforce"},
				} {
					t.Run(c.name, func(t *testing.T) {
						t.Parallel()
						dir, args := fmt.Sprintf("/%s%s/", c.scheme, c.version), secureArgs(v, "--tls-max", c.version)
						if c.works {
							carryByCurl(t, v, c.scheme, dir, c.version, args)
						} else {
							wantUnbound(t, v, c.scheme, args)
						}
					})
				}
			})
			if named := strings.Contains(v.Log.String(), "would be refused by binding"); named != (mode == "observe") {
				t.Errorf("in mode %s the log names clients that would be refused: %v", mode, named)
			}
		})
	}
}

// carryByCurl uploads, downloads and lists some files.
func carryByCurl(t *testing.T, v *harness.SecureServer, scheme, dir, version string, args []string) {
	t.Helper()
	// Few, because curl sleeps for up to a second with each.
	files := map[string]int{"empty": 0, "odd": 1<<16 + 1, "large": 3 << 20}
	here, names := t.TempDir(), slices.Sorted(maps.Keys(files))
	for name, size := range files {
		harness.WriteFile(t, filepath.Join(here, name), harness.Noise(uint64(size), size))
	}
	list := "{" + strings.Join(names, ",") + "}"
	up := harness.Curl(t, here, append(args, "--ftp-create-dirs", "-T", list, v.SecureURL(scheme, dir))...)
	if !strings.Contains(up.Err, "SSL connection using TLSv"+version) {
		t.Errorf("curl did not speak TLS %s:\n%s", version, up.Err)
	}
	if n := strings.Count(up.Err, "SSL re-using session ID"); version == "1.3" && n < len(names) {
		t.Errorf("curl resumed %d times for %d files:\n%s", n, len(names), up.Err)
	}
	if n := strings.Count(up.Err, "< 230 "); n != 1 {
		t.Errorf("curl logged in %d times for one run", n)
	}
	down := harness.Curl(t, here, append(args, "-o", "got-#1", v.SecureURL(scheme, dir+list))...)
	if n := strings.Count(down.Err, "< 230 "); n != 1 {
		t.Errorf("curl logged in %d times for one run", n)
	}
	for name, size := range files {
		harness.WantFile(t, v.Path(dir+name), harness.Noise(uint64(size), size))
		harness.WantFile(t, filepath.Join(here, "got-"+name), harness.Noise(uint64(size), size))
	}
	listed := harness.Curl(t, here, append(args, "-l", v.SecureURL(scheme, dir))...)
	if got := strings.Fields(listed.Out); !slices.Equal(slices.Sorted(slices.Values(got)), names) {
		t.Errorf("the directory lists as %q, want %q", got, names)
	}
}

// wantUnbound wants a download to be refused because its data connection does
// not resume. The connection is reset, and curl leaves before it hears the 522.
func wantUnbound(t *testing.T, v *harness.SecureServer, scheme string, args []string) {
	t.Helper()
	harness.WriteFile(t, v.Path("refused"), harness.Noise(7, 1000))
	o := harness.Program{}.Run(t, "curl", harness.CurlArgs(append(args, v.SecureURL(scheme, "refused")))...)
	if o.Code == 0 || o.Out != "" {
		t.Errorf("a client that does not resume was not refused: exit status %d\n%s", o.Code, o.Err)
	}
	v.Log.Wait(t, "data connection refused: it did not resume", v.Ended)
}

// TestCurlSecureResumes: both ways, the rest of a file over TLS.
func TestCurlSecureResumes(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
	content, here := harness.Noise(1, 3<<20), t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "whole"), content)
	harness.WriteFile(t, filepath.Join(here, "down"), content[:1<<20])
	harness.WriteFile(t, v.Path("down"), content)

	l := harness.PhoneSecure(t, v, v.Ca.Client())
	conn, err := l.Begin("STOR up")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(content[:1<<20]); err != nil {
		t.Fatal(err)
	}
	harness.Bare(conn).Close() // no close_notify
	if a, err := l.Hear(); err != nil || a.Code != 426 {
		t.Fatalf("a truncated upload was answered %v, %v", a, err)
	}
	o := harness.Curl(t, here, secureArgs(v, "-C", "-", "-T", "whole", v.Url("up"))...)
	if !strings.Contains(o.Err, "> APPE up") {
		t.Errorf("curl did not go on from the part:\n%s", o.Err)
	}
	harness.WantFile(t, v.Path("up"), content)
	o = harness.Curl(t, here, secureArgs(v, "-C", "-", "-O", v.Url("down"))...)
	if !strings.Contains(o.Err, "> REST 1048576") {
		t.Errorf("curl did not resume:\n%s", o.Err)
	}
	harness.WantFile(t, filepath.Join(here, "down"), content)
}

// TestCurlSecureParallel: many connections at once that share one cache of
// sessions, so that tickets of one control connection come on data connections
// of another. OpenSSL uses a ticket once, and an upload of curl reads the next
// one when it ends: in between its other connections have none to show, which
// enforce cannot but refuse.
func TestCurlSecureParallel(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"off", "observe", "auto"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding(mode))
			here := t.TempDir()
			const files = 40
			for i := range files {
				harness.WriteFile(t, filepath.Join(here, "out", fmt.Sprint(i)), harness.Noise(uint64(i), 3000*i))
			}
			args := secureArgs(v, "-Z", "--parallel-max", "10")
			harness.Curl(t, here, append(args, "-T", "out/{"+harness.Numbers(files)+"}", v.Url("/"))...)
			harness.Curl(t, here, append(args, "--create-dirs", "-o", "back/#1", v.Url(fmt.Sprintf("[0-%d]", files-1)))...)
			harness.WantSameTree(t, v.Dir, filepath.Join(here, "out"), harness.Kept{})
			harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{})
		})
	}
}

// TestCurlCCC: after the login the control connection goes on in clear, the
// data connections stay private. Either side may end TLS first.
func TestCurlCCC(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, "ccc = true")
	for _, mode := range []string{"active", "passive"} {
		for _, version := range []string{"1.2", "1.3"} {
			t.Run(mode+" "+version, func(t *testing.T) {
				t.Parallel()
				here, content := t.TempDir(), harness.Noise(2, 300_000)
				harness.WriteFile(t, filepath.Join(here, "f"), content)
				name := mode + version
				args := secureArgs(v, "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", mode, "--tls-max", version)
				o := harness.Curl(t, here, append(args, "-T", "f", v.Url(name))...)
				_, after, said := strings.Cut(o.Err, "> CCC")
				if !said || !strings.Contains(after, "SSL connection using TLSv"+version) {
					t.Errorf("curl did not say CCC, or its data was not private:\n%s", o.Err)
				}
				harness.Curl(t, here, append(args, "-o", "got", v.Url(name))...)
				harness.WantFile(t, filepath.Join(here, "got"), content)
			})
		}
	}
}

// TestCurlChecksCertificate: a client that trusts others refuses ours, and one
// that insists on TLS does not go on without.
func TestCurlChecksCertificate(t *testing.T) {
	t.Parallel()
	v, other := harness.StartSecure(t, harness.Setup{}), harness.NewAuthority(t)
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"another authority":   {[]string{"--ssl-reqd", "--cacert", other.File, v.Url("/")}, 60},
		"plain":               {[]string{v.Url("/")}, 67},
		"TLS 1.1":             {[]string{"--ssl-reqd", "--cacert", v.Ca.File, "--tls-max", "1.1", v.Url("/")}, 35},
		"cipher without AEAD": {[]string{"--ssl-reqd", "--cacert", v.Ca.File, "--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-SHA", v.Url("/")}, 35},
	} {
		t.Run(name, func(t *testing.T) {
			o := harness.Program{}.Run(t, "curl", harness.CurlArgs(c.args)...)
			if o.Code != c.code {
				t.Errorf("exit status %d, want %d:\n%s", o.Code, c.code, o.Err)
			}
		})
	}
}
