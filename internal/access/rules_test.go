package access_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/access"
	"ferry/internal/event"
	"ferry/internal/mem"
)

// operation is one way to use an FS or one of its handles: what it needs, one of
// these sets of rights, and the event that it is, "" for none that the tree tells.
type operation struct {
	name  string
	needs []ferry.Right
	event string
	do    func(context.Context, ferry.FS) error
}

// needs is an operation's answer where one set is enough.
func needs(sets ...ferry.Right) []ferry.Right { return sets }

// anything is every single right: some of them.
func anything() []ferry.Right {
	var sets []ferry.Right
	for r := ferry.Right(1); r < ferry.RightsKnown; r <<= 1 {
		sets = append(sets, r)
	}
	return sets
}

func opens(name ferry.Name, m ferry.Mode) func(context.Context, ferry.FS) error {
	return uses(name, m, func(ferry.Handle) error { return nil })
}

// uses opens a file and does something with the handle.
func uses(name ferry.Name, m ferry.Mode, do func(ferry.Handle) error) func(context.Context, ferry.FS) error {
	return func(ctx context.Context, tree ferry.FS) error {
		h, err := tree.Open(ctx, name, ferry.OpenOptions{Mode: m})
		if err != nil {
			return err
		}
		defer h.Abort(nil)
		return do(h)
	}
}

func reads(h ferry.Handle) error {
	_, err := h.ReadAt(make([]byte, 1), 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

func sends(h ferry.Handle) error {
	here, there := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, there) }()
	defer here.Close()
	_, err := h.SendTo(context.Background(), ferry.NewDataConn(here), 0, 1)
	return err
}

func receives(at int64) func(ferry.Handle) error {
	return func(h ferry.Handle) error {
		here, there := net.Pipe()
		go func() { _, _ = there.Write([]byte("x")) }()
		defer here.Close()
		_, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(here), at, 1)
		return err
	}
}

func writes(at int64) func(ferry.Handle) error {
	return func(h ferry.Handle) error {
		_, err := h.WriteAt([]byte("x"), at)
		return err
	}
}

func sets(a ferry.Attr) func(ferry.Handle) error {
	return func(h ferry.Handle) error { return h.SetAttr(a) }
}

func setsAttr(a ferry.Attr) func(context.Context, ferry.FS) error {
	return func(ctx context.Context, tree ferry.FS) error { return tree.SetAttr(ctx, "/old", a) }
}

// Attributes to set.
func mode() ferry.Attr  { m := fs.FileMode(0o600); return ferry.Attr{Mode: &m} }
func times() ferry.Attr { t := time.Unix(1, 0); return ferry.Attr{ModTime: &t} }
func seen() ferry.Attr  { t := time.Unix(1, 0); return ferry.Attr{Access: &t} }
func size() ferry.Attr  { s := int64(0); return ferry.Attr{Size: &s} }
func owner() ferry.Attr { id := uint32(4711); return ferry.Attr{UID: &id} }
func group() ferry.Attr { id := uint32(4711); return ferry.Attr{GID: &id} }

