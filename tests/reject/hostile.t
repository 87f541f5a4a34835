#!/usr/bin/env python3
"""Sources that nobody writes: deep, long, broken, random.

Each is an error or compiles; none crashes, none takes more memory or time
than is written beside it.  FUZZ_SEED=N repeats a run of the random part.
"""
# runner: timeout=900 long-timeout=7200

import os
import random
import re
import resource
import shutil
import subprocess
import time

from tap import end, tell

SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
SAN = 'PICKET_SANITIZERS' in os.environ
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
SEED = int(os.environ.get('FUZZ_SEED', '2204'))

# Peak memory in MiB and seconds; what the sanitizers cost comes on top.
SMALL = 60
SECONDS = 20 * (10 if SAN else 1)


def check(paths, args=(), seconds=SECONDS):
    """(status, output, MiB, seconds)"""
    start = time.monotonic()
    with open('out', 'wb') as out:
        p = subprocess.Popen([PICKET, 'check', '--no-commands'] + list(args) + list(paths),
                             stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                             env=dict(os.environ, PICKET_LIB='lib'),
                             preexec_fn=lambda: resource.setrlimit(
                                 resource.RLIMIT_CPU, (seconds, seconds)))
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = 0
    with open('out', 'rb') as f:
        text = f.read(100000).decode('utf-8', 'replace')
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else \
        os.WEXITSTATUS(status)
    return code, text, used.ru_maxrss // 1024, time.monotonic() - start


def one(name, text, want=None, most=SMALL, args=()):
    """want: a piece of the message; '' none: it compiles; None: either."""
    if isinstance(text, str):
        text = text.encode()
    with open('x.pikt', 'wb') as f:
        f.write(text)
    code, out, mib, secs = check(['x.pikt'], args)
    good = code in (0, 1) and (SAN or mib <= most)
    if want == '':
        good = good and code == 0
    elif want is not None:
        good = good and code == 1 and want in out
    tell(good, name, 'status %d, %d MiB of %d, %.1f s' %
         (code, mib, most, secs), 'wanted: %s' % want, out)
    if os.environ.get('VERBOSE'):
        print('# %d MiB %.2f s' % (mib, secs))
    os.remove('x.pikt')


def rule(body):
    return 'Deep\n        begin\n                %s\n' % body


os.makedirs('lib', exist_ok=True)

DEEP = 'nested deeper than'
N = 100000

# --- depth ---
one('100,000 parentheses', rule('set #x = %s1%s' % ('(' * N, ')' * N)), DEEP)
one('100,000 parentheses, not closed', rule('set #x = ' + '(' * N), DEEP)
one('100,000 closing parentheses', rule('set #x = 1' + ')' * N),
    ') closes nothing')
for word, close in (('if 1', 'fi'), ('while 1', 'endwhile'),
                    ('repeat', 'until 1'), ('switch 1 case 1', 'endsw'),
                    ('foreach #keys($k, $a)', 'endforeach'),
                    ('if 0 else', 'fi'),
                    ('for #i = 1 #i < 2 #i += 1', 'endfor')):
    one('10,000 times %s' % word,
        rule((word + ' ') * 10000 + 'output "x" ' + (close + ' ') * 10000),
        DEEP)
one('10,000 ifs, not closed', rule('if 1 ' * 10000), DEEP)
one('199 ifs', rule('if 1 ' * 199 + 'output "x" ' + 'fi ' * 199), '')
one('100,000 else if', rule('if 1 ' + 'else if 1 ' * N), DEEP)
one('100,000 elif', rule('if 1 output "a" ' + 'elif 1 output "b" ' * N +
                         'fi'), '', most=300)
one('20,000 cases', rule('set #x = 3 switch #x ' + ''.join(
    'case %d output "%d" ' % (i, i) for i in range(20000)) + 'endsw'), '',
    most=300)
one('100,000 closing words', rule('fi ' * N), 'fi without if')
for op in ('+', '*', '&&', '||', '<<', '%', '&'):
    one('100,000 times %s' % op, rule('set #x = 1' + (' %s #y' % op) * N),
        DEEP)
one('100,000 times **', rule('set #x = 1' + ' ** 2' * N))
one('100,000 times !', rule('set #x = ' + '! ' * N + '1'))
one('100,000 times -', rule('set #x = ' + '- ' * N + '1'))
one('100,000 comparisons', rule('set #x = 1' + ' < 2' * N),
    'behind another comparison')
one('100,000 parts joined', rule('set $x = "a"' + ' . $x . "b"' * N), '',
    most=300)
