// Package gate is how a client gets in, and how much it may take: seats, bans,
// logins, bandwidth. It is the same for every protocol.
//
// The way in has three steps. Admit gives a connection a seat, or says why
// not: a Conn. Login finds out whose account it is: a Session. The Session's FS
// is the tree of files as this user may use it, which Config.Files puts together
// of wrappers: whoever wires the server decides their order, and has Session.Meter
// among them, which counts and limits bytes, ends stalled transfers, and wakes
// those whose session ends. A protocol does nothing to files but through that FS,
// so no verb can forget a right.
//
// The gate runs no goroutine of its own and calls nobody while it holds a lock.
//
// The limits answer RFC 2577 (FTP security considerations) §5: a limited
// number of attempts, a delay before each refusal, and a ban by address that
// does not lock out the account.
package gate
