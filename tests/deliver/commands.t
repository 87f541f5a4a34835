#!/usr/bin/python3
# runner: timeout=300
"""sendmail, mailcmd, file: what programs and files get, byte for byte."""

import os
import time
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import *				# noqa: E402,F403

tap = Tap()
message = (b'Subject: x\n\n.\n..\nFrom me\n>From you\n~!id\n~.\n \n\nnul\0nul\n'
           b'\xff\xfe\n' + b'L' * 5000 + b'\nend')


def box(name):
    return os.path.join(TMP, name)


# sendmail
prog = recorder('send mail')
got = deliver(job(['sendmail "%s"' % prog], message,
                  to=('a@example.org', '"b c"@example.org', 'root')),
              {'PICKET_SECRET': 'x', 'LD_PRELOAD': '', 'TZ': 'UTC',
               'HOME': '/root', 'USER': 'root', 'LOGNAME': 'root',
               'BASH_ENV': '/x', 'MAIL': '/y', 'IFS': 'x'})
tap.eq((got.status, got.lines),
       (SENT, ['ok sendmail:%s exit status 0' % prog.replace(' ', '_')]),
       'sendmail: taken')
tap.eq(slurp(prog + '.args'), b'-i\0-f\0picket@example.org\0--\0'
       b'a@example.org\0"b c"@example.org\0root\0\n', 'its arguments')
tap.eq(slurp(prog + '.in'), message, 'its standard input')
env = [x for x in slurp(prog + '.env').decode().splitlines()
       if not re.match(r'(PWD|OLDPWD|SHLVL|_)=', x)]
tap.eq(env, ['HOME=/root', 'LANG=C.UTF-8', 'LOGNAME=root',
             'PATH=/usr/bin:/bin', 'PICKET_RUN_ID=run-1', 'TZ=UTC',
             'USER=root'], 'its environment')

last = box('last')
for status, want in ((75, 'retry'), (67, 'fail'), (64, 'fail'), (69, 'retry'),
                     (70, 'retry'), (1, 'retry'), (127, 'retry')):
    prog = recorder('mta%d' % status, status, 'echo one; echo " t\033wo " >&2')
    got = deliver(job(['sendmail ' + prog, 'file ' + last], message))
    tap.eq((got.status, got.lines),
           (SENT, ['%s sendmail:%s exit status %d: t\\x1bwo'
                   % (want, prog, status), 'ok file:%s appended' % last]),
           'exit status %d: %s, the next one' % (status, want))
    alone = deliver(job(['sendmail ' + prog]))
    tap.eq((alone.status, alone.lines[-1]),
           (LATER if want == 'retry' else REFUSED, 'left a@example.org'),
           'exit status %d: alone' % status)
got = deliver(job(['sendmail /no/such', 'file ' + last]))
tap.ok(got.status == SENT and got.lines[0] ==
       'retry sendmail:/no/such /no/such: not found', 'no such program', got)
got = deliver(job(['sendmail ' + recorder('bg', 0, 'sleep 60 &')]))
tap.ok(got.status == SENT and got.seconds < 10,
       'what delivers in the background does not hold us', got)
prog = recorder('hang', 0, 'sleep 1000')
got = deliver(job(['sendmail %s timeout 1s' % prog, 'file ' + last]))
tap.ok(got.status == SENT and got.seconds < 10 and
       got.lines[0] == 'retry sendmail:%s not ended after 1s' % prog,
       'one that hangs', got)
pids = box('pids')
prog = recorder('stubborn', 0, "trap '' TERM\necho $$ >> %s\n"
                '(while :; do sleep 1; done) & echo $! >> %s\n'
                'while :; do sleep 1; done' % (pids, pids))
got = deliver(job(['sendmail %s timeout 1s' % prog, 'file ' + last]))


def alive(pid):
    try:
        with open('/proc/%d/stat' % int(pid)) as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False


