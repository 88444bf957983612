package ftpdata

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/nettest"
)

var (
	portsLocal = netip.MustParseAddr("192.0.2.1")
	portsPeer  = netip.MustParseAddr("192.0.2.77")
	portsOther = netip.MustParseAddr("198.51.100.9")
)

// bubble runs test over a range of passive ports where time costs nothing.
func bubble(t *testing.T, first, last uint16, test func(t *testing.T, n *nettest.Network, p *ports)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := nettest.NewNetwork()
		p := newPorts(n, first, last)
		defer p.Close()
		test(t, n, p)
	})
}

// mustExpect is expect where there has to be a port.
func mustExpect(t *testing.T, p *ports, peer netip.Addr) *expectation {
	t.Helper()
	e, err := p.Expect(portsLocal, peer, "a session of "+peer.String())
	if err != nil {
		t.Fatalf("no port for %s: %v", peer, err)
	}
	return e
}

// use is a connection that comes and goes.
func use(t *testing.T, n *nettest.Network, e *expectation) {
	t.Helper()
	w, err := n.Connect(netip.AddrPortFrom(e.peer, 40000), e.at)
	if err != nil {
		t.Fatal(err)
	}
	_ = (<-e.conn).Close()
	_ = w.Close()
	e.Close()
}

func TestPortsAreTakenInTurn(t *testing.T) {
	bubble(t, 50000, 50009, func(t *testing.T, n *nettest.Network, p *ports) {
		var last []uint16
		for range 200 {
			e := mustExpect(t, p, portsPeer)
			for _, port := range last {
				if port == e.at.Port() {
					t.Fatalf("port %d again, after %v", port, last)
				}
			}
			use(t, n, e)
			if last = append(last, e.at.Port()); len(last) > 5 {
				last = last[1:]
			}
		}
	})
}

// TestThreat09PortsAreRandom: nobody can tell where the next connection is awaited.
func TestThreat09PortsAreRandom(t *testing.T) {
	bubble(t, 50000, 50999, func(t *testing.T, n *nettest.Network, p *ports) {
		steps := map[int]int{}
		previous := 0
		for range 400 {
			e := mustExpect(t, p, portsPeer)
			steps[int(e.at.Port())-previous]++
			previous = int(e.at.Port())
			use(t, n, e)
		}
		for step, times := range steps {
			if times > 20 {
				t.Errorf("a step of %d ports came %d times of 400", step, times)
			}
		}
	})
}

// TestThreat09UnusedPortsRest: to whom did not come its port is not offered for a
// while, were it the last one; other addresses may have it.
func TestThreat09UnusedPortsRest(t *testing.T) {
	bubble(t, 50000, 50000, func(t *testing.T, n *nettest.Network, p *ports) {
		mustExpect(t, p, portsPeer).Close()
		if _, err := p.Expect(portsLocal, portsPeer, "another"); !errors.Is(err, ErrNoPort) {
			t.Errorf("a port that rests: %v, want ErrNoPort", err)
		}
		use(t, n, mustExpect(t, p, portsOther))
		time.Sleep(shortestRest - time.Nanosecond)
		if _, err := p.Expect(portsLocal, portsPeer, "another"); !errors.Is(err, ErrNoPort) {
			t.Errorf("a port that still rests: %v, want ErrNoPort", err)
		}
		time.Sleep(time.Nanosecond)
		use(t, n, mustExpect(t, p, portsPeer))
		use(t, n, mustExpect(t, p, portsPeer))
	})
}

// TestThreat33OneSessionTakesNoPortsFromOthers: however often it asks and does not
// come, another session behind the same address finds a port, and not one that was
// asked for just now.
func TestThreat33OneSessionTakesNoPortsFromOthers(t *testing.T) {
	bubble(t, 50000, 50019, func(t *testing.T, n *nettest.Network, p *ports) {
		greedy := mustExpect(t, p, portsPeer)
		for range 1000 {
			greedy.Close()
			greedy = mustExpect(t, p, portsPeer)
		}
		for i := range 18 { // one is the greedy session's, and its one before rests
			if _, err := p.Expect(portsLocal, portsPeer, fmt.Sprint("modest ", i)); err != nil {
				t.Fatalf("session %d: %v", i, err)
			}
		}
	})
}

// TestThreat33PortsOfManySessions: sessions that ask and neither come nor stay, or
// that stay and wait for nothing, give way when their address has no other port.
func TestThreat33PortsOfManySessions(t *testing.T) {
	bubble(t, 50000, 50009, func(t *testing.T, n *nettest.Network, p *ports) {
		expect := func(session string) (*expectation, error) { return p.Expect(portsLocal, portsPeer, session) }
		for i := range 10 {
			e, err := expect(fmt.Sprint("gone ", i))
			if err != nil {
				t.Fatal(err)
			}
			e.Close()
		}
		time.Sleep(shortestRest)
		waiting, err := expect("waiting")
		if err != nil {
			t.Fatalf("ports that rest do not give way: %v", err)
		}
		waiting.want()
		var idle []*expectation
		for i := range 9 {
			e, err := expect(fmt.Sprint("idle ", i))
			if err != nil {
				t.Fatal(err)
			}
			idle = append(idle, e)
			time.Sleep(time.Millisecond)
		}
		if _, err := expect("modest"); !errors.Is(err, ErrNoPort) {
			t.Errorf("a port that was just asked for was given away: %v", err)
		}
		time.Sleep(staleAfter)
		e, err := expect("modest")
		if err != nil || e.at != idle[0].at {
			t.Fatalf("the port that is idle longest does not give way: %v", err)
		}
		if _, ok := <-idle[0].conn; ok {
			t.Error("who has lost its port was given a connection")
		}
		idle[0].Close() // takes nothing from who has the port now
		w, err := n.Connect(netip.AddrPortFrom(portsPeer, 1), e.at)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		_ = (<-e.conn).Close()
	})
}

