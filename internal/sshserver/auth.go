package sshserver

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/gate"
)

// maxTries is how many attempts a connection has, each key that is offered
// among them: clients offer all that their agent holds. Failed logins are
// counted by the gate, and end the connection much earlier.
const maxTries = 20

// admittedKey is under what the Permissions of a login hold who it is. Nothing
// about who somebody is lies anywhere else: what a callback puts down beside
// them could belong to a key that was only offered.
type admittedKey struct{}

// admitted is who a handshake has let in.
type admitted struct {
	session *gate.Session
	// onlySFTP: the certificate that let it in is good for SFTP and for no
	// command.
	onlySFTP bool
}

// handshake is the configuration of this client's handshake.
func (c *sshConn) handshake() *ssh.ServerConfig {
	cfg := *c.srv.modern
	if within(c.srv.cfg.Legacy, c.peer.Addr()) {
		cfg = *c.srv.legacy
	}
	cfg.PreAuthConnCallback = func(p ssh.ServerPreAuthConn) {
		c.mu.Lock()
		c.preAuth = p
		c.mu.Unlock()
		c.noteLegacy(p)
	}
	cfg.AuthLogCallback = c.tried
	cfg.PublicKeyCallback = c.keyOffered
	cfg.VerifiedPublicKeyCallback = c.keyProved
	if !c.srv.cfg.NoPasswords {
		next := c.askPassword(c.passwordAlone)
		cfg.PasswordCallback, cfg.KeyboardInteractiveCallback = next.PasswordCallback, next.KeyboardInteractiveCallback
	}
	return &cfg
}

// tried hears of each attempt to log in. Those that the library refuses by itself go
// to no callback of ours.
func (c *sshConn) tried(meta ssh.ConnMetadata, method string, err error) {
	c.claimed = claimedName(meta)
	if method == "none" {
		return // how clients ask which methods there are
	}
	c.hasTried = true
	if half := new(ssh.PartialSuccessError); err == nil || errors.As(err, &half) || !strings.HasPrefix(err.Error(), "ssh: ") {
		return
	}
	reason := err
	if strings.HasSuffix(err.Error(), " not configured") {
		reason = errors.New("this way to log in is not open here")
	}
	c.gateConn.Refused(c.claimed, method, reason)
}

// checkPassword decides what a password is good for.
type checkPassword func(meta ssh.ConnMetadata, password string) (*ssh.Permissions, error)

// askPassword are the two methods by which a client gives a password:
// "password" (RFC 4252 §8), and "keyboard-interactive" (RFC 4256), which asks
// the one question whoever it is.
func (c *sshConn) askPassword(check checkPassword) ssh.ServerAuthCallbacks {
	return ssh.ServerAuthCallbacks{
		PasswordCallback: func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			return check(meta, string(password))
		},
		KeyboardInteractiveCallback: func(meta ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			return check(meta, answers[0])
		},
	}
}

// passwordAlone lets in who needs nothing beside it.
func (c *sshConn) passwordAlone(meta ssh.ConnMetadata, password string) (*ssh.Permissions, error) {
	return c.login(meta, ferry.Claim{Password: password}, false)
}

// keyOffered says whether it is worth while for the client to sign with key
// (RFC 4252 §7). It decides nothing.
func (c *sshConn) keyOffered(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	claim, _ := c.claimOf(meta, key)
	if claim.Denied != "" {
		c.gateConn.Refused(claim.Name, claim.By(), errors.New(claim.Denied)) // anonymous users, too
		return nil, ferry.ErrLogin
	}
	if !c.gateConn.Offer(c.ctx, claim) {
		return nil, ferry.ErrLogin
	}
	return nil, nil
}

