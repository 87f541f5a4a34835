#!/usr/bin/env python3
"""Random sequences through picket itself: run, ack, silence, unsilence and
deliver, each a process of its own, with the real store and a virtual clock,
against the reference; some runs are killed at a moment of chance, and have been
or have not, but nothing between.  What was told is read from the history, by those rows
that name a notice.  MODEL_SEED repeats a run.
"""
# runner: timeout=300 long-timeout=3000

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
import reference		# noqa: E402
from model import make		# noqa: E402
from tap import end, tell	# noqa: E402

PICKET = os.environ['PICKET']
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
COUNT = 200 if LONG else 10
SEED = int(os.environ.get('MODEL_SEED', '') or random.randrange(10 ** 9))
WHAT = {'1': 'firing', '2': 'still firing', '3': 'resolved', '5': 'flapping',
        '6': 'acknowledged'}
NODATA = 'nodata:run/Watch'
reference.ESCALATIONS = ()


def script(says):
    text = ('Watch\n\tinit\n\t\tlevel urgent\n\t\tinput file "in"\n'
            '\t\tdat $k 1\n\t\tdat #w 2\n\t\tdat #u 3\n'
            '\trule\n\t\tassert $k ne "stop" "stopped"\n')
    for key, (hold, remind, absent, has_until, unless) in says.items():
        text += '\trule\n\t\tif $k eq "%s"\n\t\t\tincident "%s"\n' % (key, key)
        text += '\t\t\t\twhen #w == 1\n'
        if has_until:
            text += '\t\t\t\tuntil #u == 1\n'
        if hold:
            text += '\t\t\t\thold %ds\n' % hold
        if remind:
            text += '\t\t\t\tremind %ds\n' % remind
        if absent:
            text += '\t\t\t\tabsent %d\n' % absent
        if unless != '-':
            text += '\t\t\t\tunless "%s"\n' % unless
        text += '\t\t\t\tmessage "%s is bad"\n' % key
        text += '\t\t\tendincident\n\t\tendif\n'
    return text