func TestPortsAreShared(t *testing.T) {
	bubble(t, 50000, 50000, func(t *testing.T, n *nettest.Network, p *ports) {
		a, b := mustExpect(t, p, portsPeer), mustExpect(t, p, portsOther)
		if n.Opened != 1 {
			t.Errorf("%d listeners for one port", n.Opened)
		}
		fromB, err := n.Connect(netip.AddrPortFrom(portsOther, 1), b.at)
		if err != nil {
			t.Fatal(err)
		}
		fromA, err := n.Connect(netip.AddrPortFrom(portsPeer, 2), a.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := (<-a.conn).RemoteAddr(); got.String() != fromA.LocalAddr().String() {
			t.Errorf("the first got the connection of %s", got)
		}
		if got := (<-b.conn).RemoteAddr(); got.String() != fromB.LocalAddr().String() {
			t.Errorf("the second got the connection of %s", got)
		}
	})
}

// TestThreat33PortsRunDryAtOnce: only for the address that has them all.
func TestThreat33PortsRunDryAtOnce(t *testing.T) {
	bubble(t, 50000, 50099, func(t *testing.T, n *nettest.Network, p *ports) {
		seen := map[uint16]bool{}
		for range 100 {
			seen[mustExpect(t, p, portsPeer).at.Port()] = true
		}
		if len(seen) != 100 {
			t.Errorf("%d different ports of 100", len(seen))
		}
		begin := time.Now()
		if _, err := p.Expect(portsLocal, portsPeer, "another"); !errors.Is(err, ErrNoPort) {
			t.Errorf("one more: %v, want ErrNoPort", err)
		}
		if time.Since(begin) != 0 {
			t.Error("the answer took time")
		}
		mustExpect(t, p, portsOther)
		if n.Opened != 100 {
			t.Errorf("%d listeners", n.Opened)
		}
	})
}

func TestPortsOfOtherProgramsArePassedOver(t *testing.T) {
	bubble(t, 50000, 50007, func(t *testing.T, n *nettest.Network, p *ports) {
		for port := uint16(50000); port < 50007; port++ {
			n.Taken[port] = true
		}
		for range 20 {
			e := mustExpect(t, p, portsPeer)
			if e.at.Port() != 50007 {
				t.Fatalf("port %d is taken", e.at.Port())
			}
			use(t, n, e)
		}
		time.Sleep(2 * listenerIdle)
		n.Taken[50007] = true
		if _, err := p.Expect(portsLocal, portsPeer, "another"); err == nil || errors.Is(err, ErrNoPort) {
			t.Errorf("all ports taken by others: %v, want the system's error", err)
		}
	})
}

func TestIdleListenersClose(t *testing.T) {
	bubble(t, 50000, 50009, func(t *testing.T, n *nettest.Network, p *ports) {
		e := mustExpect(t, p, portsPeer)
		time.Sleep(time.Hour)
		if n.Open() != 1 {
			t.Error("a listener closed while somebody was awaited")
		}
		use(t, n, e)
		time.Sleep(listenerIdle - time.Second)
		synctest.Wait()
		if n.Open() != 1 {
			t.Error("a listener closed too early to be of use again")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n.Open() != 0 {
			t.Error("a listener stays open that nobody waits at")
		}
		use(t, n, mustExpect(t, p, portsPeer))
	})
}

func TestClosedPortsAwaitNobody(t *testing.T) {
	bubble(t, 50000, 50009, func(t *testing.T, n *nettest.Network, p *ports) {
		mustExpect(t, p, portsPeer)
		p.Close()
		synctest.Wait()
		if n.Open() != 0 {
			t.Error("a listener is open after the end")
		}
		if _, err := p.Expect(portsLocal, portsPeer, "another"); err == nil {
			t.Error("a port after the end")
		}
	})
}

// TestThreat33PeersAreForgotten: an attacker with many addresses costs no memory
// once they are gone.
func TestThreat33PeersAreForgotten(t *testing.T) {
	bubble(t, 50000, 50001, func(t *testing.T, n *nettest.Network, p *ports) {
		addr := netip.MustParseAddr("2001:db8::")
		for i := range 3 * maxPeers {
			addr = addr.Next()
			mustExpect(t, p, addr).Close()
			if i%1000 == 0 {
				time.Sleep(restTime)
			}
		}
		time.Sleep(restTime)
		p.mu.Lock()
		known := len(p.peers)
		p.mu.Unlock()
		if known > maxPeers {
			t.Errorf("%d addresses are remembered, at most %d may be", known, maxPeers)
		}
	})
}
