#!/usr/bin/env python3
# runner: timeout=180
"""The runaway router, for real: a program that works through a queue folder and
dies of one message, every time, and is started again at once; and the same
with a message at which it sits at its memory limit for ever, and one at which
it waits for ever.  CrashLoop moves each aside after three deaths, there is one
try more at most, and the other messages go through.  A minute between two looks
is a fraction of a second here: PICKET_CLOCK."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import PICKET, SLOW, SRCDIR, TMP, Tap, helper	# noqa: E402

LIB = os.path.join(SRCDIR, 'stdlib-scripts')
T0 = int(time.time())
DEATHS = 3
BAD = "1-$(touch PWN);'x"
LOOKS = 60		# at most, of one message
tap = Tap()


class Router:
	"""A queue, and a router that is started again whenever it ends."""

	def __init__(self, name, mebibytes=64):
		self.top = os.path.join(TMP, name)
		self.queue, self.done, self.deferred, self.state = (
		    os.path.join(self.top, d)
		    for d in ('queue', 'done', 'deferred', 'state'))
		for d in (self.top, self.queue, self.done, self.deferred,
			  self.state):
			os.mkdir(d, 0o700)
		self.log = os.path.join(self.top, 'log')
		# a name of its own: what is done to it is done to no other
		self.name = 'router%d' % (os.getpid() % 100000)
		self.program = os.path.join(self.top, self.name)
		shutil.copy(helper('router'), self.program)
		self.mebibytes = mebibytes
		self.process = None
		self.deaths, self.clock, self.stopped = [], 0, False
		self.mails = ''

	def put(self, name, text):
		with open(os.path.join(self.queue, '.' + name), 'w') as f:
			f.write(text)
		os.rename(f.name, os.path.join(self.queue, name))

	def __enter__(self):
		self.thread = threading.Thread(target=self.supervise)
		self.thread.start()
		while self.process is None:
			time.sleep(0.01)
		return self

	def __exit__(self, *_):
		self.stopped = True
		while self.thread.is_alive():
			self.process.kill()
			self.thread.join(0.1)

	def supervise(self):
		with open(self.log, 'ab') as log:
			while not self.stopped:
				self.process = subprocess.Popen(
				    [self.program, self.queue, self.done,
				     str(self.mebibytes)], stdout=log, stderr=log)
				self.process.wait()
				self.deaths.append(time.time())

	def lines(self, word):
		"""The names of what it has taken, or done."""
		with open(self.log) as f:
			return re.findall(r'^router\[\d+\]: %s (.*)$' % word,
					  f.read(), re.M)

	def look(self, *options, script='CrashLoop'):
		"""A run of the script, a minute after the last one."""
		self.clock += 60
		self.looked = time.time()
		p = subprocess.run(
		    [PICKET, 'run', '--mail', 'stdout', '-D', 'doexec',
		     '-M', 'crashloop_queue=' + self.queue,
		     '-M', 'crashloop_deferred=' + self.deferred,
		     '-M', 'crashloop_deaths=%d' % DEATHS,
		     '-M', 'crashloop_workers=' + self.name,
		     '-M', 'crashlog_file=' + self.log,
		     '-M', 'procmem_list=%s:64:0' % self.name, *options,
		     os.path.join(LIB, script + '.pikt')],
		    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
		    stderr=subprocess.STDOUT, text=True, errors='replace',
		    timeout=60 * SLOW,
		    env=dict(os.environ, PICKET_CLOCK=str(T0 + self.clock),
			     XDG_STATE_HOME=self.state))
		if p.returncode != 0 or 'picket: ERROR' in p.stdout:
			self.mails += 'exit %d\n' % p.returncode
		self.mails += p.stdout
		return p.stdout

	def moved(self, path, *options, pause=0.1, script='CrashLoop'):
		"""Looks until it was moved aside; how many looks that took."""
		for i in range(1, LOOKS + 1):
			if 'moved %s to ' % path in self.look(
			    *options, script=script):
				return i
			time.sleep(pause)
		return None

	def limit(self):
		"""The soft limit of its address space."""
		try:
			with open('/proc/%d/limits' % self.process.pid) as f:
				m = re.search(r'Max address space +(\d+)',
					      f.read())
				return m and int(m.group(1))
		except OSError:
			return None

	def empty(self):
		until = time.time() + 20 * SLOW
		while os.listdir(self.queue) and time.time() < until:
			time.sleep(0.02)
		return not os.listdir(self.queue)


def aside(router, what, name, text, good, looks):
	"""What has to be true once the message was moved aside."""
	path = os.path.join(router.queue, name)
	m = re.search(r'moved %s to (.+): it was in hand at (\d+) deaths'
		      % re.escape(path), router.mails)
	if not tap.ok(looks and m, what + ': moved aside after %d deaths' %
		      DEATHS, router.mails):
		return None
	tap.eq(int(m.group(2)), DEATHS, what + ': so many were counted')
	with open(m.group(1)) as f:
		tap.eq(f.read(), text, what + ': the copy has its bytes')
	tap.eq([f for f in os.listdir(router.deferred) if f[0] != '.'],
	       [os.path.basename(m.group(1))], what + ': and is alone there')
	tap.ok(router.empty(), what + ': the other messages go through',
	       os.listdir(router.queue))
	tap.eq(sorted(os.listdir(router.done)), sorted(good),
	       what + ': all of them, and none else')
	tap.ok('exit ' not in router.mails, what + ': no look failed',
	       router.mails)
	return m.group(1)


def crash():
	router = Router('crash')
	good = ['2-%02d' % i for i in range(20)]
	bad = 'crash: a malformed address (((\n'
	for name in good:
		router.put(name, 'good\n')
	router.put(BAD, bad)
	with router:
		start = time.time()
		looks = router.moved(os.path.join(router.queue, BAD))
		took, since = time.time() - start, router.looked
		copy = aside(router, 'dies', BAD, bad, good, looks)
		deaths = [t for t in router.deaths]
		tap.ok(len([t for t in deaths if t > since + took]) <= 1,
		       'dies: one try more at most', deaths)
		print('# dies of one message: %d deaths, moved aside after %d '
		      'looks, %.1f s' % (len(deaths), looks or -1, took))

		# what the mail says puts it back: one try, and then no other
		if copy:
			m = re.search(r'to have it tried once more: (.*)$',
				      router.mails, re.M)
			subprocess.run(['sh', '-c', m.group(1)], check=True)
			router.mails = ''
			router.put('3-more', 'good\n')
			again = router.moved(os.path.join(router.queue,
							  BAD))
			tap.ok('at 1 deaths since it was put back' in
			       router.mails, 'put back: moved aside at the '
			       'first death', router.mails)
			tap.ok(router.empty() and os.path.exists(os.path.join(
			    router.done, '3-more')), 'put back: the other one '
			    'goes through')
			print('# put back: moved aside after %d looks, %d deaths '
			      'more' % (again or -1,
					len(router.deaths) - len(deaths)))
	tap.ok(not os.path.exists('PWN'), 'a hostile name is only a name')


def refused():
	"""Nothing is moved to where others can write; it is told of, once."""
	router = Router('refused')
	os.chmod(router.deferred, 0o777)
	router.put('1-bad', 'crash\n')
	with router:
		tap.ok(any('[firing]' in router.look()
			   for _ in range(LOOKS)), 'refused: told of',
		       router.mails)
		tap.ok(re.search(r'1-bad was in hand at 3 deaths, .*; COULD NOT '
				 'MOVE it: .*everybody can write', router.mails),
		       'refused: and why', router.mails)
		router.mails = ''
		router.look()
		tap.ok('firing' not in router.mails and os.path.exists(
		    os.path.join(router.queue, '1-bad')),
		       'refused: once, and the file stays', router.mails)
		os.chmod(router.deferred, 0o700)
		router.moved(os.path.join(router.queue, '1-bad'))
		tap.ok('[resolved' in router.mails and
		       len(os.listdir(router.deferred)) > 0,
		       'refused: moved when the folder is in order',
		       router.mails)


def innocent():
	"""Workers that die for another reason: no file is to blame."""
	router = Router('innocent')
	names = ['2-%03d' % i for i in range(60)]
	for name in names:
		router.put(name, 'good\n')
	with router:
		done = 0
		for _ in range(2 * DEATHS):
			# what was in hand at the last death has gone through
			while len(router.lines('done')) < done + 2:
				time.sleep(0.005)
			router.look()
			done = len(router.lines('done'))
			router.process.kill()
		router.look()
		tap.ok(router.empty(), 'innocent: all go through')
	tap.ok('moved' not in router.mails and not
	       os.listdir(router.deferred), 'innocent: none is moved aside',
	       router.mails)


def logged():
	"""By its log: each death counts, though the looks are far apart."""
	router = Router('logged')
	bad, good = 'crash\n', ['2-%d' % i for i in range(5)]
	open(router.log, 'w').close()
	router.look(script='CrashLoopLog')	# from here on
	for name in good:
		router.put(name, 'good\n')
	router.put('1-bad', bad)
	with router:
		start = time.time()
		while len(router.deaths) < DEATHS + 1:
			time.sleep(0.01)
		looks = router.moved(os.path.join(router.queue, '1-bad'),
				     script='CrashLoopLog')
		took = time.time() - start
		tap.ok(looks == 1, 'logged: one look is enough', looks,
		       router.mails)
		m = re.search(r'at (\d+) deaths', router.mails)
		tries = router.lines('taking').count('1-bad')
		tap.ok(m and tries - 4 * SLOW <= int(m.group(1)) <= tries,
		       'logged: each death is counted', router.mails, tries)
		tap.ok(router.empty(), 'logged: the other messages go through')
		print('# logged: %d tries, %s deaths counted in one look, %.1f s'
		      % (tries, m and m.group(1), took))


def limited():
	"""ProcMemLimit sets a limit on the running router, and tells of it."""
	router = Router('limited', 256)
	with router:
		while not os.path.exists(router.log):
			time.sleep(0.01)
		until = time.time() + 20 * SLOW
		while router.limit() != 256 << 20 and time.time() < until:
			time.sleep(0.01)
		out = router.look(script='ProcMemLimit')
		tap.ok('limited %s of ' % router.name in out, 'limited: told',
		       out)
		tap.eq(router.limit(), 64 << 20, 'limited: and done')
		tap.eq(router.look(script='ProcMemLimit'), '',
		       'limited: once')
		router.put('1-bad', 'grow\n')
		for _ in range(LOOKS):
			out = router.look(script='ProcMemLimit')
			if out:
				break
			time.sleep(0.1)
		tap.ok(re.search(r'\[firing\] %s of .* MiB of 64 MiB \(as\)' %
				 router.name, out),
		       'limited: it reached its limit, and no more', out)
		os.unlink(os.path.join(router.queue, '1-bad'))
		router.process.kill()
		died = router.process
		while router.process is died:
			time.sleep(0.01)
		out = router.look(script='ProcMemLimit')
		tap.ok(re.search(r'%s of .* has ended; in the last run it had '
				 'used' % router.name, out),
		       'limited: and is told of when it is gone', out)


def stuck(kind, what, *options):
	router = Router(kind)
	good = ['2-%02d' % i for i in range(5)]
	bad = kind + ': a header without end\n'
	for name in good:
		router.put(name, 'good\n')
	router.put('1-bad', bad)
	with router:
		start = time.time()
		looks = router.moved(os.path.join(router.queue, '1-bad'),
				     *options)
		took = time.time() - start
		aside(router, kind, '1-bad', bad, good, looks)
		tap.eq(len(re.findall(r'ended %s \(pid \d+\) ' % router.name + what,
				      router.mails)), DEATHS,
		       kind + ': the worker was ended for it each time')
		tap.ok(router.lines('taking').count('1-bad') in
		       (DEATHS, DEATHS + 1), kind + ': one try more at most',
		       router.lines('taking'))
		print('# %s: %d deaths, moved aside after %d looks (a minute '
		      'each), %.1f s' % (kind, len(router.deaths), looks or -1,
					 took))


crash()
refused()
innocent()
logged()
limited()
stuck('grow', 'is at its memory limit and does nothing')
stuck('hang', 'has had it for 3m', '-M', 'crashloop_hold=3m')
tap.done()
