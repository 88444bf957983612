package ftpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ferry/internal/ftpwire"
)

// errDataTimeout: nobody connected, or nobody answered, within DataTimeout.
var errDataTimeout = errors.New("the data connection did not come about in time")

// dataWay is how the next data connection comes about. The zero value: the
// client has not said.
type dataWay struct {
	passive *expectation
	active  netip.AddrPort
}

func (w dataWay) prepared() bool { return w.passive != nil || w.active.IsValid() }

// closeData forgets the way to the next data connection.
func (c *conn) closeData() {
	if c.data.passive != nil {
		c.data.passive.close()
	}
	c.data = dataWay{}
}

// takeData hands the way over to a transfer: one PASV or PORT, one transfer.
func (c *conn) takeData() dataWay {
	w := c.data
	c.data = dataWay{}
	return w
}

// open brings the data connection.
func (c *conn) open(ctx context.Context, w dataWay) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.srv.cfg.DataTimeout, errDataTimeout)
	defer cancel()
	if w.passive == nil {
		nc, err := c.srv.ports.net.dial(ctx, c.local.Addr(), w.active)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDataTimeout, errors.Join(context.Cause(ctx), err))
		}
		return nc, nil
	}
	defer w.passive.close()
	select {
	case nc := <-w.passive.conn:
		return nc, nil
	default:
	}
	select {
	case nc := <-w.passive.conn:
		return nc, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// PASV (RFC 959 §4.1.2).
func (c *conn) pasv(string) reply {
	if c.epsvAll {
		return afterEPSVAll("PASV")
	}
	if c.local.Addr().Is6() {
		return say(425, "PASV cannot tell an IPv6 address; use EPSV.")
	}
	host, err := c.srv.hosts.addressFor(c.ctx(), c.peer.Addr(), c.local.Addr())
	if err != nil {
		c.log().Error("passive address unknown", "err", err)
		return say(425, "The server's passive address cannot be found; use EPSV, or tell the operator.")
	}
	port, r := c.listen()
	if port == 0 {
		return r
	}
	text := append([]byte("Entering Passive Mode ("), ftpwire.AppendPASV(nil, netip.AddrPortFrom(host, port))...)
	return say(227, string(text)+").")
}

// LPSV (RFC 1639).
func (c *conn) lpsv(string) reply {
	if c.epsvAll {
		return afterEPSVAll("LPSV")
	}
	port, r := c.listen()
	if port == 0 {
		return r
	}
	text := append([]byte("Entering Long Passive Mode ("), ftpwire.AppendLPSV(nil, netip.AddrPortFrom(c.local.Addr().WithZone(""), port))...)
	return say(228, string(text)+").")
}

// EPSV (RFC 2428 §3).
func (c *conn) epsv(arg string) reply {
	family := "1"
	if c.local.Addr().Is6() {
		family = "2"
	}
	switch {
	case c.epsvRefused():
		return say(502, "EPSV is switched off for your address; use PASV.")
	case strings.EqualFold(arg, "ALL"):
		c.epsvAll = true
		c.closeData()
		return say(200, "EPSV ALL ok: only EPSV from now on.")
	case arg == "1" || arg == "2":
		if arg != family {
			return say(522, "Network protocol not supported, use ("+family+")")
		}
	case arg != "":
		if !allDigits(arg) {
			return say(501, "EPSV takes 1, 2 or ALL.")
		}
		return say(522, "Network protocol not supported, use ("+family+")")
	}
	port, r := c.listen()
	if port == 0 {
		return r
	}
	return say(229, "Entering Extended Passive Mode "+string(ftpwire.AppendEPSV(nil, port)))
}

func (c *conn) epsvRefused() bool {
	for _, n := range c.srv.cfg.NoEPSV {
		if n.Contains(c.peer.Addr().WithZone("")) { // a prefix never holds an address with one
			return true
		}
	}
	return false
}

func afterEPSVAll(verb string) reply {
	return say(503, verb+" is not allowed after EPSV ALL.")
}

// listen prepares a passive connection; port 0 means it could not, and r says why.
func (c *conn) listen() (port uint16, r reply) {
	c.closeData() // a second PASV closes the first one's port
	from := c.peer.Addr()
	if c.srv.cfg.ForeignData {
		from = netip.Addr{}
	}
	e, err := c.srv.ports.expect(c.local.Addr(), from)
	if errors.Is(err, errNoPort) {
		c.log().Warn("passive ports exhausted", "err", err)
		return 0, say(425, "All passive ports are in use by your address: end a transfer, or ask the operator to widen the range of passive ports.")
	}
	if err != nil {
		c.log().Error("cannot listen for a data connection", "err", err)
		return 0, say(425, "Cannot open a passive port; try again later.")
	}
	c.data = dataWay{passive: e}
	return e.at.Port(), reply{}
}

// PORT (RFC 959 §4.1.2).
func (c *conn) port(arg string) reply {
	to, err := ftpwire.ParsePORT(arg)
	return c.connectTo("PORT", to, err)
}

// EPRT (RFC 2428 §2).
func (c *conn) eprt(arg string) reply {
	to, err := ftpwire.ParseEPRT(arg)
	if errors.Is(err, ftpwire.ErrProtocolFamily) && !c.epsvAll {
		return say(522, "Network protocol not supported, use (1,2)")
	}
	return c.connectTo("EPRT", to, err)
}

// LPRT (RFC 1639).
func (c *conn) lprt(arg string) reply {
	to, err := ftpwire.ParseLPRT(arg)
	if errors.Is(err, ftpwire.ErrProtocolFamily) && !c.epsvAll {
		return say(521, "Supported address families are (4,6)")
	}
	return c.connectTo("LPRT", to, err)
}

// connectTo prepares an active connection. Only the client's own address will
// do, and no privileged port: a server that connects anywhere is a tool for
// scanning and worse (RFC 2577 §3).
func (c *conn) connectTo(verb string, to netip.AddrPort, err error) reply {
	switch {
	case err != nil && !errors.Is(err, ftpwire.ErrProtocolFamily):
		return say(501, "Syntax error in the address of "+verb+".")
	case c.epsvAll:
		return afterEPSVAll(verb)
	case c.srv.cfg.NoActive:
		return say(502, "Active mode is switched off; use PASV or EPSV.")
	}
	addr := to.Addr().Unmap()
	if addr == c.peer.Addr().WithZone("") {
		addr = c.peer.Addr() // a link-local address keeps its zone
	}
	if addr == netip.IPv6Unspecified() && c.peer.Addr().Is6() {
		addr = c.peer.Addr() // lftp says "::" for its own
	}
	if addr.Is4() != c.local.Addr().Is4() {
		return say(522, "Network protocol not supported, use ("+map[bool]string{true: "1", false: "2"}[c.local.Addr().Is4()]+")")
	}
	if to.Port() < 1024 {
		c.visit.Offend(verb + " to a privileged port")
		return say(504, verb+" to ports below 1024 is refused.")
	}
	if addr != c.peer.Addr() && !c.srv.cfg.ForeignData {
		c.visit.Offend(verb + " to a foreign address")
		return say(504, verb+" is allowed to your own address only.")
	}
	c.closeData()
	c.data = dataWay{active: netip.AddrPortFrom(addr, to.Port())}
	return say(200, verb+" ok.")
}

// PRET tells what the data connection will be for (DrFTPD's extension);
// nothing here depends on it.
func (c *conn) pret(arg string) reply {
	verb, _, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(verb) {
	case "RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD":
		return say(200, "Ok.")
	}
	return say(501, "PRET takes a command that uses a data connection.")
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// cork holds small segments back until the socket is closed or full: sendfile
// over a connection with TCP_NODELAY, which Go sets on all, sends a short
// segment at each end of a pipe buffer and takes half the throughput.
func cork(nc net.Conn) { switchOn(nc, unix.TCP_CORK) }

// acknowledge lets the kernel acknowledge what comes next without waiting for
// something to send along with it. It forgets that when something is sent.
func acknowledge(nc net.Conn) { switchOn(nc, unix.TCP_QUICKACK) }

// switchOn sets an option of TCP, where nc is TCP.
func switchOn(nc net.Conn, option int) {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), unix.IPPROTO_TCP, option, 1) })
}

