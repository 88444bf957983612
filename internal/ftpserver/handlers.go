package ftpserver

import (
	"ferry/internal/ftpparam"
	"ferry/internal/ftpport"
	"ferry/internal/ftpreply"
)

// handler answers a command whose row of the table lets it through.
type handler func(c *conn, arg string) ftpreply.Reply

// onNext is the handler of a command about the next data connection.
func onNext(answer func(n *ftpport.Next, arg string) ftpreply.Reply) handler {
	return func(c *conn, arg string) ftpreply.Reply { return answer(c.next, arg) }
}

// onParams is the handler of a command that sets a parameter.
func onParams(set func(p *ftpparam.Params, arg string) ftpreply.Reply) handler {
	return func(c *conn, arg string) ftpreply.Reply { return set(&c.params, arg) }
}

// opts is OPTS; of UTF8 the charset of names follows.
func (c *conn) opts(arg string) ftpreply.Reply {
	was := c.params.UTF8
	r := c.params.Opts(arg)
	switch now := c.params.UTF8; {
	case now == was:
	case now:
		c.useCharset("")
	case c.sess != nil:
		c.useCharset(c.accountCharset())
	}
	return r
}

// allo is ALLO; what is announced must have room in the current directory.
func (c *conn) allo(arg string) ftpreply.Reply {
	return c.params.Allo(arg, func(bytes int64) bool {
		space, err := c.fs().Space(c.ctx(), c.cwd)
		return err != nil || space.Total == 0 || uint64(bytes) <= space.Available
	})
}

func (c *conn) pasv(string) ftpreply.Reply { return c.next.Pasv(c.ctx()) }

func (c *conn) lpsv(string) ftpreply.Reply { return c.next.Lpsv() }

func (c *conn) pret(arg string) ftpreply.Reply { return ftpport.Pret(arg) }
