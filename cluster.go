package ferry

import (
	"context"
	"iter"
)

// Cluster is what the nodes of one service share beyond the database. A server
// that stands alone has one too, in memory. All methods may be called from
// several goroutines at once.
type Cluster interface {
	// Hold takes one of max places at seat ("user/alice", "ip/192.0.2.7",
	// "all"), counted over all nodes; ErrBusy when they are taken. max <= 0
	// means no limit, but the place is counted. release gives it back and may
	// be called more than once.
	Hold(ctx context.Context, seat string, max int) (release func(), err error)
	// Lead runs run on one node at a time while ctx lasts; run's context ends
	// when this node no longer leads.
	// It returns nil when run has returned, and ctx's error when ctx ended
	// before this node led.
	Lead(ctx context.Context, job string, run func(context.Context)) error
	// Tell sends n to every node, this one too.
	Tell(ctx context.Context, n Notice) error
	// Heard yields the notices told from now on, until ctx ends. A receiver
	// that is too slow loses notices, and gets one of kind NoticeLost instead.
	Heard(ctx context.Context) iter.Seq[Notice]
}

// Notice is a short message between nodes.
type Notice struct {
	Kind    NoticeKind
	Subject string // a user's name or an address
}

// NoticeKind says what a Notice is about.
type NoticeKind uint8

const (
	NoticeUser NoticeKind = iota // the account Subject changed or went away
	NoticeKick                   // end the sessions of Subject
	NoticeLost                   // notices were lost: look at everything again
)
