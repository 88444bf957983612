package disk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// userDigits of a part's name say whose it is, the others for which file: so
// that Rmdir knows a user's own parts by their names.
const userDigits = 12

// partName is the name of the part of v's user for the file base in the same
// directory. Users whose parts are not kept get a new one for each upload.
func (v *sessionFS) partName(base string) string {
	var which [sha256.Size]byte
	if v.keeps {
		which = sha256.Sum256([]byte(v.user + "\x00" + base)) // no user name holds a NUL
	} else {
		rand.Read(which[:])
	}
	return v.partPrefix() + hex.EncodeToString(which[:])[:ferry.PartDigits-userDigits]
}

func (v *sessionFS) partPrefix() string {
	who := sha256.Sum256([]byte(v.user))
	return ferry.PartPrefix + hex.EncodeToString(who[:])[:userDigits]
}

// owns tells whether the part of that name is of v's user.
func (v *sessionFS) owns(part string) bool {
	prefix := v.partPrefix()
	return part[:len(prefix)] == prefix
}

// errForeign: what has a part's name is not something that we have made.
var errForeign = errors.New("not a part of ours")

// takePart opens the part and locks it against other processes. The errors are
// those of the system (ENOENT: there is none), ferry.ErrBusy, and errForeign.
//
// Somebody with an account on the machine could have put a link there, to have
// us write through it, or a file of his own: over says whose file the part may
// turn out to be besides ours, namely that of the file it replaces (a crash
// between giving it the owner and the rename leaves it so).
func (t *Tree) takePart(dir int, name string, over *beneath.Place) (int, *unix.Stat_t, error) {
	for {
		fd, err := beneath.RetryEINTR(func() (int, error) {
			return unix.Openat(dir, name, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		})
		switch err {
		case nil:
		case unix.ELOOP, unix.EISDIR, unix.ENXIO, unix.EACCES:
			return -1, nil, errForeign
		default:
			return -1, nil, err
		}
		st, err := t.lockPart(fd, dir, name)
		if err == nil && !t.ours(st, over) {
			err = errForeign
		}
		if err == nil {
			return fd, st, nil
		}
		unix.Close(fd)
		if err != unix.EAGAIN {
			return -1, nil, err
		}
	}
}

// ours tells whether an open part can be trusted to be one.
func (t *Tree) ours(st *unix.Stat_t, over *beneath.Place) bool {
	return beneath.IsRegular(st) && st.Nlink == 1 &&
		(st.Uid == t.uid || over != nil && over.Exists && st.Uid == over.St.Uid)
}

// lockPart locks an open part and makes sure that it still is the one of that
// name; EAGAIN says that it is not.
func (t *Tree) lockPart(fd, dir int, name string) (*unix.Stat_t, error) {
	_, err := beneath.RetryEINTR(func() (int, error) { return 0, unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	switch err {
	case nil, unix.ENOLCK, unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL: // held, or not to be had here
	case unix.EWOULDBLOCK:
		return nil, ferry.ErrBusy
	default:
		return nil, err
	}
	var st, now unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	err = beneath.StatAt(dir, name, &now)
	if err == unix.ENOENT || err == nil && !beneath.Same(&st, &now) {
		return nil, unix.EAGAIN
	}
	return &st, err
}

// resumePart opens the kept part of u to go on with it; ENOENT: there is none.
func (t *Tree) resumePart(u *upload) (fd int, size int64, err error) {
	dir, name := u.at.Dir, u.key.name
	fd, st, err := t.takePart(dir, name, &u.at)
	if err == errForeign {
		return -1, 0, fs.ErrPermission
	}
	if err != nil {
		return -1, 0, err
	}
	if t.expired(st) {
		err = beneath.Unlink(dir, name)
		if err == nil {
			err = unix.ENOENT
		}
	} else {
		size, err = t.ready(fd, st)
	}
	if err != nil {
		unix.Close(fd)
		return -1, 0, err
	}
	return fd, size, nil
}

// freshPart makes the part of u, empty. One that is there ends.
func (t *Tree) freshPart(u *upload) (int, error) {
	dir, name := u.at.Dir, u.key.name
	for {
		fd, err := beneath.RetryEINTR(func() (int, error) {
			return unix.Openat(dir, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, partMode)
		})
		if err == nil {
			if _, err = t.lockPart(fd, dir, name); err == nil {
				return fd, nil
			}
			unix.Close(fd)
			if err == unix.EAGAIN {
				continue
			}
			return -1, err
		}
		if err != unix.EEXIST {
			return -1, err
		}
		if err := t.unlinkPart(dir, name); err != nil && err != unix.ENOENT {
			return -1, err
		}
	}
}

// unlinkPart removes a part that no other process holds.
func (t *Tree) unlinkPart(dir int, name string) error {
	fd, _, err := t.takePart(dir, name, nil)
	switch err {
	case nil:
		defer unix.Close(fd) // and with it the lock
	case errForeign:
	default:
		return err
	}
	return beneath.Unlink(dir, name)
}

// expired tells by the time of the last change, which no client can set.
func (t *Tree) expired(st *unix.Stat_t) bool {
	return time.Since(time.Unix(st.Ctim.Unix())) > t.keep
}

// expiredAt is expired for a part that is not open.
func (t *Tree) expiredAt(dir int, name string) bool {
	var st unix.Stat_t
	return beneath.StatAt(dir, name, &st) == nil && t.expired(&st)
}

// Part describes the kept part of this user for name.
func (v *sessionFS) Part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := v.part(name)
	return i, beneath.Fail("part", name, err)
}

func (v *sessionFS) part(name ferry.Name) (ferry.Info, error) {
	p, err := v.t.root.Locate(name, true)
	if err != nil {
		return ferry.Info{}, err
	}
	defer p.Close()
	if !v.keeps || v.direct || p.Base == "." {
		return ferry.Info{}, fs.ErrNotExist
	}
	key := partKey{p.ID, v.partName(p.Base)}
	fd, err := beneath.RetryEINTR(func() (int, error) {
		return unix.Openat(p.Dir, key.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return ferry.Info{}, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return ferry.Info{}, err
	}
	if !v.t.ours(&st, p) {
		return ferry.Info{}, fs.ErrNotExist
	}
	size, err := v.t.kept(fd, key, &st)
	if err != nil {
		return ferry.Info{}, err
	}
	i, err := beneath.InfoOf(fd, name)
	i.Size = size
	i.Mode = beneath.GoMode(unix.S_IFREG | v.t.root.NewMode(p.Dir, 0o666, v.t.umask))
	return i, err
}

// dropKept removes a part that nobody writes.
func (t *Tree) dropKept(key partKey, dir int) error {
	u, err := t.claim(context.Background(), key, false)
	if err != nil {
		return err
	}
	defer t.unclaim(u)
	if err := t.unlinkPart(dir, key.name); err != unix.ENOENT {
		return err
	}
	return nil
}

// ending is the part of a session's user for a place, that is to end together
// with something else that may fail: it ends afterwards.
type ending struct {
	t   *Tree
	at  *beneath.Place
	key partKey
	own *handle // the session's own unfinished file; nil: another's, or none
}

// ending finds the part for p, and answers ferry.ErrBusy where somebody writes
// it who may not be stopped. Users whose parts are not kept have none that is
// not their own; ending them does nothing.
func (v *sessionFS) ending(p *beneath.Place) (*ending, error) {
	e := &ending{t: v.t, at: p, own: v.unfinishedAt(p)}
	if e.own != nil || !v.keeps || p.Base == "." {
		return e, nil
	}
	e.key = partKey{p.ID, v.partName(p.Base)}
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	if u := v.t.live[e.key]; u != nil && (u.holder == nil || !u.holder.silent()) {
		return nil, ferry.ErrBusy
	}
	return e, nil
}

// end removes the part, and tells whether there was one. Who has begun to
// write it since ending was called loses it, or, still opening it, has come
// after us.
func (e *ending) end(ctx context.Context) (bool, error) {
	switch {
	case e.own != nil:
		return e.own.vanish()
	case e.key.name == "":
		return false, nil
	}
	u, err := e.t.claim(ctx, e.key, true)
	if err != nil {
		return false, nil
	}
	defer e.t.unclaim(u)
	expired := e.t.expiredAt(e.at.Dir, e.key.name)
	if err := e.t.unlinkPart(e.at.Dir, e.key.name); err != unix.ENOENT {
		return !expired, err
	}
	return false, nil
}
