package sftpserver

import (
	"iter"
	"time"

	"ferry"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftporder"
	"ferry/internal/sftpwire"
)

// namesSize is how long the answer to one READDIR gets: what the draft says
// every client takes (§3, 34,000 bytes).
const namesSize = 32000

// dir is an open directory.
type dir struct {
	name  ferry.Name
	ahead []ferry.Info // found, and not yet shown
	// next and stop are those of the listing, which begins with the first READDIR: a
	// directory that is only open costs no descriptor and no buffer.
	next func() (ferry.Info, error, bool)
	stop func()
	over bool
}

// touchDir: one READDIR after the other, in their order.
func (c *session) touchDir(d *dir) touch {
	return touch{Open: d, From: 0, To: sftporder.Whole, Writes: true, Name: c.files.nameOfDir(d)}
}

// opendir is OPENDIR (draft-02 §6.7). A directory that may not be read is refused
// here.
func (c *session) opendir(name ferry.Name) answer {
	if !c.files.reserveDir() {
		return c.failed("opendir", name, sftpfacts.ErrTooManyDirs)
	}
	d, err := c.openDir(name)
	if err != nil {
		c.files.giveUpDir()
		return c.failed("opendir", name, err)
	}
	return answer{reply: &sftpwire.Handle{Handle: c.files.addDir(d)}}
}

func (c *session) openDir(name ferry.Name) (*dir, error) {
	own, err := c.cfg.FS.Stat(c.ctx, name)
	if err != nil {
		return nil, err
	}
	above, err := c.cfg.FS.Stat(c.ctx, name.Dir())
	if err != nil {
		above = own // it may not be looked at
	}
	own.Name, above.Name = ".", ".."
	for _, err := range c.cfg.FS.List(c.ctx, name, ferry.Names) {
		if err != nil {
			return nil, err
		}
		break // it can be read
	}
	return &dir{name: name, ahead: []ferry.Info{own, above}}, nil
}

// entry gives the next one; false: there are no more.
func (c *session) entry(d *dir) (ferry.Info, bool, error) {
	if len(d.ahead) > 0 {
		i := d.ahead[0]
		d.ahead = d.ahead[1:]
		return i, true, nil
	}
	if d.over {
		return ferry.Info{}, false, nil
	}
	if d.next == nil {
		d.next, d.stop = iter.Pull2(c.cfg.FS.List(c.present, c.files.nameOfDir(d), ferry.Full))
	}
	i, err, ok := d.next()
	if !ok || err != nil {
		d.over = true
		d.stop()
	}
	return i, ok && err == nil, err
}

// end gives back what the listing holds.
func (d *dir) end() {
	if d.stop != nil {
		d.stop()
	}
}

// planReaddir is READDIR (draft-02 §6.7).
func (c *session) planReaddir(r *sftpwire.Readdir) *op {
	d := c.files.dir(r.Handle)
	if d == nil {
		return c.immediately(say(sftpwire.Failure))
	}
	o := &op{Cost: opCost + c.buffers.Cost(namesSize), Touches: []touch{c.touchDir(d)}}
	o.Do = func() answer { return c.readdir(d, o.ID) }
	return o
}

// readdir answers with as many entries as a packet takes.
func (c *session) readdir(d *dir, id uint32) answer {
	packet := c.buffers.Get(namesSize)
	w := sftpwire.NewNamesWriter(packet.B, id)
	now := time.Now().In(c.cfg.Zone)
	for w.Size() < namesSize-1024 { // an entry is two names of at most 255 bytes, and some numbers
		i, ok, err := c.entry(d)
		if err != nil && w.Count() == 0 {
			c.buffers.Put(packet)
			return c.failed("readdir", c.files.nameOfDir(d), err)
		}
		if !ok {
			break // an error comes with the next one
		}
		w.Add(i.Name, sftpfacts.Attrs(i), func(dst []byte) []byte {
			return sftpwire.AppendLong(dst, c.people().Long(i), now)
		})
	}
	if w.Count() == 0 {
		c.buffers.Put(packet)
		return say(sftpwire.EOF)
	}
	packet.B = w.Packet()
	return answer{packet: packet}
}
