package tls

import (
	"compress/zlib"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"testing"

	"ferry/internal/interop/harness"
)

// TestThreat12CloseNotify: the server ends TLS by close_notify on its data
// connections, whoever sends, and also when an upload is aborted. A download
// that is aborted ends without: it is not the whole file.
func TestThreat12CloseNotify(t *testing.T) {
	t.Parallel()
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
			harness.WriteFile(t, v.Path("big"), harness.Noise(1, large))
			harness.WriteFile(t, v.Path("small"), harness.Noise(2, 1000))
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.PhoneSecure(t, v, cfg)
			for _, command := range []string{"RETR small", "NLST", "LIST", "MLSD"} {
				if _, err := l.Fetch(command); err != nil { // it is strict about the end
					t.Errorf("%s: %v", command, err)
				}
			}

			conn := beginWith(l, "STOR up", harness.Noise(3, 5000))
			if err := conn.(*tls.Conn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := harness.ReadAll(conn); err != nil {
				t.Errorf("an upload's connection ended with %v", err)
			}
			if a, err := l.Hear(); err != nil || a.Code != 226 {
				t.Errorf("STOR was answered %v, %v", a, err)
			}

			conn = beginWith(l, "STOR aborted", harness.Noise(4, 5000))
			harness.Eventually(t, "all of it has arrived", func() bool { return harness.PartBytes(t, v.Server) == 5000 })
			wantAborted(t, l, "STOR", "ABOR")
			if _, err := harness.ReadAll(conn); err != nil {
				t.Errorf("an aborted upload's connection ended with %v", err)
			}
			harness.WantNoFile(t, v.Path("aborted"))

			conn, err := l.Begin("RETR big")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			wantAborted(t, l, "RETR", "ABOR")
			if got, err := harness.ReadAll(conn); err == nil {
				t.Errorf("an aborted download ended like a whole one, after %d bytes", len(got))
			}
			l.WantFetched("RETR small", harness.Noise(2, 1000))
		})
	}
}

// beginWith begins an upload and sends its beginning.
func beginWith(l harness.Caller, line string, content []byte) net.Conn {
	l.T.Helper()
	conn, err := l.Begin(line)
	if err == nil {
		_, err = conn.Write(content)
	}
	if err != nil {
		l.T.Fatalf("%s: %v", line, err)
	}
	return conn
}

// TestPrivateCompressedUploadIsAborted: in MODE Z a second goroutine reads, and
// it ends with the transfer. The server under test watches for races.
func TestPrivateCompressedUploadIsAborted(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{Config: "[ftp]\nmode_z = true\n"})
	l := harness.PhoneSecure(t, v, v.Ca.Client())
	l.Want("MODE Z", 200)
	for i := range 5 {
		conn, err := l.Begin(fmt.Sprint("STOR ", i))
		if err != nil {
			t.Fatal(err)
		}
		z := zlib.NewWriter(conn)
		if _, err := z.Write(harness.Noise(1, 100_000)); err != nil {
			t.Fatal(err)
		}
		if err := z.Flush(); err != nil {
			t.Fatal(err)
		}
		harness.Eventually(t, "all of it has arrived", func() bool { return harness.PartBytes(t, v.Server) == int64(i+1)*100_000 })
		wantAborted(t, l, "STOR", "ABOR")
		conn.Close()
		harness.WantNoFile(t, v.Path(fmt.Sprint(i)))
	}
}
