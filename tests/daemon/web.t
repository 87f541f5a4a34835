#!/usr/bin/env python3
# runner: timeout=240
"""The status page under picketd: what it says of the scheduler, and that
whoever plagues it does not make a run late."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from daemonlib import SLOW, Daemon, fresh, rows
from tap import end, skip, tell

os.umask(0o022)
PICKET = os.environ['PICKET']


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def get(port, path='/'):
    try:
        with urllib.request.urlopen('http://127.0.0.1:%d%s' % (port, path),
                                    timeout=20) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()
    except OSError as e:
        return 0, str(e)


def text(page):
    return re.sub(r'\s+', ' ', re.sub(r'<style>.*?</style>|<[^>]*>', ' ',
                                      page, flags=re.S))


def script(body, more=''):
    return ('init\n    status active\n    level warning\n    task "t"\n%s\n'
            'begin\n%s\n' % (more, body))


def control(*args):
    p = subprocess.run([PICKET] + list(args) + ['--state', site.state],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60 * SLOW)
    return p.returncode, p.stdout.decode()


def process(name):
    """Its number, when there is one: 0 would be ourselves."""
    pid = d.wait(lambda: d.child(name), 20)
    assert pid > 1, name
    return pid


GOOD = (['every 1s'], script('    record #now() as "clock"\n'
                             '    incident "always:<on>"\n'
                             '        when 1\n'
                             '        message "it <b>fires</b>"\n'
                             '    endincident'))
FAILS = (['every 1s'], 'init\n    status active\n    level error\n    task "x"'
         '\n    input file "/nonexistent/x"\nrule\n    output mail "x"\n')

port = free_port()
site = fresh('web')
site.conf('http %d\n' % port)
site.alerts(Good=GOOD, Fails=FAILS)
d = Daemon(site)
tell(d.wait(lambda: get(port, '/healthz')[0] == 200, 20), 'it serves',
     d.said()[-2000:])
d.wait(lambda: len(rows(site, 'SELECT 1 FROM run')) >= 6, 20)
time.sleep(1.2)

# --- what it says ---

status, page = get(port)
t = text(page)
tell(status == 200 and '1 thing is wrong' in t and
     'it &lt;b&gt;fires&lt;/b&gt;' in t, 'what fires stands on the page',
     t[:800])
tell("1 alert's last run did not end well" in t and
     re.search(r'Fails failed', t) and re.search(r'Good ok', t) and
     t.index('Fails failed') < t.index('Good ok'),
     'the last runs of the alerts, the worst first', t[:2000])
tell('<svg' in page and 'clock' in t, 'a graph')
j = json.loads(get(port, '/api/v1/status')[1])
tell(j['pid'] == d.pid and {a['name'] for a in j['alerts']} ==
     {'Good', 'Fails'} and any(s['name'] == 'http' and s['pid']
                               for s in j['services']),
     'api: what the scheduler says', j)
metrics = get(port, '/metrics')[1]
tell('picket_up 1\n' in metrics and
     'picket_alert_last_run_good{alert="Fails"} 0\n' in metrics and
     'picket_alert_last_run_good{alert="Good"} 1\n' in metrics,
     'metrics of the scheduler', metrics)
tool = shutil.which('promtool')
if tool is None:
    skip('promtool judges them', 'no promtool')
else:
    p = subprocess.run([tool, 'check', 'metrics'], input=metrics.encode(),
                       capture_output=True)
    tell(p.returncode == 0 and not p.stdout, 'promtool has nothing to say',
         p.stdout, p.stderr)

# --- paused, disarmed, a bad configuration ---

control('pause')
control('disarm')
time.sleep(1.2)
t = text(get(port)[1])
tell('Paused: nothing is run' in t and 'Disarmed' in t,
     'paused and disarmed are said', t[:800])
control('resume')
control('arm')
alerts = os.path.join(site.dir, 'alerts.cfg')
good = open(alerts).read()
site.write('alerts.cfg', good + '\nX\n    nonsense\n')
tell(control('reload')[0] == 1, 'a bad reload')
time.sleep(1.2)
status, said = get(port, '/healthz')
tell(status == 503 and 'configuration' in said, 'healthz says it', said)
tell('configuration on the disk has errors' in text(get(port)[1]),
     'so does the page')
site.write('alerts.cfg', good)
control('reload')
time.sleep(1.2)
tell(get(port, '/healthz') == (200, 'ok\n'), 'and well again')

# --- plagued ---

stop = threading.Event()
errors, served = [], [0]


def many():
    """A hundred at once, again and again: with nine others 1,000."""
    while not stop.is_set():
        talk = []
        for _ in range(100):
            try:
                s = socket.create_connection(('127.0.0.1', port), 20)
                s.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
                talk.append(s)
            except OSError:
                break
        for s in talk:
            try:
                got = s.recv(12)
                served[0] += got == b'HTTP/1.1 200'
            except OSError:
                pass
            s.close()


def broken():
    bad = (b'\0' * 5000, b'GET / HTTP/9\r\n' + b'A: b\r\n' * 9000 + b'\r\n',
           b'POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n', b'',
           b'GET /' + b'%' * 5000 + b' HTTP/1.1\r\n\r\n')
    k = 0
    while not stop.is_set():
        k += 1
        try:
            with socket.create_connection(('127.0.0.1', port), 5) as s:
                s.sendall(bad[k % len(bad)])
                s.settimeout(0.2)
                s.recv(100)
        except OSError:
            pass


def slow():
    held = []
    while not stop.is_set():
        try:
            s = socket.create_connection(('127.0.0.1', port), 5)
            s.sendall(b'GET / HT')
            held.append(s)
        except OSError:
            pass
        if len(held) > 300:
            held.pop(0).close()
        time.sleep(0.01)
    for s in held:
        s.close()


before = rows(site, 'SELECT max(id) FROM run')[0][0]
LONG = 15
threads = [threading.Thread(target=f, daemon=True)
           for f in [many] * 10 + [broken] * 2 + [slow]]
for th in threads:
    th.start()
time.sleep(LONG)
stop.set()
for th in threads:
    th.join(30)
got = rows(site, 'SELECT due, began FROM run WHERE id > ? AND alert = ?',
           before, 'Good')
late = sorted(b - a for a, b in got)
print('# %d pages in %d s; %d runs meanwhile, the latest %.0f ms after it '
      'was due' % (served[0], LONG, len(late), 1000 * (late or [9])[-1]))
tell(served[0] > 200, 'it answers all the while', served[0])
tell(len(late) >= LONG - 2, 'each second its run', len(late))
tell(late and late[-1] < 1 * SLOW, 'on time', late[-5:])
tell(d.wait(lambda: get(port, '/healthz')[0] == 200, 10), 'and it is well '
     'afterwards')

# --- it is killed, loses the store, gets another port ---

pid = process('picket-http')
os.kill(pid, signal.SIGKILL)
tell(d.wait(lambda: d.child('picket-http') not in (0, pid) and
            get(port, '/healthz')[0] == 200, 10), 'killed, it comes back')
tell(d.wait(lambda: rows(site, 'SELECT 1 FROM incident WHERE key = ? AND '
                         'state = 2', 'picketd:crash:http'), 10),
     'and that is an incident', rows(site, 'SELECT key FROM incident'))
store = process('picket-store')
os.kill(store, signal.SIGKILL)
d.says('store, process %d, was killed' % store)
tell(d.wait(lambda: get(port, '/healthz')[0] == 200 and
            'cannot be read' not in get(port)[1], 20),
     'the store is killed: it reads the next one', get(port, '/healthz'))
said = len(d.said())
# a store that hangs, as on a dead disk
store = process('picket-store')
os.kill(store, signal.SIGSTOP)
time.sleep(1.2)
began = time.monotonic()
status, why = get(port, '/healthz')
took = time.monotonic() - began
os.kill(store, signal.SIGCONT)
tell(status == 503 and 'cannot be read' in why and took < 6 * SLOW,
     'a store that hangs is said, and soon', status, why, took)
tell(d.wait(lambda: get(port, '/healthz')[0] == 200, 30), 'and well again',
     get(port, '/healthz'))
other = free_port()
site.conf('http %d\n' % other)
control('reload')
tell(d.wait(lambda: get(other, '/healthz')[0] == 200, 10) and
     get(port, '/healthz')[0] == 0, 'another port by a reload')
site.conf('')
control('reload')
tell(d.wait(lambda: get(other, '/healthz')[0] == 0 and
            not d.child('picket-http'), 10), 'none by a reload')
tell('ended with status' not in d.said()[said:] and
     'was killed' not in d.said()[said:], 'which is no crash',
     d.said()[said:][-5000:])
code, took = d.stop()
tell(code == 0 and took < 10 * SLOW, 'it ends', code, took)

# --- a port that somebody has ---

with socket.socket() as s:
    s.bind(('127.0.0.1', 0))
    s.listen()
    site = fresh('taken')
    site.conf('http %d\n' % s.getsockname()[1])
    site.alerts(Good=GOOD)
    d = Daemon(site)
    tell(d.says('another program listens there'), 'a port that is taken is said',
         d.said()[-1500:])
    tell(d.wait(lambda: rows(site, 'SELECT 1 FROM run'), 10),
         'and runs go on')
    d.stop()
end()
