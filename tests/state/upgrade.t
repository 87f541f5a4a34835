#!/usr/bin/env python3
# runner: timeout=240
"""A file of an older version becomes one of this: a copy first, all at once,
or not at all."""

import glob
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import end, skip, tell			# noqa: E402
from served import Served, base			# noqa: E402

ROWS = os.path.join(os.environ['BUILDDIR'], 'tests/state/rows')
SAN = 'PICKET_SANITIZERS' in os.environ
at = tempfile.mkdtemp()

# As the first Picket with a state wrote it.
VERSION_1 = '''
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE owner ( id INTEGER PRIMARY KEY, alert BLOB NOT NULL, script BLOB NOT NULL, runs INTEGER NOT NULL DEFAULT 0, good INTEGER NOT NULL DEFAULT 0, last BLOB, names BLOB, UNIQUE (alert, script));
CREATE TABLE line ( id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key BLOB NOT NULL, seen INTEGER NOT NULL, time REAL NOT NULL, UNIQUE (owner, key));
CREATE TABLE value ( line INTEGER NOT NULL, name BLOB NOT NULL, element BLOB NOT NULL, text BLOB, PRIMARY KEY (line, name, element)) WITHOUT ROWID;
CREATE TABLE position ( owner INTEGER NOT NULL, name BLOB NOT NULL, position BLOB NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID;
CREATE TABLE series ( id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, name BLOB NOT NULL, points INTEGER NOT NULL DEFAULT 0, UNIQUE (owner, name));
CREATE TABLE point ( series INTEGER NOT NULL, time REAL NOT NULL, value REAL NOT NULL);
CREATE INDEX point_time ON point (series, time);
PRAGMA application_id = 1885954923;
PRAGMA user_version = 1;
INSERT INTO owner VALUES (1, x'72756e', x'526f7773', 5, 4, x'31', NULL);
INSERT INTO value VALUES (-1, x'2478', x'', x'6f6c64');
INSERT INTO line VALUES (1, 1, x'6b', 4, 1.5);
COMMIT;
'''
# As the first Picket with incidents wrote it, with runs, an incident and a
# notice of it.
VERSION_2 = '''
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE owner ( id INTEGER PRIMARY KEY, alert BLOB NOT NULL, script
BLOB NOT NULL, runs INTEGER NOT NULL DEFAULT 0, good INTEGER NOT NULL
DEFAULT 0, names BLOB, last_time REAL, last_good INTEGER, bad INTEGER NOT
NULL DEFAULT 0, UNIQUE (alert, script));
CREATE TABLE line ( id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key BLOB
NOT NULL, seen INTEGER NOT NULL, time REAL NOT NULL, UNIQUE (owner, key));
CREATE TABLE value ( line INTEGER NOT NULL, name BLOB NOT NULL, element BLOB
NOT NULL, text BLOB, PRIMARY KEY (line, name, element)) WITHOUT ROWID;
CREATE TABLE position ( owner INTEGER NOT NULL, name BLOB NOT NULL, position
BLOB NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID;
CREATE TABLE series ( id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, name
BLOB NOT NULL, points INTEGER NOT NULL DEFAULT 0, UNIQUE (owner, name));
CREATE TABLE point ( series INTEGER NOT NULL, time REAL NOT NULL, value REAL
NOT NULL);
CREATE INDEX point_time ON point (series, time);
CREATE TABLE taken (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE run ( id INTEGER PRIMARY KEY, run BLOB NOT NULL UNIQUE, alert
BLOB, origin BLOB, began REAL, ended REAL, result BLOB, level REAL);
CREATE INDEX run_alert ON run (alert);
CREATE TABLE incident (key BLOB PRIMARY KEY, "id" BLOB DEFAULT x'', "alert"
BLOB DEFAULT x'', "script" BLOB DEFAULT x'', "origin" BLOB DEFAULT x'',
"state" REAL DEFAULT 0, "episode" REAL DEFAULT 0, "level" REAL DEFAULT 0,
"since" REAL DEFAULT 0, "fired" REAL DEFAULT 0, "ended" REAL DEFAULT 0,
"how" REAL DEFAULT 0, "seen" REAL DEFAULT 0, "hold" REAL DEFAULT 0, "remind"
REAL DEFAULT 0, "absent" REAL DEFAULT 0, "missed" REAL DEFAULT 0, "unknown"
REAL DEFAULT 0, "blind" REAL DEFAULT 0, "unless" BLOB DEFAULT x'',
"inhibited" BLOB DEFAULT x'', "message" BLOB DEFAULT x'', "evidence" BLOB
DEFAULT x'', "place" BLOB DEFAULT x'', "affects" REAL DEFAULT 0, "done" BLOB
DEFAULT x'', "change1" REAL DEFAULT 0, "change2" REAL DEFAULT 0, "change3"
REAL DEFAULT 0, "change4" REAL DEFAULT 0, "change5" REAL DEFAULT 0,
"change6" REAL DEFAULT 0, "flapping" REAL DEFAULT 0, "told" REAL DEFAULT 0,
"told_at" REAL DEFAULT 0, "told_onset" REAL DEFAULT 0, "told_fired" REAL
DEFAULT 0, "told_held" REAL DEFAULT 0, "told_unknown" REAL DEFAULT 0,
"told_flapping" REAL DEFAULT 0, "told_ack" REAL DEFAULT 0, "escalated" REAL
DEFAULT 0, "thread" BLOB DEFAULT x'', "acked" REAL DEFAULT 0, "acked_at"
REAL DEFAULT 0, "acked_by" BLOB DEFAULT x'', "acked_why" BLOB DEFAULT x'');
CREATE INDEX incident_owner ON incident (alert, script);
CREATE INDEX incident_id ON incident (id);
CREATE INDEX incident_open ON incident (key) WHERE state <> 0 OR told <> 0;
CREATE VIEW incidents AS SELECT key, "id", "alert", "script", "origin",
"state", "episode", "level", "since", "fired", "ended", "how", "seen",
"hold", "remind", "absent", "missed", "unknown", "blind", "unless",
"inhibited", "message", "evidence", "place", "affects", "done", "change1",
"change2", "change3", "change4", "change5", "change6", "flapping", "told",
"told_at", "told_onset", "told_fired", "told_held", "told_unknown",
"told_flapping", "told_ack", "escalated", "thread", "acked", "acked_at",
"acked_by", "acked_why" FROM incident;
CREATE TABLE history ( id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL, key
BLOB, episode REAL, what BLOB, who BLOB, text BLOB, notice BLOB);
CREATE INDEX history_key ON history (key);
CREATE TABLE silence ( id INTEGER PRIMARY KEY AUTOINCREMENT, pattern BLOB,
made REAL, until REAL, ended REAL, who BLOB, why BLOB);
CREATE TABLE notice ( id INTEGER PRIMARY KEY, notice BLOB NOT NULL UNIQUE,
run BLOB, alert BLOB, level REAL, made REAL, subject BLOB, sender BLOB,
message BLOB, body BLOB, json BLOB);
CREATE TABLE outbox ( id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT
NULL UNIQUE, notice BLOB NOT NULL, way BLOB NOT NULL, rcpt BLOB NOT NULL,
first BLOB NOT NULL, route BLOB NOT NULL, due REAL NOT NULL, made REAL NOT
NULL, since REAL NOT NULL, tries REAL NOT NULL, state INTEGER NOT NULL,
urgent INTEGER NOT NULL, fold INTEGER NOT NULL, why BLOB NOT NULL);
CREATE INDEX outbox_due ON outbox (due);
CREATE INDEX outbox_notice ON outbox (notice);
CREATE TABLE delivery ( id INTEGER PRIMARY KEY, time REAL, notice BLOB, way
BLOB, rcpt BLOB, transport BLOB, outcome BLOB, why BLOB);
CREATE INDEX delivery_notice ON delivery (notice);
CREATE INDEX delivery_rcpt ON delivery (rcpt, time);
CREATE TABLE meta (name BLOB PRIMARY KEY, value BLOB);
PRAGMA application_id = 1885954923;
PRAGMA user_version = 2;
INSERT INTO owner (id, alert, script, runs, good) VALUES
(1, x'72756e', x'526f7773', 5, 4);
INSERT INTO value VALUES (-1, x'2478', x'', x'6f6c64');
INSERT INTO incident (key, id, alert, script, state, message) VALUES
(x'6b6579', x'6964', x'616c', x'536372', 2, x'6d');
INSERT INTO meta VALUES (x'312e30', x'78');
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000)
INSERT INTO run (run, alert, origin, began, ended, result) SELECT
CAST('r' || x AS BLOB), CAST('al' || (x % 10) AS BLOB), x'2f', x, x + 1,
x'6f6b' FROM n;
COMMIT;
'''
ROWS_OF_IT = ['owner', 'line', 'value', 'position', 'series', 'point']


