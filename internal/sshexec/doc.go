// Package sshexec runs the commands that clients of SSH send as an exec request (RFC
// 4254 §6.5), where there is neither a shell nor a process: the far side of scp as it
// was before SFTP (scp*.go), and a few commands that clients probe a server with.
// Each works on a ferry.FS, and on the standard input and output that it is given.
//
// shellwords.go cuts a command line into words as a POSIX shell does (XCU 2.2). scp's
// protocol has no document; scpwire.go says what its records are.
package sshexec
