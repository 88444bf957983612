package daemon

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// talk sends lines to an FTP server and gives the codes of its replies.
func talk(t *testing.T, at net.Addr, lines ...string) (codes []string) {
	t.Helper()
	nc, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	in := bufio.NewReader(nc)
	code := func() string {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("after %v: %v", codes, err)
			}
			if len(line) > 3 && line[3] == ' ' {
				return line[:3]
			}
		}
	}
	codes = append(codes, code())
	for _, line := range lines {
		if _, err := nc.Write([]byte(line + "\r\n")); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code())
	}
	return codes
}

// TestServe: the whole server in this process, from its configuration to a login, a
// change of the tree, and its end by a signal.
func TestServe(t *testing.T) {
	root := t.TempDir()
	conf, err := Load("", map[string]any{"DIR": root, "--state": t.TempDir(), "--ftp": "127.0.0.1:0", "--sftp": "off", "--user": []string{"alice:s3cret"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	signals, accepting, ended := make(chan os.Signal, 1), make(chan net.Addr, 1), make(chan error, 1)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	go func() {
		ended <- Serve(conf, Options{Log: log, Signals: signals, Announce: func(s Started) { accepting <- s.Listeners.Find("ftp") }})
	}()
	select {
	case at := <-accepting:
		got := strings.Join(talk(t, at, "USER alice", "PASS s3cret", "MKD /made", "QUIT"), " ")
		if got != "220 331 230 257 221" {
			t.Errorf("replies %s", got)
		}
	case err := <-ended:
		t.Fatalf("the server did not begin: %v", err)
	}
	if info, err := os.Stat(filepath.Join(root, "made")); err != nil || !info.IsDir() {
		t.Errorf("the directory: %v", err)
	}
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
	text, _ := os.ReadFile(log.Name())
	for _, want := range []string{"msg=ready", "msg=login", "msg=mkdir", "msg=stopped"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the log has no %q:\n%s", want, text)
		}
	}
}
