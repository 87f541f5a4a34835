#!/usr/bin/python3
# runner: timeout=600 long-timeout=3600
"""SIGKILL of each kind of process of picketd, at random, under load; who is
killed is picketd itself (and started again by this harness), the store, runs,
the courier, emergency workers, picket-deliver, picket-http, and the runners that
tell and ask.  make check: 60 kills; PICKET_LONG=1: 200; KILLS=N, SEED=N.

What is judged by are records that picketd does not keep: each run appends a
line to a file of its own as it begins, a mail server that somebody else wrote
keeps each mail, and this harness when picketd was there.
"""

import collections
import os
import random
import re
import signal
import sqlite3
import subprocess
import time

from daemonlib import PICKETD, SLOW, fresh, rows
import watchlib
from watchlib import MARK, WORD, processes, slurp
from delivery import Relay, free_port, need_aiosmtpd
from tap import end, tell

need_aiosmtpd()
os.umask(0o022)
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
KILLS = int(os.environ.get('KILLS', 200 if LONG else 60))
SEED = int(os.environ.get('SEED', time.time_ns() % 1000000))
random.seed(SEED)
print('# SEED=%d KILLS=%d' % (SEED, KILLS))
# how often each kind is the one
WEIGHT = {'picketd': 5, 'picket-store': 4, 'run': 6, 'courier': 3,
          'emergency': 3, 'picket-deliver': 3, 'picket-http': 2, 'short': 2}

# --- the site ---

site = fresh('killed')
site.dir_rec = os.path.join(site.root, 'rec')
os.mkdir(site.dir_rec)
relay = Relay()
site.write('picket.conf', 'mailto root@localhost\nmailfrom picket@localhost\n'
           'hostname moscow\nsmtp 127.0.0.1:%d\nlogdir %s/log\n'
           'http 127.0.0.1:%d\nparallel 10\n' % (
               relay.port, site.root, free_port()))

COUNT = '''        set #n = %#n
        set #n += 1
        output log "{rec}/NAME" "#{{#n}} $text(#clock(), 6)"
'''.format(rec=site.dir_rec)
# an episode of ten runs: it fires with the fourth, ends with the eighth
EPISODE = '''        set #e = #trunc(#n / 10)
        set #k = #n - 10 * #e
        incident "NAME:#{#e}"
                when #k >= 3 && #k < 7
                message "EPISODE NAME #{#e}."
        endincident
'''
LINE = '        output mail "LINE NAME #{#n}."\n'
INIT = '    init\n        status active\n        level warning\n'
scripts = {}


def add(name, lines, body, init=''):
    scripts[name] = (lines, (INIT + init + '    begin\n' + body).replace(
        'NAME', name))


for i in range(20):
    add('Num%02d' % i, ['every 2s'], COUNT + EPISODE)
for i in range(6):
    add('Mail%02d' % i, ['every 3s'], COUNT + LINE + EPISODE)
for i in range(6):
    add('Cmd%02d' % i, ['every 2s'], COUNT + EPISODE + '''    rule
        exec wait "echo $inline >> %s/NAME.did"
''' % site.dir_rec, '        input proc "=echo one"\n')
# what leaves its session is ended with its run
for i in range(3):
    add('Sid%02d' % i, ['every 3s'], COUNT + '    rule\n        output mail '
        '"LINE NAME #{#n}."\n', '        input proc "setsid sleep %s '
        '>/dev/null 2>&1 & sleep 0.3; echo one"\n' % WORD)
for i, overlap in enumerate(('skip', 'queue', 'kill', 'queue')):
    add('Long%02d' % i, ['every 3s', 'overlap ' + overlap], COUNT +
        '        exec wait "sleep %s.%s"\n' % (2 if overlap == 'kill' else 4,
                                              WORD[1:].replace('.', '')))
add('Memory', ['every 10s'], '        set #a = 1\n    rule\n        if '
    '#avail < 1\n                output mail "no memory: #{#avail}"\n        '
    'fi\n', '        input table memory\n        watch memory\n        dat '
    '#avail "MemAvailable"\n')
site.alerts(**scripts)
EVERY = {n: int(re.search(r'every (\d+)s', ls[0]).group(1))
         for n, (ls, _) in scripts.items()}

# --- the daemon, started again and again ---

up = []				# (from, to), of picketd
faults = []			# what it did by itself and should not
seen_groups = set()
log = open(os.path.join(site.root, 'out'), 'ab')


