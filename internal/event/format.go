package event

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"ferry"
)

// Format is how a transfer log writes its lines.
type Format uint8

const (
	// Xferlog is the format of xferlog(5), as wu-ftpd, ProFTPD and vsftpd
	// write it and many programs read it.
	Xferlog Format = iota
	// JSON is one object a line: time (RFC 3339, UTC), session, protocol, peer,
	// user, anonymous, op ("upload" or "download"), name, bytes, seconds,
	// ascii, complete and, when it is not complete, error.
	JSON
)

// ParseFormat reads "xferlog" or "json".
func ParseFormat(s string) (Format, error) {
	switch s {
	case "xferlog":
		return Xferlog, nil
	case "json":
		return JSON, nil
	}
	return 0, fmt.Errorf("unknown format %q of the transfer log: use xferlog or json", s)
}

// appendLine appends the line for the transfer e, with its line end.
func (f Format) appendLine(b []byte, e ferry.Event) []byte {
	if f == JSON {
		return appendJSON(b, e)
	}
	return appendXferlog(b, e)
}

// appendXferlog writes the fields of xferlog(5), separated by spaces:
//
//	current-time transfer-time remote-host file-size filename transfer-type
//	special-action-flag direction access-mode username service-name
//	authentication-method authenticated-user-id completion-status
//
// As in vsftpd and ProFTPD, file-size is the number of bytes that were moved
// and current-time, local, is when the transfer ended.
func appendXferlog(b []byte, e ferry.Event) []byte {
	b = e.Time.Local().AppendFormat(b, time.ANSIC)
	b = append(b, ' ')
	b = strconv.AppendInt(b, wholeSeconds(e.Duration), 10)
	b = append(b, ' ')
	b = append(b, host(e)...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.Bytes, 10)
	b = append(b, ' ')
	b = appendField(b, string(e.Name))
	b = append(b, ' ', choose(e.ASCII, 'a', 'b'))
	b = append(b, " _ "...) // no special action: nothing is compressed or packed
	b = append(b, choose(e.Kind == ferry.EventUpload, 'i', 'o'), ' ')
	b = append(b, choose(e.Anon, 'a', 'r'), ' ')
	b = appendField(b, e.User)
	b = append(b, ' ')
	b = appendField(b, service(e.Protocol))
	b = append(b, " 0 * "...) // no RFC 931 identification, so no id from it
	return append(b, choose(e.Err == nil, 'c', 'i'), '\n')
}

func choose(when bool, then, otherwise byte) byte {
	if when {
		return then
	}
	return otherwise
}

// wholeSeconds rounds, but never to 0: the programs that read these logs
// divide by it, and wu-ftpd and vsftpd have spared them that, too.
func wholeSeconds(d time.Duration) int64 {
	return max(1, int64(d.Round(time.Second)/time.Second))
}

// host is the client's address without its port, or "*".
func host(e ferry.Event) string {
	if !e.Peer.IsValid() {
		return "*"
	}
	return e.Peer.Addr().Unmap().String()
}

// service names FTP alike with and without TLS, as ProFTPD does.
func service(protocol string) string {
	if protocol == "ftps" {
		return "ftp"
	}
	return protocol
}

// appendField appends s so that it is one field: every space, control
// character or byte that is not UTF-8 becomes "_", and an empty one is "*".
func appendField(b []byte, s string) []byte {
	if s == "" {
		return append(b, '*')
	}
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			r = '_'
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// record is a line of the transfer log in JSON. What is not UTF-8 in a name
// becomes U+FFFD, as encoding/json does it.
type record struct {
	Time      string  `json:"time"`
	Session   string  `json:"session"`
	Protocol  string  `json:"protocol"`
	Peer      string  `json:"peer"`
	User      string  `json:"user"`
	Anonymous bool    `json:"anonymous"`
	Op        string  `json:"op"`
	Name      string  `json:"name"`
	Bytes     int64   `json:"bytes"`
	Seconds   float64 `json:"seconds"`
	ASCII     bool    `json:"ascii"`
	Complete  bool    `json:"complete"`
	Error     string  `json:"error,omitempty"`
}

func appendJSON(b []byte, e ferry.Event) []byte {
	r := record{
		Time:      e.Time.UTC().Format(time.RFC3339Nano),
		Session:   e.Session,
		Protocol:  e.Protocol,
		Peer:      host(e),
		User:      e.User,
		Anonymous: e.Anon,
		Op:        e.Kind.String(),
		Name:      string(e.Name),
		Bytes:     e.Bytes,
		Seconds:   math.Round(e.Duration.Seconds()*1e6) / 1e6,
		ASCII:     e.ASCII,
		Complete:  e.Err == nil,
	}
	if e.Err != nil {
		r.Error = e.Err.Error()
	}
	line, _ := json.Marshal(r) // texts, numbers and truths: nothing in it can fail
	return append(append(b, escapeUnprintable(line)...), '\n')
}
