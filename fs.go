package ferry

import (
	"context"
	"io/fs"
	"iter"
	"time"
)

// FS is one session's tree of files: on disk, in a bucket, in memory, or on
// another server. A wrapper of an FS (rules, limits, events) is an FS.
//
// No Name leaves the tree. Links are followed beneath the root;
// an absolute link target means the root of the tree, as under chroot.
//
// Errors are *fs.PathError with the client's name (of two, either), and match
// one of the list in errors.go, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
// fs.ErrInvalid or errors.ErrUnsupported. No error text holds a host path.
//
// The root can be neither removed nor renamed nor replaced: fs.ErrPermission.
// A name that is not clean, or has the name of a part in it, is ErrBadName.
//
// All methods may be called from several goroutines at once. Every method is
// required: a backend that cannot do something answers errors.ErrUnsupported.
// There are no optional interfaces.
//
// Parts (unfinished uploads) show in no listing, and cannot be read. What a look
// at a name shows its user is the table at Look. The FS that opened an upload
// sees its own unfinished file under the file's name in Stat, Lstat, SetAttr,
// Rename and Remove, until Commit or Abort.
//
// A part belongs to a user, a directory and the last element of a name, links
// followed: it moves along when the directory is renamed. There is one part of
// a user for one name; users that are anonymous or shared have one for each
// upload. While it is written, every session of its user treats it as its own
// file. Where nothing stands under the name, Rename and SetAttr mean the part.
// Remove, Rmdir of its directory and a Rename onto its name end it: the handle
// of another session is then revoked, as in a takeover (see Resume), and answers
// ErrRemoved; that of the same session goes on as an open file does that is
// unlinked, and its Commit is fs.ErrNotExist.
type FS interface {
	// Stat describes what name means, links followed. Where nothing stands there
	// that is the user's part, if there is one: Info.Unfinished.
	Stat(ctx context.Context, name Name) (Info, error)
	// Lstat describes name itself: a link in the last place is not followed. Of a
	// part as Stat.
	Lstat(ctx context.Context, name Name) (Info, error)
	// List yields the entries of dir in no particular order, without ".",
	// ".." and parts, each as Lstat would describe it. It is streamed: memory
	// does not grow with the directory. An entry that vanishes meanwhile is
	// left out. The first error ends the sequence, the cause of a ctx that is
	// done among them; a dir that cannot be opened yields exactly one error.
	List(ctx context.Context, dir Name, d Detail) iter.Seq2[Info, error]
	// Open opens the regular file name, for what o says; see Mode for what each
	// mode needs and makes.
	Open(ctx context.Context, name Name, o OpenOptions) (Handle, error)
	// Part describes the part of this user for name, whatever stands there.
	// fs.ErrNotExist: there is none (or it expired). A part that a session of
	// this user still writes counts as kept. Its size is where an upload goes
	// on: before the first gap, a range that no write has reached, as far as the
	// storage can tell.
	Part(ctx context.Context, name Name) (Info, error)
	// Mkdir makes a directory; perm as in Open.
	Mkdir(ctx context.Context, name Name, perm *fs.FileMode) error
	// Remove removes what is not a directory (else ErrIsDir), and never
	// follows a link. It also ends this user's part for that name; with only a
	// part there, removing that is success.
	Remove(ctx context.Context, name Name) error
	// RemoveUnchanged removes what stands under name, no directory (else ErrIsDir),
	// if it still is what was describes: the same thing, of the same size and time
	// of change; else ErrChanged, and it stays. Whatever takes its name meanwhile
	// stays as well, be it by another process. A part for the name is not touched.
	// Numbers of files that are gone are given again: was is of a file for certain
	// only while a handle of it is open. A zero was is of nothing, and nothing is
	// removed; so who may not remove name is told without trying.
	RemoveUnchanged(ctx context.Context, name Name, was Info) error
	// Rmdir removes an empty directory (else ErrNotDir, ErrNotEmpty). The
	// caller's parts and expired ones do not count and go with it; another
	// user's part is ErrBusy, and of users for whom nothing is kept another
	// session's, too. While it is either no part is ended.
	Rmdir(ctx context.Context, name Name) error
	// Rename moves from to to, without following a link in the last place.
	// replace allows an existing file (or empty directory, for a directory)
	// to be replaced; without it an existing target is fs.ErrExist, decided
	// atomically. A directory into itself is fs.ErrInvalid; onto one that holds
	// anything, parts included, ErrNotEmpty. Two names of one file stay as they
	// are. This user's part for to ends, as in Remove.
	//
	// An unfinished file, as from, goes on under to, where Commit will publish
	// it: without replace only if the name is still free then. The session's own
	// is meant before what stands under from, which stays there; another's only
	// where nothing stands there. A kept part is not renamed: fs.ErrNotExist.
	Rename(ctx context.Context, from, to Name, replace bool) error
	// SetAttr changes the attributes that a sets. Links are followed unless
	// a.NoFollow. A link itself has times and an owner to set; its mode is
	// errors.ErrUnsupported, its size fs.ErrInvalid. Setuid and setgid of a file
	// that belongs to the server are fs.ErrPermission: whoever can run programs on
	// the machine would run it as the server. Files of a user with an Identity are
	// the user's own, who may.
	SetAttr(ctx context.Context, name Name, a Attr) error
	// Readlink gives Info.Target of a link; fs.ErrInvalid: it is none,
	// fs.ErrPermission: the target is not to be told.
	Readlink(ctx context.Context, name Name) (string, error)
	// Symlink makes name a link to target, which reads as given.
	Symlink(ctx context.Context, target string, name Name) error
	// Link makes name another hard link to the file from, or to the link that
	// from is. A directory is fs.ErrPermission.
	Link(ctx context.Context, from, name Name) error
	// Space describes the storage that holds name.
	Space(ctx context.Context, name Name) (Space, error)
	// Straight is this session's tree by names as they are: no link is followed, on
	// the way or in the last place, and where one would have to be the answer is
	// ErrLoop, with nothing changed. So a name means the object that stands there,
	// whatever others do to links meanwhile, and who decides by names decides about
	// objects (package access). Handles and unfinished files are the session's; to
	// close either closes both.
	Straight() FS
	// Close gives back what the session held. Handles still open are aborted,
	// and Open is ErrClosed from then on.
	Close() error
}

