#!/usr/bin/env python3
"""Every function with arguments that nobody meant: no value, wrong signs,
huge, broken, long, bytes of all kinds, formats and patterns out of data.
Nothing crashes, hangs or ends the run; an argument without a value never
makes a value; each call says at most one line.

PICKET_LONG=1: twenty times as many calls.  PICKET_SEED: others.
"""
# runner: timeout=200 long-timeout=3000

import json
import os
import random
import re
import subprocess
import sys

PICKET = os.environ['PICKET']
SRC = os.environ['SRCDIR']
SEED = int(os.environ.get('PICKET_SEED', '7'))
MANY = 100
ROUNDS = 20 if os.environ.get('PICKET_LONG') else 1

NUMBERS = ['0', '1', '-1', '2', '7', '0.5', '-0.5', '255', '256', '1e15',
           '9007199254740992', '9007199254740993', '-9007199254740993',
           '4294967295', '4294967296', '2147483648', '-2147483649', '1e300',
           '-1e300', '1e-300', '1000', '65536', '99999', '1709209805',
           '-62135596800', '253402300800']
NONE = {'n': ['#nil()', '#err()', '#value("x")'],
        's': ['$nil()', '$err()', '$env("NO_SUCH")']}
TEXTS = ['""', '"a"', '" "', '"abc def ghi"', '"10.75,"', '"-1"', '"%s%n%d"',
         '"%*d%9999999s"', '"%Y-%m-%d %H"', '"%"', '"("', '"[a-"', '"a{9999}"',
         '"(a*)*b"', '"\\\\"', '"\\\\9\\\\0"', '"z-a"', '"a-"', '"/"',
         '"/no/such"', '"/dev/null"', '"/etc/passwd"', '"r"', '"w+"', '"*"',
         '"Feb"', '"12:30"', '"2024"', '"root"', '"../.."',
         '"a" . $char(0) . "b"', '$char(255) . $char(254)', '$newline()',
         '"\\xc3\\xa4\\xe2\\x82\\xac"', '$repeat("a", 5000)',
         '$repeat("ab\\n", 3000)', '$repeat("(", 400)',
         '$repeat("/x", 3000)', '$repeat("%d", 500)']
# What would wait for a network, start something, or stand in no expression.
LEFT = {'$resolve': 'a network', '$domain': 'a network', '#keys': 'a loop',
        '#exists': 'an element', '$raw': 'a command', '$words': 'a command',
        '$opt': 'a command', '#system': 'a command', '$command': 'a command',
        '#popen': 'a command', '#delta': 'earlier runs',
        '#rate': 'earlier runs', '#ewma': 'earlier runs',
        '#window': 'earlier runs', '#talk': 'a network',
        '#tcpcheck': 'a network', '#httpcheck': 'a network',
        '$httpget': 'a network', '#certdays': 'a network'}
# What changes the host itself: as root it would do so.  Told by the table, so
# that no new one is forgotten; handles only write what they have opened.
ACTS = {name for at in sorted(os.listdir(os.path.join(SRC, 'lang/table')))
        if at.startswith('builtins')
        for row in re.findall(r'^BI\(\w+, "([^"]+)", "[^"]*", \'.\', [^,]*'
                              r'FN_ACTS', open(os.path.join(
                                  SRC, 'lang/table', at)).read(), re.M)
        for name in row.split()} - {'#write', '#writeln', '#fflush'}
if not {'#kill', '#quarantine', '#system'} <= ACTS:
    sys.exit('lang/table/builtins*.def: rows that act are not recognised')
# Arguments of none are the very thing that they are about.
TAKES_NONE = {'#defined', '#if', '$if', '#and', '#or', '#not', '$text',
              '#value', '#join', '$join', '$json', '$format', '#write',
              '#writeln', '#min', '#max', '#sum', '#avg', '#median',
              '#stddev', '#percentile'}


