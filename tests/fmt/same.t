#!/usr/bin/env python3
"""What fmt makes of every source of the tree: the same program, the same
comments, and itself when it is laid out once more.

Each source is taken as it is, and with its layout destroyed at random in ways
that keep its meaning and its lines; of that fmt makes what it makes of the
source itself.
"""
# runner: timeout=600

import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile

SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
LONG = bool(os.environ.get('PICKET_LONG'))
SEEDS = 40 if LONG else 1 if os.environ.get('PICKET_SANITIZERS') else 4
# What compiles, but what fmt cannot read: what an #if leaves out may be
# anything to the compiler, but fmt does not know hosts.
REFUSED = ['tests/lang/pre-false-open.pikt', 'tests/lang/pre-if.pikt']


def run(args, text, **kw):
    return subprocess.run([PICKET] + args, input=text, capture_output=True,
                          timeout=60, **kw)


def fmt(text, name='x.pikt'):
    """The text laid out, or None and what is wrong."""
    r = run(['fmt', '--color', 'never', '--as', name], text)
    return (r.stdout if r.returncode == 0 else None), r.stderr


def sources():
    for top in ('tests/lang', 'tests/reject', 'tests/run', 'tests/limit',
                'tests/storm', 'tests/fmt', 'stdlib-scripts', 'examples'):
        for at, folders, files in os.walk(os.path.join(SRC, top)):
            folders.sort()
            for f in sorted(files):
                if f.endswith(('.pikt', '.cfg')) and \
                        not f.endswith('_test.pikt'):
                    yield os.path.relpath(os.path.join(at, f), SRC)


# A listing names lines, and shows the data of commands as it is written; no
# layout changes the rest.
PLACE = re.compile(rb'^ *(\d+(:\d+)?)? {3,}', re.M)
SHOWN = re.compile(rb'^.*(?:\$raw\(|[$#]\w+\().*$', re.M)


def plain(listing):
    return SHOWN.sub(lambda m: re.sub(rb'\s|\\t|\\n', b'', m.group()),
                     PLACE.sub(b'', listing))


def program(text, at):
    """The listing of the program, or None if it does not compile."""
    # one that is debugged shows its source lines
    text = re.sub(rb'(status\s+)debugging', rb'\1testing', text)
    path = os.path.join(at, 'x.pikt')
    with open(path, 'wb') as f:
        f.write(text)
    macros = []
    for m in re.findall(rb'-M (\S+=\S*)', text):
        macros += ['-M', m.decode('latin-1')]
    r = run(['disasm', '--color', 'never'] + macros + [path], b'')
    return plain(r.stdout) if r.returncode == 0 else None


# Enough of a reader, apart from fmt's: strings, comments, paths (no
# comment begins in /etc/pam.d/*), the rest.  It is right for the sources of the
# tree, not for any.
PART = re.compile(rb'"""(?:\\.|.)*?"""|"(?:\\.|[^"\\])*"|(?<!\w)\'[^\']*\'|'
                  rb'(?<=\s)/[\w.-]+/[\w./*-]*|//[^\n]*|/\*.*?\*/|'
                  rb'\A#![^\n]*|(?:(?<=\s)# [^\n]*)|'
                  rb'^#[ \t]*(?:fix|freeze|indent)\b.*^#[ \t]*un\w+[^\n]*|'
                  rb'^#[ \t]*[a-z]+[^\n\[]*(?:\[(?:[^][]|\[[^]]*\])*\])?[^\n]*|'
                  rb'=[A-Za-z][\w.-]*\((?:[^()]|\([^()]*\))*\)',
                  re.S | re.M)


def comments(text):
    return [b'\n'.join(line.strip() for line in m.split(b'\n'))
            for m in PART.findall(text)
            if m[:1] == b'/' or (m[:1] == b'#' and b'\n' not in m)]


def one_line_strings(text):
    """Whether PART can be trusted with it: no shell quotes in commands."""
    return not any(m.count(b"'") % 2 for m in PART.findall(text)
                   if m[:1] == b'"' and m[:3] != b'"""') and \
        b'"""' not in text and b'=' + b'[' not in text


