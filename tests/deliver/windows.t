#!/usr/bin/env python3
"""Quiet hours over changed clocks: what engine/deliver/window.c says of random
windows in many zones, at moments around each change of their clocks, against
Python's zoneinfo.

The rule that is checked: a window begins with the first moment at which the
wall shows its start and ends with the last at which it shows its end; a time
that is skipped is the moment of the change.
"""
# runner: timeout=120 long-timeout=600

import datetime
import os
import random
import subprocess
import zoneinfo

from tap import end, tell

HELPER = os.path.join(os.environ['BUILDDIR'], 'tests/deliver/window')
UTC = datetime.timezone.utc
ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe',
         'America/St_Johns', 'Africa/Casablanca', 'Asia/Kolkata', 'UTC',
         'America/Santiago', 'Pacific/Apia', 'Africa/Cairo', 'Asia/Tehran',
         'Antarctica/Troll']
NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
LONG = os.environ.get('PICKET_LONG') == '1'
random.seed(int(os.environ.get('SEED', '4')))


def utc(t):
    return datetime.datetime.fromtimestamp(t, UTC)


def offset(zone, t):
    return int(utc(t).astimezone(zone).utcoffset().total_seconds())


def changes(zone, year):
    """The seconds at which the zone's offset changes in that year."""
    t = int(datetime.datetime(year, 1, 1, tzinfo=UTC).timestamp())
    for day in range(366):
        lo, hi = t + day * 86400, t + (day + 1) * 86400
        if offset(zone, lo) == offset(zone, hi):
            continue
        while hi - lo > 1:
            mid = (lo + hi) // 2
            if offset(zone, mid) == offset(zone, lo):
                lo = mid
            else:
                hi = mid
        yield hi


def moment(zone, date, minutes, last):
    """By zoneinfo's fold; a round trip tells what is skipped."""
    date += datetime.timedelta(days=minutes // 1440)
    naive = datetime.datetime.combine(
        date, datetime.time(minutes % 1440 // 60, minutes % 60))
    real = []
    for fold in (0, 1):
        t = naive.replace(tzinfo=zone, fold=fold).timestamp()
        if utc(t).astimezone(zone).replace(tzinfo=None) == naive:
            real.append(t)
    if real:
        return max(real) if last else min(real)
    # skipped: fold 0 reads it by the old offset, which is behind the change
    hi = int(naive.replace(tzinfo=zone, fold=0).timestamp())
    lo = int(naive.replace(tzinfo=zone, fold=1).timestamp())
    while hi - lo > 1:
        mid = (lo + hi) // 2
        if offset(zone, mid) == offset(zone, lo):
            lo = mid
        else:
            hi = mid
    return hi


def want(zone, days, start, stop, now):
    today = utc(now).astimezone(zone).date()
    found = 0
    for back in (1, 0):
        date = today - datetime.timedelta(days=back)
        if date.weekday() not in days:
            continue
        begins = moment(zone, date, start, False)
        ends = moment(zone, date, stop + 1440 * (stop <= start), True)
        if begins <= now < ends:
            found = max(found, ends)
    return found


def clock(minutes):
    return '%02d:%02d' % divmod(minutes, 60)


asked = nothing = 0
for name in ZONES:
    try:
        zone = zoneinfo.ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError:
        tell(False, 'no zone %s: tzdata is missing' % name)
        continue
    cases = []
    around = [c for year in (2024, 2025, 2026) for c in changes(zone, year)]
    for i in range(20000 if LONG else 2000):
        start, stop = random.sample(range(1440), 2)
        if around and i % 2 == 0:       # near the hours that are changed
            local = utc(around[0]).astimezone(zone)
            near = local.hour * 60 + local.minute
            start = (near + random.randint(-150, 150)) % 1440
            stop = (start + random.randint(1, 150)) % 1440
        days = random.sample(range(7), random.randint(3, 7))
        base = random.choice(around) if around else 1774746000
        now = base + random.randint(-2 * 86400, 2 * 86400)
        if i % 3 == 0:
            now = base + random.randint(-10000, 10000)
        cases.append((days, start, stop, now))
    p = subprocess.run([HELPER], env=dict(os.environ, TZ=name), text=True,
                       stdout=subprocess.PIPE, check=True, input=''.join(
                           '%s %s-%s %d\n' % (
                               ','.join(NAMES[d] for d in days), clock(start),
                               clock(stop), now)
                           for days, start, stop, now in cases))
    got = p.stdout.split()
    bad = []
    for (days, start, stop, now), g in zip(cases, got):
        w = want(zone, days, start, stop, now)
        asked += 1
        nothing += w == 0
        if float(g) != w:
            bad.append('%s-%s at %d: %s, zoneinfo %s' % (
                clock(start), clock(stop), now, g, w))
    tell(len(got) == len(cases) and not bad, '%s: %d windows around %d changes'
         % (name, len(cases), len(around)), '\n'.join(bad[:5]))
tell(0.1 * asked < nothing < 0.9 * asked,
     'of %d moments %d lie in no window' % (asked, nothing))
end()
