"""A log that a writer keeps filling with numbered lines, real logrotate over
it, and picket between: for tests of input logfile.
"""

import bz2
import glob
import gzip
import lzma
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'), 'tests',
				'deliver'))
from delivery import Tap					# noqa: E402

PICKET = os.environ['PICKET']
LONG = bool(os.environ.get('PICKET_LONG'))
SANITIZED = bool(os.environ.get('PICKET_SANITIZERS'))
LOGROTATE = shutil.which('logrotate', path='/usr/sbin:/usr/bin:/sbin:/bin')

# Appends numbered lines until it is told to end; a HUP has it open the log
# again.  argv: log, first number, pause between bursts
WRITER = r'''
import os, random, signal, sys, time
path, n, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
again = [True]
signal.signal(signal.SIGHUP, lambda *a: again.__setitem__(0, True))
end = []
signal.signal(signal.SIGTERM, lambda *a: end.append(1))
fd = -1
while not end:
	if again[0] or not hold:
		again[0] = False
		if fd != -1:
			os.close(fd)
		try:
			fd = os.open(path, os.O_WRONLY | os.O_APPEND |
			    os.O_CREAT, 0o644)
		except OSError:
			fd = -1
			time.sleep(pause)
			continue
	for i in range(random.randrange(1, 20)):
		t = b'%08d %s\n' % (n, b'x' * random.randrange(0, 200))
		if random.random() < .1:	# in two pieces
			k = random.randrange(len(t))
			os.write(fd, t[:k])
			time.sleep(pause / 4)
			os.write(fd, t[k:])
		else:
			os.write(fd, t)
		n += 1
	time.sleep(pause * random.random())
print(n)
'''


def whole_lines(data):
	"""The numbers of the lines that have their newline."""
	return [int(l[:8]) for l in data.split(b'\n')[:-1]
		if len(l) >= 9 and l[:8].isdigit() and l[8:9] == b' ']


def unpacked(path):
	with open(path, 'rb') as f:
		data = f.read()
	if path.endswith('.gz'):
		return gzip.decompress(data)
	if path.endswith('.bz2'):
		return bz2.decompress(data)
	if path.endswith('.xz'):
		return lzma.decompress(data)
	if path.endswith('.zst'):
		return subprocess.run(['zstd', '-dcq', path], check=True,
				      stdout=subprocess.PIPE).stdout
	return data


