package ftpwire

// Perm is what a session may do with one file or directory, the perm fact of RFC
// 3659 §7.5.5. The comments tell what a letter is about.
type Perm struct {
	Append bool // a, file: APPE
	Create bool // c, directory: STOR, STOU, APPE, RNTO of a new file in it
	Delete bool // d, both: DELE, RMD
	Enter  bool // e, directory: CWD
	Rename bool // f, both: RNFR
	List   bool // l, directory: LIST, NLST, MLSD
	Mkdir  bool // m, directory: MKD in it
	Purge  bool // p, directory: what is in it may be deleted
	Read   bool // r, file: RETR
	Write  bool // w, file: STOR
}

// AppendPerm prints the letters of p. Which letters make sense for a file and
// which for a directory is the caller's knowledge.
func AppendPerm(dst []byte, p Perm) []byte {
	for i, may := range [...]bool{p.Append, p.Create, p.Delete, p.Enter, p.Rename, p.List, p.Mkdir, p.Purge, p.Read, p.Write} {
		if may {
			dst = append(dst, "acdeflmprw"[i])
		}
	}
	return dst
}
