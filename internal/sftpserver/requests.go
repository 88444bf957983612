package sftpserver

import (
	"slices"
	"strings"

	"ferry"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftporder"
	"ferry/internal/sftpwire"
)

// op is a request that was planned, touch what it has to do with a file or a name.
type (
	op    = sftporder.Op[answer]
	touch = sftporder.Touch
)

// opCost is what a request takes of the budget that is small in itself.
const opCost = 1 << 10

// Requests are the names of the requests that Session.Allow and Session.Deny
// may have: those of OpenSSH's sftp-server (-Q requests), and our own.
func Requests() []string {
	return slices.Concat([]string{"open", "close", "read", "lstat", "fstat", "opendir", "readdir", "realpath", "stat", "readlink",
		"statvfs", "fstatvfs", "limits", "expand-path", "home-directory", "users-groups-by-id",
		"check-file", "check-file-handle", "check-file-name", "space-available", "vendor-id"}, changing())
}

// changing are those that a read-only session refuses. OPEN looks itself.
func changing() []string {
	return []string{"write", "setstat", "fsetstat", "remove", "mkdir", "rmdir", "rename", "symlink",
		"posix-rename", "hardlink", "fsync", "lsetstat", "copy-data", "copy-file"}
}

func shortName(extension string) string {
	name, _, _ := strings.Cut(extension, "@")
	return name
}

// permitted tells whether the session may make requests of that name.
func (c *session) permitted(request string) bool {
	switch {
	case c.cfg.ReadOnly && slices.Contains(changing(), request):
		return false
	case slices.Contains(c.cfg.Deny, request):
		return false
	}
	return len(c.cfg.Allow) == 0 || slices.Contains(c.cfg.Allow, request)
}

// plan says what a request touches and what is to be done for it. It looks at
// nothing but what the session has open.
func (c *session) plan(r sftpwire.Request) *op {
	if _, ok := r.(*sftpwire.Unknown); ok {
		return c.immediately(say(sftpwire.OpUnsupported))
	}
	if !c.permitted(sftpwire.NameOf(r)) {
		c.log.Debug("request refused", "user", c.cfg.User.Name, "request", sftpwire.NameOf(r))
		return c.immediately(say(sftpwire.PermissionDenied))
	}
	switch r := r.(type) {
	case *sftpwire.Open:
		return c.planOpen(r)
	case *sftpwire.Close:
		return c.planClose(r)
	case *sftpwire.Read:
		return c.planRead(r)
	case *sftpwire.Write:
		return c.planWrite(r)
	case *sftpwire.Fstat:
		return c.onFile(r.Handle, look, func(f *file) answer { return c.fstat(f) })
	case *sftpwire.Fsetstat:
		return c.onFile(r.Handle, change, func(f *file) answer { return c.fsetstat(f, r.Attrs) })
	case *sftpwire.Lstat:
		return c.onName(r.Name, false, c.lstat)
	case *sftpwire.Stat:
		return c.onName(r.Name, false, c.stat)
	case *sftpwire.Setstat:
		return c.onName(r.Name, true, func(name ferry.Name) answer { return c.setstat("setstat", name, r.Attrs, false) })
	case *sftpwire.Opendir:
		return c.onName(r.Name, false, c.opendir)
	case *sftpwire.Readdir:
		return c.planReaddir(r)
	case *sftpwire.Remove:
		return c.onName(r.Name, true, c.remove)
	case *sftpwire.Mkdir:
		return c.onName(r.Name, true, func(name ferry.Name) answer { return c.mkdir(name, r.Attrs) })
	case *sftpwire.Rmdir:
		return c.onName(r.Name, true, c.rmdir)
	case *sftpwire.Realpath:
		return c.planRealpath(r.Name)
	case *sftpwire.Rename:
		return c.onNames(r.From, r.To, func(from, to ferry.Name) answer { return c.rename(from, to, false) })
	case *sftpwire.Readlink:
		return c.onName(r.Name, false, c.readlink)
	case *sftpwire.Symlink:
		target, link := r.Target, r.Name
		if c.cfg.LinkFirst {
			target, link = link, target
		}
		return c.onName(link, true, func(name ferry.Name) answer { return c.symlink(target, name) })
	}
	return c.planExtended(r)
}

