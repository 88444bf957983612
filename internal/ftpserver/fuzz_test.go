package ftpserver

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzSession says random bytes to a session that has logged in, with a data
// connection in reach, and looks at what comes back: nothing but well-formed
// replies, no panic, and an end.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"PASV\r\nLIST -la\r\nRETR f\r\nQUIT\r\n",
		"TYPE I\r\nREST 3\r\nPORT 192,0,2,77,20,20\r\nSTOR g\r\nABOR\r\n",
		"MLST f\r\nHASH f\r\nSTAT /\r\nSITE COPY f g\r\nCOMB h g \"f\"\r\nRNFR h\r\nRNTO i\r\n",
		"\xff\xf4\xff\xf2ABOR\r\n\xff\xfd\x01MKD a\r\x00b\xff\xff\r\nPWD\n\r\r\nNLST *[a-\r\n",
		"EPSV ALL\r\nEPSV\r\nMODE Z\r\nMLSD\r\nOPTS MLST ;;\r\nMFF x=y; f\r\nUSER x\r\nREIN\r\nHOST [::1]\r\n",
		"XCRC \"f\" 1 2\r\nSITE UTIME f 1 2 3 UTC\r\nSITE SYMLINK \"\" x\r\nEPRT |1|1.2.3.4|5|\r\nLPRT 4,4,1\r\nAUTH TLS\r\n",
	} {
		f.Add([]byte(seed))
	}
	first := regexp.MustCompile(`^[1-6][0-9][0-9][ -]`)
	f.Fuzz(func(t *testing.T, said []byte) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.quiet = true
			w.cfg.ModeZ, w.cfg.Recursive = true, true
			w.storage.Capacity = 1 << 20
			w.begin()
			defer w.end()
			c := w.dial()
			if err := w.fileStep("file", []string{"/f", "some\ntext\r\n"}); err != nil {
				t.Fatal(err)
			}
			if err := c.Login(""); err != nil {
				t.Fatal(err)
			}
			for len(said) > 0 {
				n := min(len(said), 512)
				if c.Send(string(said[:n])) != nil {
					break // it was a QUIT, or GET
				}
				said = said[n:]
				got, _, _ := c.conn.Drain()
				c.said += string(got)
			}
			c.conn.CloseWrite()
			time.Sleep(time.Minute) // the longest that a data connection is waited for
			got, ended, _ := c.conn.Drain()
			if !ended {
				t.Error("the session goes on without its client")
			}
			checkReplies(t, first, c.said+string(got))
		})
	})
}

// withoutTelnet takes the refusals of options out, three bytes each.
func withoutTelnet(said string) string {
	var b strings.Builder
	for i := 0; i < len(said); i++ {
		if said[i] == 0xff && i+2 < len(said) && (said[i+1] == 0xfc || said[i+1] == 0xfe) {
			i += 2
			continue
		}
		b.WriteByte(said[i])
	}
	return b.String()
}

// checkReplies looks at all that a server said.
func checkReplies(t *testing.T, first *regexp.Regexp, said string) {
	t.Helper()
	lines := strings.Split(withoutTelnet(said), "\r\n")
	if end := lines[len(lines)-1]; end != "" && first.MatchString(end) {
		t.Errorf("half a reply at the end: %q", end)
	}
	within := ""
	for _, line := range lines[:len(lines)-1] {
		if strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("a line end or NUL in %q", line)
		}
		switch {
		case within != "" && strings.HasPrefix(line, within+" "):
			within = ""
		case within != "":
			if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, within+"-") {
				t.Errorf("a line of a reply %s that could be another's: %q", within, line)
			}
		case !first.MatchString(line):
			t.Errorf("no reply: %q", line)
		case line[3] == '-':
			within = line[:3]
		}
	}
	if within != "" {
		t.Errorf("the reply %s has no end", within)
	}
}
