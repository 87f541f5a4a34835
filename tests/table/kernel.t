#!/usr/bin/env python3
# runner: timeout=120
"""kernel and oom_kills: a recorded log of what kernels from 2.6 to 6.x write,
positions from run to run and from boot to boot, what was overrun, damaged
records; then the machine's own log, and a real kill in a small cgroup.
"""

import os
import random
import re
import subprocess
import sys
import time

from hosttable import Root, damaged, number, rows
from tap import end, skip, tell

ROOTS = os.path.join(os.environ['SRCDIR'], 'tests/table/roots')
BOOT = 'proc/sys/kernel/random/boot_id'


def record(seq, text, pri=6, usec=None, flag='-'):
    return '%d,%d,%d,%s;%s\n' % (pri, seq, usec or seq * 1000, flag, text)


def kill(seq, pid):
    return record(seq, 'Out of memory: Killed process %d (p%d) total-vm:4kB, '
                  'anon-rss:3kB, file-rss:0kB, shmem-rss:0kB, UID:0' %
                  (pid, pid), 3)


# A log of many kernels.
oom = os.path.join(ROOTS, 'oom')
got = rows('kernel', root=oom)
tell(got.status == 0 and len(got.rows) == 22, 'a row for each message', got)
r = got.rows[2]
tell((r['seq'], r['level'], r['facility'], r['time'], r['text'][:12]) ==
     ('2', '6', '3', '1700000006', 'systemd[1]: '), 'its columns', r)
tell(got.rows[1]['text'] == 'usb 1-1: new device',
     'lines for programs are left out', got)
tell(got.rows[12]['text'] ==
     'Task in /lxc/db killed as a result of limit of /lxc/db',
     'fragments of a line are one row', got)
tell('(a) total-vm:\\n(\\xff)' in got.out, 'escapes are bytes', got)

got = rows('oom_kills', root=oom)
want = [('5', '812', 'clamd', '109', 904520 * 1024, None),
        ('9', '900', 'x,pid=1,uid=0', '1000', 16384, '/machine.slice/web'),
        ('10', '901', 'perl', '1001', 8192, '/machine.slice/web'),
        ('15', '42', 'mysqld', None, 1048576, '/lxc/db'),
        ('18', '43', 'java', '500', 308224, None),
        ('19', '44', 'a) total-vm:\\n(\\xff', '7', 2048, None),
        ('20', '45', '', '8', 3072, None)]
for w in want:
    mine = [r for r in got.rows if r['seq'] == w[0]]
    tell(len(mine) == 1 and (w[1], w[2], w[3], str(w[4]), w[5], '0') ==
         tuple(mine[0][c] for c in ('pid', 'victim', 'uid', 'rss', 'cgroup',
                                    'missed')),
         'killed: %s' % w[2], w, got)
tell(got.status == 0 and not got.err and len(got.rows) == len(want),
     'no others: what others wrote, what only looks so', got)
tell(got.rows[0]['time'] == '1700000100.0002', 'when', got)

# From run to run.
with Root(**{BOOT: 'boot-1\n', 'proc/uptime': '1000.00 1\n',
             'positions/x': ''}) as r:
    positions = r.path + '/positions'

    def kernel(text, boot=None, **more):
        r.put('dev/kmsg', text)
        if boot:
            r.put(BOOT, boot + '\n')
        return rows('kernel', root=r.path, positions=positions, now=5000,
                    **more)

    log = ''.join(record(n, 'message %d' % n) for n in range(10))
    got = kernel(log, most=4)
    tell([x['seq'] for x in got.rows] == ['0', '1', '2', '3'] and
         got.rows[1]['time'] == '4000.001', 'four messages', got)
    got = kernel(log)
    tell([x['seq'] for x in got.rows] == list('456789'),
         'a run that ended early: the next one goes on there', got)
    got = kernel(log)
    tell(not got.rows and not got.err, 'nothing new', got)
    log += record(10, 'more', flag='c') + record(11, ' and more', flag='+')
    got = kernel(log)
    tell([(x['seq'], x['text']) for x in got.rows] ==
         [('10', 'more and more')], 'one more', got)
    got = kernel(log)
    tell(not got.rows, 'and its fragment is not new', got)
    got = kernel(''.join(record(n, 'late') for n in range(40, 43)))
    tell(len(got.rows) == 3 and '28 messages' in got.err and
         'log_buf_len' in got.err, '28 were overrun: said once', got)
    got = kernel(record(43, 'a') + record(45, 'b'))
    tell(len(got.rows) == 2 and '1 messages' in got.err,
         'one in between', got)
    got = kernel(record(3, 'new'), boot='boot-2')
    tell([x['seq'] for x in got.rows] == ['3'] and '3 messages' in got.err,
         'another boot: from its start', got)
    os.unlink(r.path + '/' + BOOT)
    got = kernel(record(3, 'new') + record(4, 'x'))
    tell(len(got.rows) == 2, 'no boot id: all of it', got)
    with open(positions + '/kernel', 'w') as f:
        f.write('\0 - 99 %s' % ('x' * 5000))
    got = kernel(record(5, 'y'))
    tell(got.status == 0 and len(got.rows) == 1, 'a position of garbage', got)

