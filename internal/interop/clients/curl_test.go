package clients

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// TestCurlTransfers moves files of every size both ways, over every kind of
// data connection.
func TestCurlTransfers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, listen string
		args         []string
		verb         string // which the dialogue must show
	}{
		{"PASV", "127.0.0.1:0", []string{"--disable-epsv"}, "PASV"},
		{"EPSV", "127.0.0.1:0", nil, "EPSV"},
		{"EPSV6", "[::1]:0", nil, "EPSV"},
		{"PORT", "127.0.0.1:0", []string{"-P", "-", "--disable-eprt"}, "PORT "},
		{"EPRT", "127.0.0.1:0", []string{"-P", "-"}, "EPRT |1|"},
		{"EPRT6", "[::1]:0", []string{"-P", "-"}, "EPRT |2|"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Setup{Listen: c.listen})
			here := t.TempDir()
			names := slices.Sorted(maps.Keys(harness.Sizes()))
			for name, size := range harness.Sizes() {
				harness.WriteFile(t, filepath.Join(here, name), harness.Noise(uint64(size), size))
			}
			list := "{" + strings.Join(names, ",") + "}"

			up := harness.Curl(t, here, append(c.args, "-T", list, v.Url("/"))...)
			if !strings.Contains(up.Err, "> "+c.verb) {
				t.Errorf("curl did not send %s:\n%s", c.verb, up.Err)
			}
			harness.Curl(t, here, append(c.args, v.Url(list), "-o", "got-#1")...)
			for name, size := range harness.Sizes() {
				harness.WantFile(t, v.Path(name), harness.Noise(uint64(size), size))
				harness.WantFile(t, filepath.Join(here, "got-"+name), harness.Noise(uint64(size), size))
			}
		})
	}
}

// TestCurlResumesDownload: -C - sends REST with what is here already.
func TestCurlResumesDownload(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	content, here := harness.Noise(1, 3<<20), t.TempDir()
	harness.WriteFile(t, v.Path("f"), content)
	harness.WriteFile(t, filepath.Join(here, "f"), content[:1<<20])
	o := harness.Curl(t, here, "-C", "-", "-O", v.Url("f"))
	if !strings.Contains(o.Err, "> REST 1048576") {
		t.Errorf("curl did not resume:\n%s", o.Err)
	}
	harness.WantFile(t, filepath.Join(here, "f"), content)
}

// TestCurlResumesUpload: a broken upload leaves nothing new under the name. The
// next curl goes on where it stopped (SIZE, then APPE) where nothing stands there; a
// file that stands is what curl sees, and it is told to send the upload whole.
func TestCurlResumesUpload(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		old  []byte // what stands under the name before
	}{
		{"new", nil},
		{"over an old file", harness.Noise(9, 5000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Setup{})
			content, here := harness.Noise(2, 3<<20), t.TempDir()
			harness.WriteFile(t, filepath.Join(here, "f"), content)
			if c.old != nil {
				harness.WriteFile(t, v.Path("f"), c.old)
			}
			unchanged := func() {
				t.Helper()
				if c.old == nil {
					harness.WantNoFile(t, v.Path("f"))
				} else {
					harness.WantFile(t, v.Path("f"), c.old)
				}
			}
			breakUpload(t, v, "f", content[:1<<20])
			unchanged()
			if c.old != nil {
				harness.Curl(t, here, "-o", "down", v.Url("f"))
				harness.WantFile(t, filepath.Join(here, "down"), c.old)
				o := harness.Program{Dir: here}.Run(t, "curl", harness.CurlArgs([]string{"-C", "-", "-T", "f", v.Url("f")})...)
				if o.Code == 0 || !strings.Contains(o.Err, "550 The last upload of this name broke: send it whole") {
					t.Errorf("curl went on at the end of the old file: exit status %d\n%s", o.Code, o.Err)
				}
				unchanged()
				harness.Curl(t, here, "-T", "f", v.Url("f"))
				harness.WantFile(t, v.Path("f"), content)
				return
			}
			o := harness.Curl(t, here, "-C", "-", "-T", "f", v.Url("f"))
			if !strings.Contains(o.Err, "> APPE f") || !strings.Contains(o.Err, "< 213 1048576") {
				t.Errorf("curl did not resume at the end of the part:\n%s", o.Err)
			}
			harness.WantFile(t, v.Path("f"), content)
		})
	}
}