def destroy(text, rnd):
    """Other blanks between words, other indentation, more empty lines."""
    depth = {0: 0}
    for c in range(1, 200):
        depth[c] = depth[c - 1] + rnd.choice((0, 1, 1, 2, 3)) or 1
    keep = [(m.start(), m.end()) for m in PART.finditer(text)]
    inside = bytearray(len(text) + 1)
    for a, b in keep:
        for i in range(a, b):
            inside[i] = 1
    out, i, n = [], 0, len(text)
    line_start = True
    while i < n:
        if inside[i]:
            out.append(text[i:i + 1])
            line_start = False
            i += 1
            continue
        if text[i:i + 1] in b' \t' or line_start:
            k = i
            while k < n and text[k:k + 1] in b' \t' and not inside[k]:
                k += 1
            blanks = text[i:k]
            if line_start:
                column = len(blanks.expandtabs(8))
                if k < n and text[k:k + 1] != b'\n':
                    column = depth.get(column, column * 4)
                    tabs = rnd.randrange(column // 8 + 1)
                    out.append(b'\t' * tabs + b' ' * (column - 8 * tabs))
            elif k == n or text[k:k + 1] == b'\n':
                out.append(rnd.choice((b'', b' ', b'\t ')))
            else:
                out.append(rnd.choice((b' ', b'\t', b'   ', b' \t')))
            line_start = False
            if k > i:
                i = k
                continue
        c = text[i:i + 1]
        if c == b'\n':
            if i == 0 or text[i - 1:i] == b'\n':
                out.append(b'\n' * rnd.randrange(3))
            out.append(rnd.choice((b'', b'', b' ', b'\t')) + c)
            line_start = True
        else:
            out.append(c)
        i += 1
    return b''.join(out)


def judge(name):
    """What is wrong, and how many of each were tested."""
    bad, count = [], {'programs': 0, 'destroyed': 0, 'refused': 0}
    with open(os.path.join(SRC, name), 'rb') as f:
        text = f.read()
    once, why = fmt(text, os.path.basename(name))
    with tempfile.TemporaryDirectory() as at:
        before = None if name.endswith('.cfg') else program(text, at)
        if once is None:
            count['refused'] = 1
            if before is not None and name not in REFUSED:
                bad.append('compiles, but is refused: ' + why.decode())
            return bad, count
        again, _ = fmt(once, os.path.basename(name))
        if again != once:
            bad.append('laid out twice it is different')
        if comments(text) != comments(once) and one_line_strings(text):
            bad.append('its comments are different')
        if re.sub(rb'\s', b'', text) != re.sub(rb'\s', b'', once):
            bad.append('not only blanks are different')
        if before is not None:
            count['programs'] = 1
            if program(once, at) != before:
                bad.append('its program is different')
        if before is None or not one_line_strings(text):
            return bad, count
        for seed in range(SEEDS):
            rnd = random.Random('%s %d' % (name, seed))
            other = destroy(text, rnd)
            if program(other, at) != before:
                continue        # PART took a string for something else
            count['destroyed'] += 1
            got, why = fmt(other, os.path.basename(name))
            if got != once:
                bad.append('destroyed with seed %d it is laid out otherwise'
                           % seed)
                if os.environ.get('KEEP'):
                    with open(os.environ['KEEP'], 'wb') as f:
                        f.write(other)
                break
    return bad, count


def main():
    names = list(sources())
    total = {}
    print('1..%d' % (len(names) + 3))
    n = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (bad, count) in zip(names, pool.map(judge, names)):
            n += 1
            failed += bool(bad)
            print('%s %d - %s' % ('not ok' if bad else 'ok', n, name))
            for line in bad:
                print('# ' + line)
            for k, v in count.items():
                total[k] = total.get(k, 0) + v
    for key, least in (('programs', 90), ('destroyed', 60 * SEEDS),
                       ('refused', 5)):
        n += 1
        good = total[key] >= least
        failed += not good
        print('%s %d - %s: %d' % ('ok' if good else 'not ok', n, key,
                                  total[key]))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
