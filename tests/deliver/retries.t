#!/usr/bin/python3
"""When the outbox sends, and by which way: retries, the end of patience,
clocks that jump, fall-backs, limits, digests, quiet hours, the heartbeat.  The
time is ours (PICKET_CLOCK)."""

import http.server
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import (LIMIT, Relay, Script, Tap,		# noqa: E402
                      need_aiosmtpd, slurp)
from web import Web				# noqa: E402
from outbox import PICKET, START, Place, subjects		# noqa: E402

need_aiosmtpd()
t = Tap()
DAY, YEAR = 86400, 365 * 86400


def box(p, name='box'):
    return os.path.join(p.at, name)


def in_box(p, name='box'):
    return subjects(slurp(box(p, name)).split(b'\nFrom ')) if \
        os.path.exists(box(p, name)) else []


def one(p):
    rows = p.rows()
    assert len(rows) == 1, rows
    return rows[0]


# --- the times of retries ---
p = Place('null retry')
p.clock = START
p.put('r')
p.deliver()
waits, wrong = [], []
for n in range(1, 13):
    row = one(p)
    least = min(30 * 2 ** (n - 1), 1800)
    waits.append((row['next'] - p.clock) / least)
    if row['tries'] != n or not 1 <= waits[-1] <= 1.25:
        wrong.append((n, row))
    p.clock = row['next'] - 0.5
    p.deliver()
    if one(p)['tries'] != n:
        wrong.append((n, 'tried before its time'))
    p.clock = row['next'] + 0.001
    p.deliver()
t.eq(wrong, [], '30 s, doubled to half an hour, at most a quarter longer')
t.ok(len({round(x, 3) for x in waits}) > 6, 'by chance', waits)

# --- who asks for time gets it, within reason ---
for wait, more, least, most in (
        ('300', (), 300, 300), ('20', (), 30, 37.5), ('86400', (), 1800, 1800),
        ('300', ('null retry',), 30, 37.5), ('300', ('null fail',), 300, 300)):
    with Web((429, '', {'Retry-After': wait})) as w:
        q = Place('webhook ' + w.url, *more)
        q.clock = START
        q.put('a')
        q.deliver()
        row = one(q)
        t.ok(least <= row['next'] - START <= most and len(w.got) == 1 and
             ('again in %ss' % wait) in row['why'],
             'Retry-After %s, and %s' % (wait, more), row)

# --- seven days ---
p.clock = START + 7 * DAY - 60
p.deliver()
t.eq(one(p)['state'], 'waits', 'it is tried for seven days')
p.clock = START + 7 * DAY + 3600
status, said = p.deliver()
row = one(p)
t.ok(row['state'] == 'dead' and row['why'].startswith(
    'tried 15 times in 7 days; at last: null:retry: ') and 'given up' in said,
    'then it is given up, and that is told', row, said)
status, said = p.picket('outbox')
t.ok(status == 1 and 'dead' in said and 'at last: null' in said,
     'it is shown as dead', said)
p.put('young')
status, said = p.picket('outbox', '--dead')
t.ok('notice r' in said and 'young' not in said, '--dead shows only such',
     said)
p.conf('file ' + box(p))
t.eq(p.deliver(), (0, ''), 'it is not sent by itself')
t.eq(in_box(p), ['notice young'], 'others are')
status, said = p.picket('outbox', '--retry', 'all')
t.ok(status == 0 and in_box(p) == ['notice young', 'notice r'],
     'but when it is asked for', said)
t.eq(p.picket('outbox'), (0, 'nothing waits\n'), 'all is sent')

# --- clocks ---
p = Place('null retry')
p.clock = START
p.put('c')
p.deliver()
p.clock = START + YEAR
p.deliver()
t.eq((one(p)['state'], one(p)['tries']), ('waits', 2),
     'a clock a year ahead gives nothing up')
p.clock = START - YEAR
p.deliver()
p.deliver()
t.eq((one(p)['state'], one(p)['tries']), ('waits', 3),
     'set back a year, it is tried at once, and once')
t.ok(p.clock + 120 <= one(p)['next'] <= p.clock + 150, 'and goes on from there',
     one(p))
p.clock -= 3 * 3600
p.conf('file ' + box(p))
t.eq((p.deliver(), in_box(p)), ((0, ''), ['notice c']),
     'set back by hours, what was tried is due')

