#!/usr/bin/env python3
# runner: timeout=120
"""What a site costs in which nothing is due: how often each process that stays
is woken, by the kernel's own count of voluntary switches: the least of some
times of twenty seconds, as what others do on the machine only adds to it."""

import os
import time

from daemonlib import SLOW, Daemon, fresh
from tap import end, skip, tell

os.umask(0o022)
FOR, TIMES = 20, 3
# a second, with room for one that falls into the time or not
MOST = {'picketd': 0.2, 'picket-store': 0.6, 'courier': 0.7,
        'picket-deliver': 0.07, 'emergency': 3}


def switches(pid):
    total = 0
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/status' % (pid, task)) as f:
            for line in f:
                if line.startswith('voluntary_ctxt_switches:'):
                    total += int(line.split()[1])
    return total


def cpu(pid):
    with open('/proc/%d/stat' % pid) as f:
        w = f.read().rsplit(')', 1)[1].split()
    return (int(w[11]) + int(w[12])) / os.sysconf('SC_CLK_TCK')


def below(pid):
    """It and all that it started: {pid: what it is}."""
    with open('/proc/%d/cmdline' % pid) as f:
        words = f.read().split('\0')
    name = os.path.basename(words[0])
    if name == 'picket-runner':
        name = words[1]
    found = {pid: name}
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        for child in f.read().split():
            found.update(below(int(child)))
    return found


site = fresh('idle')
site.alerts(Never=(['every 1d'], 'init\n    status active\n    level warning\n'
                   'begin\n    output mail "no"\n'))
d = Daemon(site)
d.wait(lambda: 'picket-deliver' in below(d.pid).values())
time.sleep(8 * SLOW)
rate, used = {}, 1
for turn in range(TIMES):
    all_ = below(d.pid)
    before = {p: (switches(p), cpu(p)) for p in all_}
    began = time.monotonic()
    time.sleep(FOR)
    took = time.monotonic() - began
    if below(d.pid) != all_:
        continue
    sum_ = 0
    for pid, name in all_.items():
        n, c = switches(pid) - before[pid][0], cpu(pid) - before[pid][1]
        rate.setdefault((name, pid), []).append(n / took)
        sum_ += c
    used = min(used, sum_ / took)
least = {}
for (name, pid), r in rate.items():
    print('# %-15s %s a second' % (name, ', '.join('%.2f' % x for x in r)))
    least[name] = max(least.get(name, 0), min(r))
tell(set(least) == set(MOST), 'all that is there is what is to be',
     sorted(least), sorted(MOST))
for name, most in MOST.items():
    if SLOW > 1:
        skip(name, 'with sanitizers it does more')
        continue
    tell(name in least and least[name] <= most,
         '%s is woken %g times a second at most' % (name, most),
         least.get(name))
print('# all of it: %.3f %% of a processor' % (100 * used))
tell(SLOW > 1 or used < 0.005, 'half a per cent of a processor at most', used)
d.stop()
end()
