// Package views compares what the sessions of one user, and of others, see of a name
// and can do with it, over FTP and SFTP, in every state that a name can be in. The
// servers run within the test, over files in memory and on the disk, in a bubble of
// testing/synctest.
package views

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/cluster"
	"ferry/internal/disk"
	"ferry/internal/ftpserver"
	"ferry/internal/ftpwire"
	"ferry/internal/gate"
	"ferry/internal/gatetest"
	"ferry/internal/mem"
	"ferry/internal/nettest"
	"ferry/internal/sftpserver"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// storage is what the servers of a world share.
type storage interface{ For(u ferry.User) ferry.FS }

func storages() map[string]func(t *testing.T) storage {
	return map[string]func(t *testing.T) storage{
		"mem": func(*testing.T) storage { return mem.New(mem.Config{Umask: 0o022}) },
		"disk": func(t *testing.T) storage {
			tree, err := disk.Open(disk.Config{Root: t.TempDir(), Umask: 0o022})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = tree.Close() })
			return tree
		},
	}
}

// world is a storage, served over FTP and SFTP behind one gate.
type world struct {
	*testing.T
	files   storage
	gate    *gate.Gate
	net     *nettest.Network
	ftpd    *ftpserver.Server
	ports   uint16 // of clients, so far
	running sync.WaitGroup
	late    func() string // gives the answer that has been waited for; nil: nothing waits
	ends    []func()
}

// everybody may do everything, but dropper sees nothing.
type everybody struct{}

const dropper = "dropper"

func (everybody) Authenticate(_ context.Context, c ferry.Claim) (ferry.User, error) {
	rights := ferry.RightsAll
	if c.Name == dropper {
		rights = ferry.RightCreate | ferry.RightOverwrite
	}
	return ferry.User{Name: c.Name, Rules: []ferry.Rule{{Prefix: "/", Rights: rights}}}, nil
}

func newWorld(t *testing.T, files storage) *world {
	w := &world{T: t, files: files, net: nettest.NewNetwork()}
	w.gate = gate.New(gate.Config{Auth: everybody{}, Files: gatetest.Files(files.For), Cluster: cluster.NewAlone()})
	var err error
	if w.ftpd, err = ftpserver.New(ftpserver.Config{Gate: w.gate, Network: w.net}); err != nil {
		t.Fatal(err)
	}
	return w
}

// end ends all that is open.
func (w *world) end() {
	for _, end := range w.ends {
		end()
	}
	if err := w.ftpd.Shutdown(context.Background()); err != nil {
		w.Error(err)
	}
	w.running.Wait()
}

func (w *world) client() netip.AddrPort {
	w.ports++
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.77"), 40000+w.ports)
}

func server(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)
}

// session is a client of either protocol that uploads.
type session interface {
	// begin begins an upload of new content, and sends text.
	begin(name, text string)
	// more sends text behind what was sent, and tells whether that was taken.
	more(text string) bool
	// finish ends the upload well, and tells whether that is what became of it.
	finish() bool
	// leave ends the session as a broken connection does.
	leave()
}

// sessionOf begins one of the user, over "ftp" or "sftp".
func (w *world) sessionOf(protocol, user string) session {
	if protocol == "ftp" {
		return w.ftp(user)
	}
	return w.sftp(user)
}

// ftp is an FTP client that asks one thing at a time.
type ftp struct {
	w    *world
	conn *nettest.Wire
	data *nettest.Wire
	said string
}

func (w *world) ftp(user string) *ftp {
	here, there := nettest.NewWire(w.client(), server(21))
	w.running.Go(func() { w.ftpd.Handle(there) })
	c := &ftp{w: w, conn: here}
	w.ends = append(w.ends, func() { _ = c.conn.Close(); c.hangUp() })
	c.hear()
	for _, line := range []string{"USER " + user, "PASS secret", "TYPE I"} {
		c.ask(line)
	}
	return c
}

// hear gives what the server has said, until it says nothing more for now.
func (c *ftp) hear() string {
	got, _, _ := c.conn.Drain()
	return string(got)
}

// ask gives the answer to a line; "" where there is none yet.
func (c *ftp) ask(line string) string {
	_, _ = io.WriteString(c.conn, line+"\r\n")
	return c.hear()
}

// codes are the codes of the replies in text, in their order.
func codes(text string) string {
	var all []string
	for line := range strings.Lines(text) {
		if len(line) > 3 && line[3] == ' ' && line[0] != ' ' {
			all = append(all, line[:3])
		}
	}
	return strings.Join(all, " ")
}

// connect makes a data connection.
func (c *ftp) connect() {
	port, err := ftpwire.ParseEPSV(strings.TrimSpace(c.ask("EPSV")))
	if err == nil {
		c.data, err = c.w.net.Connect(c.w.client(), server(port))
	}
	if err != nil {
		c.w.Fatal(err)
	}
}

func (c *ftp) hangUp() {
	if c.data != nil {
		_ = c.data.Close()
	}
}

// fetch gives the codes that a command with a download is answered with, and what it
// sent.
func (c *ftp) fetch(line string) (answer, content string) {
	c.connect()
	answer = c.ask(line)
	got, _, _ := c.data.Drain()
	c.hangUp()
	return codes(answer + c.hear()), string(got)
}

// store sends text by a command, and gives the codes of the answers. Where there is none
// yet that "waits", and world.late goes on.
func (c *ftp) store(line, text string) string {
	c.connect()
	goOn := func(answer string) string {
		if answer != "150" {
			return answer
		}
		return answer + " " + c.send(text)
	}
	if answer := codes(c.ask(line)); answer != "" {
		return goOn(answer)
	}
	c.w.late = func() string { return goOn(codes(c.hear())) }
	return "waits"
}

