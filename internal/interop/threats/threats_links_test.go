package threats

import (
	"os"
	"testing"

	"ferry/internal/interop/harness"
)

// TestThreat5LinksObeyRules: a link brings nobody to where a rule says no, whoever made
// it and wherever in a name it stands; what the rules allow is reached by links as ever.
func TestThreat5LinksObeyRules(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Config: harness.CheapLogins})
	for _, name := range []string{"secret/f", "ro/r", "pub/dir/g"} {
		harness.WriteFile(t, v.Path(name), []byte("content"))
	}
	for name, target := range map[string]string{"outside": "../secret", "outside-f": "../secret/f", "chain": "dir/back/secret", "dir/back": "../.."} {
		if err := os.Symlink(target, v.Path("pub/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	harness.AddUser(t, v, "carol", "ruled-by-paths", "--rights", "all", "--rule", "/secret=none", "--rule", "/ro=read-only")
	l := harness.PhoneAs(t, v, "", "carol", "ruled-by-paths")
	for target, name := range map[string]string{"/secret": "s", "/secret/f": "f", "/secret/new": "new", "/ro/r": "r", "/ro": "rd", "/ro/new": "rnew", "dir": "d", "dir/g": "g", "dir/h": "h"} {
		l.Want("SITE SYMLINK "+target+" /pub/"+name, 200)
	}
	before := inventory(t, v.Dir, "")
	for _, name := range []string{"s/f", "f", "outside/f", "outside-f", "chain/f", "rd/../secret/f", "dir/back/pub/s/f"} {
		for _, verb := range []string{"SIZE", "MDTM", "MLST", "HASH", "DELE", "SITE CHMOD 777", "MFMT 20200101000000"} {
			if (verb == "DELE" || verb == "MLST") && (name == "f" || name == "outside-f") {
				continue // the link itself
			}
			l.Want(verb+" /pub/"+name, 550, 552, 553)
		}
		for _, verb := range []string{"RETR", "STOR", "APPE"} {
			wantRefusedLink(t, l, verb+" /pub/"+name)
		}
		l.Want("SITE COPY /pub/"+name+" /pub/copy", 550, 553)
	}
	for _, dir := range []string{"s", "outside", "chain", "dir/back/secret"} {
		for _, verb := range []string{"LIST", "NLST", "MLSD"} {
			if list, err := l.Fetch(verb + " /pub/" + dir + "/"); err == nil && len(list) > 0 {
				t.Errorf("%s %s shows %q", verb, dir, list)
			}
		}
		l.Want("CWD /pub/"+dir, 550)
		for _, verb := range []string{"MKD", "RMD", "SITE SYMLINK x"} {
			l.Want(verb+" /pub/"+dir+"/n", 550, 553)
		}
		wantRefusedLink(t, l, "STOR /pub/"+dir+"/n")
		l.Want("RNFR /pub/dir/g", 350)
		l.Want("RNTO /pub/"+dir+"/n", 550, 553)
	}
	for _, name := range []string{"new", "r", "rd/r", "rd/n", "rnew"} {
		wantRefusedLink(t, l, "STOR /pub/"+name)
	}
	l.Want("DELE /pub/rd/r", 550)
	if after := inventory(t, v.Dir, ""); after != before {
		t.Errorf("there was\n%s\nand is now\n%s", before, after)
	}
	l.WantFetched("RETR /pub/r", []byte("content"))
	l.WantFetched("RETR /pub/d/g", []byte("content"))
	l.WantFetched("RETR /pub/d/back/ro/r", []byte("content"))
	l.WantStored("STOR /pub/g", []byte("anew"))
	l.WantStored("STOR /pub/h", []byte("new"))
	harness.WantFile(t, v.Path("pub/dir/g"), []byte("anew"))
	harness.WantFile(t, v.Path("pub/dir/h"), []byte("new"))
	l.Want("DELE /pub/d/h", 250)
	l.Want("DELE /pub/f", 250)
	harness.WantFile(t, v.Path("secret/f"), []byte("content"))
}

// wantRefusedLink wants a transfer that moves nothing.
func wantRefusedLink(t *testing.T, l harness.Caller, text string) {
	t.Helper()
	if data, err := l.Begin(text); err == nil {
		data.Close()
		t.Errorf("%s is begun", text)
	}
}
