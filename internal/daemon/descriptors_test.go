package daemon

import "testing"

func TestOpenFilesLeaveDescriptorsToConnections(t *testing.T) {
	for _, c := range []struct{ descriptors, sessions, files int }{
		{1 << 20, 2000, 522256},
		{20_000, 2000, 7968},
		{4096, 2000, 768},
		{1024, 2000, 192},
		{1024, 100, 380},
		{1024, 0, 192},
		{100, 2000, 32},
	} {
		if files := openFilesWithin(c.descriptors, c.sessions); files != c.files {
			t.Errorf("%d descriptors, %d sessions: %d open files, want %d", c.descriptors, c.sessions, files, c.files)
		}
	}
}
