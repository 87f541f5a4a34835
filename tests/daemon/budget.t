#!/usr/bin/env python3
"""What picketd keeps in memory with the whole library loaded, the status page
and the emergency workers too: the budgets of the design, by its rule."""

import os
import re
import sys
import time

sys.path.append(os.path.join(os.environ['SRCDIR'], 'tests', 'deliver'))
from daemonlib import SLOW, Daemon, fresh, up		# noqa: E402
from delivery import free_port				# noqa: E402
from tap import end, skip, tell				# noqa: E402

os.umask(0o022)
RSS, PSS = 4096, 32 << 10		# kB
LIB = os.environ['PICKET_LIB']
AFTER = 60				# seconds after load

if SLOW > 1:
    skip('the budget of memory', 'a sanitizer needs more itself')
    end()


def field(pid, file, name):
    with open('/proc/%d/%s' % (pid, file)) as f:
        m = re.search(r'^%s:\s+(\d+)' % name, f.read(), re.M)
    return int(m.group(1)) if m else 0


def below(pid):
    found = [pid]
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        for child in f.read().split():
            found += below(int(child))
    return found


site = fresh('budget')
site.conf('http 127.0.0.1:%d\n' % free_port())
names = sorted(n[:-5] for n in os.listdir(LIB)
               if n.endswith('.pikt') and not n.endswith('_test.pikt'))
site.write('alerts.cfg', ''.join(
    '%s\n    status active\n    level warning\n    timing 0 0 29 2 *\n'
    '    alarms %s\n\n' % (n, n) for n in names))
d = Daemon(site)
tell(d.says(' %d entries, at most ' % len(names), 30) and len(names) > 30,
     'all %d scripts of the library are loaded' % len(names), d.said()[-2000:])
tell(d.wait(lambda: up(d) and d.child('picket-http') and
            d.said().count(' is ready: ') == 2, 30), 'all that stays is there',
     d.said()[-2000:])
time.sleep(AFTER)
rss = field(d.pid, 'status', 'VmRSS')
tell(0 < rss < RSS, 'the scheduler has %d kB, less than %d' % (rss, RSS))
if os.geteuid() == 0:
    locked = field(d.pid, 'status', 'VmLck')
    tell(locked > 0, 'which are locked: %d kB' % locked)
pids = below(d.pid)
pss = {p: field(p, 'smaps_rollup', 'Pss') for p in pids}
tell(0 < sum(pss.values()) < PSS, 'all that stay have %d kB, less than %d' % (
    sum(pss.values()), PSS), pss)
d.stop()
end()
