package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the stories run this very binary as the command ferry.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ferry": main})
}

// TestStories runs testdata/*.txtar. Beside what testscript has, a story may say:
//
//	serve ARGS...          start ferry serve on a free port of loopback and wait until it is ready; $FTP is its address,
//	                       $FTPS that of implicit FTPS, or "off"; with --sftp 127.0.0.1:0, $SFTPPORT is the port of that
//	shutdown [SIGNAL]      send SIGTERM, or SIGNAL, and wait for the exit: code 0, or with ! another
//	signal SIGNAL          send it, and go on
//	awaitlog REGEXP        wait for a line of the server's log
//	talk NAME FILE         a dialogue on the control connection NAME, opened when it is new: "C: text" is sent,
//	                       "S: regexp" must be the next line, and a group in it called port is that of a data connection,
//	                       to which "D: text" is sent; "CLOSE" ends that, "END" is the end of the control connection;
//	                       "TLS" makes the handshake, "TLS: name" asks for name, and $CERTIFICATE is the SHA-256 that was shown
//	certificate NAME [by=CA] [authority] [expired] [HOST...]  make NAME.crt, for HOST, and NAME.key
//	capture VAR FILE REGEXP  $VAR is what the first group matches
//	listeners REGEXP...    the sockets that the server listens on are these and no other
//
// The server's output is in serve.out and serve.err.
//
// A command must not have the name of one of testscript's own, which goes before it:
// stop ends the story there, as passed.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Values[serverKey{}] = &server{}
			e.Setenv("HOME", e.WorkDir)
			// A binary with the race detector idles a second before it exits, otherwise.
			e.Setenv("GORACE", "atexit_sleep_ms=50")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":       storyServe,
			"shutdown":    storyShutdown,
			"signal":      storySignal,
			"awaitlog":    storyAwaitLog,
			"talk":        storyTalk,
			"capture":     storyCapture,
			"listeners":   storyListeners,
			"certificate": storyCertificate,
		},
	})
}

type serverKey struct{}

// server is the one that a story has started.
type server struct {
	cmd     *exec.Cmd
	lines   chan string // of its log, as they come
	seen    []string
	clients map[string]*client
}

func serverOf(ts *testscript.TestScript) *server { return ts.Value(serverKey{}).(*server) }

func storyServe(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	args = append([]string{"serve", "--ftp", "127.0.0.1:0", "--sftp", "off", "--state", ts.Getenv("WORK") + "/state"}, args...)
	s.cmd = exec.Command("ferry", args...)
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(os.Environ(), "GORACE="+ts.Getenv("GORACE"), "HOME="+ts.Getenv("HOME"), "FERRY_PASSWORD="+ts.Getenv("FERRY_PASSWORD"))
	out, err := os.Create(ts.MkAbs("serve.out"))
	ts.Check(err)
	defer out.Close()
	s.cmd.Stdout = out
	stderr, err := s.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() { s.cmd.Process.Kill() })

	s.lines, s.seen, s.clients = make(chan string, 10000), nil, map[string]*client{}
	log, err := os.Create(ts.MkAbs("serve.err"))
	ts.Check(err)
	go func() {
		defer close(s.lines)
		defer log.Close()
		for r := bufio.NewScanner(stderr); r.Scan(); {
			fmt.Fprintln(log, r.Text())
			s.lines <- r.Text()
		}
	}()
	ready := s.await(ts, `\bready\b`)
	address := regexp.MustCompile(`"?ftp"?[=:]"?([^" ]+)"?[ ,]"?ftps"?[=:]"?([^" ]+)`).FindStringSubmatch(ready)
	if address == nil {
		ts.Fatalf("no addresses in the ready line: %s", ready)
	}
	if ssh := regexp.MustCompile(`"?sftp"?[=:]"?[^" ]+:(\d+)`).FindStringSubmatch(ready); ssh != nil {
		ts.Setenv("SFTPPORT", ssh[1])
	}
	ts.Setenv("FTP", address[1])
	ts.Setenv("FTPS", address[2])
	ts.Setenv("PORT", address[1][strings.LastIndexByte(address[1], ':')+1:])
}

// await reads the log until a line matches; one that was read before counts.
func (s *server) await(ts *testscript.TestScript, pattern string) string {
	want, err := regexp.Compile(pattern)
	ts.Check(err)
	if at := slices.IndexFunc(s.seen, want.MatchString); at >= 0 {
		return s.seen[at]
	}
	// A line that never comes fails its story, and not all tests, ten minutes later.
	late := time.After(2 * time.Minute)
	for {
		select {
		case line, more := <-s.lines:
			if !more {
				ts.Fatalf("the server ended and no line of its log matches %s:\n%s", pattern, strings.Join(s.seen, "\n"))
			}
			s.seen = append(s.seen, line)
			if want.MatchString(line) {
				return line
			}
		case <-late:
			ts.Fatalf("no line of the log matches %s:\n%s", pattern, strings.Join(s.seen, "\n"))
		}
	}
}

func storyAwaitLog(ts *testscript.TestScript, neg bool, args []string) {
	serverOf(ts).await(ts, args[0])
}

func storySignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM}
	ts.Check(serverOf(ts).cmd.Process.Signal(signals[args[0]]))
}

