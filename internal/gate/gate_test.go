package gate_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/gate"
)

var errDatabase = errors.New("the database is away")

func TestThreat33SeatsAreCounted(t *testing.T) {
	tests := []struct {
		name   string
		limits gate.Limits
		here   []string // who is in already
		next   string
		want   error
	}{
		{"no limit", gate.Limits{}, []string{"192.0.2.7", "192.0.2.7"}, "192.0.2.7", nil},
		{"full house", gate.Limits{Sessions: 2}, []string{"192.0.2.7", "192.0.2.8"}, "192.0.2.9", ferry.ErrServerFull},
		{"one address", gate.Limits{PerAddress: 1}, []string{"192.0.2.7"}, "192.0.2.7", ferry.ErrAddressFull},
		{"another address", gate.Limits{PerAddress: 1}, []string{"192.0.2.7"}, "192.0.2.8", nil},
		{"mapped is the same", gate.Limits{PerAddress: 1}, []string{"192.0.2.7"}, "::ffff:192.0.2.7", ferry.ErrAddressFull},
		{"one /64", gate.Limits{PerAddress: 1}, []string{"2001:db8::1"}, "2001:db8::2:3", ferry.ErrAddressFull},
		{"another /64", gate.Limits{PerAddress: 1}, []string{"2001:db8::1"}, "2001:db8:0:1::1", nil},
		{"zones do not matter", gate.Limits{PerAddress: 1}, []string{"fe80::1%eth0"}, "fe80::2%eth1", ferry.ErrAddressFull},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, test.limits, user("alice"))
			for _, ip := range test.here {
				h.login(h.connect(ip), "alice")
			}
			_, err := h.gate.Admit(t.Context(), "ftp", address(test.next), netip.AddrPort{})
			wantErr(t, err, test.want)
			if test.want == nil {
				return
			}
			if e := h.last(ferry.EventRefused); e.Err != err || e.Session == "" {
				t.Errorf("refused event: %+v", e)
			}
			if got := h.taken("all"); got != len(test.here) {
				t.Errorf("%d seats taken after the refusal, want %d", got, len(test.here))
			}
		})
	}
}

func TestCloseGivesSeatsBack(t *testing.T) {
	h := newHouse(t, gate.Limits{Sessions: 1, PerAddress: 1}, user("alice"))
	for range 3 {
		v, _ := h.enter("alice")
		v.Close(nil)
		v.Close(errDatabase) // the first counts
	}
	for _, seat := range []string{"all", "ip/192.0.2.7", "user/alice"} {
		if n := h.taken(seat); n != 0 {
			t.Errorf("seat %q: %d taken", seat, n)
		}
	}
	if e := h.events(ferry.EventDisconnect); len(e) != 3 || e[2].Err != nil || e[2].User != "alice" {
		t.Errorf("disconnect events: %+v", e)
	}
	if n := len(h.gate.Sessions()); n != 0 {
		t.Errorf("%d live sessions", n)
	}
}

func TestUserSeats(t *testing.T) {
	alice := user("alice")
	alice.Limits.Sessions = 1
	h := newHouse(t, gate.Limits{}, alice)
	_, s := h.enter("alice")
	v := h.connect("192.0.2.8")
	_, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"})
	wantErr(t, err, ferry.ErrUserFull)
	s.End()
	if _, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"}); err != nil {
		t.Error(err)
	}
}

func TestOneSessionAtATime(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"), user("bob"))
	v, s := h.enter("alice")
	if _, err := v.Login(t.Context(), ferry.Claim{Name: "bob", Password: "bob"}); err == nil {
		t.Error("a second session beside the first")
	}
	s.End()
	s.End()
	s, err := v.Login(t.Context(), ferry.Claim{Name: "bob", Password: "bob"})
	if err != nil || s.User().Name != "bob" {
		t.Errorf("after End: %v", err)
	}
}

