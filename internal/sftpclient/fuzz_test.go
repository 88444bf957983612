package sftpclient

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// puppet answers each request with the next of its lines, and hangs up when
// there are no more. A line is a type, a length of two bytes, and as many bytes
// that follow the number of the request; of type 0 they are the whole packet,
// or what is to be taken for one, and the last it says.
func puppet(conn net.Conn, lines []byte) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for len(lines) >= 3 {
		n, err := sftpconn.ReadLength(in)
		if err != nil {
			return
		}
		packet := make([]byte, n)
		if _, err := io.ReadFull(in, packet); err != nil {
			return
		}
		kind, body := lines[0], lines[3:]
		body = body[:min(len(body), int(binary.BigEndian.Uint16(lines[1:])))]
		lines = lines[3+len(body):]
		answer := body
		if kind != 0 {
			answer = binary.BigEndian.AppendUint32(nil, uint32(5+len(body)))
			answer = append(append(append(answer, kind), packet[1:5]...), body...)
		}
		if sftpwire.Type(packet[0]) == sftpwire.TypeInit {
			answer = sftpwire.AppendVersion(nil, sftpwire.Hello{Version: 3, Extensions: sftpwire.Extensions()})
		}
		if _, err := conn.Write(answer); err != nil || kind == 0 {
			return
		}
	}
}

// FuzzServer: whatever a server says, the client ends with an error or goes
// on. It neither panics nor waits for what cannot come, and shows no name that
// leads out of its directory.
func FuzzServer(f *testing.F) {
	for _, script := range scripts() {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		here, there := net.Pipe()
		over := make(chan struct{})
		go func() {
			defer close(over)
			puppet(there, lines)
		}()
		if tree, err := New(context.Background(), here, Options{Outstanding: 4}); err == nil {
			useAll(t, tree)
			if err := tree.Close(); err != nil {
				t.Error(err)
			}
		}
		<-over
	})
}

// useAll asks the server everything, in an order that is always the same.
func useAll(t *testing.T, tree *FS) {
	ctx := context.Background()
	for i, err := range tree.List(ctx, "/", ferry.Full) {
		if err == nil && (i.Name == "" || i.Name == "." || i.Name == ".." || strings.ContainsAny(i.Name, "/\x00")) {
			t.Errorf("List gave %q", i.Name)
		}
	}
	for _, m := range []ferry.Mode{ferry.Read, ferry.Replace, ferry.Resume, ferry.Exclusive} {
		h, err := tree.Open(ctx, "/a", ferry.OpenOptions{Mode: m, Perm: new(fs.FileMode(0o600))})
		if err != nil {
			continue
		}
		n, _ := h.ReadAt(make([]byte, 100_000), 0)
		if n < 0 || n > 100_000 {
			t.Errorf("ReadAt: %d", n)
		}
		_, _ = h.WriteAt(make([]byte, 100_000), 0)
		_, _ = h.Stat()
		_ = h.Commit()
	}
	now := time.Unix(1, 0)
	_, _ = tree.Lstat(ctx, "/dir/a")
	_, _ = tree.Part(ctx, "/a")
	_, _ = tree.Readlink(ctx, "/a")
	_, _ = tree.Space(ctx, "/")
	_ = tree.SetAttr(ctx, "/a", ferry.Attr{ModTime: &now})
	_ = tree.Rename(ctx, "/a", "/b", true)
	_ = tree.Rmdir(ctx, "/dir")
	_ = tree.Remove(ctx, "/a")
}

// scripts are what servers might say: a client that is told so gets far.
func scripts() [][]byte {
	link := sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: 0o120777}
	names := &sftpwire.Names{Entries: []sftpwire.Entry{{Name: "..", Attrs: file(1)}, {Name: "a/b"}, {Name: "link", Attrs: link}}}
	target := &sftpwire.Names{Entries: []sftpwire.Entry{{Name: "../../etc"}}}
	ok, there, handle := status(sftpwire.OK), &sftpwire.AttrsReply{Attrs: file(9)}, &sftpwire.Handle{Handle: "h"}
	limits := &sftpwire.LimitsReply{Read: 50_000, Write: 50_000}
	var all [][]byte
	for _, replies := range [][]sftpwire.Reply{
		{ok, limits, handle, names, status(sftpwire.EOF), target, ok,
			there, handle, &sftpwire.Data{Data: []byte("content")}, status(sftpwire.EOF), status(sftpwire.EOF), there, ok,
			there, status(sftpwire.NoSuchFile), handle, status(sftpwire.EOF), ok, ok, ok, there, there, there, there, ok, ok},
		{ok, status(sftpwire.Failure), status(sftpwire.NoSuchFile), &sftpwire.AttrsReply{Attrs: link}, target, &sftpwire.AttrsReply{Attrs: link}, target},
		{ok, &sftpwire.LimitsReply{}, &sftpwire.ExtendedReply{Data: []byte("?")}, &sftpwire.Names{}, &sftpwire.Handle{}},
	} {
		var script []byte
		for _, r := range replies {
			packet := sftpwire.AppendReply(nil, 0, r)
			script = append(script, packet[4])
			script = binary.BigEndian.AppendUint16(script, uint16(len(packet)-9))
			script = append(script, packet[9:]...)
		}
		all = append(all, script, append(script, 0, 0, 5, 0x7f, 0xff, 0xff, 0xff, 101))
	}
	return all
}
