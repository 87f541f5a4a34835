#!/usr/bin/env python3
"""Takes out each row of each table in turn: some test must fail.

The rows are those of tests/lang/coverage, a name and each synonym one, and so
are the tests: one that is named there for a row runs without the row.  The
holes are made by tests/lang/mutant, at run time: nothing is built for them.

Then picket is built for some: without the row in a copy of the .def files;
with two neighbours of parser.y's table of precedences exchanged, or with a
level's associativity turned.  `make check` does a few, which ones its seed
says (MUTANT_SEED); make check-long does all.
"""
# runner: timeout=300 long-timeout=3600

import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys

from tap import end, skip, tell

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import importlib.machinery		# noqa: E402
import importlib.util			# noqa: E402

LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
SEED = int(os.environ.get('MUTANT_SEED', '') or random.randrange(1000000))
SAMPLE = 4		# grammars, and rows, in make check: 2 s each

# Who looks names up in which table.
READERS = {
    'keywords': ['lang/syntax/lexer.c'],
    'directives': ['lang/syntax/words.c'],
    'builtins': ['lang/table/builtin.c'],
    'interpreters': ['lang/check/shell_simple.c'],
    'config': ['lang/config/alerts.c', 'lang/config/systems.c',
               'lang/config/objects.c'],
}


def load(path, name):
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


cov = load(os.path.join(HERE, 'coverage'), 'coverage')


def killed(tests, picket, more):
    """The test that fails, or None."""
    for t in tests:
        if t.run(picket, more):
            return t
    return None


def make_variable(name):
    with open(os.path.join(cov.BUILD, 'Makefile')) as f:
        m = re.search(r'^%s = ((?:.*\\\n)*.*)' % name, f.read(), re.M)
    return m.group(1).replace('\\\n', ' ').split()


def grammars():
    """(row of coverage, what is done, the text of parser.y)"""
    with open(os.path.join(cov.SRC, 'lang/syntax/parser.y')) as f:
        text = f.read().replace('%expect 0\n', '')
    lines = [m for m in re.finditer(
        r'^%(left|right|nonassoc|precedence)[ \t]+.*\n', text, re.M)
        if not re.search(r'LOWEST|error', m.group(0))]
    shown = {(t, row): s for t, list_ in cov.rows().items()
             for row, s in list_}
    for i in range(len(lines) - 1):
        a, b = lines[i], lines[i + 1]
        yield (('precedence', str(i)),
               'exchanged: ' + shown['precedence', str(i)],
               text[:a.start()] + b.group(0) + a.group(0) + text[b.end():])
    for i, m in enumerate(lines):
        how = m.group(1)
        if ('associativity', str(i)) not in shown:
            continue
        other = '%left' if how != 'left' else '%right'
        yield (('associativity', str(i)),
               '%s now: %s' % (other, shown['associativity', str(i)]),
               text[:m.start()] + m.group(0).replace('%' + how, other) +
               text[m.end():])


def without(table, row, text):
    """The text of a .def file without that name, or as it is."""
    if table == 'keywords':
        return re.sub(r'KW\(\w+, "%s", \w+\)' % re.escape(row), '', text)
    if table == 'config':
        return re.sub(r'^(C[^F]\(\w+, )"%s"' % re.escape(row), r'\1"(gone)"',
                      text, flags=re.M)

    def names(m):
        return m.group(1) + '"' + ' '.join(
            w for w in m.group(2).split() if w != row) + '"'

    return re.sub(r'^((?:BI\(\w+, |DIR\(\w+, |PROG\(|WRAP\(|BUILTIN\())'
                  r'"([^"]+)"', names, text, flags=re.M)


def row_build(table, row, at):
    """picket without a row."""
    os.makedirs(os.path.join(at, 'lang/table'))
    changed = False
    for name in os.listdir(os.path.join(cov.SRC, 'lang/table')):
        if name.endswith('.def'):
            with open(os.path.join(cov.SRC, 'lang/table', name)) as f:
                text = f.read()
            less = without(table, row, text) if name.startswith(table) \
                else text
            changed = changed or less != text
            with open(os.path.join(at, 'lang/table', name), 'w') as f:
                f.write(less)
    if not changed:
        return None, 'no such row'
    return build(at, [os.path.join(cov.SRC, t) for t in READERS[table]])


