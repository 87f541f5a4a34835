#!/usr/bin/env python3
# runner: serial timeout=300
"""Scripts that are no good, under a picketd: they loop, fork without end, in
other sessions and with no environment, eat memory, write without end, ignore
TERM, stop themselves, kill their runner.  Each is stopped in its time and told
of, nothing of it is left, and a good alert beside them stays on time: with a
cgroup for each run, and without."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

from daemonlib import SLOW, Daemon, ask, fresh, rows, up
from tap import end, skip, tell

os.umask(0o022)
BUILDDIR = os.path.abspath(os.environ.get('BUILDDIR', '.'))
FIEND = os.path.join(BUILDDIR, 'tests', 'daemon', 'fiend')
PIDS, MEMORY = '/sys/fs/cgroup/pids', '/sys/fs/cgroup/memory'
TIMEOUT = 2			# seconds, of each script
MORE = 8 * SLOW			# that its end may take
BOMB = 120			# processes of one bomb

if os.geteuid() != 0:
    skip('hostile scripts', 'cgroups and mounts of its own take root')
    end()
if subprocess.run(['unshare', '-m', 'true'],
                  stderr=subprocess.DEVNULL).returncode != 0:
    skip('hostile scripts', 'no mount namespace to be had here')
    end()


def read(path):
    try:
        with open(path, errors='replace') as f:
            return f.read()
    except OSError:
        return ''


def write(path, text):
    with open(path, 'w') as f:
        f.write(str(text))


class Group:
    """A cgroup of v1; without that controller none, and enter does nothing."""

    def __init__(self, top, name, **values):
        self.path = os.path.join(top, name)
        try:
            os.mkdir(self.path)
        except OSError:
            self.path = ''
            return
        for key, value in values.items():
            write(os.path.join(self.path, key.replace('__', '.')), value)

    def procs(self):
        return [int(p) for p in
                read(os.path.join(self.path, 'cgroup.procs')).split()]

    def enter(self):
        if self.path:
            write(self.path + '/cgroup.procs', os.getpid())

    def end(self):
        """All in it is ours, and was started by this test."""
        until = time.monotonic() + 20
        while self.path and time.monotonic() < until:
            for pid in self.procs():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                os.rmdir(self.path)
                self.path = ''
            except OSError:
                time.sleep(0.02)


# A private tree of mounts: a small file system for the log, and a tree of
# cgroup v2 that can be written or none at all.
PREPARE = r'''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
cages, log = sys.argv[1] == 'cages', sys.argv[2]
def mount(kind, at, how):
    return libc.mount(b'none', at.encode(), kind, 0, how) == 0
if not mount(b'tmpfs', log, b'size=2m,mode=755'):
    sys.exit('no tmpfs: ' + os.strerror(ctypes.get_errno()))
have = []
with open('/proc/self/mountinfo') as f:
    for line in f:
        if ' - cgroup2 ' in line:
            have.append(line.split()[4])
if not cages:
    for at in reversed(have):
        if libc.umount2(at.encode(), 2) != 0:
            sys.exit('cannot take away ' + at)
elif not any(os.access(at, os.W_OK) for at in have):
    at = os.path.join(os.path.dirname(log), 'cgroup')
    os.makedirs(at, exist_ok=True)
    if not mount(b'cgroup2', at, None):
        sys.exit('no cgroup v2')
os.execv(sys.argv[3], sys.argv[3:])
'''


def prefix(site, cages):
    return ['unshare', '-m', '--propagation', 'private', sys.executable, '-c',
            PREPARE, cages, os.path.join(site.root, 'log')]


def can_cage(site):
    return subprocess.run(prefix(site, 'cages') + ['/bin/true'],
                          stderr=subprocess.DEVNULL).returncode == 0


GOOD = (['every 1s'], '''init
    status active
    level warning

begin
    set #n = 1
''')


def script(body, more='', timeout=TIMEOUT):
    return (['timing 0 0 29 2 *'], '''init
    status active
    level warning
    timeout %ds
%s
%s
''' % (timeout, more, body))


def command(words, how='exec wait', timeout=TIMEOUT, more=''):
    return script('begin\n    %s "%s"' % (how, words), more, timeout)


class Trial:
    def __init__(self, name, cages):
        self.site = fresh(name)
        self.dir = os.path.join(self.site.root, 'h')
        os.mkdir(self.dir)
        shutil.copy(FIEND, self.dir + '/fiend')
        self.group = Group(PIDS, 'picket-hostile-%d' % os.getpid(),
                           pids__max=900)
        self.memory = Group(MEMORY, 'picket-hostile-%d' % os.getpid(),
                            memory__limit_in_bytes=768 << 20)
        # those of bombs: below ours, so that there is room beside them
        self.bomb = Group(self.group.path, 'bomb', pids__max=BOMB)
        self.eater = Group(self.memory.path, 'eater',
                           memory__limit_in_bytes=64 << 20)
        self.cages = cages
        self.wave = []

    def fiend(self, *ways, env=''):
        """The path of a command that becomes one, perhaps in a group."""
        path = '%s/%s' % (self.dir, '-'.join(ways).replace(' ', '-'))
        write(path, '#!/bin/sh\n%s\nexec %s/fiend %s\n' % (
            env, self.dir, ' '.join(ways)))
        os.chmod(path, 0o755)
        return path

    def bombs(self, *ways):
        return self.fiend(*ways, env='export FIEND_GROUP=%s' % (
            self.bomb.path and self.bomb.path + '/cgroup.procs'))

    def enter(self):
        self.group.enter()
        self.memory.enter()

    def start(self):
        self.d = Daemon(self.site, before=prefix(self.site, self.cages),
                        preexec_fn=self.enter, start_new_session=True)
        return self.d.wait(lambda: up(self.d) or self.d.p.poll() is not None,
                           20) and self.d.p.poll() is None

    def mine(self, lingers=False):
        """What runs have left: all in our group but picketd and its own, and
        what belongs to a run that goes on."""
        if self.group.path:
            all = set(self.group.procs()) | set(self.bomb.path and
                                                self.bomb.procs() or [])
        else:
            all = {int(p) for p in os.listdir('/proc') if p.isdigit() and
                   self.dir in read('/proc/%s/cmdline' % p)}
        return {p for p in all if p != self.d.pid and
                'picket' not in os.path.basename(exe(p)) and not gone(p) and
                (lingers or 'linger' not in read('/proc/%d/cmdline' % p))}

    def runs(self, name):
        return rows(self.site, 'SELECT CAST(result AS TEXT), began, ended, '
                    'CAST(error AS TEXT) FROM run WHERE alert = ? '
                    'ORDER BY began', name)

    def log(self, name):
        """Its file system is picketd's own."""
        return read('/proc/%d/root%s/log/%s.log' % (self.d.pid,
                                                    self.site.root, name))

    def health(self):
        status = read('/proc/%d/status' % self.d.pid)
        size = re.search(r'VmRSS:\s+(\d+)', status)
        return (int(size[1]) if size else 0,
                len(os.listdir('/proc/%d/fd' % self.d.pid)))

    def have(self, *names):
        """Runs them all at once; each must be over in its time."""
        began = time.monotonic()
        before = {n: len(self.runs(n)) for n in names}
        for n in names:
            got = ask(self.site, {'command': 'runnow', 'alert': n})
            if not got.get('ok'):
                tell(False, self.label(n) + ' is started', got)
        took = {}
        while len(took) < len(names) and \
                time.monotonic() < began + TIMEOUT + 3 * MORE:
            for n in names:
                if n not in took and len(self.runs(n)) > before[n]:
                    took[n] = time.monotonic() - began
            time.sleep(0.05)
        left = self.d.wait(lambda: not self.mine(), MORE)
        for n in names:
            self.wave.append((n, took.get(n)))
        tell(left, self.label(', '.join(names)) + ': nothing is left',
             [(p, read('/proc/%d/cmdline' % p))
              for p in list(self.mine())[:10]], self.d.said()[-1500:])

    def label(self, text):
        return '%s: %s' % (self.cages, text)

    def stop(self):
        code, took = self.d.stop()
        tell(code == 0 and took < 10 * SLOW, self.label('picketd ends'), code,
             took, self.d.said()[-1000:])


