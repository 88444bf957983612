package store_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"ferry"
	"ferry/internal/store"
)

// What was asked to be counted stays so until it was, and a server that saves what it
// thinks does not wipe the question away.
func TestUsages(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "users.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	save := func(counted bool, all ...ferry.HomeUsage) {
		t.Helper()
		if err := s.SaveUsages(ctx, counted, all...); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want ...ferry.HomeUsage) {
		t.Helper()
		if got, err := s.Usages(ctx); err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	want()
	a, b := ferry.HomeUsage{Home: "/a", Usage: ferry.Usage{Bytes: 5, Files: 1}}, ferry.HomeUsage{Home: "/b", Usage: ferry.Usage{Bytes: 1 << 50, Files: 1 << 40}, Exact: true}
	save(false, b, a)
	want(a, b)
	asked := ferry.HomeUsage{Home: "/a", Usage: ferry.Usage{Bytes: 7, Files: 2}, Recount: true}
	save(false, asked)
	save(false, a)
	want(asked, b)
	if got, err := s.RecountsAsked(ctx); err != nil || !slices.Equal(got, []ferry.HomeUsage{asked}) {
		t.Errorf("asked: %+v, %v", got, err)
	}
	save(true, a)
	want(a, b)
}
