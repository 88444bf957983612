package threats

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// crowd is how many attack: from so many addresses, with so many clients each.
type crowd struct{ origins, clients int }

// The caps that the server under attack is given, and the memory that it may
// take; the race detector alone multiplies that by several.
const (
	capAll        = 400
	capAddress    = 40
	capPorts      = 100 // see passivePorts
	memoryCeiling = 768 << 20
)

var abused = fmt.Sprintf(`
[ftp]
login_timeout = "3s"
[limits]
sessions = %d
per_address = %d
%s`, capAll, capAddress, harness.CheapLogins)

// TestThreat33Abuse: a thousand clients that want only harm. The server keeps
// within its caps, and who comes from elsewhere and behaves is served.
func TestThreat33Abuse(t *testing.T) {
	thousand := crowd{8, 125}
	// Of those that keep the server at work as fast as it can, a few more than
	// may come in from an address are as good as any number.
	dozens := crowd{1, capAddress + 5}
	for _, c := range []struct {
		name   string
		crowd  crowd
		harass func(conn net.Conn)
		gone   bool // the server gets rid of them by itself
	}{
		{"silent", thousand, func(net.Conn) {}, true},
		{"half closed", thousand, func(conn net.Conn) { _ = conn.(*net.TCPConn).CloseWrite() }, true},
		{"slow", thousand, func(conn net.Conn) { drip(conn, "USER someone with a very long name") }, true},
		{"endless line", dozens, func(conn net.Conn) { flood(conn, strings.Repeat("x", 4096)) }, true},
		{"flooding", dozens, func(conn net.Conn) { flood(conn, strings.Repeat("HELP\r\nFEAT\r\n", 400)) }, false},
		{"flooding in a session", dozens, func(conn net.Conn) {
			flood(conn, "USER "+harness.User+"\r\nPASS "+harness.Password+"\r\n"+strings.Repeat("STAT /\r\nHELP\r\n", 400))
		}, false},
		{"port-hogging", thousand, func(conn net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			flood(conn, "USER "+harness.User+"\r\nPASS "+harness.Password+"\r\n"+strings.Repeat("PASV\r\n", 200))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := harness.Start(t, harness.Setup{Config: abused})
			harness.WriteFile(t, v.Path("f"), harness.Specimen(1, 1<<20))
			quiet := harness.OpenFiles(t, v.Pid())

			a := attack(t, v, c.crowd, c.harass)
			defer a.end()
			behave(t, v)
			if files := harness.OpenFiles(t, v.Pid()); files > quiet+2*c.crowd.origins*capAddress+capPorts+20 { // each may list a directory
				t.Errorf("the server has %d files open", files)
			}
			if c.gone {
				harness.Eventually(t, "the server is rid of the attackers", func() bool { return harness.OpenFiles(t, v.Pid()) <= quiet+10 })
			}
			a.end()
			behave(t, v)
			if memory := harness.MostMemory(t, v.Pid()); memory > memoryCeiling {
				t.Errorf("the server took %d MiB", memory>>20)
			} else {
				t.Logf("the server took %d MiB", memory>>20)
			}
		})
	}
}

// behave wants that a client from an address of its own is served.
func behave(t testing.TB, v *harness.Server) {
	t.Helper()
	l := harness.PhoneAs(t, v, "127.9.9.9", harness.User, harness.Password)
	l.WantFetched("RETR f", harness.Specimen(1, 1<<20))
	l.WantStored("STOR g", harness.Specimen(2, 1<<20))
	harness.WantStands(t, v, "g", 2)
	l.Want("QUIT", 221)
}

// attackers are connections that are up to something.
type attackers struct {
	mu    sync.Mutex
	conns []net.Conn
	busy  sync.WaitGroup
}

// attack lets the attackers connect, all origins at once. Those who find no
// seat are told why.
func attack(t testing.TB, v *harness.Server, c crowd, harass func(net.Conn)) *attackers {
	t.Helper()
	a := &attackers{}
	var arriving sync.WaitGroup
	for origin := range c.origins {
		arriving.Go(func() {
			from := fmt.Sprintf("127.6.6.%d", origin+1)
			for range c.clients {
				k, greeting, err := harness.Call(from, v.Addr)
				switch {
				case err != nil:
					t.Errorf("%s: %v", from, err)
					return
				case greeting.Code == 220:
				case greeting.Code == 421 && strings.Contains(greeting.Text, "Too many connections"):
				default:
					t.Errorf("%s was met with %v", from, greeting)
				}
				a.add(k.Conn, harass)
			}
		})
	}
	arriving.Wait()
	return a
}

func (a *attackers) add(conn net.Conn, harass func(net.Conn)) {
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10) // answers that are not read block soon
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = append(a.conns, conn)
	a.busy.Go(func() { harass(conn) })
}

// end ends the attack.
func (a *attackers) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, conn := range a.conns {
		conn.Close()
	}
	a.conns = nil
	a.busy.Wait()
}

// drip sends a byte now and then, until the server has had enough.
func drip(conn net.Conn, text string) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		for b := range slices.Chunk([]byte(text), 1) {
			<-again.C
			if _, err := conn.Write(b); err != nil {
				return
			}
		}
	}
}

// flood sends as much as goes, and stops where the server takes no more.
func flood(conn net.Conn, text string) {
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

// TestThreat33NobodyLogsIn: connections of ten addresses that never log in, to every
// listener, keep nobody from it: an honest client of another address is let in while
// they come, and those that are logged in stay.
func TestThreat33NobodyLogsIn(t *testing.T) {
	v := harness.StartSecure(t, harness.Setup{Config: "[limits]\nsessions = 200\nbefore_login = \"20:30:150\"\n" + harness.CheapLogins, Args: []string{"--sftp", "127.0.0.1:0"}}, `require = "off"`)
	ready := v.Log.Wait(t, "msg=ready", v.Ended)
	harness.WriteFile(t, v.Path("f"), harness.Specimen(1, 1<<10))
	inside := harness.PhoneAs(t, v.Server, "127.9.9.8", harness.User, harness.Password)
	var crowd []net.Conn
	defer func() {
		for _, conn := range crowd {
			conn.Close()
		}
	}()
	for i := range 600 {
		address := []string{v.Addr, v.Implicit, harness.Field(ready, "sftp")}[i%3]
		conn, err := harness.DialFrom(fmt.Sprintf("127.6.6.%d", i%10), address)
		if err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, conn)
		if i%20 == 0 {
			harness.PhoneAs(t, v.Server, "127.9.9.9", harness.User, harness.Password).Want("QUIT", 221)
		}
	}
	inside.WantFetched("RETR f", harness.Specimen(1, 1<<10))
	inside.Want("QUIT", 221)
	harness.Eventually(t, "the log tells of it", func() bool {
		return strings.Contains(v.Log.String(), "too many connections without a login")
	})
}
