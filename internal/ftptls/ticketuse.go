package ftptls

import "sync/atomic"

// TicketUse is what is known of how a client deals with tickets. BindAuto insists
// on one only of a client that must have one.
//
// What is shown has been used up with OpenSSL's clients, and the next one comes
// with the data connection itself. At the end of an upload not every client
// reads it; and one that has it before, and does not read it, loses what it has
// still to send. So most uploads give it at the end, and a client that may not
// have read it is asked for none; nor is one whose data connection broke, be it
// by its own ABOR, before it read anything.
type TicketUse struct {
	bound  atomic.Bool              // a data connection has resumed
	last   atomic.Pointer[ticketID] // that was shown on one
	reuses atomic.Bool              // one was shown twice
	reads  atomic.Bool              // one was shown that came at the end of an upload
	spent  atomic.Bool              // since one was shown, none came but at such an end
	Lost   atomic.Bool              // the connection on which one was shown last broke, and the next with it
}

// Show notes that the client has shown t on a data connection that is its own.
// late: what it gets for it comes at the end of an upload.
func (h *TicketUse) Show(t ShownTicket, late bool) {
	if h.WillShowAgain(t) {
		h.reuses.Store(true)
	}
	if t.Late {
		h.reads.Store(true)
	}
	h.last.Store(&t.id)
	h.spent.Store(late)
	h.Lost.Store(false)
	h.bound.Store(true)
}

// WillShowAgain tells whether the client needs no other ticket.
func (h *TicketUse) WillShowAgain(t ShownTicket) bool {
	last := h.last.Load()
	return h.reuses.Load() || last != nil && *last == t.id
}

// hasTicket tells whether the client must have one.
func (h *TicketUse) hasTicket() bool {
	came := !h.Lost.Load() && (h.reads.Load() || !h.spent.Load())
	return h.bound.Load() && (h.reuses.Load() || came)
}