class Canary:
    """A process that has the priority of picketd and starts one each second:
    how late that is, is the machine's fault."""

    def __init__(self):
        self.read, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        try:
            os.setsid()
            os.nice(-10)
            with open('/proc/self/autogroup', 'w') as f:
                f.write('-10')
        except OSError:
            pass
        parent, due = os.getppid(), time.time() // 1 + 1.5
        while os.getppid() == parent:
            time.sleep(max(0, due - time.time()))
            pid = os.posix_spawn('/bin/true', ['true'], {})
            os.waitpid(pid, 0)
            os.write(write, b'%.3f\n' % (time.time() - due))
            due = max(due + 1, time.time() // 1 + 0.5)
        os._exit(0)

    def end(self):
        """The latest."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        with open(self.read) as f:
            return max([float(x) for x in f.read().split()] or [0])


def exe(pid):
    try:
        return os.readlink('/proc/%d/exe' % pid)
    except OSError:
        return ''


def gone(pid):
    return re.search(r'^State:\s+[ZX]', read('/proc/%d/status' % pid),
                     re.M) or not os.path.exists('/proc/%d' % pid)


def late(t, since=0, until=1e12):
    got = rows(t.site, 'SELECT due, began FROM run WHERE alert = ? AND '
               'due > ? AND due < ? ORDER BY due', 'Good', since, until)
    return got, [b - a for a, b in got]


LOOP = '''begin
    set #i = 0
    while #i < 1
        set #n = #n + 1
    endwhile'''



DEADLINE = r"deadline of %ds has passed" % TIMEOUT


def hostile(t, log):
    """NAME: its alert, how its run ends, and what a person is told."""
    F, stopped = t.fiend, ('stopped', DEADLINE)
    bad = {
        # in the language
        # a fast machine is through its budget before the time is over
        'Loop': (script(LOOP), 'failed|stopped', r'\(budget\)|' + DEADLINE),
        'Budget': (script(LOOP, '    budget 1000000'), 'failed', 'budget'),
        'Eats': (script('begin\n    set $x = "0123456789abcdef"\n'
                        '    while 1 == 1\n        set $x = $x . $x\n'
                        '    endwhile', '    memory 8M'), 'failed', 'memory'),
        'Mails': (script('    input proc "yes"\nrule\n    output mail $inlin'),
                  'failed|stopped', 'more than 16 MiB|' + DEADLINE),
        'Logs': (script('    input proc "yes this is a line"\nrule\n'
                        '    output log "%s/full.log" $inlin' % log),) +
        stopped,
        'Deaf': (script('begin\n    do #popen(P, "%s", "w")\n'
                        '    while 1 == 1\n        do #write(P, "a line that '
                        'nobody reads")\n    endwhile' % F('rest')),) +
        stopped,
        'Reads': (script('begin\n    set $x = $command("%s")' % F('mute')),) +
        stopped,
        'Limited': (command(F('eat'), how='exec wait limit memory 30M'), 'ok',
                    None),
        'Orphans': (command(F('parent')), 'interrupted', r'\[interrupted\]'),
        'OrphanBare': (command(F('bare', 'parent')), 'interrupted',
                       r'\[interrupted\]'),
        'Subject': (command(F('murder', env='export FIEND_VICTIM=%s/victim' %
                              t.dir), how='exec wait as "nobody"'), 'ok',
                    None),
    }
    for name, path in (
            ('Spins', F('spin')), ('Says', '/usr/bin/yes'),
            ('Files', F('files')), ('Ignores', F('deaf', 'rest')),
            ('Stops', F('stop')), ('Mute', F('mute')),
            ('Zombies', F('zombies'))):
        bad[name] = (command(path),) + stopped
    if t.bomb.path:
        for name, ways in (
                ('Bomb', ['bomb']), ('BombAway', ['bomb-away']),
                ('BombTwice', ['bomb-twice']),
                ('BombBare', ['bare', 'away', 'bomb-twice']),
                ('Hops', ['away', 'hop']),
                ('HopsAway', ['bare', 'away', 'hop-away'])):
            bad[name] = (command(t.bombs(*ways)),) + stopped
    if t.eater.path:
        bad['Hog'] = (command(t.fiend('eat ', env='export FIEND_GROUP=%s/'
                                      'cgroup.procs' % t.eater.path)),
                      'ok' if SLOW == 1 else 'ok|stopped', None)
    return bad


class Frozen:
    """A run that does not die of KILL, as one that waits for a dead disk: it
    goes into a cgroup of v1 and freezes it."""

    def __init__(self, t):
        self.t = t
        self.group = Group('/sys/fs/cgroup/freezer', 'picket-hostile-%d' %
                           os.getpid())
        path = self.group.path
        self.once = os.path.join(t.dir, 'frozen')
        write(t.dir + '/freezes', '#!/bin/sh\n[ -e %s ] && exit\n: >%s\n'
              'echo $PPID >%s/cgroup.procs\necho FROZEN >%s/freezer.state\n'
              'exec %s/fiend linger\n' % (self.once, self.once, path, path,
                                        t.dir))
        os.chmod(t.dir + '/freezes', 0o755)
        how, body = command(t.dir + '/freezes')
        # its next run is due while it is stuck
        self.alert = (['every 3s', 'overlap kill'] if t.cages == 'cages' else
                      ['every 3s'], body)

    def check(self):
        """At the end: it was given up, told of once, and holds its lock."""
        t, d, label = self.t, self.t.d, self.t.label
        tell(d.says('Frozen: its run, process', 40), label('a run that does '
             'not die of KILL is given up'), d.said()[-2000:])

        def incident():
            return rows(t.site, 'SELECT 1 FROM incident WHERE key = ?',
                        'picketd:stuck')
        tell(d.wait(incident), label('it is an incident'))
        got = ask(t.site, {'command': 'status'})
        mine = [a for a in got['alerts'] if a['name'] == 'Frozen'][0]
        # what was due since may have been ended, too, for what is due next
        tell(got['stuck'] == 1 and mine['result'] in ('stuck', 'stopped'),
             label('status shows it'), got['stuck'], mine)
        tell(d.says('is running it; this run'),
             label('its lock keeps the next run away'), d.said()[-2000:])
        tell(d.wait(lambda: not t.mine(True)), label('what it has started is '
             'ended all the same'), t.mine(True))
        tell(not [r for r in t.runs('Frozen') if r[0] != 'interrupted'],
             label('no row of it says that it ended'), t.runs('Frozen'))
        write(self.group.path + '/freezer.state', 'THAWED')
        tell(d.says('Frozen: its run, which was stuck, has ended'),
             label('its end is noticed'), d.said()[-2000:])
        tell(d.wait(lambda: 'ok' in [r[0] for r in t.runs('Frozen')], 20) and
             t.runs('Frozen')[0][0] == 'interrupted',
             label('it has its row, and then it runs again'), t.runs('Frozen'))
        tell(ask(t.site, {'command': 'status'})['stuck'] == 0,
             label('none is stuck any more'))
        t.d.wait(lambda: '[resolved after' in t.site.mail())
        mail = t.site.mail()
        tell(len(re.findall(r'^ +\[firing\] process', mail, re.M)) == 1 and
             len(re.findall(r'^ +\[resolved after .*\] process', mail,
                            re.M)) == 1,
             label('it was told of once, and its end'),
             [m for m in messages(mail) if 'stuck' in m])

    def end(self):
        if self.group.path:
            write(self.group.path + '/freezer.state', 'THAWED')
        self.group.end()


def messages(mail):
    return re.split('^From ', mail, flags=re.M)[1:]


def check(t, bad):
    mails = messages(t.site.mail())
    for name, took in t.wave:
        _, ends, text = bad[name]
        got = t.runs(name)[-1:]
        tell(took is not None and took < TIMEOUT + MORE and got and
             re.fullmatch(ends, got[0][0]), t.label(
                 '%s is %s after %.1f s' % (name, got and got[0][0],
                                            took or -1)), took, got)
        if text:
            told = [m for m in mails if name in m and re.search(text, m)]
            tell(told, t.label(name + ': a mail tells of it'),
                 [m[:2000] for m in mails if name in m])


def trial(cages):
    t = Trial(cages, cages)
    if cages == 'cages' and not can_cage(t.site):
        skip('with cgroups', 'no tree of cgroup v2 to be had')
        return
    bad = hostile(t, os.path.join(t.site.root, 'log'))
    frozen = Frozen(t)
    more = {'Frozen': frozen.alert} if frozen.group.path else {}
    t.site.alerts(Good=GOOD, **{n: b[0] for n, b in bad.items()}, **more)
    try:
        if not t.start():
            tell(False, t.label('picketd starts'), t.d.said()[-3000:])
            return
        write(t.dir + '/victim', t.d.pid)
        t.d.wait(lambda: len(t.runs('Good')) >= 3)
        before, since = t.health(), time.time()
        canary = Canary()
        t.have('Loop', 'Budget', 'Eats', 'Ignores', 'Stops', 'Mute')
        t.have('Mails', 'Logs', 'Zombies', 'Limited', 'Reads', 'Subject')
        # the disk is full; others want to log, too
        os.unlink('/proc/%d/root%s/log/full.log' % (t.d.pid, t.site.root))
        t.have('Deaf', 'Spins', 'Says', 'Files')
        if t.bomb.path:
            t.have('Bomb')
            t.have('BombAway')
            t.have('BombTwice')
            t.have('BombBare')
            t.have('Hops', 'HopsAway')
        t.have('Orphans', 'OrphanBare', *(['Hog'] if 'Hog' in bad else []))
        until, machine = time.time(), canary.end()
        if more:
            frozen.check()
        time.sleep(1)
        after = t.health()
        check(t, bad)
        got, by = late(t, since, until)
        print('# a process of ours was %.2f s late at most' % machine)
        tell(by and max(by) <= SLOW + 2 * machine and
             len(by) >= (until - since) / (1 + machine) - 2 * SLOW,
             t.label('a good alert beside them is on time: %d runs in %.0f s, '
                     'the latest %.2f s late' % (len(by), until - since,
                                                 max(by or [-1]))),
             sorted(by)[-10:], t.d.said()[-1000:])
        tell(after[0] < before[0] + 256 and after[1] <= before[1] + 2,
             t.label('picketd has as much memory and descriptors as before: '
                     '%d to %d kB, %d to %d' % (before[0], after[0],
                                                before[1], after[1])))
        said = t.d.said()
        tell('says more than the 65536 bytes' in said,
             t.label('the log of picketd is not filled by a run'))
        log = t.log('Subject')
        tell('Operation not permitted' in log,
             t.label('another user cannot end picketd'), log)
        log = t.log('Hog')
        # under sanitizers it eats so slowly that its time is over first
        tell('Hog' not in bad or 'signal 9' in log or
             (SLOW > 1 and 'deadline' in log),
             t.label('the log says that the kernel ended what ate'), log)
    finally:
        frozen.end()
        t.stop()
        for g in (t.bomb, t.eater, t.group, t.memory):
            g.end()


for how in sys.argv[1:] or ('cages', 'bare'):
    trial(how)
end()
