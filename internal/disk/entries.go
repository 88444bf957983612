package disk

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// readable opens the directory behind an O_PATH descriptor for reading and
// syncing.
func readable(dir int) (int, error) {
	return again(func() (int, error) {
		return unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
}

// entry is one entry as getdents64 gives it. Name is valid until the next one;
// a NUL follows it.
type entry struct {
	name []byte
	kind uint32 // type bits as in st_mode; 0: the file system did not say
}

// Where the fields of a struct linux_dirent64 are.
const (
	direntLength = 16 // two bytes: of the whole record
	direntType   = 18
	direntName   = 19 // NUL-terminated
)

// parse cuts what getdents64 filled in into entries.
func parse(data []byte, visit func(entry) (bool, error)) (bool, error) {
	for len(data) > direntName {
		length := int(binary.NativeEndian.Uint16(data[direntLength:]))
		if length <= direntName || length > len(data) {
			return false, unix.EIO
		}
		e := entry{name: data[direntName:length], kind: uint32(data[direntType]) << 12}
		data = data[length:]
		end := 0
		for end < len(e.name) && e.name[end] != 0 {
			end++
		}
		if end == 0 || end == len(e.name) {
			return false, unix.EIO
		}
		e.name = e.name[:end]
		if s := string(e.name); s == "." || s == ".." {
			continue
		}
		if more, err := visit(e); !more || err != nil {
			return false, err
		}
	}
	return true, nil
}
