#!/usr/bin/env python3
# runner: timeout=120
"""filesystems, files and cgroups: the machine's own beside what other tools
say of it, recorded ones, a filesystem whose server is dead, odd names.
"""

import ctypes
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time

from hosttable import Root, damaged, number, rows
from tap import end, skip, tell

ROOTS = os.path.join(os.environ['SRCDIR'], 'tests/table/roots')
ROOT = os.geteuid() == 0
libc = ctypes.CDLL(None, use_errno=True)


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True).stdout


# What df shows.
got = rows('filesystems')
df = [line.split(None, 5) for line in
      run('df', '-P', '-B1').split('\n')[1:] if line]
mine = {f['mount']: f for f in got.rows}
tell(got.status == 0 and {d[5] for d in df} == set(mine),
     'df shows the same filesystems', got, df)
same = [d for d in df if d[5] in mine and
        mine[d[5]]['device'] == d[0] and mine[d[5]]['size'] == d[1] and
        abs(number(mine[d[5]]['used']) - int(d[2])) < 64 << 20 and
        abs(number(mine[d[5]]['share'] or 0) * 100 - int(d[4][:-1])) < 1.1]
tell(len(same) == len(df), 'with the same sizes', got, df)
v = os.statvfs('/')
tell(mine['/']['files'] == str(v.f_files) and
     mine['/']['readonly'] == str(v.f_flag & 1), 'and files', got)

got = rows('filesystems', root=os.path.join(ROOTS, 'mounts'))
by = {f['mount']: f for f in got.rows}
tell([f['mount'] for f in got.rows] ==
     ['/', '/data', '/mnt/two words', '/mnt/a\\nb\\c', '/home', '/tmp',
      '/mnt/empty'],
     'each device once; none without blocks; no autofs', got)
tell(by['/']['size'] == '20971520000' and by['/']['used'] == '15728640000' and
     by['/']['avail'] == '4194304000' and
     abs(number(by['/']['share']) - 3840000 / 4864000) < 1e-12 and
     by['/']['files_used'] == '310720', 'sizes', got)
tell(by['/data']['readonly'] == '1' and by['/']['readonly'] == '0',
     'read-only', got)
tell(by['/mnt/two words']['files'] is None and
     by['/mnt/two words']['share'] == '1', 'full, and without inodes', got)
tell(by['/home']['size'] is None and by['/home']['share'] is None,
     'one that does not answer has NIL', got)


# A server that is dead: a FUSE filesystem whose daemon takes the question and
# does not answer, which not even KILL ends; in a mount namespace of its own.
def dead():
    signal.alarm(40)
    CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
    if libc.unshare(CLONE_NEWNS) or \
            libc.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None):
        return 'unshare: ' + os.strerror(ctypes.get_errno())
    with Root(**{'fs/x': '', 'positions/x': ''}) as r:
        fs = os.path.join(r.path, 'fs')
        fuse = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
        if libc.mount(b'dead', fs.encode(), b'fuse.dead', 0, b'fd=%d,'
                      b'rootmode=40000,user_id=0,group_id=0' % fuse):
            return 'mount: ' + os.strerror(ctypes.get_errno())
        request = os.read(fuse, 1 << 20)
        unique = struct.unpack_from('<Q', request, 8)[0]
        reply = struct.pack('<IIIIHHIIHHI28x', 7, 31, 0, 0, 0, 0, 65536, 1,
                            32, 0, 0)
        os.write(fuse, struct.pack('<IiQ', 16 + len(reply), 0, unique) + reply)
        positions = os.path.join(r.path, 'positions')
        start = time.monotonic()
        first = subprocess.Popen([sys.executable, '-c', '''
import sys; sys.path[:0] = %r
from hosttable import rows
got = rows('filesystems', positions=%r)
print([(f['mount'], f['size']) for f in got.rows]); print(got.err)
''' % (sys.path, positions)], stdout=subprocess.PIPE, text=True)
        os.read(fuse, 1 << 20)		# STATFS: the question, for ever
        out = first.communicate()[0]
        took = time.monotonic() - start
        tell("('%s', None)" % fs in out and "('/', '" in out and
             'did not answer in 2 s' in out, 'a dead server: NIL', out)
        tell(2 <= took < 6, 'in 2 s', took)
        tell('cannot be ended' in out, 'its process is told of', out)
        start = time.monotonic()
        got = rows('filesystems', positions=positions)
        tell(time.monotonic() - start < 1 and
             'does not answer since process' in got.err and
             {f['mount']: f['size'] for f in got.rows}.get(fs, 0) is None,
             'it is not asked again', got)
        os.close(fuse)			# the daemon dies, and all that waits
        time.sleep(0.2)
        got = rows('filesystems', positions=positions)
        tell('does not answer since' not in got.err and
             'not connected' in got.err.lower(), 'until that has ended', got)
        libc.umount2(fs.encode(), 2)
    return None


