package importer

import (
	"cmp"
	"fmt"
	"slices"
)

// Read reads the accounts in files of a format: passwd, proftpd, pureftpd, vsftpd or
// sftpgo.
func Read(format string, files []File) (*Accounts, error) {
	var all *Accounts
	switch format {
	case "passwd", "proftpd": // an AuthUserFile has the form of passwd(5), with the hashes in it
		all = readPasswd(files)
	case "pureftpd":
		all = readPureFTPd(files)
	case "vsftpd":
		all = readVsftpd(files)
	case "sftpgo":
		all = readSFTPGo(files)
	default:
		return nil, fmt.Errorf("unknown format %q: use passwd, proftpd, pureftpd, vsftpd or sftpgo", format)
	}
	all.refuseTwins()
	order := func(x, y Refusal) int { return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line)) }
	slices.SortStableFunc(all.Refused, order)
	return all, nil
}
