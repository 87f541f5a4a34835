#!/usr/bin/env python3
# runner: timeout=200
"""input journal: each entry once, over journal files that
systemd-journal-remote makes; and what may be wrong with them.
"""

import os
import shutil
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'), 'tests',
				'state'))
from tap import end, skip, tell					# noqa: E402
from store import Place						# noqa: E402

LIBEXEC = os.environ['PICKET_LIBEXEC']
HELPER = os.path.join(LIBEXEC, 'picket-journal')
REMOTE = '/usr/lib/systemd/systemd-journal-remote'
BOOT = ['%032x' % (0xb00 + i) for i in range(3)]
T0 = 1750000000 * 1000000
made = 0


def script(matches='', body='output $inline', more=''):
	return ('\nJ\n\tinit\n\t\tinput journal "%s"\n%s\trule\n\t\t%s\n' %
		(matches, more, body))


class Journal(Place):
	"""A script, and a folder with a journal."""

	def __init__(self, text=None):
		Place.__init__(self, text or script())
		self.dir = os.path.join(self.at, 'journal')
		os.mkdir(self.dir, 0o755)
		self.path = os.path.join(self.dir, 'j.journal')
		self.more = {'PICKET_JOURNAL': self.dir, 'TZ': 'UTC'}

	def add(self, *entries, path=None, at=None, boot=0):
		"""Entries: texts, or {field: text}."""
		global made
		data = b''
		for e in entries:
			made += 1
			if not isinstance(e, dict):
				e = {'MESSAGE': e}
			e = dict({'_HOSTNAME': 'web1', '_PID': '77',
				  'SYSLOG_IDENTIFIER': 'app'}, **e)
			t = (T0 if at is None else at) + made * 1000000
			data += (b'__REALTIME_TIMESTAMP=%d\n'
				 b'__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n' %
				 (t, t % 10**9 + made, BOOT[boot].encode()))
			for k, v in e.items():
				if v is None:
					continue
				v = v if isinstance(v, bytes) else v.encode()
				data += (k.encode() + b'\n' +
					 struct.pack('<Q', len(v)) + v + b'\n')
			data += b'\n'
		p = subprocess.run([REMOTE, '--split-mode=none', '-o',
				    path or self.path, '-'], input=data,
				   stdout=subprocess.PIPE,
				   stderr=subprocess.STDOUT)
		if p.returncode:
			raise RuntimeError(p.stdout.decode())

	def go(self, *args, **how):
		how.setdefault('more', {})
		how['more'] = dict(self.more, **how['more'])
		return self.run(*args, **how)

	def is_(self, want, what, err='', status=0, **how):
		"""A run whose lines' messages are these."""
		r = self.go(**how)
		got = [l.split(': ', 1)[-1] for l in r[1].split('\n')
		       if l.startswith('Jun ')]
		tell(got == want and (err in r[2] if err else not r[2]) and
		     r[0] == status, what, r, 'wanted %r %r' % (want, err))
		return r


if not os.path.exists(HELPER):
	p = Journal()
	r = p.go()
	tell(r[0] != 0 and 'was built without libsystemd' in r[2],
	     'a picket without the journal says so', r)
	skip('all else of the journal', 'this picket is built without it')
	end()
if not os.path.exists(REMOTE):
	skip('the journal', 'no ' + REMOTE + ' here')
	end()

#
# Each entry once
#

p = Journal()
p.add('one', 'two')
p.is_([], 'the first run begins at the end')
p.is_([], 'and the second has nothing')
p.add('three', 'four')
r = p.is_(['three', 'four'], 'what came since')
line = r[1].split('\n')[0]
tell(line[:4] == 'Jun ' and line[15:] == ' web1 app[77]: three' and
     line[6] == ' ' and line[9] == line[12] == ':', 'in the short form', line)
