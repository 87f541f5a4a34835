#!/usr/bin/env python3
"""#archive, #quarantine, #rotate and $archived with real files of real users:
what is refused, what is locked, what is copied while others write, and that
whoever is killed or raced leaves no half archive and loses nothing.

As root it has users daemon, games and others to own files; else only what one
user can do is tested.
"""
# runner: timeout=300

import fcntl
import glob
import os
import random
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

from tap import end, skip, tell

PICKET = os.environ['PICKET']
ROOT = os.geteuid() == 0
HERE = os.path.realpath('.')
STORE = HERE + '/.state/picket/archive'
LONG = 10 if os.environ.get('PICKET_LONG') else 1
GAMES, DAEMON = 5, 1
RNG = random.Random(11)
ENV = dict(os.environ, HOME=HERE, XDG_STATE_HOME=HERE + '/.state', TZ='UTC',
           LC_ALL='C')

with open('act.pikt', 'w') as f:
    f.write('''#timeout
set #n = 0
if $arg(1) eq "archive"
    if $arg(3) eq ""
        set #n = #archive($arg(2))
    else
        set #n = #archive($arg(2), $arg(3))
    fi
elsif $arg(1) eq "quarantine"
    if $arg(3) eq ""
        set #n = #quarantine($arg(2))
    else
        set #n = #quarantine($arg(2), $arg(3))
    fi
else
    set #n = #rotate($arg(2), #value($arg(3)))
fi
output "#{#n}|#{$hex($archived())}|#{$errtext()}"
'''.replace('#timeout\n', ''))
with open('many.pikt', 'w') as f:
    f.write('''for #i = 1 #i <= #value($arg(2)) #i += 1
    if $arg(1) eq "archive"
        set #n = #archive($arg(3))
    else
        set #n = #quarantine($arg(3))
    fi
endfor
''')


class Got:
    def __init__(self, p):
        out = p.stdout.decode('latin-1').split('|', 2)
        self.err = p.stderr.decode('latin-1')
        self.all = '%r %r %d' % (p.stdout, p.stderr, p.returncode)
        ok = len(out) == 3
        self.n = float(out[0]) if ok and re.match(r'-?\d+$', out[0]) else None
        self.path = bytes.fromhex(out[1]) if ok and out[1][:2] != '<<' \
            else None
        self.why = out[2].rstrip('\n') if ok else ''

    def content(self):
        with open(self.path, 'rb') as f:
            return f.read()


def argv(kind, path, more='', *options):
    return [PICKET, 'run', '--color', 'never', '--mail', 'stdout', *options,
            'act.pikt', '--', kind, path, more]


def act(kind, path, more='', *options, before=(), **kw):
    p = subprocess.run([*before, *argv(kind, path, more, *options)], env=ENV,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=100, **kw)
    return Got(p)


def put(path, content=b'', uid=0, mode=0o600):
    with open(path, 'wb') as f:
        f.write(content)
    os.chmod(path, mode)
    if ROOT:
        os.chown(path, uid, -1)
    return path


def folder(path, mode, uid=0, gid=-1):
    os.makedirs(path)
    if ROOT:
        os.chown(path, uid, gid)
    os.chmod(path, mode)
    return path


def kept(at=STORE):
    """The archives: the module's own files begin with .picket-."""
    return sorted(n for n in os.listdir(os.fsencode(at))
                  if not n.startswith(b'.picket-')) if os.path.isdir(at) \
        else []


def debris(at=STORE):
    return [n for n in os.listdir(at) if n.startswith('.picket-') and
            not n.startswith('.picket-last.')]


def refused(what, kind, path, why, more=''):
    before = kept()
    start = time.monotonic()
    g = act(kind, path, more)
    tell(g.n == -1 and re.search(why, g.why) and kept() == before and
         (kind == 'rotate' or g.path is None) and 'WARNING' in g.err and
         time.monotonic() - start < 4,
         '%s: %s' % (what, why), g.all)


def bad(what, path, why):
    g = act('archive', path)
    tell(g.n is None and re.search(why, g.err), what + ' is an error', g.all)


