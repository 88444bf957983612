package interop

import (
	"strings"
	"testing"
)

// debugged is a server that logs every command; wantVerb looks there for what
// a client that shows no dialogue has said.
func debugged() setup { return setup{args: []string{"--log-level", "debug"}} }

// wantVerb wants v's client to have said one of verbs.
func wantVerb(t testing.TB, v *server, verbs ...string) {
	t.Helper()
	log := v.log.String()
	for _, verb := range verbs {
		if strings.Contains(log, "msg=command ") && strings.Contains(log, " verb="+verb+" ") {
			return
		}
	}
	t.Errorf("the client did not say any of %v", verbs)
}
