package threats

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// TestThreat8Bounce: the server connects to the client's own address only, to
// no port of the system's, and who keeps trying is shut out.
func TestThreat8Bounce(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: "[limits]\nban_after = 9\n"})
	victim, err := net.Listen("tcp", "127.0.0.77:0")
	if err != nil {
		t.Fatal(err)
	}
	hit := make(chan struct{})
	go func() {
		if conn, err := victim.Accept(); err == nil {
			conn.Close()
			close(hit)
		}
	}()
	port := victim.Addr().(*net.TCPAddr).Port
	l := harness.PhoneAs(t, v, "127.0.0.5", harness.User, harness.Password)
	for _, text := range []string{
		fmt.Sprintf("PORT 127,0,0,77,%d,%d", port>>8, port&255),
		fmt.Sprintf("EPRT |1|127.0.0.77|%d|", port),
		fmt.Sprintf("LPRT 4,4,127,0,0,77,2,%d,%d", port>>8, port&255),
		"PORT 127,0,0,5,0,22", "EPRT |1|127.0.0.5|25|", "EPRT |1|127.0.0.5|1023|", "PORT 10,0,0,1,200,200", "PORT 0,0,0,0,200,200",
	} {
		l.Want(text, 504)
		l.Want("LIST", 425)
	}
	l.Want("PORT 256,0,0,5,200,200", 501)
	l.Want("EPRT |1|127.0.0.5|65536|", 501)
	l.Want("EPRT |2|::1|50000|", 522)
	l.Want("PORT 127,0,0,77,200,200", 504) // once too often
	if k, a, err := harness.Call("127.0.0.5", v.Addr); err == nil {
		k.HangUp()
		if a.Code != 421 {
			t.Errorf("after %d offences the address is met with %v", 9, a)
		}
	}
	select {
	case <-hit:
		t.Error("the server connected to the victim")
	default:
	}
	victim.Close()
	harness.PhoneAs(t, v, "127.0.0.6", harness.User, harness.Password)
}

// TestThreat9PassiveTheft: a passive port belongs to the client that was told
// of it. Who comes from elsewhere gets nothing, before it and while it is
// used, and the client still gets its file.
func TestThreat9PassiveTheft(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	content := harness.Specimen(1, 4<<20)
	harness.WriteFile(t, v.Path("f"), content)
	l := harness.PhoneAs(t, v, "127.0.0.5", harness.User, harness.Password)
	for range 5 {
		at, err := l.Passive()
		if err != nil {
			t.Fatal(err)
		}
		steal(t, at)
		conn, err := harness.DialFrom("127.0.0.5", at)
		if err != nil {
			t.Fatal(err)
		}
		steal(t, at)
		l.Want("RETR f", 150)
		steal(t, at)
		got, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("the client got %d bytes, %v", len(got), err)
		}
		conn.Close()
		if a, err := l.Hear(); err != nil || a.Code != 226 {
			t.Errorf("the transfer ended with %v, %v", a, err)
		}
	}
}

// steal connects to somebody else's passive port, and wants to be hung up on.
func steal(t testing.TB, at string) {
	t.Helper()
	thief, err := harness.DialFrom("127.0.0.66", at)
	if err != nil {
		return // not even that
	}
	defer thief.Close()
	_ = thief.SetDeadline(time.Now().Add(harness.Patience))
	if got, err := io.ReadAll(thief); len(got) > 0 {
		t.Errorf("the thief got %d bytes", len(got))
	} else if late, ok := err.(net.Error); ok && late.Timeout() {
		t.Error("the thief was not hung up on")
	}
}

// TestThreat9PassivePortsCannotBeGuessed: the next one does not follow from
// the last.
func TestThreat9PassivePortsCannotBeGuessed(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	l := harness.Phone(t, v)
	steps := map[int]bool{}
	last := 0
	for range 20 {
		at, err := l.Passive()
		if err != nil {
			t.Fatal(err)
		}
		port := 0
		if _, err := fmt.Sscanf(at[strings.LastIndex(at, ":"):], ":%d", &port); err != nil {
			t.Fatal(err)
		}
		steps[port-last] = true
		last = port
	}
	if len(steps) < 10 {
		t.Errorf("20 passive ports followed one another in %d different steps", len(steps))
	}
}

// TestThreat18DecompressionBomb: MODE Z is off unless it is asked for, and
// then an upload that swells without end is refused and not published.
func TestThreat18DecompressionBomb(t *testing.T) {
	t.Parallel()
	harness.Phone(t, harness.Start(t, harness.Setup{})).Want("MODE Z", 504)

	v := harness.Start(t, harness.Setup{Config: "[ftp]\nmode_z = true\n"})
	var bomb bytes.Buffer
	z, err := zlib.NewWriterLevel(&bomb, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(z, zeros{}, 24<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	l := harness.Phone(t, v)
	l.Want("MODE Z", 200)
	if a, err := l.Store("STOR bomb", bomb.Bytes()); err != nil || a.Code != 552 {
		t.Errorf("the bomb was answered %v, %v; want 552", a, err)
	}
	harness.WantNoFile(t, v.Path("bomb"))
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Size() > 20<<20 {
			t.Errorf("%d bytes of it lie on the disk", info.Size())
		}
	}
	l.Want("NOOP", 200)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestThreat19And20Listings: patterns that cost time, and listings without an
// end, a loop of links among them.
func TestThreat19And20Listings(t *testing.T) {
	t.Parallel()
	const limit = 100
	v := harness.Start(t, harness.Setup{Config: fmt.Sprintf("[ftp]\nlist_limit = %d\n", limit)})
	for i := range 20 {
		for j := range 20 {
			harness.WriteFile(t, v.Path(fmt.Sprintf("d%d/%s%d", i, strings.Repeat("a", 100), j)), nil)
		}
		harness.WriteFile(t, v.Path(fmt.Sprintf("%s%d", strings.Repeat("a", 200), i)), nil)
	}
	l := harness.Phone(t, v)
	l.Want("SITE SYMLINK / d1/loop", 200)
	// threat 20
	for _, text := range []string{"LIST -R", "NLST -R", "LIST -laR /", "LIST -R d1/loop"} {
		list, err := l.Fetch(text)
		if refused, ok := err.(*harness.Unexpected); ok && refused.Code >= 400 {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		// Besides the entries: a heading, a count and an empty line for each directory.
		if rows := bytes.Count(list, []byte("\n")); rows > 4*limit {
			t.Errorf("%s sent %d lines", text, rows)
		}
	}
	// threat 19
	for _, pattern := range []string{strings.Repeat("a*", 50) + "b", strings.Repeat("*a", 3) + "b", strings.Repeat("*", 500), "[" + strings.Repeat("a-z", 500), strings.Repeat("?", 1000), "*/*/*/*/*/../*/*"} {
		for _, verb := range []string{"LIST ", "NLST "} {
			_, err := l.Fetch(verb + pattern)
			if _, refused := err.(*harness.Unexpected); err != nil && !refused {
				t.Fatalf("%s%s: %v", verb, pattern, err)
			}
		}
		if _, err := l.Ask("STAT " + pattern); err != nil {
			t.Fatalf("STAT %s: %v", pattern, err)
		}
	}
	l.Want("NOOP", 200)
}
