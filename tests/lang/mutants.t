#!/usr/bin/env python3
"""Takes out each row of each table in turn: some test must fail.

The rows are those of tests/lang/coverage, a name and each synonym one, and so
are the tests: one that is named there for a row runs without the row.  The
holes are made by tests/lang/mutant, at run time: nothing is built for them.

Precedences cannot be had that way.  For each two neighbours in the table of
parser.y they are exchanged, for each level its associativity is turned, and
picket is built with that grammar.  `make check` does a few of these, which
ones its seed says (MUTANT_SEED); make check-long all.
"""
# runner: timeout=300 long-timeout=1800

import concurrent.futures
import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import importlib.machinery		# noqa: E402
import importlib.util			# noqa: E402

LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
SEED = int(os.environ.get('MUTANT_SEED', '') or random.randrange(1000000))
SAMPLE = 4		# grammars in make check: 2 s each


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


def build(text, at):
    """picket with that grammar; or None, and what the tools said."""
    os.makedirs(at)
    with open(os.path.join(at, 'parser.y'), 'w') as f:
        f.write(text)
    cc = os.environ.get('CC', 'cc').split()
    san = make_variable('PK_SAN')
    objects = [os.path.join(cov.BUILD, o.replace('$(OBJEXT)', 'o'))
               for o in make_variable('am_picket_OBJECTS')]
    libs = make_variable('JANSSON_LIBS') + make_variable('PCRE2_LIBS') + \
        make_variable('LIBS')
    for v in make_variable('PICKET_LIBS'):
        if v.endswith('.a'):
            libs.insert(len([x for x in libs if x.endswith('.a')]),
                        os.path.join(cov.BUILD, v))
    for words in (
            ['bison', '--defines=' + at + '/parser.h', '-o', at + '/parser.c',
             at + '/parser.y'],
            cc + san + ['-std=c11', '-w', '-D_GNU_SOURCE', '-I' + cov.SRC,
                        '-I' + cov.BUILD, '-c', at + '/parser.c', '-o',
                        at + '/parser.o'],
            cc + san + ['-o', at + '/picket', at + '/parser.o'] + objects +
            libs):
        p = subprocess.run(words, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        if p.returncode != 0:
            return None, p.stdout.decode('latin-1')
    return os.path.join(at, 'picket'), ''


number, failed = 0, False


def tell(ok, what, *why):
    global number, failed
    number += 1
    failed = failed or not ok
    print('%sok %d - %s' % ('' if ok else 'not ', number, what))
    for t in [] if ok else why:
        for line in str(t).split('\n')[:10]:
            print('#   ' + line)


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

try:
    subprocess.run(['bison', '--version'], stdout=subprocess.DEVNULL)
    todo = list(grammars())
    if not LONG:
        print('# MUTANT_SEED=%d' % SEED)
        todo = random.Random(SEED).sample(todo, SAMPLE)
except FileNotFoundError:
    todo = []
    number += 1
    print('ok %d - precedences # skip no bison to build grammars with' %
          number)


def one(job):
    i, ((table, row), what, text) = job
    picket, why = build(text, os.path.abspath('grammar%d' % i))
    if picket is None:
        return False, why
    t = killed(used[table].get(row, []), picket, {})
    return t is not None, 'nothing fails'


for (_, what, _), (ok, why) in zip(todo, pool.map(one, enumerate(todo))):
    tell(ok, what, why)
print('1..%d' % number)
sys.exit(failed)
