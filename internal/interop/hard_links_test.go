package interop

import (
	"bytes"
	"os"
	"testing"
)

// TestFilesWithTwoNames: what has other hard links is written in place. A
// command that reads it meanwhile must not find, nor leave, an empty file.
func TestFilesWithTwoNames(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	for _, name := range []string{"f", "g", "part"} {
		writeFile(t, v.path(name), []byte("content of "+name))
	}
	for name, other := range map[string]string{"f": "f2", "g": "g2"} {
		if err := os.Link(v.path(name), v.path(other)); err != nil {
			t.Fatal(err)
		}
	}
	l := phone(t, v)
	l.want("SITE COPY f f2", 553)
	l.want("SITE CPFR f", 350)
	l.want("SITE CPTO f2", 553)
	l.want("COMB f f2", 501)
	l.want("COMB new f f2", 501)
	wantContent(t, v.path("f"), "content of f")
	wantContent(t, v.path("f2"), "content of f")

	l.want("COMB g part", 250)
	wantContent(t, v.path("g"), "content of gcontent of part")
	wantContent(t, v.path("g2"), "content of gcontent of part")
	wantNoFile(t, v.path("part"))
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, []byte(want)) {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
	}
}
