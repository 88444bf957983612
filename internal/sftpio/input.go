package sftpio

import "io"

const (
	// smallInput is how much is read ahead where little comes.
	smallInput = 4 << 10
	// bulk is from what size on a read is one within a large packet, behind
	// which more of its kind are to come.
	bulk = 16 << 10
)

// Input reads the client's stream ahead. Within a large packet it reads as much
// as there is: SSH answers every read of a busy channel with a packet of its
// own, by which the client may send more.
type Input struct {
	r       io.Reader
	buffers *Buffers
	small   [smallInput]byte
	ahead   []byte  // read, and not yet taken
	large   *Buffer // where ahead lies, unless it lies in small
}

func NewInput(r io.Reader, buffers *Buffers) *Input { return &Input{r: r, buffers: buffers} }

// Read implements io.Reader.
func (i *Input) Read(p []byte) (int, error) {
	if len(i.ahead) == 0 {
		if err := i.fill(len(p) >= bulk); err != nil {
			return 0, err
		}
	}
	n := copy(p, i.ahead)
	if i.ahead = i.ahead[n:]; len(i.ahead) == 0 {
		i.Empty()
	}
	return n, nil
}

func (i *Input) fill(large bool) error {
	room := i.small[:]
	if large {
		i.large = i.buffers.largest()
		room = i.large.B
	}
	n, err := i.r.Read(room)
	if n == 0 {
		i.Empty()
		return err // and otherwise it comes again
	}
	i.ahead = room[:n]
	return nil
}

// Drained tells whether the client has sent nothing yet that was not taken, as
// far as that was read.
func (i *Input) Drained() bool { return len(i.ahead) == 0 }

// Empty gives the large buffer back: an idle session has none.
func (i *Input) Empty() {
	i.ahead = nil
	if i.large != nil {
		i.buffers.Put(i.large)
		i.large = nil
	}
}
