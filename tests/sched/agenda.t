#!/usr/bin/env python3
"""The agenda against a reference that walks minute by minute (walk.py).

Time passes, hosts sleep, clocks are set, sites are reloaded, the daemon stops
and starts, entries are paused: by lot, around the changes of five zones.  The
reference knows of each timing only the moment up to which it has been dealt
with; the agenda must give out what the reference says, when it says so, never
the same (name, due) twice, and must want to be woken when the reference has
something next.  PICKET_LONG=1: more of it.
"""
# runner: timeout=200 long-timeout=3600

import os
import random
import subprocess

from tap import end, tell
from walk import Spec, Zone, at

PLAN = os.path.join(os.environ['BUILDDIR'], 'tests/sched/plan')
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
ZONES = {
    'UTC': ['2026-03-29', '2026-10-25'],
    'Europe/Berlin': ['2026-03-29', '2026-10-25'],
    'America/New_York': ['2026-03-08', '2026-11-01'],
    'Australia/Lord_Howe': ['2026-10-04', '2026-04-05'],
    'Pacific/Apia': ['2020-09-27', '2020-04-05'],
}
DAY = 86400
JUMP, LAG, BACK, LATE = 10800, 300, 60, 60
GRAIN = 1 / 64
rnd = random.Random(20261123)


