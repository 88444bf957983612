package ftpserver

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry"
	"ferry/internal/cluster"
	"ferry/internal/digest"
	"ferry/internal/fstest"
	"ferry/internal/ftpdata"
	"ferry/internal/gate"
	"ferry/internal/gatetest"
	"ferry/internal/mem"
	"ferry/internal/nettest"
)

// world is what one script plays in: a server, its files in memory, a network
// of wires, and the clients.
type world struct {
	t       *testing.T
	storage mem.Config
	tree    *mem.Tree
	slow    time.Duration  // each read of a file takes so long
	faults  []fstest.Fault // of the storage
	limits  gate.Limits
	cfg     Config
	gate    *gate.Gate
	srv     *Server
	net     *nettest.Network
	local   netip.Addr
	peer    netip.Addr
	clients []*client
	now     int // which client speaks
	nextSrc uint16
	stopped sync.WaitGroup
	turn    chan struct{}           // closed: the hash that takes the only turn is done
	quiet   bool                    // no log
	wrap    func(ferry.FS) ferry.FS // what each session's tree is wrapped in; nil: nothing
	events  ferry.Sink
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, net: nettest.NewNetwork(), storage: mem.Config{Umask: 0o022},
		limits: gate.Limits{FailDelay: 5 * time.Second, Stall: time.Minute},
		local:  netip.MustParseAddr("192.0.2.1"), peer: netip.MustParseAddr("192.0.2.77"), nextSrc: 40000,
	}
}

