package fstest_test

import (
	"testing"
	"testing/synctest"

	"ferry/internal/fstest"
	"ferry/internal/mem"
)

func TestMem(t *testing.T) {
	fstest.Run(t, func(*testing.T) fstest.Tree { return mem.New(mem.Config{Umask: 0o022}) })
}

func TestRandomAgrees(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			fstest.Random(t, seed, 1000, mem.New(mem.Config{}), mem.New(mem.Config{}))
		})
	}
}

func FuzzScript(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 3, 0, 1, 2, 3, 4, 6, 0, 31})
	f.Add([]byte("open, write, commit and whatever else these letters mean"))
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			if err := fstest.Script(data, mem.New(mem.Config{}), mem.New(mem.Config{})); err != nil {
				t.Error(err)
			}
		})
	})
}
