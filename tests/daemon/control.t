#!/usr/bin/env python3
"""The control socket and the commands that use it: what each does, who may,
and that no client can do picketd any harm."""

import atexit
import grp
import json
import os
import socket
import subprocess
import threading
import time

from daemonlib import (BUILD, SLOW, Daemon, ask, dial, fresh, hear, rows,
                       up)
from tap import end, skip, tell

os.umask(0o022)
PICKET = os.environ['PICKET']
ROOT = os.geteuid() == 0


def script(body):
    return ('init\n    status active\n    level warning\n\n'
            'begin\n%s\n' % body)


def picket(site, *args, **more):
    p = subprocess.run([PICKET] + list(args) + ['--state', site.state],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=120 * SLOW,
                       errors='replace', **more)
    return p.returncode, p.stdout


def begin(at):
    """What is said before is another's: it is up when it answers."""
    started = Daemon(at, wait=False)
    atexit.register(started.stop)
    tell(started.wait(lambda: up(started) or started.p.poll() is not None,
                      20) and started.p.poll() is None, 'picketd starts',
         started.said()[-2000:])
    return started


TICK = (['every 1s'], script('    output mail "tick"'))
HOURLY = (['every 1h'], script('    output mail "once"'))
SLEEP = (['every 1h'], script('    exec wait "sleep 600"'))
os.environ['PICKET_LIBEXEC'] = BUILD

# --- nobody there ---

site = fresh('ctl')
code, out = picket(site, 'status')
tell(code == 1 and 'no picketd runs: there is no control.sock in ' +
     site.state in out and 'start it' in out, 'no daemon', code, out)
code, out = picket(site, 'runnow')
tell(code == 2, 'runnow without a name: usage', code, out)
code, out = picket(site, 'disarm', '--for', 'ever')
tell(code == 2 and '--for' in out, 'disarm --for nonsense', code, out)

# --- each command ---

site.alerts(Tick=TICK, Hourly=HOURLY)
d = begin(site)


def runs(name):
    return len(rows(site, 'SELECT 1 FROM run WHERE alert = ?', name))


tell(ask(site, {'command': 'ping'}).get('pid') == d.pid, 'ping')
tell(d.wait(lambda: runs('Tick') >= 2, 20), 'the site runs', d.said())
code, out = picket(site, 'status', '--json')
s = json.loads(out)
names = [a['name'] for a in s['alerts']]
tick = s['alerts'][names.index('Tick')]
hourly = s['alerts'][names.index('Hourly')]
tell(sorted(names) == ['Hourly', 'Tick'] and s['complete'], 'status: alerts',
     out)
tell(tick['result'] == 'ok' and tick['took'] > 0 and
     abs(tick['began'] - time.time()) < 20 * SLOW and
     tick['late'] < 1 * SLOW and tick['exit'] == 0, 'status: a last run', tick)
tell(hourly['result'] is None and hourly['next'] > time.time() and
     hourly['next'] % 3600 < 1, 'status: the next run', hourly)
tell(s['pid'] == d.pid and s['config'] == site.dir and s['reload']['good'] and
     not s['paused'] and not s['disarmed'] and s['totals']['started'] >= 2 and
     s['late_max'] < 1 * SLOW, 'status: the daemon', out)
tell({v['name'] for v in s['services'] if v['wanted']} ==
     {'store', 'courier', 'emergency-1', 'emergency-2'},
     'status: its processes', s['services'])
code, out = picket(site, 'status')
tell('Tick ' in out and 'picketd ' in out and '\033' not in out,
     'status for people', out)
code, out = picket(site, 'status', 'Hourly')
tell('Hourly' in out and 'Tick' not in out, 'status of one alert', out)
code, out = picket(site, 'status', 'Nobody')
tell(code == 1 and 'no alert "Nobody"' in out, 'status of none', out)

code, out = picket(site, 'runnow', 'Hourly')
tell(code == 0 and 'Hourly ' in out, 'runnow', out)
tell(d.wait(lambda: rows(site, 'SELECT 1 FROM run WHERE alert = ? AND due '
                         'IS NULL AND reason = ?', 'Hourly', 'by-hand'), 20),
     'runnow: it ran, by hand', d.said())