def make(db, more=0, text=VERSION_1):
    os.makedirs(os.path.dirname(db), exist_ok=True)
    con = sqlite3.connect(db)
    con.executescript(text)
    for i in range(more):
        con.execute('INSERT INTO point VALUES (1, ?, 2)', (i,))
    con.commit()
    con.close()
    os.chmod(db, 0o600)


def rows(db, *args, **env):
    got = subprocess.run([ROWS, db] + [str(a) for a in args],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=dict(os.environ, **env), timeout=100)
    return got.stdout.decode('latin-1') + got.stderr.decode('latin-1')


def sql(db, text):
    con = sqlite3.connect(db)
    try:
        return con.execute(text).fetchall()
    finally:
        con.close()


def version(db):
    return sql(db, 'PRAGMA user_version')[0][0]


def copies(db, of=1):
    return [n for n in sorted(glob.glob(db + '.v%d.*' % of))
            if re.search(r'\d{8}T\d{6}Z(\.\d+)?$', n)]


def fine(db, of):
    """Whether it is a whole file of that version with what was in it."""
    names = {n for n, in sql(db, 'SELECT name FROM sqlite_master')}
    return sql(db, 'PRAGMA integrity_check') == [('ok',)] and \
        version(db) == of and ('incident' in names) == (of > 1) and \
        sql(db, 'SELECT runs, good FROM owner WHERE id = 1')[0] >= (5, 4) \
        and (of > 1 or sql(db, 'SELECT count(*) FROM line') == [(1,)])


