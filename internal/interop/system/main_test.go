package system

import (
	"os"
	"testing"

	"ferry/internal/interop/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