code, out = picket(site, 'runnow', 'Hurly')
tell(code == 1 and 'there is no alert "Hurly"; did you mean "Hourly"?' in out,
     'runnow: the nearest name', out)
code, out = picket(site, 'runnow', 'No such\nthing')
tell(code == 1 and 'there is no alert' in out and '\nthing' not in out,
     'runnow: a strange name', out)

code, out = picket(site, 'list', '--config', site.dir,
                   env=dict(os.environ, XDG_STATE_HOME=site.root))
tell(code == 0 and 'Tick' in out, 'list while it runs', out)

# --- reload ---

site.alerts(Tick=TICK, Hourly=HOURLY, Third=HOURLY)
code, out = picket(site, 'reload')
tell(code == 0 and '3 alerts' in out, 'reload', out)
site.alerts(Tick=(TICK[0], script('    output mial "x"')))
code, out = picket(site, 'reload')
tell(code == 1 and 'Tick.pikt:7' in out and 'stays in force' in out,
     'reload says what is wrong', out)
code, out = picket(site, 'status')
tell(code == 1 and 'has errors' in out and 'Tick.pikt:7' in out and
     'Third' in out, 'so does status', out)
site.alerts(Tick=TICK, Hourly=HOURLY, Third=HOURLY)
answers = []


def reload():
    answers.append(ask(site, {'command': 'reload'}))


many = [threading.Thread(target=reload) for _ in range(8)]
for t in many:
    t.start()
for t in many:
    t.join()
tell(len(answers) == 8 and all(a.get('ok') for a in answers),
     'eight reloads at once are all answered', answers)

# --- pause and resume, over a restart ---

code, out = picket(site, 'pause', 'Tick', 'Thrid')
tell(code == 1 and 'did you mean "Third"' in out, 'pause: a name is unknown',
     out)
tell(not ask(site, {'command': 'status'})['alerts'][0]['paused'],
     'then nothing is paused')
code, out = picket(site, 'pause', 'Tick')
tell(code == 0 and '1 alert is paused' in out, 'pause', out)
time.sleep(1.5)
before = runs('Tick')
time.sleep(2.5)
tell(runs('Tick') == before, 'what is paused does not run', before)
code, out = picket(site, 'reload')
tell({a['name']: a['paused'] for a in ask(site, {'command': 'status'})[
    'alerts']} == {'Tick': True, 'Hourly': False, 'Third': False},
     'it is paused after a reload')
tell(d.stop()[0] == 0, 'ends', d.said())
tell(not os.path.exists(site.state + '/control.sock'), 'the socket is gone')
d = begin(site)
time.sleep(2.5)
tell(runs('Tick') == before, 'it is paused after a restart', d.said())
code, out = picket(site, 'runnow', 'Tick')
tell(code == 0 and d.wait(lambda: runs('Tick') == before + 1, 20),
     'by hand it runs all the same', out)
code, out = picket(site, 'resume', 'Tick')
tell(code == 0 and d.wait(lambda: runs('Tick') > before + 2, 20), 'resume',
     out)
code, out = picket(site, 'pause')
tell(code == 0 and 'nothing is run' in out, 'pause all', out)
time.sleep(1.5)
before = runs('Tick')
d.p.kill()
d.p.wait()
d = begin(site)
time.sleep(2.5)
tell(runs('Tick') == before and ask(site, {'command': 'status'})['paused'],
     'all is paused after a SIGKILL')
code, out = picket(site, 'resume')
tell(code == 0 and d.wait(lambda: runs('Tick') > before, 20), 'resume all',
     out)

# --- disarm ---

acted = os.path.join(site.root, 'acted')
site.alerts(Tick=TICK, Acts=(['every 1h'],
                             script('    exec wait "touch %s"' % acted)))
