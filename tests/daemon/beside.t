#!/usr/bin/env python3
# runner: timeout=300
"""What people do by hand beside a running picketd, through its store; alerts
that a reload takes away and brings back; what picketd has to say of its own
processes, with a store and without."""

import glob
import os
import signal
import subprocess
import time

from daemonlib import SLOW, Daemon, fresh, rows
from tap import end, tell

os.umask(0o022)
PICKET = os.environ['PICKET']


def script(body, more=''):
    return ('init\n    status active\n    level warning\n%s\n'
            'begin\n%s\n' % (more, body))


def picket(site, command, *args):
    control = command == 'runnow'
    p = subprocess.run([PICKET, command] + (
        ['--run', site.state] if control else ['--config', site.dir]) +
        list(args), stdin=subprocess.DEVNULL, capture_output=True,
        timeout=100, errors='replace', env=by_hand(site))
    return p.returncode, p.stdout + p.stderr


def by_hand(site):
    return dict(os.environ, XDG_STATE_HOME=os.path.dirname(site.state))


def place(name):
    """A site whose state is found by XDG_STATE_HOME."""
    site = fresh(name)
    site.state = os.path.join(site.root, 'home', 'picket')
    return site


def told(site, word):
    """How many mails have it in their subject."""
    return sum(1 for line in site.mail().split('\n')
               if line.startswith('Subject: ') and word in line)


def ends(site, name, n=1):
    return lambda: len(rows(site, 'SELECT 1 FROM run WHERE alert = ? AND '
                            'ended IS NOT NULL', name)) >= n


def runs_of(word):
    found = 0
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        try:
            with open(path, 'rb') as f:
                found += word.encode() in f.read().split(b'\0')
        except OSError:
            pass
    return found


NAP = '3.%07d' % os.getpid()
DOOR = script(
    '    set #n = #filesize("%s")\n'
    '    incident "door"\n        when #n > 0\n        until #n == 0\n'
    '        message "the door is open"\n    endincident')

site = place('hand')
flag = site.root + '/flag'


def open_door(is_open):
    with open(flag + '.new', 'w') as f:
        f.write('x' if is_open else '')
    os.rename(flag + '.new', flag)


open_door(False)
BY = (['every 1h'], script('    output mail "by hand"'))
SLOW_SKIP = (['every 1h', 'overlap skip'], script(
    '    output mail "slow"\n    exec wait "sleep %s"' % NAP))
QUEUED = '3.1%06d' % os.getpid()
SLOW_QUEUE = (['every 1h', 'overlap queue'],
              SLOW_SKIP[1].replace(NAP, QUEUED))
ALL = dict(Door=(['every 1s'], DOOR % flag), By=BY, Skip=SLOW_SKIP,
           Queue=SLOW_QUEUE)
site.alerts(**ALL)
d = Daemon(site)
tell(d.wait(ends(site, 'Door')), 'runs', d.said()[-2000:])
began = time.monotonic()
code, out = picket(site, 'run', 'By')
took = time.monotonic() - began
tell(code == 0 and took < 3 * SLOW, 'picket run beside it', code, took, out)
tell(d.wait(lambda: site.mail().count('        by hand\n') == 1, 5),
     'its mail goes at once', site.mail(), out)
tell(rows(site, 'SELECT due, reason FROM run WHERE alert = ?', 'By') ==
     [(None, b'by-hand')], 'its row is by hand',
     rows(site, 'SELECT due, reason FROM run WHERE alert = ?', 'By'))
open_door(True)
tell(d.wait(lambda: '[firing] the door is open' in site.mail()),
     'an incident is told', site.mail()[-1000:])
code, out = picket(site, 'run', 'Door')
code, out = picket(site, 'run', 'Door')
time.sleep(1)
tell(told(site, '[firing] the door') == 1,
     'once, whoever runs its script', code, out, site.mail())