# Kills that are counted and not in the log.
with Root(**{BOOT: 'boot-1\n', 'proc/uptime': '1000.00 1\n',
             'positions/x': ''}) as r:
    positions = r.path + '/positions'

    def kills(count, text, boot=None):
        if count is None:
            os.unlink(r.path + '/proc/vmstat')
        else:
            r.put('proc/vmstat', 'oom_killer 7\noom_kill %d\n' % count)
        if text is None:
            os.unlink(r.path + '/dev/kmsg')
        else:
            r.put('dev/kmsg', text)
        if boot:
            r.put(BOOT, boot + '\n')
        got = rows('oom_kills', root=r.path, positions=positions, now=5000)
        return got, [(x['pid'], x['missed']) for x in got.rows]

    got, short = kills(7, kill(5, 100))
    tell(short == [('100', '0')] and not got.err,
         'the first time: nothing is missed', got)
    got, short = kills(7, kill(5, 100))
    tell(short == [], 'nothing new', got)
    got, short = kills(9, kill(5, 100) + kill(6, 101) + kill(7, 102))
    tell(short == [('101', '0'), ('102', '0')], 'two more', got)
    got, short = kills(14, kill(90, 110))
    tell(short == [('110', '0'), (None, '4')] and
         got.rows[1]['victim'] is None and got.rows[1]['seq'] is None,
         'five more, four of them overrun', got)
    got, short = kills(14, kill(90, 110))
    tell(short == [], 'told of once', got)
    got, short = kills(15, kill(90, 110) + kill(91, 111) + kill(92, 112))
    tell(short == [('111', '0'), ('112', '0')],
         'a message that came after the count', got)
    got, short = kills(16, kill(92, 112))
    tell(short == [], 'is not counted against the next', got)
    got, short = kills(3, kill(8, 50), boot='boot-2')
    tell(short == [('50', '0'), (None, '2')], 'another boot', got)
    got, short = kills(5, None)
    tell(short == [(None, '2')] and 'dev/kmsg: No such' in got.err and
         'vmstat only' in got.err,
         'a log that cannot be read: the count alone, and a warning', got)
    got, short = kills(None, kill(300, 60))
    tell(short == [('60', '0')] and 'does not count' in got.err,
         'a kernel that does not count: overruns are told of', got)
    got, short = kills(5, kill(300, 60))
    os.unlink(r.path + '/proc/vmstat')
    os.unlink(r.path + '/dev/kmsg')
    got = rows('oom_kills', root=r.path)
    tell(got.status == 1 and r.path + '/dev/kmsg' in got.err,
         'neither: an error', got)
    got = rows('kernel', root=r.path)
    tell(got.status == 1 and r.path + '/dev/kmsg: No such file' in got.err,
         'kernel: an error', got)

# Damaged records.
random.seed(7)
wrong = []
with open(oom + '/dev/kmsg', 'rb') as f:
    text = f.read()
with Root(**{BOOT: 'b\n', 'proc/vmstat': 'oom_kill 3\n'}) as r:
    for n in range(150):
        bad = damaged(text, random)
        r.put('dev/kmsg', bad)
        for table in ('kernel', 'oom_kills'):
            got = rows(table, root=r.path)
            if got.status or re.search(r'(pid|rss|uid|seq)=-', got.out):
                wrong.append((bad, got))
    r.put('dev/kmsg', b'3,1,1,-;' + b'x' * 9000 + b'\n' +
          kill(2, 5).encode() + b'3,3,3,-;' + b'Killed process 9 (' * 400)
    got = rows('oom_kills', root=r.path)
    tell([x['pid'] for x in got.rows] == ['5'], 'records that are too long',
         got)
tell(not wrong, '300 damaged logs', *wrong[:2])

