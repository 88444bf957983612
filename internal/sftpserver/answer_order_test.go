package sftpserver

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// slowStart is an FS whose files take long for their first bytes.
type slowStart struct {
	ferry.FS
	gate chan struct{}
}

func (s slowStart) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := s.FS.Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return slowStartHandle{h, s.gate}, nil
}

type slowStartHandle struct {
	ferry.Handle
	gate chan struct{}
}

func (h slowStartHandle) ReadAt(p []byte, off int64) (int, error) {
	if off == 0 {
		<-h.gate
	}
	return h.Handle.ReadAt(p, off)
}

func (h slowStartHandle) WriteAt(p []byte, off int64) (int, error) {
	if off == 0 {
		<-h.gate
	}
	return h.Handle.WriteAt(p, off)
}

// TestAnswersOfOneFileKeepTheirOrder: READs among each other, and WRITEs among
// each other. OpenSSH 9.2's scp counts on both: after an upload it cuts the file
// off where the first answer was missing, and says that all is well.
func TestAnswersOfOneFileKeepTheirOrder(t *testing.T) {
	for _, what := range []string{"READ", "WRITE"} {
		synctest.Test(t, func(t *testing.T) {
			w, gate := newWorld(), make(chan struct{})
			dial(t, w.session()).Put("/f", "0123456789")
			s := w.session()
			s.FS = slowStart{s.FS, gate}
			p := dial(t, s)
			h := p.Open("/f", sftptest.Rd|sftptest.Wr)
			var want []uint32
			for off := range uint64(10) {
				var r sftpwire.Request = &sftpwire.Read{Handle: h, Offset: off, Length: 1}
				if what == "WRITE" {
					r = &sftpwire.Write{Handle: h, Offset: off, Data: []byte("x")}
				}
				want = append(want, p.Send(r))
			}
			synctest.Wait() // all that can be done is
			close(gate)
			p.Wait(want[9])
			synctest.Wait()
			p.Mu.Lock()
			defer p.Mu.Unlock()
			if got := p.Order[len(p.Order)-10:]; !slices.Equal(got, want) {
				t.Errorf("%ss were answered in the order %v, and asked for in %v", what, got, want)
			}
		})
	}
}
