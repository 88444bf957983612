package ftpwire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"ferry/internal/ftpwire"
)

const maxLine = 32

// readAll returns every line and, in its place, "TOO LONG", up to the end of src.
func readAll(t testing.TB, r *ftpwire.Reader) []string {
	t.Helper()
	var lines []string
	for {
		line, err := r.ReadLine()
		switch {
		case err == nil:
			lines = append(lines, string(line))
		case errors.Is(err, ftpwire.ErrLineTooLong):
			lines = append(lines, "TOO LONG")
		case errors.Is(err, io.EOF):
			return lines
		default:
			t.Fatalf("ReadLine: %v", err)
		}
	}
}

func TestReader(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	tests := []struct {
		name    string
		in      string
		want    []string
		replies string
		letters bool // Telnet off
	}{
		{name: "pipelined", in: "USER a\r\nPASS b\r\nQUIT\r\n", want: []string{"USER a", "PASS b", "QUIT"}},
		{name: "bare LF", in: "NOOP\nQUIT\n", want: []string{"NOOP", "QUIT"}},
		{name: "empty lines", in: "\r\n\n", want: []string{"", ""}},
		{name: "cut off line is no command", in: "NOOP\r\nDELE a", want: []string{"NOOP"}},
		{name: "CR NUL is CR", in: "STOR a\r\x00b\r\n", want: []string{"STOR a\rb"}},
		{name: "CR NUL at the end", in: "STOR a\r\x00\r\n", want: []string{"STOR a\r"}},
		{name: "lone CR is kept", in: "STOR a\rb\r\n", want: []string{"STOR a\rb"}},
		{name: "one CR of two belongs to the end", in: "STOR a\r\r\n", want: []string{"STOR a\r"}},
		{name: "NUL without CR is kept", in: "STOR a\x00\r\n", want: []string{"STOR a\x00"}},
		{name: "doubled IAC", in: "STOR \xff\xff.txt\r\n", want: []string{"STOR \xff.txt"}},
		{name: "threat 22: abort", in: "\xff\xf4\xff\xf2ABOR\r\n", want: []string{"ABOR"}},
		{name: "abort inside a command", in: "NO\xff\xf4\xff\xf2OP\r\n", want: []string{"NOOP"}},
		{name: "DM lost as the urgent byte", in: "\xff\xf4\xffABOR\r\n", want: []string{"ABOR"}},
		{name: "command between CR and LF", in: "NOOP\r\xff\xf1\nQUIT\r\n", want: []string{"NOOP", "QUIT"}},
		{name: "will and do", in: "\xff\xfb\x01\xff\xfd\x0aNOOP\r\n", want: []string{"NOOP"}, replies: "\xff\xfe\x01\xff\xfc\x0a"},
		{name: "wont and dont need no answer", in: "\xff\xfc\x01\xff\xfe\x0aNOOP\r\n", want: []string{"NOOP"}},
		{name: "subnegotiation", in: "NO\xff\xfa\x18\x00\r\n\xff\xff\xf0\xff\xf0OP\r\n", want: []string{"NOOP"}},
		{name: "threat 22: subnegotiation without end", in: "\xff\xfa" + strings.Repeat("\n", 512) + "NOOP\r\n", want: []string{"NOOP"}},
		{name: "as long as allowed", in: long + "\r\nNOOP\r\n", want: []string{long, "NOOP"}},
		{name: "doubled IAC counts once", in: long[1:] + "\xff\xff\r\n", want: []string{long[1:] + "\xff"}},
		{name: "one too long", in: long + "x\r\nNOOP\r\n", want: []string{"TOO LONG", "NOOP"}},
		{name: "far too long", in: strings.Repeat("x", 5000) + "\nNOOP\r\n", want: []string{"TOO LONG", "NOOP"}},
		{name: "threat 22: letter 0xFF", letters: true, in: "STOR \xff\xf4\xff\r\n", want: []string{"STOR \xff\xf4\xff"}},
		{name: "threat 22: abort beside letters", letters: true, in: "\xff\xf4\xff\xf2ABOR\r\n\xff\xf4\xffSTAT\r\n", want: []string{"ABOR", "STAT"}},
	}
	for _, tt := range tests {
		for how, src := range map[string]io.Reader{
			"at once":       strings.NewReader(tt.in),
			"byte by byte":  iotest.OneByteReader(strings.NewReader(tt.in)),
			"end with data": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				r := ftpwire.NewReader(src, maxLine)
				r.SetTelnet(!tt.letters)
				if got := readAll(t, r); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("lines %q, want %q", got, tt.want)
				}
				if got := string(r.TakeTelnetReply()); got != tt.replies {
					t.Errorf("Telnet replies %q, want %q", got, tt.replies)
				}
				if got := r.TakeTelnetReply(); got != nil {
					t.Errorf("Telnet replies again: %q", got)
				}
			})
		}
	}
}

