package quota

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"ferry"
)

// Rows is where a book is kept.
type Rows interface {
	Usages(ctx context.Context) ([]ferry.HomeUsage, error)
	RecountsAsked(ctx context.Context) ([]ferry.HomeUsage, error)
	SaveUsages(ctx context.Context, counted bool, all ...ferry.HomeUsage) error
}

// Count counts what the directory home holds, but for the bytes of files that skip names.
// What it could not look at is left out, and in the error.
type Count func(ctx context.Context, home string, skip func(ID) bool) (ferry.Usage, error)

// Book has the trees of all homes, and keeps what they hold. It belongs to one process.
type Book struct {
	rows  Rows // nil: it is kept nowhere
	count Count
	log   *slog.Logger

	mu    sync.Mutex
	trees map[string]*Tree // by home
}

// New makes an empty book.
func New(count Count, log *slog.Logger) *Book {
	return &Book{count: count, log: log, trees: make(map[string]*Tree)}
}

// Load has the book kept in rows, and reads what they say. Nobody uses the trees yet.
func (b *Book) Load(ctx context.Context, rows Rows) error {
	b.rows = rows
	kept, err := rows.Usages(ctx)
	for _, u := range kept {
		t := b.Tree(u.Home)
		t.used, t.known = u.Usage, u.Exact
		t.counts.Store(true)
	}
	return err
}

// Key is a home as books know it: its path without links.
func Key(home string) string {
	if real, err := filepath.EvalSymlinks(home); err == nil {
		return real
	}
	return filepath.Clean(home)
}

// Tree is that of a home.
func (b *Book) Tree(home string) *Tree {
	if b == nil {
		return nil
	}
	home = Key(home)
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.trees[home]
	if t == nil {
		t = &Tree{book: b, home: home, open: make(map[ID]*node), settled: make(chan struct{})}
		b.trees[home] = t
	}
	return t
}

// opening keeps that t is about to change.
func (b *Book) opening(t *Tree) {
	t.mu.Lock()
	row := ferry.HomeUsage{Home: t.home, Usage: t.used}
	t.mu.Unlock()
	b.save(context.Background(), false, row)
}

// save keeps rows. Those that cannot be kept now are to be kept again: what the database
// says may be out of date, and says so only by the next row.
func (b *Book) save(ctx context.Context, counted bool, rows ...ferry.HomeUsage) {
	if len(rows) == 0 || b.rows == nil {
		return
	}
	err := b.rows.SaveUsages(ctx, counted, rows...)
	if err == nil {
		return
	}
	for _, row := range rows {
		b.Tree(row.Home).keepAgain()
	}
	if ctx.Err() == nil {
		b.log.Warn("what homes hold could not be kept; after a crash their quotas may be wrong until they are counted", "error", err)
	}
}

const (
	keepEvery = time.Second
	quiet     = time.Minute // without a change, until the numbers are kept as exact
)

// Run keeps what changes, and counts what somebody asks for, until ctx ends. First it
// counts what a crash has left open.
func (b *Book) Run(ctx context.Context) {
	for _, t := range b.all() {
		if ctx.Err() == nil && t.stale() {
			b.recount(ctx, t)
		}
	}
	every := time.NewTicker(keepEvery)
	defer every.Stop()
	for ctx.Err() == nil {
		b.keep(ctx)
		select {
		case <-every.C:
		case <-ctx.Done():
		}
	}
}

// keep keeps what has changed, and answers who has asked for a recount.
func (b *Book) keep(ctx context.Context) {
	var rows []ferry.HomeUsage
	for _, t := range b.all() {
		if row, ok := t.toKeep(); ok {
			rows = append(rows, row)
		}
		t.rest(ctx, quiet)
	}
	b.save(ctx, false, rows...)
	asked, err := b.rows.RecountsAsked(ctx)
	if err != nil {
		return // what is kept will fail, too, and say so
	}
	for _, u := range asked {
		row := b.recount(ctx, b.Tree(u.Home))
		if ctx.Err() == nil {
			b.log.Info("a home was counted", "root", u.Home, "bytes", row.Bytes, "files", row.Files)
		}
	}
}

// recount counts t and keeps the result, unless ctx ends before.
func (b *Book) recount(ctx context.Context, t *Tree) ferry.HomeUsage {
	row := t.Recount(ctx)
	if ctx.Err() == nil {
		b.save(ctx, true, row)
	}
	return row
}

// Close keeps everything. Sessions are to be closed before.
func (b *Book) Close() {
	for _, t := range b.all() {
		t.rest(context.Background(), 0)
	}
}

func (b *Book) all() []*Tree {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*Tree, 0, len(b.trees))
	for _, t := range b.trees {
		all = append(all, t)
	}
	return all
}

// stale tells whether the tree is to be counted, and was not yet.
func (t *Tree) stale() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts.Load() && !t.known
}

// toKeep is what is to be kept, where anything has changed.
func (t *Tree) toKeep() (ferry.HomeUsage, bool) {
	if t.mu.Lock(); !t.changed {
		t.mu.Unlock()
		return ferry.HomeUsage{}, false
	}
	t.mu.Unlock()
	return t.row(), true
}

// keepAgain has the numbers kept though nothing has changed.
func (t *Tree) keepAgain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = true
}

// rest keeps the numbers as exact where nobody has changed them for so long.
func (t *Tree) rest(ctx context.Context, quiet time.Duration) {
	if !t.on.Load() {
		return
	}
	t.names.Lock()
	defer t.names.Unlock()
	t.mu.Lock()
	rests := t.on.Load() && len(t.open) == 0 && time.Since(t.last) >= quiet
	t.mu.Unlock()
	if rests {
		t.on.Store(false)
		t.book.save(ctx, false, t.row())
	}
}
