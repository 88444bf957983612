package partfile

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"ferry"
)

// userDigits of a part's name say whose it is, the others for which file: so
// that Rmdir knows a user's own parts by their names.
const userDigits = 12

// Owner is the user whose parts they are.
type Owner struct {
	User  string
	Keeps bool // parts of broken uploads stay for this user
}

// Name is the name of the part of the user for the file base in the same
// directory. Users whose parts are not kept get a new one for each upload.
func (o Owner) Name(base string) string {
	var which [sha256.Size]byte
	if o.Keeps {
		which = sha256.Sum256([]byte(o.User + "\x00" + base)) // no user name holds a NUL
	} else {
		rand.Read(which[:])
	}
	return o.prefix() + hex.EncodeToString(which[:])[:ferry.PartDigits-userDigits]
}

func (o Owner) prefix() string {
	who := sha256.Sum256([]byte(o.User))
	return ferry.PartPrefix + hex.EncodeToString(who[:])[:userDigits]
}

// Owns tells whether the part of that name is of the user.
func (o Owner) Owns(part string) bool {
	prefix := o.prefix()
	return part[:len(prefix)] == prefix
}
