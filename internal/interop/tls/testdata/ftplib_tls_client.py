"""Python's ftplib with TLS: ftplib_tls_client.py HOST PORT FTPS_PORT USER PASSWORD CA BINDING.

FTP_TLS resumes no session on data connections; Resuming below does. Ends with
status 0 when all is well; else unittest says what is not.
"""

import ftplib
import hashlib
import io
import socket
import ssl
import sys
import unittest

HOST, PORT, FTPS_PORT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
USER, PASSWORD, CA, BINDING = sys.argv[4:8]
SIZES = [0, 1, 65537, 2 << 20]


def noise(size):
    return hashlib.shake_256(b"%d" % size).digest(size)


def context():
    return ssl.create_default_context(cafile=CA)


class Implicit(ftplib.FTP_TLS):
    """TLS from the first byte on, as on port 990."""

    def connect(self, host, port):
        self.host, self.port = host, port
        raw = socket.create_connection((host, port), self.timeout)
        self.af = raw.family
        self.sock = self.context.wrap_socket(raw, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def login(self, user, passwd):
        return super().login(user, passwd, secure=False)


class Resuming(ftplib.FTP_TLS):
    """Shows the session of the control connection on data connections."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size


class Client:
    def connect(self, kind, port=PORT, version=None):
        ctx = context()
        if version:
            ctx.minimum_version = ctx.maximum_version = version
        ftp = kind(context=ctx, timeout=60)
        ftp.connect(HOST, port)
        ftp.login(USER, PASSWORD)
        return ftp

    def carry(self, ftp, name):
        for size in SIZES:
            self.assertTrue(ftp.storbinary("STOR " + name, io.BytesIO(noise(size))).startswith("226"))
            got = io.BytesIO()
            ftp.retrbinary("RETR " + name, got.write)
            self.assertEqual(got.getvalue(), noise(size))
        self.assertIn(name, ftp.nlst())
        self.assertIn(name, dict(ftp.mlsd()))
        lines = []
        ftp.dir(lines.append)
        self.assertTrue(any(line.endswith(" " + name) for line in lines))


class Lenient(Client, unittest.TestCase):
    """What works where not resuming is no reason to refuse."""

    def test_explicit(self):
        for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
            for passive in [True, False]:
                ftp = self.connect(ftplib.FTP_TLS, version=version)
                ftp.set_pasv(passive)
                ftp.prot_p()
                self.carry(ftp, "explicit")
                self.assertTrue(ftp.quit().startswith("221"))

    def test_implicit(self):
        ftp = self.connect(Implicit, FTPS_PORT)
        ftp.prot_p()
        self.carry(ftp, "implicit")
        ftp.quit()


class Refused(Client, unittest.TestCase):
    """What a server says that insists."""

    def test_refused(self):
        for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
            ftp = self.connect(ftplib.FTP_TLS, version=version)
            ftp.prot_p()
            for command in ["NLST", "STOR f", "RETR f"]:
                self.refused(ftp, command)
            self.assertTrue(ftp.voidcmd("NOOP").startswith("200"))
            ftp.quit()

    def refused(self, ftp, command):
        if command.startswith("RETR"):
            ftp.prot_c()
            ftp.storbinary("STOR f", io.BytesIO(b"x"))
            ftp.prot_p()
        conn = ftp.transfercmd(command)
        conn.close()
        with self.assertRaises(ftplib.error_perm) as said:
            ftp.voidresp()
        self.assertTrue(str(said.exception).startswith("522"), said.exception)


class Everywhere(Client, unittest.TestCase):
    """What works whatever the binding."""

    def test_data_in_clear(self):
        ftp = self.connect(ftplib.FTP_TLS)
        self.carry(ftp, "clear")  # PROT C is where every session begins
        if BINDING != "enforce":
            ftp.prot_p()
            self.carry(ftp, "private")
            ftp.prot_c()
            self.carry(ftp, "clear again")
        ftp.quit()

    def test_resuming(self):
        # In TLS 1.3 Python may show the one ticket it has read; 1.2 as often as it likes.
        ftp = self.connect(Resuming, version=ssl.TLSVersion.TLSv1_2)
        ftp.prot_p()
        self.carry(ftp, "resumed")
        ftp.quit()

    def test_password_in_clear_is_refused(self):
        ftp = ftplib.FTP(timeout=60)
        ftp.connect(HOST, PORT)
        with self.assertRaises(ftplib.error_perm) as said:
            ftp.login(USER, PASSWORD)
        self.assertTrue(str(said.exception).startswith("530"), said.exception)
        ftp.close()

    def test_context_that_trusts_others(self):
        ftp = ftplib.FTP_TLS(context=ssl.create_default_context(), timeout=60)
        ftp.connect(HOST, PORT)
        with self.assertRaises(ssl.SSLCertVerificationError):
            ftp.login(USER, PASSWORD)
        ftp.close()


if BINDING == "enforce":
    del Lenient
else:
    del Refused

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
