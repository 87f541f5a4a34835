#!/usr/bin/python3
# runner: timeout=120
"""Postfix, Exim and OpenSMTPD take Picket's mail over STARTTLS with AUTH, the
certificate checked; what is wrong with any of it is refused, and said."""

import difflib
import email
import os
import quopri
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import roots						# noqa: E402
from delivery import (SENT, Tap, compose, deliver,	# noqa: E402
                      picket, skip_all)
from servers import (KINDS, NOBODY, PASSWORD, PATIENCE,	# noqa: E402
                     PLAIN_PORT, TLS_PORT, USER, listens, wait_for, write)

TMP = os.environ.get('TMPDIR', '/tmp')
SCRIPT = r'''
MailCheck

	init
		status  active
		level   urgent
		task    "Say what mail must carry unchanged."
		input   proc "=printf '%s\n' . .. 'From root' '~!id' 'grüße'"
		dat     $line   1-
	rule
		output mail "$line"
'''
KEY = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1')
LINES = ['.', '..', 'From root', '~!id', 'grüße']

os.environ['TZ'] = 'UTC'
time.tzset()
tap = Tap()


def path(name):
    return os.path.join(TMP, name)


def shared(name):
    """What all scenes use: the certificates."""
    return os.path.join(os.environ.get('COMMON', TMP), name)


