package certs

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzTicketFile: what is taken is printed again byte for byte, so nothing in
// the file goes unread.
func FuzzTicketFile(f *testing.F) {
	line := "2026-11-20T18:00:00Z " + strings.Repeat("5e", 32) + "\n"
	f.Add([]byte(ticketHeader + "\n" + line))
	f.Add([]byte(ticketHeader + "\n" + line + line + line + line))
	f.Add([]byte(ticketHeader + "\n" + strings.ToUpper(line)))
	f.Add([]byte(ticketHeader + "\n0000-01-01T00:00:00Z 5e\n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseTickets(data)
		if err == nil && !bytes.Equal(formatTickets(keys), data) {
			t.Errorf("%q is taken for %q", data, formatTickets(keys))
		}
	})
}
