#!/usr/bin/env python3
# runner: timeout=400
"""input logfile under real logrotate: every numbered line that is in any
file after a rotation is reported exactly once.
"""

import concurrent.futures
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from logs import LOGROTATE, LONG, SANITIZED, Log, Tap		# noqa: E402
from delivery import skip_all					# noqa: E402

if LOGROTATE is None:
	skip_all('logrotate is not here')
os.chdir(os.environ.get('TMPDIR', '/tmp'))
tap = Tap()
ROUNDS = 100 if LONG else 8 if SANITIZED else 12
DATE = 'dateext, dateformat -%Y%m%d-%s'

# name, options, and what else: rounds at most (a date is one second long)
MODES = [
	('create', 'create, rotate 5', {}),
	('create, writer holds', 'create, rotate 5', {'hold': True}),
	('nocreate', 'nocreate, rotate 5', {}),
	('rotate 0', 'create, rotate 0', {}),
	('rotate 1', 'create, rotate 1', {}),
	('copytruncate', 'copytruncate, rotate 5', {'hold': True}),
	('copytruncate, rotate 1', 'copytruncate, rotate 1', {'hold': True}),
	('copy', 'copy, rotate 5', {'hold': True}),
	('copy, compress', 'copy, rotate 3, compress', {}),
	('gzip', 'create, rotate 5, compress', {}),
	('bzip2', 'create, rotate 4, compress, compresscmd /usr/bin/bzip2, '
	 'compressext .bz2', {}),
	('xz', 'create, rotate 4, compress, compresscmd /usr/bin/xz, '
	 'compressext .xz', {}),
	('zstd', 'create, rotate 4, compress, compresscmd /usr/bin/zstd, '
	 'compressoptions -q, compressext .zst', {}),
	('delaycompress', 'create, rotate 5, compress, delaycompress', {}),
	('copytruncate, gzip', 'copytruncate, rotate 5, compress',
	 {'hold': True}),
	('copytruncate, delaycompress',
	 'copytruncate, rotate 5, compress, delaycompress', {'hold': True}),
	('start 0', 'create, rotate 5, start 0', {}),
	('extension', 'create, rotate 5, extension .log, compress', {}),
	('shared', 'create, rotate 5, sharedscripts, maxage 9, shred, '
	 'ifempty', {}),
	('olddir', 'create, rotate 5, olddir old, createolddir, compress',
	 {'bakfile': 'old'}),
	('olddir, named', 'create, rotate 5, olddir old, createolddir',
	 {'bakfile': 'old/app.log'}),
	('dateext', 'create, rotate 9, ' + DATE, {'rounds': 4}),
	('dateext, gzip', 'create, rotate 9, compress, ' + DATE,
	 {'rounds': 4}),
	('dateext, copytruncate', 'copytruncate, rotate 9, ' + DATE,
	 {'rounds': 4, 'hold': True}),
	('dateext, extension', 'create, rotate 9, extension .log, ' + DATE,
	 {'rounds': 4}),
	('odd name', 'create, rotate 4, compress', {'log': 'app [a-z]* .log'}),
	('filter', 'create, rotate 4, compress', {'filter': 'cat'}),
]


def rounds(log, n, date):
	"""Rotations, none to three between two runs; n rounds, and more until
	there were lines enough: what is thrown away is in no file."""
	rnd = random.Random(log.dir)
	log.run(ok=False)	# there is no log yet: a WARNING
	log.start()
	while not os.path.exists(log.path):
		pass
	i = 0
	while i < n or (len(log.seen) <= 20 * n and i < 4 * n):
		for k in range(1 if date else rnd.choice((0, 1, 1, 1, 2, 3))):
			while not os.path.exists(log.path) or \
			    os.path.getsize(log.path) < 3000:
				time.sleep(.001)
			log.rotate()
		if date:
			time.sleep(1.05)
		log.look()
		log.run()
		log.check('round %d' % i)
		i += 1
	log.stop()
	log.rotate()
	log.look()
	log.run()
	log.check('at the end')
	return log.wrong() or ('' if len(log.seen) > 20 * n else
			       'only %d lines' % len(log.seen))


def mode(i):
	name, options, more = MODES[i]
	more = dict(more)
	n = min(ROUNDS, more.pop('rounds', ROUNDS))
	folder = 'mode%d' % i
	for key in ('bakfile',):
		if key in more:
			more[key] = os.path.join(os.getcwd(), folder, more[key])
	try:
		return rounds(Log(folder, options, **more), n,
			      'dateext' in options)
	except RuntimeError as e:
		return str(e)


with concurrent.futures.ThreadPoolExecutor(3) as pool:
	for (name, _, _), bad in zip(MODES, pool.map(mode, range(len(MODES)))):
		tap.ok(not bad, name, bad)
tap.done()
