package mem

import (
	"io/fs"
	"slices"
	"strings"

	"ferry"
)

const (
	maxLinks  = 40   // links followed for one name, as in Linux
	maxName   = 255  // bytes of one element
	maxTarget = 4095 // bytes of a link's target
)

// place is where a name leads: base in dir, and the node that stands there,
// nil where there is none. Where the way ends in the root, or a link's target
// in "." or "..", dir is nil and node a directory.
type place struct {
	dir  *node
	base string
	node *node
}

// walk finds the place that the clean name means. A link in the last element
// is followed if follow is set, even if it leads to nothing.
func (s *session) walk(name ferry.Name, follow bool) (place, error) {
	at, most := place{node: s.tree.root}, maxLinks
	if s.straight {
		most = 0
	}
	links := 0
	for rest := elements(string(name)); len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		next, err := step(at, element)
		if err != nil {
			return place{}, err
		}
		if next.node == nil || !next.node.isLink() || len(rest) == 0 && !follow {
			at = next
			continue
		}
		if links++; links > most {
			return place{}, ferry.ErrLoop
		}
		target := next.node.target
		rest = slices.Concat(elements(target), rest)
		if strings.HasPrefix(target, "/") {
			at = place{node: s.tree.root}
		}
	}
	return at, nil
}

// step goes from at, which must be a directory, one element further.
func step(at place, element string) (place, error) {
	switch {
	case at.node == nil:
		return place{}, fs.ErrNotExist
	case !at.node.isDir():
		return place{}, ferry.ErrNotDir
	case element == ".":
		return place{node: at.node}, nil
	case element == "..":
		return place{node: at.node.parent}, nil
	case len(element) > maxName || ferry.IsPart(element):
		return place{}, ferry.ErrBadName
	}
	return place{dir: at.node, base: element, node: at.node.children[element]}, nil
}

// elements cuts a path. A slash at the end asks for a directory, which "." as
// the last element does as well.
func elements(path string) []string {
	list := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if strings.HasSuffix(path, "/") {
		list = append(list, ".")
	}
	return list
}

// existing is walk for a name under which something must stand.
func (s *session) existing(name ferry.Name, follow bool) (place, error) {
	at, err := s.walk(name, follow)
	if err == nil && at.node == nil {
		err = fs.ErrNotExist
	}
	return at, err
}

// vacant is walk for a name under which nothing may stand yet.
func (s *session) vacant(name ferry.Name) (place, error) {
	at, err := s.walk(name, false)
	if err == nil && at.node != nil {
		err = fs.ErrExist
	}
	return at, err
}
