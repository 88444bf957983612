package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"

	"ferry/internal/config"
	"ferry/internal/daemon"
)

// greet shows a stranger what was started, and lines to copy into another
// terminal. It is not part of the log: a password that was made up just now
// stands in it, and nowhere else.
func greet(c console, conf *config.Config, at daemon.Started) {
	users, d, secure, ssh := at.Users, at.Listeners, at.TLS, at.SSH
	w := newWay(conf, d, secure)
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	say("")
	say("  %s serves %s%s", c.bold("Ferry"), servedText(conf), readOnlyText(conf))
	for _, one := range d {
		host, port := greetingHost(one.Listener.Addr())
		say("  at %s%s", c.bold(ftpURL(one.Name, host, port)), othersAt(one.Name, one.Listener.Addr(), port))
	}
	say("")
	for _, p := range users {
		say("  user %s, password %s", c.bold(p.Name), c.shownPassword(p))
	}
	if slices.ContainsFunc(users, func(p daemon.StaticUser) bool { return p.Made }) {
		say("  (made up for this start; FERRY_PASSWORD or ferry user add sets one that stays)")
	}
	if len(users) == 0 {
		say("  the users of %s (ferry user list --state %[1]s)", printable(conf.Server.State))
	}
	if conf.Users.Anonymous {
		say("  user %s, any password: reads%s", c.bold("anonymous"), dropText(conf))
	}
	say("")
	for _, line := range w.copyLines(users) {
		say("    %s", line)
	}
	for _, line := range sftpLines(d, users, conf.Storage.ReadOnly) {
		say("    %s", line)
	}
	say("")
	if fingerprint := secure.Fingerprint(); fingerprint != "" && w.scheme != "" { // SFTP alone shows no certificate
		say("  TLS certificate SHA-256 %s", fingerprint)
	}
	if w.unchecked {
		say("  The certificate is self-signed, and the lines above take any: from other machines, compare this fingerprint.")
	}
	for _, fingerprint := range ssh.Fingerprints() {
		say("  SSH host key %s", fingerprint)
	}
	if w.clear {
		say("  %s", c.warning(plainText(w.tls)))
	}
	say("  Ctrl-C stops the server; transfers that run may finish.")
	say("")
	fmt.Fprint(c.out, b.String())
}

// servedText is what is served.
func servedText(conf *config.Config) string {
	if conf.Storage.Root == "" && conf.System.Enabled {
		return "the homes of this machine's users"
	}
	return printable(conf.Storage.Root)
}

func readOnlyText(conf *config.Config) string {
	if conf.Storage.ReadOnly {
		return ", and nobody may change anything"
	}
	return ""
}

func plainText(tls bool) string {
	if tls {
		return "Plain FTP is allowed too: with it, whoever is on the way can read passwords and files."
	}
	return "Plain FTP: whoever is on the way can read passwords and files."
}

func (c console) shownPassword(p daemon.StaticUser) string {
	if p.Made {
		return c.bold(p.Secret)
	}
	return "as you gave it"
}

func dropText(conf *config.Config) string {
	if conf.Users.Drop == "" {
		return ""
	}
	return ", and may put new files into " + printable(conf.Users.Drop)
}

// way is how the lines of the greeting reach the server.
type way struct {
	scheme, host, port string
	tls                bool // by AUTH TLS or from the start
	unchecked          bool // no client can check the certificate by itself
	clear              bool // plain FTP works
	readOnly           bool // nothing can be put there
}

// newWay prefers FTP with AUTH TLS, which more clients speak than FTPS.
func newWay(conf *config.Config, d daemon.Listeners, secure daemon.Encryption) way {
	w := way{scheme: d[0].Name, tls: secure.On(), unchecked: secure.SelfSigned()}
	if w.scheme == "sftp" {
		return way{} // there is no FTP at all
	}
	w.host, w.port = greetingHost(d[0].Listener.Addr())
	w.readOnly = conf.Storage.ReadOnly
	w.clear = w.scheme == "ftp" && conf.RequireAt(false) == "off"
	return w
}

