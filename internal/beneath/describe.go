package beneath

import (
	"io/fs"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ferry"
)

// infoMask is what statx is asked for.
const infoMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME

// statx describes what the NUL-terminated name is in dir, a link not followed;
// an empty one is dir itself. It is called once for each entry of a listing,
// with a name that lies in the listing's buffer, so it must not copy it as
// unix.Statx would.
func (r *Root) statx(dir int, name *byte, stx *unix.Statx_t) error {
	return r.run(func() error { return statx(dir, name, stx) })
}

func statx(dir int, name *byte, stx *unix.Statx_t) error {
	for {
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dir), uintptr(unsafe.Pointer(name)),
			unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW, infoMask, uintptr(unsafe.Pointer(stx)), 0)
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}

// InfoOf describes the object that fd is, no link, under the client's name for it.
func InfoOf(fd int, name ferry.Name) (ferry.Info, error) {
	var stx unix.Statx_t
	var empty byte
	if err := statx(fd, &empty, &stx); err != nil {
		return ferry.Info{}, err
	}
	return makeInfo(name.Base(), &stx), nil
}

// makeInfo puts statx's answer into the words of the contract.
func makeInfo(base string, stx *unix.Statx_t) ferry.Info {
	i := ferry.Info{
		Name:    base,
		Size:    int64(stx.Size),
		Mode:    GoMode(uint32(stx.Mode)),
		ModTime: goTime(stx.Mtime),
		Access:  goTime(stx.Atime),
		UID:     stx.Uid,
		GID:     stx.Gid,
		Links:   uint64(stx.Nlink),
		ID:      [2]uint64{unix.Mkdev(stx.Dev_major, stx.Dev_minor), stx.Ino},
	}
	if stx.Mask&unix.STATX_BTIME != 0 {
		i.Birth = goTime(stx.Btime)
	}
	if i.Mode.IsDir() {
		i.Size = 0 // what a directory takes on disk means nothing to a client
	}
	return i
}

func goTime(t unix.StatxTimestamp) time.Time { return time.Unix(t.Sec, int64(t.Nsec)) }

// GoMode makes a file mode of the kernel's.
func GoMode(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	if m&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if m&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if m&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	return mode | GoType(m&unix.S_IFMT)
}

// GoType makes the type bits of a file mode.
func GoType(kind uint32) fs.FileMode {
	switch kind {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	case unix.S_IFCHR:
		return fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}

// KernelMode is the way back, for the bits that can be set.
func KernelMode(mode fs.FileMode) uint32 {
	m := uint32(mode.Perm())
	if mode&fs.ModeSetuid != 0 {
		m |= unix.S_ISUID
	}
	if mode&fs.ModeSetgid != 0 {
		m |= unix.S_ISGID
	}
	if mode&fs.ModeSticky != 0 {
		m |= unix.S_ISVTX
	}
	return m
}

// Describe describes what stands at the place.
func (r *Root) Describe(p *Place, name ferry.Name) (ferry.Info, error) {
	if !p.Exists {
		return ferry.Info{}, fs.ErrNotExist
	}
	base, err := unix.BytePtrFromString(p.Base)
	if err != nil {
		return ferry.Info{}, err
	}
	var stx unix.Statx_t
	if err := r.statx(p.Dir, base, &stx); err != nil {
		return ferry.Info{}, err
	}
	i := makeInfo(name.Base(), &stx)
	return i, r.addTarget(&i, p.Dir, p.Base)
}

// addTarget puts into i, if it describes a link, where it leads.
func (r *Root) addTarget(i *ferry.Info, dir int, base string) (err error) {
	if i.Mode&fs.ModeSymlink != 0 {
		i.Stored, i.Target, err = r.Target(dir, base)
		i.Size = int64(len(i.Target))
	}
	return err
}

// Space is SpaceOf, and what of it the account may use.
func (r *Root) Space(fd int) (ferry.Space, error) {
	s, err := SpaceOf(fd)
	if err != nil {
		return s, err
	}
	return r.account.Within(s), nil
}

// SpaceOf describes the file system that holds the object fd.
func SpaceOf(fd int) (ferry.Space, error) {
	var st unix.Statfs_t
	if _, err := RetryEINTR(func() (int, error) { return 0, unix.Fstatfs(fd, &st) }); err != nil {
		return ferry.Space{}, err
	}
	unit := uint64(st.Frsize)
	return ferry.Space{
		Total:      st.Blocks * unit,
		Free:       st.Bfree * unit,
		Available:  st.Bavail * unit,
		Files:      st.Files,
		FilesFree:  st.Ffree,
		FilesAvail: st.Ffree,
		BlockSize:  uint32(st.Frsize),
		MaxName:    uint32(st.Namelen),
		ReadOnly:   st.Flags&unix.ST_RDONLY != 0,
	}, nil
}