# --- what it does ---
folder('mail', 0o2775, 0, 8 if ROOT else -1)
box = put('mail/games', b'From a\n\none\n\n', GAMES)
g = act('archive', box)
tell(g.n == 13 and g.content() == b'From a\n\none\n\n', 'a mailbox', g.all)
first = g.path
tell(re.fullmatch(os.fsencode(STORE) + rb'/games\.\d+', g.path) and
     stat.S_IMODE(os.stat(g.path).st_mode) == 0o600 and
     stat.S_IMODE(os.stat(STORE).st_mode) == 0o700 and
     os.stat(g.path).st_uid == os.geteuid() and
     os.stat(g.path).st_mtime_ns == os.stat(box).st_mtime_ns,
     'its name, modes, owner and time', g.all)
tell(not g.err and not os.path.exists(box + '.lock') and not debris(),
     'nothing else is left', g.all, os.listdir('mail'), os.listdir(STORE))
g = act('archive', HERE + '/' + box)
tell(g.n == 13 and g.path == first and len(kept()) == 1,
     'unchanged: no second copy', g.all, kept())
st = os.stat(box)
put(box, b'From b\n\ntwo\n\n', GAMES)
os.utime(box, ns=(st.st_atime_ns, st.st_mtime_ns))
g = act('archive', box)
tell(g.n == 13 and g.path != first and b'two' in g.content(),
     'the same size and time, other bytes: copied', g.all)
second = g.path
with open(second, 'r+b') as f:
    f.write(b'X')
g = act('archive', box)
tell(g.n == 13 and g.path != second and b'two' in g.content() and
     g.content()[:1] == b'F', 'the last copy is damaged: copied', g.all)
os.unlink(g.path)
g = act('archive', box)
tell(g.n == 13 and b'two' in g.content(), 'the last copy is gone: copied',
     g.all)
for content in (b'', b'\0' * 3, RNG.randbytes(1000003), RNG.randbytes(262144)):
    g = act('archive', put('some', content))
    tell(g.n == len(content) and g.content() == content,
         '%d bytes' % len(content), g.all)
with open('same.pikt', 'w') as f:
    f.write('''do #archive("some")
output $archived()
do #quarantine("some")
output $archived()
output log "some" "new"
do #archive("some")
output $archived()
do #archive("none")
output $archived()
''')
p = subprocess.run([PICKET, 'run', 'same.pikt'], env=ENV, capture_output=True)
names = p.stdout.decode().split('\n')
tell(names[0] == names[1] and names[3] == '<<NIL>>' and
     re.fullmatch(r'.*/some\.\d+(\.\d+)?', names[2]) and
     names[0] != names[2] and os.path.getsize(names[2]) == 4,
     'names of one second; NIL after a failure', p)
log = ''.join(open(x).read() for x in glob.glob(HERE + '/.state/picket/log/*'))
tell(re.search(r'\[INFO\] \(act\) archive: %s/mail/games: 13 bytes of user '
               r'%d, mode 0600, in %s' % (HERE, os.stat(box).st_uid, STORE),
               log), 'the log', log[:2000])

# --- dry ---
before = kept()
put('some', b'12345')
for kind, n in (('archive', 5), ('quarantine', 5), ('rotate', 1)):
    g = act(kind, 'some', '3' if kind == 'rotate' else '', '--dry-run')
    tell(re.search(r'dry-run: %s: %s/some.*\n%d\|' % (kind, HERE, n), g.all
                   .replace('\\n', '\n')) and kept() == before and
         os.path.exists('some') and not os.path.exists('some.1'),
         'dry: ' + kind, g.all)

# --- names ---
for name in (b'two words', b'new\nline', b'-rf', b'--', b'\xff\xfe', b'*',
             b'$(reboot)', b'x' * 240, b'y' * 250, b'z' * 255, b'.hidden'):
    put(name, name)
    g = act('archive', name)
    tell(g.n == len(name) and g.content() == name and not g.err and
         len(os.path.basename(g.path)) <= 255, 'name %r' % name[:20], g.all)
    g = act('quarantine', name)
    tell(g.n == len(name) and g.content() == name and not g.err and
         not os.path.exists(name), 'quarantine %r' % name[:20], g.all)