// reset makes the close of nc a reset, so that a client cannot take what it
// got for the whole file.
func reset(nc net.Conn) {
	if tcp, ok := nc.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0)
	}
}

// advertiser knows what address PASV tells each client.
type advertiser struct {
	addresses []PassiveAddress
	mu        sync.Mutex
	found     map[string]foundHost
}

type foundHost struct {
	addr  netip.Addr
	until time.Time
}

func newAdvertiser(addresses []PassiveAddress) *advertiser {
	return &advertiser{addresses: addresses, found: map[string]foundHost{}}
}

// addressFor is the configured address of the peer's network, else the one
// that the client reached us at.
func (a *advertiser) addressFor(ctx context.Context, peer, local netip.Addr) (netip.Addr, error) {
	for _, p := range a.addresses {
		if p.Network.Contains(peer) {
			return a.lookUp(ctx, p.Host)
		}
	}
	return local, nil
}

// lookUp makes an IPv4 address of host. Names are looked up again after a
// minute, for hosts whose address changes.
func (a *advertiser) lookUp(ctx context.Context, host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if !addr.Unmap().Is4() {
			return netip.Addr{}, fmt.Errorf("passive address %s: PASV needs an IPv4 address", host)
		}
		return addr.Unmap(), nil
	}
	a.mu.Lock()
	hit := a.found[host]
	a.mu.Unlock()
	if time.Now().Before(hit.until) {
		return hit.addr, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(addrs) == 0 {
		if hit.addr.IsValid() {
			return hit.addr, nil // an old answer is better than none
		}
		return netip.Addr{}, fmt.Errorf("passive address %s: %w", host, err)
	}
	a.mu.Lock()
	a.found[host] = foundHost{addrs[0].Unmap(), time.Now().Add(time.Minute)}
	a.mu.Unlock()
	return addrs[0].Unmap(), nil
}
