#!/usr/bin/env python3
# runner: serial timeout=300 long-timeout=900
"""The starved host: emergency workers of picketd in a memory cgroup of 64 MB
whose kernel killer is off, with a hog that fills it until all in it stands
still.  under_oom is 1 before the run and oom_kill is what it was after it, so
nobody but the worker can have ended the hog; the alert is stored and its mail
written once memory is back.  The same with no pid left in a pids cgroup, with
no descriptor left, by a hog that no snapshot knows, disarmed and after a new
image, with the leader stopped, killed, killed once it has acted, and with
all of picketd in that cgroup and picketd's own descriptors used up; and
what a run does to the system meanwhile, by strace: nothing that takes memory."""

import concurrent.futures
import ctypes
import mmap
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

import tap

SRCDIR = os.environ.get('SRCDIR', '.')
BUILDDIR = os.path.abspath(os.environ.get('BUILDDIR', '.'))
TMP = os.environ['TMPDIR']
PICKET = os.environ.get('PICKET', os.path.join(BUILDDIR, 'picket'))
RUNNER = os.path.join(BUILDDIR, 'picket-runner')
HOG = os.path.join(BUILDDIR, 'tests', 'daemon', 'hog')
LONG = os.environ.get('PICKET_LONG') == '1'
SLOW = 3 if os.environ.get('PICKET_SANITIZERS') else 1
ROUNDS = 20 if LONG else 5
LIMIT = 64 << 20
PATIENCE = 30 * SLOW
QUICK = 6 * SLOW		# "within a few seconds"
MEMORY, PIDS = '/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids'
SITE = os.path.join(TMP, 'site')
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
ENV = dict(os.environ, PICKET_LIBEXEC=BUILDDIR,
           PICKET_LIB=os.path.abspath(os.path.join(SRCDIR, 'stdlib-scripts')),
           TZ='UTC')

# MemoryEmergency as it is bundled, but that it waits until nothing goes on: what
# is left is never as little as this
CONF = """mailto systems@localhost
mailfrom picket@example.org
hostname moscow
logdir {tmp}/log
file {tmp}/mail
emergency available 1%
"""
MACROS = """mem_cgroup {group}
mem_end -1
mem_seconds -1
mem_warn 0.5%
mem_clear 1%
mem_wait 2s
"""
ALERTS = """Emergency
        timing 0 0 1 1 *
        level emergency
        alarms MemoryEmergency
"""


def wait_for(what, why, patience=PATIENCE, tick=0.005):
    until = time.monotonic() + patience
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > until:
            raise RuntimeError('in vain: ' + why)
        time.sleep(tick)


def read(path):
    with open(path) as f:
        return f.read()


def write(path, text):
    with open(path, 'w') as f:
        f.write(str(text))


class Group:
    """A cgroup of v1, gone with everything in it."""

    def __init__(self, top, name, **values):
        self.path = os.path.join(top, name)
        os.mkdir(self.path)
        for key, value in values.items():
            write(os.path.join(self.path, key.replace('__', '.')), value)

    def get(self, name):
        return read(os.path.join(self.path, name))

    def enter(self):
        write(self.path + '/cgroup.procs', os.getpid())

    def close(self):
        wait_for(lambda: self.get('cgroup.procs') == '', 'an empty cgroup')
        os.rmdir(self.path)


def in_groups(groups):
    def ready():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for g in groups:
            g.enter()
    return ready


class Hog:
    def __init__(self, groups, name='dnf', *options):
        self.p = subprocess.Popen([HOG, name, *options],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  preexec_fn=in_groups(groups))
        if self.p.stdout.readline() != b'ready\n':
            raise RuntimeError('no hog')

    def go(self, rate):
        self.p.stdin.write(b'%g\n' % rate)
        self.p.stdin.flush()

    def close(self):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()
        self.p.stdin.close()
        self.p.stdout.close()


