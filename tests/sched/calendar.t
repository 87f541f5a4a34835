#!/usr/bin/env python3
"""The calendar of timings against a reference that walks minute by minute.

The reference has its zones from zoneinfo and its own reader of the fields; it
knows nothing of jumps to the next match.  Its rule: a clock on the wall is
looked at each minute.  PICKET_LONG=1: more specifications, in each zone, and
every minute; else whole quarters of an hour in which the zone does not change.
"""
# runner: timeout=200 long-timeout=7200

import os
import random
import subprocess

from tap import end, tell
from walk import DAYS, MONTHS, QUARTER, Spec, Zone, at

DUE = os.path.join(os.environ['BUILDDIR'], 'tests/sched/due')
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe',
         'Pacific/Apia']
MORE = ['Asia/Kathmandu', 'America/Havana', 'Africa/Casablanca']


def answers(lines):
    p = subprocess.run([DUE], input='\n'.join(lines) + '\n',
                       stdout=subprocess.PIPE, text=True, timeout=3600)
    return [x.split() for x in p.stdout.splitlines()]


# --- by hand: what stands here was not computed ---

B, N, L, A = ZONES[1:]
HAND = [
    # Berlin, 2026-03-29: 02:00 is 03:00.  2026-10-25: 03:00 is 02:00.
    (B, '2026-03-28 12:00', '30 2 * * *',
     ['2026-03-29 03:00', '2026-03-30 02:30']),
    (B, '2026-03-28 12:00', '0,15,30 2 * * *',
     ['2026-03-29 03:00', '2026-03-30 02:00']),
    (B, '2026-03-28 12:00', '30 2,3 * * *',
     ['2026-03-29 03:00', '2026-03-29 03:30', '2026-03-30 02:30']),
    (B, '2026-03-28 12:00', '0 2-3 29 3 *',
     ['2026-03-29 03:00', '2027-03-29 02:00']),
    (B, '2026-03-28 12:00', '*/30 2 * * *',
     ['2026-03-30 02:00', '2026-03-30 02:30']),
    (B, '2026-03-29 01:30', '10 * * * *',
     ['2026-03-29 03:10', '2026-03-29 04:10']),
    (B, '2026-10-25 00:00', '30 2 * * *',
     ['2026-10-25 02:30', '2026-10-26 02:30']),
    (B, '2026-10-25 01:30', '30 * * * *',
     ['2026-10-25 02:30', '2026-10-25 02:30/1', '2026-10-25 03:30']),
    (B, '2026-10-25 02:50', '30 2 * * *', ['2026-10-26 02:30']),
    (B, '2026-10-25 02:10/1', '30 2,4 * * *', ['2026-10-25 04:30']),
    (B, '2026-10-25 02:10/1', '*/20 2 25 10 *',
     ['2026-10-25 02:20/1', '2026-10-25 02:40/1', '2027-10-25 02:00']),
    (B, '2026-10-25 02:10', '0 3 * * *', ['2026-10-25 03:00']),
    (N, '2026-03-08 00:00', '30 2 * * sun',
     ['2026-03-08 03:00', '2026-03-15 02:30']),
    (N, '2026-11-01 00:00', '30 1 * * *',
     ['2026-11-01 01:30', '2026-11-02 01:30']),
    (N, '2026-11-01 00:00', '*/30 1 * * *',
     ['2026-11-01 01:00', '2026-11-01 01:30', '2026-11-01 01:00/1',
      '2026-11-01 01:30/1', '2026-11-02 01:00']),
    # Lord Howe: half an hour, 2026-10-04 at 02:00, 2026-04-05 at 02:00
    (L, '2026-10-04 00:00', '15 2 * * *',
     ['2026-10-04 02:30', '2026-10-05 02:15']),
    (L, '2026-10-04 00:00', '45 2 * * *',
     ['2026-10-04 02:45', '2026-10-05 02:45']),
    (L, '2026-10-04 00:00', '30 2 4 10 *',
     ['2026-10-04 02:30', '2027-10-04 02:30']),
    (L, '2026-04-05 00:00', '45 1 * * *',
     ['2026-04-05 01:45', '2026-04-06 01:45']),
    (L, '2026-04-05 01:00', '45 * * * *',
     ['2026-04-05 01:45', '2026-04-05 01:45/1', '2026-04-05 02:45']),
    # Samoa went from 2011-12-29 to 12-31: no daylight saving, a correction
    (A, '2011-12-29 12:00', '0 6 * * *',
     ['2011-12-31 06:00', '2012-01-01 06:00']),
    (A, '2011-12-29 12:00', '0 6 30 * *',
     ['2012-01-30 06:00', '2012-03-30 06:00']),
    # Havana's midnight is skipped, and comes twice
    ('America/Havana', '2026-03-07 12:00', '0 0 * * *',
     ['2026-03-08 01:00', '2026-03-09 00:00']),
    ('America/Havana', '2026-10-31 12:00', '0 0 * * *',
     ['2026-11-01 00:00', '2026-11-02 00:00']),
    # days
    ('UTC', '2025-03-01 00:00', '0 0 29 2 *',
     ['2028-02-29 00:00', '2032-02-29 00:00']),
    ('UTC', '2097-01-01 00:00', '0 0 29 2 *', ['2104-02-29 00:00']),
    ('UTC', '2100-02-27 12:00', '0 0 29 * *', ['2100-03-29 00:00']),
    ('UTC', '2000-02-27 12:00', '0 0 29 * *', ['2000-02-29 00:00']),
    ('UTC', '2026-01-31 00:00', '0 0 31 * *',
     ['2026-03-31 00:00', '2026-05-31 00:00']),
    ('UTC', '2026-11-23 08:00', '0 8 1 * mon',
     ['2026-11-30 08:00', '2026-12-01 08:00', '2026-12-07 08:00']),
    ('UTC', '2026-11-23 08:00', '0 8 */2 * mon',
     ['2026-12-07 08:00', '2026-12-21 08:00']),
    ('UTC', '2026-12-31 23:59', '* * * * *', ['2027-01-01 00:00']),
    ('UTC', '1969-12-31 23:58', '* * * * *',
     ['1969-12-31 23:59', '1970-01-01 00:00']),
]


