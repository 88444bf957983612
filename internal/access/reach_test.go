package access_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"ferry"
	"ferry/internal/access"
	"ferry/internal/mem"
)

// world is a whole tree by real names: what stands there, as text.
type world map[ferry.Name]string

// What a world says of an entry: its kind, and after it the content or target.
const (
	aDir  = "dir"
	aFile = "file:"
	aLink = "link:"
)

// worldOf reads a tree as somebody who may do everything.
func worldOf(t *testing.T, files ferry.FS) world {
	w := world{ferry.Root: aDir}
	var read func(dir ferry.Name)
	read = func(dir ferry.Name) {
		for i, err := range files.List(t.Context(), dir, ferry.Full) {
			name, bad := dir.Join(i.Name)
			if err != nil || bad != nil {
				t.Fatal(err, bad)
			}
			switch {
			case i.IsDir():
				w[name] = aDir + i.Mode.String()
				read(name)
			case i.Target != "":
				w[name] = aLink + i.Target
			default:
				text, err := readAll(t.Context(), files, name)
				if err != nil {
					t.Fatal(err)
				}
				w[name] = aFile + i.Mode.String() + text
			}
		}
	}
	read(ferry.Root)
	return w
}

func readAll(ctx context.Context, files ferry.FS, name ferry.Name) (string, error) {
	h, err := files.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<20))
	return string(text), errors.Join(err, h.Abort(nil))
}

