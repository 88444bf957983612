package tls

import (
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// The network of old devices in these tests, and an address outside.
const (
	oldDevice = "127.0.0.2"
	newDevice = "127.0.0.3"
)

// startLegacy starts a server with a legacy profile for oldDevice, and beside
// its certificate one with an RSA key.
func startLegacy(t testing.TB, lines ...string) *harness.SecureServer {
	t.Helper()
	v := &harness.SecureServer{Ca: harness.NewAuthority(t)}
	v.Pair = v.Ca.Issue("localhost", "127.0.0.1")
	rsa := v.Ca.IssueRSA("localhost", "127.0.0.1")
	lines = append(lines, fmt.Sprintf("legacy_networks = [%q]", oldDevice), fmt.Sprintf("more = [%q]", rsa.Cert+":"+rsa.Key))
	v.Launch(t, harness.Setup{Config: harness.CheapLogins + "[limits]\nban_after = 0\n"}, lines...)
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
			here, content := t.TempDir(), harness.Noise(1, 200_000)
			harness.WriteFile(t, filepath.Join(here, "f"), content)
			from := func(address string, args ...string) []string {
				return append(secureArgs(v, "--interface", address), append(strings.Fields(c.curl), args...)...)
			}
			harness.Curl(t, here, from(oldDevice, "-T", "f", v.Url("f"))...)
			harness.WantFile(t, v.Path("f"), content)
			v.Log.Wait(t, `msg="legacy profile in use"`, v.Ended)
			harness.Curl(t, here, from(oldDevice, "-o", "got", v.Url("f"))...)
			harness.WantFile(t, filepath.Join(here, "got"), content)
			for n := 1; n <= 2; n++ {
				line := v.Log.Wait(t, fmt.Sprintf("so_far=%d\n", n), v.Ended)
				if !strings.Contains(line, "level=WARN") || !strings.Contains(line, c.noted) || !strings.Contains(line, oldDevice) {
					t.Errorf("the log does not say %q: %s", c.noted, line)
				}
			}

			o := harness.Program{Dir: here}.Run(t, "curl", harness.CurlArgs(from(newDevice, v.Url("f")))...)
			if o.Code != 35 || !strings.Contains(o.Err, "alert protocol version") && !strings.Contains(o.Err, "alert handshake failure") {
				t.Errorf("from elsewhere: exit status %d\n%s", o.Code, o.Err)
			}

			line := v.Log.Wait(t, "TLS handshake failed: ", v.Ended)
			for _, want := range []string{newDevice, "the client offers versions TLS 1.", "suites TLS_", "level=WARN"} {
				if !strings.Contains(line, want) {
					t.Errorf("the log of the handshake does not say %q: %s", want, line)
				}
			}
			if n := strings.Count(v.Log.String(), "tls: "); n != 1 {
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
			v := startLegacy(t, harness.Binding("enforce"))
			session := filepath.Join(t.TempDir(), "session")
			client := append([]string{"s_client", "-CAfile", v.Ca.File, "-verify_return_error", "-bind", oldDevice}, strings.Fields(c.openssl)...)
			k := harness.Converse(t, "openssl", append(client, "-ign_eof", "-starttls", "ftp", "-connect", v.Addr, "-crlf", "-sess_out", session)...)
			k.Say("", "Verify return code: 0 (ok)")
			for _, step := range [][2]string{
				{"USER " + harness.User, "331 "}, {"PASS " + harness.Password, "230 "}, {"PBSZ 0", "200 PBSZ=0"}, {"PROT P", "200 Data"}, {"TYPE I", "200 "},
			} {
				k.Say(step[0], step[1])
			}
			content := strings.Repeat("s_client takes some capital letters for commands\n", 3000)
			data := func() []string {
				at := net.JoinHostPort(v.Host, dataPort(t, k.Say("EPSV", "229 ")))
				return append(client, "-quiet", "-sess_in", session, "-connect", at)
			}
			at := data()
			k.Say("STOR f", "150 ")
			harness.Program{Stdin: content}.Run(t, "openssl", append(at, "-no_ign_eof")...)
			k.Say("", "226 ")
			harness.WantFile(t, v.Path("f"), []byte(content))
			at = data()
			k.Say("RETR f", "150 ")
			got := harness.Converse(t, "openssl", append(at, "-ign_eof")...)
			k.Say("", "226 ")
			if said := got.End(); !strings.Contains(said, content) {
				t.Errorf("the data connection gave %d bytes without the file:\n%.300s", len(said), said)
			}
			k.Say("QUIT", "221 ")
			v.Log.Wait(t, c.noted, v.Ended)
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
	enter := func(from string, version uint16) harness.Caller {
		t.Helper()
		cfg := v.Ca.Client()
		cfg.MinVersion, cfg.MaxVersion = version, version
		l := harness.RingFrom(t, v, from, cfg)
		if err := l.Login(harness.User, harness.Password); err != nil {
			t.Fatal(err)
		}
		l.Want("PBSZ 0", 200)
		l.Want("PROT P", 200)
		return l
	}
	old := enter(oldDevice, tls.VersionTLS10)
	old.WantStored("STOR "+gbk, []byte("one\ntwo\n"))
	harness.WantFile(t, v.Path(chinese), []byte("one\ntwo\n"))
	old.WantFetched("NLST", []byte(gbk+"\r\n"))
	list, err := old.Fetch("LIST")
	if err != nil || !strings.HasSuffix(string(list), "M                    8 "+gbk+"\r\n") {
		t.Errorf("LIST %q, %v", list, err)
	}
	old.Want("TYPE A", 200)
	if a := old.Want("SIZE "+gbk, 213); a.Text != "8" {
		t.Errorf("SIZE in TYPE A is %s, want that of the disk", a.Text)
	}
	old.Want("REST 4", 350)
	old.WantFetched("RETR "+gbk, []byte("two\r\n"))
	for _, what := range []string{"TLS 1.0 with ", "charset gbk", "LIST as on Windows", "SIZE in TYPE A", "REST in TYPE A"} {
		v.Log.Wait(t, `for="`+what, v.Ended)
	}

	modern := enter(newDevice, tls.VersionTLS12)
	modern.WantFetched("NLST", []byte(chinese+"\r\n"))
	if list, err := modern.Fetch("LIST"); err != nil || !strings.HasPrefix(string(list), "-rw-r--r--") {
		t.Errorf("LIST %q, %v", list, err)
	}
	modern.Want("TYPE A", 200)
	if a := modern.Want("SIZE "+chinese, 213); a.Text != "10" {
		t.Errorf("SIZE in TYPE A is %s, want that of the network", a.Text)
	}
	modern.Want("REST 4", 350)
	if _, err := modern.Passive(); err != nil {
		t.Fatal(err)
	}
	modern.Want("RETR "+chinese, 555)
}
