// Package fdcopy moves bytes between a file and a connection: by the kernel alone where
// the connection is bare TCP (sendfile(2), splice(2)), else through a buffer. The
// offset in the file is the caller's, so that the count is right whatever happens.
//
// Deadlines are the connection's own. It speaks no RFC; the manual pages of Linux are
// the specification.
package fdcopy
