package ferry

import "context"

// Storage holds the files of one home: a directory of the disk, a bucket, memory.
// All sessions of the users who live there share it. All methods may be called from
// several goroutines at once.
type Storage interface {
	// View is the files as one session of u sees them. ctx bounds the opening, not
	// the life of the view; the session closes it. Nothing but what FS promises of
	// a user is looked at: rights are decided above. Limits gives those of u at any
	// moment, for quotas; nil: there are none.
	View(ctx context.Context, u User, limits func() Limits) (FS, error)
	// Sweep ends the parts of all users that have expired.
	Sweep(ctx context.Context) error
	// Close gives back what the storage holds. Views are to be closed before.
	Close() error
}
