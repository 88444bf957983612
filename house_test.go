package ferry_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// house is who may import whom, of ours. Arrows only go down, rooms on one
// floor do not know each other, and only cmd/ferry and daemon know all. "ferry" is the
// root: the nouns.
func house() map[string][]string {
	root := []string{"ferry"}
	return map[string][]string{
		"ferry":                     {},
		"ferry/internal/ftpwire":    {},
		"ferry/internal/sftpwire":   {},
		"ferry/internal/digest":     {},
		"ferry/internal/listen":     {},
		"ferry/internal/byteranges": {},
		"ferry/internal/certs":      {"ferry"},
		"ferry/internal/runas":      root,
		"ferry/internal/privilege":  {},
		"ferry/internal/quota":      root,
		"ferry/internal/beneath":    {"ferry", "ferry/internal/quota", "ferry/internal/runas"},
		"ferry/internal/fdcopy":     {"ferry", "ferry/internal/beneath"},
		"ferry/internal/dirsync":    {"ferry/internal/beneath"},
		"ferry/internal/partfile":   {"ferry", "ferry/internal/beneath", "ferry/internal/byteranges"},
		"ferry/internal/disk":       {"ferry", "ferry/internal/beneath", "ferry/internal/fdcopy", "ferry/internal/dirsync", "ferry/internal/partfile", "ferry/internal/quota", "ferry/internal/runas"},
		"ferry/internal/mem":        {"ferry", "ferry/internal/byteranges"},
		"ferry/internal/sftpconn":   {"ferry", "ferry/internal/sftpwire"},
		"ferry/internal/sftppath":   {"ferry", "ferry/internal/sftpconn", "ferry/internal/sftpwire"},
		"ferry/internal/sftpflow":   {"ferry/internal/sftpconn", "ferry/internal/sftpwire"},
		"ferry/internal/sftpclient": {"ferry", "ferry/internal/sftpconn", "ferry/internal/sftppath", "ferry/internal/sftpflow", "ferry/internal/sftpfacts", "ferry/internal/sftpwire", "ferry/internal/byteranges"},
		"ferry/internal/fstest":     {"ferry", "ferry/internal/mem"},
		"ferry/internal/auth":       root,
		"ferry/internal/store":      root,
		"ferry/internal/logqueue":   {},
		"ferry/internal/nearest":    {},
		"ferry/internal/bytesize":   {},
		"ferry/internal/event":      {"ferry", "ferry/internal/logqueue"},
		"ferry/internal/cluster":    root,
		"ferry/internal/sysuser":    root,
		"ferry/internal/tomlkeys":   {},
		"ferry/internal/setting":    {"ferry/internal/bytesize"},
		"ferry/internal/config":     {"ferry", "ferry/internal/setting", "ferry/internal/tomlkeys", "ferry/internal/auth", "ferry/internal/certs", "ferry/internal/sysuser", "ferry/internal/nearest"},
		"ferry/internal/home":       {"ferry", "ferry/internal/config", "ferry/internal/quota", "ferry/internal/disk"},
		"ferry/internal/account":    {"ferry", "ferry/internal/config", "ferry/internal/home", "ferry/internal/auth", "ferry/internal/store"},
		"ferry/internal/importer":   {"ferry", "ferry/internal/auth", "ferry/internal/store"},
		"ferry/internal/opensshlog": {"ferry", "ferry/internal/logqueue"},
		"ferry/internal/gate":       root,
		"ferry/internal/access":     root,
		"ferry/internal/ftptls":     root,
		"ferry/internal/ftpdata":    {"ferry", "ferry/internal/ftptls", "ferry/internal/listen"},
		"ferry/internal/nettest":    {},
		"ferry/internal/ftplist":    {"ferry", "ferry/internal/ftpwire"},
		"ferry/internal/ftpreply":   {"ferry", "ferry/internal/ftpdata", "ferry/internal/ftptls"},
		"ferry/internal/ftpparam":   {"ferry/internal/ftpreply", "ferry/internal/ftpdata", "ferry/internal/ftplist", "ferry/internal/ftpwire"},
		"ferry/internal/ftpcontrol": {"ferry/internal/ftptls", "ferry/internal/ftpwire"},
		"ferry/internal/ftpport":    {"ferry/internal/ftpreply", "ferry/internal/ftpdata", "ferry/internal/ftpwire"},
		"ferry/internal/ftptree":    {"ferry", "ferry/internal/ftpreply", "ferry/internal/ftpparam", "ferry/internal/ftplist", "ferry/internal/ftpwire", "ferry/internal/digest"},
		"ferry/internal/ftpserver":  {"ferry", "ferry/internal/ftpcontrol", "ferry/internal/ftptree", "ferry/internal/ftpreply", "ferry/internal/ftpport", "ferry/internal/ftpparam", "ferry/internal/gate", "ferry/internal/ftpdata", "ferry/internal/ftptls", "ferry/internal/ftplist", "ferry/internal/ftpwire", "ferry/internal/digest", "ferry/internal/listen"},
		"ferry/internal/sftpio":     {"ferry/internal/sftpwire"},
		"ferry/internal/sftporder":  root,
		"ferry/internal/sftpfacts":  {"ferry", "ferry/internal/sftpwire"},
		"ferry/internal/sftpserver": {"ferry", "ferry/internal/sftporder", "ferry/internal/sftpfacts", "ferry/internal/sftpio", "ferry/internal/sftpwire", "ferry/internal/digest"},
		"ferry/internal/sshexec":    {"ferry", "ferry/internal/sftpserver", "ferry/internal/digest"},
		"ferry/internal/sshserver":  {"ferry", "ferry/internal/gate", "ferry/internal/sftpio", "ferry/internal/sftpserver", "ferry/internal/sshexec", "ferry/internal/listen", "ferry/internal/digest"},
		"ferry/internal/sftptest":   {"ferry/internal/sftpwire"},
		"ferry/internal/gatetest":   {"ferry", "ferry/internal/gate", "ferry/internal/access", "ferry/internal/event"},
	}
}

