#!/usr/bin/env python3
# runner: timeout=240
"""A state that is damaged, locked, full, of another version, or no state: the
run goes on, says what is wrong and what to do, and nothing is lost."""

import glob
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import end, skip, tell			# noqa: E402
from store import Place				# noqa: E402

NOBODY = 65534
ROOT = os.geteuid() == 0


def fault(what, place, want, *args, was='<<NIL>>', status=1, lines=1, **how):
    """One run that ends with that message and still did its work."""
    got, out, err = place.run('9', *args, **how)
    said = [t for t in err.split('\n') if t]
    tell(got == status and len(said) == lines and re.search(want, err) and
         'was %s\n' % was in out, what,
         'status %d, wanted /%s/' % (got, want), out, err)
    return err


# --- a damaged file is set aside ---

def corrupt(what, damage, good=True):
    p = Place()
    p.run('1')
    if good:
        tell('was 1\n' in p.run('2')[1], what + ': was good before')
    damage(p)
    with open(p.db, 'rb') as f:
        bad = f.read()
    fault(what, p, r"state\.db: the state's file is damaged: it is kept as "
          r'\S+/state\.db\.corrupt\.\d{8}T\d{6}Z and begun anew', status=0)
    aside = glob.glob(p.db + '.corrupt.*')
    kept = [open(a, 'rb').read() for a in aside]
    tell(kept == [bad], what + ': not a byte of it is lost', aside)
    tell('was 9\n' in p.run('3')[1], what + ': the run was kept anew')
    p.remove()


def overwrite(at, text):
    def do(p):
        with open(p.db, 'r+b') as f:
            f.seek(at)
            f.write(text)
    return do


def whole(text):
    def do(p):
        with open(p.db, 'wb') as f:
            f.write(text)
    return do


def pages(p):
    """All but the first page."""
    n = os.path.getsize(p.db)
    overwrite(4096, b'\xa5' * (n - 4096))(p)


def cut(p):
    os.truncate(p.db, 6000)


corrupt('its first bytes', overwrite(0, b'no database here'))
corrupt('text', whole(b'this was a file once\n' * 100))
corrupt('its pages', pages)
corrupt('its end cut off', cut)

p = Place()
p.run('1')
whole(b'garbage' * 1000)(p)
fault('a dry run', p, 'damaged: it is left there, and not read', options=['-n'],
      status=0)
tell(open(p.db, 'rb').read() == b'garbage' * 1000 and
     not glob.glob(p.db + '.corrupt*'), 'a dry run left it there')
for k in range(3):		# within a second or not: each has its own name
    whole(b'garbage %d' % k * 1000)(p)
    p.run('1')
tell(len(glob.glob(p.db + '.corrupt.*')) == 3, 'three in a row are all kept',
     os.listdir(p.folder))
p.remove()

p = Place()
os.makedirs(p.folder)
open(p.db, 'w').close()
fault('an empty file is a new one', p, '^$', status=0, lines=0)
p.remove()

for kind, make in ('folder', os.mkdir), ('pipe', os.mkfifo):
    p = Place()
    p.run('1')
    os.unlink(p.db + '.lock')
    make(p.db + '.lock')
    fault('a %s where the lock file is' % kind, p,
         'the lock file beside it is no ordinary file of this user: '
         'move it away')
    p.remove()

# --- other versions and other programs ---

p = Place()
p.run('1')
p.sql('PRAGMA user_version = 4')
fault('a newer version', p, r'no previous values: \S+/state\.db: is of a newer '
      r'Picket \(its version 4, this program knows 3\): run that Picket, or '
      r'move the file away')
p.sql('PRAGMA user_version = 3')
tell('was 1\n' in p.run('2')[1], 'a newer version is not touched')
p.sql('PRAGMA application_id = 5')
fault('another program', p, 'is a database of another program: move it away')
p.remove()
p = Place()
os.makedirs(p.folder)
p.sql('CREATE TABLE t (a)')
fault('a database of nobody', p, 'is a database of another program')
p.remove()

# --- what is no file of ours ---

p = Place()
os.makedirs(p.db)
fault('a folder', p, r'state\.db: is a folder where')
p.remove()
p = Place()
p.run('1')
os.rename(p.db, p.db + '.real')
os.symlink(p.db + '.real', p.db)
fault('a symbolic link', p, r'state\.db: is a symbolic link')
p.remove()
p = Place()
os.makedirs(p.folder)
os.mkfifo(p.db)
fault('a pipe', p, 'is no ordinary file')
p.remove()
p = Place()
open(p.state, 'w').close()
fault('a file where its folder should be', p,
      r'there is no folder \S+/st/picket, and it cannot be made: Not a')
p.remove()
p = Place()
fault('no place for it', p, 'there is no folder for the state: set HOME',
      more={'HOME': '', 'XDG_STATE_HOME': ''}) if not ROOT else skip(
          'no place for it', 'root has /var/lib/picket')
p.remove()

