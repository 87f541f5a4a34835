#!/usr/bin/env python3
"""picket replay: old logs of all kinds, with the clock of their stamps."""

import calendar
import gzip
import json
import os
import pty
import struct
import subprocess
import tempfile
import time

from tap import end, tell

PICKET = os.environ['PICKET']
at = tempfile.mkdtemp()
os.chmod(at, 0o700)
os.chdir(at)

FAIL = '''Fail
\tinit
\t\tstatus active
\t\tlevel critical
\t\ttask "Report failed logins."
\t\tinput logfile "/var/log/mail.log"
\tbegin
\t\tset #n = 0
\trule
\t\tif $inlin =~ "login failed user=([a-z0-9]+)"
\t\t\tset #n += 1
\t\t\toutput mail "$1 at $text(#now())"
\t\t\texec "touch %s/done.$1"
\t\tfi
\tend
\t\tincident "logins"
\t\t\twhen #n >= 3
\t\t\tuntil #n == 0
\t\t\tremind 1h
\t\t\tmessage "$text(#n) failed logins"
\t\tendincident
''' % at


def put(name, text, mtime=None):
    data = text.encode() if isinstance(text, str) else text
    with open(name, 'wb') as f:
        f.write(data)
    if mtime is not None:
        t = calendar.timegm(time.strptime(mtime, '%Y-%m-%d %H:%M:%S'))
        os.utime(name, (t, t))


def run(*args, tz='UTC', stdin=None):
    env = dict(os.environ, TZ=tz, HOME=at, XDG_STATE_HOME=at + '/state')
    return subprocess.run([PICKET, 'replay'] + list(args), env=env,
                          input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)


def replay(*args, tz='UTC', stdin=None):
    r = run('--json', *args, tz=tz, stdin=stdin)
    try:
        return json.loads(r.stdout), r
    except ValueError:
        return {}, r


def is_(got, want, what, r=None):
    tell(got == want, what, 'wanted %r' % (want,), 'got %r' % (got,),
         r.stderr.decode() if r else '')


def refused(r, part, what):
    err = r.stderr.decode()
    tell(r.returncode != 0 and part in err, what, 'status %d' % r.returncode,
         err, r.stdout.decode())


def moment(text):
    return calendar.timegm(time.strptime(text, '%Y-%m-%d %H:%M:%S'))


put('Fail.pikt', FAIL)

# --- a storm of an hour, in the middle of a day
SYSLOG = ''.join('Apr 25 %02d:%02d:00 moscow imapd[1]: %s\n' % (
    h, m, 'login failed user=u%d' % m if h == 12 else 'fine')
    for h in range(9, 18) for m in range(0, 60))
put('mail.log', SYSLOG, '2000-04-25 18:00:00')
j, r = replay('Fail.pikt', 'mail.log')
is_((r.returncode, j.get('runs'), j.get('lines')), (0, 108, 540),
    'runs of five minutes, each with its lines', r)
is_(j['stamp'], 'syslog', 'the stamps are known')
i = j['incidents'][0]
is_((i['key'], i['fired'], i['resolved'], i['first']),
    ('logins', 1, 1, moment('2000-04-25 12:05:00')),
    'an incident begins at the end of its first run')
is_(i['longest'], 3600, 'and lasts an hour')
is_([m['count'] for m in j['mail_lines']], [60],
    'lines that differ in numbers are one kind')
is_(j['mail_lines'][0]['examples'][0], 'u0 at 956664300',
    '#now() is the end of the run')
is_(sum(m['count'] for m in j['commands']), 60, 'commands are told of')
tell(not [f for f in os.listdir(at) if f.startswith('done')],
     'and not run')
tell(not os.path.exists('state'), 'nothing is kept of it')
r = run('Fail.pikt', 'mail.log')
out = r.stdout.decode()
tell('would have sent 13 mails on 1 day' in out and
     'logins\n          3 failed' not in out and
     'resolved 1 time, the longest after 1h' in out and
     'define doexec is FALSE' in out and 'u# at #' in out,
     'the same for people', out)
is_(r.stderr, b'', 'no progress where nobody looks')

