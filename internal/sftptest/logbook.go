package sftptest

import (
	"strings"
	"sync"
)

// Logbook is what was logged.
type Logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
