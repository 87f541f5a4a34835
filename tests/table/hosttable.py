"""What the tests of the host's tables share: tests/table/rows, and folders
that look like a kernel's.
"""

import os
import shutil
import subprocess
import tempfile

ROWS = os.path.join(os.environ.get('BUILDDIR', 'build'), 'tests/table/rows')


class Answer:
    """rows: a dict each, texts and numbers; None: NIL."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err
        self.rows = [dict(self.value(v) for v in line.split('\t'))
                     for line in out.split('\n') if line]

    @staticmethod
    def value(text):
        name, _, value = text.partition('=')
        return name, None if value == '<<NIL>>' else value

    def __str__(self):
        return 'status %d\n%s%s' % (self.status, self.out, self.err)


def rows(table, *args, root=None, now=None, positions=None, output=None,
         limited=False, most=None, wrap=(), timeout=60):
    command = list(wrap) + [ROWS]
    for option, value in (('-r', root), ('-n', now), ('-p', positions),
                          ('-c', output), ('-m', most)):
        if value is not None:
            command += [option, str(value)]
    if limited:
        command.append('-l')
    got = subprocess.run(command + [table] + [str(a) for a in args],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=timeout)
    return Answer(got.returncode, got.stdout.decode('utf-8', 'replace'),
                  got.stderr.decode('utf-8', 'replace'))


class Root:
    """A folder with files in it, gone at the end."""

    def __init__(self, **files):
        self.path = tempfile.mkdtemp(prefix='picket-root.')
        for name, text in files.items():
            self.put(name, text)

    def put(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def damaged(text, random):
    """One of the ways a text can be wrong: cut, a line without its end, a
    byte changed, a column gone, a number that is huge or less than 0."""
    text = bytearray(text)
    for _ in range(random.randrange(1, 4)):
        if not text:
            break
        at = random.randrange(len(text))
        kind = random.randrange(7)
        if kind == 0:
            del text[at:]
        elif kind == 1:
            text[at] = random.randrange(256)
        elif kind == 2:
            del text[at:at + random.randrange(1, 30)]
        elif kind == 3:
            text[at:at] = b'99999999999999999999999999'
        elif kind == 4:
            text[at:at] = b'-'
        elif kind == 5:
            text[at:at] = bytes([random.choice(b'\0\n \t\\"(){}[]<>,:=\xff')]) \
                * random.choice((1, 3, 200))
        else:
            text[at:at] = bytes(text[at:at + 60])
    return bytes(text)


def number(text):
    return None if text is None else float(text)
