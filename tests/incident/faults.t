#!/usr/bin/env python3
# runner: timeout=600
"""What the state's file is in trouble with: a disk that is full, or full to the
last byte, read-only, a damaged file, another program that locks it, a clock
that is a year wrong.  Mail of a new onset goes out all the same, the fault is
told of by mail with what to do, nothing is deleted, and when the fault is over
each incident ends with one end notice and the mail that waited is sent, once.

What is told again, as there is no way to remember that it was told:
  - while nothing can be written, each run tells again of what has begun since,
    and of the fault; and once more when it is over: that is the time when it
    is known for good;
  - while nothing can be read either (a store that hangs and has the lock), each
    run tells of all that fires as new, also of what is silenced;
  - a clock that was set back: nothing.
"""

import glob
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import tap

PICKET = os.environ['PICKET']
T0 = 1700000000
YEAR = 365 * 86400

# file systems of its own, if that can be had
if 'PICKET_INNER' not in os.environ and subprocess.run(
        ['unshare', '-m', 'true'], stderr=subprocess.DEVNULL).returncode == 0:
    os.environ['PICKET_INNER'] = '1'
    os.execvp('unshare', ['unshare', '-m', sys.executable, __file__])
MOUNTS = 'PICKET_INNER' in os.environ

SCRIPT = '''Watch
	init
		level urgent
		task "Three things to look at."
	begin
		if %n > 0
			set #n = %n + 1
		else
			set #n = 1
		fi
		incident "one:a"
			when	#value($env("A")) == 1
			message	"the first thing"
		endincident
		incident "two:b"
			when	#value($env("B")) == 1
			message	"the second thing"
		endincident
		incident "quiet:c"
			when	#value($env("C")) == 1
			message	"the silenced thing"
		endincident
Report
	init
		level info
		task "Says something."
	begin
		output mail "a report, number $env("N")"
'''
ALERTS = '''Watching
	timing * * * * *
	alarms
		Watch
Reporting
	timing 0 * * * *
	alarms
		Report
'''


