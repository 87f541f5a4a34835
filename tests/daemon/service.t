#!/usr/bin/env python3
"""What makes a service of picketd, as its readers take it: the systemd unit,
the init scripts, the folders, the user, the turning of logs, completion.  The
init script is run, with a picketd that only looks like one.
"""

import os
import re
import shutil
import subprocess
import time

from tap import end, skip, tell

SYSTEM = os.environ['BUILDDIR'] + '/system/'
TMP = os.getcwd()


def run(*args, **more):
    p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60, errors='replace',
                       **more)
    return p.returncode, p.stdout


def read(name):
    with open(SYSTEM + name, encoding='utf-8') as f:
        return f.read()


def write(path, text, mode=0o644):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, mode)


os.umask(0o022)
ALL = ('systemd/picketd.service', 'openrc/picketd', 'sysv/picketd',
       'logrotate.d/picketd', 'tmpfiles.d/picket.conf',
       'sysusers.d/picket.conf')
for name in ALL:
    text = read(name)
    tell(not re.search(r'@\w+@|\$\{?(prefix|exec_prefix|datadir)', text),
         name + ': nothing is left to fill in', text)

# --- systemd ---
unit = read('systemd/picketd.service')
stub = re.sub(r'^(Exec\w+=)\S+', r'\1/bin/true', unit, flags=re.M)
write('unit/picketd.service', stub)
ANALYZE = shutil.which('systemd-analyze')
if ANALYZE:
    code, out = run(ANALYZE, 'verify', '--man=no', 'unit/picketd.service')
    tell(code == 0 and 'picketd' not in out, 'systemd takes the unit', out)
    write('unit/bad.service', stub.replace('KillMode=', 'KilMode='))
    code, out = run(ANALYZE, 'verify', '--man=no', 'unit/bad.service')
    tell('KilMode' in out, 'and would say what it does not know', out)
    code, out = run(ANALYZE, 'security', '--offline=true', '--no-pager',
                    'unit/picketd.service')
    found = re.search(r'exposure level.*?: ([\d.]+)', out)
    if found:
        tell(float(found.group(1)) <= 9.6, 'systemd-analyze security: %s, as '
             'a monitor that acts as root has it' % found.group(1), out)
    else:
        skip('systemd-analyze security', 'it knows no --offline')
else:
    skip('the unit', 'there is no systemd-analyze')
said = dict(re.findall(r'^(\w+)=(.*)$', unit, re.M))
for key, value in (('Type', 'notify'), ('KillMode', 'process'),
                   ('Delegate', 'yes'), ('OOMPolicy', 'continue'),
                   ('StartLimitIntervalSec', '0'), ('Restart', 'always')):
    tell(said.get(key) == value, '%s=%s' % (key, value), said.get(key))
tell(int(said['WatchdogSec']) >= 10 and 10 < int(said['TimeoutStopSec']),
     'there is time to end runs, and to miss a turn', said)
# each of these would have rules see another host, or break what they do
LEFT = re.findall(r'\b([A-Z]\w+)=(?=[,: ])', unit[unit.index('left out'):])
tell(len(LEFT) > 15 and not [k for k in LEFT if k in said],
     '%d ways of hardening are left out, each with its reason' % len(LEFT),
     [k for k in LEFT if k in said])
tell(not [k for k in ('Nice', 'OOMScoreAdjust', 'LimitNOFILE', 'UMask')
          if k in said], 'nothing that scripts would inherit')

# --- folders and the user ---
if shutil.which('systemd-sysusers'):
    os.makedirs('root/etc')
    code, out = run('systemd-sysusers', '--root=' + TMP + '/root',
                    SYSTEM + 'sysusers.d/picket.conf')
    passwd = open('root/etc/passwd').read() if code == 0 else ''
    tell(code == 0 and all(re.search(
        r'^_picket_%s:x:\d+:\d+:[^:]+:/nonexistent:\S*nologin$' % who, passwd,
        re.M) for who in ('deliver', 'http')), 'the users', out, passwd)
else:
    skip('the users', 'there is no systemd-sysusers')
