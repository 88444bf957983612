package clients

import (
	"bytes"
	"os"
	"testing"

	"ferry/internal/interop/harness"
)

// TestFilesWithTwoNames: what has other hard links is written in place. A
// command that reads it meanwhile must not find, nor leave, an empty file.
func TestFilesWithTwoNames(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	for _, name := range []string{"f", "g", "part"} {
		harness.WriteFile(t, v.Path(name), []byte("content of "+name))
	}
	for name, other := range map[string]string{"f": "f2", "g": "g2"} {
		if err := os.Link(v.Path(name), v.Path(other)); err != nil {
			t.Fatal(err)
		}
	}
	l := harness.Phone(t, v)
	l.Want("SITE COPY f f2", 553)
	l.Want("SITE CPFR f", 350)
	l.Want("SITE CPTO f2", 553)
	l.Want("COMB f f2", 501)
	l.Want("COMB new f f2", 501)
	wantContent(t, v.Path("f"), "content of f")
	wantContent(t, v.Path("f2"), "content of f")

	l.Want("COMB g part", 250)
	wantContent(t, v.Path("g"), "content of gcontent of part")
	wantContent(t, v.Path("g2"), "content of gcontent of part")
	harness.WantNoFile(t, v.Path("part"))
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, []byte(want)) {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
	}
}
