#!/usr/bin/env python3
# runner: timeout=1800
"""Killed at every step: a run with effects and a numbered incident, and its
delivery, each of their processes killed by strace at each of its system calls
in turn; then run again until it ends well.

A receiver of our own writes down what it accepted, and when.  Every number
must arrive; a second copy only where the receiver had accepted the first and
the outbox had not been told (the kill lay between), which is listed; values,
incidents and what was sent agree.  `check` takes every 20th step, `check-long`
all of them.
"""

import collections
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import tap

PICKET = os.environ['PICKET']
LIBEXEC = os.environ['PICKET_LIBEXEC']
LONG = bool(os.environ.get('PICKET_LONG'))
STEP = 1 if LONG else 20
ROLES = ('picket', 'picket-store', 'picket-deliver')
TOP = os.path.realpath(os.environ.get('TMPDIR', '/tmp'))
TRIES = 6		# runs after which a trial must have ended well

if os.environ.get('PICKET_SANITIZERS'):
    tap.skip('killed at every step', 'strace and the sanitizers exclude '
             'each other')
    tap.end()

SCRIPT = '''Numbered
	init
		status active
		level critical
		task "One number, one effect, one value."
	begin
		if %n > 0
			set #n = %n + 1
		else
			set #n = 1
		fi
		exec wait "/usr/bin/touch $env("MARK")"
		output mail "value #{#n}"
		incident "number:$env("NUMBER")"
			when	#n >= 1
			level	critical
			message	"this is number $env("NUMBER")"
			onset	exec wait "/usr/bin/touch $env("MARK").onset"
		endincident
'''


class Receiver:
    """SMTP as far as it is needed; what it has accepted, with the moment
    before the last 250 goes out."""

    def __init__(self):
        self.s = socket.socket()
        self.s.bind(('127.0.0.1', 0))
        self.s.listen(64)
        self.port = self.s.getsockname()[1]
        self.mail = collections.defaultdict(list)	# recipient -> texts
        self.lock = threading.Lock()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            c, _ = self.s.accept()
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        f = c.makefile('rb')
        to, data = [], None

        def say(t):
            c.sendall(t.encode() + b'\r\n')
        try:
            say('220 receiver')
            for line in f:
                if data is not None:
                    if line == b'.\r\n':
                        with self.lock:
                            for r in to:
                                self.mail[r].append(b''.join(data).decode())
                        to, data = [], None
                        say('250 accepted')
                    else:
                        data.append(line)
                    continue
                verb = line[:4].upper()
                if verb == b'EHLO':
                    say('250 receiver')
                elif verb == b'RCPT':
                    to.append(re.search(rb'<(.*?)>', line)[1].decode())
                    say('250 ok')
                elif verb == b'DATA':
                    data = []
                    say('354 go on')
                elif verb == b'QUIT':
                    say('221 bye')
                    return
                else:
                    say('250 ok')
        except OSError:
            pass		# the sender was killed
        finally:
            c.close()


receiver = Receiver()


