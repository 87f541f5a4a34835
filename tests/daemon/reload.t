#!/usr/bin/python3
# runner: serial timeout=600 long-timeout=3600
"""Reloads under load, good and bad configurations in turn, by SIGHUP and by
`picket reload` in turn.  make check: 60; PICKET_LONG=1: 500; RELOADS=N.

A version of the site is in four files: a macro, an object set, the text of the
scripts and the address of alerts.cfg.  Each run writes the three that it sees
to a file of its own, and its mail has the fourth: they must agree, and be of a
good version.  Other scripts keep counters, have an incident that fires all the
time, run for longer than a reload, or are taken out and put back.
"""

import collections
import os
import random
import re
import signal
import sqlite3
import subprocess
import time

from daemonlib import SLOW, Daemon, fresh
import watchlib
from watchlib import MARK, slurp
from delivery import Relay, need_aiosmtpd
from tap import end, tell

need_aiosmtpd()
os.umask(0o022)
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
RELOADS = int(os.environ.get('RELOADS', 500 if LONG else 60))
random.seed(RELOADS)
KEY = 'picketd:configuration'

site = fresh('reload')
rec = os.path.join(site.root, 'rec')
os.mkdir(rec)
relay = Relay()

# --- the site's versions ---

COUNT = '''        set #n = %#n
        set #n += 1
        output log "{rec}/NAME" "#{{#n}} $text(#clock(), 6)"
'''.format(rec=rec)
INIT = '    init\n        status active\n        level warning\n'


def scripts(v):
    """{name: (lines of the alert, script)}"""
    out = {}

    def add(name, lines, body, init=''):
        # other lines in each version, so places of messages change, too
        out[name] = (lines, ('// \n' * (v % 3) + INIT + init + body).replace(
            'NAME', name))

    for i in range(10):
        add('Tri%02d' % i, ['every 2s', 'mailto v%d@localhost' % v],
            '    rule\n        output log "%s/NAME" "=version %d $inline '
            '$text(#clock(), 6)"\n' % (rec, v) + (
                '        output mail "SEEN =version %d $inline."\n' % v
                if i < 3 else ''), '        input object "version"\n')
    for i in range(10):
        add('Keep%02d' % i, ['every 2s'], '    begin\n' + COUNT + (
            '        output mail "LINE NAME #{#n}."\n' if i < 2 else ''))
    for i in range(4):
        add('Fire%02d' % i, ['every 2s'], '    begin\n' + COUNT +
            '        incident "NAME"\n                when 1 == 1\n'
            '                message "FIRES NAME."\n        endincident\n')
    for i in range(3):
        add('Long%02d' % i, ['every 2s', 'overlap queue'],
            '    rule\n        output log "%s/NAME" "=version %d $inline '
            '$text(#clock(), 6)"\n        exec wait "sleep 2.5"\n'
            '        output log "%s/NAME.end" "=version %d $text(#clock(), 6)"\n'
            % (rec, v, rec, v), '        input object "version"\n')
    if v % 4 < 2:
        add('Again', ['every 2s'], '    begin\n' + COUNT)
    return out


def put(v):
    site.write('macros.cfg', 'version %d\n' % v)
    site.write('objects.cfg', 'version\n        %d\n' % v)
    site.alerts(**scripts(v))
    site.write('picket.conf', CONF)


CONF = ('mailto root@localhost\nmailfrom picket@localhost\nhostname moscow\n'
        'smtp 127.0.0.1:%d\nlogdir %s/log\nparallel 16\n' % (relay.port,
                                                             site.root))
FAULTS = {
    'a script': lambda v: site.write('scripts/Keep03.pikt', 'Keep03\n' + INIT +
                                     '    begin\n        output mial "x"\n'),
    'a macro': lambda v: site.write('macros.cfg', 'other %d\n' % v),
    'alerts.cfg': lambda v: site.write('alerts.cfg', slurp(
        site.dir + '/alerts.cfg').replace('every 2s', 'evry 1s', 1)),
    'a set': lambda v: site.write('objects.cfg', '  stray\nversion\n'
                                  '        %d\n' % v),
    'picket.conf': lambda v: site.write('picket.conf', CONF + 'nosuch key\n'),
}


