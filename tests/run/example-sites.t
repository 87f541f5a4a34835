#!/usr/bin/env python3
"""The sites of examples/ that are made to be copied: each passes picket check,
its own tests, runs each of its alerts as root and as anybody without an error,
its crontab runs what its alerts.cfg says, and what its README shows is what
picket prints.
"""

import os
import re
import shutil
import subprocess

from tap import end, skip, tell

PICKET = os.environ['PICKET']
SRCDIR = os.environ['SRCDIR']
EXAMPLES = os.path.join(SRCDIR, 'examples')
SITES = ('container-host', 'mail-host', 'web-host')
NOBODY = 65534
SLOW = 3 if os.environ.get('PICKET_SANITIZERS') else 1


def run(args, site, state, shell=False, **kw):
    p = subprocess.run(args, cwd=site, shell=shell, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=120 * SLOW, errors='replace',
                       env=dict(os.environ, XDG_STATE_HOME=state, TZ='UTC',
                                PATH=os.path.dirname(PICKET) + ':' +
                                os.environ['PATH']), **kw)
    return p.returncode, p.stdout


def plain(text):
    """Without what is of the moment and of the machine."""
    text = re.sub(r'^( *)[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d [0-9:]{8} '
                  r'20\d\d\n +\S+$', r'WHEN AND WHERE', text, flags=re.M)
    text = re.sub(r'PIKT Alert on \S+:', 'PIKT Alert on HOST:', text)
    text = re.sub(r', since [0-9:]{8}$', ', since TIME', text, flags=re.M)
    # of the library's scripts, where they lie and the line
    text = re.sub(r'^( *)/\S+/(\w+\.pikt):\d+:', r'\1LIBRARY/\2:', text,
                  flags=re.M)
    return '\n'.join(line.rstrip() for line in text.split('\n')).strip()


def shown(readme):
    """The commands of a README, `    $ command`, with what follows them."""
    found = []
    inside = False
    for line in readme.split('\n'):
        if line.startswith('    $ '):
            found.append([line[6:], []])
            inside = True
        elif inside and (line.startswith('    ') or not line):
            found[-1][1].append(line[4:])
        else:
            inside = False
    return [(command, '\n'.join(lines)) for command, lines in found]


def entries(crontab):
    """What a crontab of the system's runs: the five fields, user, command."""
    for line in crontab.split('\n'):
        if line and line[0] != '#' and not re.match('[A-Z]+=', line):
            yield line.split(None, 6)


def alerts(text):
    """The alerts of a site, each with its timings; the names of its scripts."""
    found, names, name = {}, [], None
    for line in text.split('\n'):
        line = line.split('//')[0]
        words = line.split()
        if words and not line[0].isspace():
            name = words[0]
            found[name] = []
        elif words and words[0] == 'timing':
            found[name].append(words[1:6])
        elif words and (words[0] == 'alarms' or len(words) == 1):
            names += words[words[0] == 'alarms':]
    return found, names


def check(name):
    here = os.path.abspath(name)
    shutil.copytree(os.path.join(EXAMPLES, name), here)
    for folder, _, files in os.walk(here):
        os.chmod(folder, 0o755)
        for f in files:
            os.chmod(os.path.join(folder, f), 0o644)
    state = here + '.state'
    os.mkdir(state)

    code, out = run([PICKET, 'check', '.'], here, state)
    tell(code == 0 and out.endswith(': 0 errors, 0 warnings\n') and
         out.count('\n') == 1, name + ': picket check', out)
    code, out = run([PICKET, 'test', '--config', '.', '--coverage=90',
                     'scripts'], here, state)
    tell(code == 0 and ' 0 failed' in out, name + ': picket test', out)
    tests = [f for f in os.listdir(here + '/scripts')
             if f.endswith('.pikt') and not f.endswith('_test.pikt') and
             not os.path.exists(here + '/scripts/' + f[:-5] + '_test.pikt')]
    tell(not tests, name + ': each of its scripts has tests', tests)

    with open(here + '/alerts.cfg', encoding='ascii') as f:
        listed, names = alerts(f.read())
    code, out = run([PICKET, 'list', '.'], here, state)
    tell(code == 0 and all(re.search(r'\b%s +active\b' % n, out)
                           for n in list(listed) + names),
         name + ': picket list', out)

    bad = []
    for script in names:
        code, out = run([PICKET, 'explain', '--config', '.', script], here,
                        state)
        if code != 0 or not out.startswith(script) or 'in no alert' in out:
            bad.append((script, out))
    tell(not bad, name + ': picket explain of each script', *bad)

    for alert in listed:
        for who, kw in USERS:
            mine = '%s.%s' % (state, who)
            os.makedirs(mine, exist_ok=True)
            if kw:
                os.chown(mine, NOBODY, NOBODY)
            code, out = run([PICKET, 'run', '--config', '.', '--dry-run',
                             '--mail', 'stdout', alert], here, mine, **kw)
            tell(code == 0 and 'picket: ERROR' not in out and
                 not re.search(r'^picket: (?!WARNING|.*a dry run leaves that$)',
                               out, re.M),
                 '%s: a dry run of %s as %s' % (name, alert, who), code, out)

    with open(here + '/crontab', encoding='ascii') as f:
        lines = list(entries(f.read()))
    runs = {}
    good = all(len(e) == 7 and e[5] == 'root' and
               re.match(r'picket (deliver|run [A-Za-z]+)$', e[6]) and
               all(re.match(r'[*0-9,/-]+$', field) for field in e[:5])
               for e in lines)
    tell(good, name + ': the lines of its crontab', lines)
    for e in lines if good else ():
        runs.setdefault(e[6].split()[-1], []).append(e[:5])
    tell(runs.pop('deliver', 0) == [['*'] * 5] and runs == listed,
         name + ': the crontab has the times of alerts.cfg', runs, listed)

    with open(here + '/README', encoding='ascii') as f:
        readme = f.read()
    samples = shown(readme)
    tell(len(samples) >= 3 and any('--mail' in c for c, _ in samples) and
         all('PIKT ALERT' in s for c, s in samples if '--mail' in c),
         name + ': its README shows commands and a mail', samples)
    for command, expected in samples:
        code, out = run(command, here, state, shell=True)
        tell(plain(out) == plain(expected),
             '%s: README: %s' % (name, command), plain(out), '--- README:',
             plain(expected))
    missing = [n for n in names if not re.search(r'\b%s\b' % n, readme)]
    tell(not missing, name + ': its README names all its scripts', missing)


os.umask(0o022)
USERS = [('anybody', {})]
if os.geteuid() == 0:
    USERS = [('root', {}), ('anybody', {'user': NOBODY})]
    os.chmod('.', 0o755)
    try:        # a tree that only root may enter
        subprocess.run([PICKET, '--version'], user=NOBODY, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(['test', '-x', '.'], user=NOBODY, check=True)
    except (PermissionError, subprocess.CalledProcessError):
        skip('runs as anybody', 'another user cannot reach this folder')
        del USERS[1]
for site in SITES:
    check(site)
end()