// Detail says how much of an entry List has to find out.
type Detail uint8

const (
	// Names: Info.Name, and the type bits of Info.Mode. Costs no look at each file.
	Names Detail = iota
	// Full: everything Lstat gives.
	Full
)

// OpenOptions say what a file is opened for, and how.
type OpenOptions struct {
	Mode Mode
	// Perm is the permission of a file that is created, before umask; nil means
	// the backend's default, and 0000 that nobody may open it.
	Perm *fs.FileMode
	// ASCII: the transfer translates line ends (TYPE A). It is for what is told
	// of the transfer; a backend stores the bytes that it gets.
	ASCII bool
	// At is where the upload begins, in bytes, or AtEnd or Anywhere; other negative
	// ones are fs.ErrInvalid. It counts for Resume, ResumeNew and Update, see there:
	// what is new begins at 0.
	At int64
	// KeepRest: what lies behind At stays, for bytes of the file are changed, as a
	// RANG before STOR asks for. An upload that goes on with a part is not meant
	// where a file stands.
	KeepRest bool
	// Wait is how long Open waits, in every mode but Read, for a part that another
	// session of the user writes: until that lets go of it, or has been silent for so
	// long that it may be taken over; ErrBusy comes after that. It waits for an event,
	// holds nothing meanwhile, and ends with its ctx.
	Wait time.Duration
	// OnlyPart: At is of an unfinished upload, as the user has seen it. Where a file
	// stands, ErrChanged.
	OnlyPart bool
	// Blind: the user may neither list nor read what stands under the name, and
	// sees its own part as if nothing did.
	Blind bool
	// Try: the caller knows another way where this one is refused, so a refusal is
	// not told as one.
	Try bool
}

// Appends tells whether what is written goes to the end, whatever else is written
// there meanwhile.
func (o OpenOptions) Appends() bool { return o.At == AtEnd }

// Mode says what a file is opened for. A link as name means the file it points
// to, or would point to; only Exclusive does not follow it.
type Mode uint8

