#!/usr/bin/env python3
"""picket-runner last: what was due last, by the rows of runs that have ended
and the trails of those that go on, or were killed."""

import os
import signal
import subprocess
import time

from tap import end, tell

PICKET = os.environ['PICKET']
RUNNER = os.environ['PICKET_LIBEXEC'] + '/picket-runner'
STATE = os.path.abspath('state')
ENV = dict(os.environ, XDG_STATE_HOME=os.path.abspath('xdg'))


def write(path, text):
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)
    os.chmod(path, 0o644)


def start(image, role, *args):
    with open(image, 'rb') as f:
        return subprocess.Popen(
            ['sh', '-c', 'exec "$@" 3<&0 </dev/null', 'sh', RUNNER, role,
             '--state', STATE] + list(args), stdin=f, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=ENV)


def runner(image, role, *args):
    p = start(image, role, *args)
    out, err = p.communicate(timeout=60)
    return p.returncode, out.decode(), err.decode()


os.umask(0o022)
os.mkdir('site')
os.mkdir(STATE, 0o700)
write('site/picket.conf', 'file %s/mail\n' % os.getcwd())
write('site/alerts.cfg', 'Quick every 1m alarms Quick\n'
      'Slow every 1m alarms Slow\n')
write('site/alarms.cfg', 'Quick begin set #n = 1\n'
      'Slow begin exec wait "touch %s/up" exec wait "sleep 60"\n'
      'Own init every 1h begin set #n = 1\n' % os.getcwd())
p = subprocess.run([PICKET, 'compile', '--site', '--config', 'site', '--state',
                    STATE, '-o', 'site.img'], env=ENV, stdin=subprocess.DEVNULL,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
tell(p.returncode == 0, 'the site', p.stdout)
code, out, err = runner('site.img', 'last')
tell(code == 0 and out == '', 'nothing was due yet', code, out, err)
for entry, due in ((0, '1000000060'), (0, '1000000120.328125'),
                   (0, '1000000000'), (2, '1000000000')):
    code, out, err = runner('site.img', 'run', '--entry', str(entry), '--due',
                            due, '--reason', 'scheduled')
    tell(code == 0, 'entry %d, due %s' % (entry, due), out, err)
code, out, err = runner('site.img', 'run', '--entry', '0')
tell(code == 0, 'one by hand, which is due by no time', out, err)
want = ['1000000000 Own', '1000000120.328125 Quick']
code, out, err = runner('site.img', 'last')
tell(code == 0 and sorted(out.splitlines()) == want,
     'the last of each, fractions and all', out, err)
slow = start('site.img', 'run', '--entry', '1', '--due', '1000000180')
for _ in range(300):
    if os.path.exists('up'):
        break
    time.sleep(0.1)
code, out, err = runner('site.img', 'last')
tell(code == 0 and sorted(out.splitlines()) == want[:1] +
     ['1000000120.328125 Quick', '1000000180 Slow'],
     'and of a run that goes on', out, err)
slow.send_signal(signal.SIGKILL)
slow.wait()
code, out, err = runner('site.img', 'last')
tell(code == 0 and '1000000180 Slow\n' in out, 'and was killed', out, err)
code, out, err = runner('site.img', 'left')
code, out, err = runner('site.img', 'last')
tell(code == 0 and out.count('1000000180 Slow\n') == 1,
     'and has been told of', out, err)

# images that are none
write('bad.img', 'nonsense')
whole = open('site.img', 'rb').read()
with open('cut.img', 'wb') as f:
    f.write(whole[:-1])
with open('old.img', 'wb') as f:
    f.write(whole[:8] + b'\0' + whole[9:])
for image, why in (('bad.img', 'is no image of a site'),
                   ('cut.img', 'is cut short'),
                   ('old.img', 'was written by another version of Picket: '
                    'write it again')):
    code, out, err = runner(image, 'last')
    tell(code == 1 and err == "the site's image %s\n" % why and out == '',
         image + ': ' + why, err)
    code, out, err = runner(image, 'run', '--entry', '0')
    tell(code == 1 and why in err, 'and of a run', err)
code, out, err = runner('site.img', 'run', '--entry', '3')
tell(code == 1 and 'has no such entry' in err, 'an entry that is not there', err)
end()
