#!/usr/bin/env python3
"""picket fmt as a command: what it writes, shows, refuses, and leaves alone.
"""
# runner: timeout=600

import json
import os
import random
import resource
import stat
import subprocess
import sys
import tempfile
import time

from tap import end, tell

PICKET = os.environ['PICKET']
LONG = bool(os.environ.get('PICKET_LONG'))
with open(PICKET, 'rb') as f:
    SANITIZED = b'__asan_init' in f.read()

UGLY = b'A\ninit\n  status active\nbegin\n set #x=1   // one\n'
NICE = b'A\n\tinit\n\t\tstatus  active\n\tbegin\n\t\tset #x = 1      // one\n'


def fmt(*args, text=b'', **kw):
    return subprocess.run([PICKET, 'fmt', '--color', 'never', *args],
                          input=text, capture_output=True, timeout=120, **kw)


def put(name, text=UGLY):
    os.makedirs(os.path.dirname(name) or '.', exist_ok=True)
    with open(name, 'wb') as f:
        f.write(text)


def get(name):
    with open(name, 'rb') as f:
        return f.read()


def same(text, want, what, name='x.pikt'):
    """text is laid out as want, and want as itself."""
    r = fmt('--as', name, text=text)
    again = fmt('--as', name, text=want).stdout
    tell(r.returncode == 0 and r.stdout == want and again == want, what,
         r.stderr.decode('latin-1'), repr(r.stdout), repr(want), repr(again))


def places():
    r = fmt(text=UGLY)
    tell(r.stdout == NICE and r.returncode == 0, 'standard input', r)
    r = fmt('-', text=UGLY)
    tell(r.stdout == NICE, '- is standard input', r)
    put('a.pikt')
    os.chmod('a.pikt', 0o640)
    r = fmt('a.pikt')
    tell(r.stdout == b'a.pikt\n' and r.returncode == 0 and
         get('a.pikt') == NICE, 'a file in its place, and its name', r)
    tell(stat.S_IMODE(os.stat('a.pikt').st_mode) == 0o640, 'its mode stays')
    before = os.stat('a.pikt').st_ino
    r = fmt('a.pikt')
    tell(r.stdout == b'' and os.stat('a.pikt').st_ino == before,
         'what is laid out already is not touched', r)
    put('b.pikt')
    for args, what in ((['--check'], '--check'), (['--diff'], '--diff')):
        r = fmt(*args, 'b.pikt')
        tell(get('b.pikt') == UGLY and r.stdout and
             r.returncode == (what == '--check'), what + ' writes nothing', r)
    tell(fmt('--check', 'a.pikt').returncode == 0, '--check of a good one')
    tell(fmt('--check', text=UGLY).returncode == 1 and
         fmt('--check', text=NICE).returncode == 0,
         '--check of standard input')
    r = fmt('--check', '--json', 'a.pikt', 'b.pikt')
    tell(json.loads(r.stdout).get('changed') == ['b.pikt'] and
         r.returncode == 1, '--json', r)
    put('bad.pikt', b'A\n begin\n  output "x\n')
    r = fmt('--json', 'bad.pikt')
    d = json.loads(r.stdout)
    tell(r.returncode == 1 and d['errors'] == 1 and
         d['diagnostics'][0]['line'] == 3, '--json of a bad one', r)
    tell(fmt('--json').returncode == 2 and
         fmt('--json', '--diff', 'a.pikt').returncode == 2,
         'options that do not go together')
    r = fmt('nothing.pikt')
    tell(r.returncode == 1 and b'No such file' in r.stderr, 'no such file', r)
    r = fmt('')
    tell(r.returncode == 1, 'an empty name', r)


