// Package sftpio moves packets of SFTP (draft-ietf-secsh-filexfer-02 §3) between a
// session and its stream, in large reads and large writes, and bounds the memory of
// what is on the way: a Budget for each session, and Buffers that sessions share.
package sftpio
