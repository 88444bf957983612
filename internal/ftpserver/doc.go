// Package ftpserver speaks FTP to clients: one session a connection, over the
// files and rights that the gate gives it.
//
// It follows RFC 959 (FTP), 1123 §4.1 (what hosts must do), 2228 (the replies of
// security commands), 2389 (FEAT, OPTS), 2577 (security), 2640 (names and languages),
// 4217 (TLS), 5797 (the command registry) and 7151 (HOST); docs/specs.md has the
// sections one by one.
//
// How to read it. commands.go is all of FTP on one page: the table of verbs. conn.go is
// the loop: one goroutine owns a session and alone writes replies; dispatch.go decides
// which command is done when, by its row of the table. A handler takes the argument and
// returns an ftpreply.Reply. What takes long (a transfer, a hash) is an ftpreply.Job
// behind that reply: the loop runs it in one other goroutine (job.go), which has values
// and no session, and wakes the loop with the last reply.
//
// Most handlers are elsewhere, where they know nothing of a session: ftptree (names and
// files), ftpparam (what a client sets), ftpport (where a data connection comes from).
// handlers.go ties them to the table. The connection itself is ftpcontrol's. Here are
// the commands that change the session: logins, TLS, transfers and listings.
package ftpserver
