package threats

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// TestThreat7KernelFileSystems: where procfs and sysfs are mounted into the
// tree, nothing of them is told: they hold other users' secrets, the server's
// environment among them.
func TestThreat7KernelFileSystems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"proc", "sys", "bound"} {
		harness.WriteFile(t, filepath.Join(dir, name, "hidden"), nil)
	}
	v := harness.MountedServer(t, harness.Setup{Dir: dir, Env: []string{"SECRET=" + secret}},
		"mount -t proc proc '"+dir+"/proc'; mount -t sysfs sysfs '"+dir+"/sys'; mount --bind /proc '"+dir+"/bound'")
	harness.WriteFile(t, v.Path("f"), []byte("content"))
	l := harness.Phone(t, v)
	l.Want("SITE SYMLINK /proc/self link", 200)
	for _, name := range []string{"proc/self/environ", "bound/self/environ", "link/environ", "proc/cpuinfo", "sys/kernel/uevent_seqnum", "proc/1/root/etc/passwd", "proc/self/root" + v.Setup.State + "/ferry.db"} {
		for _, text := range []string{"RETR", "STOR", "APPE"} {
			if content, err := l.Fetch(text + " " + name); err == nil {
				t.Errorf("%s %s went well, with %d bytes", text, name, len(content))
			}
		}
		for _, text := range []string{"SITE COPY", "HASH", "DELE", "SITE CHMOD 777"} {
			if text == "SITE COPY" {
				text, name = text+" "+name+" copy", ""
			}
			if a, err := l.Ask(strings.TrimSpace(text + " " + name)); err != nil || a.Code < 500 {
				t.Errorf("%s %s: %v, %v", text, name, a, err)
			}
		}
	}
	harness.WantNoFile(t, v.Path("copy"))
	for _, name := range []string{"proc", "sys", "bound", "link"} {
		list, err := l.Fetch("NLST " + name)
		if err == nil && len(list) > 0 {
			t.Errorf("%s is listed: %.200q", name, list)
		}
	}
	l.WantFetched("RETR f", []byte("content"))
}

// TestThreat7NoKernelFileSystemAsRoot: nor can one be served as a whole.
func TestThreat7NoKernelFileSystemAsRoot(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"/proc", "/sys", "/proc/self"} {
		v := harness.Launch(t, harness.Setup{Dir: dir})
		select {
		case <-v.Ended:
			v.Down = true
		case <-time.After(harness.Patience):
		}
		if !v.Down || v.Err == nil {
			t.Errorf("%s is served", dir)
		}
	}
}

// TestThreat7SpecialFiles: opening a FIFO waits for ever, and a device does
// what the device does. The server does neither.
func TestThreat7SpecialFiles(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	if err := syscall.Mkfifo(v.Path("fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mknod(v.Path("zero"), syscall.S_IFCHR|0o666, 1<<8|5); err != nil {
		t.Fatalf("cannot make a device: %v: this test must run as root", err)
	}
	if err := os.Symlink("fifo", v.Path("link")); err != nil {
		t.Fatal(err)
	}
	l := harness.Phone(t, v)
	for _, name := range []string{"fifo", "zero", "link"} {
		harness.WantRefused(l, "RETR "+name, 550)
		harness.WantRefused(l, "STOR "+name, 553)
		harness.WantRefused(l, "APPE "+name, 553)
		for _, text := range []string{"HASH " + name, "XCRC " + name, "SITE CPFR " + name} {
			l.Want(text, 550, 553)
		}
		for _, text := range []string{"SITE COPY " + name + " copy", "COMB sum " + name} {
			l.Want(text, 550, 553)
		}
	}
	for _, text := range []string{"LIST", "NLST", "MLSD", "LIST fifo"} {
		if _, err := l.Fetch(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if info, err := os.Lstat(v.Path("fifo")); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the FIFO is now %v, %v", info, err)
	}
	harness.WantNoFile(t, v.Path("copy"))
}