// operations are all methods of ferry.FS but Close and all of ferry.Handle
// that do more than end it, in the tree that storage makes.
func operations() []operation {
	const (
		list, read, create, over   = ferry.RightList, ferry.RightRead, ferry.RightCreate, ferry.RightOverwrite
		app, del, ren              = ferry.RightAppend, ferry.RightDelete, ferry.RightRename
		mkdir, rmdir, chmod, touch = ferry.RightMkdir, ferry.RightRmdir, ferry.RightChmod, ferry.RightTimes
		link, chown                = ferry.RightSymlink, ferry.RightChown
	)
	return []operation{
		{"Stat a file", needs(list, read), "", func(ctx context.Context, t ferry.FS) error { _, err := t.Stat(ctx, "/old"); return err }},
		{"Stat a directory", anything(), "", func(ctx context.Context, t ferry.FS) error { _, err := t.Stat(ctx, "/dir"); return err }},
		{"Lstat a file", needs(list, read), "", func(ctx context.Context, t ferry.FS) error { _, err := t.Lstat(ctx, "/old"); return err }},
		{"Lstat a directory", anything(), "", func(ctx context.Context, t ferry.FS) error { _, err := t.Lstat(ctx, "/dir"); return err }},
		{"List", needs(list), "", func(ctx context.Context, t ferry.FS) error {
			for _, err := range t.List(ctx, "/", ferry.Full) {
				return err
			}
			return nil
		}},
		{"Part", needs(create, over, app), "", func(ctx context.Context, t ferry.FS) error { _, err := t.Part(ctx, "/kept"); return err }},
		{"Readlink", needs(list, read), "", func(ctx context.Context, t ferry.FS) error { _, err := t.Readlink(ctx, "/link"); return err }},
		{"Space", needs(list, read), "", func(ctx context.Context, t ferry.FS) error { _, err := t.Space(ctx, "/old"); return err }},
		{"Mkdir", needs(mkdir), "mkdir", func(ctx context.Context, t ferry.FS) error { return t.Mkdir(ctx, "/new", nil) }},
		{"Remove", needs(del), "remove", func(ctx context.Context, t ferry.FS) error { return t.Remove(ctx, "/old") }},
		{"RemoveUnchanged of nothing seen", needs(del), "", func(ctx context.Context, t ferry.FS) error {
			if err := t.RemoveUnchanged(ctx, "/old", ferry.Info{}); !errors.Is(err, ferry.ErrChanged) {
				return err
			}
			return nil
		}},
		{"Rmdir", needs(rmdir), "rmdir", func(ctx context.Context, t ferry.FS) error { return t.Rmdir(ctx, "/dir") }},
		{"Rename", needs(ren), "rename", func(ctx context.Context, t ferry.FS) error { return t.Rename(ctx, "/old", "/new", true) }},
		{"Symlink", needs(link), "symlink", func(ctx context.Context, t ferry.FS) error { return t.Symlink(ctx, "/old", "/new") }},
		{"Link", needs(read | over | create), "link", func(ctx context.Context, t ferry.FS) error { return t.Link(ctx, "/old", "/new") }},
		{"SetAttr of the mode", needs(chmod), "setattr", setsAttr(mode())},
		{"SetAttr of the modification time", needs(touch), "setattr", setsAttr(times())},
		{"SetAttr of the access time", needs(touch), "setattr", setsAttr(seen())},
		{"SetAttr of the size", needs(over), "setattr", setsAttr(size())},
		{"SetAttr of the owner", needs(chown), "setattr", setsAttr(owner())},
		{"SetAttr of the group", needs(chown), "setattr", setsAttr(group())},
		{"SetAttr of nothing", needs(list, read), "setattr", setsAttr(ferry.Attr{})},

		{"Open to read", needs(read), "", opens("/old", ferry.Read)},
		{"Open to replace a file", needs(over), "", refuseExist(opens("/old", ferry.Replace))},
		{"Open to replace nothing", needs(create), "", opens("/new", ferry.Replace)},
		{"Open exclusively", needs(create), "", opens("/new", ferry.Exclusive)},
		{"Open to update", needs(over), "", opens("/old", ferry.Update)},
		{"Open to resume a file", needs(over, app), "", refuseExist(opens("/old", ferry.Resume))},
		{"Open to resume a part", needs(create), "", opens("/kept", ferry.Resume)},
		{"Open a new name to resume", needs(create), "", opens("/new", ferry.ResumeNew)},
		{"Open to resume nothing", needs(create), "", opens("/new", ferry.Resume)},

		{"ReadAt", needs(read), "", uses("/old", ferry.Read, reads)},
		{"ReadAt of an update", needs(read | over), "", uses("/old", ferry.Update, reads)},
		{"ReadAt of a resumed file", needs(read|over, read|app), "", refuseExist(uses("/old", ferry.Resume, reads))},
		{"SendTo", needs(read), "", uses("/old", ferry.Read, sends)},
		{"SendTo of an update", needs(read | over), "", uses("/old", ferry.Update, sends)},
		{"WriteAt into a file", needs(over), "", refuseExist(uses("/old", ferry.Resume, writes(2)))},
		{"WriteAt behind a file", needs(over, app), "", refuseExist(uses("/old", ferry.Resume, writes(3)))},
		{"WriteAt of an upload", needs(create), "", uses("/new", ferry.Replace, writes(0))},
		{"ReceiveFrom into a file", needs(over), "", refuseExist(uses("/old", ferry.Resume, receives(2)))},
		{"ReceiveFrom behind a file", needs(over, app), "", refuseExist(uses("/old", ferry.Resume, receives(3)))},
		{"ReceiveFrom of an upload", needs(create), "", uses("/new", ferry.Replace, receives(0))},
		{"Truncate a file", needs(over), "", refuseExist(uses("/old", ferry.Resume, func(h ferry.Handle) error { return h.Truncate(2) }))},
		{"Truncate an upload", needs(create), "", uses("/new", ferry.Replace, func(h ferry.Handle) error { return h.Truncate(0) })},
		{"handle's SetAttr of the mode", needs(over | chmod), "", uses("/old", ferry.Update, sets(mode()))},
		{"handle's SetAttr of the time", needs(over | touch), "", uses("/old", ferry.Update, sets(times()))},
		{"handle's SetAttr of the size", needs(over), "", refuseExist(uses("/old", ferry.Resume, sets(size())))},
		{"handle's SetAttr of the size of an upload", needs(create), "", uses("/new", ferry.Replace, sets(size()))},
		{"a reader's SetAttr of the mode", needs(read | chmod), "", uses("/old", ferry.Read, sets(mode()))},
		{"Truncate after Sync", needs(create | over), "", uses("/new", ferry.Replace, func(h ferry.Handle) error {
			return errors.Join(writes(0)(h), h.Sync(), h.Truncate(0))
		})},
	}
}

