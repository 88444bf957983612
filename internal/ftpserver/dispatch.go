package ftpserver

import (
	"ferry"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// request is a line of the client: a command, or why it is none.
type request struct {
	ftpwire.Command
	row     *command // never nil; one without a verb: it is not known
	refused string   // the text of the reply to what is no command; "": it is one
}

// parse takes a line apart.
func (s *Server) parse(line []byte) request {
	cmd, err := ftpwire.ParseCommand(line)
	if err != nil {
		return refuse("Command not understood.")
	}
	if row := s.commands[cmd.Verb]; row != nil {
		return request{Command: cmd, row: row}
	}
	return request{Command: cmd, row: &command{}}
}

// refuse is a line that is no command; text says why.
func refuse(text string) request { return request{row: &command{}, refused: text} }

// take decides about a request: do it now, or after what runs.
func (c *conn) take(r request) {
	c.debugCommand(r)
	if c.job == nil {
		c.execute(r)
		return
	}
	if r.row.cancels {
		c.job.cancel(ferry.ErrAborted)
	} else if r.urgent() && len(c.queue) == 0 && !c.job.spoke {
		c.execute(r)
		return
	}
	if r.row.ends && r.Arg == "" {
		c.quitSoon = true
	}
	c.queue = append(c.queue, r)
	if c.queueSize += memoryOf(r); c.queueSize > maxQueue {
		// To read no further would be to miss the end of the connection, behind
		// what it holds.
		c.close(ftpreply.Say(421, "Too many commands wait for the end of this one; closing the connection."), errFlood)
		c.abandon()
	}
}

// urgent tells whether r is answered while a job runs.
func (r request) urgent() bool {
	return r.row.urgent == atOnce || r.row.urgent == atOnceBare && r.Arg == ""
}

// memoryOf is about how many bytes a request that waits costs.
func memoryOf(r request) int { return len(r.Verb) + len(r.Arg) + 64 }

func (c *conn) dequeue() request {
	r := c.queue[0]
	c.queue = c.queue[1:]
	c.queueSize -= memoryOf(r)
	if len(c.queue) == 0 {
		c.queue = nil
	}
	return r
}

// execute checks what can be checked for every command, in the order syntax, login
// (RFC 959 §5.4), and sends its reply. A client that does not take what it was told
// already is told no more: a short command can have a reply of a megabyte (STAT of a
// directory), and many may be waiting.
func (c *conn) execute(r request) {
	if c.ctl.Unsent() >= maxReplies {
		if c.flush(); c.closing {
			return
		}
	}
	row := r.row
	c.forget(row.begins) // even where it fails, it is not the earlier one that counts
	if refusal, ok := c.mayRun(r); !ok {
		c.answer(refusal)
	} else {
		c.answer(row.run(c, c.ctl.Decode(r.Arg)))
	}
	c.forget(^(row.begins | row.keeps))
}

// mayRun tells whether the handler of r is to be called; if not, why.
func (c *conn) mayRun(r request) (refusal ftpreply.Reply, ok bool) {
	switch row := r.row; {
	case row.verb == "" && notFTP(r.Verb):
		// A browser or mailer that was led here must get nothing to work with
		// (ALPACA); so does the one who led it.
		c.gateConn.Penalize("spoke " + r.Verb + " to an FTP server")
		c.close(ftpreply.Say(421, "This is an FTP server."), errNotFTP)
		return ftpreply.Said(), false
	case r.refused != "":
		return ftpreply.Say(500, r.refused), false
	case row.verb == "":
		return ftpreply.Say(500, "Command not understood."), false
	case row.args == mustArg && r.Arg == "":
		return ftpreply.Say(501, r.Verb+" needs an argument: "+r.Verb+" "+row.usage), false
	case row.args == noArg && r.Arg != "":
		return ftpreply.Say(501, r.Verb+" takes no argument."), false
	case row.phase == afterLogin && c.sess == nil:
		return ftpreply.Say(530, "Log in with USER and PASS first."), false
	}
	return ftpreply.Reply{}, true
}

// forget drops what earlier commands have prepared.
func (c *conn) forget(what prepared) {
	if what&aRestart != 0 {
		c.params.Restart = ftpparam.Restart{}
	}
	if what&anALLO != 0 {
		c.params.Announced = 0
	}
	if what&aRename != 0 && c.files != nil {
		c.files.ForgetRename()
	}
	if what&aCopy != 0 && c.files != nil {
		c.files.ForgetCopy()
	}
	if what&aSize != 0 && c.files != nil {
		c.files.ForgetSize()
	}
}

func notFTP(verb string) bool {
	switch verb {
	case "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "PATCH", "EHLO", "HELO", "LHLO":
		return true
	}
	return false
}
