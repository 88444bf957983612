package sftpwire

import "encoding/binary"

// Lstat asks for the attributes of a name, a link not followed (§6.8).
type Lstat struct{ Name string }

// Type is TypeLstat.
func (*Lstat) Type() Type { return TypeLstat }

func (r *Lstat) fields(c *codec) { c.str(&r.Name) }

// Stat asks for the attributes of what a name means (§6.8).
type Stat struct{ Name string }

// Type is TypeStat.
func (*Stat) Type() Type { return TypeStat }

func (r *Stat) fields(c *codec) { c.str(&r.Name) }

// Setstat changes attributes by name; a size truncates (§6.9).
type Setstat struct {
	Name  string
	Attrs Attrs
}

// Type is TypeSetstat.
func (*Setstat) Type() Type { return TypeSetstat }

func (r *Setstat) fields(c *codec) {
	c.str(&r.Name)
	c.attrs(&r.Attrs)
}

// Opendir asks for a handle of a directory (§6.7).
type Opendir struct{ Name string }

// Type is TypeOpendir.
func (*Opendir) Type() Type { return TypeOpendir }

func (r *Opendir) fields(c *codec) { c.str(&r.Name) }

// Readdir asks for some more entries (§6.7).
type Readdir struct{ Handle string }

// Type is TypeReaddir.
func (*Readdir) Type() Type { return TypeReaddir }

func (r *Readdir) fields(c *codec) { c.str(&r.Handle) }

// Remove removes a file (§6.5).
type Remove struct{ Name string }

// Type is TypeRemove.
func (*Remove) Type() Type { return TypeRemove }

func (r *Remove) fields(c *codec) { c.str(&r.Name) }

// Mkdir makes a directory (§6.6).
type Mkdir struct {
	Name  string
	Attrs Attrs
}

// Type is TypeMkdir.
func (*Mkdir) Type() Type { return TypeMkdir }

func (r *Mkdir) fields(c *codec) {
	c.str(&r.Name)
	c.attrs(&r.Attrs)
}

// Rmdir removes an empty directory (§6.6).
type Rmdir struct{ Name string }

// Type is TypeRmdir.
func (*Rmdir) Type() Type { return TypeRmdir }

func (r *Rmdir) fields(c *codec) { c.str(&r.Name) }

// Realpath asks for the absolute form of a name (§6.11).
type Realpath struct{ Name string }

// Type is TypeRealpath.
func (*Realpath) Type() Type { return TypeRealpath }

func (r *Realpath) fields(c *codec) { c.str(&r.Name) }

// Rename renames; an existing To is an error (§6.5).
type Rename struct{ From, To string }

// Type is TypeRename.
func (*Rename) Type() Type { return TypeRename }

func (r *Rename) fields(c *codec) {
	c.str(&r.From)
	c.str(&r.To)
}

// Readlink asks where a link points (§6.10).
type Readlink struct{ Name string }

// Type is TypeReadlink.
func (*Readlink) Type() Type { return TypeReadlink }

func (r *Readlink) fields(c *codec) { c.str(&r.Name) }

// Symlink makes Name a link to Target. On the wire Target comes first: the
// draft says otherwise (§6.10), but OpenSSH began so, and all but a few follow
// it (PROTOCOL §4.1); from those few the fields are to be swapped.
type Symlink struct{ Target, Name string }

// Type is TypeSymlink.
func (*Symlink) Type() Type { return TypeSymlink }

func (r *Symlink) fields(c *codec) {
	c.str(&r.Target)
	c.str(&r.Name)
}

// AttrsReply answers Stat, Lstat and Fstat.
type AttrsReply struct{ Attrs Attrs }

// Type is TypeAttrs.
func (*AttrsReply) Type() Type { return TypeAttrs }

func (r *AttrsReply) fields(c *codec) { c.attrs(&r.Attrs) }

// Entry is a file in a listing. Long is the line that `ls -l` would show.
type Entry struct {
	Name, Long string
	Attrs      Attrs
}

// Names answers Readdir, Realpath and Readlink (§7).
type Names struct{ Entries []Entry }

// Type is TypeName.
func (*Names) Type() Type { return TypeName }

func (r *Names) fields(c *codec) {
	n := uint32(len(r.Entries))
	c.u32(&n)
	if !c.reading {
		for i := range r.Entries {
			r.Entries[i].fields(c)
		}
		return
	}
	for ; n > 0 && c.err == nil; n-- {
		var e Entry
		if e.fields(c); c.err == nil {
			r.Entries = append(r.Entries, e)
		}
	}
}

func (e *Entry) fields(c *codec) {
	c.str(&e.Name)
	c.str(&e.Long)
	c.attrs(&e.Attrs)
}

// NamesWriter writes a NAME packet entry by entry, so that a listing is cut
// where a packet is full. Make it with NewNamesWriter.
type NamesWriter struct {
	packet []byte
	count  uint32
}

// where the number of entries stands in a NAME packet.
const namesCount = 4 + 1 + 4

// NewNamesWriter begins a packet in the memory of dst, which is overwritten.
func NewNamesWriter(dst []byte, id uint32) *NamesWriter {
	dst = append(dst[:0], 0, 0, 0, 0, byte(TypeName))
	dst = binary.BigEndian.AppendUint32(dst, id)
	return &NamesWriter{packet: append(dst, 0, 0, 0, 0)}
}

// Add adds an entry, its line printed by appendLong.
func (w *NamesWriter) Add(name string, a Attrs, appendLong func(dst []byte) []byte) {
	dst := appendString(w.packet, name)
	start := len(dst)
	dst = appendLong(append(dst, 0, 0, 0, 0))
	c := codec{buf: seal(dst, start)}
	c.attrs(&a)
	w.packet = c.buf
	w.count++
}

// Count is how many entries there are.
func (w *NamesWriter) Count() int { return int(w.count) }

// Size is how long the packet is so far.
func (w *NamesWriter) Size() int { return len(w.packet) }

// Packet is the whole packet.
func (w *NamesWriter) Packet() []byte {
	binary.BigEndian.PutUint32(w.packet[namesCount:], w.count)
	return seal(w.packet, 0)
}
