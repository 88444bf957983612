package ftpdata

import (
	"compress/zlib"
	"errors"
	"io"
	"net"
	"time"
)

const (
	DefaultZLevel = 6
	// A compressed upload may grow by maxRatio once it has brought zSlack
	// bytes: enough for every real file but runs of one byte, and no bomb.
	maxRatio = 500
	zSlack   = 16 << 20
)

var ErrBomb = errors.New("the compressed data expands too much")

// zConn is MODE Z: compressed on the network.
//
// What is read comes through a pipe from a goroutine that decompresses: a
// zlib.Reader that has met an error, be it a deadline, does not go on, and
// whoever reads an upload looks up from it by deadlines. So deadlines of
// reading are the pipe's.
type zConn struct {
	net.Conn
	level  int
	w      *zlib.Writer
	out    net.Conn      // the end of the pipe that is read
	in     net.Conn      // the end that is filled
	filled chan struct{} // closed when nothing more comes; nil: Read was not called
	err    error         // why, to be looked at after filled
}

func newZConn(nc net.Conn, level int) *zConn {
	z := &zConn{Conn: nc, level: level}
	z.out, z.in = net.Pipe()
	return z
}

func (z *zConn) Write(p []byte) (int, error) {
	if z.w == nil {
		w, err := zlib.NewWriterLevel(z.Conn, z.level)
		if err != nil {
			return 0, err
		}
		z.w = w
	}
	return z.w.Write(p)
}

func (z *zConn) Read(p []byte) (int, error) {
	if z.filled == nil {
		z.filled = make(chan struct{})
		go z.fill()
	}
	n, err := z.out.Read(p)
	if errors.Is(err, io.EOF) {
		if <-z.filled; z.err != nil {
			err = z.err
		}
	}
	return n, err
}

// fill decompresses the connection into the pipe. It ends with the connection
// or the pipe.
func (z *zConn) fill() {
	z.err = inflate(z.in, z.Conn)
	_ = z.in.Close()
	close(z.filled)
}

// end stops the decompression of what raw brings, and returns when nothing
// reads it any more: the buffers below are somebody else's from then on.
func (z *zConn) end(raw net.Conn) {
	_ = z.out.Close()
	if z.filled == nil {
		return
	}
	_ = raw.SetReadDeadline(time.Unix(1, 0))
	<-z.filled
}

func (z *zConn) SetReadDeadline(t time.Time) error { return z.out.SetReadDeadline(t) }

func (z *zConn) SetDeadline(t time.Time) error {
	return errors.Join(z.out.SetReadDeadline(t), z.Conn.SetWriteDeadline(t))
}

// finish writes the end of the compressed stream of a download. That of an
// empty file has a beginning, too.
func (z *zConn) finish() error {
	if z.filled != nil {
		return nil
	}
	if z.w == nil {
		if _, err := z.Write(nil); err != nil {
			return err
		}
	}
	return z.w.Close()
}

// inflate writes to dst what src holds compressed. Nothing at all is no zlib
// stream, and means an empty file.
func inflate(dst io.Writer, src io.Reader) error {
	counted := &countReader{r: src}
	r, err := zlib.NewReader(counted)
	if counted.n == 0 && counted.err == io.EOF { // and not any other end, as of TLS without close_notify
		return nil
	}
	if err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	for out := int64(0); ; {
		n, end := r.Read(buf)
		out += int64(n)
		if out > zSlack && out/maxRatio > counted.n {
			return ErrBomb
		}
		if _, err := dst.Write(buf[:n]); err != nil {
			return err
		}
		if errors.Is(end, io.EOF) {
			return nil
		}
		if end != nil {
			return end
		}
	}
}

// countReader counts what is read, and keeps the error that ended it.
type countReader struct {
	r   io.Reader
	n   int64
	err error
}

func (c *countReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.err = err
	return n, err
}
