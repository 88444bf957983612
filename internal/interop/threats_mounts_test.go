package interop

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestThreat7KernelFileSystems: where procfs and sysfs are mounted into the
// tree, nothing of them is told: they hold other users' secrets, the server's
// environment among them.
func TestThreat7KernelFileSystems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"proc", "sys", "bound"} {
		writeFile(t, filepath.Join(dir, name, "hidden"), nil)
	}
	v := mountedServer(t, setup{dir: dir, env: []string{"SECRET=" + secret}},
		"mount -t proc proc '"+dir+"/proc'; mount -t sysfs sysfs '"+dir+"/sys'; mount --bind /proc '"+dir+"/bound'")
	writeFile(t, v.path("f"), []byte("content"))
	l := phone(t, v)
	l.want("SITE SYMLINK /proc/self link", 200)
	for _, name := range []string{"proc/self/environ", "bound/self/environ", "link/environ", "proc/cpuinfo", "sys/kernel/uevent_seqnum", "proc/1/root/etc/passwd", "proc/self/root" + v.setup.state + "/ferry.db"} {
		for _, text := range []string{"RETR", "STOR", "APPE"} {
			if content, err := l.fetch(text + " " + name); err == nil {
				t.Errorf("%s %s went well, with %d bytes", text, name, len(content))
			}
		}
		for _, text := range []string{"SITE COPY", "HASH", "DELE", "SITE CHMOD 777"} {
			if text == "SITE COPY" {
				text, name = text+" "+name+" copy", ""
			}
			if a, err := l.ask(strings.TrimSpace(text + " " + name)); err != nil || a.code < 500 {
				t.Errorf("%s %s: %v, %v", text, name, a, err)
			}
		}
	}
	wantNoFile(t, v.path("copy"))
	for _, name := range []string{"proc", "sys", "bound", "link"} {
		list, err := l.fetch("NLST " + name)
		if err == nil && len(list) > 0 {
			t.Errorf("%s is listed: %.200q", name, list)
		}
	}
	l.wantFetched("RETR f", []byte("content"))
}

// TestThreat7NoKernelFileSystemAsRoot: nor can one be served as a whole.
func TestThreat7NoKernelFileSystemAsRoot(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"/proc", "/sys", "/proc/self"} {
		v := launch(t, setup{dir: dir})
		select {
		case <-v.ended:
			v.down = true
		case <-time.After(patience):
		}
		if !v.down || v.err == nil {
			t.Errorf("%s is served", dir)
		}
	}
}

// TestThreat7SpecialFiles: opening a FIFO waits for ever, and a device does
// what the device does. The server does neither.
func TestThreat7SpecialFiles(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	if err := syscall.Mkfifo(v.path("fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mknod(v.path("zero"), syscall.S_IFCHR|0o666, 1<<8|5); err != nil {
		t.Fatalf("cannot make a device: %v: this test must run as root", err)
	}
	if err := os.Symlink("fifo", v.path("link")); err != nil {
		t.Fatal(err)
	}
	l := phone(t, v)
	for _, name := range []string{"fifo", "zero", "link"} {
		wantRefused(l, "RETR "+name, 550)
		wantRefused(l, "STOR "+name, 553)
		wantRefused(l, "APPE "+name, 553)
		for _, text := range []string{"HASH " + name, "XCRC " + name, "SITE CPFR " + name} {
			l.want(text, 550, 553)
		}
		for _, text := range []string{"SITE COPY " + name + " copy", "COMB sum " + name} {
			l.want(text, 550, 553)
		}
	}
	for _, text := range []string{"LIST", "NLST", "MLSD", "LIST fifo"} {
		if _, err := l.fetch(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if info, err := os.Lstat(v.path("fifo")); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the FIFO is now %v, %v", info, err)
	}
	wantNoFile(t, v.path("copy"))
}
