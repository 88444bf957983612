package sftpserver

import (
	"encoding/binary"
	"sync"

	"ferry"
)

// maxFiles is how many files one session may have open, whatever the FS allows.
const maxFiles = 16 << 10

// table holds the open files and directories of a session by the number that is
// their handle. Numbers are not used again, so a handle that was closed is
// never another file's.
type table struct {
	mu    sync.Mutex
	last  uint64
	files map[uint64]*file
	dirs  map[uint64]*dir
	// writers are the files that write, until they are closed: they are looked
	// for by name.
	writers map[uint64]*file
	taken   int // places for files that are being opened, and those of files
	dired   int // the same for directories
	allDirs *Dirs
}

func newTable(dirs *Dirs) *table {
	return &table{allDirs: dirs, files: map[uint64]*file{}, dirs: map[uint64]*dir{}, writers: map[uint64]*file{}}
}

func handleOf(number uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, number))
}

func numberOf(handle string) uint64 {
	if len(handle) != 8 {
		return 0 // nobody's
	}
	return binary.BigEndian.Uint64([]byte(handle))
}

// reserve takes a place for a file that is about to be opened; false: there is
// none. It becomes the file's by add, or is given back by giveUp.
func (t *table) reserve() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken >= maxFiles {
		return false
	}
	t.taken++
	return true
}

func (t *table) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
}

// none tells whether no file is open, and none is being opened.
func (t *table) none() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.taken == 0
}

// add enters f and gives its handle.
func (t *table) add(f *file) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	f.number = t.last
	t.files[t.last] = f
	if f.writes() {
		t.writers[t.last] = f
	}
	return handleOf(t.last)
}

// file gives the file of a handle; nil: there is none.
func (t *table) file(handle string) *file {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files[numberOf(handle)]
}

// removeFile takes a file out, so that nothing new begins on it.
func (t *table) removeFile(handle string) *file {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := numberOf(handle)
	f := t.files[n]
	if f != nil {
		delete(t.files, n)
		t.taken--
	}
	return f
}

// closed says that f, which was taken out, is no longer of any use.
func (t *table) closed(f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.writers, f.number)
}

// reserveDir, giveUpDir, addDir, dir, removeDir: the same for directories.
func (t *table) reserveDir() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.allDirs.take() {
		return false
	}
	t.dired++
	return true
}

func (t *table) giveUpDir() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dired--
	t.allDirs.give(1)
}

func (t *table) addDir(d *dir) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	t.dirs[t.last] = d
	return handleOf(t.last)
}

func (t *table) dir(handle string) *dir {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dirs[numberOf(handle)]
}

func (t *table) removeDir(handle string) *dir {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := numberOf(handle)
	d := t.dirs[n]
	if d != nil {
		delete(t.dirs, n)
		t.dired--
		t.allDirs.give(1)
	}
	return d
}

// nameOf is the name that f has now: a rename takes it along.
func (t *table) nameOf(f *file) ferry.Name {
	t.mu.Lock()
	defer t.mu.Unlock()
	return f.name
}

// nameOfDir is the name that d has now.
func (t *table) nameOfDir(d *dir) ferry.Name {
	t.mu.Lock()
	defer t.mu.Unlock()
	return d.name
}

// renamed takes what is open at and below from along.
func (t *table) renamed(from, to ferry.Name) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.files {
		f.move(from, to)
	}
	for n, f := range t.writers {
		if t.files[n] == nil { // it is about to be closed
			f.move(from, to)
		}
	}
	for _, d := range t.dirs {
		d.name = moved(d.name, from, to)
	}
}

// writing gives the file that the session has open for writing under name; nil:
// there is none.
func (t *table) writing(name ferry.Name) *file {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.writers {
		if f.name == name {
			return f
		}
	}
	return nil
}

// Which files to interrupt.
const (
	onlyRead = false
	allFiles = true
)

// interrupt ends what waits on open files, for all of them or only for those that do
// not write.
func (t *table) interrupt(cause error, all bool) {
	t.mu.Lock()
	var open []*file
	for _, f := range t.files {
		if all || !f.writes() {
			open = append(open, f)
		}
	}
	for _, f := range t.writers { // those too that are about to be closed
		if all && t.files[f.number] == nil {
			open = append(open, f)
		}
	}
	t.mu.Unlock()
	for _, f := range open {
		f.interrupt(cause)
	}
}

// abort ends all that is open, because of err; nil: the client has ended the
// session.
func (t *table) abort(err error) {
	if err == nil {
		err = errNotClosed
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.files {
		f.abort(err)
	}
	for _, d := range t.dirs {
		d.end()
	}
	t.allDirs.give(t.dired)
	t.taken, t.dired = 0, 0
	clear(t.files)
	clear(t.writers)
	clear(t.dirs)
}