class Picketd:
    def __init__(self):
        self.began = time.time()
        self.at = log.tell()
        self.p = subprocess.Popen(
            [PICKETD, '-f', '--config', site.dir, '--state', site.state,
             '--log', 'stderr debug'], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, env=dict(os.environ, **dict([MARK.split('=')])))
        self.pid = self.p.pid

    def ready(self, seconds=20):
        until = time.monotonic() + seconds * SLOW
        while time.monotonic() < until and self.p.poll() is None:
            with open(log.name, 'rb') as f:
                f.seek(self.at)
                if b' entries, at most ' in f.read():
                    return True
            time.sleep(0.02)
        return False

    def gone(self):
        """By itself: it should not."""
        if self.p.poll() is None:
            return False
        faults.append('picketd ended by itself, %d: %s' % (
            self.p.returncode, slurp(log.name)[-600:]))
        up.append((self.began, time.time()))
        return True


def start():
    d = Picketd()
    if random.random() < 0.8:
        d.ready()
    return d


d = Picketd()
if not d.ready():
    tell(False, 'it starts', slurp(log.name)[-2000:])
    end()
tell(True, 'it starts')
killed = collections.Counter()
missing = collections.Counter()
began = time.time()


def kill_one(kind):
    """True: there was one, and it was killed."""
    for _ in range(40):
        here = processes()
        for pid in here:
            seen_groups.update(watchlib.groups(pid))
        pids = [p for p, k in here.items() if k == kind]
        if pids:
            watchlib.end_known([random.choice(pids)])
            return True
        time.sleep(0.02)
    return False


shaken = []     # when the store, or all, was killed
last_quarter = KILLS * 3 // 4
while sum(killed.values()) < KILLS:
    time.sleep(random.choice((0.05, 0.2, 0.5, 1.0)) * random.random() * 2)
    if d.gone():
        d = start()
    # the last ones leave picketd alive: it is looked at for leaks
    names = [k for k in WEIGHT if k != 'picketd' or
             sum(killed.values()) < last_quarter]
    kind = random.choices(names, [WEIGHT[n] for n in names])[0]
    if kind != 'picketd':
        if kill_one(kind):
            killed[kind] += 1
            if kind == 'picket-store':
                shaken.append(time.time())
        else:
            missing[kind] += 1
        continue
    d.p.kill()
    shaken.append(time.time())
    up.append((d.began, time.time()))
    killed[kind] += 1
    # a crash of several at once
    if random.random() < 0.5:
        other = random.choice(('run', 'run', 'picket-store', 'courier'))
        killed[other] += kill_one(other)
        shaken.append(time.time())
    d.p.wait()
    time.sleep(random.choice((0, 0.1, 1, 4)) * random.random())
    d = start()
print('# %d kills in %.0f s: %s' % (sum(killed.values()), time.time() - began,
                                    dict(killed)))
if missing:
    print('# not there when looked for: %s' % dict(missing))
tell(set(killed) >= set(WEIGHT) - {'short'}, 'each kind was killed', killed)

# --- quiet: all that is left is told ---

quiet = time.time()


def waiting():
    return rows(site, 'SELECT due, tries, why FROM outbox')


def term(d):
    """Its status, and the seconds that it took."""
    began = time.time()
    d.p.send_signal(signal.SIGTERM)
    try:
        return d.p.wait(20 * SLOW), time.time() - began
    except subprocess.TimeoutExpired:
        d.p.kill()
        return d.p.wait(), 20


time.sleep(6)
if d.gone():
    d = start()
    d.ready()
stop = last_due = time.time()
p = subprocess.run([os.environ['PICKET'], 'pause', '--run', site.state],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)
tell(p.returncode == 0, 'picket pause', p.stdout)
time.sleep(7)			# the longest run takes four
print('# mails that wait: %s' % waiting())
last_fds = watchlib.idle_descriptors(d.pid, 2)
rss, age = watchlib.status(d.pid, 'VmRSS'), time.time() - d.began
code, took = term(d)
up.append((d.began, stop))
tell(code == 0 and took < 10 * SLOW,
     'TERM: it ends within ten seconds, status 0', code, took)
# one that nobody has killed anything of, and that runs nothing either
d = Picketd()
tell(d.ready(), 'it starts once more')
time.sleep(3)
for _ in range(90 * SLOW):	# mail whose sender was killed is tried again
    if not waiting():
        break
    time.sleep(1)
