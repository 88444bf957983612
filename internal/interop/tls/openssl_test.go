package tls

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
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
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
			content, session := string(harness.Block("NOISE", harness.Noise(1, 200_000))), filepath.Join(t.TempDir(), "session")
			harness.WriteFile(t, v.Path("f"), []byte(content))
			client := []string{"s_client", version, "-CAfile", v.Ca.File, "-verify_return_error", "-ign_eof"}

			k := harness.Converse(t, "openssl", append(client, "-starttls", "ftp", "-connect", v.Addr, "-crlf", "-showcerts", "-sess_out", session)...)
			k.Say("", "Verify return code: 0 (ok)")
			if n := strings.Count(k.Said.String(), "-----BEGIN CERTIFICATE-----"); n < 2 {
				t.Errorf("s_client shows %d certificates of the chain, want both", n)
			}
			k.Say("USER "+harness.User, "331 ")
			k.Say("PASS "+harness.Password, "230 ")
			k.Say("PBSZ 0", "200 PBSZ=0")
			k.Say("PROT P", "200 Data")
			k.Say("TYPE I", "200 ")
			port := dataPort(t, k.Say("EPSV", "229 "))
			k.Say("RETR f", "150 ")
			data := harness.Converse(t, "openssl", append(client, "-quiet", "-sess_in", session, "-connect", net.JoinHostPort(v.Host, port))...)
			k.Say("", "226 ")
			if got := data.End(); !strings.Contains(got, content) {
				t.Errorf("the data connection gave %d bytes without the file:\n%.300s", len(got), got)
			}

			port = dataPort(t, k.Say("EPSV", "229 "))
			k.Say("RETR f", "150 ")
			harness.Converse(t, "openssl", append(client, "-quiet", "-connect", net.JoinHostPort(v.Host, port))...)
			k.Say("", "522 ")
			k.Say("QUIT", "221 ")
			k.End()
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
				v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding(mode))
				harness.AddUser(t, v.Server, "bob", "first-4711")
				content := string(harness.Block("NOISE", harness.Noise(1, 50_000)))
				harness.WriteFile(t, v.Path("f"), []byte(content))
				client := []string{"s_client", version, "-CAfile", v.Ca.File, "-ign_eof"}
				enter := func(name, secret string) (*harness.Dialogue, string) {
					session := filepath.Join(t.TempDir(), "session")
					k := harness.Converse(t, "openssl", append(client, "-starttls", "ftp", "-connect", v.Addr, "-crlf", "-sess_out", session)...)
					k.Say("USER "+name, "331 ")
					for _, step := range [][2]string{{"PASS " + secret, "230 "}, {"PBSZ 0", "200 PBSZ=0"}, {"PROT P", "200 Data"}, {"TYPE I", "200 "}} {
						k.Say(step[0], step[1])
					}
					return k, session
				}
				bob, bobs := enter("bob", "first-4711")
				alice, alices := enter(harness.User, harness.Password)
				fetch := func(session, answer string) string {
					port := dataPort(t, alice.Say("EPSV", "229 "))
					alice.Say("RETR f", "150 ")
					data := harness.Converse(t, "openssl", append(client, "-quiet", "-sess_in", session, "-connect", net.JoinHostPort(v.Host, port))...)
					alice.Say("", answer)
					return data.End()
				}
				if got := fetch(bobs, "522 "); strings.Contains(got, "NOISE") {
					t.Error("bob's session opened a data connection of alice's")
				}
				if got := fetch(alices, "226 "); !strings.Contains(got, content) {
					t.Errorf("alice's own gave %d bytes without the file", len(got))
				}
				bob.Say("QUIT", "221 ")
			})
		}
	}
}

// TestOpenSSLVersions: what the server does not speak, it does not speak.
func TestOpenSSLVersions(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{})
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
			args := append([]string{"s_client", "-connect", v.Addr, "-starttls", "ftp", "-CAfile", v.Ca.File}, c.args...)
			o := harness.Program{Stdin: "QUIT\n"}.Run(t, "openssl", args...)
			if (o.Code == 0) != c.well {
				t.Errorf("exit status %d:\n%s%s", o.Code, o.Out, o.Err)
			}
		})
	}
}
