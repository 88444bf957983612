package beneath

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// What the target of a link says depends on who made it. A user means the root of the
// tree by "/", and cannot climb above it; whoever made a link on the host means the
// host's, and its target may name directories that are nobody's business here. So a
// target that is absolute or climbs above the root is kept in another spelling of
// itself where a user makes it ("//a" for "/a", ".//../a" for "../a"), which every
// program on the host follows as it would the plain one. By that it is known again,
// and read as its user has given it. One without is the host's: it is shown where it
// is true in the tree too, or as the name in the tree that it leads to, or not at all.
// So is one that a user made and moved up, so that it climbs above the root only now.

const (
	usersAbsolute = "/"
	usersRelative = ".//"
)

// spellings are the paths of the root on the host, links followed and not; none: the
// tree is the whole host, and every target means there what it says.
func spellings(root string) []string {
	given, err := filepath.Abs(root)
	if err != nil {
		given = path.Clean(root)
	}
	all := []string{given}
	if real, err := filepath.EvalSymlinks(given); err == nil && real != given {
		all = append(all, real)
	}
	if slices.Contains(all, "/") {
		return nil
	}
	return all
}

// Target reads a link: its target as it is kept, and as it may be shown; "" where it
// may not.
func (r *Root) Target(dir int, base string) (kept, shown string, err error) {
	err = r.run(func() (err error) {
		kept, err = readlink(dir, base)
		return err
	})
	if err != nil {
		return "", "", err
	}
	return kept, r.shown(dir, kept), nil
}

// Keep is how a target is kept that a user gives a link in the directory dir.
func (r *Root) Keep(dir int, target string) string {
	switch {
	case len(r.paths) == 0:
		return target
	case strings.HasPrefix(target, "/"):
		return usersAbsolute + target
	case strings.HasPrefix(target, usersRelative) || climbs(target, r.within(dir)):
		return usersRelative + target
	}
	return target
}

func (r *Root) shown(dir int, kept string) string {
	switch {
	case len(r.paths) == 0:
		return kept
	case strings.HasPrefix(kept, usersAbsolute+"/"):
		return kept[len(usersAbsolute):]
	case strings.HasPrefix(kept, usersRelative):
		return kept[len(usersRelative):]
	case strings.HasPrefix(kept, "/"):
		return r.fromHost(kept, kept, kept)
	case !strings.Contains(kept, ".."):
		return kept
	}
	in := r.within(dir)
	if !climbs(kept, in) {
		return kept
	}
	return r.fromHost(path.Join("/", in, kept), path.Join(r.paths[len(r.paths)-1], in, kept), kept)
}

// fromHost is a target that was made on the host, where it means the path there; here
// is what it means in the tree.
func (r *Root) fromHost(here, there, kept string) string {
	if fd, err := r.openAs(func() (int, error) { return r.names.open(here, unix.O_PATH) }); err == nil {
		unix.Close(fd)
		return kept
	}
	there = path.Clean(there)
	for _, root := range r.paths {
		if there == root || strings.HasPrefix(there, root+"/") {
			return path.Join("/", there[len(root):])
		}
	}
	return ""
}

// within is the path of the directory dir from the root on, "" for the root and where
// /proc is missing: what climbs from there climbs above the root.
func (r *Root) within(dir int) string {
	top, err := r.names.open(".", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return ""
	}
	defer unix.Close(top)
	root, err := os.Readlink(ProcPath(top))
	if err != nil {
		return ""
	}
	here, err := os.Readlink(ProcPath(dir))
	if err != nil || !strings.HasPrefix(here, root+"/") {
		return ""
	}
	return here[len(root)+1:]
}

// climbs tells whether a relative target leads above the root from the directory in
// it, as text.
func climbs(target, in string) bool {
	if !strings.Contains(target, "..") {
		return false
	}
	depth := 0
	if in != "" {
		depth = 1 + strings.Count(in, "/")
	}
	for element := range strings.SplitSeq(target, "/") {
		switch element {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}