// TestThreat29HalfALoginIsNone: an account that wants two factors is not let in
// by one. A right key is the way there: it makes no session, no event and no
// failure.
func TestThreat29HalfALoginIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := user("alice")
		alice.Login = ferry.LoginKeyAndPassword
		h := newHouse(t, gate.Limits{}, alice)
		v := h.connect("192.0.2.7")
		key := ferry.Claim{Name: "alice", Key: "SHA256:x"}
		for range 10 {
			if !v.Offer(t.Context(), key) {
				t.Error("the key is not worth offering")
			}
			s, err := v.Login(t.Context(), key)
			wantErr(t, err, ferry.ErrPartial)
			if s != nil || h.taken("user/alice") != 0 {
				t.Error("half a login has made a session")
			}
		}
		if e := h.events(ferry.EventLogin, ferry.EventLoginFailed); len(e) > 0 {
			t.Errorf("events: %+v", e)
		}
		begin := time.Now()
		_, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"})
		wantErr(t, err, ferry.ErrLogin)
		both := ferry.Claim{Name: "alice", Key: "SHA256:x", Password: "wrong", Both: true}
		if v.Offer(t.Context(), both) {
			t.Error("a password can be tried by offering a key")
		}
		_, err = v.Login(t.Context(), both)
		wantErr(t, err, ferry.ErrLogin)
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("two failures took %v, want 10 s", took)
		}
		if e := h.last(ferry.EventLoginFailed); e.By != "key SHA256:x and password" || e.User != "alice" {
			t.Errorf("told: %+v", e)
		}
		both.Password = "ecila"
		if _, err := v.Login(t.Context(), both); err != nil {
			t.Error(err)
		}
		if e := h.last(ferry.EventLogin); e.By != "key SHA256:x and password" {
			t.Errorf("told: %+v", e)
		}
	})
}

func TestThreat30FailedLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, user("alice"))
		v := h.connect("192.0.2.7")
		for i, want := range []error{ferry.ErrLogin, ferry.ErrLogin, ferry.ErrTooManyLogins} {
			// A known and an unknown name get the same answer after the same time.
			begin := time.Now()
			_, err := v.Login(t.Context(), ferry.Claim{Name: []string{"alice", "nobody"}[i%2], Password: "wrong"})
			wantErr(t, err, want)
			if took := time.Since(begin); took != 5*time.Second {
				t.Errorf("answered after %v", took)
			}
		}
		_, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"})
		wantErr(t, err, ferry.ErrTooManyLogins)
		if n := h.taken("user/alice"); n != 0 {
			t.Errorf("failed logins took %d seats of the user", n)
		}
		for _, e := range h.events(ferry.EventLoginFailed) {
			if e.User == "" || e.Err != ferry.ErrLogin {
				t.Errorf("event %+v", e)
			}
		}
	})
}

func TestOtherErrorsCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{MaxFails: 1, BanAfter: 1}, user("alice"))
		h.authErr = errDatabase
		v := h.connect("192.0.2.7")
		begin := time.Now()
		for range 3 {
			_, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"})
			wantErr(t, err, errDatabase)
		}
		if time.Since(begin) != 0 {
			t.Error("the answer was delayed")
		}
		h.authErr = nil
		if _, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"}); err != nil {
			t.Error(err)
		}
	})
}

// Threat 30: the count goes by address, whatever the protocol and however many
// connections, and hanging up before the answer does not save it.
func TestThreat30Ban(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{BanAfter: 3, BanWindow: time.Minute, BanFor: time.Hour}, user("alice"))
		waiting := h.connect("192.0.2.7")
		for _, protocol := range []string{"ftp", "ftps", "sftp"} {
			v, err := h.gate.Admit(t.Context(), protocol, address("192.0.2.7"), netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, hangUp := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, hangUp)
			_, err = v.Login(ctx, ferry.Claim{Name: "alice", Password: "wrong"})
			wantErr(t, err, context.Canceled)
			v.Close(nil)
		}
		if e := h.last(ferry.EventBan); e.Duration != time.Hour || e.Peer.Addr() != netip.MustParseAddr("192.0.2.7") {
			t.Errorf("ban event %+v", e)
		}
		_, err := waiting.Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"})
		wantErr(t, err, ferry.ErrBanned)
		_, err = h.gate.Admit(t.Context(), "sftp", address("::ffff:192.0.2.7"), netip.AddrPort{})
		wantErr(t, err, ferry.ErrBanned)
		h.connect("192.0.2.8").Close(nil)

		time.Sleep(time.Hour)
		h.connect("192.0.2.7").Close(nil)
	})
}

// Threat 30: guesses that are made at the same time count at the same time. No more
// are tried than the ban leaves, and the right one behind them lets nobody in.
func TestThreat30TheBanIsNotOutrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const banAfter, guesses = 10, 190
		h := newHouse(t, gate.Limits{BanAfter: banAfter, PerAddress: guesses + 1}, user("alice"))
		var tried atomic.Int64
		h.whileAuth = func() { tried.Add(1); time.Sleep(time.Second) }
		var wg sync.WaitGroup
		for i := range guesses {
			v := h.connect("192.0.2.7")
			guess := "wrong"
			if i == guesses-1 {
				guess = password("alice")
			}
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if _, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: guess}); err == nil {
					t.Error("somebody was let in")
				}
			})
		}
		wg.Wait()
		if n := tried.Load(); n != banAfter {
			t.Errorf("%d guesses were tried; want %d", n, banAfter)
		}
	})
}

