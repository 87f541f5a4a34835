#!/usr/bin/python3
# runner: timeout=300
"""What an attacker wrote, through composing and every transport.

Headers are compared whole, so that one too many is seen; bodies byte for
byte after decoding by Python's mail parser.
"""

import email
import email.header
import email.policy
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import *				# noqa: E402,F403

need_aiosmtpd()
if not os.path.exists(MKJOB):
    skip_all('mkjob is not built')
tap = Tap()
HEAD = '                                PIKT ALERT\n' \
       '                         Tue Apr 25 05:17:02 2000\n'


def centred(text):
    return ' ' * max((74 - len(text)) // 2, 1) + text + '\n'


def body_of(host, lines):
    """The body as it must be, for lines that are already made safe."""
    return HEAD + centred(host) + '\nURGENT:\n    Script\n        Task.\n\n' + \
        ''.join('        %s\n' % x if x else '\n' for x in lines)


def headers_of(host, alert, subject, run, encoding, shown=None):
    return [('From', 'picket@example.org'), ('To', 'a@example.org'),
            ('Subject', subject), ('Date', 'Tue, 25 Apr 2000 05:17:02 +0000'),
            ('Message-ID', '<%s.picket@%s>' % run), ('MIME-Version', '1.0'),
            ('Content-Type', 'text/plain; charset=utf-8'),
            ('Content-Transfer-Encoding', encoding),
            ('Auto-Submitted', 'auto-generated'), ('X-Picket-Host', host),
            ('X-Picket-Alert', alert), ('X-Picket-Level', 'urgent'),
            ('X-Picket-Run', shown or run[0])]


def decoded(value):
    return str(email.header.make_header(email.header.decode_header(value)))


def check(what, data, want_headers, want_body, raw=None):
    """data: lines ended by \\n."""
    m = email.message_from_bytes(data, policy=email.policy.compat32)
    got = [(k, decoded(v)) for k, v in m.items()]
    tap.eq(got, want_headers, what + ': the headers')
    tap.eq(m.get_payload(decode=True), want_body.encode(),
           what + ': the body')
    tap.ok(all(len(x) <= 998 for x in data.split(b'\n')) and
           b'\r' not in data and b'\0' not in data,
           what + ': no line too long, no CR, no NUL')
    if raw is not None:
        tap.ok(data.endswith(raw), what + ': readable as it is', data)


def everywhere(what, lines, headers, body, **more):
    """One mail through each transport."""
    with Relay() as r:
        got = deliver(compose(lines, ['smtp 127.0.0.1:%d' % r.port], **more))
        if tap.ok(got.status == SENT and len(r.mails) == 1 and
                  r.mails[0].to == ['a@example.org'],
                  what + ': one mail to one recipient', got):
            check(what + ', smtp', r.mails[0].content.replace(b'\r\n', b'\n'),
                  headers, body)
    prog = recorder('mta')
    cmd = recorder('cmd', 1)
    box = os.path.join(TMP, 'box')
    got = deliver(compose(lines, ['mailcmd ' + cmd, 'sendmail ' + prog],
                          **more))
    tap.ok(got.status == SENT, what + ': taken by sendmail', got)
    check(what + ', sendmail', slurp(prog + '.in'), headers, body)
    tap.eq(slurp(cmd + '.in'), body.encode(), what + ', mailcmd: the body')
    tap.ok(not any(x.startswith((b'~', b'.', b'From '))
                   for x in slurp(cmd + '.in').split(b'\n')),
           what + ', mailcmd: nothing that mailx would obey')
    if os.path.exists(box):
        os.unlink(box)
    got = deliver(compose(lines, ['file ' + box], **more))
    text = slurp(box)
    check(what + ', file', text[text.index(b'\n') + 1:-1], headers, body)
    tap.eq(text.count(b'\nFrom '), 0, what + ', file: one mail in it')
    for name in ('mta', 'cmd'):
        for end in ('.args', '.env', '.in'):
            os.unlink(os.path.join(TMP, name + end))


everywhere('plain', b'404 groucho imapd\n',
           headers_of('moscow', 'Urgent', 'PIKT Alert on moscow: Urgent',
                      ('run-1', 'moscow'), '7bit'),
           body_of('moscow', ['404 groucho imapd']))

LINES = (b'.\n..\n~!touch /tmp/x\n~.\nFrom root Tue\nQUIT\n\r\n.\r\nMAIL '
         b'FROM:<x>\r\nnul\0byte\n\xff\xfe \xc3( \xed\xa0\x80\n\x1b[2J\x07\x7f\n'
         b'tab\there\n\n=41 =?utf-8?q?x?=\n\xc2\x9b31m \xe2\x80\xaeesrever\n'
         b'last')
SAFE = ['.', '..', '~!touch /tmp/x', '~.', 'From root Tue', 'QUIT', '\\x0d',
        '.\\x0d', 'MAIL FROM:<x>\\x0d', 'nul\\x00byte',
        '\\xff\\xfe \\xc3( \\xed\\xa0\\x80', '\\x1b[2J\\x07\\x7f', 'tab\there',
        '', '=41 =?utf-8?q?x?=', '\\xc2\\x9b31m \\xe2\\x80\\xaeesrever', 'last']
everywhere('hostile lines', LINES,
           headers_of('moscow', 'Urgent', 'PIKT Alert on moscow: Urgent',
                      ('run-1', 'moscow'), '7bit'), body_of('moscow', SAFE))

host = 'h\r\nBcc: all@example.org\r\n\r\n.\r\nx'
alert = 'a\nX-Evil: 1\n\n<script>'
safe_host = 'h\\x0d\\nBcc: all@example.org\\x0d\\n\\x0d\\n.\\x0d\\nx'
safe_alert = 'a\\nX-Evil: 1\\n\\n<script>'
everywhere('hostile names', LINES,
           headers_of(safe_host, safe_alert,
                      'S\\x0d\\n: %s %s' % (safe_host, safe_alert),
                      ('r----b', 'h--Bcc--all-example.org----.--x'), '7bit',
                      'r>\\x0d\\n b'),
           body_of(safe_host, SAFE), host=host, alert=alert,
           subject='S\r\n: %h %a', run='r>\r\n b')

everywhere('not ASCII', 'gr\u00fc\u00dfe \U0001f600\n'.encode(),
           headers_of('m\u00fcnchen', '\u65e5\u672c\u8a9e' * 20,
                      '\u65e5\u672c\u8a9e' * 20 + ' =?x?= m\u00fcnchen',
                      ('run-1', 'm--nchen'), '8bit'),
           body_of('m\u00fcnchen', ['gr\u00fc\u00dfe \U0001f600']),
           host='m\u00fcnchen', alert='\u65e5\u672c\u8a9e' * 20,
           subject='%a =?x?= %h')

LONG = b'.' * 5000 + b'\nFrom ' + b'\xc3\xbc' * 3000 + b' \n=3D \t\n~\n'
everywhere('long lines', LONG,
           headers_of('moscow', 'Urgent', 'PIKT Alert on moscow: Urgent',
                      ('run-1', 'moscow'), 'quoted-printable'),
           body_of('moscow', ['.' * 5000, 'From ' + '\u00fc' * 3000 + ' ',
                              '=3D \t', '~']))
tap.done()
