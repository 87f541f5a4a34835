#!/usr/bin/env python3
"""The tables sockets and open_files: recorded ones, and those of this test on
this machine."""

import os
import random
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import tell, skip, end
from hosttable import damaged
import roots
import tables
from tables import ask

COLS = ('proto state local local_port peer uid inode queue pid comm')
HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n'


def same(what, got, want):
    tell(got == want, what, 'got  %r' % (got,), 'want %r' % (want,))


def line(local, peer, st, rx=0, uid=0, inode=0):
    return ('   0: %s %s %02X 00000000:%08X 00:00000000 00000000 %5d        0 '
            '%d 1 00000000e43095d4 100 0 0 10 0\n' %
            (local, peer, st, rx, uid, inode))


def hexed(address):
    """As the kernel of this machine writes an address."""
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    return ''.join('%08X' % int.from_bytes(raw[i:i + 4], sys.byteorder)
                   for i in range(0, len(raw), 4))


d = tables.folder('sockets')
roots.host(d)
NONE = hexed('0.0.0.0') + ':0000'
TCP = (HEAD + line(hexed('127.0.0.1') + ':0019', NONE, 10, 3, 0, 111) +
       line(hexed('10.1.2.3') + ':0016', hexed('192.0.2.9') + ':CE21', 1, 77,
            1000, 112) +
       line(hexed('10.1.2.3') + ':0016', hexed('192.0.2.8') + ':CE21', 6) +
       line(hexed('10.1.2.3') + ':0016', hexed('192.0.2.7') + ':0001', 99) +
       'junk\n   1: 0100007F:0019 nothing 0A\n'
       '   2: 0100007F:99999 00000000:0000 0A 0:0\n')
TCP6 = HEAD + line(hexed('::') + ':0050', hexed('::') + ':0000', 10, 0, 33,
                   113) + line(hexed('2001:db8::1') + ':0050',
                               hexed('::ffff:10.0.0.9') + ':1F90', 8, 1, 33,
                               114)
UDP = HEAD + line(hexed('0.0.0.0') + ':0035', NONE, 7, 213, 53, 115)
UNIX = '''\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01   201 /run/a b.sock
0000000000000000: 00000003 00000000 00000000 0001 03   202
0000000000000000: 00000002 00000000 00000000 0002 01   203 @abstract
0000000000000000: 00000002 00000000 00000000 0002 01   204 /tmp/new
line: 1 2 3
0000000000000000: 0002 00000000
'''
for name, text in ('tcp', TCP), ('tcp6', TCP6), ('udp', UDP), ('unix', UNIX):
    roots.put(d, 'proc/net/' + name, text)
roots.process(d, 50, 'late', fds={3: 'socket:[111]', 4: 'socket:[202]'})
roots.process(d, 40, 'master', fds={7: 'socket:[111]', 8: '/x', 9: 'pipe:[112]',
                                    10: 'socket:[x]', 11: 'socket:[',
                                    12: 'socket:[90000000000000000000]'})
rows = [[r[c] for c in COLS.split()] for r in ask('sockets', COLS, d)]
same('recorded sockets', rows, [
    [b'tcp', b'LISTEN', b'127.0.0.1:25', 25, None, 0, 111, 3, 40, b'master'],
    [b'tcp', b'ESTABLISHED', b'10.1.2.3:22', 22, b'192.0.2.9:52769', 1000, 112,
     77, None, None],
    [b'tcp', b'TIME_WAIT', b'10.1.2.3:22', 22, b'192.0.2.8:52769', 0, None, 0,
     None, None],
    [b'tcp', None, b'10.1.2.3:22', 22, b'192.0.2.7:1', 0, None, 0, None, None],
    [b'tcp6', b'LISTEN', b'[::]:80', 80, None, 33, 113, 0, None, None],
    [b'tcp6', b'CLOSE_WAIT', b'[2001:db8::1]:80', 80, b'[::ffff:10.0.0.9]:8080',
     33, 114, 1, None, None],
    [b'udp', b'UNCONNECTED', b'0.0.0.0:53', 53, None, 53, 115, 213, None,
     None],
    [b'unix', b'LISTEN', b'/run/a b.sock', None, None, None, 201, None, None,
     None],
    [b'unix', b'CONNECTED', None, None, None, None, 202, None, 50, b'late'],
    [b'unix', b'UNCONNECTED', b'@abstract', None, None, None, 203, None, None,
     None],
    [b'unix', b'UNCONNECTED', b'/tmp/new', None, None, None, 204, None, None,
     None]])
a = ask('sockets', 'proto', tables.folder('nonet'))
tell(a.status == 1 and '/proc/net/tcp: No such file' in a.err, 'none at all',
     a.err)
n = tables.folder('noproc')
roots.put(n, 'proc/net/udp', UDP)
same('only udp, and no processes', [r['pid'] for r in ask('sockets', COLS, n)],
     [None])
rnd = random.Random(3)
bad = []
for i in range(60):
    for name, text in ('tcp', TCP), ('tcp6', TCP6), ('unix', UNIX):
        roots.put(n, 'proc/net/' + name, damaged(text.encode(), rnd))
    a = ask('sockets', COLS, n)
    if a.status != 0 or a.err:
        bad.append((i, a.status, a.err))
same('damaged in 60 ways: none fails', bad, [])

if os.environ.get('PICKET_LONG'):
    m = tables.folder('owners')
    roots.host(m)
    roots.process(m, 5, fds={i: 'socket:[%d]' % (i + 1)
                             for i in range(262145)})
    roots.put(m, 'proc/net/tcp', HEAD + ''.join(
        line(NONE, NONE, 10, 0, 0, i + 1) for i in range(262145)))
    a = ask('sockets', 'pid', m)
    same('more sockets than processes are known of',
         (len(a), sum(r['pid'] is None for r in a), a.err),
         (262145, 1, 'WARNING: table sockets: processes of some sockets are '
          'not known: there are too many\n'))

