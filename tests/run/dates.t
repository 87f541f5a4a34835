#!/usr/bin/env python3
"""$date, $time, #parsetime, #datevalue and the parts of a time say what
date(1) says, over zones, changes of the clock both ways, leap days, years 1970
to 2037.  One run a zone; so many times in it: PICKET_LONG=1 for ten times."""
# runner: timeout=120 long-timeout=900

import os
import random
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']
ZONES = ('UTC', 'Europe/Berlin', 'America/New_York', 'America/St_Johns',
         'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe',
         'Pacific/Apia', 'America/Sao_Paulo', 'Africa/Casablanca',
         'Europe/Dublin', 'Pacific/Auckland')
# what strftime(3) can do of a time, in the C locale
FORMATS = ('%Y-%m-%d %H:%M:%S', '%a %A %b %B %e %j %U %W %V %G %u %w',
           '%I:%M:%S %p %y %C %D %F %R %T %r', '%z %Z %s', '%c', '%x %X',
           '%h%n%t%%', '%d.%m.%y', '%k %l')
MANY = 300 if os.environ.get('PICKET_LONG') else 30


def run(argv, zone, text=''):
    env = dict(os.environ, TZ=zone, LC_ALL='C')
    p = subprocess.run(argv, env=env, input=text, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, universal_newlines=True)
    return p.returncode, p.stdout, p.stderr


def picket(zone, script, lines):
    with open('d.pikt', 'w') as f:
        f.write(script)
    return run([PICKET, 'run', '--input', '-', '--mail', 'mbox', 'd.pikt'],
               zone, ''.join('%s\n' % t for t in lines))


def dates(zone, lines, fmt):
    """What date(1) says of lines as @1234 or as a date."""
    with open('lines', 'w') as f:
        f.write(''.join('%s\n' % t for t in lines))
    return run(['date', '-f', 'lines', '+' + fmt], zone)


