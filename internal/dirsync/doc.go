// Package dirsync makes the entries of directories durable (fsync(2) of a directory), in
// groups: sessions that have changed one directory at the same time share one call.
package dirsync