class Worker:
    """picket-runner emergency: the image on 3, the shared page on 5."""

    def __init__(self, round, image, page, talk=None):
        self.err = os.path.join(TMP, 'err.%d.%d' % (round.n, page is None or
                                                    len(round.workers)))
        fd = os.open(image, os.O_RDONLY)
        null = os.open('/dev/null', os.O_RDWR)
        err = os.open(self.err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        enter = in_groups(round.groups)

        def ready():
            enter()
            # 3 to 5, whatever they were
            high = [os.dup(x) for x in (fd, null if talk is None else talk,
                                        null if page is None else page)]
            for i, x in enumerate(high):
                os.dup2(x, 20 + i)
            for i in range(3):
                os.dup2(20 + i, 3 + i)
            for x in range(6, 40):
                try:
                    os.close(x)
                except OSError:
                    pass
        self.p = subprocess.Popen(
            [RUNNER, 'emergency', '--state', round.state], env=ENV,
            stdin=null, stdout=err, stderr=err, close_fds=False,
            preexec_fn=ready)
        for x in (fd, null, err):
            os.close(x)
        wait_for(lambda: 'is ready' in self.said(), 'a worker: ' +
                 self.said())

    def said(self):
        ended = self.p.poll() if hasattr(self, 'p') else None
        return read(self.err) + ('' if ended is None else
                                 '(it ended with %d)' % ended)

    def close(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGCONT)
            self.p.terminate()
            try:
                self.p.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.p.kill()
        return self.p.wait()


class Whole:
    """picketd with all that it starts."""

    def __init__(self, round):
        self.err = os.path.join(TMP, 'err.%d' % round.n)
        with open(self.err, 'wb') as err:
            self.p = subprocess.Popen(
                [os.path.join(BUILDDIR, 'picketd'), '-f', '--config', SITE,
                 '--state', round.state, '--run', round.state,
                 '--log', 'stderr debug'], env=ENV,
                stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                preexec_fn=in_groups(round.groups))
        wait_for(lambda: self.said().count('is ready') == 2, 'the workers: ' +
                 self.said())

    said, close = Worker.said, Worker.close

    def emergency(self):
        """The pids of its workers."""
        return [int(x) for x in re.findall(r'emergency worker (\d+) is ready',
                                           self.said())]


class Round:
    """A cgroup with workers and a hog in it, and what came of it."""

    count = 0

    def __init__(self, workers=1, pids=False, whole=False):
        Round.count += 1
        self.n = Round.count
        self.name = 'picket-emergency-%d-%d' % (os.getpid(), self.n)
        self.state = os.path.join(TMP, 'state.%d' % self.n)
        os.mkdir(self.state, 0o700)
        for f in ('mail',):
            if os.path.exists(os.path.join(TMP, f)):
                os.unlink(os.path.join(TMP, f))
        self.groups, self.workers, self.hog = [], [], None
        self.sleepers = []
        self.memory = Group(MEMORY, self.name)
        self.groups.append(self.memory)
        write(self.memory.path + '/memory.limit_in_bytes', LIMIT)
        write(self.memory.path + '/memory.oom_control', 1)
        self.told = os.eventfd(0, os.EFD_NONBLOCK)
        with open(self.memory.path + '/memory.oom_control') as f:
            write(self.memory.path + '/cgroup.event_control',
                  '%d %d' % (self.told, f.fileno()))
        self.pids = None
        if pids:
            self.pids = Group(PIDS, self.name)
            self.groups.append(self.pids)
        image = self.compile()
        self.hog = Hog(self.groups)
        self.page = os.memfd_create('page') if workers > 1 else None
        if self.page is not None:
            os.ftruncate(self.page, 4096)
        for _ in range(0 if whole else workers):
            self.workers.append(Worker(self, image, self.page))
        if whole:
            self.workers.append(Whole(self))

    def compile(self):
        os.makedirs(SITE, 0o700, exist_ok=True)
        os.makedirs(TMP + '/log', 0o700, exist_ok=True)
        for name, text in (('picket.conf', CONF), ('macros.cfg', MACROS),
                           ('defines.cfg', 'doexec TRUE\n'),
                           ('alerts.cfg', ALERTS)):
            path = os.path.join(SITE, name)
            with open(path, 'w') as f:
                f.write(text.format(tmp=TMP, group='/' + self.name))
            os.chmod(path, 0o600)
        image = os.path.join(TMP, 'image')
        p = subprocess.run([PICKET, 'compile', '--site', '--config', SITE,
                            '-o', image], env=ENV, capture_output=True)
        if p.returncode != 0:
            raise RuntimeError('compile: ' + p.stderr.decode())
        return image

    def full(self):
        """The kernel says that all stand still, or has said so: who is quick
        ends that before we look."""
        if self.oom()['under_oom'] == '1':
            return True
        try:
            return os.eventfd_read(self.told) > 0
        except BlockingIOError:
            return False

    def oom(self):
        return dict(line.split() for line in
                    self.memory.get('memory.oom_control').splitlines())

    def rows(self):
        path = os.path.join(self.state, 'state.db')
        if not os.path.exists(path):
            return []
        try:
            db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
            try:
                return [tuple(x.decode() if isinstance(x, bytes) else x
                              for x in row) for row in db.execute(
                    'SELECT alert, reason, result, due FROM run')]
            finally:
                db.close()
        except sqlite3.Error:
            return []

    def mail(self):
        path = os.path.join(TMP, 'mail')
        return read(path) if os.path.exists(path) else ''

    def starve(self, before=None, after=None, rate=60):
        """Fills the cgroup; what happened, or why it did not."""
        kills = self.oom()['oom_kill']
        self.hog.go(rate)
        stuck = wait_for(lambda: (self.full() and 'stuck') or
                         (self.hog.p.poll() is not None and 'ended'),
                         'the cgroup is full', tick=0.0002)
        if stuck != 'stuck' and not self.full():
            return 'the hog ended before all stood still'
        if before is not None:
            before()
        t0 = time.monotonic()
        try:
            wait_for(lambda: self.hog.p.poll() is not None, 'the hog is ended')
        except RuntimeError as e:
            raise RuntimeError('%s: %s\n%s' % (
                e, ' | '.join(w.said() for w in self.workers),
                self.where())) from None
        self.took = time.monotonic() - t0
        if after is not None:
            after()
        if self.hog.p.returncode != -signal.SIGTERM:
            return 'the hog ended with %d' % self.hog.p.returncode
        said = 'ended dnf of '
        wait_for(lambda: self.rows() and said in self.mail(),
                 'the alert is delivered: rows %r, mail %r, %s' %
                 (self.rows(), self.mail(),
                  ' | '.join(w.said() for w in self.workers)))
        after = self.oom()
        if after['oom_kill'] != kills:
            return 'the kernel has ended something: %r' % after
        # one that only warned may have been before it
        rows = self.rows()
        if len(rows) > 3 or len(set(r[3] for r in rows)) != len(rows) or \
                set(r[:3] for r in rows) != {('Emergency', 'emergency', 'ok')}:
            return 'rows %r' % rows
        if not re.search(r'ended dnf of \S+, pid %d,' % self.hog.p.pid,
                         self.mail()):
            return 'mail ' + self.mail()
        if self.mail().count(said) != 1:
            return 'it is told more than once: ' + self.mail()
        if self.took > QUICK:
            return 'it took %.1f s' % self.took
        return None

    def where(self):
        """Where each process of the group stands, for who looks why."""
        out = [self.memory.get('memory.oom_control').replace('\n', ' ') +
               self.memory.get('memory.usage_in_bytes')]
        for pid in self.memory.get('cgroup.procs').split():
            for name in ('comm', 'wchan', 'syscall', 'stat', 'stack'):
                try:
                    out.append('%s %s: %s' % (pid, name, read(
                        '/proc/%s/%s' % (pid, name)).strip()))
                except OSError as e:
                    out.append('%s %s: %s' % (pid, name, e))
        return '\n'.join(out)

    def close(self):
        for s in self.sleepers:
            s.kill()
            s.wait()
        if self.hog is not None:
            self.hog.close()
        for w in self.workers:
            w.close()
        if self.page is not None:
            os.close(self.page)
        os.close(self.told)
        for g in self.groups:
            g.close()
        shutil.rmtree(self.state, ignore_errors=True)


def rounds(what, n, make, do):
    took, wrong = [], []
    for _ in range(n):
        r = None
        try:
            r = make()
            why = do(r)
            if why is None:
                took.append(r.took)
        except (RuntimeError, OSError, subprocess.SubprocessError) as e:
            why = '%s: %s' % (type(e).__name__, e)
        finally:
            try:
                if r is not None:
                    r.close()
            except RuntimeError as e:
                why = why or str(e)
        if why is not None:
            wrong.append('round %d: %s' % (Round.count, why))
    tap.tell(not wrong and len(took) == n, '%s: %d of %d rounds' %
             (what, len(took), n), *wrong)
    if took:
        print('# %s: the hog was ended %.2f to %.2f s after all stood still' %
              (what, min(took), max(took)), flush=True)


def faults(r):
    """What a worker says of its run."""
    said = ' '.join(w.said() for w in r.workers)
    m = re.search(r'in ([0-9.]+) s, (-?[0-9]+) page faults', said)
    return (float(m.group(1)), int(m.group(2))) if m else None


def memory(r):
    why = r.starve()
    if why is None:
        wait_for(lambda: faults(r), 'the worker tells of its run')
        if faults(r)[1] != 0:
            why = '%d page faults: %s' % (faults(r)[1], r.workers[0].said())
    return why


def no_pids(r):
    """The pids cgroup is at its limit, and says so to whoever forks."""
    limit = int(r.pids.get('pids.current'))
    write(r.pids.path + '/pids.max', limit)
    before = r.pids.get('pids.events')
    p = subprocess.Popen(['/bin/sh', '-c', 'echo $$ >%s/cgroup.procs; '
                          '/bin/true & wait' % r.pids.path],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    p.wait()
    if r.pids.get('pids.events') == before:
        return 'the pids cgroup is not at its limit'
    return r.starve(after=lambda: write(r.pids.path + '/pids.max', 'max'))


def no_descriptors(r):
    """The workers' own limit is used up before memory is."""
    was = []
    for w in r.workers:
        was.append((w.p.pid, resource.prlimit(w.p.pid,
                                              resource.RLIMIT_NOFILE)))
        resource.prlimit(w.p.pid, resource.RLIMIT_NOFILE,
                         (3, was[-1][1][1]))

    def back():
        for pid, limit in was:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
    return r.starve(after=back)


def leader(r):
    """The page's second word is the pid of who leads."""
    with mmap.mmap(r.page, 4096, prot=mmap.PROT_READ) as m:
        pid = int.from_bytes(m[4:8], sys.byteorder)
    return next((w for w in r.workers if w.p.pid == pid), None)


def sudden(r):
    """Started while the worker stands still, and all is gone when it goes on:
    no snapshot of before knows it."""
    r.hog.close()
    worker = r.workers[0].p
    worker.send_signal(signal.SIGSTOP)
    r.hog = Hog(r.groups)
    return r.starve(rate=4000,
                    before=lambda: worker.send_signal(signal.SIGCONT))


def told(r):
    """What picketd says: disarmed it only tells; armed it acts; a new image is
    taken by the same process, and so is what is said behind it."""
    image = os.path.join(TMP, 'image')
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there:
        here.settimeout(PATIENCE)
        here.send(b'disarm')        # there before it looks
        w = Worker(r, image, None, there.fileno())
        r.workers.append(w)
        ready = w.said().count('is ready')
        for turn in range(2):
            # the second time by a process that has begun anew
            r.hog.go(60)
            wait_for(lambda: r.oom()['under_oom'] == '1', 'it is full')
            time.sleep(QUICK)
            if r.hog.p.poll() is not None:
                return 'disarmed, and it has ended the hog: ' + w.said()
            r.hog.close()
            acted = here.recv(200)
            if not re.fullmatch(rb'acted 0 [0-9.]+', acted):
                return 'picketd is told %r' % acted
            time.sleep(1)
            here.setblocking(False)
            try:
                while here.recv(200):
                    pass
            except BlockingIOError:
                here.settimeout(PATIENCE)
            r.hog = Hog(r.groups)
            fd = os.open(image, os.O_RDONLY)
            socket.send_fds(here, [b'image'], [fd])
            os.close(fd)
            here.send(b'disarm' if turn == 0 else b'arm')
            ready += 1
            wait_for(lambda: w.said().count('is ready') == ready,
                     'it takes a new image: ' + w.said())
        if w.p.poll() is not None:
            return 'it has ended: ' + w.said()
        r.hog.go(60)
        wait_for(lambda: r.oom()['under_oom'] == '1' or
                 r.hog.p.poll() is not None, 'it is full')
        t0 = time.monotonic()
        wait_for(lambda: r.hog.p.poll() is not None, 'armed, it ends the hog')
        r.took = time.monotonic() - t0
        if r.hog.p.returncode != -signal.SIGTERM:
            return 'the hog ended with %d' % r.hog.p.returncode
    # picketd has gone: so does it
    w.p.wait(PATIENCE)
    return None


def lost(r):
    """Killed between the end of the hog and the return of memory: the other
    one tells of it."""
    lead = wait_for(lambda: leader(r), 'one leads')
    r.hog.go(60)
    wait_for(lambda: r.hog.p.poll() is not None, 'the hog is ended')
    time.sleep(0.5)         # the run is over; nothing is written for 2 s
    lead.p.kill()
    lead.p.wait()
    r.took = 0
    other = next(w for w in r.workers if w is not lead)
    want = 'worker %d has died before it could tell' % lead.p.pid
    wait_for(lambda: want in other.said(), 'it is told: ' + other.said())
    if str(r.hog.p.pid) not in other.said().split(want)[1]:
        return 'it does not say whom it ended: ' + other.said()
    if other.said().count(want) != 1:
        return 'told more than once: ' + other.said()
    return None


def stopped(r):
    lead = wait_for(lambda: leader(r), 'one leads')
    lead.p.send_signal(signal.SIGSTOP)
    why = r.starve()
    now = leader(r)
    if why is None and (now is None or now is lead):
        why = 'nobody took over'
    return why


def killed(r):
    lead = wait_for(lambda: leader(r), 'one leads')
    lead.p.kill()
    lead.p.wait()
    return r.starve()


def two(r):
    wait_for(lambda: leader(r), 'one leads')
    return r.starve()


def traced(r):
    """What the run does to the system."""
    out = os.path.join(TMP, 'strace')
    p = subprocess.Popen(['strace', '-f', '-o', out, '-p',
                          str(r.workers[0].p.pid)],
                         stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: os.path.exists(out) and read(out), 'strace')
        why = r.starve()
    finally:
        p.terminate()
        p.wait()
    text = read(out)
    # each run asks for its faults before and after it
    m = next((m for m in re.finditer(r'getrusage\([^\n]*\n(.*?)getrusage', text,
                                     re.S) if 'kill(' in m.group(1)), None)
    if why is None and m is None:
        why = 'no run in the trace'
    if why is None:
        calls = {}
        for c in re.findall(r'^(?:\d+ +)?(\w+)\(', m.group(1), re.M):
            calls[c] = calls.get(c, 0) + 1
        print('# calls of the run: ' + ', '.join(
            '%s %d' % x for x in sorted(calls.items())))
        bad = [c for c in calls if re.match(
            r'mmap|brk|mremap|clone|fork|vfork|open|socket|connect|wait4|'
            r'execve|pipe|eventfd|sendto|sendmsg', c)]
        if bad or 'kill' not in calls:
            why = 'calls: %r' % calls
    return why


def picketd(r):
    """All of it in the cgroup; and picketd's own descriptors used up."""
    pid = r.workers[0].p.pid
    was = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, was[1]))
    return r.starve(after=lambda: resource.prlimit(
        pid, resource.RLIMIT_NOFILE, was))


