package ferry

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Login is what an account wants to be shown at a login. There are two
// factors: a key, which is a public key of the account's or a certificate that
// stands for it, and the password.
type Login uint8

const (
	LoginAny            Login = iota // one factor, whichever the account has
	LoginKey                         // the key; the password does not count
	LoginPassword                    // the password; keys do not count
	LoginKeyAndPassword              // both
)

// loginNames, in the order of the constants.
func loginNames() [4]string { return [4]string{"any", "key", "password", "key+password"} }

// ParseLogin reads "any", "key", "password" or "key+password".
func ParseLogin(s string) (Login, error) {
	names := loginNames()
	for l, name := range names {
		if s == name {
			return Login(l), nil
		}
	}
	return 0, fmt.Errorf("unknown way to log in %q: use one of %s", s, strings.Join(names[:], ", "))
}

// String is what ParseLogin reads.
func (l Login) String() string {
	if names := loginNames(); int(l) < len(names) {
		return names[l]
	}
	return "unknown"
}

// wants tells whether the factors are those that l asks for. What is not known
// asks for more than there is.
func (l Login) wants(key, password bool) bool {
	switch l {
	case LoginAny:
		return key || password
	case LoginKey:
		return key
	case LoginPassword:
		return password
	}
	return l == LoginKeyAndPassword && key && password
}

// Claim is what a client says of itself, and shows, to be let in.
type Claim struct {
	Protocol string // "ftp", "ftps", "sftp"
	Name     string
	Password string
	// Host is the virtual host that the client asked for (HOST, SNI); "": none.
	Host string
	// Key is the fingerprint ("SHA256:…", as ssh-keygen -l shows it) of a public
	// key that the client has proved to hold the private half of. It is right
	// if it is one of the account's.
	Key string
	// Certified: the client has shown, by a certificate that was verified,
	// that it is Name. That is as good as a key of the account's.
	Certified bool
	// Principals are those of an SSH certificate, which stands for whoever has
	// one of them; nil: it was found out already that it stands for Name.
	Principals []string
	// Certificate describes that certificate for the log; may be "".
	Certificate string
	// Both: the claim shows a key or certificate and a password, and both must
	// be right. Without it, a claim with a key shows no password.
	Both bool
	// Denied says for the log what else the account needs and is missing, or what
	// is wrong with what was shown; "": nothing. A claim that is denied does not
	// hold, after the same work as any other that does not.
	Denied string
	Peer   netip.AddrPort
	Local  netip.AddrPort
}

// Shows tells which factors the claim brings, right or wrong.
func (c Claim) Shows() (key, password bool) {
	key = c.Key != "" || c.Certified
	return key, !key || c.Both
}

// By says for the log what the claim shows: never a secret.
func (c Claim) By() string {
	by := "password"
	switch {
	case c.Certified && c.Certificate != "":
		by = c.Certificate
	case c.Certified:
		by = "certificate"
	case c.Key != "":
		by = "key " + c.Key
	}
	if key, password := c.Shows(); key && password {
		by += " and password"
	}
	return by
}

// Admits is the one predicate that says whether a claim, all of which is right,
// lets u in at now. It is ErrLogin where the account is not usable, wants to be
// shown something else, or is not the one that the certificate is for, with the
// reason behind it, which no client is told; and
// ErrPartial for a right key where the password is wanted beside it. A password
// without the key is never told to be half the way: whoever guesses it must not
// learn that it is right.
func (u User) Admits(c Claim, now time.Time) error {
	key, password := c.Shows()
	switch {
	case !u.MayLogin(now):
		return fmt.Errorf("%w: %s", ErrLogin, u.unusable(now))
	case c.Certified && !u.namedBy(c.Principals):
		return fmt.Errorf("%w: the certificate is not for the account, but for the principals %.200q", ErrLogin, c.Principals)
	case u.Login.wants(key, password):
		return nil
	case key && u.Login == LoginKeyAndPassword:
		return ErrPartial
	}
	return fmt.Errorf("%w: the account logs in by %s", ErrLogin, u.Login)
}

// namedBy tells whether a certificate with these principals stands for u.
func (u User) namedBy(principals []string) bool {
	if principals == nil {
		return true
	}
	if len(u.Principals) == 0 {
		return slices.Contains(principals, u.Name)
	}
	return slices.ContainsFunc(u.Principals, func(p string) bool { return slices.Contains(principals, p) })
}

// Authenticator decides whether a claim holds and whose account it is.
//
// It answers ErrLogin to every claim that does not hold, with the reason behind it
// for the log and for nobody else, after work that costs the same for a known and an
// unknown name. A claim holds
// when everything that it shows is right and User.Admits it; one that is right
// and not enough by itself may get ErrPartial. Any other error means that it
// could not find out (the database is away): the client is told so, and nothing
// is counted against its address. The password is never in an error. It may be
// called from several goroutines at once.
type Authenticator interface {
	Authenticate(ctx context.Context, c Claim) (User, error)
}
