package sysuser

import (
	"context"
	"iter"
	"os"
	"slices"
	"time"
)

// pollEvery is how soon a change of a file is seen.
const pollEvery = time.Second

// Watch yields within a second after one of the files has changed, and when a day
// begins, on which accounts may expire. It ends with ctx, and is for one loop.
func (a *Accounts) Watch(ctx context.Context) iter.Seq[struct{}] {
	paths := []string{a.passwd.path, a.shadow.path, a.groups.path, a.shells.path, a.denied.path}
	seen := look(paths)
	return func(yield func(struct{}) bool) {
		poll := time.NewTicker(pollEvery)
		defer poll.Stop()
		day := today(time.Now())
		for {
			select {
			case <-ctx.Done():
				return
			case <-poll.C:
			}
			now := look(paths)
			if today(time.Now()) == day && slices.EqualFunc(seen, now, unchanged) {
				continue
			}
			seen, day = now, today(time.Now())
			if !yield(struct{}{}) {
				return
			}
		}
	}
}

// look looks at files; one that is not there is nil.
func look(paths []string) []os.FileInfo {
	all := make([]os.FileInfo, len(paths))
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			all[i] = info
		}
	}
	return all
}
