package tls

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// TestTestssl scans with testssl.sh, offline: versions, ciphers, forward
// secrecy, preferences, the certificate and all vulnerabilities. What is not
// OK or INFO among the expected: the hint at the life of tickets is Go's own
// for all of them, seven days; their keys change daily.
//
// It begins thousands of programs: a minute and a half alone on a slow machine, and more
// than three beside the other tests.
func TestTestssl(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{Config: harness.Scanned})
	_, port, err := net.SplitHostPort(v.Addr)
	if err != nil {
		t.Fatal(err)
	}
	result := filepath.Join(t.TempDir(), "result.json")
	o := harness.Program{Limit: 8 * time.Minute}.Run(t, "testssl", "--quiet", "--warnings", "off", "--color", "0", "--nodns", "none", "--ip", "127.0.0.1",
		"--add-ca", v.Ca.File, "-p", "-s", "-f", "-P", "-S", "-U", "--jsonfile", result, "--starttls", "ftp", "localhost:"+port)
	content, err := os.ReadFile(result)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, o.Out, o.Err)
	}
	var findings []struct{ ID, Severity, Finding string }
	if err := json.Unmarshal(content, &findings); err != nil {
		t.Fatalf("%v\n%s", err, content)
	}
	var found []string
	for _, f := range findings {
		switch f.ID {
		case "engine_problem", "scanTime", "cert", "cert_serialNumber", "cert_fingerprintSHA1", "cert_fingerprintSHA256", "cert_notBefore", "cert_notAfter", "cert_serialNumberLen":
			continue // of this machine, or of this certificate
		case "cert_expirationStatus":
			f.Finding = "" // a number of days
		}
		found = append(found, strings.TrimSpace(f.Severity+" "+f.ID+": "+strings.Join(strings.Fields(f.Finding), " ")))
	}
	harness.Scan(t, "testssl.txt", found)
}

// TestSslscan scans with sslscan, FTP with AUTH TLS and implicit FTPS.
func TestSslscan(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{Config: harness.Scanned})
	ours := regexp.MustCompile(`^(Version|OpenSSL|Connected to|Testing SSL|Not valid|Rebuild)`) // of this program, time and machine
	for name, args := range map[string][]string{
		"explicit": {"--starttls-ftp", v.Addr},
		"implicit": {v.Implicit},
	} {
		t.Run(name, func(t *testing.T) {
			o := harness.Program{Limit: 3 * time.Minute}.Must(t, "sslscan", append([]string{"--no-colour", "--sni-name=localhost"}, args...)...)
			var found []string
			for line := range strings.Lines(o.Out) {
				line = strings.Join(strings.Fields(line), " ")
				if line != "" && !ours.MatchString(line) {
					found = append(found, line)
				}
			}
			harness.Scan(t, "sslscan.txt", found)
		})
	}
}
