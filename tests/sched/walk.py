"""The reference of the scheduler's tests: a clock on the wall, looked at each
minute.  It has its zones from zoneinfo and its own reader of the fields, and
knows nothing of jumps to the next match.
"""

import datetime
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.date(1970, 1, 1).toordinal()
JUMP = 180			# minutes
QUARTER = 900
MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split()
DAYS = 'sun mon tue wed thu fri sat'.split()


def at(text, zone='UTC', fold=0):
    d = datetime.datetime.fromisoformat(text)
    return int(d.replace(tzinfo=zoneinfo.ZoneInfo(zone),
                         fold=fold).timestamp())


class Spec:
    def __init__(self, text):
        f = text.split()
        self.text = text
        self.minute = self.read(f[0], 0, 59)
        self.hour = self.read(f[1], 0, 23)
        self.dom = self.read(f[2], 1, 31)
        self.month = self.read(f[3], 1, 12, MONTHS)
        self.dow = {x % 7 for x in self.read(f[4], 0, 7, DAYS)}
        self.both = f[2][0] == '*' or f[4][0] == '*'
        self.fixed = f[0][0] != '*' and f[1][0] != '*'
        self.days = {}

    @staticmethod
    def read(field, lo, hi, names=()):
        def number(x):
            return names.index(x[:3].lower()) + lo if x.isalpha() else int(x)
        found = set()
        for part in field.split(','):
            span, _, step = part.partition('/')
            a, _, b = span.partition('-')
            first, last = (lo, hi) if a == '*' else (
                number(a), number(b or a))
            found |= set(range(first, last + 1, int(step or 1)))
        return found

    def day(self, n):
        if n not in self.days:
            d = datetime.date.fromordinal(EPOCH + n)
            dom, dow = d.day in self.dom, d.isoweekday() % 7 in self.dow
            self.days[n] = d.month in self.month and (
                dom and dow if self.both else dom or dow)
        return self.days[n]

    def fits(self, wall):
        """wall: minutes since 1970 as the clock on the wall shows them."""
        return wall % 60 in self.minute and wall // 60 % 24 in self.hour and \
            self.day(wall // 1440)


class Zone:
    """What the wall shows at each quarter of an hour."""

    def __init__(self, name, first, last):
        self.name, self.first, zone = name, first, zoneinfo.ZoneInfo(name)
        self.last = last
        self.wall = []

        def ahead(t):
            o = datetime.datetime.fromtimestamp(t, zone).utcoffset()
            return int(o.total_seconds())
        for day in range(first, last + QUARTER, 86400):
            o, steady = ahead(day), ahead(day) == ahead(day + 86400)
            for t in range(day, day + 86400, QUARTER):
                self.wall.append((t + (o if steady else ahead(t))) // 60)

    def dues(self, spec, after, before, slow=False):
        start = max(0, (after - self.first) // QUARTER - 2 * 96)
        wall, seen, behind = self.wall, None, None
        minute, hour, fixed, day = (spec.minute, spec.hour, spec.fixed,
                                    spec.day)
        quarter = {m: [(i - m) * 60 for i in range(m, m + 15) if i in minute]
                   for m in (0, 15, 30, 45)}
        t = self.first + start * QUARTER
        for k in range(start, len(wall)):
            w = wall[k]
            now, t = t, t + QUARTER
            if seen is not None and w != seen:
                if seen < w < seen + JUMP and fixed and any(
                        spec.fits(x) for x in range(seen, w)):
                    if after < now <= before:
                        yield now
                    done = now
                else:
                    done = None
                if w < seen and seen - w < JUMP and fixed:
                    behind = seen
            else:
                done = None
            seen = w + 15
            if not slow and behind is None and done is None:
                # the whole quarter has one hour and one day
                if w // 60 % 24 in hour and day(w // 1440):
                    for i in quarter[w % 60]:
                        if after < now + i <= before:
                            yield now + i
                if t > before:
                    return
                continue
            for i in range(15):
                x = w + i
                due = now + 60 * i
                if x % 60 in minute and x // 60 % 24 in hour and \
                        day(x // 1440) and due != done and \
                        (behind is None or x >= behind) and \
                        after < due <= before:
                    yield due
            if behind is not None and seen >= behind:
                behind = None
            if t > before:
                return