code, out = picket(site, 'incidents')
tell('door' in out, 'picket incidents shows it', code, out)
began = time.monotonic()
code, out = picket(site, 'ack', 'door')
tell(code == 0 and time.monotonic() - began < 3 * SLOW, 'picket ack', code, out)
code, out = picket(site, 'incidents', '--json')
tell('"acknowledged"' in out or 'acked' in out or 'ack' in out,
     'it is known at once', code, out)
n = len(rows(site, 'SELECT 1 FROM run WHERE alert = ?', 'Door'))
d.wait(ends(site, 'Door', n + 2))
tell(told(site, '[firing] the door') == 1, 'and kept by later runs')
open_door(False)
tell(d.wait(lambda: '[resolved' in site.mail()), 'its end is told',
     site.mail()[-1000:])
time.sleep(1)
tell(told(site, '[resolved') == 1, 'once', site.mail()[-3000:])
code, out = picket(site, 'silence', 'door', '--for', '1h', '--why', 'paint')
tell(code == 0, 'picket silence', code, out)
open_door(True)
tell(d.wait(lambda: rows(site, 'SELECT 1 FROM incident WHERE key = ? AND '
                         'state <> 0', 'door')), 'it fires again')
n = len(rows(site, 'SELECT 1 FROM run WHERE alert = ?', 'Door'))
d.wait(ends(site, 'Door', n + 2))
tell(told(site, '[firing] the door') == 1, 'and a silence holds',
     site.mail()[-1000:])
code, out = picket(site, 'outbox')
tell(code == 0, 'picket outbox', code, out)
code, out = picket(site, 'deliver')
tell(code == 0, 'picket deliver', code, out)

