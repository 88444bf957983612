package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"ferry"
	"ferry/internal/config"
	"ferry/internal/disk"
	"ferry/internal/opensshlog"
	"ferry/internal/sftpserver"
)

// sftpServerCmd is `ferry sftp-server`: SFTP on stdin and stdout, for sshd's
// Subsystem line and for `sftp -D`. Its short flags are those of OpenSSH's
// sftp-server(8).
type sftpServerCmd struct {
	Stderr   bool   `short:"e" help:"Log to stderr instead of syslog; sshd throws that away."`
	LogLevel string `short:"l" placeholder:"LEVEL" words:"QUIET,FATAL,ERROR,INFO,VERBOSE,DEBUG,DEBUG1,DEBUG2,DEBUG3" default:"ERROR" help:"QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG1, DEBUG2 or DEBUG3."`
	Facility string `short:"f" placeholder:"FACILITY" words:"DAEMON,USER,AUTH,AUTHPRIV,LOCAL0,LOCAL1,LOCAL2,LOCAL3,LOCAL4,LOCAL5,LOCAL6,LOCAL7" default:"AUTH" help:"Of syslog: DAEMON, USER, AUTH, AUTHPRIV, LOCAL0 to LOCAL7."`
	ReadOnly bool   `short:"R" help:"Refuse all that would change something."`
	Allow    string `short:"p" placeholder:"REQUESTS" help:"Allow only these requests, separated by commas."`
	Deny     string `short:"P" placeholder:"REQUESTS" help:"Refuse these requests, separated by commas."`
	Start    string `short:"d" placeholder:"DIR" help:"Start in this directory instead of the working directory, which from sshd is the home; %d is the home, %u the user."`
	Query    string `short:"Q" placeholder:"WHAT" words:"requests" help:"With \"requests\": print the names for -p and -P, and end."`
	Umask    string `short:"u" placeholder:"UMASK" help:"The umask of new files, in octal, instead of the one of the process."`
	Shell    bool   `short:"c" help:"Take no notice of what follows: sshd runs a login shell so."`

	// Ignored is what OpenSSH's takes no notice of, too: scp -D gives it a host.
	Ignored []string `arg:"" optional:"" hidden:"" passthrough:""`
}

// Help says how to put it in the place of OpenSSH's.
func (*sftpServerCmd) Help() string {
	return "In sshd_config:\n\n  Subsystem sftp /usr/bin/ferry sftp-server -l INFO\n\n" +
		"Without sshd:\n\n  sftp -D \"ferry sftp-server\""
}

// Run serves the whole file system as the user who calls; the kernel says what
// that user may do. What is uploaded is staged and durable, as with `ferry
// serve`. A signal needs no answer: the parts of broken uploads are kept by
// being there.
func (cmd *sftpServerCmd) Run(c console) error {
	if cmd.Query != "" {
		return cmd.query(c)
	}
	me := caller()
	var stderr io.Writer // nil: the log goes to syslog
	if cmd.Stderr {
		stderr = c.err
	}
	log, flush, err := opensshlog.Open(cmd.LogLevel, cmd.Facility, stderr)
	if err != nil {
		return config.Usagef("%w", err)
	}
	defer flush()
	umask, err := cmd.umask()
	if err != nil {
		return err
	}
	session, err := cmd.session(me, log)
	if err != nil {
		return err
	}
	if err := hideProcess(); err != nil {
		return err
	}
	tree, err := disk.Open(disk.Config{Root: "/", AsCaller: true, Durable: true, Umask: umask, Log: log})
	if err != nil {
		return err
	}
	defer tree.Close()
	done := opensshlog.Watch(tree.For(session.User), log)
	defer done.Close()
	session.Log, session.FS = log, done
	who := fmt.Sprintf("local user %s from [%s]", me.Username, cameFrom())
	log.Info("session opened for " + who)
	err = sftpserver.Serve(context.Background(), standardStreams{c.in, c.out}, session)
	if p := (*ferry.PanicError)(nil); errors.As(err, &p) {
		log.Error("a request panicked", "error", p, "stack", string(p.Stack))
	}
	log.Info("session closed for " + who)
	done.Sweep(tree.SweepDir)
	return err
}

// query answers -Q. Of what OpenSSH's may be asked there are the requests only,
// too.
func (cmd *sftpServerCmd) query(c console) error {
	if cmd.Query != "requests" {
		return config.Usagef("-Q %s: only \"requests\" can be asked for", cmd.Query)
	}
	return c.print("%s", strings.Join(sftpserver.Requests(), "\n"))
}

