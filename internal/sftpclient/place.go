package sftpclient

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

const (
	maxLinks   = 40  // links followed for one name, as in Linux
	maxElement = 255 // bytes of one element, on all file systems in use
)

// place is where a name leads on the server, all links on the way followed: so
// two names of one place are the same, and a part lies beside what it will be.
type place struct {
	dir, base string // a path of the server's; base is "" where the way ends in "/", "." or ".."
	there     bool   // something stands there
	mode      fs.FileMode
	attrs     sftpwire.Attrs // of it; not known where base is ""
}

func (at place) path() string { return path.Join(at.dir, at.base) }

// isWithin tells whether the server's path p is dir or lies below it.
func isWithin(p, dir string) bool {
	return dir == "/" || p == dir || strings.HasPrefix(p, dir+"/")
}

// check refuses names of our own parts on the server: a client has no business there.
func check(name ferry.Name) error {
	for element := range strings.SplitSeq(string(name), "/") {
		if isPart(element) {
			return ferry.ErrBadName
		}
	}
	return nil
}

// remote is the server's path for a clean name.
func (f *FS) remote(name ferry.Name) string {
	return "/" + strings.Join(append(slices.Clone(f.root), elements(string(name))...), "/")
}

// elements cuts a path. A slash at the end asks for a directory, which "." as
// the last element does as well.
func elements(path string) []string {
	list := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(list) > 0 && strings.HasSuffix(path, "/") {
		list = append(list, ".")
	}
	return list
}

// resolve finds the place that the clean name means. A link in the last element
// is followed if follow is set, even if it leads to nothing. It costs a round
// trip, and two more for each link.
func (f *FS) resolve(ctx context.Context, name ferry.Name, follow bool) (place, error) {
	return f.resolveBy(ctx, name, follow, maxLinks)
}

// resolveBy is resolve that follows so many links.
func (f *FS) resolveBy(ctx context.Context, name ferry.Name, follow bool, most int) (place, error) {
	done, rest := slices.Clone(f.root), elements(string(name))
	for links := 0; len(rest) > 0; {
		switch rest[0] {
		case ".":
			rest = rest[1:]
			continue
		case "..":
			done, rest = done[:max(0, len(done)-1)], rest[1:]
			continue
		}
		at, used, err := f.walk(ctx, done, rest, follow)
		if err != nil {
			return place{}, err
		}
		isLink := at.there && at.mode&fs.ModeSymlink != 0
		if used == len(rest) && (!isLink || !follow) {
			return at, nil
		}
		if !isLink {
			done, rest = slices.Concat(done, rest[:used]), rest[used:]
			continue
		}
		if links++; links > most {
			return place{}, ferry.ErrLoop
		}
		target, err := f.conn.AskName(ctx, &sftpwire.Readlink{Name: at.path()})
		if err != nil {
			return place{}, err
		}
		done, rest = slices.Concat(done, rest[:used-1]), slices.Concat(elements(target), rest[used:])
		if strings.HasPrefix(target, "/") {
			done = nil
		}
	}
	return place{dir: "/" + strings.Join(done, "/"), there: true, mode: fs.ModeDir}, nil
}

// walk looks at all that lies between done, a directory, and the end of rest,
// or the first "." or ".." in it. It stops at the first link that has to be
// followed, and gives where it stopped and how much of rest that took.
func (f *FS) walk(ctx context.Context, done, rest []string, follow bool) (at place, used int, err error) {
	n := slices.IndexFunc(rest, func(element string) bool { return element == "." || element == ".." })
	if n < 0 {
		n = len(rest)
	}
	looks, err := f.lookAll(ctx, done, rest[:n])
	if err != nil {
		return place{}, 0, err
	}
	dir := "/" + strings.Join(done, "/")
	for i, l := range looks {
		at = place{dir: dir, base: rest[i], there: true, mode: sftpwire.FileMode(l.attrs.Mode), attrs: l.attrs}
		last := i == len(rest)-1
		if l.err != nil {
			if at, err = unseen(at, l.err, last); err != nil {
				return place{}, 0, err
			}
		}
		if at.mode&fs.ModeSymlink != 0 && (!last || follow) {
			return at, i + 1, nil
		}
		if !last && !at.mode.IsDir() {
			return place{}, 0, ferry.ErrNotDir
		}
		dir = at.path()
	}
	return at, n, nil
}

// unseen is for a place that could not be looked at: in the end nothing may
// stand there, and on the way there may be a directory that only lets through.
func unseen(at place, err error, last bool) (place, error) {
	switch {
	case last && errors.Is(err, fs.ErrNotExist):
		at.there, at.mode = false, 0
	case !last && errors.Is(err, fs.ErrPermission):
		at.mode = fs.ModeDir
	case errors.Is(err, fs.ErrInvalid) && len(at.base) > maxElement:
		return at, sftpconn.Meaning(err, ferry.ErrBadName)
	default:
		return at, err
	}
	return at, nil
}

// look is what LSTAT said.
type look struct {
	attrs sftpwire.Attrs
	err   error
}

// lookAll looks at every element of way, one below the other, at once.
func (f *FS) lookAll(ctx context.Context, done, way []string) ([]look, error) {
	looks := make([]look, len(way))
	calls := make([]*sftpconn.Call, 0, len(way))
	defer func() {
		for _, k := range calls {
			k.Leave()
		}
	}()
	name := "/" + strings.Join(done, "/")
	for _, element := range way {
		name = path.Join(name, element)
		k, err := f.conn.Begin(ctx, &sftpwire.Lstat{Name: name})
		if err != nil {
			return nil, err
		}
		calls = append(calls, k)
	}
	for i := range looks {
		k := calls[0]
		calls = calls[1:]
		answer, err := k.Wait(ctx)
		if refused := (*sftpconn.StatusError)(nil); err != nil && !errors.As(err, &refused) {
			return nil, err
		}
		if looks[i].err = err; err == nil {
			looks[i].attrs = answer.Reply.(*sftpwire.AttrsReply).Attrs
		}
	}
	return looks, nil
}
