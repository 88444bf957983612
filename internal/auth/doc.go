// Package auth decides who a client is: password hashes, the accounts they
// belong to, and the authenticators made of both.
//
// Argon2id is RFC 9106. Hashes of other systems are read in their crypt(5)
// forms: bcrypt, SHA-crypt with SHA-256 and SHA-512, yescrypt, scrypt (RFC 7914),
// MD5-crypt, and PBKDF2 (RFC 8018).
//
// What a stranger can learn is the design here. Every claim that does not
// hold gets ferry.ErrLogin, and where it has a password, after the work of one
// verification: whether the name is unknown, has no password, is disabled or
// expired, or the password is wrong, or is not all that the account wants to be
// shown. The one exception are accounts whose hash was imported with a cost of
// its own; a new password brings them in line.
//
// Of SSH it knows whose certificates let users in and what is revoked, as files
// say it (OpenSSH's PROTOCOL.krl). What a certificate says is the protocol's
// matter.
//
// No password and no hash is ever in an error, and nothing here logs.
package auth