put('Blind.pikt', FAIL.replace('\tbegin\n', '\tbegin\n\t\tif ! -e '
                                '"/var/log/mail.log"\n\t\t\tquit\n\t\tfi\n'))
j, r = replay('Blind.pikt', 'mail.log')
is_((j.get('lines'), j.get('read')), (540, 0), 'a script that reads nothing', r)
tell('has read none of these lines' in run('Blind.pikt', 'mail.log').stdout.decode()
     and 'has read none' not in out, 'it is no all-clear')

# --- how often
j, r = replay('Fail.pikt', 'mail.log', '--step', '1h')
is_(j.get('runs'), 9, '--step', r)
j, r = replay('Fail.pikt', 'mail.log', '--from', '2000-04-25 12:30', '--to',
              '2000-04-25 12:39')
is_((j.get('lines'), j.get('left_out')), (10, 530),
    '--from and --to: the last minute is taken', r)
j, r = replay('Fail.pikt', 'mail.log', '--from', '2000-04-25', '--to',
              '2000-04-25')
is_(j.get('lines'), 540, 'a day is all of it', r)
put('Every.pikt', FAIL.replace('\t\tstatus', '\t\tevery 30m\n\t\tstatus'))
j, r = replay('Every.pikt', 'mail.log')
is_((j.get('runs'), j.get('step')), (18, 'every 30m'), "the script's own", r)
put('Timing.pikt', FAIL.replace('\t\tstatus',
                                '\t\ttiming "20 */2 * * *"\n\t\tstatus'))
j, r = replay('Timing.pikt', 'mail.log')
is_((j.get('runs'), j.get('step')), (5, 'at 20 */2 * * *'), 'its timing', r)
os.mkdir('site', 0o700)
put('site/Fail.pikt', FAIL)
put('site/alerts.cfg', 'Often\n\ttiming  */15 * * * *\n\talarms  Fail\n')
j, r = replay('--config', 'site', 'Fail', 'mail.log')
is_((j.get('runs'), j.get('step')), (36, 'at */15 * * * *'),
    "its alert's in the site", r)

# --- years
put('wrap.log', 'Dec 31 23:58:00 h x: login failed user=a\n'
    'Jan  1 00:03:00 h x: login failed user=b\n', '2010-01-02 00:00:00')
j, r = replay('Fail.pikt', 'wrap.log')
is_((j.get('begin'), j.get('end')), (moment('2009-12-31 23:58:00'),
    moment('2010-01-01 00:05:00')), 'a year ends in the log', r)
is_(j.get('runs'), 2, 'and no year lies between')
put('feb.log', 'Feb 29 12:00:00 h x: fine\n', '2010-03-02 00:00:00')
j, r = replay('Fail.pikt', 'feb.log')
is_(j.get('begin'), moment('2008-02-29 12:00:00'),
    'a day that only leap years have', r)

# --- summer time: 2:00 to 3:00 comes twice
dst = ''.join('Oct 29 %02d:%02d:00 h x: fine\n' % (h, m)
              for h in (1, 2, 2, 3) for m in range(60))
put('dst.log', dst, '2000-11-02 00:00:00')
j, r = replay('Fail.pikt', 'dst.log', tz='Europe/Berlin')
is_((j.get('runs'), j.get('lines')), (48, 240),
    'the hour that comes twice is two hours', r)
put('dst.log', ''.join('Mar 26 %02d:%02d:00 h x: fine\n' % (h, m)
                       for h in (1, 3) for m in range(60)),
    '2000-04-02 00:00:00')
j, r = replay('Fail.pikt', 'dst.log', tz='Europe/Berlin')
is_((j.get('runs'), j.get('end')), (24, moment('2000-03-26 02:00:00')),
    'the hour that is left out is none', r)

