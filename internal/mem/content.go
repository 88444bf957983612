package mem

import "ferry/internal/byteranges"

// chunkSize is how content is cut: small enough that a file with holes costs
// little, large enough that the map of a large one stays small.
const chunkSize = 64 << 10

// content is the bytes of one file. What no chunk holds, up to size, is zero.
type content struct {
	size    int64
	chunks  map[int64][]byte // by number; one may be shorter than chunkSize
	written byteranges.Set
}

// contiguous says up to where every byte was written: the beginning of the first
// gap, or the size.
func (c *content) contiguous() int64 { return c.written.Contiguous() }

// readAt copies what there is from off on into p and says how much that was.
func (c *content) readAt(p []byte, off int64) int {
	if off >= c.size {
		return 0
	}
	p = p[:min(int64(len(p)), c.size-off)]
	for done := 0; done < len(p); {
		at := off + int64(done)
		begin := at % chunkSize
		piece := p[done:min(len(p), done+int(chunkSize-begin))]
		n := 0
		if chunk := c.chunks[at/chunkSize]; begin < int64(len(chunk)) {
			n = copy(piece, chunk[begin:])
		}
		clear(piece[n:])
		done += len(piece)
	}
	return len(p)
}

// writeAt puts p at off and makes the content longer where that is needed.
func (c *content) writeAt(p []byte, off int64) {
	if len(p) == 0 {
		return
	}
	if c.chunks == nil {
		c.chunks = make(map[int64][]byte)
	}
	c.size = max(c.size, off+int64(len(p)))
	c.written.Add(off, off+int64(len(p)))
	for len(p) > 0 {
		begin := int(off % chunkSize)
		piece := p[:min(len(p), chunkSize-begin)]
		chunk := c.chunks[off/chunkSize]
		if short := begin + len(piece) - len(chunk); short > 0 {
			chunk = append(chunk, make([]byte, short)...)
			c.chunks[off/chunkSize] = chunk
		}
		copy(chunk[begin:], piece)
		p = p[len(piece):]
		off += int64(len(piece))
	}
}

// truncate changes the size; what is cut off does not come back by growing.
func (c *content) truncate(size int64) {
	if size < c.size {
		c.written.Cut(size)
		last, keep := size/chunkSize, int(size%chunkSize)
		for number, chunk := range c.chunks {
			switch {
			case number > last, number == last && keep == 0:
				delete(c.chunks, number)
			case number == last && keep < len(chunk):
				c.chunks[number] = chunk[:keep]
			}
		}
	}
	c.size = size
}