func (w *world) configure(words []string) (err error) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "modez":
			w.cfg.ModeZ = true
		case "recursive":
			w.cfg.Recursive = true
		case "noactive":
			w.cfg.Ports.NoActive = true
		case "foreign":
			w.cfg.Ports.Foreign = true
		case "looseallo":
			w.cfg.LooseALLO = true
		case "turns":
			w.cfg.Hashes = digest.NewQueue(1)
		case "epsvoff":
			w.cfg.Ports.NoEPSV = []netip.Prefix{netip.PrefixFrom(w.peer, w.peer.BitLen())}
		case "listlimit":
			w.cfg.ListLimit, err = strconv.Atoi(value)
		case "hosts":
			w.cfg.Hosts = map[string]string{}
			for host := range strings.SplitSeq(value, ",") {
				w.cfg.Hosts[host] = ""
			}
		case "passive":
			w.cfg.Ports.Addresses = []ftpdata.PassiveAddress{{Network: netip.MustParsePrefix("0.0.0.0/0"), Host: value}}
		case "local":
			w.local, err = netip.ParseAddr(value)
		case "peer":
			w.peer, err = netip.ParseAddr(value)
		case "ports":
			_, err = fmt.Sscanf(value, "%d-%d", &w.cfg.Ports.First, &w.cfg.Ports.Last)
		case "taken":
			var port uint16
			_, err = fmt.Sscan(value, &port)
			w.net.Taken[port] = true
		case "capacity":
			w.storage.Capacity, err = strconv.ParseInt(value, 10, 64)
		case "slow":
			w.slow, err = time.ParseDuration(value)
		case "banafter":
			w.limits.BanAfter, err = strconv.Atoi(value)
		case "peraddress":
			w.limits.PerAddress, err = strconv.Atoi(value)
		case "openfiles":
			w.limits.OpenFiles.PerConnection, err = strconv.Atoi(value)
		case "fail":
			err = w.planFault(value)
		default:
			return fmt.Errorf("unknown config %q", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// planFault reads "METHOD,N,ERROR": after N bytes or entries, or at once for 0.
func (w *world) planFault(value string) error {
	words := strings.Split(value, ",")
	if len(words) != 3 {
		return fmt.Errorf("fail=METHOD,N,ERROR wanted, not %q", value)
	}
	f := fstest.Fault{Method: words[0]}
	switch words[2] {
	case "quota":
		f.Err = ferry.ErrQuota
	case "nospace":
		f.Err = ferry.ErrNoSpace
	case "busy":
		f.Err = ferry.ErrBusy
	case "full":
		f.Err = &ferry.TooManyOpen{Open: 9, Whose: "this user"}
	case "toolarge":
		f.Err = ferry.ErrTooLarge
	case "loop":
		f.Err = ferry.ErrLoop
	case "disk":
	default:
		return fmt.Errorf("unknown error %q", words[2])
	}
	var err error
	f.After, err = strconv.ParseInt(words[1], 10, 64)
	w.faults = append(w.faults, f)
	return err
}

func (w *world) begin() {
	w.tree = mem.New(w.storage)
	w.gate = gate.New(gate.Config{
		Auth:    scriptUsers{},
		Files:   gatetest.Files(w.treeOf),
		Cluster: cluster.NewAlone(),
		Limits:  w.limits,
		Events:  w.events,
	})
	w.cfg.Gate = w.gate
	if !w.quiet && w.cfg.Log == nil {
		w.cfg.Log = slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.cfg.Network = w.net
	srv, err := New(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.srv = srv
}

// takeTurn begins another client's hash, or ends it.
func (w *world) takeTurn(taken bool) {
	if !taken {
		close(w.turn)
		return
	}
	w.turn = make(chan struct{})
	begun := make(chan struct{})
	go w.cfg.Hashes.Turn(context.Background(), "another", func() { close(begun); <-w.turn })
	<-begun
}

// treeOf is what a session gets, with the faults that the script asked for.
func (w *world) treeOf(u ferry.User) ferry.FS {
	tree := w.tree.For(u)
	if w.wrap != nil {
		tree = w.wrap(tree)
	}
	if w.slow > 0 {
		tree = slowFS{tree, w.slow}
	}
	if len(w.faults) > 0 {
		tree = fstest.NewFailing(tree, w.faults...)
	}
	return tree
}

func (w *world) end() {
	for _, c := range w.clients {
		c.hangUp()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := w.srv.Shutdown(ctx); err != nil {
		w.t.Errorf("a session did not end: %v", err)
	}
	w.stopped.Wait()
	if n := len(w.gate.Sessions()); n != 0 {
		w.t.Errorf("the gate still counts %d sessions", n)
	}
}

// dial makes another control connection, which becomes the one that speaks.
func (w *world) dial() *client {
	w.nextSrc++
	here, there := nettest.NewWire(netip.AddrPortFrom(w.peer, w.nextSrc), netip.AddrPortFrom(w.local, 21))
	c := &client{w: w, conn: here, data: map[string]*dataEnd{}}
	w.clients = append(w.clients, c)
	w.now = len(w.clients) - 1
	w.stopped.Add(1)
	go func() {
		defer w.stopped.Done()
		w.srv.Handle(there)
	}()
	return c
}

// slowFS is an FS on a disk whose every read takes a while.
type slowFS struct {
	ferry.FS
	delay time.Duration
}

func (s slowFS) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := s.FS.Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return slowHandle{h, s.delay}, nil
}

type slowHandle struct {
	ferry.Handle
	delay time.Duration
}

func (s slowHandle) ReadAt(p []byte, off int64) (int, error) {
	time.Sleep(s.delay)
	return s.Handle.ReadAt(p, off)
}

// scriptUsers know these people. Everybody's password is "secret", the
// anonymous user's whatever there is.
type scriptUsers struct{}

func (scriptUsers) Authenticate(_ context.Context, c ferry.Claim) (ferry.User, error) {
	u := ferry.User{Name: c.Name, Rules: []ferry.Rule{{Prefix: "/", Rights: ferry.RightsAll}}}
	switch c.Name {
	case "alice", "bob":
	case "anonymous":
		u.Anonymous = true
		u.Rules = []ferry.Rule{{Prefix: "/", Rights: ferry.RightsRead}, {Prefix: "/incoming", Rights: ferry.RightCreate}}
		return u, nil
	case "reader":
		u.Rules[0].Rights = ferry.RightsRead
	case "writer":
		u.Rules[0].Rights = ferry.RightsAll &^ ferry.RightOverwrite &^ ferry.RightDelete
	case "single":
		u.Limits.Sessions = 1
	case "throttled":
		u.Limits.Download = 1000
	case "keyed":
		u.Login = ferry.LoginKey
	case "typist":
		u.Login = ferry.LoginPassword
	case "chained":
		u.Login = ferry.LoginKeyAndPassword
	case "chinese":
		u.Charset = "gbk"
	case "japanese":
		u.Charset = "shift_jis"
	case "russian":
		u.Charset = "windows-1251"
	case "french":
		u.Charset = "iso-8859-1"
	default:
		return ferry.User{}, ferry.ErrLogin
	}
	if c.Password == "changed" { // so is the account
		u.Version, c.Password = 1, "secret"
	}
	if _, asked := c.Shows(); c.Denied != "" || asked && c.Password != "secret" {
		return ferry.User{}, ferry.ErrLogin
	}
	return u, nil
}
