package ftpserver

import (
	"crypto/tls"
	"testing"

	"ferry/internal/ftptls"
)

// Keys of tickets rotate while a session goes on. Its tickets, of old keys and
// of new ones, open data connections as long as their key is kept, and so does
// what a client got in between.
func TestThreat9TicketsSurviveTheRotationOfKeys(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			var base *tls.Config
			s := serveTLS(t, false, everybody(Policy{Binding: ftptls.BindEnforce}), func(cfg *tls.Config) { base = cfg })
			c := s.login(clientTLS(version), "alice")
			for day := byte(2); day < 12; day++ {
				c.put("f", "before", "226")
				base.SetSessionTicketKeys([][32]byte{{day}, {day - 1}})
				c.put("f", "after", "226")
				c.get("f")
			}
			// A key that is gone opens nothing: the ticket was of long ago.
			base.SetSessionTicketKeys([][32]byte{{100}})
			c.put("f", "late", "522")
		})
	}
}
