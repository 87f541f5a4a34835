#!/usr/bin/env python3
"""Sites: the sample of examples/site, and how a site is read, listed and run.

tests/run/site/HOST.list is what `picket list --host HOST` says of the sample;
SITE_UPDATE=1 writes them instead: read the diff.
"""
# runner: timeout=300

import json
import os
import re
import shutil
import subprocess
import tempfile

from tap import end, tell

SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
HERE = os.path.dirname(os.path.realpath(__file__))
UPDATE = os.environ.get('SITE_UPDATE')
NOW = {'PICKET_CLOCK': '1795420925'}	# 2026-11-23 08:02:05, a Monday
SAMPLE = 'sample'


def picket(*args, env=None):
    p = subprocess.run([PICKET] + list(args), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, **(env or {})), timeout=120)
    return (p.returncode, p.stdout.decode('utf-8', 'replace'),
            p.stderr.decode('utf-8', 'replace'))


def ours(folder):
    """Nobody else may write there, whatever the umask of the checkout."""
    for at, _, files in os.walk(folder):
        os.chmod(at, 0o755)
        for f in files:
            os.chmod(os.path.join(at, f), 0o644)


def site(**files):
    """A fresh site `s`; a name's __ is a /, its last _ a dot."""
    shutil.rmtree('s', ignore_errors=True)
    os.mkdir('s')
    for name, text in files.items():
        path = 's/' + re.sub(r'_([a-z]*)$', r'.\1', name).replace('__', '/')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(text if isinstance(text, bytes) else text.encode())
    ours('s')


def says(what, want, *args, status=1, env=None, out=None):
    """On standard error stands `want`; out: what stands on the output."""
    code, o, e = picket(*args, env=env)
    tell(code == status and want in e and (out is None or out in o), what,
         'status %d' % code, o, e)


os.umask(0o022)

# --- the sample ---

shutil.copytree(os.path.join(SRC, 'examples/site'), SAMPLE)
ours(SAMPLE)
HOSTS = ['moscow', 'minsk', 'kiev', 'riga']
for host in [None] + HOSTS + ['www']:
    args = ['--host', host] if host else []
    code, out, err = picket('check', SAMPLE, *args)
    tell(code == 0 and err == '' and
         out.endswith(' 0 errors, 0 warnings\n'),
         'the sample is clean for ' + (host or 'this host'), out, err)
seen, alerts = {}, None
for host in HOSTS:
    code, out, err = picket('list', SAMPLE, '--host', host, env=NOW)
    path = os.path.join(HERE, 'site', host + '.list')
    if UPDATE and os.path.exists(path):
        open(path, 'w').write(out)
    if os.path.exists(path):
        want = open(path).read()
        tell(code == 0 and err == '' and out == want, 'list for ' + host,
             'want', want, 'got', out, err)
    code, out, err = picket('list', SAMPLE, '--host', host, '--json')
    j = json.loads(out)
    alerts = [a['name'] for a in j['alerts']]
    for a in j['alerts']:
        for s in a['alarms']:
            seen.setdefault(s['name'], set()).add(host)
tell(len(alerts) == 6 and len(seen) == 20, 'six alerts, twenty scripts',
     alerts, sorted(seen))
tell(seen['MailQueue'] == {'kiev'} and seen['OpenFolders'] ==
     {'minsk', 'riga'} and seen['SwapLow'] == {'moscow', 'minsk'} and
     seen['DiskFull'] == set(HOSTS), 'groups and systems choose scripts',
     seen)
for alert in alerts:
    code, out, err = picket('run', '--config', SAMPLE, '--dry-run', alert)
    # how many lines a host's files have is its own
    err = ''.join(re.findall(r'(?m)^.*error.*$|^.*ERROR.*$', err))
    tell(code == 0 and err == '' and 'effect' in out,
         '%s runs dry on this host' % alert, 'status %d' % code, out, err)
