"""Two factors, and what a client may not do between them: PORT USER KEY PASSWORD OTHER."""
import socket
import sys

import paramiko

port, user, key, password, other = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]
key = paramiko.Ed25519Key.from_private_key_file(key)


# Paramiko asks for the service "ssh-userauth" anew before each attempt, which
# Go's SSH library does not take; its ServiceRequestingTransport, from 3.2 on,
# asks once, as is done here.
ask = paramiko.auth_handler.AuthHandler._request_auth


def ask_once(self):
    if not getattr(self.transport, "asked", False):
        self.transport.asked = True
        return ask(self)
    m = paramiko.Message()
    m.add_string("ssh-userauth")
    m.rewind()
    self._parse_service_accept(m)


def connect():
    t = paramiko.Transport(socket.create_connection(("127.0.0.1", port), timeout=30))
    t.start_client(timeout=30)
    return t


# As paramiko is: cut off at the second attempt.
t = connect()
try:
    t.auth_publickey(user, key)
    t.auth_password(user, password, fallback=False)
    sys.exit("paramiko has been let in: the library takes a second request now, and docs/specs.md is out of date")
except (paramiko.SSHException, EOFError):
    pass
t.close()
paramiko.auth_handler.AuthHandler._request_auth = ask_once

# The methods before are the same for everybody; after the key only what is missing.
allowed = []
for name in (user, other, "nobody"):
    t = connect()
    try:
        t.auth_none(name)
    except paramiko.BadAuthenticationType as e:
        allowed.append(e.allowed_types)
    t.close()
assert allowed[0] == allowed[1] == allowed[2], allowed

t = connect()
left = t.auth_publickey(user, key)
assert sorted(left) == ["keyboard-interactive", "password"], left
assert not t.is_authenticated()
assert t.auth_password(user, password, fallback=False) == [], "not in by both"
assert paramiko.SFTPClient.from_transport(t).listdir() is not None
t.close()

t = connect()
t.auth_publickey(user, key)
assert t.auth_interactive(user, lambda title, text, asked: [password for _ in asked]) == []
t.close()

# Half the way is no way: no channel is opened.
t = connect()
t.auth_publickey(user, key)
try:
    t.open_session(timeout=10)
    sys.exit("a channel was opened after the key alone")
except Exception:
    pass
t.close()

# The password of somebody else, who needs nothing more.
t = connect()
t.auth_publickey(user, key)
try:
    t.auth_password(other, password, fallback=False)
except (paramiko.SSHException, EOFError):
    pass
assert not t.is_authenticated(), "the name was changed between the factors"
t.close()

# The key a second time is not the password.
t = connect()
t.auth_publickey(user, key)
try:
    t.auth_publickey(user, key)
except (paramiko.SSHException, EOFError):
    pass
assert not t.is_authenticated(), "one factor was taken for two"
t.close()
