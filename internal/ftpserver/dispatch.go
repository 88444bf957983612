package ftpserver

import (
	"ferry"
	"ferry/internal/ftpwire"
)

// parse takes a line apart. What is no command has no verb, and the reason,
// which is the reply to it, as its argument.
func parse(line []byte) ftpwire.Command {
	cmd, err := ftpwire.ParseCommand(line)
	if err != nil {
		return ftpwire.Command{Arg: "Command not understood."}
	}
	return cmd
}

// take decides about a command: do it now, or after what runs.
func (c *conn) take(cmd ftpwire.Command) {
	c.debugCommand(cmd)
	if c.job == nil {
		c.execute(cmd)
		return
	}
	row := c.srv.commands[cmd.Verb]
	if cmd.Verb == "ABOR" {
		c.job.cancel(ferry.ErrAborted)
	} else if row != nil && row.urgent && len(c.queue) == 0 && !c.job.spoke && (cmd.Verb != "STAT" || cmd.Arg == "") {
		c.execute(cmd)
		return
	}
	if cmd.Verb == "QUIT" && cmd.Arg == "" {
		c.quitSoon.Store(true)
	}
	c.queue = append(c.queue, cmd)
	if c.queueSize += memoryOf(cmd); c.queueSize > maxQueue {
		// To read no further would be to miss the end of the connection, behind
		// what it holds.
		c.close(say(421, "Too many commands wait for the end of this one; closing the connection."), errFlood)
		c.abandon()
	}
}

// memoryOf is about how many bytes a command that waits costs.
func memoryOf(cmd ftpwire.Command) int { return len(cmd.Verb) + len(cmd.Arg) + 64 }

func (c *conn) dequeue() ftpwire.Command {
	cmd := c.queue[0]
	c.queue = c.queue[1:]
	c.queueSize -= memoryOf(cmd)
	if len(c.queue) == 0 {
		c.queue = nil
	}
	return cmd
}

// execute finds the row of cmd, checks what can be checked for every command,
// in the order syntax, login (RFC 959 §5.4), and sends its reply. A client that
// does not take what it was told already is told no more: a short command can
// have a reply of a megabyte (STAT of a directory), and many may be waiting.
func (c *conn) execute(cmd ftpwire.Command) {
	if len(c.out) >= maxReplies {
		if c.flush(); c.closing {
			return
		}
	}
	row := c.srv.commands[cmd.Verb]
	switch cmd.Verb { // even where it fails, it is not the earlier one that counts
	case "RNFR":
		c.from = ""
	case "REST":
		c.restart = restartPoint{}
	}
	switch {
	case row == nil && notFTP(cmd.Verb):
		// A browser or mailer that was led here must get nothing to work with
		// (ALPACA); so does the one who led it.
		c.gateConn.Penalize("spoke " + cmd.Verb + " to an FTP server")
		c.close(say(421, "This is an FTP server."), errNotFTP)
	case cmd.Verb == "":
		c.send(say(500, cmd.Arg))
	case row == nil:
		c.send(say(500, "Command not understood."))
	case row.args == mustArg && cmd.Arg == "":
		c.send(say(501, cmd.Verb+" needs an argument: "+cmd.Verb+" "+row.usage))
	case row.args == noArg && cmd.Arg != "":
		c.send(say(501, cmd.Verb+" takes no argument."))
	case row.phase == afterLogin && c.sess == nil:
		c.send(say(530, "Log in with USER and PASS first."))
	default:
		c.send(row.run(c, c.decode(cmd.Arg)))
	}
	c.endSequences(cmd.Verb, row)
}

// endSequences forgets what only the next command could have used: a restart
// point, a RNFR, a SITE CPFR, an ALLO. Whether that command was any good makes
// no difference; row is nil for one that is unknown.
func (c *conn) endSequences(verb string, row *command) {
	if row == nil {
		row = &command{}
	}
	if !row.keepsRestart && verb != "REST" {
		c.restart = restartPoint{}
		if verb != "CWD" && verb != "MKD" {
			c.alloBytes = 0
		}
	}
	between := verb == "NOOP" || verb == "STAT" // what a client asks to see that we live
	if verb != "RNFR" && !between {
		c.from = ""
	}
	if verb != "SITE" && !between {
		c.copyFrom = ""
	}
}

func notFTP(verb string) bool {
	switch verb {
	case "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "PATCH", "EHLO", "HELO", "LHLO":
		return true
	}
	return false
}
