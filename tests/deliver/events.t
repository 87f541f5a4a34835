#!/usr/bin/python3
# runner: timeout=300
"""pagerduty and heartbeat: what is sent, and what of the answers."""

import os
import re
import sys
import uuid

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import *				# noqa: E402,F403
from web import *				# noqa: E402,F403

tap = Tap()
KEY = '0123456789abcdef0123456789abcdef'
key = secret('key', KEY + '\n')
TAKEN = (202, '{"status":"success","message":"Event processed"}')


def page(web, said, options='timeout 5s', **more):
    return deliver(web_job('pagerduty keyfile %s url %s/v2/enqueue %s' % (
        key, web.url, options), said, **more))


DETAILS = dict(incident='mxqueue:moscow', place='mx.pikt:14',
               evidence='#queued >= 5000 (#queued = 5210)',
               done='exec wait: /usr/sbin/postqueue -f',
               notice='run-1.1@moscow')
for what, action in (('firing', 'trigger'), ('still firing', 'trigger'),
                     ('unknown', 'trigger'), ('flapping', 'trigger'),
                     ('escalated', 'trigger'),
                     ('silenced', 'acknowledge'),
                     ('acknowledged', 'acknowledge'),
                     ('resolved', 'resolve')):
    with Web(TAKEN) as w:
        got = page(w, notice([change(what=what, says=what + '!')]))
        tap.eq((got.status, [(r.method, r.path, r.headers['content-type'],
                              r.json) for r in w.got]),
               (SENT, [('POST', '/v2/enqueue', 'application/json', dict(
                   routing_key=KEY, event_action=action, client='Picket',
                   dedup_key='3fa2b1c9@moscow', payload=dict(
                       summary='MX moscow has many queued messages: 5210',
                       source='moscow', severity='critical',
                       timestamp='2000-04-25T05:16:00.000Z',
                       component='MXQueue', group='Urgent',
                       custom_details=dict(DETAILS, state=what + '!'))))]),
               'pagerduty: ' + what)
        tap.eq(got.lines, ['ok pagerduty 202 ' + TAKEN[1]], 'its report')
for level, severity in (('emergency', 'critical'), ('urgent', 'critical'),
                        ('critical', 'critical'), ('error', 'error'),
                        ('warning', 'warning'), ('notice', 'info'),
                        ('info', 'info'), ('debug', 'info')):
    with Web(TAKEN) as w:
        page(w, notice([change(level=level)]))
        tap.eq(w.got[0].json['payload']['severity'], severity,
               'pagerduty: level ' + level)
with Web(TAKEN) as w:
    got = page(w, notice([change(), change(id='2', what='resolved')],
                         [script()]))
    tap.eq([(r.json['event_action'], r.json['dedup_key'],
             r.json['payload']['summary']) for r in w.got],
           [('trigger', '3fa2b1c9@moscow',
             'MX moscow has many queued messages: 5210'),
            ('resolve', '2@moscow',
             'MX moscow has many queued messages: 5210'),
            ('trigger', 'moscow/Urgent/ProcNumChk',
             'ProcNumChk: Count processes.')], 'an event each')
    tap.eq(w.got[2].json['payload']['custom_details'],
           dict(lines='404 groucho imapd\nkilled them',
                notice='run-1.1@moscow'), 'the lines of a script')
with Web(TAKEN) as w:
    got = page(w, None)
    tap.eq((got.status, w.got[0].json['payload']['summary'],
            w.got[0].json['dedup_key']), (SENT, 't', 'test.example.org//'),
           'a mail without a notice')
keys = set()
for host in 'h' * 246, 'h' * 247, 'h' * 500, 'h' * 501, '\u00e9' * 500, \
        '\U0001f525' * 500:
    with Web(TAKEN) as w:
        page(w, notice([change(id='12345678', message='m' * 2000,
                               evidence='\x01' * 100000)], host=host))
        d = w.got[0].json
        keys.add(d['dedup_key'])
        tap.ok(len(d['dedup_key']) <= 255 and
               len(d['payload']['summary']) <= 1024 and
               len(w.got[0].body) < 512 * 1024, 'limits', d['dedup_key'])
tap.eq(len(keys), 6, 'a key that is cut is still another one')
for h in ('"', '\\', '\n', '\0', '\x1b[2J', '\u202e', '{"a":1}', '\U0010ffff',
          '', ' ', '\x01' * 200000, 'x' * 1000000):
    with Web(TAKEN) as w:
        got = page(w, notice([change(**dict.fromkeys(change(), h))],
                             [script(**dict.fromkeys(script(), h))],
                             host=h, alert=h, id=h, run=h))
        tap.ok(got.status == SENT and all(
            len(r.body) < 512 * 1024 and r.json['dedup_key'] and
            r.json['payload']['summary'] for r in w.got),
               'hostile: %r' % h[:12], got)
