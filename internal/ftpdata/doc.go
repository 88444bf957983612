// Package ftpdata makes the data connections of FTP (RFC 959 §3.2, §3.3; RFC 2428;
// RFC 4217 §9): where they are awaited (ports.go), what address clients are told
// (address.go), how one comes about (service.go), its TLS (secure.go), and the form of
// the bytes on it, TYPE A and MODE Z (stream.go, modez.go).
//
// It knows no commands. A session prepares an Endpoint, hands it to a transfer, and
// the transfer uses the connection by Service.With.
package ftpdata