// refuseExist makes the answer to those who may create and find the name taken
// into the one to those who may not do it.
func refuseExist(do func(context.Context, ferry.FS) error) func(context.Context, ferry.FS) error {
	return func(ctx context.Context, tree ferry.FS) error {
		err := do(ctx, tree)
		if errors.Is(err, fs.ErrExist) {
			return fs.ErrPermission
		}
		return err
	}
}

// rightSets are those worth trying: none, all, each alone, all but each, and
// every pair.
func rightSets() []ferry.Right {
	tried := map[ferry.Right]bool{0: true, ferry.RightsAll: true, ferry.RightsKnown: true}
	for _, a := range anything() {
		tried[ferry.RightsKnown&^a] = true
		for _, b := range anything() {
			tried[a|b] = true
		}
	}
	return slices.Sorted(maps.Keys(tried))
}

// fixture is a storage, used through rules.
type fixture struct {
	*testing.T
	tree *mem.Tree
}

func newFixture(t *testing.T) *fixture { return &fixture{t, mem.New(mem.Config{})} }

// as is the tree as alice may use it with these rules.
func (f *fixture) as(rules ...ferry.Rule) ferry.FS {
	return access.New(f.tree.For(ferry.User{Name: "alice"}), func() ferry.User { return ferry.User{Name: "alice", Rules: rules} })
}

// root is the tree as somebody who may do everything.
func (f *fixture) root() ferry.FS { return f.tree.For(ferry.User{Name: "root"}) }

func everywhere(r ferry.Right) ferry.Rule { return ferry.Rule{Prefix: ferry.Root, Rights: r} }

func (f *fixture) put(name ferry.Name, content string) {
	f.Helper()
	h, err := f.root().Open(f.Context(), name, ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		f.Fatal(err)
	}
	_, err = h.WriteAt([]byte(content), 0)
	f.must(errors.Join(err, h.Commit()))
}

func (f *fixture) mkdir(names ...ferry.Name) {
	f.Helper()
	for _, name := range names {
		f.must(f.root().Mkdir(f.Context(), name, nil))
	}
}

// content is what stands under name.
func (f *fixture) content(name ferry.Name) string {
	f.Helper()
	h, err := f.root().Open(f.Context(), name, ferry.OpenOptions{Mode: ferry.Read})
	f.must(err)
	all, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<20))
	f.must(errors.Join(err, h.Abort(nil)))
	return string(all)
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

