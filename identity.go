package ferry

import "slices"

// Identity is whom the files of a session are used as on their host: what it makes
// belongs to that user and group, and the kernel refuses what they may not do. The zero
// value is the server itself, whose rights are then the user's, as far as the rules of
// the account go.
type Identity struct {
	UID, GID uint32
	// Groups are the supplementary ones; GID need not be among them.
	Groups []uint32
}

// IsServer tells whether i is the server itself. There is no identity of uid 0: a user
// whose number was forgotten must not be the one who may do everything.
func (i Identity) IsServer() bool { return i.UID == 0 && i.GID == 0 && len(i.Groups) == 0 }

// Equal tells whether both are the same user with the same groups.
func (i Identity) Equal(o Identity) bool {
	return i.UID == o.UID && i.GID == o.GID && slices.Equal(i.Groups, o.Groups)
}
