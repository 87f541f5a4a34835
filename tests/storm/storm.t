#!/usr/bin/env python3
# runner: serial timeout=180
"""The main job, for real: a storm of 300 imapd that goes on coming; picket run
archives the mailbox, kills until none is left, and a real Postfix delivers
the alert.  Before that the same in dry-run and as shipped: nothing is touched.
"""

import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import (Run, SLOW, Storm, TMP, Tap, User,		# noqa: E402
		   killed, need, start_time, tree)
import roots							# noqa: E402
from servers import PLAIN_PORT, Postfix, wait_for		# noqa: E402

COUNT = 300
HOSTILE = ['$(touch PWN)', '-rf', "';kill -9 -1;'", 'x\n 999 root mp']
NOBODY = 65534

os.environ['TZ'] = 'UTC'
time.tzset()
tap = Tap()
mbox = os.path.join(TMP, 'mail')
arc = os.path.join(mbox, 'arc')
site = os.path.join(TMP, 'site')
log = os.path.join(TMP, 'log')


def mailboxes(user):
	"""Two mailboxes of the user, and one of another."""
	os.mkdir(mbox)
	text = b''.join(b'From a@example.org Tue Apr 25 00:17:02 2000\n'
			b'Subject: %d\n\n%s\n\n' % (i, bytes(range(256)) * 8)
			for i in range(500))
	for name, data in ((user.name, text), ('.%s.pop' % user.name,
					       text[:4321]), ('chico', b'x')):
		path = os.path.join(mbox, name)
		with open(path, 'wb') as f:
			f.write(data)
		os.chown(path, user.uid, user.gid)
		os.chmod(path, 0o600)
		os.utime(path, (956639822, 956639822))


def config(smtp):
	shutil.rmtree(site, ignore_errors=True)
	os.mkdir(site, 0o700)
	with open(os.path.join(site, 'picket.conf'), 'w') as f:
		f.write('mailto systems@localhost\n'
			'mailfrom picket@example.org\n'
			'hostname moscow\n'
			'logdir %s\n'
			'%s' % (log, smtp))


def options(*more):
	return ('--config', site, '-M', 'maildir=' + mbox) + more


def dry(storm, user):
	before = tree(mbox)
	first = storm.pids(0)
	r = Run(*options('--dry-run', '-D', 'doexec', '--mail', 'stdout',
			 '-M', 'procnum_mail=25'))
	tap.eq(r.status, 0, 'dry-run: exit status')
	tap.ok(r.end - r.start < 20 * SLOW, 'dry-run: it ends', r)
	tap.ok(tree(mbox) == before, 'dry-run: the mailboxes are untouched')
	tap.eq(os.listdir(log), [], 'dry-run: no log is written')
	tap.eq(len([p for p in first if start_time(p)]), COUNT,
	       'dry-run: all of the storm live')
	told = [l for l in r.out.splitlines() if l.startswith('dry-run: ')]
	n, t = user.name, '[0-9]{10}'
	kill = r'^dry-run: exec wait /bin/kill -KILL ([0-9 ]+)$'
	for what, line in (
	    ('the log line', 'log %s/ProcNumChk.log: [-0-9]{10} [:0-9]{8} '
	     '30[0-9] %s imapd' % (log, n)),
	    ('the count', 'mail: 30[0-9] %s imapd' % n),
	    ('the folder', 'exec wait /bin/mkdir -p -m 700 %s' % arc),
	    ('the mailbox', 'exec wait timeout 60s /bin/cp -p %s/%s %s/%s.%s' %
	     (mbox, n, arc, n, t)),
	    ('the POP copy', r'exec wait timeout 60s /bin/cp -p %s/\.%s\.pop '
	     r'%s/\.%s\.pop\.%s' % (mbox, n, arc, n, t))):
		tap.eq(len([l for l in told if re.match(
		    'dry-run: %s$' % line, l)]), 1, 'dry-run tells of ' + what)
	tap.ok(set(first) <= set(killed(told, kill)),
	       'dry-run tells of each process to kill', r)
	tap.ok(set(killed(told, kill)) <= set(storm.pids(0)),
	       'dry-run tells of no other process')
	tap.ok(re.match(r'dry-run: ProcNumChkEmergency: [0-9]+ effects, none '
			r'done$', told[-1] if told else ''),
	       'dry-run: the last line counts the effects', r)
	want = [('30[0-9] %s imapd', 'the storm'),
		('30[0-9] %s imapd processes are left after [0-9]+ sweeps',
		 'that it lasts'),
		('30[0-9] started by %d root spawner' % storm.spawner.pid,
		 'and who makes it')]
	for line, what in want:
		line = line % n if '%s' in line else line
		tap.ok([l for l in r.mail() if re.match(line + '$', l)],
		       'dry-run: the mail names ' + what, r)
	tap.eq(r.err, '', 'dry-run: no error')


