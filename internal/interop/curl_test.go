package interop

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
)

// curl runs curl as alice; -v shows the dialogue on standard error.
func curl(t testing.TB, dir string, args ...string) output {
	t.Helper()
	return program{dir: dir}.must(t, "curl", curlArgs(args)...)
}

func curlArgs(args []string) []string {
	return append([]string{"-q", "-sSv", "-u", user + ":" + password}, args...)
}

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
			v := start(t, setup{listen: c.listen})
			here := t.TempDir()
			names := slices.Sorted(maps.Keys(sizes()))
			for name, size := range sizes() {
				writeFile(t, filepath.Join(here, name), noise(uint64(size), size))
			}
			list := "{" + strings.Join(names, ",") + "}"

			up := curl(t, here, append(c.args, "-T", list, v.url("/"))...)
			if !strings.Contains(up.err, "> "+c.verb) {
				t.Errorf("curl did not send %s:\n%s", c.verb, up.err)
			}
			curl(t, here, append(c.args, v.url(list), "-o", "got-#1")...)
			for name, size := range sizes() {
				wantFile(t, v.path(name), noise(uint64(size), size))
				wantFile(t, filepath.Join(here, "got-"+name), noise(uint64(size), size))
			}
		})
	}
}

// TestCurlResumesDownload: -C - sends REST with what is here already.
func TestCurlResumesDownload(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	content, here := noise(1, 3<<20), t.TempDir()
	writeFile(t, v.path("f"), content)
	writeFile(t, filepath.Join(here, "f"), content[:1<<20])
	o := curl(t, here, "-C", "-", "-O", v.url("f"))
	if !strings.Contains(o.err, "> REST 1048576") {
		t.Errorf("curl did not resume:\n%s", o.err)
	}
	wantFile(t, filepath.Join(here, "f"), content)
}

// TestCurlResumesUpload: a broken upload leaves nothing new under the name, and
// the next curl goes on where it stopped (SIZE, then APPE), and then the file is there.
func TestCurlResumesUpload(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		old  []byte // what stands under the name before
	}{
		{"new", nil},
		{"over an old file", noise(9, 5000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := start(t, setup{})
			content, here := noise(2, 3<<20), t.TempDir()
			writeFile(t, filepath.Join(here, "f"), content)
			if c.old != nil {
				writeFile(t, v.path("f"), c.old)
			}
			unchanged := func() {
				t.Helper()
				if c.old == nil {
					wantNoFile(t, v.path("f"))
				} else {
					wantFile(t, v.path("f"), c.old)
				}
			}
			breakUpload(t, v, "f", content[:1<<20])
			unchanged()
			o := curl(t, here, "-C", "-", "-T", "f", v.url("f"))
			if !strings.Contains(o.err, "> APPE f") || !strings.Contains(o.err, "< 213 1048576") {
				t.Errorf("curl did not resume at the end of the part:\n%s", o.err)
			}
			wantFile(t, v.path("f"), content)
		})
	}
}

// breakUpload uploads the beginning of a file with a curl that loses its
// control connection then.
func breakUpload(t testing.TB, v *server, name string, beginning []byte) {
	t.Helper()
	wire := cable(t, v.addr)
	cmd := exec.CommandContext(deadline(t), "curl", curlArgs([]string{"-T", "-", "ftp://" + wire.addr + "/" + name})...)
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
	eventually(t, "the part has what was sent", func() bool { return partBytes(t, v) == int64(len(beginning)) })
	wire.cut()
	v.log.wait(t, "msg=upload", v.ended)
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	if cmd.Wait() == nil {
		t.Error("curl took a broken upload for a success")
	}
}

// partBytes is how much lies in parts: in hidden files of the served directory.
func partBytes(t testing.TB, v *server) int64 {
	t.Helper()
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), ".") {
			sum += info.Size()
		}
	}
	return sum
}

// TestCurlASCII: lines end in LF here and there, in CRLF between.
func TestCurlASCII(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	text := []byte(strings.Repeat("one\ntwo\n\nlast without end", 5000))
	writeFile(t, filepath.Join(here, "up"), text)
	o := curl(t, here, "--use-ascii", "-T", "up", v.url("text"))
	if !strings.Contains(o.err, "> TYPE A") {
		t.Errorf("curl did not ask for TYPE A:\n%s", o.err)
	}
	wantFile(t, v.path("text"), text)
	curl(t, here, "--use-ascii", "-o", "down", v.url("text"))
	wantFile(t, filepath.Join(here, "down"), text)

	// In binary, --crlf writes the line ends of Windows into the file.
	curl(t, here, "--crlf", "-T", "up", v.url("crlf"))
	wantFile(t, v.path("crlf"), []byte(strings.ReplaceAll(string(text), "\n", "\r\n")))
}

