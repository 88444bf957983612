// Package ftptree answers the commands of FTP about names and files, as far as no data
// connection has a part in them: CWD to RNTO (RFC 959 §4.1), SIZE, MDTM and MLST
// (RFC 3659), MFMT and MFF (draft-somers-ftp-mfxx), AVBL, HASH and its older kin
// (draft-bryan-ftpext-hash, draft-twine-ftpmd5), COMB, and what SITE does to files. It
// also reads the arguments of LIST and NLST.
//
// A Files knows the tree of one login and the directory that it is in, and nothing of
// a connection. Each method takes the argument of its command and gives the reply; what
// takes long is a job behind that.
package ftptree

import (
	"context"
	"io/fs"
	"sync"

	"ferry"
	"ferry/internal/digest"
	"ferry/internal/ftpreply"
)

// Login is whose files they are.
type Login interface {
	FS() ferry.FS
	// Rights are those that the user has at a name now.
	Rights(name ferry.Name) ferry.Right
	// Share is as whom the login waits where users take turns.
	Share() string
}

// Files are the files of one login. One goroutine owns it.
type Files struct {
	login    Login
	fs       ferry.FS
	report   ftpreply.Reporter
	hashing  *Hashing
	cwd      ferry.Name
	from     ferry.Name // a clean name after RNFR, until RNTO
	copyFrom ferry.Name // a clean name after SITE CPFR, until SITE CPTO
	told     toldSize   // by SIZE, until APPE
}

// toldSize is the size of an unfinished upload, in bytes; without a name: of none.
type toldSize struct {
	name ferry.Name
	size int64
}

// Of are the files of a login, which is in its root directory.
func Of(login Login, report ftpreply.Reporter, hashing *Hashing) *Files {
	return &Files{login: login, fs: login.FS(), report: report, hashing: hashing, cwd: "/"}
}

// Hashing is where the hashes of all sessions are made.
type Hashing struct {
	turns   *digest.Queue
	buffers sync.Pool // of *[hashBuf]byte
}

// NewHashing lets hashes take turns in a queue; nil: nobody waits.
func NewHashing(turns *digest.Queue) *Hashing {
	return &Hashing{turns: turns, buffers: sync.Pool{New: func() any { return new([hashBuf]byte) }}}
}

// ForgetRename drops what RNFR has prepared, ForgetCopy what SITE CPFR has.
func (f *Files) ForgetRename() { f.from = "" }

// ForgetCopy: see ForgetRename.
func (f *Files) ForgetCopy() { f.copyFrom = "" }

// ForgetSize drops what SIZE has told.
func (f *Files) ForgetSize() { f.told = toldSize{} }

// ToldSize is what SIZE has just told of an unfinished upload of that name.
func (f *Files) ToldSize(name ferry.Name) (size int64, ok bool) {
	return f.told.size, f.told.name == name
}

// Name makes a command's argument a clean name, in the session's directory.
func (f *Files) Name(arg string) (ferry.Name, error) { return ferry.Clean(f.cwd, arg) }

// Fits tells why so many bytes have no room in the session's directory; nil: they have, as
// far as the storage knows.
func (f *Files) Fits(ctx context.Context, bytes int64) error {
	space, err := f.fs.Space(ctx, f.cwd)
	quota := space.Quota
	switch {
	case err != nil || space.Total == 0 || uint64(bytes) <= space.Available:
		return nil
	case quota.Limit.Bytes > 0 && bytes > quota.Limit.Bytes-quota.Used.Bytes:
		return ferry.ErrQuota
	}
	return ferry.ErrNoSpace
}

// LookAt cleans a name and describes what stands there; where it could not, r says why.
func (f *Files) LookAt(ctx context.Context, verb, arg string) (name ferry.Name, info ferry.Info, r ftpreply.Reply, ok bool) {
	name, err := f.Name(arg)
	if err != nil {
		return "", ferry.Info{}, ftpreply.For(err), false
	}
	info, err = f.standing(ctx, name)
	if err != nil {
		return "", ferry.Info{}, f.report.Failed(verb, name, err), false
	}
	return name, info, ftpreply.Reply{}, true
}

// standing describes the file or directory that stands under a name: what can be
// read or listed.
func (f *Files) standing(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	info, err := f.fs.Stat(ctx, name)
	if err == nil && info.Unfinished {
		return ferry.Info{}, fs.ErrNotExist
	}
	return info, err
}
