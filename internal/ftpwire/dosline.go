package ftpwire

import (
	"strconv"
	"time"
)

// AppendDOSLine prints the line of LIST for e in the form of Windows servers,
// which some devices were made for and know nothing else:
//
//	01-02-26  03:04PM       <DIR>          name
//	01-02-26  03:04PM                 1234 name
//
// Times are in zone, nil meaning UTC. Of links it shows nothing but the name.
func AppendDOSLine(dst []byte, e *Entry, zone *time.Location) []byte {
	if zone == nil {
		zone = time.UTC
	}
	dst = e.Modify.In(zone).AppendFormat(dst, "01-02-06  03:04PM")
	if e.Kind.typeBits().IsDir() {
		dst = append(dst, "       <DIR>          "...)
		return appendName(dst, e.Name)
	}
	var digits [20]byte
	size := strconv.AppendInt(digits[:0], max(e.Size, 0), 10)
	for range 21 - len(size) {
		dst = append(dst, ' ')
	}
	return appendName(append(append(dst, size...), ' '), e.Name)
}