for host in HOSTS:
    code, out, err = picket('check', SAMPLE, '--host', host, '--audit')
    tell(code == 0 and ('ps -axo' if host in ('kiev', 'riga') else
                        'ps -eo') in out,
         'the commands of %s are its system\'s' % host, out, err)
code, out, err = picket('list', SAMPLE, '--host', 'moskow')
tell(code == 1 and err == 'picket: --host moskow: no such host in '
     'systems.cfg; did you mean moscow?\n', 'a host that is none', err)

# --- list ---

ALERTS = '''Long-Name timing 5 * * * *
	10 * * * mon 7
	every 90m status testing level urgent
	alarms One Two
B every 30s
	alarms Two
None timing =piktnever
	alarms
'''
SCRIPTS = '''One init level info begin output "1"
Two init status debugging begin output "2"
Own-Time init every 2d timing "0 4 * * *" begin output "own"
'''
site(alerts_cfg=ALERTS, alarms_cfg=SCRIPTS)
code, out, err = picket('list', 's', env=NOW)
tell(code == 0 and err == '' and out == '''\
Long-Name  testing  urgent
    timing  5 * * * *
            10 * * * mon, drift 7m
    every   90m
    next    2026-11-23 08:05:00
    alarms  One       testing    info
            Two       testing    urgent

B  active
    every   30s
    next    2026-11-23 08:02:30
    alarms  Two       debugging  notice

None  active
    timing  0 0 31 2 * (never)
    alarms  (none on this host)

scripts with a timing of their own
            Own-Time  active     notice  0 4 * * *; every 2d; next 2026-11-24 04:00:00
''', 'alerts with all that they have', out, err)
code, out, err = picket('list', 's', '--color', 'always', env=NOW)
tell('\033[1;33mtesting\033[0m' in out and '\033[1mB\033[0m' in out and
     re.sub('\033\\[[0-9;]*m', '', out) == picket('list', 's', env=NOW)[1],
     'colours change nothing but colours', repr(out))
code, out, err = picket('list', 's', env={'NO_COLOR': '1'})
tell('\033' not in out, 'no colours', out)
code, out, err = picket('list', 's', '--json', '--host', 'x')
tell(code == 1 and 'no systems.cfg that names hosts' in err,
     '--host without systems.cfg', err)
j = json.loads(picket('list', 's', '--json', env=NOW)[1])
tell([a.get('next') for a in j['alerts']] == [1795421100, 1795420950, None] and
     [x['next'] for x in j['scripts']] == [1795492800],
     'the next runs as JSON, none for what never comes', j)
for status, zone, want in (('inactive', 'UTC', None), ('suspended', 'UTC', None),
                           ('testing', 'UTC', '2026-11-24 02:30:00'),
                           ('active', 'Asia/Kathmandu', '2026-11-24 02:30:00')):
    site(alerts_cfg='A timing 30 2 * * * status %s alarms One\n' % status,
         alarms_cfg=SCRIPTS)
    code, out, err = picket('list', 's', env=dict(NOW, TZ=zone))
    tell(re.findall('(?m)^    next    (.*)$', out) == ([want] if want else []),
         'the next run of what is %s, %s' % (status, zone), out)
site(alerts_cfg='A timing 30 2 * * * 10 alarms One\n'
     'B timing 30 2 * * * 10 alarms One\n', alarms_cfg=SCRIPTS,
     systems_cfg='linux hosts x y\n')
starts = [a['next'] - 1795487400 for host in 'xyx' for a in json.loads(picket(
    'list', 's', '--json', '--host', host, env=NOW)[1])['alerts']]
tell(all(0 <= x < 600 for x in starts) and starts[:2] == starts[4:] and
     len(set(starts)) == 4, 'drift: within its minutes, apart for each alert '
     'and host, and always the same', starts)
site(alerts_cfg='A every 10m drift 10 alarms One\nB every 10m alarms One\n',
     alarms_cfg=SCRIPTS)