// storage is what operations work on: /old, /dir, /link, and a part for /kept.
func storage(t *testing.T) *fixture {
	f := newFixture(t)
	f.put("/old", "old")
	f.mkdir("/dir")
	tree := f.tree.For(ferry.User{Name: "alice"})
	h, err := tree.Open(t.Context(), "/kept", ferry.OpenOptions{Mode: ferry.Replace})
	f.must(err)
	_, err = h.WriteAt([]byte("kept"), 0)
	f.must(errors.Join(err, h.Abort(ferry.ErrControlLost), tree.Symlink(t.Context(), "/old", "/link"), tree.Close()))
	return f
}

// Threat 5: every method of the FS and of its handles against every right. It
// is granted exactly where the right is there.
func TestThreat5EveryMethodAgainstEveryRight(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			for _, rights := range rightSets() {
				tree := storage(t).as(everywhere(rights))
				want := slices.ContainsFunc(op.needs, rights.Has)
				err := op.do(t.Context(), tree)
				switch granted := !errors.Is(err, fs.ErrPermission); {
				case granted != want:
					t.Errorf("with %v: granted %v, want %v (%v)", rights, granted, want, err)
				case want && err != nil:
					t.Errorf("with %v: %v", rights, err)
				}
			}
		})
	}
}

// Default deny: where no rule is, nothing is to be done, seen or found out.
func TestThreat5NoRuleNoRight(t *testing.T) {
	for _, op := range operations() {
		err := op.do(t.Context(), storage(t).as(ferry.Rule{Prefix: "/elsewhere", Rights: ferry.RightsAll}))
		wantErr(t, err, fs.ErrPermission)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
			t.Errorf("%s tells what exists: %v", op.name, err)
		}
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	_, err := storage(t).as(everywhere(0)).Stat(t.Context(), "/old")
	var p *fs.PathError
	if !errors.As(err, &p) || p.Path != "/old" {
		t.Errorf("got %#v", err)
	}
}

func TestLongestPrefixDecides(t *testing.T) {
	rules := []ferry.Rule{
		{Prefix: "/", Rights: ferry.RightsRead},
		{Prefix: "/in", Rights: ferry.RightCreate},
		{Prefix: "/private", Rights: 0},
	}
	h := newFixture(t)
	h.mkdir("/in", "/private", "/inner")
	h.put("/in/dropped", "x")
	h.put("/private/secret", "x")
	h.put("/inner/file", "x")
	tree, ctx := h.as(rules...), t.Context()

	var names []string
	for i, err := range tree.List(ctx, "/", ferry.Full) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, i.Name)
	}
	slices.Sort(names)
	if want := []string{"in", "inner"}; !slices.Equal(names, want) {
		t.Errorf("listing shows %v, want %v", names, want)
	}
	if _, err := tree.Stat(ctx, "/inner/file"); err != nil {
		t.Error(err)
	}
	if ferry.RightsAt(rules, "/in/x") != ferry.RightCreate || ferry.RightsAt(rules, "/inner") != ferry.RightsRead {
		t.Error("RightsAt differs from what is granted")
	}
}

// A directory for dropping files into can be entered, and nothing in it can be
// told from nothing.
func TestWriteOnlyDrop(t *testing.T) {
	h := newFixture(t)
	h.mkdir("/sub")
	h.put("/theirs", "x")
	tree, ctx := h.as(everywhere(ferry.RightCreate)), t.Context()
	for _, dir := range []string{"/", "/sub"} {
		if _, err := tree.Stat(ctx, ferry.Name(dir)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"/theirs", "/nothing"} {
		_, statErr := tree.Stat(ctx, ferry.Name(name))
		_, lstatErr := tree.Lstat(ctx, ferry.Name(name))
		_, openErr := tree.Open(ctx, ferry.Name(name), ferry.OpenOptions{Mode: ferry.Read})
		_, updateErr := tree.Open(ctx, ferry.Name(name), ferry.OpenOptions{Mode: ferry.Update})
		for _, err := range []error{statErr, lstatErr, openErr, updateErr, tree.Remove(ctx, ferry.Name(name))} {
			wantErr(t, err, fs.ErrPermission)
		}
	}
}

func TestWhoMayOnlyCreateNeverReplaces(t *testing.T) {
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive, ferry.Resume} {
		h := newFixture(t)
		f, err := h.as(everywhere(ferry.RightCreate)).Open(t.Context(), "/name", ferry.OpenOptions{Mode: m})
		if err != nil {
			t.Errorf("mode %d: %v", m, err)
			continue
		}
		_, err = f.WriteAt([]byte("mine"), 0)
		wantErr(t, err, nil)
		h.put("/name", "theirs")
		wantErr(t, f.Commit(), fs.ErrExist)
		if got := h.content("/name"); got != "theirs" {
			t.Errorf("mode %d: the file holds %q", m, got)
		}
	}
}