// everything is for those that stand above the house: the command, the server that
// ties all rooms together, and the tests that cross its floors.
func everything(path string) bool {
	return path == "ferry/cmd/ferry" || path == "ferry/internal/daemon" || strings.HasPrefix(path, "ferry/internal/interop")
}

// inTests is what the tests of any room may import beside what the room may:
// the twins in memory, and the suite.
func inTests() []string {
	return []string{"ferry", "ferry/internal/mem", "ferry/internal/fstest", "ferry/internal/cluster"}
}

// otherSide is what the tests of a room may import besides: of a client the server
// that they talk to, and what that serves.
func otherSide() map[string][]string {
	return map[string][]string{
		"ferry/internal/sftpclient": {"ferry/internal/sftpserver", "ferry/internal/disk"},
		// A gate, and what speaks behind one, is tested with the layers that a
		// server puts around the files.
		"ferry/internal/gate":       {"ferry/internal/access", "ferry/internal/event"},
		"ferry/internal/access":     {"ferry/internal/event"},
		"ferry/internal/ftpserver":  {"ferry/internal/gatetest", "ferry/internal/nettest"},
		"ferry/internal/ftpdata":    {"ferry/internal/nettest"},
		"ferry/internal/ftpparam":   {"ferry/internal/ftpreply", "ferry/internal/ftpdata", "ferry/internal/ftplist", "ferry/internal/ftpwire"},
		"ferry/internal/ftpport":    {"ferry/internal/nettest"},
		"ferry/internal/ftpcontrol": {"ferry/internal/nettest"},
		"ferry/internal/sftpserver": {"ferry/internal/gatetest", "ferry/internal/gate", "ferry/internal/sftptest"},
		"ferry/internal/sshserver":  {"ferry/internal/gatetest", "ferry/internal/sftptest", "ferry/internal/sftpwire"},
	}
}