# --- other stamps
for name, line, stamp in [
        ('iso', '2000-04-25T07:17:02+02:00 h x: login failed user=a', 'iso'),
        ('nginx', '2000/04/25 05:17:02 [error] login failed user=a', 'iso'),
        ('epoch', '956639822.123 login failed user=a', 'epoch'),
        ('common', '1.2.3.4 - - [25/Apr/2000:07:17:02 +0200] '
         '"GET /login failed user=a"', 'common'),
        ('apache', '[Tue Apr 25 05:17:02 2000] login failed user=a',
         'asctime'),
        ('given', '25.04.2000-05:17:02 login failed user=a', 'given')]:
    put(name + '.log', line + '\n')
    more = ['--time', '%d.%m.%Y-%H:%M:%S'] if name == 'given' else []
    j, r = replay('Fail.pikt', name + '.log', *more)
    is_((j.get('stamp'), j.get('end'), len(j.get('commands', []))),
        (stamp, moment('2000-04-25 05:20:00'), 1), 'stamps: ' + name, r)

message = b'login failed user=b\nand a second line'
put('journal.export', b'__CURSOR=s=1\n__REALTIME_TIMESTAMP=956639822000000\n'
    b'_HOSTNAME=moscow\nSYSLOG_IDENTIFIER=imapd\n_PID=17\n'
    b'MESSAGE=login failed user=a\n\n'
    b'__CURSOR=s=2\n__REALTIME_TIMESTAMP=956639823000000\n_COMM=imapd\n'
    b'MESSAGE\n' + struct.pack('<Q', len(message)) + message + b'\n\n')
put('Lines.pikt', FAIL.replace('"$1 at $text(#now())"', '$inlin'))
j, r = replay('Lines.pikt', 'journal.export')
is_([e for m in j.get('mail_lines', []) for e in m['examples']],
    ['Apr 25 05:17:02 moscow imapd[17]: login failed user=a',
     'Apr 25 05:17:03 - imapd: login failed user=b and a second line'],
    'an exported journal gives the lines of input journal', r)
is_(j.get('stamp'), 'journal export', 'and is known')

# --- rotated logs, packed, in any order; standard input
half = SYSLOG.index('Apr 25 13')
put('mail.log.1.gz', gzip.compress(SYSLOG[:half].encode()),
    '2000-04-25 13:00:00')
put('mail.log.0', SYSLOG[half:], '2000-04-25 18:00:00')
whole, _ = replay('Fail.pikt', 'mail.log')
j, r = replay('Fail.pikt', 'mail.log.0', 'mail.log.1.gz')
is_((j.get('runs'), j.get('lines'), j.get('incidents')),
    (108, 540, whole['incidents']), 'rotated and packed, in any order', r)
iso = ''.join('2000-04-25 %s h x: login failed user=a\n' % t
              for t in ('01:00:00', '01:01:00'))
j, r = replay('Fail.pikt', '-', stdin=iso.encode())
is_(j.get('lines'), 2, 'standard input', r)
put('broken.gz', gzip.compress(SYSLOG.encode())[:-20],
    '2000-04-25 18:00:00')
j, r = replay('Fail.pikt', 'broken.gz')
tell(r.returncode == 1 and b'broken.gz: is broken' in r.stderr and
     j.get('lines', 0) > 0, 'a broken one is told of, and read as far as it '
     'goes', r.stderr.decode())
a = ''.join('2000-04-25 01:%02d:00 a login failed user=a\n' % m
            for m in range(0, 60, 2))
b = a.replace(':00 a', ':30 b').replace('user=a', 'user=b')
put('a.log', a)
put('b.log', b)
put('Order.pikt', '''Order
\tinit
\t\tstatus active
\t\tinput file "/x"
\t\tdat $time 2
\trule
\t\tif #innum() > 1 && $time lt @$time
\t\t\toutput mail "out of order"
\t\tfi
''')
j, r = replay('Order.pikt', 'b.log', 'a.log', '--step', '1d')
is_((j.get('lines'), j.get('mail_lines')), (60, []),
    'logs that overlap are read by time', r)

# --- lines that are none
put('junk.log', 'no stamp at all\n' + SYSLOG[:200].rsplit('\n', 1)[0] +
    '\n  and more of it: login failed user=x\n\n\xff\xfe\x00bin\n' +
    'Apr 25 09:01:30 h x: last\n', '2000-04-25 18:00:00')
j, r = replay('Fail.pikt', 'junk.log')
is_((r.returncode, j.get('unstamped'), j.get('runs')), (0, 4, 1),
    'lines without a stamp belong to the run of the line before', r)