func TestWhoMayOnlyCreateResumesAndNeverReplaces(t *testing.T) {
	for theirs, want := range map[string]error{"": nil, "theirs": fs.ErrExist} {
		h := storage(t)
		f, err := h.as(everywhere(ferry.RightCreate)).Open(t.Context(), "/kept", ferry.OpenOptions{Mode: ferry.Resume, At: 4})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteAt([]byte(" and new"), 4)
		wantErr(t, err, nil)
		if theirs != "" {
			h.put("/kept", theirs)
		}
		wantErr(t, f.Commit(), want)
		if got := h.content("/kept"); got != theirs && got != "kept and new" {
			t.Errorf("the file holds %q", got)
		}
	}
}

func TestWhoMayOnlyAppendChangesNothing(t *testing.T) {
	h := newFixture(t)
	h.put("/log", "old")
	f, err := h.as(everywhere(ferry.RightAppend)).Open(t.Context(), "/log", ferry.OpenOptions{Mode: ferry.Resume})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte("X"), 2)
	wantErr(t, err, fs.ErrPermission)
	wantErr(t, f.Truncate(2), fs.ErrPermission)
	wantErr(t, f.SetAttr(size()), fs.ErrPermission)
	_, err = f.WriteAt([]byte(" and new"), 3)
	wantErr(t, err, nil)
	wantErr(t, f.Commit(), nil)
	if got := h.content("/log"); got != "old and new" {
		t.Errorf("the file holds %q", got)
	}
}

func TestRenameAcrossRules(t *testing.T) {
	const ren = ferry.RightRename
	rules := []ferry.Rule{
		{Prefix: "/", Rights: ferry.RightsAll},
		{Prefix: "/fixed", Rights: ferry.RightsAll &^ ren},
		{Prefix: "/blind", Rights: ren | ferry.RightCreate},
		{Prefix: "/keep", Rights: ferry.RightsAll &^ ferry.RightOverwrite},
		{Prefix: "/tree/inner", Rights: ferry.RightsRead},
		{Prefix: "/later/inner", Rights: ferry.RightsAll},
	}
	tests := []struct {
		from, to ferry.Name
		want     error
	}{
		{"/file", "/other", nil},
		{"/fixed/file", "/file2", fs.ErrPermission},
		{"/file", "/fixed/file2", fs.ErrPermission},
		{"/blind/file", "/file2", fs.ErrPermission}, // would become readable
		{"/blind/file", "/blind/file2", nil},
		{"/file", "/blind/file2", nil},
		{"/tree", "/free", fs.ErrPermission}, // would free /tree/inner
		{"/dir", "/later", fs.ErrPermission}, // would put /dir/inner under another rule
		{"/dir", "/free", nil},
		{"/file", "/taken", nil},
		{"/file", "/keep/file", fs.ErrExist},
	}
	for _, test := range tests {
		t.Run(string(test.from+" to "+test.to), func(t *testing.T) {
			h := newFixture(t)
			h.mkdir("/fixed", "/blind", "/keep", "/tree", "/tree/inner", "/dir")
			for _, name := range []string{"/file", "/taken", "/fixed/file", "/blind/file", "/keep/file"} {
				h.put(ferry.Name(name), name)
			}
			wantErr(t, h.as(rules...).Rename(t.Context(), test.from, test.to, true), test.want)
		})
	}
}

