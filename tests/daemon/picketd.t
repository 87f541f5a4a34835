#!/usr/bin/env python3
"""picketd: what is due runs in time, each once; reloads, signals, and what
happens when one of its processes is killed."""

import os
import re
import signal
import subprocess
import time

from daemonlib import PICKETD, SLOW, Daemon, fresh, rows
from tap import end, tell

os.umask(0o022)


def run(*args):
    p = subprocess.run([PICKETD] + list(args), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=60 * SLOW, errors='replace')
    return p.returncode, p.stdout


def script(body, more=''):
    return ('init\n    status active\n    level warning\n%s\n'
            'begin\n%s\n' % (more, body))


# Seconds that nobody else sleeps: commands are found by them.
NAP, DETACHED, SESSION, WAITED = (
    '%d.%07d' % (n, os.getpid()) for n in (7, 1111, 2222, 3333))

TICK = (['every 1s'], script('    output mail "tick"'))
TOCK = (['every 1s'], script('    output mail "tock"'))
BAD = (['every 1s'], script('    output mial "tick"'))

# --- options ---

code, out = run('--help')
tell(code == 0 and out.startswith('usage: picketd'), 'help', out)
code, out = run('--version')
tell(code == 0 and re.match(r'picketd \d', out), 'version', out)
for args in (['--nonsense'], ['stray'], ['--config'], ['--state', '']):
    code, out = run(*args)
    tell(code == 2 and out.startswith('picketd: '),
         'usage: ' + ' '.join(args), code, out)

# --- a configuration that is wrong, and one that is right ---

site = fresh('wrong')
site.alerts(Bad=BAD)
code, out = run('-n', '--config', site.dir)
tell(code == 1 and 'Bad.pikt:7' in out, '-n says what is wrong', code, out)
code, out = run('-f', '--config', site.dir, '--state', site.state)
tell(code == 1 and 'Bad.pikt:7' in out,
     'no start without a valid configuration', code, out)

site = fresh('main')
site.alerts(Tick=TICK)
code, out = run('-n', '--config', site.dir)
tell(code == 0, '-n on what is right', code, out)

# --- runs ---

began = time.time()
d = Daemon(site)
tell(d.p.poll() is None, 'it starts', d.said())
tell(time.time() - began < 5 * SLOW, 'in a few seconds')


def done(name, n):
    return lambda: len(rows(site, 'SELECT 1 FROM run WHERE alert = ? AND '
                            'due IS NOT NULL', name)) >= n


tell(d.wait(done('Tick', 4), 15), 'what is due each second runs',
     d.said()[-2000:])
got = rows(site, 'SELECT due, began, reason FROM run WHERE alert = ?', 'Tick')
late = [b - a for a, b, _ in got]
tell(got and max(late) < 1 * SLOW, 'within a second', late)
tell(got and len({a for a, _, _ in got}) == len(got), 'each due time once')
tell(all(abs(a - round(a)) < 1e-6 for a, _, _ in got), 'on the second', got)

# --- a second one ---

code, out = run('-f', '--config', site.dir, '--state', site.state)
tell(code == 1 and 'process %d' % d.pid in out, 'a second one is refused',
     code, out)

# --- reload ---

site.alerts(Tick=BAD)
d.signal(signal.SIGHUP)
tell(d.says('the configuration of before stays in force'),
     'a bad reload is not taken')
n = len(rows(site, 'SELECT 1 FROM run WHERE alert = ?', 'Tick'))
tell(d.wait(done('Tick', n + 2)), 'and runs go on')
site.alerts(Tick=TICK, Tock=TOCK)
d.signal(signal.SIGHUP)
tell(d.says('; reloaded'), 'a good one is', d.said()[-2000:])
tell(d.wait(done('Tock', 2)), 'and what is new in it runs')
told = d.wait(lambda: rows(site, "SELECT 1 FROM incident WHERE key = ?",
                           'picketd:configuration'))
tell(told, 'the bad one is an incident', told)

# --- the store ---

store = d.child('picket-store')
tell(store, 'there is a store', d.children())
if store:
    os.kill(store, signal.SIGKILL)
    tell(d.wait(lambda: d.child('picket-store') not in (0, store)),
         'a store that is killed comes back')
    n = len(rows(site, 'SELECT 1 FROM run WHERE alert = ?', 'Tick'))
    tell(d.wait(done('Tick', n + 3), 15), 'and takes what runs leave')
    tell(d.wait(lambda: rows(site, "SELECT 1 FROM incident WHERE key = ?",
                             'picketd:crash:store')), 'it is an incident')

