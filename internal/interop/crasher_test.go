package interop

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry"
)

// crasher is a client that works in a directory of its own, on several server
// lives, and knows what must be there.
type crasher struct {
	t     testing.TB
	rng   *rand.Rand
	dir   string // on the disk
	at    string // the same for clients
	names []string
	last  uint64 // id of the newest specimen

	// may holds for each name the specimens that may stand there, 0 for no
	// file. There are several only while an answer is awaited.
	may map[string][]uint64
	// broken are the uploads that have got their 150 and not their 226.
	broken map[string]cargo
	// moving is the rename whose answer is awaited.
	moving *move

	k    *talker
	fuse *fuse

	resumed   int // uploads that went on behind their first byte
	undecided int // uploads that were published, and the answer did not come
}

// cargo is a specimen on its way.
type cargo struct {
	id   uint64
	size int
}

type move struct {
	from, to string
	id       uint64
}

const scratch = "scratch" // the name that is renamed to others

func newCrasher(t testing.TB, root string, number int, rng *rand.Rand) *crasher {
	c := &crasher{
		t: t, rng: rng, at: fmt.Sprintf("/c%d", number), last: uint64(number+1) << 32,
		names: []string{scratch, "a", "b", "c"}, may: map[string][]uint64{}, broken: map[string]cargo{},
	}
	c.dir = filepath.Join(root, c.at)
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range c.names {
		c.may[name] = []uint64{0}
	}
	return c
}

// live works until the server dies.
func (c *crasher) live(addr string, f *fuse) {
	c.fuse = f
	err := c.arrive(addr)
	for err == nil {
		err = c.work()
	}
	if c.k != nil {
		c.k.hangUp()
	}
	// An answer that is wrong is a mistake of the server at any time; a
	// connection that broke, only before it was killed.
	if wrong := (*unexpected)(nil); errors.As(err, &wrong) || !f.dying() {
		c.t.Errorf("%s: %v", c.at, err)
	}
}

// settle brings everything that was broken to its end.
func (c *crasher) settle(addr string) {
	c.fuse = &fuse{blown: make(chan struct{})}
	c.fuse.left.Store(1 << 40)
	err := c.arrive(addr)
	if err == nil {
		defer c.k.hangUp()
		for _, name := range c.names {
			if _, cut := c.broken[name]; cut && err == nil {
				err = c.resume(name)
			}
		}
	}
	if err != nil {
		c.t.Errorf("%s: %v", c.at, err)
	}
	c.check()
}

// arrive looks at what the last life has left, and logs in.
func (c *crasher) arrive(addr string) (err error) {
	c.check()
	if c.k, err = callAs("", addr, user, password); err != nil {
		return err
	}
	if err := c.k.expect("CWD "+c.at, 250); err != nil {
		return err
	}
	return c.checkListing()
}

// check holds the disk to what was answered, and learns what was undecided.
func (c *crasher) check() {
	stands := map[string]uint64{}
	for _, name := range c.names {
		id, err := identify(filepath.Join(c.dir, name))
		if err != nil {
			c.t.Error(err)
			continue
		}
		if !slices.Contains(c.may[name], id) {
			c.t.Errorf("%s/%s holds %s, want %s", c.at, name, wantOneOf([]uint64{id}), wantOneOf(c.may[name]))
		}
		if cut, ok := c.broken[name]; ok && cut.id == id {
			delete(c.broken, name)
			c.undecided++
		}
		c.may[name] = []uint64{id}
		stands[name] = id
	}
	if m := c.moving; m != nil && (stands[m.from] == m.id) == (stands[m.to] == m.id) {
		c.t.Errorf("%s: a rename of %s to %s left it under both names or none", c.at, m.from, m.to)
	}
	c.moving = nil
	c.checkStrays()
}

// checkStrays wants nothing else in the directory but parts, of which there is
// one at most for each name.
func (c *crasher) checkStrays() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		c.t.Error(err)
	}
	parts := 0
	for _, e := range entries {
		switch {
		case ferry.IsPart(e.Name()):
			parts++
		case !slices.Contains(c.names, e.Name()):
			c.t.Errorf("%s has a file %q that nobody made", c.at, e.Name())
		}
	}
	if parts > len(c.names) {
		c.t.Errorf("%s has %d parts of %d names", c.at, parts, len(c.names))
	}
}

