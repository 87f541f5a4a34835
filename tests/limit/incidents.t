#!/usr/bin/env python3
# runner: timeout=240
"""Many incidents: what is beyond a limit is said, and nothing that was not
looked at comes to its end by that."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'deliver'))
from delivery import Tap, slurp			# noqa: E402
from outbox import Host				# noqa: E402

t = Tap()
MANY = 5000			# LIM_STEPS
BIG = '''Watch
	init
		level critical
		input file "%s/in"
		dat $k 1
		dat #w 2
	begin
		output mail "it began"
	rule
		incident "$k"
			when #w > 5
			message "$repeat("x", 3900) $k is bad"
		endincident
'''


def open_ones(p):
    return {bytes(k).decode() for k, in p.sql(
        'SELECT key FROM incident WHERE state = 2')}


def keys(letter, n, value):
    return {letter + str(i): value for i in range(n)}


# --- as many keys as a run takes ---
p = Host('file DIR/main')
status, said = p.run(**keys('a', 2 * MANY, 9))
t.ok(status == 0 and said.count('\n') == 1 and
     'incident a5000 and all that follow are ignored: a run takes 5000' in said,
     'what is too much is said once', said)
t.eq(open_ones(p), set(keys('a', MANY, 9)), 'the others fire')
told = p.told('main')

t.ok(100 < len(told) < MANY and set(told) <= {'a%d: firing' % i
     for i in range(MANY)}, 'the mail has as many as it holds', len(told))

# --- what ended long ago takes no room ---
p.clock += 60
p.run(**keys('a', MANY, 1))
t.eq(open_ones(p), set(), 'they end')
for letter in 'b':
    p.clock += 60
    p.run(**keys(letter, 2 * MANY, 9))
    t.eq(open_ones(p), set(keys(letter, MANY, 9)), 'as many others fire')
    p.clock += 60
    p.run(**keys(letter, MANY, 1))

# --- what was not looked at is not gone ---
p = Host('file DIR/main')
p.run(late=9)
for n in range(4):
    p.clock += 60
    p.run(**dict(keys('d', MANY, 1), late=9))
t.eq(open_ones(p), {'late'}, 'what is beyond the limit does not end')

# --- more than the memory holds ---
p = Host('file DIR/main')
p.write('watch.pikt', BIG % p.at)
p.run(one=9)
p.told('main')
for n in range(4):
    p.clock += 60
    status, said = p.run(one=9, **keys('e', 3000, 9))
    t.ok(status == 1 and 'more than 16 MiB of memory' in said,
         'a run that has no memory for its incidents fails', said)
    mail = slurp(os.path.join(p.at, 'main')).decode()
    t.ok(mail.count('it began') == n + 1, 'what it said before is told', n)
t.eq(open_ones(p), {'one', 'nodata:run/Watch'}, 'its incidents do not end')
p.clock += 60
p.run(one=1)
t.eq(open_ones(p), set(), 'a good run ends them')

t.done()