def argument(r, letter, none):
    """An argument of that kind, without a value if `none`."""
    if letter in 'nixtm':
        return r.choice(NONE['n'] if none else NUMBERS)
    if letter == 's':
        return r.choice(NONE['s'] if none else TEXTS)
    if letter == 'v':
        return r.choice(NONE['s'] + NONE['n'] + TEXTS + NUMBERS)
    return {'A': r.choice(['$a', '$a', '#n']), 'F': r.choice('FG')}[letter]


def call(r, e):
    """A call of the entry, and whether an argument has no value."""
    need, _, more = e['arguments'].partition('|')
    letters = [c for c in need if c != '*']
    letters += [c for c in more if c != '*'][:r.randrange(len(more) + 1)]
    if '*' in e['arguments'] or 'm' in e['arguments']:
        letters += [letters[-1]] * r.randrange(4)
    missing, args = False, []
    for letter in letters:
        none = letter in 'nixtms' and r.random() < 0.08
        missing = missing or none
        args.append(argument(r, letter, none))
    return '%s(%s)' % (e['names'][0], ', '.join(args)), missing


def run(text):
    """Exit status or what else became of it, output, messages."""
    with open('a.pikt', 'w') as f:
        f.write(text)
    try:
        p = subprocess.run([PICKET, 'run', '--color', 'never', '--mail',
                            'mbox', 'a.pikt'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=60,
                           env=dict(os.environ, TZ='Europe/Berlin',
                                    XDG_STATE_HOME=os.getcwd()))
    except subprocess.TimeoutExpired:
        return 'a hang', '', ''
    return (p.returncode, p.stdout.decode('latin-1'),
            p.stderr.decode('latin-1'))


r = random.Random(SEED)
table = [e for e in json.loads(subprocess.run(
    [PICKET, 'doc', '--json'], stdout=subprocess.PIPE).stdout)['entries']
    if e['kind'] == 'function' and e['names'][0] not in LEFT
    and e['names'][0] not in ACTS]
number, failed = 0, False
print('# PICKET_SEED=%d' % SEED)
for e in table * ROUNDS:
    name, calls = e['names'][0], []
    for i in range(MANY if e['arguments'] else 3):
        calls.append(call(r, e))
    text = 'A init memory 512M\n    begin\n\tset #n["x"] = 1\n\tset $a["x"] = "v"\n'
    # one line each: a log line's number is that of the call
    for i, (c, missing) in enumerate(calls):
        text += '\tset $r = "" . (%s) output "%d=" . $base64($r)\n' % (c, i)
    bad, errors = [], set()
    while True:
        code, out, err = run(text)
        # what is wrong when it is compiled (20 of a file are told) is left
        # out here
        more = set(re.findall(r'^a\.pikt:(\d+):\d+: error: ', err, re.M))
        if not more - errors:
            break
        errors |= more
        text = '\n'.join('' if str(i) in errors else t
                         for i, t in enumerate(text.split('\n'), 1))
    if code != 0:
        bad.append('ends with %s' % code)
    got = dict(re.findall(r'^(\d+)=(\S*)$', out, re.M))
    log = {}
    for at, says in re.findall(r'^picket: (?:ERROR|WARNING): A: a\.pikt:(\d+):'
                               r' (.*)$', err, re.M):
        if says.endswith(' was still open: closed'):
            continue
        log.setdefault(int(at) - 5, []).append(says)
    for i, (c, missing) in enumerate(calls):
        if str(i + 5) in errors:
            continue
        value = got.get(str(i))
        if value is None:
            bad.append('no result: ' + c)
        elif missing and name not in TAKES_NONE and \
                value not in ('PDxOSUw+Pg==', 'PDxFUlI+Pg==', 'LTE='):
            bad.append('a value out of none: %s gives %s' % (c, value))
        if len(log.get(i, [])) > 1:
            bad.append('%s says %s' % (c, log[i]))
    number += 1
    failed = failed or bool(bad)
    print('%sok %d - %s: %d calls' % ('not ' if bad else '', number, name,
                                     len(calls) - len(errors)))
    for t in bad[:12] + (err.split('\n')[-5:] if bad else []):
        print('#   ' + t[:300])
print('1..%d' % number)
sys.exit(failed)
