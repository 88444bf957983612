// Package opensshlog writes down what a session of SFTP does as OpenSSH's sftp-server
// does: its words (sftp-server.c), its levels, and syslog's facilities. People search
// their logs for them, and so do programs.
package opensshlog
