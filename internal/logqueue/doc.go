// Package logqueue is what stands between those who have something to log and what
// takes it slowly, or not at all: a pipe that nobody reads, a full disk, a syslog that
// hangs. A Queue never makes anybody wait. It is bounded; what does not fit is dropped,
// counted, and told of as soon as something gets through again.
//
// Every sink of the server writes through one: the log, the transfer log, the log in
// OpenSSH's words. Whoever adds a sink that can be slow makes a Queue for it.
package logqueue
