package fstest

import (
	"context"
	"iter"
	"slices"

	"ferry"
)

// Lack is something that a storage cannot have, and why. For a promise that
// depends on it the suite has another, which says what the storage does
// instead; nothing goes untested.
type Lack uint8

const (
	// LinkCounts: how many names a file has. SFTP version 3 does not say, so new
	// content for one of several names parts it from the others.
	LinkCounts Lack = iota + 1
	// OtherSessions: what other sessions do. A client of a remote server sees
	// only its own, so a name is reserved within one session, a directory that
	// another one renames is lost to an upload, and a session whose upload was
	// taken over notices with its next byte.
	OtherSessions
	// Identities: which file it is that stands under a name. SFTP version 3 does not
	// say, so a file is known by its size and time, and to remove it only if it is
	// unchanged is a look and then a removal.
	Identities
	// ServersFiles: files that belong to the server. They belong to their user, who may
	// have others run them as himself.
	ServersFiles
	// OwnRoot, of Random only: a place apart. The storage is another program's,
	// which knows a root above the tree's and time outside the bubble, so links
	// do not climb and nothing waits.
	OwnRoot
)

// instead is what holds for a storage with the lack.
type instead struct {
	of   Lack
	test func(e *env)
}

// of is the promise as a storage with the lacks keeps it.
func (p promise) of(lacks []Lack) promise {
	if p.instead.test != nil && slices.Contains(lacks, p.instead.of) {
		p.text += ", or what takes its place"
		p.test = p.instead.test
	}
	return p
}

// uncounted is a session that does not say how many names a file has.
type uncounted struct{ ferry.FS }

func (u uncounted) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		for i, err := range u.FS.List(ctx, dir, d) {
			i.Links = 0
			if !yield(i, err) {
				return
			}
		}
	}
}
