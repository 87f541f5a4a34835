"""Incidents as language.md section 9 tells of them, for model.t.

This is written from that text, not from the machine, and knows other things:
a Watch has a list of its episodes, each of which knows what people were told
of it; there are no states but those that follow from the list.  It speaks the
language of tests/incident/drive.c.
"""

FIRING, STILL, RESOLVED, UNKNOWN, FLAPPING, ACKED, ESCALATED = range(1, 8)
HOUR = 3600
ESCALATIONS = ((1800, 0), (7200, 1))


class Episode:
    """From an onset to its end, and what was said of it."""
    __slots__ = ('number', 'over', 'announced', 'closed', 'acked', 'ack_said',
                 'last_said', 'escalated', 'hushed')

    def __init__(self, number):
        self.number = number
        self.over = False
        self.announced = None       # when its onset was told
        self.closed = False         # its end was told
        self.acked = self.ack_said = False
        self.last_said = None
        self.escalated = set()
        self.hushed = False         # kept back while it lasted


class Watch:
    """One key."""

    def __init__(self, key):
        self.key = key
        self.episodes = []
        self.bad_since = None       # the condition holds, not yet long enough
        self.cannot_tell = 0
        self.cannot_tell_said = False
        self.absences = 0
        self.turns = []             # times of onsets and ends
        self.stormy = self.stormy_said = False
        self.cause = False          # the key of unless fires
        self.script = self.says = (0, 0, 0, False, '-')

    def current(self):
        return self.episodes[-1] if self.episodes and \
            not self.episodes[-1].over else None

    def time(self, now):
        """The past is before now, whatever the clock was; storms pass."""
        if self.bad_since is not None:
            self.bad_since = min(self.bad_since, now)
        for e in self.episodes:
            if e.announced is not None:
                e.announced = min(e.announced, now)
                e.last_said = min(e.last_said, now)
        self.turns = [min(t, now) for t in self.turns
                      if t > now - HOUR]
        if len(self.turns) <= 2:
            self.stormy = False
        if not self.stormy:
            self.stormy_said = False

    def turn(self, now):
        self.turns.append(now)
        if len(self.turns) > 5:
            self.stormy = True

    def onset(self, now):
        calm = not self.stormy
        self.turn(now)
        if calm:
            self.episodes.append(Episode(len(self.episodes) + 1))
        else:                       # a storm is one episode
            self.episodes[-1].over = False
        self.bad_since = None
        self.cannot_tell = self.absences = 0

    def over(self, now, turn=True):
        if turn:
            self.turn(now)
        self.episodes[-1].over = True
        self.cannot_tell = self.absences = 0

    def evaluated(self, now, when, until, good, complete):
        self.says = self.script     # what it says changes when it says it
        hold, _, _, has_until, _ = self.says
        self.absences = 0
        if self.current():
            if good:
                over = until if has_until else \
                    (None if when is None else not when)
                if when is None or over is None:
                    self.cannot_tell += 1
                elif when or not over:
                    self.cannot_tell = 0
                elif complete:
                    self.over(now)
                else:
                    self.cannot_tell += 1
            return
        if when and hold == 0:      # whatever comes of the run
            self.onset(now)
        elif not good:
            pass
        elif when is None:
            self.cannot_tell += 1
        else:
            # what a complete run would make of it
            if when and self.bad_since is None:
                change = 'begins'
            elif when and now - self.bad_since >= hold:
                change = 'fires'
            elif not when and self.bad_since is not None:
                change = 'stops'
            else:
                change = None
            if change is not None and not complete:
                self.cannot_tell += 1
                return
            self.cannot_tell = 0
            if change == 'begins':
                self.bad_since = now
            elif change == 'stops':
                self.bad_since = None
            elif change == 'fires':
                self.onset(now)

    def not_seen(self, now, good, complete):
        if not (good and complete):
            return
        self.bad_since = None
        if not self.current():
            self.cannot_tell = 0
            return
        self.absences += 1
        if self.absences >= (self.says[2] or 3):
            self.over(now)

    def gone(self, now):
        if self.current():
            self.over(now, turn=False)
        self.bad_since = None
        self.cannot_tell = self.absences = 0
        self.stormy = self.stormy_said = self.cause = False
        self.turns = []

    def news(self, now, held):
        """All that is to be told now: [(kind, number of the episode)]."""
        out = []
        lasts = self.current()
        known = [e for e in self.episodes
                 if e.announced is not None and not e.closed]
        if not self.cannot_tell:
            self.cannot_tell_said = False
        if held:
            for e in known:
                if e is lasts:
                    e.hushed = True
            return out

        def note(kind, number):
            out.append((kind, number))

        if self.stormy:
            if not self.stormy_said and not self.cause and \
                    (lasts or known):
                self.stormy_said = True
                for e in known:
                    e.last_said = now
                note(str(FLAPPING), known[0].number if known else 0)
            return out
        for e in known:
            if e is not lasts:
                e.closed = True
                note(str(RESOLVED), e.number)
        if lasts and lasts.announced is None and not self.cause:
            lasts.announced = lasts.last_said = now
            note(str(FIRING), lasts.number)
        told = lasts is not None and lasts.announced is not None
        if self.cannot_tell >= 3 and not self.cause and \
                not self.cannot_tell_said:
            self.cannot_tell_said = True
            if told:
                lasts.last_said = now
            note(str(UNKNOWN), lasts.number if told else 0)
        if not told:
            return out
        if lasts.acked:
            lasts.hushed = False
            if not lasts.ack_said:
                lasts.ack_said = True
                note(str(ACKED), lasts.number)
            return out
        if self.cause:
            return out
        if lasts.hushed:
            lasts.hushed = False
            lasts.last_said = now
            note(str(STILL), lasts.number)
        for after, bit in ESCALATIONS:
            if bit not in lasts.escalated and now - lasts.announced >= after:
                lasts.escalated.add(bit)
                lasts.last_said = now
                note('%d%d' % (ESCALATED, bit + 1), lasts.number)
        remind = self.says[1]
        if remind and now - lasts.last_said >= remind:
            lasts.last_said = now
            note(str(STILL), lasts.number)
        return out

    def state(self):
        n = len(self.episodes)
        if self.current():
            return '2.%d' % n
        return '%d.%d' % (self.bad_since is not None, n)


