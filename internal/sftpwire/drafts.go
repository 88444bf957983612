package sftpwire

import "strings"

// The extensions of draft-ietf-secsh-filexfer-extensions-00.

// CheckForm is under which name hashes are asked for (§3).
type CheckForm string

// The forms.
const (
	CheckHandle CheckForm = "check-file-handle"
	CheckName   CheckForm = "check-file-name"
	// CheckOld is a handle's too. It is what paramiko sends, and the name it
	// wants in the answer.
	CheckOld CheckForm = "check-file"
)

// CheckFile asks for hashes of a file: one for each Block bytes of the range,
// or for all of it where Block is 0. Length 0 means up to the end.
type CheckFile struct {
	Form       CheckForm
	Object     string   // a handle or a name
	Algorithms []string // in the order the client likes them
	Offset     uint64
	Length     uint64
	Block      uint32
}

// Type is TypeExtended.
func (*CheckFile) Type() Type { return TypeExtended }

func (r *CheckFile) extension() string { return string(r.Form) }
func (r *CheckFile) fields(c *codec) {
	c.str(&r.Object)
	list := strings.Join(r.Algorithms, ",")
	c.str(&list)
	if c.reading {
		r.Algorithms = strings.Split(list, ",")
	}
	c.u64(&r.Offset)
	c.u64(&r.Length)
	c.u32(&r.Block)
}

// CheckReply answers CheckFile of the same Form: only in the old one the
// answer repeats the name, as paramiko reads it; WinSCP, which asks by name,
// does not.
type CheckReply struct {
	Form      CheckForm
	Algorithm string
	Hashes    []byte // one after the other
}

// Type is TypeExtendedReply.
func (*CheckReply) Type() Type { return TypeExtendedReply }

func (r *CheckReply) fields(c *codec) {
	if r.Form == CheckOld {
		name := string(CheckOld)
		c.str(&name)
	}
	c.str(&r.Algorithm)
	c.tail(&r.Hashes)
}

// SpaceAvailable asks how much room there is where a name is (§4).
type SpaceAvailable struct{ Name string }

// Type is TypeExtended.
func (*SpaceAvailable) Type() Type { return TypeExtended }

func (*SpaceAvailable) extension() string { return extSpaceAvailable }
func (r *SpaceAvailable) fields(c *codec) { c.str(&r.Name) }

// SpaceReply answers SpaceAvailable, in bytes; 0 means not known.
type SpaceReply struct {
	Total, Unused         uint64 // of the device
	UserTotal, UserUnused uint64 // of what the user may have
	Unit                  uint32 // in which space is taken
}

// Type is TypeExtendedReply.
func (*SpaceReply) Type() Type { return TypeExtendedReply }

func (r *SpaceReply) fields(c *codec) {
	c.u64(&r.Total)
	c.u64(&r.Unused)
	c.u64(&r.UserTotal)
	c.u64(&r.UserUnused)
	c.u32(&r.Unit)
}

// VendorID says who made the other side (§2): as a request of the client, and
// as an extension in VERSION.
type VendorID struct {
	Vendor, Product, Version string
	Build                    uint64
}

// Type is TypeExtended.
func (*VendorID) Type() Type { return TypeExtended }

func (*VendorID) extension() string { return extVendorID }
func (r *VendorID) fields(c *codec) {
	c.str(&r.Vendor)
	c.str(&r.Product)
	c.str(&r.Version)
	c.u64(&r.Build)
}

// Extension is v as VERSION has it.
func (r *VendorID) Extension() Extension {
	var c codec
	r.fields(&c)
	return Extension{extVendorID, string(c.buf)}
}

// CopyFile makes To a copy of From (§6).
type CopyFile struct {
	From, To  string
	Overwrite bool
}

// Type is TypeExtended.
func (*CopyFile) Type() Type { return TypeExtended }

func (*CopyFile) extension() string { return extCopyFile }
func (r *CopyFile) fields(c *codec) {
	c.str(&r.From)
	c.str(&r.To)
	c.bool(&r.Overwrite)
}
