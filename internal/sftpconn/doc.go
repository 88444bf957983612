// Package sftpconn is the client's side of a session of SFTP version 3 (draft-ietf-secsh-
// filexfer-02): requests that share one stream, any number at a time, and their
// answers, in whichever order they come. What the requests are for, it does not know.
package sftpconn
