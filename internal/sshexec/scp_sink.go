package sshexec

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"

	"ferry"
	"ferry/internal/sftpserver"
)

// maxDepth bounds directories within directories, of what is taken and given.
const maxDepth = 256

var (
	errNoRecursion = errors.New("not a regular file")
	errNotFinished = errors.New("the client did not send the whole file")
)

// place is where the sink is: a directory, and what to do when it ends.
type place struct {
	name ferry.Name
	attr ferry.Attr // set at the end, when nothing changes the times any more
	// narrow is the mode of a new directory that is open to its owner only until what
	// belongs in it is there; nil: it stays as it was made.
	narrow *fs.FileMode
}

// sink takes files ("scp -t target"). The target is the directory that they go
// into or, where that is none, the name of the one file or directory that
// comes.
func (s *scp) sink(target string) error {
	name, err := at(target)
	if err != nil {
		return s.fatal(target, err)
	}
	i, err := s.fs.Stat(s.ctx, name)
	into := err == nil && i.IsDir()
	if s.toDir && !into {
		if err == nil {
			err = ferry.ErrNotDir
		}
		return s.fatal(target, err)
	}
	if !into {
		s.noFile = sftpserver.FileFor(s.ctx, s.fs, target, name)
	}
	if err := s.ok(); err != nil {
		return err
	}
	return s.take(string(name), into)
}

// take reads records until the client has no more.
func (s *scp) take(target string, into bool) error {
	var within []place
	var times *record
	for {
		r, err := s.next()
		switch {
		case err == io.EOF && len(within) == 0:
			return nil
		case err == io.EOF:
			return errNotFinished
		case errors.Is(err, errRecord):
			return s.fatal("error", err)
		case err != nil:
			return err
		}
		name := target
		if len(within) > 0 {
			name = path.Join(string(within[len(within)-1].name), r.name)
		} else if into {
			name = path.Join(target, r.name)
		}
		switch r.kind {
		case 'T':
			times, err = &r, s.ok()
		case 'C':
			if len(within) == 0 && s.noFile != nil {
				err = s.warn(target+"/", s.noFile)
			} else {
				err = s.file(name, r, s.attr(r, times))
			}
			times = nil
		case 'D':
			var in place
			if in, err = s.enter(name, r, len(within)); in.name != "" {
				in.attr = s.attr(r, times)
				within = append(within, in)
			}
			times = nil
		case 'E':
			if len(within) == 0 {
				return s.fatal("error", errRecord)
			}
			err = s.depart(within[len(within)-1])
			within = within[:len(within)-1]
		}
		if err != nil {
			return err
		}
	}
}

// next gives the next record that says what to do. What the client could not
// read itself it says in between.
func (s *scp) next() (record, error) {
	for {
		line, err := readLine(s.in)
		if err != nil {
			return record{}, err
		}
		r, err := parseRecord(line)
		switch {
		case err != nil:
			return record{}, err
		case r.kind == 1:
			s.failed = true
		case r.kind == 2:
			return record{}, errPeerGaveUp
		default:
			return r, nil
		}
	}
}

// attr is what -p keeps: the mode, and the times where they were said.
func (s *scp) attr(r record, times *record) ferry.Attr {
	if !s.times {
		return ferry.Attr{}
	}
	a := ferry.Attr{Mode: &r.mode}
	if times != nil {
		a.ModTime, a.Access = &times.modified, &times.read
	}
	return a
}

// enter makes a directory, unless it is there; one without a name: that failed, and
// the client goes on behind it.
func (s *scp) enter(name string, r record, depth int) (place, error) {
	if !s.recursive {
		return place{}, s.fatal(name, errNoRecursion)
	}
	if depth >= maxDepth {
		return place{}, s.fatal(name, errLoop)
	}
	clean, err := ferry.Clean("/", name)
	if err != nil {
		return place{}, s.warn(name, err)
	}
	narrow, err := s.directory(clean, r)
	if err != nil {
		return place{}, s.warn(name, err)
	}
	return place{name: clean, narrow: narrow}, s.ok()
}

