#!/usr/bin/env python3
# runner: serial timeout=180
"""Hostile names, for both scripts of the storm and one of a site: processes,
users and files called like commands, options and paths; mailboxes that are
links, pipes or somebody else's, in a folder that others can write to.  Each is
one argument or is refused, and it is said; no name is run, and nothing changes
that should not: the machine's files are compared.
"""

import os
import re
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import (ARC, MAIL, NATIVE, Run, SCRIPT, SITE, Storm,		# noqa: E402
		   TMP, Tap, machine, need, start_time)
import roots							# noqa: E402

EACH = 7		# processes of each; the thresholds are below
FEWER = ('-M', 'procnum_log=4', '-M', 'procnum_mail=4', '-M', 'procnum_imapd=5',
	 '-M', 'procnum_imapd_kill=6', '-M', 'procnum_imapd_names=[^~]*')
DROP, KEEP = '/var/drop', '/var/keep'
# CAN: a file that the name would make in the current folder if it were run.
PROCESSES = ['imapd; rm -rf /', '-rf', 'imapd\n-9 1', 'imapd $(>CAN)',
	     'x\t\\\'"`>CAN`', 'x\xff\x1b[2J', '(x) Z 1 (1', '\n']
# Users with mailboxes, and some that can have none.
USERS = ['$(id)', '$(>CAN)', '`>CAN`', 'a;b', 'a|>CAN', '*', '&', 'x\\ny', '"',
	 "'"]
PATHS = ['..', '../../etc/secret']
DASHED = ['-rf', '-KILL']
BOXES = {'linked': 'symbolic link|link', 'hard': 'name', 'piped': 'pipe|regular',
	 'folder': 'folder|directory', 'device': 'character|regular'}
FILES = ['$(>CAN)', '`>CAN`', '; >CAN', '-rf', '--help', 'new\nline', ' ', '*',
	 'a"b', "a'b", '\x1b[2J', '\xff', '$HOME', '~root', '&', '>CAN', '\\',
	 'x' * 200, '|| >CAN']
SECRET = b'root\'s own\n'

os.environ['TZ'] = 'UTC'
time.tzset()
tap = Tap()
here = os.path.join(TMP, 'here')


def everything():
	"""All files of the machine that a run could harm, and who may what."""
	seen = {}
	# what this machine has of its own, and where who runs it is at home
	for top in ('/etc', '/run', '/var/spool', '/var/drop', '/var/keep',
		    MAIL, '/usr/local/bin', here):
		for path, dirs, files in os.walk(top):
			for name in ['.'] + dirs + files:
				p = os.path.join(path, name)
				st = os.lstat(p)
				folder = stat.S_ISDIR(st.st_mode)
				seen[p] = (st.st_mode, st.st_uid, st.st_gid,
					   folder or (st.st_nlink, st.st_size,
						      st.st_ino,
						      st.st_mtime_ns))
	return seen


def put(path, data, uid=0, mode=0o600):
	with open(path, 'wb') as f:
		f.write(data)
	os.chown(path, uid, uid)
	os.chmod(path, mode)


def content(path):
	with open(path, 'rb') as f:
		return f.read()


def users():
	"""{name: uid}; useradd refuses most of them."""
	number = {}
	with open('/etc/passwd', 'a') as f:
		for name in [*USERS, *PATHS, *DASHED, *BOXES, 'other']:
			number[name] = 61000 + len(number)
			f.write('%s:x:%d:%d::/:/bin/false\n' %
				(name, number[name], number[name]))
	return number


def boxes(number):
	for name in USERS:
		put(os.path.join(MAIL, name), name.encode() * 100,
		    number[name])
	put('/etc/secret', SECRET)
	put(os.path.join(MAIL, '.secret'), SECRET)
	at = {n: os.path.join(MAIL, n) for n in [*BOXES, 'other']}
	os.symlink('/etc/secret', at['linked'])
	os.link(os.path.join(MAIL, '.secret'), at['hard'])
	os.mkfifo(at['piped'])
	os.mkdir(at['folder'])
	os.mknod(at['device'], stat.S_IFCHR | 0o666, os.makedev(1, 5))
	put(at['other'], b'not his', number['folder'])


