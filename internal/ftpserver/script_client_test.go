package ftpserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/ftpwire"
	"ferry/internal/nettest"
)

// client is one control connection with its data connections.
type client struct {
	w     *world
	conn  *nettest.Wire
	said  string // by the server, and not expected yet
	ended bool
	ports []uint16 // of the passive replies, the latest last
	data  map[string]*dataEnd
}

// dataEnd is the client's end of a data connection.
type dataEnd struct {
	*nettest.Wire
	comes <-chan *nettest.Wire // in active mode, until the server has connected
}

func (c *client) hangUp() {
	_ = c.conn.Close()
	for _, d := range c.data {
		if d.Wire != nil {
			_ = d.Close()
		}
	}
}

func (c *client) step(verb string, args []string) error {
	switch verb {
	case "raw":
		return c.Send(args[0])
	case "bytewise":
		for i := range len(args[0]) {
			if err := c.Send(args[0][i : i+1]); err != nil {
				return err
			}
			synctest.Wait()
		}
	case "S":
		return c.state(args[0], args[1:])
	case "login":
		return c.Login(args[0])
	case "close":
		return c.conn.Close()
	case "fin":
		c.conn.CloseWrite()
	case "reset":
		c.conn.Reset()
	}
	return nil
}

func (c *client) Send(text string) error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(time.Minute))
	_, err := io.WriteString(c.conn, text)
	return err
}

// line is the next line that the server says.
func (c *client) line() (string, error) {
	if !strings.Contains(c.said, "\n") {
		got, ended, _ := c.conn.Drain()
		c.said, c.ended = c.said+string(got), ended
	}
	line, rest, ok := strings.Cut(c.said, "\r\n")
	switch {
	case ok && !strings.Contains(line, "\n"):
		c.said = rest
		return line, nil
	case c.said != "":
		return "", fmt.Errorf("the server says %q, which is no line", c.said)
	case c.ended:
		return "", errors.New("the server closed the connection")
	}
	return "", errors.New("the server says nothing")
}

func (c *client) Expect(pattern string) error {
	line, err := c.line()
	if err != nil {
		return err
	}
	if !matches(pattern, line) {
		return fmt.Errorf("got %q", line)
	}
	return c.notePort(line)
}

// notePort remembers the port of a passive reply.
func (c *client) notePort(line string) error {
	var port uint16
	var err error
	switch line[:min(3, len(line))] {
	case "227":
		var at netip.AddrPort
		at, err = ftpwire.ParsePASV(line)
		port = at.Port()
	case "228":
		numbers := strings.Split(strings.TrimSuffix(line[strings.IndexByte(line, '(')+1:], ")."), ",")
		hi, _ := strconv.Atoi(numbers[len(numbers)-2])
		lo, _ := strconv.Atoi(numbers[len(numbers)-1])
		port = uint16(hi<<8 | lo)
	case "229":
		port, err = ftpwire.ParseEPSV(line)
	default:
		return nil
	}
	c.ports = append(c.ports, port)
	return err
}

// matches tells whether text has the form of pattern, where * is any text.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}

func (c *client) state(what string, args []string) error {
	switch what {
	case "raw":
		return c.Expect(args[0])
	case "reply":
		return c.reply(args[0])
	case "times":
		n, err := strconv.Atoi(args[0])
		for ; n > 0 && err == nil; n-- {
			err = c.Expect(args[1])
		}
		return err
	}
	line, err := c.line()
	switch {
	case err == nil:
		return fmt.Errorf("the server says %q", line)
	case c.said != "":
		return err
	case what == "eof" && !c.ended:
		return errors.New("the connection is still open")
	case what == "nothing" && c.ended:
		return errors.New("the connection is closed")
	}
	return nil
}

// reply takes a whole reply with a code.
func (c *client) reply(code string) error {
	line, err := c.line()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, code) {
		return fmt.Errorf("got %q", line)
	}
	for err == nil && !strings.HasPrefix(line, code+" ") {
		line, err = c.line()
	}
	return err
}