// directory makes a directory that its owner can write to, which most of those that
// come are not meant to be for ever: narrow is what it is to be in the end.
func (s *scp) directory(name ferry.Name, r record) (narrow *fs.FileMode, err error) {
	i, err := s.fs.Stat(s.ctx, name)
	switch {
	case err == nil && i.IsDir():
		return nil, nil
	case err == nil:
		return nil, ferry.ErrNotDir
	}
	const use = 0o700
	if err := s.fs.Mkdir(s.ctx, name, new(r.mode|use)); err != nil || r.mode&use == use {
		return nil, err
	}
	if i, err = s.fs.Stat(s.ctx, name); err != nil {
		return nil, err
	}
	return new(i.Mode.Perm() &^ (use &^ r.mode)), nil
}

// depart leaves a directory. Who may not set a mode has made one that is as it is.
func (s *scp) depart(p place) error {
	if p.narrow != nil {
		_ = s.fs.SetAttr(s.ctx, p.name, ferry.Attr{Mode: p.narrow})
	}
	if p.attr != (ferry.Attr{}) {
		if err := s.fs.SetAttr(s.ctx, p.name, p.attr); err != nil {
			return s.warn(string(p.name), err)
		}
	}
	return s.ok()
}

// file takes one file. It is published when every byte has come, and the
// client has said that they are right; or has ended its stream there, as those
// built on libssh2 do (curl, PHP): OpenSSH has the whole file then, too.
func (s *scp) file(name string, r record, a ferry.Attr) error {
	clean, err := ferry.Clean("/", name)
	var f ferry.Handle
	if err == nil {
		f, err = s.fs.Open(s.ctx, clean, ferry.OpenOptions{Mode: ferry.Replace, Perm: &r.mode, Wait: ferry.PartWait})
	}
	if err != nil {
		return s.warn(name, err)
	}
	if err := s.ok(); err != nil {
		_ = f.Abort(err)
		return err
	}
	defer context.AfterFunc(s.ctx, func() { _ = f.Abort(context.Cause(s.ctx)) })()
	refused, err := s.bytes(f, r.size)
	if err != nil {
		_ = f.Abort(err)
		return err
	}
	switch err := s.answer(); {
	case err == io.EOF:
	case errors.Is(err, errSkipped):
		// What came in the place of bytes that it could not read is no file.
		_ = f.Abort(errNotFinished)
		return s.ok()
	case err != nil:
		_ = f.Abort(errNotFinished)
		return err
	}
	if refused != nil {
		_ = f.Abort(refused)
		return s.warn(name, refused)
	}
	return s.publish(name, f, a)
}

func (s *scp) publish(name string, f ferry.Handle, a ferry.Attr) error {
	var kept error
	if a != (ferry.Attr{}) {
		kept = f.SetAttr(a)
	}
	if err := f.Commit(); err != nil {
		return s.warn(name, err)
	}
	if kept != nil {
		return s.warn(name, kept)
	}
	return s.ok()
}

// bytes writes the next n bytes of the stream to f. refused is why they could
// not be written; they are read all the same, for there is no way to tell the
// client to stop.
func (s *scp) bytes(f ferry.Handle, n int64) (refused, err error) {
	room := s.commands.room()
	defer s.commands.rooms.Put(room)
	for off := int64(0); off < n; {
		if s.ctx.Err() != nil {
			return nil, s.ctx.Err()
		}
		part := room[:min(int64(len(room)), n-off)]
		got, err := io.ReadFull(s.in, part)
		if refused == nil && got > 0 {
			_, refused = f.WriteAt(part[:got], off)
		}
		if err != nil {
			return refused, errNotFinished
		}
		off += int64(got)
	}
	return refused, nil
}
