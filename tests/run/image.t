#!/usr/bin/env python3
"""picket compile --site: what it says and writes, read by another reader than
Picket's own, and against what `picket list` says of the same site.
"""

import json
import os
import re
import struct
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']
LIB = os.environ['PICKET_LIB']
SLEEPS, OWN, WATCH = 0x40, 0x20, 0x01


def picket(*args, **more):
    p = subprocess.run([PICKET] + list(args), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=120, env=dict(os.environ,
                                XDG_STATE_HOME=os.path.abspath('state'),
                                TZ='UTC'), **more)
    return (p.returncode, p.stdout.decode(errors='replace'),
            p.stderr.decode(errors='replace'))


def write(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, 0o644)


def site(name, **files):
    os.makedirs(name, exist_ok=True)
    write(name + '/picket.conf', 'wall\n')
    for f, text in files.items():
        write('%s/%s' % (name, f.replace('_', '.', 1)), text)


def schedule(path):
    """{name: (flags, every, [(minute bits, drift)], [script])} in order."""
    b = open(path, 'rb').read()
    at, n, _ = struct.unpack_from('<QQQ', b, 48)
    s = b[at:at + n]
    (_, nentry, ntiming, ncron, nscript, nkind, nsetting, ntext, _, _, _,
     _) = struct.unpack_from('<11IQ', s)
    entry = 4 + 40 + 8 + nentry * 4
    timing = entry + nentry * 20
    cron = timing + ntiming * 8
    script = cron + ncron * 28
    kind = script + nscript * 4
    text = kind + nkind * 36 + nsetting * 8

    def word(off):
        return s[text + off:s.index(b'\0', text + off)].decode()

    found = {}
    for i in range(nentry):
        name, t, sc, _, kd = struct.unpack_from('<5I', s, entry + i * 20)
        nt, ns, every = struct.unpack_from('<HHd', s, kind + kd * 36)
        flags, = struct.unpack_from('<H', s, kind + kd * 36 + 32)
        times = []
        for k in range(t, t + nt):
            c, drift = struct.unpack_from('<II', s, timing + k * 8)
            times.append((struct.unpack_from('<Q', s, cron + c * 28)[0],
                          drift))
        found[word(name)] = (flags, every, times, [
            word(struct.unpack_from('<I', s, script + k * 4)[0])
            for k in range(sc, sc + ns)])
    return found


os.umask(0o022)
os.mkdir('state')
ALERTS = '''Spread
    timing 5 * * * *
    drift 7
    alarms One Two
Rest
    every 30s
    status suspended
    alarms One
Gone
    timing 1 2 * * *
    alarms
Never
    timing 0 0 31 2 *
    alarms Watched
Twice
    every 5m
    alarms One
'''
SCRIPTS = '''One init level info begin output "1"
Two init every 1h begin output "in an alert"
Watched init watch memory begin output "3"
Own init every 2d timing "0 4 * * * 9" begin output "own"
Twice init every 1h begin output "as an alert is called"
Memory init watch memory begin output "alone"
Idle begin output "nobody"
'''
site('s', alerts_cfg=ALERTS, alarms_cfg=SCRIPTS)
code, out, err = picket('compile', '--site', '--config', 's', '-o', 's.img')
tell(code == 0 and out == '' and err.count('no alert lists') == 1 and
     'Idle' in err, 'a site is written, its warnings are said', code, out, err)
s = schedule('s.img')
tell(list(s) == ['Spread', 'Rest', 'Gone', 'Never', 'Twice', 'Own',
                 'Twice (script)', 'Memory'],
     'all alerts, then what runs by itself and no alert lists', list(s))
tell([n for n in s if s[n][0] & SLEEPS] == ['Rest', 'Gone'],
     'what is suspended, or has no scripts, sleeps', s)
tell([n for n in s if s[n][0] & OWN] == ['Own', 'Twice (script)', 'Memory'] and
     [n for n in s if s[n][0] & WATCH] == ['Never', 'Memory'],
     'what each is', s)
tell(s['Rest'][1] == 30 and s['Own'][1] == 172800 and
     s['Spread'][3] == ['One', 'Two'] and s['Gone'][3] == [],
     'every, and the scripts', s)
code, out, err = picket('list', 's', '--json')
listed = json.loads(out)
for item in listed['alerts'] + listed['scripts']:
    name = item['name'] + (' (script)' if item['name'] == 'Twice' and
                           'file' in item else '')
    flags, every, times, _ = s[name]
    due = 'next' in item
    tell((flags & SLEEPS) == 0 or not due, '%s: asleep in both' % name, item)
    if due and every == 0:
        tell(len(times) == 1 and item['next'] % 3600 ==
             ((times[0][0].bit_length() - 1) * 60 + times[0][1] / 256) % 3600,
             '%s: list and image drift alike' % name, item, times)
tell([x['name'] for x in listed['scripts']] == ['Own', 'Twice', 'Memory'],
     'list has the same scripts', listed['scripts'])