def local(text, zone):
    text, _, fold = text.partition('/')
    return at(text, zone, int(fold or 0))


ask = []
for zone, t, spec, want in HAND:
    ask += ['zone ' + zone, 'next %d %d %s' % (len(want), local(t, zone),
                                                spec)]
got = answers(ask)
for (zone, t, spec, want), g in zip(HAND, got):
    want = [str(local(w, zone)) for w in want]
    tell(want == g, '%s after %s, %s' % (spec, t, zone), want, g)
tell(len(got) == len(HAND), 'all were answered')
got = answers(['zone UTC', 'next 1 0 0 0 31 2,4,6,9,11 *',
               'next 1 1e15 * * * * *', 'next 1 -1e15 * * * * *',
               'next 2 %d 0 0 29 2 */7' % at('2026-01-01')])
tell(got[:3] == [['never']] * 3, 'never, and moments that are none', got)
tell(got[3] == [str(at('2032-02-29')), str(at('2060-02-29'))],
     'Sundays of 29 February: 28 years apart', got[3])

# --- 400 cases ---

SPECS = '''* * * * *|*/5 * * * *|7 * * * *|0,30 2 * * *|30 2 * * *|15 1 * * *
*/7 1-3 * * *|5-55/10 2 * * *|59 23 * * *|0 0 * * *|0 */6 * * *|30 1,2,3 * * *
45 2 * * sun|0 0 29 2 *|30 2 29 2 *|1 3 31 * *|0 12 13 * fri|0 12 */13 * fri
0 2 1-7 * sun|10,50 0-4/2 25-31 3,10 *'''.replace('\n', '|').split('|')
MOMENTS = {
    'UTC': ['2023-12-31 23:59', '2024-02-28 23:50', '2026-03-29 01:00',
            '2027-02-28 10:00'],
    B: ['2024-03-30 22:00', '2026-03-29 00:59', '2026-10-25 00:20',
        '2024-02-28 23:50'],
    N: ['2024-03-09 22:00', '2026-03-08 06:59', '2026-11-01 05:40',
        '2024-02-29 04:00'],
    L: ['2025-10-04 10:00', '2026-10-03 15:20', '2026-04-04 14:45',
        '2024-02-28 13:00'],
    A: ['2019-09-28 11:00', '2020-04-04 13:40', '2020-09-26 13:59',
        '2011-12-29 20:00'],
}
specs = [Spec(s) for s in SPECS]
zones = {z: Zone(z, at('2011-12-01'), at('2034-01-01')) for z in ZONES}
cases, ask = [], []
for z in ZONES:
    ask.append('zone ' + z)
    for m in MOMENTS[z]:
        for s in specs:
            cases.append((z, m, s))
            ask.append('next 3 %d %s' % (at(m), s.text))