bad('an empty path', '', 'an empty path')
bad('..', 'mail/../some', r'component \.\.')
bad('an empty component', 'mail//games', 'empty component')
refused('none', 'archive', 'none', 'No such file')
refused('a slash at the end', 'archive', './mail/.', 'names no file')
refused('too long', 'archive', 'a/' * 2000 + 'b' * 100, 'too long|No such')
refused('a component too long', 'archive', 'b' * 256, 'too long')

# --- what is no ordinary file ---
os.symlink('some', 'link')
put('decoy', b'decoy')
os.symlink('../decoy', 'mail/decoy')
os.link('some', 'hard')
os.mkfifo('fifo')
s = socket.socket(socket.AF_UNIX)
s.bind('sock')
for kind in 'archive', 'quarantine', 'rotate':
    more = '3' if kind == 'rotate' else ''
    refused(kind + ' of a link', kind, 'link', 'symbolic link', more)
    refused(kind + ' of a link', kind, 'mail/decoy', 'symbolic link', more)
    refused(kind + ' of one of two names', kind, 'hard', 'more than one name',
            more)
    refused(kind + ' of a FIFO', kind, 'fifo', 'no regular file', more)
    refused(kind + ' of a socket', kind, 'sock', 'no regular file', more)
    refused(kind + ' of a folder', kind, 'mail', 'is a folder', more)
    refused(kind + ' of a device', kind, '/dev/null', 'no regular file', more)
    refused(kind + ' of a file of /proc as a folder', kind,
            'some/x', 'Not a directory', more)
os.unlink('hard')

# --- the way, and where copies go ---
put(folder('open', 0o777) + '/x', b'x')
refused('a folder that all can write to', 'archive', 'open/x',
        'everybody can write')
folder('open/safe', 0o755)
put('open/safe/x', b'x')
refused('below one', 'quarantine', 'open/safe/x', 'everybody can write')
os.symlink('mail', 'spool')
tell(act('archive', 'spool/games').n == 13, 'a link of ours on the way')
os.symlink(HERE + '/spool', 'far')
tell(act('archive', 'far/games').n == 13, 'a link to a link')
os.symlink('loop', 'loop')
refused('a loop', 'archive', 'loop/x', 'Too many levels')
folder('to', 0o700)
g = act('archive', box, 'to')
tell(g.n == 13 and os.path.dirname(g.path) == os.fsencode(HERE + '/to'),
     'a folder of copies', g.all)
for mode in 0o770, 0o707, 0o1777:
    os.chmod('to', mode)
    refused('copies to %o' % mode, 'archive', box, 'can write', 'to')
refused('copies to what is not there', 'archive', box, 'No such', 'nowhere')
refused('copies to a file', 'archive', box, 'Not a directory', 'some')
refused('copies below what all can write to', 'archive', box,
        'everybody can write', 'open/safe')
os.chmod('to', 0o700)

