package ftpwire

// The bytes of RFC 854 that matter on a control connection. Everything from
// telnetSE up is a command when it follows an IAC.
const (
	telnetSE   = 240
	telnetSB   = 250
	telnetWILL = 251
	telnetWONT = 252
	telnetDO   = 253
	telnetDONT = 254
	telnetIAC  = 255
)

// maxSubnegotiation is how many bytes may follow IAC SB before its IAC SE is no
// longer waited for: otherwise two bytes would silence a connection for good.
const maxSubnegotiation = 512

// telnetState is where in a Telnet sequence the last byte left off.
type telnetState uint8

const (
	inText    telnetState = iota
	afterIAC              // IAC
	afterVerb             // IAC WILL, WONT, DO or DONT: the option follows
	inSub                 // IAC SB …
	inSubIAC              // IAC SB … IAC
)

// effect is what a byte turned out to be.
type effect uint8

const (
	swallowed effect = iota // part of a Telnet sequence
	text                    // a byte of the line
	refusable               // the option byte of a WILL or DO
)

// telnet separates Telnet commands from text, a byte at a time. It is a value,
// so that a copy can look ahead.
type telnet struct {
	state telnetState
	verb  byte // in afterVerb and for refusable
	sub   int  // bytes since IAC SB
}

// next takes the next byte. With letters set, a 0xFF in the text is a letter.
func (t *telnet) next(b byte, letters bool) effect {
	switch t.state {
	case afterIAC:
		return t.command(b)
	case afterVerb:
		t.state = inText
		if t.verb == telnetWILL || t.verb == telnetDO {
			return refusable
		}
		return swallowed
	case inSub, inSubIAC:
		return t.subnegotiation(b)
	}
	if b != telnetIAC || letters {
		return text
	}
	t.state = afterIAC
	return swallowed
}

// command takes the byte after an IAC.
func (t *telnet) command(b byte) effect {
	t.state = inText
	switch {
	case b == telnetIAC:
		return text
	case b == telnetSB:
		t.state, t.sub = inSub, 0
	case b >= telnetWILL:
		t.state, t.verb = afterVerb, b
	case b < telnetSE:
		// No Telnet command. lftp aborts with IAC IP IAC DM, the DM as the
		// urgent byte, and some stacks lose that byte: what follows the IAC
		// is then the first letter of ABOR.
		return text
	}
	return swallowed
}

func (t *telnet) subnegotiation(b byte) effect {
	t.sub++
	switch {
	case t.sub > maxSubnegotiation:
		t.state = inText
		return text
	case t.state == inSubIAC && b == telnetSE:
		t.state = inText
	case t.state == inSub && b == telnetIAC:
		t.state = inSubIAC
	default:
		t.state = inSub
	}
	return swallowed
}
