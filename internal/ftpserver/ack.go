package ftpserver

import (
	"net"

	"golang.org/x/sys/unix"
)

// acknowledge lets the kernel acknowledge what comes next without waiting for
// something to send along with it. It forgets that when something is sent.
func acknowledge(nc net.Conn) { switchOn(nc, unix.TCP_QUICKACK) }
