"""A picketd of one's own, with its site and its state in a folder, for tests
of the daemon: start, stop, ask the state, wait for something."""

import json
import os
import shutil
from signal import SIGTERM
import socket
import sqlite3
import subprocess
import time

BUILD = os.environ.get('PICKET_LIBEXEC') or os.path.dirname(
    os.environ['PICKET'])
PICKETD = os.path.join(BUILD, 'picketd')
SLOW = 5 if os.environ.get('PICKET_SANITIZERS') else 1


class Site:
    """A folder DIR/site with picket.conf, alerts.cfg and scripts."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.dir = os.path.join(self.root, 'site')
        self.state = os.path.join(self.root, 'state')
        os.makedirs(self.dir, 0o755)
        os.mkdir(os.path.join(self.root, 'log'), 0o755)
        self.conf('')

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path + '.new', 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(path + '.new', 0o644)
        os.rename(path + '.new', path)

    def conf(self, text):
        self.write('picket.conf', 'file %s/mail\nlogdir %s/log\n%s' % (
            self.root, self.root, text))

    def alerts(self, **scripts):
        """NAME=(lines of the alert, its script from `init` on): a site of
        these and no others."""
        os.makedirs(os.path.join(self.dir, 'scripts'), 0o755, exist_ok=True)
        for old in os.listdir(os.path.join(self.dir, 'scripts')):
            if old[:-5] not in scripts:
                os.unlink(os.path.join(self.dir, 'scripts', old))
        for name, (_, body) in scripts.items():
            self.write('scripts/%s.pikt' % name, name + '\n' + body)
        self.write('alerts.cfg', ''.join(
            '%s\n    status active\n    level warning\n%s    alarms %s\n\n' % (
                name, ''.join('    %s\n' % k for k in lines), name)
            for name, (lines, _) in scripts.items()))

    def mail(self):
        try:
            with open(os.path.join(self.root, 'mail'), errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''


class Daemon:
    def __init__(self, site, *options, env=None, wait=True, before=(),
                 **popen):
        self.site = site
        self.log = open(os.path.join(site.root, 'out'), 'ab+')
        self.p = subprocess.Popen(
            list(before) + [PICKETD, '-f', '--config', site.dir, '--state', site.state,
             '--log', 'stderr debug'] + list(options),
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env=dict(os.environ, **(env or {})), **popen)
        self.pid = self.p.pid
        if wait:
            self.wait(lambda: ' entries, at most ' in self.said() or
                      self.p.poll() is not None, 20)

    def said(self):
        with open(os.path.join(self.site.root, 'out'), errors='replace') as f:
            return f.read()

    def wait(self, what, seconds=10):
        end = time.monotonic() + seconds * SLOW
        while True:
            got = what()
            if got or time.monotonic() > end:
                return got
            time.sleep(0.02)

    def says(self, text, seconds=10):
        return self.wait(lambda: text in self.said(), seconds)

    def signal(self, sig):
        self.p.send_signal(sig)

    def stop(self, sig=SIGTERM):
        """The exit status, and how long it took."""
        began = time.monotonic()
        if self.p.poll() is None:
            self.p.send_signal(sig)
        try:
            code = self.p.wait(30 * SLOW)
        except subprocess.TimeoutExpired:
            self.p.kill()
            code = self.p.wait()
        return code, time.monotonic() - began

    def children(self):
        """{pid: its arguments} of those that live."""
        found = {}
        with open('/proc/%d/task/%d/children' % (self.pid, self.pid)) as f:
            for pid in f.read().split():
                try:
                    with open('/proc/%s/cmdline' % pid, 'rb') as g:
                        words = g.read().split(b'\0')
                except OSError:
                    continue
                if words[0]:
                    found[int(pid)] = [os.fsdecode(w) for w in words]
        return found

    def child(self, *words):
        """The pid of a child whose command line has all these; 0: none."""
        for pid, args in self.children().items():
            line = ' '.join(args)
            if all(w in line for w in words):
                return pid
        return 0


def rows(site, query, *values):
    """Of the state, which the store has open: read only.  Texts are blobs."""
    values = [v.encode() if isinstance(v, str) else v for v in values]
    path = os.path.join(site.state, 'state.db')
    for _ in range(50):
        try:
            db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
            try:
                return db.execute(query, values).fetchall()
            finally:
                db.close()
        except sqlite3.OperationalError:
            time.sleep(0.1)
    return []


def dial(site):
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.path.join(site.state, 'control.sock'))
    s.settimeout(20 * SLOW)
    return s


def hear(s):
    text = b''
    while not text.endswith(b'\n'):
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            break
        if not more:
            break
        text += more
    return text


def ask(site, request):
    """The answer of picketd's control socket."""
    if not isinstance(request, bytes):
        request = json.dumps(request).encode() + b'\n'
    s = dial(site)
    try:
        s.sendall(request)
    except (BrokenPipeError, ConnectionResetError):
        pass                    # it has heard enough
    try:
        return json.loads(hear(s) or b'{}')
    finally:
        s.close()


def up(d):
    try:
        return ask(d.site, {'command': 'ping'}).get('pid') == d.pid
    except OSError:
        return False


def fresh(name):
    shutil.rmtree(name, ignore_errors=True)
    os.mkdir(name)
    return Site(name)
