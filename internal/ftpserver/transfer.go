package ftpserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"time"

	"ferry"
	"ferry/internal/ftpdata"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptls"
)

// RETR (RFC 959 §4.1.3).
func (c *conn) retr(arg string) ftpreply.Reply {
	if r, ok := c.dataReady(); !ok {
		return r
	}
	name, err := c.files.Name(arg)
	if err != nil {
		return ftpreply.For(err)
	}
	at := c.params.Restart
	if r, ok := c.restartAllowed(at); !ok {
		return r
	}
	h, err := c.fs().Open(c.ctx(), name, ferry.OpenOptions{Mode: ferry.Read, ASCII: c.params.ASCII})
	if err != nil {
		return c.report.Failed("RETR", name, err)
	}
	info, err := h.Stat()
	if err != nil {
		_ = h.Abort(err)
		return c.report.Failed("RETR", name, err)
	}
	if at.Offset > info.Size {
		_ = h.Abort(ferry.ErrBeyondEnd)
		return ftpreply.For(ferry.ErrBeyondEnd)
	}
	data, way, form, who := c.srv.data, c.next.Take(), c.form(), c.next.Party()
	report := c.report
	send := func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		err := data.With(ctx, who, way, form, func(to *ferry.DataConn) error { return sendFile(ctx, to, h, at, info.Size) })
		if err == nil {
			err = h.Commit()
		}
		if err != nil {
			_ = h.Abort(err)
			return report.Failed("RETR", name, err)
		}
		return ftpreply.Say(226, "Transfer complete.")
	}
	return ftpreply.Say(150, opening(form, name, info.Size)).With(ftpreply.Job{Verb: "RETR", Run: send})
}

// opening is the text of a download's 150; ftplib and wget read the size there.
func opening(f ftpdata.Form, name ferry.Name, size int64) string {
	if f.Ascii {
		return "Opening ASCII mode data connection for " + string(name) + "."
	}
	return "Opening BINARY mode data connection for " + string(name) + " (" + strconv.FormatInt(size, 10) + " bytes)."
}

// sendFile sends what at asks for of a file.
func sendFile(ctx context.Context, to *ferry.DataConn, h ferry.Handle, at ftpparam.Restart, size int64) error {
	ftptls.Cork(to.Conn())
	want := size - at.Offset
	if at.Ranged {
		want = min(want, at.Length())
	}
	n, err := h.SendTo(ctx, to, at.Offset, want)
	if err == nil && n < want {
		err = ftpreply.ErrShrunk
	}
	return err
}

// STOR (RFC 959 §4.1.3). After REST it goes on there, after RANG it changes that
// range and nothing else.
func (c *conn) stor(arg string) ftpreply.Reply {
	if r, ok := c.restartAllowed(c.params.Restart); !ok {
		return r
	}
	o := ferry.OpenOptions{At: c.params.Restart.Offset, KeepRest: c.params.Restart.Ranged}
	if c.params.Restart.Given {
		o.Mode = ferry.Resume
	} else {
		o.Mode = ferry.Replace
	}
	return c.store("STOR", arg, o, c.params.Restart)
}

// APPE (RFC 959 §4.1.3): at the end of the file, or of this user's unfinished
// upload, whatever REST or RANG said: what is there stays. Who has just been told the
// SIZE of an unfinished upload (curl) goes on from there: what an old connection of
// its own has still brought since is sent again.
func (c *conn) appe(arg string) ftpreply.Reply {
	o := ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd}
	if name, err := c.files.Name(arg); err == nil {
		if size, told := c.files.ToldSize(name); told {
			o.At, o.OnlyPart = size, true
		}
	}
	return c.store("APPE", arg, o, ftpparam.Restart{})
}

// store receives a file, at most as long as at says. An upload that another session of
// the user still has is waited for, as a job: the client may say ABOR meanwhile, or
// leave.
func (c *conn) store(verb, arg string, o ferry.OpenOptions, at ftpparam.Restart) ftpreply.Reply {
	if r, ok := c.dataReady(); !ok {
		return r
	}
	name, err := c.files.Name(arg)
	if err != nil {
		return ftpreply.ForStore(err)
	}
	o.Perm, o.ASCII = c.params.FilePerm(), c.params.ASCII
	tree := c.fs()
	h, err := tree.Open(c.ctx(), name, o)
	if err != nil && !errors.Is(err, ferry.ErrBusy) {
		return c.report.StoreFailed(verb, name, err)
	}
	u := c.upload(verb, name, at)
	if err == nil {
		return u.receive(h)
	}
	o.Wait = ferry.PartWait
	return ftpreply.Begin(ftpreply.Job{Verb: verb, Run: func(ctx context.Context, _ ftpreply.Control) ftpreply.Reply {
		h, err := tree.Open(ctx, name, o)
		if err != nil {
			u.way.Close()
			return u.report.StoreFailed(verb, name, cmp.Or(context.Cause(ctx), err))
		}
		return u.receive(h)
	}})
}

// upload is what the job of an upload knows of its session.
type upload struct {
	verb      string
	name      ferry.Name
	at        ftpparam.Restart
	began     ftpreply.Reply // the 150
	done      string         // the text of the 226
	data      *ftpdata.Service
	way       ftpdata.Endpoint
	form      ftpdata.Form
	who       ftpdata.Session
	announced int64 // bytes; 0: nothing was
	report    ftpreply.Reporter
}

