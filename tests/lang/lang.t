#!/usr/bin/env python3
"""The language as it runs: each NAME.pikt here through `picket run`.

What a script must do stands in its own comments, at the end of any line:
    // expect: TEXT     a line of standard output, in order (`expect:` alone:
                        an empty one)
    // mail: TEXT       a line of the mail below its head, with its
                        indentation; empty ones are left out; a mail to
                        others begins with its "To: ..."
    // told: TEXT       a change of an incident in the mail, "[firing] x", in
                        order; its details are left out, seconds are Ns
    // log: REGEX       a line of standard error that says ERROR, WARNING,
                        error or warning, in order; no others may come
    // input: TEXT      a line for --input
    // args: WORDS      options of picket run
    // argv: WORDS      arguments of the script
    // file: NAME TEXT  a line of a file in the current folder;
                        lib/macros.cfg is the library's
    // left: NAME TEXT  a line of a file there after the run
    // exit: N          the exit status, 0 without it
    // run K KEY: ...   the same of the Kth run in the same folder, with the
                        same state; input, args, argv and file are those of
                        the run before where it says nothing
An expected line's trailing blanks count.  Wrong scripts are tests/reject's.

Every word of keywords.def and every instruction of opcodes.def must occur
in a script, or be in LATER or UNMET with the reason.
"""
# runner: timeout=300

import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
KEYS = ('expect', 'mail', 'told', 'log', 'input', 'args', 'argv', 'file', 'left',
        'exit')
NOTE = re.compile(r'//[ \t]*(?:run (\d+) )?(%s):(?: (.*))?$' % '|'.join(KEYS))
KEEP = ('input', 'args', 'argv', 'file')
TOLD = re.compile(r' {8}\[(firing|still firing|resolved|unknown|flapping)\b')
HEAD = re.compile(r'To: (.*)\nSubject: .*\n\n +PIKT ALERT\n.*\n.*\n\n')


def split_told(mail):
    """What a mail tells of incidents, and the rest of it."""
    told, rest = [], []
    detail = False
    for t in mail:
        detail = bool(TOLD.match(t)) or (detail and t.startswith(' ' * 12))
        if TOLD.match(t):
            told.append(re.sub(r'\b\d+s\b', 'Ns', t.strip()))
        elif not detail:
            rest.append(t)
    if told:			# heads that head nothing else
        depth = [len(t) - len(t.lstrip()) for t in rest] + [0]
        for i in range(len(rest) - 1, -1, -1):
            if depth[i] < 8 and depth[i + 1] <= depth[i]:
                del rest[i], depth[i]
    return told, rest


