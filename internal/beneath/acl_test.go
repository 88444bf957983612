package beneath

import (
	"testing"
)

func FuzzAllowedByACL(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x01\x00\x07\x00\xff\xff\xff\xff\x04\x00\x05\x00\xff\xff\xff\xff\x20\x00\x00\x00\xff\xff\xff\xff"))
	f.Add([]byte("\x02\x00\x00\x00\x10\x00"))
	f.Fuzz(func(t *testing.T, acl []byte) {
		if got := allowed(acl); got > 0o777 {
			t.Errorf("%o allowed by %x", got, acl)
		}
	})
}

func TestDefaultACLDecidesTheMode(t *testing.T) {
	entries := func(perms ...byte) []byte { // owner, named user, group, mask, other
		acl := []byte{2, 0, 0, 0}
		for i, tag := range []byte{0x01, 0x02, 0x04, 0x10, 0x20} {
			acl = append(acl, tag, 0, perms[i], 0, 0xff, 0xff, 0xff, 0xff)
		}
		return acl
	}
	for _, row := range []struct {
		acl  []byte
		want uint32
	}{
		{entries(7, 7, 5, 7, 0), 0o770},
		{entries(7, 7, 5, 4, 5), 0o745},
		{entries(6, 6, 6, 0, 6), 0o606},
	} {
		if got := allowed(row.acl); got != row.want {
			t.Errorf("allowed %o, want %o", got, row.want)
		}
	}
}
