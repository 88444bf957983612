package disk

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/dirsync"
	"ferry/internal/fdcopy"
	"ferry/internal/partfile"
	"ferry/internal/quota"
	"ferry/internal/runas"
)

// Config says which directory to serve, and how.
type Config struct {
	// Root is the host directory that is served.
	Root string
	// Keep is how long the part of a broken upload stays after its last
	// change; 0 means 24 hours.
	Keep time.Duration
	// Durable makes Commit (and Mkdir and Rename) return only when the change
	// would survive a power failure.
	Durable bool
	// Umask is taken from the permission of what is created (by default 0666
	// for a file and 0777 for a directory). As everywhere on Linux, it does not
	// count in a directory with a default ACL.
	Umask fs.FileMode
	// AsCaller: who is served may do on this host what the process may, for it is run
	// by that very user (ferry sftp-server). The kernel alone decides then: setuid and
	// setgid of files, devices, and file systems of the kernel are as it allows.
	AsCaller bool
	// Resolver says who resolves names: "openat2", "os.Root", or "" for the
	// first of the two that works here.
	Resolver string
	// Quota counts what the directory holds; nil: nobody has a quota.
	Quota *quota.Tree
	// Log hears why an upload was not staged, and what could not be cleaned
	// up; nil means nobody.
	Log *slog.Logger
}

// Tree is one served directory. Make it with Open, and sessions over it with
// For. All methods may be called from several goroutines at once.
type Tree struct {
	parts   partfile.Rules
	durable bool
	caller  bool // Config.AsCaller
	umask   uint32
	log     *slog.Logger
	root    *beneath.Root
	born    time.Time // the zero of openFile.moved
	syncs   dirsync.Syncs
	mover   fdcopy.Mover
	lister  beneath.Lister

	// mu guards the two tables, every upload's place, and each view's fields.
	mu       sync.Mutex
	opened   uint64                // handles so far: the last one's number
	live     map[partKey]*upload   // by part: being written, opened or ended
	reserved map[targetKey]*upload // by target: exclusive ones
}

// Open prepares the directory cfg.Root. Its errors are one sentence each, for
// the operator: the directory is missing, is none, may not be read, or the
// resolver that was asked for does not work here.
func Open(cfg Config) (*Tree, error) {
	open := beneath.Open
	if cfg.AsCaller {
		open = beneath.OpenAll
	}
	root, err := open(cfg.Root, cfg.Resolver)
	if err != nil {
		return nil, err
	}
	root = root.Counted(cfg.Quota.For(nil))
	t := &Tree{
		root:     root,
		parts:    partfile.Rules{UID: uint32(os.Geteuid()), Keep: cmp.Or(cfg.Keep, 24*time.Hour), Boot: beneath.BootTime(), Files: root},
		durable:  cfg.Durable,
		caller:   cfg.AsCaller,
		umask:    uint32(cfg.Umask.Perm()),
		log:      cfg.Log,
		born:     time.Now(),
		live:     make(map[partKey]*upload),
		reserved: make(map[targetKey]*upload),
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	return t, nil
}

// Resolver says who resolves names: "openat2" or "os.Root".
func (t *Tree) Resolver() string { return t.root.Resolver() }

// For gives the files as a session of u sees them, used as the server whatever
// u.Identity is: for who has no other. View is for everybody.
func (t *Tree) For(u ferry.User) ferry.FS { return t.as(nil, u, nil) }

// View is ferry.Storage's: what the session does to files is done as u.Identity, which
// the process must be able to be. Parts of broken uploads are kept for u.Name, unless u is
// anonymous or shared. Of the rest of u only DirectUploads is looked at: rules are the
// gate's.
func (t *Tree) View(_ context.Context, u ferry.User, limits func() ferry.Limits) (ferry.FS, error) {
	as, err := runas.New(u.Identity)
	if err != nil {
		return nil, err
	}
	return t.as(as, u, limits), nil
}

// as is the tree as a session of u sees it and as may use it; nil: as the server may.
func (t *Tree) as(as *runas.User, u ferry.User, limits func() ferry.Limits) *sessionFS {
	names := t.root.As(as).CountedFor(limits)
	parts := t.parts
	parts.Files = names
	if as != nil {
		parts.UID = uint32(as.UID())
	}
	return &sessionFS{names: names, session: &session{
		t:       t,
		parts:   parts,
		as:      as,
		lends:   t.caller || as != nil,
		owner:   partfile.Owner{User: u.Name, Keeps: !u.Anonymous && !u.Shared},
		direct:  u.DirectUploads,
		open:    make(map[opened]bool),
		uploads: make(partfile.Index[*staged]),
	}}
}

// Close gives back the root. Sessions are to be closed before.
func (t *Tree) Close() error { return t.root.Close() }

// sessionFS is the tree as one session sees it.
type sessionFS struct {
	*session
	names *beneath.Root // following links or not, and as whoever the session is
}

// Straight is the same session's tree without following links.
func (v *sessionFS) Straight() ferry.FS { return &sessionFS{v.session, v.names.Straight()} }

// session is what the views of one session share.
type session struct {
	t      *Tree
	parts  partfile.Rules // for what the user makes
	as     *runas.User    // who the session is on the host; nil: the server
	lends  bool           // files are the user's own, who may have others run them as himself
	owner  partfile.Owner
	direct bool // uploads are written in place

	// Guarded by t.mu:
	open    map[opened]bool
	uploads partfile.Index[*staged] // those of open that are unfinished
	closed  bool
}

// Close aborts what is still open.
func (v *sessionFS) Close() error {
	v.t.mu.Lock()
	v.closed = true
	handles := make([]opened, 0, len(v.open))
	for h := range v.open {
		handles = append(handles, h)
	}
	v.t.mu.Unlock()
	var errs []error
	for _, h := range handles {
		errs = append(errs, h.Abort(ferry.ErrClosed))
	}
	return errors.Join(errs...)
}
