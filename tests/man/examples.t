#!/usr/bin/env python3
"""The examples of the manual pages: each is run, and its output compared.

In man/*.in a comment stands before a display (.Bd ... .Ed):

    .\\" file: NAME                 a file that examples after it read
    .\\" example: NAME [OPTION...]  a script, run by picket run
    .\\" output:                    what the example before it prints
    .\\" stderr:                    ... and says, but for the line breaks
    .\\" shell: NAME                lines "$ COMMAND" and what they print
    .\\" text:                      nothing to run

Words of example: that begin with - and their values go before the file, those
after the last of them behind it.  Without a stderr: an example says nothing.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

SRC = os.environ.get('SRCDIR') or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.realpath(__file__))))
PICKET = os.environ.get('PICKET', 'picket')
VALUED = ('-D', '-M', '--input', '--root', '--mail', '--mailto', '--config')
MARK = re.compile(r'\.\\" (file|example|output|stderr|shell|text): *(.*)$')
TIME = re.compile(r' [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}$', re.M)
NEXT = re.compile(r'(?<=next )( *)\d{4}-\d\d-\d\d [\d:]{8}$', re.M)


class Example:
    def __init__(self, page, kind, head, text, files):
        words = shlex.split(head)
        self.name = '%s: %s' % (page, words[0])
        self.file, self.kind, self.text = words[0], kind, text
        self.files = dict(files)
        self.output, self.stderr = None, ''
        self.before, self.after = [], []
        words = words[1:]
        while words and words[0].startswith('-'):
            self.before.append(words.pop(0))
            if self.before[-1] in VALUED:
                self.before.append(words.pop(0))
        self.after = words


def read(path):
    """All examples of a page."""
    page, kind, head, lines = os.path.basename(path)[:-3], None, '', None
    found, files = [], {}
    with open(path) as f:
        for n, line in enumerate(f, 1):
            m = MARK.match(line)
            if lines is not None:
                if line.startswith('.Ed'):
                    text, lines = ''.join(lines), None
                    if kind == 'file':
                        files[head] = text
                    elif kind in ('example', 'shell'):
                        found.append(Example(page, kind, head, text, files))
                    elif kind in ('output', 'stderr'):
                        setattr(found[-1], kind, text)
                    kind = None
                else:
                    lines.append(line)
            elif m:
                if kind:
                    sys.exit('%s:%d: no display behind %s' % (path, n, kind))
                kind, head = m.groups()
            elif kind and line.startswith('.Bd'):
                lines = []
    return found


def run(argv, **more):
    os.environ['XDG_STATE_HOME'] = os.path.join(os.getcwd(), 'state')
    return subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, **more)


def differences(what, want, got):
    if want == got:
        return []
    return ['%s should be:' % what] + want.split('\n') + \
        ['%s is:' % what] + got.split('\n')


def judge_script(e):
    name = e.file + '.pikt'
    with open(name, 'w') as f:
        f.write(e.text)
    nowhere = []
    if not {'--mail', '--config'} & set(e.before):
        # what it has to tell goes to nobody
        nowhere = ['--config', 'nowhere']
        os.makedirs('nowhere', exist_ok=True)
        with open('nowhere/picket.conf', 'w') as f:
            f.write('null ok\n')
    p = run([PICKET, 'run'] + nowhere + e.before + [name] + e.after)
    wrong = []
    if e.stderr.split() != p.stderr.split():
        wrong = differences('standard error', e.stderr, p.stderr)
    if e.output is not None and '--mail' in e.before:
        # the part of the mail that the page shows
        if e.output not in p.stdout:
            wrong += differences('output', e.output, p.stdout)
    else:
        wrong += differences('output', e.output or '', p.stdout)
    return wrong


def judge_shell(e):
    wrong, steps = [], []
    for line in e.text.split('\n')[:-1]:
        if line.startswith('$ '):
            steps.append((line[2:], []))
        elif line.startswith('> ') and steps:
            steps[-1] = (steps[-1][0] + '\n' + line[2:], [])
        elif steps:
            steps[-1][1].append(line)
    env = dict(os.environ)
    env['PATH'] = os.path.dirname(os.path.realpath(PICKET)) + ':' + env['PATH']
    for command, want in steps:
        p = run(['sh', '-c', command], env=env)
        got, want = (NEXT.sub(r'\1DATE', TIME.sub(' DATE', x)) for x in (
            p.stdout + p.stderr, ''.join(x + '\n' for x in want)))
        wrong += differences(command, want, got)
    return wrong


def judge(e):
    for name, text in e.files.items():
        if '/' in name:
            os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, 'w') as f:
            f.write(text)
    try:
        return judge_script(e) if e.kind == 'example' else judge_shell(e)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [str(error)]


def main():
    os.umask(0o022)		# or a site is refused
    folder = os.path.join(SRC, 'man')
    examples = []
    for name in sorted(os.listdir(folder)):
        if name.endswith('.in'):
            examples += read(os.path.join(folder, name))
    print('1..%d' % len(examples))
    failed = 0
    for n, e in enumerate(examples, 1):
        with tempfile.TemporaryDirectory() as d:
            os.chdir(d)
            wrong = judge(e)
            os.chdir('/')
        print('%sok %d - %s' % ('not ' if wrong else '', n, e.name))
        for line in wrong:
            print('# ' + str(line))
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
