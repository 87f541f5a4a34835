#!/usr/bin/env python3
# runner: timeout=240
"""The long queue, for real: a Postfix in a machine of its own with 7,353
messages that cannot leave.  QueueHigh tells of them once, with reasons,
senders and ages, and once when they are fewer; QueuePurge sets aside what it
names and nothing else, and its release command, as printed, brings all back.
The same in small with a real Exim and a real sendmail, and over listings of
both with as many messages."""

import email
import email.policy
import glob
import json
import os
import re
import shutil
import smtplib
import string
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from storm import PICKET, SLOW, SRCDIR, TMP, Tap	# noqa: E402
import roots						# noqa: E402
from delivery import skip_all				# noqa: E402
from servers import (PLAIN_PORT, Exim, Postfix, Server,		# noqa: E402
		     add_user, command, own, text, wait_for, write)

SITE, LOGS = os.path.join(TMP, 'site'), os.path.join(TMP, 'log')
LIB = os.path.join(SRCDIR, 'stdlib-scripts')
SPOOL = '/var/spool/postfix'
FIRST, ALL, LEFT = 4999, 7353, 4623	# below the onset, the report's peak, end
SINK = 2526		# takes nobody's mail
WEB, LIST = 'web@shop.example', 'news@list.example'
T0 = int(time.time())
HOUR, DAY = 3600, 86400
PATIENCE = 60 * SLOW
tap = Tap()


class Run:
	"""One run of a script, at a time after T0; its memory is the peak."""

	def __init__(self, at, script, *options):
		start = time.monotonic()
		with open(os.path.join(TMP, 'out'), 'w+b') as out:
			p = subprocess.Popen(
			    [PICKET, 'run', '--config', SITE, *options,
			     os.path.join(LIB, script + '.pikt')],
			    stdin=subprocess.DEVNULL, stdout=out, stderr=out,
			    env=dict(os.environ, PICKET_CLOCK=str(T0 + at)))
			_, status, usage = os.wait4(p.pid, 0)
			p.returncode = status
			out.seek(0)
			self.out = out.read().decode('utf-8', 'replace')
		self.seconds = time.monotonic() - start
		self.status = os.waitstatus_to_exitcode(status)
		self.memory = usage.ru_maxrss / 1024

	def __repr__(self):
		return 'exit %d after %.1f s\n%s' % (self.status, self.seconds,
						     self.out)


class Mailer(Postfix):
	"""Domains to which nothing can be delivered, each for its reason."""

	def setup(self):
		super().setup()
		with open('/etc/postfix/main.cf', 'a') as f:
			f.write('transport_maps = inline:{'
				'{dead.example = smtp:[127.0.0.1]:9}, '
				'{full.example = smtp:[127.0.0.2]:%d}}\n'
				'in_flow_delay = 0\n' % SINK)
		with open('/etc/postfix/master.cf', 'a') as f:
			f.write('smtp unix - - n - - smtp\n')

	def inject(self, count, sender, to):
		subprocess.run(['smtp-source', '-d', '-s', '10', '-l', '500',
				'-m', str(count), '-f', sender, '-t', to,
				'127.0.0.1:%d' % PLAIN_PORT], check=True,
			       timeout=PATIENCE)

	def listing(self):
		"""The queue as Postfix tells it: {id: message}."""
		out = subprocess.run(['postqueue', '-j'], check=True,
				     stdout=subprocess.PIPE).stdout
		return {m['queue_id']: m
			for m in map(json.loads, out.splitlines())}

	def settled(self, count):
		"""Waits until so many have been tried and put off."""
		def there(queue):
			return sum(len(f) for _, _, f in
				   os.walk(SPOOL + '/' + queue))
		return wait_for(lambda: there('deferred') == count and not
				there('active') + there('incoming'), PATIENCE)

	def aged(self, ids, seconds):
		"""These came so much earlier: the time in their files."""
		for i in ids:
			path = '%s/deferred/%s/%s' % (SPOOL, i[0], i)
			with open(path, 'r+b') as f:
				m = re.search(rb'T.(\d{10}) ', f.read(500))
				f.seek(m.start(1))
				f.write(b'%d' % (int(m.group(1)) - seconds))

	def super(self, option, ids):
		subprocess.run(['postsuper', option, '-'], check=True,
			       input='\n'.join(ids), text=True,
			       stderr=subprocess.DEVNULL)

	def texts(self):
		return [email.message_from_bytes(m, policy=email.policy.default)
			.get_content() for m in self.mails()]


