package ftpserver

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/encoding"

	"ferry"
	"ferry/internal/ftpwire"
)

const (
	// sortLimit is up to how many entries a directory is sorted. A larger one
	// streams in the storage's order: it costs no memory and starts at once.
	sortLimit = 1000
	listBuf   = 32 << 10
	maxDepth  = 64 // of LIST -R
)

// printer prints the entries of a listing. It holds values of the session,
// for it runs in a job.
type printer struct {
	tree    ferry.FS
	rules   []ferry.Rule
	facts   ftpwire.Facts
	zone    *time.Location
	now     time.Time
	charset *encoding.Encoder // nil: names go out as they are
	recurse bool
	dos     bool // LIST as on Windows servers

	emit        func(line []byte) error
	line        []byte
	left        int  // entries that may still be printed; < 0: no limit
	full        bool // there were more
	unprintable int  // entries with a line end in their name
	perms       permCache
}

// permCache remembers the perm fact of the last file and the last directory:
// it is the same for most entries of a directory.
type permCache struct {
	rights [2]ferry.Right
	perm   [2]string
	known  [2]bool
}

func (c *conn) newPrinter(l listing) *printer {
	p := &printer{
		tree: c.fs(), rules: c.sess.User().Rules, facts: c.facts, zone: c.srv.cfg.Zone, now: time.Now(), left: -1,
	}
	if c.charset != nil {
		p.charset = encoding.ReplaceUnsupported(c.charset.NewEncoder())
	}
	if l.style == styleLong && c.legacy().DOSList {
		p.dos = true
		c.noteLegacy("LIST as on Windows")
	}
	if l.options.Recursive && c.srv.cfg.Recursive && l.dir {
		p.recurse, p.left = true, c.srv.cfg.ListLimit
	}
	return p
}

// send prints l to a data connection, which may take nothing for as long as stall.
func (p *printer) send(ctx context.Context, nc net.Conn, l listing, bufs *sync.Pool, stall time.Duration) error {
	w := &listWriter{ctx: ctx, conn: nc, stall: stall, buf: bufs.Get().(*[listBuf]byte)}
	defer bufs.Put(w.buf)
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	p.emit = w.line
	if err := p.print(ctx, l); err != nil {
		return err
	}
	return w.Flush()
}

// newListBufs makes the pool that listWriters take their buffers from.
func newListBufs() *sync.Pool {
	return &sync.Pool{New: func() any { return new([listBuf]byte) }}
}

// listWriter gathers lines into large writes, each with a deadline.
type listWriter struct {
	ctx   context.Context
	conn  net.Conn
	stall time.Duration
	buf   *[listBuf]byte
	n     int
}