func storyShutdown(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		args = []string{"TERM"}
	}
	storySignal(ts, false, args)
	s := serverOf(ts)
	for line := range s.lines { // to the end, before Wait closes the pipe
		s.seen = append(s.seen, line)
	}
	if err := s.cmd.Wait(); (err != nil) != neg {
		ts.Fatalf("the server ended with %v; its log:\n%s", err, strings.Join(s.seen, "\n"))
	}
}

// client is one control connection of a story.
type client struct {
	net.Conn
	replies *bufio.Reader
	data    net.Conn // the data connection that was opened last
}

func (s *server) client(ts *testscript.TestScript, name string) *client {
	if c := s.clients[name]; c != nil {
		return c
	}
	conn, err := net.DialTimeout("tcp", ts.Getenv("FTP"), time.Minute)
	ts.Check(err)
	ts.Check(conn.SetDeadline(time.Now().Add(time.Minute)))
	ts.Defer(func() { conn.Close() })
	s.clients[name] = &client{Conn: conn, replies: bufio.NewReader(conn)}
	return s.clients[name]
}

// storyTalk plays the client's side of a dialogue. Lines of the client may
// hold escapes as Go writes them (\r, \x00), and variables.
func storyTalk(ts *testscript.TestScript, neg bool, args []string) {
	conn, file := serverOf(ts).client(ts, args[0]), args[1]
	for line := range strings.Lines(ts.ReadFile(file)) {
		side, text, ok := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		switch {
		case ok && side == "C":
			_, err := io.WriteString(conn, unescaped(ts, text)+"\r\n")
			ts.Check(err)
		case ok && side == "S":
			conn.expect(ts, file, text)
		case ok && side == "D":
			_, err := io.WriteString(conn.data, unescaped(ts, text))
			ts.Check(err)
		case side == "TLS":
			conn.startTLS(ts, unescaped(ts, text))
		case strings.TrimSpace(line) == "CLOSE":
			ts.Check(conn.data.Close())
		case strings.TrimSpace(line) == "END":
			if rest, err := io.ReadAll(conn.replies); err != nil || len(rest) > 0 {
				ts.Fatalf("%s: want the end of the connection, got %q, %v", file, rest, err)
			}
		default:
			ts.Fatalf("%s: not a line of a dialogue: %s", file, line)
		}
	}
}

func unescaped(ts *testscript.TestScript, text string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(os.Expand(text, ts.Getenv), `"`, `\"`) + `"`)
	ts.Check(err)
	return text
}

// expect reads one line of the server. A group
// named port in the pattern is that of a data connection, which is opened.
func (c *client) expect(ts *testscript.TestScript, file, pattern string) {
	want, err := regexp.Compile("^(?:" + pattern + ")\r\n$")
	ts.Check(err)
	reply, err := c.replies.ReadString('\n')
	match := want.FindStringSubmatch(reply)
	if err != nil || match == nil {
		ts.Fatalf("%s: want %s, got %q, %v", file, pattern, reply, err)
	}
	if port := want.SubexpIndex("port"); port > 0 {
		c.data, err = net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", match[port]), time.Minute)
		ts.Check(err)
		ts.Defer(func() { c.data.Close() })
	}
}

func storyCapture(ts *testscript.TestScript, neg bool, args []string) {
	match := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if match == nil {
		ts.Fatalf("%s does not match %s:\n%s", args[1], args[2], ts.ReadFile(args[1]))
	}
	ts.Setenv(args[0], match[1])
}

// storyListeners compares what the kernel knows of the server's sockets.
func storyListeners(ts *testscript.TestScript, neg bool, args []string) {
	got, err := listening(serverOf(ts).cmd.Process.Pid)
	ts.Check(err)
	slices.Sort(args)
	if !slices.Equal(got, args) {
		ts.Fatalf("the server listens on %v, want %v", got, args)
	}
}

// listening are the sockets of a process that wait for somebody: TCP sockets
// that listen, UDP and raw ones, and those of unix that have a name.
func listening(pid int) ([]string, error) {
	inodes := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil, err
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil {
			continue // closed since
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var all []string
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix"} {
		data, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue // no IPv6 on this machine
		}
		for line := range strings.Lines(string(data)) {
			if name := listener(table, strings.Fields(line), inodes); name != "" {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

func listener(table string, f []string, inodes map[string]bool) string {
	const tcpListen = "0A"
	switch {
	case table == "unix" && len(f) > 7 && inodes[f[6]]:
		return "unix:" + f[7]
	case table == "unix" || len(f) < 10 || !inodes[f[9]]:
		return ""
	case strings.HasPrefix(table, "tcp") && f[3] != tcpListen:
		return ""
	}
	port, err := strconv.ParseUint(f[1][strings.LastIndexByte(f[1], ':')+1:], 16, 16)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", table, port)
}

// TestStoriesAreWhole: no story ends before its end. stop is testscript's word for that,
// and was taken for the server's.
func TestStoriesAreWhole(t *testing.T) {
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatal(stories, err)
	}
	early := regexp.MustCompile(`(?m)^(\[[^\]]*\] )?(! )?(stop|skip)\b.*$`)
	for _, story := range stories {
		content, err := os.ReadFile(story)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(content), "\n-- ")
		if line := early.FindString(script); line != "" {
			t.Errorf("%s ends at the line %q", story, line)
		}
	}
}
