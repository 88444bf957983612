// Package quota counts what the homes of users hold, and refuses what would not fit.
//
// The truth is the tree: a home's usage is the number of its names, and the length of its
// files, parts of broken uploads among them; so it can be counted again at any time, and
// a test can add it up. Who wrote a file is written down nowhere, so users who share a
// home share its usage, each with a limit of his own, as with Pure-FTPd. A tally by who
// transfers, as ProFTPD and SFTPGo keep it, runs away from the truth with every file that
// somebody else removes or that is changed by another way, and goes negative.
//
// Counted is where names and sizes change (package beneath and the handles of package
// disk), not around an FS: only there is it known what a rename has replaced.
//
//   - Changes of names take turns (Tree.names): what a name stands for is looked at, the
//     system call is made, and what has become of it is entered, all in one turn.
//   - Bytes are taken before they are written (File.begin): what a file may at most be long
//     while writes are on their way. When none is, its length is asked of the file system.
//   - A Tree that nobody has a quota for counts nothing. As soon as one of its sessions has,
//     it is counted, while changes wait.
//
// What is known is kept by a Book, in groups and not change by change: before the first
// change of a tree it says that the numbers are open, and after a crash they are counted
// again.
//
// It speaks no RFC.
package quota