p.is_([], 'once')
p.add('five')
p.add('six', path=os.path.join(p.dir, 'k.journal'))
p.is_(['five', 'six'], 'of two files')
p.add('seven', boot=1)
p.add('eight', boot=2)
p.is_(['seven', 'eight'], 'of several boots')
p.add('nine')
r = p.go(options=['--dry-run'])
tell('nine' in r[1], 'a dry run reads', r)
p.is_(['nine'], 'and keeps nothing')
p.script(script('MESSAGE=eleven'))
p.add('ten', 'eleven', 'twelve')
p.is_(['eleven'], 'what matches')
p.is_([], 'once, too')
p.add('thirteen')
p.is_([], 'nothing matches')
p.script(script())
p.add('fourteen')
p.is_(['fourteen'], 'and what did not is left behind')
p.file('lines', 'Jun 15 01:02:03 a b: given\n')
p.add('fifteen')
p.is_(['given'], '--input is another input', options=['--input', 'lines'])
p.is_(['fifteen'], 'which moves nothing')
p.remove()

JOURNALCTL = shutil.which('journalctl')
if JOURNALCTL:
	p = Journal()
	p.add('start')
	p.go()
	p.add('a', {'MESSAGE': 'b', '_PID': None}, {'MESSAGE': 'c',
	      '_COMM': 'sh', 'SYSLOG_IDENTIFIER': None}, 'x' * 500, boot=1)
	r = p.go()
	c = subprocess.run([JOURNALCTL, '-q', '--no-pager', '-o', 'short',
			    '-D', p.dir], stdout=subprocess.PIPE,
			   env=dict(os.environ, TZ='UTC'))
	c = [l for l in c.stdout.decode().split('\n')
	     if not l.startswith('-- ')]
	tell(len(c) == 6 and '\n'.join(c[1:]) == r[1],
	     'the same lines as those of journalctl', r[1], c)
	p.remove()
else:
	skip('the same lines as those of journalctl', 'no journalctl here')

# runs beside what writes
p = Journal()
p.add('start')
p.go()
seen = []
w = subprocess.Popen([REMOTE, '--split-mode=none', '-o', p.path, '-'],
		     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
		     stderr=subprocess.DEVNULL)
N = 3000


def feed():
	for i in range(N):
		t = T0 + 10**12 + i * 1000
		w.stdin.write(b'__REALTIME_TIMESTAMP=%d\n'
			      b'__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n'
			      b'MESSAGE=n%06d\n\n' %
			      (t, 10**10 + i * 1000, BOOT[0].encode(), i))
		w.stdin.flush()
		if i % 50 == 0:
			time.sleep(.03)
	w.stdin.close()


feeder = threading.Thread(target=feed)
feeder.start()
partly = 0
while feeder.is_alive():
	r = p.go()
	got = [l.split(': n')[1] for l in r[1].split('\n') if ': n' in l]
	partly += 0 < len(got) < N
	seen += got
feeder.join()
w.wait()
r = p.go()
seen += [l.split(': n')[1] for l in r[1].split('\n') if ': n' in l]
tell(seen == ['%06d' % i for i in range(N)] and not r[2],
     'beside what writes each entry comes once, in order', len(seen),
     len(set(seen)), r[2])
tell(partly > 2, 'in several runs', partly)
p.remove()

p = Journal()
p.add(path=p.path)
p.is_([], 'a journal without an entry')
p.add('first')
p.is_(['first'], 'then the first one is new')
p.remove()

#
# What an entry holds
#

p = Journal()
p.add('start')
p.is_([], 'entries of all kinds: the first run')
p.add('two\nlines\n', 'tab\tand \x1b[31mred\x1b[0m\r', b'nul\0 \xff\xfe odd',
      'w\u00f6rter \u2713', b'c1 \xc2\x9b31m', '', 'a' * 70000)
r = p.go()
got = [l.split(': ', 1)[1] for l in r[1].split('\n') if l[:4] == 'Jun ']
want = ['two\\nlines\\n', 'tab\tand \\x1b[31mred\\x1b[0m\\x0d',
	'nul\\x00 \xff\xfe odd', 'w\u00f6rter \u2713'.encode().decode('latin-1'),
	'c1 \\xc2\\x9b31m', '', 'a' * 70000]
tell(got == want, 'line ends and control characters, a line each',
     *[(g, w) for g, w in zip(got, want) if g != w], r[2])
