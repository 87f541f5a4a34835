#!/usr/bin/env python3
# runner: serial timeout=240
"""The starved mail host, for real: a hog grows in a memory cgroup whose kernel
killer is off until everything in it stands still, and a daemon, which its
master starts again and again, writes 100,000 lines into the log each time.
MemoryEmergency ends the hog and nothing else, LogFlood restarts the daemon
three times and then says that it gave up; one mail names both; a clock that
jumps by 5.9 s, forward and back, changes nothing."""

import ctypes
import mmap
import os
import pwd
import re
import select
import signal
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import PICKET, SLOW, TMP, Tap		# noqa: E402
from delivery import skip_all				# noqa: E402

TOP = '/sys/fs/cgroup/memory'
NAME = 'picket-starved-%d' % os.getpid()
GROUP = os.path.join(TOP, NAME)
LIMIT = 160 << 20
LINES = 100000
JUMP = 5.9
QUIET = 6 * SLOW
LOG = os.path.join(TMP, 'syslog')
SITE = os.path.join(TMP, 'site')
PATIENCE = 60 * SLOW
NOBODY = pwd.getpwnam('nobody')
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
tap = Tap()


def wait_for(what, why):
    """What it gives, as soon as that is something."""
    until = time.monotonic() + PATIENCE
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > until:
            raise RuntimeError('in vain: ' + why)
        time.sleep(0.02)


def number(name):
    with open(os.path.join(GROUP, name)) as f:
        return int(f.read())


def stands_still():
    with open(GROUP + '/memory.oom_control') as f:
        return 'under_oom 1' in f.read()


class Child:
    """A process of ours: its name, whose it is, and what it does; what it
    says, a line each, with the time at which it came."""

    all = []

    def __init__(self, name, uid, does, *args, group=True):
        self.name, self.lines, self.rest = name, [], b''
        self.pipe, out = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(self.pipe)
                if group:
                    with open(GROUP + '/cgroup.procs', 'w') as f:
                        f.write(str(os.getpid()))
                become(name, uid)
                does(out, *args)
                status = 0
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(out)
        os.set_blocking(self.pipe, False)
        self.pidfd = os.pidfd_open(self.pid)
        self.status = None
        Child.all.append(self)

    def read(self):
        try:
            self.rest += os.read(self.pipe, 1 << 16)
        except BlockingIOError:
            pass
        *lines, self.rest = self.rest.split(b'\n')
        self.lines += [x.decode() for x in lines]
        return self.lines

    def ended(self):
        """Its status once it has ended, else None."""
        if self.status is None and select.select([self.pidfd], [], [], 0)[0]:
            self.status = os.waitstatus_to_exitcode(
                os.waitpid(self.pid, 0)[1])
        return self.status

    def end(self):
        if self.ended() is None:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = -9
        os.close(self.pidfd)
        os.close(self.pipe)


def become(name, uid):
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    LIBC.prctl(PR_SET_NAME, name.encode())


def say(out, *words):
    os.write(out, (' '.join(str(w) for w in words) + '\n').encode())


def hog(out):
    """Takes all that there is."""
    held = []
    while True:
        held.append(bytearray(b'x') * (1 << 20))
        say(out, len(held))
        time.sleep(0.002)


def stubborn_hog(out):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hog(out)


def holder(out, mib):
    """Has its memory, and is what the host is there for."""
    held = bytearray(b'x') * (mib << 20)
    say(out, 'ready', len(held))
    while True:
        time.sleep(60)


def login(out):
    """Needs a little memory now and then, as each login does."""
    while True:
        try:
            with mmap.mmap(-1, 2 << 20) as m:
                m.write(bytes(2 << 20))
            say(out, time.monotonic())
        except OSError:         # "cannot allocate memory"
            pass
        time.sleep(0.02)


def master(out, uid):
    """Starts tlsmgr, and another when it ends."""
    n = 0
    while True:
        n += 1
        pid = os.fork()
        if pid == 0:
            try:
                log = os.open(LOG, os.O_WRONLY | os.O_APPEND)
                become('tlsmgr', uid)
                tlsmgr(out, log, n)
            finally:
                os._exit(1)
        say(out, 'start', n, pid)
        os.waitpid(pid, 0)
        say(out, 'end', n, time.monotonic())


