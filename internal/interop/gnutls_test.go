package interop

import (
	"net"
	"strings"
	"testing"
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
			v := startSecure(t, setup{}, binding("auto"))
			content := string(block("NOISE", noise(1, 200_000)))
			writeFile(t, v.path("f"), []byte(content))
			client := []string{"--x509cafile", v.ca.file, "--priority", priority}

			_, port, err := net.SplitHostPort(v.addr)
			if err != nil {
				t.Fatal(err)
			}
			k := converse(t, "gnutls-cli", append(client, "--starttls-proto=ftp", "--crlf", "-p", port, "localhost")...)
			k.say("", "- Got a certificate list of 2 certificates.")
			k.say("", "- Status: The certificate is trusted.")
			k.say("", "- Handshake was completed")
			k.say("USER "+user, "331 ")
			k.say("PASS "+password, "230 ")
			k.say("PBSZ 0", "200 PBSZ=0")
			k.say("PROT P", "200 Data")
			k.say("TYPE I", "200 ")
			data := dataPort(t, k.say("EPSV", "229 "))
			k.say("RETR f", "150 ")
			d := converse(t, "gnutls-cli", append(client, "-p", data, "localhost")...)
			d.say("", "- Peer has closed the GnuTLS connection")
			k.say("", "226 ")
			if got := d.said.String(); !strings.Contains(got, content) {
				t.Errorf("the data connection gave %d bytes without the file:\n%.300s", len(got), got)
			}
			k.say("QUIT", "221 ")
			k.say("", "- Peer has closed the GnuTLS connection")
		})
	}
}