p.add({'MESSAGE': 'm', 'SYSLOG_IDENTIFIER': None, '_COMM': 'comm'},
      {'MESSAGE': 'm', 'SYSLOG_IDENTIFIER': None, '_PID': None},
      {'MESSAGE': 'm', '_PID': None, 'SYSLOG_PID': '5',
       '_HOSTNAME': 'a\nb'},
      {'MESSAGE': 'm', '_HOSTNAME': None, 'FIELD': b'\0\n' * 99},
      {'MESSAGE': None, 'OTHER': 'x'},
      {'MESSAGE': 'm', '_SOURCE_REALTIME_TIMESTAMP': '1734567890123456'},
      {'MESSAGE': 'm', '_SOURCE_REALTIME_TIMESTAMP': '9' * 19})
r = p.go()
got = [l[16:] for l in r[1].split('\n')[:-1]]
tell(got[:5] == ['web1 comm[77]: m', 'web1 unknown: m',
		 'a\\nb app[5]: m', '- app[77]: m', 'web1 app[77]: '],
     'fields that are missing, or odd', r)
tell(r[1].split('\n')[5] == 'Dec 19 00:24:50 web1 app[77]: m' and
     len(r[1].split('\n')) == 8 and not r[2], "the sender's time", r)
p.remove()

p = Journal(script(more='\t\tline 100\n'))
p.add('start')
p.go()
p.add('b' * 99, 'c' * 3000000, 'd')
r = p.go()
got = r[1].split('\n')
tell([len(l) for l in got[:4]] == [100, 100, len(got[2]), 0] and
     got[2].endswith(' d') and '2 input lines longer than 100 bytes: the rest '
     'was cut' in r[2], 'entries that are too long are cut', r)
p.is_([], 'and read')
p.remove()

#
# Matches
#

p = Journal()
p.add('start')
p.is_([], 'matches: the first run')


def add_some():
	p.add({'MESSAGE': 'a', 'PRIORITY': '3'}, {'MESSAGE': 'b',
	      'PRIORITY': '6'}, {'MESSAGE': 'c', 'PRIORITY': '3',
	      '_UID': '0'}, {'MESSAGE': 'd', 'PRIORITY': '6', '_UID': '0'})


for matches, want in (
    ('PRIORITY=3', 'ac'), ('PRIORITY=3 PRIORITY=6', 'abcd'),
    ('PRIORITY=3 _UID=0', 'c'), ('  PRIORITY=3  _UID=0 ', 'c'),
    ('PRIORITY=3 + _UID=0', 'acd'), ('MESSAGE=b + MESSAGE=d', 'bd'),
    ('MESSAGE=', ''), ('NONE=1', '')):
	add_some()
	p.script(script(matches))
	p.is_(list(want), 'matches: ' + matches)
for matches, why in (
    ('priority=3', '"priority=3" is no match: write FIELD=value'),
    ('PRIORITY', '"PRIORITY" is no match'), ('=3', '"=3" is no match'),
    ('A=1 /bin/sh', '"/bin/sh" is no match'),
    ('+ A=1', '"+" stands between two matches'),
    ('A=1 +', '"+" stands between two matches'),
    ('A=1 + + B=1', '"+" stands between two matches')):
	p.script(script(matches))
	p.is_([], 'no matches: ' + matches, err='input journal: matches: ' +
	      why, status=1)
p.script(script())
p.add('after')
p.is_(['after'], 'a run that fails so keeps its place')
p.remove()
p = Journal(script('priority=3'))
p.add('x')
p.is_([], 'nor are there such in the first run', err='is no match', status=1)
p.remove()

#
# Runs that end early, or badly
#

STOP = ('if $inline =~ "stop"\n\t\t\tdie "no"\n\t\tfi\n'
	'\trule\n\t\toutput $inline')