tell(not waiting(), 'nothing waits in the outbox', waiting())
first_fds = watchlib.idle_descriptors(d.pid, 2)
fresh_rss = watchlib.status(d.pid, 'VmRSS')
code, took = term(d)
tell(code == 0 and took < 10 * SLOW, 'and ends', code, took)
tell(last_fds == first_fds, 'picketd has the descriptors that a new one has: '
     '%d' % sum(last_fds.values()), 'more: %s' % (last_fds - first_fds),
     'less: %s' % (first_fds - last_fds))
print('# VmRSS %d KiB after %.0f s, of a new one %d' % (rss, age, fresh_rss))

# --- what is left behind ---

time.sleep(0.5)
left = processes()
tell(not left, 'no process is left', {p: (k, slurp('/proc/%d/cmdline' % p),
                                          slurp('/proc/%d/stat' % p)[-200:])
                                      for p, k in left.items()})
watchlib.end_known(left)
tell(not watchlib.locks(site.state), 'no lock is held',
     watchlib.locks(site.state))
trails = [f for f in os.listdir(os.path.join(site.state, 'run'))
          if f.endswith('.run')] if os.path.isdir(
              os.path.join(site.state, 'run')) else []
tell(not trails, 'no record of a run is left', trails)
folders = watchlib.group_folders(seen_groups)
tell(not folders, 'no cgroup is left (there were %d)' % len(seen_groups),
     folders)
tell(not faults, 'picketd never ended by itself', *faults)

relay.server.stop()

db = sqlite3.connect(os.path.join(site.state, 'state.db'))
check = db.execute('PRAGMA integrity_check').fetchall()
tell(check == [('ok',)], 'the state is whole', check)


def text(x):
    return x.decode() if isinstance(x, bytes) else x


all_rows = [tuple(map(text, r)) for r in db.execute(
    'SELECT alert, due, began, ended, result, reason, run, pid, error FROM run '
    'WHERE due IS NOT NULL ORDER BY began')]
db.close()
by_alert = collections.defaultdict(list)
for r in all_rows:
    by_alert[r[0]].append(r)
results = collections.Counter((r[4], r[5]) for r in all_rows)
print('# %d rows: %s' % (len(all_rows), ', '.join(
    '%d %s %s' % (n, *k) for k, n in sorted(results.items()))))
tell({r[4] for r in all_rows} <= {'ok', 'failed', 'stopped', 'died',
                                  'interrupted'}, 'each row is at its end',
     results)
tell(len({r[:2] for r in all_rows}) == len(all_rows),
     'one row for each alert and due')

# --- each run was begun once ---

EPS = 0.001
twice, none, jumps = [], [], []
final = {}
for alert in scripts:
    if alert == 'Memory':
        continue
    # {number, time} as the runs themselves wrote them
    record = []
    for line in slurp(os.path.join(site.dir_rec, alert)).split('\n'):
        m = re.search(r'(\d+) (\d+\.\d+)$', line)
        if m:
            record.append((int(m.group(1)), float(m.group(2))))
        elif line.strip():
            faults.append('torn: ' + line)
    # the rows that ended well have an exact time, others a wide one
    taken = {}
    for good in (True, False):
        for r in by_alert[alert]:
            if (r[4] == 'ok') != good:
                continue
            mine = [i for i, (_, t) in enumerate(record)
                    if i not in taken and r[2] <= t <= r[3] + EPS]
            if mine:
                taken[mine[0]] = r
            if (good and len(mine) != 1):
                none.append((alert, r, [record[i] for i in mine]))
    for i, (n, t) in enumerate(record):
        if i not in taken:
            twice.append((alert, n, t, [r for r in by_alert[alert]
                                        if abs(r[2] - t) < 8]))
        want = 1 if i == 0 else record[i - 1][0] + (
            i - 1 in taken and taken[i - 1][4] == 'ok')
        if n != want:
            jumps.append((alert, 'number %d at %.3f, not %d' % (n, t, want),
                          record[max(0, i - 2):i + 1],
                          taken.get(i - 1), taken.get(i)))
    final[alert] = sum(r[4] == 'ok' for r in by_alert[alert])
