package clients

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// balanced is a connection of a client through a load balancer that connects from
// 127.0.0.1 to addr, and says so unless client is "".
func balanced(t *testing.T, addr, client string) net.Conn {
	t.Helper()
	conn, err := harness.DialFrom("", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(harness.Patience)); err != nil {
		t.Fatal(err)
	}
	if client != "" {
		if _, err := fmt.Fprintf(conn, "PROXY TCP4 %s 203.0.113.1 4000 21\r\n", client); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// TestPassiveBehindProxy: PASV tells the balancer's address, where the client reaches
// the server; the port is open at an address of the server's own, and what comes to it
// says by its own header whose it is.
func TestPassiveBehindProxy(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: "[ftp]\nproxy_from = [\"127.0.0.1/32\"]\n"})
	harness.WriteFile(t, v.Path("file"), []byte("content"))
	conn := balanced(t, v.Addr, "192.0.2.7")
	in := bufio.NewReader(conn)
	ask := func(line, want string) string {
		t.Helper()
		if line != "" {
			if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		answer, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(answer, want) {
			t.Fatalf("%q was answered %q, %v; want %s", line, answer, err, want)
		}
		return answer
	}
	ask("", "220")
	ask("USER "+harness.User, "331")
	ask("PASS "+harness.Password, "230")
	ask("TYPE I", "200")
	var high, low int
	if _, err := fmt.Sscanf(ask("PASV", "227 Entering Passive Mode (203,0,113,1,"), "227 Entering Passive Mode (203,0,113,1,%d,%d).", &high, &low); err != nil {
		t.Fatal(err)
	}
	passive := net.JoinHostPort("127.0.0.1", fmt.Sprint(high<<8|low))
	for _, stranger := range []string{"192.0.2.8", ""} { // another client, and who says nothing of one
		other := balanced(t, passive, stranger)
		if stranger == "" {
			_, _ = io.WriteString(other, "no header\r\n")
		}
		if got, err := io.ReadAll(other); len(got) > 0 {
			t.Errorf("a data connection of %q was sent %q, %v", stranger, got, err)
		}
	}
	data := balanced(t, passive, "192.0.2.7")
	ask("RETR file", "150")
	if got, err := io.ReadAll(data); string(got) != "content" {
		t.Errorf("RETR sent %q, %v", got, err)
	}
	ask("", "226")
}
