#!/usr/bin/python3
# runner: timeout=180
"""The mail server is the incident: a real Postfix that holds its queue, is
stopped while sendmail goes on taking mail, or is not there at all.  What is
critical arrives by the fall-back within two minutes of virtual time, and by
mail once when Postfix is back."""

import contextlib
import http.server
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import roots						# noqa: E402
from delivery import Tap, picket, skip_all		# noqa: E402
from servers import (PATIENCE, PLAIN_PORT, Postfix,	# noqa: E402
                     text, wait_for, write)

TMP = os.environ.get('TMPDIR', '/tmp')
SITE, FELL = os.path.join(TMP, 'site'), os.path.join(TMP, 'fallback')
SENDMAIL, AWAY = '/usr/sbin/sendmail', '/usr/sbin/sendmail.away'
HOOK = 8080
SMTP = 'smtp localhost:%d' % PLAIN_PORT
T0 = int(time.time())		# mail servers compare dates with theirs
SAY = '''%(name)s

	init
		status  active
		level   %(level)s
		task    "Say a number."
	begin
		output mail "this is number $env("NUMBER")."
'''
QUEUE = '''queue

	init
		status  active
		level   warning
		task    "Watch the mail queue."
		affects mail
	begin
		set #full = #value($env("FULL"))
		incident "queue"
			when    #full > 0
			message "the queue is full: number $env("NUMBER")."
		endincident
'''
tap = Tap()


class Hook:
    """Writes down what is posted to it."""

    def __init__(self):
        self.got = got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                got.append(self.rfile.read(int(self.headers[
                    'Content-Length'])).decode('utf-8', 'replace'))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *ignored):
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', HOOK), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()


class World:
    """A site on a machine with a Postfix, and a clock that we turn."""

    def __init__(self, *ways):
        roots.enter('postfix')
        self.postfix = Postfix()
        self.hook = Hook()
        self.told, self.faults = [], 0
        self.down = False	# no way for mail: a status of 1 says so
        self.patience = PATIENCE
        write(os.path.join(SITE, 'picket.conf'),
              'mailto systems@localhost\nmailfrom picket@localhost\n'
              'hostname moscow\n' + ''.join(w + '\n' for w in ways))
        for name in ('critical', 'warning'):
            write(os.path.join(SITE, name + '.pikt'),
                  SAY % {'name': name, 'level': name})
        write(os.path.join(SITE, 'queue.pikt'), QUEUE)

    def picket(self, at, *argv, **env):
        r = picket(argv[0], '--config', SITE, *argv[1:],
                   PICKET_CLOCK=str(T0 + at), **env)
        want = self.down and argv[0] != 'outbox'
        self.faults += r.broken() or r.status != want
        self.told.append('%+d: picket %s: %r' % (at, ' '.join(argv), r))
        return r.out + r.err

    def run(self, at, script, number, **env):
        return self.picket(at, 'run', os.path.join(SITE, script + '.pikt'),
                           NUMBER=str(number), **env)

    def deliver(self, *times):
        for at in times:
            self.picket(at, 'deliver')

    def count(self, number):
        """How often it is in the mailbox, and came by a fall-back."""
        what = 'number %d.' % number
        return (sum(what.encode() in m for m in self.postfix.mails()),
                sum(what in x for x in self.hook.got +
                    re.split('^From picket@', text(FELL), flags=re.M)))

    def order(self, number):
        """The ways that it went, one after the other."""
        mail = next(m for m in self.postfix.mails()
                    if b'number %d.' % number in m)
        notice = re.search(rb'^Message-ID: <(.*)>$', mail, re.M).group(1)
        path = 'file:%s/state.db?mode=ro' % roots.STATE
        with contextlib.closing(sqlite3.connect(path, uri=True)) as db:
            return [str(way, 'utf-8') for way, in db.execute(
                'SELECT way FROM delivery WHERE notice = ? ORDER BY id',
                (notice,)).fetchall()]

    def tell(self, number, want, what):
        """want: (mails, fall-backs); mails may still be on their way."""
        late = self.count(number)[0] < want[0]
        got = wait_for(lambda: self.count(number) == want,
                       self.patience if late else 0)
        self.patience = self.patience if got else 1	# all will be late
        tap.ok(got, what, 'number %d: got %s, wanted %s' %
               (number, self.count(number), want), '\n'.join(self.told),
               self.postfix.said() if not got else '')

    def end(self):
        tap.ok(not self.faults, 'each command has the right exit status',
               '\n'.join(self.told))


