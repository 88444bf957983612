// Package sftpserver speaks SFTP and SCP with a client, onto a ferry.FS.
//
// Serve is one session: the SSH File Transfer Protocol version 3
// (draft-ietf-secsh-filexfer-02) with the extensions of OpenSSH's PROTOCOL and
// some of draft-ietf-secsh-filexfer-extensions-00, over any stream of bytes.
//
// Three parties share the work. The reader (serve.go) takes packets off the
// stream and makes an op of each: what it touches, and what to do
// (requests.go). The order (order.go) runs ops concurrently, each as soon as
// no earlier one is in its way; pace.go says which are done on the spot. The
// output (output.go) gathers what they answer into large writes. A budget
// bounds what is on the way between them. input.go and socket.go see to it that
// neither a channel of SSH nor its connection is read or written in small bits.
//
// In front of it stands SSH (RFC 4251 to 4254, 4256, 8308, 8332, 9142), by
// golang.org/x/crypto/ssh. server.go admits connections, client.go is one of
// them, auth.go and certificate.go let it in, channel.go and exec.go start what
// runs on its channels: SFTP, scp as it was before SFTP (scp*.go), and a few
// commands that clients probe a server with.
//
// New content is staged as everywhere in Ferry: OPEN begins a part, CLOSE
// publishes it, and whatever ends the session before CLOSE keeps it for the
// client to go on with (open.go, file.go).
package sftpserver
