#!/usr/bin/env python3
# runner: timeout=900
"""input logfile: what rotation is not: cut, replaced, locked, killed, odd
names, lines that stop the run, offsets beyond 4 GiB.
"""

import gzip
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from logs import LOGROTATE, LONG, SANITIZED, Log, Tap		# noqa: E402

os.chdir(os.environ.get('TMPDIR', '/tmp'))
tap = Tap()


def fresh(name, n=5, **more):
	"""A log of n lines that have been read."""
	log = Log(name, **more)
	log.write(n)
	tap.eq(log.run(), list(range(n)), name + ': what was there')
	return log


#
# Cut, emptied, replaced
#

log = fresh('cut')
os.truncate(log.path, os.path.getsize(log.path) - 1)
tap.eq(log.run(), [], 'shorter by a byte: nothing is new')
with open(log.path, 'a') as f:
	f.write('\n')
log.write(2)
tap.eq(log.run(), [5, 6], 'what comes then is')
os.truncate(log.path, 20)
tap.eq(log.run(), [], 'cut to a part: nothing is new')

log = fresh('emptied', 50)
open(log.path, 'w').close()
tap.eq(log.run(), [], 'emptied')
log.write(3)
tap.eq(log.run(), [50, 51, 52], 'emptied, then written to')
with open(log.path, 'w') as f:
	f.write('')
log.write(80)
tap.eq(log.run(), list(range(53, 133)), 'emptied, and longer than before')
with open(log.path + '.new', 'w') as f:
	f.write('%08d replaced\n' % 7777)
os.rename(log.path + '.new', log.path)
tap.eq(log.run(), [7777], 'replaced by another file')
os.unlink(log.path)
tap.eq(log.run(ok=False), [], 'gone')
tap.eq(log.err, 'picket: WARNING: L: log %s: there is none\n' % log.path,
       'which is told of')
log.write(1)
tap.eq(log.run(), [133], 'there again')

# the old text is out of sight, the new one has no whole line yet
log = fresh('begun', 50)
with open(log.path, 'rb') as f:
	text = f.read()
os.truncate(log.path, 4)	# as the new one begins
tap.eq(log.run(), [], 'emptied, and a part of a line came')
with open(log.path + '.1', 'wb') as f:
	f.write(text)
with open(log.path, 'a') as f:
	f.write('0050 line\n')
tap.eq(log.run(), [50], 'its copy appears, the line is whole')

# no dates, no numbers: only inodes tell
log = Log('same')
with open(log.pikt) as f:
	text = f.read()
with open(log.pikt, 'w') as f:
	f.write(text.replace('$inline', '"%08d #{#innum()}"' % 1))


def same(n):
	with open(log.path, 'a') as f:
		f.write('disk full\n' * n)


same(10)
tap.eq(len(log.run()), 10, 'lines that are all alike')
same(2)
os.rename(log.path, log.path + '.1')
same(30)
tap.eq(len(log.run()), 32, 'renamed, and more of them')
tap.eq(len(log.run()), 0, 'none twice')

#
# Open lines
#

log = fresh('open')
log.write(2, end='')
tap.eq(log.run(), [5], 'a line without its newline waits')
with open(log.path, 'a') as f:
	f.write(' and its end\n')
tap.eq(log.run(), [6], 'until that has come')
log.write(1, end='')
os.rename(log.path, log.path + '.1')
log.write(1)
tap.eq(log.run(), [8], 'of a file that was turned it waits a minute')
os.utime(log.path + '.1', (time.time() - 99,) * 2)
tap.eq(log.run(), [7], 'and is a line then')

log = Log('first', first='')
log.write(3)
log.write(1, end='')
tap.eq(log.run(), [], 'the first run begins at the end')
with open(log.path, 'a') as f:
	f.write('\n')
log.write(1)
tap.eq(log.run(), [3, 4], 'but an open line is whole later')

log = Log('none')
log.run(ok=False)
tap.ok('WARNING: L: log %s: there is none' % log.path in log.err,
       'a log that is not there yet: a WARNING', log.err)
log.write(3)
os.rename(log.path, log.path + '.1')
log.write(2)
tap.eq(log.run(), [0, 1, 2, 3, 4], 'its first lines are not lost')

#
# What is no log
#

