#!/usr/bin/env python3
"""The table processes: recorded hosts, odd names, hostile files; and this
machine against what Python reads of it."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import tell, skip, end
import roots
import tables
from tables import ask


def by_pid(rows):
    return {int(r['pid']): r for r in rows}


def same(what, got, want):
    tell(got == want, what, 'got  %r' % (got,), 'want %r' % (want,))


# --- a recorded host of 2,000 ---
big = tables.folder('big')
roots.big(big)
rows = ask('processes', 'pid ppid user uid comm state rss cgroup unit age', big)
same('2,000 recorded processes', len(rows), 2000)
same('in the order of their numbers', [r['pid'] for r in rows],
     sorted(r['pid'] for r in rows))
r = by_pid(rows)[1010]
same('one of them', r, {
    'pid': 1010, 'ppid': 200, 'user': b'u1', 'uid': 1001, 'comm': b'imapd',
    'state': b'S', 'rss': 256 * 4096, 'unit': b'dovecot.service',
    'cgroup': b'/system.slice/dovecot.service', 'age': 100000 - 6.1})
same('zombies are there', sum(r['state'] == b'Z' for r in rows), 39)

# --- names ---
odd = tables.folder('odd')
roots.odd(odd)
rows = by_pid(ask('processes', 'pid comm ppid user uid args state', odd))
want = [b'a b', b'a) S 1 1', b'(sd-pam)', b'((((', b'))))', b'a\nb',
        b'\xff\xfe', b'', b'imapd; rm -rf /', b'$(id)', b'\t', b'x' * 15]
for i, name in enumerate(want):
    r = rows[100 + i]
    same('name %r' % name, (r['comm'], r['ppid'], r['uid'], r['state']),
         (name, 7, 1000 + i % 4, b'S'))
same('the first of two names of a user', rows[100]['user'], b'alice')
same('a long user name is whole', rows[102]['user'], b'x' * 200)
same('a user without a name', rows[103]['user'], 1003)
same('a kernel thread', (rows[3]['args'], rows[3]['comm']),
     (b'[kworker/u8:3-events_unbound]', b'kworker/u8:3-events_unbound'))
same('a zombie', rows[200]['args'], b'[zombie]')
same('a title of its own', rows[201]['args'], b'postgres: writer')
same('an empty argument', rows[202]['args'], b'a  b c')

# --- files that no kernel writes ---
bad = tables.folder('bad')
roots.host(bad)
hostile = {
    10: b'', 11: b'\0' * 5000, 12: b'12 (no end S 1 1', 13: b'13',
    14: b'14 (a) S', 15: b'15 (a) S -5 1 1 0 -1 -7 0 0 0 0 -1 -1 0 0 20 0 '
    b'-9 0 -100 -4096 -1 0', 16: b'16 (' + b'y' * 100000 + b') S 1 1',
    17: b'17 (a) S ' + b'9' * 30 + b' 1', 18: b'18 (a)S 1', 19: b')19(a',
    20: b'20 (a) S 1 2 3 4 5 x y z', 21: b'21 (' + b'n' * 100 + b') R 5 0'}
for pid, text in hostile.items():
    roots.put(bad, 'proc/%d/stat' % pid, text)
    roots.put(bad, 'proc/%d/status' % pid, b'Uid:\t-1\t-1\nUid' if pid % 2
              else b'\0' * 20000 + b'\nUid:\t1\t7\t1\t1')
    roots.put(bad, 'proc/%d/cmdline' % pid, b'z' * 300000)
    roots.put(bad, 'proc/%d/cgroup' % pid, b'0::' + b'/c' * 50000)
    roots.put(bad, 'proc/%d/oom_score' % pid, '-' * 50)
    roots.put(bad, 'proc/%d/statm' % pid, '1')
for name in ['30', '031', '0', '99999999999', '7x', '-3', '40']:
    os.makedirs(os.path.join(bad, 'proc', name), exist_ok=True)
os.mkfifo(os.path.join(bad, 'proc/30/stat'))
os.symlink('10', os.path.join(bad, 'proc/50'))
roots.put(bad, 'proc/60', 'a file')
rows = ask('processes', ' '.join(
    'pid ppid user uid gid state comm args tty rss vsz swap shared utime stime '
    'cpu starttime age threads fds oom_score oom_score_adj cgroup unit'
    .split()), bad)
same('hostile files: no failure', (rows.err, rows.status), ('', 0))
got = by_pid(rows)
same('which processes there are', sorted(got), list(range(11, 22)))
for pid in 11, 12, 13, 19:
    same('no name in stat: %d' % pid, (got[pid]['comm'], got[pid]['ppid'],
                                       got[pid]['rss'], got[pid]['args']),
         (None, None, None, b'z' * 131072))
same('cut after the state', (got[14]['comm'], got[14]['state'],
                             got[14]['ppid']), (b'a', b'S', None))
same('numbers below zero are not told', [v for k, v in got[15].items() if k in
     'ppid utime stime cpu threads age starttime vsz rss'.split()], [None] * 9)
same('a stat of one long name', got[16]['comm'], None)
same('too many digits', (got[17]['ppid'], got[17]['comm']), (None, b'a'))
same('no blank before the state', got[18]['state'], None)
same('no digits', (got[20]['ppid'], got[20]['utime']), (1, None))
same('a name longer than names are', (got[21]['comm'], got[21]['ppid']),
     (b'n' * 64, 5))
same('users', [got[p]['uid'] for p in (11, 12)], [None, 7])
same('other numbers', [got[12][c] for c in
                       ('oom_score', 'shared', 'cgroup', 'fds', 'tty')],
     [None] * 5)
missing = ask('processes', 'pid', tables.folder('none'))
tell(missing.status == 1 and 'cannot open' in missing.err and
     '/none/proc' in missing.err and '--root' in missing.err,
     'no proc: says which folder and what to do', missing.err)

# --- cgroups and terminals ---
cg = tables.folder('cgroups')
roots.host(cg)
V1 = '4:memory:%s\n3:pids:%s\n1:name=systemd:%s\n'
for pid, text, cgroup, unit in [
        (10, '0::/system.slice/ssh.service\n', b'/system.slice/ssh.service',
         b'ssh.service'),
        (11, '0::/user.slice/user-0.slice/session-3.scope\n',
         b'/user.slice/user-0.slice/session-3.scope', b'session-3.scope'),
        (12, '0::/a.service/inner\n', b'/a.service/inner', b'a.service'),
        (13, '0::/\n', b'/', None),
        (14, V1 % ('/m', '/p', '/system.slice/x.service'), b'/m', b'x.service'),
        (15, V1 % ('/', '/p', '/'), b'/p', None),
        (16, '5:cpu,memory:/k.slice/d.scope\n0::/\n', b'/k.slice/d.scope',
         b'd.scope'),
        (17, '0::/gone.service (deleted)\n', b'/gone.service', b'gone.service'),
        (18, '0::/x y/\xff:\xe4.mount\n'.encode('latin-1'),
         b'/x y/\xff:\xe4.mount', b'\xff:\xe4.mount'),
        (19, '', None, None), (20, 'junk', None, None),
        (21, '7:hugetlb:/h\n', None, None)]:
    roots.process(cg, pid, cgroup=text, tty={10: 34816, 11: 1025, 12: 1088,
                                             13: 35840 + 5}.get(pid, 0))
    r = by_pid(ask('processes', 'pid cgroup unit', cg))[pid]
    same('cgroup of %r' % text, (r['cgroup'], r['unit']), (cgroup, unit))
os.makedirs(os.path.join(cg, 'sys/dev/char'))
os.symlink('../../devices/tty/tty1', os.path.join(cg, 'sys/dev/char/4:1'))
r = by_pid(ask('processes', 'pid tty', cg))
same('terminals', [r[p]['tty'] for p in (10, 11, 12, 13, 14)],
     [b'pts/0', b'tty1', b'4:64', b'pts/1029', None])

# --- this machine ---
def proc(pid, name):
    with open('/proc/%d/%s' % (pid, name), 'rb') as f:
        return f.read()


kids = [subprocess.Popen(['sleep', '300'])]
kids += [subprocess.Popen([sys.executable, '-c', 'import ctypes, time\n'
         'ctypes.CDLL(None).prctl(15, bytes.fromhex("%s"))\n'
         'print(flush=True)\ntime.sleep(300)' % name.hex()], stdout=subprocess.PIPE)
         for name in (b'a) R (b', b'new\nline', b'\xff\x80')]
for k in kids[1:]:
    k.stdout.readline()
zombie = subprocess.Popen(['true'])
os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
try:
    cols = ('pid ppid uid gid comm args state starttime threads vsz rss fds '
            'oom_score oom_score_adj shared swap utime age cgroup tty')
    live = by_pid(ask('processes', cols, text=('comm', 'args', 'cgroup')))
    for k in kids:
        r, f = live[k.pid], proc(k.pid, 'stat')
        rest = f[f.rindex(b')') + 2:].split()
        status = dict(l.split(b':\t', 1) for l in
                      proc(k.pid, 'status').splitlines())
        same('live %r' % r['comm'], [r[c] for c in (
            'ppid', 'comm', 'args', 'state', 'starttime', 'threads', 'vsz',
            'rss', 'fds', 'oom_score', 'oom_score_adj', 'shared', 'swap')], [
                os.getpid(), proc(k.pid, 'comm')[:-1],
                proc(k.pid, 'cmdline')[:-1].replace(b'\0', b' '), b'S',
                int(rest[19]), int(rest[17]), int(rest[20]),
                int(rest[21]) * os.sysconf('SC_PAGESIZE'),
                len(os.listdir('/proc/%d/fd' % k.pid)),
                int(proc(k.pid, 'oom_score')),
                int(proc(k.pid, 'oom_score_adj')),
                int(proc(k.pid, 'statm').split()[2]) *
                os.sysconf('SC_PAGESIZE'),
                int(status[b'VmSwap'].split()[0]) * 1024])
        tell(0 <= r['age'] < 60, 'its age', r['age'])
    r = live[zombie.pid]
    same('a real zombie', (r['state'], r['args'], r['rss']),
         (b'Z', b'[' + proc(zombie.pid, 'comm')[:-1] + b']', 0))
    everyone = {}
    for line in subprocess.run(['ps', '-eo', 'pid=,ppid=,uid=,nlwp=,stat='],
                               stdout=subprocess.PIPE).stdout.decode() \
            .splitlines():
        f = line.split()
        everyone[int(f[0])] = [int(x) for x in f[1:4]]
    both = [p for p in live if p in everyone]
    wrong = [(p, everyone[p], live[p]) for p in both if everyone[p] != [
        live[p]['ppid'], live[p]['uid'], live[p]['threads']]]
    tell(len(both) > 5 and len(wrong) <= 1,
         'all as ps shows them (%d)' % len(both), wrong[:5])
    threads = [p for p in live if live[p]['ppid'] == 2 and live[2]['ppid'] == 0
               and live[2]['comm'] == b'kthreadd']
    if threads:
        tell(all(live[p]['args'] == b'[' + live[p]['comm'] + b']'
                 for p in threads), 'kernel threads are in brackets')
        same('kernel threads: no swap to tell of', live[threads[0]]['swap'],
             None)
    if os.getuid() == 0:
        d = subprocess.Popen([sys.executable, '-c', 'import os, ctypes, time\n'
                              'os.setgid(65533)\nos.setuid(65534)\n'
                              'ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n'
                              'print(flush=True)\ntime.sleep(300)'],
                             stdout=subprocess.PIPE)
        kids.append(d)
        d.stdout.readline()
        same('its files are root\'s', os.stat('/proc/%d/stat' % d.pid).st_uid,
             0)
        r = by_pid(ask('processes', 'pid uid gid user'))[d.pid]
        same('and it is not', (r['uid'], r['gid']), (65534, 65533))
        r = by_pid(ask('processes', 'pid uid comm fds rss', nobody=True))
        k = kids[0].pid
        same('as another user: no look at its files',
             (r[k]['uid'], r[k]['comm'], r[k]['fds']), (0, b'sleep', None))
        tell(r[k]['rss'] > 0, 'but at its size', r[k])
        hide = tables.folder('hide')
        os.makedirs(hide + '/proc')
        p = subprocess.run(
            ['unshare', '-m', 'sh', '-c', 'mount -t proc -o hidepid=1 proc '
             '%s/proc && exec %s %s -r %s -f "pid uid comm rss" processes' %
             (hide, ' '.join(tables.as_nobody()), tables.PUBLIC, hide)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = [l for l in p.stdout.decode().split('\n')
                if l.startswith('pid=%d\t' % k)]
        if b'mount' in p.stderr:
            skip('hidepid: a process of which nothing is told',
                 'no mount here: %s' % p.stderr.decode().strip())
        else:
            same('hidepid: a process of which nothing is told', line,
                 ['pid=%d\tuid=0\tcomm=<<NIL>>\trss=<<NIL>>' % k])
    else:
        skip('a daemon that dropped root', 'needs root')
finally:
    for k in kids:
        k.kill()
        k.wait()
    zombie.wait()
end()
