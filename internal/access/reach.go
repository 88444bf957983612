package access

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"ferry"
)

// A rule decides about the object, and a link gives an object a second name. So where
// a user's rules differ by name, an operation goes by the straight tree (FS.Straight),
// which follows no link: the name it acts by is the object's own. Where a link stands
// in the way, where it leads is found out here, rights are asked for under both names,
// and it is the name found that the straight tree gets. A link that is swapped between
// the two makes it refuse once more, and lead nowhere else.
//
// Users whose rules are the same everywhere pay nothing for that: their links are
// followed by the storage.

const (
	// maxLinks are followed for one name, as in Linux.
	maxLinks = 40
	// maxTries is how often a way is looked for anew that links were swapped on.
	maxTries = 8
)

// place is where an operation acts: by which name, and with which rights.
type place struct {
	files ferry.FS
	given ferry.Name // by the client
	name  ferry.Name // the same, or where its links lead
	// rights are those that both names grant, by these rules.
	rights ferry.Right
	rules  []ferry.Rule
}

// denied is the refusal for want of a right.
func (at place) denied(op string, want ferry.Right) error {
	name := at.given
	if ferry.RightsAt(at.rules, name).Has(want) {
		name = at.name // the link may be used, and not where it leads
	}
	return denied(op, at.given, ferry.LacksRight(at.rules, name, want))
}

// need is nil where at grants all of want.
func (at place) need(op string, want ferry.Right) error {
	if !at.rights.Has(want) {
		return at.denied(op, want)
	}
	return nil
}

// needAny is nil where at grants some of want.
func (at place) needAny(op string, want ferry.Right) error {
	if at.rights&want == 0 {
		return at.denied(op, want)
	}
	return nil
}

// told is err about the name that the client gave.
func (at place) told(err error) error {
	var p *fs.PathError
	if at.name == at.given || !errors.As(err, &p) {
		return err
	}
	return &fs.PathError{Op: p.Op, Path: string(at.given), Err: p.Err}
}

// finder gives the place that a name means. A link in the last element is followed if
// follow is set, even if it leads to nothing.
type finder func(name ferry.Name, follow bool) (place, error)

// act lets do act by the places that find gives it: by the names as they are, and
// where that meets a link by those that it leads to.
func (r *rules) act(ctx context.Context, op string, do func(find finder) error) error {
	err := do(r.asGiven)
	for try := 0; errors.Is(err, ferry.ErrLoop) && r.differ() && try < maxTries; try++ {
		err = do(func(name ferry.Name, follow bool) (place, error) { return r.follow(ctx, op, name, follow) })
	}
	return err
}

// reach is act for one name.
func (r *rules) reach(ctx context.Context, op string, name ferry.Name, follow bool, do func(at place) error) error {
	return r.act(ctx, op, func(find finder) error {
		at, err := find(name, follow)
		if err != nil {
			return err
		}
		return at.told(do(at))
	})
}

// differ tells whether the user's rules grant here what they do not grant there.
func (r *rules) differ() bool {
	all := r.user().Rules
	for _, rule := range all {
		if rule.Prefix == ferry.Root {
			everywhere := rule.Rights
			for _, rule := range all {
				if rule.Rights != everywhere {
					return true
				}
			}
			return false
		}
	}
	return len(all) > 0
}

// asGiven is the place that a name without links means.
func (r *rules) asGiven(name ferry.Name, _ bool) (place, error) {
	all := r.user().Rules
	at := place{files: r.inner, given: name, name: name, rights: ferry.RightsAt(all, name), rules: all}
	if r.differ() {
		at.files = r.straight
	}
	return at, nil
}

// follow is the place that a name with links means. They are read in the straight
// tree, one by one. Who is led by one to where it may see nothing learns nothing.
func (r *rules) follow(ctx context.Context, op string, given ferry.Name, follow bool) (place, error) {
	at, rest := ferry.Root, elements(string(given))
	for links := 0; len(rest) > 0; {
		element, last := rest[0], len(rest) == 1
		rest = rest[1:]
		switch element {
		case ".":
			continue
		case "..":
			at = at.Dir()
			continue
		}
		name, err := at.Join(element)
		if err != nil {
			return place{}, &fs.PathError{Op: op, Path: string(given), Err: err}
		}
		if last && !follow {
			at = name
			break
		}
		i, err := r.straight.Lstat(ctx, name)
		isLink := err == nil && i.Mode&fs.ModeSymlink != 0
		if last && !isLink && (err == nil || errors.Is(err, fs.ErrNotExist)) {
			at = name
			break
		}
		if links > 0 && !r.mayPass(name, i, err) {
			return place{}, denied(op, given, ferry.LacksRight(r.user().Rules, name, rightsSee))
		}
		switch {
		case err != nil:
			return place{}, place{given: given}.told(err)
		case isLink:
			if links++; links > maxLinks {
				return place{}, &fs.PathError{Op: op, Path: string(given), Err: ferry.ErrLoop}
			}
			if strings.HasPrefix(i.Stored, "/") {
				at = ferry.Root
			}
			rest = append(elements(i.Stored), rest...)
		case !i.IsDir():
			return place{}, &fs.PathError{Op: op, Path: string(given), Err: ferry.ErrNotDir}
		default:
			at = name
		}
	}
	all := r.user().Rules
	return place{files: r.straight, given: given, name: at, rights: ferry.RightsAt(all, given) & ferry.RightsAt(all, at), rules: all}, nil
}

// mayPass tells whether a user may find out that a link leads by name, which Lstat has
// answered so: as if it had asked for name itself.
func (r *rules) mayPass(name ferry.Name, i ferry.Info, err error) bool {
	rights := r.at(name)
	if rights&rightsSee != 0 {
		return true
	}
	return err == nil && i.IsDir() && (rights != 0 || r.grantedBelow(name))
}

// grantedBelow tells whether a rule grants something below name.
func (r *rules) grantedBelow(name ferry.Name) bool {
	for _, rule := range r.user().Rules {
		if rule.Rights != 0 && rule.Prefix.Within(name) {
			return true
		}
	}
	return false
}

// elements cuts a path. A slash at the end asks for a directory, which "." as the last
// element does as well.
func elements(path string) []string {
	list := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	if strings.HasSuffix(path, "/") {
		list = append(list, ".")
	}
	return list
}