a, b = json.loads(picket('list', 's', '--json', env=NOW)[1])['alerts']
tell((a['drift'], 'drift' in b, b['next'] % 600) == (10, False, 0) and
     0 < a['next'] % 600 < 600 and
     'every   10m, drift 10m\n' in picket('list', 's', env=NOW)[1],
     'every has the drift of its alert', a, b)
site(alerts_cfg=ALERTS, alarms_cfg=SCRIPTS)
j = json.loads(picket('list', 's', '--json', env=NOW)[1])
tell(j['alerts'][0]['timing'] == [{'fields': '5 * * * *', 'drift': 0},
     {'fields': '10 * * * mon', 'drift': 7}] and
     j['alerts'][0]['every'] == 5400 and j['alerts'][1]['alarms'][0] ==
     {'name': 'Two', 'status': 'debugging', 'level': 'notice',
      'file': 's/alarms.cfg'} and j['scripts'][0]['name'] == 'Own-Time',
     'the same as JSON', j)
site(defines_cfg='')
code, out, err = picket('list', 's')
tell(code == 0 and out == 'there are no alerts in s\n' and err == '',
     'a site without alerts', out, err)
os.mkdir('empty')
code, out, err = picket('list', 'empty')
tell(code == 0 and out == 'there are no alerts in empty\n', 'an empty folder',
     out, err)
says('a folder that is not there', 'gone: No such file', 'list', 'gone')
open('file', 'w').close()
says('a file that is no folder', 'file: is no folder', 'list', 'file')
says('two folders', 'usage: picket list', 'list', 's', 's', status=2)

# --- who may write ---

site(alerts_cfg=ALERTS, alarms_cfg=SCRIPTS)
for mode, path in ((0o664, 'alerts.cfg'), (0o646, 'alarms.cfg')):
    ours('s')
    os.chmod('s/' + path, mode)
    for command in (['check', 's'], ['list', 's'],
                    ['run', '--config', 's', '-n', 'B']):
        says('%s: %s is %o' % (command[0], path, mode), 'error: cannot read '
             's/%s: is writable by group or others' % path, *command)
    says('--trust-permissions takes it', '', 'check', 's',
         '--trust-permissions', status=0)
ours('s')
os.chmod('s', 0o777)
says('a folder that others write to', 'this folder is writable by group or '
     'others', 'check', 's')
os.chmod('s', 0o1777)
says('unless it is sticky', '', 'check', 's', status=0)
site(alarms_cfg=SCRIPTS, scripts__a_pikt='A begin output "a"\n')
os.chmod('s/scripts/a.pikt', 0o666)
says('a script that others write to', 'cannot read s/scripts/a.pikt: is '
     'writable by group or others', 'check', 's')
if os.geteuid() == 0:
    ours('s')
    os.chown('s/alarms.cfg', 1, 1)
    says('somebody else\'s file', 'belongs neither to root nor to you',
         'check', 's')
    # another user, who may not read it
    there = tempfile.mkdtemp(dir='/tmp')
    try:
        os.chmod(there, 0o755)
        with open(there + '/alerts.cfg', 'w') as f:
            f.write(ALERTS)
        os.chmod(there + '/alerts.cfg', 0o600)
        p = subprocess.run([PICKET, 'check', there], user=65534, cwd='/',
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=60)
        tell(p.returncode == 1 and b'/alerts.cfg: Permission denied' in
             p.stdout, 'a file that cannot be read', p.stdout)
    except PermissionError:
        tell(True, 'a file that cannot be read # SKIP picket is out of '
             'reach for others')
    finally:
        shutil.rmtree(there)
else:
    ours('s')
    os.chmod('s/alarms.cfg', 0)
    says('a file that cannot be read', 'alarms.cfg: Permission denied',
         'check', 's')

# --- files that are none ---