// copyLines use the first user. A password that was given is not shown again:
// curl, lftp and ftp ask for it.
func (w way) copyLines(users []daemon.StaticUser) []string {
	if len(users) == 0 || w.scheme == "" {
		return nil
	}
	user, login := users[0].Name, users[0].Name
	if users[0].Made {
		login += ":" + users[0].Secret
	}
	url, bare := ftpURL(w.scheme, w.host, w.port), strings.Trim(w.host, "[]")
	site := bare
	if w.scheme == "ftps" {
		site = "ftps://" + w.host
	}
	var lines []string
	if !w.readOnly {
		lines = append(lines, fmt.Sprintf("curl %s-u %s -T FILE %s", w.curlOptions(), login, url))
	}
	lines = append(lines,
		fmt.Sprintf("curl %s-u %s -O %sFILE", w.curlOptions(), login, url),
		fmt.Sprintf("lftp %s-u %s -p %s %s", w.lftpOptions(), strings.Replace(login, ":", ",", 1), w.port, site))
	if w.clear {
		lines = append(lines, fmt.Sprintf("ftp %s %s    # user %s%s", bare, w.port, user, w.inClear()))
	}
	return lines
}

func (w way) curlOptions() string {
	options := ""
	if w.unchecked {
		options += "-k "
	}
	if w.tls && w.scheme == "ftp" {
		options += "--ssl-reqd "
	}
	return options
}

func (w way) lftpOptions() string {
	var set []string
	if w.tls && w.scheme == "ftp" {
		set = append(set, "set ftp:ssl-force true")
	}
	if w.unchecked {
		set = append(set, "set ssl:verify-certificate no")
	}
	if len(set) == 0 {
		return ""
	}
	return "-e '" + strings.Join(set, "; ") + "' "
}

func (w way) inClear() string {
	if w.tls {
		return ", in clear"
	}
	return ""
}

func ftpURL(scheme, host, port string) string {
	return scheme + "://" + net.JoinHostPort(strings.Trim(host, "[]"), port) + "/"
}

// greetingHost is how a client on this machine reaches at.
func greetingHost(at net.Addr) (host, port string) {
	ap, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return at.String(), ""
	}
	port = strconv.Itoa(int(ap.Port()))
	if ap.Addr().IsUnspecified() {
		return "localhost", port
	}
	return ap.Addr().Unmap().String(), port
}

// othersAt says how other machines reach a server that listens everywhere: by
// the first address of this machine that they could know.
func othersAt(scheme string, at net.Addr, port string) string {
	ap, err := netip.ParseAddrPort(at.String())
	if err != nil || !ap.Addr().IsUnspecified() {
		return ""
	}
	local, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range local {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return ", from other machines " + ftpURL(scheme, n.IP.String(), port)
		}
	}
	return ""
}

// bold and warning colour words where a person looks at a terminal that may be
// coloured (https://no-color.org).
func (c console) bold(s string) string    { return c.coloured("1", s) }
func (c console) warning(s string) string { return c.coloured("33", s) }

func (c console) coloured(code, s string) string {
	if os.Getenv("NO_COLOR") != "" || !term.IsTerminal(int(c.out.Fd())) {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// sftpLines are lines to copy for SFTP, with the first user.
func sftpLines(d daemon.Listeners, users []daemon.StaticUser, readOnly bool) []string {
	at := d.Find("sftp")
	if at == nil || len(users) == 0 {
		return nil
	}
	host, port := greetingHost(at)
	there := users[0].Name + "@" + bracketed(host)
	copies := "FILE " + there + ":"
	if readOnly {
		copies = there + ":FILE ."
	}
	return []string{"sftp -P " + port + " " + there, "scp -P " + port + " " + copies}
}

// bracketed is host as sftp and scp want it, which take what is behind the
// first colon for a name.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
