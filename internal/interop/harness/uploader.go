package harness

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// uploaderEnv makes the test binary a client with a process of its own, which
// can be killed and stopped as a process. Its value is an order.
const uploaderEnv = "FERRY_TEST_UPLOADER"

// Order is what an uploader does: log in, send the first bytes of a specimen,
// say so on standard output, and go on with a byte now and then.
type Order struct {
	Addr, Name      string
	Id              uint64
	Size, Beginning int
}

func (o Order) String() string {
	return fmt.Sprintf("%s %s %d %d %d", o.Addr, o.Name, o.Id, o.Size, o.Beginning)
}

// begun is what an uploader says when the beginning is on its way.
const begun = "begun"

// StartUploader starts the client and waits until it has begun.
func StartUploader(t testing.TB, o Order) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), uploaderEnv+"="+o.String())
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // it ends when the test does
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	StartClient(t, cmd)
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != begun {
		t.Fatalf("the uploader said %q, %v", line, err)
	}
	return cmd
}

// StartClient starts a process that the end of the test kills.
func StartClient(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run make deps", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// uploader is the other end: the whole program of the process.
func uploader(text string) int {
	if err := upload(text); err != nil {
		fmt.Fprintln(os.Stderr, "uploader:", err)
		return 1
	}
	return 0
}

func upload(text string) error {
	var o Order
	if _, err := fmt.Sscan(text, &o.Addr, &o.Name, &o.Id, &o.Size, &o.Beginning); err != nil {
		return err
	}
	k, err := callAs("", o.Addr, User, Password)
	if err != nil {
		return err
	}
	conn, err := k.Begin("STOR " + o.Name)
	if err != nil {
		return err
	}
	content := Specimen(o.Id, o.Size)
	if _, err := conn.Write(content[:o.Beginning]); err != nil {
		return err
	}
	fmt.Println(begun)
	finished := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		finished <- err
	}()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for at := o.Beginning; at < o.Size; at++ {
		select {
		case err := <-finished:
			return err
		case <-again.C:
			if _, err := conn.Write(content[at : at+1]); err != nil {
				a, _ := k.Hear()
				return fmt.Errorf("%w, and the answer %v", err, a)
			}
		}
	}
	return nil
}
