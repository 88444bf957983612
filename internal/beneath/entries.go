package beneath

import (
	"context"
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"

	"ferry"
)

// Readable opens the directory behind an O_PATH descriptor for reading and
// syncing.
func (r *Root) Readable(dir int) (int, error) {
	return r.openAs(func() (int, error) {
		if r.proc { // which needs no right to search it
			return unix.Open(ProcPath(dir), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		}
		return unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
}

// listBuffer is how much of a directory is read at a time, about 200 entries. A client
// of SFTP that has stopped asking keeps a listing, and with it this much.
const listBuffer = 8 << 10

// Lister reads directories, in buffers that all who use it share. The zero value is
// ready.
type Lister struct {
	buffers sync.Pool // of *[listBuffer]byte
}

// Entries calls visit for each entry of the open directory but "." and ".." until it
// answers false or an error.
func (l *Lister) Entries(ctx context.Context, fd int, visit func(Entry) (bool, error)) error {
	stopped := false
	for !stopped {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := l.some(fd, func(e Entry) (bool, error) {
			more, err := visit(e)
			stopped = !more
			return more, err
		})
		if n == 0 || err != nil {
			return err
		}
	}
	return nil
}

// some does so for the next piece of the directory. n is how many bytes that had: 0 at the
// end.
func (l *Lister) some(fd int, visit func(Entry) (bool, error)) (n int, err error) {
	buffer, ok := l.buffers.Get().(*[listBuffer]byte)
	if !ok {
		buffer = new([listBuffer]byte)
	}
	defer l.buffers.Put(buffer)
	n, err = RetryEINTR(func() (int, error) { return unix.Getdents(fd, buffer[:]) })
	if n <= 0 || err != nil {
		if err == unix.ENOENT { // the directory has been removed meanwhile
			err = nil
		}
		return 0, err
	}
	_, err = Parse(buffer[:n], visit)
	return n, err
}

// Entry is one entry as getdents64 gives it. Name is valid until the next one;
// a NUL follows it.
type Entry struct {
	Name []byte
	Kind uint32 // type bits as in st_mode; 0: the file system did not say
}

// IsPart is ferry.IsPart, which few names get to.
func (e Entry) IsPart() bool { return e.Name[0] == '.' && ferry.IsPart(string(e.Name)) }

// Where the fields of a struct linux_dirent64 are.
const (
	direntLength = 16 // two bytes: of the whole record
	direntType   = 18
	direntName   = 19 // NUL-terminated
)

// Parse cuts what getdents64 filled in into entries.
func Parse(data []byte, visit func(Entry) (bool, error)) (bool, error) {
	for len(data) > direntName {
		length := int(binary.NativeEndian.Uint16(data[direntLength:]))
		if length <= direntName || length > len(data) {
			return false, unix.EIO
		}
		e := Entry{Name: data[direntName:length], Kind: uint32(data[direntType]) << 12}
		data = data[length:]
		end := 0
		for end < len(e.Name) && e.Name[end] != 0 {
			end++
		}
		if end == 0 || end == len(e.Name) {
			return false, unix.EIO
		}
		e.Name = e.Name[:end]
		if s := string(e.Name); s == "." || s == ".." {
			continue
		}
		if more, err := visit(e); !more || err != nil {
			return false, err
		}
	}
	return true, nil
}
