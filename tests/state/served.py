"""A store as picketd has it, for tests, and the words of its wire."""

import fcntl
import os
import signal
import socket
import sqlite3
import struct
import subprocess
import tempfile

ROWS = os.path.join(os.environ['BUILDDIR'], 'tests/state/rows')
STORE = os.path.join(os.environ['PICKET_LIBEXEC'], 'picket-store')
PRINT = int(subprocess.run([ROWS, '/nowhere/x', 'print'],
                           stdout=subprocess.PIPE).stdout)
DONE, FAILED = 11, 12
base = tempfile.mkdtemp()
os.chmod(base, 0o755)


class Served:
    """What picketd does: a socket that stays, and a store behind it."""

    def __init__(self, name, start=True, more=(), before=(), backlog=512):
        self.at = os.path.join(base, name)
        os.makedirs(self.at, 0o700)
        self.db = os.path.join(self.at, 'state.db')
        self.path = os.path.join(self.at, 'store.sock')
        self.more, self.before = list(more), list(before)
        self.listen(backlog)
        self.err = os.path.join(base, name.replace('/', '_')[:40] + '.err')
        self.reader = None
        self.pid = None
        if start:
            self.start()

    def listen(self, backlog=512):
        """As a picketd does that begins: in the place of one before it."""
        here = os.getcwd()
        os.chdir(self.at)	# the path may be too long for a socket's name
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if os.path.lexists('store.sock'):
            os.unlink('store.sock')
        old = os.umask(0o177)
        self.sock.bind('store.sock')
        os.umask(old)
        os.chdir(here)
        self.sock.listen(backlog)

    def start(self):
        argv = self.before + [STORE, '--serve', '--state',
                              os.path.dirname(self.db)] + self.more
        keep = [fcntl.fcntl(s, fcntl.F_DUPFD_CLOEXEC, 100)
                for s in (self.sock, self.reader) if s]
        moves = [(os.POSIX_SPAWN_DUP2, keep[0], 3),
                 (os.POSIX_SPAWN_OPEN, 2, self.err,
                  os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)]
        if self.reader:
            moves.append((os.POSIX_SPAWN_DUP2, keep[1], 4))
        # who is in a jail cannot look for its own leaks
        env = dict(os.environ, ASAN_OPTIONS=os.environ.get(
            'ASAN_OPTIONS', '') + ':detect_leaks=0')
        self.pid = os.posix_spawnp(argv[0], argv, env, file_actions=moves)
        for fd in keep:
            os.close(fd)

    def kill(self, sig=signal.SIGKILL):
        os.kill(self.pid, sig)
        return self.wait()

    def wait(self):
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        return status

    def rows(self, *args, **env):
        return ended(self.begin(*args, **env))

    def begin(self, *args, user=None, **env):
        def become():
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        return subprocess.Popen(
            [ROWS, self.db] + [str(a) for a in args],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, **env),
            preexec_fn=become if user else None)

    def said(self):
        with open(self.err) as f:
            return f.read()

    def connect(self, path=None):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(20)
        s.connect(path or self.path)
        return s

    def greet(self, read_only=False, path=None):
        s = self.connect(path)
        s.sendall(message(1, struct.pack('<II', 3, PRINT) +
                          text(self.db) + bytes([read_only])))
        return s, receive(s)

    def sql(self, words, *args):
        con = sqlite3.connect(self.db, timeout=10)
        try:
            return con.execute(words, args).fetchall()
        finally:
            con.close()


def ended(p):
    out, _ = p.communicate(timeout=200)
    return out.decode('latin-1')


def text(t):
    t = t.encode() if isinstance(t, str) else t
    return struct.pack('<I', len(t)) + t


def message(kind, rest=b''):
    return struct.pack('<IB', len(rest) + 1, kind) + rest


def receive(s):
    """(kind, rest), or None"""
    def take(n):
        got = b''
        while len(got) < n:
            more = s.recv(n - len(got))
            if not more:
                return None
            got += more
        return got
    try:
        head = take(4)
        body = head and take(struct.unpack('<I', head)[0])
    except OSError:
        return None
    return body and (body[0], body[1:])
