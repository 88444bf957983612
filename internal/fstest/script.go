package fstest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry"
)

// Random does the same random operations on a and b, two empty trees, by
// several users and sessions at once, and fails the test where a result
// differs: an error's class, a size, content, a listing. The same seed gives
// the same operations; a failure prints the seed and the last of them.
//
// It sleeps, to let takeovers happen: call it in a testing/synctest bubble.
// Both trees must have the same umask and forget no part in an hour.
// lacks is what one of them cannot have; what depends on it is left out.
func Random(t *testing.T, seed uint64, steps int, a, b Tree, lacks ...Lack) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, seed))
	err := run(func() (byte, bool) { return byte(random.Uint32()), true }, steps, a, b, lacks)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
}

// Script is Random with the choices made by data, for a fuzzer. It gives the
// first difference, nil if there is none. The last bytes of data may go unused.
func Script(data []byte, a, b Tree) error {
	return run(func() (byte, bool) {
		if len(data) == 0 {
			return 0, false
		}
		choice := data[0]
		data = data[1:]
		return choice, true
	}, len(data), a, b, nil)
}

// script is one run over two trees. Everything is kept twice, for a and b.
type script struct {
	next     func() (byte, bool)
	dry      bool // next has nothing left
	lacks    []Lack
	trees    [2]Tree
	sessions []*actor
	slots    [6]slot
	log      []string
}

// actor is one session of a user.
type actor struct {
	user ferry.User
	fs   [2]ferry.FS
}

// slot is one open handle; without one, where the last was tried.
type slot struct {
	session int
	name    ferry.Name
	open    [2]ferry.Handle
}

// step is one operation, chosen and not yet done.
type step struct {
	text string
	do   func(side int) string // gives what came of it
	busy bool                  // may fail with ErrBusy before it fails for another reason
}

// agree tells whether two outcomes of the step are the same.
func (st step) agree(a, b string) bool {
	if a == b {
		return true
	}
	busy := ferry.ErrBusy.Error()
	return st.busy && !strings.HasPrefix(a, "ok") && !strings.HasPrefix(b, "ok") && (a == busy || b == busy)
}

func run(next func() (byte, bool), steps int, a, b Tree, lacks []Lack) error {
	s := &script{next: next, trees: [2]Tree{a, b}, lacks: lacks}
	for _, u := range actors(lacks) {
		s.sessions = append(s.sessions, &actor{user: u, fs: s.begin(u)})
	}
	for range steps {
		st := s.choose()
		if s.dry {
			break
		}
		if err := s.perform(st); err != nil {
			return err
		}
	}
	return s.finish()
}

// actors are the sessions that take part: twice the same user, another one,
// one for whom nothing is kept, one who writes in place. Where sessions do not
// know of each other there is one.
func actors(lacks []Lack) []ferry.User {
	if slices.Contains(lacks, OtherSessions) {
		return []ferry.User{{Name: "alice"}}
	}
	return []ferry.User{
		{Name: "alice"},
		{Name: "alice"},
		{Name: "bob"},
		{Name: "guest", Anonymous: true},
		{Name: "dora", DirectUploads: true},
	}
}

// begin begins a session on both sides.
func (s *script) begin(u ferry.User) [2]ferry.FS {
	return [2]ferry.FS{s.beginSide(u, 0), s.beginSide(u, 1)}
}

func (s *script) beginSide(u ferry.User, side int) ferry.FS {
	if slices.Contains(s.lacks, LinkCounts) {
		return uncounted{s.trees[side].For(u)}
	}
	return s.trees[side].For(u)
}

// perform does a step on both sides and compares what came of it.
func (s *script) perform(st step) error {
	a, b := st.do(0), st.do(1)
	if st.agree(a, b) {
		s.log = append(s.log, st.text+": "+a)
		return nil
	}
	const shown = 40
	last := s.log[max(0, len(s.log)-shown):]
	return fmt.Errorf("step %d: %s\n  a: %s\n  b: %s\nafter:\n  %s",
		len(s.log), st.text, a, b, strings.Join(last, "\n  "))
}

// finish ends every session and compares all that is left.
func (s *script) finish() error {
	for i := range s.slots {
		if err := s.perform(s.abort(i)); err != nil {
			return err
		}
	}
	for _, who := range s.sessions {
		if err := s.perform(step{text: who.user.Name + " close", do: func(side int) string { return result(who.fs[side].Close()) }}); err != nil {
			return err
		}
		who.fs = s.begin(who.user)
	}
	for _, who := range s.sessions {
		parts := step{text: who.user.Name + " parts", do: func(side int) string { return parts(who.fs[side]) }}
		if err := s.perform(parts); err != nil {
			return err
		}
	}
	whole := step{text: "the whole tree", do: func(side int) string { return tree(s.sessions[0].fs[side], "/") }}
	return s.perform(whole)
}

// pick chooses one of n.
func (s *script) pick(n int) int {
	choice, ok := s.next()
	s.dry = s.dry || !ok
	return int(choice) % n
}

// name chooses one of few names, so that operations meet; every other time the
// name of a handle.
func (s *script) name() ferry.Name {
	names := names()
	if at := s.slots[s.pick(len(s.slots))]; at.name != "" && s.pick(2) == 0 {
		return at.name
	}
	return names[s.pick(len(names))]
}

// session chooses who does something; every other time it is the session of a
// handle, or its neighbour, which may be the same user's.
func (s *script) session() int {
	at := s.slots[s.pick(len(s.slots))].session
	switch s.pick(4) {
	case 0:
		return at
	case 1:
		return (at ^ 1) % len(s.sessions)
	}
	return s.pick(len(s.sessions))
}

// handle chooses an open handle, if there is one.
func (s *script) handle() int {
	var open []int
	for n, at := range s.slots {
		if at.open[0] != nil {
			open = append(open, n)
		}
	}
	n := s.pick(len(s.slots))
	if len(open) > 0 {
		return open[n%len(open)]
	}
	return n
}

// label says which handle it is, in a step's text.
func (s *script) label(n int) string {
	return fmt.Sprintf("handle %d (%s %s)", n, s.who(s.slots[n].session), s.slots[n].name)
}

func (s *script) who(session int) string {
	return fmt.Sprintf("%s%d", s.sessions[session].user.Name, session)
}

func names() []ferry.Name {
	return []ferry.Name{"/a", "/b", "/c", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a", "/l", "/d/l", "/l/a"}
}

func (s *script) target() string {
	if slices.Contains(s.lacks, OwnRoot) {
		within := []string{"a", "d", "l", "d/e", "nowhere", "no/where", ".", "c"}
		return within[s.pick(len(within))]
	}
	targets := []string{"a", "/a", "d", "/d", "../../../a", "../../../d/a", "l", "/l", "/d/l", "d/e", "nowhere", "no/where", ".", "..", "/", "c"}
	return targets[s.pick(len(targets))]
}

// wait lets what is under way fall silent.
func (s *script) wait() step {
	return step{text: "wait", do: func(side int) string {
		if side == 0 && !slices.Contains(s.lacks, OwnRoot) {
			time.Sleep(ferry.TakeoverAfter)
		}
		return "ok"
	}}
}
