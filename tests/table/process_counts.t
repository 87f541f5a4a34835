#!/usr/bin/env python3
"""The table process_counts: a recorded host of 2,000, ties, what does not fit;
and this machine against what Python counts."""

import collections
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import tell, end
import roots
import tables
from tables import ask


def same(what, got, want):
    tell(got == want, what, 'got  %r' % (got,), 'want %r' % (want,))


def counts(root='', columns='user uid comm count rss cpu pid age unit ppid'):
    rows = ask('process_counts', columns, root, text=('comm',))
    return {(r.get('uid'), r['comm']): r for r in rows}, rows


big = tables.folder('big')
roots.big(big)
got, rows = counts(big)
same('a row for each user and name', len(rows), 2 + 98 + 1 + 9 + 1)
same('one of them', got[1003, b'imapd'], {
    'user': b'u3', 'uid': 1003, 'comm': b'imapd', 'count': 200,
    'rss': 200 * 256 * 4096, 'cpu': 300, 'pid': 1003, 'age': 100000 - 6.03,
    'unit': b'dovecot.service', 'ppid': 200})
same('the oldest is not the lowest number', (got[89, b'smtpd']['pid'],
                                             got[89, b'smtpd']['age']),
     (5059, 100000 - 89.41))
same('zombies are left out', [k for k in got if k[0] == 33], [])

# --- which parent, which is the oldest ---
d = tables.folder('parents')
roots.host(d)
for pid, ppid, start in [(10, 7, 50), (11, 5, 40), (12, 5, 40), (13, 7, 60),
                         (14, 9, 70)]:
    roots.process(d, pid, 'a', ppid=ppid, start=start)
for pid, ppid in [(20, 3), (21, 3), (22, 4), (23, 4), (24, 4), (25, 3),
                  (26, 3)]:
    roots.process(d, pid, 'b', ppid=ppid)
roots.process(d, 30, 'c', uid=1, utime=3, stime=4)
roots.process(d, 31, 'c', uid=1, utime=7, stime=0)
roots.process(d, 40, 'd', state='Z')
roots.put(d, 'proc/50/stat', '50 (e) S 1')
roots.put(d, 'proc/51/stat', '51 junk')
roots.put(d, 'proc/30/cgroup', '0::/old.service\n')
got, rows = counts(d)
same('parents: most of them, then the lowest', got[0, b'a']['ppid'], 5)
same('parents: most of them, found late', got[0, b'b']['ppid'], 3)
same('the oldest: of two as old the lowest number', got[0, b'a']['pid'], 11)
same('processor seconds are summed as ticks', got[1, b'c']['cpu'], 0.14)
same('a unit of the oldest', got[1, b'c']['unit'], b'old.service')
same('a stat that ends early counts', [
    (r['user'], r['count'], r['rss'], r['age'], r['ppid'])
    for r in rows if r['comm'] == b'e'], [(None, 1, 0, None, 1)])
same('no name, no count', len(rows), 4)

# --- more users and names than there is place for ---
d = tables.folder('full')
for i in range(8200):
    roots.put(d, 'proc/%d/stat' % (i + 1), '%d (n%d) S 1' % (i + 1, i))
for i in range(5):
    roots.put(d, 'proc/%d/stat' % (i + 9000), '%d (n0) S 1' % i)
    roots.put(d, 'proc/%d/stat' % (i + 9100), '%d (n8199) S 1' % i)
got, rows = counts(d, 'comm count')
same('8,192 are counted', (len(rows), rows.status), (8192, 0))
same('those that have a place go on', got[None, b'n0']['count'], 6)
same('and one warning says how many are not', rows.err,
     'WARNING: table process_counts: 13 processes are left out: there are '
     'more than 8192 different users and names\n')
d = tables.folder('none')
tell('cannot open' in ask('process_counts', 'comm', d).err, 'no proc')

# --- this machine ---
kids = [subprocess.Popen(['sleep', '300']) for _ in range(7)]
try:
    for k in kids:			# until it is sleep
        while open('/proc/%d/comm' % k.pid).read() != 'sleep\n':
            time.sleep(.01)

    def by_python():
        n = collections.Counter()
        for p in os.listdir('/proc'):
            try:
                with open('/proc/%s/stat' % p, 'rb') as f:
                    t = f.read()
                uid = os.stat('/proc/' + p).st_uid
            except OSError:
                continue
            end = t.rindex(b')')
            if p.isdigit() and t[end + 2:end + 3] not in b'ZX':
                n[uid, t[t.index(b'(') + 1:end]] += 1
        return n
    for i in range(20):			# until nothing comes or goes meanwhile
        before = by_python()
        got, rows = counts()
        after = by_python()
        mine = {k: int(r['count']) for k, r in got.items() if
                k[1] != b'rows'}
        off = {k: (before[k], mine.get(k, 0), after[k])
               for k in set(before) | set(mine) | set(after)
               if not min(before[k], after[k]) <= mine.get(k, 0) <=
               max(before[k], after[k])}
        if not off:
            break
        time.sleep(.1)
    same('as Python counts this machine', off, {})
    same('parent of those that were started here',
         got[os.getuid(), b'sleep']['ppid'] == os.getpid() or
         got[os.getuid(), b'sleep']['count'] > 13, True)
finally:
    for k in kids:
        k.kill()
        k.wait()
end()
