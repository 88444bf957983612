package ferry

import "io/fs"

// Look is what a name shows to its user.
//
//	under the name           of the user's part     Stat, Lstat     Read, List
//	nothing                  there is none          nothing         nothing
//	nothing                  kept, or written       the part        nothing
//	a file                   whatever there is      the file        the file
//	either                   written by this very   the part        the file; List
//	                         session                                describes the part
//
// For a user who may neither list nor read what stands there, nothing does: see
// OpenOptions.Blind.
type Look uint8

const (
	ShowsNothing Look = iota
	ShowsFile
	ShowsPart
)

// Where an upload that goes on begins, in OpenOptions.At.
const (
	// AtEnd: at the end of what the name shows. The handle appends.
	AtEnd int64 = -1
	// Anywhere: the client has not said yet, and will with each write.
	Anywhere int64 = -2
)

// Clean is what every backend begins Open with: o without an At that its mode does not
// look at. A mode or an At that there is not is fs.ErrInvalid.
func (o OpenOptions) Clean() (OpenOptions, error) {
	if o.Mode > Revise || o.At < Anywhere {
		return o, fs.ErrInvalid
	}
	if !o.Mode.Resumes() && o.Mode != Update {
		o.At = 0
	}
	return o, nil
}

// AsItStands tells whether o opens the file under the name whatever it holds, and
// whatever else there is.
func (o OpenOptions) AsItStands() bool {
	return o.Mode == Read || o.Mode == Update && !o.Blind && (o.At == 0 || o.At == Anywhere)
}

// GoesOn decides what an upload in mode Resume, ResumeNew or Update goes on with:
// file and part are the sizes of what stands under the name and of the user's part
// for it, in bytes, each -1 where there is none. Start is where the upload begins;
// for Anywhere that is a part's end, and 0 of a file.
//
// The table is at Resume. The errors are ErrBeyondEnd, ErrStalePart, for OnlyPart
// ErrChanged and, in mode Update, fs.ErrNotExist.
func (o OpenOptions) GoesOn(file, part int64) (shows Look, start int64, err error) {
	edits := o.KeepRest || o.At == Anywhere || o.Mode == Update
	if o.Blind && part >= 0 {
		file = -1
	}
	switch {
	case o.Mode == Update && file < 0:
		return ShowsNothing, 0, fs.ErrNotExist
	case o.OnlyPart && file >= 0:
		return ShowsFile, 0, ErrChanged
	}
	end := int64(0)
	switch {
	case file >= 0 && part >= 0 && o.At == part && !edits:
		return ShowsPart, part, nil // nobody else can know how far it came
	case file >= 0:
		shows, end = ShowsFile, file
	case part >= 0:
		shows, end = ShowsPart, part
	}
	start = o.At
	switch {
	case o.At == AtEnd, o.At == Anywhere && shows == ShowsPart:
		start = end
	case o.At == Anywhere:
		start = 0
	case o.At > end:
		return shows, 0, ErrBeyondEnd
	}
	if shows == ShowsFile && part >= 0 && end > 0 && (start == end || !edits) {
		return shows, 0, ErrStalePart
	}
	return shows, start, nil
}
