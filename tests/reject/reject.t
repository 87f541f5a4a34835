#!/usr/bin/env python3
"""Wrong scripts and what is said about them, word for word.

NAME.pikt is checked as `picket check NAME.pikt` in a folder of its own;
NAME.err is what must come on standard error.  A folder NAME is a site and is
checked as `picket check NAME`.  A first line "// args: ..." adds options.
NAME.cfg, else macros.cfg, is the library's macro file; NAME.inc and NAME-*.inc
lie beside the script.
Every row of errors.def must be met by some NAME.err, or be in UNREACHED with
the reason.  REJECT_UPDATE=1 writes the .err files instead: read the diff.
"""
# runner: timeout=300

import json
import os
import re
import shutil
import subprocess

from tap import end, tell

HERE = os.path.dirname(os.path.realpath(__file__))
SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
UPDATE = os.environ.get('REJECT_UPDATE')

# Rows that no file of this folder can meet, and where they are met instead.
UNREACHED = {
    'E_INCLUDE_NONE': 'unit/test_directive: picket can always include',
    'E_INCLUDE_BIG': 'hostile.t: needs a source of over 16 MiB',
    'E_INCLUDE_MANY': 'hostile.t: needs 10,000 includes',
    'E_ENV_BIG': 'hostile.t: needs a text of 128 KiB',
    'E_SOURCE_BIG': 'hostile.t: needs a source of over 16 MiB',
    'E_NO_MEMORY': 'hostile.t: needs a compile of 512 MiB',
    'E_CODE_BIG': 'hostile.t: needs a million instructions',
    'E_CMD_LONG': 'hostile.t: needs a command of 100 KiB',
    'E_TEST_MANY': 'run/ruletest.t: needs 10,001 lines',
    'E_MACRO_NEAR': 'run/explain.t: needs macros of the library',
    'E_CMD_NUL': 'no literal of a command can hold one: \\x00 is text there',
}


def run(name, extra):
    """Checks NAME in a fresh folder: (status, stdout, stderr)."""
    shutil.rmtree('at', ignore_errors=True)
    os.makedirs('at/lib')
    if name in sites:
        return run_site(name, extra)
    shutil.copy(os.path.join(HERE, name + '.pikt'), 'at')
    macros = os.path.join(HERE, name + '.cfg')
    if not os.path.exists(macros):
        macros = os.path.join(HERE, 'macros.cfg')
    shutil.copy(macros, 'at/lib/macros.cfg')
    for f in os.listdir(HERE):
        if re.fullmatch(re.escape(name) + r'(-.*)?\.inc', f):
            shutil.copy(os.path.join(HERE, f), 'at')
    with open(os.path.join(HERE, name + '.pikt'), 'rb') as f:
        m = re.match(rb'// args: (.*)', f.readline())
    args = m.group(1).decode().split() if m else []
    p = subprocess.run([PICKET, 'check'] + extra + args + [name + '.pikt'],
                       cwd='at', stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, PICKET_LIB='lib'), timeout=60)
    return p.returncode, p.stdout, p.stderr


def run_site(name, extra):
    """The same for a site; it must be writable by nobody else."""
    shutil.copytree(os.path.join(HERE, name), 'at/' + name)
    for at, folders, files in os.walk('at/' + name):
        os.chmod(at, 0o755)
        for f in files:
            os.chmod(os.path.join(at, f), 0o644)
    p = subprocess.run([PICKET, 'check'] + extra + [name], cwd='at',
                       stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, PICKET_LIB='lib'), timeout=60)
    return p.returncode, p.stdout, p.stderr


def show(what, text):
    for line in text.decode('utf-8', 'replace').split('\n'):
        print('#   %s %s' % (what, line))


sites = [f for f in os.listdir(HERE) if os.path.isdir(os.path.join(HERE, f))]
names = sorted([f[:-5] for f in os.listdir(HERE) if f.endswith('.pikt')] +
               sites)
met = {}
for name in names:
    status, out, err = run(name, [])
    path = os.path.join(HERE, name + '.err')
    if UPDATE:
        with open(path, 'wb') as f:
            f.write(err)
    try:
        with open(path, 'rb') as f:
            want = f.read()
    except FileNotFoundError:
        want = b'(there is no %s.err)' % name.encode()
    errors = re.search(rb'^(.*:\d+:\d+: )?error: ', want, re.M)
    ok = err == want and status == (1 if errors else 0)
    tell(ok, name)
    if not ok:
        print('#   status %d' % status)
        show('want', want)
        show('got ', err)
    _, out, _ = run(name, ['--json'])
    try:
        for d in json.loads(out)['diagnostics']:
            met.setdefault(d['id'], name)
    except ValueError:
        print('#   %s: no JSON: %r' % (name, out[:200]))

with open(os.path.join(SRC, 'lang/table/errors.def')) as f:
    rows = re.findall(r'^E\((E_\w+),', f.read(), re.M)
missing = [r for r in rows if r not in met and r not in UNREACHED]
tell(not missing, 'every row of errors.def is met')
for r in missing:
    print('#   no script here meets ' + r)
for r in UNREACHED:
    if r in met:
        print('#   %s is met by %s: take it out of UNREACHED' % (r, met[r]))
end()
