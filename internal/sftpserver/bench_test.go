package sftpserver

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// quick is a client that costs little: it keeps some requests outstanding and
// counts replies.
func quick(b *testing.B, window int, r sftpwire.Request) {
	w := newWorld()
	s := w.session()
	s.Log = nil
	h, err := s.FS.Open(b.Context(), "/f", ferry.OpenOptions{Mode: ferry.Replace})
	if err == nil {
		_, err = h.WriteAt([]byte(strings.Repeat("x", 256<<10)), 0)
	}
	if err == nil {
		err = h.Commit()
	}
	if err != nil {
		b.Fatal(err)
	}
	here, there := tcpPair(b)
	over := make(chan error, 1)
	go func() { over <- Serve(b.Context(), there, s) }()
	in := bufio.NewReaderSize(here, 256<<10)
	reply := func() {
		header, err := in.Peek(4)
		if err != nil {
			b.Fatal(err)
		}
		n, err := sftpwire.Length([4]byte(header))
		if err == nil {
			_, err = in.Discard(4 + n)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	begin := sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})
	begin = sftpwire.AppendRequest(begin, 1, &sftpwire.Open{Name: "/f", Flags: sftptest.Rd})
	if _, err := here.Write(begin); err != nil {
		b.Fatal(err)
	}
	reply()
	reply()
	packet := sftpwire.AppendRequest(nil, 1, r)
	tokens := make(chan struct{}, window)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for range b.N {
			tokens <- struct{}{}
			if _, err := here.Write(packet); err != nil {
				return
			}
		}
	}()
	for range b.N {
		reply()
		<-tokens
	}
	b.StopTimer()
	_ = here.Close()
	<-over
}

func tcpPair(b *testing.B) (net.Conn, io.ReadWriteCloser) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	here, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	there, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	return here, there
}

func BenchmarkStat(b *testing.B) { quick(b, 1, &sftpwire.Stat{Name: "/f"}) }

func BenchmarkStatPipelined(b *testing.B) { quick(b, 64, &sftpwire.Stat{Name: "/f"}) }

func BenchmarkRead32K(b *testing.B) {
	b.SetBytes(32 << 10)
	quick(b, 64, &sftpwire.Read{Handle: handleOf(1), Length: 32 << 10})
}

func BenchmarkRead255K(b *testing.B) {
	b.SetBytes(sftpwire.MaxData)
	quick(b, 64, &sftpwire.Read{Handle: handleOf(1), Length: sftpwire.MaxData})
}
