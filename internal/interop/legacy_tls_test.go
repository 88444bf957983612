package interop

import (
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// The network of old devices in these tests, and an address outside.
const (
	oldDevice = "127.0.0.2"
	newDevice = "127.0.0.3"
)

// startLegacy starts a server with a legacy profile for oldDevice, and beside
// its certificate one with an RSA key.
func startLegacy(t testing.TB, lines ...string) *secureServer {
	t.Helper()
	v := &secureServer{ca: newAuthority(t)}
	v.pair = v.ca.issue("localhost", "127.0.0.1")
	rsa := v.ca.issueRSA("localhost", "127.0.0.1")
	lines = append(lines, fmt.Sprintf("legacy_networks = [%q]", oldDevice), fmt.Sprintf("more = [%q]", rsa.cert+":"+rsa.key))
	v.launch(t, setup{config: cheapLogins + "[limits]\nban_after = 0\n"}, lines...)
	return v
}

// oldTLS is what old devices speak: in the words of OpenSSL's and curl's
// options, and in those of the log.
func oldTLS() map[string]struct{ openssl, curl, noted string } {
	return map[string]struct{ openssl, curl, noted string }{
		"TLS 1.0": {"-tls1 -cipher DEFAULT@SECLEVEL=0", "--tlsv1.0 --tls-max 1.0 --ciphers DEFAULT@SECLEVEL=0", "TLS 1.0 with TLS_ECDHE_"},
		"TLS 1.1": {"-tls1_1 -cipher DEFAULT@SECLEVEL=0", "--tlsv1.1 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0", "TLS 1.1 with TLS_ECDHE_"},
		"RSA key exchange, TLS 1.0": {"-tls1 -cipher AES128-SHA@SECLEVEL=0", "--tlsv1.0 --tls-max 1.0 --ciphers AES128-SHA@SECLEVEL=0",
			"TLS 1.0 with TLS_RSA_WITH_AES_128_CBC_SHA"},
		"RSA key exchange, TLS 1.2": {"-tls1_2 -cipher AES128-GCM-SHA256", "--tls-max 1.2 --ciphers AES128-GCM-SHA256",
			"TLS 1.2 with TLS_RSA_WITH_AES_128_GCM_SHA256"},
		"CBC, TLS 1.2": {"-tls1_2 -cipher ECDHE-RSA-AES128-SHA", "--tls-max 1.2 --ciphers ECDHE-RSA-AES128-SHA",
			"TLS 1.2 with TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
	}
}

// TestLegacyCurl: from the network of old devices, old TLS moves files both
// ways, and the log says what was used; from elsewhere it is refused, with an
// alert that says why and one line in the log with what was offered.
func TestLegacyCurl(t *testing.T) {
	t.Parallel()
	for name, c := range oldTLS() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startLegacy(t)
			here, content := t.TempDir(), noise(1, 200_000)
			writeFile(t, filepath.Join(here, "f"), content)
			from := func(address string, args ...string) []string {
				return append(secureArgs(v, "--interface", address), append(strings.Fields(c.curl), args...)...)
			}
			curl(t, here, from(oldDevice, "-T", "f", v.url("f"))...)
			wantFile(t, v.path("f"), content)
			v.log.wait(t, `msg="legacy profile in use"`, v.ended)
			curl(t, here, from(oldDevice, "-o", "got", v.url("f"))...)
			wantFile(t, filepath.Join(here, "got"), content)
			for n := 1; n <= 2; n++ {
				line := v.log.wait(t, fmt.Sprintf("so_far=%d\n", n), v.ended)
				if !strings.Contains(line, "level=WARN") || !strings.Contains(line, c.noted) || !strings.Contains(line, oldDevice) {
					t.Errorf("the log does not say %q: %s", c.noted, line)
				}
			}

			o := program{dir: here}.run(t, "curl", curlArgs(from(newDevice, v.url("f")))...)
			if o.code != 35 || !strings.Contains(o.err, "alert protocol version") && !strings.Contains(o.err, "alert handshake failure") {
				t.Errorf("from elsewhere: exit status %d\n%s", o.code, o.err)
			}

			line := v.log.wait(t, `msg="TLS handshake failed"`, v.ended)
			for _, want := range []string{newDevice, `offer="versions TLS 1.`, "suites TLS_", "level=WARN"} {
				if !strings.Contains(line, want) {
					t.Errorf("the log of the handshake does not say %q: %s", want, line)
				}
			}
			if n := strings.Count(v.log.String(), "tls: "); n != 1 {
				t.Errorf("why a handshake failed is told %d times", n)
			}
		})
	}
}