// upload takes over what was prepared for an upload.
func (c *conn) upload(verb string, name ferry.Name, at ftpparam.Restart) upload {
	u := upload{
		verb: verb, name: name, at: at, began: ftpreply.Say(150, "Ok to send data."), done: "Transfer complete.",
		data: c.srv.data, way: c.next.Take(), form: c.form(), who: c.next.Party(), report: c.report,
	}
	u.form.Upload = true
	if !c.srv.cfg.LooseALLO {
		u.announced = c.params.Announced
	}
	return u
}

// receive is 150, and the job that takes the upload into h and publishes it.
func (u upload) receive(h ferry.Handle) ftpreply.Reply {
	u.at.Offset = h.Start()
	if u.form.Ascii || u.at.Offset > 0 || u.at.Ranged {
		u.announced = 0 // ALLO speaks of the whole file as it is stored
	}
	take := u.take
	return u.began.With(ftpreply.Job{Verb: u.verb, Run: func(ctx context.Context, control ftpreply.Control) ftpreply.Reply {
		return take(ctx, control, h)
	}})
}

func (u upload) take(ctx context.Context, control ftpreply.Control, h ferry.Handle) ftpreply.Reply {
	began := time.Now()
	err := u.data.With(ctx, u.who, u.way, u.form, func(from *ferry.DataConn) error {
		n, err := h.ReceiveFrom(ctx, from, u.at.Offset, u.at.Length())
		if err == nil && u.at.Ranged && n == u.at.Length() {
			err = nothingMore(from)
		}
		if err == nil && n < u.announced {
			return fmt.Errorf("%w: %d of %d", ftpreply.ErrShortOfALLO, n, u.announced)
		}
		return err
	})
	if err == nil {
		err = control.Holds(ctx, graceAfter(time.Since(began), u.announced))
	}
	if err == nil {
		err = h.Commit()
	}
	if err != nil {
		_ = h.Abort(err)
		return u.report.StoreFailed(u.verb, u.name, err)
	}
	return ftpreply.Say(226, u.done)
}

// lastByteTimeout is how long a client may take to end its data connection behind the
// last byte of a range.
const lastByteTimeout = 30 * time.Second

// nothingMore wants the client's end after the last byte of a range: what it
// sends beyond is not written, and it must not believe so.
func nothingMore(from *ferry.DataConn) error {
	from.WaitUntil(time.Now().Add(lastByteTimeout))
	n, err := from.Read(make([]byte, 2))
	switch {
	case n > 0:
		return ftpreply.ErrBeyondRange
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// STOU (RFC 959 §4.1.3). The name is told as RFC 1123 §4.1.2.9 wants it, and
// again at the end.
func (c *conn) stou(arg string) ftpreply.Reply {
	if r, ok := c.dataReady(); !ok {
		return r
	}
	if c.params.Restart.Given {
		return ftpreply.Say(554, "REST and RANG make no sense before STOU.")
	}
	if arg == "" {
		arg = "stou." + randomSuffix()
	}
	for attempt := range 20 {
		shown := arg
		switch {
		case attempt > 9:
			shown = arg + "." + randomSuffix()
		case attempt > 0:
			shown = arg + "." + strconv.Itoa(attempt)
		}
		name, err := c.files.Name(shown)
		if err != nil {
			return ftpreply.ForStore(err)
		}
		h, err := c.fs().Open(c.ctx(), name, ferry.OpenOptions{Mode: ferry.Exclusive, Perm: c.params.FilePerm(), ASCII: c.params.ASCII})
		if errors.Is(err, fs.ErrExist) || errors.Is(err, ferry.ErrBusy) || errors.Is(err, ferry.ErrIsDir) {
			continue
		}
		if err != nil {
			return c.report.StoreFailed("STOU", name, err)
		}
		u := c.upload("STOU", name, ftpparam.Restart{})
		u.began, u.done = ftpreply.Say(150, "FILE: "+shown), u.done+" FILE: "+shown
		return u.receive(h)
	}
	return ftpreply.Say(450, "No unique name found for "+path.Base(arg)+"; try again.")
}

func randomSuffix() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// ABOR (RFC 959 §4.1.3). A job that ran has been cancelled when the loop read
// the line, and has answered 426; what is left is a passive port nobody needs.
func (c *conn) abor(string) ftpreply.Reply {
	c.next.Close()
	return ftpreply.Say(226, "Abort successful.")
}

// restartAllowed checks what REST and RANG go together with
// (RFC 1123 §4.1.3.4 gives the codes).
func (c *conn) restartAllowed(at ftpparam.Restart) (ftpreply.Reply, bool) {
	switch {
	case at.Given && c.params.ASCII && c.looseTypes("REST in TYPE A"):
	case at.Given && c.params.ASCII:
		return ftpreply.Say(555, "A restart needs TYPE I."), false
	case at.Given && c.params.Z:
		return ftpreply.Say(554, "A restart needs MODE S."), false
	}
	return ftpreply.Reply{}, true
}

// graceAfter is how long to wait, after the data's end, for the end of a
// control connection that is about to come. Where a client is killed, Linux
// closes what it opened last first: the data connection, and the control
// connection some microseconds later, too late for one look. A fiftieth of the
// time that the upload took costs nobody anything, and spares small files, which
// a death is not likely to meet. Where ALLO has said how much there is, the
// file is whole.
func graceAfter(lasted time.Duration, announced int64) time.Duration {
	if announced > 0 {
		return 0
	}
	return min(lasted/50, 25*time.Millisecond)
}
