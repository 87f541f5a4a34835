#!/usr/bin/python3
# runner: timeout=300
"""syslog, journal, wall, null: what arrives, also at Debian's rsyslog and in
a journal; receivers in trouble."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import *				# noqa: E402,F403
from web import *				# noqa: E402,F403

tap = Tap()
NOTICE = notice([change(), change(what='resolved', says='resolved after 2h',
                                  level='warning', evidence='', id='2',
                                  place='')], [script()])
HOSTILE = ['"', '\\', '\r\n<0>evil', '\0', '\x1b[2J', '\u202e', '\u0085',
           '%s%n', '\u00e9\U0001f525', '\nPRIORITY=0\n', '=', 'x' * 1000000]


class Datagrams:
    """What comes to a socket of datagrams."""

    def __init__(self, path=None):
        self.got = []
        if path:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.sock.bind(path)
        else:
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind(('127.0.0.1', 0))
            self.port = self.sock.getsockname()[1]
        self.path = path
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.sock.close()
        if self.path:
            os.unlink(self.path)

    def read(self, n, seconds=10):
        """Until there are n, and no more."""
        self.sock.settimeout(seconds)
        while len(self.got) < n:
            try:
                self.got.append(self.sock.recv(1 << 20))
            except OSError:
                return self.got
        self.sock.settimeout(0.1)
        try:
            self.got.append(self.sock.recv(1 << 20))
        except OSError:
            pass
        return self.got


class Drain:
    """A thread that empties a socket: its sender never waits."""

    def __init__(self, d):
        self.d, self.run = d, True
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        self.d.sock.settimeout(0.2)
        while self.run:
            try:
                self.d.got.append(self.d.sock.recv(1 << 20))
            except OSError:
                pass

    def end(self):
        time.sleep(0.3)
        self.run = False
        self.thread.join()
        return self.d.got


class Stream:
    """A syslog server by TCP or TLS; what came, byte for byte."""

    def __init__(self, tls=None, close=False, stall=False):
        self.tls, self.close, self.stall = tls, close, stall
        self.got, self.ended = b'', threading.Event()
        self.clean = 0
        self.sock = socket.socket()
        if stall:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.bind(('127.0.0.1', 0))
        self.sock.listen(4)
        self.port = self.sock.getsockname()[1]
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

    def talk(self, c):
        try:
            if self.tls:
                c = self.tls.wrap_socket(c, server_side=True,
                                         suppress_ragged_eofs=False)
            with c:
                while not self.close:
                    if self.stall:
                        self.ended.wait(60)
                        return
                    d = c.recv(65536)
                    if not d:
                        self.clean += 1
                        return
                    self.got += d
        except OSError:
            pass

    def messages(self, n):
        """The counted messages, of which there are to be n."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            out, rest = [], self.got
            while True:
                m = re.match(rb'(\d+) ', rest)
                if not m or len(rest) < m.end() + int(m.group(1)):
                    break
                out.append(rest[m.end():m.end() + int(m.group(1))])
                rest = rest[m.end() + int(m.group(1)):]
            if len(out) >= n and not rest:
                return out
            time.sleep(0.05)
        return out + ([rest] if rest else [])


def send(line, said=NOTICE, **more):
    return deliver(web_job(line, said, **more))


FIRING = ('Urgent: [firing] MX moscow has many queued messages: 5210 '
          '(mxqueue:moscow, 3fa2b1c9); #queued >= 5000 (#queued = 5210); '
          'mx.pikt:14')
RESOLVED = ('Urgent: [resolved after 2h] MX moscow has many queued messages: '
            '5210 (mxqueue:moscow, 2)')
SAID = [(2, 'firing', FIRING), (4, 'resolved', RESOLVED),
        (1, 'lines', 'ProcNumChk: 404 groucho imapd'),
        (1, 'lines', 'ProcNumChk: killed them')]
REMOTE = [('<%d>1 2000-04-25T05:17:02.000Z moscow picket run-1 %s - %s'
           % (3 * 8 + severity, msgid, text)).encode()
          for severity, msgid, text in SAID]
