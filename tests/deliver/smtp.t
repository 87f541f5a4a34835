#!/usr/bin/python3
# runner: timeout=300
"""smtp: the bytes on the wire, TLS, login, and relays in trouble."""

import os
import socket
import sys
from base64 import b64encode

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import *				# noqa: E402,F403

need_aiosmtpd()
tap = Tap()
STALL, DROP, FLOOD = Script.STALL, Script.DROP, Script.FLOOD


def base64(text):
    return b64encode(text.encode()).decode()


def smtp(server, options='', host='127.0.0.1'):
    return 'smtp %s:%d %s' % (host, server.port, options)


# The envelope and the content, as an independent server reads them.
message = b'From: picket@example.org\nSubject: x\n\none\n.\n..\n.two\nlast\n'
with Relay() as r:
    got = deliver(job([smtp(r)], message, to=('a@example.org', 'root')))
    tap.eq((got.status, got.lines),
           (SENT, ['ok smtp:127.0.0.1:%d 250 2.0.0 taken as 1' % r.port]),
           'a plain relay on this host: taken')
    m = r.mails[0] if r.mails else None
    tap.ok(m and m.sender == 'picket@example.org' and
           m.to == ['a@example.org', 'root'] and
           m.helo == 'test.example.org' and not m.tls,
           'envelope and greeting', vars(m or got))
    tap.eq(m and m.content, message.replace(b'\n', b'\r\n'),
           'the content, byte for byte')

# The same on the wire, with everything that a message should not hold.
hostile = (b'Subject: x\n\n.\n..\n...\n.x\nFrom me\nFrom: me\n~!id\nQUIT\n'
           b'DATA\n\n\n \n' + b'L' * 5000 + b'\nnul\0nul\n\xff\xfe\xc3(\n'
           b'\x1b[2J\x7f\n' + 'gr\u00fc\u00dfe\n'.encode() + b'.\nend')
with Script() as s:
    got = deliver(job([smtp(s)], hostile))
    tap.eq(s.data, [on_wire(hostile)], 'hostile lines on the wire')
    tap.eq(s.wire.split(b'\r\n'),
           [b'EHLO test.example.org',
            b'MAIL FROM:<picket@example.org> SIZE=%d'
            % len(hostile.replace(b'\n', b'\r\n') + b'\r\n'),
            b'RCPT TO:<a@example.org>', b'DATA', b'QUIT', b''],
           'and nothing else is said')
for text, wire in ((b'S: x\n\na\rb\r\nc\r\r\n\n.', b'S: x\r\n\r\na b\r\nc \r\n\r\n..\r\n'),
                   (b'S: x\n\n\r.\r\n', b'S: x\r\n\r\n .\r\n'),
                   (b'.S: x\n', b'..S: x\r\n'),
                   (b'x', b'x\r\n')):
    with Script() as s:
        deliver(job([smtp(s)], text))
        tap.eq(s.data, [wire], 'line ends of %r' % text)
big = b'Subject: big\n\n' + b''.join(b'%07d .\n.%06d\n' % (i, i)
                                      for i in range(150000))
with Script() as s:
    got = deliver(job([smtp(s)], big))
    tap.ok(s.data == [on_wire(big)], '2.4 MB, a dot on every other line', got)
for edge in range(16360, 16400):	# curl sends blocks of 16 KiB
    text = b'x' * edge + b'\n.\n.' + b'y' * 100
    with Script() as s:
        got = deliver(job([smtp(s)], text))
        if s.data != [on_wire(text)]:
            break
tap.ok(s.data == [on_wire(text)], 'dots around the border of a block', edge)