def idle():
    """What a worker costs while nothing happens, with so many processes."""
    sleepers = [subprocess.Popen(['/bin/sleep', '1000'], preexec_fn=in_groups(
        [])) for _ in range(300 - min(250, len([x for x in os.listdir('/proc')
                                               if x.isdigit()])))]
    r = Round(workers=2)
    try:
        time.sleep(2)

        def cpu():
            t = []
            for w in r.workers:
                with open('/proc/%d/schedstat' % w.p.pid) as f:
                    t.append(int(f.read().split()[0]) / 1e9)
            return t
        before, t0 = cpu(), time.monotonic()
        span = 60 if LONG else 21
        time.sleep(span)
        used = [(b - a) / (time.monotonic() - t0) for a, b in
                zip(before, cpu())]
        n = len([x for x in os.listdir('/proc') if x.isdigit()])
        rss = [read('/proc/%d/status' % w.p.pid) for w in r.workers]
        rss = [int(re.search(r'VmRSS:\s+(\d+)', x).group(1)) for x in rss]
        pss = [read('/proc/%d/smaps_rollup' % w.p.pid) for w in r.workers]
        pss = [int(re.search(r'Pss:\s+(\d+)', x).group(1)) for x in pss]
        print('# idle with %d processes: %s %% of a processor; RSS %s kB, '
              'PSS %s kB' % (n, ' and '.join('%.3f' % (100 * u) for u in used),
                             ' and '.join(map(str, rss)),
                             ' and '.join(map(str, pss))), flush=True)
        # ten times the measured: others may run here, too
        tap.tell(sum(used) < 0.01 * SLOW, 'idle workers cost next to nothing',
                 used)
    finally:
        r.close()
        for s in sleepers:
            s.kill()
            s.wait()


