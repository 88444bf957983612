package gate

import (
	"container/list"
	"net/netip"
)

// table maps origins to values and holds the newest so many of them.
type table[T any] struct {
	max     int
	entries map[netip.Prefix]*list.Element
	order   *list.List // of row[T], the one put longest ago first
}

type row[T any] struct {
	key   netip.Prefix
	value T
}

func newTable[T any](max int) *table[T] {
	return &table[T]{max: max, entries: make(map[netip.Prefix]*list.Element), order: list.New()}
}

func (t *table[T]) get(key netip.Prefix) (value T, ok bool) {
	e, ok := t.entries[key]
	if !ok {
		return value, false
	}
	return e.Value.(row[T]).value, true
}

// put sets the value of key, which becomes the newest; the oldest goes when
// there is no more room.
func (t *table[T]) put(key netip.Prefix, value T) {
	t.remove(key)
	if t.order.Len() >= t.max {
		t.remove(t.order.Front().Value.(row[T]).key)
	}
	t.entries[key] = t.order.PushBack(row[T]{key, value})
}

func (t *table[T]) remove(key netip.Prefix) {
	if e, ok := t.entries[key]; ok {
		t.order.Remove(e)
		delete(t.entries, key)
	}
}

// expire removes the oldest entries for as long as they are over.
func (t *table[T]) expire(over func(T) bool) {
	for e := t.order.Front(); e != nil && over(e.Value.(row[T]).value); e = t.order.Front() {
		t.remove(e.Value.(row[T]).key)
	}
}
