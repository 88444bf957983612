package beneath

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
		Parse(data, func(e Entry) (bool, error) {
			left -= len(e.Name)
			if len(e.Name) == 0 || left < 0 || string(e.Name) == "." || string(e.Name) == ".." || e.Name[:len(e.Name)+1][len(e.Name)] != 0 {
				t.Errorf("entry %q of %q", e.Name, data)
			}
			return true, nil
		})
	})
}
