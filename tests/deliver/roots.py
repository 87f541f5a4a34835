"""A machine of its own for each server of a test.

The servers exclude each other, want fixed folders, users and ports, and must
be gone when the test is, however it ends.  So a test runs itself again in
namespaces: the server's files (tests/deliver/fetch) lie over this system's
/usr, /etc and /var, what is written there goes into memory, the network is a
loopback of its own, and all processes end with the first one.
"""

import ctypes
import fcntl
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import threading

SRCDIR = os.path.abspath(os.environ.get('SRCDIR', '.'))
BUILDDIR = os.path.abspath(os.environ.get('BUILDDIR', '.'))
TMP = os.environ.get('TMPDIR', '/tmp')
UNSHARE = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount',
           '--net', '--pid', '--uts', '--ipc', '--fork', '--kill-child',
           '--mount-proc']
STATE = '/var/lib/picket'
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MS_BIND = 4096


def why_not(*names):
    """Why these servers cannot be run here: {name: text}, {} if they can.

    Fetches what is not here yet.
    """
    if os.geteuid() != 0:
        return dict.fromkeys(names, 'needs root')
    p = subprocess.run(UNSHARE + ['true'], stderr=subprocess.PIPE, text=True)
    if p.returncode != 0:
        return dict.fromkeys(names, 'no namespaces here: ' + p.stderr.strip())
    p = subprocess.run([os.path.join(SRCDIR, 'tests/deliver/fetch'),
                        os.path.join(BUILDDIR, 'servers'), *names],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       text=True)
    return dict(line.split(': ', 1) for line in p.stdout.splitlines())


def run_each(scenes, tap, jobs=4):
    """Each scene (its words) is this program, run again in a machine of its
    own and a TMPDIR of its own (ours is its COMMON); what it says with its tap
    becomes part of ours, scene by scene."""
    todo, texts, lock = list(scenes), {}, threading.Lock()

    def work():
        while True:
            with lock:
                if not todo:
                    return
                scene = todo.pop(0)
            home = os.path.join(TMP, '-'.join(scene))
            os.mkdir(home)
            env = dict(os.environ, TMPDIR=home, COMMON=TMP)
            p = subprocess.run(UNSHARE + [sys.executable, sys.argv[0], *scene],
                               env=env, text=True, errors='replace',
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
            texts[scene] = (p.returncode, p.stdout)

    workers = [threading.Thread(target=work) for _ in range(jobs)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    for scene in scenes:
        name = ' '.join(scene)
        status, text = texts[scene]
        planned = False
        for line in text.splitlines():
            word, _, what = line.partition(' - ')
            if word.startswith(('ok ', 'not ok ')):
                tap.ok(word.startswith('ok '), '%s: %s' % (name, what))
            elif line.startswith('1..'):
                planned = True
            else:
                print(line if line.startswith('#') else '#   ' + line)
        if not planned:
            tap.ok(False, '%s: comes to its end' % name, 'exit %d' % status)


def mount(source, target, kind, flags=0, options=''):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), kind.encode(),
                  flags, options.encode()) != 0:
        e = ctypes.get_errno()
        raise OSError(e, 'mount %s: %s' % (target, os.strerror(e)))


def enter(*names):
    """In the namespaces: the servers' files appear, the network comes up.
    Returns in a child; its parent, the first process here, only reaps."""
    if os.getpid() != 1 or 'COMMON' not in os.environ:
        sys.exit('this is for run_each: it would change the whole system')
    pid = os.fork()
    if pid:
        while True:
            try:
                gone, status = os.wait()
            except InterruptedError:
                continue
            if gone == pid:		# all that is left dies with us
                os._exit(os.waitstatus_to_exitcode(status) & 255)
    layers = os.path.join(TMP, 'layers')
    os.makedirs(layers, exist_ok=True)
    mount('tmpfs', layers, 'tmpfs', options='mode=755')
    for top in ('usr', 'etc', 'var'):
        lower = [os.path.join(BUILDDIR, 'servers', n, top) for n in names]
        lower = [x for x in lower if os.path.isdir(x)] + ['/' + top]
        upper, work = (os.path.join(layers, top + x) for x in ('.up', '.work'))
        os.mkdir(upper)
        os.mkdir(work)
        mount('overlay', '/' + top, 'overlay', 0,
              'lowerdir=%s,upperdir=%s,workdir=%s' % (':'.join(lower), upper,
                                                      work))
    mount('tmpfs', '/run', 'tmpfs', options='mode=755')
    # this system's own Picket may have mail to send
    shutil.rmtree(STATE, ignore_errors=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        name = b'lo'.ljust(16, b'\0')
        request = struct.pack('16sh', name, 0).ljust(40, b'\0')
        flags = struct.unpack('16sh', fcntl.ioctl(
            s, SIOCGIFFLAGS, request)[:18])[1]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack(
            '16sh', name, flags | IFF_UP).ljust(40, b'\0'))
    socket.sethostname('moscow.example.org')


def add_user(name, home='/nonexistent', number=[800]):
    """A user and a group of that name, if they are not there: (uid, gid)."""
    import grp
    import pwd
    try:
        return pwd.getpwnam(name).pw_uid, grp.getgrnam(name).gr_gid
    except KeyError:
        pass
    number[0] += 1
    try:
        gid = grp.getgrnam(name).gr_gid
    except KeyError:
        gid = number[0]
        with open('/etc/group', 'a') as f:
            f.write('%s:x:%d:\n' % (name, gid))
    with open('/etc/passwd', 'a') as f:
        f.write('%s:x:%d:%d::%s:/bin/sh\n' % (name, number[0], gid, home))
    return number[0], gid


def own(path, user, group=None, mode=None):
    os.makedirs(path, exist_ok=True)
    shutil.chown(path, user, group or user)
    if mode is not None:
        os.chmod(path, mode)


def bare_dev():
    """A /dev with nothing in it but what every program needs: no /dev/log of
    the system's."""
    mount('tmpfs', '/dev', 'tmpfs', options='mode=755')
    for name, number in (('null', 3), ('zero', 5), ('full', 7), ('random', 8),
                         ('urandom', 9)):
        path = '/dev/' + name
        os.mknod(path, stat.S_IFCHR, os.makedev(1, number))
        os.chmod(path, 0o666)
