package harness

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

// Crasher is a client that works in a directory of its own, on several server
// lives, and knows what must be there.
type Crasher struct {
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

	k    *RawClient
	fuse *Fuse

	Resumed   int // uploads that went on behind their first byte
	Undecided int // uploads that were published, and the answer did not come
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

func NewCrasher(t testing.TB, root string, number int, rng *rand.Rand) *Crasher {
	c := &Crasher{
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

// Live works until the server dies.
func (c *Crasher) Live(addr string, f *Fuse) {
	c.fuse = f
	err := c.arrive(addr)
	for err == nil {
		err = c.work()
	}
	if c.k != nil {
		c.k.HangUp()
	}
	// An answer that is wrong is a mistake of the server at any time; a
	// connection that broke, only before it was killed.
	if wrong := (*Unexpected)(nil); errors.As(err, &wrong) || !f.dying() {
		c.t.Errorf("%s: %v", c.at, err)
	}
}

// Settle brings everything that was broken to its end.
func (c *Crasher) Settle(addr string) {
	c.fuse = &Fuse{Blown: make(chan struct{})}
	c.fuse.Left.Store(1 << 40)
	err := c.arrive(addr)
	if err == nil {
		defer c.k.HangUp()
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
func (c *Crasher) arrive(addr string) (err error) {
	c.check()
	if c.k, err = callAs("", addr, User, Password); err != nil {
		return err
	}
	if err := c.k.Expect("CWD "+c.at, 250); err != nil {
		return err
	}
	return c.checkListing()
}

// check holds the disk to what was answered, and learns what was undecided.
func (c *Crasher) check() {
	stands := map[string]uint64{}
	for _, name := range c.names {
		id, err := identify(filepath.Join(c.dir, name))
		if err != nil {
			c.t.Error(err)
			continue
		}
		if !slices.Contains(c.may[name], id) {
			c.t.Errorf("%s/%s holds %s, want %s", c.at, name, WantOneOf([]uint64{id}), WantOneOf(c.may[name]))
		}
		if cut, ok := c.broken[name]; ok && cut.id == id {
			delete(c.broken, name)
			c.Undecided++
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
func (c *Crasher) checkStrays() {
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
func (c *Crasher) checkListing() error {
	list, err := c.k.Fetch("NLST")
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
func (c *Crasher) work() error {
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
func (c *Crasher) fresh() cargo {
	c.last++
	size := 1 << (7 + c.rng.IntN(13)) // as many small ones as large ones
	return cargo{c.last, size + c.rng.IntN(size)}
}

// upload sends a new specimen for name.
func (c *Crasher) upload(name string) error {
	what := c.fresh()
	delete(c.broken, name) // from here on it may be gone
	conn, err := c.k.Begin("STOR " + name)
	if err != nil {
		return err
	}
	c.broken[name] = what
	return c.send(conn, name, what, 0)
}

// resume goes on with an upload that was cut off, where SIZE says; or sends it whole
// where a file stands, which SIZE means then.
func (c *Crasher) resume(name string) error {
	what := c.broken[name]
	from, err := c.k.Size(name)
	if i, missing := os.Stat(filepath.Join(c.dir, name)); missing == nil {
		if err == nil && int64(from) != i.Size() {
			c.t.Errorf("%s/%s: SIZE says %d of a file of %d bytes", c.at, name, from, i.Size())
		}
		conn, err := c.k.Begin("STOR " + name)
		if err != nil {
			return err
		}
		return c.send(conn, name, what, 0)
	}
	if err != nil {
		return err
	}
	if from > what.size {
		c.t.Errorf("%s/%s: SIZE says %d of an upload of %d bytes", c.at, name, from, what.size)
	}
	line := "APPE " + name
	if c.rng.IntN(2) == 0 {
		line = "STOR " + name
		if err := c.k.Expect(fmt.Sprintf("REST %d", from), 350); err != nil {
			return err
		}
	}
	conn, err := c.k.Begin(line)
	if err != nil {
		return err
	}
	if err := c.send(conn, name, what, from); err != nil {
		return err
	}
	if from > 0 {
		c.Resumed++
	}
	return nil
}

// send sends what from an offset on, and hears that it is there.
func (c *Crasher) send(conn net.Conn, name string, what cargo, from int) error {
	defer conn.Close()
	if err := c.push(conn, Specimen(what.id, what.size)[from:]); err != nil {
		return err
	}
	c.may[name] = append(c.may[name], what.id) // the server can have it all now
	conn.Close()
	c.fuse.burn()
	a, err := c.k.Hear()
	if err != nil {
		return err
	}
	if a.Code != 226 {
		return &Unexpected{"the upload of " + name, a}
	}
	c.may[name] = []uint64{what.id}
	delete(c.broken, name)
	return nil
}

func (c *Crasher) push(conn net.Conn, content []byte) error {
	for chunk := range slices.Chunk(content, 64<<10) {
		c.fuse.burn()
		if _, err := conn.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// breakOff begins an upload and resets its data connection.
func (c *Crasher) breakOff(name string) error {
	what := c.fresh()
	delete(c.broken, name)
	conn, err := c.k.Begin("STOR " + name)
	if err != nil {
		return err
	}
	c.broken[name] = what
	defer conn.Close()
	if err := c.push(conn, Specimen(what.id, what.size)[:c.rng.IntN(what.size)]); err != nil {
		return err
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		return err
	}
	conn.Close()
	c.fuse.burn()
	a, err := c.k.Hear()
	if err == nil && a.Code != 426 {
		err = &Unexpected{"the broken upload of " + name, a}
	}
	return err
}

func (c *Crasher) rename(from, to string) error {
	id := c.may[from][0]
	if err := c.k.Expect("RNFR "+from, 350); err != nil {
		return err
	}
	delete(c.broken, to)
	c.may[from] = []uint64{id, 0}
	c.may[to] = append(c.may[to], id)
	c.moving = &move{from, to, id}
	c.fuse.burn()
	if err := c.k.Expect("RNTO "+to, 250); err != nil {
		return err
	}
	c.may[from], c.may[to], c.moving = []uint64{0}, []uint64{id}, nil
	return nil
}

func (c *Crasher) remove(name string) error {
	if c.may[name][0] == 0 {
		return c.upload(name)
	}
	delete(c.broken, name)
	c.may[name] = append(c.may[name], 0)
	c.fuse.burn()
	if err := c.k.Expect("DELE "+name, 250); err != nil {
		return err
	}
	c.may[name] = []uint64{0}
	return nil
}
