#!/usr/bin/env python3
"""The functions that act on processes, on real ones: other users', hostile
names, numbers that were given out again, zombies, containers, storms.

All of it happens in a machine of its own: a pid namespace in which this test
is the first process, with users of its own, so that nothing else is hit.
"""
# runner: serial timeout=200

import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time

from tap import end, tell

BUILDDIR = os.environ['BUILDDIR']
PICKET = os.environ['PICKET']
TMP = os.environ['TMPDIR']
SLOW = 4 if os.environ.get('PICKET_SANITIZERS') else 1
UID, OTHER, ODD, NOBODY = 60123, 60124, 60125, 65534
NICE = os.getpriority(os.PRIO_PROCESS, 0)

if os.geteuid() != 0:
    tell(False, 'processes of other users can be made here', 'this test needs '
         'root: it starts processes of several users')
    end()
if 'PICKET_ACTING' not in os.environ:
    env = dict(os.environ, PICKET_ACTING='1')
    os.execvpe('unshare', ['unshare', '--mount', '--pid', '--fork',
                           '--kill-child', '--mount-proc', sys.executable,
                           os.path.abspath(__file__)], env)

# --- the machine ---
libc = ctypes.CDLL(None, use_errno=True)
passwd = os.path.join(TMP, 'passwd')
with open('/etc/passwd') as f:
    users = f.read()
with open(passwd, 'w') as f:
    f.write(users + 'storm:x:%d:%d::/:/bin/sh\nother:x:%d:%d::/:/bin/sh\n'
            '$(id):x:%d:%d::/:/bin/sh\n' % (UID, UID, OTHER, OTHER, ODD, ODD))
subprocess.run(['mount', '--bind', passwd, '/etc/passwd'], check=True)
os.chmod(TMP, 0o755)
with open('/proc/self/status') as f:
    capabilities = int(re.search(r'CapEff:\s*(\w+)', f.read()).group(1), 16)
HAS_RESOURCE = bool(capabilities & 1 << 24)
libc.prctl(36, 1, 0, 0, 0)		# orphans come to us, as to any init


def stat(pid):
    """State, parent, start time; None if there is no such process."""
    try:
        with open('/proc/%d/stat' % pid, 'rb') as f:
            after = f.read().rpartition(b')')[2].split()
    except OSError:
        return None
    return after[0].decode(), int(after[1]), int(after[19])


def alive(pid):
    s = stat(pid)
    return s is not None and s[0] not in 'ZX'


def state_is(pid, want):
    for _ in range(200):
        s = stat(pid)
        if s and s[0] in want:
            return True
        time.sleep(0.01)
    return False


def child(name='victim', uid=0, ignore=(), do=signal.pause):
    """A process of ours."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for s in ignore:
                signal.signal(s, signal.SIG_IGN)
            if uid:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            libc.prctl(15, name if isinstance(name, bytes) else
                       name.encode(), 0, 0, 0)
            libc.prctl(4, 1, 0, 0, 0)
            os.write(w, b'x')
            while True:
                do()
        finally:
            os._exit(1)
    os.close(w)
    os.read(r, 1)
    os.close(r)
    return pid


def drop(*pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except OSError:
            pass


count = 0


def picket(body, *words, uid=0, conf=''):
    """A run of a script of these lines: what it says, and its log."""
    global count
    count += 1
    at = os.path.join(TMP, 'run%d' % count)
    os.mkdir(at)
    with open(os.path.join(at, 'Act.pikt'), 'w') as f:
        f.write('Act\n\tbegin\n' + ''.join('\t\t%s\n' % t
                                             for t in body.split('\n')))
    with open(os.path.join(at, 'picket.conf'), 'w') as f:
        f.write('logdir %s\n%s\n' % (at, conf))
    argv = [PICKET, 'run', '--color', 'never', '--mail', 'stdout', '--config',
            at, *words, os.path.join(at, 'Act.pikt')]
    if uid:
        os.chown(at, uid, uid)
        argv[2:2] = ['--trust-permissions']
        argv = ['setpriv', '--reuid', str(uid), '--regid', str(uid),
                '--clear-groups'] + argv
    began = time.monotonic()
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, cwd=at, timeout=100,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, XDG_STATE_HOME=at, HOME=at))
    took = time.monotonic() - began
    log = ''
    for name in os.listdir(at):
        if name.endswith('.log'):
            with open(os.path.join(at, name), 'rb') as f:
                log += f.read().decode('latin-1')
    return (p.stdout.decode('latin-1').rstrip('\n'),
            p.stderr.decode('latin-1'), log, took)


def gives(call, want, what, why=None, said=None, **how):
    """The function's result; $errtext(); a line of the log."""
    out, err, log, took = picket('set #r = %s\noutput "#{#r}"\n'
                                 'output "$errtext()"' % call, **how)
    r, _, text = out.partition('\n')
    tell(r == str(want) and (why is None or re.search(why, text)) and
         (said is None or re.search(said, log)) and
         (want == -1) == ('WARNING' in log), '%s: %s' % (what, call[:60]),
         'gives %s, %r; wanted %s, %s, %s' % (r, text, want, why, said), err,
         log)
    return took


