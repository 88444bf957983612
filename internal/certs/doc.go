// Package certs is where TLS comes from: certificates from files that are
// looked at again while the server runs, a self-signed one that is made once
// and kept, or ones that an ACME server hands out; client certificates and
// who they name; and the keys of session tickets, which outlive a restart.
//
// What leaves this room is a *tls.Config that never needs to be replaced: it
// asks at each handshake what is current. certs.go is the way in, server.go
// makes the configurations, tickets.go says how they are shared.
//
// RFCs spoken: 4217 (FTP with TLS), 5246 and 8446 (TLS 1.2 and 1.3), 5077
// (tickets), 5280 (certificates and revocation lists), 6066 (server names),
// 7301 (ALPN), 8555, 8737 and 8738 (ACME).
package certs