// pieces is a source that times out after each piece.
type pieces struct {
	left  []string
	reads int
}

func (p *pieces) Read(b []byte) (int, error) {
	p.reads++
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	if p.left[0] == "" {
		p.left = p.left[1:]
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, p.left[0])
	p.left[0] = p.left[0][n:]
	return n, nil
}

func TestReaderGoesOnAfterTimeout(t *testing.T) {
	whole := "\xff\xfb\x03STOR \xff\xffa\r\x00b\r\n"
	for cut := range len(whole) {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			r := ftpwire.NewReader(&pieces{left: []string{whole[:cut], whole[cut:]}}, maxLine)
			if _, err := r.ReadLine(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("first ReadLine: %v, want the timeout", err)
			}
			if got := r.Buffered(); got != cut {
				t.Errorf("Buffered: %d, want %d", got, cut)
			}
			line, err := r.ReadLine()
			if want := "STOR \xffa\rb"; err != nil || string(line) != want {
				t.Errorf("second ReadLine: %q, %v; want %q", line, err, want)
			}
		})
	}
}

func TestReaderHasLine(t *testing.T) {
	tests := []struct {
		buffered string // behind a first line
		want     bool
	}{
		{"", false},
		{"NOOP", false},
		{"NOOP\r", false},
		{"NOOP\r\n", true},
		{"\n", true},
		{"NOOP\r\nQU", true},
		{"\xff\xfb\n", false},                   // the option 10, no line end
		{"\xff\xfa\n\n", false},                 // inside a subnegotiation
		{"\xff\xfa\xff\xf0\n", true},            // after one
		{"\xff\xfb\nNOOP\r\n", true},            // after an option
		{"NO\xff\xf4OP\xff\n", true},            // IAC lost its command
		{strings.Repeat("x", 100) + "\n", true}, // too long, but whole
	}
	for _, tt := range tests {
		src := &pieces{left: []string{"SYST\r\n" + tt.buffered}}
		r := ftpwire.NewReader(src, maxLine)
		if r.HasLine() {
			t.Errorf("HasLine before anything was read")
		}
		if _, err := r.ReadLine(); err != nil {
			t.Fatal(err)
		}
		if got := r.HasLine(); got != tt.want {
			t.Errorf("HasLine with %q buffered: %t, want %t", tt.buffered, got, tt.want)
		}
	}
}

func TestThreat10BytesBeforeTLSAreDropped(t *testing.T) {
	r := ftpwire.NewReader(strings.NewReader("AUTH TLS\r\nDELE a\r\nRN"), maxLine)
	if line, err := r.ReadLine(); err != nil || string(line) != "AUTH TLS" {
		t.Fatalf("ReadLine: %q, %v", line, err)
	}
	if got, want := r.Buffered(), len("DELE a\r\nRN"); got != want {
		t.Errorf("Buffered: %d, want %d", got, want)
	}
	if got, want := r.Discard(), len("DELE a\r\nRN"); got != want {
		t.Errorf("Discard: %d, want %d", got, want)
	}
	if r.Buffered() != 0 || r.HasLine() {
		t.Errorf("after Discard: %d bytes, HasLine %t", r.Buffered(), r.HasLine())
	}
	r.Reset(strings.NewReader("FR old\r\n"))
	if line, err := r.ReadLine(); err != nil || string(line) != "FR old" {
		t.Errorf("first line after the handshake: %q, %v", line, err)
	}
}