# --- #kill ---
pid = child()
gives('#kill(%d, 0)' % pid, 0, 'signal 0 asks')
gives('#kill(%d, "TERM", %d)' % (pid, stat(pid)[2] + 1), -1,
      'another start time is another process', 'not the one that was meant')
tell(alive(pid), 'and it lives')
gives('#kill(%d, "SIGUSR1", %d)' % (pid, stat(pid)[2]), 0,
      'the right start time', said=r'INFO\] \(Act\) kill: %d USR1 \(victim of '
      'root\)' % pid)
tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGUSR1,
     'the process got that signal')
gives('#kill(%d, 9)' % pid, -1, 'a process that is gone',
      'there is no process')
pid = child()
os.kill(pid, signal.SIGKILL)
state_is(pid, 'Z')
gives('#kill(%d, 9)' % pid, -1, 'a zombie', 'has ended already; its parent, 1')
gives('#kill(%d, 0)' % pid, -1, 'a zombie is not there', 'has ended already')
os.waitpid(pid, 0)
gives('#kill(1, "TERM")', -1, 'the first process', 'refused.*first process')
said, says = os.pipe()


def worker():
    libc.prctl(15, b'worker', 0, 0, 0)
    os.write(says, str(threading.get_native_id()).encode())
    time.sleep(100)


def work():
    threading.Thread(target=worker, daemon=True).start()
    signal.pause()


pid = child('precious', do=work)
thread = os.read(said, 20).decode()
for call in ('kill(%s, 9)', 'terminate(%s, 1)', 'renice(%s, 5)',
             'setlimit(%s, "core", 0, 0)', 'oomadjust(%s, 5)', 'freeze(%s)'):
    gives('#' + call % thread, -1, 'a thread has a name of its own',
          thread + ' is a thread of a process', conf='protect precious')
tell(alive(pid), 'so that its process lives')
drop(pid)
out, err, log, _ = picket('set #me = #value($command("echo \\$PPID"))\n'
                          'output "#{#kill(#me, "KILL")} $errtext()"\n'
                          'output "on it goes"')
tell(out.startswith('-1 ') and 'it is Picket itself' in out and
     out.endswith('on it goes'), 'Picket does not end itself', out, err)
p = subprocess.run(['sh', '-c', 'echo "P\n\tbegin\n\t\toutput '
                    '\\"#{#kill(#value(\\$arg(1)), 9)}\\"" >p.pikt; '
                    '%s run --mail stdout p.pikt $$; echo here' % PICKET],
                   cwd=TMP, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                   stdin=subprocess.DEVNULL, env=dict(os.environ, HOME=TMP))
tell(p.stdout == b'-1\nhere\n' and b'parent of Picket' in p.stderr,
     'nor the shell that has started it', p.stdout, p.stderr)
