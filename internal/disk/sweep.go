package disk

import (
	"context"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/fdcopy"
)

// Sweep walks the tree and removes the parts that have expired and that nobody
// holds. What cannot be read is left out and logged. Its only error is ctx's.
func (t *Tree) Sweep(ctx context.Context) error {
	dir, err := t.root.Top()
	if err != nil {
		return beneath.Fail("sweep", "/", err)
	}
	defer unix.Close(dir)
	t.sweep(ctx, dir, true)
	return fdcopy.Cause(ctx)
}

// SweepDir does that in the directory of that name, and not below it.
func (t *Tree) SweepDir(ctx context.Context, name ferry.Name) error {
	o, err := t.root.Look(name)
	if err != nil {
		return beneath.Fail("sweep", name, err)
	}
	defer o.Close()
	if !beneath.IsDir(&o.St) {
		return beneath.Fail("sweep", name, ferry.ErrNotDir)
	}
	t.sweep(ctx, o.Fd, false)
	return fdcopy.Cause(ctx)
}

// sweep sweeps the directory dir, and what is below it where that is wanted.
func (t *Tree) sweep(ctx context.Context, dir int, below bool) {
	t.root.Walk(ctx, dir, below, &t.lister, func(id beneath.DirID, fd int, e beneath.Entry) {
		if e.IsPart() {
			t.sweepPart(partKey{id, string(e.Name)}, fd)
		}
	}, func(err error) { t.log.Debug("directory not swept", "error", beneath.Meaning(err)) })
}

// sweepPart removes one part if it has expired; asked again once nobody else
// can take hold of it.
func (t *Tree) sweepPart(key partKey, dir int) {
	if !t.parts.ExpiredAt(dir, key.name) || t.isLive(key) {
		return
	}
	u, err := t.claim(context.Background(), key, ferry.ErrTakenOver)
	if err != nil {
		return
	}
	defer t.unclaim(u)
	if !t.parts.ExpiredAt(dir, key.name) {
		return
	}
	if err := t.parts.Unlink(dir, key.name); err != nil && err != ferry.ErrBusy && err != unix.ENOENT {
		t.log.Warn("expired part not removed", "error", beneath.Meaning(err))
	}
}