one('100,000 parts in a string', rule('set $x = "' + 'a$x ' * N + '"'), '',
    most=300)
one('100,000 calls in each other', rule('set #x = ' + '#abs(' * N + '1' +
                                        ')' * N), DEEP)
one('100,000 indexes in each other', rule('set $x = ' + '$a[' * N + '1' +
                                          ']' * N), DEEP)
one('100,000 fields in each other', rule('set $x = ' + '$[' * N), DEEP)
one('10,000 strings in each other', rule('set $x = ' + '"#{' * 10000))
one('10,000 strings in each other, closed',
    rule('set $x = ' + '"${' * 10000 + '1' + '}"' * 10000))
one('100,000 arguments', rule('set #x = #max(' + '1, ' * N + '1)'),
    'as arguments')
one('100,000 keys', rule('set $a[' + '1, ' * N + '1] = "x"'))
one('5,000 groups in a pattern', rule('if $x =~ "%s" fi' % ('()' * 5000)),
    'groups')
one('parentheses in a pattern', rule('if $x =~ "%s" fi' % ('(' * 20000)),
    'bad pattern')
one('a pattern that multiplies', rule(
    'if $x =~ "(((((a{1,200}){1,200}){1,200}){1,200}){1,200})" fi'))
one('a pattern of 1 MB', rule('if $x =~ "%s" fi' % ('a|b' * 350000)),
    most=300)

