// Package interop is tests only: the built ferry binary, talked to by the
// programs that people really use, scanned, killed at bad moments, and abused.
//
//	clients   FTP: curl, lftp, ncftp, tnftp, inetutils-ftp, wget, Python's ftplib
//	tls       FTPS: the same, ftp-ssl, GnuTLS, OpenSSL, testssl.sh, sslscan
//	ssh       SFTP and SCP: OpenSSH, sshfs, rclone, PuTTY, paramiko, ssh-audit;
//	          and the other way round: our client, OpenSSH's server
//	crash     the server, its clients and its disk, at their worst moments
//	system    the accounts of the machine, whose rights the kernel guards
//	threats   attacks, by number
//	readme    README.md and docs/, pasted into a shell
//	views     what the sessions of one user and of others see of a name; in the test's own
//	          process, over files in memory and on the disk
//	harness   what the others share
//
// Every test starts its own server on a free port of loopback and ends it. `make deps`
// installs the clients: one that is missing fails its tests. FERRY_BINARY names a
// binary to test instead of one built from this tree.
package interop