site(alerts_cfg=ALERTS, alarms_cfg=SCRIPTS)
os.remove('s/alerts.cfg')
os.mkdir('s/alerts.cfg')
says('a folder for a file', 's/alerts.cfg: is no regular file', 'check', 's')
os.rmdir('s/alerts.cfg')
os.symlink('nowhere', 's/alerts.cfg')
says('a link to nothing', 's/alerts.cfg: no such file', 'check', 's')
os.remove('s/alerts.cfg')
os.mkfifo('s/alerts.cfg', 0o600)
says('a pipe', 's/alerts.cfg: is no regular file', 'check', 's')
site(alerts_cfg=b'A timing @daily\n\talarms One\0Two\n', alarms_cfg=SCRIPTS)
says('a NUL byte', 's/alerts.cfg:2:12: error: NUL byte', 'check', 's')
site(alerts_cfg=b'A timing @daily alarms One\xff\xfe\n\tmailcmd "\xe9"\n',
     alarms_cfg=SCRIPTS)
says('bytes that are no UTF-8', 'One\\xff\\xfe is no name', 'check', 's')
site(objects_cfg=b'names\n\tAndr\xe9\n\t\xff\n', alarms_cfg=b'O init input '
     b'object "names" every 5m rule output $inlin\n')
code, out, err = picket('check', 's')
tell(code == 0, 'objects hold any bytes', out, err)
site(systems_cfg='', defines_cfg='', macros_cfg='', objects_cfg='',
     alarms_cfg='', alerts_cfg='', programs_cfg='', files_cfg='')
code, out, err = picket('check', 's')
tell((code, out, err) == (0, '8 files, 0 scripts: 0 errors, 0 warnings\n',
                          ''), 'eight empty files', out, err)
site(macros_cfg='m output "m"\n', a_pikt='One begin =m\n',
     scripts__b_pikt='Two begin =m\n')
code, out, err = picket('check', 's')
tell((code, out, err) == (0, '3 files, 2 scripts: 0 errors, 0 warnings\n',
                          ''), 'no alerts.cfg: scripts may be unlisted', out,
     err)
os.makedirs('above', exist_ok=True)
shutil.rmtree('above/s', ignore_errors=True)
shutil.copytree('s', 'above/s')
with open('above/x.pikt', 'w') as f:
    f.write('X begin output "x"\n')
code, out, err = picket('check', 'above')
tell((code, out, err) == (0, '4 files, 3 scripts: 0 errors, 0 warnings\n',
                          ''), 'a site in a folder', out, err)
site(alerts_cfg='A timing @daily alarms Oen\n', alarms_cfg='One end\n')
code, out, err = picket('check', 's', '--json')
j = json.loads(out)
tell(code == 1 and err == '' and [(d['id'], d['file'], d['line'],
                                   d['column']) for d in j['diagnostics']] ==
     [('E_ALARM_UNKNOWN', 's/alerts.cfg', 1, 24),
      ('E_ALARM_UNUSED', 's/alarms.cfg', 1, 1)], 'errors as JSON', out, err)
site(alarms_cfg=SCRIPTS, picket_conf='mailtoo root\n')
says('picket.conf is checked, too', 'mailtoo', 'check', 's')
site(alarms_cfg='One begin output "1"\n', scripts__a_pikt='A begin output\n',
     scripts__b_pikt='test "x" expect nothing endtest\n',
     scripts__note_txt='x')
os.rename('s/scripts/b.pikt', 's/scripts/b_test.pikt')
code, out, err = picket('check', 's')
tell(code == 1 and 'b_test' not in err and 'a.pikt:1:15: error' in err,
     'tests of rules are no scripts', err)

# --- directives ---

site(systems_cfg='#include "hosts.inc"\n', hosts_inc='linux hosts h\n',
     macros_cfg='#include [echo . >> count; echo told from a command]\n'
     '#exec [echo x >> count]\n',
     defines_cfg='d\n#if h\n\tTRUE\n#else\n\tFALSE\n#endif\n',
     objects_cfg='set\n#verbatim <list.inc>\n\tlast\n',
     list_inc='don\'t // no comment\n=nomacro\n',
     alerts_cfg='A timing @daily alarms One\n#ifdef d\n\tTwo\n#endifdef\n',
     alarms_cfg='#include <more.inc>\n',
     more_inc='One begin output "=told"\n#ifdef d\nTwo init input object '
     '"set" rule output $inlin\n#endifdef\n')
