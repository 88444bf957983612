package ferry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// TestJobsTouchNoSession holds what ftpreply.Job promises: the function of a job, which
// takes a Control, runs beside the loop, and does not name the receiver of the method
// that it stands in: the session, which the loop alone owns.
func TestJobsTouchNoSession(t *testing.T) {
	files, err := filepath.Glob("internal/ftp*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	jobs := 0
	for _, name := range files {
		positions := token.NewFileSet()
		file, err := parser.ParseFile(positions, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			method, ok := d.(*ast.FuncDecl)
			if !ok || method.Recv == nil || len(method.Recv.List[0].Names) == 0 {
				continue
			}
			session := method.Recv.List[0].Names[0].Name
			for _, job := range functionsOfJobs(method.Body) {
				jobs++
				for _, at := range uses(job.Body, session) {
					t.Errorf("%s: a job names the session %q", positions.Position(at), session)
				}
			}
		}
	}
	if jobs < 6 {
		t.Errorf("only %d jobs found: what marks one has changed", jobs)
	}
}

// functionsOfJobs are the functions in a body that take a Control.
func functionsOfJobs(body ast.Node) (found []*ast.FuncLit) {
	ast.Inspect(body, func(n ast.Node) bool {
		f, ok := n.(*ast.FuncLit)
		if !ok {
			return true
		}
		for _, p := range f.Type.Params.List {
			if s, ok := p.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Control" {
				found = append(found, f)
			}
		}
		return true
	})
	return found
}

func uses(body ast.Node, name string) (found []token.Pos) {
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = append(found, id.Pos())
		}
		return true
	})
	return found
}
