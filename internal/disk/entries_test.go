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
