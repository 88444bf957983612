package clients

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ferry/internal/interop/harness"
)

// TestSIGHUPReadsTheConfigurationAgain: what has changed is taken and named, what needs a
// restart is named, a broken file changes nothing, and systemd is told (Type=notify-reload).
// Transfers go on meanwhile.
func TestSIGHUPReadsTheConfigurationAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ferry.toml")
	write := func(text string) {
		harness.WriteFile(t, file, []byte(harness.CheapLogins+"[tls]\nrequire = \"off\"\n"+text))
	}
	write("[ftp]\ngreeting = \"First\"\n")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	state := func() string {
		buf := make([]byte, 1000)
		n, err := manager.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	v := harness.Start(t, harness.Setup{Args: []string{"--config", file}, Env: []string{"NOTIFY_SOCKET=" + manager.LocalAddr().String()}})
	if got := state(); got != "READY=1" {
		t.Errorf("systemd is told %q", got)
	}
	greeting := func(want string) {
		t.Helper()
		k, hello, err := harness.Call("", v.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer k.HangUp()
		if got := fmt.Sprint(hello); !strings.Contains(got, want) {
			t.Errorf("the greeting is %s, want %s", got, want)
		}
	}
	greeting("First")
	hup := func(text, told string) string {
		t.Helper()
		write(text)
		if err := syscall.Kill(v.Pid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		line := v.Log.Wait(t, told, v.Ended)
		if got := state(); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
			t.Errorf("systemd is told %q", got)
		}
		if got := state(); got != "READY=1" {
			t.Errorf("systemd is told %q", got)
		}
		return line
	}
	hup("[ftp]\ngreeting = \"Second\"\nidle_timeout = 7\n", `level=ERROR msg="the configuration was not read again; nothing has changed" error="`+file+`:`)
	greeting("First")
	line := hup("[ftp]\ngreeting = \"Second\"\n[storage]\nkeep = \"1h\"\n", "need a restart")
	if !strings.Contains(line, "keys=[storage.keep]") {
		t.Errorf("told is %s", line)
	}
	v.Log.Wait(t, `msg="configuration read again" changed=[ftp.greeting]`, v.Ended)
	greeting("Second")
}
