"""A process storm with all that belongs to it, for the tests of what ends one.

The storm is real: processes named imapd of a user made for the test, a spawner
of another name and user that keeps starting more, an observer that counts the
living in /proc by itself.  The script ends every storm that it sees, so all of
it happens in a machine of its own (tests/deliver/roots.py).
"""

import multiprocessing
import os
import pwd
import re
import subprocess
import sys
import threading
import time

SRCDIR = os.environ.get('SRCDIR', '.')
BUILDDIR = os.environ.get('BUILDDIR', '.')
PICKET = os.environ.get('PICKET', os.path.join(BUILDDIR, 'picket'))
SCRIPT = os.path.join(SRCDIR, 'stdlib-scripts', 'ProcNumChkEmergency.pikt')
NATIVE = os.path.join(SRCDIR, 'stdlib-scripts', 'ProcNumChk.pikt')
TMP = os.environ.get('TMPDIR', '/tmp')
SITE = os.path.join(TMP, 'site')
LOG = os.path.join(TMP, 'log')
MAIL = '/var/mail'
LIMIT = 60		# seconds after which a run hangs
SLOW = 3 if os.environ.get('PICKET_SANITIZERS') else 1

sys.path.insert(0, os.path.join(SRCDIR, 'tests', 'deliver'))
from delivery import Tap		# noqa: E402
import roots			# noqa: E402

ARC = roots.STATE + '/archive'	# where #archive puts copies


def need(*tools):
	"""Ends the test as failed, and says why, where it cannot do its work."""
	def cannot(why):
		print('1..1\nnot ok 1 - a storm can be made here\n#   ' + why)
		sys.exit(1)
	if os.geteuid() != 0:
		cannot('this test makes users, kills their processes and starts '
		       'Postfix: it needs root')
	for t in tools:
		if not any(os.access(os.path.join(d, t), os.X_OK)
			   for d in os.environ['PATH'].split(':') +
			   ['/usr/sbin', '/sbin']):
			cannot(t + ' is not installed')
	for f in ('spawner', 'observer'):
		if not os.path.exists(helper(f)):
			cannot(f + ' is not built')


def helper(name):
	return os.path.join(BUILDDIR, 'tests', 'storm', name)


def start_time(pid):
	"""What tells a process from a later one of the same number."""
	try:
		with open('/proc/%d/stat' % pid, 'rb') as f:
			after = f.read().rpartition(b')')[2].split()
	except OSError:
		return None
	return None if after[0] in b'ZXx' else after[19]


def wait_until(true, seconds=20):
	"""Waits for it; an error if it does not come."""
	end = time.time() + seconds * SLOW
	while not true():
		if time.time() > end:
			raise RuntimeError('it did not come in %g seconds' %
					   (seconds * SLOW))
		time.sleep(0.01)


class User:
	"""A user of this test; the name is longer than ps shows by default."""

	def __enter__(self):
		self.name = 'picketstorm%d' % os.getpid()
		subprocess.run(['useradd', '-M', '-d', '/nonexistent', '-s',
				'/bin/false', self.name], check=True)
		entry = pwd.getpwnam(self.name)
		self.uid, self.gid = entry.pw_uid, entry.pw_gid
		return self

	def __exit__(self, *_):
		subprocess.run(['userdel', self.name], check=True,
			       stderr=subprocess.DEVNULL)


class Helper:
	"""A helper of ours that runs until its standard input is closed."""

	def __init__(self, *argv):
		self.lines = []
		self.process = subprocess.Popen(
		    [str(a) for a in argv], stdin=subprocess.PIPE,
		    stdout=subprocess.PIPE, text=True)
		self.pid = self.process.pid
		self.thread = threading.Thread(target=self.read,
					       daemon=True)
		self.thread.start()

	def read(self):
		for line in self.process.stdout:
			self.lines.append(line.split())

	def stop(self):
		if not self.process.stdin.closed:
			self.process.stdin.close()
		try:
			self.process.wait(20)
		except subprocess.TimeoutExpired:
			self.process.kill()
			self.process.wait()
		self.thread.join()
		self.process.stdout.close()


class Storm:
	"""Processes (uid, gid, name, count); the first kind goes on coming."""

	def __init__(self, rate, *kinds, waits=False):
		self.kinds, self.rate = kinds, rate
		self.options = ['-w'] if waits else []

	def __enter__(self):
		uid, _, name, _ = self.kinds[0]
		self.spawner = Helper(helper('spawner'), *self.options,
				      self.rate,
				      *[x for k in self.kinds for x in k])
		try:
			wait_until(lambda: ['ready'] in self.spawner.lines)
		except RuntimeError:
			self.spawner.stop()
			raise
		self.observer = Helper(helper('observer'), uid, name)
		self.id = start_time(self.spawner.pid)
		wait_until(lambda: self.observer.lines)
		return self

	def __exit__(self, *_):
		self.observer.stop()
		self.spawner.stop()

	def pids(self, kind):
		return [int(l[1]) for l in self.spawner.lines
			if l[0] == 'pid' and int(l[2]) == kind]

	def living(self, kind):
		return [p for p in self.pids(kind) if start_time(p) is not None]

	def blows(self):
		"""Whether the spawner is the one that was started, alive."""
		return start_time(self.spawner.pid) == self.id is not None

	def counts(self):
		"""What the observer saw: (when, how many)."""
		return [(float(t), int(n)) for t, n in list(self.observer.lines)]

	def settle(self):
		"""Waits until the observer has seen what is now."""
		time.sleep(0.1 * SLOW)