code, out, err = picket('list', 's', '--host', 'h')
tell(code == 0 and 'Two' in out and err == '', 'directives in every file',
     out, err)
tell(open('count').read() == '.\nx\n', 'a command runs once for the site',
     open('count').read())
code, out, err = picket('run', '--config', 's', '-D', 'd', 'A')
tell(out == "from a command\ndon't // no comment\n=nomacro\nlast\n",
     'verbatim objects', out, err)
site(alarms_cfg='#include <gone.inc>\nOne begin output "1"\n')
says('an include that is not there', 's/alarms.cfg:1:', 'check', 's')
site(alarms_cfg='#include <a.inc>\n', a_inc='One init every 5m\n')
os.chmod('s/a.inc', 0o666)
says('an include that others may write', 'is writable by group or others',
     'check', 's')
site(systems_cfg='#if x\nlinux hosts a\n#endif\n')
says('#if in systems.cfg', 's/systems.cfg:1:1: error: ', 'check', 's')
site(systems_cfg='linux hosts a b\nwebservers members a\n',
     alerts_cfg='#if webserver\nA timing @daily alarms X\n#endif\n')
says('an unknown group', 'did you mean webservers?', 'check', 's',
     '--host', 'a', status=0)

# --- run ---

RUN = dict(
    alerts_cfg='''Urgent timing @hourly level urgent mailto a@x.org, b@x.org
	mailcmd "cat > mail.=piktalert"
	alarms One Two
Test timing =piktnever status testing
	alarms One
Off timing @daily status inactive
	alarms Two
Slow timing @daily timeout 1s
	alarms Sleeper
Nice timing @daily nice 7 alarms Priority
Nicer timing @daily nicecmd "nice -n 9" alarms Priority
''',
    alarms_cfg='''One begin output mail "$alert() $level() =piktalert =piktstatus =piktlevel"
Two init level info begin output "two in $alert() $level()"
Alone init every 5m begin output "alone in $alert()"
Sleeper begin exec wait "sleep 9"
Priority begin output "$command("nice")"
''',
    objects_cfg='names\n\tgroucho\n\tchico\n',
    macros_cfg='site_word from the site\n')
site(**RUN)
conf = ['--config', 's']
code, out, err = picket('run', *conf, 'Urgent')
mail = open('mail.Urgent').read() if os.path.exists('mail.Urgent') else ''
tell(code == 0 and out == 'two in Urgent info\n' and err == '' and
     'Urgent urgent Urgent active urgent' in mail and 'URGENT:' in mail,
     'an alert: its scripts, its mail by its command', out, err, mail)
code, out, err = picket('run', *conf, '-n', 'Urgent')
tell('to a@x.org b@x.org' in out, 'the alert says to whom', out, err)
code, out, err = picket('run', *conf, '-n', '--mailto', 'me@x.org', 'Urgent')
tell('to me@x.org (' in out, '--mailto is stronger', out, err)
code, out, err = picket('run', *conf, '--mail', 'stdout', 'Test')
tell(code == 0 and 'Test notice Test testing notice' in out and
     'status testing' in err, 'the alert\'s status and context', out, err)
says('an inactive alert', 'Two: status inactive: skipped', 'run', *conf,
     'Off', status=0)
code, out, err = picket('run', *conf, 'Two')
tell(code == 0 and out == 'two in Urgent info\n', 'a script: in the first '
     'alert that lists it', out, err)
says('--alert says in which', 'skipped', 'run', *conf, '--alert', 'Off',
     'Two', status=0)
says('an alert that does not list it', 'alert Off does not list One', 'run',
     *conf, '--alert', 'Off', 'One')
says('an alert that is none', 'Of: no such alert in', 'run', *conf,
     '--alert', 'Of', 'One')
