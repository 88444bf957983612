package gate

import "ferry"

// account is what the live sessions of one user share: the bandwidth.
type account struct {
	name     string
	up, down *bucket
	sessions int
}

// enter counts one more session of u. The limits of the latest login hold for
// all.
func (g *Gate) enter(u ferry.User) *account {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.accounts[u.Name]
	if a == nil {
		a = &account{name: u.Name, up: newBucket(0), down: newBucket(0)}
		g.accounts[u.Name] = a
	}
	a.sessions++
	g.setRates(a, u.Limits)
	return a
}

// setRates gives the account's buckets the bandwidth that it may have now.
func (g *Gate) setRates(a *account, l ferry.Limits) {
	a.up.setRate(l.Upload)
	a.down.setRate(l.Download)
}

func (g *Gate) leave(a *account) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a.sessions--
	if a.sessions == 0 {
		delete(g.accounts, a.name)
	}
}
