package fstest

import (
	"slices"
	"testing"
	"testing/synctest"
)

// promise is one sub-test of the suite.
type promise struct {
	text string
	test func(e *env)
	real bool // needs real connections, and so no bubble
	instead
}

// Run is the conformance suite: a sub-test for each promise of the contract in
// fs.go, each over a fresh and empty tree that open makes. Most run in a
// testing/synctest bubble, and open is called inside it. lacks is what the
// storage cannot have.
func Run(t *testing.T, open func(t *testing.T) Tree, lacks ...Lack) {
	for _, p := range promises() {
		p := p.of(lacks)
		t.Run(p.text, func(t *testing.T) {
			check := func(t *testing.T) { p.test(&env{T: t, tree: open(t)}) }
			if p.real {
				check(t)
			} else {
				synctest.Test(t, check)
			}
		})
	}
}

func promises() []promise {
	return slices.Concat(opening(), staging(), resuming(), going(), looking(), takeovers(), sessions(), waiting(), contents(), transfers(), naming(), linking())
}