def shipped(storm, user):
	"""Without -D doexec: the mail says what would have been done."""
	before = tree(mbox)
	first = storm.living(0)
	r = Run(*options('--mail', 'stdout', '-M', 'procnum_mail=25'))
	tap.eq((r.status, r.err), (0, ''), 'as shipped: no error')
	tap.ok(tree(mbox) == before, 'as shipped: the mailboxes are untouched')
	tap.eq([p for p in first if not start_time(p)], [],
	       'as shipped: all of the storm live')
	lines = r.mail()
	told = [l for l in lines
		if l.startswith('not done (define doexec is FALSE): ')]
	tap.ok(set(first) <= set(killed(told, 'kill -KILL ([0-9 ]+)$')),
	       'as shipped: the mail has the kill commands', r)
	tap.eq(len([l for l in told if '/bin/cp -p ' + mbox in l]), 2,
	       'as shipped: the mail has the copies')
	tap.eq([l for l in lines if l.startswith(('saved', 'killed'))], [],
	       'as shipped: the mail claims nothing')
	for name in HOSTILE:
		# ps shows a newline as ? or . by locale
		shown = re.escape(name).replace('\\\n', '[?.]')
		tap.eq(len([l for l in lines if re.match(
		    '25 %s %s$' % (user.name, shown), l)]), 1,
		    'a hostile name is only text: %r' % name)
	tap.eq(len([l for l in lines if '999' in l and 'root mp' in l]), 1,
	       'a name with a newline makes no line of its own')


def body(user, n, seconds, date):
	return ('                                PIKT ALERT\n'
		'                         %s\n'
		'                                  moscow\n'
		'\n'
		'EMERGENCY:\n'
		'    ProcNumChkEmergency\n'
		'        Report unusually high numbers of per-user procs, end '
		'imapd storms.\n'
		'\n'
		'        {n} {u} imapd\n'
		'        saved user mail file as {a}/{u}.{t}\n'
		'        saved user mail file as {a}/.{u}.pop.{t}\n'
		'        killed all {u} imapd processes\n' % date
		).format(n=n, u=user.name, a=arc, t=seconds).encode()


def live(storm, user, postfix):
	bystanders = [(k, storm.pids(k)) for k in range(1, len(storm.kinds))]
	boxes = {p: s for p, s in tree(mbox).items() if os.path.isfile(p)}
	there = len(storm.living(0))
	# other users of this machine may run many of something, too
	r = Run(*options('-D', 'doexec', '-M', 'procnum_mail=1000000'))
	storm.settle()
	tap.eq((r.status, r.out, r.err), (0, '', ''), 'the run is silent')
	tap.ok(r.end - r.start < 20 * SLOW, 'the run is quick', r)

	# what the observer saw
	counts = storm.counts()
	tap.ok(storm.blows(), 'the spawner lives')
	top = [(t, n) for t, n in counts if t < r.start][-1]
	tap.ok(top[1] >= COUNT, 'the observer saw the storm', counts)
	fell = next((t for t, n in counts if t > r.start and n < there), None)
	none = next((t for t, n in counts if n == 0), None)
	tap.ok(fell is not None, 'the observer saw it fall', counts[-20:])
	tap.ok(none is not None and r.start < none < r.end + 0.1 * SLOW,
	       'at the end of the run none was left', counts[-20:], r)
	tap.eq([p for k, p in bystanders for p in p if not start_time(p)], [],
	       'nobody else was killed')

	# the mailbox: first, whole, the owner's
	seconds = None
	found = sorted(os.listdir(arc)) if os.path.isdir(arc) else []
	m = [re.match(r'(\.?%s(?:\.pop)?)\.([0-9]+)$' % user.name, f)
	     for f in found]
	if tap.ok(len(m) == 2 and all(m), 'two files are archived', found):
		seconds = m[0].group(2)
		tap.eq(m[1].group(2), seconds, 'at one time')
		tap.ok(int(r.start) <= int(seconds) <= r.end, 'which is right')
		for f in m:
			old = os.path.join(mbox, f.group(1))
			new = os.path.join(arc, f.group(0))
			st = os.stat(new)
			with open(new, 'rb') as data:
				tap.ok(data.read() == boxes[old][4],
				       'its bytes are the mailbox\'s')
			tap.eq((st.st_mode, st.st_uid, st.st_mtime_ns),
			       boxes[old][:3], 'mode, owner and time, too')
			tap.ok(st.st_ctime < fell if fell else False,
			       'it was whole before the first process ended')
	tap.eq(os.stat(arc).st_mode & 0o7777, 0o700,
	       'the archive is for root alone')
	tap.eq({p: s for p, s in tree(mbox).items()
		if os.path.isfile(p) and not p.startswith(arc)}, boxes,
	       'the mailboxes are as they were')

	# the log tells the same story
	with open(os.path.join(log, 'run.log')) as f:
		lines = f.read().splitlines()
	did = [l.split(': ', 3)[-1] for l in lines if 'exec wait: ' in l]
	kind = [re.sub(r'^/bin/(\w+) .*', r'\1', l) for l in did]
	tap.eq(kind[:3], ['mkdir', 'cp', 'cp'], 'the log: archived, then')
	tap.ok(len(kind) > 5 and set(kind[3:]) == {'kill'}, 'killed', did)
	pids = killed(did, 'kill -KILL ([0-9 ]+)$')
	tap.ok(set(pids) <= set(storm.pids(0)), 'none but the storm\'s')
	tap.ok(set(storm.pids(0)[:COUNT]) <= set(pids), 'and all of them')
	tap.eq(len(pids), len(set(pids)), 'each of them once')
	with open(os.path.join(log, 'ProcNumChk.log')) as f:
		tap.ok(re.search(r'^[-0-9]{10} [:0-9]{8} 3[0-9]{2} %s imapd$' %
				 user.name, f.read(), re.M),
		       'the log for later study')

	# the mail
	mails = wait_for(postfix.mails, 30)
	if not tap.ok(len(mails) == 1, 'Postfix has put one mail into the '
		      'systems list\'s mailbox', mails, postfix.said()):
		return
	head, _, got = mails[0].partition(b'\n\n')
	date = got.split(b'\n')[1].strip().decode() if b'\n' in got else ''
	try:
		when = time.mktime(time.strptime(date, '%a %b %d %H:%M:%S %Y'))
	except ValueError:
		when = 0
	tap.ok(int(r.start) <= when <= r.end, 'its date is right', date)
	n = re.search(rb'^        (\d+) ', got, re.M)
	n = int(n.group(1)) if n else 0
	tap.ok(there <= n <= there + 2, 'its count is right', n, there)
	tap.eq(got, body(user, n, seconds, date), 'its body, byte for byte')
	tap.ok(b'\nSubject: PIKT Alert on moscow: run\n' in head and
	       b'\nX-Picket-Level: emergency' in head, 'its head', head)

	# and it goes on outside, as nobody touched the spawner
	seen = len(storm.pids(0))
	time.sleep(1.5)
	tap.ok(storm.blows() and len(storm.pids(0)) > seen,
	       'the spawner goes on')


