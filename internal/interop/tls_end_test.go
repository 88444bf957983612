package interop

import (
	"compress/zlib"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"testing"
)

// TestThreat12CloseNotify: the server ends TLS by close_notify on its data
// connections, whoever sends, and also when an upload is aborted. A download
// that is aborted ends without: it is not the whole file.
func TestThreat12CloseNotify(t *testing.T) {
	t.Parallel()
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{}, binding("enforce"))
			writeFile(t, v.path("big"), noise(1, large))
			writeFile(t, v.path("small"), noise(2, 1000))
			cfg := v.ca.client()
			cfg.MaxVersion = version
			l := phoneSecure(t, v, cfg)
			for _, command := range []string{"RETR small", "NLST", "LIST", "MLSD"} {
				if _, err := l.fetch(command); err != nil { // it is strict about the end
					t.Errorf("%s: %v", command, err)
				}
			}

			conn := l.beginWith("STOR up", noise(3, 5000))
			if err := conn.(*tls.Conn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := readAll(conn); err != nil {
				t.Errorf("an upload's connection ended with %v", err)
			}
			if a, err := l.hear(); err != nil || a.code != 226 {
				t.Errorf("STOR was answered %v, %v", a, err)
			}

			conn = l.beginWith("STOR aborted", noise(4, 5000))
			eventually(t, "all of it has arrived", func() bool { return partBytes(t, v.server) == 5000 })
			wantAborted(t, l, "STOR", "ABOR")
			if _, err := readAll(conn); err != nil {
				t.Errorf("an aborted upload's connection ended with %v", err)
			}
			wantNoFile(t, v.path("aborted"))

			conn, err := l.begin("RETR big")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			wantAborted(t, l, "RETR", "ABOR")
			if got, err := readAll(conn); err == nil {
				t.Errorf("an aborted download ended like a whole one, after %d bytes", len(got))
			}
			l.wantFetched("RETR small", noise(2, 1000))
		})
	}
}

// beginWith begins an upload and sends its beginning.
func (l caller) beginWith(line string, content []byte) net.Conn {
	l.t.Helper()
	conn, err := l.begin(line)
	if err == nil {
		_, err = conn.Write(content)
	}
	if err != nil {
		l.t.Fatalf("%s: %v", line, err)
	}
	return conn
}

// TestPrivateCompressedUploadIsAborted: in MODE Z a second goroutine reads, and
// it ends with the transfer. The server under test watches for races.
func TestPrivateCompressedUploadIsAborted(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{config: "[ftp]\nmode_z = true\n"})
	l := phoneSecure(t, v, v.ca.client())
	l.want("MODE Z", 200)
	for i := range 5 {
		conn, err := l.begin(fmt.Sprint("STOR ", i))
		if err != nil {
			t.Fatal(err)
		}
		z := zlib.NewWriter(conn)
		if _, err := z.Write(noise(1, 100_000)); err != nil {
			t.Fatal(err)
		}
		if err := z.Flush(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all of it has arrived", func() bool { return partBytes(t, v.server) == int64(i+1)*100_000 })
		wantAborted(t, l, "STOR", "ABOR")
		conn.Close()
		wantNoFile(t, v.path(fmt.Sprint(i)))
	}
}
