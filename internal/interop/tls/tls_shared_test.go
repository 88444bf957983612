package tls

import (
	"fmt"
	"sync"
	"testing"

	"ferry/internal/interop/harness"
)

// TestThreat9SharedCacheFromTheStart: several control connections begin at the
// same moment and share a cache that is empty still, so that one shows the
// ticket of another before anybody has logged in there.
func TestThreat9SharedCacheFromTheStart(t *testing.T) {
	t.Parallel()
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding("enforce"))
			for range 20 {
				cfg := v.Ca.Client()
				cfg.MaxVersion = version
				var clients sync.WaitGroup
				for i := range 6 {
					k, _, err := harness.Call("", v.Addr)
					if err != nil {
						t.Fatal(err)
					}
					defer k.HangUp()
					clients.Go(func() {
						err := k.Expect("AUTH TLS", 234)
						if err == nil {
							err = k.Protect(cfg)
						}
						if err == nil {
							err = k.Login(harness.User, harness.Password)
						}
						if err == nil {
							err = k.Expect("PBSZ 0", 200, "PROT P", 200)
						}
						if err != nil {
							t.Error(err)
							return
						}
						for n := range 5 {
							if a, err := k.Store(fmt.Sprintf("STOR %d-%d", i, n), harness.Noise(uint64(i), 5000)); err != nil || a.Code != 226 {
								t.Errorf("STOR was answered %v, %v", a, err)
								return
							}
						}
					})
				}
				clients.Wait()
			}
		})
	}
}
