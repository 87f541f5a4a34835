#!/usr/bin/env python3
"""The tables limits, users and interfaces: recorded ones, hostile ones, and
this machine."""

import os
import pwd
import random
import resource
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import tell, skip, end
from hosttable import damaged
import roots
import tables
from tables import ask


def same(what, got, want):
    tell(got == want, what, 'got  %r' % (got,), 'want %r' % (want,))


LIMITS = '''\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              60                   unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max open files            10                   4096                 files     
Max locked memory         65536                65536                bytes     
Max address space         2097152              unlimited            bytes     
Max data size             -5                   1e9                  bytes     
Max quux                  1                    1                    quuxes    
Max processes
Max nice priority         0                    0                    
'''
d = tables.folder('limits')
roots.host(d, passwd=[('alice', 1000)])
roots.process(d, 10, 'srv', uid=1000, limits=LIMITS, utime=250, stime=50,
              fds={i: '/dev/null' for i in range(9)},
              status='VmLck:\t 8 kB\nVmData:\t 100 kB\nVmStk:\t 132 kB\n')
roots.process(d, 11, 'nolimits')
roots.process(d, 12, 'last', limits='Max cpu time 1 2 s')
rows = ask('limits', 'pid user comm resource soft hard used', d)
same('limits and what is used', [[r[c] for c in (
    'resource', 'soft', 'hard', 'used')] for r in rows if r['pid'] == 10], [
        [b'cpu', 60, None, 3], [b'fsize', None, None, None],
        [b'stack', 8388608, None, 132 * 1024], [b'core', 0, None, None],
        [b'nofile', 10, 4096, 9], [b'memlock', 65536, 65536, 8192],
        [b'as', 2097152, None, 1 << 20], [b'data', None, None, 102400],
        [b'nice', 0, 0, None]])
same('whose', (rows[0]['user'], rows[0]['comm']), (b'alice', b'srv'))
same('a process without, and a last line without an end',
     [(r['pid'], r['soft'], r['hard']) for r in rows[9:]], [(12, 1, 2)])
k = subprocess.Popen(['sh', '-c', 'ulimit -n 77; ulimit -S -t 1000; '
                      'exec sleep 300'])
try:
    while open('/proc/%d/comm' % k.pid).read() != 'sleep\n':
        pass
    got = {r['resource']: r for r in
           ask('limits', 'pid comm resource soft hard used')
           if r['pid'] == k.pid}
    r = got[b'nofile']
    same('a real one', (r['soft'], r['hard'], r['used']),
         (77, 77, len(os.listdir('/proc/%d/fd' % k.pid))))
    same('its processor time', (got[b'cpu']['soft'], got[b'cpu']['used'] < 5),
         (1000, True))
    same('as many as the kernel has', len(got), 16)
    vm = dict(l.split(':\t', 1) for l in open('/proc/%d/status' % k.pid)
              if ':\t' in l)
    same('its address space', got[b'as']['used'],
         int(vm['VmSize'].split()[0]) * 1024)
finally:
    k.kill()
    k.wait()

# --- users ---
PASSWD = '''\
root:x:0:0:root:/root:/bin/bash
# a comment:x:1:1

alice:x:1000:1000:Alice,,,:/home/alice:/bin/sh
open::1001:1001::/:
md5:$1$abc$defghi:1002:1002::/:/bin/sh
des:abcdefghijklm:1003:1003::/:/bin/sh
none
toor:x:0:0::/root:/bin/sh
bad:x:-1:12x::/:/bin/sh:more
locked:!:1004:1004::/:/bin/sh
star:*:1005:1005::/:/bin/sh
+::::::
lost:x:1006:1006::/:/bin/sh
'''
SHADOW = '''\
root:$y$j9T$abc:19000:0:99999:7:::
alice:!$6$abc$def:19990:0:99999:7:::
toor::0:0:99999:7:::
open:$6$x$y:19999::::::
bad:$2b$10$xyz::::
'''
d = tables.folder('users')
roots.put(d, 'etc/passwd', PASSWD)
COLS = 'user uid gid gecos home shell line password aged'
rows = ask('users', COLS, d)
same('without shadow', [(r['user'], r['password'], r['line']) for r in rows], [
    (b'root', b'x', 1), (b'alice', b'x', 4), (b'open', b'empty', 5),
    (b'md5', b'old-hash', 6), (b'des', b'old-hash', 7), (b'none', None, 8),
    (b'toor', b'x', 9), (b'bad', b'x', 10), (b'locked', b'locked', 11),
    (b'star', b'locked', 12), (b'+', b'empty', 13), (b'lost', b'x', 14)])