// Many who log in at once from one address, and know their password, wait for one
// another and are let in.
func TestManyLoginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{BanAfter: 3}, user("alice"))
		h.whileAuth = func() { time.Sleep(time.Second) }
		var wg sync.WaitGroup
		for range 20 {
			v := h.connect("192.0.2.7")
			wg.Go(func() {
				_, err := v.Login(t.Context(), ferry.Claim{Name: "alice", Password: password("alice")})
				wantErr(t, err, nil)
			})
		}
		wg.Wait()

		// Waiting ends with the connection.
		h.whileAuth = func() { time.Sleep(time.Hour) }
		for range 3 {
			v := h.connect("192.0.2.7")
			wg.Go(func() { _, _ = v.Login(t.Context(), ferry.Claim{Name: "alice"}) })
		}
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		v := h.connect("192.0.2.7")
		time.AfterFunc(time.Second, func() { cancel(ferry.ErrShutdown) })
		_, err := v.Login(ctx, ferry.Claim{Name: "alice"})
		wantErr(t, err, ferry.ErrShutdown)
		wg.Wait()
	})
}

func TestBanWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{BanAfter: 2, BanWindow: time.Minute})
		v := h.connect("192.0.2.7")
		for range 5 {
			v.Penalize("slow enough")
			time.Sleep(61 * time.Second)
		}
		if len(h.events(ferry.EventBan)) != 0 {
			t.Error("banned for failures that were further apart than the window")
		}
	})
}

// Threat 8: what a bounce attack tries counts towards the ban.
func TestThreat8OffencesCount(t *testing.T) {
	tests := []struct {
		name   string
		limits gate.Limits
		ip     string
		banned bool
	}{
		{"banned", gate.Limits{BanAfter: 2}, "192.0.2.7", true},
		{"loopback too", gate.Limits{BanAfter: 2}, "127.0.0.1", true},
		{"not yet", gate.Limits{BanAfter: 3}, "192.0.2.7", false},
		{"never", gate.Limits{}, "192.0.2.7", false},
		{"spared", gate.Limits{BanAfter: 2, NeverBan: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, "::ffff:192.0.2.7", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, test.limits)
			v := h.connect(test.ip)
			v.Penalize("PORT to a foreign address")
			v.Penalize("PORT to a foreign address")
			_, err := h.gate.Admit(t.Context(), "ftp", address(test.ip), netip.AddrPort{})
			if errors.Is(err, ferry.ErrBanned) != test.banned {
				t.Errorf("Admit: %v", err)
			}
		})
	}
}

// Threat 28: the authenticator forgot to look, the gate does not.
func TestThreat28MayLoginAtLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disabled, expired := user("disabled"), user("expired")
		disabled.Disabled = true
		expired.Expires = time.Now()
		h := newHouse(t, gate.Limits{}, disabled, expired)
		for _, name := range []string{"disabled", "expired"} {
			_, err := h.connect("192.0.2.7").Login(t.Context(), ferry.Claim{Name: name, Password: password(name)})
			wantErr(t, err, ferry.ErrLogin)
		}
	})
}

// Threat 28: disabling an account ends its sessions.
func TestThreat28Refresh(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"), user("bob"), user("carol"), user("dave"))
	conns := map[string]*gate.Conn{"nobody": h.connect("192.0.2.9")}
	for name := range h.accounts {
		conns[name], _ = h.enter(name)
	}
	err := h.gate.Refresh(t.Context(), func(_ context.Context, name string) (ferry.User, error) {
		switch name {
		case "alice":
			return ferry.User{}, fmt.Errorf("alice: %w", fs.ErrNotExist)
		case "bob":
			return ferry.User{Name: name, Disabled: true}, nil
		case "carol":
			return ferry.User{}, errDatabase
		}
		return user(name), nil
	})
	wantErr(t, err, errDatabase)
	for name, want := range map[string]error{"alice": ferry.ErrKicked, "bob": ferry.ErrKicked, "carol": nil, "dave": nil, "nobody": nil} {
		if got := context.Cause(conns[name].Context()); got != want {
			t.Errorf("%s: connection ended with %v, want %v", name, got, want)
		}
	}
}

