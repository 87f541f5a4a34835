#!/usr/bin/env python3
# runner: timeout=600
"""What is left of a damaged state is saved: garbage over each page of a real
file in turn, held against a reader of pages of our own that says which rows
are on it; headers, ends, rings and hostile rows; and the store does it by
itself when it meets the damage."""

import glob
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import end, skip, tell			# noqa: E402
from store import SAN, Place			# noqa: E402

SALVAGE = os.path.join(os.environ['BUILDDIR'], 'tests/state/salvage')
PAGE = 4096
random.seed(4)
NOW = 1790000000


# --- pages, as sqlite.org/fileformat2.html has them ---

class Pages:
    def __init__(self, path):
        with open(path, 'rb') as f:
            self.data = f.read()
        self.n = len(self.data) // PAGE

    def page(self, n):
        return self.data[(n - 1) * PAGE:n * PAGE]

    def number(self, n, at, size):
        return int.from_bytes(self.page(n)[at:at + size], 'big')

    def varint(self, text, at):
        v = 0
        for i in range(9):
            b = text[at]
            at += 1
            if i == 8:
                return v << 8 | b, at
            v = v << 7 | b & 0x7f
            if b < 0x80:
                return v, at

    def rows(self, root):
        """id -> the pages that the row is on"""
        base = 100 if root == 1 else 0
        page = self.page(root)
        cells = [self.number(root, base + (12 if page[base] == 5 else 8) +
                             2 * i, 2)
                 for i in range(self.number(root, base + 3, 2))]
        got = {}
        if page[base] == 5:
            for c in cells:
                got.update(self.rows(self.number(root, c, 4)))
            got.update(self.rows(self.number(root, base + 8, 4)))
            return got
        assert page[base] == 13, (root, page[base])
        for c in cells:
            size, at = self.varint(page, c)
            ident, at = self.varint(page, at)
            on = [root]
            if size > PAGE - 35:
                least = (PAGE - 12) * 32 // 255 - 23
                local = least + (size - least) % (PAGE - 4)
                if local > PAGE - 35:
                    local = least
                left = size - local
                n = self.number(root, at + local, 4)
                while left > 0:
                    on.append(n)
                    left -= PAGE - 4
                    n = self.number(n, 0, 4)
            got[ident] = on
        return got


# --- a file ---

def blob(*text):
    return ' '.join(str(t) for t in text).encode()


