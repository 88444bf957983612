package gate_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/gate"
)

func TestEventsOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		anonymous := user("anonymous")
		anonymous.Anonymous = true
		h := newHouse(t, gate.Limits{}, anonymous)
		h.put("/file", "content")
		v, s := h.enter("anonymous")
		tree, ctx := s.FS(), t.Context()
		err := errors.Join(
			tree.Mkdir(ctx, "/dir", nil),
			tree.Rename(ctx, "/file", "/dir/file", false),
			tree.SetAttr(ctx, "/dir/file", mode()),
			tree.Symlink(ctx, "/dir/file", "/link"),
			tree.Remove(ctx, "/link"),
			removeSeen(ctx, tree, "/dir/file"),
			tree.Rmdir(ctx, "/dir"),
		)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		v.Close(nil)
		want := []string{"connect", "login", "mkdir", "rename", "setattr", "symlink", "remove", "remove", "rmdir", "disconnect"}
		if got := h.kinds(); !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
		for _, e := range h.heard {
			loggedIn := e.Kind != ferry.EventConnect
			if e.Session != v.ID() || e.Protocol != "ftp" || e.Peer != address("192.0.2.7") || e.Time.IsZero() ||
				e.Anon != loggedIn || (e.User == "anonymous") != loggedIn || e.Err != nil {
				t.Errorf("event %+v", e)
			}
		}
		if e := h.last(ferry.EventRename); e.Name != "/file" || e.To != "/dir/file" {
			t.Errorf("rename %+v", e)
		}
		if e := h.last(ferry.EventSymlink); e.Name != "/link" || e.To != "/dir/file" {
			t.Errorf("symlink %+v", e)
		}
		if e := h.last(ferry.EventDisconnect); e.Duration != time.Minute {
			t.Errorf("disconnect %+v", e)
		}
	})
}

func removeSeen(ctx context.Context, tree ferry.FS, name ferry.Name) error {
	was, err := tree.Lstat(ctx, name)
	if err != nil {
		return err
	}
	return tree.RemoveUnchanged(ctx, name, was)
}

// TestThreat36LongNamesAreCut: who fails to log in fills no log with what it calls itself.
func TestThreat36LongNamesAreCut(t *testing.T) {
	h := newHouse(t, gate.Limits{FailDelay: -1}, user("alice"))
	v := h.connect("192.0.2.7")
	defer v.Close(nil)
	if _, err := v.Login(t.Context(), ferry.Claim{Name: strings.Repeat("é", 4000), Password: "x"}); !errors.Is(err, ferry.ErrLogin) {
		t.Fatal(err)
	}
	if name := h.last(ferry.EventLoginFailed).User; len(name) > 200 || !strings.HasPrefix(name, "éééé") || !strings.Contains(name, "8000 bytes") {
		t.Errorf("a name of 8,000 bytes is told as %d bytes: %q", len(name), name)
	}
}

// TestRefusalsAreTold: what a user may not do is told, with the rule that says so, and
// what failed for another reason is not.
func TestRefusalsAreTold(t *testing.T) {
	h := newHouse(t, gate.Limits{}, userWith("alice", ferry.RightsRead))
	h.mkdir("/dir")
	_, s := h.enter("alice")
	tree, ctx := s.FS(), t.Context()
	_ = tree.Mkdir(ctx, "/new", nil)
	_ = tree.Remove(ctx, "/nothing")
	_ = tree.Rmdir(ctx, "/dir")
	_, _ = tree.Open(ctx, "/nothing", ferry.OpenOptions{Mode: ferry.Read})
	if got, want := h.kinds(), []string{"connect", "login", "denied", "denied", "denied"}; !slices.Equal(got, want) {
		t.Fatalf("events %v, want %v", got, want)
	}
	e := h.heard[2]
	if e.Op != "mkdir" || e.Name != "/new" || e.User != "alice" || e.Peer != address("192.0.2.7") || e.Err == nil ||
		e.Err.Error() != "the rule /=read-only does not grant mkdir" {
		t.Errorf("told is %+v", e)
	}
}

