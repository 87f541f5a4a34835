#!/usr/bin/env python3
"""What a process in the jail still is and may (engine/jail), by a program that
enters it and then tries: what the kernel says of it, what ends it, what it is
refused, and what must go on to work."""

import os
import signal
import subprocess
import tempfile

from tap import end, skip, tell

JAILED = os.path.join(os.environ['BUILDDIR'], 'tests/daemon/jailed')
ROOT = os.geteuid() == 0


def run(word, cls='deliver', user='nobody', options='tn', arg='', env=None):
    p = subprocess.run([JAILED, cls, user, options, word, arg],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       env=dict(os.environ, **(env or {})))
    return p.returncode, p.stdout.decode().splitlines()


def status(cls, user, options):
    """Its lacks, and the lines of /proc/PID/status."""
    p = subprocess.Popen([JAILED, cls, user, options, 'wait', ''],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lacks = p.stdout.readline().decode()
    with open('/proc/%d/status' % p.pid) as f:
        fields = dict(line.rstrip('\n').split(':\t', 1) for line in f
                      if ':\t' in line)
    fields['root'] = os.readlink('/proc/%d/root' % p.pid)
    fields['limits'] = open('/proc/%d/limits' % p.pid).read()
    p.communicate(b'x')
    return lacks, fields


lacks, s = status('deliver', 'nobody' if ROOT else '=', 'ten')
calls = 'seccomp' not in lacks
files = 'Landlock' not in lacks
if ROOT:
    tell(s['Uid'].split() == ['65534'] * 4, 'it is another user', s['Uid'])
    tell(s['Gid'].split() == ['65534'] * 4 and not s.get('Groups', '').strip(),
         'of one group', s['Gid'], s.get('Groups'))
for name in 'CapEff', 'CapPrm', 'CapInh', 'CapAmb':
    tell(int(s[name], 16) == 0, '%s is empty' % name, s[name])
if ROOT and 'bounding' not in lacks:
    tell(int(s['CapBnd'], 16) == 0, 'CapBnd is empty', s['CapBnd'])
tell(s['NoNewPrivs'] == '1', 'no new privileges', s['NoNewPrivs'])
if calls:
    tell(s['Seccomp'] == '2', 'calls are filtered', s['Seccomp'])
else:
    skip('calls are filtered', lacks)
tell('Max core file size        0                    0' in s['limits'],
     'no core', s['limits'])
tell('Max open files            64                   64' in s['limits'],
     'a limit of descriptors', s['limits'])
if 'root folder' not in lacks:
    tell('picket-empty' in s['root'] and s['root'].endswith('(deleted)'),
         'its root folder is empty, and nowhere', s['root'])
    tell(run('read', user='nobody' if ROOT else '=', options='tne',
             arg='/etc/passwd')[1][1:] in (['No such file or directory'],
                                           ['Permission denied']),
         'it opens nothing by name')
else:
    skip('its root folder is empty, and nowhere', lacks)

_, s = status('store', '=', '.')
tell(int(s['CapEff'], 16) == 0 and s['NoNewPrivs'] == '1',
     'one that remains who it is has no capability either', s)

who = 'nobody' if ROOT else '='
for cls in 'store', 'deliver', 'http':
    for word in 'fork', 'exec', 'ptrace', 'mount', 'setuid', 'kill':
        if not calls:
            skip('%s: %s ends it' % (cls, word), lacks)
            continue
        got = run(word, cls, who)
        tell(got[0] == -signal.SIGSYS, '%s: %s ends it' % (cls, word), got)
    got = run('abort', cls, who)
    tell(got[0] == -signal.SIGABRT, '%s: abort is still an abort' % cls, got)


def gives(want, what, word, *args, **how):
    if not calls and want not in ('Success',):
        skip(what, 'no seccomp here')
        return
    got = run(word, *args, **how)
    tell(got[0] == 0 and got[1][-1:] == [want], what, got)


for cls in 'store', 'deliver', 'http':
    gives('Function not implemented', cls + ': a call newer than this does '
          'not exist', 'newer', cls, who)
    gives('Operation not permitted', cls + ': limits stay as they are',
          'limit', cls, who)
gives('Success', 'deliver has threads', 'thread', 'deliver', who)
gives('Success', 'deliver resolves', 'resolve', 'deliver', who,
      arg='localhost')
gives('Success', 'deliver has sockets', 'socket', 'deliver', who)
gives('Permission denied', 'http has none of the network', 'socket', 'http',
      who)
gives('Success', 'http has UNIX ones', 'unix', 'http', who)
if calls:
    for cls, word in ('store', 'socket'), ('store', 'thread'), \
            ('http', 'thread'):
        got = run(word, cls, who, '.')
        tell(got[0] == -signal.SIGSYS, '%s: %s ends it' % (cls, word), got)
for cls in 'deliver', 'http':
    gives('Permission denied', cls + ' writes no file', 'write', cls, who,
          arg='/tmp/picket-jail-test')

with tempfile.TemporaryDirectory() as d:
    os.chmod(d, 0o777)
    mine, other = os.path.join(d, 'mine'), os.path.join(d, 'other')
    for sub in mine, other:
        os.mkdir(sub)
        os.chmod(sub, 0o777)
        open(sub + '/old', 'w').close()
        os.chmod(sub + '/old', 0o666)
    env = {'JAIL_WRITE': mine}
    gives('Success', 'store writes where it may', 'write', 'store', who,
          arg=mine + '/new', env=env)
    tell(os.path.exists(mine + '/new'), 'and the file is there')
    if files:
        for name in '/new', '/old':
            gives('Permission denied', 'not elsewhere: ' + name, 'write',
                  'store', who, arg=other + name, env=env)
        gives('Permission denied', 'nor does it read there', 'read', 'store',
              who, arg=other + '/old', env=env)
        gives('Success', 'it reads what it may', 'read', 'store', who,
              arg='/etc/passwd', env=env)
        tell(not os.path.exists(other + '/new'), 'and no file is there')
    else:
        skip('not elsewhere', lacks)
    if ROOT:
        secret = os.path.join(d, 'secret')
        with open(secret, 'w') as f:
            f.write('x')
        os.chmod(secret, 0o600)
        got = run('read', 'deliver', 'nobody', arg=secret,
                  env={'JAIL_WRITE': d})
        tell(got[1][-1:] == ['Permission denied'],
             "a file of root's is not read", got)

if ROOT:
    got = run('wait', user='no-such-user')
    tell(got[0] == 1 and 'no-such-user' in got[1][0],
         'a user who is named and is not there: it does not go on', got)
    got = run('wait', user='-')
    tell(got[0] == 0, 'the default user need not be there', got)
    # root without the capabilities that containers take
    for cap, word in ('sys_admin', 'own IPC'), ('sys_chroot', 'root folder'), \
            ('setpcap', 'bounding set'):
        p = subprocess.run(['setpriv', '--bounding-set', '-' + cap,
                            '--inh-caps', '-' + cap, JAILED, 'deliver',
                            'nobody', 'tne', 'thread', ''],
                           capture_output=True)
        out = p.stdout.decode().splitlines()
        tell(p.returncode == 0 and word in out[0] and out[1] == 'Success',
             'without cap_%s it goes on, and names what it lacks' % cap,
             p.stdout, p.stderr)
    for cap in 'setuid', 'setgid':
        p = subprocess.run(['setpriv', '--bounding-set', '-' + cap,
                            '--inh-caps', '-' + cap, JAILED, 'deliver',
                            'nobody', 'tne', 'thread', ''],
                           capture_output=True)
        tell(p.returncode == 1 and p.stdout.startswith(b'refused: '),
             'without cap_%s it does not stay root unsaid' % cap, p.stdout)
    p = subprocess.run(['setpriv', '--reuid', '65534', '--clear-groups',
                        JAILED, 'deliver', '=', 'tne', 'thread', ''],
                       capture_output=True)
    tell(p.returncode == 0 and p.stdout.endswith(b'\nSuccess\n'),
         'one who is not root gives up what it can', p.stdout, p.stderr)
end()