code, out, err = picket('run', *conf, 'Alone')
tell(out == 'alone in Alone\n', 'a script that runs by itself', out, err)
says('nothing of that name', 'did you mean Urgent?', 'run', *conf, 'Urgnt')
says('--input for several', '--input is for one script', 'run', *conf,
     '--input', 'file', 'Urgent', status=2)
says('--alert for a file', '--alert is for scripts of the site', 'run', *conf,
     '--alert', 'Test', './x.pikt', status=2)
says('the alert\'s timeout', '', 'run', *conf, 'Slow')
code, out, err = picket('run', *conf, 'Nice')
base = os.getpriority(os.PRIO_PROCESS, 0)
tell(out == '7\n' or base > 7, 'priority', out, err)
code, out, err = picket('run', *conf, 'Nicer')
tell(out == '%d\n' % min(base + 9, 19), 'nicecmd', out, err)
with open('f.pikt', 'w') as f:
    f.write('F init input object "names" rule output "$inlin =site_word"\n')
code, out, err = picket('run', *conf, 'f.pikt')
tell(code == 0 and out == 'groucho from the site\nchico from the site\n',
     'a file has the site\'s macros and objects', out, err)
code, out, err = picket('run', 'f.pikt')
tell(code == 1 and 'unknown macro =site_word' in err, 'without --config it '
     'has not', out, err)
code, out, err = picket('check', 'f.pikt', *conf)
tell(code == 0 and err == '', 'and so does check', out, err)
code, out, err = picket('check', 'f.pikt')
tell(code == 1, 'without --config it does not', out, err)
with open('h.pikt', 'w') as f:
    f.write('#if there\nH begin output "x"\n#endif\n')
code, out, err = picket('check', 'h.pikt', '--host', 'there')
tell(out == '1 file, 1 script: 0 errors, 0 warnings\n', '--host for a file',
     out, err)
site(alerts_cfg='A timing @daily alarms Here There\n',
     systems_cfg='linux hosts here there\n',
     alarms_cfg='Here begin output "h"\n#if there\n/* of\n*/\n'
     'There begin output "t"\n#endif\n/*\nNone\n*/\n')
code, out, err = picket('check', 's', '--host', 'here')
tell(code == 0 and err == '', 'a script of other hosts may be listed', out,
     err)
code, out, err = picket('list', 's', '--host', 'here')
tell(code == 0 and 'Here' in out and 'There' not in out,
     'and is not run here', out, err)
with open('s/alerts.cfg', 'a') as f:
    f.write('B timing @daily alarms None\n')
says('a script in a comment is none', 'there is no script None', 'check', 's',
     '--host', 'here')
site(**dict(RUN, alerts_cfg='A timing @daily mailto a@b, x<y@z\n'
            '\tmailfrom "q r@x.org"\n\talarms One\n'))
says('addresses that are none', 'alert A: mailfrom q r@x.org: ', 'check', 's')
says('each of them', 'alert A: mailto x<y@z: ', 'check', 's')
says('neither is run', 'nothing is run', 'run', *conf, 'A')
DOEXEC = dict(alarms_cfg='One init every 1d begin doexec wait "echo done > did"\n',
              defines_cfg='doexec TRUE\n')
for what, files, args, did in (
        ('defines.cfg', DOEXEC, [], True),
        ('-D is stronger', DOEXEC, ['-D', 'doexec=FALSE'], False),
        ('#define is strongest', dict(DOEXEC, alarms_cfg='#define doexec\n' +
         DOEXEC['alarms_cfg']), ['-D', 'doexec=FALSE'], True),
        ('nobody says so', dict(DOEXEC, defines_cfg=''), [], False),
        ('-D', dict(DOEXEC, defines_cfg=''), ['-D', 'doexec'], True)):
    site(**files)
    if os.path.exists('did'):
        os.remove('did')
    code, out, err = picket('run', *conf, '--mail', 'stdout', *args, 'One')
    tell(code == 0 and os.path.exists('did') == did, 'doexec: ' + what, out,
         err)
