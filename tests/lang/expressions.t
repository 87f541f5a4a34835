#!/usr/bin/env python3
"""Expressions against a second opinion: the table of precedences and the
rules about NIL and ERR, written down once more in python.

Every two operators side by side, over values that tell the readings apart,
and random expressions; each with variables and, folded, with constants.
EXPR_SEED makes a run again.
"""
# runner: timeout=300

import math
import os
import random
import re
import subprocess
import sys

PICKET = os.environ['PICKET']
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
SEED = int(os.environ.get('EXPR_SEED', '') or random.randrange(1000000))

# Loosest first, as in language.md, section 5.
LEVELS = [['||'], ['&&'], ['==', '!=', '<>'],
          ['<', '>', '<=', '>=', '!>', '!<', '!>=', '!<='],
          ['|'], ['^'], ['&'], [], ['<<', '>>'], ['.'], ['+', '-'],
          ['*', '/', '%'], ['unary'], ['**']]
LEVEL = {op: i for i, ops in enumerate(LEVELS) for op in ops}
UNARY = LEVEL['unary']
COMPARE = set(LEVELS[2] + LEVELS[3])
BITS = {'&', '|', '^', '<<', '>>'}
NIL, ERR = 'NIL', 'ERR'


class Unsaid(Exception):
    """The reference does not say what comes out; or it is no expression."""


def none(v):
    return v is NIL or v is ERR


def number(v):
    if math.isnan(v) or math.isinf(v):
        return ERR
    return v


def truth(v):
    return not none(v) and v != 0


def binary(op, a, b):
    if op in COMPARE:
        if none(a) or none(b):
            return 1.0 if op[0] == '!' or op == '<>' else 0.0
        return float({'==': a == b, '!=': a != b, '<>': a != b, '<': a < b,
                      '>': a > b, '<=': a <= b, '>=': a >= b, '!>': a <= b,
                      '!<': a >= b, '!>=': a < b, '!<=': a > b}[op])
    if a is ERR or b is ERR:
        return ERR
    if op in BITS:
        for v in (a, b):
            if v is not NIL and (v != math.floor(v) or abs(v) > 2 ** 53):
                if none(a) or none(b):
                    raise Unsaid	# which of the two is the stronger
                return ERR
    if a is NIL or b is NIL:
        return NIL
    if op in BITS:
        if op in ('<<', '>>') and (b < 0 or b > 50 or a < 0):
            raise Unsaid
        i, j = int(a), int(b)
        v = {'&': lambda: i & j, '|': lambda: i | j, '^': lambda: i ^ j,
             '<<': lambda: i << j, '>>': lambda: i >> j}[op]()
        return ERR if abs(v) > 2 ** 53 else float(v)
    try:
        if op == '/':
            return NIL if b == 0 else number(a / b)
        if op == '%':
            return NIL if b == 0 else number(math.fmod(a, b))
        if op == '**':
            if a == 0 and b < 0:	# 1 / 0 ** -b: a division by zero
                return NIL
            return number(math.pow(a, b))
        return number({'+': a + b, '-': a - b, '*': a * b}[op])
    except (OverflowError, ValueError):
        return ERR


def unary(op, a):
    if op == '!':
        return 0.0 if truth(a) else 1.0
    if none(a):
        return a
    if op == '-':
        return -a
    if a != math.floor(a) or abs(a) > 2 ** 53:
        return ERR
    return float(~int(a))


def value(tokens):
    """By precedence climbing; a token is a value, an operator, ( or )."""
    at = 0

    def operand():
        nonlocal at
        t = tokens[at]
        at += 1
        if t == '(':
            v = expr(0)
            at += 1
            return v
        if isinstance(t, str) and t[0] in '!~-' and not none(t):
            # what binds tighter than a sign is its operand
            return unary(t, expr(UNARY))
        return t

    def expr(least):
        nonlocal at
        a = operand()
        done = None		# the level of a comparison just made
        while at < len(tokens) and tokens[at] != ')':
            op = tokens[at]
            level = LEVEL[op]
            if level < least:
                break
            if op in COMPARE and done == level:
                raise Unsaid	# comparisons do not associate
            at += 1
            if op in ('&&', '||'):
                b = expr(level + 1)
                a = float(truth(a) and truth(b) if op == '&&'
                          else truth(a) or truth(b))
            else:
                b = expr(level if op == '**' else level + 1)
                a = binary(op, a, b)
            done = level if op in COMPARE else None
        return a

    return expr(0)