// TestLegacyOpenSSL is a dialogue of s_client in old TLS: a login, an upload
// and a download, of which each resumes the control connection's session.
func TestLegacyOpenSSL(t *testing.T) {
	t.Parallel()
	for name, c := range oldTLS() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startLegacy(t, binding("enforce"))
			session := filepath.Join(t.TempDir(), "session")
			client := append([]string{"s_client", "-CAfile", v.ca.file, "-verify_return_error", "-bind", oldDevice}, strings.Fields(c.openssl)...)
			k := converse(t, "openssl", append(client, "-ign_eof", "-starttls", "ftp", "-connect", v.addr, "-crlf", "-sess_out", session)...)
			k.say("", "Verify return code: 0 (ok)")
			for _, step := range [][2]string{
				{"USER " + user, "331 "}, {"PASS " + password, "230 "}, {"PBSZ 0", "200 PBSZ=0"}, {"PROT P", "200 Data"}, {"TYPE I", "200 "},
			} {
				k.say(step[0], step[1])
			}
			content := strings.Repeat("s_client takes some capital letters for commands\n", 3000)
			data := func() []string {
				at := net.JoinHostPort(v.host, dataPort(t, k.say("EPSV", "229 ")))
				return append(client, "-quiet", "-sess_in", session, "-connect", at)
			}
			at := data()
			k.say("STOR f", "150 ")
			program{stdin: content}.run(t, "openssl", append(at, "-no_ign_eof")...)
			k.say("", "226 ")
			wantFile(t, v.path("f"), []byte(content))
			at = data()
			k.say("RETR f", "150 ")
			got := converse(t, "openssl", append(at, "-ign_eof")...)
			k.say("", "226 ")
			if said := got.end(); !strings.Contains(said, content) {
				t.Errorf("the data connection gave %d bytes without the file:\n%.300s", len(said), said)
			}
			k.say("QUIT", "221 ")
			v.log.wait(t, c.noted, v.ended)
		})
	}
}

// TestLegacyManners: what else old devices are allowed, said in the
// configuration: names in another charset, LIST as Windows servers write it,
// SIZE and REST in TYPE A. Others know nothing of it.
func TestLegacyManners(t *testing.T) {
	t.Parallel()
	v := startLegacy(t, `legacy_charset = "gbk"`, "legacy_dos_list = true")
	const chinese, gbk = "报告.txt", "\xb1\xa8\xb8\xe6.txt"
	enter := func(from string, version uint16) caller {
		t.Helper()
		cfg := v.ca.client()
		cfg.MinVersion, cfg.MaxVersion = version, version
		l := ringFrom(t, v, from, cfg)
		if err := l.login(user, password); err != nil {
			t.Fatal(err)
		}
		l.want("PBSZ 0", 200)
		l.want("PROT P", 200)
		return l
	}
	old := enter(oldDevice, tls.VersionTLS10)
	old.wantStored("STOR "+gbk, []byte("one\ntwo\n"))
	wantFile(t, v.path(chinese), []byte("one\ntwo\n"))
	old.wantFetched("NLST", []byte(gbk+"\r\n"))
	list, err := old.fetch("LIST")
	if err != nil || !strings.HasSuffix(string(list), "M                    8 "+gbk+"\r\n") {
		t.Errorf("LIST %q, %v", list, err)
	}
	old.want("TYPE A", 200)
	if a := old.want("SIZE "+gbk, 213); a.text != "8" {
		t.Errorf("SIZE in TYPE A is %s, want that of the disk", a.text)
	}
	old.want("REST 4", 350)
	old.wantFetched("RETR "+gbk, []byte("two\r\n"))
	for _, what := range []string{"TLS 1.0 with ", "charset gbk", "LIST as on Windows", "SIZE in TYPE A", "REST in TYPE A"} {
		v.log.wait(t, `for="`+what, v.ended)
	}

	modern := enter(newDevice, tls.VersionTLS12)
	modern.wantFetched("NLST", []byte(chinese+"\r\n"))
	if list, err := modern.fetch("LIST"); err != nil || !strings.HasPrefix(string(list), "-rw-r--r--") {
		t.Errorf("LIST %q, %v", list, err)
	}
	modern.want("TYPE A", 200)
	if a := modern.want("SIZE "+chinese, 213); a.text != "10" {
		t.Errorf("SIZE in TYPE A is %s, want that of the network", a.text)
	}
	modern.want("REST 4", 350)
	if _, err := modern.passive(); err != nil {
		t.Fatal(err)
	}
	modern.want("RETR "+chinese, 555)
}