path = os.path.join(TMP, 'dev-log')

# Here: as syslog(3).
LOCAL = re.compile(rb'<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d '
                   rb'picket\[\d+\]: (.*)\Z', re.S)
with Datagrams(path) as d:
    got = send('syslog %s facility local2' % path)
    seen = [LOCAL.match(x).groups() for x in d.read(4)]
    tap.eq((got.lines, seen), (['ok syslog:%s 4 messages' % path], [
        (b'%d' % (18 * 8 + s), t.encode()) for s, _, t in SAID]),
        'syslog: to this host')
    d.got.clear()
    got = send('syslog ' + path, None)
    tap.eq([LOCAL.match(x).groups() for x in d.read(1)],
           [(b'28', b'body')], 'a mail without a notice')
got = send('syslog ' + path)
tap.ok(got.status == LATER and 'No such file' in got.out, 'no daemon', got)
with Datagrams(path) as d:
    start = time.monotonic()
    got = send('syslog ' + path, notice([], [script(lines='x\n' * 1000)]))
    tap.ok(got.status == LATER and 4 < got.seconds < 20,
           'a daemon that does not read: not for ever', got)
with Datagrams(path) as d:
    drain = Drain(d)
    got = send('syslog ' + path, notice([], [script(lines='x\n' * 1000)]))
    seen = drain.end()
    tap.ok(got.status == SENT and len(seen) == 501 and
           seen[-1].endswith(b': 500 more lines are in the mail'),
           'a flood is counted', got, len(seen), seen[-1:])

# There: RFC 5424.
with Datagrams() as d:
    got = send('syslog 127.0.0.1:%d' % d.port)
    tap.eq((got.status, d.read(4)), (SENT, REMOTE), 'syslog: by UDP')
    tap.eq(got.lines, ['ok syslog:127.0.0.1:%d 4 messages, which nobody '
                       'confirms' % d.port], 'its report')
    d.got.clear()
    send('syslog localhost:%d udp facility local7' % d.port)
    tap.eq(d.read(4)[0][:7], b'<186>1 ', 'by name; its facility')
got = send('syslog 127.0.0.1:%d' % free_port())
tap.ok(got.status == LATER and 'refused' in got.out, 'UDP: nobody listens',
       got)
got = send('syslog no.such.host.invalid')
tap.ok(got.status == LATER, 'an unknown host', got)
with Stream() as s:
    got = send('syslog 127.0.0.1:%d tcp' % s.port)
    tap.eq((got.status, s.messages(4)), (SENT, REMOTE), 'syslog: by TCP')
    tap.eq(got.lines, ['ok syslog:127.0.0.1:%d 4 messages' % s.port],
           'its report')
with Stream() as s:
    long = 'y' * 1900 + '\n'
    got = send('syslog 127.0.0.1:%d tcp' % s.port, notice([], [script(
        lines=long * 499)]))
    tap.ok(got.status == SENT and len(s.messages(499)) == 499,
           'a megabyte by TCP', got, len(s.got))
got = send('syslog 127.0.0.1:%d tcp' % free_port())
tap.ok(got.status == LATER, 'TCP: nobody listens', got)
with Stream(close=True) as s:
    for _ in range(20):		# it may be slower than we are
        got = send('syslog 127.0.0.1:%d tcp timeout 5s' % s.port)
        if got.status == LATER:
            break
    tap.ok(got.status == LATER and got.seconds < 5, 'TCP: it closes', got)
with Stream(stall=True) as s:
    got = send('syslog 127.0.0.1:%d tcp timeout 3s' % s.port, notice(
        [], [script(lines=('z' * 1900 + '\n') * 499)] * 1))
    tap.ok(got.status == LATER and 'nothing more' in got.out and
           2 < got.seconds < 10, 'TCP: it does not read', got)
