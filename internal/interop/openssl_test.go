package interop

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// dataPort is the port in the reply to EPSV.
func dataPort(t testing.TB, line string) string {
	t.Helper()
	_, rest, _ := strings.Cut(line, "(|||")
	port, _, ok := strings.Cut(rest, "|)")
	if !ok {
		t.Fatalf("no port in %q", line)
	}
	return port
}

// TestOpenSSL speaks by s_client: the whole chain is shown and verifies, and a
// session of the control connection opens data connections where each must
// show one.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]string{"TLS 1.2": "-tls1_2", "TLS 1.3": "-tls1_3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{}, binding("enforce"))
			content, session := string(block("NOISE", noise(1, 200_000))), filepath.Join(t.TempDir(), "session")
			writeFile(t, v.path("f"), []byte(content))
			client := []string{"s_client", version, "-CAfile", v.ca.file, "-verify_return_error", "-ign_eof"}

			k := converse(t, "openssl", append(client, "-starttls", "ftp", "-connect", v.addr, "-crlf", "-showcerts", "-sess_out", session)...)
			k.say("", "Verify return code: 0 (ok)")
			if n := strings.Count(k.said.String(), "-----BEGIN CERTIFICATE-----"); n < 2 {
				t.Errorf("s_client shows %d certificates of the chain, want both", n)
			}
			k.say("USER "+user, "331 ")
			k.say("PASS "+password, "230 ")
			k.say("PBSZ 0", "200 PBSZ=0")
			k.say("PROT P", "200 Data")
			k.say("TYPE I", "200 ")
			port := dataPort(t, k.say("EPSV", "229 "))
			k.say("RETR f", "150 ")
			data := converse(t, "openssl", append(client, "-quiet", "-sess_in", session, "-connect", net.JoinHostPort(v.host, port))...)
			k.say("", "226 ")
			if got := data.end(); !strings.Contains(got, content) {
				t.Errorf("the data connection gave %d bytes without the file:\n%.300s", len(got), got)
			}

			port = dataPort(t, k.say("EPSV", "229 "))
			k.say("RETR f", "150 ")
			converse(t, "openssl", append(client, "-quiet", "-connect", net.JoinHostPort(v.host, port))...)
			k.say("", "522 ")
			k.say("QUIT", "221 ")
			k.end()
		})
	}
}

// TestThreat9TicketOfAnotherUser: s_client shows the session of bob on a data
// connection of alice's, from the same address.
func TestThreat9TicketOfAnotherUser(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]string{"TLS 1.2": "-tls1_2", "TLS 1.3": "-tls1_3"} {
		for _, mode := range []string{"auto", "enforce"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				v := startSecure(t, setup{config: cheapLogins}, binding(mode))
				addUser(t, v.server, "bob", "first-4711")
				content := string(block("NOISE", noise(1, 50_000)))
				writeFile(t, v.path("f"), []byte(content))
				client := []string{"s_client", version, "-CAfile", v.ca.file, "-ign_eof"}
				enter := func(name, secret string) (*dialogue, string) {
					session := filepath.Join(t.TempDir(), "session")
					k := converse(t, "openssl", append(client, "-starttls", "ftp", "-connect", v.addr, "-crlf", "-sess_out", session)...)
					k.say("USER "+name, "331 ")
					for _, step := range [][2]string{{"PASS " + secret, "230 "}, {"PBSZ 0", "200 PBSZ=0"}, {"PROT P", "200 Data"}, {"TYPE I", "200 "}} {
						k.say(step[0], step[1])
					}
					return k, session
				}
				bob, bobs := enter("bob", "first-4711")
				alice, alices := enter(user, password)
				fetch := func(session, answer string) string {
					port := dataPort(t, alice.say("EPSV", "229 "))
					alice.say("RETR f", "150 ")
					data := converse(t, "openssl", append(client, "-quiet", "-sess_in", session, "-connect", net.JoinHostPort(v.host, port))...)
					alice.say("", answer)
					return data.end()
				}
				if got := fetch(bobs, "522 "); strings.Contains(got, "NOISE") {
					t.Error("bob's session opened a data connection of alice's")
				}
				if got := fetch(alices, "226 "); !strings.Contains(got, content) {
					t.Errorf("alice's own gave %d bytes without the file", len(got))
				}
				bob.say("QUIT", "221 ")
			})
		}
	}
}

// TestOpenSSLVersions: what the server does not speak, it does not speak.
func TestOpenSSLVersions(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{})
	for name, c := range map[string]struct {
		args []string
		well bool
	}{
		"TLS 1.3":       {[]string{"-tls1_3"}, true},
		"TLS 1.2":       {[]string{"-tls1_2"}, true},
		"TLS 1.1":       {[]string{"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}, false},
		"TLS 1.0":       {[]string{"-tls1", "-cipher", "ALL:@SECLEVEL=0"}, false},
		"CBC":           {[]string{"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA"}, false},
		"ALPN ftp":      {[]string{"-alpn", "ftp"}, true},
		"ALPN http/1.1": {[]string{"-alpn", "http/1.1"}, false},
		"ALPN h2":       {[]string{"-alpn", "h2"}, false},
		"ALPN both":     {[]string{"-alpn", "h2,ftp"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"s_client", "-connect", v.addr, "-starttls", "ftp", "-CAfile", v.ca.file}, c.args...)
			o := program{stdin: "QUIT\n"}.run(t, "openssl", args...)
			if (o.code == 0) != c.well {
				t.Errorf("exit status %d:\n%s%s", o.code, o.out, o.err)
			}
		})
	}
}