tell(not twice, 'no run but those that have a row', len(twice), *twice[:4])
tell(not none, 'each row that is done has its run', len(none), *none[:4])
tell(not jumps, 'kept counters go up by one with each run that is done, and by '
     'nothing else', len(jumps), *jumps[:4])

# --- each due time ---


lost, unmade, unmade_ok, stray = [], [], 0, []
starts = sorted(a for a, _ in up)[1:]
for alert, every in EVERY.items():
    mine = by_alert[alert]
    if not mine:
        lost.append((alert, 'never'))
        continue
    dues = {round(r[1], 3): r for r in mine}
    phase = round(min(dues) % every, 3)
    stray += [(alert, x) for x in dues if abs((x - phase) % every) > 0.01
              and abs((x - phase) % every - every) > 0.01]
    t = min(dues)
    while t < last_due:
        t = round(t + every, 3)
        if t in dues or t > last_due:
            continue
        # it ran or waited then: the next is skipped, as overlap says
        if any(r[1] < t <= r[3] + 0.8 for r in mine):
            continue
        # picketd was started since, and made it up, with others that were
        # missed, by the last of them
        later = min((x for x in dues if x > t), default=None)
        if later is not None and dues[later][5] == 'made-up' and \
                any(t < a < dues[later][2] for a in starts):
            unmade_ok += 1
            continue
        lost.append((alert, 'due %.3f' % t,
                     [r for r in mine if abs(r[1] - t) < 2 * every + 1]))
tell(not stray, 'due times are those of the timing', stray[:5])
tell(not lost, 'each due time has its row, or is made up by one',
     len(lost), *lost[:4], up)
print('# %d due times were missed with others, and are made up by the last' %
      unmade_ok)
# what was missed altogether is due at once when picketd is back, once
for alert, every in EVERY.items():
    mine = by_alert[alert]
    for (_, b), a in zip(sorted(up), starts):
        after = [r for r in mine if b < r[1] <= a]
        if len(after) > 1:
            unmade.append((alert, b, a, after))
tell(not unmade, 'what was missed is made up once', len(unmade), *unmade[:4])

# --- mail ---

mails = watchlib.bodies(relay)
copies = sum(len(c) for c in mails.values())
print('# %d mails, %d of them a second time' % (len(mails),
                                                copies - len(mails)))
tell(all(x == c[0] for c in mails.values() for x in c),
     'a second copy is the same mail')
lines = watchlib.where(mails, r'LINE (\w+) (\d+)\.$')
unmailed = [(a, n) for a in scripts if a.startswith(('Mail', 'Sid'))
            for n in range(1, final[a] + 1) if (a, str(n)) not in lines]
tell(not unmailed, 'each line of a run that is done is mailed', len(unmailed),
     unmailed[:10])
more = [(k, ids) for k, ids in lines.items()
        if len(ids) > 1 + sum(r[4] != 'ok' for r in by_alert[k[0]])]
tell(not more, 'and once but for runs that were killed', more[:5])
onset = watchlib.where(mails, r'\[firing\] EPISODE (\w+) (\d+)\.$')
over = watchlib.where(mails, r'\[resolved[^]]*\] EPISODE (\w+) (\d+)\.$')
for what, got, at in (('onset', onset, 3), ('end', over, 7)):
    want = [(a, str(e)) for a in scripts if 'EPISODE' in scripts[a][1]
            for e in range(final[a] // 10 + 1) if 10 * e + at <= final[a] and
            (e > 0 or at > 0)]
    no = [k for k in want if k not in got]
    tell(want and not no, 'each %s of an incident is mailed: %d' % (
        what, len(want)), len(no), no[:10])
    # a run that cannot know whether its store has taken it says so at once;
    # the next one, of a store that has not, says it again: rather twice than
    # never
    many = [(k, ids) for k, ids in got.items() if len(ids) > 1]
    print('# %d of them twice, around a kill of the store' % len(many))
    many = [(k, ids) for k, ids in many if len(ids) > 2 or not any(
        float(ids[0][1:].rsplit('.', 3)[0]) - 8 < t <
        float(ids[-1][1:].rsplit('.', 3)[0]) + 8 for t in shaken)]
    tell(not many and len(got) < 1.1 * len(want), 'each %s is one mail, but '
         'where the store was killed' % what, len(many), many[:5])
    extra = [k for k in got if k not in want]
    tell(not extra, 'and no %s that was not' % what, extra[:10])
end()
