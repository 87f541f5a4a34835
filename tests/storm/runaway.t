#!/usr/bin/env python3
# runner: timeout=240
"""Runaway processes and kernel kills, for real.  CpuRunaway lowers, TERMs and
KILLs what takes a processor in run after run, spares what a macro names, and
is not led astray by a clock that jumps; without doexec it touches nothing.
OomKills tells of a kill by the kernel once.  All in a process namespace of
its own, so that nobody else's work is hit."""

import ctypes
import mmap
import os
import pwd
import re
import signal
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import PICKET, SLOW, TMP, Tap		# noqa: E402
import roots						# noqa: E402
from delivery import skip_all				# noqa: E402

NOBODY = pwd.getpwnam('nobody')
GROUP = '/sys/fs/cgroup/memory/picket-runaway-%s' % sys.argv[-1]
PATIENCE = 60 * SLOW
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
LIBC = ctypes.CDLL(None, use_errno=True)
TICK = os.sysconf('SC_CLK_TCK')
tap = Tap()


class Child:
    """A process of ours, of nobody's."""

    def __init__(self, name, does):
        self.name, self.status = name, None
        ready, out = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setgroups([])
                os.setgid(NOBODY.pw_gid)
                os.setuid(NOBODY.pw_uid)
                LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                LIBC.prctl(PR_SET_NAME, name.encode())
                os.write(out, b'x')
                does()
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(out)
        os.read(ready, 1)
        os.close(ready)

    def ended(self):
        """Its status once it has ended, else None."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def seconds(self):
        """Of a processor, so far."""
        with open('/proc/%d/stat' % self.pid, 'rb') as f:
            after = f.read().rpartition(b')')[2].split()
        return (int(after[11]) + int(after[12])) / TICK

    def nice(self):
        return os.getpriority(os.PRIO_PROCESS, self.pid)

    def end(self):
        if self.ended() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(
                os.waitpid(self.pid, 0)[1])


def wait_for(what, why):
    until = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > until:
            tap.ok(False, 'in vain: ' + why)
            tap.done()
        time.sleep(0.02)


def loop():
    while True:
        pass


def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    loop()


def run(script, state, *options, jump=0.0):
    env = dict(os.environ, XDG_STATE_HOME=os.path.join(TMP, state))
    if jump:
        env['PICKET_CLOCK'] = '%+.1f' % jump
    p = subprocess.run([PICKET, 'run', '--mail', 'stdout', *options, script],
                       env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=PATIENCE)
    tap.ok(p.returncode == 0 and not p.stderr, script + ' ends well',
           p.returncode, p.stderr)
    return p.stdout.decode('utf-8', 'replace')


def works(burners):
    """Waits until each has worked again for some ticks."""
    was = [(b, b.seconds()) for b in burners if b.ended() is None]
    began = time.monotonic()
    wait_for(lambda: time.monotonic() > began + 0.3 and
             all(b.seconds() >= s + 0.03 for b, s in was), 'they work')


def runaways():
    php, tls, pg = burners = [Child('php', stubborn), Child('tlsmgr', loop),
                              Child('postgres', loop)]
    # this machine may have much to do; its own work is root's here
    busy = ('-M', 'cpu_share=0.1%', '-M', 'cpu_ignore_users=root')
    for n, jump in ((1, 0), (2, 5.9), (3, -5.9)):
        out = run('CpuRunaway', 'shipped', *busy)
        tap.eq(out, '', 'run %d, as shipped: no word' % n)
        out = run('CpuRunaway', 'live', '-D', 'doexec', *busy, jump=jump)
        tap.eq(out, '', 'run %d, the clock %+.1f s: no word' % (n, jump))
        works(burners)
    out = run('CpuRunaway', 'shipped', *busy)
    tap.ok(all('(define doexec is FALSE): would give %s of nobody, pid %d' %
               (b.name, b.pid) in out for b in (php, tls)),
           'as shipped, run 4: told of, with what would be done', out)
    tap.eq([(b.ended(), b.nice()) for b in burners], [(None, 0)] * 3,
           'as shipped: nothing is touched')

    out = run('CpuRunaway', 'live', '-D', 'doexec', *busy)
    tap.ok(all(re.search(r'\[firing\] %s of nobody, pid %d.*: [0-9]+%% of a '
                         'processor, for 3 runs' % (b.name, b.pid), out)
               for b in burners), 'run 4: each is named, with who', out)
    tap.eq([(b.ended(), b.nice()) for b in burners],
           [(None, 19), (None, 19), (None, 0)],
           'run 4: the lowest priority, but for what is spared')
    works(burners)
    out = run('CpuRunaway', 'live', '-D', 'doexec', *busy)
    wait_for(lambda: tls.ended() is not None, 'the end of tlsmgr')
    tap.eq((tls.status, php.ended(), pg.ended()),
           (-signal.SIGTERM, None, None), 'run 5: TERM')
    tap.ok('ended by TERM: tlsmgr of nobody, pid %d' % tls.pid in out,
           'run 5 says so', out)
    works([php, pg])
    out = run('CpuRunaway', 'live', '-D', 'doexec', *busy)
    wait_for(lambda: php.ended() is not None, 'the end of php')
    tap.eq((php.status, pg.ended(), pg.nice()), (-signal.SIGKILL, None, 0),
           'run 6: KILL for the one that stayed')
    tap.ok('ended by KILL: php of nobody, pid %d' % php.pid in out and
           re.search(r'\[resolved after .*\] tlsmgr', out),
           'run 6 says so', out)
    works([pg])
    out = run('CpuRunaway', 'live', '-D', 'doexec', *busy)
    tap.ok(re.search(r'\[resolved after .*\] php', out), 'run 7: over', out)
    for b in burners:
        b.end()


def kill():
    """64 MB in a cgroup of 16, in which the kernel may kill."""
    try:
        os.mkdir(GROUP)
    except OSError as e:
        print('ok %d - a real kill # SKIP no memory cgroup of v1: %s' %
              (tap.n + 1, e.strerror))
        tap.n += 1
        return
    name = 'oom %s' % sys.argv[-1]
    child = None

    try:
        with open(GROUP + '/memory.limit_in_bytes', 'w') as f:
            f.write(str(16 << 20))
        run('OomKills', 'live')
        go, start = os.pipe()

        def victim():
            os.read(go, 1)
            with mmap.mmap(-1, 64 << 20) as m:
                m.write(bytes(64 << 20))

        child = Child(name, victim)
        with open(GROUP + '/cgroup.procs', 'w') as f:
            f.write(str(child.pid))
        os.write(start, b'x')
        wait_for(lambda: child.ended() is not None, 'the kill')
        tap.eq(child.status, -signal.SIGKILL, 'the kernel ended it')
        out = run('OomKills', 'live')
        lines = [l for l in out.splitlines() if 'ended %s of' % name in l]
        tap.ok(len(lines) == 1 and re.search(
            r'ended %s of nobody, pid [0-9]+, which had [1-5]?[0-9] MiB: the '
            r'limit of cgroup /%s was reached$' %
            (name, os.path.basename(GROUP)), lines[0]),
            'it is told of, with victim, size and cause', out)
        out = run('OomKills', 'live')
        tap.ok(name not in out, 'once', out)
    finally:
        if child is not None:
            child.end()
        wait_for(lambda: not open(GROUP + '/cgroup.procs').read(),
                 'an empty cgroup')
        os.rmdir(GROUP)


if len(sys.argv) == 1:
    if os.geteuid() != 0:
        skip_all('needs root, for namespaces and a cgroup')
    sys.stdout.flush()
    sys.exit(subprocess.run(roots.UNSHARE + [sys.executable, sys.argv[0],
                                             str(os.getpid())]).returncode)
runaways()
kill()
tap.done()
