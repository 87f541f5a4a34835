"""A web server that does as it is told, and writes down what came."""

import json
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import TMP, field, to_bytes		# noqa: E402


class Request:
    def __init__(self, line, headers, body):
        self.line, self.headers, self.body = line, headers, body
        self.method, self.path = line.split(' ')[:2]

    @property
    def json(self):
        return json.loads(self.body.decode('utf-8'))

    def __repr__(self):
        return '%s %r %r' % (self.line, self.headers, self.body[:500])


class Web:
    """answers: one for each request, the last for all further ones; each is
    (status, body), (status, body, headers), raw bytes, STALL, DROP, FLOOD or
    DRIP, or a function of the request that gives one of these."""
    STALL, DROP, FLOOD, DRIP = object(), object(), object(), object()

    def __init__(self, *answers, tls=None):
        self.answers = list(answers) or [(200, '')]
        self.tls, self.got, self.connections = tls, [], 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.sock = socket.socket()
        self.sock.bind(('127.0.0.1', 0))
        self.sock.listen(16)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return '%s://127.0.0.1:%d' % ('https' if self.tls else 'http',
                                      self.port)

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
            self.connections += 1
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        try:
            if self.tls:
                c = self.tls.wrap_socket(c, server_side=True)
            with c:
                self.serve(c, c.makefile('rb'))
        except OSError:
            pass

    def serve(self, c, f):
        line = f.readline().decode('latin-1').rstrip('\r\n')
        if not line:
            return
        headers = {}
        while True:
            h = f.readline().decode('latin-1').rstrip('\r\n')
            if not h:
                break
            name, _, value = h.partition(':')
            assert name.lower() not in headers, 'twice: ' + h
            headers[name.lower()] = value.strip()
        body = f.read(int(headers.get('content-length', 0)))
        request = Request(line, headers, body)
        with self.lock:
            n = len(self.got)
            self.got.append(request)
        what = self.answers[min(n, len(self.answers) - 1)]
        if callable(what):
            what = what(request)
        self.answer(c, what)

    def answer(self, c, what):
        if what is self.STALL:
            self.ended.wait(120)
        elif what is self.DROP:
            return
        elif what is self.FLOOD:
            c.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            while not self.ended.is_set():
                c.sendall(b'x' * 65536)
        elif what is self.DRIP:
            c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n')
            while not self.ended.wait(0.4):
                c.sendall(b'X')
        elif isinstance(what, bytes):
            c.sendall(what)
        else:
            status, body = what[0], to_bytes(what[1])
            head = 'HTTP/1.1 %d Text\r\nContent-Length: %d\r\n' % (
                status, len(body))
            for name, value in (what[2] if len(what) > 2 else {}).items():
                head += '%s: %s\r\n' % (name, value)
            c.sendall(head.encode() + b'\r\n' + body)


def secret(name, text, mode=0o600):
    path = os.path.join(TMP, name)
    with open(path, 'wb') as f:
        f.write(to_bytes(text))
    os.chmod(path, mode)
    return path


def change(**more):
    c = dict(what='firing', says='firing', key='mxqueue:moscow',
             id='3fa2b1c9', script='MXQueue', level='critical',
             message='MX moscow has many queued messages: 5210',
             evidence='#queued >= 5000 (#queued = 5210)', place='mx.pikt:14',
             done='exec wait: /usr/sbin/postqueue -f', since=956639700,
             fired=956639760, ended=0, remind=3600, who='', why='',
             thread='run-1.1@moscow')
    c.update(more)
    return c


def script(**more):
    s = dict(script='ProcNumChk', level='urgent', task='Count processes.',
             lines='404 groucho imapd\nkilled them', error='')
    s.update(more)
    return s


def notice(changes=(), scripts=(), **more):
    n = dict(id='run-1.1@moscow', run='run-1', host='moscow', alert='Urgent',
             level='critical', time=956639822,
             subject='PIKT Alert on moscow: Urgent', text='the mail',
             scripts=list(scripts), changes=list(changes))
    n.update(more)
    return n


def web_job(transports, said=None, body=b'body\n', message=b'Subject: t\n\n'
            b'body\n', run='run-1', host='test.example.org'):
    """A job with a notice: bytes, or what becomes JSON."""
    if isinstance(transports, str):
        transports = [transports]
    if said is not None and not isinstance(said, bytes):
        said = json.dumps(said).encode()
    return (b'picket-job 1\n' + field('host', host) + field('run', run) +
            field('path', '/usr/bin:/bin') +
            field('from', 'picket@example.org') +
            b''.join(field('transport', x) for x in transports) +
            field('message', message) + field('body', body) +
            (field('notice', said) if said is not None else b'') +
            field('end', b''))