# --- real ones ---
me = os.getpid()
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(5)
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b'twelve bytes')
waiting = socket.create_connection(listener.getsockname())
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('127.0.0.1', 0))
local = socket.socket(socket.AF_UNIX)
local.bind(os.path.join(tables.scratch.name, 'a sock'))
local.listen(1)
six = None
try:
    six = socket.socket(socket.AF_INET6)
    six.bind(('::1', 0))
    six.listen(1)
except OSError:
    six = None
rows = ask('sockets', COLS)
by_inode = {r['inode']: r for r in rows}


def one(s):
    r = by_inode[os.fstat(s.fileno()).st_ino]
    return [r[c] for c in ('proto', 'state', 'local', 'peer', 'queue', 'pid',
                           'comm')]


def shown(a):
    return None if a is None else ('%s:%d' % a[:2]).encode()


comm = open('/proc/self/comm', 'rb').read()[:-1]
same('listens, one waits', one(listener), [
    b'tcp', b'LISTEN', shown(listener.getsockname()), None, 1, me, comm])
same('12 bytes are not read', one(server), [
    b'tcp', b'ESTABLISHED', shown(server.getsockname()),
    shown(server.getpeername()), 12, me, comm])
same('udp', one(udp), [b'udp', b'UNCONNECTED', shown(udp.getsockname()), None,
                       0, me, comm])
same('unix', one(local), [b'unix', b'LISTEN', local.getsockname().encode(),
                          None, None, me, comm])
if six:
    same('tcp6', one(six)[:3], [b'tcp6', b'LISTEN',
                                b'[::1]:%d' % six.getsockname()[1]])
else:
    skip('tcp6', 'no IPv6 here')
same('whose', by_inode[os.fstat(udp.fileno()).st_ino]['uid'], os.getuid())

# --- open files ---
FILES = 'pid comm user fd path deleted size device inode'
rows = [[r[c] for c in ('fd', 'path', 'deleted', 'size', 'inode')]
        for r in ask('open_files', FILES, d) if r['pid'] == 40]
same('recorded links', sorted(rows), [
    [7, b'socket:[111]', 0, None, 111], [8, b'/x', 0, None, None],
    [9, b'pipe:[112]', 0, None, 112], [10, b'socket:[x]', 0, None, None],
    [11, b'socket:[', 0, None, None],
    [12, b'socket:[9' + b'0' * 19 + b']', 0, None, 9e19]])
roots.process(d, 60, 'x', fds={1: '/a (deleted)', 2: '/b\n\xff c',
                               3: ' (deleted)', 4: '/' + 'd' * 4000})
roots.put(d, 'proc/60/fd/5', 'no link')
roots.put(d, 'proc/60/fd/x6', 'no number')
rows = {r['fd']: (r['path'], r['deleted']) for r in ask('open_files', FILES, d)
        if r['pid'] == 60}
same('odd links', rows, {
    1: (b'/a', 1), 2: ('/b\n\xff c'.encode(), 0), 3: (b' (deleted)', 0),
    4: (b'/' + b'd' * 4000, 0), 5: (None, None)})
at = tables.scratch.name
names = {}


def make(name, size):
    path = os.path.join(at, name)
    f = open(path, 'wb')
    f.write(b'x' * size)
    f.flush()
    os.fsync(f.fileno())
    names[name] = f
    return path


make('plain', 10000)
gone = make('gone', 300000)
os.unlink(gone)
make('named (deleted)', 5000)
other = make('linked', 5000)
os.link(other, other + '2')
os.unlink(other)
os.mkdir(os.path.join(at, 'folder'))
folder = os.open(os.path.join(at, 'folder'), os.O_RDONLY)
r, w = os.pipe()
null = os.open('/dev/null', os.O_RDWR)
mine = {int(x['fd']): x for x in ask('open_files', FILES) if x['pid'] == me}
for name, path, deleted in [('plain', 'plain', 0), ('gone', 'gone', 1),
                            ('named (deleted)', 'named (deleted)', 0),
                            ('linked', 'linked', 0)]:
    st = os.fstat(names[name].fileno())
    x = mine[names[name].fileno()]
    same('open: ' + name, [x[c] for c in FILES.split()[4:]], [
        os.path.join(at, path).encode(), deleted, st.st_blocks * 512,
        st.st_dev, st.st_ino])
same('whose it is', (x['comm'], x['user']),
     (comm, subprocess.run(['id', '-un'], stdout=subprocess.PIPE)
      .stdout.strip()))
same('a folder', mine[folder]['device'], os.fstat(folder).st_dev)
same('a pipe', [mine[r][c] for c in FILES.split()[4:]], [
    b'pipe:[%d]' % os.fstat(r).st_ino, 0, None, None, os.fstat(r).st_ino])
same('a device is no file', [mine[null][c] for c in (
    'path', 'size', 'device')], [b'/dev/null', None, None])
want = {int(f) for f in os.listdir('/proc/self/fd')
        if os.path.lexists('/proc/self/fd/' + f)}
tell(want <= set(mine), 'all of them', want - set(mine))
if os.getuid() == 0:
    same('as another user: no rows', [
        x for x in ask('open_files', FILES, nobody=True)
        if x['pid'] == me], [])
    x = [x for x in ask('sockets', COLS, nobody=True)
         if x['inode'] == os.fstat(udp.fileno()).st_ino][0]
    same('as another user: sockets without processes', (x['pid'], x['comm']),
         (None, None))
else:
    skip('as another user', 'needs root')
end()