def bad(v, fault):
    """All files are of version v, and one of them is wrong."""
    put(v)
    FAULTS[fault](v)


# --- reloads ---

good_at = {}			# {version: when it was in force}
applied = []			# (version, asked for, in force)
took = {True: [], False: []}
wrong = []


def said():
    return slurp(os.path.join(site.root, 'out'))


def reload(how, good):
    """True: it came out as it should."""
    before = said()
    n = before.count('; reloaded'), before.count('is not taken')
    began = time.monotonic()
    if how == 'command':
        p = subprocess.run([os.environ['PICKET'], 'reload', '--run',
                            site.state], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=60 * SLOW)
        if (p.returncode == 0) != good:
            wrong.append((how, good, p.returncode, p.stdout))
    else:
        d.signal(signal.SIGHUP)
    while time.monotonic() - began < 30 * SLOW:
        now = said()
        m = now.count('; reloaded'), now.count('is not taken')
        if m != n:
            break
        time.sleep(0.005)
    took[good].append(time.monotonic() - began)
    if m != ((n[0] + 1, n[1]) if good else (n[0], n[1] + 1)):
        wrong.append((how, good, n, m, now[-500:]))
        return False
    return True


def mails(pattern):
    return watchlib.where(watchlib.bodies(relay), pattern)


def told():
    """Mails of the configuration that is wrong."""
    return sum(len(ids) for ids in mails(
        r'\[firing\] (picketd has not taken)').values())


put(0)
applied.append((0, time.time(), time.time()))
d = Daemon(site, env=dict([MARK.split('=')]))
if d.p.poll() is not None or ' entries, at most ' not in said():
    tell(False, 'it starts', said()[-2000:])
    end()
time.sleep(3)
began = time.time()

# --- wrong in one way after the other, and in the same again: one mail ---

for fault in list(FAULTS) + ['a set'] * 3 + list(FAULTS):
    bad(1000000, fault)
    reload('signal', False)
tell(not wrong, 'each fault is refused', *wrong[:4])
tell(d.wait(told, 20), 'it is told')
time.sleep(3)
tell(told() == 1, 'by one mail, however often it is wrong, and in what way',
     mails(r'(.*picketd has not taken.*)'))
p = subprocess.run([os.environ['PICKET'], 'status', '--run', site.state],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)
tell(b'picket.conf' in p.stdout, 'picket status says what is wrong', p.stdout)
put(1)
t = time.time()
reload('command', True)
applied.append((1, t, time.time()))
over = d.wait(lambda: mails(r'\[resolved[^]]*\] (.*)$') and
              [k for k in mails(r'\[resolved[^]]*\] (.*)$')
               if 'configuration' in k[0]], 20)
tell(over, 'that it is right again is told', mails(r'\[resolved(.*)'))
tell(not wrong, 'and it is taken', *wrong[:4])

# --- in turn, under load ---

