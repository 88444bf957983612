package sftpserver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"ferry"
	"ferry/internal/cluster"
	"ferry/internal/gate"
	"ferry/internal/gatetest"
	"ferry/internal/mem"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// gated is a session behind the gate, as a server will have it.
type gated struct {
	*gate.Session
	gateConn *gate.Conn
	mu       sync.Mutex
	told     []string // events, in words
}

type anybody struct{ rules []ferry.Rule }

func (a anybody) Authenticate(_ context.Context, c ferry.Claim) (ferry.User, error) {
	return ferry.User{Name: c.Name, Rules: a.rules}, nil
}

func (g *gated) hear(e ferry.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	failed := ""
	if e.Err != nil {
		failed = " failed"
	}
	g.told = append(g.told, fmt.Sprint(e.Kind, " ", e.Name, " ", e.Bytes, failed))
}

func (g *gated) heard() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.told)
}

func login(t *testing.T, tree *mem.Tree, rules ...ferry.Rule) *gated {
	t.Helper()
	s := new(gated)
	g := gate.New(gate.Config{
		Auth:    anybody{rules},
		Files:   gatetest.Files(tree.For),
		Cluster: cluster.NewAlone(),
		Events:  s.hear,
	})
	var err error
	s.gateConn, err = g.Admit(t.Context(), "sftp", netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:22"))
	if err == nil {
		s.Session, err = s.gateConn.Login(t.Context(), ferry.Claim{Name: "alice"})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.gateConn.Close(nil) })
	return s
}

func (g *gated) dial(t *testing.T) *sftptest.Peer {
	t.Helper()
	p := dialSilently(t, g.gateConn.Context(), Options{FS: g.FS(), User: g.User()})
	p.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
	go p.Read()
	return p
}

// TestRights: what OPEN may do follows from the rights at the name, however
// its flags come to it.
func TestRights(t *testing.T) {
	const create, overwrite, add, read = ferry.RightCreate, ferry.RightOverwrite, ferry.RightAppend, ferry.RightRead
	const denied, failure, ok = sftpwire.PermissionDenied, sftpwire.Failure, sftpwire.OK
	for _, row := range []struct {
		rights   ferry.Right
		flags    sftpwire.OpenFlags
		new, old sftpwire.Code
	}{
		{read, sftptest.Rd, sftpwire.NoSuchFile, ok},
		{read, sftptest.Wr | sftptest.Creat | sftptest.Trunc, denied, denied},
		{read, sftptest.Wr | sftptest.Creat, denied, denied},
		{read, sftptest.Wr, sftpwire.NoSuchFile, denied},
		{create, sftptest.Rd, denied, denied},
		{create, sftptest.Wr | sftptest.Creat | sftptest.Trunc, ok, failure},
		{create, sftptest.Wr | sftptest.Creat | sftptest.Excl, ok, failure},
		{create, sftptest.Wr | sftptest.Creat, ok, failure},
		{create | read, sftptest.Rd | sftptest.Wr | sftptest.Creat, ok, failure},
		{overwrite | read, sftptest.Wr | sftptest.Creat | sftptest.Trunc, denied, ok},
		{overwrite | read, sftptest.Wr | sftptest.Creat, denied, ok},
		{overwrite | read, sftptest.Wr, sftpwire.NoSuchFile, ok},
		{add | read, sftptest.Wr | sftptest.Creat | sftptest.App, denied, ok},
		{add | read, sftptest.Wr | sftptest.Creat | sftptest.Trunc, denied, denied},
		{create | overwrite, sftptest.Wr | sftptest.Creat | sftptest.Trunc, ok, ok},
		{create | overwrite, sftptest.Wr | sftptest.Creat, ok, ok},
	} {
		tree := mem.New(mem.Config{})
		setup := dial(t, (&world{tree, new(sftptest.Logbook)}).session())
		setup.Put("/old", "0123456789")
		p := login(t, tree, ferry.Rule{Prefix: "/", Rights: row.rights}).dial(t)
		for name, want := range map[string]sftpwire.Code{"/new": row.new, "/old": row.old} {
			got, handle := ok, ""
			switch r := p.Ask(&sftpwire.Open{Name: name, Flags: row.flags}).(type) {
			case *sftpwire.Status:
				got = r.Code
			case *sftpwire.Handle:
				handle = r.Handle
			}
			if got != want {
				t.Errorf("rights %v, flags %b, %s: %v, want %v", row.rights, row.flags, name, got, want)
			}
			if handle != "" {
				p.Want(ok, &sftpwire.Close{Handle: handle})
			}
		}
	}
}

// TestRewriteWithoutRead: who may not read the old content gets none of it
// into a new file; it is written in place.
func TestRewriteWithoutRead(t *testing.T) {
	tree := mem.New(mem.Config{})
	setup := dial(t, (&world{tree, new(sftptest.Logbook)}).session())
	setup.Put("/old", "0123456789")
	p := login(t, tree, ferry.Rule{Prefix: "/", Rights: ferry.RightOverwrite}).dial(t)
	h := p.Open("/old", sftptest.Wr|sftptest.Creat)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")}, &sftpwire.Close{Handle: h})
	setup.Holds("/old", "abc3456789")
}

// TestEvents: one for each thing that was done, as for FTP.
func TestEvents(t *testing.T) {
	s := login(t, mem.New(mem.Config{}), ferry.Rule{Prefix: "/", Rights: ferry.RightsAll})
	p := s.dial(t)
	p.Put("/f", "content")
	p.Holds("/f", "content")
	h := p.Open("/f", sftptest.Wr|sftptest.Creat)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("new")}, &sftpwire.Close{Handle: h})
	h = p.Open("/f", sftptest.Rd)
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h}, &sftpwire.Rename{From: "/f", To: "/g"})
	var check sftpwire.CheckReply
	p.Extended(&sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/g", Algorithms: []string{"md5"}}, &check)
	h = p.Open("/broken", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")})
	_ = p.End()
	want := []string{"connect  0", "login  0", "upload /f 7", "download /f 7", "upload /f 7", "rename /f 0", "upload /broken 3 failed"}
	if got := s.heard(); !slices.Equal(got, want) {
		t.Errorf("events:\n%q, want\n%q", got, want)
	}
}

// TestKick ends a session in the middle of an upload, which is kept.
func TestKick(t *testing.T) {
	tree := mem.New(mem.Config{})
	s := login(t, tree, ferry.Rule{Prefix: "/", Rights: ferry.RightsAll})
	p := s.dial(t)
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")})
	s.gateConn.Close(ferry.ErrKicked)
	if p.Wait(99) != nil {
		t.Error("an answer to nothing")
	}
	if err := p.End(); !errors.Is(err, ferry.ErrKicked) {
		t.Errorf("the session ended with %v", err)
	}
	alice := tree.For(ferry.User{Name: "alice"})
	if i, err := alice.Part(t.Context(), "/f"); err != nil || i.Size != 3 {
		t.Errorf("the part has %d bytes, %v", i.Size, err)
	}
}