# a run by hand of what picketd runs just now
for name, nap in ('Skip', NAP), ('Queue', QUEUED):
    code, out = picket(site, 'runnow', name)
    tell(code == 0, 'runnow ' + name, code, out)
    d.wait(lambda: runs_of(nap))
    p = subprocess.Popen([PICKET, 'run', '--config', site.dir, name],
                         env=by_hand(site), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    most = 0
    while p.poll() is None:
        most = max(most, runs_of(nap))
        time.sleep(0.02)
    out = p.stdout.read().decode()
    got = rows(site, 'SELECT began, ended FROM run WHERE alert = ? ORDER BY '
               'began', name)
    if name == 'Skip':
        tell('skipped' in out and p.returncode != 0 and most <= 1,
             'overlap skip: a run by hand says that it is skipped', out,
             p.returncode, most)
    else:
        tell(p.returncode == 0 and len(got) == 2 and got[1][0] >= 0 and
             most == 1, 'overlap queue: it waits', out, p.returncode, got,
             most)
d.wait(ends(site, 'Skip'))
tell(d.wait(lambda: site.mail().count('        slow\n') >= 3, 15),
     'each run is told of', site.mail()[-900:])

# and the other way: picketd's run finds one by hand
p = subprocess.Popen([PICKET, 'run', '--config', site.dir, 'Skip'],
                     env=by_hand(site), stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
d.wait(lambda: runs_of(NAP))
picket(site, 'runnow', 'Skip')
tell(d.says('Skip: another run of it goes on'), 'a run of picketd beside one '
     'by hand is skipped', d.said()[-800:])
p.wait()

# --- withdrawal ---

picket(site, 'unsilence', 'door')
open_door(False)
d.wait(lambda: rows(site, 'SELECT 1 FROM incident WHERE key = ? AND state = 0',
                    'door'))
open_door(True)
n = told(site, '[firing')
d.wait(lambda: told(site, '[firing') > n)
site.alerts(By=BY, New=(['every 1h'], script('    output mail "new"')))
d.signal(signal.SIGHUP)
tell(d.says(': 2 entries'), 'a reload without its alert', d.said()[-800:])
tell(d.wait(lambda: 'withdrawn' in site.mail(), 30), 'it is withdrawn, and '
     'told', site.mail()[-1200:], d.said()[-1500:])
d.signal(signal.SIGHUP)
time.sleep(3)
tell(told(site, 'withdrawn') == 1, 'once', site.mail()[-2000:])
picket(site, 'runnow', 'New')
tell(d.wait(lambda: 'new' in [x.strip() for x in site.mail().split('\n')], 8),
     'the courier has the new site', site.mail()[-800:])

# --- taken away and brought back while its run goes on ---

site.alerts(By=BY, Skip=(['every 1s', 'overlap skip'], SLOW_SKIP[1]))
d.signal(signal.SIGHUP)
tell(d.wait(lambda: runs_of(NAP)), 'a run of some seconds')
most = 0
for k in range(3):
    for alerts in dict(By=BY), dict(By=BY, Skip=(['every 1s', 'overlap queue'],
                                                 SLOW_SKIP[1])):
        n = d.said().count('reloaded')
        site.alerts(**alerts)
        d.signal(signal.SIGHUP)
        d.wait(lambda: d.said().count('reloaded') > n)
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            most = max(most, runs_of(NAP))
            time.sleep(0.02)
tell(most == 1, 'its alert is gone and here again: never two runs at once',
     most)
n = len(rows(site, 'SELECT 1 FROM run WHERE alert = ? AND due IS NOT NULL',
             'Skip'))
tell(d.wait(lambda: len(rows(site, 'SELECT 1 FROM run WHERE alert = ? AND due '
                             'IS NOT NULL', 'Skip')) > n, 25), 'and it runs',
     d.said()[-1000:])
got = rows(site, 'SELECT began, ended FROM run WHERE alert = ? ORDER BY began',
           'Skip')
tell(all(b[0] >= a[1] - 0.01 for a, b in zip(got, got[1:])),
     'by its rows, too', got)
code, took = d.stop()
tell(code == 0, 'it ends')

# --- picket-deliver dies ---

site = place('deliver')
site.alerts(By=BY)
site.conf('smtp localhost:9 plain\n')
d = Daemon(site)


def deliver():
    c = d.child('picket-runner', 'courier')
    try:
        with open('/proc/%d/task/%d/children' % (c, c)) as f:
            for pid in f.read().split():
                with open('/proc/%s/cmdline' % pid) as g:
                    if '--serve' in g.read() and 'deliver' in open(
                            '/proc/%s/comm' % pid).read():
                        return int(pid)
    except OSError:
        pass
    return 0


pid = d.wait(deliver)
tell(pid, 'there is a picket-deliver', d.said())
if pid:
    time.sleep(0.5)
    os.kill(pid, signal.SIGKILL)
    picket(site, 'runnow', 'By')
    tell(d.wait(lambda: rows(site, 'SELECT 1 FROM incident WHERE key = ? AND '
                             'state <> 0', 'picketd:crash:deliver'), 20),
         'its death is an incident', d.said()[-1500:])
    tell(d.wait(lambda: 'picket-deliver ended by signal 9' in site.mail(), 20),
         'that is told', site.mail())
    time.sleep(1)
    tell(site.mail().count('[firing] picket-deliver ended by signal 9') <= 2, 'once')
d.stop()
n = told(site, 'resolved')
site.conf('')
d = Daemon(site)
code, took = d.stop()

# --- what a picketd before this one has said is taken back ---

site = place('before')
site.alerts(By=BY)
d = Daemon(site)
site.alerts(By=(BY[0], script('    output mial "x"')))
d.signal(signal.SIGHUP)
tell(d.wait(lambda: 'has not taken the configuration' in site.mail()),
     'a bad configuration is told', d.said()[-800:])
d.stop()
site.alerts(By=BY)
d = Daemon(site)
tell(d.wait(lambda: '[resolved' in site.mail(), 15),
     'a start with a good one resolves it', site.mail(), d.said()[-800:])
time.sleep(1)
tell(told(site, '[resolved') == 1, 'once', site.mail())
d.stop()
end()