class Log:
	"""A folder with a log in it; picket reads it by a script of its own."""

	def __init__(self, name, options='', log='app.log', bakfile=None,
		     hold=False, filter=None, first='from start', pause=.002,
		     extra=''):
		self.dir = os.path.join(os.getcwd(), name)
		shutil.rmtree(self.dir, ignore_errors=True)
		os.makedirs(self.dir)
		os.chmod(self.dir, 0o755)
		self.path = os.path.join(self.dir, log)
		self.hold, self.pause = hold, pause
		self.seen, self.reported, self.again = set(), [], set()
		self.written = 0
		self.writer = None
		self.err = ''
		self.pikt = os.path.join(self.dir, 'L.pikt')
		with open(self.pikt, 'w') as f:
			f.write('L\n\tinit\n\t\tinput logfile "%s"%s %s\n%s%s'
				'\trule\n\t\toutput $inline\n' % (
				self.path, ' "%s"' % bakfile if bakfile else
				'', first, '\t\tfilter "%s"\n' % filter
				if filter else '', extra))
		self.conf = os.path.join(self.dir, 'conf')
		with open(self.conf, 'w') as f:
			f.write('"%s" {\n\tsize 1\n\tmissingok\n%s\n}\n' % (
			    self.path, '\n'.join('\t' + o.strip()
			    for o in options.split(','))))
		os.chmod(self.conf, 0o644)

	def start(self):
		self.writer = subprocess.Popen([sys.executable, '-c',
		    'hold = %r\n' % self.hold + WRITER, self.path,
		    str(self.written), str(self.pause)],
		    stdout=subprocess.PIPE)

	def stop(self):
		if self.writer:
			self.writer.terminate()
			self.written = int(self.writer.communicate()[0])
			self.writer = None

	def write(self, n, end='\n'):
		"""n lines by ourselves."""
		with open(self.path, 'a') as f:
			for i in range(n):
				f.write('%08d line%s' % (self.written,
				    end if i == n - 1 else '\n'))
				self.written += 1

	def rotate(self, check=True, kill=None):
		"""kill: SIGKILL after so many seconds."""
		p = subprocess.Popen([LOGROTATE, '-f', '-s',
		    os.path.join(self.dir, 'status'), self.conf],
		    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
		if kill is not None:
			time.sleep(kill)
			p.kill()
		said = p.communicate()[0]
		if check and p.returncode:
			raise RuntimeError(said.decode())
		if self.hold and self.writer:
			self.writer.send_signal(signal.SIGHUP)

	def settle(self):
		"""Waits until no program has a file of the folder open: a gzip
		goes on after the logrotate that started it was killed, and what
		it makes would be whole only after the last run."""
		while True:
			for link in glob.glob('/proc/[0-9]*/fd/*'):
				try:
					if os.readlink(link).startswith(
					    self.dir + '/'):
						break
				except OSError:
					pass	# gone, or another user's
			else:
				return
			time.sleep(.01)

	def files(self):
		base = os.path.basename(self.path)
		stem = base.rsplit('.', 1)[0]
		return [f for f in glob.glob(glob.escape(self.dir) + '/**',
			recursive=True) if os.path.isfile(f) and
			os.path.basename(f).startswith(stem)]

	def look(self):
		"""What is in the files now must be reported."""
		for f in self.files():
			try:
				self.seen.update(whole_lines(unpacked(f)))
			except (EOFError, OSError):
				pass	# half packed: logrotate was killed

	def command(self):
		return [PICKET, 'run', '--color', 'never', self.pikt]

	def env(self):
		return dict(os.environ, XDG_STATE_HOME=self.dir + '/.state',
			    TMPDIR=self.dir)

	def run(self, ok=True):
		"""One run; the numbers of its lines."""
		r = subprocess.run(self.command(), stdin=subprocess.DEVNULL,
				   stdout=subprocess.PIPE,
				   stderr=subprocess.PIPE, env=self.env())
		self.err = r.stderr.decode('utf-8', 'replace')
		# whatever a log may be like: no signal, nor what sanitizers find
		if r.returncode < 0 or 'Sanitizer' in self.err or \
		    'runtime error' in self.err:
			raise RuntimeError('exit %d: %s' % (r.returncode,
							    self.err))
		if ok and (r.returncode or self.err):
			raise RuntimeError('exit %d: %s' % (r.returncode,
							    self.err))
		got = whole_lines(r.stdout)
		self.reported += got
		return got

	def killed_run(self, after):
		p = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
				     stdout=subprocess.PIPE,
				     stderr=subprocess.PIPE, env=self.env())
		time.sleep(after)
		p.kill()
		out = p.communicate()[0]
		self.again.update(whole_lines(out))

	def check(self, when):
		"""Every line that was in a file when it was looked at."""
		lost = self.seen - set(self.reported) - self.again
		if lost:
			raise RuntimeError('%s: lost %s\n%s' % (when,
			    sorted(lost)[:10], '\n'.join('%s %d %d %s' % (f,
			    os.stat(f).st_ino, os.stat(f).st_size,
			    whole_lines(unpacked(f))[:1])
			    for f in sorted(self.files()))))

	def wrong(self):
		"""Why not every line was reported exactly once; empty if so."""
		once, twice = set(), set()
		for n in self.reported:
			(twice if n in once else once).add(n)
		lost = self.seen - once - self.again
		made = once - set(range(self.written))
		return '; '.join('%s: %d, %s' % (what, len(s), sorted(s)[:10])
		    for what, s in (('lost', lost), ('twice', twice),
		    ('never written', made)) if s)