# killed is not gone: a process dies when it is next scheduled
for _ in range(50):
    left = [pid for pid in slurp(pids).split() if alive(pid)]
    if not left:
        break
    time.sleep(0.1)
tap.ok(got.status == SENT and got.seconds < 15 and not left,
       'one that ignores TERM is killed, with its children', got, left)
got = deliver(job(['sendmail ' + recorder('mta')], message, to=()))
tap.ok(got.status == REFUSED and got.lines ==
       ['fail sendmail:%s the mail has no recipient' % box('mta')],
       'a mail for nobody', got)

# mailcmd
prog = recorder('mailx')
body = (b'~!id\n~~\n ~\nx~\n.\n..\n.\n~\n\nFrom me\nnul\0nul\n\xff\n' +
        b'L' * 5000 + b'\n~r /etc/passwd')
got = deliver(job(['mailcmd "%s -s \'PIKT Alert on $HOME: x\' \\"$(echo a b)\\" '
                   'c d"' % prog], body=body, to=()), {'HOME': '/h'})
tap.eq((got.status, got.lines), (SENT, ['ok mailcmd exit status 0']),
       'mailcmd: taken, and it needs no recipient')
tap.eq(slurp(prog + '.args'),
       b"-s\0PIKT Alert on $HOME: x\0a b\0c\0d\0\n",
       'it is a command of the shell')
tap.eq(slurp(prog + '.in'), b' ~!id\n ~~\n ~\nx~\n .\n..\n .\n ~\n\nFrom me\n'
       b'nul\0nul\n\xff\n' + b'L' * 5000 + b'\n ~r /etc/passwd\n',
       'the body, tildes and single dots made harmless')
got = deliver(job(['mailcmd "exit 3"', 'mailcmd "/no/such 2>&1"',
                   'mailcmd "sleep 1000" timeout 1s', 'file ' + last]))
tap.ok(got.status == SENT and got.lines[0] == 'retry mailcmd exit status 3' and
       got.lines[1].startswith('retry mailcmd exit status 127: ') and
       got.lines[2] == 'retry mailcmd not ended after 1s',
       'mail commands that fail', got)
got = deliver(job(['mailcmd "exec <&-; exit 0"'], body=b'x' * 3000000))
tap.ok(got.status == SENT, 'one that does not read', got)

# file
mbox = box('all alerts')
for text in (message, b'Subject: two\n\n'):
    got = deliver(job(['file "%s"' % mbox], text))
tap.eq((got.status, got.lines),
       (SENT, ['ok file:%s appended' % mbox.replace(' ', '_')]),
       'file: taken')
marks = rb'From picket@example\.org \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n'
parts = re.split(marks, slurp(mbox))
tap.eq(parts, [b'', message.replace(b'\nFrom me', b'\n>From me').replace(
    b'\n>From you', b'\n>>From you') + b'\n\n', b'Subject: two\n\n\n'],
       'as mboxrd, one after the other')
tap.eq(os.stat(mbox).st_mode & 0o7777, 0o600, 'nobody else reads it')
os.symlink(mbox, box('link'))
before = slurp(mbox)
got = deliver(job(['file ' + box('link'), 'file ' + box('no/such'),
                   'file /dev/null', 'file ' + last]))
tap.ok(got.status == SENT and [x.split(' ')[0] for x in got.lines] ==
       ['retry'] * 3 + ['ok'] and slurp(mbox) == before,
       'links, folders that are missing, devices: the next one', got)

# Together: who got it from one does not get it from the next.
with Script(RCPT=['250 ok', '550 no']) as s:
    prog = recorder('rest')
    got = deliver(job(['smtp 127.0.0.1:%d' % s.port, 'sendmail ' + prog,
                       'file ' + box('never')], to=('a@x.org', 'b@x.org')))
    tap.ok(got.status == SENT and slurp(prog + '.args').endswith(
        b'--\0b@x.org\0\n') and not os.path.exists(box('never')),
           'the relay takes one, sendmail gets the other', got)
tap.done()
