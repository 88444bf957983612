// Package sftpclient is a remote SFTP server as a ferry.FS: a client of the SSH
// File Transfer Protocol version 3 (draft-ietf-secsh-filexfer-02, with the
// extensions of OpenSSH's PROTOCOL) over any stream of bytes.
//
// Requests share the stream (package sftpconn): many are on the way at once, each
// knows its answer by its number, and a stream that ends or misbehaves ends them all
// with the reason. Downloads ask ahead, and uploads do not wait for each answer
// (sftpflow). Where a name leads is found out by sftppath.
//
// # Uploads
//
// An SFTP server shows a file while it is written, and CLOSE, its only end, is
// success. So new content is staged by the client: written to a part, a hidden
// file in the directory of its target, and renamed over the target at Commit
// (posix-rename@openssh.com; without it see FS.overwrite). Abort closes the
// part and leaves it for a later Resume. This works the same way against every
// server, whether it stages by itself (Ferry) or not (OpenSSH). part.go has the
// names, publish.go what ends an upload.
//
// # Where a remote tree differs from a local one
//
//   - Version 3 does not say how many names a file has: Info.Links is 0 and
//     Info.ID zero, and new content for one of several hard links parts it from
//     the others. RemoveUnchanged goes by size and time alone, and what takes the
//     name after the look is removed.
//   - Sessions do not know of each other. Exclusive reserves its name within
//     one FS only; of two that meet on the server, the second is fs.ErrExist at
//     Commit. An upload whose directory another session renames is
//     fs.ErrNotExist at Commit, and its part is kept where the directory went.
//     Parts that another session is writing look like kept ones, unless the
//     server stages by itself: then they are ErrBusy and taken over by its
//     rules, and the old session notices with its next byte; a server of ours waits
//     for them as it likes, whatever OpenOptions.Wait says; they can be removed,
//     and neither renamed nor changed. Where it does not,
//     Commit looks whether the part still is what was written, ErrTakenOver.
//   - Parts of sessions that died stay until the same user comes back for the
//     name, or removes the directory: nobody sweeps a remote server.
//   - Times are whole seconds from 1970 to 2106.
//   - Failures that version 3 has no code for are told apart by looking again
//     (sftppath/diagnose.go); what happened in between can mislead that. Where even that
//     tells nothing, the error matches none of ferry's and is a *StatusError
//     with what the server said.
//   - The age of a part is told by its time, so the times that are set for an
//     upload are the part's only from Commit on.
//   - Links are made with the arguments in OpenSSH's order, and followed by the
//     server. Options.Root is where names begin, and
//     no wall: who may make links can leave it, unless the server confines the
//     account.
//   - The straight tree looks for links before each request (sftppath/straight.go): one
//     that is made in between is followed.
//   - Writes are durable as far as the server makes them so, unless
//     Options.Durable asks for fsync@openssh.com.
package sftpclient
