package ftplist

import (
	"strings"

	"ferry"
	"ferry/internal/ftpwire"
)

// Style is the form of a listing.
type Style uint8

const (
	Long  Style = iota // LIST: as ls -l
	Names              // NLST: names a client can use as arguments
	Facts              // MLSD
)

// Listing is what one LIST, NLST, MLSD or STAT asks for.
type Listing struct {
	Style   Style
	Options ftpwire.ListOptions
	Name    ferry.Name    // clean: the directory, or the one file
	Prefix  string        // what NLST puts before each name of a directory
	itself  string        // what NLST calls the one file
	Glob    *ftpwire.Glob // which entries of the directory; nil: all
	Dots    bool          // hidden entries too
	Dir     bool          // name is a directory whose entries are wanted
	Info    ferry.Info    // of name
}

// SetPrefix makes the names of NLST ones that lead to the files from where the
// session stands.
func (l *Listing) SetPrefix(arg string) {
	switch {
	case !l.Dir && arg == "":
		l.itself = "."
	case !l.Dir:
		l.itself = arg
	case arg != "" && !strings.HasSuffix(arg, "/"):
		l.Prefix = arg + "/"
	default:
		l.Prefix = arg
	}
}
