#!/usr/bin/env python3
"""memory, pressure, beancounters and mounts: the machine's own beside what
other tools say of it, recorded ones, and damaged ones.
"""

import os
import random
import re
import subprocess

from hosttable import Root, damaged, number, rows
from tap import end, skip, tell

ROOTS = os.path.join(os.environ['SRCDIR'], 'tests/table/roots')


def fails(table, root, *parts):
    got = rows(table, root=root.path)
    tell(got.status == 1 and not got.out and
         all(p in got.err for p in parts),
         '%s: %s' % (table, ' '.join(parts)), got)


# The machine's own memory.  What moves between two looks moves little.
def meminfo():
    with open('/proc/meminfo') as f:
        return dict(re.match(r'([^:]+): +(\d+)( kB)?', line).groups()[:2]
                    for line in f)


got = rows('memory')
real = meminfo()
row = got.rows[0] if got.rows else {}
tell(got.status == 0 and len(got.rows) == 1, 'memory: one row', got)
tell(number(row.get('MemTotal')) == int(real['MemTotal']) * 1024,
     'MemTotal in bytes', got)
tell(all(row[c] is not None for c in row if c != 'swap_share'),
     'no column of this kernel is missing', got)
tell(abs(number(row['MemAvailable']) - int(real['MemAvailable']) * 1024)
     < 512 << 20, 'MemAvailable agrees', got, real)
tell(number(row['HugePages_Total']) == int(real['HugePages_Total']),
     'huge pages are a number', got)
tell(abs(number(row['available_share']) -
         number(row['MemAvailable']) / number(row['MemTotal'])) < 1e-9,
     'available_share', got)
free = subprocess.run(['free', '-b'], stdout=subprocess.PIPE, text=True)
if free.returncode == 0:
    tell(free.stdout.split('\n')[1].split()[1] == row['MemTotal'],
         'free says so too', got, free.stdout)

starved = os.path.join(ROOTS, 'starved')
row = rows('memory', root=starved).rows[0]
tell(row['MemTotal'] == '2067034112' and row['MemAvailable'] == '43167744' and
     row['Active_anon'] == '1593950208' and row['HugePages_Total'] == '4',
     'a starved host', row)
tell(abs(number(row['swap_share']) - 0.99) < 0.01, 'its swap is full', row)

with Root(**{'proc/meminfo': 'MemTotal:  100 kB\nMemFree: -3 kB\nCached:\n'
             'Dirty: 5 pages\nAnonPages: 123456789012345678901234 kB\n'
             'SwapTotal: 0 kB\nSwapFree: 0 kB\nNew: 7 kB\nSlab: 9'}) as r:
    row = rows('memory', root=r.path).rows[0]
    tell(row['MemTotal'] == '102400' and row['Slab'] == '9' and
         all(row[c] is None for c in ('MemFree', 'Cached', 'Dirty',
             'AnonPages', 'MemAvailable', 'available_share', 'swap_share')),
         'what cannot be read is NIL, never 0', row)
with Root(**{'proc/meminfo': 'nothing\n' * 9}) as r:
    fails('memory', r, 'proc/meminfo', 'kernel')
with Root() as r:
    fails('memory', r, r.path + '/proc/meminfo', 'No such file')
with Root(**{'proc/meminfo/x': ''}) as r:
    fails('memory', r, 'proc/meminfo')

# Pressure.
got = rows('pressure')
if os.path.isdir('/proc/pressure'):
    real = {}
    for name in os.listdir('/proc/pressure'):
        with open('/proc/pressure/' + name) as f:
            for line in f:
                real[name, line.split()[0]] = float(line.rsplit('=')[-1]) / 1e6
    mine = {(r['resource'], r['kind']): r for r in got.rows}
    tell(set(mine) == set(real), 'pressure: each resource and kind', got)
    tell(all(abs(number(mine[k]['total']) - real[k]) < 60 for k in real),
         'totals agree', got, real)
    tell(all(0 <= number(r[c]) <= 1 for r in got.rows
             for c in ('avg10', 'avg60', 'avg300')), 'shares', got)
else:
    tell(got.status == 1 and 'CONFIG_PSI' in got.err, 'no pressure', got)
got = rows('pressure', root=starved)
tell([(r['resource'], r['kind'], r['avg10'], r['total']) for r in got.rows] ==
     [('cpu', 'some', '0.0312', '86.112043'), ('cpu', 'full', '0', '0'),
      ('memory', 'some', '0.8714', '1203.990017'),
      ('memory', 'full', '0.802', '1101.25'),
      ('io', 'some', '0.911', '2011.5'), ('io', 'full', '0.85', '1980.000001')],
     'pressure of a starved host', got)
with Root() as r:
    fails('pressure', r, r.path + '/proc/pressure', 'CONFIG_PSI', 'psi=1')
