#!/usr/bin/env python3
"""Tables of processes in scripts: over a recorded host, joined, and without
another process or memory that grows with the host."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import tell, end
import roots
import tables

PICKET = os.path.join(os.environ['BUILDDIR'], 'picket')
ENV = dict(os.environ, PICKET_LIBEXEC=os.environ['BUILDDIR'],
           PICKET_LIB=os.path.join(os.environ['SRCDIR'], 'stdlib-scripts'))


def run(text, root='', before=()):
    path = os.path.join(tables.scratch.name, 'script.pikt')
    with open(path, 'w') as f:
        f.write(text)
    option = ['--root', root] if root else []
    # whoever looks for leaks traces, too: only one can
    env = dict(ENV, ASAN_OPTIONS='detect_leaks=0') if before else ENV
    p = subprocess.run([*before, PICKET, 'run', *option, path], env=env,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    return p.stdout.decode(), p.stderr.decode()


def same(what, got, want):
    tell(got == want, what, 'got  %r' % (got,), 'want %r' % (want,))


big = tables.folder('big')
roots.big(big)
same('who has more than 100 of one name', run('''Many
    init input table process_counts where #count > 100
    rule output "$user $comm #count"
         output "#{#count} of #{#ppid}, $unit"
''', big)[0].split('\n')[:4], [
    'u0 imapd #count', '200 of 200, dovecot.service',
    'u1 imapd #count', '200 of 200, dovecot.service'])
same('one process by its number', run('''One
    init input table processes where #pid == 200
    rule output "$comm|$args|$user|#{#rss}|#{#age}|$tty|$state"
''', big), ('dovecot|dovecot|root|409600|99995|<<NIL>>|S\n', ''))
odd = tables.folder('odd')
roots.odd(odd)
same('a name is data, whatever it holds', run('''Odd
    init input table processes where $comm =~ "rm|id"
    rule output "<$comm> $user"
''', odd)[0], '<imapd; rm -rf /> alice\n<$(id)> bob\n')
listens = tables.folder('listens')
roots.host(listens)
roots.process(listens, 77, 'exim', fds={4: 'socket:[900]'})
roots.put(listens, 'proc/net/tcp', 'sl\n 0: 00000000:0019 00000000:0000 0A '
          '0:0 0:0 0 0 0 900 1\n')
same('joined: whose process listens', run('''Join
    init input table sockets where $state eq "LISTEN"
    rule output "$local $comm #{#column("processes", "age", "pid", $text(#pid))}"
''', listens), ('0.0.0.0:25 exim 990\n', ''))
out, err = run('Gone\n    init input table processes\n    rule output $comm\n',
               tables.folder('nothing'))
tell('/nothing/proc' in err, 'no proc is told of', err)

# No process is started for any of them.
for table in ('processes', 'process_counts', 'limits', 'open_files', 'sockets',
              'users', 'interfaces'):
    trace = os.path.join(tables.scratch.name, 'trace')
    out, err = run('Trace\n    init input table %s\n    begin set #n = 0\n'
                   '    rule set #n += 1\n    end output $text(#n)\n' % table,
                   before=['strace', '-f', '-o', trace, '-e',
                           'trace=execve,clone,clone3,fork,vfork'])
    with open(trace) as f:
        calls = [l for l in f.read().split('\n') if '(' in l]
    tell(len(calls) == 1 and 'execve' in calls[0] and int(out or 0) > 0,
         'no process for ' + table, calls, out, err)
end()