class Site:
    def __init__(self, mount):
        self.at = tempfile.mkdtemp()
        self.box = self.at + '/box'
        self.state = self.at + '/st'
        self.folder = self.state + '/picket'
        os.makedirs(self.folder)
        if mount:
            subprocess.check_call(['mount', '-t', 'tmpfs', '-o', 'size=1m',
                                   'tmpfs', self.folder])
        self.mounted = mount
        self.write('alarms.cfg', SCRIPT)
        self.write('alerts.cfg', ALERTS)
        self.mail_works(True)
        self.now = T0
        self.all = []
        self.env = dict(A='0', B='0', C='0', N='0')

    def write(self, name, text):
        with open(os.path.join(self.at, name), 'w') as f:
            f.write(text)
        os.chmod(os.path.join(self.at, name), 0o600)

    def mail_works(self, works):
        self.write('picket.conf', 'mailto ops@example.org\nhostname moscow\n'
                   'logdir %s/log\nfile %s\n' % (
                       self.at, self.box if works else self.at + '/no/box'))

    def run(self, *words):
        p = subprocess.run(
            [PICKET, words[0], '--config', self.at, *words[1:]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=200,
            env=dict(os.environ, XDG_STATE_HOME=self.state, NO_COLOR='1',
                     TZ='UTC', PICKET_CLOCK=str(self.now), **self.env))
        return p.stdout.decode('latin-1')

    def mail(self):
        """The mails since the last look."""
        got = []
        if os.path.exists(self.box):
            with open(self.box, encoding='latin-1') as f:
                got = re.split(r'^From ', f.read(), flags=re.M)[1:]
            os.unlink(self.box)
        self.all += got
        return got

    def later(self, seconds, *words):
        self.now += seconds
        out = self.run(*words)
        return out, self.mail()

    def files(self):
        got = {}
        for root, _, names in os.walk(self.folder):
            for n in names:
                with open(os.path.join(root, n), 'rb') as f:
                    got[os.path.join(root, n)] = f.read()
        return got

    def sql(self, text):
        con = sqlite3.connect(self.folder + '/state.db')
        rows = con.execute(text).fetchall()
        con.close()
        return rows

    def remove(self):
        if self.mounted:
            subprocess.call(['umount', self.folder])
        shutil.rmtree(self.at, ignore_errors=True)


def count(mails, text):
    """In their bodies: a mail of one change has it in its subject, too."""
    return sum(m.split('\n\n', 1)[1].count(text) for m in mails)


def begin(what, mount=False):
    """An open incident, mail that waits, a silence that holds, values."""
    s = Site(mount)
    s.env['A'] = s.env['C'] = '1'
    s.run('silence', 'quiet:*', '--for', '3d', '--why', 'known')
    out, mail = s.later(60, 'run', 'Watching')
    ok = count(mail, '[firing] the first thing') == 1 and len(mail) == 1
    s.mail_works(False)
    s.env['N'] = '77'
    out, waits = s.later(60, 'run', 'Reporting')
    s.mail_works(True)
    tap.tell(ok and not waits and len(s.sql(
        'SELECT 1 FROM outbox WHERE state = 0')) == 1 and len(s.sql(
            'SELECT 1 FROM incident WHERE state = 2')) == 2,
        what + ': an open incident, a silent one, and mail that waits', out,
        *mail)
    s.was = s.files()
    return s


def during(s, what, fault, does, onset=True, again=True):
    """Two runs with a new onset in the first, while the fault is there."""
    s.env['B'] = '1'
    out, mail = s.later(60, 'run', 'Watching')
    tap.tell(count(mail, '[firing] the second thing') == 1,
             what + ': mail of a new onset goes out', out, *mail)
    text = re.sub(r'\s+', ' ', ' '.join(mail)).replace('= ', '')
    tap.tell(re.search(fault, text) is not None and
             re.search(does, text) is not None and "The state's file." in text,
             what + ': the fault is told of by mail, and what to do', out,
             *mail)
    more = s.later(60, 'run', 'Watching')[1]
    tap.tell(count(more, '[firing] the second thing') == again and
             count(mail + more, '[resolved') == 0,
             what + ': the next run', *more)
    return mail + more


def after(s, what, told_again):
    """The fault is gone."""
    out, mail = s.later(7200, 'run', 'Watching')
    tap.tell(count(mail, '[firing] the second thing') == told_again and
             count(mail, 'the silenced thing') == 0 and
             count(mail, '[firing] the first thing') == 0 and
             count(mail, '[resolved') == 0,
             what + ': over: what began in it is told of %d times' %
             told_again, out, *mail)
    tap.tell(count(s.all, 'a report, number 77') == 1,
             what + ': the mail that waited was sent, once', out, *s.all)
    s.env['A'] = s.env['B'] = s.env['C'] = '0'
    s.later(60, 'run', 'Watching')
    s.later(60, 'run', 'Watching')
    s.later(60, 'deliver')
    end = ' '.join(m.split('\n\n', 1)[1] for m in s.all)
    tap.tell([len(re.findall(r'\[resolved[^]]*\] the %s thing' % t, end))
              for t in ('first', 'second', 'silenced')] == [1, 1, 0],
             what + ': each that was told of ends, once', *s.all)
    n = s.sql("SELECT CAST(text AS TEXT) FROM value WHERE name = x'236e'")
    tap.tell(len(n) == 1 and int(n[0][0]) >= 4,
             what + ': values went on', n)
    left = s.sql('SELECT state, why FROM outbox')
    tap.tell(not left, what + ': nothing is left to send', left)


def same(s, what, but=()):
    now = s.files()
    lost = [n for n in s.was if now.get(n) != s.was[n] and
            not n.endswith('.lock') and os.path.basename(n) not in but]
    tap.tell(not lost, what + ': nothing is deleted or changed', lost,
             sorted(now))


if MOUNTS:
    for what, leaves in (('a full disk', 8192), ('not a byte free', 0)):
        s = begin(what, True)
        with open(s.folder + '/fill', 'wb', buffering=0) as f:
            try:
                while True:
                    f.write(b'x' * 4096)
            except OSError:
                pass
            if leaves:
                f.truncate(f.tell() - leaves)
        during(s, what, 'disk is full', 'make room there')
        same(s, what)
        os.unlink(s.folder + '/fill')
        after(s, what, 1)
        s.remove()
    what = 'read-only'
    s = begin(what, True)
    subprocess.check_call(['mount', '-o', 'remount,ro', s.folder])
    during(s, what, 'Read-only file system|read-only',
           'make its folder and file system writable')
    same(s, what)
    subprocess.check_call(['mount', '-o', 'remount,rw', s.folder])
    after(s, what, 1)
    s.remove()
else:
    tap.skip('full and read-only disks', 'needs a mount namespace')

what = 'a damaged file'
s = begin(what)
root = s.sql("SELECT rootpage FROM sqlite_master WHERE name = 'history'")[0][0]
with open(s.folder + '/state.db', 'r+b') as f:
    f.seek((root - 1) * 4096)
    f.write(b'\xa5' * 4096)
s.was = s.files()
during(s, what, r'file is damaged: it is kept as \S+\.corrupt\.\S+ and begun '
       'anew; saved: 2 open incidents', 'could not be read as a whole: the '
       'history of incidents', again=False)
kept = [k for k in glob.glob(s.folder + '/state.db.corrupt.*')]
tap.tell(len(kept) == 1 and open(kept[0], 'rb').read() ==
         s.was[s.folder + '/state.db'], what + ': it is kept', kept)
same(s, what, ('state.db',))
after(s, what, 0)
tap.tell(count(s.all, "The state's file.") == 1, what + ': told of once')
s.remove()

HOLDER = {
    'locked by another program':
    'import sqlite3, sys, time\n'
    'db = sqlite3.connect(sys.argv[1], isolation_level=None)\n'
    'db.execute("BEGIN EXCLUSIVE")\n',
    'a store that hangs':
    'import fcntl, sys, time\n'
    'f = open(sys.argv[1] + ".lock", "r+")\n'
    'fcntl.lockf(f, fcntl.LOCK_EX)\n'}
for what, text in HOLDER.items():
    s = begin(what)
    other = subprocess.Popen(
        [sys.executable, '-c', text + 'print(flush=True)\ntime.sleep(500)',
         s.folder + '/state.db'], stdout=subprocess.PIPE)
    other.stdout.readline()
    start = time.monotonic()
    if what.startswith('locked'):	# that can be read
        mail = during(s, what, 'another program has it open and locked',
                      'end that')
        news = 0
    else:
        mail = during(s, what, 'process %d has held the state for more than '
                      '15 seconds' % other.pid, 'wait for it, or end it')
        news = 2
    took = time.monotonic() - start
    tap.tell(took < 150 and count(mail, '[firing] the first thing') == news and
             count(mail, '[firing] the silenced thing') == news,
             what + ': what is not known counts as new', took, *mail)
    other.kill()
    other.wait()
    same(s, what, ('state.db-shm', 'state.db-wal'))
    after(s, what, 1)
    s.remove()

what = 'a clock set back a year'
s = begin(what)
s.now -= YEAR
s.env['B'] = '1'
out, mail = s.later(60, 'run', 'Watching')
tap.tell(count(mail, '[firing] the second thing') == 1 and
         count(mail, '[firing] the first thing') == 0 and
         count(mail, '[resolved') == 0, what + ': mail of a new onset goes '
         'out', out, *mail)
more = s.later(60, 'run', 'Watching')[1]
tap.tell(count(more, '[firing]') == 0, what + ': once', *more)
s.now += YEAR
after(s, what, 0)
s.remove()
tap.end()
