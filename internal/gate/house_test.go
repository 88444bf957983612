package gate_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"ferry"
	"ferry/internal/access"
	"ferry/internal/event"
	"ferry/internal/gate"
	"ferry/internal/mem"
)

// house is a gate with everything around it: one storage, accounts that can be
// changed, and what the sink heard.
type house struct {
	t    *testing.T
	gate *gate.Gate
	tree *mem.Tree
	wrap func(ferry.FS) ferry.FS // around the bare tree of a session
	// sharedMayLink lets accounts that are shared make hard links.
	sharedMayLink bool

	mu       sync.Mutex
	accounts map[string]ferry.User // the password is the name backwards, and any key is right
	authErr  error                 // the Authenticator's answer to everybody
	onAuth   func()                // called once while the Authenticator works
	// whileAuth is called each time while the Authenticator works.
	whileAuth func()
	heard     []ferry.Event
	seats     map[string]int
}

func newHouse(t *testing.T, l gate.Limits, users ...ferry.User) *house {
	h := &house{t: t, tree: mem.New(mem.Config{}), accounts: map[string]ferry.User{}, seats: map[string]int{}}
	h.wrap = func(tree ferry.FS) ferry.FS { return tree }
	for _, u := range users {
		h.accounts[u.Name] = u
	}
	h.gate = gate.New(gate.Config{
		Auth: h,
		Files: func(_ context.Context, s *gate.Session) (ferry.FS, error) {
			files := access.New(h.wrap(h.tree.For(s.User())), func() ferry.User {
				u := s.User()
				if h.sharedMayLink {
					u.Anonymous, u.Shared = false, false
				}
				return u
			})
			return event.Watch(s.Meter(files), s.Emit), nil
		},
		Cluster: h,
		Events:  h.hear,
		Limits:  l,
	})
	return h
}

// user is an account that may do everything.
func user(name string) ferry.User { return userWith(name, ferry.RightsAll) }

func userWith(name string, r ferry.Right) ferry.User {
	return ferry.User{Name: name, Rules: []ferry.Rule{{Prefix: "/", Rights: r}}}
}

func password(name string) string {
	p := []byte(name)
	slices.Reverse(p)
	return string(p)
}

func (h *house) Authenticate(_ context.Context, c ferry.Claim) (ferry.User, error) {
	h.mu.Lock()
	u, known := h.accounts[c.Name]
	err, during, always := h.authErr, h.onAuth, h.whileAuth
	h.onAuth = nil
	h.mu.Unlock()
	if during != nil {
		during()
	}
	if always != nil {
		always()
	}
	switch {
	case err != nil:
		return ferry.User{}, err
	case !known:
		return ferry.User{}, ferry.ErrLogin
	}
	if _, asked := c.Shows(); asked && c.Password != password(c.Name) {
		return ferry.User{}, ferry.ErrLogin
	}
	return u, nil // what is missing is the gate's to see
}

// change replaces an account.
func (h *house) change(u ferry.User) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.accounts[u.Name] = u
}

func (h *house) Hold(_ context.Context, seat string, max int) (func(), error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if max > 0 && h.seats[seat] >= max {
		return nil, ferry.ErrBusy
	}
	h.seats[seat]++
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.seats[seat]--
	}), nil
}

func (h *house) Lead(context.Context, string, func(context.Context)) error { return nil }

// taken is how many seats of that name are held.
func (h *house) taken(seat string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seats[seat]
}

func (h *house) hear(e ferry.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard = append(h.heard, e)
}

// events are those of the given kinds, in their order.
func (h *house) events(kinds ...ferry.EventKind) []ferry.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []ferry.Event
	for _, e := range h.heard {
		if slices.Contains(kinds, e.Kind) {
			list = append(list, e)
		}
	}
	return list
}

// last is the last event of a kind.
func (h *house) last(kind ferry.EventKind) ferry.Event {
	h.t.Helper()
	list := h.events(kind)
	if len(list) == 0 {
		h.t.Fatalf("no %v event", kind)
	}
	return list[len(list)-1]
}

// kinds are the words of all events so far.
func (h *house) kinds() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var words []string
	for _, e := range h.heard {
		words = append(words, e.Kind.String())
	}
	return words
}

func address(ip string) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(ip), 4000)
}

// connect admits a connection from ip.
func (h *house) connect(ip string) *gate.Conn {
	h.t.Helper()
	v, err := h.gate.Admit(context.Background(), "ftp", address(ip), address("192.0.2.1"))
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

// enter admits and logs in.
func (h *house) enter(name string) (*gate.Conn, *gate.Session) {
	h.t.Helper()
	v := h.connect("192.0.2.7")
	return v, h.login(v, name)
}

// login logs in on a connection, which must work.
func (h *house) login(v *gate.Conn, name string) *gate.Session {
	h.t.Helper()
	s, err := v.Login(context.Background(), ferry.Claim{Name: name, Password: password(name)})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// put stores a file, as somebody who may.
func (h *house) put(name ferry.Name, content string) {
	h.t.Helper()
	tree := h.tree.For(user("root"))
	f, err := tree.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Replace})
	if err == nil {
		_, err = f.WriteAt([]byte(content), 0)
		err = errors.Join(err, f.Commit())
	}
	if err = errors.Join(err, tree.Close()); err != nil {
		h.t.Fatal(err)
	}
}

// mkdir makes directories, as somebody who may.
func (h *house) mkdir(names ...string) {
	h.t.Helper()
	tree := h.tree.For(user("root"))
	for _, name := range names {
		if err := tree.Mkdir(context.Background(), ferry.Name(name), nil); err != nil {
			h.t.Fatal(err)
		}
	}
}

// content is what stands under name, "" for nothing.
func (h *house) content(name ferry.Name) string {
	h.t.Helper()
	tree := h.tree.For(user("root"))
	f, err := tree.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return ""
	}
	i, err := f.Stat()
	if err != nil {
		h.t.Fatal(err)
	}
	b := make([]byte, i.Size)
	if _, err := f.ReadAt(b, 0); err != nil && i.Size > 0 {
		h.t.Fatal(err)
	}
	return string(b)
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}