site(**dict(RUN, alarms_cfg='One begin outptu "x"\n'))
says('a site with errors runs nothing', 'nothing is run', 'run', *conf,
     'Urgent')
code, out, err = picket('run', *conf, '--json', 'Urgent')
tell(code == 1 and json.loads(out)['errors'] > 0, 'and says so as JSON', out)

# --- objects of any size, names of any kind ---

site(objects_cfg='many\n' + ''.join('\tline %d\n' % i for i in
                                    range(50000)),
     alarms_cfg='Many init input object "many" every 5m rule end '
     'output "#{#innum()} lines"\n')
code, out, err = picket('run', *conf, 'Many')
tell(code == 0 and out == '50000 lines\n', '50,000 objects', out[:200], err)

# --- as files, the way PIKT's scripts read them ---

shutil.rmtree('state', ignore_errors=True)
own = dict(XDG_STATE_HOME=os.path.join(os.getcwd(), 'state'))
FILES = dict(
    objects_cfg='files\n\t/etc/passwd 1\n\t  two  words\nempty\n',
    alarms_cfg='O init every 5m input proc "=cat =objdir/files.obj" rule '
               'output "[$inline]"\n'
               'H init every 5m begin exec wait "=touch =hstdir/mark"\n')
site(**FILES)
code, out, err = picket('run', *conf, '--dry-run', 'O', env=own)
tell(not os.path.exists('state') and 'not as objects.cfg says' in err,
     'a dry run makes no file of objects, and says so', out, err)
code, out, err = picket('run', *conf, 'O', env=own)
tell(code == 0 and out == '[/etc/passwd 1]\n[two  words]\n',
     'objects are files below =objdir', out, err)
path = 'state/picket/objects/files.obj'
before = os.stat(path)
picket('run', *conf, 'O', env=own)
tell(os.stat(path).st_ino == before.st_ino, 'that stay while they are right')
os.unlink(path)
os.symlink('/etc/hostname', path)
site(**dict(FILES, objects_cfg='files\n\tnew\n'))
code, out, err = picket('run', *conf, 'O', env=own)
tell(out == '[new]\n' and not os.path.islink(path),
     'a link in its place is replaced, not followed', out, err)
code, out, err = picket('run', *conf, 'H', env=own)
tell(code == 0 and os.path.exists('state/picket/history/mark'),
     '=hstdir is a folder of the state', out, err)
os.rename('state/picket/objects', 'state/picket/objects.old')
with open('state/picket/objects', 'w') as f:
    f.write('a file in the way')
site(**FILES)
code, out, err = picket('run', *conf, 'O', env=own)
tell('objects/files.obj: Not a directory' in err,
     'a folder that cannot be made is told of', out, err)
os.unlink('state/picket/objects')

groups = ''.join('a%d members a%d b%d\nb%d members a%d b%d\n' %
                 (i, i + 1, i + 1, i, i + 1, i + 1) for i in range(60))
site(systems_cfg='linux hosts h\n' + groups + 'a60 members h\nb60 members h\n')
code, out, err = picket('check', 's', '--host', 'h')
tell(code == 0, 'groups that share members 2^60 times', out, err)

# --- the way out ---

def ways(level, conf):
    site(picket_conf=conf, alerts_cfg='A timing @daily alarms One\n',
         alarms_cfg='One init level %s input proc "=echo a"\n'
         'rule output "m"\n' % level)
    return picket('check', 's')


QUEUE = ('s/picket.conf: warning: critical alerts leave this host by its own '
         'mail queue only')
for conf, level, warns in (
        ('smtp localhost', 'critical', True),
        ('sendmail /usr/sbin/sendmail', 'emergency', True),
        ('sendmail /usr/sbin/sendmail', 'error', False),
        ('smtp localhost\nfile /x fallback', 'urgent', True),
        ('smtp localhost\nsmtp mail.example.org', 'critical', False),
        ('smtp localhost direct', 'critical', False)):
    code, out, err = ways(level, conf)
    tell(code == 0 and err.startswith(QUEUE) == warns and
         err.count('\n') == warns and out.endswith(
             ': 0 errors, %d warning%s\n' % (warns, '' if warns else 's')),
         '%s by %s' % (level, conf.replace('\n', ', ')), out, err)
