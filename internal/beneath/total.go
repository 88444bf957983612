package beneath

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/quota"
)

// Total counts what the directory of that path holds, as quotas do, but for the bytes of
// files that skip names. What could not be looked at is left out, and is in the error.
func Total(ctx context.Context, path string, skip func(quota.ID) bool) (used ferry.Usage, err error) {
	r, err := Open(path, "")
	if err != nil {
		return used, err
	}
	defer r.Close()
	dir, err := r.Top()
	if err != nil {
		return used, err
	}
	defer unix.Close(dir)
	var lister Lister
	seen := make(map[quota.ID]bool) // files with several names
	r.Walk(ctx, dir, true, &lister, func(_ DirID, fd int, e Entry) {
		used.Files++
		var st unix.Stat_t
		if e.Kind != 0 && e.Kind != unix.S_IFREG || r.StatAt(fd, string(e.Name), &st) != nil || !IsRegular(&st) {
			return
		}
		id := quota.ID{Dev: st.Dev, Ino: st.Ino}
		if seen[id] || skip(id) {
			return
		}
		if st.Nlink > 1 {
			seen[id] = true
		}
		used.Bytes += st.Size
	}, func(failed error) { err = failed })
	return used, errors.Join(err, context.Cause(ctx))
}