def told(run, postfix, mails, what):
	"""The run ended well, and so many mails have come in all."""
	tap.ok(run.status == 0 and 'ERROR' not in run.out, what + ': ends well',
	       run)
	wait_for(lambda: len(postfix.mails()) >= mails, PATIENCE)
	tap.eq(len(postfix.mails()), mails, what + ': mails so far')
	got = postfix.texts()
	return got[-1] if got else ''


def has(body, what, *patterns):
	for p in patterns:
		tap.ok(re.search(p, body, re.M), '%s: %s' % (what, p), body)


def site(*lines):
	os.makedirs(LOGS, exist_ok=True)
	write(os.path.join(SITE, 'picket.conf'), '\n'.join(lines) + '\n')


def postfix():
	roots.enter('postfix')
	site('mailto systems@localhost', 'mailfrom picket@localhost',
	     'hostname moscow', 'logdir ' + LOGS,
	     'smtp localhost:%d' % PLAIN_PORT)
	p = Mailer()
	p.start()
	sink = subprocess.Popen(['smtp-sink', '-u', 'postfix', '-r', 'rcpt',
				 '127.0.0.2:%d' % SINK, '100'])
	high(p)
	purge(p)
	p.stop()
	sink.kill()


def high(p):
	start = time.monotonic()
	p.inject(FIRST - 2000, WEB, 'u@dead.example')
	p.inject(2000, LIST, 'v@full.example')
	took = time.monotonic() - start
	tap.ok(p.settled(FIRST), '%d messages wait' % FIRST, p.said()[-2000:])
	run = Run(0, 'QueueHigh', '-D', 'doexec')
	told(run, p, 0, 'below the onset')

	start = time.monotonic()
	p.inject(ALL - FIRST - 354, WEB, 'w@dead.example')
	p.inject(354, '', 'x@dead.example')
	took += time.monotonic() - start
	tap.ok(p.settled(ALL), '%d messages wait' % ALL, p.said()[-2000:])
	print('# %d messages injected in %.1f s' % (ALL, took))
	queue = p.listing()
	tap.eq(len(queue), ALL, 'so says Postfix')
	web = [i for i in queue if queue[i]['sender'] == WEB]
	news = [i for i in queue if queue[i]['sender'] == LIST]
	web.sort(key=lambda i: queue[i]['recipients'][0]['address'])
	p.aged(web[:1500], 6 * HOUR)	# all of them to u@
	p.aged(news[:500], 3 * DAY)

	start = time.monotonic()
	p.listing()
	took = time.monotonic() - start
	run = Run(300, 'QueueHigh', '-D', 'doexec')
	print('# postqueue -j alone: %.2f s' % took)
	print('# QueueHigh over %d messages of Postfix: %.2f s, %.0f MiB' %
	      (ALL, run.seconds, run.memory))
	tap.ok(run.seconds < 10 * SLOW, 'in time', run)
	body = told(run, p, 1, 'the onset')
	has(body, 'the onset', r'\[firing\] 7353 messages wait in the queue of '
	    r'postfix \(at most 4999\), 2354 more than in the last run: '
	    r'under 1 h: 5353, 1 h to 1 day: 1500, older: 500; 5353 of them: '
	    r'connect to ',
	    r'^ +2000  host \* said: \* Error: command failed '
	    r'\(in reply to RCPT TO command\)$',
	    r'^ +5353  connect to \*: Connection refused$',
	    r'^ +4999  web@shop\.example$', r'^ +2000  news@list\.example$',
	    r'^ +354  <> \(bounces\)$', r'^ +5353  dead\.example$',
	    r'^ +2000  full\.example$')
	tap.ok('127.0.0.1' not in body, 'the onset: no host in a reason', body)
	for at in (600, 900):
		told(Run(at, 'QueueHigh', '-D', 'doexec'), p, 1,
		     'while it lasts')

	# the greater part of the news goes; so does some of the web's
	gone = news + web[-(ALL - LEFT - len(news)):]
	p.super('-d', gone[:-(LEFT - 4000)])
	tap.eq(len(p.listing()), ALL - len(gone) + LEFT - 4000,
	       'above the second threshold')
	told(Run(1200, 'QueueHigh', '-D', 'doexec'), p, 1, 'fewer, yet many')
	p.super('-d', gone[-(LEFT - 4000):])
	tap.eq(len(p.listing()), LEFT, 'drained')
	before = len(re.findall('status=deferred', p.said()))
	run = Run(300 + 47 * 60, 'QueueHigh', '-D', 'doexec')
	has(told(run, p, 2, 'the end'), 'the end',
	    r'\[resolved after 47m\] [0-9]+ messages wait in the queue of ')
	tap.ok(wait_for(lambda: len(re.findall('status=deferred', p.said())) >
			before, PATIENCE), 'the queue was flushed')
	told(Run(300 + 52 * 60, 'QueueHigh', '-D', 'doexec'), p, 2, 'after it')