def fill(db):
    """Rows of all tables on many pages; some that were deleted, on free
    ones."""
    con = sqlite3.connect(db)
    many = con.executemany
    many('INSERT INTO owner VALUES (?, ?, ?, 5, 4, ?, ?, 1, 0)',
         [(i, b'Hourly', blob('Script', i), b'', NOW) for i in range(2, 90)])
    many('INSERT INTO line VALUES (?, ?, ?, 4, ?)',
         [(i, 2 + i % 50, blob('key', i), NOW + .5) for i in range(1, 900)])
    many('INSERT INTO value VALUES (?, ?, ?, ?)',
         [(1 + i // 3, blob('$v', i % 3), b'', b'x' * 40)
          for i in range(2600)])
    many('INSERT INTO value VALUES (?, ?, ?, ?)',
         [(-i, b'#n', b'', 1 if i == 5 else blob(i)) for i in range(2, 90)])
    many('INSERT INTO position VALUES (?, ?, ?)',
         [(2 + i % 88, blob('/var/log/', i), b'p' * 60) for i in range(300)])
    many('INSERT INTO series VALUES (?, ?, ?, 100)',
         [(i, 2 + i, blob('load', i)) for i in range(1, 9)])
    many('INSERT INTO point VALUES (?, ?, ?)',
         [(1 + i % 8, NOW + i, i / 3) for i in range(800)])
    many('INSERT INTO taken (id) VALUES (?)', [(blob('taken', i),)
                                               for i in range(300)])
    many('INSERT INTO run (run, alert, origin, began, ended, result, level, '
         'due, reason, lines, pid) VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)',
         [(blob('run', i), b'Hourly', b'/etc', NOW + i, NOW + i + .5, b'ok',
           NOW + i if i % 3 else None, b'scheduled', i % 7, 1000 + i)
          for i in range(300)])
    many('INSERT INTO incident (key, id, alert, script, state, told, since, '
         'message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
         [(blob('key:', i), blob('id', i), b'Hourly', b'Script 3', i % 3,
           0, NOW + i, b'm' * 50) for i in range(120)])
    many('INSERT INTO history (time, key, episode, what, who, text, notice) '
         'VALUES (?, ?, 1, ?, ?, ?, ?)',
         [(NOW + i, blob('key:', i), b'firing', b'', b'', b'')
          for i in range(400)])
    many('INSERT INTO silence (pattern, made, until, ended, who, why) VALUES '
         '(?, ?, ?, 0, ?, ?)',
         [(blob('disk:', i), NOW, NOW + 3600, b'olga', b'y' * 200)
          for i in range(60)])
    many('INSERT INTO notice (notice, run, alert, level, made, subject, '
         'sender, message, body, json) VALUES (?, ?, ?, 3, ?, ?, ?, ?, ?, ?)',
         [(blob('n', i), blob('run', i), b'Hourly', NOW + i, b'subject',
           b'root', random.randbytes(random.choice((50, 900, 9000))),
           random.randbytes(random.choice((20, 3000))), b'{}')
          for i in range(90)])
    many('INSERT INTO outbox (key, notice, way, rcpt, first, route, due, '
         'made, since, tries, state, urgent, fold, why) VALUES (?, ?, ?, ?, '
         '?, ?, ?, ?, ?, ?, ?, 0, 0, ?)',
         [(blob('n', i // 2 % 90, 'k', i), blob('n', i // 2 % 90), b'mail',
           b'a@example.org\nb@example.org', b'', b'', NOW + i, NOW + i + .25,
           NOW, i % 4, 0, b'w' * (i % 90)) for i in range(400)])
    many('INSERT INTO delivery (time, notice, way, rcpt, transport, outcome, '
         'why) VALUES (?, ?, ?, ?, ?, ?, ?)',
         [(NOW + i, blob('n', i), b'mail', b'a@example.org', b'smtp', b'ok',
           b'') for i in range(300)])
    many('INSERT OR REPLACE INTO meta VALUES (?, ?)',
         [(blob('ways:', i), b'to a@example.org\n' * 5) for i in range(120)])
    con.commit()
    # what was sent: on pages that are free, and still there
    con.execute('DELETE FROM outbox WHERE id BETWEEN 100 AND 299')
    con.execute('DELETE FROM silence WHERE id > 40')
    con.commit()
    free = con.execute('PRAGMA freelist_count').fetchone()[0]
    con.close()
    return free


TABLES = ('incident silence notice outbox delivery run taken history meta '
          'owner line value position series point').split()


def content(db):
    con = sqlite3.connect(db)
    got = {}
    for t in TABLES:
        got[t] = set(con.execute('SELECT %s* FROM %s' % (
            'rowid, ' if t == 'point' else '', t)))
    # the word for whoever tells is the store's own
    got['word'] = [r[1].decode() for r in got['meta'] if r[0] == b'damaged']
    got['meta'] = {r for r in got['meta'] if r[0] != b'damaged'}
    got['seq'] = dict(con.execute('SELECT name, seq FROM sqlite_sequence'))
    got['fine'] = con.execute('PRAGMA integrity_check').fetchall() == [
        ('ok',)] and con.execute('PRAGMA user_version').fetchone() == (3,)
    roots = dict(con.execute('SELECT name, rootpage FROM sqlite_master'))
    con.close()
    return got, roots


def ids(rows):
    return {r[0] for r in rows}


place = Place()
place.run('1')
free = fill(place.db)
with open(place.db, 'rb') as f:
    GOOD = f.read()
was, roots = content(place.db)
pages = Pages(place.db)
on = {t: pages.rows(roots[t]) for t in TABLES if t not in (
    'value', 'position')}
con = sqlite3.connect(place.db)
for t in ('incident', 'meta'):		# by their keys
    key = {r[0]: r[1] for r in con.execute('SELECT rowid, * FROM ' + t)}
    on[t] = {key[i]: p for i, p in on[t].items()}
con.close()
tell(free > 2 and pages.n > 150 and all(set(on[t]) == ids(was[t])
                                        for t in on) and
     any(len(p) > 2 for p in on['notice'].values()),
     'a real file: %d pages, %d of them free' % (pages.n, free),
     {t: (len(on[t]), len(was[t])) for t in on})

bad = place.at + '/bad.db'
new = place.at + '/new.db'


def salvage(text, journal=None, seconds=60):
    """What was said, what there is; the damaged file stays as it is."""
    for f in glob.glob(new + '*') + glob.glob(bad + '*'):
        os.unlink(f)
    with open(bad, 'wb') as f:
        f.write(text)
    if journal is not None:
        with open(bad + '-wal', 'wb') as f:
            f.write(journal)
    p = subprocess.run([SALVAGE, bad, new], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=seconds)
    with open(bad, 'rb') as f:
        same = f.read() == text
    if journal is not None:
        with open(bad + '-wal', 'rb') as f:
            same = same and f.read() == journal
    if p.returncode != 0 or not same or os.path.exists(new + '-wal'):
        return 'status %d, same %s: %s' % (p.returncode, same,
                                           p.stdout.decode()), None
    return p.stdout.decode(), content(new)[0]


def garbage(page, how):
    at = (page - 1) * PAGE
    return GOOD[:at] + how + GOOD[at + PAGE:]


said, got = salvage(GOOD)
tell({**got, 'word': []} == was and got['word'] == [said[:-1]],
     'a file that is well: all of it', said)
tell('saved: 80 open incidents, 200 mails that wait, 40 silences, 89 '
     "scripts' values\n" == said, 'and it is said', said)

# --- each page in turn ---

HOWS = (('random', lambda: random.randbytes(PAGE)),
        ('zeros', lambda: b'\0' * PAGE), ('ff', lambda: b'\xff' * PAGE),
        ('half', None))
wrong, partial = [], 0
for n in range(1, pages.n + 1):
    for name, how in HOWS:
        if name == 'half':
            old = pages.page(n)
            text = garbage(n, old[:PAGE // 2] + random.randbytes(PAGE // 2))
        else:
            text = garbage(n, how())
        if name != 'random' and n % 4:
            continue
        said, got = salvage(text)
        if got is None or not got['fine']:
            wrong.append((n, name, 'no file', said))
            continue
        for t in on:
            whole = {i for i, p in on[t].items() if n not in p}
            have = ids(got[t])
            # of what belongs to others only what they left
            if t in ('line', 'series', 'point'):
                continue
            lost = whole - have
            new_rows = have - ids(was[t])
            if name == 'half' and t in ('incident', 'meta'):
                new_rows = {}	# half a key is another key
            if lost:
                wrong.append((n, name, t, 'lost', sorted(lost)[:5], said))
            # a row that was deleted is never mail that waits
            if new_rows and (t != 'outbox' or any(
                    r[0] in new_rows and r[11] != 2 for r in got[t])):
                wrong.append((n, name, t, 'came back',
                              sorted(new_rows)[:5], said))
        # what is there is as it was, but for the damage itself
        for t in ('notice', 'incident', 'silence', 'history', 'owner'):
            odd = {r for r in got[t] - was[t]
                   if n not in on[t].get(r[0], [n])}
            if odd:
                wrong.append((n, name, t, 'another', sorted(odd)[0][:3]))
        orphan = {r for r in got['outbox'] if r[11] != 2 and
                  r[2] not in {k[1] for k in got['notice']}}
        if orphan:
            wrong.append((n, name, 'mail without its text waits'))
        if 'could not be read' in said:
            partial += 1
tell(not wrong and partial > pages.n, 'garbage over each page in turn: every '
     'row that is not on it is saved', len(wrong), partial,
     *[str(w) for w in wrong[:20]])

# --- headers, ends, other files ---

for what, text in (
        ('the first bytes', b'no database here' + GOOD[16:]),
        ('the whole header', random.randbytes(100) + GOOD[100:]),
        ('the first page', random.randbytes(PAGE) + GOOD[PAGE:])):
    said, got = salvage(text)
    tell(got is not None and got['fine'] and
         ids(got['notice']) == ids(was['notice']) and
         ids(got['outbox']) >= ids(was['outbox']) and
         got['incident'] == was['incident'] and all(
             r[11] == 2 for r in got['outbox']),
         what + ': incidents and mail are there, and what may have been sent '
         'is not sent again', said)
for what, text in (('nothing', b''), ('text', b'once a file\n' * 1000),
                   ('zeros', b'\0' * 100000),
                   ('garbage', random.randbytes(300000))):
    said, got = salvage(text)
    tell(got is not None and got['fine'] and not got['notice'] and
         said.startswith('saved: nothing'), what + ': an empty one', said)
wrong = []
for cut in [random.randrange(len(GOOD)) for _ in range(20)]:
    said, got = salvage(GOOD[:cut])
    left = cut // PAGE
    for t in ('notice', 'outbox', 'incident', 'silence'):
        whole = {i for i, p in on[t].items() if max(p) <= left}
        if got is None or not got['fine'] or whole - ids(got[t]):
            wrong.append((cut, t, said))
tell(not wrong, 'its end cut off', *wrong[:5])

# --- what a killed store left in the journal ---

live = place.at + '/live.db'
shutil.copy(place.db, live)
con = sqlite3.connect(live)
con.execute('PRAGMA wal_autocheckpoint = 0')
con.execute("INSERT INTO notice (notice, run, alert, level, made) VALUES "
            "(x'61', x'62', x'63', 2, 5)")
con.commit()
with open(live, 'rb') as f:
    text = f.read()
with open(live + '-wal', 'rb') as f:
    journal = f.read()
con.close()
said, got = salvage(text, journal)
tell(got is not None and any(r[1] == b'a' for r in got['notice']),
     'what was in the journal alone is saved', said)

# --- made to hurt ---

# an inner page whose children are all itself, or its parent: no end
inner = [n for n in range(2, pages.n + 1) if pages.page(n)[0] == 5]
wrong = []
for n in inner:
    page = bytearray(pages.page(n))
    cells = int.from_bytes(page[3:5], 'big')
    for to in (n, roots['notice'], roots['outbox']):
        for i in range(cells):
            at = int.from_bytes(page[12 + 2 * i:14 + 2 * i], 'big')
            page[at:at + 4] = to.to_bytes(4, 'big')
        page[8:12] = to.to_bytes(4, 'big')
        start = time.monotonic()
        said, got = salvage(garbage(n, bytes(page)))
        if got is None or not got['fine'] or time.monotonic() - start > 20 \
                or ids(got['notice']) != ids(was['notice']):
            wrong.append((n, to, said))
tell(len(inner) > 3 and not wrong, 'pages that lead in a ring', len(inner),
     *wrong)

# a chain that goes on in itself, and one that claims gigabytes
first = next(p for p in on['notice'].values() if len(p) > 2)
page = first[1].to_bytes(4, 'big') + pages.page(first[1])[4:]
said, got = salvage(garbage(first[1], page))
tell(got is not None and got['fine'] and
     len(got['notice']) >= len(was['notice']) - 1, 'a chain in a ring', said)
text = bytearray(GOOD)
at = (roots['outbox'] - 1) * PAGE
leaf = on['outbox'][1][0]
at = (leaf - 1) * PAGE
cell = int.from_bytes(text[at + 8:at + 10], 'big')
text[at + cell:at + cell + 9] = b'\xff' * 9
said, got = salvage(bytes(text))
tell(got is not None and got['fine'] and
     len(ids(was['outbox']) - ids(got['outbox'])) <= 1,
     'a row that claims to have all the memory', said)

# views and triggers of somebody else in the place of tables
con = sqlite3.connect(live)
con.execute('DROP TABLE silence')
con.execute('CREATE VIEW silence AS WITH RECURSIVE x(n) AS (SELECT 1 UNION '
            'ALL SELECT n FROM x) SELECT n AS id, x\'61\' AS pattern FROM x')
con.execute('PRAGMA wal_checkpoint(TRUNCATE)')
con.close()
with open(live, 'rb') as f:
    text = f.read()
start = time.monotonic()
said, got = salvage(text)
tell(got is not None and got['notice'] >= was['notice'] and
     not got['silence'] and time.monotonic() - start < 20,
     'an endless view is not read', said)

# rows that are none of ours, and ids that would leave none for the next
con = sqlite3.connect(place.db)
con.execute("INSERT INTO outbox SELECT 9223372036854775806, x'39', notice, "
            'way, rcpt, first, route, due, made, since, tries, state, urgent,'
            ' fold, why FROM outbox WHERE id = 1')
con.execute("UPDATE sqlite_sequence SET seq = 9223372036854775806")
con.execute("UPDATE outbox SET state = 77, fold = -5 WHERE id = 2")
con.execute("UPDATE outbox SET rcpt = 5 WHERE id = 3")
con.execute("UPDATE outbox SET due = 9e999 WHERE id = 4")
con.execute("UPDATE notice SET level = -3 WHERE id = 1")
con.execute("UPDATE incident SET state = x'00ff' WHERE key = ?", (b'key: 1',))
con.commit()
con.close()
with open(place.db, 'rb') as f:
    text = f.read()
with open(place.db, 'wb') as f:
    f.write(GOOD)
said, got = salvage(text)
tell(got is not None and ids(got['outbox']) == ids(was['outbox']) - {3, 4} and
     [r[11:14] for r in got['outbox'] if r[0] == 2] == [(0, 0, 0)] and
     [r[4] for r in got['notice'] if r[0] == 1] == [3] and
     got['seq']['outbox'] == 400 and
     len(got['incident']) == len(was['incident']) - 1,
     'rows that cannot be are left out, or made what they can be', said)

# bits, anywhere
wrong = []
for k in range(60 if SAN else 300):
    text = bytearray(GOOD)
    for _ in range(random.choice((1, 5, 200))):
        text[random.randrange(len(text))] = random.randrange(256)
    said, got = salvage(bytes(text))
    if got is None or not got['fine']:
        wrong.append((k, said))
tell(not wrong, 'single bytes, anywhere', *wrong[:5])

# --- by the store itself ---

for t in ('incident', 'silence', 'notice', 'outbox', 'meta', 'run', 'owner'):
    with open(place.db, 'wb') as f:
        f.write(garbage(roots[t], b'\xa5' * PAGE))
    for f in glob.glob(place.db + '.corrupt.*'):
        os.unlink(f)
    err = ''
    for args in ('outbox',), ('deliver',):
        p = subprocess.run(
            [os.environ['PICKET'], *args], cwd=place.at,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=200,
            env=dict(os.environ, HOME=place.at, XDG_STATE_HOME=place.state))
        err += p.stderr.decode('latin-1')
        if args == ('outbox',):
            tell(not glob.glob(place.db + '.*corrupt*'),
                 'a page of %s: what only reads leaves it there' % t, err)
    err += place.run('1')[2]
    kept = [k for k in glob.glob(place.db + '.corrupt.*')
            if not k.endswith('-wal')]
    said = re.search(r'is damaged: it is kept as (\S+) and begun anew; saved: '
                     r'(.*); could not be read as a whole: (.*)', err)
    got = content(place.db)[0]
    tell(said is not None and kept == [said.group(1)] and
         Pages(kept[0]).page(roots[t]) == b'\xa5' * PAGE and got['fine'] and
         len(got['notice']) >= 89 and len(got['outbox']) >= 200 and
         len(got['silence']) == 40 and len(got['incident']) == 120 and
         len(got['run']) >= 300 and not got['word'],
         'a page of %s: the store saves what is left' % t, err, kept,
         {k: len(got[k]) for k in TABLES})
place.remove()
end()