type room struct {
	ImportPath                         string
	Dir                                string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// rooms asks the Go tool for every package of the project.
func rooms(t *testing.T) []room {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []room
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var r room
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func ours(path string) bool { return path == "ferry" || strings.HasPrefix(path, "ferry/") }

func TestArrowsOnlyGoDown(t *testing.T) {
	table := house()
	for _, r := range rooms(t) {
		if everything(r.ImportPath) {
			continue
		}
		may, ok := table[r.ImportPath]
		if !ok {
			t.Errorf("%s is not in the table of this test: say there what it may import", r.ImportPath)
			continue
		}
		for _, path := range r.Imports {
			if ours(path) && !slices.Contains(may, path) {
				t.Errorf("%s imports %s; it may import %v", r.ImportPath, path, may)
			}
		}
		for _, path := range may {
			if !slices.Contains(slices.Concat(r.Imports, r.TestImports, r.XTestImports), path) {
				t.Errorf("%s may import %s, and does not: take the arrow out", r.ImportPath, path)
			}
		}
		for _, path := range append(r.TestImports, r.XTestImports...) {
			allowed := slices.Concat(may, inTests(), otherSide()[r.ImportPath])
			if ours(path) && path != r.ImportPath && !slices.Contains(allowed, path) {
				t.Errorf("the tests of %s import %s; they may import %v", r.ImportPath, path, allowed)
			}
		}
	}
}

// The limits of a room: beyond them it holds a second subject, as a rule.
const (
	mostLinesOfRoom = 2500 // without tests
	mostLinesOfFile = 400
)

// largerRooms are those that may be larger, each with the reason.
func largerRooms() map[string]string {
	return map[string]string{
		"ferry/internal/fstest": "a suite of tests, in files that are none for the Go tool",
	}
}

// TestRoomsAreSmall: a room that grows past the limits is to be cut.
func TestRoomsAreSmall(t *testing.T) {
	larger := largerRooms()
	for _, r := range rooms(t) {
		lines := 0
		for _, name := range r.GoFiles {
			content, err := os.ReadFile(filepath.Join(r.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			n := strings.Count(string(content), "\n")
			if lines += n; n > mostLinesOfFile {
				t.Errorf("%s/%s has %d lines; a file has %d at most", r.ImportPath, name, n, mostLinesOfFile)
			}
		}
		reason := larger[r.ImportPath]
		switch {
		case lines > mostLinesOfRoom && reason == "":
			t.Errorf("%s has %d lines without its tests; a room has %d at most, or a reason in this test", r.ImportPath, lines, mostLinesOfRoom)
		case lines <= mostLinesOfRoom && reason != "":
			t.Errorf("%s has %d lines, and needs its exception no more", r.ImportPath, lines)
		}
	}
}

// TestArchitectureNamesEveryRoom: who reads ARCHITECTURE.md knows of every package, and
// whom it knows.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, " | "); len(cells) == 3 {
			said[strings.Trim(cells[0], "| `")] = strings.Trim(cells[2], " |\n")
		}
	}
	for path, may := range house() {
		if path == "ferry" {
			continue
		}
		var want []string
		for _, other := range may {
			want = append(want, strings.Replace(strings.TrimPrefix(other, "ferry/internal/"), "ferry", "root", 1))
		}
		got := strings.Split(said[strings.TrimPrefix(path, "ferry/")], ", ")
		if len(may) == 0 {
			want = []string{"–"}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("ARCHITECTURE.md says that %s knows %v; it may know %v", path, got, want)
		}
	}
}

// TestNoInitFunctions: what happens before main happens nowhere that a reader
// would look.
func TestNoInitFunctions(t *testing.T) {
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		parsed, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: call it from where it is needed", path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWordsNotUsed: a room has a subject, and its name says which.
func TestWordsNotUsed(t *testing.T) {
	for _, r := range rooms(t) {
		for element := range strings.SplitSeq(r.ImportPath, "/") {
			if slices.Contains([]string{"util", "utils", "common", "base", "helpers", "manager", "service"}, element) {
				t.Errorf("%s: %s says nothing about what is inside", r.ImportPath, strconv.Quote(element))
			}
		}
	}
}

// TestCleanAloneMakesNames: a string becomes a ferry.Name in name.go and nowhere
// else, so whoever is given one need not look whether it is clean. Constants are
// names as they are written, and tests and the suite of FS write them as they
// like.
func TestCleanAloneMakesNames(t *testing.T) {
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "fstest") {
			return err
		}
		parsed, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if to, ok := call.Fun.(*ast.SelectorExpr); ok && to.Sel.Name == "Name" {
				if pkg, ok := to.X.(*ast.Ident); ok && pkg.Name == "ferry" {
					t.Errorf("%s converts a string to a ferry.Name: let ferry.Clean or Name.Join make it", files.Position(n.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCommentsBeginWithTheName: a comment that still has an earlier name of what it
// describes sends its reader after a word that is nowhere. A command of FTP has the
// verb in capitals.
func TestCommentsBeginWithTheName(t *testing.T) {
	for _, r := range rooms(t) {
		for _, name := range r.GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(r.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				doc, of := described(d)
				if doc == nil {
					continue
				}
				first, _, _ := strings.Cut(strings.NewReplacer(",", " ", ":", " ", "'", " ", ".", " ", "\n", " ").Replace(doc.Text()), " ")
				if first != of && first != strings.ToUpper(of) {
					t.Errorf("%s: the comment of %s begins with %q", fset.Position(doc.Pos()), of, first)
				}
			}
		}
	}
}

// described is the comment of a function or of a type that is declared alone, and what
// it describes.
func described(d ast.Decl) (doc *ast.CommentGroup, name string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc, d.Name.Name
	case *ast.GenDecl:
		if len(d.Specs) == 1 {
			if spec, ok := d.Specs[0].(*ast.TypeSpec); ok {
				return d.Doc, spec.Name.Name
			}
		}
	}
	return nil, ""
}
