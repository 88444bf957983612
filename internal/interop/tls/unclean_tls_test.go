package tls

import (
	"fmt"
	"testing"

	"ferry/internal/interop/harness"
)

// TestUncleanClose: devices that never send close_notify are told of by network
// or by user. Their uploads count then, and the log says what saved each. From
// others they are broken, which they are where nothing is said, too.
func TestUncleanClose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines         []string
		alice, device int // the answers to alice from newDevice, and to bob from oldDevice
	}{
		"nobody":    {nil, 426, 426},
		"a network": {[]string{fmt.Sprintf("unclean_close_networks = [%q]", oldDevice+"/31")}, 226, 226},
		"a device":  {[]string{fmt.Sprintf("unclean_close_networks = [%q]", oldDevice)}, 426, 226},
		"a user":    {[]string{`unclean_close_users = ["bob"]`}, 426, 226},
	} {
		for version, number := range harness.Versions() {
			t.Run(name+", "+version, func(t *testing.T) {
				t.Parallel()
				v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, append(c.lines, harness.Binding("enforce"))...)
				harness.AddUser(t, v.Server, "bob", "first-4711")
				for _, who := range []struct {
					from, name, secret string
					code               int
				}{
					{newDevice, harness.User, harness.Password, c.alice},
					{oldDevice, "bob", "first-4711", c.device},
				} {
					cfg := v.Ca.Client()
					cfg.MaxVersion = number
					l := harness.RingFrom(t, v, who.from, cfg)
					if err := l.Login(who.name, who.secret); err != nil {
						t.Fatal(err)
					}
					l.Want("PBSZ 0", 200)
					l.Want("PROT P", 200)
					content, file := harness.Noise(uint64(who.code), 50_000), who.name+"-file"
					conn := beginWith(l, "STOR "+file, content)
					if err := harness.Bare(conn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					if a, err := l.Hear(); err != nil || a.Code != who.code {
						t.Errorf("%s was answered %v, %v; want %d", who.name, a, err, who.code)
					}
					conn.Close()
					if who.code == 226 {
						harness.WantFile(t, v.Path(file), content)
						line := v.Log.Wait(t, "upload ended without close_notify; it counts, as configured", v.Ended)
						if who.name != "bob" && c.alice == 226 && harness.Field(line, "user") != who.name {
							t.Errorf("the log names another one: %s", line)
						}
					} else {
						harness.WantNoFile(t, v.Path(file))
						if size, err := l.Size(file); err != nil || size != len(content) {
							t.Errorf("%d bytes were kept, %v", size, err)
						}
					}
				}
			})
		}
	}
}
