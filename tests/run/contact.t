#!/usr/bin/env python3
"""What is asked of daemons and hosts: servers on this machine that answer,
hang, close, flood, drip and lie; names, deadlines, pages and certificates.
"""
# runner: timeout=240

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

SRC = os.environ['SRCDIR']
sys.path[:0] = [os.path.join(SRC, 'tests', 'deliver')]
sys.dont_write_bytecode = True
from tap import end, skip, tell				# noqa: E402
from web import Web					# noqa: E402
import ssl						# noqa: E402

PICKET = os.environ['PICKET']
AT = os.getcwd()
ENV = dict(os.environ, XDG_STATE_HOME=AT, HOME=AT, LC_ALL='C')
MUCH = ' . '.join(['$repeat("x", 1000000)'] * 12)    # more than sockets hold
made = 0


class Answer:
    """The value of an expression, $errtext() behind it, messages, seconds."""

    def __init__(self, expr, *words, init='', before=(), env=None):
        global made
        made += 1
        text = expr if expr[0] == '$' else '$text(%s)' % expr
        with open('t%d.pikt' % made, 'w') as f:
            f.write('T\n%s\tbegin\n\t\tset $v = %s\n\t\toutput $v . "|" . '
                    '$errtext()\n' % ('\tinit\n\t\t%s\n' % init if init else
                                      '', text))
        began = time.monotonic()
        p = subprocess.run([*before, PICKET, 'run', '--color', 'never',
                            '--mail', 'mbox', *words, 't%d.pikt' % made],
                           stdin=subprocess.DEVNULL, env=env or ENV,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=100)
        self.took = time.monotonic() - began
        self.exit, self.err = p.returncode, p.stderr.decode('latin-1')
        out = p.stdout.decode('latin-1').rsplit('\n', 1)[0]
        self.value, _, self.why = out.partition('|')

    @property
    def ms(self):
        return float(self.value)

    def __repr__(self):
        return '%r why %r, %.2f s, exit %d, said %s' % (
            self.value, self.why, self.took, self.exit, self.err)


class Server:
    """Does with each connection what a function says."""

    def __init__(self, does, family=socket.AF_INET, at=('127.0.0.1', 0),
                 backlog=16, accepts=True):
        self.sock = socket.socket(family)
        if family != socket.AF_UNIX:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(at)
        self.sock.listen(backlog)
        self.port = self.sock.getsockname()[1]
        self.does, self.got, self.seen = does, b'', 0
        self.ended = threading.Event()
        if accepts:
            threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            self.seen += 1
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        try:
            with c:
                self.does(self, c)
        except OSError:
            pass

    def hear(self, c, n=65536):
        b = c.recv(n)
        self.got += b
        return b

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.ended.set()
        try:
            self.sock.shutdown(socket.SHUT_RDWR)    # wakes accept()
        except OSError:
            pass
        self.sock.close()


def hang(s, c):
    s.ended.wait(100)


def greet(s, c):
    c.sendall(b'220 mx.example ESMTP\r\n')
    s.hear(c)


def drop(s, c):
    pass


def rude(s, c):
    c.sendall(b'421 go away\r\n')


def ping(s, c):
    if s.hear(c) == b'PING\n':
        c.sendall(b'PONG\n')
        s.ended.wait(100)


def drip(s, c):
    for b in b'no yes no yes no READY':
        c.sendall(bytes([b]))
        time.sleep(0.02)
    s.ended.wait(100)


def flood(s, c):
    while not s.ended.is_set():
        c.sendall(b'x' * 65536)


def late(s, c):
    time.sleep(0.3)
    c.sendall(b'ok\n')
    s.ended.wait(100)


def talks(s, send, expect, seconds=5, **more):
    return Answer('#talk("tcp:127.0.0.1:%d", %s, "%s", %g)' % (
        s.port, send, expect, seconds), **more)


# --- a daemon that is spoken with ---
with Server(greet) as s:
    a = talks(s, '""', '^220 ')
    tell(0 <= a.ms < 1000 and not a.err, 'a greeting', a)
    a = talks(s, '"QUIT\\x0d\\n"', '')
    time.sleep(0.1)
    tell(a.ms >= 0 and b'QUIT\r\n' in s.got, 'said, and nothing expected', a,
         s.got)
    a = talks(s, '""', '^250 ', 0.5)
    tell(a.value == '-1' and 0.4 < a.took < 2 and a.why.endswith(
        'has answered "220 mx.example ESMTP??"') and
        a.err.count('WARNING') == 1, 'an answer that is another one', a)
    a = talks(s, '""', '(', 1)
    tell(a.value == '<<ERR>>' and 'bad pattern' in a.err, 'a bad pattern', a)
