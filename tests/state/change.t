#!/usr/bin/env python3
# runner: timeout=240
"""picketd's store is killed and comes back while runs ask for their state:
some have asked it, some a store of their own, some find it only when they
commit.  Whatever the moment, no run waits for long, each finds what the one
before it kept, and nothing is kept twice."""

import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import end, tell			# noqa: E402
from served import Served			# noqa: E402

PICKET = os.environ['PICKET']
SLOW = 3 if 'PICKET_SANITIZERS' in os.environ else 1
TURNS = 40 if SLOW == 1 else 12
RUNS = 8		# at once
MOST = 3 * SLOW		# seconds of a turn; a store that is there answers in
			# milliseconds, and one that waits in vain in fifteen

random.seed(TURNS)
v = Served('picket')
env = dict(os.environ, XDG_STATE_HOME=os.path.dirname(v.at))
for i in range(RUNS):
    with open('S%d.pikt' % i, 'w') as f:
        f.write('S%d\n\tinit\n\t\tstatus active\n\tbegin\n\t\tset #n = %%#n\n'
                '\t\tset #n += 1\n\t\toutput log "%s/S%d.log" "#{#n}"\n' %
                (i, os.getcwd(), i))


def start():
    return [subprocess.Popen(
        [PICKET, 'run', '--mail', 'mbox', 'S%d.pikt' % i], env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE) for i in range(RUNS)]


def rest(seconds):
    time.sleep(random.random() * seconds)


said, took = [], []
for turn in range(TURNS):
    for p in start():
        said.append(p.communicate()[1])
    v.kill()
    began = time.monotonic()
    runs = start()
    rest(0.02)
    v.sock.close()		# who waited to be let in by the dead one
    rest(0.03)
    v.listen()
    v.start()
    said += [p.communicate()[1] for p in runs]
    took.append(time.monotonic() - began)
said = [x.decode() for x in said if x]
tell(not said, 'no run has anything to complain of', *said[:5])
tell(max(took) < MOST, '%d runs at once never wait for long: %.2f s at most' %
     (RUNS, max(took)), sorted(took)[-5:])
for i in range(RUNS):
    with open('S%d.log' % i) as f:
        got = [int(x.split()[-1]) for x in f]
    tell(got == list(range(1, 2 * TURNS + 1)),
         'S%d: each run goes on where the one before it ended' % i, got)
v.kill()
v.sock.close()
end()
