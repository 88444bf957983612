package listen_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/listen"
)

func TestShutdownWaitsAndThenStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := listen.NewDrain().Shutdown(t.Context(), io.ErrNoProgress); err != nil {
			t.Errorf("nothing to wait for: %v", err)
		}

		polite := listen.NewDrain()
		done := polite.Enter()
		context.AfterFunc(polite.Asked, func() { time.AfterFunc(time.Minute, done) })
		begin := time.Now()
		if err := polite.Shutdown(t.Context(), io.ErrNoProgress); err != nil || time.Since(begin) != time.Minute || polite.Stopped.Err() != nil {
			t.Errorf("ended after %v with %v", time.Since(begin), err)
		}

		deaf := listen.NewDrain()
		context.AfterFunc(deaf.Stopped, deaf.Enter())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := deaf.Shutdown(ctx, io.ErrNoProgress); !errors.Is(err, context.DeadlineExceeded) || context.Cause(deaf.Stopped) != io.ErrNoProgress {
			t.Errorf("one that does not hear ends with %v", err)
		}
	})
}
