// Package interop is tests only: the built ferry binary, talked to by the
// programs that people really use (curl, lftp, ncftp, tnftp, inetutils-ftp,
// wget, Python's ftplib; over TLS also ftp-ssl, GnuTLS and OpenSSL; over SSH
// OpenSSH's sftp and scp, sshfs, rclone, PuTTY's psftp and pscp, paramiko),
// scanned by testssl.sh, sslscan and ssh-audit, killed at bad moments, and
// abused.
//
// Every test starts its own server on a free port of loopback and ends it;
// main_test.go builds the binary, server_test.go starts and stops it. `make
// deps` installs the clients: one that is missing fails its tests.
//
// sftp_client_test.go is the other way round: our client, OpenSSH's server.
//
// FERRY_BINARY names a binary to test instead of one built from this tree.
package interop