// breakUpload uploads the beginning of a file with a curl that loses its
// control connection then.
func breakUpload(t testing.TB, v *harness.Server, name string, beginning []byte) {
	t.Helper()
	wire := harness.Cable(t, v.Addr)
	cmd := exec.CommandContext(harness.Deadline(t), "curl", harness.CurlArgs([]string{"-T", "-", "ftp://" + wire.Addr + "/" + name})...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("curl: %v: run make deps", err)
	}
	if _, err := stdin.Write(beginning); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "the part has what was sent", func() bool { return harness.PartBytes(t, v) == int64(len(beginning)) })
	wire.Cut()
	v.Log.Wait(t, "msg=upload", v.Ended)
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	if cmd.Wait() == nil {
		t.Error("curl took a broken upload for a success")
	}
}

// TestCurlASCII: lines end in LF here and there, in CRLF between.
func TestCurlASCII(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	text := []byte(strings.Repeat("one\ntwo\n\nlast without end", 5000))
	harness.WriteFile(t, filepath.Join(here, "up"), text)
	o := harness.Curl(t, here, "--use-ascii", "-T", "up", v.Url("text"))
	if !strings.Contains(o.Err, "> TYPE A") {
		t.Errorf("curl did not ask for TYPE A:\n%s", o.Err)
	}
	harness.WantFile(t, v.Path("text"), text)
	harness.Curl(t, here, "--use-ascii", "-o", "down", v.Url("text"))
	harness.WantFile(t, filepath.Join(here, "down"), text)

	// In binary, --crlf writes the line ends of Windows into the file.
	harness.Curl(t, here, "--crlf", "-T", "up", v.Url("crlf"))
	harness.WantFile(t, v.Path("crlf"), []byte(strings.ReplaceAll(string(text), "\n", "\r\n")))
}

// TestCurlMethods: curl has three ways to walk to a file.
func TestCurlMethods(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here, content := t.TempDir(), harness.Noise(3, 1000)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	// Only multicwd, the default, can make the directories on the way.
	harness.Curl(t, here, "--ftp-create-dirs", "-T", "f", v.Url("a/b/c/f"))
	harness.WantFile(t, v.Path("a/b/c/f"), content)
	// NLST names what can be an argument where it was asked (RFC 1123
	// §4.1.2.7): nocwd asks "NLST a/b/c/", the others go there first.
	lists := map[string]string{"nocwd": "a/b/c/f", "singlecwd": "f", "multicwd": "f"}
	for method, list := range lists {
		t.Run(method, func(t *testing.T) {
			harness.Curl(t, here, "--ftp-method", method, "-T", "f", v.Url("a/b/"+method))
			harness.WantFile(t, v.Path("a/b/"+method), content)
			harness.Curl(t, here, "--ftp-method", method, "-o", "got", v.Url("a/b/"+method))
			harness.WantFile(t, filepath.Join(here, "got"), content)
			if o := harness.Curl(t, here, "--ftp-method", method, "-l", v.Url("a/b/c/")); strings.TrimSpace(o.Out) != list {
				t.Errorf("the directory lists as %q, want %q", o.Out, list)
			}
		})
	}
}

// TestCurlQuotes: commands before and after a transfer.
func TestCurlQuotes(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), harness.Noise(4, 100))
	harness.Curl(t, here, "-T", "f", v.Url("f"),
		"-Q", "MKD d", "-Q", "*DELE is-not-there",
		"-Q", "-RNFR f", "-Q", "-RNTO d/g", "-Q", "-SITE CHMOD 600 d/g", "-Q", "-MFMT 20010203040506 d/g")
	harness.WantFile(t, v.Path("d/g"), harness.Noise(4, 100))
	info, err := os.Stat(v.Path("d/g"))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC); !info.ModTime().Equal(want) || info.Mode() != 0o600 {
		t.Errorf("the file has time %v and mode %v", info.ModTime().UTC(), info.Mode())
	}
	o := harness.Program{Dir: here}.Run(t, "curl", harness.CurlArgs([]string{"-Q", "DELE is-not-there", v.Url("d/")})...)
	if o.Code != 21 { // CURLE_QUOTE_ERROR
		t.Errorf("curl took a refused command for success: %d", o.Code)
	}
}

