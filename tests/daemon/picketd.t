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

site.alerts(Long=(['every 2s'], script(
    '    output mail "begun"\n    exec wait "sleep 300"')))
d.signal(signal.SIGHUP)
runner = d.wait(lambda: [p for p in d.children()
                         if os.path.exists('/proc/%d/task/%d/children' % (p, p))
                         and open('/proc/%d/task/%d/children' % (p, p)
                                  ).read().strip()
                         and 'run' in d.children().get(p, [])])
tell(runner, 'a run that takes long', d.said()[-2000:])
code, took = d.stop()
tell(code == 0 and took < 10 * SLOW, 'TERM ends it in time', code, took)
end()