func (c *client) Login(user string) error {
	if user == "" {
		user = "alice"
	}
	if err := c.Expect("220*"); err != nil {
		return err
	}
	for _, s := range [][2]string{{"USER " + user, "331*"}, {"PASS secret", "230*"}} {
		if err := c.Send(s[0] + "\r\n"); err != nil {
			return err
		}
		if err := c.Expect(s[1]); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) dataStep(which string, args []string) error {
	switch args[0] {
	case "connect":
		d, err := c.Connect(args[1:])
		c.data[which] = &dataEnd{Wire: d}
		return err
	case "refused":
		d, err := c.Connect(args[1:])
		if err != nil {
			return nil
		}
		if got, ended, _ := d.Drain(); len(got) > 0 || !ended {
			return errors.New("the connection is open")
		}
		return nil
	case "accept":
		at, err := netip.ParseAddrPort(args[1])
		c.data[which] = &dataEnd{comes: c.w.net.Await(at)}
		return err
	}
	d := c.data[which]
	if d == nil {
		return errors.New("no such data connection")
	}
	if d.Wire == nil {
		synctest.Wait()
		select {
		case d.Wire = <-d.comes:
		default:
			return errors.New("the server has not connected")
		}
	}
	return d.step(args[0], args[1])
}

func (c *client) Connect(args []string) (*nettest.Wire, error) {
	from, port := c.w.peer, len(c.ports)-1
	for i, word := range args {
		switch word {
		case "previous":
			port--
		case "from":
			from = netip.MustParseAddr(args[i+1])
		}
	}
	if port < 0 {
		return nil, errors.New("there was no passive reply")
	}
	c.w.nextSrc++
	return c.w.net.Connect(netip.AddrPortFrom(from, c.w.nextSrc), netip.AddrPortFrom(c.w.local.Unmap(), c.ports[port]))
}

func (d *dataEnd) step(what, text string) error {
	switch what {
	case "send":
		_ = d.SetWriteDeadline(time.Now().Add(time.Minute))
		_, err := io.WriteString(d, text)
		synctest.Wait()
		return err
	case "close":
		return d.Close()
	case "fin":
		d.CloseWrite()
		return nil
	case "reset":
		d.Reset()
		return nil
	}
	got, ended, reset := d.Drain()
	switch {
	case what == "has" && (ended || string(got) != text),
		what == "read" && (!ended || string(got) != text),
		what == "count" && (!ended || fmt.Sprint(len(got)) != text),
		what == "closed" && (!ended || len(got) > 0),
		what == "broken" && !reset:
		return fmt.Errorf("got %d bytes, %.2000q; the end: %t, a reset: %t", len(got), got, ended, reset)
	case what == "has", what == "read", what == "count", what == "closed", what == "broken":
		return nil
	}
	return fmt.Errorf("unknown step data %s", what)
}

// fileStep looks at the storage behind the server's back, or changes it.
func (w *world) fileStep(what string, args []string) error {
	synctest.Wait()
	ctx := context.Background()
	user := "alice"
	if what == "part" {
		user, args = args[0], args[1:]
	}
	name, text := args[0], args[1]
	tree := w.tree.For(ferry.User{Name: user})
	defer tree.Close()
	switch what {
	case "files":
		n, err := strconv.Atoi(text)
		for i := 0; i < n && err == nil; i++ {
			err = makeFile(ctx, tree, ferry.Name(fmt.Sprintf("%s/file-%06d", name, i)), "", false)
		}
		return err
	case "file", "part":
		return makeFile(ctx, tree, ferry.Name(name), text, what == "part")
	case "append":
		h, err := tree.Open(ctx, ferry.Name(name), ferry.OpenOptions{Mode: ferry.Update, At: ferry.AtEnd})
		if err != nil {
			return err
		}
		_, err = h.WriteAt([]byte(text), 0)
		return errors.Join(err, h.Commit())
	case "mkdir":
		return tree.Mkdir(ctx, ferry.Name(name), nil)
	case "symlink":
		return tree.Symlink(ctx, text, ferry.Name(name))
	case "link":
		return tree.Link(ctx, ferry.Name(name), ferry.Name(text))
	case "unlink":
		return tree.Remove(ctx, ferry.Name(name))
	case "want":
		h, err := tree.Open(ctx, ferry.Name(name), ferry.OpenOptions{Mode: ferry.Read})
		if err != nil {
			return err
		}
		defer h.Abort(nil)
		got, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<30))
		if err == nil && string(got) != text {
			err = fmt.Errorf("it has %.2000q", got)
		}
		return err
	case "absent":
		if i, err := tree.Lstat(ctx, ferry.Name(name)); err == nil && !i.Unfinished {
			return errors.New("it exists")
		}
		return nil
	}
	return fmt.Errorf("unknown step %s", what)
}

// makeFile makes a file from a year before the bubble began, or leaves it unfinished.
func makeFile(ctx context.Context, tree ferry.FS, name ferry.Name, text string, unfinished bool) error {
	h, err := tree.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		return err
	}
	if _, err := h.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	old := time.Date(1998, 12, 31, 23, 59, 58, 0, time.UTC)
	if err := h.SetAttr(ferry.Attr{ModTime: &old}); err != nil {
		return err
	}
	if unfinished {
		return h.Abort(nil)
	}
	return h.Commit()
}
