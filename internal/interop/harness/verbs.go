package harness

import (
	"strings"
	"testing"
)

// Debugged is a server that logs every command; wantVerb looks there for what
// a client that shows no dialogue has said.
func Debugged() Setup { return Setup{Args: []string{"--log-level", "debug"}} }

// WantVerb wants v's client to have said one of verbs.
func WantVerb(t testing.TB, v *Server, verbs ...string) {
	t.Helper()
	log := v.Log.String()
	for _, verb := range verbs {
		if strings.Contains(log, "msg=command ") && strings.Contains(log, " verb="+verb+" ") {
			return
		}
	}
	t.Errorf("the client did not say any of %v", verbs)
}
