package sftpio

import "io"

const (
	// smallInput is how much is read ahead where little comes.
	smallInput = 4 << 10
	// mediumInput is how much is read within a large packet while another session of the
	// connection has the large buffer.
	mediumInput = 33 << 10
	// bulk is from what size on a read is one within a large packet, behind
	// which more of its kind are to come.
	bulk = 16 << 10
)

// Input reads the client's stream ahead. Within a large packet it reads as much
// as there is: SSH answers every read of a busy channel with a packet of its
// own, by which the client may send more.
//
// One goroutine uses it.
type Input struct {
	r       io.Reader
	buffers *Buffers
	small   [smallInput]byte
	ahead   []byte  // read, and not yet taken
	large   *Buffer // where ahead lies, unless it lies in small
	room    *Room
	largest bool       // large is the one of the room
	beside  *readAhead // what reads beside the session; nil: nothing ever did
}

// NewInput gives one whose large buffer is of room; nil: of a room of its own.
func NewInput(r io.Reader, buffers *Buffers, room *Room) *Input {
	if room == nil {
		room = new(Room)
	}
	return &Input{r: r, buffers: buffers, room: room}
}

// Read implements io.Reader.
func (i *Input) Read(p []byte) (int, error) {
	if len(i.ahead) == 0 {
		if err := i.next(len(p) >= bulk); err != nil {
			return 0, err
		}
	}
	n := copy(p, i.ahead)
	if i.ahead = i.ahead[n:]; len(i.ahead) == 0 {
		i.Empty()
	}
	return n, nil
}

// next gets more.
func (i *Input) next(large bool) (err error) {
	if i.beside != nil {
		if i.ahead, err = i.beside.take(); err != nil || len(i.ahead) > 0 {
			return err
		}
	}
	return i.fill(large)
}

func (i *Input) fill(large bool) error {
	room := i.small[:]
	if large {
		if i.largest = i.room.takeLarge(); i.largest {
			i.large = i.buffers.largest()
		} else {
			i.large = i.buffers.Get(mediumInput)
		}
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

// Ahead reads on beside the session, which takes nothing at the moment: as much as
// MostAhead, until the session reads again. The channel is closed when that meets
// the end of the stream, which otherwise nobody would see behind what waits.
func (i *Input) Ahead() (ended <-chan struct{}) {
	if i.beside == nil {
		i.beside = newReadAhead()
	}
	i.beside.begin(i.r)
	return i.beside.ended
}

// Drained tells whether the client has sent nothing yet that was not taken, as
// far as that was read.
func (i *Input) Drained() bool {
	return len(i.ahead) == 0 && (i.beside == nil || i.beside.empty())
}

// Empty gives the large buffer back: an idle session has none.
func (i *Input) Empty() {
	i.ahead = nil
	if i.large != nil {
		i.buffers.Put(i.large)
		i.large = nil
		if i.largest {
			i.room.giveLarge()
		}
	}
}
