// Package digest has the checksums of files that clients ask for: by HASH and
// its elders over FTP (draft-bryan-ftpext-hash), by check-file over SFTP
// (draft-ietf-secsh-filexfer-extensions-00), and as commands over SSH.
//
// The weak ones find accidents, not attackers.
package digest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"hash/crc32"
	"strings"
)

// New begins the digest of that name, as FTP writes it ("SHA-256") or SFTP
// ("sha256"): crc32, md5, sha1, sha224, sha256, sha384 or sha512. nil: there is
// none of that name.
func New(name string) hash.Hash {
	switch strings.ReplaceAll(strings.ToLower(name), "-", "") {
	case "crc32":
		return crc32.NewIEEE()
	case "md5":
		return md5.New()
	case "sha1":
		return sha1.New()
	case "sha224":
		return sha256.New224()
	case "sha256":
		return sha256.New()
	case "sha384":
		return sha512.New384()
	case "sha512":
		return sha512.New()
	}
	return nil
}