if ROOT:
    # --- whose ---
    for name, uid in (('.games.pop', GAMES), ('.games', GAMES),
                      ('other', 0), ('daemon', DAEMON)):
        put('mail/' + name, b'x', uid)
        g = act('archive', 'mail/' + name)
        tell(g.n == 1, 'mail/%s of user %d' % (name, uid), g.all)
    for name, uid in (('daemon', GAMES), ('.daemon.pop', GAMES),
                      ('x', GAMES), ('games.pop', GAMES),
                      ('no-such-user', GAMES), ('root', GAMES)):
        put('mail/' + name, b'x', uid)
        refused('mail/%s of user %d' % (name, uid), 'archive', 'mail/' + name,
                'belongs to user 5')
    folder('home', 0o755, GAMES)
    put('home/x', b'x', GAMES)
    tell(act('archive', 'home/x').n == 1, 'a file of its folder\'s owner')
    put('home/y', b'y', DAEMON)
    refused('another user\'s in it', 'archive', 'home/y', 'in a folder of')
    folder('home/daemon', 0o755, DAEMON)
    put('home/daemon/x', b'y', DAEMON)
    refused('a folder of a second user', 'archive', 'home/daemon/x',
            'second user')
    folder('tmp', 0o1777)
    put('tmp/games', b'x', GAMES)
    tell(act('archive', 'tmp/games').n == 1, 'a mailbox in a sticky folder')
    put('tmp/z', b'x', GAMES)
    refused('what somebody has laid there', 'archive', 'tmp/z', 'belongs to')
    for where in 'tmp/l', 'home/l':
        os.symlink(HERE + '/mail', where)
        os.chown(where, GAMES, -1, follow_symlinks=False)
        refused('another user\'s link, ' + where, 'archive', where + '/games',
                'another user\'s link')
    os.symlink(HERE + '/home', 'tmp/r')
    tell(act('archive', 'tmp/r/x').n == 1, 'root\'s link in a sticky folder')
    os.chown('to', GAMES, -1)
    refused('copies to another user', 'archive', box, 'another user', 'to')
    os.chown('to', 0, -1)
    folder('home/to', 0o700)
    refused('copies below another user', 'archive', box, 'another user',
            'home/to')
    # nobody special: what he may read, without being able to write
    st = folder('daemons', 0o755, DAEMON)
    put('public', b'public', 0, 0o644)
    p = subprocess.run(
        ['setpriv', '--reuid=1', '--regid=1', '--clear-groups',
         *argv('archive', HERE + '/public')[0:-2], HERE + '/public', ''],
        env=dict(ENV, HOME=HERE + '/daemons',
                 XDG_STATE_HOME=HERE + '/daemons'), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    g = Got(p)
    tell(g.n == 6 and 'copied unlocked: no lock file can be made' in g.why,
         'who may only read copies unlocked', g.all)
else:
    skip('files of others', 'needs root')

# --- locks ---


def lock_holder(path, seconds, dot=False):
    """Another process with the lock; it has it when this returns."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        f = open(path, 'r+b')
        if dot:
            with open(path + '.lock', 'x') as k:
                k.write('%d\n' % os.getpid())
        else:
            fcntl.lockf(f, fcntl.LOCK_EX)
        os.write(w, b'x')
        time.sleep(seconds)
        if dot:
            os.unlink(path + '.lock')
        os._exit(0)
    os.close(w)
    os.read(r, 1)
    os.close(r)
    return pid


def finish(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


for dot in False, True:
    word = 'FILE.lock' if dot else 'the record lock'
    put(box, RNG.randbytes(5000), GAMES)
    pid = lock_holder(box, 1.5, dot)
    start = time.monotonic()
    g = act('archive', box)
    took = time.monotonic() - start
    tell(g.n == 5000 and not g.err and 1 < took < 4,
         word + ' for 1.5 s: waited for', g.all, took)
    finish(pid)
    put(box, RNG.randbytes(5000), GAMES)
    pid = lock_holder(box, 60, dot)
    start = time.monotonic()
    g = act('archive', box)
    took = time.monotonic() - start
    why = 'lock file beside' if dot else 'has it locked'
    tell(g.n == 5000 and g.content() == open(box, 'rb').read() and
         re.search('copied unlocked: .*' + why, g.why) and
         'WARNING' in g.err and 4.5 < took < 7,
         word + ' for ever: copied unlocked', g.all, took)
    g = act('quarantine', box)
    tell(g.n == -1 and os.path.getsize(box) == 5000 and
         re.search('not removed: .*' + why, g.why) and g.path is None,
         word + ' for ever: not removed', g.all)
    finish(pid)
tell(os.path.exists(box + '.lock'), 'a lock of another that died stays')
os.unlink(box + '.lock')
dead = subprocess.Popen(['true'])
dead.wait()
put(box + '.lock', b'%d\npicket %s\n' % (dead.pid,
                                       socket.gethostname().encode()))
start = time.monotonic()
g = act('archive', put(box, b'y' * 10, GAMES))
tell(g.n == 10 and not g.err and time.monotonic() - start < 2 and
     not os.path.exists(box + '.lock'), 'one of a Picket that died does not',
     g.all)

# a mail reader that puts a new file there, under its locks
put(box, b'old' * 100, GAMES)
pid = os.fork()
if pid == 0:
    with open(box + '.lock', 'x'):
        time.sleep(1)
    put(box + '.new', b'rewritten', GAMES)
    os.rename(box + '.new', box)
    os.unlink(box + '.lock')
    os._exit(0)
time.sleep(0.2)
g = act('archive', box)
os.waitpid(pid, 0)
tell(g.n == 9 and g.content() == b'rewritten' and not g.err,
     'a file that was exchanged under its locks', g.all)

# --- a deliverer that respects locks, and one that does not ---


def message(i):
    return b'From x%d\n\n%s\n\n' % (i, b'line\n' * RNG.randrange(1, 3000))


def locked(path):
    """As procmail does it: the lock file, the record lock, and a look whether
    it is still the file."""
    while True:
        try:
            os.close(os.open(path + '.lock', os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            time.sleep(0.001)
            continue
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass
        else:
            try:
                if os.stat(path).st_ino == os.fstat(fd).st_ino:
                    return fd
            except FileNotFoundError:
                pass
        os.close(fd)
        os.unlink(path + '.lock')
        time.sleep(0.001)


def deliver(path, n):
    pid = os.fork()
    if pid:
        return pid
    for i in range(n):
        m = message(i)
        fd = locked(path)
        os.write(fd, m[:len(m) // 2])
        time.sleep(0.0005)
        os.write(fd, m[len(m) // 2:])
        os.close(fd)
        os.unlink(path + '.lock')
        time.sleep(0.002)
    os._exit(0)


def whole(b):
    return b == b'' or (b.startswith(b'From x') and b.endswith(b'line\n\n\n'))


box = HERE + '/mail/root'
put(box)
pid = deliver(box, 400 * LONG)
copies, faults, done = [], [], 0
while done == 0:
    g = act('archive', box)
    if g.n is None or g.n < 0 or g.err:
        faults.append(g.all)
    else:
        copies.append(g.content())
    done = os.waitpid(pid, os.WNOHANG)[0]
final = open(box, 'rb').read()
tell(len(copies) > 5 and not faults, 'archives while mail is delivered: %d' %
     len(copies), *faults[:3])
tell(all(final.startswith(c) and whole(c) for c in copies) and
     len(set(copies)) > 3, 'each is the first messages, whole',
     [len(c) for c in copies])

shutil.rmtree(STORE)
put(box)
pid = deliver(box, 400 * LONG)
n, done = 0, 0
while done == 0:
    g = act('quarantine', box)
    n += g.n is not None and g.n > 0
    done = os.waitpid(pid, os.WNOHANG)[0]
texts = [open(os.path.join(os.fsencode(STORE), k), 'rb').read()
         for k in kept()]
if os.path.exists(box):
    texts.append(open(box, 'rb').read())
got = sorted(int(i) for t in texts for i in re.findall(rb'^From x(\d+)$', t,
                                                       re.M))
tell(n > 2 and got == list(range(400 * LONG)) and all(map(whole, texts)),
     'quarantine while mail is delivered: each message once (%d times)' % n,
     len(got))
tell(not [x for x in os.listdir('mail') if 'picket' in x or x.endswith(
    '.lock')], 'nothing is left beside it', os.listdir('mail'))

pid = os.fork()		# writes over it all the time, with no lock
if pid == 0:
    while True:
        with open(box, 'wb') as f:
            f.write(RNG.randbytes(RNG.randrange(1, 3000000)))
odd, n = [], 0
for i in range(20 * LONG):
    g = act('archive', box)
    if g.n is None or (g.n >= 0 and len(g.content()) != g.n) or (
            g.n < 0 and not g.why):
        odd.append(g.all)
    g = act('quarantine', box)
    n += g.n is not None and g.n >= 0
finish(pid)
tell(not odd, 'one that writes over it: whole, or a reason', *odd)
tell(not debris(), 'no copy is left', debris())

# --- raced ---
os.makedirs('race')
put('secret', b'SECRET' * 1000)
victim = HERE + '/race/root'


def swap(makers):
    pid = os.fork()
    if pid:
        return pid
    i = 0
    while True:
        i += 1
        makers[i % len(makers)](victim + '.n', i)
        os.rename(victim + '.n', victim)
        time.sleep(RNG.uniform(0, 0.002))


def plain(path, i):
    with open(path, 'wb') as f:
        f.write(b'mine %d\n' % i * 100)


shutil.rmtree(STORE)
pid = swap([plain, lambda p, i: os.symlink('../secret', p), plain,
            lambda p, i: os.link(HERE + '/secret', p),
            lambda p, i: os.mkfifo(p)])
time.sleep(0.05)
p = subprocess.run([PICKET, 'run', 'many.pikt', '--', 'archive',
                    str(1500 * LONG), victim], env=ENV, capture_output=True)
finish(pid)
texts = [open(os.path.join(os.fsencode(STORE), k), 'rb').read()
         for k in kept()]
tell(len(texts) > 5 and all(re.fullmatch(rb'(mine \d+\n)\1{99}', t)
                            for t in texts),
     'raced: only the file itself is copied (%d of %d)' % (
         len(texts), 1500 * LONG), [t[:40] for t in texts][:5])
tell(open('secret', 'rb').read() == b'SECRET' * 1000, 'the other is whole')

shutil.rmtree(STORE)
shutil.rmtree('race')
os.makedirs('race')
r, w = os.pipe()
pid = os.fork()
if pid == 0:		# puts a new file there whenever there is none, no lock
    n = 0
    try:
        while True:
            if n % 2:	# or moves it aside and puts another there
                try:
                    os.rename(victim, HERE + '/race/moved%d' % n)
                except OSError:
                    pass
            plain(HERE + '/race/new', n)
            try:
                os.link(HERE + '/race/new', victim)
                os.unlink(HERE + '/race/new')
                os.write(w, b'%d\n' % n)
                n += 1
            except FileExistsError:
                n += 1
    except BaseException:
        os._exit(1)
os.close(w)
reader = os.fork()
if reader == 0:
    with open('placed', 'wb') as f:
        while True:
            b = os.read(r, 65536)
            if not b:
                os._exit(0)
            f.write(b)
            f.flush()
os.close(r)
p = subprocess.run([PICKET, 'run', 'many.pikt', '--', 'quarantine',
                    str(600 * LONG), victim], env=ENV, capture_output=True)
finish(pid)
os.waitpid(reader, 0)
placed = {int(x) for x in open('placed', 'rb').read().split(b'\n') if x}
texts = [open(os.path.join(os.fsencode(STORE), k), 'rb').read()
         for k in kept()]
for x in os.listdir('race'):
    texts.append(open('race/' + x, 'rb').read())
found = {int(t[5:t.index(b'\n')]) for t in texts if t}
tell(len(kept()) > 5 and len(placed) > 50 and placed <= found,
     'raced: nothing is removed that has no copy (%d copies of %d)' % (
         len(kept()), len(placed)), sorted(placed - found)[:10],
     p.stderr[-500:])

# --- a full disk ---
if ROOT and subprocess.run(['unshare', '-m', 'true']).returncode == 0:
    folder('disk', 0o700)
    put('big', RNG.randbytes(6 << 20))
    sh = '''mount -t tmpfs -o size=%s,mode=700 none disk || exit 77
head -c %d /dev/zero > disk/fill
"$@"
echo; ls -A disk'''
    for size, fill, good in (('8m', 0, True), ('8m', 1 << 20, True),
                             ('8m', 2 << 20, False), ('8m', 7 << 20, False),
                             ('6m', 0, False)):
        p = subprocess.run(['unshare', '-m', 'sh', '-c', sh % (size, fill),
                            'sh', *argv('archive', 'big', 'disk')], env=ENV,
                           stdin=subprocess.DEVNULL, capture_output=True)
        line, _, left = p.stdout.decode().partition('\n')
        here = '%s with %d used' % (size, fill)
        if p.returncode == 77:
            skip(here, 'no tmpfs')
        elif good:
            tell(line.startswith('6291456|') and 'big.' in left, here, p)
        else:
            tell(line.startswith('-1|') and 'less than 10 %' in line and
                 left.split() == ['fill'], here + ': refused', p)
else:
    skip('a full disk', 'needs root and a mount namespace')

put('large', RNG.randbytes(3 << 20))
before = kept()
g = act('archive', 'large', preexec_fn=lambda: resource.setrlimit(
    resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
tell(g.n == -1 and 'File too large' in g.why and kept() == before and
     not debris() and not os.path.exists('large.lock'), 'a limit of file size',
     g.all)

# --- a deadline, an interrupt ---
with open('huge', 'wb') as f:
    f.truncate(3 << 30)
v = os.statvfs('.')
if v.f_bavail * v.f_frsize > 4 * (3 << 30) + 0.1 * v.f_blocks * v.f_frsize:
    before = kept()
    with open('slow.pikt', 'w') as f:
        f.write('init\n    timeout 1s\nbegin\n    do #archive("huge")\n')
    start = time.monotonic()
    p = subprocess.run([PICKET, 'run', 'slow.pikt'], env=ENV,
                       capture_output=True)
    took = time.monotonic() - start
    tell(took < 4 and b'deadline' in p.stderr and kept() == before and
         not debris() and not os.path.exists('huge.lock'),
         'a deadline ends a copy', p, took, debris())
    for sig in signal.SIGINT, signal.SIGTERM:
        p = subprocess.Popen(argv('archive', 'huge'), env=ENV,
                             stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.4)
        p.send_signal(sig)
        start = time.monotonic()
        out, err = p.communicate()
        took = time.monotonic() - start
        tell(took < 3 and b'signal' in err and kept() == before and
             not debris() and not os.path.exists('huge.lock'),
             'signal %d ends a copy' % sig, out, err, took, debris())
else:
    skip('a deadline', 'the disk is too full')
os.unlink('huge')

# --- killed ---


def copies_are_whole(content):
    return all(open(os.path.join(os.fsencode(STORE), k), 'rb').read() ==
               content for k in kept())


shutil.rmtree(STORE)
content = RNG.randbytes(4 << 20)
killed = wrong = left = 0
for i in range(60 * LONG):
    put('prey', content)
    p = subprocess.Popen(argv('archive', 'prey'), env=ENV,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    time.sleep(RNG.uniform(0, 0.3))
    killed += p.poll() is None
    p.kill()
    p.wait()
    wrong += not copies_are_whole(content)
    left += len(debris()) if os.path.isdir(STORE) else 0
    if i % 10 == 9 and os.path.isdir(STORE):
        shutil.rmtree(STORE)
tell(wrong == 0 and killed > 10, 'killed %d times: no half archive' % killed,
     wrong)
start = time.monotonic()
put('prey', b'now' + content)
g = act('archive', 'prey')
tell(g.n == len(content) + 3 and not g.err and not debris() and
     time.monotonic() - start < 3, 'the next one cleans up (%d were left)' %
     left, g.all, debris())

STEPS = [('fcntl', 2), ('write', 6), ('pread64', 4),
         ('fsync', 5), ('renameat2', 3), ('renameat', 2), ('unlinkat', 5),
         ('utimensat', 2), ('fadvise64', 1), ('linkat', 1), ('openat', 60)]
trace = shutil.which('strace')
if trace and not os.environ.get('PICKET_SANITIZERS') and subprocess.run(
        [trace, '-o', '/dev/null', 'true'],
        stderr=subprocess.DEVNULL).returncode == 0:
    content = b'content\n' * 1000
    for kind in 'archive', 'quarantine':
        lost, half, slow, hits, again = [], [], [], 0, []
        for call, times in STEPS:
            for when in range(1, times + 1, 1 if times < 10 else 3):
                shutil.rmtree(STORE, ignore_errors=True)
                for x in os.listdir('race'):
                    os.unlink('race/' + x)
                put('race/prey', content)
                p = subprocess.run(
                    [trace, '-o', '/dev/null', '-e', 'inject=%s:signal=KILL:'
                     'when=%d' % (call, when), *argv(kind, 'race/prey')],
                    env=ENV, stdin=subprocess.DEVNULL, capture_output=True)
                step = '%s %d' % (call, when)
                if p.returncode == 0:
                    continue
                hits += 1
                if not copies_are_whole(content):
                    half.append(step)
                there = [x for x in os.listdir('race') if open(
                    'race/' + x, 'rb').read() == content]
                if not there and not kept():
                    lost.append(step)
                if os.path.exists('race/prey'):
                    start = time.monotonic()
                    g = act(kind, 'race/prey')
                    if g.n != len(content) or time.monotonic() - start > 3:
                        again.append(step + g.all)
                    if debris():
                        again.append('%s %s' % (step, debris()))
        tell(hits > 10 and not half, '%s killed at %d steps: no half archive'
             % (kind, hits), half)
        tell(not lost, kind + ' killed: nothing is lost', lost)
        tell(not again, kind + ' killed: the next one does it', *again[:5])
    for call, error in (('renameat2', 'EINVAL'), ('fsync', 'EIO'),
                        ('utimensat', 'EPERM'),
                        ('fadvise64', 'EINVAL')):
        shutil.rmtree(STORE, ignore_errors=True)
        put('race/prey', content)
        g = act('archive', 'race/prey', before=[
            trace, '-o', '/dev/null', '-e', 'inject=%s:error=%s' % (call,
                                                                error)])
        ok = g.n == len(content) and g.content() == content
        tell(g.n == -1 and 'error' in g.why if call == 'fsync' else ok,
             '%s: %s' % (call, error), g.all)
        tell(copies_are_whole(content) and not debris(), call + ': no rest',
             os.listdir(STORE))
else:
    skip('killed at each step', 'no strace, or sanitizers')

# --- rotate ---
folder('logs', 0o755)


def logs():
    return {x: open('logs/' + x, 'rb').read().decode()
            for x in os.listdir('logs')}


for i in range(1, 6):
    put('logs/l', b'%d' % i, 0, 0o600 + 0o4 * (i % 2))
    g = act('rotate', 'logs/l', '3')
    if i == 2:
        tell(g.n == 2 and logs() == {'l.1': '2', 'l.2': '1'}, 'rotate', g.all,
             logs())
tell(g.n == 3 and logs() == {'l.1': '5', 'l.2': '4', 'l.3': '3'},
     'the oldest goes', g.all, logs())
tell([stat.S_IMODE(os.stat('logs/l.%d' % i).st_mode) for i in (1, 2, 3)] ==
     [0o604, 0o600, 0o604], 'modes go with them')
refused('none', 'rotate', 'logs/l', 'No such file', '3')
os.unlink('logs/l.2')
put('logs/l', b'6')
g = act('rotate', 'logs/l', '3')
tell(g.n == 2 and logs() == {'l.1': '6', 'l.2': '5', 'l.3': '3'}, 'a gap',
     g.all, logs())
put('logs/l', b'7')
os.unlink('logs/l.2')
os.symlink('../decoy', 'logs/l.2')
refused('a link among them', 'rotate', 'logs/l', r'path\.2 is a symbolic',
        '3')
tell(open('logs/l.1').read() == '6' and open('logs/l').read() == '7',
     'nothing was moved')
for keep in '0', '1001', '-1', '2.5':
    g = act('rotate', 'logs/l', keep)
    tell(g.n is None and 'no integer from 1 to 1000' in g.err,
         'keep ' + keep, g.all)
g = act('rotate', put('logs/' + 'w' * 254, b''), '3')
tell(g.n == -1 and 'too long' in g.why, 'no room for a number', g.all)
end()