def skip_all(why):
    print('1..0 # skip ' + why)
    sys.exit(0)


if os.geteuid() != 0:
    skip_all('needs root, for cgroups')
for top in (MEMORY, PIDS):
    if not os.path.exists(os.path.join(top, 'cgroup.procs')):
        skip_all('no cgroups of v1 here')
KINDS = ('memory', 'pids', 'descriptors', 'two', 'sudden', 'told', 'lost',
         'stopped', 'killed', 'picketd', 'traced')
AT_ONCE = 4			# most of a round is waiting


def one(kind):
    """A kind by itself, with cgroups and a folder of its own."""
    folder = os.path.join(TMP, kind)
    os.mkdir(folder)
    p = subprocess.run([sys.executable, os.path.realpath(__file__), kind],
                       env=dict(os.environ, TMPDIR=folder),
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors='replace')
    return p.returncode, p.stdout.splitlines()


def repeat(kind, status, lines):
    """Tells what one has told."""
    told = 0
    for i, line in enumerate(lines):
        m = re.match(r'(not )?ok \d+ - (.*?)(?: # skip (.*))?$', line)
        if m and m.group(3):
            tap.skip(m.group(2), m.group(3))
        elif m:
            tap.tell(not m.group(1), m.group(2), *(
                x[1:].lstrip() for x in lines[i + 1:i + 60]
                if m.group(1) and x.startswith('#')))
        elif line.startswith('# ') and ':' in line:
            print(line, flush=True)
        told += m is not None
    if told == 0 or (status != 0) != any(x.startswith('not ok')
                                         for x in lines):
        tap.tell(False, kind + ' comes to its end', status, *lines[-30:])


