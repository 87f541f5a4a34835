#!/usr/bin/env python3
"""Directives and the world: commands that hang, flood, fork; files that
cannot be read; a site whose scripts share what a command wrote; the trail in
JSON."""
# runner: timeout=300 long-timeout=300

import json
import os
import signal
import subprocess
import time

from tap import end, skip, tell

PICKET = os.environ['PICKET']
LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')


def picket(*words, stdin=b'', **env):
    start = time.monotonic()
    p = subprocess.run([PICKET] + list(words), input=stdin,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, **env), timeout=100)
    return (p.returncode, p.stdout.decode(), p.stderr.decode(),
            time.monotonic() - start)


def write(name, text):
    if '/' in name:
        os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, 'w') as f:
        f.write(text)


def says(what, text, want, seconds=20):
    """check of the text fails with that message, and soon enough."""
    write('x.pikt', text)
    code, _, err, took = picket('check', 'x.pikt')
    tell(code == 1 and want in err and took < seconds, what, code, took, err)


says('a command that never stops writing', '#include [yes]\n',
     'it writes more than 16 MiB')
write('x.pikt', '#exec [sleep 1000 2>&1 & echo $! >pid]\nA begin output "ran"\n')
code, out, err, took = picket('run', 'x.pikt')
tell(code == 0 and out == 'ran\n' and took < 20,
     'what a command leaves in the background is not waited for',
     code, out, err, took)
with open('pid') as f:
    os.kill(int(f.read()), 9)
write('x.pikt', '#setdef none = [test -z "$(cat)"]\n#ifdef none\n'
      'A begin output "none"\n#endifdef\n')
code, out, err, _ = picket('run', 'x.pikt', stdin=b'some')
tell(out == 'none\n', 'a command reads nothing', code, out, err)
write('x.pikt', '#exec ["$PICKET" check x.pikt >&2]\n')
code, out, err, took = picket('check', 'x.pikt')
tell(err.count('picket runs a command that runs picket') == 1 and took < 20,
     'picket that runs itself', code, out, err, took)
says('statements that include themselves',
     '#pexec [\n#include "x.pikt"\n]\n', 'the command failed')
says('statements that fail', '#pexec [die "no"]\n', 'it ended with status 1')
write('mode.inc', '// nothing\n')
os.chmod('mode.inc', 0)
if os.access('mode.inc', os.R_OK):
    skip('a file without permission', 'all may be read')
else:
    says('a file without permission', '#include "mode.inc"\n',
         'cannot read mode.inc: Permission denied')
os.symlink('ring.inc', 'ring.inc')
says('a link to itself', '#include "ring.inc"\n', 'cannot read ring.inc: ')
says('a folder', '#include "/etc"\n', 'cannot read /etc: is a folder')
says('a device', '#verbatim "/dev/tty"\n', 'cannot read /dev/tty: ')
if LONG:
    says('a command that does not end', '#exec [sleep 1000]\n',
         'it did not end within 60 seconds', 100)
    says('nor when it is told to', '#exec [trap "" TERM; sleep 1000; sleep 9]\n',
         'it did not end within 60 seconds', 100)

# signals: the command ends with us, and what it started
def lives(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def pids(n, seconds=20):
    """The n process ids that a command writes into the file pids."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.path.exists('pids'):
            with open('pids') as f:
                text = f.read()
            if text.count('\n') == n:
                return [int(t) for t in text.split()]
        time.sleep(0.02)
    return []


def interrupt(what, words, text, sig, ends):
    """picket gets sig while a command of that text runs."""
    if os.path.exists('pids'):
        os.remove('pids')
    write('x.pikt', text)
    p = subprocess.Popen([PICKET] + words + ['x.pikt'],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, start_new_session=True)
    got = pids(2)
    alone = [os.getpgid(i) != p.pid for i in got]
    start = time.monotonic()
    p.send_signal(sig)
    out, err = p.communicate(timeout=60)
    took = time.monotonic() - start
    end = time.monotonic() + 5
    while any(lives(i) for i in got) and time.monotonic() < end:
        time.sleep(0.02)
    tell(len(got) == 2 and all(alone) and not any(lives(i) for i in got) and
         p.returncode == ends and took < 10 and b'never' not in out,
         what, got, alone, [lives(i) for i in got], p.returncode, took, out,
         err)


TWO = 'sleep 1000 & printf "$$\\n$!\\n" >pids; wait'
for name, words in (('check', ['check']), ('run', ['run'])):
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        interrupt('picket %s and #exec: %s' % (name, sig.name), words,
                  '#exec [%s]\nA begin output "never"\n' % TWO, sig, -sig)
interrupt('#include [command]: SIGINT', ['run'],
          '#include [%s]\nA begin output "never"\n' % TWO, signal.SIGINT,
          -signal.SIGINT)
interrupt('a command that does not end when it is told to', ['check'],
          "#exec [trap '' TERM; %s; sleep 1000]\n" % TWO, signal.SIGTERM,
          -signal.SIGTERM)
write('two.sh', TWO)
interrupt('a #pexec that runs a command', ['check'],
          '#pexec [exec wait "sh two.sh"]\n', signal.SIGINT, -signal.SIGINT)

# a site: one macro file, many scripts
write('site/macros.cfg', '#include [echo x >>ran; echo "made  3"]\n'
      '#exec [echo y >>ran]\n#set A\n#exec [echo y >>ran]\n')
for i in range(5):
    write('site/s%d.pikt' % i, 'S%d begin output "#{=made}"\n' % i)
os.chmod('site', 0o700)
code, out, err, _ = picket('check', 'site')
with open('ran') as f:
    ran = f.read()
tell(code == 0 and sorted(ran) == sorted('x\ny\ny\n'),
     'a command runs once for all scripts of a site', code, out, err, ran)
os.remove('ran')
code, out, err, _ = picket('check', '--no-commands', 'site')
tell(code == 1 and not os.path.exists('ran'),
     'with --no-commands none runs', code, out, err)

# what led there, for programs
write('a.inc', '#include "b.inc"\n')
write('b.inc', '\n        =two\n')
write('x.pikt', 'A\n    begin\n#include "a.inc"\n')
code, out, err, _ = picket('check', '--json', '-M', 'two==one', '-M',
                           'one=foo 1', 'x.pikt')
d = json.loads(out)['diagnostics'][0]
want = [('-M two', 1, 1, 'one'), ('b.inc', 2, 9, 'two'), ('a.inc', 1, 1, None),
        ('x.pikt', 3, 1, None)]
got = [(t['file'], t['line'], t['column'], t.get('macro'))
       for t in d.get('from', ())]
tell(got == want and d['file'] == '-M one', 'the trail in JSON', out)
end()