for name, stop in (('', STOP), (', with a look ahead', STOP.replace('"no"',
		   '"no" . $text(#eoi())')), (', CSV', STOP)):
	more = '\t\tformat csv\n' if 'CSV' in name else ''
	p = Journal(script(body=stop, more=more))
	p.add('start')
	p.is_([], 'the first run' + name)
	p.add('a', 'b', 'stop c', 'd', 'e')
	p.is_(['a', 'b'], 'a line stops the run' + name, err='no', status=1)
	r = p.is_([], 'and the next one' + name, err='no', status=1)
	tell('skipped' not in r[2], 'it is not passed over', r)
	r = p.is_([], 'and the third' + name, err='skipped', status=1)
	tell('the journal: a line has stopped three runs and is skipped: "Jun '
	     in r[2] and 'stop c"' in r[2], 'which says so', r)
	p.is_(['d', 'e'], 'what follows it comes then' + name)
	p.is_([], 'once' + name)
	p.remove()

p = Journal(script(body='output $inline\n\t\tif #innum() == 2\n\t\t\tlast\n'
		   '\t\tfi'))
p.add('start')
p.go()
p.add(*'abcde')
p.is_(['a', 'b'], 'last')
p.is_(['c', 'd'], 'leaves the others')
p.is_(['e'], 'to the next run')
p.script('\nJ\n\tinit\n\t\tinput journal ""\n\tend\n\t\toutput $inline\n')
p.add('x', 'y')
p.is_(['y'], 'the last line in the end section')
p.remove()

p = Journal(script(more='\t\tfilter "grep -v bb"\n'))
p.add('start')
p.go()
p.add('a', 'bb', 'c')
p.is_(['a', 'c'], 'through a filter')
p.is_([], 'once')
p.script(script(more='\t\tfilter "exit 126"\n'))
p.add(*'de')
p.is_([], 'a filter that fails', err='filter command ended', status=1)
p.script(script(more='\t\tfilter "cat"\n'))
p.is_(['d', 'e'], 'takes nothing')
p.script(script(more='\t\tfilter "exit 126"\n'))
p.add(*'fg')
p.go()
p.go()
p.is_([], 'the third time', err='the journal: its new lines have stopped '
      'three runs and are skipped', status=1)
p.script(script())
p.is_([], 'they are left behind')
p.remove()

#
# The program that reads
#

p = Journal()
p.add('start')
p.go()
p.add('a')
fake = os.path.join(p.at, 'libexec')
os.mkdir(fake)
os.symlink(os.path.join(LIBEXEC, 'picket-store'), fake + '/picket-store')
with_fake = {'more': {'PICKET_LIBEXEC': fake}}
p.is_([], 'a picket without the journal says so', status=1,
      err='was built without libsystemd: there is no ' + fake, **with_fake)


def pretend(text):
	with open(fake + '/picket-journal', 'w') as f:
		f.write('#!/bin/sh\n' + text)
	os.chmod(fake + '/picket-journal', 0o755)


for text, err in (
    ('kill -9 $$', 'signal 9'), ('exit 1', 'ended before its end'),
    ('echo', 'ended before its end'), ('echo "X y"', 'nobody understands'),
    ('echo "E 1 s=1"', 'ended within a line'),
    ('echo "E 1 s=1"; printf half', 'ended within a line'),
    ('printf "P %0300d\\n" 1', 'nobody understands'),
    ('head -c 3000000 /dev/zero', 'nobody understands'),
    ('echo "P 1 s=1"; echo more', 'nobody understands'),
    ('echo "F the reason"', 'the reason')):
	pretend(text)
	p.is_([], 'reads: ' + text, err=err, status=1, **with_fake)
p.is_(['a'], 'none of them moves the place')
p.add(*'bcd')
pretend(LIBEXEC + '/picket-journal "$@" | head -4\nkill -9 $$\n')
p.is_(['b', 'c'], 'one that is killed between', err='signal 9', status=1,
      **with_fake)
p.is_(['d'], 'the lines before it were read')
pretend('sleep 60\n')
p.script(script(more='\t\ttimeout 1s\n'))
start = time.monotonic()
r = p.go(**with_fake)
tell(r[0] == 1 and time.monotonic() - start < 20 and
     'the run\'s deadline of 1s has passed' in r[1],
     'the deadline holds for it', r)
