package disk

import (
	"bytes"
	"io/fs"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/partfile"
)

func TestUploadGoesOnAfterTheProcessDied(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old content, and a long one", 0o644)
		h := s.open(s.as("alice"), "/a", ferry.Replace)
		s.put(h, "half of ", 0)
		die(h)
		s = s.Reopen()
		f := s.as("alice")
		s.holds("a", "old content, and a long one")
		if i, err := f.Part(s.Context(), "/a"); i.Size != 8 || err != nil {
			s.Fatalf("part has %d bytes, %v", i.Size, err)
		}
		if _, err := s.as("bob").Part(s.Context(), "/a"); err == nil {
			s.Error("another user has that part")
		}
		h = s.openAt(f, "/a", 8)
		s.put(h, "the new", 8)
		s.must(h.Commit())
		s.holds("a", "half of the new")
	})
}

// An upload that had not brought a byte yet hides the old file's size too.
func TestOldAndNewAreNeverMixed(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old content", 0o644)
		h := s.open(s.as("alice"), "/a", ferry.Replace)
		die(h)
		s = s.Reopen()
		f := s.as("alice")
		if i, err := f.Part(s.Context(), "/a"); i.Size != 0 || err != nil {
			s.Errorf("part has %d bytes, %v", i.Size, err)
		}
		h = s.openAt(f, "/a", 0)
		s.put(h, "new", 0)
		s.holds("a", "old content")
		s.must(h.Commit())
		s.holds("a", "new")
	})
}

// The process dies in Commit, when the part has the new file's mode and owner
// already and not yet its name.
func TestUploadGoesOnAfterACommitThatWasCutShort(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old", 0o644)
		if os.Geteuid() == 0 {
			s.must(os.Chown(s.path("a"), 1234, 1234))
		}
		up := s.open(s.as("alice"), "/a", ferry.Replace).(*staged)
		s.put(up, "new", 0)
		old := s.stat(s.path("a"))
		s.must(up.inherit(&old))
		die(up)
		s = s.Reopen()
		f := s.as("alice")
		h := s.openAt(f, "/a", 3)
		if st := s.stat(s.parts("/")[0]); st.Mode&0o7777 != partfile.Mode {
			s.Errorf("others may read the part: mode %o", st.Mode)
		}
		s.put(h, " and whole", 3)
		s.must(h.Commit())
		s.holds("a", "new and whole")
	})
}

func TestPartWithAGapEndsBeforeIt(t *testing.T) {
	each(t, func(s *served) {
		block := bytes.Repeat([]byte("x"), 1<<20)
		h := s.open(s.as("alice"), "/a", ferry.Replace)
		for _, off := range []int64{0, 1 << 20, 8 << 20} { // 2 MiB, a gap of 6, 1 MiB
			_, err := h.WriteAt(block, off)
			s.must(err)
		}
		die(h)
		s = s.Reopen()
		i, err := s.as("alice").Part(s.Context(), "/a")
		if i.Size > 2<<20 || i.Size < 1<<20 || err != nil {
			s.Errorf("part has %d bytes, %v; want not more than lie before the gap", i.Size, err)
		}
		h = s.openAt(s.as("alice"), "/a", ferry.AtEnd)
		if j, err := h.Stat(); j.Size != i.Size || err != nil {
			s.Errorf("goes on from %d, %v; Part said %d", j.Size, err, i.Size)
		}
		s.must(h.Abort(nil))
	})
}

func TestGapThatStraddlesABlockIsNotGoneOver(t *testing.T) {
	each(t, func(s *served) {
		h := s.open(s.as("alice"), "/a", ferry.Replace)
		s.put(h, "first", 0)
		s.put(h, "far away", 1<<20)
		die(h)
		s = s.Reopen()
		if i, err := s.as("alice").Part(s.Context(), "/a"); i.Size > 5 || err != nil {
			s.Errorf("part has %d bytes, %v, of which 5 were written", i.Size, err)
		}
	})
}

func TestAfterThePowerFailedOnlySyncedPartsCount(t *testing.T) {
	each(t, func(s *served) {
		f := s.as("alice")
		h := s.open(f, "/broken", ferry.Replace)
		s.put(h, "text", 0)
		s.must(h.Abort(nil))
		dead := s.open(f, "/dead", ferry.Replace)
		s.put(dead, "text", 0)
		die(dead)

		s = s.Reopen()
		s.tree.parts.Boot = time.Now().Add(time.Hour) // the machine starts, after all that
		f = s.as("alice")
		want := int64(0)
		if s.tree.durable {
			want = 4
		}
		for name, size := range map[string]int64{"/broken": want, "/dead": 0} {
			if i, err := f.Part(s.Context(), ferry.Name(name)); i.Size != size || err != nil {
				s.Errorf("part of %s has %d bytes, %v; want %d", name, i.Size, err, size)
			}
			h := s.openAt(f, ferry.Name(name), ferry.AtEnd)
			if i, err := h.Stat(); i.Size != size || err != nil {
				s.Errorf("%s goes on from %d, %v; want %d", name, i.Size, err, size)
			}
			s.must(h.Abort(nil))
		}
	})
}

