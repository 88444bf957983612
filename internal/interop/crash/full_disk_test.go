package crash

import (
	"fmt"
	"os"
	"testing"

	"ferry/internal/interop/harness"
)

// TestFullDisk: an upload that fills the disk is 452 and publishes nothing;
// the session and the old file live, the part is kept, and when there is room
// again the upload goes on where it stopped.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const mega = 1 << 20
	for name, old := range map[string]uint64{"new file": 0, "over an old file": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := harness.MountSmall(t, "8m")
			v := harness.Start(t, harness.Setup{Dir: dir})
			var standing []byte // nil: nothing
			if old != 0 {
				standing = harness.Specimen(old, mega)
				harness.WriteFile(t, v.Path("f"), standing)
			}
			harness.WriteFile(t, v.Path("filler"), harness.Noise(3, 3*mega))
			content := harness.Specimen(2, 6*mega)
			l := harness.Phone(t, v)

			for range 2 {
				from := harness.PartSize(t, dir) // 0: there is none yet
				l.Want(fmt.Sprintf("REST %d", from), 350)
				a, err := l.Store("STOR f", content[from:])
				if err != nil || a.Code != 452 {
					t.Fatalf("STOR at %d: %v, %v; want 452", from, a, err)
				}
				l.Want("NOOP", 200)
				harness.WantStands(t, v, "f", old)
			}
			l.Want("MKD d", 257, 452)
			l.Want("DELE filler", 250)
			harness.WantResumable(l, dir, "f", standing, content)
			harness.WantStands(t, v, "f", 2)
		})
	}
}

// TestFullDiskCopy: commands that write without a data connection.
func TestFullDiskCopy(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Dir: harness.MountSmall(t, "4m")})
	harness.WriteFile(t, v.Path("f"), harness.Specimen(1, 3<<20))
	harness.WriteFile(t, v.Path("g"), harness.Specimen(2, 1000))
	l := harness.Phone(t, v)
	l.Want("SITE COPY f g", 452)
	harness.WantStands(t, v, "g", 2)
	l.Want("SITE CPFR f", 350)
	l.Want("SITE CPTO h", 452)
	harness.WantNoFile(t, v.Path("h"))
	// What failed must not go on taking the room away.
	l.Want("DELE h", 250, 550)
	l.Want("DELE g", 250)
	if err := os.Remove(v.Path("f")); err != nil {
		t.Fatal(err)
	}
	l.WantStored("STOR f", harness.Specimen(4, 3<<20))
	harness.WantStands(t, v, "f", 4)
}
