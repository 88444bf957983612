package sftpwire

// The extensions of OpenSSH (its PROTOCOL file, §4).

// PosixRename renames and replaces an existing To (§4.3).
type PosixRename struct{ From, To string }

// Type is TypeExtended.
func (*PosixRename) Type() Type { return TypeExtended }

func (*PosixRename) extension() string { return extPosixRename }
func (r *PosixRename) fields(c *codec) {
	c.str(&r.From)
	c.str(&r.To)
}

// Statvfs asks for the file system that holds a name (§4.4).
type Statvfs struct{ Name string }

// Type is TypeExtended.
func (*Statvfs) Type() Type { return TypeExtended }

func (*Statvfs) extension() string { return extStatvfs }
func (r *Statvfs) fields(c *codec) { c.str(&r.Name) }

// Fstatvfs is Statvfs for an open file (§4.4).
type Fstatvfs struct{ Handle string }

// Type is TypeExtended.
func (*Fstatvfs) Type() Type { return TypeExtended }

func (*Fstatvfs) extension() string { return extFstatvfs }
func (r *Fstatvfs) fields(c *codec) { c.str(&r.Handle) }

// Flags of StatvfsReply.
const (
	StatvfsReadOnly = 1
	StatvfsNoSetuid = 2
)

// StatvfsReply answers Statvfs and Fstatvfs, with the names of POSIX.
type StatvfsReply struct {
	Bsize, Frsize         uint64 // bytes
	Blocks, Bfree, Bavail uint64 // of Frsize
	Files, Ffree, Favail  uint64
	FSID, Flag, Namemax   uint64
}

// Type is TypeExtendedReply.
func (*StatvfsReply) Type() Type { return TypeExtendedReply }

func (r *StatvfsReply) fields(c *codec) {
	for _, v := range []*uint64{&r.Bsize, &r.Frsize, &r.Blocks, &r.Bfree, &r.Bavail,
		&r.Files, &r.Ffree, &r.Favail, &r.FSID, &r.Flag, &r.Namemax} {
		c.u64(v)
	}
}

// Hardlink makes To another name of the file From (§4.5).
type Hardlink struct{ From, To string }

// Type is TypeExtended.
func (*Hardlink) Type() Type { return TypeExtended }

func (*Hardlink) extension() string { return extHardlink }
func (r *Hardlink) fields(c *codec) {
	c.str(&r.From)
	c.str(&r.To)
}

// Fsync makes what was written to an open file durable (§4.6).
type Fsync struct{ Handle string }

// Type is TypeExtended.
func (*Fsync) Type() Type { return TypeExtended }

func (*Fsync) extension() string { return extFsync }
func (r *Fsync) fields(c *codec) { c.str(&r.Handle) }

// Lsetstat is Setstat that does not follow a link (§4.7).
type Lsetstat struct {
	Name  string
	Attrs Attrs
}

// Type is TypeExtended.
func (*Lsetstat) Type() Type { return TypeExtended }

func (*Lsetstat) extension() string { return extLsetstat }
func (r *Lsetstat) fields(c *codec) {
	c.str(&r.Name)
	c.attrs(&r.Attrs)
}

// Limits asks how large packets may be, and how many files open (§4.8).
type Limits struct{}

// Type is TypeExtended.
func (*Limits) Type() Type { return TypeExtended }

func (*Limits) extension() string { return extLimits }
func (*Limits) fields(*codec)     {}

// LimitsReply answers Limits, in bytes; 0 means no limit.
type LimitsReply struct{ Packet, Read, Write, Handles uint64 }

// Type is TypeExtendedReply.
func (*LimitsReply) Type() Type { return TypeExtendedReply }

func (r *LimitsReply) fields(c *codec) {
	c.u64(&r.Packet)
	c.u64(&r.Read)
	c.u64(&r.Write)
	c.u64(&r.Handles)
}

// ExpandPath is Realpath that knows "~" and "~user" (§4.9).
type ExpandPath struct{ Name string }

// Type is TypeExtended.
func (*ExpandPath) Type() Type { return TypeExtended }

func (*ExpandPath) extension() string { return extExpandPath }
func (r *ExpandPath) fields(c *codec) { c.str(&r.Name) }

// CopyData copies Length bytes from one open file to another; 0 means up to
// the end (§4.10, draft-ietf-secsh-filexfer-extensions-00 §7).
type CopyData struct {
	From       string // handle
	FromOffset uint64
	Length     uint64
	To         string // handle
	ToOffset   uint64
}

// Type is TypeExtended.
func (*CopyData) Type() Type { return TypeExtended }

func (*CopyData) extension() string { return extCopyData }
func (r *CopyData) fields(c *codec) {
	c.str(&r.From)
	c.u64(&r.FromOffset)
	c.u64(&r.Length)
	c.str(&r.To)
	c.u64(&r.ToOffset)
}

// HomeDirectory asks where a user is at home (§4.11); "" is the one who asks.
type HomeDirectory struct{ User string }

// Type is TypeExtended.
func (*HomeDirectory) Type() Type { return TypeExtended }

func (*HomeDirectory) extension() string { return extHomeDirectory }
func (r *HomeDirectory) fields(c *codec) { c.str(&r.User) }

// UsersGroups asks for the names of users and groups (§4.12).
type UsersGroups struct{ UIDs, GIDs []uint32 }

// Type is TypeExtended.
func (*UsersGroups) Type() Type { return TypeExtended }

func (*UsersGroups) extension() string { return extUsersGroups }
func (r *UsersGroups) fields(c *codec) {
	c.ids(&r.UIDs)
	c.ids(&r.GIDs)
}

// UsersGroupsReply answers UsersGroups, in the order of the question; "" is
// one that is not known.
type UsersGroupsReply struct{ Users, Groups []string }

// Type is TypeExtendedReply.
func (*UsersGroupsReply) Type() Type { return TypeExtendedReply }

func (r *UsersGroupsReply) fields(c *codec) {
	c.strs(&r.Users)
	c.strs(&r.Groups)
}
