package sftpconn

import (
	"bufio"
	"fmt"
	"io"

	"ferry/internal/sftpwire"
)

// Hello sends INIT and reads VERSION (draft-02 §4).
func (c *Conn) Hello() (sftpwire.Hello, error) {
	wrote := make(chan error, 1)
	go func() { // a server may speak first, and both must not wait for each other
		_, err := c.rw.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: sftpwire.Version}))
		wrote <- err
	}()
	hello, err := readVersion(c.in)
	if err != nil {
		c.End(err) // so that the Write ends
	}
	if failed := <-wrote; err == nil && failed != nil {
		err = Lost(failed)
	}
	return hello, err
}

func readVersion(in *bufio.Reader) (sftpwire.Hello, error) {
	n, err := ReadLength(in)
	if err != nil {
		return sftpwire.Hello{}, Lost(err)
	}
	packet := make([]byte, n)
	if _, err := io.ReadFull(in, packet); err != nil {
		return sftpwire.Hello{}, Lost(Within(err))
	}
	hello, err := sftpwire.ParseVersion(packet)
	if err != nil {
		return hello, fmt.Errorf("%w: it did not answer INIT with VERSION (%w)", ErrProtocol, err)
	}
	if hello.Version != sftpwire.Version {
		return hello, fmt.Errorf("%w: it speaks version %d and was asked for %d", ErrProtocol, hello.Version, sftpwire.Version)
	}
	return hello, nil
}
