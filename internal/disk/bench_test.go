package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"ferry"
)

// benchTree is a tree that does not wait for the disk.
func benchTree(b *testing.B) (ferry.FS, string) {
	b.Helper()
	dir := b.TempDir()
	tree, err := Open(Config{Root: dir, Umask: 0o022})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { tree.Close() })
	return tree.For(ferry.User{Name: "alice"}), dir
}

func BenchmarkList(b *testing.B) {
	const entries = 10_000
	f, dir := benchTree(b)
	for i := range entries {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%06d.dat", i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for name, d := range map[string]ferry.Detail{"names": ferry.Names, "full": ferry.Full} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for _, err := range f.List(b.Context(), "/", d) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != entries {
					b.Fatalf("%d entries", n)
				}
			}
		})
	}
}

func BenchmarkSmallFile(b *testing.B) {
	text := make([]byte, 4096)
	f, _ := benchTree(b)
	b.Run("upload", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			h, err := f.Open(b.Context(), ferry.Name(fmt.Sprintf("/new-%d", i)), ferry.OpenOptions{Mode: ferry.Replace})
			if err == nil {
				_, err = h.WriteAt(text, 0)
			}
			if err == nil {
				err = h.Commit()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("download", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h, err := f.Open(b.Context(), "/new-0", ferry.OpenOptions{Mode: ferry.Read})
			if err == nil {
				_, err = h.ReadAt(text, 0)
			}
			if err == nil {
				err = h.Commit()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Stat(b.Context(), "/new-0"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStatBesideUploads: what a look costs a session that has many unfinished
// files. It is done under the tree's lock, so it must not grow with their number.
func BenchmarkStatBesideUploads(b *testing.B) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	for _, uploads := range []int{1, 100, 7000} {
		if limit.Cur < uint64(2*uploads)+100 { // a part and its directory
			b.Logf("%d uploads want more descriptors than %d", uploads, limit.Cur)
			continue
		}
		b.Run(fmt.Sprint(uploads), func(b *testing.B) {
			f, dir := benchTree(b)
			defer f.Close()
			if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
				b.Fatal(err)
			}
			for i := range uploads {
				if _, err := f.Open(b.Context(), ferry.Name(fmt.Sprintf("/new-%d", i)), ferry.OpenOptions{Mode: ferry.Replace}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := f.Stat(b.Context(), "/file"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
