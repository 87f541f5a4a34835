"""What the tests of delivery share: TAP, jobs, and servers to send to.

The job's format is written here a second time, from the text of job.h alone.
"""

import logging
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

LIBEXEC = os.environ.get('PICKET_LIBEXEC', '.')
DELIVER = os.path.join(LIBEXEC, 'picket-deliver')
PICKET = os.environ.get('PICKET', 'picket')
MKJOB = next((p for p in (os.environ.get('MKJOB', ''),
                          os.path.join(os.environ.get('BUILDDIR', '.'),
                                       'tests/deliver/mkjob'),
                          os.path.join(LIBEXEC, 'mkjob'))
              if os.path.exists(p)), 'mkjob')
TMP = os.environ.get('TMPDIR', '/tmp')
os.environ['TZ'] = 'UTC'

SENT, USAGE, BAD, REFUSED, LATER = 0, 64, 65, 69, 75
LIMIT = 120		# seconds after which picket-deliver hangs


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, what, *notes):
        self.n += 1
        self.failed += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.n, what))
        if not good:
            for note in notes:
                for line in str(note).splitlines() or ['']:
                    print('#   ' + line)
        sys.stdout.flush()
        return good

    def eq(self, got, want, what):
        return self.ok(got == want, what, 'got      %r' % (got,),
                       'expected %r' % (want,))

    def done(self):
        print('1..%d' % self.n)
        sys.exit(1 if self.failed else 0)


def skip_all(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


def need_aiosmtpd():
    try:
        import aiosmtpd.controller			# noqa: F401
    except ImportError:
        skip_all('python3-aiosmtpd is not installed for ' + sys.executable)


def to_bytes(x):
    return x if isinstance(x, bytes) else x.encode()


def field(name, value):
    value = to_bytes(value)
    return b'%s %d\n%s\n' % (name.encode(), len(value), value)


def job(transports, message=b'Subject: t\n\nbody\n', to=('a@example.org',),
        body=b'body\n', sender='picket@example.org', run='run-1',
        host='test.example.org'):
    return (b'picket-job 1\n' + field('host', host) + field('run', run) +
            field('path', '/usr/bin:/bin') + field('from', sender) +
            b''.join(field('to', x) for x in to) +
            b''.join(field('transport', x) for x in transports) +
            field('message', message) + field('body', body) +
            field('end', b''))


class Result:
    def __init__(self, status, out, err, seconds):
        self.status, self.seconds = status, seconds
        self.out = out.decode('utf-8')		# a report is always UTF-8
        self.lines = self.out.splitlines()
        self.err = err.decode('utf-8', 'replace')

    def broken(self):
        """Whether it has a fault that a sanitizer sees."""
        return 'Sanitizer' in self.err or 'runtime error' in self.err

    def __repr__(self):
        return 'exit %d after %.1f s\n%s%s' % (self.status, self.seconds,
                                               self.out, self.err)


def call(argv, data=b'', env=None):
    start = time.monotonic()
    p = subprocess.run(argv, input=data, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=LIMIT,
                       env=dict(os.environ, **(env or {})))
    return Result(p.returncode, p.stdout, p.stderr, time.monotonic() - start)


def deliver(data, env=None):
    return call([DELIVER], data, env)


def picket(*argv, **env):
    """Picket itself."""
    return call([PICKET, *argv], env=env)


def compose(lines, transports, host='moscow', alert='Urgent',
            subject='PIKT Alert on %h: %a', run='run-1',
            sender='picket@example.org', to='a@example.org'):
    """A job for a mail made by Picket itself."""
    return subprocess.run([MKJOB, host, alert, subject, run, sender, to] +
                          list(transports), input=lines, check=True,
                          stdout=subprocess.PIPE).stdout


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def certificate(name, host='localhost', ip=None):
    """A key and a certificate that signs itself: (certificate, key)."""
    cert, key = os.path.join(TMP, name + '.crt'), os.path.join(TMP, name + '.key')
    names = 'subjectAltName=DNS:' + host + (',IP:' + ip if ip else '')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048',
                    '-nodes', '-days', '2', '-subj', '/CN=' + host, '-addext',
                    names, '-keyout', key, '-out', cert], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def server_tls(cert, key):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    return tls


class Mail:
    def __init__(self, session, envelope):
        self.sender = envelope.mail_from
        self.to = list(envelope.rcpt_tos)
        self.content = envelope.original_content
        self.helo = session.host_name
        self.tls = session.ssl is not None
        self.user = session.auth_data


