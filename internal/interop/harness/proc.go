package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// OpenFiles counts the descriptors of a process.
func OpenFiles(t testing.TB, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// MostMemory is the most that was ever resident of a process, in bytes.
func MostMemory(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatalf("VmHWM: %v", err)
	}
	return kilobytes << 10
}

// Listeners are what a process listens at: "tcp 2121", "unix /path".
func Listeners(t testing.TB, pid int) []string {
	t.Helper()
	mine := sockets(t, pid)
	var all []string
	for _, kind := range []string{"tcp", "tcp6", "udp", "udp6", "unix"} {
		for _, row := range socketTable(t, pid, kind) {
			switch {
			case kind == "unix" && len(row) > 6 && mine[row[6]] && row[3] == "00010000": // __SO_ACCEPTCON
				all = append(all, "unix "+strings.Join(row[7:], " "))
			case kind == "unix" || len(row) < 10 || !mine[row[9]]:
			case strings.HasPrefix(kind, "udp") || row[3] == "0A": // TCP_LISTEN
				_, hex, _ := strings.Cut(row[1], ":")
				port, err := strconv.ParseUint(hex, 16, 16)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, fmt.Sprintf("%s %d", strings.TrimSuffix(kind, "6"), port))
			}
		}
	}
	slices.Sort(all)
	return all
}

// sockets are the inodes of a process's sockets.
func sockets(t testing.TB, pid int) map[string]bool {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			found[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return found
}

// socketTable is a file of /proc/PID/net in words, without its heading.
func socketTable(t testing.TB, pid int, kind string) [][]string {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, kind))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a kernel without IPv6
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows [][]string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		rows = append(rows, strings.Fields(lines.Text()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}
