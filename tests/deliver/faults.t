#!/usr/bin/python3
"""A relay with faults: each ends in delivery by the next relay, by a fall-back
or by a retry, and `picket outbox` says why."""

import concurrent.futures
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import (Relay, Script, Tap, certificate,		# noqa: E402
                      need_aiosmtpd, server_tls, slurp)
from outbox import START, Place, dead_port, subjects		# noqa: E402

need_aiosmtpd()
t = Tap()
STALL, DROP = Script.STALL, Script.DROP
TIMEOUT = 'timeout 1s'
# The certificate is for another name than ours.
cert, key = certificate('wrong', 'elsewhere.example.org')


def faulty(**say):
    s = Script(**say)
    return s, 'smtp 127.0.0.1:%d %s' % (s.port, TIMEOUT)


def with_tls():
    r = Relay(starttls=server_tls(cert, key))
    # it answers, be it slowly
    return r, 'smtp 127.0.0.1:%d starttls timeout 20s' % r.port


def nobody():
    return None, 'smtp 127.0.0.1:%d %s' % (dead_port(), TIMEOUT)


def no_tls():
    s = Script()
    return s, 'smtp 127.0.0.1:%d starttls %s' % (s.port, TIMEOUT)


LATE = r'(Operation timed out|Timeout|.*timed out|.*timeout|Time-out)'
GONE = (r'(.*reset|response reading failed|.*[Cc]onnection|'
        r'.*server response|.*closed|.*returned nothing)')
# name, what makes the relay, what picket outbox says, whether it is for good
FAULTS = [
    ('refuses', nobody, 'Failed to connect to 127.0.0.1 port', False),
    ('closes at once', lambda: faulty(banner=DROP), GONE, False),
    ('closes after EHLO', lambda: faulty(EHLO=DROP, HELO=DROP), GONE, False),
    ('closes after MAIL', lambda: faulty(MAIL=DROP), GONE, False),
    ('closes after DATA', lambda: faulty(DATA=DROP), GONE, False),
    ('closes after the last dot', lambda: faulty(END=DROP), GONE, False),
    ('stalls before the banner', lambda: faulty(banner=STALL), LATE, False),
    ('stalls after MAIL', lambda: faulty(MAIL=STALL), LATE, False),
    ('stalls after RCPT', lambda: faulty(RCPT=STALL), LATE, False),
    ('stalls after DATA', lambda: faulty(DATA=STALL), LATE, False),
    ('stalls after the last dot', lambda: faulty(END=STALL),
     LATE + r'.*\(it may have been taken\)', False),
    ('421 as banner', lambda: faulty(banner='421 4.3.2 going down'),
     '421 4.3.2 going down', False),
    ('421 after MAIL', lambda: faulty(MAIL='421 4.3.2 going down'),
     '421 4.3.2 going down', False),
    ('450 for RCPT', lambda: faulty(RCPT='450 4.2.1 come back later'),
     '450 4.2.1 come back later', False),
    ('451 after the last dot', lambda: faulty(END='451 4.3.0 disk trouble'),
     '451 4.3.0 disk trouble', False),
    ('550 for MAIL', lambda: faulty(MAIL='550 5.7.1 not from you'),
     '550 5.7.1 not from you', True),
    ('550 for RCPT', lambda: faulty(RCPT='550 5.1.1 nobody here'),
     '550 5.1.1 nobody here', True),
    ('552 after the last dot', lambda: faulty(END='552 5.3.4 too big'),
     '552 5.3.4 too big', True),
    ('554 as banner', lambda: faulty(banner='554 5.3.2 not for you'),
     '554 5.3.2 not for you', False),
    ('530: TLS is asked of us', lambda: faulty(
        MAIL='530 5.7.0 Must issue a STARTTLS command first'),
     '530 5.7.0 Must issue', False),
    ('no TLS where it is asked for', no_tls, '.*STARTTLS.*', False),
    ('a wrong certificate', with_tls, '.*certificate.*', False),
]


def case(fault):
    """[(good, what, note)]: in its own place, at the same time as others."""
    name, make, says, for_good = fault
    got = []

    def ok(good, what, *notes):
        got.append((bool(good), name + ': ' + what, notes))

    server, line = make()
    label = re.escape(':'.join(['smtp', line.split()[1]]))
    good = Relay()
    try:
        # the next relay
        p = Place(line, 'smtp 127.0.0.1:%d' % good.port)
        status, said = p.put('next'), p.deliver()
        ok(said == (0, '') and subjects(good.mails) == ['notice next'],
           'the next relay takes it', status, said)
        status, said = p.picket('outbox', '--all')
        ok(re.search(r'%s +.*%s' % (label, says), said),
           'and why the first did not is kept', said)
        # a fall-back: nobody lingers, so it goes at once
        box = os.path.join(p.at, 'box')
        p.conf(line, 'file %s fallback' % box)
        p.clock = START
        p.put('fall')
        status, said = p.deliver()
        rows = [x for x in p.rows() if x['way'] == 'mail']
        ok(os.path.exists(box) and subjects([slurp(box)]) == ['notice fall'],
           'the fall-back has it', said)
        ok(len(rows) == 1 and len(p.rows()) == 1, 'the mail stays', p.rows())
        status, said = p.picket('outbox')
        ok(re.search(r' mail .*\n.*\n +%s: %s' % (label, says), said),
           'picket outbox says why', said)
        ok(status == for_good and ('dead' in said) == for_good,
           'given up' if for_good else 'it will be tried again', said)
        # and by mail, when that works again
        p.conf('smtp 127.0.0.1:%d' % good.port, 'file %s fallback' % box)
        p.clock = START + 39
        status, said = p.deliver()
        ok((status, len(good.mails)) == (0, 1 if for_good else 2) and
           slurp(box).count(b'Subject:') == 1,
           'it stays dead' if for_good else 'mail goes, once, when it can',
           said, len(good.mails))
    finally:
        good.server.stop()
        if isinstance(server, Relay):
            server.server.stop()
        elif server:
            server.__exit__()
    return got


with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for results in pool.map(case, FAULTS):
        for good, what, notes in results:
            t.ok(good, what, *notes)
t.done()
