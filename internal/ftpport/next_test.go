package ftpport

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ferry/internal/ftpdata"
	"ferry/internal/nettest"
)

// asker is a client that has a control connection to local.
type asker struct {
	*Next
	penalties []string
}

func ask(t *testing.T, peer, local string, p Policy) *asker {
	t.Helper()
	p, err := p.Checked()
	if err != nil {
		t.Fatal(err)
	}
	data := ftpdata.New(ftpdata.Config{First: p.First, Last: p.Last, Addresses: p.Addresses, DataTimeout: time.Minute}, nettest.NewNetwork(), nil, nil)
	t.Cleanup(data.Close)
	a := &asker{}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	a.Next = For(Client{
		Session:  ftpdata.Session{ID: t.Name(), Local: netip.MustParseAddrPort(local), Reached: netip.MustParseAddrPort(local), Log: func() *slog.Logger { return log }},
		Peer:     netip.MustParseAddrPort(peer),
		Penalize: func(reason string) { a.penalties = append(a.penalties, reason) },
	}, data, &p)
	t.Cleanup(a.Close)
	return a
}

const (
	peer4, local4 = "192.0.2.77:40000", "192.0.2.1:21"
	peer6, local6 = "[fe80::77%eth0]:40000", "[fe80::1%eth0]:21"
)

// code is that of the reply to a command line.
func (a *asker) code(line string) int {
	verb, arg, _ := strings.Cut(line, " ")
	switch verb {
	case "PASV":
		return a.Pasv(context.Background()).Code
	case "LPSV":
		return a.Lpsv("").Code
	case "EPSV":
		return a.Epsv(arg).Code
	case "PORT":
		return a.Port(arg).Code
	case "EPRT":
		return a.Eprt(arg).Code
	case "LPRT":
		return a.Lprt(arg).Code
	}
	return Pret(arg).Code
}

// TestWhatIsPrepared: each command, its reply, and where the next data connection is
// then awaited ("passive") or goes to.
func TestWhatIsPrepared(t *testing.T) {
	for _, test := range []struct {
		name, peer, local string
		policy            Policy
		line              string
		code              int
		prepared          string
	}{
		{"PASV", peer4, local4, Policy{}, "PASV", 227, "passive"},
		{"PASV over IPv6", peer6, local6, Policy{}, "PASV", 425, ""},
		{"LPSV", peer6, local6, Policy{}, "LPSV", 228, "passive"},
		{"EPSV", peer6, local6, Policy{}, "EPSV", 229, "passive"},
		{"EPSV of the other family", peer4, local4, Policy{}, "EPSV 2", 522, ""},
		{"EPSV of no family", peer4, local4, Policy{}, "EPSV 7", 522, ""},
		{"EPSV of nonsense", peer4, local4, Policy{}, "EPSV x", 501, ""},
		{"EPSV of a device that cannot", peer6, local6, Policy{NoEPSV: []netip.Prefix{netip.MustParsePrefix("fe80::/64")}}, "EPSV", 502, ""},
		{"PORT", peer4, local4, Policy{}, "PORT 192,0,2,77,20,20", 200, "192.0.2.77:5140"},
		{"PORT, switched off", peer4, local4, Policy{NoActive: true}, "PORT 192,0,2,77,20,20", 502, ""},
		{"PORT of nonsense", peer4, local4, Policy{}, "PORT 192,0,2,77,20", 501, ""},
		{"EPRT with a mapped address", peer4, local4, Policy{}, "EPRT |2|::ffff:192.0.2.77|5140|", 200, "192.0.2.77:5140"},
		{"EPRT keeps the zone", peer6, local6, Policy{}, "EPRT |2|fe80::77|5140|", 200, "[fe80::77%eth0]:5140"},
		{"EPRT with ::", peer6, local6, Policy{}, "EPRT |2|::|5140|", 200, "[fe80::77%eth0]:5140"},
		{"EPRT of the other family", peer6, local6, Policy{}, "EPRT |1|192.0.2.77|5140|", 522, ""},
		{"EPRT of no family", peer4, local4, Policy{}, "EPRT |7|192.0.2.77|5140|", 522, ""},
		{"LPRT", peer4, local4, Policy{}, "LPRT 4,4,192,0,2,77,2,20,20", 200, "192.0.2.77:5140"},
		{"LPRT of no family", peer4, local4, Policy{}, "LPRT 7,4,192,0,2,77,2,20,20", 521, ""},
		{"a foreign address, allowed", peer4, local4, Policy{Foreign: true}, "PORT 192,0,2,9,20,20", 200, "192.0.2.9:5140"},
		{"PRET", peer4, local4, Policy{}, "PRET retr a b", 200, ""},
		{"PRET of nonsense", peer4, local4, Policy{}, "PRET CWD a", 501, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := ask(t, test.peer, test.local, test.policy)
			if code := a.code(test.line); code != test.code {
				t.Errorf("%s is answered with %d, want %d", test.line, code, test.code)
			}
			prepared := ""
			switch at := a.Endpoint(); {
			case at.Port() != 0:
				prepared = "passive"
			case at.Prepared():
				prepared = at.To().String()
			}
			if prepared != test.prepared || len(a.penalties) > 0 {
				t.Errorf("prepared is %q, want %q; penalties %v", prepared, test.prepared, a.penalties)
			}
		})
	}
}

