package beneath

import "golang.org/x/sys/unix"

// Walk calls visit, with its directory, for each entry of the directory dir, and of all
// that lie below where that is wanted, until it answers false. Links are not followed, so
// every directory is met once; what cannot be read is left out, and told to failed. Entries
// is the function of that name, with a buffer.
func (r *Root) Walk(dir int, below bool, entries func(fd int, visit func(Entry) (bool, error)) error,
	visit func(id DirID, fd int, e Entry) bool, failed func(err error)) {
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || r.mounts.check(dir, st.Dev) != nil {
		return // a file system of the kernel
	}
	fd, err := r.Readable(dir)
	if err != nil {
		failed(err)
		return
	}
	defer unix.Close(fd)
	err = entries(fd, func(e Entry) (bool, error) {
		more := visit(DirOf(&st), fd, e)
		if more && below && (e.Kind == unix.S_IFDIR || e.Kind == 0) {
			if sub, err := r.OpenAt(fd, string(e.Name), unix.O_PATH|unix.O_DIRECTORY, 0); err == nil {
				r.Walk(sub, true, entries, visit, failed)
				unix.Close(sub)
			}
		}
		return more, nil
	})
	if err != nil {
		failed(err)
	}
}
