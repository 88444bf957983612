package certs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ticketHeader is the first line of the file; the rest is a line for each key,
// newest first: when it was made (RFC 3339, UTC), a space, and its 32 bytes in
// hex.
const ticketHeader = "ferry session ticket keys 1"

// ticketKey is one key and when it was made, in whole seconds of UTC.
type ticketKey struct {
	made   time.Time
	secret [32]byte
}

// line is the key as the file has it.
func (k ticketKey) line() string {
	return fmt.Sprintf("%s %x", k.made.Format(time.RFC3339), k.secret)
}

func formatTickets(keys []ticketKey) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, ticketHeader)
	for _, key := range keys {
		fmt.Fprintln(&b, key.line())
	}
	return b.Bytes()
}

// parseTickets takes exactly what formatTickets makes. Its errors never show
// what the file holds.
func parseTickets(data []byte) ([]ticketKey, error) {
	text, whole := strings.CutSuffix(string(data), "\n")
	if !whole {
		return nil, errors.New("the last line is not complete")
	}
	lines := strings.Split(text, "\n")
	switch {
	case lines[0] != ticketHeader:
		return nil, fmt.Errorf("the first line is not %q", ticketHeader)
	case len(lines) == 1:
		return nil, errors.New("there is no key")
	case len(lines) > 2+oldKeys:
		return nil, fmt.Errorf("there are more than %d keys", 1+oldKeys)
	}
	var keys []ticketKey
	for i, line := range lines[1:] {
		key, ok := parseTicket(line)
		if !ok {
			return nil, fmt.Errorf("line %d is not a time and a key of 32 bytes", i+2)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func parseTicket(line string) (key ticketKey, ok bool) {
	when, secret, _ := strings.Cut(line, " ")
	made, timeErr := time.Parse(time.RFC3339, when)
	raw, hexErr := hex.DecodeString(secret)
	if timeErr != nil || hexErr != nil || len(raw) != len(key.secret) {
		return key, false
	}
	key = ticketKey{made: made.UTC(), secret: [32]byte(raw)}
	return key, key.line() == line
}