def odd_files():
    put('odd/real.pikt')
    os.symlink('real.pikt', 'odd/link.pikt')
    r = fmt('odd/link.pikt')
    tell(r.returncode == 1 and b'symbolic link' in r.stderr and
         get('odd/real.pikt') == UGLY and os.path.islink('odd/link.pikt'),
         'a symbolic link is refused', r)
    os.link('odd/real.pikt', 'odd/other.pikt')
    r = fmt('odd/real.pikt')
    tell(r.returncode == 1 and b'hard links' in r.stderr and
         get('odd/real.pikt') == UGLY, 'a file of two names is refused', r)
    os.mkfifo('odd/pipe.pikt')
    r = fmt('odd/pipe.pikt')
    tell(r.returncode == 1 and b'no file' in r.stderr, 'a pipe is refused', r)
    put('odd/objects.cfg', b'a\n  b  \n')
    r = fmt('odd/objects.cfg')
    tell(r.returncode == 1 and b'objects' not in get('odd/objects.cfg') and
         get('odd/objects.cfg') == b'a\n  b  \n', 'what may be data is refused',
         r)
    put('odd/tool', b'#!/usr/bin/picket run\n   output   "x"\n')
    os.chmod('odd/tool', 0o755)
    r = fmt('odd/tool')
    tell(get('odd/tool') == b'#!/usr/bin/picket run\noutput "x"\n' and
         os.access('odd/tool', os.X_OK), 'a program without a suffix', r)
    put('shut/a.pikt')
    if os.geteuid() != 0:
        os.chmod('shut', 0o555)
        r = fmt('shut/a.pikt')
        os.chmod('shut', 0o755)
        tell(r.returncode == 1 and r.stderr and get('shut/a.pikt') == UGLY and
             os.listdir('shut') == ['a.pikt'],
             'a folder that cannot be written', r)
    else:
        os.chown('shut/a.pikt', 12, 34)
        r = fmt('shut/a.pikt')
        st = os.stat('shut/a.pikt')
        tell((st.st_uid, st.st_gid) == (12, 34) and
             get('shut/a.pikt') == NICE, 'its owner stays', r)


def folders():
    for name in ('site/a.pikt', 'site/scripts/deep/b.pikt', 'site/alarms.cfg',
                 'site/.hidden.pikt', 'site/readme.txt', 'site/files.cfg',
                 'elsewhere/c.pikt'):
        put(name)
    os.symlink('../elsewhere', 'site/folder')
    os.symlink('../elsewhere/c.pikt', 'site/c.pikt')
    r = fmt('site')
    changed = [f for f in ('site/a.pikt', 'site/scripts/deep/b.pikt',
                           'site/alarms.cfg', 'site/.hidden.pikt',
                           'site/readme.txt', 'site/files.cfg',
                           'elsewhere/c.pikt') if get(f) == NICE]
    tell(changed == ['site/a.pikt', 'site/scripts/deep/b.pikt',
                     'site/alarms.cfg'] and r.returncode == 0 and
         len(r.stdout.split()) == 3, 'a folder', r, changed)
    put('mixed/bad.pikt', b'A begin output "\n')
    put('mixed/good.pikt')
    r = fmt('mixed')
    tell(r.returncode == 1 and get('mixed/good.pikt') == NICE and
         get('mixed/bad.pikt') == b'A begin output "\n' and
         r.stdout == b'mixed/good.pikt\n',
         'one that cannot be read leaves the others alone', r)


def diffs():
    rnd = random.Random(7)
    words = [b'', b'', b'  ', b'A', b'begin', b' set #x=1', b'\tset #y = 2',
             b'// c', b'\tbegin', b'\t\toutput "x"']
    bad = 0
    for i in range(300 if LONG else 40):
        text = b'\n'.join(rnd.choice(words)
                          for _ in range(rnd.randrange(40)))
        if rnd.randrange(2):
            text += b'\n'
        put('d.pikt', text)
        want = fmt(text=text).stdout
        d = fmt('--diff', 'd.pikt').stdout
        if not d:
            bad += text != want
            continue
        with open('d.patch', 'wb') as f:
            f.write(d)
        r = subprocess.run(['patch', '-s', '-o', 'd.out', 'd.pikt', 'd.patch'],
                           capture_output=True)
        bad += r.returncode != 0 or get('d.out') != want
    tell(bad == 0, 'what --diff shows, patch does', bad)