which = sys.argv[1:]
if not which:
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for kind, got in zip(KINDS, pool.map(one, KINDS)):
            repeat(kind, *got)
    which = ['idle']
if 'memory' in which:
    rounds('memory', ROUNDS, Round, memory)
if 'pids' in which:
    rounds('no pid left', ROUNDS, lambda: Round(pids=True), no_pids)
if 'descriptors' in which:
    rounds('no descriptor left', ROUNDS, Round, no_descriptors)
if 'two' in which:
    rounds('two workers', 2, lambda: Round(workers=2), two)
if 'sudden' in which:
    rounds('a hog that nobody knows', ROUNDS, Round, sudden)
if 'told' in which:
    rounds('picketd says', 1, lambda: Round(workers=0), told)
if 'lost' in which:
    rounds('a worker that dies when it has acted', 2,
           lambda: Round(workers=2), lost)
if 'stopped' in which:
    rounds('the leader hangs', 2, lambda: Round(workers=2), stopped)
if 'killed' in which:
    rounds('the leader is killed', 2, lambda: Round(workers=2), killed)
if 'picketd' in which:
    rounds('all of picketd, without descriptors', ROUNDS,
           lambda: Round(whole=True), picketd)
if 'traced' in which:
    if shutil.which('strace'):
        rounds('by strace', 1, Round, traced)
    else:
        tap.skip('by strace', 'not installed')
if 'idle' in which:
    idle()
tap.end()