same('no right to look, no age', {r['aged'] for r in rows}, {None})
same('a whole row', rows[1], {
    'user': b'alice', 'uid': 1000, 'gid': 1000, 'gecos': b'Alice,,,',
    'home': b'/home/alice', 'shell': b'/bin/sh', 'line': 4, 'password': b'x',
    'aged': None})
same('wrong numbers', (rows[7]['uid'], rows[7]['gid']), (None, None))
same('a line of one field', (rows[5]['uid'], rows[5]['home']), (None, None))
roots.put(d, 'etc/shadow', SHADOW)
rows = ask('users', COLS, d, options=('-n', str(20000 * 86400 + 5)))
got = {r['user']: (r['password'], r['aged']) for r in rows}
same('with shadow', got, {
    b'root': (b'hash', 1000), b'alice': (b'locked', 10),
    b'open': (b'empty', 1), b'md5': (b'old-hash', None),
    b'des': (b'old-hash', None), b'none': (None, None),
    b'toor': (b'empty', None), b'bad': (b'hash', None),
    b'locked': (b'locked', None), b'star': (b'locked', None),
    b'+': (b'empty', None), b'lost': (b'x', None)})
with open(os.path.join(d, 'etc/shadow'), 'w') as f:	# more than is read
    f.write('root::19000::::::\n')
    f.writelines('u%06d:$6$%s:19000::::::\n' % (i, 'h' * 90)
                 for i in range(40000))
    f.write('alice::19000::::::\n')
got = {r['user']: r['password'] for r in ask('users', COLS, d)}
same('a shadow longer than is read', (got[b'root'], got[b'alice']),
     (b'empty', b'x'))
rows = ask('users', 'user uid home shell line')
same('this machine', [(r['user'].decode(), r['uid'], r['home'].decode())
                      for r in rows],
     [(p.pw_name, p.pw_uid, p.pw_dir) for p in pwd.getpwall()][:len(rows)])
tell('/etc/passwd: No such file' in
     ask('users', 'user', tables.folder('empty')).err, 'no passwd')
if os.getuid() == 0:
    rows = ask('users', 'user password aged', nobody=True)
    same('as an ordinary user', {r['aged'] for r in rows}, {None})
else:
    skip('as an ordinary user', 'needs root')

# --- interfaces ---
DEV = '''\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 659776274  883107    1    2    0     0          0         0 659776275  883108    3    4    0     0       0          0
eth0:1:18446744073709551615 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
  cut0: 1 2 3
  bad0: x -1 99999999999999999999999 1 1 1 1 1 1 1 1 1
'''
d = tables.folder('dev')
roots.put(d, 'proc/net/dev', DEV)
COLS = ('interface rx_bytes rx_packets rx_errors rx_dropped tx_bytes '
        'tx_packets tx_errors tx_dropped')
rows = [[r[c] for c in COLS.split()] for r in ask('interfaces', COLS, d)]
same('interfaces', rows, [
    [b'lo', 659776274, 883107, 1, 2, 659776275, 883108, 3, 4],
    [b'eth0:1', 2.0**64, 2, 3, 4, 9, 10, 11, 12],
    [b'cut0', 1, 2, 3] + [None] * 5,
    [b'bad0', None, None, None, 1, 1, 1, 1, 1]])
same('this machine\'s', {r['interface'].decode() for r in
                         ask('interfaces', 'interface')},
     set(os.listdir('/sys/class/net')) & {l.split(':')[0].strip() for l in
                                          open('/proc/net/dev')})
tell('/proc/net/dev: No such file' in
     ask('interfaces', COLS, tables.folder('empty')).err, 'no net/dev')

rnd = random.Random(7)
d = tables.folder('damaged')
bad = []
for i in range(60):
    roots.put(d, 'etc/passwd', damaged(PASSWD.encode(), rnd))
    roots.put(d, 'etc/shadow', damaged(SHADOW.encode(), rnd))
    roots.put(d, 'proc/net/dev', damaged(DEV.encode(), rnd))
    roots.process(d, 10)
    roots.put(d, 'proc/10/limits', damaged(LIMITS.encode(), rnd))
    for name in 'stat', 'status', 'cgroup', 'statm':
        path = os.path.join(d, 'proc/10', name)
        with open(path, 'rb') as f:
            text = f.read()
        roots.put(d, 'proc/10/' + name, damaged(text, rnd))
    for table, columns in (('users', 'user uid password aged'),
                           ('interfaces', COLS),
                           ('limits', 'pid user resource soft hard used'),
                           ('processes', 'pid user comm rss swap shared tty '
                            'cgroup unit age cpu args'),
                           ('process_counts', 'user comm count pid age unit '
                            'ppid')):
        a = ask(table, columns, d)
        if a.status != 0 or a.err:
            bad.append((i, table, a.status, a.err))
same('damaged in 60 ways: none fails', bad, [])
end()