# a secret or certificate that is not there, in a site and in a folder that is
# none
for files in (dict(alerts_cfg='A timing @daily alarms One\n',
                   alarms_cfg='One begin output "m"\n'), {}):
    for conf, says in (
            ('webhook urlfile /no/url', 'webhook:/no/url can send nothing: '
             '/no/url: No such file or directory'),
            ('smtp h name out user u passfile /no/pw',
             'out can send nothing: /no/pw: No such file or directory'),
            ('syslog h tls ca /no/ca', 'syslog:h:6514 can send nothing: '
             '/no/ca: No such file or directory'),
            ('sendmail /no/sendmail', '')):
        site(picket_conf=conf + '\n', **files)
        code, out, err = picket('check', 's')
        tell(code == 0 and err == (says and 's/picket.conf: warning: %s\n' %
             says) and out.endswith(' %d warning%s\n' % (
                 bool(says), '' if says else 's')), conf, out, err)
    site(picket_conf='smpt h\n', **files)
    code, out, err = picket('check', 's')
    tell(code == 1 and err == 's/picket.conf:1: error: unknown keyword "smpt"; '
         'did you mean "smtp"?\n', 'a mistake in picket.conf', out, err)
# an incident has a level of its own, in few and in many constants
for many in 0, 300:
    for level, warns in (('', 0), ('level error', 0), ('level critical', 1),
                         ('level emergency', 1)):
        site(picket_conf='smtp localhost\n', alerts_cfg='A timing @daily '
             'alarms One\n', alarms_cfg='One init level warning input proc '
             '"=echo a"\nrule ' + ''.join(
                 'set #x = %d\n' % (1000 + i) for i in range(many)) +
             'incident "k" when 1 > 0 %s message "m" endincident\n' % level)
        code, out, err = picket('check', 's')
        tell(code == 0 and err.startswith(QUEUE) == bool(warns) and
             out.endswith(' %d warning%s\n' % (warns, '' if warns else 's')),
             'an incident, %s, %d' % (level or 'no level', many), out, err)
ways('critical', 'smtp localhost')
code, out, err = picket('check', 's', '--json')
j = json.loads(out)
tell(code == 0 and err == '' and j['warnings'] == 1 and
     j['diagnostics'][0]['file'] == 's/picket.conf', 'the same as JSON', out,
     err)

# a run says it to a person only
ways('critical', 'smtp localhost')
RUN = [PICKET, 'run', '--config', 's', '--dry-run', 'A']
ours('s')
p = subprocess.run(RUN, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)
tell(QUEUE.encode() not in p.stderr, 'no word of it to cron', p.stderr)
master, slave = os.openpty()
p = subprocess.run(RUN, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=slave)
os.write(slave, b'.')           # or a read of nothing would wait
said = os.read(master, 4000)
os.close(slave)
os.close(master)
tell(QUEUE.encode() in said, 'but to a terminal', said)

site(picket_conf='route pager to x\n', alarms_cfg='One end\n', alerts_cfg=
     'A timing @daily route pagr alarms One\n'
     'B timing @daily route pager alarms One\n'
     'C timing @daily route pager other alarms One\n')
code, out, err = picket('check', 's')
tell((code, err) == (1, 's/alerts.cfg: error: alert A: picket.conf has no '
                     'route "pagr"; did you mean "pager"?\n'
                     's/alerts.cfg: error: alert C: picket.conf has no route '
                     '"other"\n') and out.endswith(
                         ': 2 errors, 0 warnings\n'), 'routes of alerts', out,
     err)
code, out, err = picket('check', 's', '--json')
j = json.loads(out)
tell(code == 1 and err == '' and j['errors'] == 2, 'routes as JSON', out, err)

end()
