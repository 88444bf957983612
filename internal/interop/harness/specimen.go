package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Specimen is content that says what it is: a line with its id and length,
// then noise that follows from the id. A half one or a mixture of two is
// recognised, wherever it turns up. Ids begin with 1.
func Specimen(id uint64, size int) []byte {
	head := fmt.Appendf(nil, "specimen %d of %d bytes\n", id, size)
	return append(head, Noise(id, size-len(head))...)
}

// smallestSpecimen is enough for the first line.
const smallestSpecimen = 64

// identify tells which specimen the file at path is; 0: there is no file.
func identify(path string) (uint64, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var id uint64
	var size int
	if _, err := fmt.Sscanf(string(content[:min(len(content), smallestSpecimen)]), "specimen %d of %d bytes\n", &id, &size); err != nil {
		return 0, fmt.Errorf("%s is no specimen: it has %d bytes and begins with %.40q", path, len(content), content)
	}
	if size < smallestSpecimen || size > 1<<30 {
		return 0, fmt.Errorf("%s begins with %.40q", path, content)
	}
	whole := Specimen(id, size)
	if bytes.Equal(content, whole) {
		return id, nil
	}
	same := 0
	for same < min(len(content), size) && content[same] == whole[same] {
		same++
	}
	return 0, fmt.Errorf("%s is not published whole: %d bytes, of which the first %d are those of specimen %d of %d bytes", path, len(content), same, id, size)
}
