package disk

import (
	"context"

	"golang.org/x/sys/unix"

	"ferry"
)

// Stat describes what name means, links followed.
func (v *view) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if h := v.unfinished(name, true); h != nil {
		if i, err := h.Stat(); err == nil {
			i.Name = name.Base()
			return i, nil
		}
	}
	o, err := v.t.root.look(name)
	if err != nil {
		return ferry.Info{}, fail("stat", name, err)
	}
	defer o.close()
	i, err := infoOf(o.fd, name)
	return i, fail("stat", name, err)
}

// Lstat describes name itself.
func (v *view) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if h := v.unfinished(name, false); h != nil {
		if i, err := h.Stat(); err == nil {
			i.Name = name.Base()
			return i, nil
		}
	}
	p, err := v.t.root.locate(name, false)
	if err != nil {
		return ferry.Info{}, fail("lstat", name, err)
	}
	defer p.close()
	i, err := p.info(name)
	return i, fail("lstat", name, err)
}

// Readlink gives a link's target as it is stored.
func (v *view) Readlink(ctx context.Context, name ferry.Name) (string, error) {
	p, err := v.t.root.locate(name, false)
	if err != nil {
		return "", fail("readlink", name, err)
	}
	defer p.close()
	target, err := readlink(p.dir, p.base)
	return target, fail("readlink", name, err)
}

// Space describes the storage that holds name.
func (v *view) Space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	o, err := v.t.root.look(name)
	if err != nil {
		return ferry.Space{}, fail("statfs", name, err)
	}
	defer o.close()
	var st unix.Statfs_t
	if _, err := again(func() (int, error) { return 0, unix.Fstatfs(o.fd, &st) }); err != nil {
		return ferry.Space{}, fail("statfs", name, err)
	}
	unit := uint64(st.Frsize)
	return ferry.Space{
		Total:      st.Blocks * unit,
		Free:       st.Bfree * unit,
		Available:  st.Bavail * unit,
		Files:      st.Files,
		FilesFree:  st.Ffree,
		FilesAvail: st.Ffree,
		BlockSize:  uint32(st.Frsize),
		MaxName:    uint32(st.Namelen),
		ReadOnly:   st.Flags&unix.ST_RDONLY != 0,
	}, nil
}
