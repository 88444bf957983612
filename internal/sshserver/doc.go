// Package sshserver is SSH in front of SFTP and scp (RFC 4251 to 4254, 4256, 8308,
// 8332, 9142), by golang.org/x/crypto/ssh.
//
// server.go admits connections, and conn.go is one of them. auth.go and
// certificate.go let it in, channel.go starts what runs on its channels: SFTP
// (package sftpserver) and commands (package sshexec). bufferedconn.go lies below
// SSH and sees to it that a connection is not read and written in small bits.
// shutdown.go tells clients why they have to go, and waits for what they do.
package sshserver