for answers, status, n, what in (
        ([(400, '{"status":"invalid event"}'), TAKEN], REFUSED, 2,
         '400: the others are sent all the same'),
        ([(500, ''), TAKEN], LATER, 1, '500: again, all'),
        ([TAKEN, (429, '')], LATER, 2, '429: again'),
        ([TAKEN, (400, 'bad')], REFUSED, 2, 'the second one is refused'),
        ([Web.DROP], LATER, 1, 'closed'),
        ([Web.FLOOD], SENT, 2, 'a long answer')):
    with Web(*answers) as w:
        got = page(w, notice([change(), change(id='2')]))
        tap.ok(got.status == status and len(w.got) == n, what, got, w.got)
def slow(r):
    time.sleep(0.5)
    return TAKEN


with Web(slow) as w:
    got = page(w, notice([change(id=str(i)) for i in range(20)]),
               'timeout 2s')
    tap.ok(got.status == LATER and 1 <= len(w.got) <= 5 and got.seconds < 10,
           'a slow server: all within its time', got)
with Web(lambda r: (400, 'no such key: ' + r.json['routing_key'])) as w:
    got = page(w, notice([change()]))
    tap.ok(got.status == REFUSED and 'no such key: ***' in got.out and
           KEY not in got.out, 'the key is not shown', got)
for line, why in (('', 'needs keyfile'), (' keyfile x', 'begin with /'),
                  (' keyfile /x url http://a.example.org/', 'https'),
                  (' keyfile /x url ftp://a', 'begins with https'),
                  (' https://a keyfile /x', 'no option'),
                  (' keyfile /no/such', 'missing')):
    got = deliver(web_job('pagerduty' + line, notice([change()])))
    tap.ok(got.status == (LATER if why == 'missing' else REFUSED) and
           why in got.out, 'no line: ' + why, got)

# Signs of life.
UUID = re.compile(r'rid=([0-9a-f-]{36})$')


def beat(line, body=b'', run='run-1'):
    return deliver(web_job('heartbeat ' + line, None, body=body, run=run))


with Web() as w:
    got = beat(w.url + '/ping/x')
    r = w.got[0]
    m = UUID.search(r.path)
    tap.ok(got.status == SENT and r.method == 'GET' and r.body == b'' and
           r.path.startswith('/ping/x?rid=') and m and
           uuid.UUID(m.group(1)).variant == uuid.RFC_4122 and
           uuid.UUID(m.group(1)).version == 8, 'all is well', got, w.got)
    beat(w.url + '/ping/x', b'oldest unsent notice: 2h\n\x1b[2J\xff\n')
    r2 = w.got[1]
    tap.eq((r2.method, r2.path, r2.body, r2.headers['content-type']),
           ('POST', '/ping/x/fail?rid=' + m.group(1),
            b'oldest unsent notice: 2h\n\\x1b[2J\\xff',
            'text/plain; charset=utf-8'), 'not all is well; the same run')
    beat(w.url + '/ping/x', run='run-2')
    tap.ok(w.got[2].path != r.path, 'another run', w.got[2])
    beat(w.url + '/ping/x/?a=b', b'why', run='')
    tap.eq(w.got[3].path, '/ping/x/fail?a=b', 'a query, no run')
    beat(w.url + '/up?a=b fail %s/down' % w.url, b'why')
    beat(w.url + '/up?a=b fail %s/down' % w.url)
    tap.eq([r.path.split('rid=')[0] for r in w.got[4:]],
           ['/down?', '/up?a=b&'], 'another URL for it')
    beat('urlfile ' + secret('url', w.url + '/ping/y'), b'x' * 100000)
    tap.ok(w.got[6].path.startswith('/ping/y/fail?rid=') and
           len(w.got[6].body) <= 10 * 1024 and
           w.got[6].body.endswith(b'...'), 'a URL by file; a long reason')
for answer, status in (((200, 'OK'), SENT), ((404, 'not found'), LATER),
                       ((500, ''), LATER), (Web.DROP, LATER)):
    with Web(answer) as w:
        got = beat(w.url + '/ping/secret-uuid-1234')
        tap.ok(got.status == status and 'secret-uuid' not in got.out,
               'heartbeat: %r' % (answer,), got)
tap.done()
