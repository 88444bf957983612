// Package ftpwire knows the bytes of FTP and nothing else: command lines,
// replies, addresses of data connections, offsets, times, MLSx facts and LIST
// lines, each parsed and printed. It does no I/O beyond the reader it is given,
// and decides nothing: what a line may do is the business of a server or client.
//
// It speaks RFC 959 and 1123 (commands, replies, LIST), 854 (Telnet), 1639
// (LPRT, LPSV), 2389 (FEAT, OPTS), 2428 (EPRT, EPSV), 2640 (names), 3659 (MLSx,
// times, REST) and draft-bryan-ftp-range (RANG).
//
// What a listing calls once for each entry is in append style (the text is added
// to dst, which is returned) and does not allocate when dst has room.
package ftpwire
