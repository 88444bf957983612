package sshexec

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"ferry"
)

var errLoop = errors.New("too many levels of directories")

// source gives files ("scp -f name...").
func (s *scp) source(words []word) error {
	if err := s.answer(); err != nil { // the client is ready
		return err
	}
	for _, w := range words {
		names, err := s.expand(w)
		if err != nil {
			err = s.warn(w.text, err)
		}
		for _, name := range names {
			if err == nil {
				err = s.giveName(name)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scp) giveName(name string) error {
	clean, err := at(name)
	if err != nil {
		return s.warn(name, err)
	}
	return s.give(clean, nil)
}

// give sends a file or, with -r, a directory; above are the directories that
// it is in. Links are followed, as scp always did.
func (s *scp) give(name ferry.Name, above []ferry.Info) error {
	i, err := s.fs.Stat(s.ctx, name)
	switch {
	case err != nil:
	case strings.ContainsAny(i.Name, "\r\n"):
		err = ferry.ErrBadName // would be read as another record
	case i.Mode.IsRegular():
		return s.giveFile(name, i)
	case !i.IsDir(), !s.recursive:
		err = errNoRecursion
	case len(above) >= maxDepth, isAbove(i, above):
		err = errLoop
	default:
		return s.giveDir(name, i, above)
	}
	return s.warn(string(name), err)
}

// isAbove tells whether a link has led back to a directory that is being sent.
func isAbove(i ferry.Info, above []ferry.Info) bool {
	for _, dir := range above {
		if i.ID != [2]uint64{} && i.ID == dir.ID {
			return true
		}
	}
	return false
}

func (s *scp) giveDir(name ferry.Name, i ferry.Info, above []ferry.Info) error {
	switch err := s.announce(record{kind: 'D', mode: i.Mode, name: baseOf(name)}, i); {
	case errors.Is(err, errSkipped):
		return nil
	case err != nil:
		return err
	}
	above = append(above, i)
	for entry, err := range s.fs.List(s.ctx, name, ferry.Names) {
		if err == nil {
			var below ferry.Name
			if below, err = name.Join(entry.Name); err == nil {
				err = s.give(below, above)
			}
		} else {
			err = s.warn(string(name), err)
		}
		if err != nil {
			return err
		}
	}
	return s.tell(record{kind: 'E'})
}

func (s *scp) giveFile(name ferry.Name, i ferry.Info) error {
	f, err := s.fs.Open(s.ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return s.warn(string(name), err)
	}
	switch err := s.announce(record{kind: 'C', mode: i.Mode, size: i.Size, name: baseOf(name)}, i); {
	case errors.Is(err, errSkipped):
		_ = f.Abort(err)
		return nil
	case err != nil:
		_ = f.Abort(err)
		return err
	}
	return s.send(f, i.Size)
}

// send sends the bytes that were announced. A file that became shorter
// meanwhile ends the dialogue: bytes in the place of those that are missing
// would be taken for it.
func (s *scp) send(f ferry.Handle, size int64) error {
	defer context.AfterFunc(s.ctx, func() { _ = f.Abort(context.Cause(s.ctx)) })()
	if err := s.commands.copyFrom(s.ctx, s.stdio, s.out, f, size); err != nil {
		_ = f.Abort(err)
		return err
	}
	err := s.ok()
	if err == nil {
		err = s.answer()
	}
	if err != nil {
		_ = f.Abort(err)
	} else {
		err = f.Commit()
	}
	if errors.Is(err, errSkipped) {
		return nil
	}
	return err
}

// announce sends the record of a file or directory, and before it that of its
// times where they are asked for.
func (s *scp) announce(r record, i ferry.Info) error {
	if s.times {
		t := record{kind: 'T', modified: i.ModTime, read: i.Access}
		if i.Access.IsZero() {
			t.read = i.ModTime
		}
		if err := s.tell(t); err != nil {
			return err
		}
	}
	r.mode &= fs.ModePerm
	return s.tell(r)
}

func (s *scp) tell(r record) error {
	if _, err := s.out.Write(r.append(nil)); err != nil {
		return err
	}
	return s.answer()
}

// baseOf is what a file is called at the client; the root has no name.
func baseOf(name ferry.Name) string {
	if name == "/" {
		return "."
	}
	return name.Base()
}
