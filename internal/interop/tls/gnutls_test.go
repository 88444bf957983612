package tls

import (
	"net"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestGnuTLS speaks by gnutls-cli, which is strict about close_notify: it says
// so when a connection ends without. It cannot show the session of another
// process, so its data connections are those of a client that resumes nothing.
func TestGnuTLS(t *testing.T) {
	t.Parallel()
	for name, priority := range map[string]string{
		"TLS 1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS 1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding("auto"))
			content := string(harness.Block("NOISE", harness.Noise(1, 200_000)))
			harness.WriteFile(t, v.Path("f"), []byte(content))
			client := []string{"--x509cafile", v.Ca.File, "--priority", priority}

			_, port, err := net.SplitHostPort(v.Addr)
			if err != nil {
				t.Fatal(err)
			}
			k := harness.Converse(t, "gnutls-cli", append(client, "--starttls-proto=ftp", "--crlf", "-p", port, "localhost")...)
			k.Say("", "- Got a certificate list of 2 certificates.")
			k.Say("", "- Status: The certificate is trusted.")
			k.Say("", "- Handshake was completed")
			k.Say("USER "+harness.User, "331 ")
			k.Say("PASS "+harness.Password, "230 ")
			k.Say("PBSZ 0", "200 PBSZ=0")
			k.Say("PROT P", "200 Data")
			k.Say("TYPE I", "200 ")
			data := dataPort(t, k.Say("EPSV", "229 "))
			k.Say("RETR f", "150 ")
			d := harness.Converse(t, "gnutls-cli", append(client, "-p", data, "localhost")...)
			d.Say("", "- Peer has closed the GnuTLS connection")
			k.Say("", "226 ")
			if got := d.Said.String(); !strings.Contains(got, content) {
				t.Errorf("the data connection gave %d bytes without the file:\n%.300s", len(got), got)
			}
			k.Say("QUIT", "221 ")
			k.Say("", "- Peer has closed the GnuTLS connection")
		})
	}
}