class Case:
    def __init__(self, name):
        self.name = name
        self.notes = {1: {k: [] for k in KEYS}}
        with open(os.path.join(HERE, name + '.pikt'), 'rb') as f:
            self.text = f.read()
        for line in self.text.decode('latin-1').split('\n'):
            m = NOTE.search(line)
            if m:
                at = self.notes.setdefault(int(m.group(1) or 1),
                                           {k: [] for k in KEYS})
                at[m.group(2)].append(m.group(3) or '')
        for k in range(2, max(self.notes) + 1):
            at = self.notes[k]		# no run may be left out
            for key in KEEP:
                at[key] = at[key] or self.notes[k - 1][key]

    @staticmethod
    def files(notes, key):
        r = {}
        for t in notes[key]:
            name, _, line = t.partition(' ')
            r.setdefault(name, []).append(line)
        return r

    def run(self, picket=PICKET, more={}):
        """What is wrong: lines, none if all is right."""
        with tempfile.TemporaryDirectory() as at:
            for k in sorted(self.notes):
                bad = self.run_at(at, self.notes[k], picket, more)
                if bad:
                    return bad if k == 1 else ['in run %d:' % k] + bad
            return []

    def run_at(self, at, n, picket, more):
        with open(os.path.join(at, self.name + '.pikt'), 'wb') as f:
            f.write(self.text)
        for name, lines in self.files(n, 'file').items():
            os.makedirs(os.path.dirname(os.path.join(at, name)),
                        exist_ok=True)
            with open(os.path.join(at, name), 'w', encoding='latin-1') as f:
                f.write(''.join(t + '\n' for t in lines))
        words = [picket, 'run', '--color', 'never', '--mail', 'stdout']
        if n['input']:
            with open(os.path.join(at, '.in'), 'w', encoding='latin-1') as f:
                f.write(''.join(t + '\n' for t in n['input']))
            words += ['--input', '.in']
        words += shlex.split(' '.join(n['args']))
        words += [self.name + '.pikt'] + shlex.split(' '.join(n['argv']))
        env = dict(os.environ, HOME=at, XDG_STATE_HOME=at + '/.state',
                   TZ='UTC', LC_ALL='C', **more)
        if 'lib/macros.cfg' in self.files(n, 'file'):
            env['PICKET_LIB'] = 'lib'
        try:
            p = subprocess.run(words, cwd=at, env=env, timeout=60,
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except subprocess.TimeoutExpired:
            return ['it did not end']
        out = p.stdout.decode('latin-1')
        err = p.stderr.decode('latin-1')
        bad = []
        m = HEAD.search(out)
        lines = out[:m.start()] if m else out
        mail = [t for t in HEAD.sub(r'To: \1\n', out[m.start():]).split('\n')
                if t.strip()] if m else []
        if mail and not mail[0].endswith('.example'):
            mail.pop(0)		# the alert's own recipients
        self.compare(bad, 'expect', n['expect'], lines.split('\n')[:-1]
                     if lines.endswith('\n') else lines.split('\n')
                     if lines else [])
        told, mail = split_told(mail)
        self.compare(bad, 'told', n['told'], told)
        self.compare(bad, 'mail', n['mail'], mail)
        log = [t for t in err.split('\n') if re.search(
            r'^picket: (ERROR|WARNING): |^\S+:\d+:\d+: (error|warning): |'
            r'^(error|warning): |Sanitizer|runtime error', t)]
        for i in range(max(len(log), len(n['log']))):
            want = n['log'][i] if i < len(n['log']) else None
            got = log[i] if i < len(log) else None
            if want is None or got is None or not re.search(want, got):
                bad.append('log %d: want %s' % (i + 1, want))
                bad.append('        got  %s' % got)
        for name, lines in self.files(n, 'left').items():
            try:
                with open(os.path.join(at, name), encoding='latin-1') as f:
                    self.compare(bad, name, lines, f.read().split('\n')[:-1])
            except OSError as e:
                bad.append(str(e))
        status = int(n['exit'][0]) if n['exit'] else 0
        if p.returncode != status:
            bad.append('exit status %d, not %d' % (p.returncode, status))
            bad += err.split('\n')[:20]
        return bad

    @staticmethod
    def compare(bad, what, want, got):
        for i in range(max(len(want), len(got))):
            w = want[i] if i < len(want) else None
            g = got[i] if i < len(got) else None
            if w != g:
                bad.append('%s %d: want %r' % (what, i + 1, w))
                bad.append('%s %d: got  %r' % (what, i + 1, g))


# Words of keywords.def that no script can run yet.
LATER = {
}

# Instructions that a listing does not show.
UNMET = {
    'EXT': 'the second word of another instruction',
    'TRSTMT': '--trace', 'TRNUM': '--trace', 'TRSTR': '--trace',
    'TRCOND': '--trace', 'MARK': 'picket test --coverage',
}


def instructions_used(cases):
    """The instructions in the listings of the scripts."""
    def listing(c):
        return subprocess.run(
            [PICKET, 'disasm', '--no-commands', '--color', 'never',
             '%s.pikt' % c.name],
            cwd=HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL).stdout.decode('latin-1')

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        text = '\n'.join(pool.map(listing, cases))
    return set(re.findall(r'^ *(?:\d+ +)?\d+  ([A-Z]+)\b', text, re.M))


def table(name, row):
    with open(os.path.join(SRC, 'lang/table', name)) as f:
        return re.findall(row, re.sub(r'/\*(?s:.*?)\*/', '', f.read()))


def words_used(cases):
    """The words that stand in the scripts outside strings and comments."""
    used = set()
    for c in cases:
        t = c.text.decode('latin-1')
        t = re.sub(r'"""(?s:.*?)"""|"(?:\\(?s:.)|[^"\\])*"|\'[^\']*\'|//.*'
                   r'|/\*(?s:.*?)\*/', ' ', t)
        used.update(re.findall(r'[a-z]+', t))
    return used


def main():
    names = sys.argv[1:] or sorted(f[:-5] for f in os.listdir(HERE)
                                   if f.endswith('.pikt'))
    cases = [Case(n) for n in names]
    whole = not sys.argv[1:]
    print('1..%d' % (len(cases) + 2 * whole), flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for i, (c, bad) in enumerate(zip(cases, pool.map(Case.run, cases))):
            print('%sok %d - %s' % ('not ' if bad else '', i + 1, c.name))
            for t in bad:
                print('#   ' + t)
            failed += bool(bad)
    if whole:
        used = words_used(cases)
        missing = [w for token, w in table('keywords.def',
                                           r'KW\((\w+), "(\w+)"')
                   if token != 'LATER' and w not in used and w not in LATER]
        print('%sok %d - every word of keywords.def is used' %
              ('not ' if missing else '', len(cases) + 1))
        used = instructions_used(cases)
        unmet = [w for w in table('opcodes.def', r'\bOP\((\w+),')
                 if w not in used and w not in UNMET]
        print('%sok %d - every instruction of opcodes.def is compiled to' %
              ('not ' if unmet else '', len(cases) + 2))
        for w in missing + unmet:
            print('#   no script here uses ' + w)
        failed += bool(missing) + bool(unmet)
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
