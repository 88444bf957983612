package ftpdata

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"ferry"

	"ferry/internal/ftptls"
	"ferry/internal/nettest"
)

// A download of a length with which close_notify fills what is gathered has as
// much time to get through as any other.
func TestSlowDownloadThatJustFillsTheWire(t *testing.T) {
	cert := nettest.Certificate(t)
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		wire := ftptls.DownloadWire(server, ftptls.NewPools())
		defer wire.Release()
		tc := tls.Server(wire, &tls.Config{Certificates: []tls.Certificate{cert}, DynamicRecordSizingDisabled: true})
		got := make(chan int64)
		go func() {
			cc := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
			_ = cc.Handshake()
			time.Sleep(time.Minute)
			n, err := io.Copy(io.Discard, cc)
			if err != nil {
				t.Error(err)
			}
			got <- n
		}()
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		sc := &secureConn{Conn: tc, data: ferry.NewDataConn(server), raw: server, wire: wire}
		const size = 7*16384 + 16200
		if _, err := sc.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := sc.finish(5 * time.Minute); err != nil {
			t.Error(err)
		}
		_ = server.Close()
		if n := <-got; n != size {
			t.Errorf("%d bytes came", n)
		}
	})
}