# --- fall-backs ---
p = Place()
p.conf('null retry name relay', 'file %s fallback' % box(p))
p.clock = START
p.put('f', flush=1, linger=1)
t.eq(sorted((x['way'], x['tries']) for x in p.rows()),
     [('fallback', 0), ('mail', 1)], 'who lingers waits for mail')
p.clock = START + 119
p.put('none', after=9999999, flush=1, linger=1)
t.eq(in_box(p), [], 'for two minutes')
p.clock = START + 121
p.put('none2', after=9999999, flush=1, linger=1)
t.eq(in_box(p), ['notice f'], 'then the fall-back has it')
p.conf('file %s' % box(p, 'mail'), 'file %s fallback' % box(p))
p.clock = START + 300
p.deliver()
t.eq((in_box(p, 'mail'), in_box(p)), (['notice f'], ['notice f']),
     'and mail, once, when it works')
p.put('quick', flush=1)
t.eq((in_box(p, 'mail')[1:], in_box(p)[1:]), (['notice quick'], []),
     'what mail takes needs no fall-back')
t.eq([x for x in p.rows() if 'quick' in x['subject']], [], 'it is gone')

p = Place()
for level, queue, want in (('warning', 'queued', []),
                           ('critical', 'queued', ['notice criticalqueued']),
                           ('critical', 'direct', []),
                           ('emergency', 'queued', ['notice emergencyqueued'])):
    if os.path.exists(box(p)):
        os.unlink(box(p))
    p.conf('null ok ' + queue, 'file %s fallback' % box(p))
    said = p.put(level + queue, level=level, flush=1)
    t.eq((in_box(p), p.rows(), said), (want, [], ''),
         '%s, taken by a way that is %s' % (level, queue))

p = Place()
p.conf('file %s' % box(p, 'mail'), 'file %s fallback' % box(p))
p.put('d', distrust=1, flush=1)
t.eq([bytes(x[0]) for x in p.sql('SELECT way FROM delivery ORDER BY id')],
     [b'fallback', b'mail'], 'affects mail: the fall-back comes first')
p.conf('null fail name relay', 'file %s fallback' % box(p))
p.put('refused', flush=1)
t.eq((in_box(p)[1:], [(x['way'], x['state']) for x in p.rows()]),
     (['notice refused'], [('mail', 'dead')]),
     'what mail refuses for good goes by the fall-back')

# --- always, routes, and what is gone ---
p = Place()
p.conf('null ok', 'file %s always name rec' % box(p, 'rec'),
       'file %s always' % box(p, 'rec2'),
       'mailcmd "cat >%s" always' % box(p, 'third'))
p.put('a', flush=1)
t.eq((in_box(p, 'rec'), in_box(p, 'rec2'), p.rows(),
      b'notice a' in slurp(box(p, 'third'))),
     (['notice a'], ['notice a'], [], True), 'each `always` gets everything')
p.put('b')
p.conf('null ok', 'file %s always' % box(p, 'rec2'))
p.deliver()
t.eq(p.whys(), [
    ('always:rec', 'dead', 'picket.conf has no such transport any more: rec'),
    ('always:mailcmd', 'dead',
     'picket.conf has no such transport any more: mailcmd')],
     'a transport that is gone')
p = Place()
p.conf('null retry', 'file %s name pager fallback' % box(p),
       'file %s name other fallback' % box(p, 'other'),
       'route night to eve@example.org via pager')
p.put('x', route='night', flush=1, to='eve@example.org')
t.eq((in_box(p), in_box(p, 'other'), p.rows()), (['notice x'], [], []),
     'a route has its own ways')
p.put('y', route='night', to='eve@example.org')
p.conf('file %s name all' % box(p, 'all'))
p.deliver()
t.eq((p.rows(), subjects([slurp(box(p, 'all'))]),
      b'\nTo: eve@example.org\n' in slurp(box(p, 'all')),
      [bytes(x[0]) for x in p.sql("SELECT rcpt FROM delivery WHERE way = ?"
                                  " ORDER BY id DESC LIMIT 1", b'mail')]),
     ([], ['notice y'], True, [b'eve@example.org']),
     'a route that is gone: to the same people, by the default')