def grammar_build(text, at):
    """picket with that grammar."""
    os.makedirs(at)
    with open(os.path.join(at, 'parser.y'), 'w') as f:
        f.write(text)
    return build(at, [at + '/parser.c'], ['bison', '--defines=' + at +
                 '/parser.h', '-o', at + '/parser.c', at + '/parser.y'])


def build(at, sources, first=('true',)):
    """picket with some objects of its own, and all others as they are: its
    path or None, and what the tools said."""
    cc = os.environ.get('CC', 'cc').split()
    flags = make_variable('PK_SAN') + make_variable('PCRE2_CFLAGS') + \
        make_variable('JANSSON_CFLAGS') + [
            '-std=c11', '-w', '-D_GNU_SOURCE', '-I' + at, '-I' + cov.SRC,
            '-I' + cov.BUILD]
    objects = [os.path.join(cov.BUILD, o.replace('$(OBJEXT)', 'o'))
               for o in make_variable('am_picket_OBJECTS')]
    libs = [os.path.join(cov.BUILD, v) for v in make_variable('PICKET_LIBS')
            if v.endswith('.a')]
    for v in ('JANSSON_LIBS', 'PCRE2_LIBS', 'PICKET_LIBS', 'LIBS'):
        libs += [w for w in make_variable(v) if w.startswith('-')]
    made = [os.path.join(at, os.path.basename(t)[:-1] + 'o') for t in sources]
    for words in [list(first)] + [
            cc + flags + ['-c', t, '-o', o] for t, o in zip(sources, made)] + [
            cc + make_variable('PK_SAN') + ['-o', at + '/picket'] + made +
            objects + libs]:
        p = subprocess.run(words, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        if p.returncode != 0:
            return None, p.stdout.decode('latin-1')
    return os.path.join(at, 'picket'), ''


used = cov.uses()
pool = concurrent.futures.ThreadPoolExecutor(4)
for table, list_ in cov.rows().items():
    if table in ('precedence', 'associativity'):
        continue
    tests = [used[table].get(row, []) for row, _ in list_]
    alive = [shown for (row, shown), killer in zip(list_, pool.map(
        lambda job: killed(job[1], cov.MUTANT, {
            'PICKET_GONE': '%s %s' % (table, job[0][0])}),
        zip(list_, tests))) if killer is None]
    tell(not alive, '%s: a test fails without any of the %d rows' %
         (table, len(list_)), *('nothing fails without ' + s for s in alive))

# Built the same way without a hole nothing fails.
if shutil.which('bison'):
    at = os.path.abspath('control')
    os.makedirs(at)
    with open(os.path.join(cov.SRC, 'lang/syntax/parser.y')) as f, \
            open(os.path.join(at, 'parser.y'), 'w') as g:
        g.write(f.read())
    picket, why = build(
        at, [at + '/parser.c'] + [os.path.join(cov.SRC, t) for t in
                                  sum(READERS.values(), [])],
        ['bison', '--defines=' + at + '/parser.h', '-o', at + '/parser.c',
         at + '/parser.y'])
    tests = [cov.lang.Case(n) for n in cov.names_in(HERE)][::1 if LONG else 9]
    bad = ['%s fails' % t.name for t, b in zip(tests, pool.map(
        lambda t: t.run(picket), tests)) if b] if picket else [why]
    tell(not bad, 'built without a hole: %d tests pass' % len(tests), *bad)

print('# MUTANT_SEED=%d' % SEED)
rnd = random.Random(SEED)
todo = [((table, row), 'built without it: %s %s' % (table, shown), None)
        for table, list_ in cov.rows().items() if table in READERS
        for row, shown in list_]
if not LONG:
    todo = rnd.sample(todo, SAMPLE)
try:
    subprocess.run(['bison', '--version'], stdout=subprocess.DEVNULL)
    more = list(grammars())
    todo += more if LONG else rnd.sample(more, SAMPLE)
except FileNotFoundError:
    skip('precedences', 'no bison to build grammars with')


def one(job):
    i, ((table, row), what, text) = job
    at = os.path.abspath('built%d' % i)
    picket, why = row_build(table, row, at) if text is None \
        else grammar_build(text, at)
    if picket is None:
        return False, why
    t = killed(used[table].get(row, []), picket, {})
    shutil.rmtree(at)
    return t is not None, 'nothing fails'


for (_, what, _), (ok, why) in zip(todo, pool.map(one, enumerate(todo))):
    tell(ok, what, why)
end()
