package listen_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/listen"
)

// scripted is a listener that answers as it is told, and then is closed.
type scripted struct{ answers []any }

func (s *scripted) Accept() (net.Conn, error) {
	if len(s.answers) == 0 {
		return nil, net.ErrClosed
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	if c, ok := next.(net.Conn); ok {
		return c, nil
	}
	return nil, next.(error)
}

func (s *scripted) Close() error   { return nil }
func (s *scripted) Addr() net.Addr { return &net.TCPAddr{} }

func accept(number syscall.Errno) error {
	return &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", number)}
}

func TestServe(t *testing.T) {
	broken := errors.New("broken")
	var shortage []any
	for range 20 {
		shortage = append(shortage, accept(syscall.EMFILE))
	}
	tests := []struct {
		name    string
		answers []any
		want    error
		rests   time.Duration
	}{
		{"closed", nil, nil, 0},
		{"a shortage", []any{accept(syscall.EMFILE), accept(syscall.ENFILE), accept(syscall.ENOMEM)}, nil, 35 * time.Millisecond},
		{"a client that was gone", []any{accept(syscall.ECONNABORTED)}, nil, 5 * time.Millisecond},
		// 5 ms doubled until 640 ms, and then a second each
		{"a long shortage", shortage, nil, 1275*time.Millisecond + 12*time.Second},
		{"no listener at all", []any{accept(syscall.EINVAL)}, syscall.EINVAL, 0},
		{"something else", []any{broken}, broken, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				err := listen.Serve(&scripted{test.answers}, func(net.Conn) { t.Error("a connection") })
				if !errors.Is(err, test.want) || test.want == nil && err != nil {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if took := time.Since(begin); took != test.rests {
					t.Errorf("rested %v, want %v", took, test.rests)
				}
			})
		})
	}
}

func TestServeHandlesEachConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, clientOne := net.Pipe()
		two, clientTwo := net.Pipe()
		err := listen.Serve(&scripted{[]any{one, accept(syscall.EMFILE), two}}, func(c net.Conn) { _, _ = c.Write([]byte("hello")) })
		if err != nil {
			t.Error(err)
		}
		for _, c := range []net.Conn{clientTwo, clientOne} { // neither waits for the other
			if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		}
	})
}
