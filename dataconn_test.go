package ferry_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
)

// dataPair is a DataConn and its peer, both closed when the test ends.
func dataPair(t *testing.T) (d *ferry.DataConn, peer net.Conn) {
	conn, peer := net.Pipe()
	t.Cleanup(func() {
		_ = conn.Close()
		_ = peer.Close()
	})
	return ferry.NewDataConn(conn), peer
}

func TestInterruptEndsWhatWaits(t *testing.T) {
	for name, wait := range map[string]func(*ferry.DataConn) error{
		"Read":  func(d *ferry.DataConn) error { _, err := d.Read(make([]byte, 1)); return err },
		"Write": func(d *ferry.DataConn) error { _, err := d.Write([]byte("x")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, _ := dataPair(t)
				ended := make(chan error, 1)
				go func() { ended <- wait(d) }()
				synctest.Wait()
				d.Interrupt(ferry.ErrKicked)
				d.Interrupt(ferry.ErrTakenOver) // too late to be the cause
				if err := <-ended; err != ferry.ErrKicked {
					t.Errorf("what waited got %v", err)
				}
				d.WaitUntil(time.Now().Add(time.Hour))
				d.WaitToWriteUntil(time.Now().Add(time.Hour))
				d.WaitUntil(time.Time{})
				if err := wait(d); err != ferry.ErrKicked {
					t.Errorf("what began after it got %v", err)
				}
			})
		})
	}
}

func TestInterruptReachesALayerThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := dataPair(t)
		d.Interrupt(ferry.ErrKicked)
		top, _ := net.Pipe()
		defer top.Close()
		d.Over(top)
		if _, err := d.Read(make([]byte, 1)); err != ferry.ErrKicked {
			t.Errorf("got %v", err)
		}
	})
}

func TestInterruptAfterTheEndOfAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		d, _ := dataPair(t)
		stopped, _ := dataPair(t)
		d.InterruptAfter(ctx)
		stopped.InterruptAfter(ctx)()
		cancel(ferry.ErrAborted)
		synctest.Wait()
		if err := d.Interrupted(); err != ferry.ErrAborted {
			t.Errorf("interrupted: %v", err)
		}
		if err := stopped.Interrupted(); err != nil {
			t.Errorf("interrupted after stop: %v", err)
		}
	})
}

func TestWaitUntilIsNoInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, peer := dataPair(t)
		d.WaitUntil(time.Now().Add(time.Minute))
		if _, err := d.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || d.Interrupted() != nil {
			t.Errorf("got %v, interrupted %v", err, d.Interrupted())
		}
		d.WaitUntil(time.Time{})
		go func() {
			_, _ = peer.Write([]byte("x"))
			_ = peer.Close()
		}()
		if got, err := io.ReadAll(d); string(got) != "x" || err != nil {
			t.Errorf("afterwards it reads %q, %v", got, err)
		}
		d.Interrupt(nil)
		if err := d.Why(io.ErrUnexpectedEOF); err != io.ErrUnexpectedEOF {
			t.Errorf("an interruption hides the error %v", err)
		}
	})
}
