#!/usr/bin/env python3
"""picket doc: by name with and without its sign, by synonym, several of a
name, by a word; what it does not know; overview, JSON, colours, completion.
That what it says is true, tests/lang/builtins.t tests."""

import json
import os
import pty
import shutil
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']


def doc(*words, **env):
    p = subprocess.run([PICKET, 'doc', *words], env=dict(os.environ, **env),
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=30,
                       universal_newlines=True)
    return p.returncode, p.stdout, p.stderr


PAGE = '''\
#ln(number) gives a number
    Also: #log
    The natural logarithm.

    Example:
        #ln(1)
    gives:
        0
'''
for name in '#ln', 'ln', '#log', 'log':
    status, out, err = doc(name)
    # `log` is also a part of the statement output
    tell(status == 0 and err == '' and
         (out == PAGE if name != 'log' else out.startswith(PAGE)),
         'doc ' + name, status, out, err)

status, out, err = doc('foreach')
tell(status == 0 and out.startswith('foreach #keys(') and
     '    prints:\n        smtp 25\n        ssh 22\n' in out, 'a statement', out)
for word, begins in (('endforeach', 'foreach '), ('fi', 'if '),
                     ('endsw', 'switch '), ('elsif', 'if '),
                     ('separators', 'seps ')):
    status, out, err = doc(word)
    tell(status == 0 and out.startswith(begins), 'doc ' + word, out, err)
status, out, err = doc('if')
heads = [t for t in out.split('\n') if t and t[0] != ' ']
tell(status == 0 and [h.split('(')[0].split(' ')[0] for h in heads[:3]] ==
     ['#if', '$if', 'if'], 'all of a name', heads)
status, out, err = doc('input table processes')
tell(status == 0 and err == '' and out.startswith('input table processes\n') and
     'Or one value: #column("processes", "pid").' in
     ' '.join(out.split()), 'of words that belong together the last', out, err)
status, out, err = doc('input')
tell(all(len(t) <= 80 for t in out.split('\n')) and
     '\n    | input object SET\n' in out, 'a choice is a list', out)
status, out, err = doc('no such thing')
tell(status == 1 and out == '' and err.startswith(
     'picket: doc: nothing is called no such thing'), 'none of them', out, err)
status, out, err = doc('ln', 'abs')
tell(out.count('Example:') == 2, 'several names', out)

status, out, err = doc('-k', 'LINK')
tell(status == 0 and '$filelink' in out and '#fopen' in out and
     '$abs' not in out and all(len(t) <= 80 for t in out.split('\n')),
     '-k looks in names and texts, whatever the case', out)
tell(doc('-k', 'xyzzy')[0] == 1, '-k that finds nothing')
tell(doc('-k', 'link', 'ln')[0] == 2, '-k and a name')

for name, near in (('splt', '#split'), ('$lowr', '$lower'),
                   ('forech', 'foreach'), ('#filesise', '#filesize')):
    status, out, err = doc(name)
    tell(status == 1 and out == '' and err ==
         'picket: doc: nothing is called %s; did you mean %s?\n' % (
             name, near), 'unknown: ' + name, err)
status, out, err = doc('xyzzyplugh')
tell(status == 1 and 'did you mean' not in err and '-k' in err, 'nothing near',
     err)
status, out, err = doc('')
tell(status == 1 and 'shell' in err, 'a name that the shell took away', err)
status, out, err = doc('onset')
tell(status == 0 and 'incident KEY' in out and err == '',
     'a clause is found with its statement', out, err)
status, out, err = doc('ln', 'xyzzyplugh')
tell(status == 1 and out == PAGE, 'one known, one not', out, err)
status, out, err = doc('a\033[31m%n%s' + 'b' * 10000)
tell(status == 1 and len(err) < 500 and '\033' not in err, 'a hostile name', status, err[:200])

status, out, err = doc()
table = json.loads(doc('--json')[1])['entries']
shown = out.split()
tell(status == 0 and all(e['names'][0] in shown for e in table) and
     all(len(t) <= 80 for t in out.split('\n')), 'the overview has them all',
     [e['names'][0] for e in table if e['names'][0] not in shown])
tell(all(e['group'] in out for e in table), 'by families')
one = json.loads(doc('--json', 'ln')[1])['entries']
tell(len(one) == 1 and one[0]['signature'] == '#ln(number)' and
     one[0]['names'] == ['#ln', '#log'] and one[0]['gives'] == '0', 'JSON', one)
status, out, err = doc('--json', 'xyzzyplugh')
tell(status == 1 and json.loads(out)['entries'] == [], 'JSON of nothing', out)
found = json.loads(doc('--json', '-k', 'link')[1])['entries']
tell('$filelink' in [e['names'][0] for e in found], 'JSON of a search')

# --- colours: on a terminal only ---
tell('\033' not in doc('ln')[1], 'no colours in a pipe')
tell(doc('--color', 'always', 'ln')[1] ==
     PAGE.replace('#ln(number)', '\033[1m#ln(number)\033[0m'),
     '--color always')


def on_terminal(**env):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(env)
        os.execv(PICKET, [PICKET, 'doc', 'ln'])
    text = b''
    try:
        while True:
            part = os.read(fd, 4096)
            if not part:
                break
            text += part
    except OSError:
        pass
    os.waitpid(pid, 0)
    os.close(fd)
    return text.decode()


os.environ.pop('NO_COLOR', None)
tell('\033[1m' in on_terminal(TERM='xterm'), 'colours on a terminal')
tell('\033' not in on_terminal(TERM='xterm', NO_COLOR='1'), 'NO_COLOR')

# --- completion ---
def complete(line):
    words = line.split(' ')
    script = 'eval "$("$PICKET" completion bash)"; COMP_WORDS=(%s); ' \
        'COMP_CWORD=%d; _picket; printf "%%s\\n" "${COMPREPLY[@]}"' % (
            ' '.join("'%s'" % w for w in words), len(words) - 1)
    p = subprocess.run(['bash', '-c', script], stdout=subprocess.PIPE,
                       universal_newlines=True, timeout=30)
    return sorted(p.stdout.split())


with open('files.pikt', 'w') as f:
    pass
if shutil.which('bash'):
    tell(complete('picket doc filel') == ['filelink', 'filelinks'],
         'completion of names', complete('picket doc filel'))
    tell('foreach' in complete('picket doc fo') and
         'fopen' in complete('picket doc fo'), 'of functions and words')
    tell('files.pikt' not in complete('picket doc f') and
         'files.pikt' in complete('picket run f'), 'files where they are meant')
    tell('files.pikt' not in complete('picket silence f') +
         complete('picket ack f') + complete('picket outbox f'),
         'no files where none are meant')
    tell(complete('picket doc --se') == ['--search'], 'of options')

end()
