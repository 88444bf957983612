package gate_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"ferry"
	"ferry/internal/gate"
)

// fill opens files for reading until no more can be had, and says why not.
func fill(t *testing.T, s *gate.Session) (open []ferry.Handle, why *ferry.TooManyOpen) {
	t.Helper()
	for {
		h, err := s.FS().Open(context.Background(), "/old", ferry.OpenOptions{Mode: ferry.Read})
		if errors.As(err, &why) {
			return open, why
		}
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, h)
	}
}

// TestOneConnectionLeavesFilesToOthers: whoever opens all they can, another connection of
// the same user, another user at the same address, and the same user at another one can
// still open files, however many are greedy already.
func TestOneConnectionLeavesFilesToOthers(t *testing.T) {
	anonymous := user("anonymous")
	anonymous.Anonymous = true
	h := newHouse(t, gate.Limits{OpenFiles: gate.OpenFiles{Total: 1000}}, user("alice"), user("bob"), anonymous)
	h.put("/old", "old")
	for _, greedy := range []struct {
		who, at, whose string
		few            int // that it gets at least
	}{
		{"anonymous", "192.0.2.7", "this connection", 125},
		{"anonymous", "192.0.2.7", "this connection", 50},
		{"alice", "192.0.2.7", "this connection", 50},
		{"alice", "192.0.2.7", "this connection", 25},
		{"bob", "192.0.2.7", "this connection", 25},
		{"alice", "192.0.2.8", "this connection", 25},
		{"bob", "192.0.2.8", "this connection", 25},
		{"anonymous", "192.0.2.9", "this connection", 50},
		{"anonymous", "192.0.2.10", "this connection", 25},
	} {
		s := h.login(h.connect(greedy.at), greedy.who)
		open, why := fill(t, s)
		if len(open) < greedy.few || why.Open != len(open) || why.Whose != greedy.whose {
			t.Errorf("%s at %s has %d open files, and then %v", greedy.who, greedy.at, len(open), why)
		}
		for _, err := range s.FS().List(context.Background(), "/", ferry.Names) {
			if !errors.As(err, &why) {
				t.Errorf("a directory that is listed is none of them: %v", err)
			}
		}
	}
}

// TestOpenFilesHaveLimits: those of the configuration, with words that name them, and the
// end of a file, however it ends, gives its place back.
func TestOpenFilesHaveLimits(t *testing.T) {
	for _, c := range []struct {
		limits gate.OpenFiles
		text   string
	}{
		{gate.OpenFiles{PerConnection: 3}, "too many open files: 3 of this connection"},
		{gate.OpenFiles{PerUser: 5}, "too many open files: 5 of this user"},
		{gate.OpenFiles{PerAddress: 12, PerUser: 2}, "too many open files: 2 of this user"},
		{gate.OpenFiles{PerAddress: 1}, "too many open files: 1 of this address"},
		{gate.OpenFiles{Total: 1}, "too many open files: 1 of the server"},
	} {
		h := newHouse(t, gate.Limits{OpenFiles: c.limits}, user("alice"))
		h.put("/old", "old")
		v, s := h.enter("alice")
		for range 2 {
			open, why := fill(t, s)
			for range 8 { // the rest of what its connections may have
				if why.Whose != "this connection" || c.limits.PerConnection > 0 {
					break
				}
				_, another := h.enter("alice")
				_, why = fill(t, another)
			}
			if why.Error() != c.text {
				t.Errorf("%+v: %v", c.limits, why)
			}
			if e := h.last(ferry.EventDenied); !errors.As(e.Err, &why) || e.Op != "read" || e.User != "alice" {
				t.Errorf("event %+v", e)
			}
			for i, f := range open {
				switch i % 3 {
				case 0:
					_ = f.Commit()
				case 1:
					_ = f.Abort(nil)
				default:
					_ = f.Abort(errors.New("broken"))
					_ = f.Abort(nil)
				}
			}
		}
		fill(t, s)
		v.Close(nil)
		_, s = h.enter("alice")
		if open, _ := fill(t, s); len(open) == 0 {
			t.Errorf("%+v: what a session had open is lost with it", c.limits)
		}
	}
}

// TestPlacesOfListings: a listing has a place while it goes on, and one that fails none.
func TestPlacesOfListings(t *testing.T) {
	h := newHouse(t, gate.Limits{OpenFiles: gate.OpenFiles{PerConnection: 1}}, user("alice"))
	h.put("/old", "old")
	_, s := h.enter("alice")
	for range 3 {
		for _, err := range s.FS().List(context.Background(), "/", ferry.Full) {
			if err != nil {
				t.Fatal(err)
			}
			if open, _ := fill(t, s); len(open) > 0 {
				t.Error("a directory that is listed takes no place")
			}
			break
		}
		for _, err := range s.FS().List(context.Background(), "/missing", ferry.Full) {
			wantErr(t, err, fs.ErrNotExist)
		}
		_, err := s.FS().Open(context.Background(), "/missing", ferry.OpenOptions{Mode: ferry.Read})
		if full := new(ferry.TooManyOpen); errors.As(err, &full) {
			t.Error(err)
		}
	}
}