def changes(zone):
    """Seconds around each change of the clock, found by halving."""
    step = 7 * 86400
    times = list(range(0, 2 ** 31 - step, step))
    out = dates(zone, ['@%d' % t for t in times], '%z')[1].split()
    found = []
    pairs = [(a, a + step) for a, x, y in zip(times, out, out[1:]) if x != y]
    while pairs and pairs[0][1] - pairs[0][0] > 1:
        mid = [(a + b) // 2 for a, b in pairs]
        at = dates(zone, ['@%d' % t for t in mid], '%z')[1].split()
        lo = dates(zone, ['@%d' % a for a, b in pairs], '%z')[1].split()
        pairs = [(m, b) if x == y else (a, m)
                 for (a, b), m, x, y in zip(pairs, mid, at, lo)]
    found = [b for a, b in pairs]
    return found


def sample(zone):
    """Seconds at random, around changes of the clock, and of leap days."""
    r = random.Random(zone)
    times = [r.randrange(0, 2 ** 31) for i in range(MANY)]
    change = changes(zone)
    for t in r.sample(change, min(MANY, len(change))):
        times += [t - 3601, t - 1800, t - 1, t, t + 1, t + 1800, t + 3600]
    for year in (1972, 1999, 2000, 2024, 2036):
        t = (year - 1970) * 365 + (year - 1969) // 4
        times += [86400 * (t + d) + r.randrange(86400)
                  for d in (0, 58, 59, 60, 364, 365)]
    return times + [0, 1, 2 ** 31 - 1, -1, -86400 * 400], len(change)


PARTS = '''rule
    set #t = #value($inline)
    output "#{#year(#t)} #{#month(#t)} #{#day(#t)} #{#hour(#t)} #{#minute(#t)} #{#second(#t)} #{#yearday(#t)} #{#weekday(#t) - 1} $dayname(#t) $monthname(#t) $ampm(#t) $date(#t) $time(#t)"
'''
DAYS = '''rule
    output "#{#datevalue(#value($1), #value($2), #value($3))}"
'''
total = 0
for zone in ZONES:
    if zone != 'UTC' and run(['date', '-d', '@0', '+%z'], zone)[1] == \
            '+0000\n' and zone not in ('Africa/Casablanca',):
        tell(True, '%s # SKIP no such zone here' % zone)
        continue
    times, nchange = sample(zone)
    at = ['@%d' % t for t in times]
    bad = []
    # --- strftime ---
    for fmt in FORMATS:
        code, out, err = picket(zone, 'rule\n    output $date(#value($inline),'
                                ' "%s")\n' % fmt.replace('%n', '\\n'), times)
        want = dates(zone, at, fmt)[1]
        total += len(times)
        if err or out != want:
            bad.append('%s: %s' % (fmt, err))
            bad += ['%s: %s, not %s' % x for x in
                    zip(at, out.split('\n'), want.split('\n'))
                    if x[1] != x[2]][:5]
    tell(not bad, '%s: strftime, %d times, %d changes of the clock' % (
        zone, len(times), nchange), *bad)
    # --- parts ---
    code, out, err = picket(zone, PARTS, times)
    want = dates(zone, at, '%Y %-m %-d %-H %-M %-S %-j %w %A %B %p %F %T')[1]
    tell(out == want and not err, zone + ': parts', err,
         *['%s: %s, not %s' % x for x in zip(at, out.split('\n'),
                                             want.split('\n')) if x[1] != x[2]])
    # --- strptime, where the text says the zone: exactly the time ---
    bad = []
    for fmt in ('%Y-%m-%d %H:%M:%S %z', '%d/%b/%Y:%H:%M:%S %z', '%s',
                '%a, %d %b %Y %H:%M:%S %z', '%B %e %Y %I:%M:%S %p %z'):
        # strptime(3) takes no sign for %s
        said = [t for t in times if t >= 0 or fmt != '%s']
        texts = dates(zone, ['@%d' % t for t in said], fmt)[1]
        texts = texts.split('\n')[:-1]
        code, out, err = picket(zone, 'rule\n    output "#{#parsetime($inline,'
                                ' "%s")}"\n' % fmt, texts)
        total += len(times)
        bad += ['%s by %s: %s, not %s' % (x, fmt, y, z) for x, y, z in
                zip(texts, out.split('\n'), said) if y != str(z)][:5]
        bad += ['%d of %d' % (out.count('\n'), len(said))] \
            if out.count('\n') != len(said) else []
        bad += [err] if err else []
    tell(not bad, zone + ': strptime with the zone', *bad)
    # --- and where it does not: a time that reads the same ---
    bad = []
    texts = dates(zone, at, '%Y-%m-%d %H:%M:%S')[1].split('\n')[:-1]
    code, out, err = picket(
        zone, 'rule\n    set #t = #parsetime($inline, "%Y-%m-%d %H:%M:%S")\n'
        '    output "$date(#t, "%Y-%m-%d %H:%M:%S")"\n', texts)
    bad = ['%s: %s' % x for x in zip(texts, out.split('\n')) if x[0] != x[1]]
    tell(not bad and not err, zone + ': strptime, local time', err, *bad)
    # --- #datevalue: the first second of a day ---
    days = sorted(set(dates(zone, at, '%Y %-m %-d')[1].split('\n')[:-1]))
    code, out, err = picket(zone, DAYS, days)
    starts = out.split()
    same = dates(zone, ['@' + t for t in starts], '%Y %-m %-d')[1]
    before = dates(zone, ['@%d' % (int(t) - 1) for t in starts],
                   '%Y %-m %-d')[1]
    bad = ['%s begins at %s: %s' % x for x in
           zip(days, starts, same.split('\n')) if x[0] != x[2]]
    bad += ['%s begins before %s' % x for x in
            zip(days, starts, before.split('\n')) if x[0] == x[2]]
    tell(not bad and not err, zone + ': #datevalue', err, *bad)

print('# %d conversions' % total)
end()
