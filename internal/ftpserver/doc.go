// Package ftpserver speaks FTP to clients: one session a connection, over the
// files and rights that the gate gives it.
//
// It follows RFC 959 (FTP), 1123 §4.1 (what hosts must do), 1639 (LPRT, LPSV),
// 2228 (the replies of security commands), 2389 (FEAT, OPTS), 2428 (EPRT,
// EPSV), 2577 (security), 2640 (names and languages), 3659 (MLST, MDTM, SIZE,
// REST), 5797 (the command registry), 7151 (HOST), draft-somers-ftp-mfxx
// (MFMT, MFF), draft-bryan-ftpext-hash (HASH) and draft-bryan-ftp-range (RANG);
// docs/specs.md has the sections one by one.
//
// How to read it. commands.go is all of FTP on one page: the table of verbs.
// conn.go is the loop: one goroutine owns a session's state and alone writes
// replies; dispatch.go decides which command is done when, by its row of the table.
// A handler parses, checks, makes one call and returns its ftpreply.Reply. What takes
// long (a transfer, a hash) is an ftpreply.Job behind that reply: the loop runs it in
// one other goroutine (job.go), which has values and no session, so that the loop goes
// on answering ABOR, STAT and NOOP. Package ftpparam has what a client sets, ftpport how its next data connection comes about; transfer.go and
// list.go use them; package ftpreply is the one place where an error becomes a reply.
package ftpserver
