package interop

import (
	"fmt"
	"sync"
	"testing"
)

// TestThreat9SharedCacheFromTheStart: several control connections begin at the
// same moment and share a cache that is empty still, so that one shows the
// ticket of another before anybody has logged in there.
func TestThreat9SharedCacheFromTheStart(t *testing.T) {
	t.Parallel()
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{config: cheapLogins}, binding("enforce"))
			for range 20 {
				cfg := v.ca.client()
				cfg.MaxVersion = version
				var clients sync.WaitGroup
				for i := range 6 {
					k, _, err := call("", v.addr)
					if err != nil {
						t.Fatal(err)
					}
					defer k.hangUp()
					clients.Go(func() {
						err := k.expect("AUTH TLS", 234)
						if err == nil {
							err = k.protect(cfg)
						}
						if err == nil {
							err = k.login(user, password)
						}
						if err == nil {
							err = k.expect("PBSZ 0", 200, "PROT P", 200)
						}
						if err != nil {
							t.Error(err)
							return
						}
						for n := range 5 {
							if a, err := k.store(fmt.Sprintf("STOR %d-%d", i, n), noise(uint64(i), 5000)); err != nil || a.code != 226 {
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