def purge(p):
	tap.ok(p.settled(LEFT), 'all have been tried again')
	queue = p.listing()
	mine = sorted(i for i in queue if queue[i]['sender'] == '' or
		      queue[i]['sender'] == 'MAILER-DAEMON')[:3]
	p.super('-h', mine)		# somebody has his own reasons
	named = {i for i, m in queue.items() if m['sender'] == WEB and
		 m['arrival_time'] <= T0 - 3 * HOUR and
		 m['recipients'][0]['address'] == 'u@dead.example'}
	tap.eq(len(named), 1500, 'some of the sender are old enough')
	options = ('-M', 'queue_purge_sender=' + WEB,
		   '-M', 'queue_purge_pattern=^u@dead[.]example$',
		   '-M', 'queue_purge_age=3h')

	def held():
		return {i for i, m in p.listing().items()
			if m['queue_name'] == 'hold'}

	at = 300 + 60 * 60
	for what, more in (('no sender', options[2:]),
			   ('no pattern', options[:2] + options[4:])):
		told(Run(at, 'QueuePurge', '-D', 'doexec', *more), p, 2, what)
	body = told(Run(at, 'QueuePurge', *options), p, 3, 'as shipped')
	has(body, 'as shipped', '1000 messages from <web@shop.example> in the '
	    'queue of postfix would be set aside, 500 more fit: not done')
	tap.eq(held(), set(mine), 'as shipped: nothing was held')
	told(Run(at + 60, 'QueuePurge', '--dry-run', '-D', 'doexec', *options),
	     p, 3, 'dry-run')
	tap.eq(held(), set(mine), 'dry-run: nothing was held')

	commands = []
	for n, count, mails in ((1, 1000, 4), (2, 500, 5)):
		run = Run(at + 60 + 60 * n, 'QueuePurge', '-D', 'doexec', *options)
		print('# QueuePurge holds %d messages: %.2f s, %.0f MiB' %
		      (count, run.seconds, run.memory))
		body = told(run, p, mails, 'the purge')
		has(body, 'the purge', '^ +%d messages from <web@shop.example> '
		    'in the queue of postfix were set aside' % count)
		commands += re.findall('to release all of it: (.*)$', body, re.M)
		got = held() - set(mine)
		tap.ok(got <= named and len(got) == min(1500, n * 1000),
		       'the purge: holds so many, and of these only',
		       len(got), sorted(got - named)[:5])
	tap.eq(held(), named | set(mine), 'exactly the ones that it names')
	tap.eq(set(p.listing()), set(queue), 'no message is gone')
	told(Run(at + 300, 'QueuePurge', '-D', 'doexec', *options), p, 5,
	     'nothing is left to hold')
	tap.eq(len(commands), 2, 'each mail has its release command')
	for c in commands:
		r = subprocess.run(['sh', '-c', c], stdout=subprocess.PIPE,
				   stderr=subprocess.STDOUT, text=True)
		tap.eq(r.returncode, 0, c)
	tap.eq(held(), set(mine), 'as printed they release all, and no more')
	tap.eq(set(p.listing()), set(queue), 'no message is gone')


