package daemon

import (
	"context"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/setting"
)

// virtualHosts are the hosts with their greetings; "": the server's.
func virtualHosts(conf *config.Config) map[string]string {
	known := make(map[string]string, len(conf.Hosts.Names))
	for _, name := range conf.Hosts.Names {
		known[name] = setting.Assigned(conf.Hosts.Greetings, name)
	}
	return known
}

// byHost asks the authenticator of the virtual host that the client asked
// for, where it has one of its own.
type byHost struct {
	hosts  []string
	own    map[string]ferry.Authenticator
	others ferry.Authenticator
}

// Authenticate implements ferry.Authenticator. "anonymous@HOST" is the
// anonymous user of that host: SSH, and FTP clients without HOST, have no other
// way of asking for one.
func (b byHost) Authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	name, host, _ := strings.Cut(c.Name, "@")
	host = strings.ToLower(host)
	if auth.IsAnonymous(name) && slices.Contains(b.hosts, host) && (c.Host == "" || c.Host == host) {
		c.Name, c.Host = name, host
	}
	if own := b.own[c.Host]; own != nil {
		return own.Authenticate(ctx, c)
	}
	return b.others.Authenticate(ctx, c)
}

// welcoming is users with the anonymous ones of each host before them.
func welcoming(conf *config.Config, users ferry.Authenticator) ferry.Authenticator {
	own := map[string]ferry.Authenticator{}
	for _, a := range conf.Hosts.AnonymousRoots {
		own[a.Left] = auth.Anonymous(anonymous(conf, a.Left), users)
	}
	return byHost{conf.Hosts.Names, own, auth.Anonymous(anonymous(conf, ""), users)}
}

// accountOn tells which account a login name means on a virtual host: on one
// whose users are its own, "alice" is "alice@HOST", and so is "alice@HOST".
// Anonymous users are nobody's own.
func accountOn(conf *config.Config) func(host, name string) string {
	return func(host, name string) string {
		if host == "" || !slices.Contains(conf.Hosts.OwnUsers, host) || auth.IsAnonymous(name) || strings.HasSuffix(name, "@"+host) {
			return name
		}
		return name + "@" + host
	}
}
