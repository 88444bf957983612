package crash

import (
	"os"
	"testing"

	"ferry/internal/interop/harness"
)

// TestFullDisk: an upload that fills the disk is 452, publishes nothing and keeps nothing;
// the session and the old file live, others have the room, and when there is enough
// the upload goes through.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const mega = 1 << 20
	for name, old := range map[string]uint64{"new file": 0, "over an old file": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := harness.MountSmall(t, "8m")
			v := harness.Start(t, harness.Setup{Dir: dir})
			if old != 0 {
				harness.WriteFile(t, v.Path("f"), harness.Specimen(old, mega))
			}
			harness.WriteFile(t, v.Path("filler"), harness.Noise(3, 3*mega))
			content := harness.Specimen(2, 6*mega)
			l := harness.Phone(t, v)

			for range 2 {
				a, err := l.Store("STOR f", content)
				if err != nil || a.Code != 452 {
					t.Fatalf("STOR: %v, %v; want 452", a, err)
				}
				l.Want("NOOP", 200)
				harness.WantStands(t, v, "f", old)
				// What did not fit has given its room back to others.
				if kept := harness.PartSize(t, dir); kept != 0 {
					t.Errorf("%d bytes of it are kept on a full disk", kept)
				}
				l.WantStored("STOR small", content[:mega])
				l.Want("DELE small", 250)
			}
			l.Want("MKD d", 257)
			l.Want("DELE filler", 250)
			l.WantStored("STOR f", content)
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