time.sleep(1)
rss = watchlib.status(d.pid, 'VmRSS')
took = {True: [], False: []}
stretches = 0
v = 1
for i in range(RELOADS):
    how = random.choice(('signal', 'command'))
    if i % 2 == 0:
        bad(1000001 + i, list(FAULTS)[i // 2 % len(FAULTS)])
        stretches += reload(how, False)
    else:
        v += 1
        put(v)
        t = time.time()
        if reload(how, True):
            applied.append((v, t, time.time()))
    # some at once, others so that each alert has run
    time.sleep(random.choice((0, 0, 0.05, 0.3, 2.5 if i % 10 == 9 else 0.1)))
seconds = time.time() - began
print('# %d reloads in %.0f s; a good one takes %.0f ms (most %.0f), a bad one '
      '%.0f (%.0f)' % (
          RELOADS, seconds,
          sorted(took[True])[len(took[True]) // 2] * 1000,
          max(took[True]) * 1000,
          sorted(took[False])[len(took[False]) // 2] * 1000,
          max(took[False]) * 1000))
tell(not wrong, 'each good one is taken and each bad one is not', len(wrong),
     *wrong[:4])
tell(d.p.poll() is None, 'picketd is there', said()[-1000:])
time.sleep(3)

# --- what it costs ---

last_due = time.time() - 2
p = subprocess.run([os.environ['PICKET'], 'pause', '--run', site.state],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)
tell(p.returncode == 0, 'picket pause', p.stdout)
time.sleep(8)
fds, after = (watchlib.idle_descriptors(d.pid, 2),
              watchlib.status(d.pid, 'VmRSS'))
family = watchlib.processes()
services = {p: (k, sum(watchlib.idle_descriptors(p, 0.1).values()),
                watchlib.status(p, 'VmRSS')) for p, k in family.items()
            if k in ('courier', 'picket-store')}
code, seconds = d.stop()
tell(code == 0 and seconds < 10 * SLOW, 'TERM: it ends, status 0', code,
     seconds)
left = watchlib.processes()
tell(not left, 'no process is left', left)
watchlib.end_known(left)
tell(not watchlib.locks(site.state), 'no lock is held',
     watchlib.locks(site.state))
first = Daemon(site, env=dict([MARK.split('=')]))
time.sleep(3)
new_fds = watchlib.idle_descriptors(first.pid, 2)
new_rss = watchlib.status(first.pid, 'VmRSS')
new = {k: (sum(watchlib.idle_descriptors(p, 0.1).values()),
           watchlib.status(p, 'VmRSS'))
       for p, k in watchlib.processes().items()}
first.stop()
tell(fds == new_fds, 'it has the descriptors that a new one has: %d' %
     sum(fds.values()), 'more: %s' % (fds - new_fds),
     'less: %s' % (new_fds - fds))
print('# VmRSS %d KiB before, %d after; a new one %d' % (rss, after, new_rss))
tell(0 < after <= max(rss, new_rss) + 256 * SLOW, 'and no more memory', rss,
     after, new_rss)
many = [(k, n, new[k]) for k, n, _ in services.values()
        if k in new and n != new[k][0]]
tell(not many, 'so have those that it has given each site', many)
print('# of those that stay: %s; new ones: %s' % (
    sorted(services.values()), {k: new[k] for k in sorted(new)}))

# --- no run on half a configuration ---

good = {n for n, _, _ in applied}
half, stale, runs = [], [], 0
for name in sorted(os.listdir(rec)):
    for line in slurp(os.path.join(rec, name)).split('\n'):
        m = re.search(r'(\d+) (\d+) (\d+) (\d+\.\d+)$', line)
        if not name.startswith(('Tri', 'Long')) or not line or \
                name.endswith('.end'):
            continue
        runs += 1
        if not m:
            half.append((name, line))
            continue
        seen, at = set(map(int, m.groups()[:3])), float(m.group(4))
        if len(seen) != 1 or not seen <= good:
            half.append((name, line))
            continue
        # it began under this version: after it was asked for, and at most a
        # moment after the next one was in force
        n = seen.pop()
        k = [a[0] for a in applied].index(n)
        if at < applied[k][1] or (k + 1 < len(applied) and
                                  at > applied[k + 1][2] + 3 * SLOW):
            stale.append((name, line, applied[k:k + 2]))
tell(runs > 50 and not half, '%d runs saw one version each, a good one' %
     runs, len(half), *half[:5])
tell(not stale, 'and the one in force', len(stale), *stale[:3])
ends = [(n, line) for n in os.listdir(rec) if n.endswith('.end')
        for line in slurp(os.path.join(rec, n)).split('\n') if line and
        not re.search(r'(\d+) \1 \d+\.\d+$', line)]
tell(any(n.endswith('.end') for n in os.listdir(rec)) and not ends,
     'a run that a reload overtakes ends on its own version', ends[:5])
mixed = []
for m in list(relay.mails):
    for line in re.findall(rb'SEEN (\d+) (\d+) (\d+)\.', m.content):
        to = re.findall(r'v(\d+)@', ' '.join(m.to))
        if len(set(map(int, line)) | set(map(int, to))) != 1 or not to:
            mixed.append((m.to, line))
tell(not mixed, 'and its mail goes where that version says', len(mixed),
     mixed[:5])

# --- no state lost ---

db = sqlite3.connect(os.path.join(site.state, 'state.db'))
check = db.execute('PRAGMA integrity_check').fetchall()
tell(check == [('ok',)], 'the state is whole', check)
rows = [(a.decode(), due, b, e, r.decode()) for a, due, b, e, r in db.execute(
    'SELECT alert, due, began, ended, result FROM run WHERE due IS NOT NULL '
    'ORDER BY due')]
db.close()
print('# %d rows: %s' % (len(rows), dict(collections.Counter(
    r[4] for r in rows))))
tell(rows and all(r[4] == 'ok' for r in rows), 'all runs are done',
     [r for r in rows if r[4] != 'ok'][:5])
by_alert = collections.defaultdict(list)
for r in rows:
    by_alert[r[0]].append(r)
jumps = []
for name in sorted(os.listdir(rec)):
    if not name.startswith(('Keep', 'Fire', 'Again')):
        continue
    n = [int(m.group(1)) for m in re.finditer(
        r'(\d+) \d+\.\d+$', slurp(os.path.join(rec, name)), re.M)]
    at = next((i for i, x in enumerate(n) if x != i + 1), None)
    if at is not None or len(n) != len(by_alert[name]):
        jumps.append((name, len(n), len(by_alert[name]),
                      at is not None and n[max(0, at - 3):at + 3]))
tell(len(os.listdir(rec)) > 25 and not jumps, 'counters go up by one with each '
     'run', *jumps[:5])
lost = []
for name, mine in by_alert.items():
    if not name.startswith(('Tri', 'Keep', 'Fire')):
        continue
    dues = {round(r[1], 3) for r in mine}
    t = min(dues) + 2
    while t < last_due:
        if round(t, 3) not in dues and not any(
                r[1] < t <= r[3] + 1 for r in mine):
            lost.append((name, t))
        t += 2
tell(not lost, 'no due time is lost by a reload', len(lost), lost[:10],
     [(a, b, c) for a, b, c in applied if lost and
      abs(b - lost[0][1]) < 2])

# --- no mail repeated ---

all_mails = watchlib.bodies(relay)
again = [i for i, copies in all_mails.items() if len(copies) > 1]
tell(not again, 'no mail comes twice (there are %d)' % len(all_mails),
     again[:5])
fires = mails(r'\[[^]]*\] FIRES (\w+)\.$')
tell(len(fires) == 4 and all(len(i) == 1 for i in fires.values()),
     'an incident that goes on is told once', dict(fires))
lines = mails(r'LINE (\w+) (\d+)\.$')
twice = [(k, i) for k, i in lines.items() if len(i) > 1]
tell(lines and not twice, 'each line is mailed once', twice[:5])
no = [(a, n) for a in ('Keep00', 'Keep01')
      for n in range(1, len(by_alert[a]) + 1) if (a, str(n)) not in lines]
tell(not no, 'and each is mailed', len(no), no[:5])
n = told()
print('# %d mails of %d stretches that were wrong' % (n, stretches + 1))
tell(1 <= n <= stretches + 1, 'of each stretch that was wrong there is one '
     'mail at most', n, stretches)
end()