def record(path):
	"""A program that writes down how it was called."""
	write(path, '#!/bin/sh\necho "$*" >>%s.calls\n' % path, 0o755)
	return path


def base62(n):
	"""The time at the head of Exim's message ids."""
	digits = ''
	for _ in range(6):
		n, d = divmod(n, 62)
		digits = (string.digits + string.ascii_uppercase +
			  string.ascii_lowercase)[d] + digits
	return digits


def listings():
	"""Exim and sendmail: as they list as many messages."""
	site('logdir ' + LOGS)
	when = time.strftime('%a %b %d %H:%M', time.localtime(T0 - 2 * HOUR))
	exim = ['%s  2.9K %s-%06d-0a <%s>\n          u@dead.example\n\n' %
		(*(('25m', base62(T0 - 1500)) if i < 5000 else
		   ('26h', base62(T0 - 26 * HOUR))), i, WEB if i % 3 else '')
		for i in range(ALL)]
	sendmail = ['3AE%011d      354 %s <%s>\n                 (Deferred: '
		    'Connection timed out with mx%d.dead.example.)\n'
		    '\t\t\t\t\t <u@dead.example>\n' %
		    (i, when, WEB if i % 3 else 'MAILER-DAEMON', i)
		    for i in range(ALL)]
	for kind, entries, hold, free, ages, why in (
	    ('exim', exim, r'-Mf( \w{6}-\d{6}-0a){100}', 'xargs %s -Mt < ',
	     'under 1 h: 5000, 1 h to 1 day: 0, older: 2353', 'none is given'),
	    ('sendmail', sendmail, r'-QQueuePurge -qI3AE\d{11}',
	     'for i in .*do %s -qQ -Q -qI.i; done',
	     'under 1 h: 0, 1 h to 1 day: 7353, older: 0',
	     r'Deferred: Connection timed out with \*\.')):
		root = os.path.join(TMP, kind + '.root')
		path = os.path.join(root, 'queue', kind)
		fake = record(os.path.join(TMP, kind))
		head = '' if kind == 'exim' else (
		    '\t\t/var/spool/mqueue (%d requests)\n-----Q-ID----- '
		    '--Size-- -----Q-Time----- ------------Sender/Recipient'
		    '-----------\n' % ALL)
		options = ('--root', root, '--mail', 'stdout', '-D', 'doexec',
			   '-M', 'queue_mta=' + kind,
			   '-M', '%s=%s' % (kind, fake))

		write(path, head + ''.join(entries[:FIRST]))
		r = Run(0, 'QueueHigh', *options)
		tap.eq((r.status, r.out), (0, ''), kind + ': below the onset')
		write(path, head + ''.join(entries))
		r = Run(300, 'QueueHigh', *options)
		print('# QueueHigh over %d messages of %s: %.2f s, %.0f MiB' %
		      (ALL, kind, r.seconds, r.memory))
		has(r.out, kind, r'\[firing\] 7353 messages wait in the queue '
		    'of %s .*: %s; 7353 of them: %s$' % (kind, ages, why),
		    r'^ +7353  ' + why + '$', r'^ +4902  web@shop\.example$',
		    r'^ +2451  <> \(bounces\)$', r'^ +7353  dead\.example$')
		r = Run(600, 'QueueHigh', *options)
		tap.eq((r.status, r.out), (0, ''), kind + ': told of once')
		write(path, head + ''.join(entries[:LEFT]))
		r = Run(300 + 47 * 60, 'QueueHigh', *options)
		has(r.out, kind, r'\[resolved after 47m\]')
		calls = wait_for(lambda: text(fake + '.calls'))
		tap.eq(calls, {'exim': '-qf\n', 'sendmail': '-q\n'}[kind],
		       kind + ': flushed')

		os.unlink(fake + '.calls')
		write(path, head + ''.join(entries[:300]))
		r = Run(300, 'QueuePurge', *options,
			'-M', 'queue_purge_sender=' + WEB,
			'-M', 'queue_purge_pattern=@dead')
		has(r.out, kind, '200 messages .* were set aside$',
		    'to release all of it: ' + free % re.escape(fake))
		calls = text(fake + '.calls')
		tap.ok(re.fullmatch('(%s\n)+' % hold, calls) and
		       re.findall(r'\w{6}-\S+-0a|3AE\S+', calls) ==
		       [e.split()[2 if kind == 'exim' else 0]
			for i, e in enumerate(entries[:300]) if i % 3],
		       kind + ': holds what it names', calls)


