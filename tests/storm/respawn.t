#!/usr/bin/env python3
# runner: serial timeout=180
"""A storm that no sweep can end: whatever is killed is started again at once,
by a parent of another user.  Both scripts archive, give up after their sweeps
and name the parent in the mail, and leave it alone.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import (ARC, Helper, MAIL, NATIVE, Run, SCRIPT, SITE,	# noqa: E402
		   SLOW, Tap, User, copies, helper, machine, mailbox, need,
		   start_time, wait_until)
import roots							# noqa: E402

COUNT = 150
PARENT = 'daemon'	# who starts them
tap = Tap()


def living(uid):
	n = 0
	for pid in filter(str.isdigit, os.listdir('/proc')):
		try:
			if os.stat('/proc/' + pid).st_uid == uid and \
			    start_time(int(pid)) is not None:
				n += 1
		except OSError:
			pass
	return n


def one(script, folder, want, limit):
	machine()
	with User() as user:
		mailbox(user)
		parent = Helper(helper('respawner'), user.uid, 'imapd', COUNT,
				1)
		wait_until(lambda: ['ready'] in parent.lines)
		before = start_time(parent.pid)
		r = Run('--config', SITE, '-D', 'doexec', '--mail', 'stdout',
			script=script)
		tap.ok(before and start_time(parent.pid) == before,
		       'the parent is not touched')
		tap.ok(living(user.uid) >= COUNT // 2,
		       'and the storm goes on', living(user.uid))
		tap.eq(len(copies(user, folder)), 1, 'the mailbox is saved')
		took = r.end - r.start
		said = [l for l in r.mail() if re.match(
		    want % {'user': user.name, 'pid': parent.pid,
			    'name': 'respawner', 'by': PARENT}, l)]
		tap.ok(said, 'the mail says that some are left after the '
		       'sweeps, and names who starts them', r)
		tap.ok('killed all' not in r.out, 'and claims no victory', r)
		tap.ok(r.status in (0, 1) and took < limit * SLOW,
		       'it gives up in time', took)
		print('# %s gave up after %.2f s' %
		      (os.path.basename(script), took))
		for l in said:
			print('#   ' + l)
		parent.stop()
		wait_until(lambda: living(user.uid) == 0)


def native():
	one(NATIVE, ARC, r'COULD NOT KILL all %(user)s imapd processes: '
	    r'killall .*: [0-9]+ ended, [0-9]+ are left \(after 50 sweeps\): started again '
	    r'by %(pid)d \(%(name)s of %(by)s\)$', 20)


def old():
	one(SCRIPT, MAIL + '/arc', r'[0-9]+ started by %(pid)d %(by)s '
	    r'%(name)s$', 60)


if len(sys.argv) > 1:
	{'native': native, 'old': old}[sys.argv[1]]()
	tap.done()
need('useradd', 'userdel', 'ps', 'unshare', 'setpriv')
roots.run_each([('native',), ('old',)], tap, jobs=1)
tap.done()