for bad, why in (('#kill(#nil(), 9)', 'is no integer'),
                 ('#kill(0, 9)', 'is no integer'),
                 ('#kill(-1, 9)', 'is no integer'),
                 ('#kill(1.5, 9)', 'is no integer'),
                 ('#kill(4194305, 9)', 'is no integer'),
                 ('#kill(77, "FOO")', 'no signal "FOO"'),
                 ('#kill(77, 65)', 'is no integer'),
                 ('#kill(77, $nil())', 'where a text is needed'),
                 ('#kill(77, 9, #nil())', 'is no integer'),
                 ('#killall("storm", "x", "STOP")', 'STOP ends nobody'),
                 ('#killall("storm", "", 9)', 'an empty name'),
                 ('#killall("", "x", 9)', 'an empty name'),
                 ('#terminate(77, -1)', 'is no time'),
                 ('#renice(77, 20)', 'is no integer'),
                 ('#oomadjust(77, 1001)', 'is no integer'),
                 ('#setlimit(77, "files", 1, 1)', 'no limit "files"'),
                 ('#setlimit(77, "nofile", -2, 1)', 'is no integer'),
                 ('#freeze("/x", 5)', 'has no start time')):
    out, err, log, _ = picket('output "#{%s}"' % bad)
    tell(out == '<<ERR>>' and re.search('ERROR.*' + why, log),
         'an error: ' + bad, out, err)

# --- rights ---
pid = child()
gives('#kill(%d, "TERM")' % pid, -1, 'not our process',
      'Operation not permitted: Picket must run as', uid=NOBODY)
tell(alive(pid), 'and it lives')
gives('#renice(%d, 5)' % pid, -1, 'not our process', 'it takes root',
      uid=NOBODY)
gives('#setlimit(%d, "nofile", 5, 5)' % pid, -1, 'not our process',
      'CAP_SYS_RESOURCE', uid=NOBODY)
gives('#oomadjust(%d, 5)' % pid, -1, 'not our process', 'ermission denied',
      uid=NOBODY)
gives('#freeze(%d)' % pid, -1, 'not our process', 'not permitted', uid=NOBODY)
gives('#killall("root", "victim", "TERM")', -1, 'not our process',
      '0 ended, 1 are left: not allowed: %d: Operation not' % pid, uid=NOBODY)
gives('#oomadjust(%d, -500)' % pid, 0 if HAS_RESOURCE else -1,
      'a lower value', None if HAS_RESOURCE else 'takes CAP_SYS_RESOURCE')
with open('/proc/%d/limits' % pid) as f:
    hard = int(re.search(r'Max open files +\d+ +(\d+)', f.read()).group(1))
gives('#setlimit(%d, "nofile", #nil(), %d)' % (pid, hard + 1),
      0 if HAS_RESOURCE else -1, 'a higher hard limit',
      None if HAS_RESOURCE else 'CAP_SYS_RESOURCE')
drop(pid)
pid = child(uid=OTHER)
gives('#setlimit(%d, "nofile", 10, 10)' % pid, 0 if HAS_RESOURCE else -1,
      "another user's limits", None if HAS_RESOURCE else 'CAP_SYS_RESOURCE')
drop(pid)

# --- a number that was given out again ---
first = child()
started = stat(first)[2]
drop(first)
time.sleep(0.03)		# two ticks: else it could be the same time
with open('/proc/sys/kernel/ns_last_pid', 'w') as f:
    f.write(str(first - 1))
second = child()
tell(second == first, 'another process has the number now',
     '%d, %d' % (first, second))
gives('#kill(%d, "KILL", %d)' % (first, started), -1, 'it is not hit',
      'not the one that was meant: the number is now that of victim of root')
gives('#terminate(%d, 1, %d)' % (first, started), -1, 'nor by another',
      'not the one')
for call in ('#renice(%d, 7, %d)', '#oomadjust(%d, 7, %d)', '#freeze(%d, %d)',
             '#setlimit(%d, "nofile", 9, 9, %d)'):
    gives(call % (first, started), -1, 'nor changed', 'not the one')
