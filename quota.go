package ferry

// Usage is what a tree holds, as quotas count it. Everything that has a name is a file:
// files, links, directories, and parts of uploads. Bytes are those that files are long,
// whatever of it is on the disk; a file with several names is counted once.
type Usage struct{ Bytes, Files int64 }

// HomeUsage is what the tree of a home holds, as it is kept beyond the life of a server.
type HomeUsage struct {
	Home string // a path of the host, without links
	Usage
	// Exact: no server changes it at present, and none has died while it did.
	Exact bool
	// Recount: somebody has asked for it to be counted.
	Recount bool
}

// Quota is what a user's home may hold, and holds.
type Quota struct {
	Limit Usage // 0: none
	Used  Usage
}
