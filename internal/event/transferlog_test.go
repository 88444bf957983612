package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/event"
)

// openLog opens a transfer log in a new directory. said is the server's log;
// it may be read when the transfer log is closed.
func openLog(t *testing.T, f event.Format) (l *event.TransferLog, path string, said *bytes.Buffer) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "transfer.log")
	said = new(bytes.Buffer)
	l, err := event.OpenTransferLog(path, f, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, path, said
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// written is what the events become in a file.
func written(t *testing.T, f event.Format, events ...ferry.Event) string {
	t.Helper()
	l, path, said := openLog(t, f)
	for _, e := range events {
		l.Sink()(e)
	}
	if err := l.Close(); err != nil || said.Len() > 0 {
		t.Errorf("Close: %v, log %q", err, said)
	}
	return content(t, path)
}

func TestXferlog(t *testing.T) {
	tests := []struct {
		name string
		make func(*ferry.Event)
		want string
	}{
		{"upload", func(*ferry.Event) {}, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv b _ i r alice ftp 0 * c"},
		{"download", func(e *ferry.Event) { e.Kind = ferry.EventDownload }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv b _ o r alice ftp 0 * c"},
		{"incomplete", func(e *ferry.Event) { e.Err = ferry.ErrAborted }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv b _ i r alice ftp 0 * i"},
		{"ASCII, anonymous", func(e *ferry.Event) { e.ASCII = true; e.Anon = true; e.User = "ftp" }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv a _ i a ftp ftp 0 * c"},
		{"one digit of a day", func(e *ferry.Event) { e.Time = time.Date(2026, 11, 5, 1, 2, 3, 0, time.Local) }, "Thu Nov  5 01:02:03 2026 3 192.0.2.7 1234 /in/a.csv b _ i r alice ftp 0 * c"},
		{"another zone", func(e *ferry.Event) { e.Time = e.Time.UTC() }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv b _ i r alice ftp 0 * c"},
		{"no time at all", func(e *ferry.Event) { e.Duration = 0; e.Bytes = 0 }, "Fri Nov 20 10:11:12 2026 1 192.0.2.7 0 /in/a.csv b _ i r alice ftp 0 * c"},
		{"rounded down", func(e *ferry.Event) { e.Duration = 2400 * time.Millisecond }, "Fri Nov 20 10:11:12 2026 2 192.0.2.7 1234 /in/a.csv b _ i r alice ftp 0 * c"},
		{"with TLS", func(e *ferry.Event) { e.Protocol = "ftps" }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv b _ i r alice ftp 0 * c"},
		{"SFTP", func(e *ferry.Event) { e.Protocol = "sftp" }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv b _ i r alice sftp 0 * c"},
		{"IPv6", func(e *ferry.Event) { e.Peer = netip.MustParseAddrPort("[2001:db8::7]:4") }, "Fri Nov 20 10:11:12 2026 3 2001:db8::7 1234 /in/a.csv b _ i r alice ftp 0 * c"},
		{"IPv4 in IPv6", func(e *ferry.Event) { e.Peer = netip.MustParseAddrPort("[::ffff:192.0.2.7]:4") }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/a.csv b _ i r alice ftp 0 * c"},
		{"name with spaces", func(e *ferry.Event) { e.Name = "/in/my  file\t1.csv" }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /in/my__file_1.csv b _ i r alice ftp 0 * c"},
		{"name in UTF-8", func(e *ferry.Event) { e.Name = "/käse/日本" }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /käse/日本 b _ i r alice ftp 0 * c"},
		{"name not in UTF-8", func(e *ferry.Event) { e.Name = "/k\xe4se" }, "Fri Nov 20 10:11:12 2026 3 192.0.2.7 1234 /k_se b _ i r alice ftp 0 * c"},
		{"nothing known", func(e *ferry.Event) { *e = ferry.Event{Time: e.Time, Kind: e.Kind} }, "Fri Nov 20 10:11:12 2026 1 * 0 * b _ i r * * 0 * c"},
	}
	for _, test := range tests {
		e := upload()
		test.make(&e)
		if got := written(t, event.Xferlog, e); got != test.want+"\n" {
			t.Errorf("%s:\ngot  %swant %s", test.name, got, test.want)
		}
	}
}

func TestTransferLogJSON(t *testing.T) {
	e := upload()
	e.Time = time.Date(2026, 11, 20, 10, 11, 12, 500, time.FixedZone("", 3600))
	failed := e
	failed.Kind, failed.Err, failed.Anon, failed.ASCII = ferry.EventDownload, errors.New("it <broke>"), true, true
	want := `{"time":"2026-11-20T09:11:12.0000005Z","session":"s1","protocol":"ftp","peer":"192.0.2.7","user":"alice","anonymous":false,` +
		`"op":"upload","name":"/in/a.csv","bytes":1234,"seconds":2.6,"ascii":false,"complete":true}` + "\n" +
		`{"time":"2026-11-20T09:11:12.0000005Z","session":"s1","protocol":"ftp","peer":"192.0.2.7","user":"alice","anonymous":true,` +
		`"op":"download","name":"/in/a.csv","bytes":1234,"seconds":2.6,"ascii":true,"complete":false,"error":"it \u003cbroke\u003e"}` + "\n"
	if got := written(t, event.JSON, e, failed); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOnlyTransfersAreLogged(t *testing.T) {
	for kind := range ferry.EventPanic + 1 {
		e := upload()
		e.Kind = kind
		got := strings.Count(written(t, event.Xferlog, e), "\n")
		if want := kind == ferry.EventUpload || kind == ferry.EventDownload; (got == 1) != want {
			t.Errorf("%v: %d lines", kind, got)
		}
	}
}

func TestThreat36NamesCannotForgeATransfer(t *testing.T) {
	for _, name := range hostile() {
		e := upload()
		e.Name, e.User, e.Session, e.Err = ferry.Name("/"+name), name, name, errors.New(name)
		got := written(t, event.Xferlog, e)
		if strings.Count(got, "\n") != 1 || len(strings.Fields(got)) != 18 || strings.ContainsAny(got, "\r\x1b\x00\u2028\u202e\u0085") {
			t.Errorf("xferlog: %q", got)
		}
		got = written(t, event.JSON, e)
		var fields map[string]any
		if err := json.Unmarshal([]byte(got), &fields); err != nil || strings.Count(got, "\n") != 1 || fields["op"] != "upload" {
			t.Errorf("JSON: %q: %v", got, err)
		}
	}
}

func FuzzTransferLogLine(f *testing.F) {
	for _, name := range hostile() {
		f.Add(name, name)
	}
	f.Add("", "")
	f.Fuzz(func(t *testing.T, name, user string) {
		e := upload()
		e.Name, e.User = ferry.Name(name), user
		if got := written(t, event.Xferlog, e); strings.Count(got, "\n") != 1 || len(strings.Fields(got)) != 18 || len(strings.Split(got, " ")) != 18 {
			t.Errorf("xferlog: %q", got)
		}
		if got := written(t, event.JSON, e); strings.Count(got, "\n") != 1 || !json.Valid([]byte(got)) {
			t.Errorf("JSON: %q", got)
		}
	})
}

func TestTransferLogOfManySessions(t *testing.T) {
	const sessions, transfers = 20, 100 // fewer than the queue holds
	l, path, _ := openLog(t, event.Xferlog)
	var wg sync.WaitGroup
	for i := range sessions {
		wg.Go(func() {
			for j := range transfers {
				e := upload()
				e.Name = ferry.Name(fmt.Sprintf("/%d/%d", i, j))
				l.Sink()(e)
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(content(t, path)) {
		seen[strings.Fields(line)[8]] = true
	}
	if len(seen) != sessions*transfers {
		t.Errorf("%d transfers in the log, want %d", len(seen), sessions*transfers)
	}
}

func TestReopenForLogrotate(t *testing.T) {
	l, path, _ := openLog(t, event.Xferlog)
	named := func(name ferry.Name) ferry.Event { e := upload(); e.Name = name; return e }
	l.Sink()(named("/before"))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.Sink()(named("/between"))
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Sink()(named("/after"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if old := content(t, path+".1"); !strings.Contains(old, "/before") || !strings.Contains(old, "/between") {
		t.Errorf("old file %q", old)
	}
	if got := content(t, path); strings.Count(got, "\n") != 1 || !strings.Contains(got, "/after") {
		t.Errorf("new file %q", got)
	}
}

func TestReopenThatFailsKeepsTheOldFile(t *testing.T) {
	l, path, _ := openLog(t, event.Xferlog)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil {
		t.Error("a directory was opened as a log")
	}
	l.Sink()(upload())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path+".1"); strings.Count(got, "\n") != 1 {
		t.Errorf("old file %q", got)
	}
}

func TestOpenTransferLogAppendsAndKeepsTheMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "transfer.log")
	if err := os.WriteFile(path, []byte("old line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil { // as logrotate's "create" does
		t.Fatal(err)
	}
	l, err := event.OpenTransferLog(path, event.Xferlog, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.Sink()(upload())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); !strings.HasPrefix(got, "old line\n") || strings.Count(got, "\n") != 2 {
		t.Errorf("file %q", got)
	}
	mode(t, path, 0o640)
	_, fresh, _ := openLog(t, event.Xferlog)
	mode(t, fresh, 0o600)
}

func mode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("mode %v, %v; want %v", info.Mode(), err, want)
	}
}

func TestOpenTransferLogSaysWhatToDo(t *testing.T) {
	_, err := event.OpenTransferLog(filepath.Join(t.TempDir(), "no", "such", "dir"), event.JSON, slog.New(slog.DiscardHandler))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "choose another file") {
		t.Errorf("error %v", err)
	}
}

func TestAfterClose(t *testing.T) {
	l, path, _ := openLog(t, event.Xferlog)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Sink()(upload())
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := l.Reopen(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Reopen: %v, want os.ErrClosed", err)
	}
	if got := content(t, path); got != "" {
		t.Errorf("file %q", got)
	}
}

func TestParseFormat(t *testing.T) {
	for word, want := range map[string]event.Format{"xferlog": event.Xferlog, "json": event.JSON} {
		if got, err := event.ParseFormat(word); got != want || err != nil {
			t.Errorf("ParseFormat(%q) = %v, %v", word, got, err)
		}
	}
	if _, err := event.ParseFormat("xml"); err == nil {
		t.Error("xml was taken")
	}
}

// TestDiskThatTakesNothing writes to /dev/full, where every write fails as on
// a full disk: the sessions go on, and the log says so, once a minute.
func TestDiskThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		l, err := event.OpenTransferLog("/dev/full", event.Xferlog, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for range 5 {
				l.Sink()(upload())
				synctest.Wait()
			}
			time.Sleep(time.Minute) // in the bubble it passes at once
			synctest.Wait()
		}
		l.Close()
		got := said.String()
		for _, want := range []string{"lines=1 ", "lines=4 ", "lines=5 ", "no space left"} { // at once, and then what the minute brought
			if !strings.Contains(got, want) {
				t.Errorf("log %q, want %q", got, want)
			}
		}
		if strings.Count(got, "\n") > 4 {
			t.Errorf("log %q, want one line a minute", got)
		}
	})
}

// TestCheckOpensNoPipe: a pipe that the transfer log goes to is read until it ends, and
// who checks a configuration ends nobody's log.
func TestCheckOpensNoPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := event.CheckTransferLog(path); err != nil {
		t.Errorf("a pipe without a reader: %v", err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := event.CheckTransferLog(path); err != nil {
		t.Errorf("a pipe with a reader: %v", err)
	}
	conn, err := reader.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, 0); err != nil || poll[0].Revents&unix.POLLHUP != 0 {
			t.Errorf("the reader saw a writer come and go (%v)", err)
		}
	})
}
