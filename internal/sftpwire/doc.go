// Package sftpwire is the bytes of the SSH File Transfer Protocol, version 3:
// packets and attributes, read and written, for both sides.
//
// The specification is draft-ietf-secsh-filexfer-02, as OpenSSH speaks it: its
// PROTOCOL file has the differences and its extensions. check-file,
// space-available, vendor-id and copy-file are of
// draft-ietf-secsh-filexfer-extensions-00.
//
// Each packet is a struct whose method fields says once what it holds, in
// which order; codec.go reads and writes by it. So what is printed is what is
// parsed. No length that a packet names is trusted before it was compared with
// what is there, and nothing larger than the packet is allocated.
package sftpwire
