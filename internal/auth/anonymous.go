package auth

import (
	"context"
	"strings"
	"time"

	"ferry"
)

// Anonymous lets in everybody who calls itself "anonymous" or "ftp", in upper
// or lower case, with any password and with none (RFC 1635), as u. All other
// names are for next. Which of the two answers is no secret: the names are
// known to all.
//
// The user is always Anonymous and Shared.
func Anonymous(u ferry.User, next ferry.Authenticator) ferry.Authenticator {
	u.Anonymous, u.Shared = true, true
	return anonymous{u, next}
}

type anonymous struct {
	user ferry.User
	next ferry.Authenticator
}

// Authenticate implements ferry.Authenticator.
func (a anonymous) Authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	if !IsAnonymous(c.Name) {
		return a.next.Authenticate(ctx, c)
	}
	if err := a.user.Admits(c, time.Now()); err != nil {
		return ferry.User{}, err
	}
	return a.user, nil
}

// IsAnonymous tells whether name is one of those that Anonymous answers: no
// account should have it.
func IsAnonymous(name string) bool {
	return strings.EqualFold(name, "anonymous") || strings.EqualFold(name, "ftp")
}