class Machine:
	"""What there was, and that nothing else has become of it."""

	def __init__(self, others=()):
		self.others = {p: start_time(p) for p in
			       [1, os.getpid(), *others]}
		self.before = everything()

	def check(self, made):
		now = everything()
		changed = [p for p in {**self.before, **now}
			   if self.before.get(p) != now.get(p)]
		tap.eq(sorted(p for p in changed if not re.match(made, p)), [],
		       'no other file was made, changed or removed')
		tap.eq([p for p in now if os.path.basename(p) == 'CAN'], [],
		       'no name was run')
		tap.eq({p: start_time(p) for p in self.others}, self.others,
		       'no other process was ended')


def run(script, *argv):
	os.chdir(here)
	r = Run('--config', SITE, '-D', 'doexec', '--mail', 'stdout', *argv,
		script=script)
	os.chdir(TMP)
	return r


def storm(script, mode, made='', arc=None):
	"""All of them at once, with the mailboxes' folder so: the run.  Lock
	files come and go in that folder; made is what else may be new."""
	machine()
	os.mkdir(here)
	number = users()
	boxes(number)
	os.chmod(MAIL, mode)
	if arc:
		os.symlink(arc, MAIL + '/arc')
	first = number['$(id)']
	kinds = [(u, u, 'imapd', EACH) for u in number.values()] + \
	    [(first, first, os.fsdecode(p.encode('latin-1')), EACH)
	     for p in PROCESSES] + [(0, 0, 'imapd', EACH)]
	with Storm(0.001, *kinds) as s:
		last = len(kinds) - 1
		was = Machine([s.spawner.pid, s.observer.pid, *s.pids(last)])
		r = run(script, *FEWER)
		tap.eq([kinds[k] for k in range(last) if s.living(k)], [],
		       'each of the hostile names was killed by name')
		was.check(made + re.escape(MAIL) + r'/\.$')
	tap.eq(content('/etc/secret'), SECRET, 'what is root\'s is')
	return r


def copies(folder):
	"""{the name before its time: bytes}"""
	if not os.path.isdir(folder):
		return {}
	return {re.sub(r'\.[0-9]+$', '', f): content(os.path.join(folder, f))
		for f in os.listdir(folder) if not f.startswith('.picket-')}


def boxes_said(r, head):
	for name, why in BOXES.items():
		tap.ok([l for l in r.out.splitlines() if re.search(
		    r'%s user mail file %s/%s: .*(%s)' % (head, MAIL, name, why),
		    l)], 'refused, and the mail says it: ' + name, r)


def native():
	r = storm(NATIVE, 0o2775)
	tap.eq(r.status, 0, 'the run ends well')
	tap.eq(copies(ARC), {u: u.encode() * 100 for u in USERS},
	       'each ordinary mailbox is saved under its own name')
	boxes_said(r, 'COULD NOT SAVE')
	for name in ['other'] + PATHS:
		tap.ok('COULD NOT SAVE user mail file %s/%s:' % (MAIL, name)
		       in r.out, 'refused, and the mail says it: ' + name, r)
	tap.ok('<<NIL>>' not in r.out.partition('[firing]')[0],
	       'nothing is said to be saved that is not', r)
	tap.ok('\x1b' not in r.out + r.err, 'no terminal is written to', r)
	for p in ('imapd; rm -rf /', '(x) Z 1 (1', 'imapd?-9 1'):
		tap.ok('procs:$(id):%s, id' % p in r.out,
		       'told of: ' + p, r)


def native_open():
	"""The folder is anybody's, who could exchange any mailbox."""
	r = storm(NATIVE, 0o777)
	tap.eq(r.status, 0, 'the run ends well')
	tap.eq(copies(ARC), {}, 'nothing is saved')
	for name in [*USERS, *BOXES, 'other']:
		tap.ok('COULD NOT SAVE user mail file %s/%s: %s/%s: on the way, '
		       '"mail": everybody can write to this folder' %
		       (MAIL, name, MAIL, name) in r.out,
		       'refused, and the mail says it: ' + name, r)
	for name in PATHS:
		tap.ok('COULD NOT SAVE user mail file %s/%s: %s/%s has a '
		       'component ..' % (MAIL, name, MAIL, name) in r.out,
		       'refused, and the mail says it: ' + name, r)


