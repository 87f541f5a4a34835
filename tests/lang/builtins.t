#!/usr/bin/env python3
"""The rows of builtins.def: each example is run and compared with what the
row says it gives; each synonym can be called like its main name; one argument
too few and one too many are errors.

All examples are scripts of one file and one run; what has no fixed value
must only run without an ERROR.
"""
# runner: timeout=120

import os
import re
import subprocess
import sys

SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
TABLE = os.path.join(SRC, 'lang/table')
STRING = r'"((?:\\.|[^"\\])*)"'
ROW = re.compile(r'^BI\((\w+), %s, %s, \'(.)\', ([^,]+), (\w+),\s*%s,\s*%s,\s*'
                 r'%s\)' % ((STRING,) * 5), re.M)

# Rows without an example of their own, and one that suits them.
EXAMPLES = {
    'KEYSOF': None,		# stands in for and foreach only: lang.t
    'INOBJECT': None, 'LOOKUP': None,	# sets are a site's
    'EXISTS': '#exists($b["k"])',
    'RAW': '$command($raw("echo x"))',
    'WORDS': '$command("echo " . $words("x y"))',
    'OPT': '$command("echo " . $opt("-n"))',
}
# Examples that log an ERROR or WARNING where the host lacks what they ask.
MAY_LOG = {'LPCMD', 'MAILCMD'}


def unquote(s):
    return re.sub(r'\\(.)', lambda m: {'n': '\n', 't': '\t'}.get(
        m.group(1), m.group(1)), s)


class Row:
    def __init__(self, m):
        self.id = m.group(1)
        self.names = m.group(2).split()
        self.args, self.ret = m.group(3), m.group(4)
        self.flags = m.group(5)
        self.example = unquote(m.group(8)) or EXAMPLES.get(self.id, '')
        self.gives = unquote(m.group(9))


def rows():
    r, count = [], 0
    for name in sorted(os.listdir(TABLE)):
        if name.startswith('builtins') and name.endswith('.def'):
            with open(os.path.join(TABLE, name)) as f:
                text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)
            count += len(re.findall(r'^BI\(', text, re.M))
            r += [Row(m) for m in ROW.finditer(text)]
    if len(r) != count:
        print('Bail out! %d of %d rows could be read' % (len(r), count))
        sys.exit(1)
    return r


def script(name, expr):
    """A script whose output is one line: its name and the value."""
    number = expr.startswith('#')
    more = '' if '$b[' not in expr else '\tset $b["k"] = "v"\n'
    compound = number or re.search(r' (=~|eq) ', expr)
    show = 'output "%s=" . %s\n' % (name, '(%s)' % expr if compound else expr)
    return '%s\n    begin\n%s\t%s' % (name, more, show)


def picket(command, name, text, *options):
    with open(name, 'w') as f:
        f.write(text)
    env = dict(os.environ, TZ='UTC', LC_ALL='C', HOME=os.getcwd(),
               XDG_STATE_HOME=os.getcwd())
    p = subprocess.run([PICKET, command, '--color', 'never', *options, name],
                       env=env, stdin=subprocess.DEVNULL, timeout=100,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return (p.returncode, p.stdout.decode('latin-1'),
            p.stderr.decode('latin-1'))


number, failed = 0, False


def tell(ok, what, *why):
    global number, failed
    number += 1
    failed = failed or not ok
    print('%sok %d - %s' % ('' if ok else 'not ', number, what))
    if not ok:
        for t in why:
            for line in str(t).split('\n'):
                print('#   ' + line)


table = rows()

# --- examples ---
cases = {}
for row in table:
    if row.example is None:
        continue
    if not row.example:
        tell(False, row.id + ' has an example', 'neither in the row nor here')
        continue
    cases['E-' + row.id] = (row, row.example, row.gives)
    # synonyms: the same example under the other name
    for k, name in enumerate(row.names[1:]):
        e = row.example.replace(row.names[0] + '(', name + '(')
        if e == row.example:
            tell(False, '%s: the example calls %s' % (row.id, row.names[0]))
        cases['S-%s-%d' % (row.id, k)] = (row, e, row.gives)
status, out, err = picket('run', 'examples.pikt', ''.join(
    script(n, e) for n, (_, e, _) in cases.items()), '--mail', 'stdout')
got = dict(m.groups() for m in re.finditer(
    r'^([ES]-\w+(?:-\d+)?)=((?s:.*?))\n(?=[ES]-\w+(?:-\d+)?=|\Z)', out, re.M))
logged = {}
for m in re.finditer(r'^picket: (?:ERROR|WARNING): (\S+): .*', err, re.M):
    logged.setdefault(m.group(1), []).append(m.group(0))
for name, (row, expr, gives) in cases.items():
    value = got.get(name)
    log = [] if row.id in MAY_LOG else logged.get(name, [])
    tell(value is not None and (not gives or value == gives) and not log,
         '%s gives %s' % (expr, gives or 'something'),
         'gives %r' % value, *(log or err.split('\n')[:5]
                               if value is None else log))

# --- arity: the calls that must not compile ---
SAMPLE = {'s': '"a"', 'n': '1', 'i': '1', 'x': '1', 't': '1', 'A': '$a',
          'F': 'F', 'c': '"true"', 'v': '1', 'k': '$k', 'm': '1'}


def calls(row):
    """One argument too few, one too many, where that can be."""
    need, _, more = row.args.partition('|')
    endless = '*' in row.args or 'm' in row.args
    letters = [c for c in need + more if c != '*']
    least = len([c for c in need if c != '*'])
    if '*' in need:
        least -= 1
    given = [SAMPLE[c] for c in letters]
    if least > 0:
        yield given[:least - 1]
    if not endless:
        yield given + ['1']


wrong, where = '', []
for row in table:
    if row.example is None:
        continue
    for args in calls(row):
        for name in row.names:
            where.append('%s(%s)' % (name, ', '.join(args)))
# `check` tells of at most 20 errors of a file: so many calls in each
for at in range(0, len(where), 16):
    some = where[at:at + 16]
    text = 'A\n    begin\n' + ''.join('\tdo %s\n' % c for c in some)
    text += '\tset $a["k"] = "v"\n\tset $k = ""\n'
    status, out, err = picket('check', 'arity.pikt', text)
    for k, c in enumerate(some):
        tell(re.search(r'^arity.pikt:%d:\d+: error: .* takes ' % (k + 3),
                       err, re.M) is not None, c + ' is an error',
             *[t for t in err.split('\n') if ':%d:' % (k + 3) in t])

print('1..%d' % number)
sys.exit(failed)
