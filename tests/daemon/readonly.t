#!/usr/bin/env python3
"""A state that cannot be written: its file system has turned read-only, or it
is full.  picketd watches all the same, says so, and acts on what people have
said before; once it is started with a state that can be written it has that."""

import os
import subprocess
import sys
import time

from daemonlib import Daemon, ask, fresh, rows
from tap import end, skip, tell

os.umask(0o022)
NAMED = os.environ.get('PICKET_TEST_NAMESPACE')
if os.geteuid() != 0:
    skip('a state that cannot be written', 'mounts of its own take root')
    end()
if not NAMED:
    if subprocess.run(['unshare', '-m', 'true'],
                      stderr=subprocess.DEVNULL).returncode != 0:
        skip('a state that cannot be written', 'no mount namespace here')
        end()
    os.execvpe('unshare', ['unshare', '-m', '--propagation', 'private',
                           sys.executable, os.path.realpath(__file__)],
               dict(os.environ, PICKET_TEST_NAMESPACE='1'))

SCRIPT = '''init
    status active
    level warning
begin
    set #n = %#n
    set #n += 1
    incident "it"
        when #n > 0
        message "it is so"
    endincident
    exec "true"
'''


def mount(*words):
    subprocess.run(['mount', *words], check=True)


def start(site):
    d = Daemon(site, '--run', site.run)
    return d


def asked(site):
    """status, by the control socket of the other folder."""
    class At:
        state = site.run
    for _ in range(200):
        try:
            return ask(At, {'command': 'status'})
        except OSError:			# it is starting
            time.sleep(0.05)
    return {}


site = fresh('readonly')
site.run = os.path.join(site.root, 'run')
os.mkdir(site.run, 0o755)
os.mkdir(site.state, 0o700)
mount('-t', 'tmpfs', '-o', 'size=4m,mode=700', 'none', site.state)
site.alerts(A=(['every 1s'], SCRIPT))

d = start(site)
tell(d.wait(lambda: len(rows(site, 'SELECT 1 FROM run')) > 1),
     'while it can be written: all is as ever', d.said())
got = subprocess.run([os.environ['PICKET'], 'disarm', '--run', site.run],
                     capture_output=True, text=True)
tell(got.returncode == 0, 'picket disarm', got.stderr)
d.stop()
before = site.mail()

# --- read-only ---
mount('-o', 'remount,ro', site.state)
d = start(site)
away = os.path.join(site.run, 'state')
tell(d.says('Read-only file system') and d.p.poll() is None and
     ('the state is in ' + away) in d.said(), 'read-only: it starts, and says '
     'where the state is', d.said())


class Away:
    state = away


tell(d.wait(lambda: len(rows(Away, 'SELECT 1 FROM run')) > 1),
     'its alerts run, and their rows are there', d.said())
tell(os.stat(away).st_mode & 0o777 == 0o700, 'for its user alone',
     oct(os.stat(away).st_mode))
tell(d.wait(lambda: '[firing] %s/picketd.lock: Read-only' % site.state in
            site.mail()[len(before):], 30), 'a mail tells of it',
     site.mail()[len(before):])
tell(d.wait(lambda: '[firing] it is so' in site.mail()[len(before):]),
     'and of what it finds', site.mail()[len(before):])
got = asked(site)
tell(any('the state: ' in x and 'Read-only' in x for x in got['missing']),
     'picket status has it', got.get('missing'))
tell(got.get('disarmed'), 'what was disarmed before is', got)
for words in (['arm'], ['pause', 'A']):
    got = subprocess.run([os.environ['PICKET'], *words, '--run', site.run],
                         capture_output=True, text=True)
    tell(got.returncode == 0, 'picket ' + words[0], got.stderr)
d.stop()
tell('picket: ERROR' not in d.said(), 'no run has anything to complain of',
     d.said()[-2000:])

# --- it can be written again ---
mount('-o', 'remount,rw', site.state)
n = len(rows(site, 'SELECT 1 FROM run'))
at = len(d.said())
d = start(site)
got = asked(site)
tell(not got.get('disarmed') and got.get('paused_alerts') == 1, 'what was said '
     'meanwhile holds', got)
subprocess.run([os.environ['PICKET'], 'resume', 'A', '--run', site.run])
tell(d.wait(lambda: len(rows(site, 'SELECT 1 FROM run')) > n + 1) and
     'Read-only' not in d.said()[at:], 'started again it has its own state',
     d.said()[at:])
tell(not any('the state' in x for x in asked(site)['missing']),
     'and says nothing of it any more')

# --- read-only again: what was said last holds, not what is left there ---
subprocess.run([os.environ['PICKET'], 'disarm', '--run', site.run])
d.stop()
mount('-o', 'remount,ro', site.state)
d = start(site)
got = asked(site)
tell(got.get('disarmed') and got.get('paused_alerts') == 0, 'the last word counts', got)
d.stop()
mount('-o', 'remount,rw', site.state)

# --- a place that is another's is not taken ---
mount('-o', 'remount,ro', site.state)
os.rename(away, away + '.old')
os.mkdir(away, 0o777)
os.chmod(away, 0o777)
at = len(d.said())
d = Daemon(site, '--run', site.run)
tell(d.wait(lambda: d.p.poll() is not None) and d.p.returncode == 1 and
     'Read-only' in d.said()[at:], 'a folder that others may write to is not '
     'taken', d.said()[at:])
mount('-o', 'remount,rw', site.state)

# --- full: what is there is used ---
with open(os.path.join(site.state, 'fill'), 'wb', 0) as f:
    try:
        while f.write(b'x' * 4096):
            pass
    except OSError:
        pass
at, before = len(d.said()), site.mail()
d = start(site)
tell(d.wait(lambda: 'the disk is full' in site.mail()[len(before):], 30),
     'full: it starts, alerts run, and their mail says what they could not '
     'keep', d.said()[at:], site.mail()[len(before):])
tell(d.p.poll() is None and 'the state is in' not in d.said()[at:],
     'where it is', d.said()[at:])
d.stop()
end()
