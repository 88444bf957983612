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
// Links are not followed, so every directory is met once.
func (t *Tree) sweep(ctx context.Context, dir int, below bool) {
	o, err := t.root.Inspect(dir, nil)
	if err != nil {
		return // a file system of the kernel
	}
	fd, err := t.root.Readable(dir)
	if err != nil {
		t.log.Debug("directory not swept", "error", beneath.Meaning(err))
		return
	}
	defer unix.Close(fd)
	err = t.entries(ctx, fd, func(e beneath.Entry) (bool, error) {
		switch {
		case isPart(e.Name):
			t.sweepPart(partKey{beneath.DirOf(&o.St), string(e.Name)}, fd)
		case below && (e.Kind == unix.S_IFDIR || e.Kind == 0):
			t.sweepBelow(ctx, fd, string(e.Name))
		}
		return ctx.Err() == nil, nil
	})
	if err != nil && ctx.Err() == nil {
		t.log.Debug("directory not swept", "error", beneath.Meaning(err))
	}
}

func (t *Tree) sweepBelow(ctx context.Context, dir int, name string) {
	fd, err := t.root.OpenAt(dir, name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	t.sweep(ctx, fd, true)
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
