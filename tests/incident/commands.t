#!/usr/bin/env python3
"""picket incidents, why, ack, silence, unsilence, silences: what they show and
change, and what is said of what cannot be.  The rows are put in by hand."""

import json
import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import tempfile

from tap import end, tell

PICKET = os.environ['PICKET']
NOW = 1700000000			# 2023-11-14 22:13:20 UTC


class Place:
    def __init__(self):
        self.at = tempfile.mkdtemp()
        os.chmod(self.at, 0o700)
        self.now = NOW
        self.file = os.path.join(self.at, 'picket/state.db')
        with open(os.path.join(self.at, 'picket.conf'), 'w') as f:
            f.write('mailto root@example.org\nhostname moscow\n')
        os.chmod(os.path.join(self.at, 'picket.conf'), 0o600)

    def run(self, *words, **env):
        env = dict(os.environ, XDG_STATE_HOME=self.at, TZ='UTC',
                   PICKET_CLOCK=str(self.now), **env)
        env.pop('NO_COLOR', None)
        r = subprocess.run([PICKET, words[0], '--config', self.at,
                            *words[1:]],
                           env=env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return r.returncode, r.stdout.decode(), r.stderr.decode()

    def sql(self, text, *values):
        with sqlite3.connect(self.file) as db:
            rows = db.execute(text, values).fetchall()
        db.close()
        return rows

    def put(self, key, **fields):
        fields = dict(dict(id='%08x' % (abs(hash(key)) % 2 ** 32), alert='mx',
                           script='Queue', state=2, episode=1, level=2,
                           since=NOW - 60, seen=NOW - 60, fired=NOW - 60),
                      key=key, **fields)
        self.sql('INSERT INTO incident (%s) VALUES (%s)' % (
            ', '.join(fields), ', '.join('?' * len(fields))),
            *(x.encode() if isinstance(x, str) else x
              for x in fields.values()))


def eq(got, want, what):
    tell(got == want, what, 'got:  %r' % (got,), 'want: %r' % (want,))


def like(got, status, pattern, what):
    out = got[1] + got[2]
    tell(got[0] == status and re.search(pattern, out, re.S), what,
         'status %d, wanted %d and %s' % (got[0], status, pattern), out)


# --- nothing yet ---
p = Place()
eq(p.run('incidents'), (0, 'no incidents\n', ''), 'an empty store says so')
eq(p.run('incidents', '--all'), (0, 'there was no incident yet\n', ''),
   'of all, too')
eq(p.run('silences'), (0, 'nothing is silenced\n', ''), 'no silences')
eq(json.loads(p.run('incidents', '--json')[1]), {'incidents': []}, 'as JSON')
tell(not os.path.exists(p.file), 'and asking makes no store')
like(p.run('why', 'x'), 1, "no incident 'x': there are none at all",
     'why of nothing')
like(p.run('ack', 'x'), 1, "no incident 'x'", 'ack of nothing')

# --- wrong words ---
for words, status, says in [
        (('ack',), 2, 'ack wants the key or the id'),
        (('silence',), 2, 'silence wants one pattern'),
        (('silence', 'a', '--why', 'x'), 2, 'wants an end: --for 2h or'),
        (('silence', 'a', '--for', '2h'), 2, 'wants a reason'),
        (('silence', 'a', '--for', '2h', '--until', '22:00', '--why', 'x'), 2,
         'not both'),
        (('silence', 'a', '--for', 'long', '--why', 'x'), 2,
         "--for wants a duration such as 2h or 90m, not 'long'"),
        (('silence', 'a', '--for', '0', '--why', 'x'), 2, '--for wants'),
        (('silence', 'a', '--for', '401d', '--why', 'x'), 2, '400 days'),
        (('silence', 'a', '--until', 'noon', '--why', 'x'), 2,
         "--until wants a time such as .*, not 'noon'"),
        (('silence', 'a', '--until', '2020-01-01 00:00', '--why', 'x'), 2,
         'is over already'),
        (('silence', 'a', '--until', '2026-01-01 00:00', '--why', 'x'), 2,
         'more than 400 days'),
        (('silence', 'a', '--for', '2h', '--why', ''), 2, '--why wants 1 to'),
        (('silence', 'x' * 1001, '--for', '2h', '--why', 'x'), 2, '1 to 1000'),
        (('silence', 'a', 'b', '--for', '2h', '--why', 'x'), 2, 'one pattern'),
        (('unsilence',), 2, 'unsilence wants'),
        (('unsilence', 's1'), 1, "no silence 's1' holds"),
        (('why',), 2, 'why wants'),
        (('incidents', 'a', 'b'), 2, "takes one argument, not 'b'"),
        (('silences', 'a'), 2, "takes no arguments, not 'a'"),
        (('incidents', '--config', '/none'), 1, '/none/picket.conf: No such'),
        (('incidents', '--for', '2h'), 2, 'unknown option')]:
    like(p.run(*words), status, says, ' '.join(words)[:60])

# --- silences ---
me = os.environ.get('SUDO_USER', '') if os.getuid() == 0 else ''
me = me or pwd.getpwuid(os.getuid()).pw_name
eq(p.run('silence', 'other:*', '--for', '90m', '--why', 'it\'s moved'),
   (0, 'silence s1 of other:* until 23:43 (1h 30m)\n'
       '  nothing of that name lasts now\n', ''), 'a silence')
eq(p.run('silences')[1],
   "ID     PATTERN  END                     WHO: WHY\n"
   "s1     other:*  until 23:43             %s: it's moved\n" % me, 'is shown')
p.put('mxqueue:moscow', id='3fa2b1c9', message='MX moscow has many queued '
      'messages: 5210', evidence='#queued >= 5000 (#queued = 5210)',
      place='mx.pikt:14', origin='/etc/picket', hold=120, remind=14400,
      since=NOW - 9300, fired=NOW - 9180,
      done='exec wait: /usr/sbin/postqueue -f', told=1)
p.put('disk:/var', id='3fa20000', level=1, message='\x1b[31m/var is full\nquite')
p.put('load', state=1, since=NOW - 5)
p.put('swap', inhibited='disk:/var', unless='disk:/var', level=4)
p.put('ntp', flapping=1, level=4, change1=NOW - 5, change2=NOW - 6,
      change3=NOW - 7)
p.put('dns', unknown=2, level=4)
p.put('gone', state=0, ended=NOW - 100, how=2, fired=NOW - 400)
p.put('blind', state=0, episode=0, unknown=3, fired=0)
out = p.run('incidents')[1]
eq([re.split('  +', x)[:2] + [x.split()[-1]] for x in out.split('\n')
    if x and x[0] != ' '],
   [['LEVEL', 'STATE', 'KEY'], ['urgent', 'firing', 'disk:/var'],
    ['critical', 'firing', 'mxqueue:moscow'], ['warning', 'unknown', 'dns'],
    ['warning', 'flapping', 'ntp'], ['warning', 'inhibited', 'swap'],
    ['critical', 'pending', 'load'], ['critical', 'unknown', 'blind']],
   'worst first')
tell('critical  firing     2h 33m  3fa2b1c9  mxqueue:moscow\n'
     '    MX moscow has many queued messages: 5210\n' in out,
     'in columns, with what it says', out)
tell(r'    \x1b[31m/var is full\nquite' in out, 'a message is harmless', out)
tell('    not told of while disk:/var fires\n' in out, 'who inhibits it', out)
like(p.run('incidents', '--all'), 0, 'not seen any more +1m 40s +.{8} +gone',
     'with those that are over')
eq(p.run('incidents', 'nix'), (1, 'no such incident lasts\n', ''),
   'a pattern that nothing fits')
like(p.run('incidents', 'mx*'), 0, '^[^\n]*\n[^\n]*mxqueue:moscow\n[^\n]*\n$',
     'a pattern')
tell('\x1b[1;31mfiring' in p.run('incidents', '--color', 'always')[1],
     'in colours')
tell('\x1b' not in out, 'only on a terminal')
got = {x['key']: x for x in
       json.loads(p.run('incidents', '--json', '--all')[1])['incidents']}
eq({k: got['mxqueue:moscow'][k] for k in
    ('id', 'state', 'shown', 'level', 'duration', 'acknowledged', 'silences',
     'told', 'place')},
   dict(id='3fa2b1c9', state='firing', shown='firing', level='critical',
        duration=9180, acknowledged=None, silences=[], told=True,
        place='mx.pikt:14'), 'as JSON')

# --- ack ---
like(p.run('ack', 'mxqueu:moscow'), 1, r"there is no incident 'mxqueu:moscow';"
     r" did you mean 'mxqueue:moscow'\?", 'the nearest key is named')
like(p.run('ack', '3fa2'), 1, 'more than one', 'half an id that is not enough')
like(p.run('ack', '3f'), 1, 'no incident', 'too little of an id')
like(p.run('ack', 'gone'), 1, 'gone does not fire: it ended 1m 40s ago',
     'what is over')
like(p.run('ack', 'load'), 1, 'has not lasted long enough', 'what is pending')
like(p.run('ack', 'blind'), 1, 'has never fired', 'what never fired')
eq(p.run('ack', '3fa2b1', '--why', 'looking', SUDO_USER='ann')[0], 0,
   'ack by the beginning of the id')
eq(p.sql('SELECT acked, acked_at, acked_why FROM incident WHERE key = ?',
         b'mxqueue:moscow'), [(1, NOW, b'looking')], 'is kept')
by = 'ann' if os.getuid() == 0 else me
eq(p.sql('SELECT time, episode, what, who, text FROM history WHERE key = ? '
         'AND notice = ?', b'mxqueue:moscow', b''),
   [(NOW, 1, b'acknowledged', by.encode(), b'looking')], 'and its history')
eq(p.run('ack', 'mxqueue:moscow'),
   (0, 'mxqueue:moscow was acknowledged by %s at 22:13 already\n' % by, ''),
   'once is enough')
like(p.run('incidents'), 0, 'acknowledged +2h 33m.*acknowledged by %s at '
     '22:13: looking' % by, 'it is shown')
like(p.run('ack', 'dns', 'nix'), 1, "dns is ackn.*no incident 'nix'",
     'what can be is done')

# --- silence, unsilence ---
p.now += 60
like(p.run('silence', 'd*', '--until', '23:00', '--why', 'known'), 0,
     'silence s2 of d\\* until 23:00 .45m 40s.\n'
     '  silenced: disk:/var\n|  acknowledged: dns', 'silence what lasts')
like(p.run('incidents'), 0, 'silenced.*silenced until 23:00 by %s .s2.: known'
     % me, 'it is shown')
eq([x[0] for x in p.sql('SELECT key FROM history WHERE what = ? ORDER BY key',
                        b'silenced')],
   [b'disk:/var', b'dns'], 'in the history of each')
like(p.run('silence', '3fa2b1c9', '--until', '2023-12-01 12:00', '--why', 'x'),
     0, 's3 of 3fa2b1c9 until 2023-12-01 12:00', 'by id')
eq(len(json.loads(p.run('silences', '--json')[1])['silences']), 3, 'three')
like(p.run('unsilence', 's2', 'd*'), 1, "silence s2 of d. is over.*"
     "no silence 'd\\*' holds", 'it is ended once')
like(p.run('unsilence', '3fa2b1c9'), 0, 's3 of 3fa2b1c9 is over',
     'by its pattern')
p.now += 90 * 60
eq(p.run('silences')[1], 'nothing is silenced\n', 'time ends the rest')
like(p.run('silences', '--all'), 0, 's3 .*ended 2.*s2 .*s1 .*ended',
     'all that there were')

# --- what changes is told at once ---
eq([x[0] for x in p.sql('SELECT DISTINCT what FROM history WHERE key = ? AND '
                        'notice <> ?', b'mxqueue:moscow', b'')],
   [b'acknowledged'], 'an ack is told, once')
eq(p.sql('SELECT count(*) FROM history WHERE key = ? AND notice <> ?',
         b'disk:/var', b''), [(2,)], 'its onset, and that it lasts when the '
   'silence is over')

# --- why ---
for row in ((NOW - 9180, 1, 'firing', '', 'many: 5210', ''),
            (NOW - 9179, 1, 'firing', '', 'many: 5210', 'run7.1@moscow')):
    p.sql('INSERT INTO history (time, key, episode, what, who, text, notice) '
          'VALUES (?, ?, ?, ?, ?, ?, ?)', row[0], b'mxqueue:moscow', row[1],
          *(x.encode() for x in row[2:]))
p.sql('INSERT INTO history (time, key, episode, what, who, text, notice) '
      'VALUES (?, ?, 1, ?, ?, ?, ?)', p.now, b'mxqueue:moscow', b'resolved',
      b'', b'', b'')
p.sql('INSERT INTO notice (notice, run, alert, level, made, subject, sender, '
      'message, body, json) VALUES (?, ?, ?, 2, ?, ?, ?, ?, ?, ?)',
      b'run7.1@moscow', b'run7', b'mx', NOW - 9179, b'PIKT Alert', b's@x',
      b'm', b'[firing] many\n  more\n', b'{}')
p.sql('INSERT INTO delivery (time, notice, way, rcpt, transport, outcome, why)'
      ' VALUES (?, ?, ?, ?, ?, ?, ?)', NOW - 9170, b'run7.1@moscow', b'mail',
      b'ann@example.org', b'smtp:mx', b'sent', b'250 taken')
p.sql('INSERT INTO outbox (key, notice, way, rcpt, first, route, due, made, '
      'since, tries, state, urgent, fold, why) VALUES '
      '(?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0, 0, ?)', b'k', b'run7.1@moscow',
      b'fallback', b'bob@example.org', b'', b'', p.now + 9, NOW, NOW,
      b'refused')
if shutil.which('bash'):
    def complete(*words):
        """What bash offers for the last of these words."""
        return subprocess.run(
            ['bash', '-c', 'eval "$("$0" completion bash)"; '
             'COMP_WORDS=("$0" "$@") COMP_CWORD=$#; _picket; '
             'echo "${COMPREPLY[*]}"', PICKET, *words],
            env=dict(os.environ, XDG_STATE_HOME=p.at,
                     PICKET_CLOCK=str(NOW)), stdout=subprocess.PIPE,
            universal_newlines=True).stdout.strip()

    eq((complete('ack', '3fa2b'), complete('why', '3fa2b'),
        complete('unsilence', 's1')), ('3fa2b1c9', '3fa2b1c9', 's1'),
       'completion of ids')
got = p.run('why', '3fa2b1c9')
like(got, 0, '^mxqueue:moscow  id 3fa2b1c9  critical\n'
     '    says      MX moscow has many queued messages: 5210\n', 'why of an id')
for part in (r'is +acknowledged; it fires since 19:40, for 4h 4m; it has '
             r'fired once\n', 'rule +mx.pikt:14',
             r'values +#queued >= 5000 \(#queued = 5210\)',
             'script +Queue of alert mx, from /etc/picket',
             'hold +fires when it has lasted 2m', 'remind +again each 4h',
             'done +exec wait: /usr/sbin/postqueue -f',
             'acknowledged by %s at .*: looking' % by,
             r'2023-11-14 19:40  firing: many: 5210\n',
             r'  told: firing: many: 5210, in\n +run7.1@moscow\n',
             'silenced by %s: until 2023-12-01 12:00: x' % me,
             'unsilenced by %s: s3' % me, 'resolved after 4h 4m',
             'sent by smtp:mx to ann@example.org: 250 taken',
             'waits by fallback to bob@example.org: refused'):
    tell(re.search(part, got[1]), 'why says ' + part, got[1])
for name in ('run7.1@moscow', '<run7.1@moscow>', 'run7'):
    like(p.run('why', name), 0, r'notice run7.1@moscow\n.*subject +PIKT Alert.*'
         r'told +\[firing\] many\n +more\n.*copies of run7.1@moscow\n'
         r'.*sent by smtp:mx', 'why of ' + name)
got = json.loads(p.run('why', '--json', 'mxqueue:moscow')[1])
eq((got['incident']['id'], [x['what'] for x in got['history']][-1],
    got['history'][-1]['duration'],
    [len(x['copies']) for x in got['notices'] if x['id'][:5] == 'run7.']),
   ('3fa2b1c9', 'resolved', p.now - NOW + 9180, [2]), 'as JSON')
got = json.loads(p.run('why', '--json', 'run7')[1])
eq([(x['subject'], len(x['copies'])) for x in got['notices']],
   [('PIKT Alert', 2)], 'a run as JSON')
like(p.run('why', 'nothing'), 1, "there is no incident 'nothing'", 'nothing')

# --- a store that cannot be asked ---
with open(p.file, 'r+b') as f:
    os.chmod(p.file, 0o600)
p.sql('PRAGMA user_version = 99')
for command in (('incidents',), ('why', 'x'), ('ack', 'x'), ('silences',),
                ('silence', 'a', '--for', '1h', '--why', 'x'),
                ('unsilence', 'a')):
    like(p.run(*command), 1, 'newer', command[0] + ' of a newer store')
end()