// send sends text and the end of the data.
func (c *ftp) send(text string) string {
	_, _ = io.WriteString(c.data, text)
	c.hangUp()
	return codes(c.hear())
}

// begin goes on with a beginning that was broken off: what comes in is in the file only
// when a buffer is full.
func (c *ftp) begin(name, text string) {
	c.connect()
	for _, line := range []string{"STOR " + name, "ABOR", "", fmt.Sprint("REST ", len(text)), "STOR " + name} {
		switch {
		case line == "":
			c.connect()
			continue
		case line == "ABOR":
			_, _ = io.WriteString(c.data, text)
			synctest.Wait()
		}
		if answer := codes(c.ask(line)); !slices.Contains([]string{"150", "426 226", "350"}, answer) {
			c.w.Fatalf("%s: %s", line, answer)
		}
	}
}

func (c *ftp) more(text string) bool {
	_, _ = io.WriteString(c.data, text)
	synctest.Wait()
	_, err := io.WriteString(c.data, "")
	return err == nil
}

func (c *ftp) finish() bool { return strings.HasPrefix(c.send(""), "226") }

func (c *ftp) leave() {
	c.conn.Reset()
	synctest.Wait() // the server notices that first
	c.hangUp()
	synctest.Wait()
}

// sftp is a client of SFTP.
type sftp struct {
	*sftptest.Peer
	w      *world
	close  func()
	handle string
	at     uint64
}

func (w *world) sftp(user string) *sftp {
	conn, err := w.gate.Admit(context.Background(), "sftp", w.client(), server(22))
	if err != nil {
		w.Fatal(err)
	}
	s, err := conn.Login(context.Background(), ferry.Claim{Name: user})
	if err != nil {
		w.Fatal(err)
	}
	here, there := net.Pipe()
	over := make(chan error, 1)
	w.running.Go(func() {
		over <- sftpserver.Serve(conn.Context(), there, sftpserver.Options{FS: s.FS(), User: s.User()})
		conn.Close(nil)
	})
	c := &sftp{Peer: sftptest.NewPeer(w.T, here, over), w: w, close: func() { _ = here.Close() }}
	w.ends = append(w.ends, c.close)
	return c
}

// code asks, and gives the status; "ok" for any other answer, too.
func (c *sftp) code(r sftpwire.Request) string { return codeOf(c.Ask(r)) }

func codeOf(r sftpwire.Reply) string {
	switch r := r.(type) {
	case nil:
		return "gone"
	case *sftpwire.Status:
		return r.Code.String()
	}
	return sftpwire.OK.String()
}

// open gives the handle, or the status.
func (c *sftp) open(name string, flags sftpwire.OpenFlags) (handle, status string) {
	r := c.Ask(&sftpwire.Open{Name: name, Flags: flags})
	if h, ok := r.(*sftpwire.Handle); ok {
		return h.Handle, ""
	}
	return "", codeOf(r)
}

func (c *sftp) begin(name, text string) {
	handle, status := c.open(name, sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	if status != "" {
		c.w.Fatalf("OPEN %s: %s", name, status)
	}
	c.handle = handle
	c.more(text)
}

func (c *sftp) more(text string) bool {
	status := c.code(&sftpwire.Write{Handle: c.handle, Offset: c.at, Data: []byte(text)})
	c.at += uint64(len(text))
	return status == sftpwire.OK.String()
}

func (c *sftp) finish() bool {
	return c.code(&sftpwire.Close{Handle: c.handle}) == sftpwire.OK.String()
}

func (c *sftp) leave() {
	c.close()
	synctest.Wait()
}

// tree is everything that stands, as anybody sees it: names and content.
func (w *world) tree() string {
	files := w.files.For(ferry.User{Name: "nobody"})
	defer files.Close()
	var all []string
	for _, dir := range []ferry.Name{"/", "/d"} {
		for i, err := range files.List(context.Background(), dir, ferry.Full) {
			if err != nil {
				continue
			}
			name, _ := dir.Join(i.Name)
			switch {
			case i.IsDir() && name != "/d":
				all = append(all, string(name)+"/")
			case i.Mode.IsRegular():
				all = append(all, string(name)+"="+w.content(files, name))
			case !i.IsDir():
				all = append(all, string(name)+"->"+i.Target)
			}
		}
	}
	return strings.Join(sorted(all), " ")
}

func (w *world) content(files ferry.FS, name ferry.Name) string {
	h, err := files.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return err.Error()
	}
	defer h.Abort(nil)
	all, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<20))
	if err != nil {
		return err.Error()
	}
	return string(all)
}

// put makes text the content of name, a year ago.
func (w *world) put(name ferry.Name, text string) {
	files := w.files.For(ferry.User{Name: "nobody"})
	defer files.Close()
	h, err := files.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Replace})
	if err == nil {
		_, err = h.WriteAt([]byte(text), 0)
	}
	if err == nil {
		err = h.SetAttr(ferry.Attr{ModTime: new(time.Date(1999, 1, 2, 3, 4, 5, 0, time.UTC))})
	}
	if err == nil {
		err = h.Commit()
	}
	if err != nil {
		w.Fatal(fmt.Errorf("put %s: %w", name, err))
	}
}

func (w *world) mkdir(name ferry.Name) {
	files := w.files.For(ferry.User{Name: "nobody"})
	defer files.Close()
	if err := files.Mkdir(context.Background(), name, nil); err != nil {
		w.Fatal(err)
	}
}
