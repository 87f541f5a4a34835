#!/usr/bin/python3
# runner: timeout=120
"""Postfix, Exim and OpenSMTPD take Picket's mail over STARTTLS with AUTH, the
certificate checked; what is wrong with any of it is refused, and said."""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import roots						# noqa: E402
from delivery import Tap, skip_all, slurp		# noqa: E402
from servers import (KINDS, NOBODY, PASSWORD, PATIENCE,	# noqa: E402
                     PLAIN_PORT, TLS_PORT, USER, wait_for, write)

TMP = os.environ.get('TMPDIR', '/tmp')
PICKET = os.environ.get('PICKET', os.path.join(roots.BUILDDIR, 'picket'))
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


class Run:
    """One run of the script, its mail by this way."""

    def __init__(self, way):
        site = path('site')
        os.makedirs(site, exist_ok=True)
        write(os.path.join(site, 'picket.conf'),
              'mailto systems@localhost\nmailfrom picket@localhost\n'
              'hostname moscow\nlogdir %s\n%s\n' % (path('log'), way))
        os.makedirs(path('log'), exist_ok=True)
        write(os.path.join(site, 'MailCheck.pikt'), SCRIPT)
        self.start = time.time()
        p = subprocess.run([PICKET, 'run', '--config', site, '-M',
                            'printf=/usr/bin/printf',
                            os.path.join(site, 'MailCheck.pikt')],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=60)
        self.end = time.time()
        self.status = p.returncode
        self.out = p.stdout.decode('utf-8', 'replace')
        self.err = p.stderr.decode('utf-8', 'replace')

    def __repr__(self):
        return 'exit %d\n%s%s' % (self.status, self.out, self.err)


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
    r = Run(way)
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
    tap.ok(int(r.start) <= when <= r.end, what + ': its date', date)
    tap.eq(got, body(date), what + ': its body, byte for byte')
    for h in ('From: picket@localhost', 'To: systems@localhost',
              'Subject: PIKT Alert on moscow: run', 'X-Picket-Level: urgent',
              'Content-Transfer-Encoding: 8bit'):
        tap.ok(h in head.split('\n'), what + ': header ' + h, head)
    return re.sub(r'\n[ \t]+', ' ', head)


def refused(server, way, why, what):
    """It does not arrive, and the reason is told."""
    before = len(server.mails())
    r = Run(way)
    tap.ok(r.status != 0 and re.search(why, r.err), what + ': told', why, r,
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
            r'127\.0\.0\.1.*', 'made for another name')
    refused(server, way % (PLAIN_PORT, USER, path('good'), shared('our.ca')),
            r'TLS|SSL', 'a server without TLS')
    refused(server, 'smtp localhost:%d' % TLS_PORT, r'530|550',
            'in the clear, not logged in')
    taken(server, 'smtp localhost:%d' % PLAIN_PORT, 'in the clear, where it may')
    refused(server, 'smtp localhost:1', r'onnect', 'nobody there')
    server.stop()


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
