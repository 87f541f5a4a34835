#!/usr/bin/env python3
"""The sample schedule of the bundled scripts, stdlib-scripts/alerts.cfg: each
script that is made to run regularly stands in it once, and a folder that holds
it and a way out is a site that is right and runs.
"""

import os
import re
import shutil
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']
LIB = os.environ['PICKET_LIB']
SLOW = 3 if os.environ.get('PICKET_SANITIZERS') else 1
# Those that are not in it, and why.
LEFT_OUT = {
    'ProcNumChkEmergency': 'what ProcNumChk does, in the old style',
}


def picket(*args):
    p = subprocess.run([PICKET] + list(args), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=120 * SLOW, errors='replace',
                       env=dict(os.environ,
                                XDG_STATE_HOME=os.path.abspath('state')))
    return p.returncode, p.stdout


os.umask(0o022)
os.mkdir('state')
os.mkdir('site')
shutil.copy(os.path.join(LIB, 'alerts.cfg'), 'site/alerts.cfg')
os.chmod('site/alerts.cfg', 0o644)
with open('site/picket.conf', 'w', encoding='ascii') as f:
    f.write('wall\n')
with open('site/alerts.cfg', encoding='ascii') as f:
    text = f.read()
words = re.sub('//.*', '', text).split()
there = {f[:-5] for f in os.listdir(LIB)
         if f.endswith('.pikt') and not f.endswith('_test.pikt')}
for name in sorted(there):
    n = words.count(name)
    tell(n == (name not in LEFT_OUT), '%s stands in it %s' % (
        name, 'once' if name not in LEFT_OUT else 'not: ' + LEFT_OUT[name]),
         '%d times' % n)
tell(not set(LEFT_OUT) - there, 'what is left out exists',
     set(LEFT_OUT) - there)
for alert in re.findall(r'^(\S+)$', re.sub('//.*', '', text), re.M):
    tell(re.search(r'^//.*\n%s$' % alert, text, re.M),
         alert + ' says what it is for')

code, out = picket('check', 'site')
tell(code == 0 and re.match(r'.*: 0 errors, 0 warnings\n$', out),
     'picket check', out)
code, out = picket('list', 'site')
listed = re.findall(r'^(?:    alarms| {7,}) +(\w+) +active\b', out, re.M)
tell(code == 0 and sorted(listed) == sorted(there - set(LEFT_OUT)),
     'picket list shows them all', set(listed) ^ there, out)
for alert in re.findall(r'^(\w+) +active', out, re.M):
    code, out = picket('run', '--config', 'site', '--dry-run', '--mail',
                       'stdout', alert)
    tell(code == 0 and 'picket: ERROR' not in out and
         'evaluated in this run before' not in out,
         'a dry run of ' + alert, code, out)
end()
