#!/usr/bin/python3
# runner: timeout=400
"""The courier of picketd (picket-runner courier) and the picket-deliver that
stays: mail goes at once, through kills of both, of the relay, and while runs by
hand put theirs; what may come twice has the same Message-ID."""

import collections
import os
import random
import re
import signal
import subprocess
import time

from courierlib import SLOW, Courier, Site, children, pss, status_of, wait
import delivery
from delivery import Relay, Script, free_port, need_aiosmtpd, recorder
from tap import end, skip, tell

need_aiosmtpd()
KILLS, BULK = (50, 500) if SLOW == 1 else (10, 100)
ROOT = os.geteuid() == 0
USER = 'user nobody' if ROOT else ''


def ids(relay):
    return [re.search(rb'^Message-ID: <(.*?)>', m.content, re.M | re.I)
            .group(1).decode() for m in relay.mails]


def name(pid):
    try:
        with open('/proc/%d/comm' % pid) as f:
            return f.read().strip()
    except OSError:
        return ''


def empty(site):
    return not site.rows()


# --- at once; who it is; what it takes ---
with Relay() as relay:
    site = Site('smtp localhost:%d plain' % relay.port, USER)
    site.put('first')
    c = Courier(site)
    tell(wait(lambda: len(relay.mails) == 1), 'what waited when it started '
         'goes', c.said())
    began = time.monotonic()
    site.put('second')
    c.poke()
    tell(wait(lambda: len(relay.mails) == 2, 4), 'a mail goes when it is '
         'poked')
    took = time.monotonic() - began
    tell(took < 2, 'in less than two seconds', took)
    print('# from before the run to the relay: %.3f s' % took)
    site.put('third')
    tell(wait(lambda: len(relay.mails) == 3, 10), 'one by hand goes unpoked, '
         'within seconds')
    d = c.deliver()
    s = status_of(d)
    tell(int(s['CapEff'], 16) == 0 and s['NoNewPrivs'] == '1' and
         (not ROOT or s['Uid'].split() == ['65534'] * 4),
         'picket-deliver is another user, without capabilities', s['Uid'],
         s['CapEff'])
    a, b = pss(c.pid), pss(d)
    tell(SLOW > 1 or 0 < a + b < 20000,
         'they take little memory (PSS in kB)', a, b)
    print('# PSS: courier %d kB, picket-deliver %d kB' % (a, b))
    status, said = site.deliver()
    tell('another process is sending' in said or status == 0,
         '`picket deliver` leaves the rows to it', said)
    began = time.monotonic()
    for i in range(5):
        site.put('bulk%d' % i, count=str(BULK // 5))
    c.poke()
    tell(wait(lambda: len(set(ids(relay))) == BULK + 3, 60),
         '%d mails go' % BULK,
         len(relay.mails), c.said())
    print('# %d mails: %.1f s' % (BULK, time.monotonic() - began))
    tell(len(relay.mails) == BULK + 3, 'each once', len(relay.mails))
    tell(wait(lambda: empty(site)), 'and the outbox is empty')
    b2 = pss(c.deliver())
    tell((SLOW > 1 or b2 < b + 3000) and c.deliver() == d,
         'the same picket-deliver has done it, and has given back its memory',
         b, b2)
    pid = c.pid
    c.reload()
    tell(wait(lambda: c.deliver() not in (0, d)), 'a new site: it begins anew')
    site.put('reloaded')
    c.poke()
    tell(wait(lambda: 'reloaded' in ids(relay)[-1]) and
         len(relay.mails) == BULK + 4, 'and sends, nothing twice',
         ids(relay)[-2:])
    d = c.deliver()
    code, took = c.stop()
    tell(code == 0 and took < 3, 'TERM ends it', code, took)
    tell(wait(lambda: not os.path.exists('/proc/%d' % d)),
         'and picket-deliver with it')

# --- a relay that is down, and up again; the lock goes with picketd ---
port = free_port()
site = Site('smtp localhost:%d plain timeout 2s' % port)
site.put('late')
c = Courier(site)
tell(wait(lambda: site.rows() and site.rows()[0]['tries'] == 1),
     'a relay that is down: the row waits', site.rows())
keep, delivery.free_port = delivery.free_port, lambda: port
with Relay() as relay:
    delivery.free_port = keep
    tell(wait(lambda: len(relay.mails) == 1, 60), 'and goes when it is up')
    c.sock.close()
    tell(wait(lambda: c.p.poll() is not None), 'it ends when picketd has')

# --- TERM while a relay says nothing ---
with Script(END=Script.STALL) as relay:
    site = Site('smtp localhost:%d plain timeout 60s' % relay.port)
    c = Courier(site)
    site.put('stalled')
    c.poke()
    wait(lambda: 'END' in relay.steps)
    code, took = c.stop()
    tell(code == 0 and took < 10, 'TERM while a relay stalls: within 10 s',
         code, took)
    tell([r['state'] for r in site.rows()] == ['waits'], 'the row waits',
         site.rows())

# --- one that hangs: stopped by its time, and started again ---
with Relay() as relay:
    site = Site('smtp localhost:%d plain timeout 1s' % relay.port)
    c = Courier(site)
    site.put('before')
    c.poke()
    wait(lambda: len(relay.mails) == 1)		# it is ready by then
    d = c.deliver()
    os.kill(d, signal.SIGSTOP)
    site.put('hung')
    c.poke()
    tell(wait(lambda: 'not ended after' in c.said(), 40),
         'one that hangs is ended', c.said())
    tell(wait(lambda: site.rows() and site.rows()[0]['tries'] == 1),
         'its row waits')
    site.put('after')
    c.poke()
    tell(wait(lambda: len(relay.mails) == 2), 'another one sends')
    c.stop()

# --- kills ---
for who in 'picket-deliver', 'courier':
    with Relay() as relay:
        site = Site('smtp localhost:%d plain' % relay.port)
        c = Courier(site)
        want = []
        rng = random.Random(6)
        for i in range(KILLS):
            site.put('k%d' % i, count='4')
            want += ['k%d.%d' % (i, k) for k in range(1, 5)]
            c.poke()
            time.sleep(rng.random() * 0.02)
            if who == 'courier':
                c.kill()
                c = Courier(site)
            else:
                d = c.deliver()
                if d:
                    try:
                        os.kill(d, signal.SIGKILL)
                    except OSError:
                        pass

        def all_there():
            return len(set(ids(relay))) == 4 * KILLS

        # what died with a job waits for its next try
        def hurry():
            try:
                site.sql('update outbox set due = 0')
            except Exception:
                pass
            c.poke()
            time.sleep(0.5)
            return all_there() and empty(site)

        got = wait(hurry, 60)
        tell(got, '%s killed %d times: nothing is lost' % (who, KILLS),
             len(set(ids(relay))), c.said()[-2000:])
        n = collections.Counter(ids(relay))
        print('# %d mails came for %d' % (len(relay.mails), 4 * KILLS))
        tell(len(n) == 4 * KILLS, 'what came twice has the same Message-ID',
             len(relay.mails), len(n))
        c.stop()

# --- ways of this host are for the old kind ---
with Relay() as relay:
    prog = recorder('sendmail')
    site = Site('sendmail %s' % prog, 'smtp localhost:%d plain always name '
                'relay' % relay.port, 'file %s/box always name box' %
                os.environ.get('TMPDIR', '/tmp'), USER)
    c = Courier(site)
    site.put('ways')
    c.poke()
    tell(wait(lambda: os.path.exists(prog + '.in') and relay.mails and
              empty(site)), 'sendmail, a file and a relay in one',
         site.rows(), c.said())
    tell(wait(lambda: sorted(name(p) for p in children(c.pid)) ==
              ['picket-deliver', 'picket-store']),
         'nothing is left of what was started',
         [name(p) for p in children(c.pid)])
    c.stop()

# --- the limit of processes, with all of it under it ---
group = '/sys/fs/cgroup/pids/picket-courier-%d' % os.getpid()
named = []
if ROOT:
    hosts = os.path.join(delivery.TMP, 'hosts')
    with open(hosts, 'w') as f:
        f.write('127.0.0.1 localhost relay.picket.test\n')
    os.chmod(hosts, 0o644)
    named = ['unshare', '-m', '--propagation', 'private', 'sh', '-c',
             'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    if subprocess.run(named + ['true'], capture_output=True).returncode:
        named = []
try:
    os.mkdir(group)
except OSError:
    group = None
if named and group:
    with Relay() as relay:
        site = Site('smtp relay.picket.test:%d plain' % relay.port, USER)
        c = Courier(site, group, named)
        time.sleep(1)			# it resolves while all is well
        for i in range(20):
            with open(group + '/pids.current') as f:
                n = f.read()
            with open(group + '/pids.max', 'w') as f:
                f.write(n)
            site.put('full%d' % i)
            c.poke()
            if not wait(lambda: len(relay.mails) == i + 1):
                break
        tell(i == 19, 'at the limit of processes mail goes by an address '
             'that was kept, 20 times', i, c.said(), site.rows())
        with open(group + '/pids.events') as f:
            tell(int(f.read().split()[1]) >= 20, 'and the limit was met')
        c.stop()
else:
    skip('at the limit of processes', 'needs root and a cgroup of pids')
if group:
    wait(lambda: not os.path.exists(group) or not os.rmdir(group)
         if not open(group + '/cgroup.procs').read() else False)

# --- a user who is not there ---
if ROOT:
    with Relay() as relay:
        site = Site('smtp localhost:%d plain' % relay.port,
                    'user no-such-user')
        site.put('nobody')
        c = Courier(site)
        tell(wait(lambda: len(relay.mails) == 1), 'a user who is not there: '
             'mail goes all the same', c.said())
        tell('no-such-user' in c.said(), 'and it is said', c.said())
        c.stop()
else:
    skip('a user who is not there', 'only for root')
end()
