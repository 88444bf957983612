package interop

import (
	"crypto/tls"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// secureServer is a server with a certificate of a test's own authority, FTP
// with AUTH TLS at addr and implicit FTPS beside it.
type secureServer struct {
	*server
	ca       *authority
	pair     pair
	implicit string // HOST:PORT of FTPS
}

// startSecure starts one, with more lines of [tls] in its configuration.
// Because it has a configuration, nobody logs in without TLS.
func startSecure(t testing.TB, s setup, lines ...string) *secureServer {
	t.Helper()
	v := &secureServer{ca: newAuthority(t)}
	v.pair = v.ca.issue("localhost", "127.0.0.1", "::1")
	v.launch(t, s, lines...)
	return v
}

// launch starts the server, of whose authority and certificate all is known.
func (v *secureServer) launch(t testing.TB, s setup, lines ...string) {
	t.Helper()
	s.config += "[tls]\n" + strings.Join(lines, "\n") + "\n"
	beside := "127.0.0.1:0" // of the family of FTP
	if strings.HasPrefix(s.listen, "[::1]") {
		beside = "[::1]:0"
	}
	s.args = append(s.args, "--ftps", beside, "--cert", v.pair.cert, "--key", v.pair.key)
	v.server = start(t, s)
	v.implicit = field(v.log.wait(t, "msg=ready", v.ended), "ftps")
}

// binding is the line of [tls] for a mode of binding.
func binding(mode string) string { return fmt.Sprintf("binding = %q", mode) }

// secureURL is the URL of a name by FTP (with AUTH TLS) or FTPS.
func (v *secureServer) secureURL(scheme, name string) string {
	if scheme == "ftps" {
		return fmt.Sprintf("ftps://%s/%s", v.implicit, strings.TrimPrefix(name, "/"))
	}
	return v.url(name)
}

// bindings are the modes of tls.binding.
func bindings() []string { return []string{"off", "observe", "auto", "enforce"} }

// versions are the versions of TLS that clients may speak.
func versions() map[string]uint16 {
	return map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}
}

// signal sends a signal to the server.
func (v *secureServer) signal(sig syscall.Signal) {
	v.t.Helper()
	if err := syscall.Kill(v.pid(), sig); err != nil {
		v.t.Fatal(err)
	}
}
