package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"ferry"
)

// rules is an FS that allows what the user's rules grant, and nothing else. It
// embeds no FS, so that a method which is added to the interface is refused by
// the compiler until somebody has decided which right it needs.
//
// Where links lead from one rule's area into another, both rules are asked (reach.go).
// A hard link is a name like any other: whoever may make one wins no right by it, and
// those that were made outside are under the rule of where they stand.
//
// Where a right is missing the answer is fs.ErrPermission without a look at the
// storage, so that it does not tell what exists.
type rules struct {
	inner    ferry.FS
	straight ferry.FS          // inner, without following links
	user     func() ferry.User // as the account is now
}

// New is files as user may use them, by its rules: the longest prefix decides, and
// what lies below none is refused. The account is asked for at each call, so what
// is granted may change meanwhile; what an open handle grants was decided when it
// was opened. Closing it closes files.
func New(files ferry.FS, user func() ferry.User) ferry.FS {
	return &rules{files, files.Straight(), user}
}

// Any of these lets a user see a file, and any of those know its own part.
const (
	rightsSee    = ferry.RightList | ferry.RightRead
	rightsUpload = ferry.RightCreate | ferry.RightOverwrite | ferry.RightAppend
)

func (r *rules) at(name ferry.Name) ferry.Right { return ferry.RightsAt(r.user().Rules, name) }

func denied(op string, name ferry.Name, why error) error {
	return &fs.PathError{Op: op, Path: string(name), Err: why}
}

// forbids is the refusal of what no right is for; text says why, for the log.
func forbids(text string) error { return fmt.Errorf("%s: %w", text, fs.ErrPermission) }

// Straight is r by names as they are.
func (r *rules) Straight() ferry.FS { return &rules{r.straight, r.straight, r.user} }

func (r *rules) Stat(ctx context.Context, name ferry.Name) (i ferry.Info, err error) {
	err = r.reach(ctx, "stat", name, true, func(at place) error {
		i, err = at.describe(ctx, "stat", at.files.Stat)
		return err
	})
	i.Name = nameAs(i, name)
	return i, err
}

func (r *rules) Lstat(ctx context.Context, name ferry.Name) (i ferry.Info, err error) {
	err = r.reach(ctx, "lstat", name, false, func(at place) error {
		i, err = at.describe(ctx, "lstat", at.files.Lstat)
		return err
	})
	return i, err
}

// describe shows everything to those who may see, and to those who may do
// anything at all there at least that a directory is one: a client has to be
// able to change into the directory it may only drop files into. Those who may
// not see but upload have their own part there, as if nothing else was.
func (at place) describe(ctx context.Context, op string, look func(context.Context, ferry.Name) (ferry.Info, error)) (ferry.Info, error) {
	if err := at.needAny(op, ferry.RightsKnown); err != nil {
		return ferry.Info{}, err
	}
	i, err := look(ctx, at.name)
	if at.rights&rightsSee != 0 || err == nil && i.IsDir() {
		return i, err
	}
	if at.rights&rightsUpload != 0 {
		if part, none := at.files.Part(ctx, at.name); none == nil {
			part.Unfinished = true
			return part, nil
		}
	}
	return ferry.Info{}, denied(op, at.given, ferry.ErrHidden)
}

func (r *rules) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		err := r.reach(ctx, "list", dir, true, func(at place) error { return r.list(ctx, at, d, yield) })
		if err != nil {
			yield(ferry.Info{}, err)
		}
	}
}

// list yields the entries of the directory at, and gives the error that ends them.
func (r *rules) list(ctx context.Context, at place, d ferry.Detail, yield func(ferry.Info, error) bool) error {
	if err := at.need("list", ferry.RightList); err != nil {
		return err
	}
	ruled := r.ruledIn(at.given) || r.ruledIn(at.name)
	for i, err := range at.files.List(ctx, at.name, d) {
		switch {
		case err != nil:
			return err
		case ruled && !r.shows(at, i):
		case !yield(i, nil):
			return nil
		}
	}
	return nil
}