func TestReaderDiscardForgetsHalves(t *testing.T) {
	for _, half := range []string{"DELE ", "DELE a\r", "\xff", "\xff\xfd", "\xff\xfa\x01", strings.Repeat("x", 100)} {
		r := ftpwire.NewReader(&pieces{left: []string{half, "NOOP\r\n"}}, maxLine)
		if _, err := r.ReadLine(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if got := r.Discard(); got != len(half) {
			t.Errorf("Discard of %q: %d, want %d", half, got, len(half))
		}
		if line, err := r.ReadLine(); err != nil || string(line) != "NOOP" {
			t.Errorf("after discarding %q: %q, %v; want NOOP", half, line, err)
		}
	}
}

func TestReaderResetForgetsTelnet(t *testing.T) {
	r := ftpwire.NewReader(strings.NewReader("\xff\xfd\x01NOOP\r\n\xff"), maxLine)
	if _, err := r.ReadLine(); err != nil {
		t.Fatal(err)
	}
	r.Reset(strings.NewReader("STOR \xff\xff\r\n"))
	if got := r.TakeTelnetReply(); got != nil {
		t.Errorf("Telnet replies %q outlived their source", got)
	}
	if line, err := r.ReadLine(); err != nil || string(line) != "STOR \xff" {
		t.Errorf("ReadLine: %q, %v", line, err)
	}
}

func TestThreat22NegotiationFloodIsBounded(t *testing.T) {
	r := ftpwire.NewReader(strings.NewReader(strings.Repeat("\xff\xfd\x01", 10_000)+"\n"), maxLine)
	if _, err := r.ReadLine(); err != nil {
		t.Fatal(err)
	}
	if n := len(r.TakeTelnetReply()); n == 0 || n > 64 {
		t.Errorf("%d bytes of Telnet replies wait, want some, at most 64", n)
	}
}

func TestThreat17OverlongLineCostsNoMemory(t *testing.T) {
	const size = 1 << 20
	r := ftpwire.NewReader(io.MultiReader(io.LimitReader(endless('x'), size), strings.NewReader("\nNOOP\n")), 4096)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := r.ReadLine(); !errors.Is(err, ftpwire.ErrLineTooLong) {
		t.Fatalf("ReadLine: %v, want ErrLineTooLong", err)
	}
	runtime.ReadMemStats(&after)
	if grew := after.TotalAlloc - before.TotalAlloc; grew > 256<<10 {
		t.Errorf("skipping %d bytes allocated %d", size, grew)
	}
	if line, err := r.ReadLine(); err != nil || string(line) != "NOOP" {
		t.Errorf("next line: %q, %v", line, err)
	}
}

type endless byte

func (e endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(e)
	}
	return len(b), nil
}

func TestReaderGivesUpOnSilentSource(t *testing.T) {
	r := ftpwire.NewReader(silent{}, maxLine)
	if _, err := r.ReadLine(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("ReadLine: %v, want io.ErrNoProgress", err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func FuzzReader(f *testing.F) {
	for _, s := range []string{"USER a\r\nPASS b\r\n", "\xff\xf4\xff\xf2ABOR\r\n", "\xff\xf4\xffABOR\r\n", "NO\xff\xfa\x18\n\xff\xf0OP\n",
		"\xff\xfb\n\xff\xfd\x01\n", "a\r\x00\r\r\n", strings.Repeat("x", 50) + "\r\n\r\n", "\xff\xff\xff\n", "STOR \xff\r\n"} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, telnet bool) {
		slow := ftpwire.NewReader(iotest.OneByteReader(bytes.NewReader(in)), maxLine)
		slow.SetTelnet(telnet)
		want := readAll(t, slow)

		src := &pieces{left: []string{string(in)}}
		fast := ftpwire.NewReader(src, maxLine)
		fast.SetTelnet(telnet)
		for i := 0; ; i++ {
			ready, reads := fast.HasLine(), src.reads
			line, err := fast.ReadLine()
			if ready != (src.reads == reads) {
				t.Fatalf("HasLine said %t, ReadLine read from the source %d times", ready, src.reads-reads)
			}
			if err != nil && !errors.Is(err, ftpwire.ErrLineTooLong) {
				if i != len(want) {
					t.Fatalf("%d lines at once, %d byte by byte", i, len(want))
				}
				break
			}
			if len(line) > maxLine || bytes.IndexByte(line, '\n') >= 0 {
				t.Fatalf("line %q", line)
			}
			if err == nil && string(line) != want[i] {
				t.Fatalf("line %d at once %q, byte by byte %q", i, line, want[i])
			}
		}
		if a, b := fast.TakeTelnetReply(), slow.TakeTelnetReply(); !bytes.Equal(a, b) || len(a)%3 != 0 {
			t.Fatalf("Telnet replies at once %q, byte by byte %q", a, b)
		}
	})
}

// A line that never ends is not read for ever.
func TestThreat33EndlessLineIsGivenUp(t *testing.T) {
	src := io.LimitReader(endless('x'), 2<<20)
	r := ftpwire.NewReader(src, maxLine)
	if _, err := r.ReadLine(); !errors.Is(err, ftpwire.ErrNoLineEnd) {
		t.Errorf("ReadLine: %v", err)
	}
}
