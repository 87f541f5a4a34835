#!/usr/bin/env python3
"""picketd under load: a site of many alerts, each due each minute, each with a
run of its own.

make check: 10,000 alerts for a minute.  PICKET_LONG=1: for five, 50,000 runs.
LOAD='ALERTS MINUTES' asks for others.  Each alert has `timing * * * * * 1': a
drift of a minute, so that starts are spread over it.

What counts are the rows of the state: each run's own stamps of when it was due
and when it began.  Memory is looked at a minute after load, under this load,
and has its bounds (operations.md, Budgets): by a build with -O2, which is what
CI has, and without sanitizers, which need more themselves.

If a run is late, whose fault is it?  A process that only sleeps, 10 ms at a
time, says how late the system woke it meanwhile.
"""
# runner: serial timeout=300 long-timeout=900

import atexit
import collections
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time

from tap import end, skip, tell

BUILD = os.environ['BUILDDIR']
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
SANITIZED = bool(os.environ.get('PICKET_SANITIZERS'))
ALERTS, MINUTES = map(int, os.environ.get(
    'LOAD', '300 1' if SANITIZED else '10000 5' if LONG else
    '10000 1').split())
LATE = 1.0			# seconds that a run may begin after it is due
RSS = 4 * 1024			# KiB: operations.md, Budgets
PSS = 32 * 1024
SHORT = ('run', 'left', 'last', 'news')	# runners that do not stay
TICK = os.sysconf('SC_CLK_TCK')
EXE = os.path.join(BUILD, 'picketd')
SLEEPER = '''
import signal, sys, time
most, more = 0, [0] * 3

def end(*_):
    print('at most %.0f ms late; more than 10, 100, 1000 ms: %d, %d, %d times'
          % (most * 1000, *more))
    sys.exit()

signal.signal(signal.SIGTERM, end)
then = time.monotonic()
while True:
    time.sleep(0.01)
    now = time.monotonic()
    late = now - then - 0.01
    most = max(most, late)
    for i, bound in enumerate((0.01, 0.1, 1)):
        more[i] += late > bound
    then = now
'''


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)
    os.chmod(path, 0o644)


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ''


def stat(pid):
    """Fields of /proc/PID/stat from the state on."""
    return read('/proc/%d/stat' % pid).rpartition(')')[2].split()


def cpu(pid, of=slice(11, 13)):
    """Seconds, user and system."""
    return sum(map(int, stat(pid)[of])) / TICK


def cpu_ended(pid):
    """Of its children that have ended."""
    return cpu(pid, slice(13, 15))


def family(pid):
    """Everything that came of it, it too."""
    parent, found = {}, {pid}
    for p in filter(str.isdigit, os.listdir('/proc')):
        s = stat(int(p))
        if s:
            parent[int(p)] = int(s[1])
    while True:
        more = {p for p, up in parent.items() if up in found} - found
        if not more:
            return found
        found |= more


def words(pid):
    return read('/proc/%d/cmdline' % pid).rstrip('\0').split('\0')


def what(pid):
    w = words(pid)
    name = os.path.basename(w[0])
    return name + ' ' + w[1] if name == 'picket-runner' and len(w) > 1 \
        else name


def kib(text, key):
    for line in text.split('\n'):
        if line.startswith(key + ':'):
            return int(line.split()[1])
    return 0


def wait(done, seconds):
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


# --- the site ---

for d in ('conf', 'state', 'run'):
    os.mkdir(d)
    os.chmod(d, 0o700)
write('conf/alerts.cfg', ''.join(
    'Load%05d\n\ttiming * * * * * 1\n\talarms Average\n\n' % i
    for i in range(ALERTS)))
write('conf/average.pikt', '''Average
	init
		status active
		level notice
		input file "/proc/loadavg"
	rule
		if #val($1) > 1000000
			output mail "the load is $1"
		fi
''')
write('conf/picket.conf', '')

# --- the daemon: it says when it is ready, as to systemd ---

ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ready.bind('notify')
ready.settimeout(60)
log = open('log', 'w')
started = time.monotonic()
daemon = subprocess.Popen(
    [EXE, '--foreground', '--config', 'conf', '--state', 'state', '--run',
     'run'], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    env=dict(os.environ, NOTIFY_SOCKET=os.path.abspath('notify')))
said = b''
try:
    while b'READY=1' not in said:
        said = ready.recv(4096)
except socket.timeout:
    pass
tell(b'READY=1' in said and daemon.poll() is None,
     '%d alerts are loaded' % ALERTS, read('log'))
if b'READY=1' not in said:
    daemon.kill()
    daemon.wait()
    end()
print('# ready after %.1f s' % (time.monotonic() - started))
sleeper = subprocess.Popen([sys.executable, '-c', SLEEPER],
                           stdout=subprocess.PIPE, text=True)
atexit.register(sleeper.kill)
begin = time.time()
before = cpu(daemon.pid)

