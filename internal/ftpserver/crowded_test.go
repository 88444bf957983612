package ftpserver

import (
	"crypto/tls"
	"errors"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/nettest"
)

// TestThreat33WhoDoesNotLogInGivesWay: to a connection that came later, at once, and
// is told so by a 421; one that is busy with a handshake of TLS, or takes no answer,
// as well.
func TestThreat33WhoDoesNotLogInGivesWay(t *testing.T) {
	for _, test := range []struct {
		name     string
		implicit bool
		says     string // and reads no answer
		patience time.Duration
		hears    string
	}{
		{"silent", false, "", 0, "220 Ferry ready.\r\n421 Too many connections without a login; try again later.\r\n"},
		{"in the handshake", true, "", 0, ""},
		{"deaf", false, "HELP\r\n", time.Second, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.limits.Sessions, w.quiet = 1, true
				var mu sync.Mutex
				var ended []ferry.Event
				w.events = func(e ferry.Event) {
					mu.Lock()
					defer mu.Unlock()
					if e.Kind == ferry.EventDisconnect {
						ended = append(ended, e)
					}
				}
				base := &tls.Config{Certificates: []tls.Certificate{nettest.Certificate(t)}}
				w.cfg.Security.TLS = func(Client) *tls.Config { return base }
				w.begin()
				defer w.end()
				near, far := nettest.NewWire(netip.MustParseAddrPort("192.0.2.66:40000"), netip.MustParseAddrPort("192.0.2.1:21"))
				over := make(chan struct{})
				go func() { w.srv.handle(far, test.implicit); close(over) }()
				if test.says != "" {
					go func() {
						for err := error(nil); err == nil; {
							_, err = io.WriteString(near, test.says)
						}
					}()
				}
				synctest.Wait()
				begin := time.Now()
				w.dial()
				if err := w.step("login"); err != nil {
					t.Errorf("who came later: %v", err)
				}
				<-over
				if took := time.Since(begin); took > test.patience {
					t.Errorf("it took %v to go, want %v at most", took, test.patience)
				}
				if said, _ := io.ReadAll(near); test.says == "" && string(said) != test.hears {
					t.Errorf("it heard %q, want %q", said, test.hears)
				}
				near.Close()
				mu.Lock()
				defer mu.Unlock()
				if len(ended) != 1 || !errors.Is(ended[0].Err, ferry.ErrCrowded) {
					t.Errorf("told: %v", ended)
				}
			})
		})
	}
}
