#!/usr/bin/env python3
"""What picketd says to who tries it for the first time: each mistake is told
where it is made, with its reason, and does not go on in silence."""

import os
import re
import socket
import subprocess

from daemonlib import PICKETD, SLOW, Daemon, fresh
from tap import end, tell

os.umask(0o022)


def run(*args):
    p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60 * SLOW,
                       errors='replace')
    return p.returncode, p.stdout


TICK = (['every 1s'], 'init\nbegin\n    output log "%s/out.log" "line"\n'
        '    output mail "tick"\n')

# --- where there is no site, and no picketd ---

code, out = run(PICKETD, '-n', '--config', '/nonexistent/site')
tell(code == 1 and '/nonexistent/site: No such file' in out and
     '--config' in out, 'there is no folder', code, out)
code, out = run(os.environ['PICKET'], 'status', '--run', '/nonexistent')
tell(code == 1 and 'systemctl start picketd)' in out,
     'the service is called as its unit is', code, out)

# --- --log ---

site = fresh('words')
site.alerts(Tick=(TICK[0], TICK[1] % site.root))
start = (PICKETD, '-f', '--config', site.dir, '--state', site.state)
for where in ('nowhere', 'stderr loud', 'picketd.log', ''):
    code, out = run(*start, '--log', where)
    tell(code == 2 and '--log wants' in out, 'log: %r' % where, code, out)
code, out = run(*start, '--log', '/nonexistent/log')
tell(code == 1 and 'error: --log: /nonexistent/log: No such file' in out,
     'a log that is asked for must be there', code, out)
# what picket.conf says keeps nobody from watching
site.conf('log /nonexistent/log\n')
d = Daemon(site, '--log', 'stderr debug')
tell(d.stop()[0] == 0, '--log goes before picket.conf', d.said())
log = open(os.path.join(site.root, 'out2'), 'w+')
p = subprocess.Popen(start, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
d.p, d.site = p, site


def said():
    log.seek(0)
    return log.read()


tell(d.wait(lambda: 'it logs to standard error' in said(), 20) and
     d.wait(lambda: 'Tick' in site.mail()) and d.stop()[0] == 0,
     'one of picket.conf may be missing', said())

# --- an alert's log, where picket.conf names no folder; warnings ---

site = fresh('beside')
site.alerts(Tick=(['every 1s'], 'init\nbegin\n    exec wait "/bin/true"\n'
            '    output mail "tick"\n'))
site.write('picket.conf', 'file %s/mail\nprotect unit:x\n' % site.root)
d = Daemon(site)
beside = os.path.join(site.state, 'log', 'Tick.log')
tell(d.wait(lambda: os.path.exists(beside)),
     'logs are made beside the state', d.said())
tell('Tick.log: No such file' not in d.said(), 'and no run is without its log',
     d.said())
tell(d.stop()[0] == 0, 'ends')

site = fresh('nobody')
site.alerts(Tick=(TICK[0], TICK[1] % site.root))
site.conf('user no-such-user\ncontrol group no-such-group\n')
code, out = run(PICKETD, '-n', '--config', site.dir)
tell(code == 0 and 'warning: user: there is no user "no-such-user"' in out and
     'no group "no-such-group"' in out, 'who is not there', code, out)
site.conf('user root\n')
code, out = run(PICKETD, '-n', '--config', site.dir)
tell(code == 0 and 'no user' not in out, 'who is', code, out)

# --- what a script did wrong is no notice; a refused request is no skip ---

site = fresh('bad')
site.alerts(Bad=(['every 1h', 'timeout 3s'],
                 'init\nbegin\n    exec wait "/bin/sleep 60"\n'))
d = Daemon(site)
tell(d.says('were due before'), 'what was due is known', d.said())
ask = [os.environ['PICKET']], ['--state', site.state]
code, out = run(*ask[0], 'runnow', *ask[1], 'Bad')
tell(code == 0 and ' runs, as process' in out, 'runnow', out)
code, out = run(*ask[0], 'runnow', *ask[1], 'Bad')
tell(code == 1 and 'runs already' in out, 'it runs already', out)
code, out = run(*ask[0], 'status', *ask[1])
tell('skipped' not in out and re.search(r'Bad +runs', out),
     'which is nothing that was skipped', out)
tell(d.wait(lambda: re.search(r'warning: Bad: picket: ERROR: .*time-out',
                              d.said())), 'an error is a warning', d.said())
tell(d.stop()[0] == 0, 'ends')

# --- why a service is down ---

site = fresh('port')
site.alerts(Tick=(TICK[0], TICK[1] % site.root))
taken = socket.socket()
taken.bind(('127.0.0.1', 0))
taken.listen()
site.conf('http %d\n' % taken.getsockname()[1])
d = Daemon(site)
why = 'another program listens there: http in picket.conf may name another port'
tell(d.wait(lambda: re.search(r'error: http, process \d+, ended with status 1: '
                              r'\d+: ' + why, d.said())),
     'a port that is taken: the error says so', d.said())
tell(d.wait(lambda: 'is started again: ' in site.mail() and
            'another program listens' in site.mail()),
     'the mail too', site.mail())
tell(d.stop()[0] == 0, 'ends')
taken.close()
end()
