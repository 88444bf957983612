package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// greet shows a stranger what was started, and lines to copy into another
// terminal. It is not part of the log: a password that was made up just now
// stands in it, and nowhere else.
func greet(c console, conf *config, people []person, at net.Addr) {
	host, port := greetingHost(at)
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	say("")
	say("  %s serves %s", c.bold("Ferry"), printable(conf.Storage.Root))
	say("  at %s%s", c.bold(ftpURL("", host, port)), othersAt(at, port))
	say("")
	for _, p := range people {
		say("  user %s, password %s", c.bold(p.name), c.shownPassword(p))
	}
	if conf.Users.Anonymous {
		say("  user %s, any password: reads%s", c.bold("anonymous"), dropText(conf))
	}
	say("")
	for _, line := range copyLines(people, host, port) {
		say("    %s", line)
	}
	say("")
	say("  %s", c.warning("Plain FTP: whoever is on the way can read passwords and files."))
	say("  Ctrl-C stops the server; transfers that run may finish.")
	say("")
	fmt.Fprint(c.out, b.String())
}

func (c console) shownPassword(p person) string {
	if p.made {
		return c.bold(p.secret)
	}
	return "as you gave it"
}

func dropText(conf *config) string {
	if conf.Users.Drop == "" {
		return ""
	}
	return ", and may put new files into " + printable(conf.Users.Drop)
}

// copyLines use the first user. A password that was given is not shown again:
// curl, lftp and ftp ask for it.
func copyLines(people []person, host, port string) []string {
	if len(people) == 0 {
		return nil
	}
	user, login := people[0].name, people[0].name
	if people[0].made {
		login += ":" + people[0].secret
	}
	bare := strings.Trim(host, "[]")
	return []string{
		fmt.Sprintf("curl -u %s -T FILE %s", login, ftpURL("", host, port)),
		fmt.Sprintf("curl -u %s -O %sFILE", login, ftpURL("", host, port)),
		fmt.Sprintf("lftp -u %s -p %s %s", strings.Replace(login, ":", ",", 1), port, bare),
		fmt.Sprintf("ftp %s %s    # user %s", bare, port, user),
	}
}

func ftpURL(user, host, port string) string {
	return "ftp://" + user + net.JoinHostPort(strings.Trim(host, "[]"), port) + "/"
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
func othersAt(at net.Addr, port string) string {
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
			return ", from other machines " + ftpURL("", n.IP.String(), port)
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