func (w *listWriter) line(line []byte) error {
	for len(line) > 0 {
		n := copy(w.buf[w.n:], line)
		w.n, line = w.n+n, line[n:]
		if w.n == listBuf {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *listWriter) Flush() error {
	_ = w.conn.SetWriteDeadline(time.Now().Add(w.stall))
	// Whoever cancels does so before it sets its deadline, so looking after
	// ours is set loses nothing.
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	_, err := w.conn.Write(w.buf[:w.n])
	w.n = 0
	if cause := context.Cause(w.ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

func (p *printer) print(ctx context.Context, l listing) error {
	if !l.dir {
		i := l.info
		return p.entry(l, "/", &i, l.itself)
	}
	return p.dir(ctx, l, 0)
}

// lastOf is the name of the one entry of l that is no directory's content.
func lastOf(l listing) string { return string(l.name[strings.LastIndexByte(string(l.name), '/')+1:]) }

// dir prints the entries of the directory l.name, and with -R those below.
func (p *printer) dir(ctx context.Context, l listing, depth int) error {
	detail := ferry.Full
	if l.style == styleNames && !l.options.ByTime && !l.options.Classify {
		detail = ferry.Names
	}
	var held []ferry.Info // the first entries, as long as they may be all
	var below []string
	sorting := true
	take := func(i *ferry.Info) error {
		if p.recurse && i.IsDir() && depth < maxDepth {
			below = append(below, i.Name)
		}
		return p.entry(l, l.name, i, l.prefix+i.Name)
	}
	for i, err := range p.tree.List(ctx, l.name, detail) {
		if err != nil {
			return err
		}
		if p.full {
			break
		}
		if !l.wants(i.Name) {
			continue
		}
		if sorting {
			if held = append(held, i); len(held) <= sortLimit {
				continue
			}
			sorting = false
			for k := range held {
				if err := take(&held[k]); err != nil {
					return err
				}
			}
			held = nil
			continue
		}
		if err := take(&i); err != nil {
			return err
		}
	}
	slices.SortFunc(held, l.order)
	for k := range held {
		if err := take(&held[k]); err != nil {
			return err
		}
	}
	return p.subdirs(ctx, l, below, depth)
}

// subdirs goes on below l.name as ls -R does.
func (p *printer) subdirs(ctx context.Context, l listing, below []string, depth int) error {
	for _, name := range below {
		if p.full {
			return nil
		}
		sub := l
		sub.prefix = l.prefix + name + "/"
		var err error
		if sub.name, err = l.name.Join(name); err != nil || strings.ContainsAny(sub.prefix, "\r\n") {
			continue
		}
		if l.style != styleNames { // NLST has nothing but names
			head := "\r\n" + p.encode(strings.TrimSuffix(sub.prefix, "/")) + ":\r\n"
			if err := p.emit([]byte(head)); err != nil {
				return err
			}
		}
		if err := p.dir(ctx, sub, depth+1); err != nil {
			if ctx.Err() != nil {
				return err
			}
			// What may not be read is empty, as ls goes on past it.
		}
	}
	return nil
}

// wants tells whether the listing shows an entry.
func (l *listing) wants(name string) bool {
	if !l.dots && strings.HasPrefix(name, ".") {
		return false
	}
	return l.glob == nil || l.glob.Match(name)
}

// order is that of ls: by name, or with -t the newest first; -r turns it.
func (l *listing) order(a, b ferry.Info) int {
	by := strings.Compare(a.Name, b.Name)
	if l.options.ByTime {
		if t := b.ModTime.Compare(a.ModTime); t != 0 {
			by = t
		}
	}
	if l.options.Reverse {
		by = -by
	}
	return by
}

// entry prints one line. dir is the directory that the entry is in, shown the
// name that NLST gives it.
func (p *printer) entry(l listing, dir ferry.Name, i *ferry.Info, shown string) error {
	if p.left == 0 {
		p.full = true
		return nil
	}
	if p.left > 0 {
		p.left--
	}
	if l.style != styleNames {
		shown = i.Name
		if !l.dir {
			shown = lastOf(l)
			if shown == "" {
				shown = "/"
			}
		}
	}
	if strings.ContainsAny(shown, "\r\n") {
		p.unprintable++ // no line of ours can say this name
		return nil
	}
	p.line = p.line[:0]
	e := entry(i, p.encode(shown))
	switch l.style {
	case styleNames:
		p.line = append(p.line, e.Name...)
	case styleFacts:
		p.addFacts(&e, dir, i)
		p.line = ftpwire.AppendFacts(p.line, p.facts, &e)
	case styleLong:
		if p.dos {
			p.line = ftpwire.AppendDOSLine(p.line, &e, p.zone)
			break
		}
		e.Target = p.encode(e.Target)
		p.line = ftpwire.AppendListLine(p.line, &e, p.now, p.zone)
	}
	if l.options.Classify && (l.style == styleNames || e.Kind != ftpwire.KindLink) {
		p.line = ftpwire.AppendClass(p.line, &e)
	}
	p.line = append(p.line, '\r', '\n')
	return p.emit(p.line)
}

// addFacts adds what only MLSD tells.
func (p *printer) addFacts(e *ftpwire.Entry, dir ferry.Name, i *ferry.Info) {
	if p.facts.Has(ftpwire.FactPerm) {
		e.Perm = p.perm(dir, i)
	}
	if p.facts.Has(ftpwire.FactUnique) {
		e.Unique = uniqueFact(i.ID)
	}
	e.Target = p.encode(e.Target)
}

func (p *printer) perm(dir ferry.Name, i *ferry.Info) string {
	rights := p.rightsAt(dir, i.Name)
	k := 0
	if i.IsDir() {
		k = 1
	}
	if !p.perms.known[k] || p.perms.rights[k] != rights {
		p.perms.rights[k], p.perms.perm[k], p.perms.known[k] = rights, permFact(i.Mode, rights), true
	}
	return p.perms.perm[k]
}

// rightsAt are the rights at an entry: its directory's, unless a rule speaks
// of a name below that directory.
func (p *printer) rightsAt(dir ferry.Name, name string) ferry.Right {
	for _, r := range p.rules {
		if r.Prefix != dir && r.Prefix.Within(dir) {
			entry, err := dir.Join(name)
			if err != nil {
				return 0
			}
			return ferry.RightsAt(p.rules, entry)
		}
	}
	return ferry.RightsAt(p.rules, dir)
}

func (p *printer) encode(s string) string {
	if p.charset == nil {
		return s
	}
	out, err := p.charset.String(s)
	if err != nil {
		return s
	}
	return strings.ReplaceAll(out, "\x1a", "?")
}