# --- a minute after load, under load: memory ---


def memory():
    rss = kib(read('/proc/%d/status' % daemon.pid), 'VmRSS')
    pss = {}
    for p in family(daemon.pid):
        name = what(p)
        if name.startswith('picket-runner') and name.split()[-1] in SHORT:
            continue
        size = kib(read('/proc/%d/smaps_rollup' % p), 'Pss')
        if size > 0:
            pss['%s %d' % (name, p)] = size
    return rss, pss


time.sleep(max(0, begin + 60 - time.time()))
rss, pss = memory()
time.sleep(max(0, begin + 60 * MINUTES + 3 - time.time()))
last = begin + 60 * MINUTES
stay = {p: (what(p), cpu(p)) for p in family(daemon.pid)
        if not what(p).startswith('picket-runner run')}
runs = cpu_ended(daemon.pid)
tell(daemon.poll() is None, 'it runs on', read('log')[-2000:])

sleeper.terminate()
slept = sleeper.communicate()[0].strip()

daemon.send_signal(signal.SIGTERM)
try:
    code = daemon.wait(timeout=15)
except subprocess.TimeoutExpired:
    code = None
    daemon.kill()
tell(code == 0, 'it ends within ten seconds, status 0', code,
     read('log')[-2000:])
left = [what(p) for p in stay if p != daemon.pid and stat(p) and
        stat(p)[0] != 'Z' and what(p).startswith('picket')]
tell(not left, 'nothing of it is left', left)

# --- the rows ---

db = sqlite3.connect('state/state.db')
rows = db.execute('SELECT alert, due, began, ended, result, reason FROM run '
                  'WHERE due > ? AND due <= ?', (begin, last)).fetchall()
all_rows = db.execute('SELECT alert, due FROM run').fetchall()
db.close()
tell(len(rows) == ALERTS * MINUTES, 'rows: %d, one for each alert and minute'
     % len(rows), 'there should be %d' % (ALERTS * MINUTES),
     read('log')[-2000:])
tell(len(set(all_rows)) == len(all_rows), 'unique by (alert, due)')
dues = collections.defaultdict(list)
for alert, due, *_ in rows:
    dues[alert].append(due)
wrong = [a for a, d in dues.items() if len(d) != MINUTES or any(
    y - x != 60 for x, y in zip(sorted(d), sorted(d)[1:]))]
tell(len(dues) == ALERTS and not wrong, 'none is missing: %d alerts, due each '
     'minute' % len(dues), wrong[:5])
other = collections.Counter((str(r[4]), str(r[5])) for r in rows)
tell(len(other) == 1 and all('ok' in x and 'scheduled' in y
                             for x, y in other),
     'all are done, as scheduled', other)
late = sorted(r[2] - r[1] for r in rows) or [0]
took = sorted(r[3] - r[2] for r in rows) or [0]


def part(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] * 1000


def spread(values):
    return 'median %.1f, 99 %% %.1f, most %.1f ms' % (
        part(values, .5), part(values, .99), values[-1] * 1000)


tell(late[0] >= 0 and late[-1] <= LATE, 'begun at most %g s after due: %s' % (
    LATE, spread(late)), '%d are later' % sum(x > LATE for x in late))
print('# a process that only sleeps was woken ' + slept)
print('# a run takes: ' + spread(took))
seconds = collections.Counter(int(r[1]) for r in rows)
print('# due in a second: %d to %d' % (min(seconds.values(), default=0),
                                       max(seconds.values(), default=0)))

# --- what it costs ---

n = max(1, len(all_rows))
print('# CPU seconds: picketd %.2f since load, %s, all runs %.2f: %.2f ms a run'
      % (stay[daemon.pid][1] - before, ', '.join(
          '%s %.2f' % (name, used) for p, (name, used) in sorted(stay.items())
          if p != daemon.pid and name.startswith('picket')), runs,
         (sum(used for _, used in stay.values()) + runs) / n * 1000))
print('# PSS, KiB: ' + ', '.join('%s %d' % (k.rpartition(' ')[0], v)
                                 for k, v in sorted(pss.items())))
print('# the scheduler: %d KiB, all that stay: %d KiB' % (
    rss, sum(pss.values())))
flags = re.search(r'^CFLAGS = (.*)', read(os.path.join(BUILD, 'Makefile')),
                  re.M)
why = ('a sanitizer needs more itself' if SANITIZED else
       'judged with -O2' if '-O2' not in flags.group(1).split() else None)
if why:
    skip('the scheduler is in less than 4 MB', why)
    skip('all that stay are in less than 32 MB', why)
else:
    tell(0 < rss < RSS, 'the scheduler is in less than 4 MB: %d KiB' % rss)
    tell(0 < sum(pss.values()) < PSS, 'all that stay are in less than 32 MB: '
         '%d KiB' % sum(pss.values()))
end()
