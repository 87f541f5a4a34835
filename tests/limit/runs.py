"""Runs of small scripts, and all that they must have said: for the tests of
faults and limits.  Each is named T; folder and log are the test's own.
"""

import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'), 'tests',
				'deliver'))
from delivery import Tap					# noqa: E402

PICKET = os.environ['PICKET']
PEAK = os.path.join(os.environ['BUILDDIR'], 'tests', 'limit', 'peak')
SANITIZED = bool(os.environ.get('PICKET_SANITIZERS'))
SLOW = 3 if SANITIZED else 1
MIB = 1024		# KiB, as getrusage counts
LIMIT = 60 * SLOW	# seconds: this hangs
tap = Tap()
os.chdir(os.environ.get('TMPDIR', '/tmp'))
os.environ['XDG_STATE_HOME'] = os.getcwd()
LOG = 'picket/log/run.log'


class Run:
	"""picket run of a script named T; then what came of it."""

	def __init__(self, script):
		with open('T.pikt', 'w') as f:
			f.write('T' + script)
		if os.path.exists(LOG):
			os.unlink(LOG)
		start = time.monotonic()
		with open('out', 'wb') as out, open('err', 'wb') as err:
			self.process = subprocess.Popen(
			    [PEAK, 'peak', PICKET, 'run', '--mail', 'stdout',
			     'T.pikt'], stdin=subprocess.DEVNULL, stdout=out,
			    stderr=err)
		self.begin()
		try:
			self.status = self.process.wait(LIMIT)
		except subprocess.TimeoutExpired:
			self.process.terminate()
			self.status = self.process.wait()
		self.seconds = time.monotonic() - start
		with open('peak') as f:
			self.rss = int(f.read())
		with open('out', 'rb') as f:
			self.out = f.read().decode('utf-8', 'replace')
		with open('err', 'rb') as f:
			self.err = f.read().decode('utf-8', 'replace')
		_, _, mail = self.out.partition('\n    T\n\n')
		self.mail = [l[8:] for l in mail.splitlines() if l]
		self.log = ''
		if os.path.exists(LOG):
			with open(LOG, encoding='utf-8', errors='replace') as f:
				self.log = f.read()

	def begin(self):
		pass

	def __repr__(self):
		return 'exit %d after %.1f s, %d KiB\n%s%s' % (
		    self.status, self.seconds, self.rss, self.out, self.err)


def case(name, script, mail, err, status=None, seconds=10, mib=20):
	"""A run, and all that it must have said."""
	r = script if isinstance(script, Run) else Run(script)
	said = ''.join('picket: %s\n' % l for l in err)
	bad = any(l.startswith('ERROR: T: the run ends') for l in err)
	tap.eq(r.status, status if status is not None else int(bad),
	       name + ': exit status')
	tap.eq(r.mail, mail, name + ': the mail')
	tap.eq(r.err, said, name + ': the messages')
	tap.ok(r.seconds < seconds + (SLOW - 1) * 5,
	       '%s: within %g s' % (name, seconds), r)
	if not SANITIZED:	# their shadow is larger
		tap.ok(r.rss < mib * MIB, '%s: below %d MiB' % (name, mib), r)
	# the log has the same, with date, host and process before it
	lines = [re.sub(r'^.*?\[(ERROR|WARNING)\] \(T\) ', r'\1: T: ', l)
		 for l in r.log.splitlines()
		 if '] [ERROR] ' in l or ']: [ERROR] ' in l or
		 ']: [WARNING] ' in l]
	want = [l for l in err if l.startswith(('ERROR', 'WARNING'))]
	tap.eq([l for l in lines if not l.startswith('WARNING: T: | ')],
	       [l for l in want if not l.startswith('WARNING: T: | ')],
	       name + ': the log')
	return r


def alive(pid, comm=None):
	"""Whether it is there, no zombie, and has that name."""
	try:
		with open('/proc/%d/stat' % pid) as f:
			text = f.read()
	except OSError:
		return False
	_, _, after = text.rpartition(')')
	name = text[text.index('(') + 1:text.rindex(')')]
	return after.split()[0] not in 'ZX' and comm in (None, name)


def number(path):
	try:
		with open(path) as f:
			return int(f.read())
	except (OSError, ValueError):
		return 0


def end(pid, comm):
	if pid > 1 and alive(pid, comm):
		os.kill(pid, signal.SIGKILL)
