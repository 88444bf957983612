// Package ftplist prints files and directories as FTP's listings show them: LIST and
// NLST (RFC 959 §4.1.3), MLSD and MLST (RFC 3659 §7). What is to be listed is found out
// by the command; a Printer reads directories as it prints them, so that a large one
// takes no more memory than a small one.
package ftplist
