#!/usr/bin/env python3
"""How picketd starts and ends: what systemd hears, the background, the file
of its number, signals, logs that are turned, and folders that will not do."""

import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import time

from daemonlib import PICKETD, SLOW, Daemon, fresh, rows
from tap import end, skip, tell

os.umask(0o022)
ROOT = os.geteuid() == 0


def script(body):
    return 'init\n    status active\n    level warning\nbegin\n%s\n' % body


TICK = (['every 1s'], script('    output mail "tick"'))
BAD = (['every 1s'], script('    output mial "tick"'))


def run(*args, env=None, before=None):
    p = subprocess.run([PICKETD] + list(args), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=60 * SLOW, errors='replace', preexec_fn=before,
                       env=dict(os.environ, **(env or {})))
    return p.returncode, p.stdout


def wait(what, seconds=10):
    until = time.monotonic() + seconds * SLOW
    while True:
        got = what()
        if got or time.monotonic() > until:
            return got
        time.sleep(0.02)


def of_site(word):
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                words = f.read().split(b'\0')
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(pid))
    return found


# --- what systemd hears, by either kind of socket ---


class Manager:
    def __init__(self, name):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.s.bind(name.replace('@', '\0') if name[0] == '@' else name)
        self.s.settimeout(0.02)
        self.env = {'NOTIFY_SOCKET': name}
        self.heard = []			# (when, text)

    def hear(self):
        try:
            while True:
                text = self.s.recv(4096).decode()
                self.heard.append((time.monotonic(), text))
        except OSError:
            pass
        return [t for _, t in self.heard]

    def says(self, *texts, seconds=10):
        """All of them, in this order, perhaps with others between."""
        def there():
            left = list(texts)
            for t in self.hear():
                if left and re.search(left[0], t):
                    left.pop(0)
            return not left
        return wait(there, seconds)


for kind in 'abstract', 'path':
    site = fresh('notify-' + kind)
    site.alerts(Tick=TICK)
    m = Manager('@picket-test-%d' % os.getpid() if kind == 'abstract' else
                os.path.join(site.root, 'notify'))
    m.env.update(WATCHDOG_USEC='600000')
    # in the foreground, as its number is known to who asks for word
    d = Daemon(site, env=m.env)
    tell(m.says('^STATUS=1 entries', '^READY=1$'),
         kind + ': READY, with what it has', m.hear(), d.said())
    del m.heard[:]
    wait(lambda: m.hear() and False, 2)
    feeds = [w for w, t in m.heard if t == 'WATCHDOG=1']
    gaps = [b - a for a, b in zip(feeds, feeds[1:])]
    tell(len(feeds) >= 5 and max(gaps) < 0.6 * SLOW,
         kind + ': the watchdog is fed in half its time', gaps)
    if kind == 'abstract':
        n = m.hear().count('WATCHDOG=1')
        os.kill(d.pid, signal.SIGSTOP)
        m.hear()
        n = m.hear().count('WATCHDOG=1')
        time.sleep(1.5)
        tell(m.hear().count('WATCHDOG=1') == n,
             'and not while it does nothing')
        os.kill(d.pid, signal.SIGCONT)
        tell(wait(lambda: m.hear().count('WATCHDOG=1') > n),
             'and again when it does')
    del m.heard[:]
    before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    d.signal(signal.SIGHUP)
    tell(m.says(r'^RELOADING=1\nMONOTONIC_USEC=\d+$', '^STATUS=1 entries$',
                '^READY=1$'), kind + ': RELOADING and READY again', m.hear())
    usec = [int(re.search(r'\d{2,}', t).group()) for t in m.hear()
            if t.startswith('RELOADING')]
    tell(usec and before <= usec[0] <= time.clock_gettime(
        time.CLOCK_MONOTONIC) * 1e6, 'with the time of the steady clock')
    site.alerts(Tick=BAD)
    del m.heard[:]
    d.signal(signal.SIGHUP)
    tell(m.says('^RELOADING=1', '^STATUS=1 entries; the configuration is '
                'wrong', '^READY=1$'), kind + ': a bad one is its status',
         m.hear())
    del m.heard[:]
    code, took = d.stop()
    tell(code == 0 and m.says('^STOPPING=1$') and
         'READY=1' not in m.hear(), kind + ': STOPPING', m.hear())
    os.unlink(os.path.join(site.state, 'picketd.image'))
    d = Daemon(site, env=dict(m.env, WATCHDOG_PID='1'), wait=False)
    del m.heard[:]
    tell(wait(lambda: d.p.poll() is not None, 20) and d.p.poll() == 1 and
         'READY=1' not in m.hear(),
         kind + ': a start that fails is never READY', m.hear())
    m.s.close()

site = fresh('others')
site.alerts(Tick=TICK)
m = Manager('@picket-test-%d' % os.getpid())
d = Daemon(site, env=dict(m.env, WATCHDOG_USEC='200000', WATCHDOG_PID='1'))
time.sleep(1)
tell(m.says('^READY=1$') and 'WATCHDOG=1' not in m.hear(),
     "another's watchdog is not fed", m.hear())
