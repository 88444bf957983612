package access

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"ferry"
)

// rules is an FS that allows what the user's rules grant, and nothing else. It
// embeds no FS, so that a method which is added to the interface is refused by
// the compiler until somebody has decided which right it needs.
//
// Rules look at names only. A link may lead from one rule's area into another,
// and what lies behind it is then under the rule of the name it was reached by:
// the right to make links is to be given to those who may do in the whole tree
// what they may do where they make them.
//
// Where a right is missing the answer is fs.ErrPermission without a look at the
// storage, so that it does not tell what exists.
type rules struct {
	inner ferry.FS
	user  func() ferry.User // as the account is now
}

// New is files as user may use them, by its rules: the longest prefix decides, and
// what lies below none is refused. The account is asked for at each call, so what
// is granted may change meanwhile; what an open handle grants was decided when it
// was opened. Closing it closes files.
func New(files ferry.FS, user func() ferry.User) ferry.FS { return &rules{files, user} }

// Any of these lets a user see a file, and any of those know its own part.
const (
	rightsSee    = ferry.RightList | ferry.RightRead
	rightsUpload = ferry.RightCreate | ferry.RightOverwrite | ferry.RightAppend
)

func (r *rules) at(name ferry.Name) ferry.Right { return ferry.RightsAt(r.user().Rules, name) }

func denied(op string, name ferry.Name) error {
	return &fs.PathError{Op: op, Path: string(name), Err: fs.ErrPermission}
}

// need is nil where name grants all of want.
func (r *rules) need(op string, name ferry.Name, want ferry.Right) error {
	if !r.at(name).Has(want) {
		return denied(op, name)
	}
	return nil
}

// needAny is nil where name grants some of want.
func (r *rules) needAny(op string, name ferry.Name, want ferry.Right) error {
	if r.at(name)&want == 0 {
		return denied(op, name)
	}
	return nil
}

func (r *rules) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	return r.describe(ctx, "stat", name, func() (ferry.Info, error) { return r.inner.Stat(ctx, name) })
}

func (r *rules) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	return r.describe(ctx, "lstat", name, func() (ferry.Info, error) { return r.inner.Lstat(ctx, name) })
}

// describe shows everything to those who may see, and to those who may do
// anything at all there at least that a directory is one: a client has to be
// able to change into the directory it may only drop files into. Those who may
// not see but upload have their own part there, as if nothing else was.
func (r *rules) describe(ctx context.Context, op string, name ferry.Name, look func() (ferry.Info, error)) (ferry.Info, error) {
	if err := r.needAny(op, name, ferry.RightsKnown); err != nil {
		return ferry.Info{}, err
	}
	i, err := look()
	if r.at(name)&rightsSee != 0 || err == nil && i.IsDir() {
		return i, err
	}
	if r.at(name)&rightsUpload != 0 {
		if part, none := r.inner.Part(ctx, name); none == nil {
			part.Unfinished = true
			return part, nil
		}
	}
	return ferry.Info{}, denied(op, name)
}

func (r *rules) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	if err := r.need("list", dir, ferry.RightList); err != nil {
		return func(yield func(ferry.Info, error) bool) { yield(ferry.Info{}, err) }
	}
	entries := r.inner.List(ctx, dir, d)
	if !r.ruledIn(dir) {
		return entries
	}
	return func(yield func(ferry.Info, error) bool) {
		for i, err := range entries {
			if err == nil && !r.shows(dir, i) {
				continue
			}
			if !yield(i, err) {
				return
			}
		}
	}
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

// shows tells whether Lstat would describe the entry i of dir.
func (r *rules) shows(dir ferry.Name, i ferry.Info) bool {
	name, err := dir.Join(i.Name)
	if err != nil {
		return false
	}
	at := r.at(name)
	return at&rightsSee != 0 || at != 0 && i.IsDir()
}

func (r *rules) Part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := r.needAny("part", name, rightsUpload); err != nil {
		return ferry.Info{}, err
	}
	return r.inner.Part(ctx, name)
}

func (r *rules) Mkdir(ctx context.Context, name ferry.Name, perm fs.FileMode) error {
	if err := r.need("mkdir", name, ferry.RightMkdir); err != nil {
		return err
	}
	return r.inner.Mkdir(ctx, name, perm)
}