# The machine's own log.
got = rows('kernel')
if got.status:
    tell('CAP_SYSLOG' in got.err, 'the right that is missing is named', got)
else:
    tell(all(number(x['level']) < 8 for x in got.rows) and
         [number(x['seq'] or 0) for x in got.rows] ==
         sorted(number(x['seq'] or 0) for x in got.rows), 'the real log',
         got.err)
    if got.rows:
        boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
        tell(all(boot - 5 <= number(x['time']) <= time.time() + 5
                 for x in got.rows), 'its times', got.rows[-1])
    if os.geteuid() == 0:
        got = rows('kernel', wrap=('setpriv', '--reuid', '65534',
                                   '--bounding-set=-all', '--inh-caps=-all'))
        with open('/proc/sys/kernel/dmesg_restrict') as f:
            if f.read().strip() == '1':
                tell(got.status == 1 and 'CAP_SYSLOG' in got.err and
                     'dmesg_restrict' in got.err,
                     'nobody may not, and is told which right is missing',
                     got)
            else:
                tell(got.status == 0, 'nobody may read it here', got)

# Where there is no /dev/kmsg, as in many containers: syslog(2).
with Root(**{'dev/x': '', 'p/x': ''}) as r:
    bare = ('unshare', '-m', 'sh', '-c',
            'mount --bind %s/dev /dev && exec "$@"' % r.path, 'sh')
    if os.geteuid() == 0 and \
            subprocess.run(bare + ('test', '!', '-e', '/dev/kmsg'),
                           stderr=subprocess.DEVNULL).returncode == 0:
        device = rows('kernel')
        got = rows('kernel', wrap=bare, positions=r.path + '/p')
        if got.status:
            tell('kmsg' in got.err, 'syslog(2): refused, and said so', got)
        else:
            texts = {x['text'] for x in device.rows}
            tell(got.rows and all(x['seq'] is None for x in got.rows) and
                 sum(x['text'] in texts for x in got.rows) >=
                 len(got.rows) - 5, 'syslog(2): the same messages',
                 got.rows[:3])
            again = rows('kernel', wrap=bare, positions=r.path + '/p')
            tell(len(again.rows) < 5 and not again.err,
                 'and only what is new in the next run', again)
    else:
        skip('syslog(2)', 'no mount namespace')

# A real kill: 64 MB in a cgroup of 16.
top = '/sys/fs/cgroup/memory'
mine = os.path.join(top, 'picket-oom-%d' % os.getpid())
try:
    os.mkdir(mine)
except OSError as e:
    skip('a real kill', 'no memory cgroup of v1: ' + e.strerror)
else:
    try:
        with open(mine + '/memory.limit_in_bytes', 'w') as f:
            f.write('16777216')
        with Root(**{'p/x': ''}) as r:
            first = rows('oom_kills', positions=r.path + '/p')
            kid = subprocess.Popen([sys.executable, '-c', '''
import os, sys
open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()))
open('/proc/self/comm', 'w').write('a b) (hog')
x = [bytearray(b'x') * (1 << 20) for _ in range(64)]
''', mine])
            status = kid.wait(60)
            got = rows('oom_kills', positions=r.path + '/p')
            tell(status == -9, 'the hog was ended', status)
            if 'CAP_SYSLOG' in first.err:
                tell('vmstat only' in got.err and
                     sum(number(x['missed']) for x in got.rows) >= 1,
                     'it is counted, and said which right is missing', got)
            else:
                mine_ = [x for x in got.rows if x['pid'] == str(kid.pid)]
                tell(len(mine_) == 1 and mine_[0]['victim'] == 'a b) (hog' and
                     mine_[0]['cgroup'] == '/' + os.path.basename(mine) and
                     mine_[0]['uid'] == str(os.getuid()) and
                     4 << 20 < number(mine_[0]['rss']) < 32 << 20 and
                     abs(number(mine_[0]['time']) - time.time()) < 60,
                     'it is a row', got)
                again = rows('oom_kills', positions=r.path + '/p')
                tell(not [x for x in again.rows if x['pid'] == str(kid.pid)],
                     'once', again)
            row = [x for x in rows('cgroups').rows
                   if x['path'] == '/' + os.path.basename(mine)]
            tell(len(row) == 1 and row[0]['oom_kills'] == '1' and
                 number(row[0]['mem_fails']) > 0, 'its cgroup counts it', row)
    finally:
        for n in range(50):
            try:
                os.rmdir(mine)
                break
            except OSError:
                time.sleep(0.05)
end()
