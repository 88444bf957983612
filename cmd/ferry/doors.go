package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"ferry/internal/listen"
)

// door is one listener.
type door struct {
	name     string // "ftp", "ftps", "sftp"
	listener net.Listener
}

// doors are all where the server listens.
type doors []door

// openDoors listens where the configuration says, and accepts nobody yet.
func openDoors(ctx context.Context, conf *config) (doors, error) {
	var all doors
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
			all.close()
			return nil, err
		}
		all = append(all, door{d.name, listen.Proxy(listener, d.proxies)})
	}
	return all, nil
}

// serve lets clients in, each to the protocol of its door. The channel hears of
// a door that failed.
func (d doors) serve(p protocols) <-chan error {
	handle := map[string]func(net.Conn){"ftp": p.ftp.Handle, "ftps": p.ftp.HandleTLS, "sftp": p.handleSSH}
	failed := make(chan error, len(d))
	accept := new(listen.Acceptor)
	for _, one := range d {
		go func() {
			if err := accept.Serve(one.listener, handle[one.name]); err != nil {
				failed <- fmt.Errorf("the %s listener failed: %w", one.name, err)
			}
		}()
	}
	return failed
}

// close lets nobody in any more.
func (d doors) close() {
	for _, one := range d {
		one.listener.Close()
	}
}

// find is where the door of that name is; nil: it is off.
func (d doors) find(name string) net.Addr {
	for _, one := range d {
		if one.name == name {
			return one.listener.Addr()
		}
	}
	return nil
}

// address is where the door of that name is, or "off".
func (d doors) address(name string) string {
	if at := d.find(name); at != nil {
		return at.String()
	}
	return "off"
}
