package daemon

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ferry/internal/config"
	"ferry/internal/privilege"
)

// at is a listener that is nowhere, with an address.
type at struct {
	net.Listener
	port int
}

func (a at) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: a.port} }

// TestNeededCapabilities: as root those over files, for the accounts of the machine those to act
// for them, and for ports below 1024 the one for these.
func TestNeededCapabilities(t *testing.T) {
	files := privilege.Of(unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID)
	low := privilege.Of(unix.CAP_NET_BIND_SERVICE)
	for _, test := range []struct {
		name   string
		port   int
		change func(*config.Config)
		want   privilege.Set
	}{
		{"root", 2121, func(*config.Config) {}, files},
		{"active data connections from port 20", 21, func(*config.Config) {}, files | low},
		{"active data connections from any port", 21, func(c *config.Config) { c.FTP.ActivePort = "any" }, files},
		{"a port that is named", 2121, func(c *config.Config) { c.FTP.ActivePort = "20" }, files | low},
		{"ACME", 2121, func(c *config.Config) { c.TLS.ACMENames = []string{"a.example"} }, files | low},
		{"an ordinary user", 2121, func(c *config.Config) { c.Server.User = "ferry" }, 0},
		{"accounts of the machine", 2121, func(c *config.Config) { c.System.Enabled = true }, files | privilege.Of(unix.CAP_SETUID, unix.CAP_SETGID)},
	} {
		conf, err := config.Preset()
		if err != nil {
			t.Fatal(err)
		}
		test.change(conf)
		if got := needed(conf, Listeners{{"ftp", at{port: test.port}}}); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestUnitGivesWhatIsNeeded: systemd's bounding set for the accounts of the machine is what the
// server would keep.
func TestUnitGivesWhatIsNeeded(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "packaging", "ferry-system.conf"))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for line := range strings.Lines(string(content)) {
		if of, found := strings.CutPrefix(line, "CapabilityBoundingSet="); found {
			said = append(said, strings.Fields(of)...)
		}
	}
	conf, err := config.Preset()
	if err != nil {
		t.Fatal(err)
	}
	conf.System.Enabled = true
	want := strings.Fields(needed(conf, Listeners{{"ftp", at{port: 21}}}).String())
	if !slices.Equal(slices.Sorted(slices.Values(said)), slices.Sorted(slices.Values(want))) {
		t.Errorf("it gives %v, and the server needs %v", said, want)
	}
}
