// Package disk is a ferry.FS on a local directory (Linux).
//
// It keeps one promise before all others: no file is lost or half there.
//
//   - A name is resolved beneath the root by the kernel (package beneath). What it
//     leads to is looked at before it is opened: only regular files
//     and directories are, and nothing of procfs, sysfs and their like.
//   - A handle reads (handle.go), writes a file where it stands (direct.go), or writes
//     the part of an upload (staged.go).
//   - New content goes to a part: a hidden file in the directory of its target
//     (package partfile, part.go). Commit gives it what the replaced file had, makes it
//     durable, and renames it (publish.go). Until then the old file stands.
//   - A broken upload is gone on with only as far as it is whole (partfile).
//   - Who writes which part is known in one table (uploads.go); a second process
//     over the same directory is held off by flock(2).
//   - Bytes between file and TCP connection are moved by the kernel
//     (package fdcopy).
//
// What an upload over an existing file does at each point where the machine
// may stop:
//
//	part created, bytes arriving   the old file stands, the part can be resumed
//	part synced, not yet renamed   the same
//	renamed, directory not synced  the old or the new file stands, whole
//	directory synced               the new file stands; now Commit returns
//
// It speaks no RFC. The names of the system calls in comments are Linux's, and
// their manual pages are the specification.
package disk
