#!/usr/bin/env python3
# runner: timeout=240
"""picket-http by itself: what it answers, what it refuses, and that slow,
huge, broken and many requests leave it well.  What it says of a scheduler is
tested with one, in web.t."""

import html.parser
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
sys.path.insert(0, os.path.join(HERE, '..', 'run'))
from tap import end, skip, tell			# noqa: E402
import small					# noqa: E402

HTTP = os.path.join(os.environ['PICKET_LIBEXEC'], 'picket-http')
HOST = 'moscow.example.org'
SANITIZED = bool(os.environ.get('PICKET_SANITIZERS'))
BAD = '<script>alert("1")</script>&amp;'

SITE = {
    'picket.conf': 'mailto root\nfile %s/mbox\nhostname ' + HOST + '\n',
    'alerts.cfg': 'Queue\n\tevery 5m\n\talarms\tQueueHigh\n\t\tSpare\n'
                  'Good\n\tevery 1h\n\talarms\tAllWell\n',
    'scripts/q.pikt': '''QueueHigh
	init
		status	active
		level	critical
		task	"the queue"
		input	file "%s/q"
		dat	#n 1
		dat	$who 2
	rule
		record #n as "queued"
		incident "queue:$who"
			when	#n >= 100
			message "$who has $text(#n) messages %s"
		endincident

Spare
	init
		status	active
		level	warning
		task	"the spare"
		input	file "%s/q"
		dat	#n 1
	rule
		record #n as "odd \\"name\\" <b>"
		incident "spare:low"
			when	#n >= 400
			message "the spare is low"
		endincident
''',
    'scripts/g.pikt': '''AllWell
	init
		status	active
		level	notice
		task	"all is well"
	begin
		record 1 as "one"
''',
}


