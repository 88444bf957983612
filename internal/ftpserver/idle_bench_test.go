package ftpserver

import (
	"bufio"
	"io"
	"net"
	"runtime"
	"testing"

	"ferry/internal/cluster"
	"ferry/internal/gate"
	"ferry/internal/gatetest"
	"ferry/internal/mem"
)

// BenchmarkIdleSession tells what one logged-in session holds while it waits:
// bytes of heap and of stack.
func BenchmarkIdleSession(b *testing.B) {
	tree := mem.New(mem.Config{})
	srv, err := New(Config{Gate: gate.New(gate.Config{
		Auth:    scriptUsers{},
		Files:   gatetest.Files(tree.For),
		Cluster: cluster.NewAlone(),
	})})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go srv.Handle(nc)
		}
	}()
	const sessions = 500
	for b.Loop() {
		before := inUse()
		var clients []net.Conn
		for range sessions {
			nc, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			clients = append(clients, nc)
			r := bufio.NewReaderSize(nc, 16)
			for _, line := range []string{"USER alice\r\n", "PASS secret\r\n", "PWD\r\n", ""} {
				if _, err := r.ReadString('\n'); err != nil {
					b.Fatal(err)
				}
				_, _ = io.WriteString(nc, line)
			}
		}
		after := inUse()
		b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/sessions, "heap-B/session")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/sessions, "stack-B/session")
		for _, nc := range clients {
			nc.Close()
		}
	}
}

func inUse() runtime.MemStats {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m
}
