#!/usr/bin/env python3
# runner: timeout=120
"""queue: listings and spools of Postfix, Exim and sendmail as their vendors
document them, odd ones among them; a folder; damaged ones.
"""

import os
import random
import shutil

from hosttable import Root, damaged, rows
from tap import end, tell

ROOTS = os.path.join(os.environ['SRCDIR'], 'tests/table/roots')
MAIL = os.path.join(ROOTS, 'mail')
NOW = 1700000100
os.environ['TZ'] = 'UTC'


def queue(which, root=MAIL, **more):
    got = rows('queue', which, root=root, now=NOW, **more)
    return got, {r['id']: r for r in got.rows}


def has(by, id, **want):
    row = by.get(id, {})
    tell(all(row.get(c) == v for c, v in want.items()),
         '%s: %s' % (id, ' '.join(want)), row or sorted(by))


# Postfix.
got, by = queue('postfix')
tell(got.status == 0 and len(got.rows) == 6 and not got.err,
     'postfix: six messages', got)
has(by, '4XyzAB1CdEz1', queue='active', size='3127', age='100',
    arrived='1700000000', sender='alice@example.org',
    recipients='bob@example.com', recipient_count='1', reason=None)
has(by, '4XyzAB2CdEz2', queue='deferred', sender='', age='10100',
    reason='connect to dead.example[203.0.113.9]:25: Connection timed out')
has(by, 'AB12', queue='hold', sender='"odd \\"name\\""@example.org',
    recipients='a@x.example b@x.example c@x.example', recipient_count='3',
    reason='first reason')
tell(by['LONG']['recipient_count'] == '3000' and
     30000 < len(by['LONG']['recipients']) <= 32768 and
     by['LONG']['recipients'].startswith('user0@list.example user1@'),
     'recipients are cut, their number is not', by['LONG'])
tell(len(by['REASON']['reason']) == 2000, 'a long reason is cut')
has(by, 'DROP', queue='maildrop', recipients='', recipient_count='0', age='0')
with open(MAIL + '/queue/postfix') as f:
    text = f.read()
with Root(out=text + '{"queue_name": 7}\n[]\nnot json\n{"queue_id": "X", '
          '"arrival_time": "x", "message_size": -1, "recipients": {}}\n',
          empty='') as r:
    got, by = queue('postfix', root='', output=r.path + '/out')
    tell(len(got.rows) == 7 and '3 entries' in got.err,
         'by its program; what is no entry is counted', got)
    has(by, 'X', queue=None, age=None, size=None, sender=None,
        recipients=None, recipient_count=None)
    got, by = queue('postfix', root='', output=r.path + '/empty')
    tell(got.status == 0 and not got.out and not got.err, 'an empty queue',
         got)
    for which in ('postfix', 'exim', 'sendmail'):
        got, by = queue(which, root=r.path, output='-')
        tell(got.status == 1 and 'not here' in got.err,
             '%s: a program that fails' % which, got)

# Exim.
got, by = queue('exim')
tell(got.status == 0 and len(got.rows) == 4 and '1 entries' in got.err,
     'exim -bp: four messages', got)
has(by, '0t5C6f-0000c8-00', queue='deferred', size=str(2.9 * 1024),
    sender='alice@wonderland.example', recipient_count='2',
    recipients='red.king@looking-glass.example <other@address.example>')
has(by, '1rTqLm-000ABc-1H', queue='frozen', sender='', size='17408',
    arrived='1706391390', recipients='postmaster@dead.example')
has(by, '1tAbCd-00000001abc-2xYz', queue='deferred', size='802',
    sender='root@host.example', recipient_count='2')
has(by, '1pQrSt-0001aB-Dy', size=None, sender='cut@example.org')

got, by = queue('exim', root=os.path.join(ROOTS, 'exim'))
tell(got.status == 0 and len(got.rows) == 2 and '2 entries' in got.err,
     'the spool of exim: two messages, two damaged', got)
has(by, '1rTqLm-000ABc-1L', queue='frozen', sender='', arrived='1699990000',
    age='10100', size='1234', recipients='spammer@dead.example',
    recipient_count='1', reason='defer (110): Connection timed out')
has(by, '1sAbCa-0000zz-0a', queue='deferred', sender='alice@example.org',
    size='32', recipients='bob@example.com "two words"@example.com',
    recipient_count='2', reason=None)

# sendmail.
got, by = queue('sendmail')
tell(got.status == 0 and len(got.rows) == 5 and not got.err,
     'mailq: five messages', got)
has(by, '3AEC0x12004567', queue='active', size='354', arrived='1699864320',
    sender='your@your.domain', recipients='george@wash.dc.example',
    reason=None)
has(by, '3AE8Kd12004601', queue='deferred', size='1972',
    recipient_count='3',
    recipients='jefferson@wash.dc.example bob@wash.dc.example '
    '|/usr/bin/procmail',
    reason='Deferred: Connection timed out with wash.dc.example.')
