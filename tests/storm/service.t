#!/usr/bin/env python3
# runner: timeout=120
"""The scanner that is gone, for real: a daemon named clamd that the kernel
ends for its memory limit, one that hangs, and one that dies at once, however
often it is started.  ServiceDown says what happened, starts it again, not
while memory is short, and gives up after three times."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import PICKET, SLOW, SRCDIR, TMP, Tap	# noqa: E402
import roots						# noqa: E402
from servers import text, wait_for, write		# noqa: E402

CLAMD = os.path.join(SRCDIR, 'tests/storm/clamd')
SCRIPT = os.path.join(SRCDIR, 'stdlib-scripts/ServiceDown.pikt')
BYCOMMAND = os.path.join(SRCDIR, 'stdlib-scripts/MemoryByCommand.pikt')
SITE, SOCKET = os.path.join(TMP, 'site'), os.path.join(TMP, 'clamd.ctl')
SERVICE = os.path.join(TMP, 'service')		# in place of service(8)
GROUP = '/sys/fs/cgroup/memory/' + os.path.basename(os.path.dirname(TMP))
LIMIT = 40 << 20
T0 = int(time.time())
MINUTE, HOUR = 60, 3600
tap = Tap()


def run(at, *options, script=SCRIPT):
	start = time.monotonic()
	p = subprocess.run(
	    [PICKET, 'run', '--config', SITE, '--mail', 'stdout', '-D',
	     'doexec', '-M', 'service_pause=1', *options, script],
	    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
	    stderr=subprocess.PIPE, timeout=60 * SLOW, text=True,
	    errors='replace', env=dict(os.environ, PICKET_CLOCK=str(T0 + at)))
	return '%sexit %d after %.1f s\n%s' % (
	    p.stdout, p.returncode, time.monotonic() - start,
	    '' if p.returncode == 0 else p.stderr)


def says(out, what, *patterns):
	for p in patterns:
		tap.ok(re.search(p, out, re.M), '%s: %s' % (what, p), out)


def quiet(out, what):
	tap.ok(out.startswith('exit 0 '), what + ': nothing is said', out)


def ask(what):
	try:
		with socket.socket(socket.AF_UNIX) as s:
			s.settimeout(10 * SLOW)
			s.connect(SOCKET)
			s.sendall(what)
			return s.recv(100)
	except OSError:
		return None


def answers():
	return wait_for(lambda: ask(b'PING\n') == b'PONG\n', 20 * SLOW)


def pid():
	return int(text(SOCKET + '.pid') or 0)


def calls():
	return len(text(SERVICE + '.calls').splitlines())


def service(start):
	"""What `service clamd restart` does: ends the old one, starts anew."""
	write(SERVICE, '#!/bin/sh\necho "$*" >>%s.calls\n'
	      'kill -9 $(cat %s.pid) 2>/dev/null\n%s\n' %
	      (SERVICE, SOCKET, start), 0o755)


def limited(start):
	"""The group that the kernel watches; without it a real kill cannot be
	had, and the daemon is killed by us."""
	try:
		os.mkdir(GROUP)
		with open(GROUP + '/memory.limit_in_bytes', 'w') as f:
			f.write(str(LIMIT))
	except OSError as e:
		print('# no memory cgroup of v1: %s' % e.strerror)
		return start, False
	return 'echo $$ >%s/cgroup.procs; %s' % (GROUP, start), True


def scene():
	roots.enter()
	start, real = limited('exec %s %s' % (CLAMD, SOCKET))
	write(os.path.join(SITE, 'macros.cfg'),
	      'services_found\nservices\n\t=service_ask("clamd", "unix:%s", '
	      '"PING\\n", "^PONG", "clamd", "clamd")\nservice %s\n'
	      'service_seconds 2\n' % (SOCKET, SERVICE))
	write(os.path.join(SITE, 'picket.conf'), 'logdir %s/log\n' % TMP)
	service(start)
	subprocess.Popen(['sh', '-c', start])
	try:
		tap.ok(answers(), 'the daemon runs')
		story(start, real)
	finally:
		try:
			os.kill(pid(), signal.SIGKILL)
		except OSError:
			pass
		if real:
			wait_for(lambda: not text(GROUP + '/cgroup.procs'))
			os.rmdir(GROUP)


def story(start, real):
	quiet(run(0), 'it answers')

	first = pid()
	if real:
		ask(b'EAT\n')
	else:
		os.kill(first, signal.SIGKILL)
	tap.ok(wait_for(lambda: ask(b'PING\n') is None), 'the daemon is gone')
	begun = time.monotonic()
	out = run(5 * MINUTE, '-M', 'service_memory=100%')
	print('# found out, asked twice and told within %.1f s' %
	      (time.monotonic() - begun))
	says(out, 'killed', r'\[firing\] clamd does not answer at unix:',
	     '^ *clamd is not restarted while memory is short$')
	if real:
		says(out, 'killed', r'the kernel ended clamd, pid \d+, which '
		     r'had \d+ MiB, for want of memory, at ')
	tap.eq(calls(), 0, 'not restarted while memory is short')
	quiet(run(10 * MINUTE, '-M', 'service_memory=100%'), 'while it is')
	out = run(15 * MINUTE)
	says(out, 'memory again', '^ *restarted clamd: 1 of 3 within 1h$')
	tap.ok(answers() and pid() != first, 'the daemon runs again')
	tap.eq(text(SERVICE + '.calls'), 'clamd restart\n', 'started once')
	says(run(20 * MINUTE), 'it answers', r'\[resolved after 15m\] clamd')
	tap.ok(answers(), 'it lives on')

	second = pid()			# it takes connections, and hangs
	os.kill(second, signal.SIGSTOP)
	says(run(25 * MINUTE), 'hung', r'\[firing\] clamd does not answer',
	     'restarted clamd: 2 of 3')
	tap.ok(answers() and pid() != second, 'it runs again')
	says(run(30 * MINUTE), 'it answers', r'\[resolved')

	service('exit 0')		# whatever we do, it dies at once
	os.kill(pid(), signal.SIGKILL)
	before = calls()
	out = run(2 * HOUR)
	says(out, 'dies at once', r'\[firing\] clamd', 'restarted clamd: 1 of 3')
	quiet(run(2 * HOUR + 2 * MINUTE), 'it may still be starting')
	for n in (2, 3):
		says(run(2 * HOUR + 5 * MINUTE * n), 'dies at once',
		     'restarted clamd: %d of 3' % n)
	out = run(2 * HOUR + 20 * MINUTE)
	says(out, 'given up', r'\[firing\] gave up clamd: restarted 3 times '
	     'within 1h, and it does not answer')
	for n in (25, 30, 50):
		quiet(run(2 * HOUR + n * MINUTE), 'after that')
	wait_for(lambda: calls() == before + 3, 1)
	tap.eq(calls() - before, 3, 'started three times, then no more')

	subprocess.Popen(['sh', '-c', start])
	tap.ok(answers(), 'a person starts it')
	says(run(4 * HOUR), 'it answers', r'\[resolved after \S+ ?\S*\] gave up',
	     r'\[resolved after 2h\] clamd')


def perls():
	"""Many small ones: MemoryByCommand adds them up."""
	roots.enter()
	write(os.path.join(SITE, 'picket.conf'), 'logdir %s/log\n' % TMP)
	total = int(re.search(r'MemTotal: +(\d+)', text('/proc/meminfo'))[1])
	# clearly more than the hundredth below which nobody is looked at
	each = max(6, int(total / 1024 * 0.02 / 20) + 1)	# MiB
	high = 15 * each * 1024 / total

	def look(at):
		return run(at, '-M', 'memcmd_high=%.6f' % high, '-M',
			   'memcmd_clear=%.6f' % (high * 0.8), script=BYCOMMAND)
	quiet(look(0), 'none')
	p = subprocess.Popen([os.path.join(SRCDIR, 'tests/storm/perls'), '20',
			      str(each)], stdin=subprocess.PIPE,
			     stdout=subprocess.PIPE)
	p.stdout.readline()
	out = look(5 * MINUTE)
	m = re.search(r'\[firing\] (\d+) processes root/perl have (\d+) MiB', out)
	tap.ok(m and int(m[1]) == 20 and 19 * each <= int(m[2]) <=
	       20 * each + 250, '20 of the same are added up', out)
	says(out, 'who', r'^ *the oldest for .*, pid \d+.*, started by %d '
	     r'python' % p.pid, '^ *left for all: ')
	quiet(look(10 * MINUTE), 'told of once')
	p.stdin.close()
	p.wait()
	out = ''.join(look(n * MINUTE) for n in (15, 20, 25))
	says(out, 'gone', r'\[resolved after .*root/perl')


if len(sys.argv) > 1:
	{'scene': scene, 'perls': perls}[sys.argv[1]]()
	tap.done()
if os.geteuid() != 0:
	print('1..0 # SKIP needs root')
	sys.exit(0)
roots.run_each([('scene',), ('perls',)], tap)
tap.done()
