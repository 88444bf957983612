// Package privilege gives away what a process needs no more (Linux): its user, its
// capabilities, and the way back to either. It is done to every thread of the process,
// for to the kernel each has its own; threads that begin later have what their maker has.
//
// Every thread is reached by libcap's psx: the Go runtime can do it, too, but not in a
// program with C in it, and the race detector and PAM are C.
//
// It speaks no RFC; credentials(7), capabilities(7) and prctl(2) are the specification.
package privilege