cert, key = certificate('right', ip='127.0.0.1')
other, other_key = certificate('wrong', 'elsewhere.example.org')
with Stream(server_tls(cert, key)) as s:
    got = send('syslog 127.0.0.1:%d tls ca %s' % (s.port, cert))
    tap.eq((got.status, s.messages(4)), (SENT, REMOTE), 'syslog: by TLS')
    s.got = b''
    for ca in '', ' ca ' + other:
        got = send('syslog 127.0.0.1:%d tls%s' % (s.port, ca))
        tap.ok(got.status == LATER and s.got == b'' and
               'certificate' in got.out, 'a wrong certificate', got)
    got = send('syslog 127.0.0.1:%d tls insecure' % s.port)
    tap.ok(got.status == SENT and len(s.messages(4)) == 4, 'insecure', got)
with Stream(server_tls(other, other_key)) as s:
    got = send('syslog 127.0.0.1:%d tls ca %s' % (s.port, other))
    tap.ok(got.status == LATER and s.got == b'',
           'a certificate of another host', got)
with Stream() as s:
    got = send('syslog 127.0.0.1:%d tls insecure timeout 3s' % s.port)
    tap.ok(got.status == LATER and b'picket' not in s.got and
           got.seconds < 10, 'TLS asked for, none there', got)
HEAD = re.compile(rb'<\d{1,3}>1 \S+ (\S{1,255}) (\S{1,48}) (\S{1,128}) '
                  rb'(\S{1,32}) - ([^\x00-\x08\x0a-\x1f\x7f]*)\Z')
for h in HOSTILE:
    with Datagrams() as d:
        got = send('syslog 127.0.0.1:%d' % d.port, notice(
            [change(**dict.fromkeys(change(), h))],
            [script(**dict.fromkeys(script(), h[:100]))], host=h, alert=h,
            run=h, id=h))
        seen = d.read(2)
        tap.ok(got.status == SENT and len(seen) >= 2 and all(
            HEAD.match(x) and len(x) <= 2048 and x.decode() for x in seen),
            'hostile: %r' % h[:12], got, seen)
for line, why in (('syslog a b', 'no option'), ('syslog /x tcp', 'need a host'),
                  ('syslog h tcp tls', 'only one'), ('syslog h:0', 'bad port'),
                  ('syslog h ca /x', 'without TLS'),
                  ('syslog h facility x', 'unknown facility'),
                  ('journal x', 'begin with /'), ('wall x', 'begin with /'),
                  ('null maybe', 'null is ok')):
    got = send(line)
    tap.ok(got.status == REFUSED and why in got.out, 'no line: ' + why, got)


# The journal's own protocol, read by its description.
def fields(datagram):
    out = []
    while datagram:
        m = re.match(rb'([A-Z_][A-Z0-9_]{0,63})(=|\n)', datagram)
        if not m:
            raise ValueError(datagram[:80])
        rest = datagram[m.end():]
        if m.group(2) == b'=':
            value, newline, datagram = rest.partition(b'\n')
        else:
            n, = struct.unpack('<Q', rest[:8])
            value, newline, datagram = (rest[8:8 + n], rest[8 + n:9 + n],
                                        rest[9 + n:])
        if newline != b'\n':
            raise ValueError('no newline behind a value')
        out.append((m.group(1).decode(), value.decode()))
    return out


path = os.path.join(TMP, 'journal')
common = [('SYSLOG_FACILITY', '3'), ('SYSLOG_IDENTIFIER', 'picket'),
          ('PICKET_NOTICE', 'run-1.1@moscow'), ('PICKET_RUN', 'run-1'),
          ('PICKET_HOST', 'moscow'), ('PICKET_ALERT', 'Urgent')]