// Threat 28: rights that are taken away are gone from sessions that live, and from
// what they have open.
func TestThreat28RightsTakenAway(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"))
	h.put("/old", "old")
	v, s := h.enter("alice")
	reading := open(t, s, "/old", ferry.Read)
	writing := open(t, s, "/new", ferry.Replace)
	now := userWith("alice", ferry.RightsRead)
	wantErr(t, h.gate.Refresh(t.Context(), func(context.Context, string) (ferry.User, error) { return now, nil }), nil)
	wantErr(t, v.Context().Err(), nil)
	wantErr(t, s.FS().Mkdir(t.Context(), "/dir", nil), fs.ErrPermission)
	wantErr(t, reads(reading), nil)
	wantErr(t, writing.Commit(), ferry.ErrClosed)
	if e := h.last(ferry.EventUpload); e.Err != ferry.ErrKicked {
		t.Errorf("the upload ended with %v", e.Err)
	}
	wantErr(t, reads(open(t, s, "/old", ferry.Read)), nil)

	// And given: they hold without a new login.
	now = user("alice")
	wantErr(t, h.gate.Refresh(t.Context(), func(context.Context, string) (ferry.User, error) { return now, nil }), nil)
	wantErr(t, s.FS().Mkdir(t.Context(), "/dir", nil), nil)

	now.Home = "/elsewhere"
	wantErr(t, h.gate.Refresh(t.Context(), func(context.Context, string) (ferry.User, error) { return now, nil }), nil)
	wantErr(t, context.Cause(v.Context()), ferry.ErrKicked)
}

// Threat 28: the sessions of an account end when it expires.
func TestThreat28Expiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := user("alice")
		alice.Expires = time.Now().Add(time.Hour)
		h := newHouse(t, gate.Limits{}, alice)
		v, _ := h.enter("alice")
		alice.Expires = time.Now().Add(2 * time.Hour) // put off
		wantErr(t, h.gate.Refresh(t.Context(), func(context.Context, string) (ferry.User, error) { return alice, nil }), nil)
		time.Sleep(2*time.Hour - time.Second)
		wantErr(t, v.Context().Err(), nil)
		time.Sleep(time.Second)
		synctest.Wait()
		wantErr(t, context.Cause(v.Context()), ferry.ErrKicked)
	})
}

// Threat 28: an account that is disabled between the check of its password and
// the beginning of the session is noticed.
func TestThreat28RefreshDuringLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, user("alice"))
		h.onAuth = func() {
			u := user("alice")
			u.Disabled = true
			h.change(u)
			_ = h.gate.Refresh(t.Context(), func(context.Context, string) (ferry.User, error) { return u, nil })
		}
		_, err := h.connect("192.0.2.7").Login(t.Context(), ferry.Claim{Name: "alice", Password: "ecila"})
		wantErr(t, err, ferry.ErrLogin)
		if n := h.taken("user/alice"); n != 0 {
			t.Errorf("%d seats of the user are still taken", n)
		}
	})
}

func TestKick(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"), user("bob"))
	a, _ := h.enter("alice")
	b, _ := h.enter("bob")
	n := h.gate.Kick(func(i gate.SessionInfo) bool { return i.User == "bob" && i.ID == b.ID() }, ferry.ErrShutdown)
	if n != 1 || a.Context().Err() != nil || context.Cause(b.Context()) != ferry.ErrShutdown {
		t.Errorf("kicked %d; alice %v, bob %v", n, a.Context().Err(), context.Cause(b.Context()))
	}
	h.gate.Kick(func(gate.SessionInfo) bool { return true }, nil)
	wantErr(t, context.Cause(a.Context()), ferry.ErrKicked)
}

func TestKickEndsTheDelayOfALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{FailDelay: time.Hour})
		v := h.connect("192.0.2.7")
		time.AfterFunc(time.Second, func() { h.gate.Kick(func(gate.SessionInfo) bool { return true }, ferry.ErrShutdown) })
		begin := time.Now()
		_, err := v.Login(t.Context(), ferry.Claim{Name: "nobody", Password: ""})
		wantErr(t, err, ferry.ErrShutdown)
		if time.Since(begin) != time.Second {
			t.Error("waited on")
		}
	})
}

func TestConnEndsWithItsContext(t *testing.T) {
	h := newHouse(t, gate.Limits{})
	ctx, stop := context.WithCancelCause(t.Context())
	v, err := h.gate.Admit(ctx, "ftp", address("192.0.2.7"), netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	stop(ferry.ErrShutdown)
	_, err = v.Login(t.Context(), ferry.Claim{Name: "alice", Password: ""})
	wantErr(t, err, ferry.ErrShutdown)
}

func TestCloseBeforeLogin(t *testing.T) {
	h := newHouse(t, gate.Limits{})
	v := h.connect("192.0.2.7")
	v.Close(ferry.ErrControlLost)
	wantErr(t, context.Cause(v.Context()), ferry.ErrControlLost)
	if got, want := h.kinds(), []string{"connect", "disconnect"}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	wantErr(t, h.last(ferry.EventDisconnect).Err, ferry.ErrControlLost)
}