if shutil.which('systemd-tmpfiles') and os.geteuid() == 0:
    code, out = run('systemd-tmpfiles', '--root=' + TMP + '/root', '--create',
                    SYSTEM + 'tmpfiles.d/picket.conf')
    modes = {d: os.stat('root' + d).st_mode & 0o7777 if
             os.path.isdir('root' + d) else None
             for d in ('/run/picket', '/var/lib/picket', '/var/log/picket')}
    tell(code == 0 and list(modes.values()) == [0o755, 0o700, 0o750],
         'the folders', out, modes)
    tell(all('%s=%s' % (k, v) in unit for k, v in (
        ('RuntimeDirectoryMode', '0755'), ('StateDirectoryMode', '0700'),
        ('LogsDirectoryMode', '0750'))), 'the unit has the same modes')
else:
    skip('the folders', 'systemd-tmpfiles, or root, is not there')

# --- logs are turned, and picketd is told ---
if shutil.which('logrotate'):
    write('var/log/picket/DiskFull.log', 'line\n')
    write('var/log/picket/empty.log', '')
    write('var/lib/picket/log/One.log', 'line\n')
    ears = subprocess.Popen(['sh', '-c', 'trap "echo again; exit" USR1; '
                             'echo up; while :; do sleep 0.1; done'],
                            stdout=subprocess.PIPE)
    ears.stdout.readline()
    write('run/picket/picketd.pid', '%d\n' % ears.pid)
    write('rotate.conf', re.sub(r'(?<![\w/])/(var|run)/', TMP + r'/\1/',
                                read('logrotate.d/picketd')))
    code, out = run('logrotate', '--force', '-s', TMP + '/rotate.state',
                    'rotate.conf')
    try:
        heard = ears.communicate(timeout=10)[0]
    except subprocess.TimeoutExpired:
        heard = b'nothing'
        ears.kill()
    tell(code == 0 and os.path.exists('var/log/picket/DiskFull.log.1') and
         os.path.exists('var/lib/picket/log/One.log.1') and
         not os.path.exists('var/log/picket/empty.log.1'), 'logs are turned',
         out)
    tell(heard == b'again\n', 'picketd is told, once', heard)
    write('var/log/picket/DiskFull.log', 'line\n')
    for pid in (str(ears.pid), ''):
        write('run/picket/picketd.pid', pid)
        code, out = run('logrotate', '--force', '-s', TMP + '/rotate.state',
                        'rotate.conf')
        tell(code == 0 and out == '', 'or is not there: ' + repr(bool(pid)), out)
else:
    skip('the turning of logs', 'there is no logrotate')

# --- init scripts ---
if shutil.which('shellcheck'):
    for name, shell in (('sysv/picketd', 'sh'), ('openrc/picketd', 'sh')):
        # OpenRC reads the variables
        code, out = run('shellcheck', '-s', shell, '-e', 'SC2034',
                        SYSTEM + name)
        tell(code == 0, 'shellcheck: ' + name, out)
else:
    skip('shellcheck', 'it is not there')
head = re.search(r'### BEGIN INIT INFO\n(.*?)### END INIT INFO',
                 read('sysv/picketd'), re.S)
keys = re.findall(r'^# ([\w-]+):', head.group(1), re.M)
tell(set(keys) >= {'Provides', 'Required-Start', 'Required-Stop',
                   'Default-Start', 'Default-Stop', 'Short-Description'},
     'the LSB header', keys)

# A picketd that turns itself into a daemon, ends on TERM and says what it was
# told; `deaf` makes it stay.
write('sbin/picketd', '''#!/bin/sh
[ "$1" = --pid-file ] || exit 2
[ -e fail ] && exit 1
(
	[ -e deaf ] && trap '' TERM
	[ -e deaf ] || trap 'exit 0' TERM
	while :; do sleep 0.1; done
) </dev/null >/dev/null 2>&1 &
echo $! >"$2"
echo "$*" >args
''', 0o755)
write('sbin/picket', '#!/bin/sh\necho "picket $*"\nexit 3\n', 0o755)
text = read('sysv/picketd')
text = re.sub(r'^DAEMON=.*', 'DAEMON=%s/sbin/picketd' % TMP, text, flags=re.M)
text = re.sub(r'^PICKET=.*', 'PICKET=%s/sbin/picket' % TMP, text, flags=re.M)
text = re.sub(r'^RUN=.*', 'RUN=%s/r/picket' % TMP, text, flags=re.M)
text = re.sub(r'^ENDS=\d+', 'ENDS=1', text, flags=re.M)
text = text.replace('/etc/default/', TMP + '/default/')
write('init', text, 0o755)
os.mkdir('r')
write('default/picketd', 'PICKETD_ARGS="--config /x --log syslog"\n')
PID = 'r/picket/picketd.pid'


