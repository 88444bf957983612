package sftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpflow"
	"ferry/internal/sftppath"
	"ferry/internal/sftpwire"
)

// Options say whose session it is, and how to treat the server. The zero value
// is good.
type Options struct {
	// User is whose session it is here: parts belong to User.Name, nothing is
	// kept for a Resume of one who is Anonymous or Shared, and uploads of one
	// with DirectUploads are written under their name from the first byte, for
	// servers whose account may not rename. The rest does not matter.
	User ferry.User
	// Root is the directory of the server that is "/" here; a relative one
	// begins where the server lets sessions begin. "" is the server's own "/".
	Root string
	// Outstanding is how many READs or WRITEs of one transfer are on the way at
	// once; 0 means 64. There are fewer where they are so large that they would
	// take more than 8 MiB together.
	Outstanding int
	// Umask is what the server takes away from the permissions of a new file,
	// as far as one knows; 0 means 0022. It is used where the permissions of a
	// resumed part have to be set.
	Umask fs.FileMode
	// Durable asks the server to fsync (fsync@openssh.com) at every Commit.
	Durable bool
	// KeepParts is how long after its last byte a part can be resumed, by the
	// clocks of both sides; 0 means a day.
	KeepParts time.Duration
}

const (
	defaultOutstanding = 64
	defaultUmask       = 0o022
	defaultKeep        = 24 * time.Hour
	// transferBytes is how much one transfer may have on the way.
	transferBytes = 8 << 20
	// defaultData is what every server takes in a WRITE and gives for a READ
	// (draft-02 §3).
	defaultData = 32 << 10
	// leastData is the least that is believed of limits@openssh.com.
	leastData = 1 << 10
	// closePatience is how long Close waits for a server to close what is open.
	closePatience = 10 * time.Second
)

// FS is a session on the server. It is a ferry.FS, with the differences that
// the package's documentation lists.
type FS struct {
	opts      Options
	conn      *sftpconn.Conn
	hello     sftpwire.Hello // what the server can do
	paths     *sftppath.Paths
	readSize  int // bytes that one READ asks for
	writeSize int // bytes that one WRITE brings
	life      context.Context
	endLife   context.CancelFunc

	mu      sync.Mutex
	handles map[*handle]bool // open ones
	opened  uint64           // how many there have been
	closed  bool
	untidy  []*sftpconn.Call // whose answers tidied waits for
}

var _ ferry.FS = (*FS)(nil)

// New begins a session over rw, which belongs to the FS from then on: Close
// closes it, and so does New where it fails. rw.Close must end a Read and a
// Write that wait. ctx is for the beginning only; when it ends first, its cause
// is the error. Other errors match ErrLost or ErrProtocol, or say which of opts
// the server cannot fulfil.
func New(ctx context.Context, rw io.ReadWriteCloser, opts Options) (*FS, error) {
	f := &FS{opts: withDefaults(opts), conn: sftpconn.New(rw), handles: make(map[*handle]bool)}
	f.life, f.endLife = context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, func() { f.conn.End(context.Cause(ctx)) })
	err := f.greet(ctx)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		f.endLife()
		f.conn.End(err)
		err = f.conn.Cause() // the first is the reason for the others
		f.conn.Close()
		return nil, fmt.Errorf("SFTP session could not begin: %w", err)
	}
	return f, nil
}

func withDefaults(opts Options) Options {
	if opts.Outstanding <= 0 {
		opts.Outstanding = defaultOutstanding
	}
	if opts.Umask == 0 {
		opts.Umask = defaultUmask
	}
	if opts.KeepParts == 0 {
		opts.KeepParts = defaultKeep
	}
	if opts.Root == "" {
		opts.Root = "/"
	}
	return opts
}

// greet says hello and learns what the server can do.
func (f *FS) greet(ctx context.Context) error {
	hello, err := f.conn.Hello()
	if err != nil {
		return err
	}
	f.hello = hello
	f.conn.Start()
	if f.opts.Durable && !f.hello.Has(new(sftpwire.Fsync)) {
		return errors.New("the server has no fsync@openssh.com, and durable uploads were asked for")
	}
	if err := f.learnLimits(ctx); err != nil {
		return err
	}
	return f.learnRoot(ctx)
}

// learnLimits asks how large READs and WRITEs may be (limits@openssh.com).
func (f *FS) learnLimits(ctx context.Context) error {
	f.readSize, f.writeSize = defaultData, defaultData
	if !f.hello.Has(new(sftpwire.Limits)) {
		return nil
	}
	var l sftpwire.LimitsReply
	err := f.conn.AskExtended(ctx, new(sftpwire.Limits), &l)
	if errors.As(err, new(*sftpconn.StatusError)) {
		return nil // it announces them and does not tell
	}
	if err != nil {
		return err
	}
	f.readSize, err = believed(l.Read)
	if err == nil {
		f.writeSize, err = believed(l.Write)
	}
	return err
}

// believed is how much to send at once where the server says limit.
func believed(limit uint64) (int, error) {
	switch {
	case limit == 0: // there is none
		return sftpwire.MaxData, nil
	case limit < leastData:
		return 0, fmt.Errorf("%w: it says that it takes %d bytes at once, which makes no sense", sftpconn.ErrProtocol, limit)
	}
	return int(min(limit, sftpwire.MaxData)), nil
}

// learnRoot finds Options.Root on the server.
func (f *FS) learnRoot(ctx context.Context) error {
	if f.opts.Root == "/" {
		f.paths = sftppath.New(f.conn, "/")
		return nil
	}
	root, err := f.conn.AskName(ctx, &sftpwire.Realpath{Name: f.opts.Root})
	if err == nil && (!strings.HasPrefix(root, "/") || path.Clean(root) != root) {
		err = fmt.Errorf("%w: it calls the directory %q, which is no absolute path", sftpconn.ErrProtocol, sftpconn.Printable(root))
	}
	var a sftpwire.Attrs
	if err == nil {
		a, err = f.conn.AskAttrs(ctx, &sftpwire.Stat{Name: root})
	}
	if err == nil && !sftpwire.FileMode(a.Mode).IsDir() {
		err = ferry.ErrNotDir
	}
	if err != nil {
		return fmt.Errorf("the directory %q on the server: %w", f.opts.Root, err)
	}
	f.paths = sftppath.New(f.conn, root)
	return nil
}

// sizes are those of a transfer with requests of so many bytes.
func (f *FS) sizes(chunk int) sftpflow.Sizes {
	return sftpflow.Sizes{Chunk: chunk, Window: max(1, min(f.opts.Outstanding, transferBytes/chunk))}
}

// keeps tells whether broken uploads stay for a later Resume.
func (f *FS) keeps() bool { return !f.opts.User.Anonymous && !f.opts.User.Shared }

// Close aborts what is open and closes the stream. A server that does not
// answer is waited for no longer than ten seconds.
func (f *FS) Close() error {
	for _, h := range f.shut() {
		_ = h.Abort(ferry.ErrClosed)
	}
	_ = f.tidied(f.life) // a session that is lost has nothing to tidy
	f.conn.Close()
	f.endLife()
	return nil
}

// shut lets nothing be opened any more and gives what is open. It ends the
// session in a while, whatever becomes of that.
func (f *FS) shut() []*handle {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		late := time.AfterFunc(closePatience, func() { f.conn.End(ferry.ErrClosed) })
		context.AfterFunc(f.life, func() { late.Stop() })
	}
	open := make([]*handle, 0, len(f.handles))
	for h := range f.handles {
		open = append(open, h)
	}
	return open
}

// isClosed tells whether Close was called.
func (f *FS) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}
