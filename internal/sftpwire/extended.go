package sftpwire

// extended is a request of type EXTENDED (draft-02 §8).
type extended interface {
	Request
	extension() string
}

// Names of the extensions known here, with what OpenSSH's PROTOCOL §4 calls
// them.
const (
	extPosixRename    = "posix-rename@openssh.com"
	extStatvfs        = "statvfs@openssh.com"
	extFstatvfs       = "fstatvfs@openssh.com"
	extHardlink       = "hardlink@openssh.com"
	extFsync          = "fsync@openssh.com"
	extLsetstat       = "lsetstat@openssh.com"
	extLimits         = "limits@openssh.com"
	extExpandPath     = "expand-path@openssh.com"
	extCopyData       = "copy-data"
	extHomeDirectory  = "home-directory"
	extUsersGroups    = "users-groups-by-id@openssh.com"
	extSpaceAvailable = "space-available"
	extVendorID       = "vendor-id"
	extCopyFile       = "copy-file"
)

func newExtended(name string) Request {
	switch name {
	case extPosixRename:
		return new(PosixRename)
	case extStatvfs:
		return new(Statvfs)
	case extFstatvfs:
		return new(Fstatvfs)
	case extHardlink:
		return new(Hardlink)
	case extFsync:
		return new(Fsync)
	case extLsetstat:
		return new(Lsetstat)
	case extLimits:
		return new(Limits)
	case extExpandPath:
		return new(ExpandPath)
	case extCopyData:
		return new(CopyData)
	case extHomeDirectory:
		return new(HomeDirectory)
	case extUsersGroups:
		return new(UsersGroups)
	case extSpaceAvailable:
		return new(SpaceAvailable)
	case extVendorID:
		return new(VendorID)
	case extCopyFile:
		return new(CopyFile)
	case string(CheckHandle), string(CheckName), string(CheckOld):
		return &CheckFile{Form: CheckForm(name)}
	}
	return &Unknown{Name: name}
}

// Unknown is an extended request that this package does not know. Data lies in
// the packet.
type Unknown struct {
	Name string
	Data []byte
}

// Type is TypeExtended.
func (*Unknown) Type() Type { return TypeExtended }

func (r *Unknown) extension() string { return r.Name }
func (r *Unknown) fields(c *codec)   { c.tail(&r.Data) }

// ExtendedReply answers an extended request in a form that depends on it.
type ExtendedReply struct{ Data []byte }

// Type is TypeExtendedReply.
func (*ExtendedReply) Type() Type { return TypeExtendedReply }

func (r *ExtendedReply) fields(c *codec) { c.tail(&r.Data) }

// Parse reads the answer into the struct that belongs to the request:
// LimitsReply, StatvfsReply, UsersGroupsReply, SpaceReply, CheckReply.
func (r *ExtendedReply) Parse(into Reply) error {
	c := codec{reading: true, buf: r.Data}
	into.fields(&c)
	return c.end()
}

// Extensions is what a server that knows all of them says in VERSION.
func Extensions() []Extension {
	return []Extension{
		{extPosixRename, "1"},
		{extStatvfs, "2"},
		{extFstatvfs, "2"},
		{extHardlink, "1"},
		{extFsync, "1"},
		{extLsetstat, "1"},
		{extLimits, "1"},
		{extExpandPath, "1"},
		{extCopyData, "1"},
		{extHomeDirectory, "1"},
		{extUsersGroups, "1"},
		{string(CheckOld), "1"},
		{string(CheckHandle), "1"},
		{string(CheckName), "1"},
		{extSpaceAvailable, "1"},
		{extCopyFile, "1"},
	}
}
