package beneath

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// asked are the system calls by which the kernel judges what a user may do: those that
// name a file, and those that only some may do to an open one.
func asked() []string {
	return []string{"Open", "Openat", "Openat2", "Creat", "Mkdir", "Mkdirat", "Mknod", "Mknodat", "Unlink", "Unlinkat", "Rmdir",
		"Rename", "Renameat", "Renameat2", "Link", "Linkat", "Symlink", "Symlinkat", "Readlink", "Readlinkat", "Stat", "Lstat", "Fstatat", "Statx",
		"Access", "Faccessat", "Faccessat2", "Chmod", "Fchmod", "Fchmodat", "Chown", "Lchown", "Fchown", "Fchownat", "UtimesNanoAt", "Utimes", "Truncate",
		"Getxattr", "Lgetxattr", "Fgetxattr", "Setxattr", "Lsetxattr", "Fsetxattr", "Listxattr", "Llistxattr", "Removexattr", "Lremovexattr", "Fremovexattr",
		"Statfs", "Chdir", "Chroot", "Mount", "Unmount", "SYS_STATX"}
}

// TestFilesAreNamedAsTheUser: every such call is made within Root.run, or by a function
// that is only called there. Others would be made with the rights of the server.
func TestFilesAreNamedAsTheUser(t *testing.T) {
	within := map[string]string{
		"mounts.go start":            "it looks at the root, and at /dev",
		"object.go procWorks":        "it looks whether there is a /proc",
		"resolve.go probe":           "it asks the kernel what it can",
		"resolve.go resolve":         "called by Root.open, within run",
		"resolve.go openNoLink":      "called by Root.open, within run",
		"describe.go statx":          "called within run, and for open descriptors",
		"object.go statAt":           "called within run",
		"object.go readlink":         "called within run",
		"names.go renameNew":         "called within run",
		"inherit.go tryOwner":        "called within run",
		"inherit.go userAttributes":  "called within run",
		"inherit.go attribute":       "called within run",
		"../disk/open.go openDirect": "setuid is taken away as the kernel would, with the rights of the server",
	}
	used := map[string]bool{}
	for _, room := range []string{".", "../disk", "../partfile", "../dirsync", "../fdcopy"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if name := nakedCall(f); name != "" {
					at := path + " " + f.Name.Name
					if within[at] == "" {
						t.Errorf("%s calls unix.%s outside Root.run", at, name)
					}
					used[at] = true
				}
			}
		}
	}
	for at := range within {
		if !used[at] {
			t.Errorf("%s needs no exception", at)
		}
	}
}

// nakedCall is the first such call of f that is not within an argument of run, call or
// openAs.
func nakedCall(f *ast.FuncDecl) string {
	found := ""
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"run", "call", "openAs"}, s.Sel.Name) {
				return false
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "unix" && slices.Contains(asked(), n.Sel.Name) && found == "" {
				found = n.Sel.Name
			}
		}
		return true
	})
	return found
}
