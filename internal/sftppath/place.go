// Package sftppath finds out where names lead on an SFTP server, for a client. Version 3
// (draft-ietf-secsh-filexfer-02) has no request for that, follows links by itself, and
// has one code for a name that is missing, a file on the way, and links in a circle. So
// the client looks at each element (place.go), says after a refusal what stood in the
// way (diagnose.go), and looks first where no link is to be followed (straight.go).
package sftppath

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

// Paths knows the paths of one server.
type Paths struct {
	conn *sftpconn.Conn
	root []string // elements of the directory that is "/" to the client
}

// New knows the paths below root, a clean absolute path of the server's.
func New(conn *sftpconn.Conn, root string) *Paths {
	return &Paths{conn: conn, root: elements(root)}
}

// Place is where a name leads on the server, all links on the way followed: so
// two names of one place are the same, and a part lies beside what it will be.
type Place struct {
	Dir, Base string // a path of the server's; Base is "" where the way ends in "/", "." or ".."
	There     bool   // something stands there
	Mode      fs.FileMode
	Attrs     sftpwire.Attrs // of it; not known where Base is ""
}

// Path is the server's path of it.
func (at Place) Path() string { return path.Join(at.Dir, at.Base) }

// IsWithin tells whether the server's path is dir or lies below it.
func IsWithin(path, dir string) bool {
	return dir == "/" || path == dir || strings.HasPrefix(path, dir+"/")
}

// Remote is the server's path for a clean name.
func (p *Paths) Remote(name ferry.Name) string {
	return "/" + strings.Join(append(slices.Clone(p.root), elements(string(name))...), "/")
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

// Resolve finds the place that the clean name means. A link in the last element
// is followed if follow is set, even if it leads to nothing. It costs a round
// trip, and two more for each link.
func (p *Paths) Resolve(ctx context.Context, name ferry.Name, follow bool) (Place, error) {
	return p.resolveBy(ctx, name, follow, maxLinks)
}

// resolveBy is Resolve that follows so many links.
func (p *Paths) resolveBy(ctx context.Context, name ferry.Name, follow bool, most int) (Place, error) {
	done, rest := slices.Clone(p.root), elements(string(name))
	for links := 0; len(rest) > 0; {
		switch rest[0] {
		case ".":
			rest = rest[1:]
			continue
		case "..":
			done, rest = done[:max(0, len(done)-1)], rest[1:]
			continue
		}
		at, used, err := p.walk(ctx, done, rest, follow)
		if err != nil {
			return Place{}, err
		}
		isLink := at.There && at.Mode&fs.ModeSymlink != 0
		if used == len(rest) && (!isLink || !follow) {
			return at, nil
		}
		if !isLink {
			done, rest = slices.Concat(done, rest[:used]), rest[used:]
			continue
		}
		if links++; links > most {
			return Place{}, ferry.ErrLoop
		}
		target, err := p.conn.AskName(ctx, &sftpwire.Readlink{Name: at.Path()})
		if err != nil {
			return Place{}, err
		}
		done, rest = slices.Concat(done, rest[:used-1]), slices.Concat(elements(target), rest[used:])
		if strings.HasPrefix(target, "/") {
			done = nil
		}
	}
	return Place{Dir: "/" + strings.Join(done, "/"), There: true, Mode: fs.ModeDir}, nil
}

// walk looks at all that lies between done, a directory, and the end of rest,
// or the first "." or ".." in it. It stops at the first link that has to be
// followed, and gives where it stopped and how much of rest that took.
func (p *Paths) walk(ctx context.Context, done, rest []string, follow bool) (at Place, used int, err error) {
	n := slices.IndexFunc(rest, func(element string) bool { return element == "." || element == ".." })
	if n < 0 {
		n = len(rest)
	}
	looks, err := p.lookAll(ctx, done, rest[:n])
	if err != nil {
		return Place{}, 0, err
	}
	dir := "/" + strings.Join(done, "/")
	for i, l := range looks {
		at = Place{Dir: dir, Base: rest[i], There: true, Mode: sftpwire.FileMode(l.attrs.Mode), Attrs: l.attrs}
		last := i == len(rest)-1
		if l.err != nil {
			if at, err = unseen(at, l.err, last); err != nil {
				return Place{}, 0, err
			}
		}
		if at.Mode&fs.ModeSymlink != 0 && (!last || follow) {
			return at, i + 1, nil
		}
		if !last && !at.Mode.IsDir() {
			return Place{}, 0, ferry.ErrNotDir
		}
		dir = at.Path()
	}
	return at, n, nil
}

// unseen is for a place that could not be looked at: in the end nothing may
// stand there, and on the way there may be a directory that only lets through.
func unseen(at Place, err error, last bool) (Place, error) {
	switch {
	case last && errors.Is(err, fs.ErrNotExist):
		at.There, at.Mode = false, 0
	case !last && errors.Is(err, fs.ErrPermission):
		at.Mode = fs.ModeDir
	case errors.Is(err, fs.ErrInvalid) && len(at.Base) > maxElement:
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
func (p *Paths) lookAll(ctx context.Context, done, way []string) ([]look, error) {
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
		k, err := p.conn.Begin(ctx, &sftpwire.Lstat{Name: name})
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
