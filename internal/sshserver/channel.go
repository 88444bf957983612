package sshserver

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/gate"
	"ferry/internal/sftpserver"
	"ferry/internal/sshexec"
)

// program is what runs on a channel. The result is its exit status.
type program func(ctx context.Context, sess *gate.Session, s *stream) uint32

// smallWrite is what SSH writes in one piece anyway.
const smallWrite = 4000

// stream is a channel as a program sees it: standard input, output and error.
type stream struct {
	ssh.Channel
	client *sshConn
	once   sync.Once
	// here ends when the client has closed the channel or hung up, whatever it has
	// sent before and was not read.
	here   context.Context
	saying chan struct{} // has room for who writes to standard error
}

func (c *sshConn) newStream(channel ssh.Channel) *stream {
	return &stream{Channel: channel, client: c, saying: make(chan struct{}, 1)}
}

func (s *stream) Read(p []byte) (int, error) {
	b := &s.client.conn.backlog
	b.change(func() { b.reading++ })
	n, err := s.Channel.Read(p)
	b.change(func() { b.reading--; b.taken(n) })
	s.client.touch()
	if n > 0 {
		// The error is that a client which has hung up cannot be told of room for
		// more. What it has sent is still to be read, and the end comes behind it.
		err = nil
	}
	return n, err
}

func (s *stream) Write(p []byte) (n int, err error) {
	b := &s.client.conn.backlog
	b.change(func() { b.writing++ })
	defer func() { b.change(func() { b.wrote(n) }) }()
	if len(p) > smallWrite {
		s.client.conn.hold()
		defer s.client.conn.release()
	}
	n, err = s.Channel.Write(p)
	s.client.touch()
	return n, err
}

// Touch notes that the program is at work.
func (s *stream) Touch() { s.client.touch() }

// Say says text on standard error. The server does so beside the program, and
// of two writes at once the library would mix up the packets.
func (s *stream) Say(text string) {
	s.saying <- struct{}{}
	defer func() { <-s.saying }()
	_, _ = io.WriteString(s.Stderr(), text)
}

// Close ends the program well, unless the connection is at its end.
func (s *stream) Close() error {
	if s.client.ctx.Err() != nil {
		return s.exit(1)
	}
	return s.exit(0)
}

// exit ends the program (RFC 4254 §6.10). The first call counts.
func (s *stream) exit(status uint32) (err error) {
	s.once.Do(func() {
		_, _ = s.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		err = s.Channel.Close()
	})
	return err
}

// programTime is how long a channel may be open without a program: what the client sends
// there waits in the SSH library.
const programTime = time.Minute

// runChannel waits for the client to say what it wants to run, and runs it.
func (c *sshConn) runChannel(s *stream, requests <-chan *ssh.Request) {
	b := &c.conn.backlog
	b.change(func() { b.streams++ })
	gone := sync.OnceFunc(func() { b.change(func() { b.streams-- }) })
	defer gone()
	defer s.exit(1)
	late := time.AfterFunc(programTime, func() {
		gone()
		s.exit(1)
	})
	defer late.Stop()
	for r := range requests {
		run := c.programFor(r)
		if r.WantReply {
			b.during(func() { _ = r.Reply(run != nil, nil) })
		}
		if run != nil {
			late.Stop()
			here, gone := context.WithCancel(c.clientHere)
			s.here = here
			go func() {
				defer gone() // no more of them come when the client has closed the channel
				b.refuse(requests)
			}()
			s.exit(run(c.ctx, c.session.Load(), s))
			return
		}
	}
}

// programFor says what a request of a channel starts; nil: it is refused, as
// terminals, environments, agents and X11 are.
func (c *sshConn) programFor(r *ssh.Request) program {
	var payload struct{ Text string }
	switch r.Type {
	case "subsystem":
		if ssh.Unmarshal(r.Payload, &payload) == nil && payload.Text == "sftp" {
			return c.sftp
		}
	case "exec":
		if ssh.Unmarshal(r.Payload, &payload) == nil {
			return c.commandFor(payload.Text)
		}
	case "shell":
		return noCommand("There is no shell here: use sftp or scp.\r\n") // for a terminal
	}
	return nil
}

// commandFor is what an exec request runs.
func (c *sshConn) commandFor(line string) program {
	run, sftp := c.srv.commands.For(line)
	switch {
	case c.onlySFTP:
		return noCommand("The certificate allows sftp only.\n")
	case sftp:
		return c.sftp
	case run == nil:
		c.log.Info("command refused", "command", clip(line))
		return noCommand("This command cannot be run: there is no shell here. Use sftp, scp, sshfs or rclone.\n")
	}
	return func(ctx context.Context, sess *gate.Session, s *stream) uint32 {
		return run(sshexec.Call{Ctx: ctx, Here: s.here, Files: sess.FS(), Share: sess.Share(), Hashes: c.srv.cfg.Hashes, Stdio: s, Log: c.log})
	}
}

// clip is as much of what a client has said as is worth a line in the log.
func clip(line string) string { return strings.ToValidUTF8(line[:min(len(line), 200)], "") }

// noCommand tells a person what to do instead of a command, and ends as a shell does
// that has not found it. To refuse the request would tell nothing but "exec request
// failed on channel 0".
func noCommand(text string) program {
	return func(_ context.Context, _ *gate.Session, s *stream) uint32 {
		s.Say(text)
		return 127
	}
}

// sftp is the subsystem.
func (c *sshConn) sftp(ctx context.Context, sess *gate.Session, s *stream) uint32 {
	err := sftpserver.Serve(ctx, s, sftpserver.Options{
		FS:        sess.FS(),
		User:      sess.User(),
		Zone:      c.srv.cfg.Zone,
		Version:   c.srv.cfg.Version,
		Log:       c.log,
		Buffers:   &c.srv.buffers,
		Handles:   c.srv.cfg.Handles,
		Dirs:      &c.dirs,
		LinkFirst: linkFirst(c.version),
		Busy:      &c.busy,
		Drain:     c.drain,
		Client:    s.here,
		Hashes:    c.srv.cfg.Hashes,
		Share:     sess.Share(),
		Room:      &c.room,
	})
	if p := (*ferry.PanicError)(nil); errors.As(err, &p) {
		c.gateConn.Panicked(p)
	}
	if err != nil {
		return 1
	}
	return 0
}

// linkFirst tells whether a client, by the version it has announced (RFC 4253
// §4.2), sends SYMLINK as the draft has it. Nearly all send it as OpenSSH's
// server wants it, whoever they talk to; these do so only to one that says that
// it is OpenSSH.
func linkFirst(version string) bool {
	software := strings.TrimPrefix(version, "SSH-2.0-")
	return strings.HasPrefix(software, "WinSCP") || strings.HasPrefix(software, "libssh_") || strings.HasPrefix(software, "libssh-") ||
		strings.HasPrefix(software, "AsyncSSH")
}
