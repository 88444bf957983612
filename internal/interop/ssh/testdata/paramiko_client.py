"""paramiko against a server: paramiko_client.py PORT USER PASSWORD BOB KEYFILE.

USER logs in by password, BOB by his key, and both have the same files. Ends
with status 0 when all is well; else unittest says what is not.
"""

import errno
import hashlib
import io
import stat
import sys
import unittest

import paramiko

PORT, USER, PASSWORD, BOB, KEYFILE = int(sys.argv[1]), *sys.argv[2:6]
SIZES = [0, 1, 32767, 32768, 32769, 3 << 20]


def noise(size):
    return hashlib.shake_256(b"%d" % size).digest(size)


class Client(unittest.TestCase):
    login = dict(username=BOB, key_filename=KEYFILE)

    def setUp(self):
        self.ssh = paramiko.SSHClient()
        self.ssh.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        self.ssh.connect("127.0.0.1", PORT, allow_agent=False, look_for_keys=False, timeout=60, **self.login)
        self.addCleanup(self.ssh.close)
        self.sftp = self.ssh.open_sftp()
        self.sftp.get_channel().settimeout(60)
        self.dir = "/%s-%s" % (type(self).__name__, self._testMethodName)
        self.sftp.mkdir(self.dir)
        self.sftp.chdir(self.dir)

    def write(self, name, content, mode="wb"):
        with self.sftp.open(name, mode) as f:
            f.write(content)

    def read(self, name):
        with self.sftp.open(name, "rb") as f:
            return f.read()

    def refused(self, exception, call, *args):
        with self.assertRaises(exception) as refusal:
            call(*args)
        return refusal.exception

    def test_put_and_get(self):
        for size in SIZES:
            # confirm: paramiko asks for the size with STAT, right after CLOSE.
            self.assertEqual(self.sftp.putfo(io.BytesIO(noise(size)), "f", confirm=True).st_size, size)
            for prefetch in [True, False]:
                got = io.BytesIO()
                self.assertEqual(self.sftp.getfo("f", got, prefetch=prefetch), size)
                self.assertEqual(got.getvalue(), noise(size))

    def test_modes(self):
        self.write("f", b"first")
        self.write("f", b"second content")
        self.write("f", b", and more", "ab")
        self.assertEqual(self.read("f"), b"second content, and more")
        with self.sftp.open("f", "r+b") as f:
            f.seek(7)
            self.assertEqual(f.read(7), b"content")
            f.seek(-4, f.SEEK_END)
            f.write(b"LESS")
            f.flush()
            f.seek(0)
            self.assertEqual(f.read(), b"second content, and LESS")
            f.truncate(6)
            self.assertEqual(f.stat().st_size, 6)
        self.assertEqual(self.read("f"), b"second")
        with self.sftp.open("f", "a+b") as f:
            f.write(b" wind")
            f.seek(0)
            self.assertEqual(f.read(), b"second wind")
        with self.sftp.open("f", "w+b") as f:
            f.write(b"anew")
            f.seek(1)
            self.assertEqual(f.read(2), b"ne")
        self.write("new", b"x", "wx")
        self.refused(IOError, self.sftp.open, "new", "wx")
        self.assertEqual(self.read("new"), b"x")
        with self.sftp.open("text", "w") as f:
            f.writelines(["one\n", "gr\u00fc\u00dfe\n"])
        with self.sftp.open("text", "r") as f:
            self.assertEqual(list(f), ["one\n", "gr\u00fc\u00dfe\n"])

    def test_seeks(self):
        content = noise(2 << 20)
        self.write("f", content)
        with self.sftp.open("f", "rb") as f:
            for at, size in [(1 << 20, 100_000), (5, 10), (len(content) - 3, 50), (len(content) + 9, 1)]:
                f.seek(at)
                self.assertEqual(f.read(size), content[at:at + size])
            chunks = [(1_000_000, 70_000), (3, 1), (2_000_000, 40_000)]
            self.assertEqual(list(f.readv(chunks)), [content[at:at + size] for at, size in chunks])
            f.seek(0)
            f.prefetch(len(content))
            self.assertEqual(f.read(), content)

    def test_pipelined(self):
        with self.sftp.open("f", "wb") as f:
            f.set_pipelined(True)
            for at in range(0, 3 << 20, 30_000):
                f.write(noise(3 << 20)[at:at + 30_000])
        self.assertEqual(self.read("f"), noise(3 << 20))

    def test_check(self):
        content = noise(100_000)
        self.write("f", content)
        with self.sftp.open("f", "rb") as f:
            self.assertEqual(f.check("md5"), hashlib.md5(content).digest())
            self.assertEqual(f.check("sha1"), hashlib.sha1(content).digest())
            self.assertEqual(f.check("sha1", 10, 500), hashlib.sha1(content[10:510]).digest())
            blocks = [hashlib.md5(content[at:at + 40_000]).digest() for at in range(0, 100_000, 40_000)]
            self.assertEqual(f.check("md5", block_size=40_000), b"".join(blocks))
            self.refused(IOError, f.check, "rot13")

    def test_lists(self):
        names = ["one", "two words", "gr\u00fc\u00dfe", "-al", "[x]*?", "new\nline"] + ["f%03d" % i for i in range(300)]
        for name in names:
            self.sftp.open(name, "wb").close()
        self.sftp.mkdir("sub", 0o750)
        self.sftp.symlink("one", "link")
        everything = sorted(names + ["sub", "link"])
        self.assertEqual(sorted(self.sftp.listdir()), everything)
        found = {a.filename: a for a in self.sftp.listdir_attr(".")}
        self.assertEqual(sorted(found), everything)
        self.assertTrue(stat.S_ISREG(found["one"].st_mode))
        self.assertTrue(stat.S_ISLNK(found["link"].st_mode))
        self.assertEqual(stat.S_IMODE(found["sub"].st_mode), 0o750)
        self.assertTrue(found["sub"].longname.startswith("drwxr-x---"))
        self.assertEqual(sorted(a.filename for a in self.sftp.listdir_iter(self.dir, read_aheads=20)), everything)
        self.assertEqual(self.sftp.listdir("sub"), [])

    def test_renames(self):
        self.write("a", b"a")
        self.write("b", b"b")
        self.refused(IOError, self.sftp.rename, "a", "b")
        self.assertEqual(self.read("b"), b"b")
        self.sftp.posix_rename("a", "b")
        self.assertEqual(self.read("b"), b"a")
        self.refused(FileNotFoundError, self.sftp.rename, "a", "c")
        self.sftp.rename("b", "c")
        self.sftp.remove("c")
        self.assertEqual(self.sftp.listdir(), [])

    def test_attributes(self):
        self.write("f", b"0123456789")
        self.sftp.truncate("f", 4)
        self.assertEqual(self.read("f"), b"0123")
        self.sftp.truncate("f", 6)
        self.assertEqual(self.read("f"), b"0123\0\0")
        self.sftp.chmod("f", 0o604)
        self.sftp.utime("f", (1_000_000_000, 1_100_000_000))
        found = self.sftp.stat("f")
        self.assertEqual((found.st_size, found.st_mode, found.st_atime, found.st_mtime),
                         (6, stat.S_IFREG | 0o604, 1_000_000_000, 1_100_000_000))
        with self.sftp.open("f", "r+b") as f:
            f.chmod(0o640)
            f.utime((1, 2))
            self.assertEqual(f.stat().st_mtime, 2)
        self.assertEqual(stat.S_IMODE(self.sftp.stat("f").st_mode), 0o640)

    def test_links(self):
        self.write("f", b"content")
        self.sftp.symlink("f", "l")
        self.assertEqual(self.sftp.readlink("l"), "f")
        self.assertEqual(self.read("l"), b"content")
        self.assertEqual(self.sftp.lstat("l").st_size, 1)
        self.assertEqual(self.sftp.stat("l").st_size, 7)
        self.refused(IOError, self.sftp.readlink, "f")
        self.assertEqual(self.sftp.normalize("."), self.dir)
        self.assertEqual(self.sftp.normalize("../x/../f"), "/f")
        self.assertEqual(self.sftp.getcwd(), self.dir)

    def test_errors(self):
        self.write("f", b"content")
        for call, *args in [
            (self.sftp.stat, "missing"), (self.sftp.open, "missing"), (self.sftp.remove, "missing"), (self.sftp.rmdir, "missing"),
            (self.sftp.listdir, "missing"), (self.sftp.chdir, "missing"), (self.sftp.readlink, "missing"), (self.sftp.chmod, "missing", 0o600),
            (self.sftp.mkdir, "missing/dir"), (self.sftp.open, "missing/f", "wb"), (self.sftp.stat, "f/under"), (self.sftp.listdir, "f"),
        ]:
            self.assertEqual(self.refused(FileNotFoundError, call, *args).errno, errno.ENOENT)
        self.refused(IOError, self.sftp.mkdir, "f")
        self.refused(IOError, self.sftp.open, ".", "wb")
        self.refused(IOError, self.sftp.remove, ".")
        self.refused(IOError, self.sftp.rmdir, "f")
        self.assertEqual(self.read("f"), b"content")

    def test_denied(self):
        self.assertEqual(self.refused(PermissionError, self.sftp.open, "/read-only/new", "wb").errno, errno.EACCES)
        self.refused(PermissionError, self.sftp.mkdir, "/read-only/new")

    def test_unfinished_upload(self):
        other = self.ssh.open_sftp()
        f = self.sftp.open("f", "wb")
        f.write(b"not yet")
        f.flush()
        self.refused(FileNotFoundError, other.open, self.dir + "/f")
        self.assertEqual(self.sftp.stat("f").st_size, 7)
        f.close()
        with other.open(self.dir + "/f") as g:
            self.assertEqual(g.read(), b"not yet")

    def test_commands(self):
        self.write("f", b"content")
        _, out, _ = self.ssh.exec_command("sha256sum '%s/f'" % self.dir, timeout=60)
        self.assertEqual(out.read().split()[0].decode(), hashlib.sha256(b"content").hexdigest())
        _, out, said = self.ssh.exec_command("id", timeout=60)
        self.assertEqual(out.read(), b"")
        self.assertIn(b"there is no shell here", said.read())
        self.assertEqual(out.channel.recv_exit_status(), 127)
        self.assertEqual(self.read("f"), b"content")


class ByPassword(unittest.TestCase):
    def test_password(self):
        transport = paramiko.Transport(("127.0.0.1", PORT))
        self.addCleanup(transport.close)
        transport.connect(username=USER, password=PASSWORD)
        self.assertIn("read-only", paramiko.SFTPClient.from_transport(transport).listdir("/"))

    def test_wrong_password(self):
        transport = paramiko.Transport(("127.0.0.1", PORT))
        self.addCleanup(transport.close)
        with self.assertRaises(paramiko.AuthenticationException):
            transport.connect(username=USER, password="wrong")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