with Datagrams(path) as d:
    got = send('journal ' + path)
    entries = list(d.read(3))
    seen = [fields(x) for x in entries]
    tap.eq((got.lines, seen[0]), (['ok journal:%s 3 entries' % path], [
        ('MESSAGE', '[firing] MX moscow has many queued messages: 5210 '
         '(mxqueue:moscow, 3fa2b1c9)'), ('PRIORITY', '2')] + common + [
             ('PICKET_SCRIPT', 'MXQueue'), ('PICKET_LEVEL', 'critical'),
             ('PICKET_WHAT', 'firing'), ('PICKET_INCIDENT', 'mxqueue:moscow'),
             ('PICKET_INCIDENT_ID', '3fa2b1c9'),
             ('PICKET_EVIDENCE', '#queued >= 5000 (#queued = 5210)'),
             ('PICKET_PLACE', 'mx.pikt:14'),
             ('PICKET_DONE', 'exec wait: /usr/sbin/postqueue -f')]),
        'journal: an incident')
    tap.eq(seen[2][:2], [('MESSAGE', 'ProcNumChk: Count processes.\n404 groucho'
                          ' imapd\nkilled them'), ('PRIORITY', '1')],
           'lines: the binary form')
    for h in HOSTILE:
        d.got.clear()
        got = send('journal ' + path, notice(
            [change(**dict.fromkeys(change(), 'v' + h))], [script()],
            host='v' + h, alert='v' + h))
        x = d.read(2)[0]
        names = [n for n, _ in fields(x)]
        tap.ok(got.status == SENT and len(x) < 100000 and
               len(set(names)) == len(names) == 16 and
               dict(fields(x))['PRIORITY'] == '2',
               'journal, hostile: %r' % h[:12], got, x[:300])
got = send('journal ' + path)
tap.ok(got.status == LATER and 'No such file' in got.out, 'no journal', got)
with Datagrams(path) as d:
    got = send('journal ' + path, notice([change()] * 3000))
    tap.ok(got.status == LATER and 4 < got.seconds < 20 and
           ' of 3000 entries' in got.out, 'a journal that does not read', got)

with Datagrams(path) as d:
    drain = Drain(d)
    got = send('journal ' + path, notice([change()] * 4000,
                                         [script()] * 2000))
    tap.ok(got.status == SENT and len(drain.end()) == 5000,
           'of 6000 entries 5000', got, len(d.got))

