#!/usr/bin/env python3
# runner: timeout=200
"""input journal: each entry once, over journal files that
systemd-journal-remote makes; and what may be wrong with them.
"""

import os
import shutil
import stat
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'), 'tests',
				'state'))
from store import Place, end, skip, tell			# noqa: E402

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

p = Journal()
p.add(path=p.path)
p.is_([], 'a journal without an entry')
p.add('first')
p.is_(['first'], 'then the first one is new')
p.remove()

end()