// TestRefusalsByHandleAreTold: of what is open for changes, too.
func TestRefusalsByHandleAreTold(t *testing.T) {
	h := newHouse(t, gate.Limits{}, userWith("alice", ferry.RightOverwrite))
	h.put("/file", "content")
	_, s := h.enter("alice")
	f := open(t, s, "/file", ferry.Update)
	_, err := f.ReadAt(make([]byte, 1), 0)
	wantErr(t, err, fs.ErrPermission)
	wantErr(t, f.SetAttr(mode()), fs.ErrPermission)
	_ = f.Abort(nil)
	var told []string
	for _, e := range h.events(ferry.EventDenied) {
		told = append(told, e.Op+" "+string(e.Name))
	}
	if want := []string{"read /file", "setattr /file"}; !slices.Equal(told, want) {
		t.Errorf("told is %v, want %v", told, want)
	}
}

func TestEventsOfTransfers(t *testing.T) {
	lost := ferry.ErrControlLost
	write := func(f ferry.Handle) error { return writes(0)(f) }
	tests := []struct {
		name string
		file string
		mode ferry.Mode
		use  func(ferry.Handle) error
		end  func(ferry.Handle) error
		want []ferry.Event // Kind, Bytes, Err
	}{
		{"a download", "/old", ferry.Read, reads, commit, []ferry.Event{{Kind: ferry.EventDownload, Bytes: 1}}},
		{"a broken download", "/old", ferry.Read, reads, abort(lost), []ferry.Event{{Kind: ferry.EventDownload, Bytes: 1, Err: lost}}},
		{"a file read for its hash", "/old", ferry.Read, reads, abort(nil), nil},
		{"an upload", "/new", ferry.Replace, write, commit, []ferry.Event{{Kind: ferry.EventUpload, Bytes: 1}}},
		{"a new empty file", "/new", ferry.Exclusive, nothing, commit, []ferry.Event{{Kind: ferry.EventUpload}}},
		{"a broken upload", "/new", ferry.Replace, write, abort(lost), []ferry.Event{{Kind: ferry.EventUpload, Bytes: 1, Err: lost}}},
		{"an upload given up", "/new", ferry.Replace, write, abort(nil), []ferry.Event{{Kind: ferry.EventUpload, Bytes: 1, Err: ferry.ErrAborted}}},
		{"an update that wrote", "/old", ferry.Update, write, commit, []ferry.Event{{Kind: ferry.EventUpload, Bytes: 1}}},
		{"an update that cut", "/old", ferry.Update, func(f ferry.Handle) error { return f.Truncate(0) }, commit, []ferry.Event{{Kind: ferry.EventUpload}}},
		{"an update that read", "/old", ferry.Update, reads, commit, []ferry.Event{{Kind: ferry.EventDownload, Bytes: 1}}},
		{"an update that did nothing", "/old", ferry.Update, nothing, commit, nil},
		{"attributes by handle", "/old", ferry.Update, sets(mode()), commit, []ferry.Event{{Kind: ferry.EventSetAttr}}},
		{"commit, then abort", "/old", ferry.Read, commit, abort(lost), []ferry.Event{{Kind: ferry.EventDownload}}},
		{"abort, then commit", "/old", ferry.Read, abort(lost), func(f ferry.Handle) error {
			if err := f.Commit(); !errors.Is(err, ferry.ErrClosed) {
				return errors.New("commit after abort")
			}
			return nil
		}, []ferry.Event{{Kind: ferry.EventDownload, Err: lost}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := storage(t, user("alice"))
			_, s := h.enter("alice")
			f := open(t, s, ferry.Name(test.file), test.mode)
			if err := errors.Join(test.use(f), test.end(f)); err != nil {
				t.Fatal(err)
			}
			got := h.events(ferry.EventUpload, ferry.EventDownload, ferry.EventSetAttr)
			if len(got) != len(test.want) {
				t.Fatalf("events %+v, want %+v", got, test.want)
			}
			for i, want := range test.want {
				if e := got[i]; e.Kind != want.Kind || e.Bytes != want.Bytes || e.Err != want.Err || e.Name != ferry.Name(test.file) || e.User != "alice" {
					t.Errorf("event %+v, want %+v", e, want)
				}
			}
		})
	}
}

