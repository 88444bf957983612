package interop

import (
	"os"
	"testing"
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
			dir := mountSmall(t, "8m")
			v := start(t, setup{dir: dir})
			if old != 0 {
				writeFile(t, v.path("f"), specimen(old, mega))
			}
			writeFile(t, v.path("filler"), noise(3, 3*mega))
			content := specimen(2, 6*mega)
			l := phone(t, v)

			for _, text := range []string{"STOR f", "APPE f"} {
				from, err := l.size("f")
				if text == "STOR f" || err != nil {
					from = 0 // there is no part yet
				}
				a, err := l.store(text, content[from:])
				if err != nil || a.code != 452 {
					t.Fatalf("%s: %v, %v; want 452", text, a, err)
				}
				l.want("NOOP", 200)
				wantStands(t, v, "f", old)
			}
			l.want("MKD d", 257, 452)
			l.want("DELE filler", 250)
			wantResumable(l, "f", content)
			wantStands(t, v, "f", 2)
		})
	}
}

// TestFullDiskCopy: commands that write without a data connection.
func TestFullDiskCopy(t *testing.T) {
	t.Parallel()
	v := start(t, setup{dir: mountSmall(t, "4m")})
	writeFile(t, v.path("f"), specimen(1, 3<<20))
	writeFile(t, v.path("g"), specimen(2, 1000))
	l := phone(t, v)
	l.want("SITE COPY f g", 452)
	wantStands(t, v, "g", 2)
	l.want("SITE CPFR f", 350)
	l.want("SITE CPTO h", 452)
	wantNoFile(t, v.path("h"))
	// What failed must not go on taking the room away.
	l.want("DELE h", 250, 550)
	l.want("DELE g", 250)
	if err := os.Remove(v.path("f")); err != nil {
		t.Fatal(err)
	}
	l.wantStored("STOR f", specimen(4, 3<<20))
	wantStands(t, v, "f", 4)
}