def style():
    same(UGLY.replace(b'\n', b'\r\n'), NICE, 'carriage returns go')
    same(b'\n\n\nA\n\n\n\nbegin\n\n\n', b'A\n\n\tbegin\n', 'empty lines')
    same(b'\n\n#!x\n', b'\n#!x\n', 'no line becomes the first')
    same(b'', b'', 'nothing')
    same(b' \n\n', b'', 'nothing but blanks')
    same(b'A begin output "x"', b'A begin output "x"\n', 'a last newline')
    same(b'A\nbegin\noutput "a\n    b   c\n\n  d"\n',
         b'A\n\tbegin\n\t\toutput "a\n    b   c\n\n  d"\n',
         'no byte of a string changes')
    same(b'A\nbegin\noutput """\n  a\n  b  \n"""\noutput \'a\n   b\'\n',
         b'A\n\tbegin\n\t\toutput """\n  a\n  b  \n"""\n\t\toutput \'a\n'
         b'   b\'\n', 'text blocks and raw strings')
    same(b'A\nbegin\n=m(a,b,\n  c  d)  =n\n',
         b'A\n\tbegin\n\t\t=m(a,b,\n  c  d) =n\n',
         'no byte of a macro\'s arguments changes')
    same(b'A\nbegin\noutput "=m("a   b")"   . "c"\n',
         b'A\n\tbegin\n\t\toutput "=m("a   b")" . "c"\n',
         'a macro with strings in a string')
    same(b'A\nbegin\n=m(") // a", // no )\n 1)   =n\n',
         b'A\n\tbegin\n\t\t=m(") // a", // no )\n 1) =n\n',
         'comments and strings in arguments')
    same(b'A\nbegin\nif #x==1&&#y>=2 set #z+=1 fi\nset $a[1,2]="x".$y\n',
         b'A\n\tbegin\n\t\tif #x == 1 && #y >= 2 set #z += 1 fi\n'
         b'\t\tset $a[1, 2] = "x".$y\n', 'operators')
    same(b'A\nbegin\nset #x=10%3\nset #y=10%\nset #z=5%==2\nset #x=-1\n',
         b'A\n\tbegin\n\t\tset #x = 10%3\n\t\tset #y = 10%\n'
         b'\t\tset #z = 5% == 2\n\t\tset #x = -1\n', 'percents, signs')
    same(b'A\nbegin\nif #x\nset #y=1\nelse if #y\nset #z=1\nfi fi\n'
         b'if #a if #b\nset #c=1\nfi fi\nquit\n',
         b'A\n\tbegin\n\t\tif #x\n\t\t\tset #y = 1\n\t\telse if #y\n'
         b'\t\t\tset #z = 1\n\t\tfi fi\n\t\tif #a if #b\n\t\t\tset #c = 1\n'
         b'\t\tfi fi\n\t\tquit\n', 'blocks that share lines')
    same(b'A\nbegin\nswitch #x\ncase 1\nset #y=1\nbreaksw\ndefault\nquit\n'
         b'endsw\nrepeat\nset #x=1\nuntil #x\n',
         b'A\n\tbegin\n\t\tswitch #x\n\t\tcase 1\n\t\t\tset #y = 1\n'
         b'\t\t\tbreaksw\n\t\tdefault\n\t\t\tquit\n\t\tendsw\n\t\trepeat\n'
         b'\t\t\tset #x = 1\n\t\tuntil #x\n', 'switch and repeat')
    same(b'A\nbegin\n#if linux\nif #x\n#else\nif #y\n#endif\nset #z=1\nfi\n'
         b'quit\n', b'A\n\tbegin\n#if linux\n\t\tif #x\n#else\n\t\tif #y\n'
         b'#endif\n\t\t\tset #z = 1\n\t\tfi\n\t\tquit\n',
         'a block that begins in either branch')
    same(b'A\nbegin\n#fix\nset   #x=1\n  if\n#unfix\nset   #y=1\n#indent\nB  c\n'
         b'#unindent\n#exec [a\n   b  c]\nquit\n',
         b'A\n\tbegin\n#fix\nset   #x=1\n  if\n#unfix\n\t\tset #y = 1\n'
         b'#indent\nB  c\n#unindent\n#exec [a\n   b  c]\n\t\tquit\n',
         'what directives keep')
    same(b'A\nbegin\nif #x\n   // in\n  // out\n fi\n// B is\nB\nbegin\nquit\n'
         b'  // last\n', b'A\n\tbegin\n\t\tif #x\n\t\t\t// in\n\t\t\t// out\n'
         b'\t\tfi\n// B is\nB\n\tbegin\n\t\tquit\n\t\t// last\n',
         'where comments go')
    same(b'A\nbegin\n  /* a\n   * b\n   */\nset #x=1\n',
         b'A\n\tbegin\n\t\t/* a\n\t\t * b\n\t\t */\n\t\tset #x = 1\n',
         'the lines of a comment move with it')
    same(b'quit\nbegin\n   quit 1\nA\n  begin quit\n',
         b'quit\n\tbegin\n\t\tquit 1\nA\n\tbegin quit\n',
         'a keyword as a name')
    same(b' set #x=1\n quit\n begin quit\n',
         b'set #x = 1\n\tquit\nbegin quit\n',
         'no word becomes a name')
    same(b'A\nbegin\nquit\n#if x\nend quit\n#endif\n',
         b'A\n\tbegin\nquit\n#if x\n\tend quit\n#endif\n',
         'what may be a name stays in column 1')
    same(b'#!/x\n# a   comment\n  output   "x" # b   c\n',
         b'#!/x\n# a   comment\noutput "x"      # b   c\n',
         'a standalone program')
    same(b'A\nbegin\nset #x = 1 // a\nset #xyz = 10000 // b\n\nquit // c\n',
         b'A\n\tbegin\n\t\tset #x = 1              // a\n'
         b'\t\tset #xyz = 10000        // b\n\n\t\tquit    // c\n',
         'comments of neighbours')
    same(b'A\nbegin\noutput "a"\n. "b"\nset #x=\n=one\n=stmt\nquit\n',
         b'A\n\tbegin\n\t\toutput "a"\n\t\t    . "b"\n\t\tset #x =\n'
         b'\t\t    =one\n\t\t=stmt\n\t\tquit\n', 'lines that go on')
    same(b'a  1 // x\nlonger.name(A,B)  "x  y" \n\n\n\nh(A)\n  if (A)\n (B)\n'
         b' fi\nh2\n  not  code \n  at all\nc   a // b\nu  http://x/y\n',
         b'a                       1               // x\n'
         b'longer.name(A,B)        "x  y"\n\nh(A)\n\tif (A)\n\t\t(B)\n'
         b'\tfi\nh2\n  not  code \n  at all\n'
         b'c               a                       // b\n'
         b'u               http://x/y\n', 'macros.cfg', 'macros.cfg')
    same(b'Night \n  timing 1 2\n      3  4 \n\n\n  mailcmd "a\n  b  \n c"\n'
         b'#if x\n alarms A\n#endif\n',
         b'Night\n\ttiming 1 2\n\t\t3  4\n\n\tmailcmd "a\n  b  \n c"\n'
         b'#if x\n\talarms A\n#endif\n', 'alerts.cfg', 'alerts.cfg')


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def hostile():
    big = 1 << 18 if SANITIZED else (4 if LONG else 1) << 20
    cases = [
        ('open blocks', b'A begin\n' + b'if 1\n' * 100000, 0),
        ('blocks in one another', b'A\nbegin\n' + b'if 1\n' * 100000 +
         b'fi\n' * 100000, 0),
        ('more than fmt makes', b'if 1\n' * 1000000, 1),
        ('50 MB', b'// x\n' * (10 << 20), 1),
        ('16 MB of lines', b'a\n' * (8 << 20), None),
        ('16 MB of blank lines', b'\n' * (16 << 20), 0),
        ('parentheses', b'A begin set #x = ' + b'(' * big, None),
        ('quotes', b'"' * big, None), ('apostrophes', b"'" * big, None),
        ('lone apostrophes', b"a' " * (big // 3), None),
        ('equal signs', b'=' * big, None),
        ('lists in strings', b'" ' + b'=a(' * (big // 3), None),
        ('lists', b'=a(' * (big // 3), None),
        ('closed lists', b'=a(' * (big // 4) + b')' * (big // 4), 0),
        ('comments', b'/**/' * (big // 4), 0),
        ('comments that open', b'/*' * (big // 2), 1),
        ('keywords and comments', b'quit/**/\n' * (big // 9), 0),
        ('words', b'a ' * (big // 2), 0), ('one word', b'a' * big, 0),
        ('signs', b'#a==#b' * (big // 6), 0),
        ('backslashes', b'\\' * big, None),
        ('directives', b'#if a\n' * (big // 6), 0),
        ('fix', b'#fix\n' * (big // 5), 0),
        ('brackets of directives', b'#include [\n' * (big // 11), None),
        ('code in strings', b'"${' * (big // 3), None),
        ('commands', b'exec "\'' * (big // 7), None),
        ('aligned comments', b'x // y\n' * (big // 7), None),
        ('a name', b'A' * 100 + b'\n', 0),
        ('NUL', b'A\n\0', 1), ('only NUL', b'\0' * 1000, 1),
        ('UTF-16', b'\xff\xfeA\0\n\0', 1),
    ]
    for what, text, want in cases:
        for name in ('x.pikt', 'macros.cfg', 'alerts.cfg'):
            start = time.monotonic()
            try:
                r = fmt('--as', name, text=text, preexec_fn=limits)
            except subprocess.TimeoutExpired:
                tell(False, '%s: %s: time' % (name, what))
                continue
            took = time.monotonic() - start
            good = r.returncode in (0, 1) and \
                b'Sanitizer' not in r.stderr and \
                b'runtime error' not in r.stderr and \
                (r.returncode == 0 or r.stderr != b'')
            if name == 'x.pikt' and want is not None:
                good = good and r.returncode == want
            # what is quadratic takes hours
            good = good and took < 100
            tell(good, '%s: %s' % (name, what), r.returncode,
                 r.stderr[:300], took)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    tell(SANITIZED or peak < 1200 << 10, 'memory: %d MiB' % (peak >> 10))
    rnd = random.Random(11)
    parts = [b'A', b'\n', b'\n', b'\n ', b'\t', b' ', b'init', b'begin', b'if',
             b'fi', b'set', b'#x', b'=', b'==', b'"', b'"', b"'", b'"""', b'(',
             b')', b'//', b'/*', b'*/', b'=m', b'=m(', b'\\', b'$', b'${', b'}',
             b'\r\n', b'\xff', b'#if x', b'#endif', b'#fix', b'[', b']', b',',
             b'exec "', b'1%', b'%', b'dat', b'quit', b'output', b'else', b'-',
             b'#indent', b'#!', b'# ', b'\f', b'case', b'function', b'.']
    bad = []
    for i in range(20000 if LONG else 400):
        text = b''.join(rnd.choice(parts) for _ in range(rnd.randrange(60)))
        name = rnd.choice(('x.pikt', 'x.pikt', 'macros.cfg', 'alerts.cfg'))
        r = fmt('--as', name, text=text)
        if r.returncode not in (0, 1):
            bad.append(('died', name, text))
        elif r.returncode == 0:
            again = fmt('--as', name, text=r.stdout)
            squeeze = str.maketrans('', '', ' \t\r\n')
            if again.stdout != r.stdout or again.returncode != 0:
                bad.append(('not the same twice', name, text))
            elif text.decode('latin-1').translate(squeeze) != \
                    r.stdout.decode('latin-1').translate(squeeze):
                bad.append(('lost', name, text))
    tell(not bad, 'random texts', len(bad), *bad[:8])


def main():
    with tempfile.TemporaryDirectory() as at:
        os.chdir(at)
        places()
        odd_files()
        folders()
        diffs()
        style()
        hostile()
        os.chdir('/')
    end()


if __name__ == '__main__':
    sys.exit(main())