class Eximer(Exim):
	"""Takes all, and can deliver nothing."""

	def setup(self):
		write(self.key, '')
		super().setup()
		write('/etc/exim4/exim4.conf', '''
primary_hostname = moscow.example.org
daemon_smtp_ports = %d
local_interfaces = 127.0.0.1
acl_smtp_rcpt = take
queue_only
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max_per_connection = 1000
log_file_path = /var/log/exim4/%%slog
keep_environment =

begin acl
take:
  accept

begin routers
dead:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = dead

begin transports
dead:
  driver = smtp
  port = 9

begin retry
* * F,5d,1h
''' % PLAIN_PORT, 0o640)
		shutil.chown('/etc/exim4/exim4.conf', 'root', 'Debian-exim')

	def launch(self):
		self.spawn('exim4', '-bdf')	# the queue is run when we say

	def listing(self):
		"""The queue as it tells it: {id: (sender, held, recipient)}."""
		return {m[1]: (m[2], bool(m[3]), m[4]) for m in re.finditer(
		    r'^ *\d+[mhd] .*? (\w{6}-\w+-\w+) <(.*?)>'
		    r'( \*\*\* frozen \*\*\*)?\n +(\S+)',
		    command('exim', '-bp'), re.M)}

	def take(self, sender, to):
		if not hasattr(self, 'smtp'):
			self.smtp = smtplib.SMTP('127.0.0.1', PLAIN_PORT)
		self.smtp.sendmail(sender, to, 'Subject: x\n\nx\n')

	def retry(self):
		command('exim', '-q')	# returns when all were tried

	def tried(self, _):
		return True

	def runs(self):
		"""How often the queue was run."""
		return self.said().count('Start queue run')


class Sendmailer(Server):
	"""Takes all by its command, and can deliver nothing."""

	def setup(self):
		for user in ('smmta', 'smmsp'):
			add_user(user)
		own('/var/spool/mqueue', 'root', 'root', 0o700)
		os.makedirs('/run/sendmail/mta', exist_ok=True)
		cf = '/usr/share/sendmail/cf'
		write('/etc/mail/dead.mc', '''
include(`%s/m4/cf.m4')
OSTYPE(`linux')
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')
define(`confRUN_AS_USER', `root')
define(`confDEF_USER_ID', `root')
define(`confPID_FILE', `/run/sendmail.pid')
define(`confDELIVERY_MODE', `queueonly')
define(`confDOMAIN_NAME', `moscow.example.org')
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch-nodns')
define(`confQUEUE_LA', `1000')
define(`confREFUSE_LA', `1000')
define(`confDELAY_LA', `0')
define(`RELAY_MAILER_ARGS', `TCP $h 9')
FEATURE(`nocanonify')
FEATURE(`nullclient', `[127.0.0.1]')
''' % cf)
		write('/etc/mail/sendmail.cf', command(
		    'm4', '-D_CF_DIR_=%s/' % cf, '/etc/mail/dead.mc'))
		for name in ('/usr/sbin/sendmail', '/usr/bin/mailq'):
			if os.path.lexists(name):
				os.unlink(name)
			os.symlink('/usr/libexec/sendmail/sendmail', name)

	def start(self):
		"""There is no daemon: its command does all."""

	def stop(self):
		"""Nothing to stop."""

	def take(self, sender, to):
		command('sendmail', '-f', sender, to, input='Subject: x\n\nx\n')

	def retry(self):
		command('sendmail', '-q')	# its children go on

	def tried(self, count):
		"""Whether so many messages have a reason why they wait."""
		return len([f for f in glob.glob('/var/spool/mqueue/qf*')
			    if re.search('^M', text(f), re.M)]) >= count

	def runs(self):
		"""How often the queue was run: tries of a message."""
		return max(int(m) for f in glob.glob('/var/spool/mqueue/qf*')
			   for m in re.findall('^N([0-9]+)$', text(f), re.M))

	def listing(self):
		return {m[0]: (m[1], option == '-qQ', m[2])
			for option in ('-qQ', '-q')
			for m in re.findall(
			    r'^(\w{14})\S? .*? \d\d:\d\d (\S+)\n'
			    r'(?: {3,}\S.*\n)*\t+ (\S+)$',
			    command(*(['mailq', '-qQ'] if option == '-qQ'
				      else ['mailq'])), re.M)}


