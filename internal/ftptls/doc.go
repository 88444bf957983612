// Package ftptls is what FTP needs of TLS beside crypto/tls (RFC 4217, RFC 5246, RFC
// 8446), for control and data connections alike.
//
// wire.go lies below crypto/tls, which makes a system call of every record: it gathers
// records into large writes, reads ahead in large reads, holds the tickets of an
// upload back until its end, tells an end of TLS from an end of the transport, and
// takes no byte behind the end of TLS, so that CCC and REIN can go on in clear.
//
// binding.go is how a data connection shows that it belongs to its control
// connection: a session ticket names the control session and the user that it was
// given to. ticketuse.go is whether a client must have a ticket to show.
package ftptls