// ruledIn tells whether an entry of dir has a rule of its own.
func (r *rules) ruledIn(dir ferry.Name) bool {
	for _, rule := range r.user().Rules {
		if rule.Prefix != ferry.Root && rule.Prefix.Dir() == dir {
			return true
		}
	}
	return false
}

// shows tells whether Lstat would describe the entry i of the directory dir.
func (r *rules) shows(dir place, i ferry.Info) bool {
	at := ferry.RightsKnown
	for _, dir := range [2]ferry.Name{dir.given, dir.name} {
		name, err := dir.Join(i.Name)
		if err != nil {
			return false
		}
		at &= r.at(name)
	}
	return at&rightsSee != 0 || at != 0 && i.IsDir()
}

func (r *rules) Part(ctx context.Context, name ferry.Name) (i ferry.Info, err error) {
	err = r.reach(ctx, "part", name, true, func(at place) error {
		if err := at.needAny("part", rightsUpload); err != nil {
			return err
		}
		i, err = at.files.Part(ctx, at.name)
		return err
	})
	i.Name = nameAs(i, name)
	return i, err
}

// nameAs is the name in what describes a file, as the client gave it.
func nameAs(i ferry.Info, given ferry.Name) string {
	if i.Name == "" {
		return ""
	}
	return given.Base()
}

// one does something that needs want of name, whose last element is not followed.
func (r *rules) one(ctx context.Context, op string, name ferry.Name, want ferry.Right, do func(at place) error) error {
	return r.reach(ctx, op, name, false, func(at place) error {
		if err := at.need(op, want); err != nil {
			return err
		}
		return do(at)
	})
}

func (r *rules) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	return r.one(ctx, "mkdir", name, ferry.RightMkdir, func(at place) error { return at.files.Mkdir(ctx, at.name, perm) })
}

func (r *rules) Remove(ctx context.Context, name ferry.Name) error {
	return r.one(ctx, "remove", name, ferry.RightDelete, func(at place) error { return at.files.Remove(ctx, at.name) })
}

func (r *rules) RemoveUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	return r.one(ctx, "remove", name, ferry.RightDelete, func(at place) error { return at.files.RemoveUnchanged(ctx, at.name, was) })
}

func (r *rules) Rmdir(ctx context.Context, name ferry.Name) error {
	return r.one(ctx, "rmdir", name, ferry.RightRmdir, func(at place) error { return at.files.Rmdir(ctx, at.name) })
}

// Rename needs its right at both names, and Overwrite where it replaces.
// Beyond that it wins nobody a right to read: what a user may not read does not
// move to where it may. A name with a rule of its own below it is not renamed
// nor taken, since that would bring what lies there under another rule.
func (r *rules) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	return r.both(ctx, "rename", from, to, func(from, to place) error {
		if err := from.need("rename", ferry.RightRename); err != nil {
			return err
		}
		if err := to.need("rename", ferry.RightRename); err != nil {
			return err
		}
		if r.gained(from, to).Has(ferry.RightRead) || r.ruledBelow(from.name) || r.ruledBelow(to.name) {
			return denied("rename", from.given, forbids("it would be under another rule as "+string(to.given)))
		}
		return from.files.Rename(ctx, from.name, to.name, replace && to.rights.Has(ferry.RightOverwrite))
	})
}

// both is reach for two names, whose last elements are not followed.
func (r *rules) both(ctx context.Context, op string, a, b ferry.Name, do func(a, b place) error) error {
	return r.act(ctx, op, func(find finder) error {
		at, err := find(a, false)
		if err != nil {
			return err
		}
		too, err := find(b, false)
		if err != nil {
			return err
		}
		if err = do(at, too); errors.Is(err, fs.ErrPermission) {
			return at.told(err)
		}
		return too.told(err)
	})
}

// gained are the rights that an object has where to leads and not where from leads.
func (r *rules) gained(from, to place) ferry.Right { return r.at(to.name) &^ r.at(from.name) }

// ruledBelow tells whether a rule begins below name.
func (r *rules) ruledBelow(name ferry.Name) bool {
	for _, rule := range r.user().Rules {
		if rule.Prefix != name && rule.Prefix.Within(name) {
			return true
		}
	}
	return false
}

func (r *rules) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	return r.reach(ctx, "setattr", name, !a.NoFollow, func(at place) error { return at.setAttr(ctx, a) })
}

