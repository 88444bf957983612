package ftpserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/ftpwire"
	"ferry/internal/gate"
)

// The scripts in testdata are conversations: each file is a server over files
// in memory and its clients, with connections in memory, in a bubble where
// time costs nothing. One line, one step. Texts and odd names stand in Go's
// quotes; N*"text" repeats a text.
//
//	config WORD...           before all else; world.configure has the words
//	file /name "content"     make a file; mkdir /name; symlink /name target; link /name /other; unlink /name
//	files /dir N             make so many empty files there
//	part alice /name "text"  user alice has an unfinished upload of that name
//	want /name "content"     the file has that content; absent /name
//
//	login [user]             the greeting, USER and PASS, as alice unless another is named
//	C: line                  the client sends the line
//	raw "bytes"              it sends just these bytes, as one segment
//	bytewise "bytes"         it sends each byte as a segment
//	S: pattern               the server's next line; * stands for any text
//	S raw "bytes"            the same, in quotes
//	S times N "pattern"      so many such lines
//	S reply CODE             the server's next reply, one line or many
//	S nothing                the server says nothing more for now
//	S eof                    the server has closed the connection
//	close; fin; reset        the client closes the control connection, one direction of it, or crashes
//
//	data connect [previous] [from ADDR]   to the port of the last 227, 228 or 229, or of the one before
//	data refused [previous]  a connection there is refused, or closed at once
//	data accept ADDR:PORT    before PORT: await the server's connection there
//	data send "bytes"; data close; data fin; data reset
//	data read "bytes"        all up to the end; "data has": so many and the end is still to come
//	data count N             so many bytes, and the end
//	data closed              the server has closed it and sent nothing; "data broken": with a reset
//	                         data2, dataX, … are further data connections
//
//	sleep 5m                 let time pass
//	turns taken; turns free  another client's hash takes the only turn there is, after config turns; it is done
//	kick; drain; kill        the administrator ends the sessions; the server stops, softly or hard
//	another; client N        another connection of the same client address begins; go back to the Nth
//	sessions N               the gate counts so many
//
// Lines that begin with # are comments.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) { runScript(t, file, string(text)) })
		})
	}
}

func runScript(t *testing.T, file, text string) { newWorld(t).play(file, text) }

// play runs a script in w, and ends w.
func (w *world) play(file, text string) {
	t := w.t
	started := false
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "config "); ok {
			if err := w.configure(strings.Fields(rest)); err != nil || started {
				t.Fatalf("%s:%d: %v (config comes first)", file, i+1, err)
			}
			continue
		}
		if !started {
			started = true
			w.begin()
			defer w.end()
			w.dial()
		}
		if err := w.step(line); err != nil {
			t.Errorf("%s:%d: %s\n\t%v", file, i+1, line, err)
			return
		}
	}
}

// words splits a step at spaces; what stands in quotes is one word without them.
func words(line string) ([]string, error) {
	var all []string
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		times := 1
		if number, rest, ok := strings.Cut(line, `*"`); ok && ftpwire.AllDigits(number) {
			times, _ = strconv.Atoi(number)
			line = `"` + rest
		}
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			all, line = append(all, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, fmt.Errorf("quotes: %w", err)
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		all, line = append(all, strings.Repeat(text, times)), line[len(quoted):]
	}
	return all, nil
}

func (w *world) step(line string) error {
	c := w.clients[w.now]
	if text, ok := strings.CutPrefix(line, "C: "); ok {
		return c.Send(text + "\r\n")
	}
	if pattern, ok := strings.CutPrefix(line, "S: "); ok {
		return c.Expect(pattern)
	}
	args, err := words(line)
	if err != nil {
		return err
	}
	verb := args[0]
	args = append(args[1:], "", "", "") // a step finds as many as it looks at
	if strings.HasPrefix(verb, "data") {
		return c.dataStep(verb, args)
	}
	switch verb {
	case "raw", "bytewise", "S", "login", "close", "fin", "reset":
		return c.step(verb, args)
	case "sleep":
		d, err := time.ParseDuration(args[0])
		time.Sleep(d)
		return err
	case "turns":
		w.takeTurn(args[0] == "taken")
	case "kick":
		w.gate.Kick(func(gate.SessionInfo) bool { return true }, ferry.ErrKicked)
	case "drain":
		w.srv.end.Ask()
	case "kill":
		w.srv.end.Stop(ferry.ErrShutdown)
	case "another":
		w.dial()
	case "client":
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 || n > len(w.clients) {
			return errors.New("no such client")
		}
		w.now = n - 1
	case "sessions":
		synctest.Wait()
		if n := fmt.Sprint(len(w.gate.Sessions())); n != args[0] {
			return fmt.Errorf("there are %s", n)
		}
	default:
		return w.fileStep(verb, args)
	}
	return nil
}