// real is where a name leads, and every name that a link led by on the way. It is ""
// where it leads nowhere.
func (w world) real(name ferry.Name, follow bool) (at ferry.Name, passed []ferry.Name) {
	at, rest := ferry.Root, strings.Split(strings.Trim(string(name), "/"), "/")
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		if element == "" || element == "." {
			continue
		}
		if !strings.HasPrefix(w[at], aDir) {
			return "", passed
		}
		next := ferry.Name(path.Join(string(at), element))
		if links > 0 {
			passed = append(passed, next)
		}
		target, link := strings.CutPrefix(w[next], aLink)
		if !link || len(rest) == 0 && !follow {
			at = next
			continue
		}
		if links++; links > 40 {
			return "", passed
		}
		if strings.HasPrefix(target, "/") {
			at = ferry.Root
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, passed
}

// reaching is one operation on a name, and on a second one where it has two.
type reaching struct {
	name   string
	follow bool // a link in the last element
	// granted tells whether rights suffice where what, "" for nothing, stands.
	granted func(rights ferry.Right, what string) bool
	second  ferry.Right // needed at the second name; 0: there is none
	do      func(ctx context.Context, files ferry.FS, a, b ferry.Name) (string, error)
}

func has(want ferry.Right) func(ferry.Right, string) bool {
	return func(rights ferry.Right, _ string) bool { return rights.Has(want) }
}

func some(want ferry.Right) func(ferry.Right, string) bool {
	return func(rights ferry.Right, _ string) bool { return rights&want != 0 }
}

func sees(rights ferry.Right, what string) bool {
	return rights&ferry.RightsRead != 0 || rights != 0 && strings.HasPrefix(what, aDir)
}

// uploads is what it takes to write a new file, or anew what stands there.
func uploads(anew ferry.Right) func(ferry.Right, string) bool {
	return func(rights ferry.Right, what string) bool {
		if what == "" {
			return rights.Has(ferry.RightCreate)
		}
		return rights&anew != 0
	}
}

func writesBy(m ferry.Mode, off func(size int64) int64) func(context.Context, ferry.FS, ferry.Name, ferry.Name) (string, error) {
	return func(ctx context.Context, files ferry.FS, name, _ ferry.Name) (string, error) {
		h, err := files.Open(ctx, name, ferry.OpenOptions{Mode: m})
		if err != nil {
			return "", err
		}
		i, err := h.Stat()
		if err == nil {
			_, err = h.WriteAt([]byte("written"), off(i.Size))
		}
		if err != nil {
			return "", errors.Join(err, h.Abort(nil))
		}
		return "", h.Commit()
	}
}

func atStart(int64) int64 { return 0 }
func atEnd(n int64) int64 { return n }

// reachings are all methods of ferry.FS that take a name.
func reachings() []reaching {
	type names = ferry.Name
	do := func(f func(context.Context, ferry.FS, names) error) func(context.Context, ferry.FS, names, names) (string, error) {
		return func(ctx context.Context, files ferry.FS, a, _ names) (string, error) { return "", f(ctx, files, a) }
	}
	told := func(i ferry.Info, err error) (string, error) {
		return fmt.Sprint(i.Name, i.Mode, i.Size, i.Target), err
	}
	return []reaching{
		{"Stat", true, sees, 0, func(ctx context.Context, f ferry.FS, a, _ names) (string, error) { return told(f.Stat(ctx, a)) }},
		{"Lstat", false, sees, 0, func(ctx context.Context, f ferry.FS, a, _ names) (string, error) { return told(f.Lstat(ctx, a)) }},
		{"List", true, has(ferry.RightList), 0, listed},
		{"Read", true, has(ferry.RightRead), 0, func(ctx context.Context, f ferry.FS, a, _ names) (string, error) { return readAll(ctx, f, a) }},
		{"Replace", true, uploads(ferry.RightOverwrite), 0, writesBy(ferry.Replace, atStart)},
		{"Resume", true, uploads(ferry.RightOverwrite | ferry.RightAppend), 0, writesBy(ferry.Resume, atEnd)},
		{"Update", true, has(ferry.RightOverwrite), 0, writesBy(ferry.Update, atStart)},
		{"Exclusive", false, has(ferry.RightCreate), 0, writesBy(ferry.Exclusive, atStart)},
		{"Part", true, some(ferry.RightCreate | ferry.RightOverwrite | ferry.RightAppend), 0, do(func(ctx context.Context, f ferry.FS, a names) error { _, err := f.Part(ctx, a); return err })},
		{"Mkdir", false, has(ferry.RightMkdir), 0, do(func(ctx context.Context, f ferry.FS, a names) error { return f.Mkdir(ctx, a, nil) })},
		{"Remove", false, has(ferry.RightDelete), 0, do(func(ctx context.Context, f ferry.FS, a names) error { return f.Remove(ctx, a) })},
		{"RemoveUnchanged", false, has(ferry.RightDelete), 0, do(func(ctx context.Context, f ferry.FS, a names) error { return f.RemoveUnchanged(ctx, a, ferry.Info{}) })},
		{"Rmdir", false, has(ferry.RightRmdir), 0, do(func(ctx context.Context, f ferry.FS, a names) error { return f.Rmdir(ctx, a) })},
		{"Rename", false, has(ferry.RightRename), ferry.RightRename, func(ctx context.Context, f ferry.FS, a, b names) (string, error) {
			return "", f.Rename(ctx, a, b, true)
		}},
		{"Link", false, has(ferry.RightRead | ferry.RightOverwrite), ferry.RightCreate, func(ctx context.Context, f ferry.FS, a, b names) (string, error) { return "", f.Link(ctx, a, b) }},
		{"Symlink", false, has(ferry.RightSymlink), 0, do(func(ctx context.Context, f ferry.FS, a names) error { return f.Symlink(ctx, "/a", a) })},
		{"Readlink", false, some(ferry.RightsRead), 0, func(ctx context.Context, f ferry.FS, a, _ names) (string, error) { return f.Readlink(ctx, a) }},
		{"SetAttr", true, has(ferry.RightChmod), 0, do(func(ctx context.Context, f ferry.FS, a names) error { return f.SetAttr(ctx, a, mode()) })},
		{"SetAttr of a link", false, has(ferry.RightTimes), 0, do(func(ctx context.Context, f ferry.FS, a names) error {
			set := times()
			set.NoFollow = true
			return f.SetAttr(ctx, a, set)
		})},
		{"Space", true, some(ferry.RightsRead), 0, do(func(ctx context.Context, f ferry.FS, a names) error { _, err := f.Space(ctx, a); return err })},
	}
}

func listed(ctx context.Context, files ferry.FS, dir, _ ferry.Name) (string, error) {
	var names []string
	for i, err := range files.List(ctx, dir, ferry.Names) {
		if err != nil {
			return "", err
		}
		names = append(names, i.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " "), nil
}

// grown is a random tree, the same in both of two storages.
func grown(t *testing.T, random *rand.Rand) [2]*mem.Tree {
	trees := [2]*mem.Tree{mem.New(mem.Config{}), mem.New(mem.Config{})}
	for n := range 14 {
		name, kind, target := someName(random), random.IntN(3), someTarget(random)
		for _, tree := range trees {
			root := tree.For(ferry.User{Name: "root"})
			switch kind {
			case 0:
				_ = root.Mkdir(t.Context(), name, nil)
			case 1:
				_ = root.Symlink(t.Context(), target, name)
			default:
				h, err := root.Open(t.Context(), name, ferry.OpenOptions{Mode: ferry.Exclusive})
				if err != nil {
					continue // no directory there: the tree has one file less
				}
				_, err = fmt.Fprintf(io.NewOffsetWriter(h, 0), "file %d", n)
				if err = errors.Join(err, h.Commit()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return trees
}

func someName(random *rand.Rand) ferry.Name {
	name := ""
	for range 1 + random.IntN(3) {
		name += "/" + string("abc"[random.IntN(3)])
	}
	return ferry.Name(name)
}

func someTarget(random *rand.Rand) string {
	target := string(someName(random))
	switch random.IntN(4) {
	case 0:
		return target
	case 1:
		return ".." + target
	case 2:
		return target[1:] + "/.."
	}
	return target[1:]
}

func someRules(random *rand.Rand) []ferry.Rule {
	some := func() ferry.Right {
		sets := []ferry.Right{0, ferry.RightsAll, ferry.RightsAll, ferry.RightsRead, ferry.RightList, ferry.RightCreate, ferry.Right(random.Uint32()) & ferry.RightsAll}
		return sets[random.IntN(len(sets))]
	}
	rules := []ferry.Rule{everywhere(some())}
	for range 1 + random.IntN(3) {
		rules = append(rules, ferry.Rule{Prefix: someName(random), Rights: some()})
	}
	return rules
}

// attempt is an operation on a tree through rules, and what it came to; and the same
// without rules.
type attempt struct {
	op     reaching
	a, b   ferry.Name
	rules  []ferry.Rule
	before world
	ruled  outcome
	free   outcome
}

type outcome struct {
	told  string
	err   error
	after world
}

func (o reaching) on(t *testing.T, tree *mem.Tree, files ferry.FS, a, b ferry.Name) outcome {
	told, err := o.do(t.Context(), files, a, b)
	return outcome{told, err, worldOf(t, tree.For(ferry.User{Name: "root"}))}
}

// grant is what the rules grant for one of the names: under the name given and the
// real one; whether a link was on the way; and whether one led by where alice may not
// look, who is then told nothing.
func (t attempt) grant(name ferry.Name, follow bool) (rights ferry.Right, real ferry.Name, linked, blind bool) {
	real, passed := t.before.real(name, follow)
	rights = ferry.RightsAt(t.rules, name)
	if real != "" {
		rights &= ferry.RightsAt(t.rules, real)
	}
	for _, n := range passed {
		blind = blind || ferry.RightsAt(t.rules, n)&ferry.RightsRead == 0
	}
	return rights, real, len(passed) > 0 || real != name, blind
}

// below tells whether a rule begins below name.
func (t attempt) below(name ferry.Name) bool {
	return slices.ContainsFunc(t.rules, func(r ferry.Rule) bool { return r.Prefix != name && r.Prefix.Within(name) })
}

// check gives what is wrong with what came of it, "" for nothing.
func (t attempt) check() string {
	rights, real, linked, blind := t.grant(t.a, t.op.follow)
	granted := t.op.granted(rights, t.before[real])
	if t.op.second != 0 {
		more, other, alsoLinked, alsoBlind := t.grant(t.b, false)
		linked, blind = linked || alsoLinked, blind || alsoBlind
		granted = granted && more.Has(t.op.second)
		gained := ferry.RightsAt(t.rules, other) &^ ferry.RightsAt(t.rules, real)
		// What else a move asks for, and a second name, has tests of its own.
		if gained != 0 || !more.Has(ferry.RightOverwrite) || slices.ContainsFunc([]ferry.Name{t.a, t.b, real, other}, t.below) {
			blind = true
		}
		rights &= more
	}
	unchanged := maps.Equal(t.before, t.ruled.after)
	switch {
	case !granted && t.ruled.err == nil:
		return "went well"
	case !granted && !unchanged:
		return "changed something"
	case t.ruled.err != nil && !unchanged:
		return "failed, and changed something"
	case !granted || blind:
		return ""
	case linked && !rights.Has(ferry.RightsAll):
		return "" // with some of the rights a link may count as what stands there
	case rights&ferry.RightsRead == 0 && errors.Is(t.free.err, fs.ErrNotExist):
		return "" // who may not see is not told what is missing
	case class(t.ruled.err) != class(t.free.err):
		return "was granted, and should have the same end as without rules"
	case !maps.Equal(t.ruled.after, t.free.after):
		return "was granted, and has done something else than without rules"
	case t.op.name == "List":
		return t.checkList(real)
	case t.ruled.told != t.free.told:
		return "was granted, and told something else than without rules"
	}
	return ""
}

// checkList holds a listing against the rules of its entries.
func (t attempt) checkList(dir ferry.Name) string {
	var want []string
	for name := range strings.FieldsSeq(t.free.told) {
		real := ferry.Name(path.Join(string(dir), name))
		rights := ferry.RightsAt(t.rules, real) & ferry.RightsAt(t.rules, ferry.Name(path.Join(string(t.a), name)))
		if sees(rights, t.before[real]) {
			want = append(want, name)
		}
	}
	if strings.Join(want, " ") != t.ruled.told {
		return fmt.Sprintf("should show %v", want)
	}
	return ""
}

// class is an error without the name that it is about.
func class(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return fmt.Sprint(err)
}

func (t attempt) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s of %s %s: told %q, %v (without rules %q, %v)\nrules:", t.op.name, t.a, t.b, t.ruled.told, t.ruled.err, t.free.told, t.free.err)
	for _, r := range t.rules {
		fmt.Fprintf(&text, " %s=%v", r.Prefix, r.Rights)
	}
	for _, name := range slices.Sorted(maps.Keys(t.before)) {
		fmt.Fprintf(&text, "\n  %s %s", name, t.before[name])
	}
	return text.String()
}

// Threat 5: a rule decides about the object. In random trees with links and under
// random rules, no operation reaches an object by a link that it would not reach by
// its real name, and what no rule forbids has the end that it has without rules.
func TestThreat5NoLinkLeadsAroundARule(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 5))
		ops := reachings()
		at := attempt{op: ops[random.IntN(len(ops))], a: someName(random), b: someName(random), rules: someRules(random)}
		trees := grown(t, random)
		user := ferry.User{Name: "alice", Rules: at.rules}
		free := trees[1].For(user)
		at.before = worldOf(t, free)
		at.ruled = at.op.on(t, trees[0], access.New(trees[0].For(user), func() ferry.User { return user }), at.a, at.b)
		at.free = at.op.on(t, trees[1], free, at.a, at.b)
		if wrong := at.check(); wrong != "" {
			t.Fatalf("seed %d: it %s\n%v", seed, wrong, at)
		}
	}
}

// swapping is a tree in which somebody acts right after one name was looked at.
type swapping struct {
	ferry.FS
	after ferry.Name
	swap  func()
}

func (s swapping) Straight() ferry.FS { return swapping{s.FS.Straight(), s.after, s.swap} }

func (s swapping) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := s.FS.Lstat(ctx, name)
	if name == s.after {
		s.swap()
	}
	return i, err
}

// Threat 5: what was looked at is what is acted on, though a directory makes room for
// a link in between.
// secretive is a tree whose links do not tell where they lead.
type secretive struct{ ferry.FS }

func (s secretive) Straight() ferry.FS { return secretive{s.FS.Straight()} }

func (s secretive) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := s.FS.Lstat(ctx, name)
	i.Target = ""
	return i, err
}

