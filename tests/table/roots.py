"""Recorded roots: folders with proc/ and etc/ as the kernel shows them, made of
short descriptions, so that git need not hold the files of 2,000 processes.

As a program: roots.py NAME FOLDER makes one of HOSTS.
"""

import os
import sys


def put(root, path, content):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else content.encode())


def bytes_of(x):
    return x if isinstance(x, bytes) else x.encode()


def process(root, pid, comm='cmd', state='S', ppid=1, uid=0, gid=None,
            start=1000, utime=0, stime=0, rss=100, vsz=1 << 20, threads=1,
            tty=0, flags=0x400100, args=None, cgroup='0::/\n', fds=None,
            status='', score=0, adj=0, limits=None, shared=10):
    """One process: rss and shared are pages, start ticks, times ticks."""
    gid = uid if gid is None else gid
    comm = bytes_of(comm)
    at = 'proc/%d/' % pid
    numbers = [ppid, pid, pid, tty, -1, flags, 0, 0, 0, 0, utime, stime, 0, 0,
               20, 0, threads, 0, start, vsz, rss, 2**64 - 1]
    put(root, at + 'stat', b'%d (%s) %s %s\n' % (
        pid, comm, state.encode(),
        ' '.join(str(n) for n in numbers + [0] * 27).encode()))
    shown = comm.replace(b'\\', b'\\\\').replace(b'\n', b'\\n')
    put(root, at + 'status', b'Name:\t%s\nState:\t%s\nPid:\t%d\n'
        b'Uid:\t0\t%d\t0\t0\nGid:\t0\t%d\t0\t0\n%s' % (
            shown, state.encode(), pid, uid, gid, bytes_of(status)))
    put(root, at + 'statm', '%d %d %d 1 0 1 0\n' % (vsz >> 12, rss, shared))
    if args is None:
        args = comm + b'\0'
    put(root, at + 'cmdline', args)
    put(root, at + 'cgroup', cgroup)
    put(root, at + 'oom_score', '%d\n' % score)
    put(root, at + 'oom_score_adj', '%d\n' % adj)
    os.makedirs(os.path.join(root, at + 'fd'), exist_ok=True)
    for fd, target in (fds or {}).items():
        os.symlink(target, os.path.join(root, at + 'fd', str(fd)))
    if limits is not None:
        put(root, at + 'limits', limits)


def host(root, uptime=1000.0, passwd=()):
    """What every root has.  passwd: (name, uid)."""
    put(root, 'proc/uptime', '%.2f 0.00\n' % uptime)
    put(root, 'etc/passwd', ''.join(
        '%s:x:%d:%d::/:/bin/sh\n' % (name, uid, uid) for name, uid in
        [('root', 0)] + list(passwd)))


def kernel_thread(root, pid, comm, start=1):
    process(root, pid, comm, state='I', ppid=0 if pid == 2 else 2,
            start=start, rss=0, vsz=0, flags=0x208040, args='', shared=0)


def big(root):
    """2,000 processes: a mail host with 1,800 imapd of 9 users."""
    host(root, 100000.0, [('u%d' % i, 1000 + i) for i in range(9)] +
         [('postfix', 89), ('www', 33)])
    process(root, 1, 'systemd', ppid=0, start=1, cgroup='0::/init.scope\n')
    for i in range(99):
        kernel_thread(root, 2 + i, 'kthreadd' if i == 0 else
                      'kworker/%d:1-events' % i)
    process(root, 200, 'dovecot', start=500, uid=0,
            cgroup='0::/system.slice/dovecot.service\n')
    for i in range(1800):
        process(root, 1000 + i, 'imapd', ppid=200, uid=1000 + i % 9,
                start=600 + i, rss=256, utime=100, stime=50,
                cgroup='0::/system.slice/dovecot.service\n')
    for i in range(60):
        process(root, 5000 + i, 'smtpd', uid=89, start=9000 - i, rss=300)
    for i in range(39):
        process(root, 6000 + i, 'defunct', state='Z', uid=33, rss=0, vsz=0,
                args='')


def odd(root):
    """Names that somebody gives to mislead whoever splits at blanks."""
    host(root, 1000.0, [('alice', 1000), ('al-ias', 1000), ('bob', 1001),
                        ('x' * 200, 1002)])
    for i, name in enumerate([
            b'a b', b'a) S 1 1', b'(sd-pam)', b'((((', b'))))', b'a\nb',
            b'\xff\xfe', b'', b'imapd; rm -rf /', b'$(id)', b'\t', b'x' * 15]):
        process(root, 100 + i, name, uid=1000 + i % 4, ppid=7)
    kernel_thread(root, 2, 'kthreadd')
    kernel_thread(root, 3, 'kworker/u8:3-events_unbound')
    process(root, 200, 'zombie', state='Z', args='', rss=0, vsz=0)
    process(root, 201, 'titled', args=b'postgres: writer\0\0\0\0')
    process(root, 202, 'swept', args=b'a\0\0b c\0')


HOSTS = {'big': big, 'odd': odd}

if __name__ == '__main__':
    if len(sys.argv) != 3 or sys.argv[1] not in HOSTS:
        sys.exit('usage: roots.py %s FOLDER' % '|'.join(sorted(HOSTS)))
    HOSTS[sys.argv[1]](sys.argv[2])