// checkListing wants clients to see what stands there, and no parts.
func (c *crasher) checkListing() error {
	list, err := c.k.fetch("NLST")
	if err != nil {
		return err
	}
	var want []string
	for _, name := range c.names {
		if c.may[name][0] != 0 {
			want = append(want, name)
		}
	}
	got := strings.Fields(string(list))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.t.Errorf("%s is listed as %q, want %q", c.at, got, want)
	}
	return nil
}

// work does one thing.
func (c *crasher) work() error {
	name := c.names[1+c.rng.IntN(len(c.names)-1)]
	if _, cut := c.broken[name]; cut && c.rng.IntN(4) > 0 {
		return c.resume(name)
	}
	switch c.rng.IntN(10) {
	case 0:
		return c.remove(name)
	case 1, 2:
		if err := c.upload(scratch); err != nil {
			return err
		}
		return c.rename(scratch, name)
	case 3:
		return c.breakOff(name)
	default:
		return c.upload(name)
	}
}

// fresh is a new specimen to send.
func (c *crasher) fresh() cargo {
	c.last++
	size := 1 << (7 + c.rng.IntN(13)) // as many small ones as large ones
	return cargo{c.last, size + c.rng.IntN(size)}
}

// upload sends a new specimen for name.
func (c *crasher) upload(name string) error {
	what := c.fresh()
	delete(c.broken, name) // from here on it may be gone
	conn, err := c.k.begin("STOR " + name)
	if err != nil {
		return err
	}
	c.broken[name] = what
	return c.send(conn, name, what, 0)
}

// resume goes on with an upload that was cut off, where SIZE says.
func (c *crasher) resume(name string) error {
	what := c.broken[name]
	from, err := c.k.size(name)
	if err != nil {
		return err
	}
	if from > what.size {
		c.t.Errorf("%s/%s: SIZE says %d of an upload of %d bytes", c.at, name, from, what.size)
	}
	line := "APPE " + name
	if c.rng.IntN(2) == 0 {
		line = "STOR " + name
		if err := c.k.expect(fmt.Sprintf("REST %d", from), 350); err != nil {
			return err
		}
	}
	conn, err := c.k.begin(line)
	if err != nil {
		return err
	}
	if err := c.send(conn, name, what, from); err != nil {
		return err
	}
	if from > 0 {
		c.resumed++
	}
	return nil
}

// send sends what from an offset on, and hears that it is there.
func (c *crasher) send(conn net.Conn, name string, what cargo, from int) error {
	defer conn.Close()
	if err := c.push(conn, specimen(what.id, what.size)[from:]); err != nil {
		return err
	}
	c.may[name] = append(c.may[name], what.id) // the server can have it all now
	conn.Close()
	c.fuse.burn()
	a, err := c.k.hear()
	if err != nil {
		return err
	}
	if a.code != 226 {
		return &unexpected{"the upload of " + name, a}
	}
	c.may[name] = []uint64{what.id}
	delete(c.broken, name)
	return nil
}

func (c *crasher) push(conn net.Conn, content []byte) error {
	for chunk := range slices.Chunk(content, 64<<10) {
		c.fuse.burn()
		if _, err := conn.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// breakOff begins an upload and resets its data connection.
func (c *crasher) breakOff(name string) error {
	what := c.fresh()
	delete(c.broken, name)
	conn, err := c.k.begin("STOR " + name)
	if err != nil {
		return err
	}
	c.broken[name] = what
	defer conn.Close()
	if err := c.push(conn, specimen(what.id, what.size)[:c.rng.IntN(what.size)]); err != nil {
		return err
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		return err
	}
	conn.Close()
	c.fuse.burn()
	a, err := c.k.hear()
	if err == nil && a.code != 426 {
		err = &unexpected{"the broken upload of " + name, a}
	}
	return err
}

func (c *crasher) rename(from, to string) error {
	id := c.may[from][0]
	if err := c.k.expect("RNFR "+from, 350); err != nil {
		return err
	}
	delete(c.broken, to)
	c.may[from] = []uint64{id, 0}
	c.may[to] = append(c.may[to], id)
	c.moving = &move{from, to, id}
	c.fuse.burn()
	if err := c.k.expect("RNTO "+to, 250); err != nil {
		return err
	}
	c.may[from], c.may[to], c.moving = []uint64{0}, []uint64{id}, nil
	return nil
}

func (c *crasher) remove(name string) error {
	if c.may[name][0] == 0 {
		return c.upload(name)
	}
	delete(c.broken, name)
	c.may[name] = append(c.may[name], 0)
	c.fuse.burn()
	if err := c.k.expect("DELE "+name, 250); err != nil {
		return err
	}
	c.may[name] = []uint64{0}
	return nil
}