def in_child(f):
    """Runs a test in a process of its own and takes over its results."""
    sys.stdout.flush()
    import tap
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        why = f()
        os.write(write, repr((tap.number, tap.failed, why)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as f:
        told = f.read()
    os.waitpid(pid, 0)
    if not told:
        return 'the test itself failed'
    tap.number, tap.failed, why = eval(told)
    return why


if ROOT and os.path.exists('/dev/fuse'):
    why = in_child(dead)
    tell(why is None or 'not permitted' in why, 'the dead server was made', why)
else:
    skip('a dead server', 'root and /dev/fuse are needed')

# files.
with Root(**{'d/plain': 'x' * 1234, 'd/sub/in': '1', 'd/sub/deep/er': '22',
             'd/new\nline': '', 'd/\xfc"$(id)': ''}) as r:
    d = r.path + '/d'
    os.symlink('/etc', d + '/link')
    os.symlink('..', d + '/sub/up')
    os.mkfifo(d + '/pipe')
    s = socket.socket(socket.AF_UNIX)
    s.bind(d + '/socket')
    os.chmod(d + '/plain', 0o4751)
    os.utime(d + '/plain', (1000000000, 1000000000.5))
    os.link(d + '/plain', d + '/again')
    got = rows('files', d)
    by = {f['name']: f for f in got.rows}
    tell({n: f['type'] for n, f in by.items()} ==
         {'plain': 'file', 'again': 'file', 'sub': 'directory', 'link': 'link',
          'pipe': 'pipe', 'socket': 'socket', 'new\\nline': 'file',
          '\xfc"$(id)': 'file'}, 'one folder, all kinds, odd names', got)
    st = os.stat(d + '/plain')
    p = by['plain']
    tell(p['path'] == d + '/plain' and p['size'] == '1234' and
         p['mode'] == str(0o4751) and p['mtime'] == '1000000000.5' and
         p['links'] == '2' and p['inode'] == str(st.st_ino) and
         p['uid'] == str(st.st_uid) and
         p['owner'] == run('id', '-un').strip(), 'a file', p)
    tell(rows('files', d, limited=True).rows[0]['owner'] == str(st.st_uid),
         'the number of an owner whose name cannot be asked')
    if ROOT:
        os.chown(d + '/pipe', 3999999, 3999998)
        row = [f for f in rows('files', d).rows if f['name'] == 'pipe'][0]
        tell((row['owner'], row['group']) == ('3999999', '3999998'),
             'and of one who has none', row)
    two = {f['path'] for f in rows('files', d + '//', 2).rows}
    tell(d + '/sub/in' in two and d + '/sub/deep' in two and
         d + '/sub/deep/er' not in two and
         not any('link/' in p or 'up/' in p for p in two),
         'two deep; links are not followed', two)
    all_ = sorted(f['path'] for f in rows('files', d, 32).rows)
    find = run('find', d, '-mindepth', '1', '-xdev', '-print0').split('\0')
    tell(len(all_) == len(find) - 1 == 12, 'find finds as many', all_, find)
    tell([f['name'] for f in rows('files', '/d/sub/deep', root=r.path).rows]
         == ['er'], 'in a recorded folder')
    deep = d
    for n in range(40):
        deep += '/' + 'n' * 60
        os.mkdir(deep)
    got = rows('files', d, 32)
    tell(got.status == 0 and max(f['path'].count('/') for f in got.rows) ==
         d.count('/') + 32, '32 deep and no deeper', got)
    for args, part in (((d + '/nothing',), 'No such file'),
                       ((d + '/plain',), 'Not a directory'),
                       ((d, 0), '1 to 32'), ((d, 33), '1 to 32'),
                       ((d, 1.5), '1 to 32'), (('etc',), 'begins with /'),
                       (('',), 'begins with /'), ((), 'begins with /')):
        got = rows('files', *args)
        tell(got.status == 1 and part in got.err and not got.out,
             'files%r: %s' % (tuple(str(a)[-9:] for a in args), part), got)
    got = rows('files', ':'.join((d, r.path + '/none', d + '/sub/../',
                                  d + '/sub')))
    names = [f['path'] for f in got.rows]
    tell(got.status == 0 and not got.err and d + '/plain' in names and
         d + '/sub/in' in names and len(names) == len(set(names)) == 12 and
         not [n for n in names if '..' in n],
         'a list of folders: each that is there, once', got)
    got = rows('files', r.path + '/none:' + d + '/plain:' + d + '/sub')
    tell(got.status == 0 and 'WARNING: files: %s/plain: Not a dir' % d in
         got.err and len(got.rows) == 3, 'and one of them no folder', got)
    got = rows('files', r.path + '/none:' + r.path + '/nor')
    tell(got.status == 1 and 'No such file' in got.err and not got.out,
         'none of them is there', got)
    os.mkdir(d + '/sub/a:b')
    os.mkdir(d + '/sub/a:b/c')
    tell([f['name'] for f in rows('files', d + '/sub/a:b').rows] == ['c'],
         'a colon in a name')
    os.rmdir(d + '/sub/a:b/c')
    os.rmdir(d + '/sub/a:b')
    os.chmod(d + '/sub', 0)
    os.chmod(r.path, 0o755)
    if ROOT:
        got = rows('files', d, 2, wrap=('setpriv', '--reuid', '65534',
                                        '--regid', '65534', '--clear-groups'))
    else:
        got = rows('files', d, 2)
    tell(got.status == 0 and 'WARNING: files: %s/sub: Permission' % d
         in got.err and len(got.rows) == 10,
         'a folder that may not be read: a warning, and on', got)
    os.chmod(d + '/sub', 0o700)
    # names that come and go while they are read
    busy = subprocess.Popen([sys.executable, '-c', '''
import os, sys
while True:
    for i in range(50):
        os.makedirs(sys.argv[1] + '/sub/%d/x' % i)
    for i in range(50):
        os.rename(sys.argv[1] + '/sub/%d' % i, sys.argv[1] + '/sub/t')
        os.rmdir(sys.argv[1] + '/sub/t/x'); os.rmdir(sys.argv[1] + '/sub/t')
''', d])
    bad = [g for g in (rows('files', d, 4) for _ in range(40)) if g.status or
           len(g.rows) < 10]
    busy.kill()
    busy.wait()
    tell(not bad, 'a folder that changes all the time', *bad[:1])
    s.close()

# cgroups, recorded.
got = rows('cgroups', root=os.path.join(ROOTS, 'cgroup1'))
by = {g['path']: g for g in got.rows}
clam = by.get('/system.slice/clamav.service', {})
tell(clam == {'path': '/system.slice/clamav.service', 'version': '1',
              'mem_used': '1073741824', 'mem_max': '1073741824',
              'mem_files': '12582912', 'under_oom': '1',
              'oom_kills': '7', 'mem_fails': '48211',
              'pids': '12', 'pids_max': '4915', 'pids_events': '0'},
     'v1: both controllers in one row', got)
tell(sorted(by) == ['/', '/lxc', '/lxc/two words', '/system.slice',
                    '/system.slice/clamav.service', '/user.slice',
                    '/user.slice/user-1000.slice'] and
     len(by) == len(got.rows), 'v1: each path once', got)
tell(by['/']['mem_max'] is None and by['/system.slice']['pids_max'] is None and
     by['/lxc/two words']['oom_kills'] is None and
     by['/user.slice/user-1000.slice']['pids_events'] == '91' and
     by['/user.slice/user-1000.slice']['mem_used'] is None,
     'v1: no limit is NIL, and so is what the kernel does not tell', got)
got = rows('cgroups', root=os.path.join(ROOTS, 'cgroup2'))
by = {g['path']: g for g in got.rows}
tell(by.get('/machine.slice/web.scope') ==
     {'path': '/machine.slice/web.scope', 'version': '2',
      'mem_used': '536866816', 'mem_max': '536870912',
      'mem_files': '131072', 'under_oom': None,
      'oom_kills': '14', 'mem_fails': '90233', 'pids': '512',
      'pids_max': '512', 'pids_events': '2048'}, 'v2', got)
tell(by['/']['mem_used'] is None and by['/system.slice']['mem_max'] is None
     and len(got.rows) == 5, 'v2: the top, and no limit', got)
got = rows('cgroups', root=os.path.join(ROOTS, 'hybrid'))
by = {g['path']: g for g in got.rows}
tell(by['/system.slice/mysql.service'] ==
     {'path': '/system.slice/mysql.service', 'version': '2',
      'mem_used': '734003200', 'mem_max': '1073741824',
      'mem_files': None, 'under_oom': '0',
      'oom_kills': '1', 'mem_fails': '3', 'pids': '44', 'pids_max': '100',
      'pids_events': '5'}, 'hybrid: each value from where it is', got)
tell(by['/only.v1']['version'] == '1' and by['/only.v2']['version'] == '2' and
     by['/init.scope']['version'] == '2' and by['/init.scope']['pids'] is None
     and len(by) == len(got.rows) == 6, 'hybrid: each path once', got)
with Root(**{'proc/self/mountinfo': '1 1 8:1 / / rw - ext4 /dev/a rw\n'}) as r:
    got = rows('cgroups', root=r.path)
    tell(got.status == 1 and 'mountinfo' in got.err and 'memory' in got.err,
         'no cgroups', got)
random.seed(6)
wrong = []
with Root() as r:
    def copy(name):
        with open(os.path.join(ROOTS, 'cgroup2', name), 'rb') as f:
            return f.read()
    r.put('proc/self/mountinfo', copy('proc/self/mountinfo'))
    web = 'sys/fs/cgroup/machine.slice/web.scope/'
    for n in range(60):
        for name in ('memory.current', 'memory.max', 'memory.events',
                     'pids.max', 'pids.events'):
            r.put(web + name, damaged(copy(web + name), random))
        got = rows('cgroups', root=r.path)
        if got.status or len(got.rows) != 3 or '=-' in got.out:
            wrong.append(got)
tell(not wrong, '60 trees of damaged files', *wrong[:2])

# A real one.
top = '/sys/fs/cgroup/memory'
mine = os.path.join(top, 'picket-test-%d' % os.getpid())
try:
    os.mkdir(mine)
except OSError as e:
    skip('a memory cgroup of v1', e.strerror)
else:
    kid = None
    try:
        with open(mine + '/memory.limit_in_bytes', 'w') as f:
            f.write('33554432')
        kid = subprocess.Popen([sys.executable, '-c', '''
import os, sys, time
open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()))
x = bytearray(b'x') * (8 << 20)
print('on', flush=True)
time.sleep(60)
''', mine], stdout=subprocess.PIPE)
        kid.stdout.readline()
        row = [g for g in rows('cgroups').rows
               if g['path'] == '/' + os.path.basename(mine)]
        tell(len(row) == 1 and row[0]['version'] == '1' and
             8 << 20 <= number(row[0]['mem_used']) <= 32 << 20 and
             row[0]['mem_max'] == '33554432' and row[0]['under_oom'] == '0',
             'a memory cgroup of v1', row)
    finally:
        if kid:
            kid.kill()
            kid.wait()
        for n in range(50):
            try:
                os.rmdir(mine)
                break
            except OSError:
                time.sleep(0.05)
end()
