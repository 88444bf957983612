// Package beneath is the host's files beneath one directory, by names that the kernel
// keeps from leaving it, on Linux.
//
// Names are resolved by openat2(2), or by os.Root where there is none (resolve.go).
// What a name leads to is looked at before it is opened (object.go): only regular
// files and directories are, and nothing of procfs, sysfs and their like (mounts.go).
// Every system call that names a path is made here or by what is handed out here: an
// Object, which was looked at, or a Place, where something stands or could stand.
//
// It speaks no RFC; the manual pages of the system calls are the specification.
package beneath
