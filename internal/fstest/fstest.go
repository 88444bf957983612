// Package fstest tests implementations of ferry.FS: a conformance suite with a
// test for each promise of the contract (Run), random operations compared
// between two backends (Random, Script), and an FS that fails on demand
// (Failing) for tests of those who use one.
//
// It speaks no RFC; the contract it holds backends to is written in fs.go of
// the root package.
package fstest

import "ferry"

// Tree makes sessions over one storage. Every session may be used beside the
// others; what one commits the others see at once.
type Tree interface {
	For(u ferry.User) ferry.FS
}
