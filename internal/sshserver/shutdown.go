package sshserver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
)

// farewellTime is how long a client may take to hear why it has to go.
const farewellTime = time.Second

// maxRefusals is how many connections that are not let in may be told so at once.
const maxRefusals = 200

// serverVersion is the server's version of the protocol (RFC 4253 §4.2).
const serverVersion = "SSH-2.0-Ferry"

// Reasons of a DISCONNECT (RFC 4253 §11.1).
const (
	reasonNotAllowed  = 1
	reasonUnavailable = 7
	reasonTooMany     = 12
)

// refuseConn tells a client that is not let in why, and closes: by a DISCONNECT
// in clear, which may come at any time, the key exchange not excepted. All
// clients show that; a line before the version, which would be shorter, only
// few.
//
// Only so many refused connections are kept open for that at once: whoever floods the
// server costs it no more than those.
func (s *Server) refuseConn(nc net.Conn, reason uint32, text string) {
	defer s.refusals.Add(-1)
	if s.refusals.Add(1) > maxRefusals {
		return
	}
	_ = nc.SetDeadline(time.Now().Add(farewellTime))
	if _, err := io.WriteString(nc, serverVersion+"\r\n"+disconnectPacket(reason, text)); err != nil {
		return
	}
	// What the client has said must be read before the connection is closed:
	// the system would reset it otherwise, and the words could get lost.
	_, _ = io.Copy(io.Discard, io.LimitReader(nc, 64<<10))
}

// disconnectPacket is a DISCONNECT as it is sent before there are keys
// (RFC 4253 §6, §11.1).
func disconnectPacket(reason uint32, text string) string {
	payload := append([]byte{1}, ssh.Marshal(struct {
		Reason         uint32
		Text, Language string
	}{reason, text, ""})...)
	// Length, padding length, payload and at least 4 bytes of padding are
	// together a multiple of 8.
	padding := 8 - (4+1+len(payload))%8
	if padding < 4 {
		padding += 8
	}
	packet := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+padding))
	packet = append(append(packet, byte(padding)), payload...)
	return string(append(packet, make([]byte, padding)...))
}

// reasonFor is the reason for which err, of Admit, sends a client away.
func reasonFor(err error) uint32 {
	switch {
	case errors.Is(err, ferry.ErrBanned):
		return reasonNotAllowed
	case errors.Is(err, ferry.ErrServerFull), errors.Is(err, ferry.ErrAddressFull), errors.Is(err, ferry.ErrCrowded):
		return reasonTooMany
	}
	return reasonUnavailable
}

// sentence is an error of Admit or Login, or the cause of a connection's end,
// as the client is told it.
func sentence(err error) string {
	switch {
	case errors.Is(err, ferry.ErrShutdown):
		return "The server is shutting down; try again later."
	case errors.Is(err, errLate):
		return "The login takes too long; closing the connection."
	case errors.Is(err, errIdle):
		return "Nothing was done here for too long; closing the connection."
	}
	for _, known := range []error{ferry.ErrBanned, ferry.ErrServerFull, ferry.ErrAddressFull, ferry.ErrCrowded, ferry.ErrUserFull, ferry.ErrNoHome, ferry.ErrTooManyLogins, ferry.ErrKicked} {
		if errors.Is(err, known) {
			text := known.Error()
			return strings.ToUpper(text[:1]) + text[1:] + "."
		}
	}
	return "The server cannot let anybody in at the moment; try again later."
}

// closeWith ends the connection because of cause, which the client is told.
func (c *sshConn) closeWith(cause error) {
	c.notify(sentence(cause))
	c.cancel(cause)
}

// drainPrograms ends the connection as soon as its programs have come to their end,
// which they are asked to: SFTP when no file is open and everything is
// answered, a command when it is done.
func (c *sshConn) drainPrograms() {
	c.notify(sentence(ferry.ErrShutdown))
	c.startDrain()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.running) == 0 {
		c.cancel(ferry.ErrShutdown)
	}
}

// notify says text on the standard error of the programs that run, which clients
// show, and before the login as a banner. That is all there is for it: a
// DISCONNECT the library does not send.
func (c *sshConn) notify(text string) {
	said, done := context.WithTimeout(c.ctx, farewellTime)
	go func() { // a client that does not read is not waited for
		defer done()
		c.mu.Lock()
		preAuth, streams := c.preAuth, slices.Collect(maps.Keys(c.running))
		c.mu.Unlock()
		if preAuth != nil && c.session.Load() == nil {
			_ = preAuth.SendAuthBanner(text + "\n")
		}
		for _, s := range streams {
			s.Say(text + "\r\n")
		}
	}()
	<-said.Done()
}

// programStarted notes that a program runs on s.
func (c *sshConn) programStarted(s *stream) {
	c.touch()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[s] = struct{}{}
}

// programEnded notes that it runs no longer. When the server is shutting down and it
// was the last, the client may hang up by itself, having heard of the end.
func (c *sshConn) programEnded(s *stream) {
	c.touch()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, s)
	if len(c.running) == 0 && c.drain.Err() != nil {
		time.AfterFunc(farewellTime, func() { c.cancel(ferry.ErrShutdown) })
	}
}
