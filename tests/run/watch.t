#!/usr/bin/env python3
"""Bundled scripts that watch files, logs and services, over real ones: a
set-uid program that comes, changes and goes, files that change, a log that is
rotated, ports and pages of a server that ends."""

import http.server
import os
import shutil
import subprocess
import threading

from small import picket, write
from tap import end, skip, tell

HERE = os.getcwd()
ENV = {'XDG_STATE_HOME': HERE + '/state'}


def run(name, *macros):
    """The lines of its mail, without the head."""
    args = ['run', '--mail', 'stdout', name]
    for m in macros:
        args += ['-M', m]
    code, out, err = picket(*args, env=ENV)
    lines = [s.strip() for s in out.split('\n')]
    at = lines.index(name) + 2 if name in lines else len(lines)
    return code, [s for s in lines[at:] if s], err


def says(got, *parts, what):
    """Each line of the mail has its part; more detail of incidents may
    follow."""
    code, lines, err = got
    first = [s for s in lines if not s.startswith(('more:', 'silence:'))]
    ok = code == 0 and 'ERROR' not in err and all(
        any(p in s for s in first) for p in parts) and (
            parts or not lines)
    tell(ok, what, *got)


# --- set-uid programs ---
os.mkdir('programs')
for name in 'one', 'two':
    shutil.copy('/bin/true', 'programs/' + name)
    os.chmod('programs/' + name, 0o4755)
LIST = ('setuid_folders=%s/programs:/no/such/folder' % HERE,
        'setuid_odd=/nowhere/', 'writable_ignore=/nowhere/')
says(run('SetuidChanges', *LIST), what='set-uid: the first run remembers')
says(run('SetuidChanges', *LIST), what='the second has nothing to say')
shutil.copy('/bin/true', 'programs/three; id')
os.chmod('programs/three; id', 0o2755)
with open('programs/one', 'ab') as f:
    f.write(b'x')
os.chmod('programs/one', 0o4755)        # a write takes the bit
os.chmod('programs/two', 0o755)
write('programs/open', 'x')
os.chmod('programs/open', 0o666)
got = run('SetuidChanges', *LIST)
says(got, 'NEW %s/programs/three; id: mode 2755' % HERE,
     'CHANGED %s/programs/one: its content; mode 4755' % HERE,
     'not set-uid any more: %s/programs/two' % HERE,
     'now all may write to %s/programs/open: mode 666' % HERE,
     '[firing] all may write to 1 files', what='new, changed, not any more')
os.utime('programs/one', (1000000000, 1000000000))
os.unlink('programs/three; id')
says(run('SetuidChanges', *LIST), 'changed %s/programs/one: the content is '
     'what it was' % HERE, 'GONE %s/programs/three; id' % HERE,
     what='another time, and gone')
os.mkdir('other')
says(run('SetuidChanges', 'setuid_folders=%s/other' % HERE),
     'resolved', what='other folders: nothing is new or gone')

# --- watched files ---
write('etc/passwd', 'root\n')
write('etc/cron.d/job', 'x\n')
FILES = ('files_watched=%s/etc/passwd %s/etc/cron.d/*' % (HERE, HERE),)
says(run('FileChanges', *FILES), what='files: the first run remembers')
says(run('FileChanges', *FILES), what='no change')
with open('etc/passwd', 'a', encoding='ascii') as f:
    f.write('eve\n')
os.chmod('etc/passwd', 0o600)
os.unlink('etc/cron.d/job')
write('etc/cron.d/$(id)', 'x\n')
says(run('FileChanges', *FILES), 'etc/passwd has changed; its content, now 9 '
     'bytes', 'mode 600, was 644', 'etc/cron.d/job is gone',
     'etc/cron.d/$(id) is new', what='what has changed, once')
says(run('FileChanges', *FILES), what='and not again')

# --- a log, that is rotated ---
FAILED = ('Nov 23 11:59:0%d web sshd[%d]: Failed password for invalid user '
          'root from 198.51.100.9 port 1 ssh2 from 192.0.2.1 port 9 ssh2\n')
LOG = ('login_log=%s/auth.log' % HERE, 'login_address=5', 'login_success=5')
says(run('LoginFailures', *LOG), what='logins: no log, nothing said')
write('auth.log', FAILED % (0, 1))
says(run('LoginFailures', *LOG), what='the first run begins at its end')
with open('auth.log', 'a', encoding='ascii') as f:
    f.writelines(FAILED % (i, i) for i in range(3))
os.rename('auth.log', 'auth.log.1')
write('auth.log', ''.join(FAILED % (i, i) for i in range(3, 5)))
says(run('LoginFailures', *LOG), '[firing] 5 failed logins from 1 addresses, '
     '192.0.2.1 5 (1 users)', what='five over a rotation, of the right address')
with open('auth.log', 'a', encoding='ascii') as f:
    f.write('Nov 23 12:00:00 web sshd[9]: Accepted password for ann from '
            '192.0.2.1 port 9 ssh2\n')
says(run('LoginFailures', *LOG), 'LET IN after 5 failures: ann from 192.0.2.1',
     what='let in after failures of earlier runs')

# --- a server ---


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):                                   # noqa: N802
        self.send_response(200 if self.path == '/' else 403)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, format, *args):               # noqa: A002
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)
port = server.server_address[1]
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = 'http://127.0.0.1:%d/' % port
ASK = ('check_urls=%s %sadmin=403' % (URL, URL),
       'check_ports=127.0.0.1:%d' % port, 'check_wait=20s', 'check_slow=15s')
says(run('ServiceChecks', *ASK), what='services: all answer')
server.shutdown()
server.server_close()
says(run('ServiceChecks', *ASK), what='one bad run is none')
says(run('ServiceChecks', *ASK), '[firing] %s does not answer' % URL,
     '[firing] 127.0.0.1:%d does not answer' % port, what='two are')

# --- certificates ---
if shutil.which('openssl') == '/usr/bin/openssl':
    for days in 9, 300:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048',
                        '-nodes', '-keyout', 'key', '-out',
                        '%d $(id).pem' % days, '-days', str(days), '-subj',
                        '/CN=x'], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    write('no.pem', 'x')
    code, lines, err = run('CertDays', 'cert_files=%s/*.pem' % HERE)
    tell(code == 0 and len([s for s in lines if 'firing' in s]) == 1 and
         '/9 $(id).pem ends in ' in lines[0] and 'ERROR' not in err,
         'a certificate that ends soon, in a file with an odd name', code,
         lines, err)
else:
    skip('certificates in files', 'no openssl')

# --- backups ---
write('backup/1', 'x' * 1000)
write('backup/2', 'x' * 100)
os.utime('backup/1', (1000000000, 1000000000))
says(run('BackupOld', 'backups=%s/backup/* 26h, %s/none/* 3h' % (HERE, HERE)),
     'backup/2 has 100 bytes, the one before 1000',
     'there is no file %s/none/*' % HERE, what='a backup too small, one missing')
end()
