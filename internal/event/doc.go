// Package event brings the events of sessions to where people look for them:
// the log, and the transfer log. Each is a ferry.Sink; Fan makes several one.
//
// Names in events come from clients, so every sink writes them in a form in
// which they cannot pass for anything else: no name begins a new line, ends a
// field, or moves a terminal's cursor.
//
// It speaks xferlog(5), the format of wu-ftpd's transfer log, and JSON lines.
package event

import "ferry"

// Fan is a sink that hands every event to all of sinks, in their order.
func Fan(sinks ...ferry.Sink) ferry.Sink {
	return func(e ferry.Event) {
		for _, sink := range sinks {
			sink(e)
		}
	}
}