# where it goes
with open('fd.img', 'wb') as f:
    code, out, err = picket('compile', '--site', '--config', 's', '-o',
                            '/dev/fd/%d' % f.fileno(), pass_fds=[f.fileno()])
same = open('s.img', 'rb').read()
tell(code == 0 and open('fd.img', 'rb').read() == same,
     'to a descriptor, the same bytes', err)
p = subprocess.run([PICKET, 'compile', '--site', '--config', 's', '-o', '-'],
                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                   env=dict(os.environ,
                            XDG_STATE_HOME=os.path.abspath('state')))
tell(p.stdout == same, 'to standard output')
code, out, err = picket('compile', '--site', '--config', 's', '--state',
                        '/elsewhere', '-o', 'state.img')
there = open('state.img', 'rb').read()
tell(code == 0 and b'/elsewhere/log\0' in there and
     b'/state/picket/log' not in there, '--state says where the logs are', err)

# what watches memory must be able to run without any
site('w', alerts_cfg='A\n    every 5m\n    alarms Good Forks Reads Disks\n',
     alarms_cfg='''Good init input table processes watch memory
rule if #rss > 1T output mail "x" fi
Forks init watch memory begin exec "true"
Reads init input file "/dev/null" watch memory rule output "x"
Disks init input table filesystems watch memory rule output "x"
''')
code, out, err = picket('check', 'w')
told = [line for line in err.splitlines() if 'warning' in line]
tell(code == 0 and '3 warnings' in out and told == [
    'w/alarms.cfg:3:31: warning: this script has `watch memory`, but starts a '
    'command: it cannot run when memory is short',
    'w/alarms.cfg:4:23: warning: this script has `watch memory`, but looks at '
    'a file: it cannot run when memory is short',
    'w/alarms.cfg:5:24: warning: this script has `watch memory`, but reads '
    'table filesystems: it cannot run when memory is short'],
     'what watches memory can run when there is none, or it is said', out, err)
code, out, err = picket('check', '--json', 'w')
tell(json.loads(out)['warnings'] == 3, 'the same as JSON', out)

# what is wrong
site('bad', alerts_cfg='A\n    timing 5 * * * *\n    alarms Nobody\n'
     '    route nowhere\n', alarms_cfg='One begin output "1"\n')
write('keep.img', 'as it was')
code, out, err = picket('compile', '--site', '--config', 'bad', '-o',
                        'keep.img')
check = picket('check', 'bad')[2]
tell(code == 1 and err == check +
     'picket: bad: 2 errors: the site is not compiled\n' and
     open('keep.img').read() == 'as it was' and
     not [f for f in os.listdir('.') if f.endswith('.tmp')],
     'errors are those of picket check, and nothing is written', err, check)
code, out, err = picket('compile', '--site', '--config', 'bad', '-o',
                        'keep.img', '--json')
tell(code == 1 and json.loads(out)['errors'] == 2 and err == '' and
     open('keep.img').read() == 'as it was', 'the same as JSON', out, err)
write('bad/picket.conf', 'nonsense\n')
code, out, err = picket('compile', '--site', '--config', 'bad', '-o', 'keep.img')
tell(code == 1 and 'picket.conf:1: error: unknown keyword' in err and
     open('keep.img').read() == 'as it was', 'a bad picket.conf', err)
code, out, err = picket('compile', '--site', '--config', 'nowhere', '-o', 'x')
tell(code == 1 and err.startswith('picket: nowhere: No such file') and
     '--config' in err and not os.path.exists('x'), 'no folder', err)
os.mkdir('empty')
for where in ['empty']:
    code, out, err = picket('compile', '--site', '--config', where, '-o', 'x')
    tell(code == 1 and err == 'picket: %s: is no site: it has no alerts.cfg, '
         'no systems.cfg and none of their kin (see picket.cfg(5))\n' % where
         and not os.path.exists('x'), 'no site: ' + where, err)
for args, text in ((['-o', 'x', 's/alarms.cfg'], 'takes no file'),
                   ([], 'wants -o FILE'),
                   (['--json', '-o', '-'], 'would both go to')):
    code, out, err = picket('compile', '--site', '--config', 's', *args)
    tell(code == 2 and re.match('picket: compile --site.*' + text, err),
         'usage: %s' % ' '.join(args), err)
code, out, err = picket('compile', '--site', '--config', 's', '-o',
                        '/dev/full')
tell(code == 1 and err.endswith('picket: /dev/full: No space left on device\n'),
     'a full disk', err)

# all that comes with Picket
os.mkdir('lib')
write('lib/alerts.cfg', open(LIB + '/alerts.cfg', encoding='ascii').read())
write('lib/picket.conf', 'wall\n')
code, out, err = picket('compile', '--site', '--config', 'lib', '-o', 'lib.img')
n = sum(len(e[3]) for e in schedule('lib.img').values())
tell(code == 0 and err == '' and n == sum(len(a['alarms']) for a in json.loads(
    picket('list', 'lib', '--json')[1])['alerts']) > 30, 'the bundled scripts: %d in %d bytes'
     % (n, os.path.getsize('lib.img')), err)
end()