// TestThreat5AHiddenTargetIsFollowed by what the storage follows, and not by what it
// shows: "" would be the directory that the link is in.
func TestThreat5AHiddenTargetIsFollowed(t *testing.T) {
	f := newFixture(t)
	f.mkdir("/secret", "/pub")
	f.put("/secret/file", "secret")
	f.must(f.root().Symlink(t.Context(), "/secret", "/pub/link"))
	f.must(f.root().Symlink(t.Context(), "/outside", "/pub/dangling"))
	rules := []ferry.Rule{everywhere(ferry.RightsAll), {Prefix: "/secret", Rights: 0}}
	tree := access.New(secretive{f.tree.For(ferry.User{Name: "alice"})}, func() ferry.User { return ferry.User{Name: "alice", Rules: rules} })
	_, err := readAll(t.Context(), tree, "/pub/link/file")
	wantErr(t, err, fs.ErrPermission)
	_, err = tree.Stat(t.Context(), "/pub/dangling")
	wantErr(t, err, fs.ErrNotExist)
}

func TestThreat5NoLinkIsSwappedInTime(t *testing.T) {
	for _, op := range reachings() {
		for _, name := range []ferry.Name{"/pub/link/file", "/pub/link/new", "/pub/link"} {
			for _, after := range []ferry.Name{"/pub/dir", "/pub/dir/file", "/pub/dir/new"} {
				f := newFixture(t)
				f.mkdir("/pub", "/pub/dir", "/secret")
				f.put("/pub/dir/file", "public")
				f.put("/secret/file", "secrets")
				root, ctx := f.root(), t.Context()
				f.must(root.Symlink(ctx, "dir", "/pub/link"))
				swap := sync.OnceFunc(func() {
					f.must(root.Rename(ctx, "/pub/dir", "/pub/away", false))
					f.must(root.Symlink(ctx, "/secret", "/pub/dir"))
				})
				before := worldOf(t, root)
				user := ferry.User{Name: "alice", Rules: []ferry.Rule{everywhere(ferry.RightsAll), {Prefix: "/secret"}}}
				files := access.New(swapping{f.tree.For(user), after, swap}, func() ferry.User { return user })
				told, err := op.do(ctx, files, name, "/pub/other")
				if told == "secrets" || strings.Contains(told, " 7 ") {
					t.Errorf("%s of %s, swapped after %s, told %q, %v", op.name, name, after, told, err)
				}
				now := worldOf(t, root)
				for _, name := range []ferry.Name{"/secret", "/secret/file", "/secret/new"} {
					if now[name] != before[name] {
						t.Errorf("%s of %s, swapped after %s: %s is %q", op.name, name, after, name, now[name])
					}
				}
			}
		}
	}
}