code, out = picket(site, 'reload')
tell(code == 0, 'a site that acts', out)
code, out = picket(site, 'disarm')
tell(code == 0 and 'disarmed' in out, 'disarm', out)
code, out = picket(site, 'runnow', 'Acts')
tell(code == 0 and 'tells what it would do' in out, 'runnow says it, too', out)
tell(d.wait(lambda: runs('Acts') == 1, 20) and not os.path.exists(acted),
     'disarmed: it does nothing', d.said())
d.stop()
d = begin(site)
s = ask(site, {'command': 'status', 'brief': True})
tell(s['disarmed'] and s['disarmed_until'] is None and 'alerts' not in s,
     'disarmed after a restart', s)
code, out = picket(site, 'arm')
tell(code == 0 and 'armed' in out, 'arm', out)
picket(site, 'runnow', 'Acts')
tell(d.wait(lambda: os.path.exists(acted), 20), 'armed: it acts', d.said())
code, out = picket(site, 'disarm', '--for', '2s')
tell(code == 0 and ' until ' in out, 'disarm for a while', out)
tell(d.wait(lambda: not ask(site, {'command': 'status',
                                   'brief': True})['disarmed'], 10),
     'and armed again')
d.stop()
with open(site.state + '/picketd.hold', 'r+b') as f:
    f.seek(3)
    f.write(b'#')
d = begin(site)
tell(ask(site, {'command': 'status', 'brief': True})['disarmed'] and
     'picketd.hold: ' in d.said(), 'a damaged file: disarmed, and said',
     d.said())
tell(picket(site, 'arm')[0] == 0, 'armed by hand')
d.stop()

# --- hostile clients, while it runs on time ---

site.alerts(Tick=TICK)
d = begin(site)
tell(d.wait(lambda: runs('Tick') > 0, 20), 'runs')
hostile = time.time()
for what, line, want in (
        ('no JSON', b'status\n', 'this is no JSON'),
        ('a NUL byte', b'{"command":"pi\0ng"}\n', 'this is no JSON'),
        ('deep', b'[' * 4000 + b'\n', 'nested so deep'),
        ('10 MB', b'x' * (10 << 20) + b'\n', 'at most 4096 bytes'),
        ('10 MB of one text', b'{"command":"' + b'x' * (10 << 20) + b'"}\n',
         'at most 4096 bytes'),
        ('unknown', b'{"command":"halt"}\n', 'unknown command'),
        ('a wrong type', b'{"command":["ping"]}\n', 'must be a text'),
        ('another', b'{"command":"pause","alerts":{"a":1}}\n', 'list of names'),
        ('what it does not take', b'{"command":"ping","x":1}\n',
         'does not take'),
        ('no line end', b'{"command":"ping"}', None)):
    if want is None:
        s = dial(site)
        s.sendall(line)
        s.shutdown(socket.SHUT_WR)
        tell('no end' in json.loads(hear(s))['error'], 'half a line')
        s.close()
        continue
    got = ask(site, line)
    tell(got.get('ok') is False and want in got['error'], what, got)

idle = []
for i in range(100):
    try:
        idle.append(dial(site))
    except OSError:
        pass
tell(len(idle) == 100 and ask(site, {'command': 'ping'}).get('ok'),
     '100 idle connections keep nobody out')
slow = []
for i in range(16):
    s = dial(site)
    s.sendall(b'{"command":"status"}\n' * 30)
    slow.append(s)
time.sleep(1.2 * SLOW)
began = time.monotonic()
tell(ask(site, {'command': 'ping'}).get('ok') and
     time.monotonic() - began < 1 * SLOW, 'nor do slow readers')
time.sleep(1)
half = dial(site)
half.sendall(b'{"comm')
half.settimeout(15 * SLOW)
began = time.monotonic()
tell(hear(half) == b'' and time.monotonic() - began > 5,
     'who says half a line is cut off')
for s in idle + slow + [half]:
    s.close()
dues = rows(site, 'SELECT due, began FROM run WHERE alert = ? AND '
            'due IS NOT NULL AND began > ? ORDER BY due', 'Tick', hostile)
late = max(b - due for due, b in dues)
tell(late < 1 * SLOW, 'all runs were started in time: %.3f s late at most' %
     late, late)
