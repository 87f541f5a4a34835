#!/usr/bin/env python3
"""A start while the configuration is wrong: with the last good one, if it was
kept; and what is beside an empty state."""

import os
import stat
import subprocess

from daemonlib import PICKETD, SLOW, Daemon, fresh, rows
from tap import end, tell

os.umask(0o022)


def script(body):
    return 'init\n    status active\n    level warning\nbegin\n%s\n' % body


TICK = (['every 1s'], script('    output mail "tick"\n    exec "true"'))
BAD = (['every 1s'], script('    output mial "tick"'))


def refused(site, *more):
    p = subprocess.run([PICKETD, '-f', '--config', site.dir, '--state',
                        site.state] + list(more), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=60 * SLOW, errors='replace')
    return p.returncode == 1, p.stdout


# --- the logs of alerts beside the state, which is not there yet ---

site = fresh('boot')
site.write('picket.conf', 'file %s/mail\n' % site.root)
site.alerts(Tick=TICK)
d = Daemon(site)
log = os.path.join(site.state, 'log', 'Tick.log')
tell(d.wait(lambda: os.path.exists(log) and 'true' in open(log).read()),
     'an empty state: the folder of logs is made', d.said())
tell(stat.S_IMODE(os.stat(os.path.dirname(log)).st_mode) == 0o700,
     'for its user alone')
tell('No such file' not in d.said(), 'and nobody misses it', d.said())

# --- the last good one ---

kept = os.path.join(site.state, 'picketd.image')
tell(d.wait(lambda: os.path.exists(kept)) and
     stat.S_IMODE(os.stat(kept).st_mode) == 0o600,
     'the image of a good configuration is kept')
d.stop()
site.alerts(Tick=BAD)
n = len(rows(site, 'SELECT 1 FROM run'))
d = Daemon(site)
tell(d.says('is not taken') and d.p.poll() is None and
     'Tick.pikt:' in d.said(), 'a start with a wrong one has the last good one, '
     'and says so', d.said())
tell(d.wait(lambda: len(rows(site, 'SELECT 1 FROM run')) > n + 1),
     'its alerts run', d.said())
tell(d.wait(lambda: rows(site, "SELECT 1 FROM incident WHERE key = "
                         "x'%s'" % b'picketd:configuration'.hex())),
     'an incident tells of it', d.said(), rows(site, 'SELECT key FROM incident'))
p = subprocess.run([os.environ['PICKET'], 'status', '--state', site.state], stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, errors='replace')
tell('Tick.pikt:' in p.stdout, 'and picket status', p.stdout)
d.stop()
ok, out = refused(site, '-n')
tell(ok, '-n says that it is wrong', out)

# --- one that is not to be had ---

with open(kept, 'rb') as f:
    image = f.read()
os.chmod(kept, 0o666)
ok, out = refused(site)
tell(ok and 'written by others' in out, 'others may write it: no start', out)
os.chmod(kept, 0o600)
for what, bytes_ in (('cut', image[:-1]), ('empty', b''), ('changed', bytes(
        b ^ (0x55 if i > 60 else 0) for i, b in enumerate(image)))):
    with open(kept, 'wb') as f:
        f.write(bytes_)
    ok, out = refused(site)
    tell(ok and 'picketd.image' in out, '%s: no start' % what, out)
os.unlink(kept)
os.mkfifo(kept)
ok, out = refused(site)
tell(ok and 'no regular file' in out, 'a pipe: no start', out)
os.unlink(kept)
other = fresh('other')
other.alerts(Tick=BAD)
other.state = site.state
with open(kept, 'wb') as f:
    f.write(image)
os.chmod(kept, 0o600)
ok, out = refused(other)
tell(ok and 'another configuration' in out, "another site's: no start", out)
os.unlink(kept)
ok, out = refused(site)
tell(ok and 'Tick.pikt:' in out, 'none: no start', out)
end()