with Root(**{'proc/pressure/memory': 'some avg10=x avg60=-1 total=12\nhalf 1\n'
             'full\nfull avg300=200.00 avg10'}) as r:
    got = rows('pressure', root=r.path)
    tell([(g['kind'], g['avg10'], g['avg60'], g['avg300'], g['total'])
          for g in got.rows] ==
         [('some', None, None, None, '1.2e-05'),
          ('full', None, None, None, None), ('full', None, None, '2', None)],
         'wrong numbers are NIL', got)

# Beancounters.
got = rows('beancounters', root=os.path.join(ROOTS, 'openvz'))
by = {(r['uid'], r['resource']): r for r in got.rows}
r = by.get(('101', 'numothersock'), {})
tell([r.get(c) for c in ('held', 'maxheld', 'barrier', 'limit', 'failcnt')] ==
     ['391', '400', '400', '400', '18'], 'numothersock of 101', got)
tell(by[('101', 'lockedpages')]['limit'] is None and
     by[('101', 'physpages')]['barrier'] == '0', 'unlimited is NIL', got)
tell(not any(k[1] == 'dummy' for k in by) and len(got.rows) == 20,
     'no row of an unused place', got)
later = rows('beancounters', root=os.path.join(ROOTS, 'openvz-later'))
tell([(g['failcnt']) for g in later.rows if g['resource'] == 'numothersock']
     == ['57'], 'its failcnt rises', later)
with open(os.path.join(ROOTS, 'openvz/proc/user_beancounters')) as f:
    text = f.read()
old = '\n'.join(text.split('\n')[1:])
with Root(**{'proc/user_beancounters': old}) as r:
    tell(rows('beancounters', root=r.path).out == got.out,
         'the format without a version', got)
with Root(**{'proc/user_beancounters':
             text + '      102:  numproc 12 13 2147483647 2147483647\n'
             '  oomguarpages -1 2\n 103:\n  numtcpsock 7'}) as r:
    tail = rows('beancounters', root=r.path).rows[-3:]
    tell([(t['uid'], t['resource'], t['held'], t['maxheld'], t['limit'],
           t['failcnt']) for t in tail] ==
         [('102', 'numproc', '12', '13', None, None),
          ('102', 'oomguarpages', None, '2', None, None),
          ('103', 'numtcpsock', '7', None, None, None)],
         'two containers, a 32 bit host, cut lines', tail)
with Root() as r:
    fails('beancounters', r, 'proc/user_beancounters', 'OpenVZ')

# Mounts.
got = rows('mounts')
find = subprocess.run(['findmnt', '-rno', 'TARGET,FSTYPE'],
                      stdout=subprocess.PIPE, text=True)
if find.returncode == 0:
    tell(sorted('%s %s' % (m['mount'], m['type']) for m in got.rows) ==
         sorted(find.stdout.split('\n')[:-1]), 'findmnt says so too',
         got, find.stdout)
else:
    skip('findmnt says so too', 'no findmnt')
got = rows('mounts', root=os.path.join(ROOTS, 'mounts'))
by = {m['mount']: m for m in got.rows}
tell('/mnt/two words' in by and '/mnt/a\\nb\\c' in by, 'odd names', got)
tell(by['/data']['options'] == 'ro,noatime,discard' and
     by['/data']['device'] == '/dev/sdb1', 'read-only below: ro', got)
tell(by['/']['options'] == 'rw,relatime,errors=remount-ro', 'options', got)
with Root(**{'proc/self/mountinfo': b'1 2 8:1 / /good rw - ext4 /dev/a rw\n' +
             b'3 4 8:2 / /' + b'x' * 70000 + b' rw - ext4 /dev/b rw\n' +
             b'5 6 8:x / /bad rw - ext4 /dev/c rw\n7 8 8:3 / /cut rw\n' +
             b'9 9 8:4 / /end rw opt:1 - ext4 /dev/d rw'}) as r:
    got = rows('mounts', root=r.path)
    tell([m['mount'] for m in got.rows] == ['/good', '/end'],
         'lines that are too long, cut or wrong are left out', got)

# Whatever stands there: an answer or an error, and nothing else.
random.seed(5)
wrong = []
for folder, table, name in (
        ('starved', 'memory', 'proc/meminfo'),
        ('starved', 'pressure', 'proc/pressure/memory'),
        ('openvz', 'beancounters', 'proc/user_beancounters'),
        ('mounts', 'mounts', 'proc/self/mountinfo')):
    with open(os.path.join(ROOTS, folder, name), 'rb') as f:
        text = f.read()
    with Root() as r:
        for n in range(60):
            bad = damaged(text, random)
            r.put(name, bad)
            got = rows(table, root=r.path)
            if got.status not in (0, 1) or \
                    (table != 'mounts' and '=-' in got.out) or \
                    (got.status == 1) != bool(got.err):
                wrong.append((table, bad, got))
tell(not wrong, '240 damaged files', *wrong[:3])
end()