def text(v):
    if none(v):
        return '<<%s>>' % v
    if v == math.floor(v) and abs(v) <= 2 ** 53:
        return '%d' % v
    return repr(v)


def shown(tokens, constants):
    """The expression as a script has it."""
    r = []
    for t in tokens:
        if isinstance(t, float) or none(t):
            if constants:
                r.append(t if t is NIL else '%g' % t)
            else:
                r.append('#v%d' % VALUES.index(t))
        else:
            r.append(t)
    # a % glued to digits is a percent: blanks everywhere
    return ' '.join(r)


VALUES = [0.0, 1.0, 2.0, 3.0, 5.0, 7.0, 0.5, NIL]
OPS = [op for ops in LEVELS for op in ops if op not in ('unary', '.')]
cases = []


def add(tokens):
    try:
        want = text(value(tokens))
    except Unsaid:
        return
    if re.search(r'e[+-]?\d', want) or len(want) > 20:
        return		# how long numbers are shown is another test
    cases.append((tokens, want))


def operand(rnd, depth):
    k = rnd.random()
    if k < 0.15 and depth > 0:
        return ['('] + expression(rnd, depth - 1) + [')']
    if k < 0.3:
        return [rnd.choice('!~-')] + operand(rnd, depth - 1)
    return [rnd.choice(VALUES)]


def expression(rnd, depth):
    r = operand(rnd, depth)
    for _ in range(rnd.randrange(5)):
        r += [rnd.choice(OPS)] + operand(rnd, depth)
    return r


for x in OPS:
    for y in OPS:
        for a, b, c in ((7.0, 2.0, 3.0), (0.0, 1.0, 0.0), (1.0, 3.0, 2.0),
                        (2.0, 2.0, 5.0)):
            add([a, x, b, y, c])
    for u in '!~-':
        for a, b in ((3.0, 2.0), (0.0, 5.0)):
            add([u, a, x, b])
            add([a, x, u, b])
pairs = len(cases)
rnd = random.Random(SEED)
for _ in range(20000 if LONG else 2000):
    add(expression(rnd, 3))


def run(constants):
    lines = ['begin']
    if not constants:
        lines += ['\tset #v%d = %s' % (i, v if v is NIL else '%g' % v)
                  for i, v in enumerate(VALUES)]
    lines += ['\toutput $text(%s)' % shown(t, constants) for t, _ in cases]
    with open('e.pikt', 'w') as f:
        f.write('\n'.join(lines) + '\n')
    p = subprocess.run([PICKET, 'run', '--color', 'never', 'e.pikt'],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    return (p.stdout.decode('latin-1').split('\n')[:-1],
            p.stderr.decode('latin-1'))


print('# EXPR_SEED=%d: %d of two operators, %d random' %
      (SEED, pairs, len(cases) - pairs))
print('1..2')
failed = False
for i, constants in enumerate((False, True)):
    got, err = run(constants)
    bad = ['%s is %s, not %s' % (shown(t, constants), want, g)
           for (t, want), g in zip(cases, got) if g != want]
    if len(got) != len(cases):
        bad += ['%d values of %d' % (len(got), len(cases))] + \
            [t for t in err.split('\n') if ' error: ' in t]
    failed = failed or bool(bad)
    print('%sok %d - expressions of %s' % (
        'not ' if bad else '', i + 1, 'constants' if constants else
        'variables'))
    for t in bad[:10]:
        print('#   ' + t)
sys.exit(failed)
