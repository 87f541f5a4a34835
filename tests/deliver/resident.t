#!/usr/bin/python3
# runner: timeout=120
"""picket-deliver --serve by itself, over its socket: what it is given it can
use, what it is not given it cannot open; certificates, secrets, addresses that
are kept for when no name is resolved any more; what ends it."""

import os
import signal
import socket
import struct
import subprocess
import time

from delivery import (DELIVER, TMP, Relay, certificate, field, job,
                      need_aiosmtpd, server_tls, to_bytes)
from tap import end, skip, tell

need_aiosmtpd()
ROOT = os.geteuid() == 0
SAN = 'PICKET_SANITIZERS' in os.environ
PIDS = '/sys/fs/cgroup/pids'
HOST = 'relay.picket.test'


def with_files(bytes_, **files):
    """A job with what the courier has read: path -> contents."""
    more = b''.join(field('file', path.encode() + b'\0' + to_bytes(text))
                    for path, text in files.items())
    return bytes_.replace(field('end', b''), more + field('end', b''))


class Resident:
    def __init__(self, before=(), cgroup=None):
        self.sock, theirs = socket.socketpair()
        self.err = open(os.path.join(TMP, 'resident.err'), 'wb+')
        self.p = subprocess.Popen(
            list(before) + [DELIVER, '--serve'] + (['nobody'] if ROOT else []),
            stdin=theirs, stdout=theirs, stderr=self.err,
            preexec_fn=cgroup and (lambda: open(
                cgroup + '/cgroup.procs', 'w').write(str(os.getpid()))))
        theirs.close()
        self.got = b''
        self.first = self.line()

    def line(self, seconds=40):
        self.sock.settimeout(seconds)
        while b'\n' not in self.got:
            try:
                more = self.sock.recv(65536)
            except (socket.timeout, OSError):
                return None
            if not more:
                return None
            self.got += more
        line, self.got = self.got.split(b'\n', 1)
        return line.decode()

    def put(self, message):
        try:
            self.sock.sendall(struct.pack('=I', len(message)) + message)
        except OSError:
            pass

    def job(self, message):
        """Its report, and how it ended; or None: it has gone."""
        self.put(message)
        lines = []
        while True:
            line = self.line()
            if line is None:
                return lines, None
            if line.startswith('end '):
                return lines, int(line[4:])
            lines.append(line)

    def hosts(self, *servers):
        self.put(b'picket-hosts 1\n' + b''.join(
            b'%s %d\n' % (h.encode(), p) for h, p in servers))

    def rollup(self, what):
        with open('/proc/%d/smaps_rollup' % self.p.pid) as f:
            return next(int(x.split()[1]) for x in f
                        if x.startswith(what + ':'))

    def stop(self):
        self.sock.close()
        try:
            return self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            return None


def plain(relay, host='localhost'):
    return 'smtp %s:%d plain timeout 5s' % (host, relay.port)


# --- one after the other ---
with Relay() as relay:
    r = Resident()
    tell(r.first is not None and r.first.startswith('ready '), 'it is ready',
         r.first)
    print('# the jail here lacks: %s' % (r.first or '')[6:])
    lacks = r.first or ''
    for i in range(3):
        got = r.job(job([plain(relay)]))
        tell(got[1] == 0 and got[0][0].startswith('ok smtp:localhost:'),
             'job %d' % i, got)
    tell(len(relay.mails) == 3, 'each went once', len(relay.mails))
    before = r.rollup('Pss')
    big = b'Subject: big\n\n' + b'x' * 900 * 20000 + b'\n'
    big = b'\n'.join(big[i:i + 900] for i in range(0, len(big), 900))
    got = r.job(job(['null ok'], message=big))
    tell(got[1] == 0, 'a mail of 18 MB', got)
    after = r.rollup('Pss')
    tell(SAN or after < before + 2000, 'and its memory is given back (PSS, kB)',
         before, after)
    got = r.job(job(['null fail', plain(relay)], to=['a@b.example', 'c@d.example']))
    tell(got[1] == 0 and len(relay.mails) == 4, 'one after another way', got)
    got = r.job(b'picket-job 1\nhost 3\nabc\n')
    tell(got[1] == 65, 'a job that is none is told of, and it goes on', got)
    for way in 'sendmail /bin/true', 'mailcmd "true"', 'file /tmp/x', \
            'wall', 'journal', 'syslog':
        got = r.job(job([way]))
        tell(got[1] == 75 and 'not for the one that stays' in got[0][0],
             'not for it: ' + way, got)
    tell(r.stop() == 0, 'it goes when the courier goes')
    r = Resident()
    r.sock.sendall(b'\xff' * 8)
    tell(r.line() is None and r.p.wait(10) == 0,
         'a message beyond all limits: it goes')