d.stop()
m.s.close()

# --- into the background ---


def leave_pid(site):
    try:
        with open(os.path.join(site.root, 'pid')) as f:
            return int(f.read())
    except (OSError, ValueError):
        return 0


def gone(pid):
    return lambda: not os.path.exists('/proc/%d' % pid)


def background(site, *more, env=None, before=None):
    return run('--config', site.dir, '--state', site.state, '--pid-file',
               os.path.join(site.root, 'pid'), '--log',
               site.root + '/picketd.log debug', *more, env=env,
               before=before)


def log_of(site, name='picketd.log'):
    try:
        with open(os.path.join(site.root, name), errors='replace') as f:
            return f.read()
    except OSError:
        return ''


site = fresh('behind')
site.alerts(Tick=TICK)
began = time.monotonic()
code, out = background(site)
tell(code == 0 and 'error' not in out, 'the parent ends well once it runs',
     code, out)
pid = leave_pid(site)
tell(pid and not gone(pid)(), 'and its number is in the file', pid)
with open('/proc/%d/stat' % pid) as f:
    words = f.read().rsplit(')', 1)[1].split()
ppid, pgrp, session, tty = [int(w) for w in words[1:5]]
tell(session != pid and session != os.getsid(0) and tty == 0,
     'it is in a session of its own, and not its leader, without a terminal',
     session, pid, tty)
tell(os.readlink('/proc/%d/cwd' % pid) == '/', 'it keeps no folder busy')
tell(all(os.readlink('/proc/%d/fd/%d' % (pid, fd)) == '/dev/null'
         for fd in range(3)), 'nor a terminal')
tell(stat.S_IMODE(os.stat(os.path.join(site.root, 'pid')).st_mode) == 0o644,
     'the file is for all to read, and for it to write')
tell(wait(lambda: len(rows(site, 'SELECT 1 FROM run')) > 2),
     'and what is due runs', log_of(site))
code, out = background(site)
tell(code == 1 and 'process %d' % pid in out and leave_pid(site) == pid,
     'a second one is refused, and leaves the file', code, out)

# a log that is turned
os.rename(site.root + '/picketd.log', site.root + '/picketd.log.1')
os.kill(pid, signal.SIGUSR1)
wait(lambda: os.path.exists(site.root + '/picketd.log'))
os.kill(pid, signal.SIGHUP)
tell(wait(lambda: 'SIGHUP' in log_of(site)), 'USR1: it writes a new log',
     log_of(site))
tell('SIGHUP' not in log_of(site, 'picketd.log.1'), 'and not to the old one')
os.unlink(site.root + '/picketd.log')
os.mkdir(site.root + '/picketd.log')
os.kill(pid, signal.SIGUSR1)
time.sleep(0.3)
tell(not gone(pid)(), 'USR1 where it cannot be opened: it goes on')
os.rmdir(site.root + '/picketd.log')
os.kill(pid, signal.SIGUSR1)
wait(lambda: os.path.exists(site.root + '/picketd.log'))
os.kill(pid, signal.SIGHUP)
tell(wait(lambda: 'reloaded' in log_of(site)), 'and writes again when it can')
os.kill(pid, signal.SIGTERM)
os.kill(pid, signal.SIGTERM)
tell(wait(gone(pid), 15) and not leave_pid(site),
     'two TERMs end it once, and the file goes')
tell(log_of(site).rstrip().endswith('ended'), 'well', log_of(site)[-500:])
tell(not of_site(site.state), 'and nothing of it is left', of_site(site.state))

site.alerts(Tick=BAD)
os.unlink(site.state + '/picketd.image')
code, out = background(site)
tell(code == 1 and 'Tick.pikt:6' in out and not leave_pid(site),
     'a start that fails: the parent says so and why', code, out)
site.alerts(Tick=TICK)
code, out = background(site, '--run', '/proc/nowhere')
tell(not leave_pid(site) or code == 0, 'no file of a number that is not there',
     code, out)
if leave_pid(site):
    os.kill(leave_pid(site), signal.SIGTERM)
    wait(lambda: not leave_pid(site), 15)
code, out = run('--config', site.dir, '--state', site.state, '--pid-file',
                '/proc/no/such/place')
tell(code == 1 and '/proc/no/such/place' in out,
     'a file that cannot be written: it does not start', code, out)
os.symlink(site.root + '/elsewhere', site.root + '/link')
code, out = run('--config', site.dir, '--state', site.state, '--pid-file',
                site.root + '/link')
tell(code == 1 and not os.path.exists(site.root + '/elsewhere'),
     'nor through a link', code, out)

# --- signals while it works ---

site = fresh('signals')
site.alerts(Tick=TICK)
d = Daemon(site)
code, took = d.stop(signal.SIGINT)
tell(code == 0 and took < 10 * SLOW, 'INT ends it', code, took)

