"""What the tests of tables share: rows by the program beside this, and a
folder for recorded roots."""

import os
import re
import shutil
import subprocess
import tempfile

ROWS = os.path.join(os.environ['BUILDDIR'], 'tests/table/rows')
scratch = tempfile.TemporaryDirectory(prefix='picket-table.')
PUBLIC = os.path.join(scratch.name, 'rows')


def folder(name):
    path = os.path.join(scratch.name, name)
    os.makedirs(path, exist_ok=True)
    return path


def as_nobody():
    """What a command begins with that is to run as an ordinary user; he may
    not see the folder of the build, but PUBLIC."""
    os.chmod(scratch.name, 0o755)
    shutil.copy(ROWS, PUBLIC)
    return ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']


def value(text, as_text):
    r"""A number, bytes, or None: the bytes that picket shows as \n, \t, \xHH."""
    if text == '<<NIL>>':
        return None
    if not as_text and re.fullmatch(r'-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?',
                                    text):
        return float(text)
    return re.sub(rb'\\(n|t|x([0-9a-f]{2}))', lambda m:
                  {b'n': b'\n', b't': b'\t'}.get(m.group(1)) or
                  bytes([int(m.group(2), 16)]), text.encode())


class Answer(list):
    """Rows as dicts; .err and .status of the program."""


def ask(table, columns, root='', options=(), nobody=False, text=()):
    """Columns in text are bytes even where they are digits."""
    start = as_nobody() + [PUBLIC] if nobody else [ROWS]
    p = subprocess.run([*start, *options, '-r', root, '-f', columns, table],
                       stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    rows = Answer()
    for line in p.stdout.decode().splitlines():
        pairs = [v.partition('=') for v in line.split('\t')]
        rows.append({c: value(v, c in text) for c, _, v in pairs})
    rows.err, rows.status = p.stderr.decode(), p.returncode
    return rows
