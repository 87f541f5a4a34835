#!/usr/bin/env python3
"""Who is told of an incident, from onset to end: runs, picket deliver, ack and
silence with a picket.conf that changes meanwhile.  The time is ours
(PICKET_CLOCK); ways out are mailbox files."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import Tap			# noqa: E402
from outbox import WATCH, Host			# noqa: E402

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

# --- for programs ---
p = Host('file DIR/main')
p.run(a=9)


def asked(*words):
    status, said = p.picket(words[0], '--json', *words[1:])
    return status, json.loads(said)


status, got = asked('ack', 'a', '--why', 'seen')
t.eq((status, [(x['key'], x['acknowledged']['why']) for x in got['incidents']]),
     (0, [('a', 'seen')]), 'ack --json')
status, got = asked('silence', 'a*', '--for', '2h', '--why', 'disk')
t.eq((status, [(x['id'], x['pattern'], x['holds'], x['until'], x['why'])
               for x in got['silences']]),
     (0, [('s1', 'a*', True, p.clock + 7200, 'disk')]), 'silence --json')
status, got = asked('unsilence', 's1')
t.eq((status, [(x['id'], x['holds'], x['ended']) for x in got['silences']]),
     (0, [('s1', False, p.clock)]), 'unsilence --json')
asked('silence', 'old', '--for', '2h', '--why', 'many others come')
p.sql("INSERT INTO silence (pattern, made, until, ended, who, why) SELECT "
      "x'61', 1, 2, 2, x'', x'' FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION "
      "ALL SELECT i + 1 FROM n WHERE i < 1200) SELECT i FROM n)")
t.eq((len(asked('silences')[1]['silences']), asked('unsilence', 's2')[0]),
     (1, 0), 'an old one that holds is found behind many')
p.put('more')
t.eq(asked('deliver'), (0, {'sent': 1, 'waiting': 0, 'dead': 0, 'next': None,
                            'left': False}), 'deliver --json')

# --- no state, and no way out ---
p = Host('null retry')
os.makedirs(os.path.join(p.state, 'state.db'))
status, said = p.run(a=9)
kept = re.search(r'^picket: the mail was not sent; it is kept in (\S+)$', said,
                 re.M)
t.ok(status == 1 and kept and '[firing] a is bad' in
     open(kept.group(1)).read() and
     os.stat(kept.group(1)).st_mode & 0o777 == 0o600,
     'a mail that cannot go nor be kept is a file', said)
p.conf('file DIR/main')
t.eq([(p.run(a=9, b=1)[0], p.told('main')) for n in range(2)],
     [(1, ['a: firing'])] * 2, 'without a state: told with each run')
p.write('watch.pikt', (WATCH % p.at).replace('message', 'hold 2m\n\t\t\t'
                                             'message'))
p.run(a=9)
t.eq(p.told('main'), ['a: firing'], 'and at once: nobody keeps since when')
p.write('watch.pikt', WATCH % p.at)
os.rmdir(os.path.join(p.state, 'state.db'))
p.run(a=9)
t.eq(p.told('main'), ['a: firing'], 'what was not kept is told again')
p.run(a=9)
t.eq(p.told('main'), [], 'once')
folder, name = os.path.split(kept.group(1))
t.eq(p.picket('outbox'), (1, 'nothing waits\n1 mail nothing took, and could '
     'not be put here; read and remove it: %s\n  %s\n' % (folder, name)),
     'picket outbox shows the file')
t.eq(json.loads(p.picket('outbox', '--json')[1]),
     {'waiting': [], 'undelivered': [kept.group(1)]}, 'as JSON, too')
os.unlink(kept.group(1))
t.eq(p.picket('outbox'), (0, 'nothing waits\n'), 'until it is removed')

t.done()
