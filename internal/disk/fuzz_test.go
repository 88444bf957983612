package disk

import (
	"encoding/binary"
	"testing"
)

func FuzzParseEntries(f *testing.F) {
	record := func(name string, kind byte) []byte {
		b := make([]byte, direntName, direntName+len(name)+1)
		binary.NativeEndian.PutUint16(b[direntLength:], uint16(direntName+len(name)+1))
		b[direntType] = kind
		return append(append(b, name...), 0)
	}
	f.Add(record("file", 8))
	f.Add(append(record(".", 4), record("a longer name", 0)...))
	f.Add(record("", 8))
	f.Add([]byte{19, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		left := len(data)
		parse(data, func(e entry) (bool, error) {
			left -= len(e.name)
			if len(e.name) == 0 || left < 0 || string(e.name) == "." || string(e.name) == ".." || e.name[:len(e.name)+1][len(e.name)] != 0 {
				t.Errorf("entry %q of %q", e.name, data)
			}
			return true, nil
		})
	})
}

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