def takes_and_keeps(w, back):
    """What took the mail has a queue on this host, and does not deliver."""
    w.run(0, 'critical', 1)
    w.tell(1, (0, 1), 'critical: came by the fall-back, at once')
    w.run(1, 'warning', 2)
    w.deliver(60, 119, 121, 3600)
    w.tell(1, (0, 1), 'critical: by the fall-back once')
    w.tell(2, (0, 0), 'a warning that was taken needs no fall-back')
    tap.eq(w.postfix.queued(), 2, 'both mails are in the queue')
    back()
    w.tell(1, (1, 1), 'the server is back: the critical mail is there')
    w.tell(2, (1, 0), 'and the warning')
    w.deliver(3700, 7200, 90000)
    time.sleep(0.5)
    w.tell(1, (1, 1), 'the critical one once')
    w.tell(2, (1, 0), 'the warning once')
    tap.eq(w.postfix.queued(), 0, 'the queue is empty')


def held():
    w = World(SMTP, 'file %s fallback' % FELL)
    w.postfix.hold(True)
    w.postfix.start()

    def back():
        w.postfix.stop()
        w.postfix.hold(False)
        w.postfix.start()
        subprocess.run(['postqueue', '-f'])
    takes_and_keeps(w, back)
    return w


def stopped():
    w = World('sendmail ' + SENDMAIL, 'webhook http://127.0.0.1:%d/' % HOOK)
    w.postfix.start()		# it makes its queue
    w.postfix.stop()
    takes_and_keeps(w, w.postfix.start)
    return w


def gone():
    w = World(SMTP, 'sendmail ' + SENDMAIL, 'file %s fallback' % FELL)
    os.rename(SENDMAIL, AWAY)
    w.down = True
    w.run(0, 'critical', 1)
    w.run(1, 'warning', 2)
    w.deliver(119)
    w.tell(1, (0, 1), 'critical: came by the fall-back')
    w.tell(2, (0, 1), 'so did the warning, as no way took it')
    why = w.picket(120, 'outbox')
    tap.ok(re.search('refused|connect', why) and 'not found' in why,
           'picket outbox says why', why)
    w.deliver(150, 300, 1200, 7000)
    w.tell(1, (0, 1), 'critical: by the fall-back once')
    w.tell(2, (0, 1), 'the warning: by the fall-back once')
    os.rename(AWAY, SENDMAIL)
    w.down = False
    w.postfix.start()
    w.deliver(10000)
    w.tell(1, (1, 1), 'Postfix is back: picket deliver brings the mail')
    w.tell(2, (1, 1), 'and the warning')
    w.deliver(10100, 20000, 100000)
    time.sleep(0.5)
    w.tell(1, (1, 1), 'once')
    w.tell(2, (1, 1), 'and the warning once')
    return w


def next_run():
    w = World(SMTP, 'sendmail ' + SENDMAIL, 'file %s fallback' % FELL)
    os.rename(SENDMAIL, AWAY)
    w.down = True
    w.run(0, 'critical', 1)
    w.tell(1, (0, 1), 'critical: by the fall-back in the run itself')
    os.rename(AWAY, SENDMAIL)
    w.down = False
    w.postfix.start()
    w.run(10000, 'warning', 2)
    w.tell(1, (1, 1), 'Postfix is back: the next run brings the mail')
    w.tell(2, (1, 0), 'and its own, which needs no fall-back')
    w.run(10100, 'warning', 3)
    time.sleep(0.5)
    w.tell(1, (1, 1), 'once')
    w.tell(3, (1, 0), 'and the next one')
    return w


def affects():
    w = World(SMTP, 'file %s fallback' % FELL)
    w.postfix.start()
    w.run(0, 'warning', 1)
    w.deliver(121)
    w.tell(1, (1, 0), 'mail works: a warning goes by mail')
    w.run(200, 'queue', 2, FULL='1')
    w.tell(2, (1, 1), 'an incident that affects mail goes both ways')
    w.run(300, 'warning', 3)
    w.tell(3, (1, 1), 'while it fires so does what others have to say')
    tap.eq(w.order(3), ['fallback', 'mail'], 'by the fall-back first')
    w.run(400, 'queue', 4, FULL='0')
    w.run(500, 'warning', 5)
    w.deliver(700, 4000)
    w.tell(5, (1, 0), 'when it is over mail is trusted again')
    w.tell(3, (1, 1), 'nothing comes twice')
    return w


SCENES = {f.__name__: f for f in (held, stopped, gone, next_run, affects)}
if len(sys.argv) > 1:
    SCENES[sys.argv[1]]().end()
    tap.done()
why = roots.why_not('postfix')
if why:
    skip_all(why['postfix'])
roots.run_each([(name,) for name in SCENES], tap)
tap.done()