def faster(user):
	"""It comes ten times a second: the sweeps still win."""
	with Storm(10, (user.uid, user.gid, 'imapd', 120)) as storm:
		r = Run(*options('-D', 'doexec', '--mail', 'stdout', '-M',
				 'procnum_mail=1000000'))
		storm.settle()
		tap.ok('killed all %s imapd processes' % user.name in r.mail(),
		       'ten more a second: killed all', r)
		tap.ok(0 in [n for t, n in storm.counts()],
		       'ten more a second: none was left')


def hopeless(user):
	"""It comes faster than any sweep: told, with the name of who makes it."""
	with Storm(2000, (user.uid, user.gid, 'imapd', 120)) as storm:
		r = Run(*options('-D', 'doexec', '--mail', 'stdout', '-M',
				 'procnum_mail=1000000', '-M',
				 'procnum_sweeps=3'))
		lines = r.mail()
		tap.ok(any(re.match(r'[0-9]+ %s imapd processes are left after '
				    '3 sweeps$' % user.name, l)
			   for l in lines), 'too fast: says so', r)
		tap.ok(any(re.match('[0-9]+ started by %d root spawner$' %
				    storm.spawner.pid, l) for l in lines),
		       'too fast: names the spawner', r)
		tap.ok(storm.blows(), 'too fast: leaves the spawner alone')


def all_of_it():
	began = time.time()
	with User() as user:
		mailboxes(user)
		config('')
		os.mkdir(log, 0o700)
		kinds = [(user.uid, user.gid, 'imapd', COUNT)] + \
		    [(user.uid, user.gid, name, 25) for name in HOSTILE] + \
		    [(user.uid, user.gid, 'imapdx', 3), (0, 0, 'imapd', 3),
		     (NOBODY, NOBODY, 'imapd', 3)]
		postfix = Postfix()
		postfix.start()
		with Storm(1, *kinds) as storm:
			dry(storm, user)
			shipped(storm, user)
			config('smtp 127.0.0.1:%d\n' % PLAIN_PORT)
			live(storm, user, postfix)
		faster(user)
		hopeless(user)
		tap.eq(subprocess.run(['pgrep', '-u', str(user.uid)],
				      stdout=subprocess.PIPE).stdout, b'',
		       'nothing of the test is left')
	tap.ok(not os.path.exists('PWN'), 'no hostile name was run')
	tap.ok(time.time() - began < 60 * SLOW, 'all of it in a minute',
	       time.time() - began)


if len(sys.argv) > 1:
	roots.enter('postfix')
	all_of_it()
	tap.done()
need('useradd', 'userdel', 'ps')
why = roots.why_not('postfix')
if tap.ok(not why, 'Postfix can be run here', why):
	roots.run_each([('storm',)], tap)
tap.done()
