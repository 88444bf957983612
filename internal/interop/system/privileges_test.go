package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ferry/internal/interop/harness"
)

// statuses are the lines of that name in /proc/PID/task/*/status, one for each thread
// that is there.
func statuses(t *testing.T, pid int, name string) []string {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(status)) {
			if said, value, _ := strings.Cut(line, ":"); said == name {
				found = append(found, strings.Join(strings.Fields(value), " "))
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no thread says its %s", name)
	}
	return found
}

// every wants each thread of a server to say that.
func every(t *testing.T, pid int, want map[string]string) {
	t.Helper()
	for name, value := range want {
		for _, got := range statuses(t, pid, name) {
			if got != value {
				t.Errorf("a thread has %s %q, want %q", name, got, value)
			}
		}
	}
}

// capabilities is how /proc says a set of those bits.
func capabilities(bits ...int) string {
	var set uint64
	for _, b := range bits {
		set |= 1 << b
	}
	return fmt.Sprintf("%016x", set)
}

// What the kernel calls 0, 1, 3, 4, 6 and 7.
const capChown, capDACOverride, capFowner, capFsetid, capSetgid, capSetuid = 0, 1, 3, 4, 6, 7

// TestServerKeepsWhatItNeeds: in every thread, also in those that work for users; and no
// way back to more.
func TestServerKeepsWhatItNeeds(t *testing.T) {
	m := newMachine(t)
	for by, c := range m.clients(t, "ann") {
		if err := c.put("/"+by, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	keeps := capabilities(capChown, capDACOverride, capFowner, capFsetid, capSetgid, capSetuid)
	every(t, m.Pid(), map[string]string{
		"CapPrm": keeps, "CapBnd": keeps, "CapAmb": capabilities(), "CapInh": capabilities(), "NoNewPrivs": "1",
	})
}

// TestServerBecomesAnOrdinaryUser: wholly, with the groups of that user, who owns the
// state and what is uploaded.
func TestServerBecomesAnOrdinaryUser(t *testing.T) {
	dir := t.TempDir()
	script := ownEtc(t, t.TempDir(), map[string]string{
		"passwd": fmt.Sprintf("root:x:0:0::/root:/bin/sh\nkeeper:x:%d:%d::/:/bin/sh\n", ann, ann),
		"group":  fmt.Sprintf("root:x:0:\nkeeper:x:%d:\nteam:x:%d:keeper\n", ann, team),
	})
	state := filepath.Join(dir, "state")
	err := errors.Join(os.Mkdir(filepath.Join(dir, "files"), 0o700), os.Chown(filepath.Join(dir, "files"), ann, ann), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755),
		os.Mkdir(state, 0o700), os.WriteFile(filepath.Join(state, "earlier"), nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	v := harness.MountedServer(t, harness.Setup{Dir: filepath.Join(dir, "files"), State: state, Args: []string{"--run-as", "keeper"}}, script)
	at := harness.PhoneAs(t, v, "", harness.User, harness.Password)
	if a, err := at.Store("STOR mine", []byte("x")); err != nil || a.Code != 226 {
		t.Fatal(a, err)
	}
	at.WantFetched("RETR mine", []byte("x"))
	uid, none := strings.TrimSpace(strings.Repeat(fmt.Sprint(ann, " "), 4)), capabilities()
	every(t, v.Pid(), map[string]string{
		"Uid": uid, "Gid": uid, "Groups": fmt.Sprint(ann, " ", team),
		"CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "NoNewPrivs": "1",
	})
	for _, path := range []string{state, filepath.Join(state, "earlier"), filepath.Join(state, "ferry.db"), filepath.Join(dir, "files", "mine")} {
		var st syscall.Stat_t
		if err := syscall.Lstat(path, &st); err != nil || st.Uid != ann || st.Gid != ann {
			t.Errorf("%s belongs to %d:%d (%v), want %d", path, st.Uid, st.Gid, err, ann)
		}
	}
}