if ROOT:
    p = Place()
    p.run('1')
    os.chown(p.db, NOBODY, -1)
    fault('of another user', p,
          'belongs to user 65534, and this runs as user 0: run it as')
    p.remove()
    p = Place()
    os.makedirs(p.folder)
    os.chown(p.state, NOBODY, NOBODY)
    os.chown(p.folder, NOBODY, NOBODY)
    fault('as nobody, at first', p, '^$', status=0, lines=0, user=NOBODY)
    os.chmod(p.db, 0o400)
    fault('a file that cannot be written', p,
          r'nothing was kept of this run: \S+/state\.db: cannot be written: '
          'Permission denied: give the user', user=NOBODY, was='9')
    os.chmod(p.db, 0o000)
    fault('a file that cannot be read', p, 'cannot be read: Permission',
          user=NOBODY)
    os.chmod(p.db, 0o600)
    os.chmod(p.folder, 0o500)
    fault('a folder that cannot be written', p,
          'kept of this run: .* cannot be written: its file system or folder',
          user=NOBODY, was='9')
    fault('a dry run there', p, '^$', user=NOBODY, was='9', status=0, lines=0,
          options=['-n'])
    p.remove()
else:
    skip('other users', 'needs root')

# --- file systems, in a mount namespace of our own ---

if subprocess.run(['unshare', '-m', 'true'], stderr=subprocess.DEVNULL
                  ).returncode == 0:
    p = Place('''
Count
	begin
		output "was #{%n} #{%a[1]}"
		set #n = #value($arg(1))
		for #i = 1 #i <= 60000 #i += 1
			set #a[#i] = #i
		endfor
''')
    os.makedirs(p.folder)

    # mail has a way that needs no state
    os.makedirs(p.at + '/conf')
    p.file('conf/picket.conf', 'file %s/box\n' % p.at)

    def mounted(what, text, want, count, lines=1):
        p.file('box', '')
        got = subprocess.run(
            ['unshare', '-m', 'sh', '-c', text, 'sh', os.environ['PICKET'],
             p.folder], cwd=p.at, stdin=subprocess.DEVNULL,
            env=dict(os.environ, HOME=p.at, XDG_STATE_HOME=p.state),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out = got.stdout.decode('latin-1')
        err = got.stderr.decode('latin-1')
        tell(out.split('\n')[:-1] == want and len(re.findall(
            count, err)) == 1 and len(err.strip().split('\n')) == lines,
            what, 'wanted %s' % want, out, err)
        with open(p.at + '/box') as f:
            box = f.read()
        tell(box.count("The state's file.") == 1 and 'ERROR: ' in box,
             what + ': mail tells of it', box)

    mounted('a full disk', '''
        mount -t tmpfs -o size=1m tmpfs "$2" || exit
        sed 's/60000/20/' s.pikt >small.pikt
        "$1" run --config conf small.pikt 1
        "$1" run --config conf s.pikt 2
        "$1" run --config conf small.pikt 3''',
            ['was <<NIL>> <<NIL>>', 'was 1 1', 'was 1 1'],
            'nothing was kept of this run: .*: the disk is full: nothing was '
            'changed; make room there')
    mounted('a disk that was full before', '''
        mount -t tmpfs -o size=64k tmpfs "$2" || exit
        dd if=/dev/zero of="$2/fill" bs=1k count=64 2>/dev/null
        sed 's/60000/20/' s.pikt >small.pikt
        "$1" run --config conf small.pikt 1''', ['was <<NIL>> <<NIL>>'],
            'the disk is full')
    mounted('a read-only file system', '''
        sed 's/60000/20/' s.pikt >small.pikt
        "$1" run --config conf small.pikt 1
        mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" || exit
        "$1" run --config conf small.pikt 2
        "$1" run -n --config conf small.pikt 2''',
            ['was <<NIL>> <<NIL>>', 'was 1 1', 'was 1 1',
             'dry-run: Count: 0 effects, none done'],
            'nothing was kept of this run: .*: cannot be written: the lock file '
            'beside it: Read-only file system: make its folder', 2)
    p.remove()
else:
    skip('full and read-only disks', 'needs a mount namespace (unshare -m)')

# --- locks ---

p = Place()
p.run('1')
lock = subprocess.Popen(
    [sys.executable, '-c', 'import fcntl, sys, time\n'
     'f = open(sys.argv[1], "r+")\n'
     'fcntl.lockf(f, fcntl.LOCK_EX)\n'
     'print(flush=True)\n'
     'time.sleep(100)', p.db + '.lock'], stdout=subprocess.PIPE)
lock.stdout.readline()
start = time.monotonic()
fault('somebody holds the lock', p, 'process %d has held the state for more '
      'than 15 seconds' % lock.pid)
took = time.monotonic() - start
tell(14 < took < 40, 'it waited for so long', took)
waits = p.start('2')
time.sleep(0.5)
tell(waits.poll() is None, 'a run waits for the lock')
lock.kill()
lock.wait()
out = waits.communicate()[0].decode()
tell('was 1\n' in out and waits.returncode == 0,
     'and goes on when it is free', out)

other = subprocess.Popen(
    [sys.executable, '-c', 'import sqlite3, sys, time\n'
     'db = sqlite3.connect(sys.argv[1], isolation_level=None)\n'
     'db.execute("BEGIN EXCLUSIVE")\n'
     'print(flush=True)\n'
     'time.sleep(100)', p.db], stdout=subprocess.PIPE)
other.stdout.readline()
fault('another program has it locked', p, 'another program has it open and '
      r'locked: end that \(fuser tells which\)', was='2')
other.kill()
other.wait()
tell('was 2\n' in p.run('3')[1], 'it has lost nothing')
p.remove()

p = Place()
fault('no picket-store', p, '/nowhere/picket-store: cannot be started; is '
      'Picket installed as a whole',
      more={'PICKET_LIBEXEC': '/nowhere'})
p.remove()
end()