def openssl(*argv):
    subprocess.run(['openssl', *argv], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def authority(name):
    """An authority, and what it signs: NAME.ca, NAME.crt, NAME.key."""
    openssl('req', '-x509', *KEY, '-nodes', '-days', '2',
            '-subj', '/CN=Authority ' + name, '-keyout', path(name + '.cakey'),
            '-out', path(name + '.ca'))
    openssl('req', *KEY, '-nodes', '-subj', '/CN=localhost',
            '-keyout', path(name + '.key'), '-out', path(name + '.csr'))
    write(path(name + '.ext'), 'subjectAltName=DNS:localhost\n'
          'basicConstraints=CA:FALSE\n')
    openssl('x509', '-req', '-days', '2', '-in', path(name + '.csr'),
            '-CA', path(name + '.ca'), '-CAkey', path(name + '.cakey'),
            '-CAcreateserial', '-extfile', path(name + '.ext'),
            '-out', path(name + '.crt'))


def run(way):
    """The script runs, its mail goes by this way; nothing is left to send."""
    shutil.rmtree(roots.STATE, ignore_errors=True)
    site = path('site')
    os.makedirs(path('log'), exist_ok=True)
    write(os.path.join(site, 'picket.conf'),
          'mailto systems@localhost\nmailfrom picket@localhost\n'
          'hostname moscow\nlogdir %s\n%s\n' % (path('log'), way))
    write(os.path.join(site, 'MailCheck.pikt'), SCRIPT)
    return picket('run', '--config', site, '-M', 'printf=/usr/bin/printf',
                  os.path.join(site, 'MailCheck.pikt'))


def body(date):
    return ('                                PIKT ALERT\n'
            '                         %s\n'
            '                                  moscow\n'
            '\n'
            'URGENT:\n'
            '    MailCheck\n'
            '        Say what mail must carry unchanged.\n'
            '\n' % date + ''.join('        %s\n' % x for x in LINES)).encode()


def taken(server, way, what):
    """The mail arrives; what its headers and the log say."""
    before = len(server.mails())
    began = int(time.time())
    r = run(way)
    tap.eq((r.status, r.out, r.err), (0, '', ''), what + ': sent')
    mails = wait_for(lambda: server.mails()[before:],
                     PATIENCE if r.status == 0 else 0)
    if not tap.ok(len(mails) == 1, what + ': in the mailbox', len(mails), r,
                  server.said()):
        return
    head, _, got = mails[0].partition(b'\n\n')
    head = head.decode()
    date = got.decode().split('\n')[1].strip()
    try:
        when = time.mktime(time.strptime(date, '%a %b %d %H:%M:%S %Y'))
    except ValueError:
        when = 0
    tap.ok(began <= when <= time.time(), what + ': its date', date)
    tap.eq(got, body(date), what + ': its body, byte for byte')
    for h in ('From: picket@localhost', 'To: systems@localhost',
              'Subject: PIKT Alert on moscow: run', 'X-Picket-Level: urgent',
              'Content-Transfer-Encoding: 8bit'):
        tap.ok(h in head.split('\n'), what + ': header ' + h, head)
    return re.sub(r'\n[ \t]+', ' ', head)


def same(got, want, what):
    tap.ok(got == want, what, '\n'.join(difflib.unified_diff(
        want.decode('latin-1').split('\n'),
        got.decode('latin-1').split('\n'), 'wanted', 'got', lineterm='')))


def sent(server, what, lines, to='systems@localhost', **more):
    """A mail that Picket composed, as it stands in the mailbox."""
    before = len(server.mails())
    r = deliver(compose(lines, ['smtp 127.0.0.1:%d' % PLAIN_PORT],
                        to=to, **more))
    tap.ok(r.status == SENT and r.out.startswith(
        'ok smtp:127.0.0.1:%d 250 ' % PLAIN_PORT), what + ': taken', r)
    mails = wait_for(lambda: server.mails()[before:])
    tap.ok(len(mails) == 1, what + ': one mail in the mailbox', len(mails),
           server.said())
    head, _, got = (mails or [b''])[0].partition(b'\n\n')
    return email.message_from_bytes(head + b'\n\n'), got


def composed(server):
    """What Picket makes of a day's lines, and of what attackers wrote."""
    head, got = sent(server, 'a mail', b'404 groucho imapd\nsaved user mail '
                     b'file as /var/mail/arc/groucho.956639822\n',
                     run='956639822-4711')
    same(got, b"""                                PIKT ALERT
                         Tue Apr 25 05:17:02 2000
                                  moscow

URGENT:
    Script
        Task.

        404 groucho imapd
        saved user mail file as /var/mail/arc/groucho.956639822
""", 'a mail: its body, byte for byte')
    for name, value in (
            ('Return-Path', '<picket@example.org>'),
            ('From', 'picket@example.org'), ('To', 'systems@localhost'),
            ('Subject', 'PIKT Alert on moscow: Urgent'),
            ('Date', 'Tue, 25 Apr 2000 05:17:02 +0000'),
            ('Message-ID', '<956639822-4711.picket@moscow>'),
            ('Content-Transfer-Encoding', '7bit'),
            ('Auto-Submitted', 'auto-generated'),
            ('X-Picket-Host', 'moscow'), ('X-Picket-Alert', 'Urgent'),
            ('X-Picket-Level', 'urgent')):
        tap.eq(head.get_all(name), [value], 'a mail: its header ' + name)

    head, got = sent(server, 'a hostile mail',
                     b'.\n..\nFrom root\n~!id\n.\r\nQUIT\r\n'
                     b'gr\xc3\xbc\xc3\x9fe \xff\x01\n',
                     host='h\r\nBcc: other@localhost',
                     alert='a\r\n.\r\nMAIL FROM:<x>',
                     subject='s\nTo: other@localhost\n\n%a', run='r 2')
    same(got, br"""                                PIKT ALERT
                         Tue Apr 25 05:17:02 2000
                       h\x0d\nBcc: other@localhost

URGENT:
    Script
        Task.

        .
        ..
        From root
        ~!id
        .\x0d
        QUIT\x0d
        """ + b'gr\xc3\xbc\xc3\x9fe \\xff\\x01\n',
         'a hostile mail: its body, byte for byte')
    for name, value in (
            ('Subject', r's\nTo: other@localhost\n\na\x0d\n.\x0d\nMAIL '
             'FROM:<x>'), ('To', 'systems@localhost'),
            ('Content-Transfer-Encoding', '8bit')):
        tap.eq(head.get_all(name), [value],
               'a hostile mail: its header ' + name)
    tap.eq(server.mails('other'), [], 'nobody else got it')

    # too long for a line of SMTP: quoted-printable
    head, got = sent(server, 'a line of 5000 bytes', b'x' * 5000 + b'\n')
    tap.ok(b' ' * 8 + b'x' * 5000 + b'\n' in quopri.decodestring(got),
           'a line of 5000 bytes comes out whole', got[-400:])

    box = path('box')
    r = deliver(compose(b'x\n', ['smtp 127.0.0.1:%d' % PLAIN_PORT,
                                 'file ' + box],
                        to='systems@localhost,stranger@localhost'))
    tap.ok(r.status == SENT and re.search(r'^fail \S+ .*55\d', r.out, re.M) and
           'ok file:%s appended' % box in r.lines,
           'whom it does not know gets it the next way', r)


def refused(server, way, why, what):
    """It does not arrive, and the reason is told."""
    before = len(server.mails())
    r = run(way)
    tap.ok(r.status != 0 and re.search(why, r.err) and not r.broken(), what + ': told', why, r,
           server.said())
    tap.eq(len(server.mails()), before, what + ': nothing arrives')


def scene(kind):
    roots.enter(kind)
    server = KINDS[kind](shared('our.crt'), shared('our.key'))
    server.start()
    write(path('good'), PASSWORD + '\n', 0o600)
    write(path('bad'), 'wrong horse\n', 0o600)
    way = 'smtp localhost:%d starttls user %s passfile %s ca %s timeout 20s'

    head = taken(server, way % (TLS_PORT, USER, path('good'), shared('our.ca')),
                 'STARTTLS and AUTH')
    received = re.findall(r'^Received: .*', head or '', re.M)
    tap.ok(len(received) == 1 and server.received in received[0] and
           re.search(r'\bwith ESMTPSA\b', received[0], re.I),
           'its Received header shows TLS and AUTH', head)
    tap.ok(head and wait_for(lambda: server.logged_in in server.said()),
           'the server knows who logged in', server.said())
    refused(server, way % (TLS_PORT, USER, path('bad'), shared('our.ca')),
            r'\b535\b|Login denied', 'a wrong password')
    refused(server, way % (TLS_PORT, NOBODY, path('good'), shared('our.ca')),
            r'\b535\b|Login denied', 'an unknown user')
    refused(server, way % (TLS_PORT, USER, path('good'), shared('other.ca')),
            r'certificate', 'signed by somebody else')
    refused(server, 'smtp 127.0.0.1:%d starttls user %s passfile %s ca %s' %
            (TLS_PORT, USER, path('good'), shared('our.ca')),
            r'subject name', 'made for another name')
    refused(server, way % (PLAIN_PORT, USER, path('good'), shared('our.ca')),
            r'STARTTLS', 'a server without TLS')
    refused(server, 'smtp localhost:%d' % TLS_PORT, r'530|550',
            'in the clear, not logged in')
    taken(server, 'smtp localhost:%d' % PLAIN_PORT, 'in the clear, where it may')
    refused(server, 'smtp localhost:1', r'onnect', 'nobody there')
    composed(server)
    server.stop()
    tap.ok(not any(listens(p) for p in server.ports), 'it stops')


if len(sys.argv) > 1:
    scene(*sys.argv[1:])
    tap.done()

missing = roots.why_not(*KINDS)
if len(missing) == len(KINDS):
    skip_all('; '.join('%s: %s' % x for x in sorted(missing.items())))
authority('our')
authority('other')
roots.run_each([(k,) for k in KINDS if k not in missing], tap)
for kind, why in sorted(missing.items()):
    tap.skip(kind, why)
tap.done()
