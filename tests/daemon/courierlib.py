"""A courier of one's own (picket-runner courier), as picketd starts it: an
image on descriptor 3, a socket on 4; and a Place whose outbox it empties."""

import array
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'),
                                'tests/deliver'))
import outbox					# noqa: E402
from delivery import LIBEXEC, PICKET		# noqa: E402

RUNNER = os.path.join(LIBEXEC, 'picket-runner')
SLOW = 5 if os.environ.get('PICKET_SANITIZERS') else 1


def wait(what, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while True:
        got = what()
        if got or time.monotonic() > end:
            return got
        time.sleep(0.01)


def children(pid):
    try:
        with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def status_of(pid):
    with open('/proc/%d/status' % pid) as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f
                    if ':\t' in line)


def pss(pid):
    with open('/proc/%d/smaps_rollup' % pid) as f:
        for line in f:
            if line.startswith('Pss:'):
                return int(line.split()[1])
    return 0


class Site(outbox.Place):
    def conf(self, *lines):
        super().conf(*lines)
        os.makedirs(os.path.join(self.at, 'scripts'), 0o700, exist_ok=True)
        path = os.path.join(self.at, 'alerts.cfg')
        with open(path, 'w') as f:
            f.write('')
        os.chmod(path, 0o600)

    def image(self):
        path = os.path.join(self.at, 'image')
        p = subprocess.run([PICKET, 'compile', '--site', '-o', path,
                            '--config', self.at], env=self.env(),
                           capture_output=True)
        assert p.returncode == 0, p
        return path


class Courier:
    def __init__(self, site, cgroup=None, before=()):
        self.site = site
        self.log = os.path.join(site.at, 'courier.log')
        image = os.open(site.image(), os.O_RDONLY)
        self.sock, theirs = socket.socketpair()

        def setup():
            a, b = os.dup(image), os.dup(theirs.fileno())
            while a < 10 or b < 10:
                a, b = os.dup(a), os.dup(b)
            os.dup2(a, 3)
            os.dup2(b, 4)
            os.closerange(5, 64)
            if cgroup:
                with open(cgroup + '/cgroup.procs', 'w') as f:
                    f.write(str(os.getpid()))

        with open(self.log, 'ab') as log:
            self.p = subprocess.Popen(
                list(before) + [RUNNER, 'courier', '--state', site.state],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                close_fds=False, preexec_fn=setup, env=site.env())
        theirs.close()
        os.close(image)
        self.pid = self.p.pid
        wait(self.deliver)

    def deliver(self):
        """The resident picket-deliver's pid, or 0; it is in the jail."""
        for pid in children(self.pid):
            try:
                with open('/proc/%d/cmdline' % pid, 'rb') as f:
                    if b'--serve' in f.read() and \
                            status_of(pid)['NoNewPrivs'] == '1':
                        return pid
            except OSError:
                pass
        return 0

    def poke(self):
        try:
            self.sock.send(b'poke')
        except OSError:
            pass

    def reload(self):
        image = os.open(self.site.image(), os.O_RDONLY)
        socket.send_fds(self.sock, [b'image'], [image])
        os.close(image)

    def said(self):
        with open(self.log, errors='replace') as f:
            return f.read()

    def kill(self):
        self.p.kill()
        self.p.wait()
        self.sock.close()

    def stop(self):
        began = time.monotonic()
        self.p.send_signal(signal.SIGTERM)
        try:
            code = self.p.wait(30 * SLOW)
        except subprocess.TimeoutExpired:
            self.p.kill()
            code = self.p.wait()
        self.sock.close()
        return code, time.monotonic() - began
