package ferry

import "context"

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
}
