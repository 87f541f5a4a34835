#!/usr/bin/env python3
# runner: timeout=240
"""One store for many clients: those who are many, slow, mute, of another user
or no clients at all; a store that is killed; and what it costs."""

import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import end, skip, tell			# noqa: E402
from served import (DONE, FAILED, PRINT, Served, base, ended,	# noqa: E402
                    message, receive, text)

SAN = 'PICKET_SANITIZERS' in os.environ
LONG = 'PICKET_LONG' in os.environ
ROOT = os.geteuid() == 0
NOBODY = 65534
resource.setrlimit(resource.RLIMIT_NOFILE, (
    resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def gone(s):
    """The other side has hung up."""
    try:
        while s.recv(65536):
            pass
        return True
    except socket.timeout:
        return False
    except OSError:
        return True


def pss(pid):
    with open('/proc/%d/smaps_rollup' % pid) as f:
        return int(re.search(r'^Pss: +(\d+)', f.read(), re.M).group(1))


def switches(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'^voluntary_ctxt_switches:\s*(\d+)', f.read(),
                             re.M).group(1))


# --- it is found, and used ---

v = Served('first/picket')
tell(v.rows('put', 1, 5, 10, 'durable') == 'ok\n' and
     v.rows('count', 1) == '6\n', 'a client finds it')
tell(v.rows('keep', 'new') == 'ok\n' and v.rows('kept') == 'x=new\n',
     'and what a run leaves is there for the next')
tell(os.path.exists(v.db + '-shm') and
     v.sql('SELECT count(*) FROM meta') == [(5,)],
     'another program reads the file meanwhile')
lock = subprocess.run([sys.executable, '-c', '''
import fcntl, sys
f = open(sys.argv[1], "r+")
try:
    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print("held")''', v.db + '.lock'], stdout=subprocess.PIPE).stdout
tell(lock == b'held\n', 'whose lock it holds', lock)
script = os.path.join(base, 'Count.pikt')
with open(script, 'w') as f:
    f.write('Count\n\tbegin\n\t\toutput "was #{%n}"\n'
            '\t\tset #n = #value($arg(1))\n')


def picket(v, *args):
    return subprocess.Popen(
        [os.environ['PICKET']] + list(args), cwd=base,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=dict(
            os.environ, HOME=base, XDG_STATE_HOME=os.path.dirname(v.at)))


for n in 5, 6:
    out = ended(picket(v, 'run', '--mail', 'stdout', 'Count.pikt', str(n)))
tell('was 5\n' in out, 'picket run goes through it', out)
out = ended(picket(v, 'run', '-n', '--mail', 'stdout', 'Count.pikt', '7'))
tell('was 6\n' in out and 'was 6\n' in ended(picket(
    v, 'run', '--mail', 'stdout', 'Count.pikt', '8')),
     'a dry run, too, and keeps nothing', out)
if ROOT and not SAN:
    with open('/proc/%d/status' % v.pid) as f:
        has = dict(re.findall(r'^(\w+):\s*(.*)', f.read(), re.M))
    tell(int(has['CapEff'], 16) == int(has['CapBnd'], 16) == 0 and
         has['NoNewPrivs'] == '1' and has['Seccomp'] == '2',
         'it has given up what it can', has)
tell(v.kill(signal.SIGTERM) == 0 and not os.path.exists(v.db + '-wal') and
     re.match('(picket-store: limits that could not be had: .*\n)?$',
              v.said()), 'it ends when it is told, and leaves one file',
     os.listdir(v.at), v.said())

# --- restarted, and not there ---

slow = v.begin('put', 2, 5, 10, 'durable')
time.sleep(.3)
waits = slow.poll() is None
v.start()
tell(waits and ended(slow) == 'ok\n', 'who comes while it is started again '
     'waits')
v.kill()
os.kill(os.getpid(), 0)
v.sock.close()
tell(v.rows('put', 3, 5, 10) == 'ok\n' and v.rows('count', 3) == '6\n' and
     v.rows('count', 2) == '6\n',
     'a socket that nobody listens on: each has a store of its own')
os.unlink(v.path)
tell(v.rows('put', 4, 5, 10) == 'ok\n', 'and without a socket')

long_name = '/'.join(['long' + 'x' * 60] * 4)
v = Served(long_name)
tell(len(v.path) > 200 and v.rows('put', 1, 2, 3) == 'ok\n' and
     os.path.exists(v.db + '-shm'), 'a path that is too long for a socket')
v.kill()

# a client that began with a store of its own
v = Served('later/picket', start=False)
os.rename(v.path, v.path + '.not')
script2 = os.path.join(base, 'Slow.pikt')
with open(script2, 'w') as f:
    f.write('Slow\n\tbegin\n\t\toutput "was #{%n}"\n'
            '\t\tset $x = $command("sleep 2")\n\t\tset #n = 7\n')
p = picket(v, 'run', '--mail', 'stdout', script2)
time.sleep(1)
os.rename(v.path + '.not', v.path)
v.start()
time.sleep(.5)
out = ended(p)
tell(p.returncode == 0 and v.sql("SELECT text FROM value") == [(b'7',)],
     'who began with a store of its own goes over to it', p.returncode, out)

# --- who may ---

if ROOT:
    os.chmod(v.at, 0o755)
    os.chmod(v.path, 0o666)
    s = v.rows('count', 1, user=NOBODY)
    tell('for another user' in s, 'another user is refused', s)
    s = v.begin('put', 5, 1, 1, user=NOBODY)
    tell('for another user' in ended(s) and v.rows('count', 5) == '0\n',
         'whatever it wants')
    v.kill(signal.SIGTERM)
    v.more = ['--reader', str(NOBODY)]
    v.reader = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    v.reader.bind(v.path + '.read')
    v.reader.listen(8)
    os.chmod(v.path + '.read', 0o666)
    v.start()
    tell(v.rows('put', 6, 2, 2) == 'ok\n' and
         v.rows('count', 6, user=NOBODY) == '3\n', 'a reader may ask')
    s = v.rows('put', 7, 1, 1, user=NOBODY)
    tell(s.startswith('unknown: ') and v.rows('count', 7) == '0\n',
         'and not write', s)
    s = v.rows('count', 6, ROWS_SOCKET=v.path + '.read')
    t = v.rows('put', 8, 1, 1, ROWS_SOCKET=v.path + '.read')
    tell(s == '3\n' and t.startswith('unknown: ') and
         v.rows('count', 8) == '0\n', 'at the readers\' socket nobody writes',
         s, t)
    many = [v.greet(path=v.path + '.read') for _ in range(33)]
    tell([k[0] for _, k in many] == [DONE] * 32 + [FAILED] and
         v.rows('count', 6) == '3\n', 'so many readers and no more')
    for s, _ in many:
        s.close()
    # a socket of somebody else's in our folder is none
    w = Served('theirs', start=False)
    os.unlink(w.path)
    os.chmod(w.at, 0o777)
    other = subprocess.Popen([sys.executable, '-c', '''
import os, socket, sys
os.setuid(%d)
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1]); s.listen(8); print("on", flush=True)
s.accept()[0].recv(1); print("talked", flush=True)
sys.stdin.read()''' % NOBODY, w.path], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE)
    other.stdout.readline()
    tell(w.rows('put', 1, 1, 1) == 'ok\n' and w.rows('count', 1) == '2\n',
         'a socket of another user is not talked to')
    other.stdin.close()
    other.kill()
    other.wait()
else:
    skip('other users', 'needs root')
s, got = v.greet(read_only=True)
s.sendall(message(8, text('id') + b'\1'))
tell(got[0] == DONE and gone(s), 'who said that it only asks may not commit')
s = v.connect()
s.sendall(message(1, struct.pack('<II', 3, PRINT + 1)))
got = receive(s)
tell(got and got[0] == FAILED and b'another build' in got[1] and gone(s),
     'a client of another build is told', got)
v.kill(signal.SIGTERM)

# --- those who are no clients ---

v = Served('garbage')
v.rows('fill', 3000)
rng = random.Random(7)
hello = message(1, struct.pack('<II', 3, PRINT) + text(v.db) + b'\0')
bad = [b'GET / HTTP/1.0\r\n\r\n', b'\0' * 100, b'\xff' * 100,
       struct.pack('<I', 0), struct.pack('<I', 1 << 31),
       message(8, text('x') + b'\0'), message(1), hello + hello,
       hello + message(99), hello + message(5, struct.pack('<I', 9999)),
       hello + message(7, struct.pack('<I', 9999)),
       hello + message(6, b'junk'), hello + message(9), hello + message(11),
       hello + message(13), hello + message(13, b'\0' * 15),
       message(1, struct.pack('<II', 3, PRINT) + text('a\0b') + b'\0')]
left = [k for k, b in enumerate(bad) for s in [v.connect()]
        if s.sendall(b) or s.shutdown(socket.SHUT_WR) or not gone(s)]
tell(not left and v.rows('count', 1) == '0\n', 'what is no message ends the '
     'talk, and harms nobody', left)
# what comes byte by byte, and much at once
s = v.connect()
for byte in hello + message(4, text('a') + text('s')):
    s.sendall(bytes([byte]))
a = [receive(s), receive(s)]
s.sendall(message(4, text('a') + text('s')) * 1000)
b = [receive(s) for _ in range(1000)]
tell([k[0] for k in a] == [DONE] * 2 and len(b) == 1000 and
     set(b) == {(DONE, b'\0' * 8)}, 'bytes one by one, and a thousand '
     'questions at once')
s.sendall(message(6, b'')[:3])
s.close()
for k in range(300 if LONG else 60):
    s = v.connect()
    junk = bytearray(hello + message(7, rng.randbytes(80)) +
                     message(6, rng.randbytes(80)) +
                     message(8, text('j%d' % k) + b'\0'))
    for _ in range(rng.randrange(1, 12)):
        junk[rng.randrange(len(hello), len(junk))] = rng.randrange(256)
    s.sendall(junk)
    s.close()
tell(v.rows('put', 1, 2, 3) == 'ok\n' and
     v.rows('incidents') == '3000\n' and
     v.sql('PRAGMA integrity_check') == [('ok',)], 'random bytes do not')
quiet = [v.connect() for _ in range(100)]	# no word
half = [v.connect() for _ in range(100)]
for s in half:
    s.sendall((hello + message(7, b'x' * 4000))[:rng.randrange(1, 4000)])
deaf = [v.greet()[0] for _ in range(20)]
query = [i for i, t in enumerate(re.findall(r'^Q\((\w+),', open(
    os.path.join(os.environ['SRCDIR'], 'engine/state/query.def')).read(),
    re.M)) if t == 'INCIDENT_ALL'][0]
for s in deaf:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.sendall(message(5, struct.pack('<I', query)) * 50)
start = time.monotonic()
ok = all(v.rows('put', n, 2, 3, 'durable') == 'ok\n' for n in range(2, 12))
took = time.monotonic() - start
tell(ok and took < (30 if SAN else 5), 'beside 220 who are mute, stop in mid-'
     'message or do not read, ten commits', took)
start = time.monotonic()
shut = all(gone(s) for s in quiet)
tell(shut and time.monotonic() - start < 15, 'who says nothing is sent away')
v.rows('count', 1)
tell('picket-store: a client of user' in v.said() and
     len(v.said().split('\n')) < 10, 'one line says it, not a thousand',
     v.said())
held = pss(v.pid)
for s in quiet + half + deaf:
    s.close()
time.sleep(.3)
v.rows('count', 1)
tell(SAN or pss(v.pid) < 12000, 'and what they took is given back',
     held, pss(v.pid))
# one that sends more than its share
s = v.greet()[0]
s.settimeout(60)
big = message(7, b'')
try:
    for k in range(80):
        s.sendall(message(6, text('a') + text('s') + b'\1' + b'\0' * 24 +
                          text('') + b'\1' + struct.pack('<I', 0xffffffff) +
                          b'\0' + text('n') + struct.pack('<I', 0xffffffff) +
                          text(b'x' * (1 << 20))))
    over = gone(s)
except OSError:
    over = True
tell(over and v.rows('put', 20, 1, 1) == 'ok\n', 'a batch has its limit')

# --- nobody there: it sleeps ---

s.close()
time.sleep(6)
before = switches(v.pid)
time.sleep(3)
tell(switches(v.pid) == before, 'it sleeps while nobody asks',
     switches(v.pid) - before)
size = os.path.getsize(v.db)
tell(v.sql('SELECT count(*) FROM incident') == [(3000,)] and size > 1e6,
     'and has written its journal back', size)

# --- who sleeps until there is mail ---

w = v.begin('watch', 3)
got = [w.stdout.readline()]
time.sleep(.2)
con = v.rows('put', 30, 1, 1)		# no mail
s, _ = v.greet()
names = re.findall(r'^Q\((\w+),', open(os.path.join(
    os.environ['SRCDIR'], 'engine/state/query.def')).read(), re.M)
none = struct.pack('<I', 0xffffffff)
number = struct.pack('<d', 1)
s.sendall(message(7, struct.pack('<I', names.index('NOTICE_ADD')) +
                  text('n1') + text('r') + text('a') + number * 2 +
                  text('s') * 5) + message(8, text('n1') + b'\1'))
tell(receive(s)[0] == DONE, 'a notice is kept')
got += ended(w).splitlines(True)
tell(got == [b'news\n', 'news\n', 'nothing\n', 'asked\n'],
     'who watches is told of mail, and of nothing else', got)
s.close()
v.kill(signal.SIGTERM)
v.sock.close()
tell(v.rows('watch', 1).startswith('failed: there is no picketd'),
     'a store of one\'s own cannot')

# --- many ---

v = Served('many')
out = v.rows('crowd', 200, 10 if SAN else 50, 'durable')
n = 200 * (10 if SAN else 50)
tell(out.startswith('ok') and v.sql('SELECT count(*), count(DISTINCT due || '
     'alert) FROM run') == [(n, n)] and
     v.sql('SELECT count(*) FROM meta') == [(n,)] and
     v.sql('SELECT sum(runs), count(*) FROM owner') == [(n, 200)],
     '200 clients at once: all that they left is there', out)
print('# %d durable commits of 200 clients in %s s' % (n, out[3:].strip()))
if not SAN:
    for clients in 1, 50:
        for kind in (), ('durable',):
            t = float(v.rows('crowd', clients, 4000 // clients,
                             *kind).split()[1])
            print('# %d client%s, %s: %.0f commits a second' % (
                clients, 's' if clients > 1 else '', kind[0] if kind else
                'not durable', 4000 // clients * clients / t))
    t = float(v.rows('short', 1000).split()[1])
    tell(t < .005, 'short connections: many times the 167 a second of 10,000 '
         'alerts', t)
    print('# a connection with three questions and a commit: %.0f a second'
          % (1 / t))
    tell(pss(v.pid) < 12000, 'it stays small', pss(v.pid))
    print('# PSS %d KB' % pss(v.pid))
wal = os.path.getsize(v.db + '-wal')
tell(wal < 16 << 20, 'and its journal', wal)
v.kill(signal.SIGTERM)

# commits that come together go together: fewer waits for the disk
if not SAN and subprocess.run(['strace', '-o', '/dev/null', 'true'],
                              stderr=subprocess.DEVNULL).returncode == 0:
    trace = os.path.join(base, 'trace')
    v = Served('group', before=[
        'strace', '-f', '-e', 'trace=fsync,fdatasync', '-e',
        'inject=fsync,fdatasync:delay_enter=20000', '-o', trace])
    v.rows('put', 1, 1, 1)
    before = open(trace).read().count('sync(')
    out = v.rows('crowd', 50, 10, 'durable')
    synced = open(trace).read().count('sync(') - before
    tell(out.startswith('ok') and synced < 100 and
         v.sql('SELECT count(*) FROM run') == [(500,)],
         '500 durable commits of 50 clients: so many waits for the disk',
         synced, out)
    before = open(trace).read().count('sync(')
    v.rows('crowd', 50, 10)
    none = open(trace).read().count('sync(') - before
    tell(none < 5, 'and those that need not be on it wait for none', none)
    # one that cannot be done spoils no other's
    rest = v.begin('crowd', 50, 20, 'durable')
    wrong = []
    for k in range(10):
        s, _ = v.greet()
        s.sendall(message(7, struct.pack('<I', names.index('OUTBOX_ADD')) +
                          text('k') + struct.pack('<I', 0xffffffff) * 1 +
                          text('w') * 4 + number * 5) +
                  message(8, text('wrong%d' % k) + b'\1'))
        wrong.append((receive(s) or (None,))[0])
        s.close()
    tell(ended(rest).startswith('ok') and wrong == [FAILED] * 10 and
         v.sql('SELECT count(*) FROM outbox') == [(0,)],
         'one that cannot be done is undone alone', wrong)
    subprocess.run(['pkill', '-TERM', '-P', str(v.pid)])
    v.wait()
else:
    skip('groups', 'needs strace, and a store without sanitizers')

# --- killed in the midst of it ---

v = Served('killed')
rounds = 20 if SAN else 100 if LONG else 25
lost, told = [], 0
for k in range(rounds):
    if k > 0:
        v.kill(signal.SIGTERM)
        for name in os.listdir(v.at):
            if name.startswith('state.db'):
                os.unlink(os.path.join(v.at, name))
        v.start()
    p = v.begin('crowd', 8, 12, *(['durable'] if k % 2 else []))
    for _ in range(2):
        time.sleep(rng.uniform(.001, .03))
        v.kill()
        v.start()
    out = ended(p)
    # who met both may say that it does not know
    said = not out.startswith('ok')
    told += said
    n = v.sql('SELECT count(*), count(DISTINCT alert || due), (SELECT count(*) '
              'FROM meta), (SELECT total(runs) FROM owner) FROM run')[0]
    if len(set(n)) != 1 or (n[0] != 96 and not said) or \
            v.sql('PRAGMA integrity_check') != [('ok',)]:
        lost.append((k, out, n))
tell(not lost, 'killed %d times in mid-commit: nothing lost, nothing twice' %
     (2 * rounds), *lost[:5])
tell(told <= rounds // 4, 'and hardly anyone had to be told of it', told)
v.kill(signal.SIGTERM)

# --- damage, and disks ---

v = Served('damaged')
v.rows('put', 1, 5, 10)
v.rows('fill', 3000)
v.kill(signal.SIGTERM)
with open(v.db, 'r+b') as f:
    f.seek(4096)
    f.write(b'\xa5' * (os.path.getsize(v.db) - 4096))
v.start()
out = v.rows('incidents') + v.rows('put', 2, 5, 10)
tell('kept as' in out and out.endswith('ok\n') and
     [n for n in os.listdir(v.at) if '.corrupt.' in n] and
     v.rows('count', 2) == '6\n', 'a damaged file is set aside', out)
os.rename(v.db, v.db + '.away')
out = v.rows('put', 3, 5, 10)
tell('was moved or replaced' in out and out.endswith('ok\n') and
     v.rows('count', 3) == '6\n' and v.rows('count', 2) == '0\n',
     'a file that is moved away is not written to', out)
v.kill(signal.SIGTERM)

if subprocess.run(['unshare', '-m', 'true'],
                  stderr=subprocess.DEVNULL).returncode == 0:
    v = Served('full', start=False)
    v.before = ['unshare', '-m', 'sh', '-c', '''
        mount -t tmpfs -o size=2000k tmpfs "$0"/d && exec "$@"''', v.at]
    os.mkdir(v.at + '/d')
    v.db = v.at + '/d/state.db'
    v.start()
    env = {'ROWS_SOCKET': v.path}
    a = v.rows('put', 1, 5, 10, **env)
    b = [v.rows('put', n, 10, 200000, 'durable', **env) for n in (2, 3)]
    c = v.rows('put', 4, 1, 10, **env)
    tell(a == 'ok\n' and 'the disk is full: nothing was changed' in b[1] and
         v.rows('count', 1, **env) == '6\n', 'a full disk is told, and what '
         'is there is read', a, b, c)
    inside = '/proc/%d/root%s' % (v.pid, v.at + '/d')
    crowd = v.rows('crowd', 20, 3, **env)
    n = v.rows('count', 1, **env)
    tell(n == '6\n', 'by all', n, crowd[-300:])
    v.kill(signal.SIGTERM)
    # what can only be read
    v = Served('readonly', start=False)
    os.mkdir(v.at + '/d')
    v.db = v.at + '/d/state.db'
    v.start()
    v.rows('put', 1, 5, 10, ROWS_SOCKET=v.path)
    v.kill(signal.SIGTERM)
    v.before = ['unshare', '-m', 'sh', '-c', '''
        mount --bind "$0"/d "$0"/d && mount -o remount,bind,ro "$0"/d &&
        exec "$@"''', v.at]
    v.start()
    got = [v.rows('count', 1, **{'ROWS_SOCKET': v.path}) for _ in range(3)]
    out = v.rows('put', 2, 5, 10, ROWS_SOCKET=v.path)
    tell(got == ['6\n'] * 3 and out.startswith('failed: ') and
         'read-only' in out.lower(), 'where nothing can be written, it is '
         'told, and what is there is read', got, out, v.said())
    v.kill(signal.SIGTERM)
else:
    skip('full disks', 'needs a mount namespace (unshare -m)')
subprocess.run(['rm', '-rf', base])
end()
