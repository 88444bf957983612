package sftpserver

import (
	"context"
	"testing"
)

// TestAnswersFollow: an op is answered when the one before it was, and not
// before; one that is dropped holds nobody up.
func TestAnswersFollow(t *testing.T) {
	var last chan struct{}
	var first, second op
	first.follow(&last)
	second.follow(&last)
	first.wait(t.Context()) // nothing is before it
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	second.wait(ended)
	select {
	case <-second.before:
		t.Error("the second may be answered before the first")
	default:
	}
	first.pass()
	second.wait(t.Context())
}