class Place:
    def __init__(self):
        self.at = tempfile.mkdtemp()
        self.seen = 0
        self.write('picket.conf', 'hostname moscow\nmailto root@example.org\n'
                   'null\n')

    def write(self, name, text):
        path = os.path.join(self.at, name)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, 0o600)

    def picket(self, now, *words):
        env = dict(os.environ, XDG_STATE_HOME=self.at, PICKET_CLOCK=str(now))
        r = subprocess.run([PICKET, words[0], '--config', self.at,
                            *words[1:]], env=env, cwd=self.at,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=120)
        return r.returncode, r.stdout.decode()

    def killed(self, now, after, *words):
        env = dict(os.environ, XDG_STATE_HOME=self.at, PICKET_CLOCK=str(now))
        r = subprocess.Popen([PICKET, words[0], '--config', self.at,
                              *words[1:]], env=env, cwd=self.at,
                             stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(after)
        r.kill()
        r.wait()

    def runs(self):
        path = os.path.join(self.at, 'picket/state.db')
        if not os.path.exists(path):
            return 0
        db = sqlite3.connect(path)
        # what is killed has a row that says so, and has not been
        n = db.execute("SELECT count(*) FROM run WHERE result <> "
                       "CAST('interrupted' AS BLOB)").fetchone()[0]
        db.close()
        return n

    def states(self):
        path = os.path.join(self.at, 'picket/state.db')
        rows = {}
        if os.path.exists(path):
            db = sqlite3.connect(path)
            rows = {k.decode(): '%d.%d' % (s, e) for k, s, e in db.execute(
                'SELECT key, state, episode FROM incident')}
            db.close()
        return [rows.get(k, '0.0') for k in ('a', 'b', 'c', NODATA)]

    def news(self):
        """What was told since the last time."""
        path = os.path.join(self.at, 'picket/state.db')
        if not os.path.exists(path):
            return []
        db = sqlite3.connect(path)
        rows = db.execute('SELECT id, key, what, notice FROM history WHERE '
                          'id > ? ORDER BY id', (self.seen,)).fetchall()
        db.close()
        self.seen = max([self.seen] + [r[0] for r in rows])
        out = [(k.decode(), w.decode()) for _, k, w, n in rows if n]
        return sorted((k, 'resolved' if w in ('not seen any more', 'resolved')
                       else w) for k, w in out)


def told(line):
    out = []
    for one in line.partition('| ')[0].split():
        key, kind, _ = one.rsplit(':', 2)
        out.append((NODATA if key.startswith('nodata') else key, WHAT[kind]))
    return sorted(out)


def usable(rng, ops):
    """What has a counterpart here: no windows, no NIL, no parts of input."""
    out = []
    for op in ops:
        w = op.split()
        if w[0] in ('window', 'remove', 'restart'):
            continue
        if w[0] == 'run':
            op = 'run %s 1 %d %s' % (w[1], rng.random() > .15,
                                     ' '.join(w[4:]).replace('n', '0'))
        out.append(op)
    return out


def go(rng, ops):
    """The first thing that is not as the reference has it, or None."""
    p, site, says = Place(), reference.Site(), {}
    for number, op in enumerate(ops):
        w = op.split()
        want = out = ''
        status, good = 0, (0,)
        if w[0] == 'set':
            says[w[1]] = (int(w[2]), int(w[3]), int(w[4]), w[5] == '1', w[6])
            site.watch[w[1]].script = says[w[1]]
            if len(says) == 3:
                p.write('w.pikt', script(says))
            continue
        if w[0] == 'clock':
            site.now += int(w[1])
            continue
        if w[0] == 'run':
            seen = [s.split(':') for s in w[4:]]
            facts = (w[1] == '1', True,
                     [(k, x == '1', u == '1') for k, x, u in seen])
            p.write('in', ''.join('%s %s %s\n' % tuple(s) for s in seen) +
                    ('' if w[1] == '1' else 'stop 0 0\n'))
            if w[3] == '0':
                # it has been, or it has not; then time goes on
                runs = p.runs()
                p.killed(site.now, rng.random() * .06, 'run', 'w.pikt')
                p.picket(site.now, 'deliver')
                if p.runs() > runs:
                    want = site.run(*facts)
                else:
                    want = site.tick()
                got, states = p.news(), p.states()
                if (got, states) != (told(want), want.split('| ')[1].split()):
                    return '%d: killed, %d of %d runs kept: %s: told %s %s, ' \
                        'should be %s' % (number, p.runs(), runs + 1, op, got,
                                          states, want)
                continue
            status, out = p.picket(site.now, 'run', 'w.pikt')
            want = site.run(*facts)
            good = (0,) if w[1] == '1' else (1,)
        elif w[0] == 'tick':
            status, out = p.picket(site.now, 'deliver')
            want = site.tick()
        elif w[0] == 'ack':
            fires = site.watch[w[1]].current()
            new = fires and not fires.acked
            status, out = p.picket(site.now, 'ack', w[1])
            site.ack(w[1])
            good = (0,) if fires else (1,)
            want = site.tick() if new else ''
        elif w[0] == 'silence':
            pattern = w[1].replace('nodata*', 'nodata:*')
            status, out = p.picket(site.now, 'silence', pattern, '--for',
                                   w[2] + 's', '--why', 'test')
            site.silences.append((w[1], site.now, int(w[2])))
            want = site.tick()
        elif w[0] == 'unsilence':
            n = int(w[1])
            status, out = p.picket(site.now, 'unsilence', 's%d' % (n + 1))
            good = (0, 1)
            if n < len(site.silences):
                site.silences[n] = ('', 0, 0)
            want = site.tick() if status == 0 else ''
        got = p.news()
        if got != told(want) or status not in good:
            return '%d: %s: told %s, should be %s; status %d\n%s' % (
                number, op, got, told(want), status, out)
    shutil.rmtree(p.at)
    return None


def main():
    for i in range(COUNT):
        rng = random.Random('real/%d/%d' % (SEED, i))
        ops = usable(rng, make(rng))
        why = go(rng, ops)
        tell(why is None, 'sequence %d of seed %d, %d operations' % (
            i, SEED, len(ops)), why, '\n'.join(ops))
    end()


if __name__ == '__main__':
    main()
