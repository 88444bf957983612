package auth

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Authorities are those whose SSH certificates let users in, and which keys and
// certificates are revoked, as files say it. The files are looked at each time
// somebody is asked about, so that who is revoked is out at once.
//
// A file that has become bad, or has gone, is told of, and what it said last
// holds on: nobody who was revoked comes back by that, and a slip of the hand
// does not shut out everybody, as refusing all keys would.
//
// All methods may be called from several goroutines at once.
type Authorities struct {
	mu      sync.Mutex
	trusted []*followed[map[string]bool]
	revoked []*followed[*Revocations] // one, or none
}

// OpenAuthorities reads the files of authorities (ParseAuthorities), and that
// of what is revoked (ParseRevocations); "": there is none. The error begins
// with the file, or is an *fs.PathError. tell hears of each file that is read again later, with the error where
// it cannot be used; nil: nobody does.
func OpenAuthorities(trusted []string, revoked string, tell func(path string, err error)) (*Authorities, error) {
	if tell == nil {
		tell = func(string, error) {}
	}
	a := new(Authorities)
	for _, path := range trusted {
		a.trusted = append(a.trusted, &followed[map[string]bool]{path: path, parse: ParseAuthorities, tell: tell})
	}
	if revoked != "" {
		a.revoked = append(a.revoked, &followed[*Revocations]{path: revoked, parse: ParseRevocations, tell: tell})
	}
	for _, f := range a.trusted {
		if err := f.read(); err != nil {
			return nil, err
		}
	}
	for _, f := range a.revoked {
		if err := f.read(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Trusts tells whether key is that of an authority.
func (a *Authorities) Trusts(key ssh.PublicKey) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	blob := key.Marshal()
	for _, f := range a.trusted {
		if f.current()[string(blob)] {
			return true
		}
	}
	return false
}

// Revoked tells whether key, or the certificate that it is, is revoked.
func (a *Authorities) Revoked(key ssh.PublicKey) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.revoked {
		if f.current().Revoked(key) {
			return true
		}
	}
	return false
}

// maxTrustFile is beyond any list of keys: that of a million revoked ones has
// 36 MB.
const maxTrustFile = 64 << 20

// followed is a file that is read again when it has changed.
type followed[T any] struct {
	path  string
	parse func([]byte) (T, error)
	tell  func(path string, err error)
	seen  os.FileInfo // when it was read last; nil: it was not there
	value T           // of the last time that all was well
	good  bool        // there was such a time
}

// current is what the file says now, or has said while it was good.
func (f *followed[T]) current() T {
	now, err := os.Stat(f.path)
	if err != nil {
		now = nil
	}
	if !sameFile(f.seen, now) {
		f.tell(f.path, f.read())
	}
	return f.value
}

// read takes what the file says, if that can be used. One that has become empty
// is most likely being written at this moment: ssh-keygen -k does it in place.
func (f *followed[T]) read() error {
	// Looked at before it is read: a change meanwhile is seen the next time.
	f.seen = nil
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	f.seen = info
	data, err := readBounded(f.path, info)
	if err != nil {
		return err
	}
	if len(data) == 0 && f.good {
		return fmt.Errorf("%s: has become empty; if that is meant, write a comment (#) into it", f.path)
	}
	value, err := f.parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.value, f.good = value, true
	return nil
}

func readBounded(path string, info os.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no regular file", path) // one that blocks would hold up every login
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTrustFile+1))
	if err == nil && len(data) > maxTrustFile {
		err = fmt.Errorf("%s: is larger than %d bytes", path, maxTrustFile)
	}
	return data, err
}

func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
