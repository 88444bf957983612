package sftpserver

import "io"

// smallInput is how much is read ahead where little comes.
const smallInput = 4 << 10

// input reads the client's stream ahead. Within a large packet it reads as much
// as there is: SSH answers every read of a busy channel with a packet of its
// own, by which the client may send more.
type input struct {
	r       io.Reader
	buffers *Buffers
	small   [smallInput]byte
	ahead   []byte  // read, and not yet taken
	large   *buffer // where ahead lies, unless it lies in small
}

func newInput(r io.Reader, buffers *Buffers) *input { return &input{r: r, buffers: buffers} }

// Read implements io.Reader.
func (i *input) Read(p []byte) (int, error) {
	if len(i.ahead) == 0 {
		if err := i.fill(len(p) >= bulk); err != nil {
			return 0, err
		}
	}
	n := copy(p, i.ahead)
	if i.ahead = i.ahead[n:]; len(i.ahead) == 0 {
		i.empty()
	}
	return n, nil
}

func (i *input) fill(large bool) error {
	room := i.small[:]
	if large {
		i.large = i.buffers.largest()
		room = i.large.b
	}
	n, err := i.r.Read(room)
	if n == 0 {
		i.empty()
		return err // and otherwise it comes again
	}
	i.ahead = room[:n]
	return nil
}

// drained tells whether the client has sent nothing yet that was not taken, as
// far as that was read.
func (i *input) drained() bool { return len(i.ahead) == 0 }

// empty gives the large buffer back: an idle session has none.
func (i *input) empty() {
	i.ahead = nil
	if i.large != nil {
		i.buffers.put(i.large)
		i.large = nil
	}
}
