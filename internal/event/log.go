package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"ferry"
)

// Log is a sink that writes every event as one line of l, with the event's own
// time. The message is the kind of event; session, protocol, peer and user
// come first and on every line where they are known. A failed login, a refusal
// and a ban are warnings, a panic is an error, all else is information.
func Log(l *slog.Logger) ferry.Sink {
	handler := l.Handler()
	return func(e ferry.Event) {
		ctx := context.Background() // a sink has none; slog passes it on only
		level := levelOf(e.Kind)
		if !handler.Enabled(ctx, level) {
			return
		}
		if e.Time.IsZero() {
			e.Time = time.Now()
		}
		record := slog.NewRecord(e.Time, level, e.Kind.String(), 0)
		record.AddAttrs(attrs(e)...)
		// As slog.Logger does: a log that cannot be written has nowhere to say so.
		_ = handler.Handle(ctx, record)
	}
}

func levelOf(k ferry.EventKind) slog.Level {
	switch k {
	case ferry.EventPanic:
		return slog.LevelError
	case ferry.EventLoginFailed, ferry.EventRefused, ferry.EventBan:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// attrs are the fields of e that say something.
func attrs(e ferry.Event) []slog.Attr {
	list := make([]slog.Attr, 0, 12)
	text := func(key, value string) {
		if value != "" {
			list = append(list, slog.String(key, value))
		}
	}
	text("session", e.Session)
	text("protocol", e.Protocol)
	if e.Peer.IsValid() {
		list = append(list, slog.String("peer", address(e.Peer)))
	}
	text("user", e.User)
	if e.Anon {
		list = append(list, slog.Bool("anonymous", true))
	}
	text("by", cut(e.By))
	text("op", e.Op)
	text("name", string(e.Name))
	text("to", e.To)
	if movesBytes(e.Kind) {
		list = append(list, slog.Int64("bytes", e.Bytes))
	}
	if e.Duration != 0 {
		list = append(list, slog.Duration("duration", e.Duration))
	}
	if e.ASCII {
		list = append(list, slog.Bool("ascii", true))
	}
	if e.Kind == ferry.EventMore {
		list = append(list, slog.String("of", e.Of.String()), slog.Int("count", e.More))
	}
	switch {
	case e.Err == nil:
	case e.Kind == ferry.EventPanic:
		text("error", e.Err.Error())
	default:
		text("error", cut(e.Err.Error()))
	}
	if p := (*ferry.PanicError)(nil); errors.As(e.Err, &p) {
		text("stack", string(p.Stack))
	}
	return list
}

// mostText is how many bytes of what a client may have said a line has.
const mostText = 800

// cut is text as far as it is worth a line: an error may repeat what a client has sent, as
// that of a disconnect of SSH does with 256 KiB.
func cut(text string) string {
	if len(text) <= mostText {
		return text
	}
	return strings.ToValidUTF8(text[:mostText], "") + fmt.Sprintf("... (%d bytes)", len(text))
}

// address is that of a peer, without a port where several connections are meant.
func address(p netip.AddrPort) string {
	if p.Port() == 0 {
		return p.Addr().String()
	}
	return p.String()
}

// movesBytes tells for which events 0 bytes is worth saying.
func movesBytes(k ferry.EventKind) bool {
	return isTransfer(k) || k == ferry.EventDisconnect
}

func isTransfer(k ferry.EventKind) bool {
	return k == ferry.EventUpload || k == ferry.EventDownload
}