const (
	// Read: an existing regular file, for reading.
	Read Mode = iota
	// Replace: new content from the first byte on. It is staged: written to a
	// part, visible under the name only at Commit, which replaces what stands
	// there and gives the new file its permission bits and owner, unless the
	// upload's own were set by SetAttr. A kept part for that name ends now.
	//
	// A file with several hard links is truncated and written in place: a
	// rename would part them. So is every file of a user with DirectUploads.
	Replace
	// Exclusive: as Replace, but the name must not exist (fs.ErrExist), not
	// even as a directory or link. The name is reserved at Open: another
	// Exclusive, by whomever, is fs.ErrExist until Commit or Abort. Commit never
	// replaces: fs.ErrExist where something has appeared meanwhile.
	Exclusive
	// Resume: goes on at o.At, with what that means for the user:
	//
	//	stands there  part    At            what the upload is
	//	nothing       none    0, end, any   new content, staged as by Replace
	//	nothing       p long  <= p, end     goes on with the part, cut off at At
	//	nothing       p long  any, or       goes on with the part, as it is
	//	                      KeepRest
	//	n bytes       none    <= n, end     in place: what lies behind stays
	//	n bytes       p long  p             goes on with the part
	//	n bytes       p long  any, or       in place
	//	                      KeepRest < n
	//	n bytes       p long  any other     ErrStalePart; in place where n is 0
	//
	// "any" is Anywhere, "end" AtEnd. An At behind the end is ErrBeyondEnd, and
	// neither error changes anything. A client that was told the size of what
	// stands there, and goes on from it, takes it for its broken upload: the two
	// would be mixed. Only one that gives the part's own size knows it.
	//
	// With AtEnd each write to a file in place is whole, at what is the end then,
	// be it also written to by others; a part has one writer.
	//
	// Commit publishes a part as Replace does, with the perm of this Open: a mode
	// or owner that was set on the part before is not kept with it.
	//
	// A part that another session holds is taken over when that session has
	// moved no byte for TakeoverAfter (by WriteAt, ReceiveFrom or SendTo; to
	// open it counts as well), and is ErrBusy until then; so is an At that its bytes
	// may yet make right. The old
	// handle is revoked: a ReceiveFrom that waits returns, and it and all but
	// Abort answer ErrTakenOver. Replace and Exclusive do the same, to begin
	// anew; a handle of the same session counts as another's.
	Resume
	// Update: an existing regular file, for reading and writing in place. At is
	// as for Resume with KeepRest; a part is never meant.
	Update
	// ResumeNew: goes on with this user's kept part as Resume does, but the
	// name must not exist, as for Exclusive, and Commit never replaces; without
	// a part it is Exclusive. For those who may create and not overwrite.
	ResumeNew
	// Revise: an existing file, as Replace, for a client that has not said that
	// the old content may go: what Replace would truncate and write in place is
	// opened as by Update, as it stands. Handle.Stat tells the two apart.
	Revise
)

// MustBeNew tells whether the name must not exist: the file that m makes never
// replaces one.
func (m Mode) MustBeNew() bool { return m == Exclusive || m == ResumeNew }

// Resumes tells whether m goes on with a kept part.
func (m Mode) Resumes() bool { return m == Resume || m == ResumeNew }

// TakeoverAfter is how long a transfer must have been silent before the same
// user, coming back, may take over its part.
const TakeoverAfter = 5 * time.Second

// PartWait is how long the servers let a client that comes back wait for its own
// upload (OpenOptions.Wait), for the connection that broke may not have ended yet on
// their side: long enough to take over one that has died without a word, though some
// bytes of it were still to be read.
const PartWait = TakeoverAfter + 2*time.Second

