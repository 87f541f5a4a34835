#!/usr/bin/env python3
# runner: timeout=400
"""picketd's clock: both changes of summer time in two zones, a night asleep,
clocks that are set.  Its time is of a file (PICKET_CLOCK=@FILE), which the
test changes while it runs."""

import os
import time
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from daemonlib import SLOW, Daemon, fresh, rows
from tap import end, tell

os.umask(0o022)


def script():
    return 'init\n    status active\n    level warning\nbegin\n' \
        '    set $a = "ok"\n'


class Clock:
    """wall: what is added to the system's; slept: to the time since boot."""

    def __init__(self, site):
        self.path = os.path.join(site.root, 'clock')
        self.wall = self.slept = 0.0
        self.write()

    def write(self):
        with open(self.path + '.new', 'w') as f:
            f.write('%+.6f %.6f\n' % (self.wall, self.slept))
        os.rename(self.path + '.new', self.path)

    def now(self):
        return time.time() + self.wall

    def at(self, when):
        self.wall = when - time.time()
        self.write()

    def step(self, seconds):
        self.wall += seconds
        self.write()

    def sleep(self, seconds):
        """Suspended: wall clock and time since boot go on, the steady one
        does not."""
        self.wall += seconds
        self.slept += seconds
        self.write()


def local(zone, *when, fold=0):
    return datetime(*when, tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def due(site, name):
    return rows(site, 'SELECT due, reason FROM run WHERE alert = ? AND due '
                'IS NOT NULL ORDER BY rowid', name)


def once(site):
    return not rows(site, 'SELECT 1 FROM run WHERE due IS NOT NULL '
                    'GROUP BY alert, due HAVING count(*) > 1')


def start(name, zone, when, **alerts):
    site = fresh(name)
    site.alerts(**{k: ([v if v[:5] == 'every' else 'timing ' + v], script())
                   for k, v in alerts.items()})
    clock = Clock(site)
    clock.at(when)
    d = Daemon(site, env={'PICKET_CLOCK': '@' + clock.path, 'TZ': zone})
    assert d.p.poll() is None, d.said()
    return site, clock, d


def text(zone, t):
    return datetime.fromtimestamp(t, ZoneInfo(zone)).strftime('%F %T')


def shown(zone, got):
    return ['%s %s' % (text(zone, t), r.decode() if isinstance(r, bytes)
                       else r) for t, r in got]


# --- summer time: what is at 2:30 each day, and what is each half hour ---

ZONES = (
    ('Europe/Berlin', (2025, 3, 30), (2025, 10, 26)),
    ('America/New_York', (2025, 3, 9), (2025, 11, 2)),
)
for zone, spring, autumn in ZONES:
    hour = 2 if zone == 'Europe/Berlin' else 1
    # forward: 2:30 is not there on that day
    site, clock, d = start('spring' + zone[:2], zone,
                           local(zone, *spring, 1, 29, 58),
                           Daily='30 2 * * *', Half='*/30 * * * *')
    tell(d.wait(lambda: len(due(site, 'Half')) == 1), zone + ': 1:30 is due',
         d.said()[-1500:])
    clock.sleep(local(zone, *spring, 1, 59, 59) - clock.now())
    tell(d.wait(lambda: len(due(site, 'Half')) == 2),
         'and after 1:59:59 it is 3:00', shown(zone, due(site, 'Half')))
    tell(text(zone, due(site, 'Half')[-1][0])[11:] == '03:00:00',
         'due by that', shown(zone, due(site, 'Half')))
    clock.sleep(local(zone, *spring, 3, 29, 59) - clock.now())
    d.wait(lambda: len(due(site, 'Half')) == 3)
    time.sleep(0.5)
    got = due(site, 'Daily')
    tell(len(got) == 1 and text(zone, got[0][0])[11:] == '03:00:00',
         'what is due in the hour that is not there is due at its end, once',
         shown(zone, got))
    clock.sleep(86400)
    tell(d.wait(lambda: len(due(site, 'Daily')) == 2) and
         text(zone, due(site, 'Daily')[1][0])[11:] == '02:30:00',
         'and the next day at its time', shown(zone, due(site, 'Daily')))
    tell(once(site), 'nothing is due twice')
    d.stop()

    # back: an hour comes twice
    site, clock, d = start('autumn' + zone[:2], zone,
                           local(zone, *autumn, hour, 29, 58),
                           Daily='30 %d * * *' % hour, Half='*/30 * * * *')
    for k in range(1, 6):
        if not d.wait(lambda: len(due(site, 'Half')) == k):
            break
        clock.sleep(due(site, 'Half')[-1][0] + 1799 - clock.now())
    got = [t for t, _ in due(site, 'Half')]
    tell(len(got) >= 5 and all(b - a == 1800 for a, b in zip(got, got[1:])),
         zone + ': each half hour of those that come twice',
         shown(zone, due(site, 'Half')))
    tell(len(due(site, 'Daily')) == 1, 'what is due once a day is due once',
         shown(zone, due(site, 'Daily')))
    tell(once(site), 'nothing is due twice')
    d.stop()

# --- eight hours asleep ---

UTC = 'UTC'
noon = datetime(2025, 6, 4, 21, 59, 57, tzinfo=timezone.utc).timestamp()
site, clock, d = start('asleep', UTC, noon, Minute='* * * * *',
                       Night='0 3 * * *', Noon='0 12 * * *', Every='every 10m',
                       Tick='every 1s')
d.wait(lambda: len(due(site, 'Minute')) == 1)
tell(len(due(site, 'Minute')) == 1 and due(site, 'Minute')[0][1] ==
     b'scheduled', 'before', due(site, 'Minute'))
d.wait(lambda: len(due(site, 'Tick')) >= 2 and due(site, 'Every'))
before = len(due(site, 'Every'))
clock.sleep(8 * 3600)
tell(d.wait(lambda: due(site, 'Night')), 'a night asleep: 3:00 is made up',
     d.said()[-1500:])
d.wait(lambda: len(due(site, 'Minute')) >= 2)
time.sleep(1)
got = due(site, 'Night')
tell(len(got) == 1 and got[0][1] == b'made-up' and
     text(UTC, got[0][0])[11:] == '03:00:00', 'once, as made up', got)
got = due(site, 'Minute')
tell([r for _, r in got[1:2]] == [b'made-up'] and len(got) <= 3 and
     got[1][0] - got[0][0] == 8 * 3600, 'of all minutes the last one is',
     shown(UTC, got))
tell(len(due(site, 'Every')) == before + 1, 'of what is each ten minutes, '
     'too', shown(UTC, due(site, 'Every')))
tell(not due(site, 'Noon'), 'what is due at noon is not', due(site, 'Noon'))
n = len(due(site, 'Tick'))
tell(d.wait(lambda: len(due(site, 'Tick')) >= n + 3), 'and all goes on')
tell(once(site), 'nothing is due twice')
d.stop()

# --- clocks that are set ---


def set_by(name, seconds, when=(2025, 6, 4, 12, 0, 54)):
    return start(name, UTC, datetime(*when, tzinfo=timezone.utc).timestamp(),
                 Minute='* * * * *', Night='0 3 * * *', Hour='5 * * * *',
                 Every='every 2s')[:3] + (seconds,)


def steps(got):
    return [round(b - a, 3) for a, b in zip(got, got[1:])]


for seconds in 5.9, -5.9, 7200, -7200, 86400, -86400:
    label = 'a step of %+g s' % seconds
    site, clock, d, _ = set_by('step%+g' % seconds, seconds)
    d.wait(lambda: len(due(site, 'Every')) >= 2)
    had = {n: len(due(site, n)) for n in ('Minute', 'Night', 'Hour', 'Every')}
    clock.step(seconds)
    d.wait(lambda: len(due(site, 'Every')) >= had['Every'] + 3, 25)
    d.wait(lambda: len(due(site, 'Minute')) > had['Minute'], 20)
    time.sleep(0.5)
    new = {n: due(site, n)[had[n]:] for n in had}
    tell(once(site), label + ': nothing is due twice')
    every = [t for t, _ in new['Every']]
    tell(len(every) >= 3 and all(s < 3 for s in steps(every)),
         'what is each two seconds goes on', every, d.said()[-1500:])
    minutes = [t for t, _ in new['Minute']]
    tell(1 <= len(minutes) <= 2 and all(m <= clock.now() for m in minutes),
         'one minute, no more, is due', shown(UTC, new['Minute']))
    tell(all(r == b'scheduled' for _, r in new['Minute']),
         'nothing of it is made up', shown(UTC, new['Minute']))
    tell(not new['Night'] or seconds == 86400 or seconds == 0,
         'what lies between is not due', shown(UTC, new['Night']))
    tell(len(new['Hour']) == 0, 'nor are the hours',
         shown(UTC, new['Hour']))
    d.stop()

# --- set back, and up again: the same minutes come, each row for itself ---

site, clock, d, _ = set_by('again', 0)
base = datetime(2025, 6, 4, 12, 0, 58, tzinfo=timezone.utc).timestamp()
for k in range(5):
    clock.at(base - 86400 * (k % 2))
    n = len(due(site, 'Minute'))
    if not d.wait(lambda: len(due(site, 'Minute')) > n, 8):
        break
got = [t for t, _ in due(site, 'Minute')]
tell(len(got) == 5 and len(set(got)) == 5 and len({int(t) for t in got}) == 2,
     'to and fro: the same minutes, each with a due of its own', got)
tell(once(site), 'nothing is due twice')
d.stop()

# --- stopped, and started much later, or earlier ---

site, clock, d, _ = set_by('stopped', 0, (2025, 6, 4, 2, 59, 50))
d.wait(lambda: due(site, 'Night'), 15)
tell(len(due(site, 'Night')) == 1, 'due at 3:00', d.said()[-1000:])
d.stop()
for seconds, made in ((86400 * 3, 1), (-3600, 0)):
    n = len(due(site, 'Night'))
    clock.step(seconds)
    d = Daemon(site, env={'PICKET_CLOCK': '@' + clock.path, 'TZ': UTC})
    if made:
        d.wait(lambda: len(due(site, 'Night')) >= n + made, 10)
    e = len(due(site, 'Every'))
    d.wait(lambda: len(due(site, 'Every')) >= e + 2, 10)
    got = due(site, 'Night')[n:]
    tell(len(got) == made and all(r == b'made-up' for _, r in got),
         'stopped for %d s: %d made up' % (seconds, made),
         shown(UTC, due(site, 'Night')))
    tell(once(site), 'nothing is due twice')
    d.stop()
end()
