package ftplist

import (
	"io/fs"
	"strconv"
	"time"

	"ferry"
	"ferry/internal/ftpwire"
)

// SupportedFacts are the facts of RFC 3659 §7.5 that MLST and MLSD can tell.
func SupportedFacts() ftpwire.Facts { return ftpwire.AllFacts }

// DefaultFacts are those that are on until OPTS MLST says otherwise.
func DefaultFacts() ftpwire.Facts {
	return ftpwire.FactType | ftpwire.FactSize | ftpwire.FactModify | ftpwire.FactPerm | ftpwire.FactUnique | ftpwire.FactMode
}

// Entry is what a listing shows of a file; perm and unique are added where a
// listing has facts.
func Entry(i *ferry.Info, shown string) ftpwire.Entry {
	return ftpwire.Entry{
		Name:   shown,
		Kind:   ftpwire.KindOf(i.Mode),
		Size:   i.Size,
		Modify: i.ModTime.Truncate(time.Second),
		Birth:  i.Birth.Truncate(time.Second),
		Mode:   i.Mode,
		UID:    i.UID,
		GID:    i.GID,
		Links:  i.Links,
		Target: i.Target,
	}
}

// PermFact says in the letters of RFC 3659 §7.5.5 what this session may do
// with a file. What the storage itself forbids is not looked at.
func PermFact(m fs.FileMode, r ferry.Right) string {
	p := ftpwire.Perm{Rename: r.Has(ferry.RightRename)}
	if m.IsDir() {
		p.Create = r.Has(ferry.RightCreate)
		p.Delete = r.Has(ferry.RightRmdir)
		p.Enter = r != 0
		p.List = r.Has(ferry.RightList)
		p.Mkdir = r.Has(ferry.RightMkdir)
		p.Purge = r.Has(ferry.RightDelete)
	} else {
		p.Append = r.Has(ferry.RightAppend)
		p.Delete = r.Has(ferry.RightDelete)
		p.Read = r.Has(ferry.RightRead)
		p.Write = r.Has(ferry.RightOverwrite)
	}
	var buf [12]byte
	return string(ftpwire.AppendPerm(buf[:0], p))
}

// UniqueFact is a token that two names of one file share.
func UniqueFact(id [2]uint64) string {
	if id == [2]uint64{} {
		return ""
	}
	buf := make([]byte, 0, 32)
	buf = strconv.AppendUint(buf, id[0], 16)
	buf = append(buf, 'g')
	return string(strconv.AppendUint(buf, id[1], 16))
}