class Timing:
    def __init__(self, text, drift=0.0):
        self.text, self.drift = text, drift
        self.every = float(text) if ' ' not in text else 0
        self.spec = None if self.every else Spec(text)

    def follows(self, step):
        fixed = self.spec is not None and self.spec.fixed
        return abs(step) >= JUMP or (
            not fixed and (step > LAG or step < -BACK))

    def dues(self, zone, after, until):
        """All later than after, up to until."""
        if not after < until:
            return
        if self.every:
            n = int((after - self.drift) // self.every)
            while n * self.every + self.drift <= until:
                if n * self.every + self.drift > after:
                    yield n * self.every + self.drift
                n += 1
            return
        # the walk has whole seconds
        low = int(after - self.drift) - 2
        for due in zone.dues(self.spec, low, int(until - self.drift) + 2):
            if after < due + self.drift <= until:
                yield due + self.drift

    def line(self):
        return '%s %.6f %s' % ('every' if self.every else 'cron', self.drift,
                               self.text)


class Entry:
    def __init__(self, name, timings, now):
        self.name, self.timings = name, timings
        self.had = [now] * len(timings)
        self.paused = False

    def key(self):
        return [(t.text, t.drift) for t in self.timings]


class Reference:
    def __init__(self, zone, now):
        self.zone, self.now, self.entry, self.paused = zone, now, {}, False

    def site(self, entries):
        for name, timings in entries.items():
            new = Entry(name, timings, self.now)
            old = self.entry.get(name)
            if old is not None:
                new.paused = old.paused
                if old.key() == new.key():
                    new.had = old.had
            entries[name] = new
        self.entry = entries

    def asleep(self, e):
        return self.paused or e.paused

    def look(self, now, real):
        step, due = now - self.now - real, {}
        self.now = now
        for e in self.entry.values():
            all_ = set()
            for k, t in enumerate(e.timings):
                if t.follows(step):
                    e.had[k] = now - real
                all_ |= set(t.dues(self.zone, e.had[k], now))
                e.had[k] = max(e.had[k], now)
            if all_ and not self.asleep(e):
                due[e.name] = (max(all_), 'made-up' if len(all_) > 1 or
                               now - max(all_) > LATE else 'scheduled')
        return due

    def resume(self, name):
        """Nothing to do: while it was paused, looks had what was due."""

    def wake(self, most):
        first = None
        for e in self.entry.values():
            for k, t in enumerate(() if self.asleep(e) else e.timings):
                for due in t.dues(self.zone, e.had[k], most):
                    if first is None or due < first:
                        first = due
                    break
        return first


TEXTS = '''* * * * *|*/5 * * * *|30 * * * *|0,30 2 * * *|30 2 * * *|15 1 * * *
*/7 1-3 * * *|45 3 * * *|0 */2 * * *|20 2 * * sun|0 12 * * *|7 0-6/2 * * *
60|300|90|3600|7200|1234|86400'''.replace('\n', '|').split('|')


def timings():
    n = rnd.choice([1, 1, 1, 2, 2, 3])
    drift = rnd.choice([0, 0, rnd.randrange(600 * 64) * GRAIN])
    return [Timing(rnd.choice(TEXTS), drift) for _ in range(n)]


class Run:
    def __init__(self, zone, first):
        self.zone = zone
        self.p = subprocess.Popen([PLAN], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.ask('zone ' + zone.name)
        self.now = float(first)
        self.ref = Reference(zone, self.now)
        self.wrong, self.seen, self.last = [], set(), {}
        self.story, self.counts, self.turns = [], {}, 0
        self.high = {}
        self.site({'e%d' % i: timings() for i in range(8)})
        self.begin('nil', 0)

    def ask(self, line, answer=False):
        self.p.stdin.write(line + '\n')
        if answer:
            self.p.stdin.flush()
            return self.p.stdout.readline().split()

    def say(self, what):
        self.story.append('%.3f %s' % (self.now, what))

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def site(self, entries):
        lines = ['%s %s' % (n, t.line()) for n, ts in entries.items()
                 for t in ts]
        self.ask('site ' + ';'.join(lines))
        self.ref.site(entries)

    def begin(self, alive, turn):
        last = ' '.join('%s %.6f' % x for x in self.high.items())
        self.ask('begin %.6f %s %d %s' % (self.now, alive, turn, last))

    def look(self, real, step=0.0):
        """Real time goes by, and the clock is set."""
        self.now += real + step
        # as the daemon prints and reads it
        self.now = round(self.now * 64) * GRAIN
        real = round(real * 64) * GRAIN
        want = self.ref.look(self.now, self.now - self.before
                             if step == 0 else real)
        got = self.ask('look %.6f %.6f' % (
            self.now, self.now - self.before if step == 0 else real), True)
        self.before = self.now
        self.judge(got, want)

    def judge(self, got, want):
        self.say('look: %s, want %s' % (got, want))
        found, order = {}, []
        for i in range(0, len(got) - 2, 3):
            name, due, why = got[i:i + 3]
            self.count(why)
            if (name, due) in self.seen:
                self.bad('%s %s again' % (name, due))
            if name in found:
                self.bad('%s twice at once' % name)
            self.seen.add((name, due))
            due = float(due)
            self.high[name] = max(due, self.high.get(name, due))
            plain = due // GRAIN * GRAIN
            if plain != due:
                self.count('told apart')
            found[name] = (plain, why)
            order.append(plain)
        if found != want:
            self.bad('got %s, want %s' % (found, want))
        if order != sorted(order) and len({w for _, w in found.values()}) == 1 \
                and 'made-up' not in {w for _, w in found.values()}:
            self.bad('order %s' % order)
        wake = float(got[-1])
        most = self.now + DAY / 2
        first = self.ref.wake(min(wake, most) + 1)
        if not wake > self.now or (wake <= most and first != wake) or (
                wake > most and first is not None and first <= most):
            self.bad('wakes at %s, not %s' % (wake, first))
        self.next = wake

    def bad(self, what):
        if not self.wrong:
            self.wrong = ['%s: %s' % (self.zone.name, what)] + \
                self.story[-12:] + ['%s: %s' % (e.name, e.key())
                                    for e in self.ref.entry.values()]

    def reload(self):
        new = {}
        for e in self.ref.entry.values():
            lot = rnd.random()
            if lot < .8:
                new[e.name] = e.timings
            elif lot < .9:
                new[e.name] = timings()
        for i in range(8):
            if rnd.random() < .3:
                new.setdefault('e%d' % i, timings())
        items = list(new.items())
        rnd.shuffle(items)
        if not items:
            return
        self.site(dict(items))
        self.ask('reload')
        self.count('reload')

    def restart(self):
        """Stopped for a while; the stamp is up to ten seconds old."""
        turn = int(self.ask('turn', True)[0])
        old, alive = self.ref, self.now - rnd.choice([0, 2.5, 10])
        gone = rnd.choice([1, 30, 3000, 30000])
        self.now += gone
        lines = ['%s %s' % (e.name, t.line()) for e in old.entry.values()
                 for t in e.timings]
        self.ask('site ' + ';'.join(lines))
        self.begin('%.6f' % alive, turn)
        for e in old.entry.values():
            if e.paused:
                self.ask('pause ' + e.name)
            if e.name not in self.high:
                e.had = [self.now] * len(e.had)
            else:
                # of what was had the last is known, and not of which turn
                last = self.high[e.name]
                e.had = [max(alive, last if last <= self.now or
                             last - alive <= LATE else alive)] * len(e.had)
        if old.paused:
            self.ask('pause *')
        old.now = self.before = self.now
        self.count('restart')
        self.look(0.0)

    def pause(self):
        on = rnd.random() < .4
        e = rnd.choice(list(self.ref.entry.values()))
        if rnd.random() < .2:
            self.ref.paused = on
            name = '*'
        else:
            e.paused = on
            name = e.name
        self.ask('%s %s' % ('pause' if on else 'resume', name))
        self.count('pause' if on else 'resume')

    def go(self, steps):
        self.before = self.now
        self.look(0.0)
        for _ in range(steps):
            lot = rnd.random()
            if lot < .55:
                # to what is next, and a little late
                far = self.next - self.now
                self.look(min(far, 7200) + rnd.choice([0, 0.03125, 0.5, 2]))
            elif lot < .7:
                self.look(rnd.choice([0.25, 1, 20, 59, 61, 300, 4000]))
            elif lot < .73:
                self.say('asleep')
                self.count('asleep')
                self.look(8 * 3600.0)
            elif lot < .83:
                step = rnd.choice([-5.90625, 5.90625, -7200, 7200, -59, -61,
                                   299, 301, -3600, 3600, -DAY, DAY,
                                   -10799, 10799])
                self.say('set by %s' % step)
                self.count('set')
                self.look(rnd.choice([0, 0.5, 61]), step)
            elif lot < .88:
                self.say('reload')
                self.reload()
            elif lot < .92:
                self.say('restart')
                self.restart()
            else:
                self.say('pause or resume')
                self.pause()
            if self.wrong:
                break
        self.p.stdin.close()
        if self.p.wait(timeout=60) != 0:
            self.wrong = self.wrong or ['plan: %d' % self.p.returncode]


total = {}
for name, days in ZONES.items():
    wrong, runs = [], 0
    for day in days:
        first = at(day) - 2 * DAY
        zone = Zone(name, at(day) - 30 * DAY, at(day) + 40 * DAY)
        for _ in range(20 if LONG else 2):
            run = Run(zone, first + rnd.randrange(2 * DAY))
            run.go(400)
            runs += 1
            wrong = wrong or run.wrong
            for k, v in run.counts.items():
                total[k] = total.get(k, 0) + v
    tell(not wrong, '%s: %d times 400 steps' % (name, runs), *wrong)
tell(all(total.get(k, 0) >= 20 for k in (
    'scheduled', 'made-up', 'told apart', 'set', 'asleep', 'reload', 'restart',
    'pause', 'resume')), ' '.join('%s %d' % x for x in sorted(total.items())),
     total)
end()