is_(len(j.get('commands', [])), 1, 'and are read')
put('late.log', 'Apr 25 09:07:00 h x\nApr 25 09:04:00 h late\n'
    'Apr 25 09:08:00 h x\n', '2000-04-25 18:00:00')
j, r = replay('Fail.pikt', 'late.log')
is_((j.get('runs'), j.get('lines')), (1, 3), 'time does not go back', r)
put('long.log', 'Apr 25 09:07:00 h ' + 'x' * 3000000 +
    '\nApr 25 09:08:00 h login failed user=z\n', '2000-04-25 18:00:00')
j, r = replay('Fail.pikt', 'long.log')
is_((j.get('lines'), len(j.get('commands', []))), (2, 1),
    'a line of three megabytes is cut', r)

# --- quiet times
put('gap.log', 'Apr 25 09:07:00 h x\nMar  3 09:08:00 h x\n',
    '2010-04-25 18:00:00')
begun = time.time()
j, r = replay('Fail.pikt', 'gap.log')
tell(j.get('runs', 1e9) < 40 and j.get('skipped', 0) > 80000,
     'a gap of most of a year is left out', r.stderr.decode(),
     str(j.get('runs')))
put('gap.log', ''.join('Apr 25 09:0%d:00 h login failed user=a\n' % k
                       for k in range(3)) + 'Apr 25 19:00:00 h x\n',
    '2010-04-25 18:00:00')
put('Remind.pikt', FAIL.replace('until #n == 0', 'until #n < 0'))
j, r = replay('Remind.pikt', 'gap.log')
is_((j['incidents'][0]['reminded'], j['incidents'][0]['fires'],
     j['skipped']), (10, True, 0), 'but not while an incident fires', r)

# --- what the world does not hold
put('Ask.pikt', FAIL.replace('\tend\n', '\tend\n\t\tset $d = '
                             '$command("date")\n'))
j, r = replay('Ask.pikt', 'late.log')
is_([u['kind'] for u in j.get('unanswered', [])], ['command date'],
    'a command that would be read from is not run, and told of', r)
put('Bad.pikt', FAIL.replace('\tend\n', '\tend\n\t\tassert #n < 0 "too many"\n'))
j, r = replay('Bad.pikt', 'late.log')
tell(r.returncode == 1 and j.get('failed') == 1 and
     b'1 of 1 runs ended badly' in r.stderr, 'runs that end badly',
     r.stderr.decode())

# --- errors
refused(run('DiskFilin', 'mail.log'), 'did you mean DiskFilling?',
        'a bundled script, misspelt')
refused(run('Fail.pikt'), 'replay wants the logs, too', 'no log')
refused(run(), 'replay', 'nothing at all')
refused(run('Fail.pikt', 'nosuch.log'), 'nosuch.log', 'no such log')
refused(run('Fail.pikt', at), 'is a folder', 'a folder')
put('empty.log', '')
refused(run('Fail.pikt', 'empty.log'), 'not one line to replay', 'empty')
j, r = replay('Fail.pikt', 'empty.log', 'mail.log')
is_((r.returncode, j.get('lines')), (0, 540), 'an empty one beside others', r)
put('none.log', 'one\ntwo\n')
refused(run('Fail.pikt', 'none.log'), "--time '%d.%m.%Y %H:%M:%S'",
        'no stamps: what to do')
refused(run('Fail.pikt', 'mail.log', '--time', '%Y'),
        'month and the day', 'a format that says no day')
refused(run('Fail.pikt', 'mail.log', '--time', '%Y-%m-%d'),
        "no line has a stamp like --time '%Y-%m-%d'", 'one that fits no line')
refused(run('Fail.pikt', 'mail.log', '--step', '0'), '--step wants', '--step')
refused(run('Fail.pikt', 'mail.log', '--from', 'then'), '--from wants',
        '--from')
refused(run('Fail.pikt', 'mail.log', '--from', '2001-01-01'),
        'no line is of the time', 'nothing is left')
put('Table.pikt', 'T\n\tinit\n\t\tstatus active\n\t\tinput table load\n'
    '\trule\n\t\toutput mail $text(#load1)\n')
refused(run('Table.pikt', 'mail.log'), 'has lines to read',
        'a script without lines')