# --- secrets and certificates ---
cert, key = certificate('resident')
secret = os.path.join(TMP, 'resident.pw')
with open(secret, 'w') as f:
    f.write('s3cret\n')
os.chmod(secret, 0o600)
with Relay(starttls=server_tls(cert, key),
           users={b'picket': b's3cret'}) as relay:
    way = 'smtp localhost:%d starttls user picket passfile %s ca %s timeout ' \
        '5s' % (relay.port, secret, cert)
    r = Resident()
    got = r.job(job([way]))
    if ROOT:
        tell(got[1] == 75 and 'Permission denied' in got[0][0],
             "root's secret it cannot open", got)
    with open(cert) as f:
        pem = f.read()
    got = r.job(with_files(job([way]), **{secret: 's3cret', cert: pem}))
    tell(got[1] == 0 and len(relay.mails) == 1 and relay.mails[0].tls and
         relay.mails[0].user is not None,
         'one that came with the job it uses, to log in over TLS', got)
    other = open(certificate('other')[0]).read()
    got = r.job(with_files(job([way]), **{secret: 's3cret', cert: other}))
    tell(got[1] == 75 and len(relay.mails) == 1 and 'certificate' in
         ' '.join(got[0]), 'a certificate that another one signed is refused',
         got)
    got = r.job(with_files(job(['smtp localhost:%d starttls user picket '
                                'passfile %s timeout 5s' % (relay.port,
                                                            secret)]),
                           **{secret: 's3cret'}))
    tell(got[1] == 75 and 'certificate' in ' '.join(got[0]),
         "and one that the system's do not know", got)
    got = r.job(with_files(job([way]), **{secret: 'wrong', cert: pem}))
    tell(got[1] == 75 and 'wrong' not in ' '.join(got[0]),
         'a wrong password is no secret told', got)
    refused = b''.join([field('nofile', secret.encode() + b'\0' +
                              b'it is readable by all')])
    got = r.job(job([way]).replace(field('end', b''),
                                   refused + field('end', b'')))
    tell(got[1] == 75 and 'it is readable by all' in got[0][0],
         'why the courier could not read one is the reason', got)
    r.stop()

# --- names, when no thread can be had ---
named = []
if ROOT:
    hosts = os.path.join(TMP, 'hosts')
    with open(hosts, 'w') as f:
        f.write('127.0.0.1 localhost %s\n' % HOST)
    os.chmod(hosts, 0o644)
    named = ['unshare', '-m', '--propagation', 'private', 'sh', '-c',
             'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    if subprocess.run(named + ['true'], capture_output=True).returncode:
        named = []
group = os.path.join(PIDS, 'picket-test-%d' % os.getpid())
try:
    os.mkdir(group)
except OSError:
    group = None
if not named or not group:
    skip('mail at the limit of processes', 'needs root and a cgroup of pids')
else:
    def limit(n):
        with open(group + '/pids.max', 'w') as f:
            f.write(str(n))

    def current():
        with open(group + '/pids.current') as f:
            return int(f.read())

    try:
        with Relay() as relay:
            r = Resident(named, group)
            limit(current())
            got = r.job(job([plain(relay, HOST)]))
            tell(got[1] == 75 and not relay.mails, 'at the limit of '
                 'processes, with no address kept: it has to wait', got)
            limit('max')
            r.hosts((HOST, relay.port))
            end_at = time.monotonic() + 10
            while current() > 1 and time.monotonic() < end_at:
                time.sleep(0.05)
            time.sleep(0.3)
            for i in range(20):
                limit(1)
                got = r.job(job([plain(relay, HOST)]))
                if got[1] != 0 or len(relay.mails) != i + 1:
                    break
                # asked anew, in vain: what is kept stays
                r.hosts((HOST, relay.port))
            tell(i == 19 and got[1] == 0, 'with one that was kept while all '
                 'was well it goes, 20 times', i, got)
            with open(group + '/pids.events') as f:
                events = f.read()
            tell(int(events.split()[1]) >= 20, 'and the limit was met',
                 events)
            limit('max')
            r.stop()
    finally:
        for _ in range(50):
            try:
                os.rmdir(group)
                break
            except OSError:
                time.sleep(0.1)

# --- what is forbidden ends it, and is seen ---
r = Resident()
os.kill(r.p.pid, signal.SIGKILL)
tell(r.job(job(['null ok']))[1] is None, 'a killed one says nothing more')
r.stop()
end()