def machine():
	"""A machine of its own, for a test that roots.run_each runs: its mail
	and Picket's state are on disk, and a site with a log is there."""
	roots.enter()
	for path in (MAIL, roots.STATE):
		at = os.path.join(TMP, path.replace('/', '_'))
		os.mkdir(at, 0o755)
		os.makedirs(path, exist_ok=True)
		roots.mount(at, path, '', roots.MS_BIND)
	for path in (SITE, LOG):
		os.mkdir(path, 0o700)
	with open(os.path.join(SITE, 'picket.conf'), 'w') as f:
		f.write('mailto systems@localhost\n'
			'mailfrom picket@example.org\n'
			'hostname moscow\n'
			'logdir %s\n' % LOG)


def mailbox(user):
	"""A mailbox of 4 MB."""
	path = os.path.join(MAIL, user.name)
	with open(path, 'wb') as f:
		for i in range(2000):
			f.write(b'From a@example.org Tue Apr 25 00:17:02 2000\n'
				b'Subject: %d\n\n%s\n\n' %
				(i, bytes(range(256)) * 8))
	os.chown(path, user.uid, user.gid)
	os.chmod(path, 0o600)
	return path


def copies(user, folder):
	"""Of the user's mailbox, in the folder."""
	if not os.path.isdir(folder):
		return []
	return [os.path.join(folder, f) for f in os.listdir(folder)
		if re.match(re.escape(user.name) + r'\.[0-9]+(\.[0-9]+)?$', f)]


class Deliverer:
	"""Mail comes into the mailbox all the while, under both locks."""

	def __init__(self, path, pause=0.02):
		self.path, self.pause = path, pause

	def __enter__(self):
		self.helper = Helper(sys.executable, os.path.join(
		    SRCDIR, 'tests', 'storm', 'deliverer'), self.path,
		    self.pause)
		wait_until(lambda: len(self.helper.lines) > 2)
		return self

	def __exit__(self, *_):
		self.helper.stop()

	def sizes(self):
		"""The mailbox's, whenever a message was complete."""
		return [int(l[1]) for l in list(self.helper.lines)
			if l[0] == 'at']


def busy(_):
	wall, cpu = time.perf_counter(), time.process_time()
	while time.perf_counter() - wall < 0.2:
		pass
	return (time.process_time() - cpu) / 0.2


def share():
	"""What one of as many busy processes as there are processors gets of
	one: 1 on a quiet machine, less where others are at work."""
	n = len(os.sched_getaffinity(0))
	with multiprocessing.Pool(n) as pool:
		return min(1, sum(pool.map(busy, range(n))) / n)


class Run:
	"""One run of a script: its status, texts and times."""

	def __init__(self, *argv, script=SCRIPT, under=(), env=None,
		     limit=LIMIT):
		self.start = time.time()
		p = subprocess.run([*under, PICKET, 'run', *argv, script],
				   stdin=subprocess.DEVNULL, env=env,
				   stdout=subprocess.PIPE,
				   stderr=subprocess.PIPE, timeout=limit * SLOW)
		self.end = time.time()
		self.status = p.returncode
		self.out = p.stdout.decode('utf-8', 'replace')
		self.err = p.stderr.decode('utf-8', 'replace')

	def __repr__(self):
		return 'exit %d after %.1f s\n%s%s' % (
		    self.status, self.end - self.start, self.out, self.err)

	def mail(self):
		"""The lines of the script in the mail that it showed."""
		_, _, after = self.out.partition('end imapd storms.\n\n')
		return [l.strip() for l in after.splitlines() if l.strip()]


def tree(folder):
	"""All that lies in it: kind, bytes, times."""
	found = {}
	for path, dirs, files in os.walk(folder):
		for name in dirs + files + ['.']:
			p = os.path.join(path, name)
			st = os.lstat(p)
			text = b''
			if name in files and not os.path.islink(p):
				with open(p, 'rb') as f:
					text = f.read()
			found[p] = (st.st_mode, st.st_uid, st.st_mtime_ns,
				    st.st_ctime_ns, text)
	return found


def killed(lines, kill):
	"""The process numbers in the commands that match."""
	pids = []
	for line in lines:
		m = re.search(kill, line)
		if m:
			pids += [int(x) for x in m.group(1).split()]
	return pids