func (c *session) planExtended(r sftpwire.Request) *op {
	switch r := r.(type) {
	case *sftpwire.PosixRename:
		return c.onNames(r.From, r.To, func(from, to ferry.Name) answer { return c.rename(from, to, true) })
	case *sftpwire.Statvfs:
		return c.onName(r.Name, false, c.statvfs)
	case *sftpwire.Fstatvfs:
		return c.onFile(r.Handle, look, c.fstatvfs)
	case *sftpwire.Hardlink:
		return c.onNames(r.From, r.To, c.hardlink)
	case *sftpwire.Fsync:
		return c.onFile(r.Handle, change, c.fsync)
	case *sftpwire.Lsetstat:
		return c.onName(r.Name, true, func(name ferry.Name) answer { return c.setstat("lsetstat", name, r.Attrs, true) })
	case *sftpwire.Limits:
		return c.immediately(c.limits())
	case *sftpwire.ExpandPath:
		return c.planExpand(r.Name)
	case *sftpwire.CopyData:
		return c.planCopyData(r)
	case *sftpwire.HomeDirectory:
		return c.immediately(c.homeDirectory(r.User))
	case *sftpwire.UsersGroups:
		return c.immediately(c.usersGroups(r))
	case *sftpwire.CheckFile:
		return c.planCheck(r)
	case *sftpwire.SpaceAvailable:
		return c.onName(r.Name, false, c.spaceAvailable)
	case *sftpwire.VendorID:
		c.log.Debug("client", "user", c.cfg.User.Name, "vendor", r.Vendor, "product", r.Product, "version", r.Version)
		return c.immediately(say(sftpwire.OK))
	case *sftpwire.CopyFile:
		return c.onNames(r.From, r.To, func(from, to ferry.Name) answer { return c.copyFile(from, to, r.Overwrite) })
	}
	return c.immediately(say(sftpwire.OpUnsupported))
}

// immediately is an op whose answer is known and which touches nothing.
func (c *session) immediately(a answer) *op {
	return &op{Cost: opCost, Do: func() answer { return a }}
}

// name makes the name that a client gave a clean one. An empty one is none, as
// for the system calls of POSIX.
func (c *session) name(raw string) (ferry.Name, answer) {
	if raw == "" {
		return "", say(sftpwire.NoSuchFile)
	}
	clean := ferry.Clean
	if c.cfg.Host != nil {
		clean = c.cfg.Host.Clean
	}
	name, err := clean(c.cfg.Start, raw)
	if err != nil {
		return "", answer{reply: sftpfacts.Status(err)}
	}
	return name, answer{}
}

// onName is an op about one name.
func (c *session) onName(raw string, changes bool, do func(name ferry.Name) answer) *op {
	name, refusal := c.name(raw)
	if refusal.reply != nil {
		return c.immediately(refusal)
	}
	return &op{
		Cost:    opCost,
		Touches: []touch{{Name: name, Changes: changes}},
		Do:      func() answer { return do(name) },
	}
}

// onNames is an op that changes two names.
func (c *session) onNames(rawFrom, rawTo string, do func(from, to ferry.Name) answer) *op {
	from, refusal := c.name(rawFrom)
	if refusal.reply != nil {
		return c.immediately(refusal)
	}
	to, refusal := c.name(rawTo)
	if refusal.reply != nil {
		return c.immediately(refusal)
	}
	return &op{
		Cost:    opCost,
		Touches: []touch{{Name: from, Changes: true}, {Name: to, Changes: true}},
		Do:      func() answer { return do(from, to) },
	}
}

// What an op does with a whole file.
const (
	look   = false
	change = true
)

// onFile is an op about an open file as a whole.
func (c *session) onFile(handle string, changes bool, do func(f *file) answer) *op {
	f := c.files.file(handle)
	if f == nil {
		return c.immediately(say(sftpwire.Failure))
	}
	return &op{
		Cost:    opCost,
		Touches: []touch{c.touchFile(f, 0, sftporder.Whole, changes)},
		Do:      func() answer { return do(f) },
	}
}

// touchFile is what an op does with the range [from, to) of f; with all of it
// where f has to be alone.
func (c *session) touchFile(f *file, from, to uint64, writes bool) touch {
	t := touch{Open: f, From: from, To: to, Writes: writes, Name: c.files.nameOf(f), Changes: writes}
	if f.alone.Load() {
		t.From, t.To, t.Writes = 0, sftporder.Whole, true
		t.Changes = f.writes() // a READ too may decide, or bring old content along
	}
	return t
}

// failed answers a request that failed, and logs why.
func (c *session) failed(request string, name ferry.Name, err error) answer {
	c.log.Debug("request failed", "user", c.cfg.User.Name, "request", request, "name", name, "error", err)
	return answer{reply: sftpfacts.Status(err)}
}

// done answers a request with OK, or with what err says.
func (c *session) done(request string, name ferry.Name, err error) answer {
	if err != nil {
		return c.failed(request, name, err)
	}
	return say(sftpwire.OK)
}