// Handle is one open file. New content on its way is seen by nobody else
// before Commit. ReadAt and WriteAt may be called from several goroutines at
// once; of SendTo and ReceiveFrom one call at a time. After Commit or Abort
// everything but Abort answers ErrClosed. Opened for Read, whatever changes the
// content answers fs.ErrPermission. A negative offset or size is fs.ErrInvalid.
type Handle interface {
	// Stat describes the file as this handle sees it: for an upload its part.
	Stat() (Info, error)
	// ReadAt is io.ReaderAt's.
	ReadAt(p []byte, off int64) (int, error)
	// Start is where what is written begins; see OpenOptions.At.
	Start() int64
	// WriteAt is io.WriterAt's; with AtEnd off counts for nothing.
	WriteAt(p []byte, off int64) (int, error)
	// Gaps are the ranges below limit, each from its first byte to the one behind its
	// last, that an upload has not written yet, in order. What was there of a part that
	// it goes on with is written. A file in place has none.
	Gaps(limit int64) iter.Seq2[int64, int64]
	// SetAttr changes the attributes that a sets, of this very file.
	SetAttr(a Attr) error
	// Truncate changes the size.
	Truncate(size int64) error
	// Sync makes what was written durable. A staged upload is published by
	// it, and the handle goes on in place; when that fails it stays staged.
	Sync() error
	// SendTo sends up to n bytes from off on to dst and returns how many went
	// out: fewer than n without an error means the end of the file. n < 0
	// means all there is. Where dst is over a bare *net.TCPConn the kernel moves the
	// bytes (sendfile); any other one gets large writes from a pooled buffer. How
	// long it waits for dst is for the caller to say (WaitUntil); errors of dst are
	// passed on as they are, of an interruption its cause; ctx is looked at between
	// chunks, its cause is the error then. After an error the count is still right.
	SendTo(ctx context.Context, dst *DataConn, off, n int64) (int64, error)
	// ReceiveFrom writes up to n bytes that come from src at off on: fewer
	// than n without an error means src ended. Otherwise as SendTo (splice).
	ReceiveFrom(ctx context.Context, src *DataConn, off, n int64) (int64, error)
	// Commit ends the use of the handle successfully: for new content it makes
	// the file durable, and visible under its name in one step. When it fails,
	// nothing was published, the part is kept as by Abort, and the handle is
	// done with.
	Commit() error
	// Abort ends the use of the handle without publishing. A staged upload's
	// part is kept for a later Resume where the user may have that, unless
	// cause is made by Discard; where the storage is full it may be cut back to what
	// it had before. cause says why, for the log; nil is fine. After
	// Commit or Abort it does nothing. It may be called while other operations
	// run: it interrupts the connection of a transfer, and returns when all have
	// ended.
	Abort(cause error) error
}

// Info describes one file, directory or link.
type Info struct {
	Name    string      // last element of the name, "/" for the root
	Size    int64       // bytes
	Mode    fs.FileMode // type and permission bits
	ModTime time.Time
	Access  time.Time // zero where the storage does not know
	Birth   time.Time // zero where the storage does not know
	UID     uint32
	GID     uint32
	Links   uint64    // hard links; 0 where the storage does not know
	ID      [2]uint64 // equal for two names of one file (device, inode); zero: not known
	// Target is, of a link, what its maker gave it; where it was made outside, what it
	// means in the tree, and "" where it means nothing there. Size is its length.
	// Stored is what the storage follows, for who follows links himself, and for
	// nobody to see: it may name what lies outside the tree.
	Target, Stored string
	// Unfinished: nothing stands under the name, and this describes the upload of
	// the user that is to be there.
	Unfinished bool
}

// IsDir tells whether i describes a directory.
func (i Info) IsDir() bool { return i.Mode.IsDir() }

// Unchanged tells whether i describes what was did, and that was not written to
// meanwhile, as far as the storage knows what a thing is.
func (i Info) Unchanged(was Info) bool {
	return !was.ModTime.IsZero() && i.ModTime.Equal(was.ModTime) && i.Birth.Equal(was.Birth) &&
		i.Size == was.Size && i.ID == was.ID && i.Mode.Type() == was.Mode.Type()
}

// Attr says which attributes to change; a nil field is left as it is.
type Attr struct {
	Mode     *fs.FileMode // permission bits, and setuid, setgid, sticky
	ModTime  *time.Time
	Access   *time.Time
	Size     *int64
	UID      *uint32
	GID      *uint32
	NoFollow bool // change a link itself, not what it points to
}

// Space describes the storage below a name, in bytes and in files. Free is
// what the server may use, Available what this user may. 0 of 0: not known.
type Space struct {
	Total, Free, Available       uint64
	Files, FilesFree, FilesAvail uint64
	BlockSize                    uint32
	MaxName                      uint32 // longest name of one element, in bytes
	ReadOnly                     bool
	Quota                        Quota // of the user; zero: there is none
}
