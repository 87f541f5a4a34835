#!/usr/bin/env python3
"""What `picket doc --json` says of functions and words is true: each example
is run and compared with what it is said to give; each synonym can stand for
the main name; one argument too few and one too many are errors; nothing is
without an example.

Expressions are scripts of one file and one run; a program is a file.
"""
# runner: timeout=120

import concurrent.futures
import json
import os
import re
import subprocess
import tempfile

from tap import end, tell

SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']

# Nothing can be shown of these yet.
LATER = set()

# What families.def says that the examples have.
OBJECTS = 'hosts\n\talpha 10.0.0.1\n\tbeta 10.0.0.2\n'

# Examples of what goes wrong: they log, and may end badly.
MAY_LOG = {'$errtext', 'die', '#talk', '#tcpcheck', '#httpcheck', '$httpget',
           '#certdays'}


def picket(*words, at='.'):
    # what runs beside it has its own state
    home = os.path.abspath(at)
    env = dict(os.environ, TZ='UTC', LC_ALL='C', HOME=home,
               XDG_STATE_HOME=home, LOGNAME='me')
    p = subprocess.run([PICKET, *words], env=env, stdin=subprocess.DEVNULL,
                       timeout=100, stdout=subprocess.PIPE, cwd=at,
                       stderr=subprocess.PIPE)
    return (p.returncode, p.stdout.decode('latin-1'),
            p.stderr.decode('latin-1'))


status, out, err = picket('doc', '--json')
# a bundled script is its own example, and has tests of its own
table = [e for e in json.loads(out)['entries'] if e['kind'] not in ('script', 'table')]
functions = [e for e in table if e['kind'] == 'function']
words = [e for e in table if e['kind'] == 'word']

# --- nothing is left out ---
with open(os.path.join(SRC, 'lang/table/keywords.def')) as f:
    keyword = re.findall(r'KW\((\w+), "(\w+)", \w+\)',
                         re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    known = list(pool.map(lambda k: picket('doc', '--json', k[1]), keyword))
for (token, word), (status, out, err) in zip(keyword, known):
    found = any(e['kind'] == 'word' for e in json.loads(out)['entries'])
    tell(found != (token == 'LATER' or word in LATER),
         'picket doc ' + word, err)
for e in table:
    if e['names'][0] in LATER:
        continue
    tell(e['example'] and e['gives'] and e['help'],
         e['names'][0] + ' has an example, what it gives, and a help', e)


# --- examples ---
def with_name(e, name):
    """The example, with another name of the same thing."""
    main = e['names'][0]
    if e['kind'] == 'function':
        return e['example'].replace(main + '(', name + '(')
    if e['kind'] == 'directive':
        return re.sub(r'(?m)^#%s\b' % main, '#' + name, e['example'])
    return re.sub(r'(?<![\w$#])%s(?!\w)' % main, name, e['example'])


def script(name, expr):
    """A script whose output is one line: its name and the value."""
    compound = expr.startswith('#') or re.search(r' (=~|eq|ne) ', expr)
    return '%s\n    begin\n\toutput "%s=" . %s\n' % (
        name, name, '(%s)' % expr if compound else expr)


def program(case):
    name, e, text = case
    with tempfile.TemporaryDirectory() as at:
        with open(os.path.join(at, name + '.pikt'), 'w') as f:
            f.write(text + '\n')
        with open(os.path.join(at, 'objects.cfg'), 'w') as f:
            f.write(OBJECTS)
        return picket('run', '--color', 'never', '--mail', 'mbox',
                      '--config', '.', name + '.pikt', at=at)


cases, programs = {}, []
for i, e in enumerate(table):
    if e['names'][0] in LATER:
        continue
    for k, name in enumerate(e['names']):
        text = with_name(e, name)
        if name not in text:
            tell(False, '%s: the example uses it' % name, text)
        if e['program']:
            programs.append(('P%d-%d' % (i, k), e, text))
        else:
            cases['E%d-%d' % (i, k)] = (e, text)
with open('examples.pikt', 'w') as f:
    f.write(''.join(script(n, t) for n, (_, t) in cases.items()))
status, out, err = picket('run', '--color', 'never', '--mail', 'stdout',
                          'examples.pikt')
got = dict(m.groups() for m in re.finditer(
    r'^(E\d+-\d+)=((?s:.*?))\n(?=E\d+-\d+=|\Z)', out, re.M))
logged = {}
for m in re.finditer(r'^picket: (?:ERROR|WARNING): (\S+): .*', err, re.M):
    logged.setdefault(m.group(1), []).append(m.group(0))
for name, (e, text) in cases.items():
    value, log = got.get(name), logged.get(name, [])
    tell(value == e['gives'] and not log,
         '%s gives %s' % (text, e['gives']), 'gives %r' % value,
         *(log or err.split('\n')[:5] if value is None else log))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for (name, e, text), (status, out, err) in zip(
            programs, pool.map(program, programs)):
        bad = e['names'][0] in MAY_LOG
        tell(out == e['gives'] + '\n' and (bad or (not err and status == 0)),
             'the program of %s' % e['names'][int(name.split('-')[1])],
             text, 'prints %r, should %r' % (out, e['gives']), err)

# --- arity: the calls that must not compile ---
SAMPLE = {'s': '"a"', 'n': '1', 'i': '1', 'x': '1', 't': '1', 'A': '$a',
          'F': 'F', 'c': '"true"', 'v': '1', 'k': '$k', 'm': '1',
          'p': '#q'}


def calls(args):
    """One argument too few, one too many, where that can be."""
    need, _, more = args.partition('|')
    endless = '*' in args or 'm' in args
    letters = [c for c in need + more if c != '*']
    least = len([c for c in need if c != '*'])
    if '*' in need:
        least -= 1
    given = [SAMPLE[c] for c in letters]
    if least > 0:
        yield given[:least - 1]
    if not endless:
        yield given + ['1']


where = []
for e in functions:
    if e['names'][0] == '#keys':
        continue	# stands in for and foreach only: tests/reject
    for args in calls(e['arguments']):
        for name in e['names']:
            where.append('%s(%s)' % (name, ', '.join(args)))
# `check` tells of at most 20 errors of a file: so many calls in each
for at in range(0, len(where), 16):
    some = where[at:at + 16]
    with open('arity.pikt', 'w') as f:
        f.write('A\n    begin\n' + ''.join('\tdo %s\n' % c for c in some) +
                '\tset $a["k"] = "v"\n\tset $k = ""\n')
    status, out, err = picket('check', '--color', 'never', 'arity.pikt')
    for k, c in enumerate(some):
        tell(re.search(r'^arity.pikt:%d:\d+: error: .* takes ' % (k + 3),
                       err, re.M) is not None, c + ' is an error',
             *[t for t in err.split('\n') if ':%d:' % (k + 3) in t])

end()
