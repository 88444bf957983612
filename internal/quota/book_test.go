package quota

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"ferry"
)

// rows are a database that may fail.
type rows struct {
	kept map[string]ferry.HomeUsage
	err  error
}

func (r *rows) Usages(context.Context) (all []ferry.HomeUsage, err error) {
	for _, u := range r.kept {
		all = append(all, u)
	}
	return all, nil
}

func (r *rows) RecountsAsked(context.Context) ([]ferry.HomeUsage, error) { return nil, nil }

func (r *rows) SaveUsages(ctx context.Context, _ bool, all ...ferry.HomeUsage) error {
	if err := errors.Join(ctx.Err(), r.err); err != nil {
		return err
	}
	for _, u := range all {
		r.kept[u.Home] = u
	}
	return nil
}

// TestAnEndedCountChangesNothing: numbers of half a home are never taken for the whole.
func TestAnEndedCountChangesNothing(t *testing.T) {
	for name, exact := range map[string]bool{"after a crash": false, "that are right": true} {
		t.Run(name, func(t *testing.T) {
			before := ferry.HomeUsage{Home: "/h", Usage: ferry.Usage{Bytes: 700, Files: 7}, Exact: exact}
			kept := &rows{kept: map[string]ferry.HomeUsage{"/h": before}}
			ctx, cancel := context.WithCancel(t.Context())
			b := New(func(context.Context, string, func(ID) bool) (ferry.Usage, error) {
				cancel() // the server ends
				return ferry.Usage{Bytes: 1, Files: 1}, ctx.Err()
			}, slog.New(slog.DiscardHandler))
			if err := b.Load(t.Context(), kept); err != nil {
				t.Fatal(err)
			}
			if row := b.recount(ctx, b.Tree("/h")); row != before {
				t.Errorf("the tree has %+v, had %+v", row, before)
			}
			b.Close()
			if row := kept.kept["/h"]; row != before {
				t.Errorf("kept is %+v, was %+v", row, before)
			}
		})
	}
}

// TestWhatWasNotKeptIsKeptLater: a database that fails while a home begins to change is
// told as soon as it works again that its numbers are open.
func TestWhatWasNotKeptIsKeptLater(t *testing.T) {
	kept := &rows{kept: map[string]ferry.HomeUsage{"/h": {Home: "/h", Exact: true}}}
	b := New(nil, slog.New(slog.DiscardHandler))
	if err := b.Load(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	kept.err = errors.New("no room on the disk")
	b.Tree("/h").begin()
	b.keep(t.Context())
	kept.err = nil
	b.keep(t.Context())
	if row := kept.kept["/h"]; row.Exact {
		t.Error("the database takes the numbers for exact while they change")
	}
}
