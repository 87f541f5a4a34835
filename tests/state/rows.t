#!/usr/bin/env python3
# runner: timeout=240
"""Rows of the state: a batch is there as a whole or not at all, whatever ends
the store; a disk that is full or read-only, and a damaged file."""

import glob
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import end, skip, tell			# noqa: E402

ROWS = os.path.join(os.environ['BUILDDIR'], 'tests/state/rows')
SAN = 'PICKET_SANITIZERS' in os.environ
at = tempfile.mkdtemp()


def rows(db, *args, **env):
    got = subprocess.run([ROWS, db] + [str(a) for a in args],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=dict(os.environ, **env), timeout=100)
    return got.stdout.decode('latin-1') + got.stderr.decode('latin-1')


# --- killed at any time ---

db = os.path.join(at, 'killed', 'state.db')
COUNT = 30
tell(rows(db, 'put', 0, COUNT, 100, 'durable') == 'ok\n', 'a batch')
start = time.monotonic()
for n in range(1, 6):
    rows(db, 'put', n, COUNT, 2000)
usual = (time.monotonic() - start) / 5
random.seed(12345)
TIMES = 60 if SAN else 200
wrong, whole, none, killed = [], 0, 0, 0
for n in range(6, 6 + TIMES):
    p = subprocess.Popen([ROWS, db, 'put', str(n), str(COUNT), '2000'] +
                         ['durable'] * (n % 2), stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    time.sleep(random.random() * usual * 1.2)
    try:
        with open('/proc/%d/task/%d/children' % (p.pid, p.pid)) as f:
            store = [int(k) for k in f.read().split()]
    except OSError:
        store = []
    p.kill()			# first: it would start another store
    for k in store:
        try:
            os.kill(k, signal.SIGKILL)
            killed += 1
        except ProcessLookupError:
            pass
    said = p.communicate()[0].decode()
    got = int(rows(db, 'count', n))
    whole += got == COUNT + 1
    none += got == 0
    if got not in (0, COUNT + 1) or (said == 'ok\n' and got == 0):
        wrong.append((n, said, got))
tell(not wrong, 'the store killed %d times: all of a batch or nothing' % TIMES,
     wrong)
tell(killed > TIMES / 4 and whole > 0 and none > 0,
     'it was killed before and after', killed, whole, none)
tell(all(rows(db, 'count', n) == '%d\n' % (COUNT + 1) for n in range(6)),
     'what was there before still is')

# --- killed at each step of a commit ---

if subprocess.run(['strace', '-o', '/dev/null', 'true'],
                  stderr=subprocess.DEVNULL).returncode == 0 and not SAN:
    libexec = os.path.join(at, 'libexec')
    os.mkdir(libexec)
    real = os.path.join(os.environ['PICKET_LIBEXEC'], 'picket-store')
    KILLER = '#!/bin/sh\nexec strace -o /dev/null -e trace="$CALLS" -e ' \
        'inject="$CALLS":signal=SIGKILL:when="$WHEN" %s\n' % real
    with open(os.path.join(libexec, 'picket-store'), 'w') as f:
        f.write(KILLER)
    os.chmod(f.name, 0o755)
    CALLS = 'pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename,openat,' \
        'fcntl,sendto'
    step = 1 if 'PICKET_LONG' in os.environ else 3

    def stepwise(what, make, act, check):
        """Act is done with its store killed before each step in turn."""
        wrong, steps = [], 0
        for when in range(1, 500, step):
            folder = tempfile.mkdtemp(dir=at)
            db = os.path.join(folder, 'state.db')
            make(db)
            said = rows(db, *act, PICKET_LIBEXEC=libexec, CALLS=CALLS,
                        WHEN=str(when))
            why = check(db, said)
            if why:
                wrong.append((when, said, why))
            steps += 1
            if said == 'ok\n':
                break
        tell(not wrong and said == 'ok\n' and steps > 5,
             '%s, killed at each of its steps' % what, steps, wrong, said)

    def both(db, said):
        got = int(rows(db, 'count', 7))
        before = rows(db, 'count', 1)
        if got not in (0, 11) or (said == 'ok\n' and got == 0) or \
                (said[:6] == 'failed' and got != 0) or before != '3\n':
            return got, before

    # what is durable is on the disk before it is so by being closed
    db = os.path.join(at, 'durable', 'state.db')
    rows(db, 'put', 1, 1, 1)
    syncs = []
    for word in ['plain'], ['durable']:
        log = os.path.join(at, 'syncs')
        with open(os.path.join(libexec, 'picket-store'), 'w') as f:
            f.write('#!/bin/sh\nexec strace -y -o %s -e trace=fsync,fdatasync '
                    '%s\n' % (log, real))
        rows(db, 'put', 2, 1, 1, *word, PICKET_LIBEXEC=libexec)
        syncs.append(open(log).read().count('state.db-wal>'))
    tell(0 < syncs[0] < syncs[1], 'a durable commit syncs the journal', syncs)
    with open(os.path.join(libexec, 'picket-store'), 'w') as f:
        f.write(KILLER)

    stepwise('a commit', lambda db: rows(db, 'put', 1, 2, 10),
             ('put', 7, 10, 100, 'durable'), both)
else:
    skip('killed at each step', 'needs strace, and a store without sanitizers')

# --- damaged ---

db = os.path.join(at, 'damaged', 'state.db')
rows(db, 'put', 1, 400, 1000)
size = os.path.getsize(db)
with open(db, 'r+b') as f:
    f.seek(8192)
    f.write(b'\xa5' * (size - 8192))
bad = open(db, 'rb').read()
said = rows(db, 'put', 2, 3, 10)
tell(re.fullmatch(r"note: \S+/state\.db: the state's file is damaged: it is "
                  r"kept as \S+\.corrupt\.\d+T\d+Z and begun anew; saved: .*\nok\n",
                  said), 'a damaged file: it is said, and the batch is taken',
     said)
tell([open(n, 'rb').read() for n in glob.glob(db + '.corrupt.*')] == [bad],
     'and kept', os.listdir(os.path.dirname(db)))
tell(rows(db, 'count', 2) == '4\n', 'what was committed is in the new one')

# --- disks ---

if subprocess.run(['unshare', '-m', 'true'], stderr=subprocess.DEVNULL
                  ).returncode == 0:
    def mounted(what, text, *want):
        folder = tempfile.mkdtemp(dir=at)
        got = subprocess.run(['unshare', '-m', 'sh', '-c', text, 'sh', ROWS,
                              folder], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        lines = got.stdout.decode('latin-1').split('\n')[:-1]
        tell(len(lines) == len(want) and all(
            re.fullmatch(w, t) for w, t in zip(want, lines)), what,
            got.stdout.decode('latin-1'))

    FULL = 'failed: .*: the disk is full: nothing was changed; make room there'
    mounted('a full disk', '''
        mount -t tmpfs -o size=1m tmpfs "$2" || exit
        "$1" "$2/state.db" put 1 10 100 durable
        "$1" "$2/state.db" put 2 100 50000 durable
        "$1" "$2/state.db" put 3 100 50000
        "$1" "$2/state.db" count 2
        "$1" "$2/state.db" count 1
        "$1" "$2/state.db" put 4 10 100 durable
        "$1" "$2/state.db" count 4''',
            'ok', FULL, FULL, '0', '11', 'ok', '11')
    mounted('no byte free', '''
        mount -t tmpfs -o size=1m tmpfs "$2" || exit
        "$1" "$2/state.db" put 1 10 100 durable
        dd if=/dev/zero of="$2/fill" bs=4k 2>/dev/null
        "$1" "$2/state.db" put 2 10 100 durable
        "$1" "$2/state.db" count 1
        "$1" "$2/state.db" count 2
        rm "$2/fill"
        "$1" "$2/state.db" put 2 10 100 durable''',
            'ok', FULL, '11', '0', 'ok')
    mounted('a read-only file system', '''
        "$1" "$2/state.db" put 1 10 100 durable
        mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" || exit
        "$1" "$2/state.db" put 2 10 100
        "$1" "$2/state.db" count 1''',
            'ok', 'failed: .*: cannot be written: .*: Read-only file system: '
            'make its folder and file system writable', '11')
else:
    skip('full and read-only disks', 'needs a mount namespace (unshare -m)')

db = os.path.join(at, 'dry', 'state.db')
tell(rows(db, 'put', 1, 1, 1, ROWS_READ_ONLY='1') ==
     'failed: a dry run keeps nothing\n' and not os.path.exists(db),
     'a dry run')
subprocess.run(['rm', '-rf', at])
end()
