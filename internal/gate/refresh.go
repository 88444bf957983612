package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"ferry"
)

// Refresh is to be called when accounts may have changed. It looks up the account
// of every live session, and makes the session what the account says now:
//
//   - An account that is gone (fs.ErrNotExist) or may not log in any more ends its
//     sessions, with the cause ferry.ErrKicked, and so does one whose files are
//     other ones now (another home, another identity).
//   - Rights and bandwidth hold from now on. A transfer that has lost a right to
//     its file is stopped.
//   - An account that cannot be looked up for another reason keeps its sessions as
//     they are, and the reason is in the error.
//
// A login that is under way meanwhile is decided anew. Anonymous users have no
// account that could change.
func (g *Gate) Refresh(ctx context.Context, lookup func(ctx context.Context, name string) (ferry.User, error)) error {
	g.mu.Lock()
	g.refreshes++
	g.mu.Unlock()
	var failed []error
	found := make(map[string]answer)
	for _, c := range g.live() {
		s := c.current()
		if s == nil || s.User().Anonymous {
			continue
		}
		name := s.User().Name
		now, known := found[name]
		if !known {
			now.user, now.err = lookup(ctx, name)
			found[name] = now
			if now.err != nil && !errors.Is(now.err, fs.ErrNotExist) {
				failed = append(failed, fmt.Errorf("look up user %q: %w", name, now.err))
			}
		}
		switch {
		case errors.Is(now.err, fs.ErrNotExist):
			c.cancel(ferry.ErrKicked)
		case now.err == nil:
			s.follow(now.user)
		}
	}
	return errors.Join(failed...)
}

// answer is what a lookup said of an account.
type answer struct {
	user ferry.User
	err  error
}

// follow makes s a session of the account as it is now, or ends its connection.
func (s *Session) follow(now ferry.User) {
	was := s.User()
	if !now.MayLogin(time.Now()) || !sameFiles(was, now) {
		s.conn.cancel(ferry.ErrKicked)
		return
	}
	s.user.Store(&now)
	s.expireWith(now)
	s.conn.gate.setRates(s.account, now.Limits)
	if slices.Equal(was.Rules, now.Rules) {
		return
	}
	for _, t := range s.handles() {
		lost := ferry.RightsAt(was.Rules, t.name) &^ ferry.RightsAt(now.Rules, t.name)
		if lost&rightsFor(t.mode) != 0 {
			t.interrupt(ferry.ErrKicked)
			_ = t.Abort(ferry.ErrKicked) // the event tells
		}
	}
}

// rightsFor are the rights of which a file may have been opened in mode m.
func rightsFor(m ferry.Mode) ferry.Right {
	if m == ferry.Read {
		return ferry.RightRead
	}
	return ferry.RightCreate | ferry.RightOverwrite | ferry.RightAppend
}

// sameFiles tells whether an account sees the same files as before, and leaves
// there what it leaves in the same way: what a session cannot change while it lasts.
func sameFiles(a, b ferry.User) bool {
	return a.Home == b.Home && a.Shared == b.Shared && a.Anonymous == b.Anonymous && a.DirectUploads == b.DirectUploads && a.Identity.Equal(b.Identity)
}

// expireWith ends the connection when the account u expires.
func (s *Session) expireWith(u ferry.User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	if s.ended || u.Expires.IsZero() {
		return
	}
	s.expiry = time.AfterFunc(time.Until(u.Expires), func() { s.conn.cancel(ferry.ErrKicked) })
}
