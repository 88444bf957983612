package partfile

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// ErrForeign: what has a part's name is not something that we have made.
var ErrForeign = errors.New("not a part of ours")

// Rules say which parts are ours, how long they stay, and what counts of them.
type Rules struct {
	UID  uint32        // whose files our parts are
	Keep time.Duration // how long a part stays after its last change
	Boot time.Time     // when the machine was started
	// Files are what the parts lie among, as whoever they belong to may use them.
	Files *beneath.Root
}

// take opens the part and locks it against other processes. The errors are
// those of the system (ENOENT: there is none), ferry.ErrBusy, and ErrForeign.
//
// Somebody with an account on the machine could have put a link there, to have
// us write through it, or a file of his own: over says whose file the part may
// turn out to be besides ours, namely that of the file it replaces (a crash
// between giving it the owner and the rename leaves it so).
func (r Rules) take(dir int, name string, over *beneath.Place) (int, *unix.Stat_t, error) {
	for {
		fd, err := r.openAt(dir, name, unix.O_RDWR)
		switch err {
		case nil:
		case unix.ELOOP, unix.EISDIR, unix.ENXIO, unix.EACCES:
			return -1, nil, ErrForeign
		default:
			return -1, nil, err
		}
		st, err := r.lock(fd, dir, name)
		if err == nil && !r.ours(st, over) {
			err = ErrForeign
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

func (r Rules) openAt(dir int, name string, flags int) (int, error) {
	return r.Files.OpenAt(dir, name, flags|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
}

// Look opens the part to look at it, and locks nothing. unix.ENOENT: there is
// none of ours.
func (r Rules) Look(dir int, name string, over *beneath.Place) (int, *unix.Stat_t, error) {
	fd, err := r.openAt(dir, name, unix.O_RDONLY)
	switch err {
	case nil:
	case unix.ELOOP, unix.EISDIR, unix.ENXIO, unix.EACCES:
		return -1, nil, unix.ENOENT
	default:
		return -1, nil, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && !r.ours(&st, over) {
		err = unix.ENOENT
	}
	if err != nil {
		unix.Close(fd)
		return -1, nil, err
	}
	return fd, &st, nil
}

// ours tells whether an open part can be trusted to be one.
func (r Rules) ours(st *unix.Stat_t, over *beneath.Place) bool {
	return beneath.IsRegular(st) && st.Nlink == 1 &&
		(st.Uid == r.UID || over != nil && over.Exists && st.Uid == over.St.Uid)
}

// lock locks an open part and makes sure that it still is the one of that
// name; EAGAIN says that it is not.
func (r Rules) lock(fd, dir int, name string) (*unix.Stat_t, error) {
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
	err = r.Files.StatAt(dir, name, &now)
	if err == unix.ENOENT || err == nil && !beneath.Same(&st, &now) {
		return nil, unix.EAGAIN
	}
	return &st, err
}

// Resume opens a kept part to go on with it, and says how much of it counts;
// unix.ENOENT: there is none.
func (r Rules) Resume(dir int, name string, over *beneath.Place) (fd int, size int64, err error) {
	fd, st, err := r.take(dir, name, over)
	if err != nil {
		return -1, 0, err
	}
	if r.Expired(st) {
		err = r.Files.Unlink(dir, name)
		if err == nil {
			err = unix.ENOENT
		}
	} else {
		size, err = r.ready(fd, st)
	}
	if err != nil {
		unix.Close(fd)
		return -1, 0, err
	}
	return fd, size, nil
}

// Fresh makes a part, empty, which is to be new or replaces a file. One that is there ends.
func (r Rules) Fresh(dir int, name string, replaces bool) (int, error) {
	for {
		fd, err := r.Files.MakePart(dir, name, Mode, replaces)
		if err == nil {
			if _, err = r.lock(fd, dir, name); err == nil {
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
		if err := r.Unlink(dir, name); err != nil && err != unix.ENOENT {
			return -1, err
		}
	}
}

// Unlink removes a part that no other process holds.
func (r Rules) Unlink(dir int, name string) error {
	fd, _, err := r.take(dir, name, nil)
	switch err {
	case nil:
		defer unix.Close(fd) // and with it the lock
	case ErrForeign:
	default:
		return err
	}
	return r.Files.Unlink(dir, name)
}

// Expired tells by the time of the last change, which no client can set.
func (r Rules) Expired(st *unix.Stat_t) bool {
	return time.Since(time.Unix(st.Ctim.Unix())) > r.Keep
}

// ExpiredAt is Expired for a part that is not open.
func (r Rules) ExpiredAt(dir int, name string) bool {
	var st unix.Stat_t
	return r.Files.StatAt(dir, name, &st) == nil && r.Expired(&st)
}
