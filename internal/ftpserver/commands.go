package ftpserver

import (
	"ferry/internal/ftpparam"
	"ferry/internal/ftpport"
	"ferry/internal/ftptree"
)

// command is one row of the table: what the loop has to know before it calls
// the handler, and what HELP, FEAT and the documents say about it.
type command struct {
	verb  string
	args  argRule
	phase phase
	// urgent says whether it is answered while a job runs; what is not waits for
	// the job's end, in order.
	urgent urgency
	// cancels: it cancels the job that runs, as soon as it is read.
	cancels bool
	// ends: after it the client wants no more, so a job outlives the control connection.
	ends bool
	// begins is what it prepares for a later command, and keeps what other commands
	// have prepared and it leaves alone: it may stand between the two. All else that
	// was prepared ends with it (RFC 3659 §5.3 of REST, RFC 959 §4.1.3 of RNFR),
	// however it is answered.
	begins, keeps prepared
	usage         string // the argument as HELP shows it
	spec          string // the RFC that defines it
	run           handler
}

// argRule says what a command wants behind its verb.
type argRule uint8

const (
	noArg argRule = iota // 501 if there is one
	mayArg
	mustArg // 501 if there is none
)

// phase says when a command may be given.
type phase uint8

const (
	always     phase = iota
	afterLogin       // else 530
)

// urgency says what becomes of a command while a job runs.
type urgency uint8

const (
	waits      urgency = iota
	atOnce             // it is answered
	atOnceBare         // it is answered if it has no argument
)

// prepared is what one command leaves for a later one, as bits.
type prepared uint8

const (
	aRestart prepared = 1 << iota // of REST and RANG, for a transfer or HASH
	anALLO                        // of ALLO, for an upload
	aRename                       // of RNFR, for RNTO
	aCopy                         // of SITE CPFR, for SITE CPTO
	aSize                         // of SIZE, for APPE

	forTransfer = aRestart | anALLO | aSize
)

