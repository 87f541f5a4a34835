#!/usr/bin/env python3
"""Who is told of an incident, from onset to end: runs, picket deliver, ack and
silence with a picket.conf that changes meanwhile.  The time is ours
(PICKET_CLOCK); ways out are mailbox files."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import Tap			# noqa: E402
from outbox import Host				# noqa: E402

t = Tap()


# --- who is called hears the end ---
BOXES = ('file DIR/main name main', 'file DIR/boss name boss',
         'route boss alert None to boss@example.org via boss',
         'route late alert None to late@example.org via boss')
p = Host(*BOXES, 'escalate 30m boss')
p.run(a=9, b=9)
t.eq((sorted(p.told('main')), p.told('boss')),
     (['a: firing', 'b: firing'], []), 'an onset goes to one')
p.picket('ack', 'b')
t.eq((p.told('main'), p.told('boss')), (['b: acknowledged by root'], []),
     'an ack before anybody else was called')
p.after(1900)
t.eq((p.told('main'), p.told('boss')),
     ([], ['a: escalated, nobody has acknowledged it for 31m 40s']),
     'nobody acts: the other is called')
p.conf(*BOXES, 'escalate 2h late', 'escalate 1h late', 'escalate 30m boss')
p.after(60)
t.eq((p.told('main'), p.told('boss')), ([], []),
     'lines more in picket.conf call nobody again')
p.picket('ack', 'a')
t.eq((p.told('main'), p.told('boss')), (['a: acknowledged by root'] * 1,
     ['a: acknowledged by root']), 'who was called hears that somebody acts')
p.clock += 60
p.run(a=1, b=1)
t.eq((sorted(p.told('main')), p.told('boss')),
     (['a: resolved after 33m 40s', 'b: resolved after 33m 40s'],
      ['a: resolved after 33m 40s']), 'and the end; the others do not')
p.clock += 60
p.run(a=9)
p.told('main')
p.clock += 60
p.run(a=1)
t.eq((p.told('main'), p.told('boss')), (['a: resolved after 1m'], []),
     'the next episode calls nobody')

t.done()