got = answers(ask)
for z in ZONES:
    wrong, n = [], 0
    for (zone, m, s), g in zip(cases, got):
        if zone != z:
            continue
        n += 1
        want = []
        for due in zones[z].dues(s, at(m), at('2034-01-01')):
            want.append(str(due))
            if len(want) == 3:
                break
        if not want or want != g[:len(want)]:
            wrong.append('%s after %s: want %s, got %s' % (s.text, m, want, g))
    tell(not wrong and n == 80, '%d cases, %s' % (n, z), *wrong)
tell(len(cases) == 400 and len(got) == 400, '400 cases', len(got))

# --- ten years of minutes ---

rnd = random.Random(20261123)


def some(lo, hi, names=()):
    def value(x):
        return names[x - lo] if x - lo < len(names) and rnd.random() < .5 \
            else str(x)
    kind = rnd.random()
    if kind < .3:
        return '*'
    if kind < .4:
        return '*/%d' % rnd.randint(1, hi)
    if kind < .7:
        return value(rnd.randint(lo, hi))
    if kind < .85:
        return ','.join(value(x) for x in rnd.sample(range(lo, hi + 1), 3))
    a, b = sorted(rnd.sample(range(lo, hi + 1), 2))
    return '%d-%d/%d' % (a, b, rnd.randint(1, 7))


def make():
    while True:
        # the hours in which zones change, often
        hour = rnd.choice(['2', '1-3', '0-3/2', '1,2']) \
            if rnd.random() < .4 else some(0, 23)
        text = ' '.join([some(0, 59), hour, some(1, 31), some(1, 12, MONTHS),
                         some(0, 7, DAYS)])
        s = Spec(text)
        if s.both and all(d > 28 for d in s.dom):
            continue
        return s


def check(zone, made, first, last):
    ask = ['zone ' + zone.name] + ['all %d %d %s' % (first, last, s.text)
                                   for s in made]
    wrong, total = [], 0
    for s, g in zip(made, answers(ask)):
        n = weighed = plain = 0
        for due in zone.dues(s, first, last, LONG):
            n += 1
            weighed += n * due
            plain += due
        total += n
        if [str(n), str(weighed % 2**64), str(plain % 2**64)] != g:
            wrong.append('%s: want %d, got %s' % (s.text, n, g))
    return wrong, total


first, last = at('2011-12-01'), at('2021-12-01')
for i, z in enumerate(ZONES):
    made = [make() for _ in range(50 if LONG else 10)]
    wrong, total = check(zones[z], made, first, last)
    tell(not wrong and total > 1000, '%d specifications over ten years, %s: '
         '%d dues' % (len(made), z, total), *wrong)
for z in MORE if LONG else MORE[:1]:
    made = [make() for _ in range(50 if LONG else 4)]
    wrong, total = check(Zone(z, first, last), made, first, last)
    tell(not wrong and total > 100, '%d specifications, %s: %d dues' % (
        len(made), z, total), *wrong)

# --- from any moment near a change on: the same dues, as after a restart ---

for z in ZONES[1:]:
    wall = zones[z].wall
    changes = [zones[z].first + k * QUARTER for k in range(1, len(wall))
               if wall[k] - wall[k - 1] != 15]
    asked, ask = [], ['zone ' + z]
    for _ in range(60):
        s, t = make(), rnd.choice(changes) + rnd.randint(-18000, 18000)
        asked.append((s, t))
        ask.append('next 2 %d %s' % (t, s.text))
    wrong, total = [], 0
    for (s, t), g in zip(asked, answers(ask)):
        most = t + 40 * 86400
        want = []
        for due in zones[z].dues(s, t, most):
            want.append(due)
            if len(want) == 2:
                break
        total += len(want)
        if [int(x) for x in g if x != 'never' and int(x) <= most] != want:
            wrong.append('%s after %d: want %s, got %s' % (s.text, t, want, g))
    tell(not wrong and total > 40, '60 moments near changes, %s' % z, total,
         *wrong)

# --- how fast: never minute by minute ---

ask = ['zone ' + B] + ['time 2000 %d %s' % (at('2026-01-01'), s) for s in (
    '* * * * *', '30 2 * * *', '0 0 1 * *', '0 0 29 2 *', '0 0 31 2 *')]
took = [float(x[0]) for x in answers(ask)]
print('# microseconds a question: ' + ' '.join('%.1f' % (x * 1e6)
                                               for x in took))
tell(len(took) == 5 and max(took) < 0.002, 'fast, however far it is', took)
end()
