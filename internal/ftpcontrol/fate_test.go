package ftpcontrol

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"ferry"
)

// closeClient closes the client's end, and returns when ours knows.
func closeClient(t *testing.T, client, server net.Conn) {
	t.Helper()
	_ = client.Close()
	_ = server.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Fatal("the client's end did not come")
	}
}

// TestUploadWhoseClientIsThere may be published at once.
func TestUploadWhoseClientIsThere(t *testing.T) {
	_, server := overTCP(t)
	if err := New(server).Fate().Holds(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := New(server).Fate().Holds(t.Context(), 2*time.Millisecond); err != nil {
		t.Error(err)
	}
}

// TestUploadWhoseClientIsGone: the session decides, and has the last word: it ends the
// job, or has heard a QUIT.
func TestUploadWhoseClientIsGone(t *testing.T) {
	for name, test := range map[string]struct {
		decide func(c *Conn, cancel context.CancelCauseFunc)
		want   error
	}{
		"without a QUIT": {func(_ *Conn, cancel context.CancelCauseFunc) { cancel(ferry.ErrControlLost) }, ferry.ErrControlLost},
		"after a QUIT":   {func(c *Conn, _ context.CancelCauseFunc) { c.Settle(); c.Settle() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := overTCP(t)
			c := New(server)
			fate := c.Fate()
			closeClient(t, client, server)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			held := make(chan error, 1)
			go func() { held <- fate.Holds(ctx, 0) }()
			test.decide(c, cancel)
			if err := <-held; !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if test.want == nil { // and so for what the client said before its QUIT
				if err := c.Fate().Holds(t.Context(), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