NAP = '20.%07d' % os.getpid()
d.log.close()
site = fresh('reload')
site.alerts(Tick=TICK)
d = Daemon(site)
site.write('scripts/Tick.pikt', '#exec [sleep %s]\nTick\n%s' % (NAP, TICK[1]))
d.signal(signal.SIGHUP)
tell(d.wait(lambda: of_site(NAP)), 'a reload that takes its time', d.said())
code, took = d.stop()
tell(code == 0 and took < 5 * SLOW, 'TERM ends it at once', code, took)
tell(wait(lambda: not of_site(NAP) and not of_site(site.state)),
     'and what it had started', of_site(NAP), of_site(site.state))
tell('not taken' not in d.said() and d.said().count('reloaded') == 0,
     'and nobody says that a site is wrong', d.said()[-1000:])
site.alerts(Tick=TICK)

# --- folders that will not do ---

site = fresh('empty')
os.unlink(site.dir + '/picket.conf')
code, out = run('-f', '--config', site.dir, '--state', site.state)
tell(code == 1 and 'is no site' in out, 'an empty folder is no site', code,
     out)
site.write('alerts.cfg', '')
d = Daemon(site)
tell(d.p.poll() is None and ': 0 entries' in d.said(),
     'an empty alerts.cfg is one, of no alerts', d.said())
site.alerts(Tick=TICK)
d.signal(signal.SIGHUP)
tell(d.says(': 1 entries'), 'that can be filled', d.said())
tell(d.wait(lambda: rows(site, 'SELECT 1 FROM run')), 'and works', d.said())
code, took = d.stop()
tell(code == 0, 'and ends')

site = fresh('missing')
shutil.rmtree(site.dir)
for args in ['-f'], ['-n'], []:
    code, out = run('--config', site.dir, '--state', site.state, *args)
    tell(code == 1 and site.dir in out, 'no folder at all is refused: %s' %
         args, code, out)

site = fresh('writable')
site.alerts(Tick=TICK)
for what, mode in ('', 0o777), ('picket.conf', 0o666), ('alerts.cfg', 0o664):
    path = os.path.join(site.dir, what)
    was = os.stat(path).st_mode
    os.chmod(path, mode)
    code, out = run('-f', '--config', site.dir, '--state', site.state)
    tell(code == 1 and 'writ' in out, 'what others may write to is refused: '
         '%s' % (what or 'the folder'), code, out)
    code, out = run('-n', '--trust-permissions', '--config', site.dir)
    tell(code == 0, 'but for --trust-permissions', code, out)
    os.chmod(path, was)

# --- descriptors ---


def few():
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))


def few_soft():
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 1024))


site = fresh('files')
site.alerts(Tick=TICK)
code, out = background(site, before=few_soft)
tell(code == 0, 'a soft limit of 40 open files is raised', code, out)
os.kill(leave_pid(site), signal.SIGTERM)
wait(lambda: not leave_pid(site), 15)


def runs_as(user, site):
    """As an ordinary user, all that is his below XDG_STATE_HOME."""
    def become():
        if ROOT:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    return become


def few_plain():
    few()
    runs_as(65534, site)()


site = fresh('plain')
site.alerts(Tick=TICK)
home = os.path.join(site.root, 'home')
os.mkdir(home)
if ROOT:
    for folder, _, names in os.walk(site.root):
        for name in [''] + names:
            os.chown(os.path.join(folder, name), 65534, 65534)
reachable = subprocess.run(['ls', site.dir], preexec_fn=runs_as(65534, site),
                           capture_output=True).returncode == 0 and \
    subprocess.run([PICKETD, '--version'], preexec_fn=runs_as(65534, site),
                   capture_output=True).returncode == 0
if not reachable:
    skip('an ordinary user', 'this folder is not for others')
else:
    code, out = run('-f', '--config', site.dir, env={'XDG_STATE_HOME': home},
                    before=few_plain)
    tell(code == 1 and 'needs' in out and '40' in out and 'LimitNOFILE' in out,
         'a hard limit of 40: it says what it needs', code, out)
    site.state = os.path.join(home, 'picket')
    log = open(os.path.join(site.root, 'out'), 'ab+')
    p = subprocess.Popen([PICKETD, '-f', '--config', site.dir, '--log',
                          'stderr debug'], stdin=subprocess.DEVNULL,
                         stdout=log, stderr=log, preexec_fn=runs_as(65534,
                                                                    site),
                         env=dict(os.environ, XDG_STATE_HOME=home))
    tell(wait(lambda: len(rows(site, 'SELECT 1 FROM run')) > 1, 15),
         'an ordinary user: works below XDG_STATE_HOME', log_of(site, 'out'))
    tell(os.path.exists(site.state + '/control.sock'),
         'its control socket is there')
    tell('mlockall' in log_of(site, 'out') and 'goes on without' in
         log_of(site, 'out'), 'and it says what it lacks', log_of(site, 'out'))
    tell(wait(lambda: 'tick' in site.mail()), 'its mail goes', site.mail())
    p.terminate()
    tell(p.wait(15 * SLOW) == 0, 'and it ends well')
end()
