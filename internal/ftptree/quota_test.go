package ftptree

import (
	"context"
	"errors"
	"slices"
	"testing"

	"ferry"
)

// spacious is an FS that says what its space is.
type spacious struct {
	ferry.FS
	space ferry.Space
}

func (s spacious) Space(context.Context, ferry.Name) (ferry.Space, error) { return s.space, nil }

func TestQuota(t *testing.T) {
	x := newFixture(t)
	x.fs = spacious{x.tree, ferry.Space{Quota: ferry.Quota{
		Limit: ferry.Usage{Bytes: 100}, Used: ferry.Usage{Bytes: 130, Files: 7},
	}}}
	r := x.Quota(t.Context(), "d")
	if want := []string{" Bytes: 130 of 100, 0 left", " Files: 7, no limit", "End"}; r.Code != 200 || !slices.Equal(r.More, want) {
		t.Errorf("%+v; want %q", r, want)
	}
}

// Who asks for room beforehand hears whether he has to delete something, or to wait.
func TestFits(t *testing.T) {
	quota := ferry.Quota{Limit: ferry.Usage{Bytes: 100}, Used: ferry.Usage{Bytes: 60}}
	for _, test := range []struct {
		name  string
		space ferry.Space
		want  error
	}{
		{"room", ferry.Space{Total: 100, Available: 41, Quota: quota}, nil},
		{"the quota's end", ferry.Space{Total: 100, Available: 40, Quota: quota}, ferry.ErrQuota},
		{"a full disk before it", ferry.Space{Total: 100, Available: 20, Quota: ferry.Quota{Limit: ferry.Usage{Bytes: 1000}}}, ferry.ErrNoSpace},
		{"no quota", ferry.Space{Total: 100, Available: 40}, ferry.ErrNoSpace},
		{"not known", ferry.Space{}, nil},
	} {
		x := newFixture(t)
		x.fs = spacious{x.tree, test.space}
		if err := x.Fits(t.Context(), 41); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}