# --- length ---
one('50 MB', b'// x\n' * 10000000, 'is larger than 16 MiB', most=120)
one('70 MB', b'// x\n' * 14000000, 'larger than 64 MiB', most=200)
# a quarter of the most, all of it in check-long; under the sanitizers a
# sixteenth: they make the same code slow
FULL = (16 << 20) - 200
BIG, M = (1 << 20, 60000) if SAN else (FULL, 1000000) if LONG else \
    (FULL // 4, 250000)
LARGE = 700 if LONG else 500
SIZE = '%d MB' % ((BIG + 200) >> 20)
one(SIZE + ' of blanks', b' ' * BIG, most=LARGE)
one(SIZE + ' of newlines', b'\n' * BIG, most=LARGE)
one('a comment of ' + SIZE, b'/*' + b'x' * BIG + b'*/', most=LARGE)
one('a comment of ' + SIZE + ', not closed', b'/*' + b'x' * BIG, 'never closed',
    most=LARGE)
one('a name of ' + SIZE, b'x' * BIG, most=LARGE)
one('a number of ' + SIZE, rule('set #x = ' + '7' * BIG), most=LARGE)
one('a variable of ' + SIZE, rule('set #x = #' + 'a' * BIG), most=LARGE)
one('a function of ' + SIZE, rule('set #x = #' + 'a' * BIG + '()'), most=LARGE)
one('a string of ' + SIZE, rule('set $x = "' + 'a' * BIG + '"'), '', most=LARGE)
one('a string of ' + SIZE + ', not closed', rule('set $x = "' + 'a' * BIG),
    'never closed', most=LARGE)
one('a raw string of ' + SIZE, rule("set $x = '" + 'a' * BIG + "'"), '',
    most=LARGE)
one('a command of ' + SIZE, rule('exec "ls ' + 'a' * BIG + '"'), 'too long',
    most=LARGE)
one('a command of 200 kB', rule('exec "ls ' + 'a' * 200000 + '"'), 'too long')
one(SIZE + ' of quotes', rule('"' * BIG), most=LARGE)
one(SIZE + ' of apostrophes', rule("'" * BIG), most=LARGE)
one(SIZE + ' of backslashes', rule('set $x = "' + '\\' * BIG), most=LARGE)
one(SIZE + ' of operators', rule('+' * BIG), most=LARGE)
one(SIZE + ' of dollars', rule('$' * BIG), most=LARGE)
one(SIZE + ' of #', '#' * BIG, most=LARGE)
one(SIZE + ' of = ', rule('= ' * (BIG // 2)), most=LARGE)
one(SIZE + ' of \\x01', b'\x01' * BIG, most=LARGE)
one(SIZE + ' of \\xff', b'\xff' * BIG, most=LARGE)
one(SIZE + ' of additions', rule('set #x = 1' + '+1' * (BIG // 2)), most=LARGE)
one('16 MB of statements', 'Long\n begin\n' + ' set #x += 1\n' *
    ((BIG if SAN else FULL) // 13), None if SAN else
    'more memory than its limit', most=700)
one('a million instructions', 'Long\n begin\n' + ' set #x = #x == 2\n' *
    230000, None if SAN else 'compiles to more than', most=700)
one(SIZE + ' of scripts', ''.join('a%d end\n' % i for i in range(M)),
    most=LARGE)
one(SIZE + ' of rules', 'Long\n' + ' rule\n' * (BIG // 6), most=LARGE)
one(SIZE + ' of dat', 'Long\n init\n' + ''.join(
    ' dat $a%d 1\n' % i for i in range(M * 9 // 10)) + 'rule\n', most=LARGE)
one(SIZE + ' of variables', 'Long\n begin\n' + ''.join(
    ' set #a%d = 1\n' % i for i in range(M * 9 // 10)), most=LARGE)
one(SIZE + ' of texts', 'Long\n begin\n' + ''.join(
    ' output "%d"\n' % i for i in range(M * 9 // 10)), most=LARGE)
one(SIZE + ' of arrays in strings', 'Long\n begin\n' + ''.join(
    ' output "$a%d[1]"\n' % i for i in range(M * 7 // 10)), most=LARGE)
one(SIZE + ' of patterns', 'Long\n begin\n' + ''.join(
    ' if $x =~ "a%d" fi\n' % i for i in range(M * 7 // 10)), most=LARGE)
one('5,000 patterns', 'Long\n begin\n' + ''.join(
    ' if $x =~ "a%d" fi\n' % i for i in range(5000)), '')
one(SIZE + ' of commands', 'Long\n begin\n' + ''.join(
    ' exec "ls $x%d"\n' % (i % 9) for i in range(M * 9 // 10)), most=LARGE)
one(SIZE + ' of handles', 'Long\n begin\n' + ''.join(
    ' do #fclose(A%d)\n' % i for i in range(M * 7 // 10)), most=LARGE)
one(SIZE + ' of unknown words', rule('foo ' * (BIG // 4)), most=LARGE)
one(SIZE + ' of calls', rule('do #now() ' * (BIG // 10)), most=LARGE)
one(SIZE + ' of macros', 'Long\n begin\n' + ' =x' * (BIG // 3), most=LARGE,
    args=('-M', 'x= output "y" '))
one(SIZE + ' of unknown macros', 'Long\n begin\n' + ' =y' * (BIG // 3),
    most=LARGE)

# --- macros ---
one('a macro of itself', rule('=x'), 'expands itself', args=('-M', 'x==x'))
one('macros of each other', rule('=x'), 'expands itself',
    args=('-M', 'x==y =y', '-M', 'y==x =x'))
doubling = []
for i in range(60):
    doubling += ['-M', 'm%d==m%d =m%d' % (i, i + 1, i + 1)]
one('macros that double, to nothing', rule('=m0'), args=doubling +
    ['-M', 'm60='], most=300)
one('macros that double, to text', rule('=m0'), args=doubling +
    ['-M', 'm60=0123456789'], most=300)
one('a macro with a macro as argument', rule('output ' + '=f(' * 5000 +
    '"x"' + ')' * 5000), args=('-M', 'f(A)=(A)'), most=300)
one('argument lists not closed', rule('=f(' * 20000), args=(
    '-M', 'f(A)=(A)'), most=300)

# --- directives ---
PIECE = (1 << 20) if not SAN else 1 << 16
LIMIT = 'more than 10000'
for name, text, want in (
        ('#if', '#if linux\n', 'directives nested deeper'),
        ('#if, not true', '#if nowhere\n', 'directives nested deeper'),
        ('#if, ended', '#if linux\n#endif\n', ''),
        ('#endif', '#endif\n', '#endif without #if'),
        ('#else', '#else\n', '#else without #if'),
        ('#if without a name', '#if\n#endif\n', 'the condition wants'),
        ('#ifdef', '#ifdef doexec\n#endifdef\n', ''),
        ('#ifdef of what is not there', '#ifdef xyz\n#endifdef\n',
         'unknown define'),
        ('unknown directives', '#x\n', 'unknown directive'),
        ('commands, not closed', '#exec [\n', 'never closed'),
        ('commands in quotes', '#exec ["\n', 'never closed'),
        ('comments, not closed', '#define x /*\n', 'never closed'),
        ('strings, not closed', ' "\n#define x\n', 'never closed'),
        ('#include without a name', '#include\n', '#include wants'),
        ('#include of what is not there', '#include "no"\n', 'cannot read no'),
        ('#include of nothing', '#include "/dev/null"\n', LIMIT),
        ('#include of itself', '#include "x.pikt"\n', 'includes itself'),
        ('#setdef', '#setdef x = ! doexec\n', ''),
        ('#set', '#set X = "$X"\n', 'the environment has no'),
        ('#set of a long text', '#set X = "%s"\n' % ('a' * 200000),
         'longer than 128 KiB'),
        ('#echo', '#echo "//"\n', None),
        ('#unset', '#unset X\n', LIMIT),
        ('#fix', '#fix\n#unfix\n', ''),
        ('#indent', '#indent\n#unindent\n', ''),
        ('#', '#\n', None)):
    many = PIECE // len(text) + 1
    if want == LIMIT:
        many = max(many, 10001)
    one('%d KiB of %s' % (PIECE >> 10, name), text * many, want, most=300)
one('parentheses in #if', '#if ' + '(' * N + '\n#endif\n',
    'parentheses nested deeper')
one('! in #if', '#if ' + '!' * N + ' linux\n#endif\n', '')
one('names in #if', '#if ' + 'a|' * N + 'linux\n#endif\n', '')
one('a variable that doubles', '#set X = "a"\n' + '#set X = "$X$X"\n' * 60,
    'longer than 128 KiB')
one('newlines, indented', '#indent\n' * 200 + '\n' * 100000 +
    '#unindent\n' * 200, 'larger than 16 MiB', most=300)
with open('big.inc', 'w') as f:
    f.write('// comment\n' * 700000)
one('large includes', '#include "big.inc"\n' * 5, 'larger than 16 MiB',
    most=300)
one('large includes, left out', ('#if nowhere\n#include "big.inc"\n' * 5) +
    '#endif\n' * 5, '')
one('large #verbatim', '#verbatim "big.inc"\n' * 5, 'larger than 16 MiB',
    most=300)
for i in range(40):
    with open('double%d.inc' % i, 'w') as f:
        f.write('#include "double%d.inc"\n' % (i + 1) * 2)
with open('double40.inc', 'w') as f:
    pass
one('includes that double', '#include "double0.inc"\n', LIMIT,
    most=300)
os.mkfifo('pipe.inc')
one('a pipe as an include', '#include "pipe.inc"\n', 'is no regular file')

# --- broken bytes ---
one('NUL bytes', b'Nul\n begin\n output "a\0b"\n\0\0', 'NUL byte')
one('only NUL bytes', b'\0' * 100000, 'NUL byte')
one('empty', b'', '')
one('one byte', b'x')


def batch(name, texts):
    """All of them in one run; one that crashes is found by halves."""
    shutil.rmtree('many', ignore_errors=True)
    os.mkdir('many')
    paths = []
    for i, t in enumerate(texts):
        path = 'many/%05d.pikt' % i
        with open(path, 'wb') as f:
            f.write(t)
        paths.append(path)
    code, out, mib, secs = check(paths)
    if code in (0, 1) and (SAN or mib <= 100):
        tell(True, name)
        if os.environ.get('VERBOSE'):
            print('# %d files, %d MiB %.2f s' % (len(paths), mib, secs))
        return
    bad, culprit = paths, None
    while code not in (0, 1) and len(bad) > 1:
        half = bad[:len(bad) // 2]
        bad = half if check(half)[0] not in (0, 1) else bad[len(half):]
        culprit = bad[0]
    keep = ''
    if culprit:
        keep = os.path.join(os.environ.get('TMPDIR', '/tmp'), '..',
                            'picket-hostile-%d.pikt' % os.getpid())
        shutil.copy(culprit, keep)
    tell(False, name, 'status %d, %d MiB, %.1f s; kept: %s' %
         (code, mib, secs, keep), out[-2000:])


SCRIPT = rb'''// a script with everything that a lexer can lose its way in
Whole
        init
                status active
                level  warning
                task   "say \$what $alarm()"
                input  proc "ps -ef | awk '/[1-9]d/ {gsub("\\/","\\\\/"); print $1 " " $2}'"
                filter "sort -n"
                seps   ":\t"
                dat    #n 1 as size
                dat    $s [3,9]
                dat    $r "a(b*)\]"
                keys   $s
        begin
                set #t = 10% + 3K - 2h ** 2 /* comment */ % 3
                set $raw = 'it "is" raw' . """
                        a block
                          of text
                        """
        rule
                if #n >= 60 && $s =~ "^[[:alpha:]]+(x|y)$" || ! #defined($r)
                        output mail "$inline: $1 $[2] #{#n:%.1f} ${$s . "}" . 'y'}"
                        exec wait as "root" timeout 5s "kill -9 `cat '/run/$s.pid'`"
                elif $s !~~ "\\d{1,3}"
                        foreach #keys($k, $a, "-value")
                                set $a[$k, 3] .= "x\x41\n"
                        endforeach
                else
                        switch $s
                        case "a"
                                next
                        default
                                output log "/tmp/x" $a["q"]
                        endsw
                fi
        end
                while #popen(P, "echo \"$raw\"", "r") > 0
                        do #pclose(P)
                        last
                endwhile
'''

batch('a script cut at every byte', [SCRIPT[:i] for i in range(len(SCRIPT))])
batch('a script without each byte',
      [SCRIPT[:i] + SCRIPT[i + 1:] for i in range(len(SCRIPT))])
for c in (b'"', b"'", b'/*', b'\\', b'(', b'}', b'`', b'\n', b'\0', b'\xff',
          b'"""', b'#{', b'\nx', b' if ', b' fi ', b' end '):
    batch('%r put in at every byte' % c,
          [SCRIPT[:i] + c + SCRIPT[i:] for i in range(0, len(SCRIPT), 1
                                                      if LONG else 3)])

rnd = random.Random(SEED)
print('# seed %d' % SEED)
batch('random bytes', [bytes(rnd.randrange(1, 256) for _ in
                             range(rnd.randrange(1, 3000)))
                       for _ in range(400)])
with open(os.path.join(SRC, 'lang/table/directives.def')) as f:
    DIRECTIVES = [w.encode() for names in re.findall(
        r'^DIR\(\w+, "([^"]+)"', f.read(), re.M) for w in names.split()]
PIECES = [b'linux', b'doexec', b'x', b'!', b'|', b'&', b'(', b')', b'=', b'[a]',
          b'[', b']', b'"x.inc"', b'<x.inc>', b'"', b'<', b'// c', b'/* c */',
          b'/*', b'TRUE', b'"$HOME"', b'\n', b'Foo begin', b'"""']
with open('x.inc', 'w') as f:
    f.write('#ifdef doexec\n#elsedef\n Foo begin\n#include "y.inc"\n#endifdef\n')
with open('y.inc', 'w') as f:
    f.write('#if linux\n#elsesys\n#indent\n')


def directives():
    t = b''
    for _ in range(rnd.randrange(1, 60)):
        t += rnd.choice((b'\n', b'\n', b'\n', b' ')) + b'#' + rnd.choice(
            (b'', b'', b' ')) + rnd.choice(DIRECTIVES) + b' '
        for _ in range(rnd.randrange(4)):
            t += rnd.choice(PIECES) + b' '
    return t


for k in range(20 if LONG else 2):
    batch('random directives, %d' % (k + 1),
          [directives() for _ in range(1000)])
TOKENS = re.findall(rb'[A-Za-z_]+|\d+|[$#]\w+[\[(]?|"[^"\n]*"|\S|\n', SCRIPT)
batch('random tokens', [b' '.join(rnd.choice(TOKENS) for _ in
                                  range(rnd.randrange(1, 400)))
                        for _ in range(1000)])

valid = [SCRIPT]
for top in ('tests/lang', 'tests/reject', 'stdlib-scripts', 'examples'):
    for at, _, names in os.walk(os.path.join(SRC, top)):
        for n in sorted(names):
            if n.endswith('.pikt'):
                with open(os.path.join(at, n), 'rb') as f:
                    valid.append(f.read())


def mutate(t):
    t = bytearray(t)
    for _ in range(rnd.randrange(1, 6)):
        i = rnd.randrange(len(t) + 1)
        j = min(len(t), i + rnd.randrange(1, 40))
        kind = rnd.randrange(6)
        if kind == 0:
            del t[i:j]
        elif kind == 1:
            t[i:i] = bytes([rnd.randrange(256)])
        elif kind == 2:
            o = rnd.choice(valid)
            k = rnd.randrange(len(o) + 1)
            t[i:j] = o[k:k + rnd.randrange(1, 60)]
        elif kind == 3:
            t[i:i] = t[i:j] * rnd.randrange(1, 30)
        elif kind == 4 and i < len(t):
            t[i] ^= 1 << rnd.randrange(8)
        else:
            t[i:i] = b' ' + rnd.choice(TOKENS) + b' '
    return bytes(t)


for k in range(40 if LONG else 4):
    batch('mutations of scripts, %d' % (k + 1),
          [mutate(rnd.choice(valid)) for _ in range(1000)])

end()
