// Package partfile is the part of an unfinished upload as a file on a local disk
// (Linux): what it is called, whether it can be trusted, who has it locked, and how
// much of it counts.
//
// It knows files and open descriptors. Which part is in whose hands within this
// process, and what becomes of one, is decided above (package disk).
//
// It speaks no RFC; the names of system calls are Linux's.
package partfile