def make_site(top):
    site = os.path.join(top, 'site')
    small.write(site + '/picket.conf', SITE['picket.conf'] % top)
    small.write(site + '/alerts.cfg', SITE['alerts.cfg'])
    small.write(site + '/scripts/q.pikt', SITE['scripts/q.pikt'] %
                (top, BAD.replace('"', '\\"'), top))
    small.write(site + '/scripts/g.pikt', SITE['scripts/g.pikt'])
    return site


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, state, *more):
        self.port = free_port()
        self.p = subprocess.Popen([HTTP, '--listen', str(self.port), '--state',
                                   state, '--host', HOST] + list(more),
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        for _ in range(200):
            try:
                self.connect().close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit('picket-http does not listen: %s' %
                         self.p.stdout.read())

    def connect(self, timeout=30):
        return socket.create_connection(('127.0.0.1', self.port), timeout)

    def raw(self, data, timeout=30):
        with self.connect(timeout) as s:
            try:
                s.sendall(data)
                out = b''
                while True:
                    b = s.recv(65536)
                    if not b:
                        return out
                    out += b
            except ConnectionError:
                return out if 'out' in locals() else b''

    def get(self, path, host='localhost', method='GET', more=''):
        out = self.raw(('%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n' %
                        (method, path, host, more)).encode('latin-1'))
        head, _, body = out.partition(b'\r\n\r\n')
        line, *fields = head.decode('latin-1').split('\r\n')
        status = int(line.split()[1]) if line.count(' ') else 0
        return status, dict(f.split(': ', 1) for f in fields), \
            body.decode('utf-8')

    def rss(self):
        with open('/proc/%d/status' % self.p.pid, encoding='ascii') as f:
            return int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1))

    def stop(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
        return self.p.wait(20)


class Shape(html.parser.HTMLParser):
    """Every tag that is opened is closed, but for those that need not be."""
    FREE = {'meta', 'br', 'li', 'td', 'th', 'tr', 'p'}

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.tags, self.text = [], [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for k, v in attrs:
            if k.startswith('on') or (v or '').startswith('javascript:'):
                self.wrong.append((tag, k, v))
        if tag not in self.FREE:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.FREE:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append('/' + tag)

    def handle_data(self, data):
        self.text.append(data)


def page(s, path='/'):
    status, head, body = s.get(path)
    shape = Shape()
    shape.feed(body)
    return status, head, body, shape


def answers(s):
    """What a person and a program see."""
    status, head, body, shape = page(s)
    text = ' '.join(shape.text)
    tell(status == 200 and head['Content-Type'].startswith('text/html'),
         'a page', status, head)
    tell(not shape.wrong and not shape.open, 'its tags are in order',
         shape.wrong, shape.open)
    tell('script' not in shape.tags, 'no script in it', shape.tags)
    tell(BAD in text.replace('\n', ' '), 'a message is text, whatever is in '
         'it', text[:2000])
    tell('2 things are wrong' in text, 'what is wrong stands first',
         text[:600])
    tell(text.index('boris has 450') < text.index('the spare is low'),
         'the worst first')
    tell(body.count('<svg') == 3 and body.count('<polyline') == 2,
         'a graph of each series', body.count('<svg'),
         body.count('<polyline'))
    tell("default-src 'none'" in head.get('Content-Security-Policy', '') and
         head.get('X-Content-Type-Options') == 'nosniff',
         'nothing from elsewhere', head)
    tell('prefers-color-scheme:dark' in body and 'width=device-width' in body,
         'light and dark, wide and narrow')
    status, head, body, shape = page(s, '/?alert=Good&hours=168')
    tell(status == 200 and not shape.wrong and 'boris' not in body,
         'one alert alone')
    status, _, body, shape = page(s, '/?alert=%3Cscript%3E&hours=-1&all=x')
    tell(status == 200 and 'script' not in shape.tags and not shape.wrong,
         'what is asked for is text, too')
    status, head, body = s.get('/', method='HEAD')
    tell(status == 200 and body == '' and int(head['Content-Length']) > 1000,
         'HEAD is a head', status, head, body[:100])

    status, _, body = s.get('/healthz')
    tell(status == 200 and body == 'ok\n', 'healthz', status, body)
    status, _, body = s.get('/api/v1')
    paths = json.loads(body)['paths']
    tell(status == 200 and len(paths) >= 8, 'the api names its paths', body)
    for path in paths:
        status, head, body = s.get('/api/v1/' + path)
        j = json.loads(body)
        tell(status == 200 and head['Content-Type'] == 'application/json' and
             j['host'] == HOST, 'api: ' + path, status, body[:300])
    j = json.loads(s.get('/api/v1/incidents')[2])['incidents']
    tell([i['key'] for i in j] == ['queue:boris', 'spare:low'],
         'api: incidents, the worst first', j)
    j = json.loads(s.get('/api/v1/runs?alert=Queue&limit=2')[2])['runs']
    tell(len(j) == 2 and all(r['alert'] == 'Queue' for r in j), 'api: runs',
         j)
    j = json.loads(s.get('/api/v1/series?alert=Queue&series=queued')[2])
    steps = j['series'][0]['steps']
    tell(len(steps) == 3 and steps[-1]['mean'] == 450, 'api: points of a '
         'series', j)
    tell(s.get('/api/v1/nothing')[0] == 404 and s.get('/etc/passwd')[0] == 404
         and s.get('/../../etc/passwd')[0] == 404, 'what is not there')


def metrics(s):
    status, head, body = s.get('/metrics')
    tell(status == 200 and 'version=0.0.4' in head['Content-Type'],
         'metrics', status, head)
    tell('picket_recorded_value{alert="Queue",script="QueueHigh",'
         'series="queued"} 450\n' in body and
         'picket_incidents_firing{level="critical"} 1\n' in body,
         'values are there', body)
    tool = shutil.which('promtool')
    if tool is None:
        skip('promtool judges the metrics', 'no promtool')
        return
    p = subprocess.run([tool, 'check', 'metrics'], input=body.encode(),
                       capture_output=True)
    tell(p.returncode == 0 and p.stdout == b'', 'promtool has nothing to say',
         p.stdout, p.stderr)
    p = subprocess.run([tool, 'check', 'metrics'], input=body.encode() +
                       b'picket_up{a="1\n', capture_output=True)
    tell(p.returncode != 0, 'it does say something of a broken line')


def refused(s):
    for method in 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH':
        status, head, _ = s.get('/', method=method, more='Content-Length: 0'
                                '\r\n')
        tell(status == 405 and head.get('Allow') == 'GET, HEAD',
             method + ' is not allowed', status, head)
    for host in 'evil.example', 'localhost.evil.example', HOST + '.evil', '':
        status = s.get('/', host=host)[0]
        tell(status in (400, 421), 'another host: %r' % host, status)
    for host in 'localhost:%d' % s.port, '127.0.0.1', '[::1]:1', HOST, \
            'moscow':
        tell(s.get('/healthz', host=host)[0] == 200, 'this host: ' + host)
    for what, data in (
            ('garbage', b'\x00\xff\x16\x03\x01 hello\r\n\r\n'),
            ('no version', b'GET /\r\n\r\n'),
            ('a head of 1 MB', b'GET / HTTP/1.1\r\nX: ' + b'a' * 1000000),
            ('100,000 fields', b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * 100000),
            ('a path of 1 MB', b'GET /' + b'a' * 1000000 + b' HTTP/1.1\r\n'),
            ('a body of 1 GB', b'GET / HTTP/1.1\r\nHost: localhost\r\n'
             b'Content-Length: 1000000000\r\n\r\n' + b'x' * 100000),
            ('a length below 0', b'GET / HTTP/1.1\r\nHost: localhost\r\n'
             b'Content-Length: -5\r\n\r\n'),
            ('two lengths', b'GET / HTTP/1.1\r\nHost: localhost\r\n'
             b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'
             b'0\r\n\r\nGET /x HTTP/1.1\r\n\r\n'),
            ('bad chunks', b'POST / HTTP/1.1\r\nHost: localhost\r\n'
             b'Transfer-Encoding: chunked\r\n\r\nzzzz\r\n'),
            ('a bad escape', b'GET /%zz%00?a=%f HTTP/1.1\r\n'
             b'Host: localhost\r\n\r\n'),
            ('an address of another', b'GET http://evil/ HTTP/1.1\r\n'
             b'Host: localhost\r\n\r\n'),
            ('CONNECT', b'CONNECT evil:80 HTTP/1.1\r\nHost: x\r\n\r\n')):
        out = s.raw(data)
        tell(b' 200 OK' not in out[:20], what + ' gets no page', out[:200])
        tell(s.get('/healthz')[0] == 200, 'and it is well afterwards')


def sizes(s):
    """Requests that come in pieces, on descriptors that were used before."""
    good = 0
    for n in (1, 500, 1000, 1000, 1300, 1300, 700, 1000, 1300, 1300):
        out = s.raw(b'GET /healthz HTTP/1.1\r\n' + b'X: y\r\n' * n + b'\r\n')
        good += out.endswith(b'\r\n\r\nok\n')
    tell(good == 10, 'requests of 6 kB, one after the other', good)


def slow(s):
    """Who is slow is cut off, and nobody waits for him."""
    began = time.monotonic()
    mute = [s.connect() for _ in range(50)]
    drip = s.connect()
    reader = s.connect()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    reader.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    cut = None
    for k in range(60):
        if cut is None:
            try:
                drip.sendall(b'GET / HTTP/1.1\r\n'[k:k + 1] or b'x')
                if drip.recv(1, socket.MSG_DONTWAIT) == b'':
                    cut = time.monotonic() - began
            except BlockingIOError:
                pass
            except OSError:
                cut = time.monotonic() - began
        t = time.monotonic()
        ok = s.get('/healthz')[0] == 200
        if not ok or time.monotonic() - t > 1:
            tell(False, 'others are answered meanwhile', time.monotonic() - t)
            break
        if cut is not None:
            break
        time.sleep(0.3)
    else:
        tell(False, 'a byte now and then is cut off', 'it was not')
    if cut is not None:
        tell(8 < cut < 14, 'a byte now and then is cut off after 10 s', cut)
    for m in mute:
        m.settimeout(5)
        if m.recv(1) != b'':
            tell(False, 'who says nothing is cut off')
            break
    else:
        tell(True, 'who says nothing is cut off')
    for x in mute + [drip, reader]:
        x.close()


def many(s):
    """1,000 at once."""
    before = s.rss()
    began = time.monotonic()
    talk = [s.connect() for _ in range(1000)]
    for t in talk:
        t.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    good = 0
    for t in talk:
        out = b''
        while True:
            b = t.recv(65536)
            if not b:
                break
            out += b
        good += out.startswith(b'HTTP/1.1 200') and out.endswith(b'</html>\n')
        t.close()
    took = time.monotonic() - began
    tell(good == 1000, '1,000 pages at once', good)
    print('# 1,000 at once: %.1f s; %d kB before, %d kB after' %
          (took, before, s.rss()))
    tell(s.get('/healthz')[0] == 200, 'and it is well afterwards')
    # more than it takes: the oldest go, who comes now is answered
    held = []
    for _ in range(1700):
        try:
            held.append(s.connect(2))
        except OSError:
            break
    tell(s.get('/healthz')[0] == 200, '%d idle connections do not keep one '
         'out' % len(held))
    for h in held:
        h.close()


def jailed(s):
    with open('/proc/%d/status' % s.p.pid, encoding='ascii') as f:
        status = f.read()
    tell(os.geteuid() != 0 or not re.search(r'Uid:\s+0', status),
         'it is another user', status)
    tell(re.search(r'CapEff:\s+0+\n', status) and
         re.search(r'NoNewPrivs:\s+1', status), 'it has no rights', status)
    if SANITIZED:
        skip('calls are filtered', 'the sanitizers do what no program does')
        return
    tell(re.search(r'Seccomp:\s+2', status), 'calls are filtered', status)


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    top = os.getcwd()
    site = make_site(top)
    os.environ['XDG_STATE_HOME'] = top + '/state'
    now = time.time()
    for back, n in (4000, 50), (2000, 120), (0, 450):
        small.write(top + '/q', '%d boris\n' % n)
        r = small.picket('run', '--config', site, 'Queue',
                         env={'PICKET_CLOCK': '-%d' % back})
        tell(r[0] == 0, 'a run', r)
    small.picket('run', '--config', site, 'Good')
    s = Server(top + '/state/picket')
    answers(s)
    metrics(s)
    refused(s)
    jailed(s)
    sizes(s)
    many(s)
    slow(s)
    tell(s.stop() == 0, 'it ends when it is told')
    # without a store
    s = Server(top + '/nothing')
    text = ' '.join(page(s)[3].text)
    tell('All is well' in text, 'no state yet is a '
         'page', text[2900:])
    s.stop()
    for args, want in (([], 2), (['--listen', 'x:y:z', '--state', top], 1),
                       (['--listen', '0', '--state', top], 1),
                       (['--listen', '99999', '--state', top], 1),
                       (['--what', '7'], 2)):
        p = subprocess.run([HTTP] + args, capture_output=True, timeout=20)
        tell(p.returncode == want and p.stderr, 'said what is wrong: %s' %
             ' '.join(args[:2]), p.returncode, p.stderr)
    del now
    end()


main()