# TLS.
cert, key = certificate('right', ip='127.0.0.1')
other, other_key = certificate('wrong', 'elsewhere.example.org')
tls = server_tls(cert, key)
with Relay() as fallback:
    last = smtp(fallback)

    def falls_back(server, options, want, what):
        """Not by this one, but by the next."""
        n = len(fallback.mails)
        got = deliver(job([smtp(server, options), last]))
        line = got.lines[0] if got.lines else ''
        tap.ok(got.status == SENT and line.startswith(
            '%s smtp:127.0.0.1:%d ' % (want[0], server.port)) and
            want[1] in line and len(got.lines) == 2 and
            got.lines[1].startswith('ok ') and
            len(fallback.mails) == n + 1, what, got)
        return got

    with Relay(starttls=tls) as r:
        got = deliver(job([smtp(r, 'starttls ca ' + cert)], message))
        tap.ok(got.status == SENT and r.mails[0].tls and r.mails[0].content ==
               message.replace(b'\n', b'\r\n'), 'STARTTLS', got)
        falls_back(r, 'starttls', ('retry', 'certificate'),
                   'a certificate that nobody signed')
        falls_back(r, 'starttls ca ' + other, ('retry', 'certificate'),
                   'a certificate that somebody else signed')
        got = deliver(job([smtp(r, 'starttls insecure')]))
        tap.ok(got.status == SENT and len(r.mails) == 2 and r.mails[1].tls,
               'insecure takes any certificate', got)
        falls_back(r, 'plain', ('retry', '530'), 'TLS demanded, plain offered')
    with Relay(tls=tls) as r:
        got = deliver(job([smtp(r, 'tls ca ' + cert)]))
        tap.ok(got.status == SENT and len(r.mails) == 1, 'TLS from the start',
               got)
        falls_back(r, 'tls', ('retry', 'certificate'),
                   'TLS from the start, unknown certificate')
        tap.eq(len(r.mails), 1, 'and no mail went there')
    with Relay(starttls=server_tls(other, other_key)) as r:
        falls_back(r, 'starttls ca ' + other, ('retry', ''),
                   'a certificate of another host')
        tap.eq(r.mails, [], 'and no mail went there')
    with Script() as s:
        got = falls_back(s, 'starttls', ('retry', 'STARTTLS'),
                         'TLS asked for, none offered')
        tap.ok(b'MAIL' not in s.wire, 'and not a word in the clear', s.wire)

    # Login.
    def secret(name, text, mode=0o600):
        path = os.path.join(TMP, name)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    good = secret('good', 'open sesame %"\\\n')
    bad = secret('bad', 'close barley')
    public = secret('public', 'open sesame %"\\\n', 0o640)
    users = {b'picket': b'open sesame %"\\'}
    with Relay(starttls=tls, users=users) as r:
        way = 'starttls ca %s user picket passfile ' % cert
        got = deliver(job([smtp(r, way + good)]))
        tap.ok(got.status == SENT and r.mails and r.mails[0].user ==
               ('PLAIN', b'picket'), 'login over STARTTLS', got)
        got = falls_back(r, way + bad, ('retry', '535'), 'a wrong password')
        tap.ok('barley' not in got.out + got.err, 'which is not shown')
        got = falls_back(r, way + public, ('retry', 'readable'),
                         'a passfile that others can read')
        falls_back(r, way + '/no/such', ('retry', 'missing'),
                   'a passfile that is missing')
        falls_back(r, 'starttls ca ' + cert, ('retry', '530'),
                   'login demanded, none offered')
    with Relay(users=users) as r:
        got = deliver(job([smtp(r, 'user picket passfile ' + good)]))
        tap.ok(got.status == SENT and len(r.mails) == 1,
               'login to this host\'s own relay', got)
    with Script(EHLO='250-x\r\n250 AUTH LOGIN CRAM-MD5', AUTH='334 VXNlcm5hbWU6',
                **{base64('picket').upper(): '334 UGFzc3dvcmQ6',
                   base64('open sesame %"\\').upper(): '235 in'}) as s:
        got = deliver(job([smtp(s, 'user picket passfile ' + good)]))
        tap.ok(got.status == SENT and b'AUTH LOGIN\r\n' in s.wire,
               'AUTH LOGIN, never CRAM-MD5', got, s.wire)

    # Relays in trouble.
    for say, want, what in (
            (dict(banner='421 busy'), ('retry', '421 busy'), 'banner 421'),
            (dict(banner='554 go away'), ('retry', '554 go away'),
             'banner 554'),
            (dict(banner='HTTP/1.1 200 OK'), ('retry', ''), 'no mail server'),
            (dict(banner=DROP), ('retry', ''), 'closed before the banner'),
            (dict(MAIL='451 later'), ('retry', '451 later'), 'MAIL 451'),
            (dict(MAIL='550 no'), ('fail', '550 no'), 'MAIL 550'),
            (dict(MAIL=DROP), ('retry', ''), 'closed after MAIL'),
            (dict(RCPT='450 4.2.0 greylisted'),
             ('retry', '450 4.2.0 greylisted'), 'RCPT 450'),
            (dict(RCPT='550 5.1.1 unknown'), ('fail', '550 5.1.1 unknown'),
             'RCPT 550'),
            (dict(DATA='452 full'), ('retry', '452 full'), 'DATA 452'),
            (dict(DATA='554 no'), ('fail', '554 no'), 'DATA 554'),
            (dict(END='451 later'), ('retry', '451 later'),
             'after the dot 451'),
            (dict(END='552 too big'), ('fail', '552 too big'),
             'after the dot 552'),
            (dict(END=DROP), ('retry', ''), 'closed after the dot')):
        with Script(**say) as s:
            got = falls_back(s, 'timeout 3s', want, what + ': the next one')
    for step in ('banner', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'END'):
        with Script(**{step: STALL}) as s:
            got = falls_back(s, 'timeout 2s', ('retry', ''),
                             'stalls at %s: the next one' % step)
            tap.ok(1 < got.seconds < 8, '%s: after its timeout' % step, got)
    tap.ok('may have been taken' in got.out, 'a stall after the dot is told',
           got)
    with Script(banner=FLOOD) as s:
        got = falls_back(s, 'timeout 3s', ('retry', ''),
                         'a banner without an end')
        tap.ok(got.seconds < 10, 'which does not hold us', got)
    with Script(QUIT=STALL) as s:
        got = deliver(job([smtp(s)]))
        tap.ok(got.status == SENT and got.seconds < 8 and len(got.lines) == 1,
               'a stall at QUIT: taken, and soon told', got)

    class Nobody:
        port = free_port()
    falls_back(Nobody, '', ('retry', ''), 'nobody listens')
    got = deliver(job(['smtp no.such.host.invalid timeout 5s', last]))
    tap.ok(got.status == SENT and got.lines[0].startswith('retry ') and
           got.seconds < 20, 'a name that is not known', got)
    with Script(RCPT='550 \x1b[31mred\x07 \xff\x00' + 'y' * 600) as s:
        got = deliver(job([smtp(s)]))
        line = got.lines[0]
        tap.ok(got.status == REFUSED and '\\x1b[31mred\\x07 ' in line and
               len(line) < 700 and not any(ord(c) < 32 for c in line),
               'what a relay says is shown safely', got)

    # Two recipients, two answers.
    with Script(RCPT=['250 fine', '550 unknown', '451 later']) as s, \
            Script(RCPT=['550 still unknown', '250 fine']) as t:
        got = deliver(job([smtp(s), smtp(t)],
                          to=('a@x.org', 'b@x.org', 'c@x.org')))
        one, two = ('smtp:127.0.0.1:%d' % x.port for x in (s, t))
        tap.eq((got.status, got.lines),
               (LATER, ['ok %s 250 queued' % one,
                        'fail %s <b@x.org> 550 unknown' % one,
                        'retry %s <c@x.org> 451 later' % one,
                        'ok %s 250 queued' % two,
                        'fail %s <b@x.org> 550 still unknown' % two,
                        'left b@x.org']),
               'each recipient by whoever takes it')
        tap.ok(b'<a@x.org>' not in t.wire and len(t.data) == 1,
               'and none twice', t.wire)
    with Script(RCPT='550 no') as s:
        got = deliver(job([smtp(s)], to=('a@x.org', 'b@x.org')))
        tap.eq((got.status, got.lines[1:]),
               (REFUSED, ['fail smtp:127.0.0.1:%d <%s@x.org> 550 no'
                          % (s.port, x) for x in 'ab'] +
                ['left a@x.org', 'left b@x.org']),
               'nobody taken: refused, and who is left')

    # Nothing of the surroundings.
    home = os.path.join(TMP, 'home')
    os.makedirs(home, exist_ok=True)
    secret('home/.netrc', 'machine 127.0.0.1 login x password y\n')
    with Script(EHLO='250-x\r\n250 AUTH PLAIN') as s:
        got = deliver(job([smtp(s)]), {
            'ALL_PROXY': 'http://127.0.0.1:1', 'all_proxy':
            'socks5://127.0.0.1:1', 'HOME': home})
        tap.ok(got.status == SENT and b'AUTH' not in s.wire,
               'no proxy and no netrc from the surroundings', got)
    try:
        with Script(family=socket.AF_INET6) as s:
            got = deliver(job([smtp(s, host='[::1]')]))
            tap.ok(got.status == SENT and len(s.data) == 1, 'IPv6', got)
    except OSError:
        tap.ok(True, 'IPv6 # SKIP this machine has no ::1')

# What is no job.
for data, what in ((b'', 'nothing'), (b'x' * 100, 'rubbish'),
                   (job(['file /x'], body=b'x' * (64 << 20)), 'one over its '
                    'limit'),
                   (job(['file /x'])[:-1], 'a job that is cut'),
                   (job(['file /x'], to=('-oQ/tmp',)), 'an option for a '
                    'recipient'),
                   (job(['file /x'], sender='a>\r\nRCPT TO:<b'), 'commands '
                    'in the sender'),
                   (job(['file /x'], host='a\r\nMAIL'), 'commands in the '
                    'host')):
    got = deliver(data)
    tap.ok(got.status == BAD and got.out == '' and got.err, 'no job: ' + what,
           got)
got = deliver(job(['smtp', 'gopher x', 'file relative']))
tap.ok(got.status == REFUSED and len(got.lines) == 4 and
       all(x.startswith('fail config ') for x in got.lines[:3]),
       'transports that are none', got)
tap.done()