// TestCurlMethods: curl has three ways to walk to a file.
func TestCurlMethods(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here, content := t.TempDir(), noise(3, 1000)
	writeFile(t, filepath.Join(here, "f"), content)
	// Only multicwd, the default, can make the directories on the way.
	curl(t, here, "--ftp-create-dirs", "-T", "f", v.url("a/b/c/f"))
	wantFile(t, v.path("a/b/c/f"), content)
	// NLST names what can be an argument where it was asked (RFC 1123
	// §4.1.2.7): nocwd asks "NLST a/b/c/", the others go there first.
	lists := map[string]string{"nocwd": "a/b/c/f", "singlecwd": "f", "multicwd": "f"}
	for method, list := range lists {
		t.Run(method, func(t *testing.T) {
			curl(t, here, "--ftp-method", method, "-T", "f", v.url("a/b/"+method))
			wantFile(t, v.path("a/b/"+method), content)
			curl(t, here, "--ftp-method", method, "-o", "got", v.url("a/b/"+method))
			wantFile(t, filepath.Join(here, "got"), content)
			if o := curl(t, here, "--ftp-method", method, "-l", v.url("a/b/c/")); strings.TrimSpace(o.out) != list {
				t.Errorf("the directory lists as %q, want %q", o.out, list)
			}
		})
	}
}

// TestCurlQuotes: commands before and after a transfer.
func TestCurlQuotes(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	writeFile(t, filepath.Join(here, "f"), noise(4, 100))
	curl(t, here, "-T", "f", v.url("f"),
		"-Q", "MKD d", "-Q", "*DELE is-not-there",
		"-Q", "-RNFR f", "-Q", "-RNTO d/g", "-Q", "-SITE CHMOD 600 d/g", "-Q", "-MFMT 20010203040506 d/g")
	wantFile(t, v.path("d/g"), noise(4, 100))
	info, err := os.Stat(v.path("d/g"))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC); !info.ModTime().Equal(want) || info.Mode() != 0o600 {
		t.Errorf("the file has time %v and mode %v", info.ModTime().UTC(), info.Mode())
	}
	o := program{dir: here}.run(t, "curl", curlArgs([]string{"-Q", "DELE is-not-there", v.url("d/")})...)
	if o.code != 21 { // CURLE_QUOTE_ERROR
		t.Errorf("curl took a refused command for success: %d", o.code)
	}
}

// TestCurlInfo: -I asks SIZE and MDTM, -r asks for a range of bytes.
func TestCurlInfo(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	content := noise(5, 100_000)
	writeFile(t, v.path("f"), content)
	when := time.Date(2020, 2, 29, 12, 0, 1, 0, time.UTC)
	if err := os.Chtimes(v.path("f"), when, when); err != nil {
		t.Fatal(err)
	}
	head := strings.ReplaceAll(curl(t, "", "-I", v.url("f")).out, "\r", "")
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
			if got := curl(t, "", "-r", c.value, v.url("f")).out; got != string(c.want) {
				t.Errorf("got %d bytes, want %d, or they differ", len(got), len(c.want))
			}
		})
	}
}

// TestCurlNames: names that are hard to say in a URL, a command or a listing.
func TestCurlNames(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here, content := t.TempDir(), noise(6, 2000)
	writeFile(t, filepath.Join(here, "f"), content)
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
				at := v.path(c.name)
				if dir != "" {
					at = v.path(c.name + ".d/" + c.name)
					dir = c.escaped + ".d/"
				}
				curl(t, here, "-g", "--ftp-create-dirs", "-T", "f", v.url(dir+c.escaped))
				wantFile(t, at, content)
				curl(t, here, "-g", "-o", "got", v.url(dir+c.escaped))
				wantFile(t, filepath.Join(here, "got"), content)
			}
			list := curl(t, here, "-X", "NLST -a", v.url("/")).out // -a: a name with a dot in front
			if !strings.Contains(strings.ReplaceAll(list, "\r\n", "\n"), c.name+"\n") {
				t.Errorf("%q is not in the listing %q", c.name, list)
			}
		})
	}
}

// TestCurlStopsEarly: a reader that goes away leaves a server that goes on.
func TestCurlStopsEarly(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	writeFile(t, v.path("f"), noise(7, 64<<20))
	cmd := exec.CommandContext(deadline(t), "curl", curlArgs([]string{v.url("f")})...)
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
	if line := v.log.wait(t, "msg=download", v.ended); !strings.Contains(line, "error=") {
		t.Errorf("half a download is logged as a whole one: %s", line)
	}
	curl(t, "", "-o", "/dev/null", v.url("f"))
}

// TestCurlParallel: twenty sessions at once, both ways.
func TestCurlParallel(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	args := []string{"-Z", "--parallel-immediate", "--parallel-max", "20"}
	for i := range 100 {
		writeFile(t, filepath.Join(here, "out", fmt.Sprint(i)), noise(uint64(i), 3000*i))
	}
	curl(t, here, append(args, "-T", "out/{"+numbers(100)+"}", v.url("/"))...)
	curl(t, here, append(args, "--create-dirs", "-o", "back/#1", v.url("[0-99]"))...)
	wantSameTree(t, v.dir, filepath.Join(here, "out"), kept{})
	wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), kept{})
}

// numbers are 0 to n-1, separated by commas.
func numbers(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return strings.Join(all, ",")
}