status, said = p.picket('mailtest', '--route', 'night')
t.eq((status, said), (1, "picket: picket.conf has no route 'night'\n"),
     'mailtest: no such route')
p.conf('null retry', 'null ok name pager', 'route night via pager')
status, said = p.picket('mailtest', '--route', 'night')
t.ok(status == 0 and said.count('\n') == 1 and 'pager' in said,
     'mailtest: the ways of a route', said)
p = Place('null ok')
p.put('lost')
p.sql("DELETE FROM notice")
p.deliver()
t.eq(p.whys(), [('mail', 'dead', 'its text is not in the state any more')],
     'a row without its notice')

# --- recipients, one by one ---
with Script(RCPT=['250 fine', '550 5.1.1 nobody', '450 4.2.1 full', '250 f']) \
        as s, Relay() as relay:
    p = Place('smtp 127.0.0.1:%d' % s.port)
    p.clock = START
    p.put('three', to='a@x.org,b@x.org,c@x.org', flush=1)
    label = 'smtp:127.0.0.1:%d: ' % s.port
    got = sorted((x['state'], x['to'], x['why']) for x in p.rows())
    t.ok([x[:2] for x in got] == [('dead', ['b@x.org']),
                                  ('waits', ['c@x.org'])] and
         label + '<b@x.org> 550 5.1.1 nobody' in got[0][2] and
         label + '<c@x.org> 450 4.2.1 full' in got[1][2],
         'one taken, one refused, one again', got)
    p.clock = START + 40
    p.conf('smtp 127.0.0.1:%d' % relay.port)
    p.deliver()
    t.eq([x.to for x in relay.mails], [['c@x.org']], 'only who has nothing yet')

# --- a way that takes nothing is not tried by each ---
p = Place('null retry')
p.clock = START
p.put('many', count=10, flush=1)
tries = sorted(x['tries'] for x in p.rows())
t.eq(tries, [0] * 7 + [1] * 3, 'three in vain, then the others wait')
t.ok(sum('this way did not take the last ones' in x['why']
         for x in p.rows()) == 7, 'and say why', p.whys())
p.conf('null ok')
p.clock = START + 40
t.eq((p.deliver(), p.rows()), ((0, ''), []), 'later all go')

# --- limits ---
with Relay() as relay:
    p = Place('smtp 127.0.0.1:%d' % relay.port, 'limit 3 per hour')
    p.clock = START
    p.put('l', count=8)
    t.eq((p.deliver(), len(relay.mails)), ((0, ''), 3), 'so many in an hour')
    t.eq({(x['state'], x['why']) for x in p.rows()},
         {('held', 'there were 3 mails in an hour, which is the limit: it '
           'goes together with others')}, 'the others are held')
    p.put('c', level='critical', flush=1)
    t.eq(subjects(relay.mails)[3:], ['notice c'], 'critical ones are not')
    p.clock = START + 60
    p.put('two', to='ann@example.org,bob@example.org', flush=1)
    t.eq([x.to for x in relay.mails[4:]], [['bob@example.org']],
         'nor is who has had less')
    p.clock = START + 3599
    t.eq((p.deliver(), len(relay.mails)), ((0, ''), 5), 'for an hour')
    p.clock = START + 3605
    t.eq((p.deliver(), len(relay.mails)), ((0, ''), 6), 'then they go as one')
    text = relay.mails[5].content.decode()
    t.ok(subjects(relay.mails[5:]) == ['PIKT Alert on moscow: 6 alerts'] and
         relay.mails[5].to == ['ann@example.org'] and '6 alerts in one mail: '
         'there were 3 mails in an hour, which is the limit' in text,
         'which counts them', text)
    t.ok(all(text.count('notice l.%d\r\n' % i) == 2 for i in (4, 5, 6, 7, 8))
         and text.count('nothing else') == 6,
         'lists them, and holds what they say', text)
    t.eq(p.rows(), [], 'none is left')
    p.put('long', count=5, say='x' * 50, lines=7000, flush=1, level='info')
    p.clock = START + 3605 + 3700
    t.eq((p.deliver(), p.rows()), ((0, ''), []), 'long ones')
    t.eq((len(relay.mails), subjects(relay.mails[-1:])),
         (9, ['PIKT Alert on moscow: 3 alerts']), 'go as one, too')
    text = relay.mails[-1].content.decode()
    t.ok('1 more are too long' in text and len(text) < 3000000 and
         all('notice long.%d' % i in text for i in (3, 4, 5)),
         'as far as there is room, and are listed', text[:2000])
    # as many as one takes, and another
    p.put('one', flush=1)
    p.put('two', flush=1)
    p.put('three')
    p.sql('UPDATE outbox SET state = 1')
    p.sql("""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
             WHERE i < 1001) INSERT INTO outbox (key, notice, way, rcpt, first,
             route, due, made, since, urgent, fold, tries, state, why)
             SELECT CAST(key || i AS BLOB), notice, way, rcpt, first, route,
             due, made, since, urgent, fold, tries, state, why
             FROM outbox, n""")
    p.clock += 3700
    t.eq((p.deliver(), p.rows()), ((0, ''), []), 'a thousand and two')
    t.eq(subjects(relay.mails[-2:]), ['PIKT Alert on moscow: 1000 alerts',
         'PIKT Alert on moscow: 2 alerts'], 'go as two')

