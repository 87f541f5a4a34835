#!/usr/bin/env python3
"""A store and an emergency worker that hang: each is killed, started again, and
told of."""
# runner: timeout=300

import os
import signal

from daemonlib import Daemon, fresh, rows
from tap import end, tell

os.umask(0o022)
site = fresh('hang')
site.alerts(Tick=(['every 5s'], 'init\n    status active\n    level warning\n'
                  'begin\n    output mail "tick"\n'))
d = Daemon(site)
pid = d.wait(lambda: d.child('picket-store'))
tell(d.wait(lambda: rows(site, 'SELECT 1 FROM run')), 'it works', d.said())
d.wait(lambda: False, 3)		# the first look was answered
worker = d.child('emergency', '--seat 1')
other = d.child('emergency', '--seat 0')
os.kill(worker, signal.SIGSTOP)
os.kill(pid, signal.SIGSTOP)
tell(d.says('store, process %d, does not answer' % pid, 110),
     'a store that hangs is seen', d.said()[-2000:])
tell(d.wait(lambda: d.child('picket-store') not in (0, pid)),
     'and another one is there', d.children())
tell(d.wait(lambda: rows(site, "SELECT 1 FROM incident WHERE key = x'%s'" %
                         b'picketd:hang:store'.hex()), 30),
     'an incident tells of it', d.said()[-2000:])
tell(d.says('emergency-2, process %d, does not answer' % worker, 60),
     'so is an emergency worker', d.said()[-2000:])
tell(d.wait(lambda: d.child('emergency', '--seat 1') not in (0, worker)) and
     d.child('emergency', '--seat 0') == other, 'and there are two again',
     d.children())
tell(d.wait(lambda: rows(site, "SELECT 1 FROM incident WHERE key = x'%s'" %
                         b'picketd:hang:emergency-2'.hex()), 30),
     'an incident tells of it', d.said()[-2000:])
tell(d.said().count('does not answer: it is killed') == 2 and
     'crash:' not in str(rows(site, 'SELECT key FROM incident')),
     'once each', d.said()[-2000:])
code, took = d.stop()
tell(code == 0, 'and all ends well', code, took)
end()
