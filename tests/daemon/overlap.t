#!/usr/bin/env python3
"""An alert that is due while it runs: overlap skip, queue and kill under a
picketd, and with `picket run` by hand beside it; runnow while it runs; the
priority, nicecmd and timeout of an alert."""

import os
import subprocess
import time

from daemonlib import SLOW, Daemon, ask, fresh, rows, up
from tap import end, tell

os.umask(0o022)
PICKET = os.environ['PICKET']


def script(body, more=''):
    return ('init\n    status active\n    level warning\n%s\n'
            'begin\n%s\n' % (more, body))


site = fresh('overlap')
FLAG = os.path.join(site.root, 'long')
# a second and a half, and as long as FLAG is there
WAITS = script('    exec wait "/bin/sh -c \'sleep 1.5; while [ -e %s ]; do '
               'sleep 0.1; done\'"' % FLAG)
NICE = script('    output log "%s/log/$alert().nice" "nice $command("nice")"' %
              site.root)
NEVER = 'timing 0 0 29 2 *'
site.alerts(
    Skip=(['every 1s'], WAITS),
    Queue=(['every 1s', 'overlap queue'], WAITS),
    Kill=(['every 2s', 'overlap kill'], script(
        '    output mail "begun"\n    exec wait "/bin/sleep 600"')),
    Deaf=(['every 3s', 'overlap kill'], script(
        '    exec wait "/bin/sh -c \'trap : TERM; while :; do sleep 1; done\''
        '"')),
    Low=([NEVER, 'priority 7'], NICE),
    Nicer=([NEVER, 'nicecmd "nice -n 5"'], NICE),
    Plain=([NEVER], NICE),
    Short=([NEVER, 'timeout 1s'], script('    exec wait "/bin/sleep 600"')),
    Hand=([NEVER], script('    exec wait "/bin/sleep 3"')))
d = Daemon(site)
d.wait(lambda: up(d), 20)


def runs(name, extra=''):
    return rows(site, 'SELECT due, began, ended, CAST(result AS TEXT), '
                'CAST(error AS TEXT) FROM run WHERE alert = ? %s ORDER BY '
                'began' % extra, name)


def now(name):
    return ask(site, {'command': 'runnow', 'alert': name})


def nice(name):
    path = '%s/log/%s.nice' % (site.root, name)
    d.wait(lambda: runs(name))
    try:
        with open(path) as f:
            return int(f.read().split()[-1])
    except (OSError, ValueError, IndexError):
        return None


def apart(got):
    return all(b[1] >= a[2] - 0.05 for a, b in zip(got, got[1:]))


# --- by hand, through picketd ---

tell(now('Hand').get('ok'), 'runnow')
got = d.wait(lambda: 'runs already, as process' in now('Hand').get(
    'error', ''))
tell(got, 'runnow while it runs: refused, and says which process',
     now('Hand'))
for name in ('Low', 'Nicer', 'Plain', 'Short'):
    tell(now(name).get('ok'), 'runnow ' + name)
base = os.getpriority(os.PRIO_PROCESS, 0)
tell(nice('Low') == 7, 'priority 7', nice('Low'))
tell(nice('Nicer') == base + 5, 'nicecmd nice -n 5', nice('Nicer'), base)
tell(nice('Plain') == base, 'without either as picketd was started',
     nice('Plain'), base)
got = d.wait(lambda: runs('Short'))
tell(got and got[0][3] == 'stopped' and 0.9 < got[0][2] - got[0][1] <
     4 * SLOW and 'deadline of 1s' in got[0][4], 'a timeout of the alert', got)

# --- overlap ---

d.wait(lambda: len(runs('Queue')) >= 5 and len(runs('Kill')) >= 4 and
       len(runs('Deaf')) >= 2, 25)
skip, queue = runs('Skip'), runs('Queue')
tell(len(skip) > 2 and apart(skip) and
     all(b[0] - a[0] > 1.5 for a, b in zip(skip, skip[1:])) and
     all(r[1] - r[0] < 1 * SLOW for r in skip),
     'skip: what is due meanwhile is not run', skip)
tell(len(queue) > 3 and apart(queue) and
     all(b[1] - a[2] < 0.7 * SLOW for a, b in zip(queue, queue[1:])) and
     len({r[0] for r in queue}) == len(queue),
     'queue: one waits, and starts when the one before it ends', queue)
got = {a['name']: a['skipped'] for a in ask(site, {'command': 'status'})[
    'alerts']}
tell(got['Skip'] > 1 and got['Queue'] > 1 and got['Kill'] == 0,
     'what is skipped is counted', got)
for name, most in (('Kill', 2.0), ('Deaf', 4.0)):
    got = runs(name)
    tell(len(got) > 1 and apart(got) and {r[3] for r in got} == {'stopped'} and
         all('due again (overlap kill)' in (r[4] or '') for r in got),
         'kill: the old run is stopped, and says why: ' + name, got,
         d.said()[-1500:])
    tell(all(b[1] - b[0] < most * SLOW for b in got[1:]),
         'kill: the new one starts then: ' + name,
         [b[1] - b[0] for b in got])
tell('Kill: its run is ended after 2 seconds: it is due again (overlap kill)'
     in d.said(), 'and the log', d.said()[-1500:])

# --- picket run beside it ---


def by_hand(name):
    return subprocess.Popen(
        [PICKET, 'run', '--config', site.dir, name], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=dict(os.environ, XDG_STATE_HOME=site.root))


# the state of a person's own picket is picket/ in there
os.symlink(site.state, os.path.join(site.root, 'picket'))
open(FLAG, 'w').close()
goes = {}
for name in ('Skip', 'Queue'):
    goes[name] = d.wait(lambda n=name: [
        a['pid'] for a in ask(site, {'command': 'status'})['alerts']
        if a['name'] == n and a['pid']], 10)
time.sleep(1 * SLOW)
p = by_hand('Skip')
out = p.communicate(timeout=30 * SLOW)[0]
tell(p.returncode != 0 and 'process %d is running it; this run is skipped' %
     goes['Skip'][0] in out, 'picket run, skip: says who runs it', p.returncode,
     out, goes)
p = by_hand('Queue')
time.sleep(0.5)
tell(p.poll() is None, 'picket run, queue: waits')
os.unlink(FLAG)
# picketd's next run of it may be faster
out = p.communicate(timeout=60 * SLOW)[0]
tell(p.returncode == 0, 'and runs in its turn', p.returncode, out)
got = runs('Queue')
tell(apart(got) and [r for r in got if r[0] is None], 'never two at once',
     got)

code, took = d.stop()
tell(code == 0 and took < 10 * SLOW, 'picketd ends', code, took)
end()
