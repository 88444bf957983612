package disk

import (
	"context"
	"io/fs"
	"os"
	"testing"

	"ferry"
)

// Links that were made on the host tell its paths to nobody: not in listings, nor by
// Lstat or Readlink.
func TestHostLinksTellNoPathOfTheHost(t *testing.T) {
	each(t, func(s *served) {
		s.must(os.MkdirAll(s.path("docs"), 0o755))
		for name, target := range map[string]string{
			"inside": s.path("docs"), "outside": "/usr/share", "gone": s.path("missing"), "plain": "docs", "climbing": "../../usr",
		} {
			s.must(os.Symlink(target, s.path("docs/"+name)))
		}
		f := s.as("alice")
		want := map[string]string{"inside": "/docs", "outside": "", "gone": "/missing", "plain": "docs", "climbing": ""}
		for i, err := range f.List(context.Background(), "/docs", ferry.Full) {
			s.must(err)
			if target := want[i.Name]; i.Target != target || i.Size != int64(len(target)) {
				s.Errorf("List shows %s to %q of %d bytes, want %q", i.Name, i.Target, i.Size, target)
			}
		}
		for base, target := range want {
			name := ferry.Name("/docs/" + base)
			i, err := f.Lstat(s.Context(), name)
			s.must(err)
			got, err := f.Readlink(s.Context(), name)
			if i.Target != target || got != target || i.Size != int64(len(target)) {
				s.Errorf("Lstat shows %s to %q, Readlink %q (%v), want %q", name, i.Target, got, err, target)
			}
			if target == "" {
				s.want(err, fs.ErrPermission)
			}
			s.must(f.Remove(s.Context(), name))
		}
	})
}

// The whole host as a tree has nothing outside, and its links say what they say.
func TestTheHostAsATreeKeepsTargetsAsTheyAre(t *testing.T) {
	for _, v := range variants() {
		s := &served{T: t, root: "/", tree: openTree(t, Config{Root: "/", Resolver: v.resolver}, v)}
		link := t.TempDir() + "/link"
		for _, target := range []string{"/missing/a", "../../../../../../../b", ".//../c"} {
			s.must(s.as("alice").Symlink(t.Context(), target, ferry.Name(link)))
			kept, err := os.Readlink(link)
			if got, shown := s.as("alice").Readlink(t.Context(), ferry.Name(link)); kept != target || got != target {
				s.Errorf("%q is kept as %q (%v) and read as %q (%v)", target, kept, err, got, shown)
			}
			s.must(os.Remove(link))
		}
	}
}
