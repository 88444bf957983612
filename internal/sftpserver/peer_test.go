package sftpserver

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"ferry"
	"ferry/internal/mem"
	"ferry/internal/sftptest"
)

// world is a tree in memory, and the log of the sessions over it.
type world struct {
	tree *mem.Tree
	log  *sftptest.Logbook
}

func newWorld() *world { return &world{mem.New(mem.Config{}), new(sftptest.Logbook)} }

// session is what most tests need: alice over the world's tree.
func (w *world) session() Options {
	return Options{FS: w.tree.For(ferry.User{Name: "alice"}), User: ferry.User{Name: "alice"},
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

// dial begins a session as cfg says and says hello.
func dial(t *testing.T, cfg Options) *sftptest.Peer {
	t.Helper()
	here, over := begin(t, context.Background(), cfg)
	return sftptest.NewPeer(t, here, over)
}

// dialSilently says nothing yet.
func dialSilently(t *testing.T, ctx context.Context, cfg Options) *sftptest.Peer {
	here, over := begin(t, ctx, cfg)
	return sftptest.NewSilentPeer(t, here, over)
}

// begin serves one end of a pipe; over gives what Serve has returned.
func begin(t *testing.T, ctx context.Context, cfg Options) (here net.Conn, over chan error) {
	here, there := net.Pipe()
	over = make(chan error, 1)
	go func() { over <- Serve(ctx, there, cfg) }()
	t.Cleanup(func() {
		_ = here.Close()
		<-over
		close(over)
	})
	return here, over
}
