// Package importer reads the accounts of other servers, with their password hashes, and
// puts them into Ferry's database: passwd(5) with shadow(5), Pure-FTPd's
// pureftpd.passwd, ProFTPD's AuthUserFile, the lists behind vsftpd's virtual users, and
// what SFTPGo dumps.
//
// What a file says of an account is kept as steps that change one, so that the same
// steps make a new account and bring an old one up to date. A line that cannot be an
// account is refused with its reason; what Ferry has no place for is reported by user
// and field, and never dropped in silence: it may have been a restriction.
package importer
