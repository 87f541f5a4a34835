#!/usr/bin/env python3
"""Configuration that nobody meant: the files of the sample site, cut, mixed
and damaged, and files made to be large or deep.  Nothing may crash, hang, or
pass without a word that says where.  PICKET_LONG=1: more of it.
"""
# runner: timeout=600 long-timeout=3600

import os
import random
import shutil
import subprocess
import time

from tap import end, tell

SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
LONG = os.environ.get('PICKET_LONG') == '1'
SEED = int(os.environ.get('SEED', '20000425'))
os.umask(0o022)


def check(folder, *args):
    """(status, output, seconds); -99 if it did not end."""
    begun = time.monotonic()
    try:
        p = subprocess.run([PICKET, 'check', '--no-commands', folder] +
                           list(args), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=100)
    except subprocess.TimeoutExpired:
        return -99, 'it did not end', 100
    return (p.returncode, p.stdout.decode('utf-8', 'replace'),
            time.monotonic() - begun)


def write(files):
    shutil.rmtree('s', ignore_errors=True)
    for name, data in files.items():
        path = os.path.join('s', name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data)


sample = {}
top = os.path.join(SRC, 'examples/site')
for at, _, names in os.walk(top):
    for name in names:
        if name != 'README':
            path = os.path.join(at, name)
            with open(path, 'rb') as f:
                sample[os.path.relpath(path, top)] = f.read()
targets = sorted(n for n in sample if n.endswith('.cfg') and '/' not in n)
rnd = random.Random(SEED)
print('# seed %d' % SEED)
WORDS = [b' ', b'\n', b'\t', b'"', b"'", b'\n#if moscow\n', b'\n#endif\n',
         b'\n#include <alerts.cfg>\n', b'timing', b'alarms', b'members',
         b'hosts', b'aliases', b'=', b'=full', b'(', b')', b'//', b'/*',
         b'\\', b'\xff', b'\0', b'\1a\1', b'* * * * *', b'@daily', b'-5',
         b'99999999999', b'\nA', b'\n', b'\r\n', b'path', b'mode', b'every',
         b'level', b'=piktalert', b'\n#define x\n', b'\n#verbatim <files.cfg>\n']


def mutate(t):
    t = bytearray(t)
    for _ in range(rnd.randrange(1, 6)):
        i = rnd.randrange(len(t) + 1)
        j = min(len(t), i + rnd.randrange(1, 60))
        kind = rnd.randrange(6)
        if kind == 0:
            del t[i:j]
        elif kind == 1:
            t[i:i] = rnd.choice(WORDS)
        elif kind == 2:
            o = sample[rnd.choice(targets)]
            k = rnd.randrange(len(o) + 1)
            t[i:j] = o[k:k + rnd.randrange(1, 80)]
        elif kind == 3:
            t[i:i] = t[i:j] * rnd.randrange(1, 20)
        elif kind == 4 and i < len(t):
            t[i] ^= 1 << rnd.randrange(8)
        else:
            del t[i:]
    return bytes(t)


for name in targets:
    bad = None
    for k in range(300 if LONG else 30):
        files = dict(sample)
        files[name] = mutate(sample[name])
        write(files)
        status, out, secs = check('s', *rnd.choice([(), ('--host', 'kiev')]))
        if status not in (0, 1) or (status == 1 and 'error' not in out and
                                    'picket: ' not in out):
            bad = (status, out[-2000:])
            keep = '../picket-site-%d' % os.getpid()
            shutil.rmtree(keep, ignore_errors=True)
            shutil.copytree('s', keep)
            break
    tell(bad is None, 'mutations of ' + name, bad)
for name in targets:
    text = sample[name]
    step = 1 if LONG else max(1, len(text) // 30)
    bad = None
    for i in range(0, len(text), step):
        files = dict(sample)
        files[name] = text[:i]
        write(files)
        status, out, secs = check('s')
        if status not in (0, 1):
            bad = (i, status, out[-2000:])
            break
    tell(bad is None, name + ' cut anywhere', bad)


def one(what, files, want, most=30, status=1):
    write({n: t.encode('latin-1') for n, t in files.items()})
    got, out, secs = check('s')
    tell(got == status and want in out and secs < most, what,
         'status %d, %.1f s' % (got, secs), out[:1500])


N = 100000
one('100,000 hosts', {'systems.cfg': 'linux hosts ' + ' '.join(
    'h%d' % i for i in range(N))}, ' 0 errors', status=0)
one('100,000 groups of one host', {'systems.cfg': 'linux hosts h\n' + ''.join(
    'g%d members h\n' % i for i in range(N))}, ' 0 errors', status=0)
one('20,000 alerts', {'alarms.cfg': 'One begin output "1"\n',
                      'alerts.cfg': ''.join(
    'A%d timing 5 * * * * alarms One\n' % i for i in range(20000))},
    ' 0 errors', status=0)
one('20,000 timings', {'alarms.cfg': 'One begin output "1"\n',
                       'alerts.cfg': 'A alarms One timing\n' +
                       '\t5 * * * * 3\n' * 20000}, ' 0 errors', status=0)
one('5,000 scripts in one alert', {'alarms.cfg': ''.join(
    'S%d begin output "%d"\n' % (i, i) for i in range(5000)),
    'alerts.cfg': 'A timing @daily alarms ' + ' '.join(
        'S%d' % i for i in range(5000))}, ' 0 errors', status=0)
one('100,000 unknown words', {'alerts.cfg': 'A\n' + '\tfoo bar\n' * N},
    'unknown word foo')
one('100,000 unknown scripts', {'alerts.cfg': 'A timing @daily alarms ' +
                                ' '.join('x%d' % i for i in range(20000))},
    'there is no script x0')
one('1 MB of one word', {'alerts.cfg': 'A timing ' + '1,' * 500000},
    'bad timing')
one('1 MB of a string', {'alerts.cfg': 'A mailcmd "' + 'x' * 1000000},
    'never closed')
one('100,000 sets', {'objects.cfg': ''.join('s%d x\n' % i
                                            for i in range(N))},
    ' 0 errors', status=0)
one('20 MB', {'objects.cfg': 's\n' + ' x' * 10000000}, 'too large')
one('a ring of includes', {'alerts.cfg': '#include "alerts.cfg"\n'}, 'error')
one('aliases of aliases', {'systems.cfg': 'linux hosts a\na aliases b\n'
                           'b aliases c\nc aliases a\n'}, 'unknown host b')

end()