// TestCurlInfo: -I asks SIZE and MDTM, -r asks for a range of bytes.
func TestCurlInfo(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	content := harness.Noise(5, 100_000)
	harness.WriteFile(t, v.Path("f"), content)
	when := time.Date(2020, 2, 29, 12, 0, 1, 0, time.UTC)
	if err := os.Chtimes(v.Path("f"), when, when); err != nil {
		t.Fatal(err)
	}
	head := strings.ReplaceAll(harness.Curl(t, "", "-I", v.Url("f")).Out, "\r", "")
	for _, want := range []string{"Content-Length: 100000\n", "Last-Modified: Sat, 29 Feb 2020 12:00:01 GMT\n", "Accept-ranges: bytes\n"} {
		if !strings.Contains(head, want) {
			t.Errorf("curl -I does not say %q:\n%s", want, head)
		}
	}
	for _, c := range []struct {
		name, value string
		want        []byte
	}{
		{"the beginning", "0-99", content[:100]},
		{"the middle", "1000-1999", content[1000:2000]},
		{"to the end", "99000-", content[99000:]},
		{"the last", "-10", content[len(content)-10:]},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := harness.Curl(t, "", "-r", c.value, v.Url("f")).Out; got != string(c.want) {
				t.Errorf("got %d bytes, want %d, or they differ", len(got), len(c.want))
			}
		})
	}
}

// TestCurlNames: names that are hard to say in a URL, a command or a listing.
func TestCurlNames(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here, content := t.TempDir(), harness.Noise(6, 2000)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	for _, c := range []struct{ escaped, name string }{
		{"two%20words%20%20here", "two words  here"},
		{"%20leading", " leading"},
		{"trailing%20", "trailing "},
		{"-dash", "-dash"},
		{"100%25", "100%"},
		{"gr%C3%BC%C3%9Fe-%E6%BC%A2%E5%AD%97", "grüße-漢字"},
		{"caf%E9", "caf\xe9"},
		{"quote%22s%27", `quote"s'`},
		{"glob%2A%3F%5Bx%5D", "glob*?[x]"},
		{"semi;colon%3B", "semi;colon;"},
		{"back%5Cslash", `back\slash`},
		{"..dots", "..dots"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// In a directory of that name, too: CWD and MKD are said, then.
			for _, dir := range []string{"", c.escaped + "/"} {
				at := v.Path(c.name)
				if dir != "" {
					at = v.Path(c.name + ".d/" + c.name)
					dir = c.escaped + ".d/"
				}
				harness.Curl(t, here, "-g", "--ftp-create-dirs", "-T", "f", v.Url(dir+c.escaped))
				harness.WantFile(t, at, content)
				harness.Curl(t, here, "-g", "-o", "got", v.Url(dir+c.escaped))
				harness.WantFile(t, filepath.Join(here, "got"), content)
			}
			list := harness.Curl(t, here, "-X", "NLST -a", v.Url("/")).Out // -a: a name with a dot in front
			if !strings.Contains(strings.ReplaceAll(list, "\r\n", "\n"), c.name+"\n") {
				t.Errorf("%q is not in the listing %q", c.name, list)
			}
		})
	}
}

// TestCurlStopsEarly: a reader that goes away leaves a server that goes on.
func TestCurlStopsEarly(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	harness.WriteFile(t, v.Path("f"), harness.Noise(7, 64<<20))
	cmd := exec.CommandContext(harness.Deadline(t), "curl", harness.CurlArgs([]string{v.Url("f")})...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("curl: %v: run make deps", err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, 1000)); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed, and says so
	if line := v.Log.Wait(t, "msg=download", v.Ended); !strings.Contains(line, "error=") {
		t.Errorf("half a download is logged as a whole one: %s", line)
	}
	harness.Curl(t, "", "-o", "/dev/null", v.Url("f"))
}

// TestCurlParallel: twenty sessions at once, both ways.
func TestCurlParallel(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	args := []string{"-Z", "--parallel-immediate", "--parallel-max", "20"}
	for i := range 100 {
		harness.WriteFile(t, filepath.Join(here, "out", fmt.Sprint(i)), harness.Noise(uint64(i), 3000*i))
	}
	harness.Curl(t, here, append(args, "-T", "out/{"+harness.Numbers(100)+"}", v.Url("/"))...)
	harness.Curl(t, here, append(args, "--create-dirs", "-o", "back/#1", v.Url("[0-99]"))...)
	harness.WantSameTree(t, v.Dir, filepath.Join(here, "out"), harness.Kept{})
	harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{})
}
