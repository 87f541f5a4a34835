"""What the tests of the outbox share: a place with a state and a picket.conf,
put (tests/deliver/put.c), and picket's commands under a clock of our own."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import tempfile

from delivery import TMP, LIMIT, slurp

PICKET = os.environ['PICKET']
PUT = os.path.join(os.environ.get('BUILDDIR', '.'), 'tests/deliver/put')
START = 1000000000


taken = []


def dead_port():
    """One where nobody listens, and nobody else will."""
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    taken.append(s)
    return s.getsockname()[1]


class Place:
    def __init__(self, *lines):
        self.at = tempfile.mkdtemp(dir=TMP)
        os.chmod(self.at, 0o700)
        self.state = os.path.join(self.at, 'picket')
        self.clock = None
        self.conf(*lines)

    def conf(self, *lines):
        path = os.path.join(self.at, 'picket.conf')
        with open(path, 'w') as f:
            f.write('mailto root@example.org\nhostname moscow\n'
                    'mailfrom picket@example.org\n' +
                    ''.join(x + '\n' for x in lines))
        os.chmod(path, 0o600)

    def env(self):
        env = dict(os.environ, XDG_STATE_HOME=self.at)
        if self.clock is not None:
            env['PICKET_CLOCK'] = str(self.clock)
        return env

    def start(self, *words):
        return subprocess.Popen(words, env=self.env(), cwd=self.at,
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def done(self, *words):
        """(status, what it said)"""
        p = self.start(*words)
        out, err = p.communicate(timeout=LIMIT)
        return p.returncode, (out + err).decode('utf-8')

    def put(self, ident, **words):
        status, said = self.done(PUT, self.state,
                                 os.path.join(self.at, 'picket.conf'), ident,
                                 *('%s=%s' % x for x in words.items()))
        assert status == 0, said
        return said

    def picket(self, command, *words):
        return self.done(PICKET, command, '--color', 'never', '--config',
                         self.at, *words)

    def deliver(self, *words):
        return self.picket('deliver', *words)

    def rows(self):
        """Those of the outbox, by their way."""
        status, said = self.picket('outbox', '--json')
        assert said.startswith('{'), said
        return json.loads(said)['waiting']

    def whys(self):
        return [(x['way'], x['state'], x['why']) for x in self.rows()]

    def sql(self, text, *args):
        db = sqlite3.connect(os.path.join(self.state, 'state.db'))
        try:
            got = db.execute(text, args).fetchall()
            db.commit()
            return got
        finally:
            db.close()


WATCH = '''Watch
	init
		level critical
		input file "%s/in"
		dat $k 1
		dat #w 2
	rule
		incident "$k"
			when #w > 5
			message "$k is bad"
		endincident
'''


class Host(Place):
    """One with a script of incidents and mailbox files."""

    def __init__(self, *lines):
        super().__init__()
        self.clock = START
        self.conf(*lines)
        self.write('watch.pikt', WATCH % self.at)

    def write(self, name, text):
        path = os.path.join(self.at, name)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, 0o600)

    def conf(self, *lines):
        super().conf(*(x.replace('DIR', self.at) for x in lines))

    def run(self, **values):
        self.write('in', ''.join('%s %d\n' % x for x in values.items()))
        return self.picket('run', os.path.join(self.at, 'watch.pikt'))

    def told(self, box):
        """What a box has got since it was looked at: "[firing] a"."""
        path = os.path.join(self.at, box)
        if not os.path.exists(path):
            return []
        got = re.findall(r'^ +\[(.*?)\] (\w+) is bad$', slurp(path).decode(),
                         re.M)
        os.unlink(path)
        return ['%s: %s' % x[::-1] for x in got]

    def after(self, seconds):
        self.clock += seconds
        status, said = self.deliver()
        assert status == 0, said


def subjects(mails):
    """Of the mails of a Relay, or of texts."""
    got = []
    for m in mails:
        text = getattr(m, 'content', m)
        for line in text.split(b'\n'):
            if line.startswith(b'Subject: '):
                got.append(line[9:].strip().decode())
                break
    return got