s = ask(site, {'command': 'status', 'brief': True})
tell(s['pid'] == d.pid and s['late_max'] < 1 * SLOW, 'says it, too', s)

# --- others ---

ctl = os.path.join(site.state, 'control.sock')
tell(os.stat(ctl).st_mode & 0o777 == 0o600, 'mode 0600')
if ROOT:
    other = ['setpriv', '--reuid', '65534', '--regid', '65534',
             '--clear-groups']
    member = ['setpriv', '--reuid', '65534', '--regid', '65534', '--groups',
              str(grp.getgrnam('daemon').gr_gid)]
    here = site.root
    while here != '/':          # they must be able to come so far
        os.chmod(here, os.stat(here).st_mode | 0o011)
        here = os.path.dirname(here)
    os.chmod(site.state, 0o711)

    def as_other(who):
        p = subprocess.run(who + [PICKET, 'status', '--state', site.state],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, errors='replace')
        return p.returncode, p.stdout

    code, out = as_other(other)
    tell(code == 1 and 'you may not talk' in out, 'another user is refused',
         out)
    os.chmod(ctl, 0o666)
    code, out = as_other(other)
    tell(code == 1 and 'only root and the user of picketd' in out,
         'though the socket would let him', out)
    os.chmod(ctl, 0o600)
    site.conf('control group daemon\n')
    tell(picket(site, 'reload')[0] == 0, 'control group')
    tell(os.stat(ctl).st_mode & 0o777 == 0o660, 'mode 0660')
    code, out = as_other(member)
    tell('picketd ' in out, 'a member of the group may ask', out)
    code, out = as_other(other)
    tell(code == 1 and 'you may not talk' in out, 'others may not', out)
    site.conf('control group no-such-group\n')
    p = subprocess.run([PICKET, 'check', '--config', site.dir],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       errors='replace')
    tell(p.returncode == 0 and 'warning: control group: /etc/group has no '
         'group "no-such-group"' in p.stdout, 'picket check warns of it',
         p.stdout)
    picket(site, 'reload')
    tell(os.stat(ctl).st_mode & 0o777 == 0o600 and 'no such group' in d.said(),
         'a group that is not there', d.said())
else:
    skip("other users", "not root")

p = subprocess.run([os.path.join(BUILD, 'picketd'), '-f', '--config', site.dir,
                    '--state', site.root + '/state2', '--run', site.state],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, errors='replace',
                   timeout=60 * SLOW)
tell(p.returncode == 1 and 'another picketd listens there' in p.stdout,
     'two daemons do not share a socket', p.stdout)
tell(ask(site, {'command': 'ping'}).get('pid') == d.pid, 'the first has it')
tell(d.stop()[0] == 0, 'ends well')

# --- 10,000 alerts ---

big = fresh('big')
body = script('    output mail "x"')
os.makedirs(big.dir + '/scripts')
big.write('scripts/One.pikt', 'One\n' + body)
big.write('alerts.cfg', ''.join(
    'Alert%05d\n    status active\n    every 1d\n    alarms One\n\n' % i
    for i in range(10000)))
d = begin(big)
began = time.monotonic()
s = ask(big, {'command': 'status'})
took = time.monotonic() - began
tell(len(s['alerts']) == 10000 and s['complete'] and
     [a['name'] for a in s['alerts']] == ['Alert%05d' % i
                                          for i in range(10000)],
     'status of 10,000 alerts: %.3f s' % took, len(s.get('alerts', ())))
slow = dial(big)
slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
slow.sendall(b'{"command":"status"}\n')
got = slow.recv(1000)
big.write('alerts.cfg', 'Alert00001\n    status active\n    every 1d\n'
          '    alarms One\n')
tell(ask(big, {'command': 'reload'}).get('entries') == 1, 'a reload meanwhile')
while not got.endswith(b'\n'):
    got += slow.recv(65536)
s = json.loads(got)
tell(s['complete'] is False and 0 < len(s['alerts']) < 10000,
     'an answer that a reload has cut says so', len(s['alerts']))
slow.close()
tell(d.stop()[0] == 0, 'ends')

end()
