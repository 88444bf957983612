// Package sysuser reads the accounts of the operating system: who is in passwd(5), with
// which password in shadow(5), in which groups of group(5), and whether a login over
// FTP is for them, by shells(5) and ftpusers(5).
//
// It reads the files themselves, as the C library's "files" service does, and asks no
// other one (LDAP, SSSD): what a server that runs for years finds out must not hang on a
// module loaded into it. The files are looked at again when they have changed. A line
// that is wrong is an account that nobody gets into; all others stay as they are.
//
// It speaks no RFC; the manual pages of Debian's passwd and login are its sources.
package sysuser