def init(word):
    return run('sh', 'init', word)


def alive(pid=None):
    try:
        pid = pid or int(open(PID).read())
        os.kill(pid, 0)
        return open('/proc/%d/stat' % pid).read().split()[2] != 'Z'
    except (OSError, ValueError):
        return False


tell(init('status') == (3, 'picketd does not run\n'), 'status: it does not run')
tell(init('reload') == (7, 'picketd does not run\n'), 'reload of nothing')
tell(init('try-restart') == (0, ''), 'try-restart of nothing')
code, out = init('start')
tell(code == 0 and out == 'picketd is started\n' and alive() and
     open('args').read() == '--pid-file %s/%s --config /x --log syslog\n' %
     (TMP, PID), 'start, with what the administrator set', out)
first = open(PID).read()
code, out = init('status')
tell(code == 0 and out == 'picketd runs: ' + first, 'status: it runs', out)
code, out = init('start')
tell(code == 0 and open(PID).read() == first, 'start again changes nothing',
     out)
code, out = init('reload')
tell(code == 3 and out == 'picket reload\n', 'reload gives the verdict', out)
code, out = init('restart')
tell(code == 0 and open(PID).read() != first and alive(), 'restart', out)
code, out = init('stop')
tell(code == 0 and not os.path.exists(PID), 'stop', out)
tell(init('stop')[0] == 0, 'stop of nothing is fine')
write(PID, '1\n')
code, out = init('status')
tell(code == 1 and 'is dead' in out, 'another program has its number', out)
code, out = init('stop')
tell(code == 0 and not os.path.exists(PID), 'which is left alone', out)
for junk in ('', 'x\n', '-1\n', '99999999999\n'):
    write(PID, junk)
    tell(init('status')[0] == 1, 'a pid file with %r' % junk)
write('deaf', '')
init('start')
deaf = int(open(PID).read())
began = time.time()
code, out = init('stop')
time.sleep(0.2)
tell(code == 0 and time.time() - began < 20 and
     not alive(deaf),
     'one that does not end is ended', out)
os.unlink('deaf')
write('fail', '')
tell(init('start')[0] == 1, 'one that cannot start')
code, out = init('nonsense')
tell(code == 2 and 'usage:' in out, 'usage', out)
os.rename('sbin/picketd', 'sbin/gone')
tell(init('start')[0] == 5 and init('stop')[0] == 0, 'not installed')

# OpenRC's: its functions, with what OpenRC gives stubbed.
write('openrc', '''RC_SVCNAME=picketd
ebegin() { echo "ebegin $*"; }
eend() { echo "eend $1"; }
checkpath() { echo "checkpath $*"; }
%s
start_pre
reload
''' % re.sub(r'\S+/picket reload', TMP + '/sbin/picket reload',
             read('openrc/picketd')))
code, out = run('sh', 'openrc')
tell(out.count('checkpath --directory --mode') == 3 and
     out.endswith('ebegin Reloading picketd\npicket reload\neend 3\n'),
     'OpenRC: folders, reload', out)

# --- the manual and the program have the same options ---
code, out = run(os.environ['BUILDDIR'] + '/picketd', '--help')
have = set(re.findall(r'--[a-z][a-z-]+', out))
page = next(p for p in (os.environ[d] + '/man/picketd.8' for d in
                        ('BUILDDIR', 'SRCDIR')) if os.path.exists(p))
with open(page, encoding='utf-8') as f:
    text = f.read()
told = set('-' + o for o in re.findall(
    r'(?:^\.It Fl |, )(?:\w , )?(-[a-z][a-z-]+)', text, re.M))
tell(code == 0 and len(have) > 8 and have == told, 'picketd(8) has its options',
     have ^ told)

# --- completion ---
code, out = run('bash', '-c', '. %sbash/picket && COMP_WORDS=(picket compile '
                '--si) COMP_CWORD=2 && _picket && echo "${COMPREPLY[@]}"'
                % SYSTEM)
tell(code == 0 and out.strip() == '--site', 'completion for bash', out)
tell(read('zsh/_picket').startswith('#compdef picket\n'), 'and for zsh')
end()