// A disk that could not take some of the content does not say so twice.
func TestContentThatTheDiskLostIsNotPublished(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old", 0o644)
		f := s.as("alice")
		h := s.open(f, "/a", ferry.Replace).(*staged)
		s.put(h, "new", 0)
		h.lost = unix.EIO
		s.want(h.Sync(), unix.EIO)
		s.want(h.Commit(), unix.EIO)
		s.holds("a", "old")
		if i, err := f.Part(s.Context(), "/a"); i.Size != 0 || err != nil {
			s.Errorf("goes on from %d, %v", i.Size, err)
		}
	})
}

// Two processes serve one directory.
func TestPartOfAnotherProcessIsBusy(t *testing.T) {
	each(t, func(s *served) {
		h := s.open(s.as("alice"), "/a", ferry.Replace)
		s.put(h, "text", 0)
		other := s.Reopen()
		f := other.as("alice")
		for _, m := range []ferry.Mode{ferry.Resume, ferry.Replace, ferry.Exclusive} {
			_, err := f.Open(s.Context(), "/a", ferry.OpenOptions{Mode: m})
			s.want(err, ferry.ErrBusy)
		}
		s.want(f.Remove(s.Context(), "/a"), ferry.ErrBusy)
		s.must(h.Commit())
		s.holds("a", "text")
	})
}

func TestPartThatWasRemovedByHandIsNotPublished(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old", 0o644)
		h := s.open(s.as("alice"), "/a", ferry.Replace)
		s.put(h, "new", 0)
		part := s.parts("/")[0]
		s.must(os.Remove(part))
		s.must(os.WriteFile(part, []byte("somebody else's"), 0o644))
		s.want(h.Commit(), fs.ErrNotExist)
		s.holds("a", "old")
	})
}

func TestPartMovesWithItsDirectory(t *testing.T) {
	each(t, func(s *served) {
		f := s.as("alice")
		s.must(f.Mkdir(s.Context(), "/dir", nil))
		h := s.open(f, "/dir/a", ferry.Replace)
		s.put(h, "te", 0)
		s.must(f.Rename(s.Context(), "/dir", "/moved", false))
		s.put(h, "xt", 2)
		s.must(h.Commit())
		s.holds("moved/a", "text")
	})
}

func TestOneOfManyExclusiveOnesWins(t *testing.T) {
	each(t, func(s *served) {
		var mu sync.Mutex
		var group sync.WaitGroup
		won := 0
		for range 16 {
			group.Go(func() {
				h, err := s.as("alice").Open(s.Context(), "/a", ferry.OpenOptions{Mode: ferry.Exclusive})
				if err != nil {
					return
				}
				if h.Commit() == nil {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if won != 1 {
			s.Errorf("%d exclusive uploads of one name succeeded", won)
		}
	})
}

// Readers look while many sessions of several users replace a file, break off
// and take over: what they find is always one upload, whole.
func TestReadersSeeWholeFilesOnly(t *testing.T) {
	each(t, func(s *served) {
		const size = 100_000
		s.file("a", string(bytes.Repeat([]byte("0"), size)), 0o644)
		var writers sync.WaitGroup
		for n, user := range []string{"alice", "bob", "carol", "alice"} {
			writers.Go(func() {
				text := bytes.Repeat([]byte{byte('1' + n)}, size)
				for i := range 40 {
					h, err := s.as(user).Open(s.Context(), "/a", ferry.OpenOptions{Mode: ferry.Replace})
					if err != nil {
						continue
					}
					h.WriteAt(text[:size/2], 0)
					if i%3 == 0 {
						h.Abort(nil)
						continue
					}
					h.WriteAt(text[size/2:], size/2)
					h.Commit()
				}
			})
		}
		stop := make(chan struct{})
		go func() { writers.Wait(); close(stop) }()
		f := s.as("reader")
		for {
			h := s.open(f, "/a", ferry.Read)
			got := make([]byte, size+1)
			n, _ := h.ReadAt(got, 0)
			s.must(h.Commit())
			if n != size || bytes.Count(got[:n], got[:1]) != size {
				s.Fatalf("%d bytes, of several uploads", n)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
}
