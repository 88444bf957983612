package ftplist

import (
	"context"
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

// Printer prints the entries of a listing. It holds values of the session,
// for it runs in a job.
type Printer struct {
	Tree    ferry.FS
	Rules   []ferry.Rule
	Facts   ftpwire.Facts
	Zone    *time.Location
	Now     time.Time
	Charset *encoding.Encoder // nil: names go out as they are
	Recurse bool
	Dos     bool // LIST as on Windows servers

	Emit        func(line []byte) error
	line        []byte
	Left        int  // entries that may still be printed; < 0: no limit
	Full        bool // there were more
	Unprintable int  // entries with a line end in their name
	perms       permCache
}

// permCache remembers the perm fact of the last file and the last directory:
// it is the same for most entries of a directory.
type permCache struct {
	rights [2]ferry.Right
	perm   [2]string
	known  [2]bool
}

// Send prints l to a data connection, which may take nothing for as long as stall.
func (p *Printer) Send(ctx context.Context, to *ferry.DataConn, l Listing, bufs *sync.Pool, stall time.Duration) error {
	w := &listWriter{ctx: ctx, conn: to, stall: stall, buf: bufs.Get().(*[listBuf]byte)}
	defer bufs.Put(w.buf)
	defer to.InterruptAfter(ctx)()
	p.Emit = w.line
	if err := p.Print(ctx, l); err != nil {
		return err
	}
	return w.Flush()
}

// NewListBufs makes the pool that listWriters take their buffers from.
func NewListBufs() *sync.Pool {
	return &sync.Pool{New: func() any { return new([listBuf]byte) }}
}

// listWriter gathers lines into large writes, each with a deadline.
type listWriter struct {
	ctx   context.Context
	conn  *ferry.DataConn
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
	w.conn.WaitToWriteUntil(time.Now().Add(w.stall))
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	_, err := w.conn.Write(w.buf[:w.n])
	w.n = 0
	return err
}

func (p *Printer) Print(ctx context.Context, l Listing) error {
	if !l.Dir {
		i := l.Info
		return p.entry(l, "/", &i, l.itself)
	}
	return p.dir(ctx, l, 0)
}

// lastOf is the name of the one entry of l that is no directory's content.
func lastOf(l Listing) string { return string(l.Name[strings.LastIndexByte(string(l.Name), '/')+1:]) }

// dir prints the entries of the directory l.name, and with -R those below.
func (p *Printer) dir(ctx context.Context, l Listing, depth int) error {
	detail := ferry.Full
	if l.Style == Names && !l.Options.ByTime && !l.Options.Classify {
		detail = ferry.Names
	}
	var held []ferry.Info // the first entries, as long as they may be all
	var below []string
	sorting := true
	take := func(i *ferry.Info) error {
		if p.Recurse && i.IsDir() && depth < maxDepth {
			below = append(below, i.Name)
		}
		return p.entry(l, l.Name, i, l.Prefix+i.Name)
	}
	for i, err := range p.Tree.List(ctx, l.Name, detail) {
		if err != nil {
			return err
		}
		if p.Full {
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
func (p *Printer) subdirs(ctx context.Context, l Listing, below []string, depth int) error {
	for _, name := range below {
		if p.Full {
			return nil
		}
		sub := l
		sub.Prefix = l.Prefix + name + "/"
		var err error
		if sub.Name, err = l.Name.Join(name); err != nil || strings.ContainsAny(sub.Prefix, "\r\n") {
			continue
		}
		if l.Style != Names { // NLST has nothing but names
			head := "\r\n" + p.encode(strings.TrimSuffix(sub.Prefix, "/")) + ":\r\n"
			if err := p.Emit([]byte(head)); err != nil {
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
func (l *Listing) wants(name string) bool {
	if !l.Dots && strings.HasPrefix(name, ".") {
		return false
	}
	return l.Glob == nil || l.Glob.Match(name)
}

// order is that of ls: by name, or with -t the newest first; -r turns it.
func (l *Listing) order(a, b ferry.Info) int {
	by := strings.Compare(a.Name, b.Name)
	if l.Options.ByTime {
		if t := b.ModTime.Compare(a.ModTime); t != 0 {
			by = t
		}
	}
	if l.Options.Reverse {
		by = -by
	}
	return by
}

// entry prints one line. dir is the directory that the entry is in, shown the
// name that NLST gives it.
func (p *Printer) entry(l Listing, dir ferry.Name, i *ferry.Info, shown string) error {
	if p.Left == 0 {
		p.Full = true
		return nil
	}
	if p.Left > 0 {
		p.Left--
	}
	if l.Style != Names {
		shown = i.Name
		if !l.Dir {
			shown = lastOf(l)
			if shown == "" {
				shown = "/"
			}
		}
	}
	if strings.ContainsAny(shown, "\r\n") {
		p.Unprintable++ // no line of ours can say this name
		return nil
	}
	p.line = p.line[:0]
	e := Entry(i, p.encode(shown))
	switch l.Style {
	case Names:
		p.line = append(p.line, e.Name...)
	case Facts:
		p.addFacts(&e, dir, i)
		p.line = ftpwire.AppendFacts(p.line, p.Facts, &e)
	case Long:
		if p.Dos {
			p.line = ftpwire.AppendDOSLine(p.line, &e, p.Zone)
			break
		}
		e.Target = p.encode(e.Target)
		p.line = ftpwire.AppendListLine(p.line, &e, p.Now, p.Zone)
	}
	if l.Options.Classify && (l.Style == Names || e.Kind != ftpwire.KindLink) {
		p.line = ftpwire.AppendClass(p.line, &e)
	}
	p.line = append(p.line, '\r', '\n')
	return p.Emit(p.line)
}

// addFacts adds what only MLSD tells.
func (p *Printer) addFacts(e *ftpwire.Entry, dir ferry.Name, i *ferry.Info) {
	if p.Facts.Has(ftpwire.FactPerm) {
		e.Perm = p.perm(dir, i)
	}
	if p.Facts.Has(ftpwire.FactUnique) {
		e.Unique = UniqueFact(i.ID)
	}
	e.Target = p.encode(e.Target)
}

func (p *Printer) perm(dir ferry.Name, i *ferry.Info) string {
	rights := p.rightsAt(dir, i.Name)
	k := 0
	if i.IsDir() {
		k = 1
	}
	if !p.perms.known[k] || p.perms.rights[k] != rights {
		p.perms.rights[k], p.perms.perm[k], p.perms.known[k] = rights, PermFact(i.Mode, rights), true
	}
	return p.perms.perm[k]
}

// rightsAt are the rights at an entry: its directory's, unless a rule speaks
// of a name below that directory.
func (p *Printer) rightsAt(dir ferry.Name, name string) ferry.Right {
	for _, r := range p.Rules {
		if r.Prefix != dir && r.Prefix.Within(dir) {
			entry, err := dir.Join(name)
			if err != nil {
				return 0
			}
			return ferry.RightsAt(p.Rules, entry)
		}
	}
	return ferry.RightsAt(p.Rules, dir)
}

func (p *Printer) encode(s string) string {
	if p.Charset == nil {
		return s
	}
	out, err := p.Charset.String(s)
	if err != nil {
		return s
	}
	return strings.ReplaceAll(out, "\x1a", "?")
}