for name, make, said in (
    ('folder', os.mkdir, 'Is a directory'),
    ('fifo', os.mkfifo, 'no regular file'),
    ('device', lambda p: os.symlink('/dev/zero', p), 'no regular file')):
	log = Log(name)
	make(log.path)
	log.run(ok=False)
	tap.ok('ERROR: L: the run ends: %s: %s' % (log.path, said) in log.err,
	       'a %s is an error' % name, log.err)
log = fresh('link')
real = os.path.join(log.dir, 'real')
os.rename(log.path, real)
os.symlink('real', log.path)
log.write(2)
tap.eq(log.run(), [5, 6], 'the log becomes a link to itself')
os.rename(real, real + '.1')
with open(real, 'w') as f:
	f.write('00000099 x\n')
tap.eq(log.run(), [99], 'what it leads to is turned')
os.mkdir(real + '.2')
os.mkfifo(real + '.3')
tap.eq(log.run(), [], 'folders and FIFOs with the names of old logs')

for name in ('a b.log', '[x]*?.log', "it's.log", 'app', 'x.'):
	log = fresh('name ' + name, log=name)
	log.write(3)
	os.rename(log.path, log.path + '.1')
	log.write(1)
	tap.eq(log.run(), [5, 6, 7, 8], 'a log named ' + name)
log = fresh('other')
for name in ('app-2.log', 'app.log.conf', 'app.logs', 'app.log.1x',
	     'myapp.log.1', 'app.log.gz'):
	with open(os.path.join(log.dir, name), 'w') as f:
		f.write('00000077 x\n')
tap.eq(log.run(), [], 'names of other logs')

if os.getuid() == 0 and subprocess.run(['setpriv', '--reuid', '65534',
    '--clear-groups', 'true'], stderr=subprocess.DEVNULL).returncode == 0:
	log = fresh('locked')
	subprocess.run(['chown', '-R', '65534', log.dir], check=True)
	os.chmod('.', 0o755)
	command = log.command()
	log.command = lambda: ['setpriv', '--reuid', '65534',
			       '--clear-groups'] + command
	log.write(2)
	os.chmod(log.path, 0)
	tap.eq(log.run(ok=False), [], 'permission lost')
	tap.ok('ERROR: L: the run ends: %s: Permission denied' % log.path in
	       log.err, 'is an error', log.err)
	os.rename(log.path, log.path + '.1')
	log.write(1)
	os.chmod(log.path, 0o644)
	tap.eq(log.run(ok=False), [7], 'the log can be read, the old one not')
	tap.ok('WARNING: L: log %s.1: cannot be read: its lines wait' %
	       log.path in log.err, 'a WARNING', log.err)
	os.chmod(log.path + '.1', 0o644)
	tap.eq(log.run(), [5, 6], 'given back: nothing is lost')

#
# Packed files
#

log = fresh('packed', 100)
log.write(5)
with open(log.path, 'rb') as f:
	data = gzip.compress(f.read())
os.unlink(log.path)
with open(log.path + '.1.gz', 'wb') as f:
	f.write(data[:-20])
log.write(1)
tap.eq(log.run(ok=False), [105], 'a packed file that is not whole')
tap.ok('cannot be unpacked' in log.err and 'its lines wait' in log.err,
       'is told of', log.err)
with open(log.path + '.1.gz', 'wb') as f:
	f.write(data)
tap.eq(log.run(), [100, 101, 102, 103, 104], 'and read when it is')
tap.eq(log.run(), [], 'once')

#
# Copied and emptied, and filled further than before, between two blocks that
# are read, and between the last block and the end of the run
#

for n, what in ((12000, 'blocks'), (1, 'the end')):
	turn = os.path.join(os.getcwd(), 'turn')
	log = Log('between ' + what, extra='\trule\n\t\tif #innum() == 1\n'
		  '\t\t\texec wait "sh %s"\n\t\tfi\n' % turn)
	with open(turn, 'w') as f:
		f.write(':\n')
	log.write(40)
	tap.eq(log.run(), list(range(40)), 'a log that is read')
	log.write(n)
	old = log.path + '.old'
	os.rename(log.path, old)
	log.write(n + 9000)
	os.rename(log.path, os.path.join(log.dir, 'new'))
	os.rename(old, log.path)
	with open(turn, 'w') as f:
		f.write('cd "%s" || exit\n[ -f new ] || exit\ncp app.log '
			'app.log.1\ncat new >app.log\nrm new\n' % log.dir)
	got = log.run()
	tap.ok(got == list(range(40, 40 + len(got))) and got and
	       (len(got) < n or n == 1), 'emptied before ' + what,
	       '%d: %s...' % (len(got), got[:3]))
	tap.eq(log.run(), list(range(40 + len(got), 9040 + 2 * n)),
	       'the other lines come, each once')
	tap.eq(log.run(), [], 'and no more')