def old():
	arc = MAIL + '/arc'
	r = storm(SCRIPT, 0o2775, made=re.escape(arc) + '(/|$)|')
	tap.eq(r.status, 0, 'the run ends well')
	# who owns it is not asked: it is only copied, to where root alone reads
	tap.eq(copies(arc), {**{u: u.encode() * 100 for u in USERS},
			     'other': b'not his'},
	       'each ordinary mailbox is saved under its own name')
	tap.eq(os.stat(arc).st_mode & 0o777, 0o700, 'for root alone')
	boxes_said(r, 'NOT SAVED')
	tap.ok('COULD NOT SAVE user mail file %s/../../etc/secret' % MAIL in
	       r.out, 'refused, and the mail says it: a path', r)
	tap.ok('\x1b' not in r.out + r.err, 'no terminal is written to', r)


def old_open():
	"""The folder is anybody's, who has made a link of the archive."""
	r = storm(SCRIPT, 0o777, arc='/etc')
	tap.eq(r.status, 0, 'the run ends well')
	for u in USERS:
		tap.ok('NOT SAVED user mail file %s/%s: others can change %s' %
		       (MAIL, u, MAIL + '/arc') in r.out,
		       'nothing is saved through a link: ' + u, r)


SITES = r'''
Drop

	init
		status  active
		level   notice
		task    "Files that people drop here are copied, kept and told of."
		input   table files("/var/drop") where $type eq "file"

	rule
		output mail "found $name of $owner"
		output mail to "$name@localhost" "your $name was kept"
		output log "/var/keep/log" "kept $name"
		if #archive($path, "/var/keep/native") < 0
			output mail "not kept: $name: $errtext()"
		fi

	rule
		doexec wait "/bin/cp $path /var/keep/old/"
		doexec wait "/usr/bin/touch $name"
'''


def site():
	machine()
	for path, mode in ((here, 0o755), (DROP, 0o1777), (KEEP, 0o755),
			   (KEEP + '/native', 0o700), (KEEP + '/old', 0o700)):
		os.makedirs(path)
		os.chmod(path, mode)
	data = {os.path.join(os.fsencode(DROP), f.encode('latin-1')):
		f.encode('latin-1') * 3 for f in FILES}
	for path, text in data.items():
		put(path, text, 0)
	script = os.path.join(TMP, 'Drop.pikt')
	with open(script, 'w') as f:
		f.write(SITES)
	was = Machine()
	r = run(script)
	was.check(re.escape(KEEP) + '/|' + re.escape(here) + '/')
	want = {os.path.basename(p): text for p, text in data.items()}
	dashed = {f for f in want if f.startswith(b'-')}
	for how in ('native', 'old'):
		at = os.fsencode(os.path.join(KEEP, how))
		tap.eq({re.sub(rb'\.[0-9]+$', b'', f):
			content(os.path.join(at, f)) for f in os.listdir(at)
			if not f.startswith(b'.picket-')}, want,
		       'each file is kept under its own name: ' + how)
	tap.eq(set(os.listdir(os.fsencode(here))), set(want) - dashed,
	       'a name is one argument, but for those that are options')
	for name in dashed:
		tap.ok('not run: $name: "%s": a value that begins with "-"' %
		       name.decode() in r.err, 'refused, and said: %s' % name,
		       r)
	with open(KEEP + '/log', 'rb') as f:
		tap.eq(sorted(f.read().split(b'kept ')[1:]),
		       sorted(f + b'\n' for f in want), 'the log has them as '
		       'they are')
	to = re.findall('^To: (.*)$', r.out, re.M)
	tap.eq(sorted(set(to)), sorted(['systems@localhost'] + [
	    x + '@localhost' for x in ('$HOME', '&', '*', "a'b", '~root',
				       'x' * 200)]),
	       'mail goes to what is an address, the rest to whom it is for')
	tap.eq(len(re.findall('is no address|begins with \'-\'', r.err)),
	       len(FILES) - 6, 'and that is said')
	for f in FILES:
		shown = f.replace('\x1b', r'\x1b').replace('\xff', r'\xff') \
		    .replace('\n', '\n        ')
		tap.ok('        found %s of root\n' % shown in r.out,
		       'the mail shows it as text: %r' % f)


SCENES = {f.__name__: f for f in (native, native_open, old, old_open, site)}
if len(sys.argv) > 1:
	SCENES[sys.argv[1]]()
	tap.done()
need('ps', 'unshare', 'setpriv')
roots.run_each([(s,) for s in SCENES], tap, jobs=1)
tap.done()
