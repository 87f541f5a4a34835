#!/usr/bin/env python3
"""Random programs with functions, against the same worked out in Python.

Functions with scalars and arrays, locals, loops, recursion and calls in one
another; strings that stand as temporaries over calls, which change arrays and
drop what they made.  CALLS_SEED=N begins elsewhere, CALLS_COUNT=N makes more.
"""
# runner: timeout=300

import os
import random
import subprocess
import sys

PICKET = os.environ['PICKET']
SEED = int(os.environ.get('CALLS_SEED', '1'))
COUNT = int(os.environ.get('CALLS_COUNT') or
            ('400' if os.environ.get('LONG') else '60'))
KEYS = ['a', 'b', 'c']


class Frame:
    """The variables of one call: n and s by name, arrays by name."""
    def __init__(self):
        self.n, self.s, self.a, self.steps = {}, {}, {}, 0


class Make:
    """Makes a program as text and as Python closures over a Frame."""
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.funcs = []

    # Expressions are (text, closure(frame) -> value).
    def num(self, names, depth):
        r, pick = self.r, self.r.random()
        if depth <= 0 or pick < .2:
            if names['n'] and r.random() < .6:
                v = r.choice(names['n'])
                return '#' + v, lambda f: f.n[v]
            k = r.randint(0, 9)
            return str(k), lambda f: k
        if pick < .5:
            a, b = self.num(names, depth - 1), self.num(names, depth - 1)
            op = r.choice('+-')
            if op == '+':
                return ('(%s + %s) %% 97' % (a[0], b[0]),
                        lambda f: (a[1](f) + b[1](f)) % 97)
            return ('(%s - (%s) + 97) %% 97' % (a[0], b[0]),
                    lambda f: self.sub(a[1](f), b[1](f)))
        if pick < .7:
            s = self.str(names, depth - 1)
            return '#length(%s)' % s[0], lambda f: len(s[1](f))
        return self.call('#', names, depth) or self.num(names, depth - 1)

    @staticmethod
    def sub(a, b):
        return (a - b + 97) % 97

    def str(self, names, depth):
        r, pick = self.r, self.r.random()
        if depth <= 0 or pick < .15:
            if names['s'] and r.random() < .6:
                v = r.choice(names['s'])
                return '$' + v, lambda f: f.s[v]
            k = r.choice(['x', 'yz', '', 'w"'])
            return '"%s"' % k.replace('"', '\\"'), lambda f: k
        if pick < .3 and names['a']:
            v, k = r.choice(names['a']), r.choice(KEYS)
            return '$%s["%s"]' % (v, k), lambda f: f.a[v][k]
        if pick < .6:
            parts = [self.str(names, depth - 1)
                     for _ in range(r.randint(2, 4))]
            # evaluated left to right, as the text says
            return ('$right(%s, 40)' % ' . '.join(p[0] for p in parts),
                    lambda f: ''.join([p[1](f) for p in parts])[-40:])
        if pick < .7:
            n = self.num(names, depth - 1)
            return '$text(%s)' % n[0], lambda f: str(n[1](f))
        return self.call('$', names, depth) or self.str(names, depth - 1)

    def call(self, kind, names, depth):
        fit = [x for x in self.funcs if x['kind'] == kind and
               (names['a'] or not x['arrays'])]
        if not fit:
            return None
        x = self.r.choice(fit)
        args = [self.num(names, depth - 1) if p == 'n' else
                self.str(names, depth - 1) for p in x['params']]
        arrays = [self.r.choice(names['a']) for _ in range(x['arrays'])]
        text = '%s(%s)' % (x['name'], ', '.join(
            [a[0] for a in args] + ['$' + a for a in arrays]))

        def run(f):
            values = [a[1](f) for a in args]
            return x['run'](values, [f.a[a] for a in arrays])
        return text, run

    # Statements are (lines, closure(frame)); a closure returns a value that
    # is not None when the function returns.
    def stmt(self, names, depth, kind):
        r, pick = self.r, self.r.random()
        if pick < .25:
            v, e = r.choice(names['n']), self.num(names, 3)
            return (['set #%s = %s' % (v, e[0])],
                    lambda f: f.n.__setitem__(v, e[1](f)))
        if pick < .5:
            v, e = r.choice(names['s']), self.str(names, 3)
            if r.random() < .3:
                return (['set $%s = $right($%s . %s, 40)' % (v, v, e[0])],
                        lambda f: f.s.__setitem__(
                            v, (f.s[v] + e[1](f))[-40:]))
            return (['set $%s = %s' % (v, e[0])],
                    lambda f: f.s.__setitem__(v, e[1](f)))
        if pick < .7 and names['a']:
            v, k = r.choice(names['a']), r.choice(KEYS)
            e = self.str(names, 3)
            return (['set $%s["%s"] = %s' % (v, k, e[0])],
                    lambda f: f.a[v].__setitem__(k, e[1](f)))
        if depth <= 0:
            return self.stmt(names, 0, kind) if pick >= .7 else (
                [], lambda f: None)
        body = [self.stmt(names, depth - 1, kind)
                for _ in range(r.randint(1, 3))]
        inner = ['\t' + t for b in body for t in b[0]]
        if pick < .85:
            e = self.num(names, 2)
            return (['if %s > 40' % e[0]] + inner + ['fi'],
                    lambda f: self.block(f, body) if e[1](f) > 40 else None)
        v = 'i%d' % depth
        times = r.randint(1, 3)

        def loop(f):
            for _ in range(times):
                got = self.block(f, body)
                if got is not None:
                    return got
            return None
        return (['for #%s = 1 #%s <= %d #%s += 1' % (v, v, times, v)] +
                inner + ['endfor'], loop)

    @staticmethod
    def block(f, body):
        for b in body:
            got = b[1](f)
            if got is not None:
                return got
        return None

    def function(self, number):
        r = self.r
        kind = r.choice('#$')
        name = '%sf%d' % (kind, number)
        params = [r.choice('ns') for _ in range(r.randint(0, 3))]
        arrays = r.randint(0, 2)
        local = r.random() < .5
        names = {'n': ['n%d' % i for i, p in enumerate(params) if p == 'n'],
                 's': ['s%d' % i for i, p in enumerate(params) if p == 's'],
                 'a': ['a%d' % i for i in range(arrays)]}
        decl = ['#' + n for n in names['n']] + ['$' + s for s in names['s']]
        decl = [('#n%d' if p == 'n' else '$s%d') % i
                for i, p in enumerate(params)]
        decl += ['$%s[]' % a for a in names['a']]
        names['n'].append('ln')
        names['s'].append('ls')
        if local:
            names['a'].append('la')
        x = {'name': name, 'kind': kind, 'params': params, 'arrays': arrays}
        body = [self.stmt(names, 2, kind) for _ in range(r.randint(1, 4))]
        ret = self.num(names, 3) if kind == '#' else self.str(names, 3)
        lines = ['function %s(%s)' % (name, ', '.join(decl)),
                 '\tlocal #ln = 3', '\tlocal $ls = "l"', '\tlocal #i1',
                 '\tlocal #i2']
        if local:
            lines += ['\tlocal $la[]'] + [
                '\tset $la["%s"] = "%s"' % (k, k) for k in KEYS]
        # recursion of a known depth: the first number counts down
        again = params and params[0] == 'n' and r.random() < .6
        if again:
            deeper = self.str(names, 1) if kind == '$' else self.num(names, 1)
            args = ['#n0 - 1'] + [('#n%d' if p == 'n' else '$s%d') % i
                                  for i, p in enumerate(params) if i > 0]
            args += ['$a%d' % i for i in range(arrays)]
            call = '%s(%s)' % (name, ', '.join(args))
            lines += ['\tset #n0 = #n0 % 5', '\tif #n0 > 0']
            if kind == '$':
                lines.append('\t\treturn $right(%s . %s . %s, 40)' %
                             (deeper[0], call, deeper[0]))
            else:
                lines.append('\t\treturn (%s + %s) %% 97' % (deeper[0], call))
            lines.append('\tfi')

        def run(values, refs):
            f = Frame()
            for i, p in enumerate(params):
                (f.n if p == 'n' else f.s)[('n%d' if p == 'n' else 's%d')
                                           % i] = values[i]
            for i in range(arrays):
                f.a['a%d' % i] = refs[i]
            f.n['ln'], f.s['ls'] = 3, 'l'
            f.a['la'] = {k: k for k in KEYS}
            if again:
                f.n['n0'] %= 5
                if f.n['n0'] > 0:
                    args = [f.n['n0'] - 1] + [
                        f.n['n%d' % i] if p == 'n' else f.s['s%d' % i]
                        for i, p in enumerate(params) if i > 0]
                    a = deeper[1](f)
                    b = run(args, refs)
                    if kind == '$':
                        return (a + b + deeper[1](f))[-40:]
                    return (a + b) % 97
            got = self.block(f, body)
            return ret[1](f) if got is None else got
        x['run'] = run
        for t in body:
            lines += ['\t' + u for u in t[0]]
        lines += ['\treturn ' + ret[0], 'endfunction']
        self.funcs.append(x)
        return lines

    def program(self):
        funcs = [self.function(i) for i in range(self.r.randint(3, 7))]
        names = {'n': ['n', 'm'], 's': ['s', 't'], 'a': ['p', 'q']}
        f = Frame()
        f.n, f.s = {'n': 7, 'm': 50}, {'s': 'one', 't': ''}
        f.a = {v: {k: v + k for k in KEYS} for v in names['a']}
        lines = ['set #n = 7', 'set #m = 50', 'set $s = "one"',
                 'set $t = ""', 'set #i1 = 0', 'set #i2 = 0']
        for v in names['a']:
            lines += ['set $%s["%s"] = "%s"' % (v, k, v + k) for k in KEYS]
        want = []
        for _ in range(8):
            t, run = self.stmt(names, 2, '')
            lines += t
            if run is not None:
                run(f)
            e = self.str(names, 4)
            lines.append('output "[" . %s . "]"' % e[0])
            want.append('[' + e[1](f) + ']')
        half = self.r.randint(0, len(funcs))
        text = ['\t' + t for t in lines]
        out = sum(funcs[:half], []) + ['T', '\tbegin'] + ['\t' + t
                                                          for t in text]
        out += sum(funcs[half:], [])
        return '\n'.join(out) + '\n', want


def main():
    sys.setrecursionlimit(10000)
    print('1..1')
    bad = 0
    for seed in range(SEED, SEED + COUNT):
        text, want = Make(seed).program()
        with open('calls.pikt', 'w') as f:
            f.write(text)
        p = subprocess.run([PICKET, 'run', 'calls.pikt'],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        got = p.stdout.decode().split('\n')[:-1]
        if got != want or p.returncode != 0 or b'Sanitizer' in p.stderr:
            bad += 1
            print('# seed %d: status %d' % (seed, p.returncode))
            for a, b in zip(want, got):
                if a != b:
                    print('#   want %s\n#   got  %s' % (a, b))
            print('#   ' + p.stderr.decode('latin-1')[:2000].replace(
                '\n', '\n#   '))
            if bad == 3:
                break
    print('%sok 1 - %d random programs' % ('not ' if bad else '', COUNT))
    return bad > 0


sys.exit(main())