class Trial:
    """One folder with a state, one number, one recipient."""

    def __init__(self, name):
        self.name = re.sub(r'\W+', '-', name)
        self.dir = os.path.join(TOP, self.name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir + '/libexec')
        self.to = self.name + '@example.org'
        with open(self.dir + '/picket.conf', 'w') as f:
            f.write('mailto %s\nmailfrom picket@example.org\nhostname moscow\n'
                    'smtp 127.0.0.1:%d timeout 20s\n' % (self.to,
                                                       receiver.port))
        with open(self.dir + '/scripts.pikt', 'w') as f:
            f.write(SCRIPT)
        for role in ROLES[1:]:
            os.symlink(os.path.join(LIBEXEC, role),
                       os.path.join(self.dir, 'libexec', role))
        self.env = dict(os.environ, XDG_STATE_HOME=self.dir + '/state',
                        PICKET_LIBEXEC=self.dir + '/libexec',
                        NUMBER=self.name, MARK=self.dir + '/mark')
        self.log = []

    def command(self, deliver):
        if deliver:
            return [PICKET, 'deliver', '--config', self.dir]
        return [PICKET, 'run', '--config', self.dir,
                self.dir + '/scripts.pikt']

    def run(self, deliver=False, role=None, inject=None, trace=None):
        """Once; under strace where a role is to be killed or watched."""
        argv = self.command(deliver)
        env = self.env
        strace = ['strace', '-q', '-o', trace or '/dev/null']
        if inject:		# the nth of one system call
            strace += ['-e', 'trace=' + inject[0], '-e',
                       'inject=%s:signal=SIGKILL:when=%d' % inject]
        if role == 'picket':
            argv = strace + argv
        elif role:
            path = os.path.join(self.dir, 'libexec', role)
            os.unlink(path)
            with open(path, 'w') as f:	# the first one that is started
                f.write('#!/bin/sh\nmkdir %s/first 2>/dev/null && '
                        'exec %s %s "$@"\nexec %s "$@"\n' % (
                            self.dir, ' '.join(strace),
                            os.path.join(LIBEXEC, role),
                            os.path.join(LIBEXEC, role)))
            os.chmod(path, 0o755)
        p = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=120)
        if role and role != 'picket':
            os.unlink(path)
            os.symlink(os.path.join(LIBEXEC, role), path)
        self.log.append('%s%s: exit %d\n%s' % (
            'deliver' if deliver else 'run',
            ' (%s killed at %s %d)' % ((role,) + inject) if inject else '',
            p.returncode, p.stdout.decode('utf-8', 'replace')))
        return p.returncode

    def rows(self, sql):
        db = sqlite3.connect('file:%s/state/picket/state.db?mode=ro' %
                             self.dir, uri=True)
        try:
            return [tuple(c.decode() if isinstance(c, bytes) else c
                          for c in r) for r in db.execute(sql)]
        finally:
            db.close()

    def until_well(self):
        for _ in range(TRIES):
            if self.run() == 0:
                break
        else:
            return 'no run ended well'
        for _ in range(TRIES):
            self.run(deliver=True)
            if not self.rows('SELECT 1 FROM outbox'):
                return None
            self.env['PICKET_CLOCK'] = '+%d' % (
                3600 * (1 + int(self.env.get('PICKET_CLOCK', '+0')) // 3600))
        return 'the outbox is not empty: %s' % self.rows(
            'SELECT * FROM outbox')

    def wrong(self):
        """What does not agree, once all has ended well; and the copies."""
        bad = []
        got = list(receiver.mail[self.to])
        ids = [re.search(r'^Message-ID: <(.*?)>', m, re.M | re.I)[1]
               for m in got]
        told = [i for i, m in zip(ids, got)
                if '[firing] this is number ' + self.name in m]
        if not told:
            bad.append('the number did not arrive')
        if len(set(told)) > 1:
            bad.append('the onset was told in %d mails: %s' % (
                len(set(told)), sorted(set(told))))
        history = self.rows("SELECT what FROM history WHERE key = "
                            "CAST('number:%s' AS BLOB) AND notice = x''" %
                            self.name)
        if [w for w, in history].count('firing') != 1:
            bad.append('history: %s' % history)
        episode = self.rows('SELECT state, episode, told FROM incident WHERE '
                            "key = CAST('number:%s' AS BLOB)" % self.name)
        if episode != [(2, 1, 1)]:
            bad.append('incident: %s' % episode)
        # a killed one has a row as well, once it is found
        runs, cut = self.rows("SELECT count(*) FILTER (WHERE result <> "
                              "x'%s'), count(*) FILTER (WHERE result = x'%s')"
                              " FROM run" % ((b'interrupted'.hex(),) * 2))[0]
        if cut > 1:
            bad.append('%d rows of interrupted runs' % cut)
        value = self.rows("SELECT text FROM value WHERE name = "
                          "CAST('#n' AS BLOB)")
        if value != [(str(runs),)]:
            bad.append('the value is %s after %d committed runs' % (value,
                                                                   runs))
        said = sorted({int(n) for m in got
                       for n in re.findall(r'^ +value (\d+)\r?$', m, re.M)})
        if said != list(range(1, runs + 1)):
            bad.append('values %s were sent of %d runs' % (said, runs))
        known = {n for n, in self.rows('SELECT notice FROM notice')}
        if set(ids) - known:
            bad.append('sent, but no notice: %s' % (set(ids) - known))
        for mark in ('', '.onset'):
            if not os.path.exists(self.dir + '/mark' + mark):
                bad.append('the effect is missing: mark' + mark)
        copies = {i: ids.count(i) - 1 for i in set(ids) if ids.count(i) > 1}
        return bad, copies


def all_calls(deliver):
    """The system calls of each role in a run that nobody kills, in order:
    (name, which of that name)."""
    calls = {}
    for role in ROLES:
        t = Trial('count-%s-%s' % (role, deliver))
        if deliver:
            relay_down(t)
            t.run()
            relay_up(t)
        trace = t.dir + '/trace'
        if t.run(deliver=deliver, role=role, trace=trace) != 0:
            tap.tell(False, 'a run that nobody kills ends well', t.log[-1])
        n = collections.Counter()
        calls[role] = []
        with open(trace) as f:
            for line in f:
                m = re.match(r'([a-z_0-9]+)\(', line)
                if m and m[1] not in ('exit', 'exit_group'):
                    n[m[1]] += 1
                    calls[role].append((m[1], n[m[1]]))
        shutil.rmtree(t.dir)
    return calls


def relay_down(t):
    """A port where nobody listens: the mail stays in the outbox."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    path = t.dir + '/picket.conf'
    with open(path) as f:
        t.conf = f.read()
    with open(path, 'w') as f:
        f.write(t.conf.replace(':%d ' % receiver.port, ':%d ' % port))


def relay_up(t):
    with open(t.dir + '/picket.conf', 'w') as f:
        f.write(t.conf)
    t.env['PICKET_CLOCK'] = '+3600'


def trial(arg):
    deliver, role, at = arg
    t = Trial('%s-%s-%s-%d' % (('deliver' if deliver else 'run', role) +
                              at))
    if deliver:
        relay_down(t)
        t.run()
        relay_up(t)
    before = len(receiver.mail[t.to])
    t.run(deliver=deliver, role=role, inject=at, trace=t.dir + '/trace')
    died = False
    if os.path.exists(t.dir + '/trace'):
        with open(t.dir + '/trace') as f:
            died = '+++ killed by SIGKILL' in f.read()
    log = list(t.log)
    for _ in range(10):		# what was on its way may still be accepted
        accepted = len(receiver.mail[t.to]) - before
        if accepted:
            break
        time.sleep(.03)
    try:
        rows = len(t.rows('SELECT 1 FROM outbox'))
    except sqlite3.Error:
        rows = 0
    why = t.until_well()
    bad, copies = ([why], {}) if why else t.wrong()
    if copies and not (accepted and rows):
        bad.append('a second copy (%s), but after the kill %d had been '
                   'accepted and %d rows waited' % (copies, accepted, rows))
    log += t.log[len(log):]
    if not bad:
        shutil.rmtree(t.dir)
    return arg, bad, copies, died, log


killed = copies_seen = 0
for deliver in (False, True):
    calls = all_calls(deliver)
    what = 'its delivery' if deliver else 'a run'
    print('# %s: %s' % (what, ', '.join('%s makes %d calls' % (
        r, len(calls[r])) for r in ROLES)))
    for role in ROLES:
        # each twentieth, beginning elsewhere for each role
        steps = calls[role][7 * ROLES.index(role) % STEP::STEP]
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(trial, [(deliver, role, at)
                                            for at in steps]))
        died = sum(1 for r in results if r[3])
        killed += died
        wrong = [r for r in results if r[1]]
        for arg, bad, copies, died_, log in results:
            if copies:
                copies_seen += 1
                print('# second copy: %s, %s killed at %s %d: accepted, and '
                      'the row was still there' % ((what, role) + arg[2]))
        tap.tell(not wrong, '%s: %s killed at %d of its %d calls' % (
            what, role, len(results), len(calls[role])),
            *['%s killed at %s %d: %s\n%s' % ((role,) + r[0][2] +
                                              ('; '.join(r[1]),
                                               '\n'.join(r[4])))
              for r in wrong[:4]])
        tap.tell(died >= len(results) * .9, '%s: %s did die of it %d times' %
                 (what, role, died), '\n'.join('%s %s' % (r[0][2], r[4]) for r in results
                           if not r[3]))
print('# %d killed, %d second copies in all' % (killed, copies_seen))
tap.end()
