package daemon

import (
	"context"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/digest"
)

// slowLogin checks a login for as long as the test wants.
type slowLogin chan struct{}

func (s slowLogin) Authenticate(context.Context, ferry.Claim) (ferry.User, error) {
	<-s
	return ferry.User{}, ferry.ErrLogin
}

// TestHashesWaitForLogins: while a login is checked no file is hashed.
func TestHashesWaitForLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hashes, checking := digest.NewQueue(2), make(slowLogin)
		go loginsFirst{checking, hashes}.Authenticate(t.Context(), ferry.Claim{})
		synctest.Wait()
		hashed := make(chan struct{})
		go hashes.Turn(t.Context(), "a", func() { close(hashed) })
		synctest.Wait()
		select {
		case <-hashed:
			t.Error("a file was hashed while a login was checked")
		default:
		}
		close(checking)
		synctest.Wait()
		select {
		case <-hashed:
		default:
			t.Error("the login is done, and nothing is hashed")
		}
	})
}