db = os.path.join(at, 'a', 'state.db')
make(db, 1000)
before = open(db, 'rb').read()
tell(rows(db, 'kept') == 'x=old\n', 'version 1 is read')
tell(rows(db, 'count', 1) == '0\n', 'and has no rows of later ones')
tell(rows(db, 'kept', ROWS_READ_ONLY='1') == 'x=old\n', 'by a dry run, too')
tell(open(db, 'rb').read() == before and not copies(db) and
     os.listdir(at + '/a') == ['state.db'],
     'who only reads changes nothing', os.listdir(at + '/a'))
old = os.umask(0)
tell(rows(db, 'put', 1, 5, 10, 'durable') == 'ok\n', 'a commit upgrades it')
os.umask(old)
made = copies(db)
tell(len(made) == 1 and re.search(r'state\.db\.v1\.\d{8}T\d{6}Z$', made[0]) and
     stat.S_IMODE(os.stat(made[0]).st_mode) == 0o600 and
     not glob.glob(db + '*.part'), 'with a copy, for the user alone', made)
tell(fine(made[0], 1) and sql(made[0], 'SELECT * FROM value') ==
     [(-1, b'$x', b'', b'old')] and
     sql(made[0], 'SELECT count(*) FROM point') == [(1000,)],
     'that has all')
tell(fine(db, 3) and rows(db, 'kept') == 'x=old\n' and
     rows(db, 'count', 1) == '6\n' and
     sql(db, 'SELECT count(*) FROM point') == [(1000,)],
     'nothing of it is lost')
tell(rows(db, 'keep', 'new') == 'ok\n' and rows(db, 'kept') == 'x=new\n' and
     len(copies(db)) == 1, 'and it goes on; one copy was made')

# a new file has the same tables
other = os.path.join(at, 'b', 'state.db')
rows(other, 'put', 1, 1, 1)
SCHEMA = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
tell(sql(other, SCHEMA) == sql(db, SCHEMA), 'a new file has the same tables')


def tables(db):
    return [''.join(t.split()) for _, _, t in sql(db, SCHEMA) if t]


# version 2: what it has is seen before anything has been written, for who asks
# for incidents and gets none would tell of them anew
db = os.path.join(at, 'v2', 'state.db')
make(db, 0, VERSION_2)
before = open(db, 'rb').read()
tell(rows(db, 'kept') == 'x=old\n' and rows(db, 'incidents') == '1\n' and
     rows(db, 'count', 1) == '1\n' and rows(db, 'runs', 'al1') == '',
     'version 2 is read, but for what it does not have',
     rows(db, 'incidents'), rows(db, 'runs', 'al1'))
tell(open(db, 'rb').read() == before and os.listdir(at + '/v2') ==
     ['state.db'], 'and not changed')
tell(rows(db, 'put', 1, 5, 10, 'durable') == 'ok\n' and version(db) == 3 and
     len(copies(db, 2)) == 1 and version(copies(db, 2)[0]) == 2 and
     tables(db) == tables(other),
     'a commit upgrades it, with a copy')
tell(rows(db, 'runs', 'al1') == ''.join(
    'r%d al1 / ok - - - - -\n' % x for x in range(1991, 1971, -10)) and
     rows(db, 'incidents') == '1\n' and
     sql(db, 'SELECT count(*), count(due) FROM run') == [(2000, 0)],
     'nothing of it is lost', rows(db, 'runs', 'al1'))

# picketd's store does it when it starts
v = Served('served', start=False)
make(v.db, 100)
v.start()
tell(v.rows('kept') == 'x=old\n' and v.rows('runs', 'x') == '' and
     len(copies(v.db)) == 1 and fine(copies(v.db)[0], 1) and fine(v.db, 3),
     'picketd\'s store upgrades when it starts', v.said())