// keyProved lets in who has signed with key, or asks for the password where the
// account wants that, too. What was shown until then travels in the callbacks
// for the password and nowhere else, and is looked at again with it: the key
// may have been taken away meanwhile.
func (c *sshConn) keyProved(meta ssh.ConnMetadata, key ssh.PublicKey, _ *ssh.Permissions, algorithm string) (*ssh.Permissions, error) {
	c.noteLegacyKey(meta, algorithm)
	claim, onlySFTP := c.claimOf(meta, key)
	permissions, err := c.login(meta, claim, onlySFTP)
	if !errors.Is(err, ferry.ErrPartial) {
		return permissions, err
	}
	c.log.Debug("half the way in", "user", claim.Name, "by", claim.By())
	// The library ends the connection of a client that goes on with another
	// name, and takes no other key.
	return nil, &ssh.PartialSuccessError{Next: c.askPassword(func(meta ssh.ConnMetadata, password string) (*ssh.Permissions, error) {
		claim, onlySFTP := c.claimOf(meta, key)
		claim.Password, claim.Both = password, true
		return c.login(meta, claim, onlySFTP)
	})}
}

// claimOf is what a client claims that shows key: Denied where the key is
// revoked, or the certificate does not stand for the user. onlySFTP is whether
// it may do no more than SFTP by it.
func (c *sshConn) claimOf(meta ssh.ConnMetadata, key ssh.PublicKey) (claim ferry.Claim, onlySFTP bool) {
	c.claimed = claimedName(meta)
	claim = ferry.Claim{Name: c.claimed}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		claim.Key = ssh.FingerprintSHA256(key)
		if c.revoked(key) {
			claim.Denied = "the key is revoked"
		}
		return claim, false
	}
	claim.Certified, claim.Certificate, claim.Principals = true, describe(cert), cert.ValidPrincipals
	if err := c.checkCertificate(cert); err != nil {
		claim.Denied = "the certificate is not good here: " + err.Error()
	}
	_, onlySFTP = cert.CriticalOptions[forceCommand]
	return claim, onlySFTP
}

// login asks the gate.
func (c *sshConn) login(meta ssh.ConnMetadata, claim ferry.Claim, onlySFTP bool) (*ssh.Permissions, error) {
	claim.Name = claimedName(meta)
	sess, err := c.gateConn.Login(c.ctx, claim)
	if err != nil {
		return nil, c.loginFailed(err)
	}
	c.log.Debug("logged in", "user", sess.User().Name, "client", string(meta.ClientVersion()))
	return &ssh.Permissions{ExtraData: map[any]any{admittedKey{}: admitted{sess, onlySFTP}}}, nil
}

// loginFailed gives what the client is told, and ends the connection where no
// other attempt would be looked at.
func (c *sshConn) loginFailed(err error) error {
	switch {
	case errors.Is(err, ferry.ErrLogin), errors.Is(err, ferry.ErrPartial):
	case c.ctx.Err() != nil:
		err = context.Cause(c.ctx)
	case errors.Is(err, ferry.ErrTooManyLogins), errors.Is(err, ferry.ErrBanned), errors.Is(err, ferry.ErrUserFull):
		_ = c.preAuth.SendAuthBanner(sentence(err) + "\n")
		c.cancel(err)
	case errors.Is(err, ferry.ErrNoHome):
		return &ssh.BannerError{Err: err, Message: sentence(err) + "\n"}
	default:
		return &ssh.BannerError{Err: err, Message: "The login cannot be checked at the moment; try again later.\n"}
	}
	return err
}

// claimedName is the name that the client logs in with. No account has one
// half as long as what is cut off, but all of it would stand in the log.
func claimedName(meta ssh.ConnMetadata) string {
	const most = 256
	name := meta.User()
	return name[:min(len(name), most)]
}

// admittedBy is who a handshake with that result has let in.
func admittedBy(p *ssh.Permissions) (admitted, error) {
	if p != nil {
		if who, ok := p.ExtraData[admittedKey{}].(admitted); ok {
			return who, nil
		}
	}
	return admitted{}, errors.New("sftp: a handshake succeeded without a login")
}