# --- a runner that is killed ---


def of_site(word):
    """pids of processes, of any parent, that have this word as an argument."""
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


LONG = (['every 1h'], script(
    '    output mail "begun"\n'
    '    exec detached "sleep %s"\n'
    '    exec wait "sh -c \'setsid sleep %s & exec sleep %s\'"'
    % (DETACHED, SESSION, WAITED)))


def runner_of(name):
    """The runner that has the lock of an alert: who is in its trail."""
    for pid, args in d.children().items():
        if len(args) > 1 and args[1] == 'run':
            return pid
    return 0


def control(command, **more):
    import json
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(site.state, 'control.sock'))
        s.sendall(json.dumps(dict(command=command, **more)).encode() + b'\n')
        return json.loads(s.makefile().readline())


def reload():
    before = d.said().count('; reloaded')
    d.signal(signal.SIGHUP)
    d.wait(lambda: d.said().count('; reloaded') > before)


site.alerts(Long=LONG)
reload()
got = control('runnow', alert='Long')
tell(got.get('ok'), 'a run by hand is taken', got)
tell(d.wait(lambda: of_site(WAITED) and of_site(SESSION) and of_site(DETACHED)),
     'it starts its commands', d.said()[-2000:])
runner = runner_of('Long')
if runner:			# 0 would be our own group
    os.kill(runner, signal.SIGKILL)
tell(d.says('Long: its run was killed by signal 9'), 'a killed run is seen')
tell(d.wait(lambda: not of_site(WAITED) and not of_site(SESSION)),
     'what it started is ended', of_site(WAITED), of_site(SESSION))
time.sleep(0.5)
tell(of_site(DETACHED), 'what is detached is not')
tell(d.wait(lambda: rows(site, 'SELECT 1 FROM run WHERE alert = ? AND '
                         'result = ?', 'Long', 'interrupted')),
     'its row says that it was interrupted',
     rows(site, 'SELECT alert, result FROM run WHERE alert = ?', 'Long'))
for pid in of_site(DETACHED):
    os.kill(pid, signal.SIGKILL)

# --- picketd itself is killed, and a run goes on ---

site.alerts(Nap=(['every 2s'], script(
    '    output mail "nap"\n    exec wait "sleep %s"' % NAP)), Tick=TICK)
reload()
tell(d.wait(lambda: of_site(NAP)), 'a run of some seconds', d.said()[-2000:])
services = [p for p, args in d.children().items() if args[1:2] != ['run']]
d.stop(signal.SIGKILL)
tell(d.wait(lambda: not [p for p in services if os.path.exists(
    '/proc/%d' % p)], 10), 'the programs of a killed picketd end, too',
     [open('/proc/%d/cmdline' % p).read() for p in services
      if os.path.exists('/proc/%d' % p)])
before = of_site(NAP)
d = Daemon(site)
tell(before == of_site(NAP), 'its run goes on', before, of_site(NAP))
time.sleep(3)
tell(len(of_site(NAP)) == 1, 'and is not doubled', of_site(NAP))
tell(d.wait(lambda: len(rows(site, 'SELECT 1 FROM run WHERE alert = ?',
                             'Nap')) >= 2, 25), 'the next one comes after it',
     d.said()[-2000:])
got = rows(site, 'SELECT due, began, ended, result FROM run WHERE alert = ? '
           'ORDER BY began', 'Nap')
tell(all(b[1] >= a[2] - 0.01 for a, b in zip(got, got[1:])),
     'no two runs of one alert at once', got)
got = rows(site, 'SELECT alert, due, count(*) FROM run WHERE due IS NOT NULL '
           'GROUP BY alert, due HAVING count(*) > 1')
tell(not got, 'one row for each (alert, due)', got)

# --- the end ---

code, took = d.stop()
tell(code == 0 and took < 10 * SLOW, 'TERM ends it in time', code, took)
tell(not of_site(site.state), 'and nothing of it is left',
     [open('/proc/%d/cmdline' % p).read() for p in of_site(site.state)])
end()