tell(alive(second) and stat(second)[0] == 'S' and
     os.getpriority(os.PRIO_PROCESS, second) == NICE, 'it lives as before')
gives('#kill(%d, "KILL", %d)' % (second, stat(second)[2]), 0, 'its own time')
os.waitpid(second, 0)

# --- #terminate ---
pid = child()
gives('#terminate(%d, 10)' % pid, 1, 'TERM is enough')
tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM,
     'it was TERM')
pid = child(ignore=[signal.SIGTERM])
took = gives('#terminate(%d, 0.3)' % pid, 2, 'TERM is not', said='KILL')
tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL and
     took > 0.3, 'it was KILL, after its time', took)

# --- #renice, #oomadjust, #setlimit, #freeze ---
pid = child()
gives('#renice(%d, 7)' % pid, 0, 'priority')
tell(os.getpriority(os.PRIO_PROCESS, pid) == 7, 'it has that')
gives('#oomadjust(%d, 321)' % pid, 0, 'for the kernel')
with open('/proc/%d/oom_score_adj' % pid) as f:
    tell(f.read() == '321\n', 'it has that')
gives('#setlimit(%d, "as", 100000000, 200000000)' % pid, 0, 'both',
      said=r'setlimit: \d+ as 100000000 200000000 \(victim of root; was ')
gives('#setlimit(%d, "as", 50000000, #nil())' % pid, 0, 'one')
gives('#setlimit(%d, "as", 300000000, #nil())' % pid, -1, 'above the hard one',
      'above the hard')
gives('#setlimit(%d, "core", -1, #nil())' % pid, 0, 'unlimited',
      said='core unlimited unlimited')
with open('/proc/%d/limits' % pid) as f:
    tell(re.search(r'address space +50000000 +200000000', f.read()),
         'the limits are those')
gives('#freeze(%d)' % pid, 0, 'it stands still')
tell(state_is(pid, 'T'), 'its state is T')
gives('#thaw(%d)' % pid, 0, 'it goes on')
tell(state_is(pid, 'S'), 'its state is S')
drop(pid)

# a limit holds for a process that runs
r, w = os.pipe()


def fill():
    """Opens files until no more can be opened, and says how many there are."""
    if os.path.exists(os.path.join(TMP, 'go')):
        n = 0
        try:
            while n < 500:
                os.dup(0)
                n += 1
        except OSError as e:
            os.write(w, b'%d %d' % (e.errno, n))
            signal.pause()
        os.write(w, b'none')
        signal.pause()
    time.sleep(0.01)


pid = child(do=fill)
gives('#setlimit(%d, "nofile", 40, 40)' % pid, 0, 'open files')
open(os.path.join(TMP, 'go'), 'w').close()
got = os.read(r, 100).decode()
tell(re.match(r'24 [123]\d$', got), 'it cannot open more than 40', got)
drop(pid)

# --- cgroups ---


def tick():
    time.sleep(0.01)
    os.write(w, b'.')


def ticks():
    time.sleep(0.2)
    try:
        return len(os.read(r, 10000))
    except BlockingIOError:
        return 0


trees = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/freezer']
made = 0
for tree, part in ((t, f) for t in trees
                   for f in ('cgroup.freeze', 'freezer.state')):
    at = '%s/picket-acting-%d' % (tree, os.getppid())
    if not os.path.exists(os.path.join(tree, 'cgroup.procs')):
        continue
    try:
        os.mkdir(at)
    except OSError:
        continue
    if os.path.exists(os.path.join(at, part)):
        made += 1
        r, w = os.pipe2(os.O_NONBLOCK)
        pid = child(do=tick)
        inner = os.path.join(at, 'inner')
        os.mkdir(inner)
        with open(os.path.join(inner, 'cgroup.procs'), 'w') as f:
            f.write(str(pid))
        name = at if made == 1 else at[len(tree):]
        tell(ticks() > 0, 'it runs')
        gives('#freeze("%s")' % name, 0, part)
        ticks()
        tell(ticks() == 0, 'it stands still')
        gives('#thaw("%s")' % name, 0, part)
        tell(ticks() > 0, 'it goes on')
        drop(pid)
        pid = child('sshd')
        with open(os.path.join(inner, 'cgroup.procs'), 'w') as f:
            f.write(str(pid))
        gives('#freeze("%s")' % name, -1, 'one in it is protected',
              r'refused: process %d \(sshd of root\) is in it' % pid,
              conf='protect sshd')
        if part == 'cgroup.freeze':
            # threads in a cgroup of their own: whose, it does not say
            with open(at + '/cgroup.procs', 'w') as f:
                f.write(str(pid))
            with open(inner + '/cgroup.type', 'w') as f:
                f.write('threaded')
            with open(inner + '/cgroup.threads', 'w') as f:
                f.write(str(pid))
            gives('#freeze("%s/inner")' % name, -1, 'threads of one that is '
                  'protected', 'its processes cannot be read',
                  conf='protect sshd')
        drop(pid)
        os.rmdir(inner)
    os.rmdir(at)
