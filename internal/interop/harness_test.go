package interop

import "testing"

// TestServerStartsAndStops: what all other tests stand on, and a restart on
// the same files.
func TestServerStartsAndStops(t *testing.T) {
	v := start(t, setup{})
	writeFile(t, v.path("a"), noise(1, 10))
	v.stop()
	again := start(t, v.setup)
	wantFile(t, again.path("a"), noise(1, 10))
	again.kill()
}
