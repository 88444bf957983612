package sftpclient

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"ferry"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftppath"
	"ferry/internal/sftpwire"
)

// A part's name is partPrefix, ownerDigits that tell whose it is, and
// nameDigits that tell for which name, or chance where nothing is kept. It is
// not the name that Ferry gives the parts it keeps itself: a server of ours
// refuses that.
const (
	partPrefix  = ".ferry-remote-"
	ownerDigits = 12
	nameDigits  = 20
)

// isPart tells whether an element is the name of a part, of this side or of a
// Ferry on the other.
func isPart(element string) bool {
	rest, ok := strings.CutPrefix(element, partPrefix)
	if !ok || len(rest) != ownerDigits+nameDigits {
		return ferry.IsPart(element)
	}
	return strings.Trim(rest, "0123456789abcdef") == ""
}

// check refuses names of our own parts on the server: a client has no business there.
func check(name ferry.Name) error {
	for element := range strings.SplitSeq(string(name), "/") {
		if isPart(element) {
			return ferry.ErrBadName
		}
	}
	return nil
}

// digits is the beginning of a hash of text.
func digits(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:n]
}

// ownPrefix is how the parts of the session's user begin.
func (f *FS) ownPrefix() string { return partPrefix + digits(f.opts.User.Name, ownerDigits) }

// partFor is the path of the part for a place: the one that is kept, or, for a
// user for whom nothing is kept, a new one.
func (f *FS) partFor(at sftppath.Place) string {
	if f.keeps() {
		return path.Join(at.Dir, f.ownPrefix()+digits(at.Base, nameDigits))
	}
	var chance [nameDigits / 2]byte
	_, _ = rand.Read(chance[:]) // never fails
	return path.Join(at.Dir, f.ownPrefix()+hex.EncodeToString(chance[:]))
}

// kept describes the kept part for a place; fs.ErrNotExist: there is none.
func (f *FS) kept(ctx context.Context, at sftppath.Place) (ferry.Info, error) {
	if !f.keeps() || at.Base == "" {
		return ferry.Info{}, fs.ErrNotExist
	}
	err := f.tidied(ctx)
	var a sftpwire.Attrs
	if err == nil {
		a, err = f.conn.AskAttrs(ctx, &sftpwire.Stat{Name: f.partFor(at)})
	}
	if err != nil {
		return ferry.Info{}, err
	}
	i := sftpfacts.Info(at.Base, a)
	if f.expired(i) || !i.Mode.IsRegular() {
		return ferry.Info{}, fs.ErrNotExist
	}
	return i, nil
}

func (f *FS) expired(part ferry.Info) bool { return time.Since(part.ModTime) > f.opts.KeepParts }

// Part is ferry.FS's.
func (f *FS) Part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := f.part(ctx, name)
	return i, fail("part", name, err)
}

func (f *FS) part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := check(name); err != nil {
		return ferry.Info{}, err
	}
	at, err := f.paths.Resolve(ctx, name, true)
	if err != nil {
		return ferry.Info{}, err
	}
	i, err := f.kept(ctx, at)
	i.Name, i.Unfinished = name.Base(), !at.There
	return i, err
}

// orPart is i, or where err says that nothing stands under the name, the user's
// part for it.
func (f *FS) orPart(ctx context.Context, name ferry.Name, follow bool, i ferry.Info, err error) (ferry.Info, error) {
	if !errors.Is(err, fs.ErrNotExist) || !f.keeps() {
		return i, err
	}
	at, none := f.paths.Resolve(ctx, name, follow)
	if none != nil || at.There {
		return i, err
	}
	part, none := f.kept(ctx, at)
	if none != nil {
		return i, err
	}
	part.Name, part.Unfinished = name.Base(), true
	return part, nil
}

// ownIn gives the uploads that this session is writing in dir, by their names.
func (f *FS) ownIn(ctx context.Context, dir ferry.Name) (map[string]*handle, error) {
	if !f.uploading() {
		return nil, nil
	}
	at, err := f.paths.Resolve(ctx, dir, true)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	own := map[string]*handle{}
	for h := range f.handles {
		if h.part == "" || h.dir != at.Path() {
			continue
		}
		if last := own[h.base]; last == nil || h.number > last.number {
			own[h.base] = h
		}
	}
	return own, nil
}

// own gives the upload that this session is writing for a place: of several
// the one opened last; nil: there is none.
func (f *FS) own(at sftppath.Place) *handle {
	f.mu.Lock()
	defer f.mu.Unlock()
	var last *handle
	for h := range f.handles {
		if h.part != "" && h.dir == at.Dir && h.base == at.Base && (last == nil || h.number > last.number) {
			last = h
		}
	}
	return last
}

// uploading tells whether the session has any upload of its own.
func (f *FS) uploading() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.handles {
		if h.part != "" {
			return true
		}
	}
	return false
}

// ownAt is own for a name; there tells whether something stands under it. It costs
// nothing while nothing is uploaded.
func (f *FS) ownAt(ctx context.Context, name ferry.Name, follow bool) (h *handle, there bool, err error) {
	if !f.uploading() {
		return nil, false, nil
	}
	at, err := f.paths.Resolve(ctx, name, follow)
	if err != nil {
		return nil, false, err
	}
	return f.own(at), at.There, nil
}

// describeOwn describes what the session writes under a name.
func (h *handle) describeOwn(ctx context.Context, name ferry.Name, there bool) (ferry.Info, error) {
	i, err := h.info(ctx, name)
	i.Unfinished = !there
	return i, err
}

// writer gives the handle of this session that writes a part; nil: none does.
func (f *FS) writer(part string) *handle {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.handles {
		if h.part == part {
			return h
		}
	}
	return nil
}

// reserved tells whether an exclusive upload of this session, other than mine,
// holds the name of a place.
func (f *FS) reserved(at sftppath.Place, mine *handle) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.handles {
		if h != mine && h.part != "" && h.exclusive && h.dir == at.Dir && h.base == at.Base {
			return true
		}
	}
	return false
}

// tidyLater sends a request that ends a part and does not wait for its answer.
// It must be answered before anybody looks whether there is a part: a server
// may see to several requests at once (tidied).
func (f *FS) tidyLater(r sftpwire.Request) error {
	k, err := f.conn.Begin(f.life, r)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.untidy = append(f.untidy, k)
	many := len(f.untidy) > f.opts.Outstanding
	f.mu.Unlock()
	if many {
		return f.tidied(f.life)
	}
	return nil
}

// tidied waits until all is done that tidyLater has asked for. That there was
// nothing to be done is fine.
func (f *FS) tidied(ctx context.Context) error {
	f.mu.Lock()
	calls := f.untidy
	f.untidy = nil
	f.mu.Unlock()
	var failed error
	for _, k := range calls {
		if _, err := k.Wait(ctx); failed == nil {
			failed = ignoreRefusal(err)
		}
	}
	return failed
}
