package ssh

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestOwnersAreNumbers: who owns a file is a number for the clients of FTP and
// of SFTP, whatever the machine calls it: its accounts are none of theirs, and
// not theirs to know.
func TestOwnersAreNumbers(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{})
	harness.WriteFile(t, v.Path("mine"), nil)
	list, err := harness.Phone(t, v.Server).Fetch("LIST")
	if err != nil {
		t.Fatal(err)
	}
	facts, err := harness.Phone(t, v.Server).Fetch("MLSD")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(facts), "UNIX.owner") || strings.Contains(string(facts), "UNIX.group") {
		t.Errorf("MLSD names an owner:\n%s", facts)
	}
	// OpenSSH's client asks for the names of the numbers (users-groups-by-id).
	long := v.sftp(t, t.TempDir(), "ls -l")
	fine(t, long)
	want := regexp.MustCompile(fmt.Sprintf(`(?m)^-rw\S+ +\S+ +%d +%d +0 .* mine\r?$`, os.Getuid(), os.Getgid()))
	for how, listing := range map[string]string{"LIST": string(list), "sftp": long.Out} {
		if !want.MatchString(listing) {
			t.Errorf("%s: nothing matches %v in\n%s", how, want, listing)
		}
	}
}