r = subprocess.run([HELPER], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
tell(r.returncode == 2 and b'journalctl(1)' in r.stderr and not r.stdout,
     'by hand it says what it is', r)
p.remove()

#
# The journal's files
#

p = Journal()
p.add('start')
p.go()
p.add('old')
os.unlink(p.path)
p.add('new')
r = p.is_(['new'], 'another file in its place', err='WARNING')
tell('the entry that the last run ended with is no longer there; going on '
     'with what came after 2025-' in r[2], 'is told of', r)
p.is_([], 'once')
os.unlink(p.path)
p.add('older', at=T0 - 10**12)
p.add('newer')
p.is_(['newer'], 'only what came later', err='no longer there')
os.rename(p.path, os.path.join(p.dir, 'j@1.journal'))
p.add('after')
p.is_(['after'], 'a file that was turned is still there')

bad = os.path.join(p.dir, 'bad.journal')
with open(p.path, 'rb') as f:
	good = f.read()
for what, data in (('empty', b''), ('no journal', b'x' * 4096),
		   ('short', good[:100]), ('zeros', bytes(8192)),
		   ('odd flags', good[:12] + b'\xff' * 4 + good[16:])):
	with open(bad, 'wb') as f:
		f.write(data)
	p.add('with ' + what)
	r = p.is_(['with ' + what], 'one file is no good: ' + what,
		  err='journal: 1 file cannot be read and is passed over; '
		  'the first: ' + bad)
for what, data in (('cut', good[:len(good) // 2]),
		   ('damaged', good[:300] + b'\xa5' * 6000 + good[6300:])):
	with open(bad, 'wb') as f:
		f.write(data)
	p.add('with ' + what)
	r = p.go()
	tell(r[0] == 0 and 'with ' + what + '\n' in r[1],
	     'one file is ' + what, r)
os.unlink(bad)
for f in os.listdir(p.dir):
	with open(os.path.join(p.dir, f), 'wb') as j:
		j.write(b'garbage' * 1000)
p.is_([], 'all are', err='no file of the journal can be read; the first: ',
      status=1)
shutil.rmtree(p.dir)
p.is_([], 'no folder', err='there is no journal in %s: No such file' % p.dir,
      status=1)
os.mkdir(p.dir)
p.is_([], 'an empty folder', err='no longer there')
p.add('first')
p.is_(['first'], 'then all is new')
p.remove()

p = Journal()
r = p.go(more={'PICKET_JOURNAL': ''})
p.remove()
if os.path.isdir('/run/log/journal') or os.path.isdir('/var/log/journal'):
	tell(r[0] in (0, 1), "the machine's journal", r)
else:
	tell(r[0] == 1 and 'there is no journal here: ' in r[2],
	     'a machine without a journal', r)
p = Journal()
if os.getuid() == 0:
	os.chmod(p.at, 0o777)
	p.add('x')
	os.chmod(p.path, 0o600)
	r = p.go(user=65534)
	tell(r[0] == 1 and 'this user may not read the journal: root and the '
	     'groups systemd-journal and adm may' in r[2], 'no permission', r)
	p.add('y', path=p.dir + '/user.journal')
	os.chmod(p.dir + '/user.journal', 0o644)
	r = p.go(user=65534)
	tell(r[0] == 0 and 'journal: 1 file may not be read by this user' in
	     r[2], 'for some of it', r)
	os.chmod(p.dir, 0o700)
	r = p.go(user=65534)
	tell(r[0] == 1 and 'may not read the journal' in r[2],
	     'for the folder', r)
else:
	skip('no permission', 'not root')
p.remove()

p = Journal()
p.add('start')
p.go()
p.add('a')
for text, err in (('nonsense', 'kept is none'), ('12 ', 'kept is none'),
		  ('1\n', 'kept is none'), ('1 s\nx', 'kept is none'),
		  ('x' * 5000, 'kept is none'),
		  ('12 x=1', 'no longer there; going on with what came after '
		   '1970-01-01 00:00:00')):
	p.sql('update position set position = ?', text.encode())
	r = p.go()
	tell(r[0] == 0 and err in r[2] and ('start' in r[1]) == ('1970' in err),
	     'a position that is none: ' + text[:20], r)
	p.is_([], 'it is there again')
p.remove()

end()