v.kill(signal.SIGTERM)
shutil.rmtree(base)

# copies are never written over
names = []
for k in range(3):
    make_again = os.path.join(at, 'c', 'state.db')
    if os.path.exists(make_again):
        os.unlink(make_again)
    make(make_again, k)
    rows(make_again, 'keep', 'x')
    names = copies(make_again)
tell(len(names) == 3 and
     {sql(n, 'SELECT count(*) FROM point')[0][0] for n in names} == {0, 1, 2},
     'three upgrades, three copies', names)

# what a copy that was begun left, or somebody put there
db = os.path.join(at, 'd', 'state.db')
make(db)
victim = os.path.join(at, 'd', 'victim')
open(victim, 'w').write('mine')
os.symlink(victim, db + '.v1.part')
tell(rows(db, 'keep', 'x') == 'ok\n' and open(victim).read() == 'mine' and
     fine(db, 3), 'a link in the place of the copy is not followed',
     os.listdir(at + '/d'), open(victim).read(), version(db))
db = os.path.join(at, 'e', 'state.db')
make(db)
os.makedirs(db + '.v1.part/x')
said = rows(db, 'keep', 'x')
tell(said.startswith('failed: ') and fine(db, 1) and
     rows(db, 'kept') == 'x=old\n', 'without a copy there is no upgrade', said)

# --- killed ---

if subprocess.run(['strace', '-o', '/dev/null', 'true'],
                  stderr=subprocess.DEVNULL).returncode == 0 and not SAN:
    libexec = os.path.join(at, 'libexec')
    os.mkdir(libexec)
    real = os.path.join(os.environ['PICKET_LIBEXEC'], 'picket-store')
    with open(os.path.join(libexec, 'picket-store'), 'w') as f:
        f.write('#!/bin/sh\nexec strace -o /dev/null -e trace="$CALLS" -e '
                'inject="$CALLS":signal=SIGKILL:when="$WHEN" %s\n' % real)
    os.chmod(f.name, 0o755)
    CALLS = 'pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename,openat'
    step = 1 if 'PICKET_LONG' in os.environ else 5
    wrong, seen, said = [], set(), ''
    for when in range(2, 1000, step):
        db = os.path.join(at, 'k%d' % when, 'state.db')
        make(db)
        said = rows(db, 'keep', 'new', PICKET_LIBEXEC=libexec, CALLS=CALLS,
                    WHEN=str(when))
        kept = rows(db, 'kept')
        is_now = version(db)
        seen.add(is_now)
        if not fine(db, is_now) or kept not in ('x=old\n', 'x=new\n') or \
                (said == 'ok\n' and kept == 'x=old\n') or \
                (is_now == 1 and kept != 'x=old\n') or \
                (is_now == 3 and not copies(db)) or \
                not all(fine(n, 1) for n in copies(db)) or \
                rows(db, 'keep', 'x') != 'ok\n' or not fine(db, 3):
            wrong.append((when, said, kept, is_now, os.listdir(
                os.path.dirname(db))))
        if said == 'ok\n':
            break
    tell(not wrong and said == 'ok\n' and seen == {1, 3}, 'an upgrade killed '
         'at each of its steps: version 1 or 3, and never between', seen, said,
         *wrong)
else:
    skip('killed', 'needs strace, and a store without sanitizers')

# --- disks ---

if subprocess.run(['unshare', '-m', 'true'], stderr=subprocess.DEVNULL
                  ).returncode == 0:
    source = os.path.join(at, 'source', 'state.db')
    make(source, 10000)
    for what, size in (('for the copy', 500), ('for the upgrade', 640)):
        got = subprocess.run(['unshare', '-m', 'sh', '-c', '''
            mount -t tmpfs -o size=%dk tmpfs "$2" || exit
            cp -p "$3" "$2/state.db" || exit
            "$1" "$2/state.db" keep new
            cmp "$3" "$2/state.db" && echo same
            "$1" "$2/state.db" kept
            ls "$2"''' % size, 'sh', ROWS, os.path.join(at, 'd'), source],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out = got.stdout.decode('latin-1')
        tell(re.match(r'failed: \S+: the disk is full: nothing was changed; '
                      r'make room there\n', out) and '\nx=old\n' in out and
             '.part' not in out and ('same\n' in out),
             'no room %s: refused, and version 1 goes on' % what,
             os.path.getsize(source), out)
        tell(('.v1.2' in out) == (size > 600), 'it was so', out)
else:
    skip('full disks', 'needs a mount namespace (unshare -m)')
subprocess.run(['rm', '-rf', at])
end()