func TestLinkWinsNoRights(t *testing.T) {
	h := newFixture(t)
	h.mkdir("/archive")
	h.put("/archive/file", "x")
	tree := h.as(everywhere(ferry.RightsAll), ferry.Rule{Prefix: "/archive", Rights: ferry.RightsRead})
	wantErr(t, tree.Link(t.Context(), "/archive/file", "/mine"), fs.ErrPermission)
}

// A file with two names is written in place: an anonymous user who made the second
// one, in a drop directory, took the staging from its owner's uploads.
func TestSharedAccountsMakeNoHardLinks(t *testing.T) {
	for _, u := range []ferry.User{{Name: "anonymous", Anonymous: true}, {Name: "team", Shared: true}} {
		f := newFixture(t)
		f.put("/pub.txt", "x")
		u.Rules = []ferry.Rule{everywhere(ferry.RightsAll)}
		wantErr(t, access.New(f.tree.For(u), func() ferry.User { return u }).Link(t.Context(), "/pub.txt", "/second"), fs.ErrPermission)
	}
}

// "all" leaves the owner of a file alone.
func TestAllIsNotChown(t *testing.T) {
	f := newFixture(t)
	f.put("/file", "x")
	wantErr(t, f.as(everywhere(ferry.RightsAll)).SetAttr(t.Context(), "/file", owner()), fs.ErrPermission)
	wantErr(t, f.as(everywhere(ferry.RightsKnown)).SetAttr(t.Context(), "/file", owner()), nil)
}

// cp -a and rsync -a set the owner of what they have made to what it is: that is
// no change, and not refused.
func TestTheOwnerAsItIs(t *testing.T) {
	f := newFixture(t)
	f.put("/file", "x")
	tree := f.as(everywhere(ferry.RightsAll))
	i, err := tree.Stat(t.Context(), "/file")
	f.must(err)
	same := ferry.Attr{UID: &i.UID, GID: &i.GID}
	f.must(tree.SetAttr(t.Context(), "/file", same))
	h, err := tree.Open(t.Context(), "/file", ferry.OpenOptions{Mode: ferry.Update})
	f.must(err)
	f.must(h.SetAttr(same))
	other := i.GID + 1
	wantErr(t, h.SetAttr(ferry.Attr{UID: &i.UID, GID: &other}), fs.ErrPermission)
	f.must(h.Commit())
}

// Every method that changes the tree is the event that the table says, and no
// other; what was refused is told as that, and what failed not at all.
func TestEveryMethodAndItsEvent(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			for _, rights := range []ferry.Right{ferry.RightsKnown, 0} {
				var told []string
				tree := event.Watch(storage(t).as(everywhere(rights)), func(e ferry.Event) { told = append(told, e.Kind.String()) })
				err := op.do(t.Context(), tree)
				var want []string
				switch {
				case err == nil && op.event != "":
					want = []string{op.event}
				case errors.Is(err, fs.ErrPermission) && op.name != "Part": // which no client asks for
					want = []string{"denied"}
				}
				if !slices.Equal(told, want) {
					t.Errorf("with %v, answered %v: events %v, want %v", rights, err, told, want)
				}
			}
		})
	}
}

// TestTableIsWhole: a method that is added to the interfaces has to be in the
// table, with its right and its event.
func TestTableIsWhole(t *testing.T) {
	// Of a handle, the FS's end, and the straight tree, whose rights reach_test.go asks.
	without := map[string]bool{"Straight": true, "Close": true, "Stat": true, "Start": true, "Gaps": true, "Sync": true, "Commit": true, "Abort": true}
	for _, methods := range []reflect.Type{reflect.TypeFor[ferry.FS](), reflect.TypeFor[ferry.Handle]()} {
		for i := range methods.NumMethod() {
			name := methods.Method(i).Name
			if !without[name] && !slices.ContainsFunc(operations(), func(op operation) bool { return strings.Contains(op.name, name) }) {
				t.Errorf("%s of %s is in no row of the table", name, methods.Name())
			}
		}
	}
}
