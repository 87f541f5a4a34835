#!/usr/bin/env python3
"""What a killed run had said and done is told by whoever comes next, once;
two runs of one alert are never at once; a script that is gone takes its
incidents with it; list shows the last runs; an alert's own webhook."""

import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import tap

PICKET = os.environ['PICKET']
TOP = os.path.realpath(os.environ.get('TMPDIR', '/tmp'))


class Site:
    def __init__(self, name, scripts, alerts, conf=''):
        self.dir = os.path.join(TOP, name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.box = self.dir + '/box'
        self.write('picket.conf', 'mailto root@localhost\nhostname moscow\n'
                   'file %s\n%s' % (self.box, conf))
        self.write('alarms.cfg', scripts)
        self.write('alerts.cfg', alerts)
        self.env = dict(os.environ, XDG_STATE_HOME=self.dir + '/state',
                        NO_COLOR='1')

    def write(self, name, text):
        with open(os.path.join(self.dir, name), 'w') as f:
            f.write(text)

    def start(self, *args):
        return subprocess.Popen([PICKET, args[0], '--config', self.dir] +
                                list(args[1:]), env=self.env,
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def run(self, *args):
        p = self.start(*args)
        out = p.communicate(timeout=60)[0].decode()
        return p.returncode, out

    def mail(self):
        """The mails of the box, which is then empty."""
        if not os.path.exists(self.box):
            return []
        with open(self.box) as f:
            text = f.read()
        os.unlink(self.box)
        return ['From ' + m for m in re.split(r'^From ', text, flags=re.M)[1:]]

    def until(self, path):
        for _ in range(2000):
            if os.path.exists(path):
                return True
            time.sleep(.01)
        return False


SLOW = '''Slow
	init
		level urgent
		task "Waits to be killed."
	begin
		output mail "said before"
		exec wait "/usr/bin/touch %(dir)s/mark"
		pause 30
		output mail "said after"
'''
ALERTS = '''Hourly
	timing 0 * * * *
	overlap %s
	alarms
		Slow
'''

# --- killed, then told of by the next run, or by deliver ---

for who in ('deliver', 'run'):
    s = Site('left-' + who, '', ALERTS % 'skip')
    s.write('alarms.cfg', SLOW % {'dir': s.dir})
    p = s.start('run', 'Hourly')
    ok = s.until(s.dir + '/mark')
    time.sleep(.1)
    p.kill()
    p.communicate()
    tap.tell(ok and not s.mail(), 'killed before it could tell')
    if who == 'run':	# its next run says nothing of its own
        s.write('alarms.cfg', 'Slow\n\tbegin\n\t\tset #n = 1\n')
        got = s.run('run', 'Hourly')
    else:
        got = s.run('deliver')
    mail = s.mail()
    tap.tell(got[0] == 0 and len(mail) == 1, who + ' tells of it', got, *mail)
    text = mail[0] if mail else ''
    tap.tell('URGENT:' in text and 'said before' in text and
             'interrupted' in text and 'touch' in text and
             'said after' not in text, who + ': what was said and done', text)
    tap.tell(not os.listdir(s.dir + '/state/picket/run'),
             who + ': its trail is gone')
    s.run('deliver')
    tap.tell(not s.mail(), who + ': once')

# --- two at once ---

for overlap, status in (('skip', 1), ('queue', 0)):
    s = Site('twice-' + overlap, '', ALERTS % overlap)
    s.write('alarms.cfg', (SLOW % {'dir': s.dir}).replace('30', '2'))
    p = s.start('run', 'Hourly')
    ok = s.until(s.dir + '/mark')
    begun = time.monotonic()
    got = s.run('run', 'Hourly')
    took = time.monotonic() - begun
    out = p.communicate()[0].decode()
    tap.tell(ok and p.returncode == 0 and got[0] == status and
             len(s.mail()) == 2 - status, 'overlap %s: a second run ends with '
             '%d' % (overlap, status), out, got)
    tap.tell(('Hourly' in got[1] and str(p.pid) in got[1]) if status else
             took > 2, 'overlap %s: %s' % (overlap, 'it says who runs'
             if status else 'it waits'), got, took)

# --- a script that is gone ---

INCIDENT = '''%s
	begin
		incident "one:%s"
			when	1 == 1
			message	"it is so"
		endincident
'''
TWO = 'Hourly\n\ttiming 0 * * * *\n\talarms\n\t\tA\n%s'
s = Site('gone', INCIDENT % ('A', 'a') + INCIDENT % ('B', 'b'),
         TWO % '\t\tB\n')
s.run('run', 'Hourly')
mail = s.mail()
tap.tell(len(mail) == 1 and mail[0].count('[firing]') == 2, 'both fire',
         *mail)
s.write('alerts.cfg', TWO % '')
s.write('alarms.cfg', INCIDENT % ('A', 'a') + 'B\n\tbegin\n\t\tset = 1\n')
got = s.run('run', 'Hourly')
tap.tell(not s.mail(), 'a site with errors: nothing is withdrawn', got)
s.write('alarms.cfg', INCIDENT % ('A', 'a'))
got = s.run('run', 'Hourly')
mail = s.mail()
tap.tell(len(mail) == 1 and '[withdrawn' in mail[0] and 'one:b' in mail[0] and
         'one:a' not in mail[0], 'its incident is withdrawn', got, *mail)
s.run('run', 'Hourly')
tap.tell(not s.mail(), 'once')

# --- list ---

got = s.run('list')
tap.tell(re.search(r'^    last    \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, ok after '
                   r'0\.\ds$', got[1], re.M), 'list shows the last run', got)
got = s.run('list', '--json')
last = json.loads(got[1])['alerts'][0].get('last', {})
tap.tell(last.get('result') == 'ok' and last['ended'] >= last['began'],
         'list --json, too', got)

# --- an alert's own webhook ---

posted = []


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        posted.append(json.loads(self.rfile.read(
            int(self.headers['Content-Length']))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
s = Site('hook', INCIDENT % ('A', 'a'), TWO.replace('\talarms', '\twebhook '
         '"http://127.0.0.1:%d/x"\n\talarms' % server.server_port) % '')
got = s.run('run', 'Hourly')
mail = s.mail()
tap.tell(got == (0, '') and len(mail) == 1 and len(posted) == 1 and
         posted[0]['changes'][0]['key'] == 'one:a',
         'the webhook of an alert gets it, and so does mail', got, posted,
         *mail)
s.write('alerts.cfg', TWO.replace('\talarms', '\twebhook "no url"\n\talarms') %
        '')
got = subprocess.run([PICKET, 'check', s.dir], stderr=subprocess.PIPE,
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     env=s.env)
tap.tell(got.returncode == 1 and b'alert Hourly: ' in got.stderr,
         'check sees a webhook that is none', got.stderr.decode())
tap.end()
