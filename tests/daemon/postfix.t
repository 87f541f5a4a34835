#!/usr/bin/python3
# runner: timeout=200
"""A whole picketd with a real Postfix as its relay: a run's alert is in the
mailbox two seconds after the run; Postfix away for a while: its mail waits,
the fall-back stands by, and each mail is there once."""

import collections
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'),
                                'tests/deliver'))
import roots						# noqa: E402
from daemonlib import SLOW, Daemon, fresh, rows		# noqa: E402
from delivery import Tap, skip_all			# noqa: E402
from servers import PLAIN_PORT, Postfix, wait_for	# noqa: E402

tap = Tap()


def body(text, level='warning'):
    return 'init\n    status active\n    level %s\nbegin\n' \
        '    output mail "%s $text(#now())"\n' % (level, text)


def ids(server):
    return [re.search(rb'(?mi)^Message-ID: <(.*?)>', m).group(1).decode()
            for m in server.mails()]


def row_ends(site, name):
    """Message-ids are those of runs."""
    return dict((r.decode(), e) for r, e in rows(
        site, 'SELECT run, ended FROM run WHERE alert = ?', name))


def arrival(server):
    folder = os.path.join(server.boxes, 'systems', 'new')
    found = {}
    for n in os.listdir(folder):
        path = os.path.join(folder, n)
        with open(path, 'rb') as f:
            m = re.search(rb'(?mi)^Message-ID: <(.*?)>', f.read())
        found[m.group(1).decode()] = os.stat(path).st_mtime
    return found


def scene(kind):
    roots.enter(kind)
    os.umask(0o022)
    server = Postfix()
    server.start()
    site = fresh(os.path.join(os.environ['TMPDIR'], 'site'))
    site.write('picket.conf', 'mailto systems@localhost\nmailfrom '
               'systems@localhost\nsmtp localhost:%d plain timeout 2s\n'
               'file %s/mail\nlogdir %s/log\n' % (PLAIN_PORT, site.root,
                                                 site.root))
    site.alerts(Tick=(['every 1s'], body('tick')))
    d = Daemon(site)
    tap.ok(d.wait(lambda: len(server.mails()) >= 10, 40),
           'mail of each run is in the box', d.said()[-2000:],
           server.said()[-1000:])
    ended, came = row_ends(site, 'Tick'), arrival(server)
    late = []
    for run, t in ended.items():
        there = [c for i, c in came.items() if i.startswith(run)]
        if there:
            late.append(there[0] - t)
    print('# %d mails, %.3f s after the end of the run at most' % (
        len(late), max(late, default=-1)))
    tap.ok(len(late) >= 8 and max(late) < 2 * SLOW,
           'two seconds after the end of the run at most', late)
    tap.ok(not site.mail(), 'and nowhere else', site.mail()[:500])
    server.stop()
    fallback = "SELECT due - made FROM outbox WHERE " \
        "CAST(way AS TEXT) = 'fallback'"
    tap.ok(d.wait(lambda: len(rows(site, fallback)) >= 5, 30) and
           {w for w, in rows(site, fallback)} == {120.0},
           'Postfix is stopped: in two minutes the fall-back is to have it',
           rows(site, 'SELECT way, due - made, tries, why FROM outbox'),
           d.said()[-1000:])
    server.start()
    n = len(server.mails())
    tap.ok(d.wait(lambda: len(server.mails()) >= n + 5, 60),
           'and when it is up again all goes there')
    # one transport only, and it is away
    site.write('picket.conf', 'mailto systems@localhost\nmailfrom '
               'systems@localhost\nsmtp localhost:%d plain timeout 2s\n'
               'logdir %s/log\n' % (PLAIN_PORT, site.root))
    d.signal(signal.SIGHUP)
    tap.ok(d.says('reloaded'), 'a site with the relay alone')
    time.sleep(1)
    server.stop()
    tap.ok(d.wait(lambda: len(rows(site, 'SELECT 1 FROM outbox')) >= 4, 30),
           'it is stopped: mail waits in the outbox', d.said()[-1500:])
    site.alerts(Quiet=(['every 1h'], body('no')))
    d.signal(signal.SIGHUP)
    server.start()
    tap.ok(d.wait(lambda: not rows(site, 'SELECT 1 FROM outbox'), 90),
           'it is up again: all of it goes',
           rows(site, 'SELECT key, due, tries, why FROM outbox'),
           d.said()[-1500:])
    wait_for(lambda: server.queued() == 0)
    twice = [i for i, k in collections.Counter(ids(server)).items() if k > 1]
    elsewhere = re.findall(r'(?mi)^Message-ID: <(.*?)>', site.mail())
    runs = row_ends(site, 'Tick')
    there = ids(server) + elsewhere
    lost = [r for r in runs if not any(i.startswith(r) for i in there)]
    tap.ok(not twice and not set(elsewhere) & set(ids(server)),
           'one copy of each', twice, set(elsewhere) & set(ids(server)))
    tap.ok(len(runs) > 20 and not lost, 'and none is lost', len(runs), lost)
    code, took = d.stop()
    tap.ok(code == 0, 'picketd ends well', code, d.said()[-500:])
    server.stop()


if len(sys.argv) > 1:
    scene(*sys.argv[1:])
    tap.done()

missing = roots.why_not('postfix')
if missing:
    skip_all(missing['postfix'])
roots.run_each([('postfix',)], tap)
tap.done()
