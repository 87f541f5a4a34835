#!/usr/bin/python3
"""The outbox: what is put goes out once; what cannot go waits, says why, and
goes when it can."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import Relay, Tap, need_aiosmtpd, slurp		# noqa: E402
from outbox import PICKET, Place, dead_port, subjects		# noqa: E402

need_aiosmtpd()
t = Tap()


# --- it goes out, once ---
with Relay() as relay:
    p = Place('smtp 127.0.0.1:%d' % relay.port)
    t.eq(p.picket('outbox'), (0, 'nothing waits\n'), 'an outbox that is not '
         'there is empty')
    t.ok(not os.path.exists(p.state), 'and asking makes none')
    t.eq(p.deliver(), (0, ''), 'nothing to deliver is no fault')
    p.put('one', twice=1)
    t.eq([(x['way'], x['to'], x['tries'], x['why']) for x in p.rows()],
         [('mail', ['ann@example.org'], 0, '')], 'a notice waits')
    status, said = p.picket('outbox')
    t.eq((status, said.splitlines()), (0, [
        '  ID  AGE   TRIES  NEXT   WAY       TO',
        '   1  0s        0  now    mail      ann@example.org',
        '      notice one',
        '      not tried yet: picket deliver sends it']), 'and is shown')
    t.eq(p.deliver(), (0, ''), 'it is delivered')
    t.eq(p.put('one'), '', 'put again by one who does not know')
    t.eq(p.deliver(), (0, ''), 'there is nothing to send')
    t.eq([(m.to, m.sender) for m in relay.mails],
         [(['ann@example.org'], 'picket@example.org')], 'one mail came')
    t.ok(b'Message-ID: <%s>' % p.sql('SELECT notice FROM notice')[0][0] in
         relay.mails[0].content,
         'with the id of the notice')
    t.eq(p.put('two', flush=1), '', 'a run sends its own')
    t.eq(subjects(relay.mails), ['notice one', 'notice two'], 'at once')
    p.put('many', count=3, to='ann@example.org,bob@example.org')
    t.eq(p.deliver(), (0, ''), 'several to several')
    t.eq([(s, m.to) for s, m in zip(subjects(relay.mails[2:]),
                                    relay.mails[2:])],
         [('notice many.%d' % i, ['ann@example.org', 'bob@example.org'])
          for i in (1, 2, 3)], 'in their order, each once')
    status, said = p.picket('outbox', '--all')
    t.ok(status == 0 and said.count('250 2.0.0 taken') == 8 and
         'nothing waits' in said, 'what the receiver said is kept', said)

# --- it waits, and says why ---
p = Place('smtp 127.0.0.1:%d' % dead_port())
said = p.put('late', flush=1)
t.ok(re.search(r"mail \d+ \(notice late\): not sent: smtp:127.0.0.1:\d+: "
               r"Failed to connect .*; next try in \d+ s$", said.strip()),
     'a run says what it could not send', said)
t.eq(p.put('other', run='x'), '', 'another waits')
status, said = p.picket('outbox')
t.ok('Failed to connect' in said and 'not tried yet' in said, 'both are shown',
     said)
status, said = p.deliver()
t.ok(status == 1, 'deliver: something could not go', said)
with Relay() as relay:
    p.conf('smtp 127.0.0.1:%d' % relay.port)
    t.eq(p.deliver()[0], 1, 'it is not tried before its time')
    first = p.rows()[0]['id']
    status, said = p.picket('outbox', '--retry', str(first))
    t.ok(status == 1 and 'taken by smtp' in said, 'but when it is asked for',
         said)
    t.eq(subjects(relay.mails), ['notice late'], 'it came')
    status, said = p.picket('outbox', '--retry', 'all')
    t.eq(status, 0, 'all: the rest went, too')
    t.eq(subjects(relay.mails), ['notice late', 'notice other'], 'both came')
    p.put('no')
    ident = p.rows()[0]['id']
    t.eq(p.picket('outbox', '--drop', str(ident)), (0,
         'dropped %d, by mail to ann@example.org: notice no\n' % ident),
         'what is dropped is told')
    t.eq(p.deliver(), (0, ''), 'and not sent')
    t.eq(len(relay.mails), 2, 'nothing came')
    status, said = p.picket('outbox', '--all')
    t.ok('dropped' in said, 'that it was dropped is kept', said)
    status, said = p.picket('outbox', '--drop', str(ident))
    t.eq((status, said), (1, 'picket: nothing with the ID %d waits (see '
         'picket outbox)\n' % ident), 'it cannot be dropped twice')

# --- how it is shown ---
q = Place('null fail name one', 'null fail name two')
q.put('red', to='a@x.org,b@x.org,c@x.org', flush=1)
status, said = q.picket('outbox')
t.eq((status, [' '.join(x.split()) for x in said.splitlines()]), (1, [
     'ID AGE TRIES NEXT WAY TO', '1 0s 1 dead mail a@x.org +2', 'notice red',
     'one: as it was told; two: as it was told']), 'a table')
lines = said.splitlines()
t.eq([lines[0].index(x) for x in ('AGE', 'NEXT', 'WAY', 'TO')],
     [lines[1].index(x) for x in ('0s', 'dead', 'mail', 'a@x')],
     'its columns')
status, plain = q.done(PICKET, 'outbox', '--config', q.at)
t.eq(plain, said, 'no colours but on a terminal')
status, said = q.done(PICKET, 'outbox', '--config', q.at, '--color', 'always')
t.ok('\033[1;31mdead\033[0m' in said and re.sub(r'\033\[[0-9;]*m', '', said)
     == plain, 'colours when they are asked for', said)
status, said = q.done(PICKET, 'completion', 'bash')
t.ok('--retry' in said and '--loop' in said and '--transport' in said,
     'the shell completes their options')
for command in ('outbox', 'deliver', 'mailtest'):
    status, said = q.done(PICKET, command, '--help')
    t.ok(status == 0 and said.startswith('usage: picket ' + command),
         command + ' --help', said)

# --- words that are wrong ---
for words, expect in (
        (('outbox', '--drop', 'all'), "--drop wants an ID of picket outbox, "
         "not 'all'"),
        (('outbox', '--retry', 'x'), "--retry wants an ID of picket outbox, "
         "or all, not 'x'"),
        (('outbox', '--retry', '1', '--drop', '1'), 'one of them at a time'),
        (('outbox', '--drop', '1', '--json'), '--retry and --drop stand alone'),
        (('outbox', '--all', '--dead'), '--all or --dead, not both'),
        (('outbox', 'x'), "outbox takes no arguments, not 'x' (see picket "
         "help outbox)"),
        (('deliver', '--wait', 'soon'), "--wait wants a duration such as 30s "
         "or 5m, not 'soon'"),
        (('deliver', '--wait', '1', '--loop'), '--wait or --loop, not both'),
        (('deliver', '7'), "deliver takes no arguments, not '7'"),
        (('mailtest', 'a\x1b[2J\nb'), "not 'a\\x1b[2J\\x0ab'"),
        (('outbox', '--retry', 'x' * 100000), 'wants an ID of picket outbox'),
        (('mailtest', 'x'), "mailtest takes no arguments, not 'x'"),
        (('mailtest', '--to', 'a b'), "'a b' is no address")):
    status, said = p.picket(*words)
    t.ok(status == 2 and expect in said and said.count('\n') == 1,
         ' '.join(words), said)

# --- a test of the ways ---
with Relay() as relay:
    box = os.path.join(p.at, 'box')
    p.conf('smtp 127.0.0.1:%d' % relay.port,
           'smtp 127.0.0.1:%d name second' % dead_port(),
           'file %s' % box)
    status, said = p.picket('mailtest', '--to', 'eve@example.org')
    lines = said.splitlines()
    t.ok(status == 1 and len(lines) == 3, 'mailtest: one line a way', said)
    t.ok(re.match(r'taken +\d+\.\d\d s  smtp:127.0.0.1:\d+: 250 2.0.0 taken',
                  lines[0]), 'what the receiver said', said)
    t.ok(re.match(r'failed +\d+\.\d\d s  second: Failed to connect to '
                  r'127.0.0.1 port \d+$',
                  lines[1]), 'why one failed', said)
    t.ok(re.match(r'taken +\d+\.\d\d s  file:', lines[2]), 'the file', said)
    t.eq((relay.mails[0].to, subjects(relay.mails)), (['eve@example.org'],
         ['[test] Picket on moscow: only a test']), 'it is marked')
    t.ok(b'This is only a test' in slurp(box), 'in the file, too')
    t.eq(p.picket('mailtest', '--transport', 'nothere'), (1, "picket: "
         "picket.conf has no transport 'nothere'; it has smtp:127.0.0.1:%d, "
         "second, file:%s\n" % (relay.port, box)), 'a way that is not there')
    t.eq(p.picket('mailtest', '--route', 'x'), (1, "picket: picket.conf has "
         "no route 'x'\n"), 'a route that is not there')
    t.eq(p.picket('mailtest', '--transport', 'second')[1].count('failed'), 1,
         'one way alone')
    t.eq(p.picket('outbox'), (0, 'nothing waits\n'), 'nothing is left of it')
t.done()
