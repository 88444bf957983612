package ftpserver

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/ftpport"
	"ferry/internal/gate"
	"ferry/internal/nettest"
)

// TestPipelinedRepliesAreGathered: a hundred commands that came together are
// answered in few writes.
func TestPipelinedRepliesAreGathered(t *testing.T) {
	w := newWorld(t)
	w.begin()
	here, there := nettest.NewWire(netip.MustParseAddrPort("192.0.2.77:40000"), netip.MustParseAddrPort("192.0.2.1:21"))
	counted := &writeCounter{Wire: there}
	if _, err := io.WriteString(here, strings.Repeat("NOOP\r\n", 100)+"QUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	w.srv.Handle(counted)
	said, err := io.ReadAll(here)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(said), "200 Ok.\r\n"); n != 100 || !strings.HasSuffix(string(said), "221 Goodbye.\r\n") {
		t.Errorf("%d replies, and at the end %.40q", n, said[max(0, len(said)-40):])
	}
	if counted.writes > 4 {
		t.Errorf("%d writes for replies to one segment", counted.writes)
	}
}

type writeCounter struct {
	*nettest.Wire
	writes int
}

func (w *writeCounter) Write(p []byte) (int, error) {
	w.writes++
	return w.Wire.Write(p)
}

// TestThreat18Bomb: an upload that expands without end is stopped, and not kept
// in memory: it goes to the storage piece by piece.
func TestThreat18Bomb(t *testing.T) {
	var bomb bytes.Buffer
	z := zlib.NewWriter(&bomb)
	for range 20 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	script := fmt.Sprintf(`config modez
login
C: TYPE I
S: 200 *
C: MODE Z
S: 200 *
C: PASV
S: 227 *
data connect
C: STOR bomb
S: 150 *
data send %q
S: 552 The compressed data expands too much.
data broken
absent /bomb
C: NOOP
S: 200 *
`, bomb.String())
	synctest.Test(t, func(t *testing.T) { runScript(t, "bomb", script) })
}

// buggyFS panics where a script touches the name /bug.
type buggyFS struct{ ferry.FS }

func (b buggyFS) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	if name == "/bug" {
		panic("a bug of ours")
	}
	return b.FS.Mkdir(ctx, name, perm)
}

func (b buggyFS) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := b.FS.Open(ctx, name, o)
	if err == nil && name == "/bug" {
		h = buggyHandle{h}
	}
	return h, err
}

type buggyHandle struct{ ferry.Handle }

func (buggyHandle) Commit() error { panic("a bug of ours") }

// TestPanicEndsItsSessionOnly: 421 and an event with the stack, for a handler and for a
// transfer; the next client is served, and no upload is published.
func TestPanicEndsItsSessionOnly(t *testing.T) {
	const script = `login
C: MKD bug
S: 421 Internal error*
S eof
sessions 0
another
login
C: PASV
S: 227 *
data connect
C: STOR bug
S: 150 *
data send "x"
data close
S: 421 Internal error*
S eof
sessions 0
absent /bug
another
login
C: MKD ok
S: 257 *
`
	var mu sync.Mutex
	var told []ferry.Event
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.wrap = func(tree ferry.FS) ferry.FS { return buggyFS{tree} }
		w.events = func(e ferry.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == ferry.EventPanic {
				told = append(told, e)
			}
		}
		w.play("panic", script)
	})
	if len(told) != 2 {
		t.Fatalf("%d panics are told", len(told))
	}
	for i, where := range []string{"buggyFS.Mkdir", "buggyHandle.Commit"} {
		p := (*ferry.PanicError)(nil)
		if e := told[i]; !errors.As(e.Err, &p) || p.Value != "a bug of ours" || !strings.Contains(string(p.Stack), where) || e.User != "alice" || e.Session == "" {
			t.Errorf("told is %+v", e)
		}
	}
}

// TestPasswordsStayOutOfTheLog: wherever a client puts one, at the finest level.
func TestPasswordsStayOutOfTheLog(t *testing.T) {
	const script = `S: 220 *
C: USER alice
S: 331 *
C: PASS hunter2
sleep 5s
S: 530 *
C: PAS hunter2
S: 500 *
C: ACCT hunter2
S: 503 *
C: USER alice
S: 331 *
C: hunter2
S: 500 *
`
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w.play("passwords", script)
	})
	if log.Len() == 0 || strings.Contains(strings.ToLower(log.String()), "hunter2") {
		t.Errorf("the log: %s", log.String())
	}
}

// TestTransfersAreTold: what the transfer log will say of a session.
func TestTransfersAreTold(t *testing.T) {
	const script = `file /f "one\n"
login
C: PASV
S: 227 *
data connect
C: RETR f
S: 150 *
data read "one\r\n"
S: 226 *
C: TYPE I
S: 200 *
C: PASV
S: 227 *
data connect
C: STOR g
S: 150 *
data send "12345"
data close
S: 226 *
C: PASV
S: 227 *
data connect
C: STOR h
S: 150 *
data send "12"
C: ABOR
S: 426 *
S: 226 *
C: HASH f
S: 213 *
C: SIZE f
S: 213 *
`
	var told []string
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.events = func(e ferry.Event) {
			if e.Kind == ferry.EventUpload || e.Kind == ferry.EventDownload {
				told = append(told, fmt.Sprintf("%s %s %d text=%t %v", e.Kind, e.Name, e.Bytes, e.ASCII, e.Err))
			}
		}
		w.play("events", script)
	})
	want := []string{"download /f 4 text=true <nil>", "upload /g 5 text=false <nil>", "upload /h 2 text=false aborted by the client"}
	if strings.Join(told, "; ") != strings.Join(want, "; ") {
		t.Errorf("told: %q, want %q", told, want)
	}
}

// TestConfigErrors: what New refuses, and says.
func TestConfigErrors(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a server without a gate")
	}
	if _, err := New(Config{Gate: gate.New(gate.Config{}), Ports: ftpport.Policy{First: 5, Last: 4}}); err == nil || !strings.Contains(err.Error(), "passive ports") {
		t.Errorf("passive ports 5-4: %v", err)
	}
}

// TestScriptsHaveWords: a script tells what it is about before it begins.
func TestScriptsHaveWords(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(text, []byte("# ")) {
			t.Errorf("%s does not begin with a comment (%v)", file, err)
		}
	}
}
