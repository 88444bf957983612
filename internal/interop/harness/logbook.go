package harness

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Logbook keeps what a server writes, and lets tests wait for a line.
type Logbook struct {
	mu    sync.Mutex
	text  strings.Builder
	added chan struct{} // closed and made anew by each write
}

func NewLogbook() *Logbook { return &Logbook{added: make(chan struct{})} }

func (l *Logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.added)
	l.added = make(chan struct{})
	return l.text.Write(p)
}

func (l *Logbook) String() string {
	text, _ := l.read()
	return text
}

// read gives what is there, and a channel that is closed when there is more.
func (l *Logbook) read() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String(), l.added
}

// Wait waits for a line that holds what, and returns it. It gives up when the
// server has ended or patience has.
func (l *Logbook) Wait(t testing.TB, what string, ended <-chan struct{}) string {
	t.Helper()
	line, _ := l.WaitFrom(t, 0, what, ended)
	return line
}

// WaitFrom is wait for a line behind the first bytes, and tells where it ends.
func (l *Logbook) WaitFrom(t testing.TB, bytes int, what string, ended <-chan struct{}) (line string, end int) {
	t.Helper()
	late := time.After(Patience)
	for {
		text, more := l.read()
		end := bytes
		for line := range strings.Lines(text[bytes:]) {
			end += len(line)
			if strings.HasSuffix(line, "\n") && strings.Contains(line, what) {
				return line, end
			}
		}
		select {
		case <-more:
		case <-ended:
			ended = nil // one more look: its last lines may have just come
			if text, _ := l.read(); !strings.Contains(text[bytes:], what) {
				t.Fatalf("the program ended before it said %q:\n%s", what, text)
			}
		case <-late:
			t.Fatalf("the program did not say %q within %v:\n%s", what, Patience, text)
		}
	}
}