put('Two.pikt', FAIL + FAIL.replace('Fail\n', 'Other\n', 1))
refused(run('Two.pikt', 'mail.log'), 'Fail, Other', 'two scripts')

# --- limits: LIM_REPLAY_CLASSES, LIM_REPLAY_BARE, LIM_STAMP_LOOK
put('Each.pikt', 'Each\n\tinit\n\t\tstatus active\n\t\tinput file "/x"\n'
    '\trule\n\t\toutput mail $inlin\n')
put('kinds.log', ''.join('956639822 %s\n' % ('x' * k)
                         for k in range(1, 191)) +
    ''.join('956639822 %s%s\n' % ('y' * k, c) for k in range(1, 40)
            for c in 'abcdefghijklmnopqrstuvwz'))
j, r = replay('Each.pikt', 'kinds.log')
is_((len(j.get('mail_lines', [])), j.get('more', {}).get('mail_lines')),
    (1000, 190 + 39 * 24 - 1000), 'a thousand kinds are told apart', r)
out = run('Each.pikt', 'kinds.log').stdout.decode()
tell('of 1000 kinds and more' in out and 'and 980 kinds more' in out,
     'and twenty are shown', out[-300:])
put('stamp.log', ''.join('2000-04-25 0%d:00:00 login failed user=a\n' % h
                         for h in (1, 1, 1)) + '2099-01-01 00:00:00 x\n')
begun = time.time()
j, r = replay('Remind.pikt', 'stamp.log')
is_((j.get('runs'), j['incidents'][0]['reminded']), (10002, 834),
    'one wrong stamp does not make millions of runs', r)
put('far.log', 'x' * 600 + ' [25/Apr/2000:05:17:02 +0000]\n'
    'x [25/Apr/2000:05:17:02 +0000] y\n')
j, r = replay('Each.pikt', 'far.log')
is_((j.get('unstamped'), j.get('runs')), (1, 1),
    'a stamp stands near the beginning of its line', r)
put('Leap.pikt', FAIL.replace('\t\tstatus',
                              '\t\ttiming "0 0 29 2 *"\n\t\tstatus'))
j, r = replay('Leap.pikt', 'mail.log')
is_((j.get('runs'), j.get('end')), (1, moment('2004-02-29 00:00:00')),
    'a script of leap days waits for one', r)

# --- seconds, not hours
n = 40000
put('big.log', ''.join('Apr %2d %02d:%02d:%02d moscow x[1]: connect %d\n' % (
    1 + t // 86400, t // 3600 % 24, t // 60 % 60, t % 60, t)
    for t in range(0, 30 * 86400, 30 * 86400 // n)), '2000-05-01 00:00:10')
begun = time.time()
j, r = replay('Fail.pikt', 'big.log')
took = time.time() - begun
print('# %d lines, %d runs: %.2f s' % (j['lines'], j['runs'], took))
tell(j['runs'] == 8640 and took < 60, 'a month takes seconds')

# --- a bundled script, whose own log this host need not have
put('auth.log', ''.join('Apr 25 %02d:%02d:%02d moscow sshd[%d]: Failed password '
    'for root from 203.0.113.9 port 4711 ssh2\n' % (t // 3600, t // 60 % 60,
    t % 60, 100 + t) for t in range(0, 6000, 3)), '2000-04-25 02:00:00')
j, r = replay('-M', 'login_log=/no/such/log', 'LoginFailures', 'auth.log')
tell(r.returncode == 0 and 'logins' in [i['key'] for i in j['incidents']],
     'a bundled script over a log that is not the one of this host', j, r)

# --- a terminal sees how far it is
pid, fd = pty.fork()
if pid == 0:
    os.environ['TZ'] = 'UTC'
    os.execv(PICKET, [PICKET, 'replay', 'Fail.pikt', 'big.log'])
seen = b''
while True:
    try:
        part = os.read(fd, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
status = os.waitpid(pid, 0)[1]
tell(status == 0 and b' runs\r\x1b[K' in seen and b' %  ' in seen and
     b'8640 runs every 5m' in seen, 'progress on a terminal, and cleared',
     repr(seen[:300]))
end()