class Site:
    """One script with keys a, b and c, and what stands for its data."""
    KEYS = 'abc'

    def __init__(self):
        self.now = 10 ** 9
        self.watch = {k: Watch(k) for k in self.KEYS}
        self.data = Watch('nodata:a/S')
        self.failures = 0
        self.silences = []
        self.window = False
        self.all = [self.watch[k] for k in self.KEYS] + [self.data]

    def fires(self, key):
        return key != '-' and self.watch[key].current() is not None

    def silenced(self, key):
        for pattern, made, length in self.silences:
            if made - length <= self.now < made + length and \
                    (pattern == key or pattern == '*' or
                     (pattern[-1] == '*' and key.startswith(pattern[:-1])) or
                     (pattern == '[ab]' and key in 'ab')):
                return True
        return False

    def tell(self):
        for w in self.all:
            w.cause = self.fires(w.says[4])
        said = []
        for w in self.all:
            held = self.window or (bool(self.silences) and
                                   self.silenced(w.key))
            for kind, number in w.news(self.now, held):
                said.append('%s:%s:%d ' % (w.key, kind, number))
        return ''.join(said) + '| ' + ' '.join([w.state() for w in self.all])

    def run(self, good, complete, seen):
        for w in self.all:
            w.time(self.now)
        for k, when, until in seen:
            self.watch[k].evaluated(self.now, when, until, good, complete)
        there = [k for k, _, _ in seen]
        for k in self.KEYS:
            if k not in there:
                self.watch[k].not_seen(self.now, good, complete)
        self.failures = 0 if good else self.failures + 1
        if self.data.current():
            if good:
                self.data.over(self.now)
        elif self.failures >= 3:
            self.data.onset(self.now)
        return self.tell()

    def remove(self):
        for w in self.all:
            w.time(self.now)
            w.gone(self.now)
        self.failures = 0
        return self.tell()

    def tick(self):
        for w in self.all:
            w.time(self.now)
        return self.tell()

    def ack(self, key):
        e = self.watch[key].current()
        if e:
            e.acked = True
