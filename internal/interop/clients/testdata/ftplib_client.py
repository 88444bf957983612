"""Python's ftplib against a server: ftplib_client.py HOST PORT USER PASSWORD.

Ends with status 0 when all is well; else unittest says what is not.
"""

import ftplib
import hashlib
import io
import socket
import sys
import unittest

HOST, PORT, USER, PASSWORD = sys.argv[1], int(sys.argv[2]), *sys.argv[3:5]
SIZES = [0, 1, 65535, 65536, 65537, 5 << 20]


def noise(size):
    return hashlib.shake_256(b"%d" % size).digest(size)


class Client(unittest.TestCase):
    passive = True

    def setUp(self):
        self.ftp = ftplib.FTP(timeout=60)
        self.ftp.connect(HOST, PORT)
        self.ftp.login(USER, PASSWORD)
        self.ftp.set_pasv(self.passive)
        self.dir = "%s-%s" % (type(self).__name__, self._testMethodName)
        self.assertEqual(self.ftp.mkd(self.dir), "/" + self.dir)
        self.ftp.cwd(self.dir)

    def tearDown(self):
        self.assertTrue(self.ftp.quit().startswith("221"))

    def put(self, name, content, **more):
        return self.ftp.storbinary("STOR " + name, io.BytesIO(content), **more)

    def get(self, name, **more):
        got = io.BytesIO()
        self.ftp.retrbinary("RETR " + name, got.write, **more)
        return got.getvalue()

    def test_binary(self):
        for size in SIZES:
            self.assertTrue(self.put("f", noise(size)).startswith("226"))
            self.assertEqual(self.ftp.size("f"), size)
            self.assertEqual(self.get("f"), noise(size))

    def test_text(self):
        lines = ["", "one", "tw\u00f6", "x" * 5000]
        self.ftp.storlines("STOR t", io.BytesIO("".join(l + "\n" for l in lines).encode()))
        self.assertEqual(self.get("t"), "".join(l + "\n" for l in lines).encode())
        got = []
        self.ftp.retrlines("RETR t", got.append)
        self.assertEqual(got, lines)

    def test_rest(self):
        content = noise(200_000)
        self.put("f", content)
        self.assertEqual(self.get("f", rest=150_000), content[150_000:])
        self.put("f", content[:50] + b"!" * 50, rest=0)
        self.put("f", content[50:], rest=50)
        self.assertEqual(self.get("f"), content)
        with self.assertRaises(ftplib.error_perm):
            self.get("f", rest=200_001)

    def test_lists(self):
        names = ["one", "two words", "gr\u00fc\u00dfe", "-al", "[x]*?"]
        for name in names:
            self.put(name, noise(len(name)))
        self.ftp.mkd("sub")
        everything = sorted(names + ["sub"])
        self.assertEqual(sorted(self.ftp.nlst()), everything)
        facts = {name: f for name, f in self.ftp.mlsd(facts=["type", "size", "modify", "perm"])}
        for name in names:
            self.assertEqual(facts[name]["type"], "file")
            self.assertEqual(int(facts[name]["size"]), len(name))
            self.assertEqual(len(facts[name]["modify"]), 14)
        self.assertEqual(facts["sub"]["type"], "dir")
        lines = []
        self.ftp.dir(lines.append)
        self.assertEqual(sorted(l.split(None, 8)[8] for l in lines), everything)
        self.assertEqual(self.ftp.nlst("sub"), [])

    def test_tree(self):
        self.put("a", b"x")
        self.assertTrue(self.ftp.rename("a", "b").startswith("250"))
        self.assertTrue(self.ftp.delete("b").startswith("250"))
        self.ftp.mkd('say "hi"')
        self.ftp.cwd('say "hi"')
        self.assertEqual(self.ftp.pwd(), "/" + self.dir + '/say "hi"')
        self.ftp.cwd("..")
        self.ftp.rmd('say "hi"')
        self.assertEqual(self.ftp.nlst(), [])
        for command in ["DELE b", "CWD b", "RNFR b", "SIZE b", "MDTM b", "RMD b"]:
            with self.assertRaises(ftplib.error_perm) as refused:
                self.ftp.sendcmd(command)
            self.assertTrue(str(refused.exception).startswith("550"), refused.exception)

    def test_commands(self):
        self.put("f", b"x")
        self.assertTrue(self.ftp.sendcmd("SYST").startswith("215 UNIX Type: L8"))
        self.assertIn("\n MLST ", self.ftp.sendcmd("FEAT"))
        self.assertTrue(self.ftp.sendcmd("STAT").startswith("211"))
        self.assertTrue(self.ftp.sendcmd("MFMT 20010203040506 f").startswith("213 "))
        self.assertEqual(self.ftp.sendcmd("MDTM f"), "213 20010203040506")
        self.assertTrue(self.ftp.voidcmd("NOOP").startswith("200"))

    def test_stou(self):
        names = set()
        for _ in range(3):
            conn = self.ftp.transfercmd("STOU")
            conn.sendall(b"unique")
            conn.close()
            names.add(self.ftp.voidresp().rsplit(" ", 1)[1])
        self.assertEqual(set(self.ftp.nlst()), names)
        self.assertEqual(len(names), 3)

    def test_abort_download(self):
        # Urgent data: ftplib sends IAC IP, IAC DM, ABOR with MSG_OOB.
        self.put("f", noise(5 << 20))
        for _ in range(3):
            conn = self.ftp.transfercmd("RETR f")
            conn.recv(10)
            self.assertIn(self.ftp.abort()[:3], ["426", "225", "226"])
            conn.close()
            self.settle()
        self.assertEqual(self.get("f"), noise(5 << 20))

    def test_abort_upload(self):
        self.put("f", b"old")
        conn = self.ftp.transfercmd("STOR f")
        conn.sendall(noise(100_000))
        self.assertEqual(self.ftp.abort()[:3], "426")
        conn.close()
        self.settle()
        self.assertEqual(self.get("f"), b"old")
        self.assertEqual(self.ftp.nlst(), ["f"])
        self.ftp.voidcmd("TYPE I")
        self.assertEqual(self.ftp.size("f"), 3)  # the file that stands, and not what was sent of the new one
        self.put("f", noise(100_000))
        self.assertEqual(self.get("f"), noise(100_000))

    def test_abort_nothing(self):
        self.assertIn(self.ftp.abort()[:3], ["225", "226"])
        self.ftp.voidcmd("NOOP")

    def settle(self):
        """Reads what is left of the replies to an abort: 426 has a 226 after it."""
        self.ftp.putcmd("NOOP")
        while not self.ftp.getmultiline().startswith("200"):
            pass


class ActiveClient(Client):
    passive = False


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
