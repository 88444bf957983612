package interop

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// scan is a scanner that is known to find just the lines of a file in
// testdata. When a newer scanner finds more, look at what it says; the test
// prints the lines as the file wants them.
func scan(t *testing.T, file string, found []string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	expected := strings.Split(strings.TrimSpace(string(content)), "\n")
	for _, line := range found {
		if !slices.Contains(expected, line) {
			t.Errorf("found, and not expected: %s", line)
		}
	}
	for _, line := range expected {
		if !slices.Contains(found, line) {
			t.Errorf("expected, and not found: %s", line)
		}
	}
	if t.Failed() {
		t.Logf("all that was found:\n%s", strings.Join(found, "\n"))
	}
}

// TestTestssl scans with testssl.sh, offline: versions, ciphers, forward
// secrecy, preferences, the certificate and all vulnerabilities. What is not
// OK or INFO among the expected: the hint at the life of tickets is Go's own
// for all of them, seven days; their keys change daily.
func TestTestssl(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{config: scanned})
	_, port, err := net.SplitHostPort(v.addr)
	if err != nil {
		t.Fatal(err)
	}
	result := filepath.Join(t.TempDir(), "result.json")
	o := program{limit: 3 * time.Minute}.run(t, "testssl", "--quiet", "--warnings", "off", "--color", "0", "--nodns", "none", "--ip", "127.0.0.1",
		"--add-ca", v.ca.file, "-p", "-s", "-f", "-P", "-S", "-U", "--jsonfile", result, "--starttls", "ftp", "localhost:"+port)
	content, err := os.ReadFile(result)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, o.out, o.err)
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
	scan(t, "testssl.txt", found)
}

// TestSslscan scans with sslscan, FTP with AUTH TLS and implicit FTPS.
func TestSslscan(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{config: scanned})
	ours := regexp.MustCompile(`^(Version|OpenSSL|Connected to|Testing SSL|Not valid|Rebuild)`) // of this program, time and machine
	for name, args := range map[string][]string{
		"explicit": {"--starttls-ftp", v.addr},
		"implicit": {v.implicit},
	} {
		t.Run(name, func(t *testing.T) {
			o := program{limit: 3 * time.Minute}.must(t, "sslscan", append([]string{"--no-colour", "--sni-name=localhost"}, args...)...)
			var found []string
			for line := range strings.Lines(o.out) {
				line = strings.Join(strings.Fields(line), " ")
				if line != "" && !ours.MatchString(line) {
					found = append(found, line)
				}
			}
			scan(t, "sslscan.txt", found)
		})
	}
}

// scanned lets scanners be as rude as they are.
const scanned = "[limits]\nban_after = 0\nper_address = 0\n"