func (at place) setAttr(ctx context.Context, a ferry.Attr) error {
	if givesAway(a) && !at.rights.Has(ferry.RightChown) && at.rights&rightsSee != 0 {
		look := at.files.Stat
		if a.NoFollow {
			look = at.files.Lstat
		}
		if i, err := look(ctx, at.name); err == nil {
			a = withoutOwnerOf(a, i)
		}
	}
	want := attrRights(a)
	if a.Size != nil {
		want |= ferry.RightOverwrite
	}
	// With nothing to set it is a way to ask whether name exists.
	if want == 0 && at.rights&rightsSee == 0 {
		return at.denied("setattr", rightsSee)
	}
	if err := at.need("setattr", want); err != nil {
		return err
	}
	return at.files.SetAttr(ctx, at.name, a)
}

// givesAway tells whether a sets an owner or a group.
func givesAway(a ferry.Attr) bool { return a.UID != nil || a.GID != nil }

// withoutOwnerOf is a without the owner and the group that i has already. Tools
// that copy a tree set them on all they have made, and where that changes nothing
// chown(2) refuses nobody.
func withoutOwnerOf(a ferry.Attr, i ferry.Info) ferry.Attr {
	if a.UID != nil && *a.UID == i.UID {
		a.UID = nil
	}
	if a.GID != nil && *a.GID == i.GID {
		a.GID = nil
	}
	return a
}

// attrRights is what setting a needs, its size apart.
func attrRights(a ferry.Attr) ferry.Right {
	var want ferry.Right
	if a.Mode != nil {
		want |= ferry.RightChmod
	}
	if a.UID != nil || a.GID != nil {
		want |= ferry.RightChown
	}
	if a.ModTime != nil || a.Access != nil {
		want |= ferry.RightTimes
	}
	return want
}

func (r *rules) Readlink(ctx context.Context, name ferry.Name) (target string, err error) {
	err = r.reach(ctx, "readlink", name, false, func(at place) error {
		if err := at.needAny("readlink", rightsSee); err != nil {
			return err
		}
		target, err = at.files.Readlink(ctx, at.name)
		return err
	})
	return target, err
}

func (r *rules) Symlink(ctx context.Context, target string, name ferry.Name) error {
	return r.one(ctx, "symlink", name, ferry.RightSymlink, func(at place) error { return at.files.Symlink(ctx, target, at.name) })
}

// Link needs Read and Overwrite where the file is, for a file with two names is
// written in place from then on, and Create where it is to be too. The two names
// are one file: the new one must not win rights over its content. Whoever shares
// an account with others makes none.
func (r *rules) Link(ctx context.Context, from, name ferry.Name) error {
	if u := r.user(); u.Anonymous || u.Shared {
		return denied("link", name, forbids("who shares an account makes no hard links"))
	}
	return r.both(ctx, "link", from, name, func(from, to place) error {
		if err := from.need("link", ferry.RightRead|ferry.RightOverwrite); err != nil {
			return err
		}
		if err := to.need("link", ferry.RightCreate); err != nil {
			return err
		}
		const content = ferry.RightOverwrite | ferry.RightAppend | ferry.RightChmod | ferry.RightTimes | ferry.RightChown
		if r.gained(from, to)&content != 0 {
			return denied("link", from.given, forbids("the new name would grant more than the old one"))
		}
		return from.files.Link(ctx, from.name, to.name)
	})
}

func (r *rules) Space(ctx context.Context, name ferry.Name) (space ferry.Space, err error) {
	err = r.reach(ctx, "space", name, true, func(at place) error {
		if err := at.needAny("space", rightsSee); err != nil {
			return err
		}
		space, err = at.files.Space(ctx, at.name)
		return err
	})
	return space, err
}

func (r *rules) Close() error { return r.inner.Close() }

// hideMissing makes the answer for a name that does not exist that for one
// which may not be touched, for those who may not see the difference.
func (at place) hideMissing(op string, err error) error {
	if errors.Is(err, fs.ErrNotExist) && at.rights&rightsSee == 0 {
		return at.denied(op, rightsSee)
	}
	return err
}