has(by, '3AE7aa12004700', arrived='1672392720', sender='MAILER-DAEMON',
    reason='host map: lookup (nowhere.example): deferred')
has(by, '3AE6bb12004800', queue='quarantine', reason='looks like spam')
has(by, '3AE5cc12004900', queue='lost', size=None, arrived=None, sender=None,
    reason='no control file')

got, by = queue('sendmail', root=os.path.join(ROOTS, 'sendmail'))
tell(got.status == 0 and len(got.rows) == 3 and '1 entries' in got.err,
     'the spool of sendmail: three messages, one empty file', got)
has(by, '3AEC0x12004567', queue='deferred', size='354', arrived='1699990000',
    sender='list-owner@example.org', recipient_count='2',
    recipients='jefferson@wash.dc.example bob@wash.dc.example',
    reason='Deferred: Connection timed out with wash.dc.example.')
has(by, '3AE6bb12004800', queue='quarantine', sender='', size=None,
    reason='looks like spam')
has(by, '3AE5cc12004900', queue='incoming', size='70', sender='david',
    recipients='carolyn', age='101')
with Root(out='-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-\n'
          'AB12*  1 Sun Nov 12 23:45:00 a@b\n', empty='Mail queue is empty\n',
          **{'a/x': ''}) as r:
    got, by = queue('sendmail', root=r.path + '/a', output=r.path + '/out')
    tell(got.status == 1 and 'queue("postfix")' in got.err,
         'a listing of Postfix: an error that says so', got)
    got, by = queue('sendmail', root=r.path + '/a', output=r.path + '/empty')
    tell(got.status == 0 and not got.out, 'an empty queue', got)

# A folder.
with Root(**{'q/one': '123', 'q/two words': '', 'q/.hidden': '',
             'q/sub/three': ''}) as r:
    os.utime(r.path + '/q/one', (NOW - 50, NOW - 50))
    os.symlink('/etc/passwd', r.path + '/q/link')
    got, by = queue('dir:' + r.path + '/q/', root='')
    tell(sorted(by) == ['one', 'two words'], 'a folder: its files', got)
    has(by, 'one', queue='q', size='3', age='50', sender=None,
        recipients=None, recipient_count=None, reason=None)
    got, by = queue('dir:/q', root=r.path)
    tell(len(by) == 2, 'a recorded folder', got)
for which, part in (('dir:/no/such', '/no/such: No such file'),
                    ('dir:x', 'begins with /'), ('dir:', 'begins with /'),
                    ('qmail', 'none of postfix'), ('', 'none of postfix')):
    got, by = queue(which, root='')
    tell(got.status == 1 and part in got.err, 'queue("%s")' % which, got)

# A spool whose folder is others' to write: no link is followed, nothing waits.
with Root(**{'secret': '1sAbCx-0000zz-0a-H\nroot 0 0\n<a@b>\n1 0\nXX\n1\n'
             'secret@x\n\n'}) as r:
    d = r.path + '/var/spool/exim4/input'
    os.makedirs(d)
    os.symlink(r.path + '/secret', d + '/1sAbCx-0000zz-0a-H')
    got, by = queue('exim', root=r.path)
    tell('secret' not in got.out, 'a link in a spool is not followed', got)
    os.unlink(d + '/1sAbCx-0000zz-0a-H')
    os.mkfifo(d + '/1sAbCy-0000zz-0a-H')
    got, by = queue('exim', root=r.path, timeout=10)
    tell(got.status == 0 and not got.out, 'a pipe in a spool is not waited for',
         got)

# Damaged.
random.seed(8)
wrong = []
with Root() as r:
    for which, source, name in (
            ('postfix', 'mail', 'queue/postfix'),
            ('exim', 'mail', 'queue/exim'),
            ('sendmail', 'mail', 'queue/sendmail'),
            ('exim', 'exim', 'var/spool/exim4/input/a/1sAbCa-0000zz-0a-H'),
            ('sendmail', 'sendmail', 'var/spool/mqueue/qf3AEC0x12004567')):
        with open(os.path.join(ROOTS, source, name), 'rb') as f:
            text = f.read()
        shutil.rmtree(r.path + '/queue', ignore_errors=True)
        for n in range(60):
            bad = damaged(text[:4000], random)
            r.put(name, bad)
            got, by = queue(which, root=r.path)
            if got.status or 'age=-' in got.out or 'size=-' in got.out:
                wrong.append((which, bad, got))
tell(not wrong, '300 damaged queues', *wrong[:2])

# Many: 7,353 messages.
with Root(**{'queue/postfix': ''.join(
        '{"queue_name": "deferred", "queue_id": "Q%d", "arrival_time": %d, '
        '"message_size": 900, "sender": "s%d@x.example", "recipients": '
        '[{"address": "r@dead.example", "delay_reason": "timed out"}]}\n' %
        (n, NOW - n, n % 7) for n in range(7353))}) as r:
    got, by = queue('postfix', root=r.path, timeout=20)
    tell(len(by) == 7353 and by['Q7352']['age'] == '7352',
         '7,353 messages', got.err)
end()
