package clients

import (
	"testing"

	"ferry/internal/interop/harness"
)

// TestServerStartsAndStops: what all other tests stand on, and a restart on
// the same files.
func TestServerStartsAndStops(t *testing.T) {
	v := harness.Start(t, harness.Setup{})
	harness.WriteFile(t, v.Path("a"), harness.Noise(1, 10))
	v.Stop()
	again := harness.Start(t, v.Setup)
	harness.WantFile(t, again.Path("a"), harness.Noise(1, 10))
	again.Kill()
}
