package disk

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"ferry"
	"ferry/internal/partfile"
)

// scan is what the index of a session is to hold, found by looking at every handle.
func scan(v *sessionFS) map[targetKey][]*staged {
	all := make(map[targetKey][]*staged)
	for h := range v.open {
		h, ok := h.(*staged)
		if ok && h.up != nil && !h.up.removed {
			all[targetOf(&h.up.at)] = append(all[targetOf(&h.up.at)], h)
		}
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b *staged) int { return cmp.Compare(a.number, b.number) })
	}
	return all
}

// flat is an index by whole targets.
func flat(x partfile.Index[*staged]) map[targetKey][]*staged {
	all := make(map[targetKey][]*staged)
	for id, dir := range x {
		for base, list := range dir {
			all[targetKey{id, base}] = list
		}
	}
	return all
}

// TestOwnUploadsAreWhatIsOpen: whatever becomes of unfinished files, a look finds
// those that there are, and no other. A guest has several of one name.
func TestOwnUploadsAreWhatIsOpen(t *testing.T) {
	dir := t.TempDir()
	tree, err := Open(Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for _, u := range []ferry.User{{Name: "alice"}, {Name: "guest", Anonymous: true}} {
		random := rand.New(rand.NewPCG(1, 1))
		v := tree.For(u).(*sessionFS)
		if err := v.Mkdir(t.Context(), ferry.Name("/"+u.Name), nil); err != nil {
			t.Fatal(err)
		}
		name := func() ferry.Name {
			return ferry.Name([]string{"/", "/" + u.Name + "/"}[random.IntN(2)] + fmt.Sprint(random.IntN(3)))
		}
		var handles []ferry.Handle
		for range 2000 {
			switch op := random.IntN(8); {
			case op < 3 || len(handles) == 0:
				if h, err := v.Open(t.Context(), name(), ferry.OpenOptions{Mode: ferry.Replace}); err == nil {
					handles = append(handles, h)
				}
			case op == 3:
				_ = v.Remove(t.Context(), name())
			case op == 4:
				_ = v.Rename(t.Context(), name(), name(), random.IntN(2) == 0)
			default:
				i := random.IntN(len(handles))
				h := handles[i]
				switch op {
				case 5:
					_ = h.Sync()
					continue
				case 6:
					_ = h.Commit()
				default:
					_ = h.Abort(nil)
				}
				handles = slices.Delete(handles, i, i+1)
			}
			if got, want := flat(v.uploads), scan(v); !maps.EqualFunc(got, want, slices.Equal) {
				t.Fatalf("%s: %v, want %v", u.Name, got, want)
			}
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if len(v.uploads) != 0 {
			t.Errorf("%s: %v after the end", u.Name, v.uploads)
		}
	}
}