// TestThreat8NoBounce: a server that connects anywhere scans for others (RFC 2577 §3).
func TestThreat8NoBounce(t *testing.T) {
	for _, line := range []string{
		"PORT 192,0,2,9,20,20", "EPRT |1|192.0.2.9|5140|", "LPRT 4,4,192,0,2,9,2,20,20", // another host
		"PORT 192,0,2,77,0,25", "EPRT |1|192.0.2.77|22|", // a service of the client's host
	} {
		a := ask(t, peer4, local4, Policy{})
		if code := a.code(line); code != 504 || a.Endpoint().Prepared() || len(a.penalties) != 1 {
			t.Errorf("%s: %d, prepared %v, penalties %v", line, code, a.Endpoint().Prepared(), a.penalties)
		}
	}
}

// TestEPSVAll: from then on nothing but EPSV, until the session begins anew
// (RFC 2428 §4).
func TestEPSVAll(t *testing.T) {
	a := ask(t, peer4, local4, Policy{})
	if a.code("PASV") != 227 || a.code("EPSV ALL") != 200 || a.Endpoint().Prepared() {
		t.Error("EPSV ALL leaves the port of PASV open")
	}
	for _, line := range []string{"PASV", "LPSV", "PORT 192,0,2,77,20,20", "EPRT |1|192.0.2.77|5140|", "EPRT |7|x|1|", "LPRT 7,4,192,0,2,77,2,20,20"} {
		if code := a.code(line); code != 503 {
			t.Errorf("%s after EPSV ALL: %d", line, code)
		}
	}
	if code := a.code("EPSV"); code != 229 {
		t.Errorf("EPSV after EPSV ALL: %d", code)
	}
	a.Reset()
	if a.Endpoint().Prepared() || a.code("PASV") != 227 {
		t.Error("REIN does not end EPSV ALL")
	}
}

// TestOnePreparationAtATime: the last command counts, and one transfer takes it.
func TestOnePreparationAtATime(t *testing.T) {
	a := ask(t, peer4, local4, Policy{})
	a.code("PASV")
	a.code("PORT 192,0,2,77,20,20")
	if at := a.Take(); at.Port() != 0 || at.To().Port() != 5140 {
		t.Errorf("PORT after PASV: the connection is awaited at %d, or goes to %v", at.Port(), at.To())
	}
	if a.Endpoint().Prepared() {
		t.Error("a second transfer finds what the first has taken")
	}
}

func TestPassivePortsOfPolicy(t *testing.T) {
	if p, err := (Policy{}).Checked(); err != nil || p.First != 50000 || p.Last != 50999 {
		t.Errorf("the default is %d-%d, %v", p.First, p.Last, err)
	}
	for _, p := range []Policy{{First: 5, Last: 4}, {Last: 4}, {First: 4}} {
		if _, err := p.Checked(); err == nil || !strings.Contains(err.Error(), "passive ports") {
			t.Errorf("passive ports %d-%d: %v", p.First, p.Last, err)
		}
	}
}