with Server(ping) as s:
    a = talks(s, '"PING\\n"', '^PONG$')
    tell(a.ms >= 0, 'PING and PONG', a)
    a = talks(s, '"PONG\\n"', 'PONG', 1)
    tell(a.value == '-1' and 'has ended the connection' in a.why,
         'what was not understood', a)
with Server(late) as s:
    a = talks(s, '""', 'ok')
    tell(290 <= a.ms < 1500, 'the time is that of the answer', a)
with Server(hang) as s:
    a = talks(s, '"PING\\n"', 'PONG', 1)
    tell(a.value == '-1' and 0.9 < a.took < 2.5 and '1s have passed, and has '
         'answered nothing' in a.why and s.seen == 1,
         'one that takes the connection and hangs', a)
    a = talks(s, MUCH, '', 1)
    tell(a.value == '-1' and a.took < 3.5 and 'have passed' in a.why,
         'one that does not listen', a)
    a = Answer('#tcpcheck("127.0.0.1", %d, 2)' % s.port)
    tell(a.ms >= 0, 'whose port is open', a)
    a = talks(s, '""', 'x', 60, init='timeout 2s')
    tell(a.exit != 0 and a.took < 6 and a.value == '', 'and the run ends when '
         'its time is over', a)
    began = time.monotonic()
    with open('int.pikt', 'w') as f:
        f.write('T\n\tbegin\n\t\tset #x = #talk("tcp:127.0.0.1:%d", "", "x", '
                '60)\n\t\toutput "went on"\n' % s.port)
    seen = s.seen
    p = subprocess.Popen([PICKET, 'run', '--mail', 'mbox', 'int.pikt'],
                         env=ENV, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    while s.seen == seen and time.monotonic() - began < 20:
        time.sleep(0.02)
    p.send_signal(signal.SIGTERM)
    out, err = p.communicate(timeout=30)
    tell(time.monotonic() - began < 10 and b'went on' not in out and
         p.returncode != 0, 'an interrupt ends it, too', out, err)
with Server(drop) as s:
    a = talks(s, '"PING\\n"', 'PONG')
    tell(a.value == '-1' and a.took < 2 and re.search(
        'ended the connection|reset', a.why), 'one that closes', a)
with Server(rude) as s:
    a = talks(s, MUCH, '^220')
    tell(a.value == '-1' and a.took < 4, 'one that says why, and closes', a)
    a = talks(s, '""', '^421')
    tell(a.ms >= 0, 'its word is an answer', a)
with Server(drip) as s:
    a = talks(s, '""', 'READY$')
    tell(300 <= a.ms < 3000, 'one that answers byte by byte', a)
    a = talks(s, '""', 'never', 0.2)
    tell(a.value == '-1' and a.took < 1.5, 'and is not waited for', a)
with Server(flood) as s:
    a = talks(s, '""', 'never')
    tell(a.value == '-1' and a.took < 3 and 'it does not end' in a.why and
         len(a.err) < 1000, 'one that sends without end', a)
    a = talks(s, '""', 'x{100}')
    tell(a.ms >= 0, 'enough of it is enough', a)
    a = talks(s, MUCH, '', 1)
    tell(a.value == '-1' and a.took < 3.5, 'and does not listen', a)
with Server(lambda s, c: (c.sendall(b'a' * 200 + b'\0\x1b]0;x\7\xff(a+)+b\n'),
                          hang(s, c))) as s:
    a = talks(s, '""', 'never', 0.5)
    tell(a.value == '-1' and '\x1b' not in a.err + a.why, 'bytes that are no '
         'text are not shown', a)
    a = talks(s, '""', '\\\\x00', 2)
    tell(a.ms >= 0, 'but can be looked for', a)
    a = talks(s, '""', '(a+)+$', 2)
    tell(a.value in ('<<ERR>>', '-1') and a.took < 4,
         'a pattern that is too much work ends', a)

# --- sockets that are files ---
with Server(ping, socket.AF_UNIX, 'clamd.ctl') as s:
    a = Answer('#talk("unix:%s/clamd.ctl", "PING\\n", "PONG", 5)' % AT)
    tell(a.ms >= 0, 'a unix socket', a)
a = Answer('#talk("unix:%s/clamd.ctl", "PING\\n", "PONG", 5)' % AT)
tell(a.value == '-1' and 'Connection refused' in a.why and a.took < 2,
     'whose daemon is gone', a)
open('file', 'w').close()
a = Answer('#talk("unix:%s/file", "", "", 5)' % AT)
tell(a.value == '-1' and a.took < 2, 'a file that is no socket', a)
a = Answer('#talk("unix:/" . $repeat("x", 200), "", "", 5)')
tell(a.value == '-1' and 'at most 107 bytes' in a.why, 'a long path', a)
with Server(None, socket.AF_UNIX, 'full', 0, accepts=False) as s:
    first = socket.socket(socket.AF_UNIX)
    first.connect('full')
    a = Answer('#talk("unix:%s/full", "", "", 0.5)' % AT)
    tell(a.value == '-1' and 'no connection within 0.5s' in a.why and
         a.took < 2, 'one that accepts nobody', a)
    first.close()

# --- addresses and names ---
with Server(greet, socket.AF_INET6, ('::1', 0)) as s:
    a = Answer('#talk("tcp:[::1]:%d", "", "^220", 5)' % s.port)
    tell(a.ms >= 0, 'an address of IPv6', a)
    a = Answer('#tcpcheck("::1", %d, 5)' % s.port)
    b = Answer('#tcpcheck("[::1]", %d, 5)' % s.port)
    tell(a.ms >= 0 and b.ms >= 0, 'with and without brackets', a, b)
with Server(greet) as s:
    a = Answer('#tcpcheck("localhost", %d, 5)' % s.port)
    tell(a.ms >= 0, 'a name, whose other addresses may refuse', a)
    a = Answer('#tcpcheck("127.0.0.1", %d, 5)' % s.port, '--dry-run')
    tell(a.ms >= 0 and 'dry-run' not in a.err, 'a dry run asks, too', a)
    taken = s.port
a = Answer('#tcpcheck("127.0.0.1", %d, 5)' % taken)
tell(a.value == '-1' and a.why.endswith('Connection refused') and
     a.took < 2 and a.err.count('\n') == 1, 'nobody there', a)
a = Answer('#tcpcheck("no-such-host.invalid", 25, 3)')
tell(a.value == '-1' and a.took < 5 and len(a.why) > 10, 'no such name', a)
for name in ('a b', 'x;reboot', '$(id)', '../etc', 'a\\nb', '-h', ''):
    a = Answer('#tcpcheck("%s", 25, 3)' % name.replace('$', '\\$'))
    tell(a.value == '-1' and 'no name or address' in a.why and a.took < 2,
         'a name that is none: %r' % name, a)


def apart(script):
    """Words that run a shell script in mounts of its own, or None."""
    ok = os.getuid() == 0 and shutil.which('unshare') and subprocess.run(
        ['unshare', '-m', 'true'], stderr=subprocess.DEVNULL).returncode == 0
    return ['unshare', '-m', 'sh', '-c', script + '; exec "$@"', 'sh'] \
        if ok else None


dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    dns.bind(('127.0.0.77', 53))	# hears, and never answers
    with open('resolv.conf', 'w') as f:
        f.write('nameserver 127.0.0.77\n')
    before = apart('mount --bind %s/resolv.conf /etc/resolv.conf' % AT)
except OSError:
    before = None
if before:
    a = Answer('#tcpcheck("mx.example.org", 25, 1)', before=before)
    tell(a.value == '-1' and 0.8 < a.took < 3 and 'no answer within' in
         a.why, 'a name server that does not answer', a)
    a = Answer('#httpcheck("http://mx.example.org/", 1)', before=before)
    tell(a.value == '-1' and 0.8 < a.took < 4, 'nor to a page', a)
else:
    skip('a name server that does not answer', 'needs port 53 and unshare')
dns.close()

# --- pages ---


def page(w, path='/', seconds=5, get=False, **more):
    return Answer('%s("%s%s", %g)' % ('$httpget' if get else '#httpcheck',
                                      w.url, path, seconds), **more)


with Web((200, 'fine\n'), (404, 'no'), (500, 'oh'), (200, b'a\0b\xff\n'),
         (404, 'no'), (204, '')) as w:
    a, b, c = page(w), page(w, '/x'), page(w)
    tell([a.value, b.value, c.value] == ['200', '404', '500'] and
         not a.err + b.err + c.err, 'statuses', a, b, c)
    h = w.got[0].headers
    tell(w.got[0].line == 'GET / HTTP/1.1' and sorted(h) == [
        'accept', 'host', 'user-agent'] and h['user-agent'] == 'picket',
        'the request says no more than it must', w.got[0])
    a = page(w, get=True)
    tell(a.value == 'a\0b\xff\n', 'a page, byte for byte', a)
    a = page(w, get=True)
    tell(a.value == '<<ERR>>' and a.why.endswith('the status is 404'),
         'one that is not there', a)
    a = page(w, get=True)
    tell(a.value == '' and not a.err, 'an empty one', a)
with Web((200, 'x')) as w:
    env = dict(ENV, http_proxy='http://127.0.0.1:1', ALL_PROXY='socks5://'
               '127.0.0.1:1', HTTP_PROXY='http://127.0.0.1:1')
    with open('.netrc', 'w') as f:
        f.write('default login me password secret\n')
    a = page(w, env=env)
    tell(a.value == '200' and 'authorization' not in w.got[0].headers,
         'neither a proxy nor a password of the surroundings', a, w.got)
    a = page(w, '/a\\x0d\\nX-Evil: 1')
    b = page(w, '/ HTTP/1.1')
    tell(a.value == b.value == '-1' and len(w.got) == 1 and 'no blanks' in
         a.why, 'no data becomes a header', a, b, w.got)
    a = Answer('#httpcheck("--help", 1)')
    b = Answer('#httpcheck("file:///etc/hostname", 1)')
    c = Answer('$httpget("http://" . $repeat("x", 3000))')
    tell(a.value == b.value == '-1' and c.value == '<<ERR>>', 'what is no URL',
         a, b, c)
    a = page(w, '/$(id);`id`{a,b}%20"'.replace('$', '\\$').replace(
        '"', '\\"'))
    tell(a.value == '200' and w.got[-1].path ==
         '/$(id);`id`{a,b}%20"', 'and no command', a, w.got)


def moved(r):
    n = int(r.path.lstrip('/') or 0)
    return (302, 'moved', {'Location': '/%d' % (n - 1)}) if n else \
        (200, 'there')


with Web(moved) as w:
    a, b = page(w, '/5', get=True), page(w, '/6')
    tell(a.value == 'there' and b.value == '-1' and 'redirects' in b.why and
         len(w.got) == 12, 'five redirects, and not a sixth', a, b, len(w.got))
for to in ('file:///etc/hostname', 'gopher://127.0.0.1:1/', 'ftp://127.0.0.1/'):
    with Web((302, 'x', {'Location': to})) as w:
        a = page(w, get=True)
        tell(a.value == '<<ERR>>' and a.took < 3, 'none to ' + to, a)
with Web(Web.STALL) as w:
    a = page(w, seconds=1)
    tell(a.value == '-1' and 0.9 < a.took < 3 and 'timed out' in a.why,
         'a server that hangs', a)
    a = page(w, seconds=60, init='timeout 2s')
    tell(a.exit != 0 and a.took < 8, 'and the run that ends', a)
    left = subprocess.run(['pgrep', '-f', 'picket-contact$'],
                          stdout=subprocess.PIPE).stdout
    tell(not left, 'leaves no process', left)
with Web(Web.DROP) as w:
    a = page(w)
    tell(a.value == '-1' and a.took < 3, 'one that closes', a)
with Web(Web.DRIP) as w:
    a = page(w, seconds=1)
    tell(a.value == '-1' and a.took < 3, 'one that drips', a)
with Web(Web.FLOOD) as w:
    a = page(w, get=True)
    tell(a.value == '<<ERR>>' and 'more than 1048576 bytes' in a.why,
         'a page without end', a)
    a = page(w)
    tell(a.value == '200', 'has a status', a)
for what, raw in (('no HTTP', b'220 mx.example ESMTP\r\n'),
                  ('a status that is none', b'HTTP/1.1 abc\r\n\r\n'),
                  ('headers without end', b'HTTP/1.1 200 OK\r\n' +
                   (b'X: ' + b'y' * 997 + b'\r\n') * 5000),
                  ('a length that lies',
                   b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx'),
                  ('control characters',
                   b'HTTP/1.1 200 \x1b]0;x\x07\r\nContent-Length: -1\r\n\r\n')):
    with Web(raw) as w:
        a = page(w, get=True)
        tell(a.value == '<<ERR>>' and a.took < 4 and '\x1b' not in a.err,
             what, a)

# --- certificates ---
KEY = ['-newkey', 'rsa:2048', '-nodes']


def openssl(*argv):
    subprocess.run(['openssl', *argv], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


with open('ca.cnf', 'w') as f:
    f.write('[ca]\ndefault_ca=x\n[x]\ndatabase=index\nnew_certs_dir=.\n'
            'rand_serial=yes\ndefault_md=sha256\npolicy=p\n'
            'unique_subject=no\ncopy_extensions=copy\n'
            '[p]\ncommonName=supplied\n')
open('index', 'w').close()
openssl('req', '-x509', *KEY, '-days', '30', '-subj', '/CN=Test CA',
        '-keyout', 'ca.key', '-out', 'ca.pem')


def certificate(name, days, who='IP:127.0.0.1'):
    """A server's side, with a certificate of who that ends in days."""
    openssl('req', *KEY, '-subj', '/CN=' + name, '-addext',
            'subjectAltName=' + who, '-keyout', name + '.key', '-out',
            name + '.csr')
    stamp = [time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + d *
                           86400)) for d in (-40, days)]
    openssl('ca', '-batch', '-config', 'ca.cnf', '-cert', 'ca.pem',
            '-keyfile', 'ca.key', '-in', name + '.csr', '-out', name + '.pem',
            '-startdate', stamp[0], '-enddate', stamp[1])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(name + '.pem', name + '.key')
    return tls


good, ended = certificate('good', 10.5), certificate('ended', -4.5)
today = certificate('today', -0.5)
other = certificate('other', 20.5, 'DNS:other.example')
for what, tls, days in (('a certificate', good, '10'),
                        ('one that has ended', ended, '-5'),
                        ('one that ended today', today, '-1'),
                        ('one of another host', other, '20')):
    with Web((200, 'x'), tls=tls) as w:
        a = Answer('#certdays("127.0.0.1", %d)' % w.port)
        tell(a.value == days and not a.err, what, a)
with Web((200, 'x'), tls=good) as w:
    a = page(w)
    tell(a.value == '-1' and 'certificate' in a.why,
         'a page of one whom nobody trusts', a)
with Web((200, 'x')) as w:
    a = Answer('#certdays("127.0.0.1", %d, 3)' % w.port)
    tell(a.value == '<<ERR>>' and a.took < 5, 'a server without', a)
with Server(hang) as s:
    a = Answer('#certdays("127.0.0.1", %d, 1)' % s.port)
    tell(a.value == '<<ERR>>' and 0.9 < a.took < 3 and 'timed out' in a.why,
         'one that hangs', a)
for host in ('a b', 'x/y', 'a@b', '-k', '127.0.0.1/?'):
    a = Answer('#certdays("%s", 443, 1)' % host)
    tell(a.value == '<<ERR>>' and 'no name or address' in a.why,
         'a host that is none: %r' % host, a)

bundle = subprocess.run(['curl-config', '--ca'], stdout=subprocess.PIPE,
                        universal_newlines=True).stdout.strip() \
    if shutil.which('curl-config') else ''
before = apart('mount --bind %s/ca.pem %s' % (AT, bundle)) \
    if os.path.isfile(bundle) else None
if before:
    for what, tls, status in (('a page of one that is trusted', good, '200'),
                              ('not if it has ended', ended, '-1'),
                              ('nor of another host', other, '-1')):
        with Web((200, 'x'), tls=tls) as w:
            a = page(w, before=before)
            tell(a.value == status and (status == '200') == (not a.err),
                 what, a)
    with Web((200, 'plain')) as plain, \
            Web((302, 'x', {'Location': plain.url}), tls=good) as w:
        a = page(w, before=before, get=True)
        tell(a.value == '<<ERR>>' and not plain.got,
             'https leads to no http', a, plain.got)
else:
    skip('a page of one that is trusted', 'needs root, unshare and the path '
         'of libcurl\'s certificates')


def starttls(s, c):
    c.sendall(b'220 mx ESMTP\r\n')
    f = c.makefile('rb')
    while True:
        line = f.readline().upper()
        if line.startswith(b'EHLO'):
            c.sendall(b'250-mx\r\n250 STARTTLS\r\n')
        elif line.startswith(b'STARTTLS'):
            c.sendall(b'220 go\r\n')
            c = good.wrap_socket(c, server_side=True)
            f = c.makefile('rb')
        else:
            return


try:
    mx = Server(starttls, at=('127.0.0.78', 25))
except OSError:
    mx = None
if mx:
    with mx:
        a = Answer('#certdays("127.0.0.78", 25, 5)')
        tell(a.value == '10', 'a mail host, by STARTTLS', a)
else:
    skip('a mail host, by STARTTLS', 'needs port 25')

# --- a picket-contact that is not what it should be ---
LIBEXEC = os.environ['PICKET_LIBEXEC']
os.mkdir('libexec')
for name in os.listdir(LIBEXEC):
    if name.startswith('picket-') and name != 'picket-contact':
        os.symlink(os.path.join(LIBEXEC, name), 'libexec/' + name)
env = dict(ENV, PICKET_LIBEXEC=os.path.join(AT, 'libexec'))


def fake(text):
    with open('libexec/new', 'w') as f:
        f.write('#!/bin/sh\n' + text + '\n')
    os.chmod('libexec/new', 0o755)
    os.rename('libexec/new', 'libexec/picket-contact')
    return Answer('$httpget("http://127.0.0.1:1/", 1)', env=env)


a = Answer('#httpcheck("http://127.0.0.1:1/", 1)', env=env)
tell(a.value == '-1' and 'picket-contact: not found' in a.why,
     'one that is missing', a)
a = fake('trap "" TERM; sleep 60')
tell(a.value == '<<ERR>>' and 1.5 < a.took < 8 and 'no answer within 1s' in
     a.why, 'one that hangs is ended from outside', a)
for what, text in (('says nothing', 'exit 0'), ('dies', 'kill -SEGV $$'),
                   ('says half', 'printf "ok 200"'),
                   ('says no number', 'echo ok x'),
                   ('says NIL', 'echo "ok <<NIL>>"'),
                   ('says too much', 'yes | head -c 5000000')):
    a = fake(text)
    tell(a.value == '<<ERR>>' and a.took < 5 and 'gives no answer' in a.why,
         'one that ' + what, a)
a = fake('printf "fail \\033]0;x\\007\\377\\n"')
tell(a.value == '<<ERR>>' and '\x1b' not in a.err + a.why,
     'its reason is shown as text', a)
a = fake('cat >request; echo ok 200; cat request')
tell(a.value == 'page 1.000 1048576 http://127.0.0.1:1/\n',
     'the request is one line', a)

# --- what it costs ---


def children(body):
    with open('cost.pikt', 'w') as f:
        f.write('begin\n\tset #n = 0\n\tfor #i = 1 #i <= 500 #i += 1\n'
                '\t\t%s\n\tendfor\n\toutput $text(#n)\n' % body)
    began = time.monotonic()
    p = subprocess.run(['strace', '-f', '-o', 'trace', '-e',
                        'trace=fork,vfork,clone,clone3', PICKET, 'run',
                        '--mail', 'mbox', 'cost.pikt'], env=ENV,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with open('trace') as f:
        n = len(re.findall(r'^\d+ +(?:fork|vfork|clone3?)\(', f.read(), re.M))
    return n, p.stdout.decode(), time.monotonic() - began, p.stderr.decode()


with Server(greet) as s:
    ask = 'set #n += #talk("tcp:127.0.0.1:%d", "", "^220", 5) >= 0' % s.port
    if shutil.which('strace') and subprocess.run(
            ['strace', '-o', '/dev/null', 'true'],
            stderr=subprocess.DEVNULL).returncode == 0:
        none, some = children('set #n += 1'), children(ask)
        tell(none[1] == some[1] == '500\n' and none[0] == some[0],
             '500 daemons are asked without a fork', none, some)
        print('# 500 in %.2f s' % (some[2] - none[2]))
    else:
        skip('500 daemons are asked without a fork', 'no strace here')
end()
