#!/usr/bin/python3
# runner: timeout=180
"""queue() of a real Postfix and a real Exim, each in a machine of its own:
what the table says is what the mailer itself does.
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'),
                                'tests/deliver'))
import roots						# noqa: E402
from delivery import Tap, skip_all			# noqa: E402
from servers import Exim, Postfix, command, wait_for, write  # noqa: E402
from hosttable import rows				# noqa: E402

TMP = os.environ.get('TMPDIR', '/tmp')
tap = Tap()
BODY = 'Subject: a message\n\n' + 'a line of it\n' * 100


def said(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout


def send(program, sender, *to, options=()):
    command(program, *options, '-f', sender, '--', *to, input=BODY)


def near(row):
    return row['age'] is not None and 0 <= float(row['age']) < 60


def postfix():
    roots.enter('postfix')
    server = Postfix()
    server.hold(True)
    server.start()
    send('/usr/sbin/sendmail', 'alice@localhost', 'systems@localhost',
         'other@localhost')
    send('/usr/sbin/sendmail', '<>', 'systems@localhost')
    if not wait_for(lambda: server.queued() == 2 and 'delay_reason' in
                    said('postqueue', '-j')):
        tap.ok(False, 'two messages wait', server.said())
    held = [m['queue_id'] for m in map(json.loads, said('postqueue', '-j')
                                       .splitlines()) if m['sender'] !=
            'MAILER-DAEMON']
    command('postsuper', '-h', *held)
    time.sleep(1)
    told = {m['queue_id']: m for m in
            map(json.loads, said('postqueue', '-j').splitlines())}
    got = rows('queue', 'postfix')
    by = {r['id']: r for r in got.rows}
    tap.eq(sorted(by), sorted(told), 'the messages of postqueue -j')
    for id, m in told.items():
        r = by[id]
        bounce = m['sender'] == 'MAILER-DAEMON'
        tap.eq((r['queue'], r['size'], r['arrived'], r['sender'],
                r['recipients'].split(), near(r)),
               ('deferred' if bounce else 'hold', str(m['message_size']),
                str(m['arrival_time']), '' if bounce else 'alice@localhost',
                [x['address'] for x in m['recipients']], True),
               'a bounce' if bounce else 'a message that is held')
        tap.eq(r['reason'], m['recipients'][0].get('delay_reason'),
               'its reason')
    got = rows('queue', 'sendmail')
    tap.ok(got.status == 1 and 'queue("postfix")' in got.err,
           'queue("sendmail") names the right one', str(got))
    server.stop()


def exim():
    roots.enter('exim')
    for name in ('key', 'cert'):	# which no session here asks for
        write('/etc/server/%s.pem' % name, '')
    server = Exim()		# its daemon would take them up by itself
    send('exim4', 'alice@localhost', 'bob@dead.example', 'carol@dead.example',
         options=['-odq'])
    send('exim4', '<>', 'systems@dead.example', options=['-odq'])
    send('exim4', 'dave@localhost', 'systems@localhost', 'eve@dead.example',
         options=['-odq'])
    ids = {}
    for line in said('exim4', '-bp').splitlines():
        words = line.split()
        if len(words) >= 4 and words[3].startswith('<'):
            ids[words[3]] = words[2]
    tap.eq(len(ids), 3, 'three messages wait')
    command('exim4', '-Mf', ids['<>'])
    # one of two is delivered, the other one bounces, and that is frozen
    said('exim4', '-M', ids['<dave@localhost>'])
    wait_for(lambda: said('exim4', '-bp').count('*** frozen ***') == 2)
    listing = os.path.join(TMP, 'listing')
    with open(listing, 'w') as f:
        f.write(said('exim4', '-bp'))
    spool = rows('queue', 'exim')
    with open(listing) as f:
        text = f.read()
    os.rename('/var/spool/exim4/input', '/var/spool/exim4/away')
    listed = rows('queue', 'exim', output=listing)
    a = {r['id']: r for r in spool.rows}
    b = {r['id']: r for r in listed.rows}
    tap.ok(len(a) >= 3 and not spool.err and not listed.err,
           'the spool and the listing are understood', text + str(spool) +
           str(listed))
    tap.eq([(r['id'], r['queue'], r['sender'], sorted(r['recipients'].split()))
            for _, r in sorted(a.items())],
           [(r['id'], r['queue'], r['sender'], sorted(r['recipients'].split()))
            for _, r in sorted(b.items())], 'and say the same')
    for id, r in a.items():
        size = float(b[id]['size'])
        tap.ok(abs(float(r['size']) - size) < max(60, size / 10) and near(r)
               and abs(float(r['arrived']) - float(b[id]['arrived'])) <= 1,
               'size and age of a message from %s' % (r['sender'] or '<>'),
               str(r), str(b[id]))
    r = a[ids['<>']]
    tap.eq((r['queue'], r['sender']), ('frozen', ''), 'a frozen bounce')
    tap.eq(r['reason'], None, 'nobody has said why')
    said_size = [w[2:] for w in server.said().split() if w.startswith('S=')]
    tap.ok(r['size'] in said_size, 'its size is that of the main log',
           str(r), server.said())


SCENES = {'postfix': postfix, 'exim': exim}
if len(sys.argv) > 1:
    SCENES[sys.argv[1]]()
    tap.done()
why = roots.why_not(*SCENES)
if len(why) == len(SCENES):
    skip_all(str(why))
for name, text in why.items():
    print('# not %s: %s' % (name, text))
roots.run_each([(name,) for name in SCENES if name not in why], tap)
tap.done()
