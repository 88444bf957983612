package ftpwire_test

import (
	"strings"
	"testing"

	"ferry/internal/ftpwire"
)

func benchEntry() *ftpwire.Entry {
	return &ftpwire.Entry{Name: "IMG_20240102_030405.jpg", Size: 1234567, Modify: someday(), Perm: "adfrw", Unique: "801g2a4f",
		Mode: 0o644, Owner: "alice", Group: "users", UID: 1000, GID: 100, Links: 1}
}

// A listing of 100,000 files must cost no garbage.
func TestListingDoesNotAllocate(t *testing.T) {
	e, now, dst := benchEntry(), today(), make([]byte, 0, 1024)
	g, err := ftpwire.CompileGlob("*_[0-9]*.jp?")
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"AppendFacts":    func() { ftpwire.AppendFacts(dst, ftpwire.AllFacts, e) },
		"AppendListLine": func() { ftpwire.AppendListLine(dst, e, now, nil) },
		"AppendClass":    func() { ftpwire.AppendClass(dst, e) },
		"AppendReply":    func() { ftpwire.AppendReply(dst, 226, "Done") },
		"Match":          func() { g.Match(e.Name) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkAppendFacts(b *testing.B) {
	b.ReportAllocs()
	e, dst := benchEntry(), make([]byte, 0, 1024)
	for b.Loop() {
		ftpwire.AppendFacts(dst, ftpwire.DefaultFacts, e)
	}
}

func BenchmarkAppendListLine(b *testing.B) {
	b.ReportAllocs()
	e, now, dst := benchEntry(), today(), make([]byte, 0, 1024)
	for b.Loop() {
		ftpwire.AppendListLine(dst, e, now, nil)
	}
}

func BenchmarkReadAndParseCommand(b *testing.B) {
	b.ReportAllocs()
	const lines = "SIZE /in/IMG_20240102_030405.jpg\r\n"
	src := strings.NewReader(lines)
	r := ftpwire.NewReader(src, 4096)
	for b.Loop() {
		src.Reset(lines)
		line, err := r.ReadLine()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := ftpwire.ParseCommand(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGlob(b *testing.B) {
	b.ReportAllocs()
	g, err := ftpwire.CompileGlob("*_[0-9]*.jp?")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g.Match("IMG_20240102_030405.jpg")
	}
}
