package beneath

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
)

// mountsFor is how long it is remembered what kind of file system a device
// number stands for. The kernel reuses the numbers of what was unmounted.
const mountsFor = 10 * time.Second

// mounts knows which file systems are not for serving: those in which the
// kernel shows itself, where reading can tell secrets and writing can do harm.
type mounts struct {
	none bool   // all are
	dev  uint64 // of /dev, which says it is a tmpfs; 0: not set apart
	mu   sync.Mutex
	seen map[uint64]mount
}

type mount struct {
	refused bool
	at      time.Time
}

// start looks at the root itself.
func (m *mounts) start(root int) error {
	m.seen = make(map[uint64]mount)
	var st, dev, slash unix.Stat_t
	if err := unix.Fstat(root, &st); err != nil {
		return err
	}
	// Where /dev is no file system of its own, nothing tells it apart; an
	// operator who serves what lies there has said so.
	if unix.Stat("/dev", &dev) == nil && unix.Stat("/", &slash) == nil && dev.Dev != slash.Dev && dev.Dev != st.Dev {
		m.dev = dev.Dev
	}
	return m.check(root, st.Dev)
}

// check answers ferry.ErrNotRegular where the object fd, on the device dev,
// lies in such a file system.
func (m *mounts) check(fd int, dev uint64) error {
	if m.none {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.seen[dev]
	if !ok || time.Since(known.at) > mountsFor {
		var sfs unix.Statfs_t
		if _, err := RetryEINTR(func() (int, error) { return 0, unix.Fstatfs(fd, &sfs) }); err != nil {
			return err
		}
		known = mount{refused: dev == m.dev || kernelKind(int64(sfs.Type)), at: time.Now()}
		m.seen[dev] = known
	}
	if known.refused {
		return ferry.ErrNotRegular
	}
	return nil
}

// kernelKind tells the types of statfs(2) that are windows into the kernel.
func kernelKind(kind int64) bool {
	switch uint32(kind) {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEVPTS_SUPER_MAGIC, unix.CGROUP_SUPER_MAGIC,
		unix.CGROUP2_SUPER_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC,
		unix.SELINUX_MAGIC, unix.SMACK_MAGIC, unix.AAFS_MAGIC, unix.BPF_FS_MAGIC, unix.EFIVARFS_MAGIC,
		unix.PSTOREFS_MAGIC, unix.BINFMTFS_MAGIC, unix.BINDERFS_SUPER_MAGIC, unix.NSFS_MAGIC,
		unix.RDTGROUP_SUPER_MAGIC, unix.XENFS_SUPER_MAGIC, unix.USBDEVICE_SUPER_MAGIC,
		configfsMagic, fusectlMagic, mqueueMagic:
		return true
	}
	return false
}

// Types that golang.org/x/sys/unix has no name for, from the kernel's sources.
const (
	configfsMagic = 0x62656570
	fusectlMagic  = 0x65735543
	mqueueMagic   = 0x19800202
)
