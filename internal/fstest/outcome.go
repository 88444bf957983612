package fstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"ferry"
)

// class says which promise of the contract an error keeps: the first sentinel
// that it matches, or "?" and its text.
func class(err error) string {
	if err == nil {
		return "ok"
	}
	for _, sentinel := range []error{
		io.EOF, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported,
		ferry.ErrIsDir, ferry.ErrNotDir, ferry.ErrNotEmpty, ferry.ErrNotRegular, ferry.ErrBadName, ferry.ErrLoop,
		ferry.ErrCrossDevice, ferry.ErrNoSpace, ferry.ErrQuota, ferry.ErrTooLarge, ferry.ErrBusy, ferry.ErrBeyondEnd,
		ferry.ErrStalePart, ferry.ErrChanged,
		ferry.ErrTakenOver, ferry.ErrRemoved, ferry.ErrClosed, os.ErrDeadlineExceeded, context.Canceled,
	} {
		if errors.Is(err, sentinel) {
			return sentinel.Error()
		}
	}
	return "? " + err.Error()
}

// result is class, and says so where an error is none about a client's name:
// one of names, where they are given.
func result(err error, names ...ferry.Name) string {
	r := class(err)
	if err == nil || err == io.EOF {
		return r
	}
	var about *fs.PathError
	if !errors.As(err, &about) {
		return r + ", no PathError"
	}
	if len(names) > 0 && !slices.Contains(names, ferry.Name(about.Path)) {
		return r + ", about " + about.Path
	}
	return r
}

func counted(n int, err error) string { return fmt.Sprintf("%d %s", n, result(err)) }

func described(i ferry.Info, err error, names ...ferry.Name) string {
	if err != nil {
		return result(err, names...)
	}
	return fmt.Sprintf("%s %s %s %s unfinished=%t", i.Name, i.Mode.Type(), size(i), i.Target, i.Unfinished)
}

// size is only what all storages agree on: that of a directory is its own.
func size(i ferry.Info) string {
	if i.IsDir() {
		return "-"
	}
	return fmt.Sprint(i.Size)
}

// changed describes what a set, as it was found afterwards.
func changed(a ferry.Attr, i ferry.Info, err error) string {
	if err != nil {
		return "afterwards " + result(err)
	}
	r := "ok, size " + size(i)
	if a.Mode != nil {
		r += fmt.Sprintf(", mode %#o", i.Mode.Perm())
	}
	if a.ModTime != nil {
		r += fmt.Sprintf(", time %d", i.ModTime.Unix())
	}
	return r
}

func listing(f ferry.FS, dir ferry.Name, d ferry.Detail) string {
	var lines []string
	for i, err := range f.List(context.Background(), dir, d) {
		if err != nil {
			lines = append(lines, result(err, dir))
			break
		}
		line := i.Name + " " + i.Mode.Type().String()
		if d == ferry.Full {
			line = entry(i)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// entry describes a finished file, directory or link.
func entry(i ferry.Info) string {
	r := fmt.Sprintf("%s %s %s %s", i.Name, i.Mode, size(i), i.Target)
	if i.Mode.IsRegular() && i.Links > 0 {
		r += fmt.Sprintf("links %d", i.Links)
	}
	return r
}

func content(f ferry.FS, name ferry.Name) string {
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return result(err, name)
	}
	all, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<40))
	return fmt.Sprintf("%d bytes%s %s %s", len(all), digest(all), result(err), result(h.Abort(nil)))
}

// tree describes everything below dir.
func tree(f ferry.FS, dir ferry.Name) string {
	var lines []string
	for i, err := range f.List(context.Background(), dir, ferry.Full) {
		if err != nil {
			return string(dir) + ": " + result(err)
		}
		name, err := dir.Join(i.Name)
		if err != nil {
			return string(dir) + ": " + result(err)
		}
		line := "\n    " + string(name) + ": " + entry(i)
		switch {
		case i.IsDir():
			line += tree(f, name)
		case i.Mode.IsRegular():
			line += " " + content(f, name)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// parts describes every part that is kept for the session's user.
func parts(f ferry.FS) string {
	var lines []string
	for _, name := range names() {
		i, err := f.Part(context.Background(), name)
		lines = append(lines, string(name)+": "+described(i, err, name))
	}
	return strings.Join(lines, "; ")
}

func digest(p []byte) string { return fmt.Sprintf(" crc %08x", crc32.ChecksumIEEE(p)) }

// pattern is n bytes that differ by seed and by place.
func pattern(seed int, n int64) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(seed + i + i>>8)
	}
	return p
}

// receiveAll lets h receive from a peer that sends p and closes.
func receiveAll(h ferry.Handle, off, n int64, p []byte) string {
	src, peer := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = peer.Write(p) // ends early where the handle wants less
		_ = peer.Close()
	}()
	k, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(src), off, n)
	_ = src.Close()
	<-done
	return fmt.Sprintf("%d %s", k, result(err))
}

// sendAll lets h send to a peer that reads until the end.
func sendAll(h ferry.Handle, off, n int64) string {
	dst, peer := net.Pipe()
	arrived := make(chan []byte)
	go func() {
		var all bytes.Buffer
		_, _ = io.Copy(&all, peer) // a pipe ends with io.EOF and nothing else
		arrived <- all.Bytes()
	}()
	k, err := h.SendTo(context.Background(), ferry.NewDataConn(dst), off, n)
	_ = dst.Close()
	return fmt.Sprintf("%d %s%s", k, result(err), digest(<-arrived))
}

func modeName(m ferry.Mode) string {
	return [...]string{"read", "replace", "exclusive", "resume", "update", "resumenew", "revise"}[m]
}
