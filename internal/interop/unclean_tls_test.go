package interop

import (
	"fmt"
	"testing"
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
		for version, number := range versions() {
			t.Run(name+", "+version, func(t *testing.T) {
				t.Parallel()
				v := startSecure(t, setup{config: cheapLogins}, append(c.lines, binding("enforce"))...)
				addUser(t, v.server, "bob", "first-4711")
				for _, who := range []struct {
					from, name, secret string
					code               int
				}{
					{newDevice, user, password, c.alice},
					{oldDevice, "bob", "first-4711", c.device},
				} {
					cfg := v.ca.client()
					cfg.MaxVersion = number
					l := ringFrom(t, v, who.from, cfg)
					if err := l.login(who.name, who.secret); err != nil {
						t.Fatal(err)
					}
					l.want("PBSZ 0", 200)
					l.want("PROT P", 200)
					content, file := noise(uint64(who.code), 50_000), who.name+"-file"
					conn := l.beginWith("STOR "+file, content)
					if err := bare(conn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					if a, err := l.hear(); err != nil || a.code != who.code {
						t.Errorf("%s was answered %v, %v; want %d", who.name, a, err, who.code)
					}
					conn.Close()
					if who.code == 226 {
						wantFile(t, v.path(file), content)
						line := v.log.wait(t, "upload ended without close_notify; it counts, as configured", v.ended)
						if who.name != "bob" && c.alice == 226 && field(line, "user") != who.name {
							t.Errorf("the log names another one: %s", line)
						}
					} else {
						wantNoFile(t, v.path(file))
						if size, err := l.size(file); err != nil || size != len(content) {
							t.Errorf("%d bytes were kept, %v", size, err)
						}
					}
				}
			})
		}
	}
}
