#!/usr/bin/python3
"""Many senders over one outbox, and senders that are killed: every notice
arrives; a second copy only where the receiver had taken it and nobody could
write that down."""

import collections
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import Relay, Script, Tap, need_aiosmtpd		# noqa: E402
from outbox import PICKET, Place, subjects			# noqa: E402

need_aiosmtpd()
LONG = 'PICKET_LONG' in os.environ
SAN = 'PICKET_SANITIZERS' in os.environ
t = Tap()

# --- twenty at once ---
SENDERS, NOTICES = 20, 60 if SAN else 200
with Relay() as relay:
    p = Place('smtp 127.0.0.1:%d' % relay.port)
    p.put('n', count=NOTICES)
    t.eq(len(p.rows()), NOTICES, '%d notices wait' % NOTICES)
    running = [p.start(PICKET, 'deliver', '--config', p.at)
               for _ in range(SENDERS)]
    ended = [(x.wait(), x.communicate()) for x in running]
    t.eq([x for x in ended if x != (0, (b'', b''))], [],
         '%d senders end well' % SENDERS)
    counts = collections.Counter(subjects(relay.mails))
    t.eq(sorted(counts), sorted('notice n.%d' % i
                                for i in range(1, NOTICES + 1)),
         'every notice came')
    t.eq([x for x in counts.items() if x[1] != 1], [], 'once')
    t.eq(p.rows(), [], 'nothing is left')

# --- those who put while another sends leave theirs to it ---
with Relay() as relay:
    p = Place('smtp 127.0.0.1:%d' % relay.port)
    conf = os.path.join(p.at, 'picket.conf')
    put = os.path.join(os.environ.get('BUILDDIR', '.'), 'tests/deliver/put')
    running = [p.start(put, p.state, conf, 'p%d' % i, 'count=5', 'flush=1')
               for i in range(SENDERS)]
    ended = [(x.wait(), x.communicate()) for x in running]
    t.eq([x for x in ended if x != (0, (b'', b''))], [],
         '%d that put five each and send' % SENDERS)
    counts = collections.Counter(subjects(relay.mails))
    t.eq((len(counts), set(counts.values())), (5 * SENDERS, {1}),
         'each came once')
    t.eq(p.rows(), [], 'and nobody left one behind')

# --- killed ---
KILLS = 200 if LONG else 60


class Slow(Script):
    """Takes its time, so that a sender dies at every step."""

    def answer(self, c, step):
        time.sleep(random.uniform(0, 0.012))
        return super().answer(c, step)


random.seed(4)
with Slow() as relay:
    p = Place('smtp 127.0.0.1:%d' % relay.port)
    want, kills, sent_twice = set(), 0, 0
    # what a store and a picket-deliver left behind may go on for a moment
    n = 0
    while kills < KILLS:
        if len(p.rows()) < 3:
            n += 1
            p.put('k%d' % n, count=10)
            want |= {'notice k%d.%d' % (n, i) for i in range(1, 11)}
        x = p.start(PICKET, 'deliver', '--config', p.at)
        time.sleep(random.uniform(0, 0.6 if SAN else 0.25))
        if x.poll() is None:
            x.send_signal(signal.SIGKILL)
            kills += 1
        x.communicate()
    status, said = p.deliver('--wait', '60')
    t.eq((status, p.rows()), (0, []), '%d kills: at last all went' % KILLS)
    counts = collections.Counter(subjects(relay.data))
    t.eq(want - set(counts), set(), 'every notice came')
    t.eq(set(counts) - want, set(), 'and no other')
    # The receiver's log against ours: copies are where it accepted and we
    # have no commit of that.
    ours = collections.Counter(
        'notice ' + bytes(x[0]).decode().split('@')[0].rsplit('.', 1)[0]
        for x in p.sql("SELECT notice FROM delivery WHERE "
                       "outcome = CAST('ok' AS BLOB)"))
    t.eq([x for x in ours.items() if x[1] != 1], [],
         'each was written down as taken once')
    twice = {x: k for x, k in counts.items() if k > 1}
    t.ok(sum(k - 1 for k in twice.values()) <= KILLS,
         'a second copy only where a sender died after it was taken: one for '
         'each kill at most', twice)
    for x, k in sorted(twice.items()):
        print('# %s: accepted %d times, one commit' % (x, k))
    print('# %d notices, %d kills, %d copies' %
          (len(want), kills, sum(k - 1 for k in twice.values())))
t.done()
