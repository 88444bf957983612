package daemon

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"ferry/internal/config"
	"ferry/internal/listen"
)

// Listener is one of them.
type Listener struct {
	Name     string // "ftp", "ftps", "sftp"
	Listener net.Listener
}

// Listeners are all where the server listens.
type Listeners []Listener

// openListeners listens where the configuration says, and accepts nobody yet.
func openListeners(ctx context.Context, conf *config.Config) (Listeners, error) {
	var all Listeners
	for _, d := range []struct {
		name, address string
		proxies       []netip.Prefix
	}{
		{"ftp", conf.FTP.Address, conf.FTP.ProxyFrom},
		{"ftps", conf.FTPS.Address, conf.FTP.ProxyFrom},
		{"sftp", conf.SFTP.Address, conf.SFTP.ProxyFrom},
	} {
		if d.address == "off" {
			continue
		}
		listener, err := listen.Listen(ctx, "tcp", d.address)
		if err != nil {
			all.Close()
			return nil, err
		}
		all = append(all, Listener{d.name, listen.Proxy(listener, d.proxies)})
	}
	return all, nil
}

// serve lets clients in, each to the protocol of its listener, by the settings that are
// in effect then. The channel hears of a listener that failed.
func (d Listeners) serve(s *Server) <-chan error {
	handle := map[string]func(net.Conn){
		"ftp":  func(nc net.Conn) { s.now.Load().ftp.Handle(nc) },
		"ftps": func(nc net.Conn) { s.now.Load().ftp.HandleTLS(nc) },
		"sftp": func(nc net.Conn) { s.now.Load().handleSSH(nc) },
	}
	failed := make(chan error, len(d))
	for _, one := range d {
		go func() {
			if err := listen.Serve(one.Listener, handle[one.Name]); err != nil {
				failed <- fmt.Errorf("the %s listener failed: %w", one.Name, err)
			}
		}()
	}
	return failed
}

// Close lets nobody in any more.
func (d Listeners) Close() {
	for _, one := range d {
		one.Listener.Close()
	}
}

// Find is where the listener of that name is; nil: it is off.
func (d Listeners) Find(name string) net.Addr {
	for _, one := range d {
		if one.Name == name {
			return one.Listener.Addr()
		}
	}
	return nil
}

// address is where the listener of that name is, or "off".
func (d Listeners) address(name string) string {
	if at := d.Find(name); at != nil {
		return at.String()
	}
	return "off"
}