def real(p, kind, count, *reasons):
	"""The life of a queue of so many messages; a third fits the purge."""
	site('logdir ' + LOGS)
	p.start()
	for i in range(count):
		p.take(WEB if i % 3 else LIST,
		       'u@dead.example' if i % 2 else 'v@full.example')
	p.retry()
	tap.ok(wait_for(lambda: p.tried(count), PATIENCE),
	       'each message was tried')
	queue = p.listing()
	tap.eq(len(queue), count, '%d messages wait' % count)
	options = ('--mail', 'stdout', '-D', 'doexec',
		   '-M', 'queue_high=%d' % count,
		   '-M', 'queue_clear=%d' % (count - count / 6))
	r = Run(30, 'QueueHigh', *options)
	print('# QueueHigh over %d messages in the spool of %s: %.2f s' %
	      (count, kind, r.seconds))
	has(r.out, 'the onset', r'\[firing\] %d messages wait in the queue of '
	    r'%s .*: under 1 h: %d, ' % (count, kind, count),
	    r'^ +%d  web@shop' % (count * 2 / 3),
	    r'^ +%d  dead\.example$' % (count / 2), *reasons)

	def held():
		return {i for i, m in p.listing().items() if m[1]}

	named = {i for i, m in queue.items()
		 if m[0] == WEB and m[2] == 'u@dead.example'}
	tap.eq(len(named), count / 3, 'some are to be set aside')
	options += ('-M', 'queue_purge_sender=' + WEB,
		    '-M', 'queue_purge_pattern=^u@dead[.]example$')
	r = Run(60, 'QueuePurge', *options)
	tap.eq((r.status, r.out), (0, ''), 'too young to be set aside')
	r = Run(HOUR, 'QueuePurge', *options)
	has(r.out, 'the purge', '%d messages from .* were set aside$' %
	    (count / 3))
	tap.eq(held(), named, 'exactly the ones that it names are held')
	release = re.findall('to release all of it: (.*)$', r.out, re.M)
	r = Run(HOUR + 60, 'QueuePurge', *options)
	tap.eq((r.status, r.out), (0, ''), 'nothing is left to set aside')
	before = p.runs()
	r = Run(HOUR + 60, 'QueueHigh', *options)
	has(r.out, 'the end', r'\[resolved after ')
	tap.ok(wait_for(lambda: p.runs() > before, PATIENCE),
	       'the queue is flushed', p.said())
	tap.eq(held(), named, 'which releases none')
	for c in release:
		command('sh', '-c', c)
	tap.eq((len(release), held()), (1, set()),
	       'the command as printed releases all')
	tap.eq(set(p.listing()), set(queue), 'no message is gone')
	p.stop()


def exim():
	roots.enter('exim')
	real(Eximer(), 'exim', 300, r'^ +[0-9]+  defer \(\*\): Connection '
	     'refused$', r'^ +[0-9]+  defer \(\*\): retry time not reached')


def sendmail():
	roots.enter('sendmail')
	real(Sendmailer(), 'sendmail', 60, r'^ +60  Deferred: ')


SCENES = {f.__name__: f for f in (postfix, exim, sendmail, listings)}
if len(sys.argv) > 1:
	if sys.argv[1] == 'listings':
		roots.enter()
	SCENES[sys.argv[1]]()
	tap.done()
why = roots.why_not('postfix', 'exim', 'sendmail')
if len(why) == 3:
	skip_all(why['postfix'])
for name in why:
	tap.ok(True, '%s # SKIP %s' % (name, why[name]))
roots.run_each([(name,) for name in SCENES if name not in why], tap)
tap.done()
