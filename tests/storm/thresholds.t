#!/usr/bin/env python3
# runner: timeout=120
"""What ProcNumChkEmergency says of which count, and that users with hostile
names get their mailboxes archived, or a refusal, and nothing else.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import Run, TMP, Tap, tree				# noqa: E402

tap = Tap()
mbox = os.path.join(TMP, 'mail')
arc = os.path.join(TMP, 'arc')
os.mkdir(mbox)
names = os.path.join(TMP, 'names')


def run(lines, *options):
	path = os.path.join(TMP, 'input')
	with open(path, 'wb') as f:
		f.write(b''.join(b'%7d %s %s\n' % l for l in lines))
	return Run('--mail', 'stdout', '--input', path, '-M', 'maildir=' + mbox,
		   '-M', 'mailarc=' + arc, '-M', 'procnum_log_file=' + names,
		   *options)


def logged():
	with open(names) as f:
		text = [l.split(' ', 2)[2] for l in f.read().splitlines()]
	os.unlink(names)
	return text


# Below, at and above each threshold.  No such users: nothing to save or kill.
counts = [(n, b'u1', name) for name, limits in (
    (b'vi', (20,)), (b'sendmail', (20, 60)), (b'httpd', (20, 40)),
    (b'httpsd', (20, 40)), (b'imapd', (20, 60)), (b'imap', (20, 60)),
    (b'my own imapd', (20,)), (b'imapdx', (20,)))
    for limit in limits for n in (limit - 1, limit, limit + 1)]
r = run(counts)
tap.eq((r.status, r.err), (0, ''), 'thresholds: no error')
least = {b'sendmail': 60, b'httpd': 40, b'httpsd': 40, b'imapd': 60,
	 b'imap': 60}
tap.eq(r.mail(), ['%d %s %s' % (n, u.decode(), p.decode())
		  for n, u, p in counts if n >= least.get(p, 20)],
       'thresholds of the mail')
tap.eq(logged(), ['%d %s %s' % (n, u.decode(), p.decode())
		  for n, u, p in counts if n >= 20], 'threshold of the log')

r = run([(99, b'u1', b'imapd'), (100, b'u2', b'imapd'),
	 (5000, b'cyrus', b'imapd'), (100, b'u3', b'vi')])
tap.eq(r.mail(), ['99 u1 imapd', '100 u2 imapd',
		  'killed all u2 imapd processes', '5000 cyrus imapd',
		  'not killing the imapd processes of cyrus, they serve '
		  'everybody', '100 u3 vi'],
       'killed from 100 on, but not what serves everybody')
os.unlink(names)
r = run([(7, b'u1', b'vi'), (6, b'u2', b'vi')], '-M', 'procnum_mail=7',
	'-M', 'procnum_log=3')
tap.eq(r.mail(), ['7 u1 vi'], 'thresholds are macros')
r = run([(100, b'u1', b'dovecot-imap'), (100, b'u2', b'imapd')], '-M',
	'procnum_imapd_names=dovecot-imap', '-D', 'doexec')
tap.eq(r.mail(), ['100 u1 dovecot-imap', 'killed all u1 dovecot-imap processes',
		  '100 u2 imapd'], 'imap names are a macro')
os.unlink(names)

# Names that would be something else to a shell, to cp, or to a path.
with open(os.path.join(TMP, 'secret'), 'w') as f:
	f.write('secret')
before = tree(TMP)
hostile = [b'$(touch${IFS}PWN)', b'`id`', b'a;touch', b'-rf', b'*',
	   b'?', b'~root', b'a\\b', b"a'b", b'a"b', b'a&&b', b'a|b', b'>x',
	   b'\xff\xfe', b'{a,b}', b'..', b'.', b'../secret', b'#x',
	   b'%s%n', b'$1', b'=x', b'a' * 200]
for user in hostile:
	if b'/' not in user and user not in (b'.', b'..'):
		with open(os.path.join(mbox.encode(), user), 'wb') as f:
			f.write(user)
r = run([(150, u, b'imapd') for u in hostile], '-D', 'doexec')
tap.eq(r.status, 0, 'hostile users: the run ends well')
found = {f: open(os.path.join(arc.encode(), f), 'rb').read()
	 for f in os.listdir(arc.encode())}
want = set(hostile) - {b'.', b'..', b'../secret'}
tap.eq({re.sub(rb'\.[0-9]+$', b'', f) for f in found}, want,
       'hostile users: each mailbox under its own name')
tap.ok(all(re.match(re.escape(t) + rb'\.[0-9]+$', f)
	   for f, t in found.items()), 'hostile users: with its own bytes')
tap.eq(sorted(set(p for p in tree(TMP) if not p.startswith((mbox, arc)))
	     - set(before)), [names], 'hostile users: nothing else was made')
tap.eq([l for l in r.mail() if l.startswith('COULD NOT SAVE')],
       ['COULD NOT SAVE user mail file %s/../secret' % mbox],
       'hostile users: a path is not followed')
tap.ok('not run: $box: "../secret": a .. in a path is not run (rule 5)'
       in r.err, 'hostile users: the error names the rule', r.err)

# Links and pipes in place of a mailbox are left alone.
os.symlink('/etc/passwd', os.path.join(mbox, 'linked'))
os.mkfifo(os.path.join(mbox, 'piped'))
os.mkdir(os.path.join(mbox, 'folder'))
r = run([(60, u, b'imapd') for u in (b'linked', b'piped', b'folder')],
	'-D', 'doexec')
no = 'NOT SAVED user mail file %s/%s: it is a %s'
tap.eq(r.mail(), ['60 linked imapd', no % (mbox, 'linked', 'link'),
		  '60 piped imapd', no % (mbox, 'piped', 'pipe'),
		  '60 folder imapd', no % (mbox, 'folder', 'directory')],
       'neither a link nor a pipe is archived, and it is said')
# What cannot be saved is said.
with open(os.path.join(mbox, 'lost'), 'w') as f:
	f.write('x')
r = run([(60, b'lost', b'imapd')], '-D', 'doexec', '-M',
	'cp=/bin/cp --no-such-option')
tap.eq(r.mail(), ['60 lost imapd', 'COULD NOT SAVE user mail file %s/lost' %
		  mbox], 'a copy that fails is told')
tap.done()