// caller is the user that the process runs as. One without an entry in the system's
// files has a number for a name, and the home that the environment says.
func caller() *user.User {
	me, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		uid := strconv.Itoa(os.Getuid())
		me = &user.User{Uid: uid, Username: uid, HomeDir: cmp.Or(os.Getenv("HOME"), "/")}
	}
	return me
}

// session is everything about the session but its files.
func (cmd *sftpServerCmd) session(me *user.User, log *slog.Logger) (sftpserver.Options, error) {
	allow, err := requests("-p", cmd.Allow)
	if err != nil {
		return sftpserver.Options{}, err
	}
	deny, err := requests("-P", cmd.Deny)
	if err != nil {
		return sftpserver.Options{}, err
	}
	host := host{me: me}
	start, err := cmd.start(host, log)
	if err != nil {
		return sftpserver.Options{}, err
	}
	owners := &idNames{find: func(id string) (string, error) {
		u, err := user.LookupId(id)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	}}
	groups := &idNames{find: func(id string) (string, error) {
		g, err := user.LookupGroupId(id)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	}}
	return sftpserver.Options{
		User: ferry.User{Name: me.Username}, Start: start, Host: host, ReadOnly: cmd.ReadOnly, Allow: allow, Deny: deny,
		Owner: owners.name, Group: groups.name, Zone: time.Local, Version: buildOf().Version,
	}, nil
}

// start is where relative names begin: the working directory, or what -d says. One
// that is not there is told of, and the session begins all the same.
func (cmd *sftpServerCmd) start(h host, log *slog.Logger) (ferry.Name, error) {
	if cmd.Start != "" {
		dir, err := h.expand(cmd.Start)
		if err != nil {
			return "", config.Usagef("-d %s: %w", cmd.Start, err)
		}
		if err := os.Chdir(dir); err != nil {
			log.Error("cannot start in the directory of -d: the session starts in the working directory", "directory", dir, "error", reasonOf(err))
		}
	}
	dir, err := syscall.Getwd() // and not $PWD, which may be another name of it
	if err != nil {
		log.Error("the working directory is not there: the session starts in /", "error", err)
		return ferry.Root, nil
	}
	return ferry.Clean(ferry.Root, dir)
}

// requests reads a list of names of requests, as -p and -P have it.
func requests(flag, list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(sftpserver.Requests(), name) {
			return nil, config.Usagef("%s: there is no request %q; there are: %s", flag, name, strings.Join(sftpserver.Requests(), ", "))
		}
	}
	return names, nil
}

// umask is what is taken from the permissions of new files.
func (cmd *sftpServerCmd) umask() (fs.FileMode, error) {
	if cmd.Umask == "" {
		mask := syscall.Umask(0) // it can only be read by changing it
		syscall.Umask(mask)
		return fs.FileMode(mask), nil
	}
	mask, err := strconv.ParseUint(cmd.Umask, 8, 32)
	if err != nil || mask > 0o777 {
		return 0, config.Usagef("-u %s: a umask is an octal number up to 777, such as 022", cmd.Umask)
	}
	return fs.FileMode(mask), nil
}

// idNames finds the names for numbers, and remembers them: a listing asks for
// each entry, and each answer costs reading a file of the system's.
type idNames struct {
	find  func(id string) (string, error)
	mu    sync.Mutex
	known map[uint32]string
}

// mostNames is how many are remembered.
const mostNames = 4096

func (n *idNames) name(id uint32) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, ok := n.known[id]
	if ok {
		return name
	}
	name, err := n.find(strconv.FormatUint(uint64(id), 10))
	if err != nil {
		name = ""
	}
	if n.known == nil || len(n.known) >= mostNames {
		n.known = map[uint32]string{}
	}
	n.known[id] = name
	return name
}

// standardStreams are stdin and stdout as one stream.
type standardStreams struct{ in, out *os.File }

func (s standardStreams) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s standardStreams) Write(p []byte) (int, error) { return s.out.Write(p) }

// Close tells the client that nothing more comes.
func (s standardStreams) Close() error {
	_ = s.in.Close()
	return s.out.Close()
}

// cameFrom is the client's address, as sshd tells it to what it runs.
func cameFrom() string {
	address, _, _ := strings.Cut(os.Getenv("SSH_CONNECTION"), " ")
	if address == "" {
		return "UNKNOWN"
	}
	return address
}