with Script(RCPT=['250 a', '450 later', '450 later', '250 b']) as s:
    p = Place('smtp 127.0.0.1:%d' % s.port, 'limit 1 per hour')
    p.clock = START
    p.put('a', to='ann@x.org', flush=1)
    p.put('x', to='ann@x.org,bob@x.org,carol@x.org', flush=1)
    t.eq(sorted((x['state'], x['to']) for x in p.rows()),
         [('held', ['ann@x.org']), ('waits', ['bob@x.org', 'carol@x.org'])],
         'one of a row is held, the others are tried')
    p.put('b', to='bob@x.org', flush=1)
    p.clock = START + 40
    p.deliver()
    t.eq(sorted((x['state'], x['to']) for x in p.rows()),
         [('held', ['ann@x.org']), ('held', ['bob@x.org'])],
         'then another')
    p.clock = START + 3700
    p.deliver()
    t.eq(([x for x in p.rows()], sorted(bytes(x[0]) for x in p.sql(
        "SELECT rcpt FROM delivery WHERE CAST(notice AS TEXT) LIKE 'x.%' AND "
        "outcome = CAST('ok' AS BLOB)"))),
        ([], [b'ann@x.org', b'bob@x.org', b'carol@x.org']),
        'at last each has it')

# --- digests and quiet hours ---
with Relay() as relay:
    p = Place('smtp 127.0.0.1:%d' % relay.port)
    p.clock = START
    p.put('d1', digest=1, after=600, alert='Disks', flush=1)
    p.put('q1', after=3600, flush=1)
    status, said = p.picket('outbox')
    t.ok((status, len(relay.mails)) == (0, 0) and
         said.count('is not to be sent before then') == 2,
         'what is to wait waits', said)
    p.clock = START + 300
    p.put('d2', digest=1, after=600, alert='Disks', flush=1)
    p.put('d3', digest=1, after=600, alert='Other', flush=1)
    p.put('d4', digest=1, alert='Disks', level='critical', flush=1)
    t.eq(subjects(relay.mails), ['notice d4'], 'a critical one does not')
    p.clock = START + 601
    p.deliver()
    t.eq(subjects(relay.mails)[1:], ['PIKT Alert on moscow: Disks, 2 alerts'],
         'an alert collects its notices')
    p.clock = START + 901
    p.deliver()
    t.eq(subjects(relay.mails)[2:], ['notice d3'], 'one alone stays as it is')
    p.clock = START + 3601
    p.deliver()
    t.eq((subjects(relay.mails)[3:], p.rows()), (['notice q1'], []),
         'quiet hours end')

# --- the heartbeat ---
asked = []


class Beat(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        n = int(self.headers.get('Content-Length') or 0)
        asked.append((self.command, self.path.split('?')[0],
                      self.rfile.read(n).decode()))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'OK')

    do_POST = do_GET

    def log_message(self, *ignored):
        pass


web = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Beat)
threading.Thread(target=web.serve_forever, daemon=True).start()
url = 'http://127.0.0.1:%d' % web.server_port
p = Place('null ok', 'heartbeat %s/ping' % url)
p.clock = START
p.put('h', flush=1)
t.eq(asked, [('GET', '/ping', '')], 'a sign of life after a whole flush')
p.clock = START + 59
p.deliver()
t.eq(len(asked), 1, 'once a minute at most')
p.clock = START + 61
p.deliver()
t.eq(asked[1:], [('GET', '/ping', '')], 'also when nothing waits')
p.conf('null retry', 'heartbeat %s/ping every 5m' % url)
p.put('late', flush=1)
p.clock = START + 120
p.deliver()
t.eq(len(asked), 2, 'every 5m')
p.clock = START + 61 + 3599
p.deliver()
t.eq(asked[2:], [('GET', '/ping', '')], 'trouble for less than an hour')
p.clock += 301
p.deliver()
t.eq(asked[3:], [('POST', '/ping/fail', '1 notice waits to be sent, the oldest '
                  'for 65 minutes')], 'the fail form after an hour')
p.conf('null retry', 'heartbeat %s/ping fail %s/bad' % (url, url))
p.clock += 301
p.deliver()
t.eq([x[:2] for x in asked[4:]], [('POST', '/bad')], 'a form of its own')
p.clock = START - YEAR
p.conf('null ok', 'heartbeat %s/ping' % url)
p.deliver()
t.eq([x[:2] for x in asked[5:]], [('GET', '/ping')],
     'a clock that was set back does not silence it')
web.shutdown()

# --- what is kept has an end ---
p = Place('null ok')
p.clock = START
p.put('a', flush=1)
p.sql('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE '
      'i < 505000) INSERT INTO delivery (time, notice, way, rcpt, transport, '
      "outcome, why) SELECT %d, x'', x'', x'', x'', x'', x'' FROM n" % START)
p.clock += 3700
for n in range(20):
    p.deliver()
    left = p.sql('SELECT count(*) FROM delivery')[0][0]
    if left <= 500000:
        break
    p.clock += 1
t.ok(450000 < left <= 500000, 'of more than a step is trimmed', (left, n))

# --- what cannot be written down is not sent ---
p = Place()
db = os.path.join(p.state, 'state.db')
p.conf('file ' + box(p))
p.put('kept')
os.rename(db, db + '.x')
os.mkdir(db)
status, said = p.deliver()
t.ok(status == 1 and 'is a folder' in said and in_box(p) == [],
     'a state that cannot be read', said)
os.rmdir(db)
os.rename(db + '.x', db)
os.mkdir(os.path.join(p.state, 'send.lock'))
status, said = p.deliver()
t.ok(status == 1 and 'send.lock: ' in said and in_box(p) == [],
     'a lock that cannot be had', said)
os.rmdir(os.path.join(p.state, 'send.lock'))
# no more room: what sends must note it first
p.sql("CREATE TRIGGER full BEFORE INSERT ON meta BEGIN "
      "SELECT RAISE(ABORT, 'no room'); END")
status, said = p.deliver()
t.ok(status == 1 and 'no room' in said and in_box(p) == [],
     'a state that cannot be written', said)
p.sql("DROP TRIGGER full")
t.eq((p.deliver(), in_box(p)), ((0, ''), ['notice kept']),
     'it goes when it can')

# --- sent, and it cannot be written down ---
p = Place()
db = os.path.join(p.state, 'state.db')
# who takes the mail leaves a folder where the state's file should be
p.conf('mailcmd "mv %s %s.x; mkdir %s; echo mail >>%s"' % (db, db, db, box(p)))
p.put('once')
x = p.start(PICKET, 'deliver', '--loop', '--config', p.at)
end = time.monotonic() + LIMIT / 2
said = b''
while b'cannot be written down' not in said and time.monotonic() < end:
    said += os.read(x.stderr.fileno(), 4096)
p.conf('mailcmd "echo mail >>%s"' % box(p))
os.rmdir(db)
os.rename(db + '.x', db)
while p.rows() and time.monotonic() < end:
    time.sleep(0.2)
t.eq(p.rows(), [], 'it is written down when that can be done')
x.send_signal(signal.SIGTERM)
t.eq(x.wait(LIMIT), 0, '--loop ends by a signal')
t.ok(b'it is remembered as long as this runs' in said, 'it was told', said)
t.eq((p.deliver(), slurp(box(p)).count(b'mail')), ((0, ''), 1),
     'and it was not sent again')
t.done()
