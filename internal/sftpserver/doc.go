// Package sftpserver speaks SFTP with a client, onto a ferry.FS.
//
// Serve is one session: the SSH File Transfer Protocol version 3
// (draft-ietf-secsh-filexfer-02) with the extensions of OpenSSH's PROTOCOL and
// some of draft-ietf-secsh-filexfer-extensions-00, over any stream of bytes.
//
// Three parties share the work. The reader (serve.go) takes packets off the
// stream and makes an op of each: what it touches, and what to do
// (requests.go). Package sftporder runs ops concurrently, each as soon as no earlier one
// is in its way, and says which are done on the spot. What they answer goes out by
// package sftpio, which bounds what is on the way.
//
// New content is staged as everywhere in Ferry: OPEN begins a part, CLOSE
// publishes it, and whatever ends the session before CLOSE keeps it for the
// client to go on with (open.go, file.go).
package sftpserver
