#!/usr/bin/env python3
# runner: timeout=60
"""The container at its limits, as it was recorded: numothersock at 391 of 400,
and refused between two runs.  Beancounters tells of both, of who has the
sockets, and what helps; and when it is over.  Outside of such a container it
says nothing."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
from storm import PICKET, SLOW, SRCDIR, TMP, Tap	# noqa: E402

# tests/deliver has a roots, too
spec = importlib.util.spec_from_file_location(
    'recorded_roots', os.path.join(HERE, '..', 'table', 'roots.py'))
roots = importlib.util.module_from_spec(spec)
spec.loader.exec_module(roots)

SCRIPT = os.path.join(SRCDIR, 'stdlib-scripts', 'Beancounters.pikt')
RECORDED = os.path.join(SRCDIR, 'tests', 'table', 'roots')
ROOT = os.path.join(TMP, 'root')
COUNTERS = os.path.join(ROOT, 'proc', 'user_beancounters')
T0 = 1335312000
tap = Tap()


def machine():
	"""A mail server in a container: who has how many sockets."""
	roots.host(ROOT, 100000.0, [('postfix', 89)])
	inode, lines = 1000, ['Num RefCount Protocol Flags Type St Inode Path']
	pid = 100
	for name, count, each in (('smtpd', 100, 3), ('cleanup', 30, 2),
				  ('master', 1, 30), ('named', 1, 1)):
		for _ in range(count):
			pid += 1
			fds = {}
			for fd in range(each):
				inode += 1
				fds[fd + 3] = 'socket:[%d]' % inode
				lines.append('0000000000000000: 00000002 '
					     '00000000 00000000 0001 03 %d'
					     % inode)
			roots.process(ROOT, pid, name, uid=89, fds=fds)
	roots.put(ROOT, 'proc/net/unix', '\n'.join(lines) + '\n')
	for proto in ('tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'):
		roots.put(ROOT, 'proc/net/' + proto, 'sl local_address\n')


def run(minute, **held):
	"""A run at that minute; held: (resource, held, failcnt) instead."""
	if held:
		with open(COUNTERS) as f:
			lines = f.read()
		for resource, (now, fails) in held.items():
			lines = re.sub(r'(\s%s\s+)\d+(.*\s)\d+\n' % resource,
				       r'\g<1>%d\g<2>%d\n' % (now, fails),
				       lines)
		with open(COUNTERS, 'w') as f:
			f.write(lines)
	p = subprocess.run(
	    [PICKET, 'run', '--mail', 'stdout', '--root', ROOT,
	     '-M', 'bean_file=' + COUNTERS, SCRIPT],
	    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
	    stderr=subprocess.STDOUT, text=True, timeout=50 * SLOW,
	    env=dict(os.environ, PICKET_CLOCK=str(T0 + 60 * minute),
		     XDG_STATE_HOME=os.path.join(TMP, 'state')))
	tap.ok(p.returncode == 0 and 'picket: ' not in p.stdout,
	       'minute %d: ends well' % minute, p.stdout)
	return p.stdout


def said(text, what, name):
	tap.ok(re.search(what, text), name, text)


machine()
shutil.copy(os.path.join(RECORDED, 'openvz', 'proc', 'user_beancounters'),
	    COUNTERS)
out = run(0)
said(out, r'\[firing\] container 101: numothersock is at 97\.8% of its limit, '
     r'391 of 400; most: smtpd 300, cleanup 60, master 30, named 1\n',
     'onset: 391 of 400, and who holds them')
said(out, r'too much numothersock: .*default_process_limit = 10',
     'onset: what helps')
tap.ok('refused' not in out, 'onset: refusals of long ago are none', out)
said(out, r'\[firing\] container 101: kmemsize is at 94\.1%',
     'onset: what else is short')
tap.ok('numproc' not in out, 'onset: and what is not', out)
for line in out.splitlines():
	if 'firing] container 101: numothersock' in line:
		print('# ' + line.strip())

shutil.copy(os.path.join(RECORDED, 'openvz-later', 'proc',
			 'user_beancounters'), COUNTERS)
out = run(1)
said(out, r'\[firing\] container 101: numothersock was refused 39 times since '
     r'the last run \(57 in all\); 398 of 400 are held; most: smtpd 300',
     'failcnt has risen between two runs')
tap.ok('97.8%' not in out, 'told of once')
for line in out.splitlines():
	if 'was refused' in line:
		print('# ' + line.strip())
out = run(2)
tap.eq(out, '', 'nothing new, nothing said')

# default_process_limit was set
out = run(3, numothersock=(44, 57), kmemsize=(1000000, 0),
	  tcprcvbuf=(1000, 0))
said(out, r'\[resolved after \d+m\] .*numothersock', 'clear: told of')
tap.ok('refused' not in out, 'clear: refused a moment ago', out)
out = run(17, numothersock=(44, 57))
said(out, r'\[resolved after \d+m\] .*numothersock was refused', 'clear: refused no more')
out = run(18)
tap.eq(out, '', 'clear: and that was all')
os.unlink(COUNTERS)
out = run(19)
tap.eq(out, '', 'no container: nothing is said')
tap.done()
