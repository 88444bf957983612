package harness

import (
	"crypto/tls"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// SecureServer is a server with a certificate of a test's own authority, FTP
// with AUTH TLS at addr and implicit FTPS beside it.
type SecureServer struct {
	*Server
	Ca       *authority
	Pair     Pair
	Implicit string // HOST:PORT of FTPS
}

// StartSecure starts one, with more lines of [tls] in its configuration.
// Because it has a configuration, nobody logs in without TLS.
func StartSecure(t testing.TB, s Setup, lines ...string) *SecureServer {
	t.Helper()
	v := &SecureServer{Ca: NewAuthority(t)}
	v.Pair = v.Ca.Issue("localhost", "127.0.0.1", "::1")
	v.Launch(t, s, lines...)
	return v
}

// Launch starts the server, of whose authority and certificate all is known.
func (v *SecureServer) Launch(t testing.TB, s Setup, lines ...string) {
	t.Helper()
	s.Config += "[tls]\n" + strings.Join(lines, "\n") + "\n"
	beside := "127.0.0.1:0" // of the family of FTP
	if strings.HasPrefix(s.Listen, "[::1]") {
		beside = "[::1]:0"
	}
	s.Args = append(s.Args, "--ftps", beside, "--cert", v.Pair.Cert, "--key", v.Pair.Key)
	v.Server = Start(t, s)
	v.Implicit = Field(v.Log.Wait(t, "msg=ready", v.Ended), "ftps")
}

// Binding is the line of [tls] for a mode of binding.
func Binding(mode string) string { return fmt.Sprintf("binding = %q", mode) }

// SecureURL is the URL of a name by FTP (with AUTH TLS) or FTPS.
func (v *SecureServer) SecureURL(scheme, name string) string {
	if scheme == "ftps" {
		return fmt.Sprintf("ftps://%s/%s", v.Implicit, strings.TrimPrefix(name, "/"))
	}
	return v.Url(name)
}

// Bindings are the modes of tls.binding.
func Bindings() []string { return []string{"off", "observe", "auto", "enforce"} }

// Versions are the versions of TLS that clients may speak.
func Versions() map[string]uint16 {
	return map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}
}

// Signal sends a signal to the server.
func (v *SecureServer) Signal(sig syscall.Signal) {
	v.t.Helper()
	if err := syscall.Kill(v.Pid(), sig); err != nil {
		v.t.Fatal(err)
	}
}