func commit(f ferry.Handle) error { return f.Commit() }
func nothing(ferry.Handle) error  { return nil }
func abort(cause error) func(ferry.Handle) error {
	return func(f ferry.Handle) error { return f.Abort(cause) }
}

func TestAFailedCommitIsAFailedUpload(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"))
	_, s := h.enter("alice")
	f := open(t, s, "/name", ferry.Exclusive)
	h.put("/name", "theirs")
	err := f.Commit()
	if e := h.last(ferry.EventUpload); err == nil || e.Err != err {
		t.Errorf("Commit: %v; event %+v", err, e)
	}
}

func TestASCIIIsNoted(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"))
	_, s := h.enter("alice")
	f, err := s.FS().Open(t.Context(), "/name", ferry.OpenOptions{Mode: ferry.Replace, ASCII: true})
	wantErr(t, err, nil)
	wantErr(t, f.Commit(), nil)
	if !h.last(ferry.EventUpload).ASCII {
		t.Error("the event does not say that line ends were translated")
	}
}

// What is still open when a session ends is aborted, and told.
func TestOpenFilesEndWithTheSession(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"))
	v, s := h.enter("alice")
	f := open(t, s, "/name", ferry.Replace)
	_, err := f.WriteAt([]byte("half"), 0)
	wantErr(t, err, nil)
	v.Close(ferry.ErrControlLost)
	if e := h.last(ferry.EventUpload); e.Err != ferry.ErrControlLost || e.Bytes != 4 || e.User != "alice" {
		t.Errorf("event %+v", e)
	}
	if e := h.last(ferry.EventDisconnect); e.Bytes != 4 {
		t.Errorf("event %+v", e)
	}
	wantErr(t, f.Commit(), ferry.ErrClosed)
	if h.content("/name") != "" {
		t.Error("half a file was published")
	}
}

// No event tells a password, of a login that failed or of one that did not.
func TestEventsHoldNoPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, user("alice"))
		v := h.connect("192.0.2.7")
		const secret = "correct horse"
		_, _ = v.Login(t.Context(), ferry.Claim{Name: "alice", Password: secret})
		h.enter("alice")
		for _, e := range h.heard {
			if e.Name == secret || e.User == secret || e.Err != nil && e.Err.Error() == secret {
				t.Errorf("event %+v", e)
			}
		}
	})
}

// TestRefusedWaysInAreToldAtTheEnd: what a client tried before it got in is no news, and
// what a client that did not get in has tried is told when it leaves, with its reason.
func TestRefusedWaysInAreToldAtTheEnd(t *testing.T) {
	h := newHouse(t, gate.Limits{FailDelay: -1}, user("alice"))
	try := func(claim ferry.Claim) *gate.Conn {
		v := h.connect("192.0.2.7")
		v.Refused("alice", "", errors.New("TLS is required"))
		for range 1000 { // no client fills our memory, or the log
			if v.Offer(t.Context(), ferry.Claim{Name: "mallory", Key: "SHA256:x"}) {
				t.Error("mallory would be let in")
			}
		}
		_, _ = v.Login(t.Context(), claim)
		if e := h.events(ferry.EventLoginRefused); len(e) > 0 {
			t.Errorf("told before the end: %+v", e)
		}
		return v
	}
	try(ferry.Claim{Name: "alice", Password: password("alice")}).Close(nil)
	if e := h.events(ferry.EventLoginRefused); len(e) > 0 {
		t.Errorf("alice is in, and told is %+v", e)
	}
	v := try(ferry.Claim{Name: "alice", Password: "x"})
	v.Close(nil)
	told := h.events(ferry.EventLoginRefused)
	if len(told) < 2 || len(told) > 20 {
		t.Fatalf("%d refusals are told", len(told))
	}
	if e := told[0]; e.User != "alice" || e.Err == nil || e.Err.Error() != "TLS is required" || e.Session != v.ID() || e.Peer != address("192.0.2.7") {
		t.Errorf("told is %+v", e)
	}
	if e := told[1]; e.User != "mallory" || e.By != "key SHA256:x" || !errors.Is(e.Err, ferry.ErrLogin) {
		t.Errorf("told is %+v", e)
	}
}
