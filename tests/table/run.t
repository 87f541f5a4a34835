#!/usr/bin/env python3
"""The host's tables through picket run --root: what a script sees of them,
positions that the state keeps from run to run, and what a table that fails
says.
"""

import os
import subprocess
import threading
import time

from tap import end, tell

ROOTS = os.path.join(os.environ['SRCDIR'], 'tests/table/roots')
os.environ['XDG_STATE_HOME'] = os.path.abspath('state')
os.makedirs('state', exist_ok=True)


def run(table, rule, root=None, where='', init='', more=()):
    with open('T.pikt', 'w') as f:
        f.write('T\n\tinit\n\t\tstatus active\n\t\tinput table %s%s\n%s'
                '\trule\n%s' % (table, where and ' where ' + where,
                                init, ''.join('\t\t%s\n' % r for r in rule)))
    options = ['--root', os.path.join(ROOTS, root)] if root else []
    p = subprocess.run([os.environ['PICKET'], 'run'] + options + list(more) +
                       ['T.pikt'], stdin=subprocess.DEVNULL, timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       encoding='utf-8', errors='replace')
    return p.stdout


def shows(what, out, *lines):
    got = [n for n in out.split('\n') if n.startswith('> ')]
    tell(got == ['> ' + n for n in lines], what, out)


shows('memory', run('memory', ['output print "> #{#MemTotal} $inlin"'],
                    'starved', '#available_share < 5%'), '2067034112 2067034112\t0.020883904987050353')
# One process by its number is looked at alone, and is what the list has.
thread, seen = threading.Event(), []
worker = threading.Thread(target=lambda: (seen.append(threading.get_native_id()),
                                          thread.wait()))
worker.start()
while not seen:
    time.sleep(0.01)
me, ask = os.getpid(), '$column("processes", "comm", "pid", "%s")'
with open('/proc/self/comm') as f:
    comm = f.read().strip()
shows('a process by its number', run('load', [
    'output print "> #{#column("processes", "pid", "pid", "%d")}"' % me] + [
        'output print "> " . ' + ask % pid for pid in (
            me, '0%d' % me, '%d.0' % me, seen[0], 4194304, -1, 'x', '')]),
    str(me), comm, *['<<NIL>>'] * 7)
thread.set()
worker.join()
shows('pressure', run('pressure', ['output print "> $resource $kind"'],
                      'starved', '#avg10 > 0.85 && $kind eq "some"'),
      'memory some', 'io some')
shows('beancounters',
      run('beancounters', ['output print "> $resource #{#held}/#{#limit}"'],
          'openvz', '#held >= 0.9 * #limit'),
      'kmemsize 13912064/14790164', 'tcprcvbuf 2801664/2703360',
      'numothersock 391/400')
out = run('beancounters', ['output print "> #{#failcnt - %failcnt}"'],
          'openvz', '$resource eq "numothersock"',
          '\t\tkeys #uid $resource\n')
out = run('beancounters', ['output print "> #{#failcnt - %failcnt}"'],
          'openvz-later', '$resource eq "numothersock"',
          '\t\tkeys #uid $resource\n')
shows('failcnt has risen since the last run', out, '39')
shows('cgroups', run('cgroups', ['output print "> $path #{#oom_kills}"'],
                     'cgroup1', '#oom_kills > 0'),
      '/system.slice/clamav.service 7')
shows('mounts', run('mounts', ['output print "> $mount"'], 'mounts',
                    '$options =~ "^ro"'), '/data')
shows('filesystems', run('filesystems', ['output print "> $mount"'], 'mounts',
                         '#share > 99%'), '/mnt/two words')
shows('queue', run('queue("postfix")',
                   ['output print "> $id #{#recipient_count}"'], 'mail',
                   '$queue eq "hold" || $sender eq ""'),
      '4XyzAB2CdEz2 1', 'AB12 3')
shows('files', run('files("/proc", 1)', ['output print "> $path $type"'],
                   'openvz'), '/proc/user_beancounters file')

# Positions.
kernel = ['output print "> #{#seq}"']
out = run('kernel', ['if #seq == 3', '\toutput print "> three"', '\tquit',
                     'fi'], 'oom')
shows('a run that quits in the middle', out, 'three')
out = run('kernel', kernel, 'oom')
shows('the next one goes on there', out,
      *[str(n) for n in range(4, 23) if n != 13])
shows('and then there is nothing new', run('kernel', kernel, 'oom'))
oom = ['output print "> $victim #{#missed} $cgroup"']
out = run('oom_kills', oom, 'oom', '$victim =~ "^[a-z]{4,}$"')
shows('oom_kills', out, 'clamd 0 <<NIL>>', 'perl 0 /machine.slice/web',
      'mysqld 0 /lxc/db', 'java 0 <<NIL>>')
shows('once', run('oom_kills', oom, 'oom'))

# A table that fails says which file, and once what table it is.
for table, part in (
        ('beancounters', 'table beancounters: ' + ROOTS +
         '/mail/proc/user_beancounters: No such file'),
        ('memory', 'table memory: ' + ROOTS + '/mail/proc/meminfo: No such'),
        ('pressure', 'CONFIG_PSI'),
        ('queue("qmail")', 'table queue: "qmail" is none of postfix'),
        ('files("etc")', 'table files: the folder must be a path'),
        ('files("/", 99)', 'table files: the depth must be a whole number')):
    out = run(table, ['output print "> row"'], 'mail')
    tell(part in out and '> row' not in out, part.replace(ROOTS, ''), out)

# As it is, with nothing recorded.
for table in ('memory', 'mounts', 'filesystems', 'cgroups',
              'files("/etc", 2)'):
    out = run(table, ['set #rows = #rows + 1'])
    tell('ERROR' not in out and 'WARNING' not in out,
         'the machine itself: ' + table, out)
end()