def tlsmgr(out, log, n):
    stamp = time.strftime('%b %e %H:%M:%S', time.gmtime())
    line = ('%s mx postfix/tlsmgr[%d]: warning: read error on the session '
            'cache, incarnation %d' % (stamp, os.getpid(), n)).encode()
    block = (line + b'\n') * 1000
    for _ in range(LINES // 1000):
        os.write(log, block)
    say(out, 'wrote', n, time.monotonic())
    while True:             # and goes on, while nobody looks
        time.sleep(60)


class Run:
    """One run of the alert: what it said, and how long it took."""

    n = 0

    def __init__(self, state, *options, jump=0.0):
        Run.n += 1
        env = dict(os.environ, XDG_STATE_HOME=os.path.join(TMP, state),
                   TZ='UTC')
        if jump:
            env['PICKET_CLOCK'] = '%+.1f' % jump
        self.start = time.monotonic()
        p = subprocess.run(
            [PICKET, 'run', '--config', SITE, '--mail', 'stdout',
             '-M', 'mem_cgroup=/' + NAME, '-M', 'flood_log=' + LOG,
             '-M', 'flood_disk=' + TMP, '-M', 'flood_wait=1s',
             '-M', 'flood_quiet=%ds' % QUIET, *options, 'Emergency'], env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=PATIENCE)
        self.seconds = time.monotonic() - self.start
        self.status = p.returncode
        self.out = p.stdout.decode('utf-8', 'replace')
        self.err = p.stderr.decode('utf-8', 'replace')
        self.mails = len(re.findall('^Subject: ', self.out, re.M))
        tap.ok(self.status == 0 and self.err == '',
               'run %d ends well' % Run.n, self)

    def has(self, *patterns):
        return all(re.search(p, self.out, re.M) for p in patterns)

    def __repr__(self):
        return 'run %d: exit %d after %.2f s\n%s%s' % (
            Run.n, self.status, self.seconds, self.out, self.err)


def pause(since):
    """The next run is more than flood_wait after the last."""
    time.sleep(max(0, since.start + since.seconds + 1.1 - time.monotonic()))


def quiet(state):
    """Nothing is wrong: nothing is said, even if the clock jumps."""
    with open(LOG, 'a') as f:
        f.write('Dec  1 08:00:01 mx postfix/smtpd[5]: connect from a\n')
    for what, jump in (('first', 0), ('second', 0), ('clock 5.9 s ahead', JUMP),
                       ('clock 5.9 s behind', -JUMP), ('right again', 0)):
        r = Run(state, '-D', 'doexec', jump=jump)
        tap.eq(r.out, '', 'quiet, %s run: no word' % what)
        pause(r)


def all_of_it():
    uid, user = NOBODY.pw_uid, NOBODY.pw_name
    kinds = [Child('clamd', uid, holder, 24),
             Child('master', 0, holder, 4),
             Child('imapd', uid, holder, 8)]
    for c in kinds:
        wait_for(c.read, c.name + ' has its memory')
    probe = Child('login', uid, login)
    wait_for(lambda: len(probe.read()) > 3, 'login works')
    outside = Child('dnf', uid, holder, 8, group=False)
    wait_for(outside.read, 'the dnf outside has its memory')
    quiet('live')
    Run('shipped')

    # it begins
    flood = Child('master', 0, master, uid, group=False)
    beast = Child('dnf', uid, hog)
    wait_for(stands_still, 'the cgroup is full')
    full = time.monotonic()
    wait_for(lambda: float(probe.read()[-1]) < time.monotonic() - 0.5,
             'logins stand still')
    wait_for(lambda: [l for l in flood.read() if l.startswith('wrote 1 ')],
             'the flood')
    held, wrote = len(beast.read()), os.path.getsize(LOG)
    time.sleep(0.5)
    tap.ok(beast.ended() is None and stands_still(),
           'the hog holds %d MiB, the kernel ends nobody, all stand still' %
           held)

    # as shipped
    r = Run('shipped')
    tap.ok(r.mails == 1 and r.has(
        r'memory is almost gone: .* MiB available',
        r'not done \(define doexec is FALSE\): would end dnf of %s, pid %d,' %
        (user, beast.pid),
        r'not done \(define doexec is FALSE\): would end tlsmgr, pid'),
        'as shipped: the mail says what would have been done', r)
    tap.ok(beast.ended() is None and 'end 1' not in ' '.join(flood.read()),
           'as shipped: nothing is touched')

    # and with doexec
    r = Run('live', '-D', 'doexec')
    wait_for(lambda: beast.ended() is not None, 'the hog has ended')
    tap.eq(beast.status, -signal.SIGTERM, 'the hog is ended, by TERM')
    tap.ok(r.mails == 1 and r.has(
        r'\[firing\] memory is short: .* in cgroup /%s.*most is held by dnf '
        r'of %s' % (NAME, user), r'\[firing\] memory is almost gone',
        r'ended dnf of %s, pid %d, .*: [0-9]+ MiB are available now' %
        (user, beast.pid),
        r'\[firing\] postfix/tlsmgr has written %d messages in .*; such as: '
        r'warning: read error on the session cache, incarnation 1$' % LINES,
        r'ended tlsmgr, pid [0-9]+, whose master starts another: restart 1 of '
        r'at most 3'), 'ONE mail names the hog and the flood', r)
    tap.ok(len(re.findall('incarnation', r.out)) == 1, 'one sample', r)
    print('# the hog held %d of %d MiB; the run that ended it took %.2f s' %
          (held, LIMIT >> 20, r.seconds))
    wait_for(lambda: float(probe.read()[-1]) > r.start, 'login works again')
    stamps = [float(x) for x in probe.lines]
    before, after = max(zip(stamps, stamps[1:]), key=lambda x: x[1] - x[0])
    tap.ok(before < r.start < after < r.start + r.seconds + 5 * SLOW,
           'logins work again, as soon as it is ended')
    print('# logins stood still for %.2f s, until %.2f s after the run began' %
          (after - before, after - r.start))
    print('# %d lines (%.1f MB) were written, counted and told of in that run'
          % (LINES, wrote / 1e6))

    # the daemon starts again, and floods again; the clock jumps
    for n, jump in ((2, JUMP), (3, -JUMP)):
        wait_for(lambda: [l for l in flood.read()
                          if l.startswith('wrote %d ' % n)], 'a flood')
        pause(r)
        r = Run('live', '-D', 'doexec', jump=jump)
        tap.ok(r.mails == 1 and r.has('restart %d of at most 3' % n) and
               not r.has(r'\[firing\]'),
               'restart %d, the clock %+.1f s: nothing else begins' %
               (n, jump), r)
        if n == 2:
            tap.ok(r.has(r'\[resolved after .*\] memory is almost gone',
                         r'\[resolved after .*\] memory is short'),
                   'memory is well again', r)
    wait_for(lambda: [l for l in flood.read() if l.startswith('wrote 4 ')],
             'a fourth flood')
    pause(r)
    r = Run('live', '-D', 'doexec')
    tap.ok(r.mails == 1 and r.has(
        r'\[firing\] gave up: postfix/tlsmgr was restarted 3 times'),
        'after three it gives up, and says so', r)
    gave = time.monotonic()
    pause(r)
    with open(LOG, 'a') as f:
        f.write('Dec  1 08:00:01 mx postfix/smtpd[5]: connect from b\n')
    r = Run('live', '-D', 'doexec')
    tap.eq(r.out, '', 'then it is quiet')
    starts = [l for l in flood.read() if l.startswith('start ')]
    tap.eq(len(starts), 4, 'it was started once, and three times again')
    print('# %.1f s from the first flood to "gave up", 1.1 s between two runs' %
          (gave - full))

    # over
    time.sleep(max(0, gave + QUIET + 0.5 - time.monotonic()))
    r = Run('live', '-D', 'doexec')
    tap.ok(r.mails == 1 and r.has(
        r'\[resolved after .*\] postfix/tlsmgr has written',
        r'\[resolved after .*\] gave up',
        r'postfix/tlsmgr wrote %d messages in all' % (4 * LINES)),
        'no flood any more: over, with the number of all', r)

    # another, which does not heed TERM
    beast = Child('packagekitd', uid, stubborn_hog)
    wait_for(stands_still, 'the cgroup is full again')
    r = Run('live', '-D', 'doexec', '-M', 'mem_wait=1s')
    wait_for(lambda: beast.ended() is not None, 'the second hog has ended')
    tap.ok(beast.status == -signal.SIGKILL and r.mails == 1 and r.has(
        r'ended packagekitd of %s, pid %d, .* \(by KILL\): [0-9]+ MiB are '
        'available now' % (user, beast.pid)),
        'a hog that does not heed TERM is ended by KILL', r)
    print('# that run took %.2f s, with 1 s between TERM and KILL' % r.seconds)
    for c in kinds + [probe, outside, flood]:
        tap.eq(c.ended(), None, '%s of %s lives' %
               (c.name, 'the same cgroup' if c in kinds + [probe]
                else 'outside'))
    pid = starts[-1].split()[2]
    with open('/proc/%s/comm' % pid) as f:
        tap.eq(f.read(), 'tlsmgr\n', 'the last tlsmgr is let alone')
    return int(pid)


if os.geteuid() != 0:
    skip_all('needs root, for a cgroup')
try:
    os.mkdir(GROUP)
except OSError as e:
    skip_all('no memory cgroup of v1 here: ' + e.strerror)
last = None
began = time.monotonic()
os.mkdir(SITE, 0o700)
os.mkdir(TMP + '/log', 0o700)
for name, text in (('picket.conf', 'mailto systems@localhost\n'
                    'mailfrom picket@example.org\nhostname moscow\n'
                    'logdir %s/log\n' % TMP),
                   ('alerts.cfg', 'Emergency\n\ttiming * * * * *\n'
                    '\tlevel emergency\n'
                    '\talarms MemoryEmergency LogFlood\n')):
    with open(os.path.join(SITE, name), 'w') as f:
        f.write(text)
    os.chmod(f.name, 0o600)
open(LOG, 'w').close()
os.chmod(LOG, 0o666)
os.chmod(TMP, 0o711)
try:
    for name, value in (('memory.limit_in_bytes', LIMIT),
                        ('memory.oom_control', 1)):
        with open(os.path.join(GROUP, name), 'w') as f:
            f.write(str(value))
    try:
        last = all_of_it()
    except RuntimeError as e:
        tap.ok(False, str(e))
    finally:
        for c in Child.all:
            c.end()
        # tlsmgr went with its master
        wait_for(lambda: not last or not os.path.exists('/proc/%d' % last),
                 'the last tlsmgr goes')
finally:
    wait_for(lambda: number('memory.usage_in_bytes') is not None and
             not open(GROUP + '/cgroup.procs').read(), 'an empty cgroup')
    os.rmdir(GROUP)
print('# all of it: %.1f s' % (time.monotonic() - began))
tap.done()
