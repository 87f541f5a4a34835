#!/usr/bin/env python3
"""The crontab of picket(1), From cron: its times are times, its commands are
found with its PATH, say nothing, and what they have to tell is sent, with the
environment that cron gives."""

import os
import re
import subprocess
import tempfile

from tap import end, tell

SRC, PICKET = os.environ['SRCDIR'], os.environ['PICKET']
at = tempfile.mkdtemp()
os.chmod(at, 0o700)


def put(name, text):
    with open(os.path.join(at, name), 'w') as f:
        f.write(text)
    os.chmod(os.path.join(at, name), 0o700)


with open(os.path.join(SRC, 'man/picket.1.in')) as f:
    tab = re.search(r'^\.\\" text: crontab\n\.Bd .*\n((?:.*\n)*?)\.Ed$',
                    f.read(), re.M).group(1).splitlines()
path = [x for x in tab if x.startswith('PATH=')]
lines = [re.match(r'((?:\S+ +){5})root +(.*)$', x) for x in tab
         if x not in path]
tell(len(path) == 1 and all(lines) and len(lines) == 4,
     'PATH, and four lines of time, user and command', *tab)

# a script that is in trouble, in each alert that the lines name
put('Disk.pikt', '''Disk
\tinit
\t\tinput proc "echo 97% /var"
\t\tdat   #used  1
\t\tdat   $mount 2
\trule
\t\tincident "=piktalert:$mount"
\t\t\twhen    #used >= 90%
\t\t\tmessage "$mount is full"
\t\tendincident
''')
alerts = [m.group(2).split()[-1] for m in lines if ' run ' in m.group(2)
          and '/' not in m.group(2)]
put('alerts.cfg', ''.join('%s\n\ttiming  %s\n\talarms  Disk\n' % (
    m.group(2).split()[-1], m.group(1).strip()) for m in lines
    if m.group(2).split()[-1] in alerts))
put('picket.conf', 'mailto root@example.org\nnull retry name relay\n'
    'file %s/box fallback\n' % at)
# where it is installed, for a crontab whose PATH this stands for
put('picket', '#!/bin/sh\ncommand=$1; shift\nPICKET_LIB=%s PICKET_LIBEXEC=%s '
    'XDG_STATE_HOME=%s/state exec %s "$command" --config %s "$@"\n' % (
        os.environ['PICKET_LIB'], os.environ['PICKET_LIBEXEC'], at, PICKET, at))
r = subprocess.run([PICKET, 'check', at], stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)
tell(r.returncode == 0, 'its times are those of alerts', r.stdout.decode())
told = []
for m in lines:
    command = m.group(2).replace('/etc/picket', at)
    r = subprocess.run(['/bin/sh', '-c', command], cwd='/', env={
        'PATH': at + ':' + path[0][5:], 'HOME': at, 'LOGNAME': 'root',
        'SHELL': '/bin/sh'}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = r.stdout.decode()
    told.append((m.group(2), r.returncode, said))
for command, status, said in told:
    # of each notice once, why it has not gone; deliver is not due to say more
    sent = command.startswith('picket run')
    tell(said.count('\n') == said.count('not sent: relay: as it was told') ==
         sent and status in (0, 1), command, 'status %d' % status, said)
with open(os.path.join(at, 'box')) as f:
    text = f.read()
tell(text.count('\n        [firing] /var is full\n') == len(alerts) + 1 == 3,
     'the fall-back has told of each', text)
end()