tell(made > 0, 'there is a tree of cgroups that can freeze', os.listdir(
    '/sys/fs/cgroup'))
for bad in ('/', '/sys/fs/cgroup/', 'x', '/x/../..', '/no-such-cgroup', '/..'):
    gives('#freeze("%s")' % bad, -1, 'no cgroup',
          'a cgroup is a path|no such cgroup')

# --- #killall ---


class Storm:
    def __init__(self, program, *words):
        self.p = subprocess.Popen(
            [os.path.join(BUILDDIR, 'tests', 'storm', program),
             *map(str, words)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        for line in self.p.stdout:
            if line == 'ready\n':
                break

    def __enter__(self):
        return self.p.pid

    def __exit__(self, *_):
        self.p.stdin.close()
        self.p.stdout.read()
        self.p.wait()


def living(uid, name):
    n = 0
    for d in os.listdir('/proc'):
        try:
            if d.isdigit() and os.stat('/proc/' + d).st_uid == uid and \
                    alive(int(d)):
                with open('/proc/%s/comm' % d, 'rb') as f:
                    n += f.read()[:-1] == name.encode()
        except OSError:
            pass
    return n


HOSTILE = 'imapd; rm -rf /'
kinds = (UID, UID, 'imapd', 400, OTHER, OTHER, 'imapd', 3, UID, UID, 'imap', 2,
         ODD, ODD, HOSTILE, 3, UID, UID, 'a) S 1 (b', 2)
with Storm('spawner', 0.001, *kinds):
    out, err, log, _ = picket('output "#{#killall("storm", "imapd", "KILL")}"',
                              '--dry-run')
    tell('dry-run: killall: storm imapd KILL\n400\n' in out + '\n' and
         living(UID, 'imapd') == 400, 'a dry run counts and tells', out, err)
    gives('#killall("storm", "imapd", 0)', 400, 'signal 0 counts')
    took = gives('#killall("storm", "imapd", "KILL")', 400, 'a storm',
                 said=r'INFO\] \(Act\) killall: storm imapd KILL: 400, none '
                 'is left, in ')
    print('# 400 processes ended in %.3f s, start of picket included' % took)
    tell(took < SLOW, 'within a second', took)
    tell(living(UID, 'imapd') == 0, 'none is left', living(UID, 'imapd'))
    tell((living(OTHER, 'imapd'), living(UID, 'imap')) == (3, 2),
         'others of that name, and of that user, go on')
    gives('#killall("storm", "imapd", "KILL")', 0, 'none is no failure')
    gives('#killall("nosuchuser", "imapd", "KILL")', -1, 'no such user',
          'there is no user "nosuchuser"')
    gives('#killall("storm", "a name of sixteen", 9)', -1, 'a long name',
          'more than 15 bytes')
    gives('#killall("$(id)", "%s", "TERM")' % HOSTILE, 3, 'hostile names',
          said=re.escape('$(id) imapd; rm -rf / TERM: 3'))
    gives('#killall("%d", "a) S 1 (b", 15)' % UID, 2, 'by number, a name like '
          'the line of /proc')

with Storm('spawner', 20, UID, UID, 'imapd', 50):
    n = 0
    for _ in range(3):
        out, err, log, took = picket(
            'output "#{#killall("storm", "imapd", "KILL")}"')
        n += int(out or -1)
        tell(int(out or -1) >= 0, 'a slow respawner is won against', out, err)
        time.sleep(0.2)
    tell(n >= 50, 'all that there were', n)

with Storm('respawner', UID, 'imapd', 20) as parent:
    t = gives('#killall("storm", "imapd", "KILL")', -1, 'an instant one is not',
              r'\d+ ended, \d+ are left \(after 50 sweeps\): started again by '
              r'%d \(respawner of root\)' % parent)
    print('# an instant respawner was given up after %.3f s' % t)
    tell(alive(parent) and living(UID, 'imapd') > 0, 'its parent goes on')
    gives('#kill(%d, "KILL")' % parent, 0, 'which can be ended by name')
state_is(parent, 'Z')
tell(living(UID, 'imapd') == 0, 'and that is the end of it')

pids = [child('stuck', UID, [signal.SIGTERM]) for _ in range(2)]
t = gives('#killall("storm", "stuck", "TERM")', -1, 'who ignores TERM',
          r'2 got the signal, and 2 of them go on \(for 10 seconds\)')
tell(10 < t < 12 * SLOW, 'they get ten seconds', t)
gives('#killall("storm", "stuck", "KILL")', 2, 'but not KILL')
drop(*pids)

# --- what is protected ---
names = ['sshd', 'postfix', 'clamd']
pids = [child(n, UID) for n in names]
others = child('sshd', OTHER)
gives('#killall("storm", "sshd", 9)', -1, 'by name',
      r'0 ended, 1 are left: not touched: %d: it is protected by picket.conf '
      r'\(protect sshd\)' % pids[0], conf='protect sshd post*')
gives('#kill(%d, 9)' % pids[1], -1, 'by pattern', r'\(protect post\*\)',
      conf='protect sshd post*')
gives('#terminate(%d, 1)' % pids[2], -1, 'by user', r'\(protect user:storm\)',
      conf='protect user:storm')
gives('#renice(%d, 5)' % pids[2], -1, 'by number of the user',
      r'\(protect user:%d\)' % UID, conf='protect user:%d' % UID)
tell(all(alive(p) for p in pids), 'all live')
gives('#killall("other", "sshd", 9)', 1, 'not that user', conf='protect '
      'user:storm')
gives('#kill(%d, 9)' % pids[2], 0, 'not that name', conf='protect sshd post*')
ours = child()
for user in ('nobodyhere', '4294967296', '0x1'):
    out, err, log, _ = picket(
        'output "#{#kill(%d, 0)}"\noutput "#{#kill(%d, "CONT")}"' % (
            ours, ours), conf='protect user:' + user)
    tell(out == '0\n0' and log.count('WARNING') == 1 and
         'protect user:%s: there is no such user' % user in log,
         'a user that is protected but is not there is told of once: ' + user,
         out, err, log)
drop(others, ours, *pids)
unit = '/sys/fs/cgroup/systemd' if os.path.isdir('/sys/fs/cgroup/systemd') \
    else '/sys/fs/cgroup'
unit += '/picket-acting-%d.service' % os.getppid()
os.mkdir(unit)
pid = child()
with open(unit + '/cgroup.procs', 'w') as f:
    f.write(str(pid))
for rule in (os.path.basename(unit), os.path.basename(unit)[:-8],
             'picket-acting*'):
    gives('#kill(%d, 9)' % pid, -1, 'by unit', r'protect unit:' +
          re.escape(rule), conf='protect unit:' + rule)
gives('#kill(%d, 9)' % pid, 0, 'not that unit', conf='protect unit:acting')
drop(pid)


def leave(folder):
    for _ in range(100):
        try:
            return os.rmdir(folder)
        except OSError:
            time.sleep(0.02)


leave(unit)
# its unit stands in the last line, behind two long ones
pid = child()
folders = []
for tree in ('freezer', 'pids', 'unified'):
    at = '/sys/fs/cgroup/' + tree
    if not os.path.exists(at + '/cgroup.procs'):
        at = '/sys/fs/cgroup'
    for name in ['x' * 200] * 11 if tree != 'unified' else ['end.service']:
        at += '/picket-acting-%d-%s' % (os.getppid(), name)
        if os.path.exists(os.path.dirname(at) + '/cgroup.procs'):
            os.mkdir(at)
            folders.append(at)
    if at in folders:
        with open(at + '/cgroup.procs', 'w') as f:
            f.write(str(pid))
gives('#kill(%d, 9)' % pid, -1, 'by unit, far behind', 'protect unit:',
      conf='protect unit:picket-acting-*-end')
drop(pid)
for at in reversed(folders):
    leave(at)

# --- another pid namespace ---
p = subprocess.Popen(
    ['unshare', '--pid', '--fork', '--kill-child', sys.executable, '-c',
     'import ctypes, os, sys, signal\n'
     'os.setgroups(range(70000, 73000))\n'
     'os.setgid(%d); os.setuid(%d)\n'
     'ctypes.CDLL(None).prctl(15, b"imapd", 0, 0, 0)\n'
     'print("ready", flush=True)\nsignal.pause()' % (UID, UID)],
    stdout=subprocess.PIPE, text=True)
p.stdout.readline()
inside = [int(d) for d in os.listdir('/proc') if d.isdigit() and stat(int(d))
          and stat(int(d))[1] == p.pid]
tell(len(inside) == 1 and living(UID, 'imapd') == 1, 'a container is there',
     inside)
gives('#kill(%d, "KILL")' % inside[0], -1, 'in a container',
      'another pid namespace')
gives('#killall("storm", "imapd", "KILL")', 0, 'those in containers are not '
      'counted')
tell(alive(inside[0]), 'it lives')
p.kill()
p.wait()

# --- a dry run changes nothing, and ends ---
mine = child('mine')
pid = child('imapd', UID)
out, err, log, _ = picket('while #killall("storm", "imapd", "KILL") > 0\n'
                          '    output "again"\nendwhile', '--dry-run')
tell(out.count('dry-run: killall: storm imapd KILL\n') == 3 and
     out.count('again') == 2 and 'came a third time' in out + err,
     'the third time ends it', out, err)
for call, told in (('#kill(%d, "TERM")', 'kill: %d TERM (imapd of storm)'),
                   ('#terminate(%d, 5)', 'terminate: %d, 5s (imapd of storm)'),
                   ('#renice(%d, 5)', 'renice: %d 5 (imapd of storm)'),
                   ('#freeze(%d)', 'freeze: %d (imapd of storm)'),
                   ('#oomadjust(%d, 5)', 'oomadjust: %d 5 (imapd of storm)')):
    out, err, log, _ = picket('output "#{%s}"' % (call % pid), '--dry-run')
    tell('dry-run: ' + told % pid in out and re.search(
        '^%d$' % ('terminate' in call), out, re.M), 'told: ' + told, out, err)
tell(alive(pid) and stat(pid)[0] == 'S' and
     os.getpriority(os.PRIO_PROCESS, pid) == NICE, 'and nothing is done')
out, err, log, _ = picket('output "#{#setlimit(%d, "core", 0, 0)}"' % mine,
                          '--dry-run')
tell(re.search(r'dry-run: setlimit: \d+ core 0 0 \(mine of root; was', out) and
     stat(mine), 'told: setlimit', out, err)
drop(mine)
gives('#kill(%d, "KILL")' % pid, 0, 'then it is')
drop(pid)

# --- what is written down ---
p = subprocess.run([PICKET, 'check', '--audit', os.path.join(
    TMP, 'run1', 'Act.pikt')], stdout=subprocess.PIPE, text=True)
tell(re.search(r'Act.pikt:3: #kill +sends a signal', p.stdout),
     'check --audit lists it', p.stdout)
end()
