// Package ferry is the vocabulary of Ferry, a file-transfer server: the nouns
// that every room of the house speaks, and nothing that does I/O or starts a
// goroutine.
//
// Read in this order: fs.go (what a session sees of its files), storage.go (where
// they are), name.go (what a client's name means), user.go (who may do what),
// claim.go (what lets somebody in), event.go (what is told about it), cluster.go
// (what nodes share), errors.go.
//
// RFCs whose words are used here: 959 and 3659 (FTP), and
// draft-ietf-secsh-filexfer-02 (SFTP version 3).
package ferry