// commandTable is all of FTP that Ferry speaks.
func commandTable() map[string]*command {
	rows := []command{
		// Login and session
		{verb: "USER", args: mustArg, usage: "name", spec: "959 §4.1.1", run: (*conn).user},
		{verb: "PASS", args: mayArg, usage: "password", spec: "959 §4.1.1", run: (*conn).pass},
		{verb: "ACCT", args: mustArg, usage: "account", spec: "959 §4.1.1", run: (*conn).acct},
		{verb: "REIN", args: noArg, spec: "959 §4.1.1", run: (*conn).rein},
		{verb: "QUIT", args: noArg, ends: true, spec: "959 §4.1.1", run: (*conn).quit},
		{verb: "HOST", args: mustArg, usage: "name", spec: "7151", run: (*conn).host},
		{verb: "LANG", args: mayArg, usage: "[language]", spec: "2640 §4", run: needsNothing(lang)},
		{verb: "CLNT", args: mayArg, usage: "client", spec: "custom", run: (*conn).clnt},
		{verb: "CSID", args: mayArg, usage: "facts", spec: "custom", run: (*conn).csid},

		// Security (security.go): 431 where there is no certificate
		{verb: "AUTH", args: mustArg, usage: "mechanism", spec: "2228 §3, 4217 §4", run: (*conn).auth},
		{verb: "PBSZ", args: mustArg, usage: "0", spec: "2228 §3", run: (*conn).pbsz},
		{verb: "PROT", args: mustArg, usage: "C|P", spec: "2228 §3", run: (*conn).prot},
		{verb: "CCC", args: noArg, spec: "2228 §3", run: (*conn).ccc},

		// Parameters
		{verb: "TYPE", args: mustArg, phase: afterLogin, keeps: forTransfer, usage: "A|I|L 8", spec: "959 §4.1.2", run: onParams((*ftpparam.Params).Type)},
		{verb: "MODE", args: mustArg, phase: afterLogin, usage: "S|Z", spec: "959 §4.1.2", run: onParams((*ftpparam.Params).Mode)},
		{verb: "STRU", args: mustArg, phase: afterLogin, usage: "F", spec: "959 §4.1.2", run: onParams((*ftpparam.Params).Stru)},
		{verb: "OPTS", args: mustArg, usage: "command [options]", spec: "2389 §4", run: (*conn).opts},
		{verb: "REST", args: mustArg, phase: afterLogin, begins: aRestart, keeps: anALLO | aSize, usage: "offset", spec: "3659 §5", run: onParams((*ftpparam.Params).Rest)},
		{verb: "RANG", args: mustArg, phase: afterLogin, keeps: forTransfer, usage: "first last", spec: "draft-bryan-ftp-range", run: onParams((*ftpparam.Params).Rang)},
		{verb: "ALLO", args: mustArg, phase: afterLogin, keeps: forTransfer, usage: "bytes [R bytes]", spec: "959 §4.1.3", run: (*conn).allo},

		// Data connections
		{verb: "PORT", args: mustArg, phase: afterLogin, keeps: forTransfer, usage: "h1,h2,h3,h4,p1,p2", spec: "959 §4.1.2", run: onNext((*ftpport.Next).Port)},
		{verb: "PASV", args: noArg, phase: afterLogin, keeps: forTransfer, spec: "959 §4.1.2", run: (*conn).pasv},
		{verb: "EPRT", args: mustArg, phase: afterLogin, keeps: forTransfer, usage: "|family|address|port|", spec: "2428 §2", run: onNext((*ftpport.Next).Eprt)},
		{verb: "EPSV", args: mayArg, phase: afterLogin, keeps: forTransfer, usage: "[1|2|ALL]", spec: "2428 §3", run: onNext((*ftpport.Next).Epsv)},
		{verb: "LPRT", args: mustArg, phase: afterLogin, keeps: forTransfer, usage: "af,hal,h1,...,pal,p1,...", spec: "1639", run: onNext((*ftpport.Next).Lprt)},
		{verb: "LPSV", args: noArg, phase: afterLogin, keeps: forTransfer, spec: "1639", run: onNext((*ftpport.Next).Lpsv)},
		{verb: "PRET", args: mustArg, phase: afterLogin, keeps: forTransfer, usage: "command", spec: "custom", run: needsNothing(ftpport.Pret)},

		// Transfers
		{verb: "RETR", args: mustArg, phase: afterLogin, usage: "name", spec: "959 §4.1.3", run: (*conn).retr},
		{verb: "STOR", args: mustArg, phase: afterLogin, usage: "name", spec: "959 §4.1.3", run: (*conn).stor},
		{verb: "STOU", args: mayArg, phase: afterLogin, usage: "[name]", spec: "959 §4.1.3, 1123 §4.1.2.9", run: (*conn).stou},
		{verb: "APPE", args: mustArg, phase: afterLogin, usage: "name", spec: "959 §4.1.3", run: (*conn).appe},
		{verb: "ABOR", args: noArg, urgent: atOnce, cancels: true, spec: "959 §4.1.3", run: (*conn).abor},

		// Listings
		{verb: "LIST", args: mayArg, phase: afterLogin, usage: "[-altrRF1d] [name]", spec: "959 §4.1.3", run: (*conn).list},
		{verb: "NLST", args: mayArg, phase: afterLogin, usage: "[-a] [name]", spec: "959 §4.1.3, 1123 §4.1.2.7", run: (*conn).nlst},
		{verb: "MLSD", args: mayArg, phase: afterLogin, usage: "[name]", spec: "3659 §7", run: (*conn).mlsd},
		{verb: "MLST", args: mayArg, phase: afterLogin, usage: "[name]", spec: "3659 §7", run: onFilesWith((*ftptree.Files).Mlst)},
		{verb: "STAT", args: mayArg, phase: afterLogin, urgent: atOnceBare, keeps: aRename | aCopy, usage: "[name]", spec: "959 §4.1.3", run: (*conn).stat},

		// The tree
		{verb: "CWD", args: mustArg, phase: afterLogin, keeps: anALLO, usage: "name", spec: "959 §4.1.1", run: onFiles((*ftptree.Files).Cwd)},
		{verb: "CDUP", args: noArg, phase: afterLogin, spec: "959 §4.1.1", run: onFiles((*ftptree.Files).Cdup)},
		{verb: "PWD", args: noArg, phase: afterLogin, spec: "959 §4.1.3", run: (*conn).pwd},
		{verb: "MKD", args: mustArg, phase: afterLogin, keeps: anALLO, usage: "name", spec: "959 §4.1.3", run: onFilesWith((*ftptree.Files).Mkd)},
		{verb: "RMD", args: mustArg, phase: afterLogin, usage: "name", spec: "959 §4.1.3", run: onFiles((*ftptree.Files).Rmd)},
		{verb: "DELE", args: mustArg, phase: afterLogin, usage: "name", spec: "959 §4.1.3", run: onFiles((*ftptree.Files).Dele)},
		{verb: "RNFR", args: mustArg, phase: afterLogin, begins: aRename, usage: "name", spec: "959 §4.1.3", run: onFiles((*ftptree.Files).Rnfr)},
		{verb: "RNTO", args: mustArg, phase: afterLogin, usage: "name", spec: "959 §4.1.3", run: onFiles((*ftptree.Files).Rnto)},
		{verb: "COMB", args: mustArg, phase: afterLogin, usage: "target part...", spec: "custom", run: onFilesWith((*ftptree.Files).Comb)},
		{verb: "XCWD", args: mustArg, phase: afterLogin, usage: "name", spec: "1123 §4.1.3.1", run: onFiles((*ftptree.Files).Cwd)},
		{verb: "XCUP", args: noArg, phase: afterLogin, spec: "1123 §4.1.3.1", run: onFiles((*ftptree.Files).Cdup)},
		{verb: "XPWD", args: noArg, phase: afterLogin, spec: "1123 §4.1.3.1", run: (*conn).pwd},
		{verb: "XMKD", args: mustArg, phase: afterLogin, usage: "name", spec: "1123 §4.1.3.1", run: onFilesWith((*ftptree.Files).Mkd)},
		{verb: "XRMD", args: mustArg, phase: afterLogin, usage: "name", spec: "1123 §4.1.3.1", run: onFiles((*ftptree.Files).Rmd)},

		// Facts about files
		{verb: "SIZE", args: mustArg, phase: afterLogin, begins: aSize, usage: "name", spec: "3659 §4", run: (*conn).size},
		{verb: "MDTM", args: mustArg, phase: afterLogin, usage: "[time] name", spec: "3659 §3", run: onFiles((*ftptree.Files).Mdtm)},
		{verb: "MFMT", args: mustArg, phase: afterLogin, usage: "time name", spec: "draft-somers-ftp-mfxx", run: onFiles((*ftptree.Files).Mfmt)},
		{verb: "MFF", args: mustArg, phase: afterLogin, usage: "fact=value;... name", spec: "draft-somers-ftp-mfxx", run: onFiles((*ftptree.Files).Mff)},
		{verb: "AVBL", args: mayArg, phase: afterLogin, usage: "[directory]", spec: "draft-peterson-streamlined-ftp", run: onFiles((*ftptree.Files).Avbl)},
		{verb: "HASH", args: mustArg, phase: afterLogin, usage: "name", spec: "draft-bryan-ftpext-hash", run: onFilesWith((*ftptree.Files).Hash)},
		{verb: "XCRC", args: mustArg, phase: afterLogin, usage: "name [first last]", spec: "custom", run: onFiles(ftptree.Xhash("CRC32"))},
		{verb: "XMD5", args: mustArg, phase: afterLogin, usage: "name [first last]", spec: "custom", run: onFiles(ftptree.Xhash("MD5"))},
		{verb: "MD5", args: mustArg, phase: afterLogin, usage: "name", spec: "draft-twine-ftpmd5", run: onFiles((*ftptree.Files).Md5)},
		{verb: "XSHA", args: mustArg, phase: afterLogin, usage: "name [first last]", spec: "custom", run: onFiles(ftptree.Xhash("SHA-1"))},
		{verb: "XSHA1", args: mustArg, phase: afterLogin, usage: "name [first last]", spec: "custom", run: onFiles(ftptree.Xhash("SHA-1"))},
		{verb: "XSHA256", args: mustArg, phase: afterLogin, usage: "name [first last]", spec: "custom", run: onFiles(ftptree.Xhash("SHA-256"))},
		{verb: "XSHA512", args: mustArg, phase: afterLogin, usage: "name [first last]", spec: "custom", run: onFiles(ftptree.Xhash("SHA-512"))},

		// About the server
		{verb: "FEAT", args: noArg, spec: "2389 §3", run: (*conn).feat},
		{verb: "HELP", args: mayArg, usage: "[command]", spec: "959 §4.1.3", run: (*conn).help},
		{verb: "NOOP", args: mayArg, urgent: atOnce, keeps: forTransfer | aRename | aCopy, spec: "959 §4.1.3", run: needsNothing(noop)},
		{verb: "SYST", args: noArg, spec: "959 §4.1.3", run: needsNothing(syst)},
		{verb: "SITE", args: mustArg, phase: afterLogin, keeps: aCopy, usage: "command [arguments]", spec: "959 §4.1.3", run: (*conn).site},
	}
	// Known, and not to be had (RFC 959 §4.2: 502, where an unknown verb is 500).
	for _, verb := range []string{"SMNT", "ADAT", "MIC", "CONF", "ENC", "MFCT", "CPSV", "SSCN", "THMB", "RMDA", "DSIZ", "XRSQ", "XSEM", "XSEN", "MAIL", "MSND", "MSOM", "MSAM", "MRSQ", "MRCP"} {
		rows = append(rows, command{verb: verb, args: mayArg, run: needsNothing(notImplemented)})
	}
	table := make(map[string]*command, len(rows))
	for i := range rows {
		table[rows[i].verb] = &rows[i]
	}
	return table
}