# A copy that was broken off in the middle of a line, and is all that can be
# read of a text; then a longer one.  The line's rest is not waited for.
def pack(data):
	return gzip.compress(data)


for short, packed in (('.2', bytes), ('.2.gz', pack)):
	log = Log('broken' + short)
	log.run(ok=False)
	log.write(300)
	with open(log.path, 'rb') as f:
		data = f.read()
	open(log.path, 'w').close()
	with open(log.path + short, 'wb') as f:
		f.write(packed(data[:14 * 200 + 6]))
	log.write(1)
	tap.eq(log.run(), list(range(200)) + [300], 'a broken copy' + short)
	tap.eq(log.run(), [], 'its last line waits')
	with open(log.path + '.1.gz', 'wb') as f:
		f.write(pack(data))
	tap.eq(log.run(), list(range(200, 300)), 'the whole text, packed')
	tap.eq(log.run(), [], 'once')
	os.utime(log.path + short, (time.time() - 99,) * 2)
	tap.eq(log.run(), [], 'the broken line never comes')
for short in '.1.gz', '.3.gz':
	log = Log('broken' + short)
	log.run(ok=False)
	log.write(300)
	with open(log.path, 'rb') as f:
		data = f.read()
	os.unlink(log.path)
	for n, name in (14 * 200, short), (14 * 300, '.2.gz'):
		with open(log.path + name, 'wb') as f:
			f.write(pack(data[:n]))
	tap.eq(log.run(), list(range(300)), 'a broken copy as %s beside the '
	       'whole text, both packed, both new' % short)
	tap.eq(log.run(), [], 'no line is read twice')
log = Log('broken packed')
log.run(ok=False)
log.write(300)
with open(log.path, 'rb') as f:
	data = f.read()
os.unlink(log.path)
with open(log.path + '.2.gz', 'wb') as f:
	f.write(pack(data[:-4]))
tap.eq(log.run(), list(range(299)), 'a packed open line waits')
os.utime(log.path + '.2.gz', (time.time() - 99,) * 2)
tap.eq([len(log.run()), log.reported[-1:]], [1, [299]], 'for a minute')
tap.eq(log.run(), [], 'and comes once')
log = Log('broken, nothing else')
log.run(ok=False)
log.write(9)
os.rename(log.path, log.path + '.2')
with open(log.path + '.1.gz', 'wb') as f:
	f.write(pack(b'00000009 li'))
tap.eq(log.run(), list(range(9)), 'a packed file with no whole line, behind '
       'one that is not packed')

#
# Lines that stop the run
#

STOP = '\trule\n\t\tif $1 == "00000006"\n\t\t\tdie "no"\n\t\tfi\n'
log = Log('stops', extra=STOP.replace('==', 'eq'))
log.write(9)
for i in range(2):
	tap.eq(log.run(ok=False), [] if i else list(range(6)),
	       'a line stops the run, %d' % (i + 1))
	tap.ok('skipped' not in log.err, 'and is not passed over', log.err)
log.run(ok=False)
tap.ok('WARNING: L: log %s: a line has stopped three runs and is skipped: '
       '"00000006 line"' % log.path in log.err, 'the third time it is',
       log.err)
tap.eq(log.run(), [7, 8], 'the next run goes on behind it')

for n in (5, 6):
	log = Log('eoi', extra=STOP.replace('==', 'eq').replace('no"',
	    'no" . $text(#eoi())').replace('00000006', '%08d' % n))
	log.write(9)
	tap.eq(log.run(ok=False), list(range(n)), 'with a look ahead, too')
	with open(log.pikt) as f:
		text = f.read()
	with open(log.pikt, 'w') as f:
		f.write(text.replace('%08d' % n, 'x'))
	tap.eq(log.run(), list(range(n, 9)), 'no line is lost by it')

