#!/usr/bin/env python3
# runner: serial timeout=120
"""The native script where there is nothing left: no process can be started, or
hardly a descriptor is to be had.  It archives and kills all the same, and in
ordinary times it starts nothing but the keeper of Picket's state; what it takes
of memory does not depend on the storm.
"""

import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import (ARC, BUILDDIR, NATIVE, Run, SITE,	# noqa: E402
		   SLOW, Storm, TMP, Tap, User, copies, helper, machine,
		   mailbox, need)
import roots							# noqa: E402

COUNT = 400
FEW = 20		# descriptors: some ten that a run has open, and those
			# that a copy under locks takes
LIM_RESIDENT = 32	# MiB
SANITIZED = SLOW > 1
tap = Tap()


def newest():
	"""The number of the last process that was started in this machine."""
	with open('/proc/loadavg') as f:
		return int(f.read().split()[4])


def mail_of(r):
	"""What the run has said, or the mail that it could not send."""
	at = roots.STATE + '/undelivered'
	if not os.path.isdir(at):
		return r.out
	texts = [open(os.path.join(at, f)).read() for f in os.listdir(at)]
	return texts[0] if len(texts) == 1 else repr(texts)


def one(count=COUNT, under=(), how=('--mail', 'stdout')):
	"""A storm ended under these conditions: the run."""
	# which looks for leaks from a process of its own
	env = dict(os.environ, ASAN_OPTIONS=os.environ.get(
	    'ASAN_OPTIONS', '') + ':detect_leaks=0')
	shutil.rmtree(ARC, ignore_errors=True)
	with User() as user:
		path = mailbox(user)
		with Storm(0.001, (user.uid, user.gid, 'imapd', count)) as s:
			s.observer.stop()
			before = newest()
			r = Run('--config', SITE, '-D', 'doexec', *how,
				script=NATIVE, under=under, env=env)
			r.started = newest() - before
			tap.eq(s.living(0), [], 'none is left')
		mail = mail_of(r)
		tap.ok('killed all %s imapd processes: %d' %
		       (user.name, count) in mail, 'the mail says so', r, mail)
		found = copies(user, ARC)
		with open(path, 'rb') as f:
			text = f.read()
		tap.ok(len(found) == 1 and open(found[0], 'rb').read() == text
		       and 'saved user mail file as ' + found[0] in mail,
		       'the mailbox is saved, and the mail says where', found,
		       r)
		os.unlink(path)
	return r


def alone(how=('--mail', 'stdout')):
	machine()
	with open(os.path.join(SITE, 'picket.conf'), 'a') as f:
		f.write('smtp 127.0.0.1:25\n')
	r = one(under=[helper('alone')], how=how)
	tap.eq(r.started, 1, 'no process was started but this one')
	tap.eq(mail_of(r).count('\nEMERGENCY:\n'), 1, 'the mail is told once')
	tap.ok(re.search('picket-store: cannot be started', r.err) and
	       r.status == 1, 'that the state could not be kept is said', r)
	return r


def unsent():
	"""Nor can anything be started that sends: the mail is kept."""
	r = alone(())
	tap.ok(re.search(r'picket-deliver: Resource temporarily unavailable\n'
			 r'.*the mail was not sent; it is kept in \S+/undelivered/'
			 r'\S+\.eml', r.err), 'where the mail is kept is said',
	       r)


def count():
	machine()
	r = one()
	tap.eq((r.status, r.err), (0, ''), 'no error')
	tap.eq(r.started, 2, 'Picket and the keeper of its state, no other')


def few():
	machine()
	r = one(under=['prlimit', '--nofile=%d:%d' % (FEW, FEW)])
	tap.eq((r.status, r.err), (0, ''), 'no error')


def memory():
	machine()
	peaks = []
	for n in (100, 2000):
		at = os.path.join(TMP, 'peak')
		one(n, under=[os.path.join(BUILDDIR, 'tests/limit/peak'), at])
		peaks.append(int(open(at).read()))
	print('# resident at most: %d KiB with 100 processes, %d KiB with 2000' %
	      tuple(peaks))
	tap.ok(SANITIZED or peaks[1] < LIM_RESIDENT << 10,
	       'less than %d MiB' % LIM_RESIDENT, peaks)
	tap.ok(SANITIZED or peaks[1] - peaks[0] < 1024,
	       'and no more for a greater storm', peaks)


SCENES = {f.__name__: f for f in (alone, unsent, count, few, memory)}
if len(sys.argv) > 1:
	SCENES[sys.argv[1]]()
	tap.done()
need('useradd', 'userdel', 'prlimit', 'unshare', 'setpriv')
roots.run_each([(s,) for s in SCENES], tap, jobs=1)
tap.done()
