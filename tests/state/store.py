"""What the tests of the state share: runs of a script in a folder of its own
with a state of its own."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time

PICKET = os.environ['PICKET']
SAN = 'PICKET_SANITIZERS' in os.environ

COUNT = '''
Count
	begin
		output "was #{%n}"
		set #n = #value($arg(1))
'''


class Place:
    """A folder with a script, and a state beside it."""

    def __init__(self, text=COUNT):
        self.at = tempfile.mkdtemp()
        os.chmod(self.at, 0o755)
        self.state = os.path.join(self.at, 'st')
        self.folder = os.path.join(self.state, 'picket')
        self.db = os.path.join(self.folder, 'state.db')
        self.script(text)

    def script(self, text):
        with open(os.path.join(self.at, 's.pikt'), 'w') as f:
            f.write(text)

    def file(self, name, text):
        with open(os.path.join(self.at, name), 'w') as f:
            f.write(text)

    def start(self, *args, before=(), options=(), more=None, user=None):
        env = dict(os.environ, HOME=self.at, XDG_STATE_HOME=self.state)
        env.update(more or {})
        words = list(before) + [PICKET, 'run', '--color', 'never', '--mail',
                                'stdout'] + list(options) + ['s.pikt']

        def become():
            os.setgid(user)
            os.setuid(user)
        return subprocess.Popen(words + list(args), cwd=self.at, env=env,
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                preexec_fn=become if user else None)

    def run(self, *args, **how):
        """(status, output, what was said)"""
        p = self.start(*args, **how)
        out, err = p.communicate(timeout=120)
        return p.returncode, out.decode('latin-1'), err.decode('latin-1')

    def measured(self, *args, **how):
        """(output, MiB of the larger of picket and its store, seconds)"""
        start = time.monotonic()
        p = self.start(*args, **how)
        out = p.stdout.read().decode('latin-1')
        err = p.stderr.read().decode('latin-1')
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = status
        return (out + err, used.ru_maxrss / 1024, time.monotonic() - start)

    def sql(self, text, *args):
        db = sqlite3.connect(self.db)
        try:
            rows = db.execute(text, args).fetchall()
            db.commit()
            return rows
        finally:
            db.close()

    def remove(self):
        shutil.rmtree(self.at, ignore_errors=True)
