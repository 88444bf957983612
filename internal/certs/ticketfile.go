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

func formatTickets(keys []ticketKey) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, ticketHeader)
	for _, key := range keys {
		fmt.Fprintf(&b, "%s %x\n", key.made.Format(time.RFC3339), key.secret)
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
		key, err := parseTicket(line)
		if err != nil {
			return nil, fmt.Errorf("line %d %w", i+2, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func parseTicket(line string) (ticketKey, error) {
	when, secret, _ := strings.Cut(line, " ")
	var key ticketKey
	made, err := time.Parse(time.RFC3339, when)
	if err != nil || made.UTC().Format(time.RFC3339) != when {
		return key, errors.New("does not begin with a time")
	}
	key.made = made.UTC()
	raw, err := hex.DecodeString(secret)
	if err != nil || len(raw) != len(key.secret) {
		return key, errors.New("does not hold a key of 32 bytes")
	}
	copy(key.secret[:], raw)
	return key, nil
}
