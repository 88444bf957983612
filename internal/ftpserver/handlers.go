package ftpserver

import (
	"ferry/internal/ftpport"
	"ferry/internal/ftpreply"
)

// handler answers a command whose row of the table lets it through.
type handler func(c *conn, arg string) ftpreply.Reply

// onNext is the handler of a command about the next data connection.
func onNext(answer func(n *ftpport.Next, arg string) ftpreply.Reply) handler {
	return func(c *conn, arg string) ftpreply.Reply { return answer(c.next, arg) }
}

func (c *conn) pasv(string) ftpreply.Reply { return c.next.Pasv(c.ctx()) }

func (c *conn) lpsv(string) ftpreply.Reply { return c.next.Lpsv() }

func (c *conn) pret(arg string) ftpreply.Reply { return ftpport.Pret(arg) }