class Relay:
    """aiosmtpd, a whole mail server that somebody else wrote."""

    def __init__(self, starttls=None, tls=None, users=None):
        logging.disable(logging.CRITICAL)	# failed handshakes are meant
        warnings.simplefilter('ignore')
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult
        self.mails = []
        relay = self

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                relay.mails.append(Mail(session, envelope))
                return '250 2.0.0 taken as %d' % len(relay.mails)

        def login(server, session, envelope, mechanism, data):
            good = users.get(data.login) == data.password
            return AuthResult(success=good, handled=False,
                              auth_data=(mechanism, data.login))

        more = {}
        if starttls:
            more.update(tls_context=starttls, require_starttls=True)
        if users:
            more.update(authenticator=login, auth_required=True,
                        auth_require_tls=bool(starttls))
        self.port = free_port()
        self.server = Controller(Handler(), hostname='127.0.0.1',
                                 port=self.port, ssl_context=tls,
                                 enable_SMTPUTF8=False, **more)
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.server.stop()


class Script:
    """A server that says what it is told to, to whoever comes.

    say: {step: answer}, step one of banner EHLO MAIL RCPT DATA END QUIT; an
    answer is text, or a list (one for each time), or STALL, DROP, FLOOD.
    `wire` is what came in, byte for byte; `data` each mail as it was sent,
    dots still doubled.
    """
    STALL, DROP, FLOOD = object(), object(), object()
    GOOD = {'banner': '220 script', 'EHLO': '250-script\r\n250 SIZE 99999999',
            'HELO': '250 script', 'MAIL': '250 sender', 'RCPT': '250 rcpt',
            'DATA': '354 go on', 'END': '250 queued', 'QUIT': '221 bye'}

    def __init__(self, family=socket.AF_INET, **say):
        self.say = dict(self.GOOD, **say)
        self.wire, self.data, self.steps = b'', [], []
        self.sock = socket.socket(family)
        self.sock.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1',
                        0))
        self.sock.listen(8)
        self.port = self.sock.getsockname()[1]
        self.count = {}
        self.ended = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.ended.set()
        self.sock.close()

    def accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def answer(self, c, step):
        """False when the talk is over."""
        self.steps.append(step)
        what = self.say.get(step, '500 what?')
        if isinstance(what, list):
            n = self.count.get(step, 0)
            self.count[step] = n + 1
            what = what[min(n, len(what) - 1)]
        if what is self.STALL:
            self.ended.wait(LIMIT)
            return False
        if what is self.DROP:
            return False
        if what is self.FLOOD:
            while not self.ended.is_set():
                c.sendall(b'220-' + b'x' * 400 + b'\r\n')
            return False
        c.sendall(to_bytes(what) + b'\r\n')
        return True

    def talk(self, c):
        try:
            with c:
                self.dialogue(c, c.makefile('rb'))
        except OSError:
            pass

    def dialogue(self, c, f):
        if not self.answer(c, 'banner'):
            return
        while True:
            line = f.readline()
            self.wire += line
            if not line:
                return
            step = line.split(b' ')[0].split(b'\r')[0].upper().decode('latin-1')
            if not self.answer(c, step) or step == 'QUIT':
                return
            if step != 'DATA' or not str(self.say['DATA']).startswith('354'):
                continue
            mail = []
            while True:
                line = f.readline()
                if not line:
                    return
                if line == b'.\r\n':
                    break
                mail.append(line)
            self.data.append(b''.join(mail))
            if not self.answer(c, 'END'):
                return


def recorder(name, status=0, more=''):
    """A program that writes down how it was called; its path."""
    path = os.path.join(TMP, name)
    with open(path, 'w') as f:
        f.write('#!/bin/sh\nd="%s"\n'
                'printf "%%s\\0" "$@" >> "$d".args\n'
                'printf "\\n" >> "$d".args\n'
                'env | sort > "$d".env\ncat > "$d".in\n%s\nexit %d\n'
                % (path, more, status))
    os.chmod(path, 0o755)
    return path


def slurp(path):
    with open(path, 'rb') as f:
        return f.read()


def on_wire(message):
    """A message as SMTP's DATA has it, dots doubled, without the last one."""
    if not message.endswith(b'\n'):
        message += b'\n'
    lines = message[:-1].split(b'\n')
    return b''.join((b'.' if x.startswith(b'.') else b'') + x + b'\r\n'
                    for x in lines)
