package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// apartEnv is where, in the environment, the machine of its own is told where the tree is.
const apartEnv = "FERRY_README_TREE"

// goFlags are the Go tool's. -trimpath: what was built in another copy of the tree need
// not be built again.
const goFlags = "-trimpath -buildvcs=false"

// TestWhatIsPastedWorks: every block of README.md and docs/ that people may paste does
// what stands there, in a clean copy of the tree, at the ports and in the directories
// that it names. For these the test runs itself in a network and among file systems of
// its own.
func TestWhatIsPastedWorks(t *testing.T) {
	if tree := os.Getenv(apartEnv); tree != "" {
		pasteAll(t, tree)
		return
	}
	tree := cleanCopy(t)
	// The machine of its own has no network to fetch modules from, and no step there may
	// last as long as building the server anew does.
	must(t, `cd "$1" && GOFLAGS="$2" go build -o /dev/null ./cmd/ferry`, tree, goFlags)
	args := []string{"--mount", "--net"}
	if os.Geteuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	args = append(args, os.Args[0], "-test.run=^TestWhatIsPastedWorks$", "-test.v")
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(os.Environ(), apartEnv+"="+tree)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v (where unshare itself is refused: run the tests as root)\n%s", err, out)
	}
}

// cleanCopy is the tree as it would be cloned.
func cleanCopy(t *testing.T) string {
	t.Helper()
	const top = "../../.."
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = top
	names, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	tree := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(top, name))
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		harness.WriteFile(t, filepath.Join(tree, name), content)
	}
	return tree
}

// pasteAll pastes the pages of the tree, in a machine of their own: /srv/ferry is the
// tree, nothing is at any port, and the server has no state yet.
func pasteAll(t *testing.T, tree string) {
	must(t, `mount -t tmpfs none /srv && mount -t tmpfs none /var/lib
		ip link set lo up && ip addr add 192.0.2.2/24 dev lo
		cp -r "$1" /srv/ferry && cd /srv/ferry && git init -q && git add -A`, tree)
	t.Chdir("/srv/ferry")
	newHome(t)
	p := &paster{t: t, env: filepath.Join(t.TempDir(), "env")}
	harness.WriteFile(t, p.env, nil)
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range slices.Concat([]string{"README.md", "CONTRIBUTING.md"}, docs) {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocksIn(string(content)) {
			if b.reason != "" {
				t.Logf("%s:%d is not run: %s", page, b.line, b.reason)
				continue
			}
			t.Logf("%s:%d", page, b.line)
			p.paste(b)
		}
		if page == "README.md" {
			p.wantAlice()
		}
		p.stop()
	}
	if out := must(t, "git ls-files --others --exclude-standard"); out != "" {
		t.Errorf("what the pages have people make is not ignored by git:\n%s", out)
	}
}

// newHome is a home directory where nothing is installed or known yet. What the Go tool
// has fetched and built before, it keeps. The page shows no colours.
func newHome(t *testing.T) {
	t.Helper()
	for _, kept := range []string{"GOCACHE", "GOMODCACHE"} {
		t.Setenv(kept, strings.TrimSpace(must(t, "go env "+kept)))
	}
	t.Setenv("GOFLAGS", goFlags)
	for _, unset := range []string{"GOPATH", "GOBIN", "XDG_STATE_HOME", "FERRY_PASSWORD"} {
		t.Setenv(unset, "")
		_ = os.Unsetenv(unset)
	}
	t.Setenv("NO_COLOR", "1")
	t.Setenv("HOME", t.TempDir())
}

func must(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := exec.Command("bash", append([]string{"-ec", script, "bash"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// paster pastes one block after the other. A server that one of them starts runs until
// another one is started.
type paster struct {
	t       *testing.T
	env     string // a file: what the shell has exported so far
	server  *terminal
	replace *strings.Replacer // what stands in the page, by what it is here
}

func (p *paster) paste(b block) {
	p.t.Helper()
	steps := b.transcript()
	if steps == nil {
		steps = []step{{command: b.text}}
	}
	for _, s := range steps {
		p.run(s)
	}
}

func (p *paster) run(s step) {
	p.t.Helper()
	if strings.Contains(s.command, "ferry serve") {
		p.stop()
	}
	command := s.command
	if p.replace != nil {
		command = p.replace.Replace(command)
	}
	x := open(p.t, p.env, command)
	if x.settle() {
		p.server = x
		p.learn(s)
	}
	p.compare(s, x.all)
}

// learn finds what the server has made up, where the page shows another.
func (p *paster) learn(s step) {
	password := regexp.MustCompile(`password ([a-z2-7]{26})\b`)
	shown, made := password.FindStringSubmatch(strings.Join(s.want, "\n")), password.FindStringSubmatch(p.server.all)
	if shown != nil && made != nil {
		p.replace = strings.NewReplacer(shown[1], made[1])
	}
}

// compare wants the lines that the page shows, in their order, and between them nothing
// but the server's log.
func (p *paster) compare(s step, got string) {
	p.t.Helper()
	if s.want == nil {
		return
	}
	logged := regexp.MustCompile(`^(time=|\d\d:\d\d:\d\d )`) // for programs, and for people at a terminal
	var want, lines []string
	for _, line := range s.want {
		want = append(want, constant(line))
	}
	for line := range strings.Lines(got) {
		if line = constant(line); line != "" && !logged.MatchString(line) {
			lines = append(lines, line)
		}
	}
	if !slices.Equal(want, lines) {
		p.t.Errorf("%s\nprints\n  %s\nand the page shows\n  %s", s.command, strings.Join(lines, "\n  "), strings.Join(want, "\n  "))
	}
}

func (p *paster) stop() {
	p.t.Helper()
	if p.server != nil {
		p.server.interrupt()
		p.server = nil
	}
}

// wantAlice logs in as the user of the server for keeps, which runs now.
func (p *paster) wantAlice() {
	p.t.Helper()
	must(p.t, `curl -sSk --ssl-reqd -u "$1" -T LICENSE ftp://localhost:2121/ && cmp LICENSE /srv/alice/LICENSE
		curl -sSk -u "$1" sftp://localhost:2222/LICENSE | cmp - LICENSE`, "alice:"+password)
}