log = Log('last', extra='\trule\n\t\tif #innum() == 4\n\t\t\tlast\n\t\tfi\n')
log.write(9)
tap.eq([log.run(), log.run(), log.run()],
       [[0, 1, 2], [4, 5, 6], [8]], 'last leaves the other lines')

log = Log('filter', filter='sed 3q')
log.write(5)
tap.eq(log.run(), [0, 1, 2], 'a filter takes all that is new')
tap.eq(log.run(), [], 'whatever it makes of it')
log = Log('nofilter', filter='exit 126')
log.write(5)
log.run(ok=False)
with open(log.pikt) as f:
	text = f.read()
with open(log.pikt, 'w') as f:
	f.write(text.replace('exit 126', 'cat'))
tap.eq(log.run(), [0, 1, 2, 3, 4], 'one that fails takes nothing')

#
# Large, killed, at once
#

log = Log('large', first='')
with open(log.path, 'wb') as f:
	f.truncate(5 << 30)
	f.seek(5 << 30)
	f.write(b'\n')
log.run()
log.write(3)
tap.eq(log.run(), [0, 1, 2], 'at 5 GiB')
os.rename(log.path, log.path + '.1')
log.write(1)
tap.eq(log.run(), [3], 'and turned there')
os.unlink(log.path + '.1')

log = Log('killed', 'create, rotate 1000', pause=.001)
log.run(ok=False)
log.start()
while not os.path.exists(log.path):
	time.sleep(.001)
rnd = random.Random(1)
i = 0
while i < (10 if SANITIZED else 40) or (i < 400 and len(log.reported) < 100):
	log.killed_run(rnd.random() * .02)
	if LOGROTATE and i % 4 == 0:
		log.rotate()
	if i % 5 == 0:
		log.run(ok=False)	# there may be no log at that moment
	i += 1
log.stop()
log.run()
log.look()
tap.ok(not [n for n in log.reported if log.reported.count(n) > 1] and
       not log.wrong() and len(log.seen) > 50,
       'SIGKILL: only what a killed run said is said again', log.wrong())

def meanwhile(name, options, hold, runs, kill):
	"""Writer, logrotate and picket all at once; why it went wrong."""
	log = Log('meanwhile %s%s' % (name, ' killed' if kill else ''),
		  options + ', rotate 1000', hold=hold)
	rnd = random.Random(log.dir)
	log.run(ok=False)
	log.start()
	end, turned = [], [0]

	def turn():
		while not end:
			if os.path.exists(log.path) and \
			    os.path.getsize(log.path) > 2000:
				log.rotate(check=False, kill=rnd.random() * .01
					   if kill and rnd.random() < .4
					   else None)
				turned[0] += 1
			time.sleep(.002)

	t = threading.Thread(target=turn)
	t.start()
	i = 0
	# on a slow machine until there is enough to judge by
	while i < runs or (i < 20 * runs and (turned[0] < 5 or
	    len(log.reported) < 100)):
		log.run(ok=False)
		i += 1
	end.append(1)
	t.join()
	log.stop()
	log.settle()
	log.run(ok=False)
	log.look()
	if len(log.seen) < 50 or turned[0] < 5:
		return 'only %d lines, %d turns' % (len(log.seen), turned[0])
	return log.wrong()


if LOGROTATE:
	for name, options, hold in (
	    ('create', 'create', False),
	    ('copy', 'copy', True),
	    ('copytruncate', 'copytruncate', True),
	    ('gzip', 'create, compress', False),
	    ('delaycompress', 'create, compress, delaycompress', False),
	    ('copytruncate, gzip', 'copytruncate, compress', True),
	    ('copytruncate, delaycompress',
	     'copytruncate, compress, delaycompress', True)):
		for kill in (False, True):
			for i in range(5 if LONG else 1):
				bad = meanwhile(name, options, hold,
						10 if SANITIZED else
						100 if LONG else 30, kill)
				if bad:
					break
			tap.ok(not bad, 'logrotate (%s) while picket runs%s' %
			       (name, ', and is killed' if kill else ''), bad)
tap.done()
