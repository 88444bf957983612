package ftpserver

import (
	"context"

	"ferry/internal/ftpparam"
	"ferry/internal/ftpport"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptree"
)

// handler answers a command whose row of the table lets it through.
type handler func(c *conn, arg string) ftpreply.Reply

// needsNothing is the handler of a command that needs nothing of its session.
func needsNothing(answer func(arg string) ftpreply.Reply) handler {
	return func(_ *conn, arg string) ftpreply.Reply { return answer(arg) }
}

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

// onFiles is the handler of a command about a name.
func onFiles(answer func(f *ftptree.Files, ctx context.Context, arg string) ftpreply.Reply) handler {
	return func(c *conn, arg string) ftpreply.Reply { return answer(c.files, c.ctx(), arg) }
}

// onFilesWith is onFiles where the parameters of the session count, too.
func onFilesWith(answer func(f *ftptree.Files, ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply) handler {
	return func(c *conn, arg string) ftpreply.Reply { return answer(c.files, c.ctx(), arg, c.params) }
}

func (c *conn) pwd(string) ftpreply.Reply { return c.files.Pwd() }

// size is SIZE. A device with old manners means bytes, whatever TYPE says.
func (c *conn) size(arg string) ftpreply.Reply {
	return c.files.Size(c.ctx(), arg, func() bool {
		return c.params.ASCII && !c.looseTypes("SIZE in TYPE A")
	})
}

// allo is ALLO; what is announced must have room in the current directory.
func (c *conn) allo(arg string) ftpreply.Reply {
	return c.params.Allo(arg, func(bytes int64) error { return c.files.Fits(c.ctx(), bytes) })
}

func (c *conn) pasv(string) ftpreply.Reply { return c.next.Pasv(c.ctx()) }