# A real journal: systemd-journal-remote takes the same form, and journalctl
# reads what it made.
remote = '/lib/systemd/systemd-journal-remote'
if tap.ok(os.path.exists(remote) and shutil.which('journalctl'),
          'systemd-journal-remote is installed',
          'apt-get install systemd-journal-remote'):
    file = os.path.join(TMP, 'out.journal')
    stream = b''.join(b'__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n'
                      b'_BOOT_ID=%032x\n' % (int(time.time() * 1e6) + i, i + 1,
                                             1) + x + b'\n'
                      for i, x in enumerate(entries))
    p = subprocess.run([remote, '-o', file, '-'], input=stream,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = subprocess.run(['journalctl', '--file=' + file, '-o', 'json',
                          'PICKET_ALERT=Urgent'], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT).stdout.decode()
    read = [json.loads(x) for x in out.splitlines() if x.startswith('{')]
    tap.eq([{k: v for k, v in r.items() if not k.startswith('_')}
            for r in read], [dict(x) for x in seen],
           'journalctl shows what was sent')


# Debian's rsyslog.
program = shutil.which('rsyslogd') or '/usr/sbin/rsyslogd'
if tap.ok(os.path.exists(program), 'rsyslog is installed',
          'apt-get install rsyslog'):
    folder = os.path.join(TMP, 'rsyslog')
    os.mkdir(folder)
    udp, tcp = free_port(), free_port()
    conf = os.path.join(folder, 'conf')
    with open(conf, 'w') as f:
        f.write('global(workDirectory="%s")\n'
                'module(load="imuxsock" SysSock.Use="off")\n'
                'input(type="imuxsock" Socket="%s/log")\n'
                'module(load="imudp")\n'
                'input(type="imudp" address="127.0.0.1" port="%d")\n'
                'module(load="imtcp")\n'
                'input(type="imtcp" address="127.0.0.1" port="%d")\n'
                'template(name="all" type="string" string="%%pri%%|'
                '%%hostname%%|%%app-name%%|%%procid%%|%%msgid%%|%%msg%%\\n")\n'
                'action(type="omfile" file="%s/out" template="all")\n'
                % (folder, folder, udp, tcp, folder))
    log = open(os.path.join(folder, 'said'), 'wb')
    p = subprocess.Popen([program, '-n', '-f', conf, '-i',
                          os.path.join(folder, 'pid')], stdout=log, stderr=log)
    try:
        def lines(n):
            end = time.monotonic() + 15
            while time.monotonic() < end:
                try:
                    out = slurp(folder + '/out').decode().splitlines()
                except OSError:
                    out = []
                out = [x for x in out if '|picket|' in x]
                if len(out) >= n:
                    return out
                time.sleep(0.1)
            return out

        end = time.monotonic() + 15
        while not os.path.exists(folder + '/log') and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(0.5)
        got = send('syslog %s/log facility local2' % folder)
        seen = [x.split('|', 5) for x in lines(4)]
        tap.eq((got.status, [(x[0], x[2], x[5].strip()) for x in seen]),
               (SENT, [(str(18 * 8 + s), 'picket', t) for s, _, t in SAID]),
               'rsyslog: by its socket')
        for i, way in enumerate(('127.0.0.1:%d udp' % udp,
                                 '127.0.0.1:%d tcp' % tcp)):
            got = send('syslog ' + way)
            seen = lines(8 + 4 * i)[4 + 4 * i:]
            tap.eq((got.status, [x.split('|', 5) for x in seen]),
                   (SENT, [[str(24 + s), 'moscow', 'picket', 'run-1', m, t]
                           for s, m, t in SAID]), 'rsyslog: ' + way)
    finally:
        p.terminate()
        p.wait(20)
        log.close()

# Terminals.
wall = recorder('wall')
got = send('wall ' + wall)
tap.eq((got.status, slurp(wall + '.in').decode(), slurp(wall + '.args')),
       (SENT, 'PIKT Alert on moscow: Urgent (run-1.1@moscow)\n'
        'critical: [firing] MX moscow has many queued messages: 5210 '
        '(mxqueue:moscow, 3fa2b1c9)\n    #queued >= 5000 (#queued = 5210)\n'
        '    mx.pikt:14\n    exec wait: /usr/sbin/postqueue -f\n'
        'warning: [resolved after 2h] MX moscow has many queued messages: 5210 '
        '(mxqueue:moscow, 2)\n    exec wait: /usr/sbin/postqueue -f\n'
        'urgent: ProcNumChk: Count processes.\n    404 groucho imapd\n'
        '    killed them\n', b'\0\n'), 'wall: what it gets')
for h in HOSTILE:
    got = send('wall ' + wall, notice([change(**dict.fromkeys(change(), h))],
                                      [script(lines=h)], subject=h))
    text = slurp(wall + '.in').decode()
    tap.ok(got.status == SENT and not re.search(
        '[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]', text) and
        text.count('\n') <= 21 and
        all(len(x) <= 500 for x in text.split('\n')), 'wall: %r' % h[:12], got)
got = send('wall ' + wall, notice([], [script(lines='line\n' * 100)]))
tap.ok(slurp(wall + '.in').decode().count('\n') == 21, 'wall: 20 lines')
got = send('wall ' + recorder('wall-bad', 1, 'echo no terminal'))
tap.ok(got.status == LATER and 'no terminal' in got.out, 'wall fails', got)
got = send('wall /no/such')
tap.ok(got.status == LATER and 'not found' in got.out, 'no wall here', got)
if tap.ok(os.path.exists('/usr/bin/wall'), 'wall is installed'):
    got = send('wall')
    tap.ok(got.status == SENT, 'the real wall takes it', got)

# Nowhere.
for line, status, seconds in (('null', SENT, 0), ('null ok', SENT, 0),
                              ('null retry', LATER, 0),
                              ('null fail', REFUSED, 0),
                              ('null slow', SENT, 1)):
    got = send(line)
    tap.ok(got.status == status and seconds <= got.seconds < seconds + 8,
           line, got)
tap.done()