func (r *rules) Remove(ctx context.Context, name ferry.Name) error {
	if err := r.need("remove", name, ferry.RightDelete); err != nil {
		return err
	}
	return r.inner.Remove(ctx, name)
}

func (r *rules) Rmdir(ctx context.Context, name ferry.Name) error {
	if err := r.need("rmdir", name, ferry.RightRmdir); err != nil {
		return err
	}
	return r.inner.Rmdir(ctx, name)
}

// Rename needs its right at both names, and Overwrite where it replaces.
// Beyond that it wins nobody a right to read: what a user may not read does not
// move to where it may. A name with a rule of its own below it is not renamed
// nor taken, since that would bring what lies there under another rule.
func (r *rules) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	if err := r.need("rename", from, ferry.RightRename); err != nil {
		return err
	}
	if err := r.need("rename", to, ferry.RightRename); err != nil {
		return err
	}
	gained := r.at(to) &^ r.at(from)
	if gained.Has(ferry.RightRead) || r.ruledBelow(from) || r.ruledBelow(to) {
		return denied("rename", from)
	}
	return r.inner.Rename(ctx, from, to, replace && r.at(to).Has(ferry.RightOverwrite))
}

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
	if givesAway(a) && !r.at(name).Has(ferry.RightChown) && r.at(name)&rightsSee != 0 {
		look := r.inner.Stat
		if a.NoFollow {
			look = r.inner.Lstat
		}
		if i, err := look(ctx, name); err == nil {
			a = withoutOwnerOf(a, i)
		}
	}
	want := attrRights(a)
	if a.Size != nil {
		want |= ferry.RightOverwrite
	}
	if want == 0 {
		return r.setNothing(ctx, name, a)
	}
	if err := r.need("setattr", name, want); err != nil {
		return err
	}
	return r.inner.SetAttr(ctx, name, a)
}

// setNothing is SetAttr with nothing to set, which is a way to ask whether
// name exists.
func (r *rules) setNothing(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	if err := r.needAny("setattr", name, rightsSee); err != nil {
		return err
	}
	return r.inner.SetAttr(ctx, name, a)
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

func (r *rules) Readlink(ctx context.Context, name ferry.Name) (string, error) {
	if err := r.needAny("readlink", name, rightsSee); err != nil {
		return "", err
	}
	return r.inner.Readlink(ctx, name)
}

func (r *rules) Symlink(ctx context.Context, target string, name ferry.Name) error {
	if err := r.need("symlink", name, ferry.RightSymlink); err != nil {
		return err
	}
	return r.inner.Symlink(ctx, target, name)
}

// Link needs Read and Overwrite where the file is, for a file with two names is
// written in place from then on, and Create where it is to be too. The two names
// are one file: the new one must not win rights over its content. Whoever shares
// an account with others makes none.
func (r *rules) Link(ctx context.Context, from, name ferry.Name) error {
	if u := r.user(); u.Anonymous || u.Shared {
		return denied("link", name)
	}
	if err := r.need("link", from, ferry.RightRead|ferry.RightOverwrite); err != nil {
		return err
	}
	if err := r.need("link", name, ferry.RightCreate); err != nil {
		return err
	}
	const content = ferry.RightOverwrite | ferry.RightAppend | ferry.RightChmod | ferry.RightTimes | ferry.RightChown
	if (r.at(name)&^r.at(from))&content != 0 {
		return denied("link", from)
	}
	return r.inner.Link(ctx, from, name)
}

func (r *rules) Space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	if err := r.needAny("space", name, rightsSee); err != nil {
		return ferry.Space{}, err
	}
	return r.inner.Space(ctx, name)
}

func (r *rules) Close() error { return r.inner.Close() }

// hideMissing makes the answer for a name that does not exist that for one
// which may not be touched, for those who may not see the difference.
func (r *rules) hideMissing(op string, name ferry.Name, err error) error {
	if errors.Is(err, fs.ErrNotExist) && r.at(name)&rightsSee == 0 {
		return denied(op, name)
	}
	return err
}
