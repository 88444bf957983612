package interop

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCurlSecure moves several files both ways in one run, with every version
// of TLS, by AUTH TLS and with TLS from the start, in every mode of binding.
//
// In TLS 1.3 curl resumes on each data connection. In TLS 1.2 it wants no
// session tickets (SSL_OP_NO_TICKET), which are all that Go has there: hence
// the one mode that insists refuses it.
func TestCurlSecure(t *testing.T) {
	t.Parallel()
	for _, mode := range bindings() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{}, binding(mode))
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
			if named := strings.Contains(v.log.String(), "would be refused by binding"); named != (mode == "observe") {
				t.Errorf("in mode %s the log names clients that would be refused: %v", mode, named)
			}
		})
	}
}

// carryByCurl uploads, downloads and lists some files.
func carryByCurl(t *testing.T, v *secureServer, scheme, dir, version string, args []string) {
	t.Helper()
	// Few, because curl sleeps for up to a second with each.
	files := map[string]int{"empty": 0, "odd": 1<<16 + 1, "large": 3 << 20}
	here, names := t.TempDir(), slices.Sorted(maps.Keys(files))
	for name, size := range files {
		writeFile(t, filepath.Join(here, name), noise(uint64(size), size))
	}
	list := "{" + strings.Join(names, ",") + "}"
	up := curl(t, here, append(args, "--ftp-create-dirs", "-T", list, v.secureURL(scheme, dir))...)
	if !strings.Contains(up.err, "SSL connection using TLSv"+version) {
		t.Errorf("curl did not speak TLS %s:\n%s", version, up.err)
	}
	if n := strings.Count(up.err, "SSL re-using session ID"); version == "1.3" && n < len(names) {
		t.Errorf("curl resumed %d times for %d files:\n%s", n, len(names), up.err)
	}
	if n := strings.Count(up.err, "< 230 "); n != 1 {
		t.Errorf("curl logged in %d times for one run", n)
	}
	down := curl(t, here, append(args, "-o", "got-#1", v.secureURL(scheme, dir+list))...)
	if n := strings.Count(down.err, "< 230 "); n != 1 {
		t.Errorf("curl logged in %d times for one run", n)
	}
	for name, size := range files {
		wantFile(t, v.path(dir+name), noise(uint64(size), size))
		wantFile(t, filepath.Join(here, "got-"+name), noise(uint64(size), size))
	}
	listed := curl(t, here, append(args, "-l", v.secureURL(scheme, dir))...)
	if got := strings.Fields(listed.out); !slices.Equal(slices.Sorted(slices.Values(got)), names) {
		t.Errorf("the directory lists as %q, want %q", got, names)
	}
}

// wantUnbound wants a download to be refused because its data connection does
// not resume. The connection is reset, and curl leaves before it hears the 522.
func wantUnbound(t *testing.T, v *secureServer, scheme string, args []string) {
	t.Helper()
	writeFile(t, v.path("refused"), noise(7, 1000))
	o := program{}.run(t, "curl", curlArgs(append(args, v.secureURL(scheme, "refused")))...)
	if o.code == 0 || o.out != "" {
		t.Errorf("a client that does not resume was not refused: exit status %d\n%s", o.code, o.err)
	}
	v.log.wait(t, "data connection refused: it did not resume", v.ended)
}

// TestCurlSecureResumes: both ways, the rest of a file over TLS.
func TestCurlSecureResumes(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{}, binding("enforce"))
	content, here := noise(1, 3<<20), t.TempDir()
	writeFile(t, filepath.Join(here, "whole"), content)
	writeFile(t, filepath.Join(here, "down"), content[:1<<20])
	writeFile(t, v.path("down"), content)

	l := phoneSecure(t, v, v.ca.client())
	conn, err := l.begin("STOR up")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(content[:1<<20]); err != nil {
		t.Fatal(err)
	}
	bare(conn).Close() // no close_notify
	if a, err := l.hear(); err != nil || a.code != 426 {
		t.Fatalf("a truncated upload was answered %v, %v", a, err)
	}
	o := curl(t, here, secureArgs(v, "-C", "-", "-T", "whole", v.url("up"))...)
	if !strings.Contains(o.err, "> APPE up") {
		t.Errorf("curl did not go on from the part:\n%s", o.err)
	}
	wantFile(t, v.path("up"), content)
	o = curl(t, here, secureArgs(v, "-C", "-", "-O", v.url("down"))...)
	if !strings.Contains(o.err, "> REST 1048576") {
		t.Errorf("curl did not resume:\n%s", o.err)
	}
	wantFile(t, filepath.Join(here, "down"), content)
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
			v := startSecure(t, setup{config: cheapLogins}, binding(mode))
			here := t.TempDir()
			const files = 40
			for i := range files {
				writeFile(t, filepath.Join(here, "out", fmt.Sprint(i)), noise(uint64(i), 3000*i))
			}
			args := secureArgs(v, "-Z", "--parallel-max", "10")
			curl(t, here, append(args, "-T", "out/{"+numbers(files)+"}", v.url("/"))...)
			curl(t, here, append(args, "--create-dirs", "-o", "back/#1", v.url(fmt.Sprintf("[0-%d]", files-1)))...)
			wantSameTree(t, v.dir, filepath.Join(here, "out"), kept{})
			wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), kept{})
		})
	}
}

// TestCurlCCC: after the login the control connection goes on in clear, the
// data connections stay private. Either side may end TLS first.
func TestCurlCCC(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{}, "ccc = true")
	for _, mode := range []string{"active", "passive"} {
		for _, version := range []string{"1.2", "1.3"} {
			t.Run(mode+" "+version, func(t *testing.T) {
				t.Parallel()
				here, content := t.TempDir(), noise(2, 300_000)
				writeFile(t, filepath.Join(here, "f"), content)
				name := mode + version
				args := secureArgs(v, "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", mode, "--tls-max", version)
				o := curl(t, here, append(args, "-T", "f", v.url(name))...)
				_, after, said := strings.Cut(o.err, "> CCC")
				if !said || !strings.Contains(after, "SSL connection using TLSv"+version) {
					t.Errorf("curl did not say CCC, or its data was not private:\n%s", o.err)
				}
				curl(t, here, append(args, "-o", "got", v.url(name))...)
				wantFile(t, filepath.Join(here, "got"), content)
			})
		}
	}
}

// TestCurlChecksCertificate: a client that trusts others refuses ours, and one
// that insists on TLS does not go on without.
func TestCurlChecksCertificate(t *testing.T) {
	t.Parallel()
	v, other := startSecure(t, setup{}), newAuthority(t)
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"another authority":   {[]string{"--ssl-reqd", "--cacert", other.file, v.url("/")}, 60},
		"plain":               {[]string{v.url("/")}, 67},
		"TLS 1.1":             {[]string{"--ssl-reqd", "--cacert", v.ca.file, "--tls-max", "1.1", v.url("/")}, 35},
		"cipher without AEAD": {[]string{"--ssl-reqd", "--cacert", v.ca.file, "--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-SHA", v.url("/")}, 35},
	} {
		t.Run(name, func(t *testing.T) {
			o := program{}.run(t, "curl", curlArgs(c.args)...)
			if o.code != c.code {
				t.Errorf("exit status %d, want %d:\n%s", o.code, c.code, o.err)
			}
		})
	}
}
