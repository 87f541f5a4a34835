#!/usr/bin/env python3
"""Each table of tables.def: what `picket doc` shows of it, and a script that
names all its columns, which compiles, is proven and listed, and runs.
"""

import json
import os
import re
import subprocess

from tap import end, tell

SRC = os.environ['SRCDIR']
PICKET = os.environ['PICKET']
SAMPLE = {'s': '"x"', 'i': '1'}


def picket(*args):
    p = subprocess.run([PICKET] + list(args), stdin=subprocess.DEVNULL,
                       timeout=100, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    return (p.returncode, p.stdout.decode('latin-1'),
            p.stderr.decode('latin-1'))


with open(os.path.join(SRC, 'lang/table/tables.def')) as f:
    text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)
tables, of = [], {}
for m in re.finditer(r'^(T|C)\((\w+), (\w+), (?:"([^"]*)"|\'(.)\'), "(.*)"\)$',
                     text, re.M):
    kind, id_, name, args, sigil, _ = m.groups()
    if kind == 'T':
        of[id_] = (name, args, [])
        tables.append(of[id_])
    else:
        of[id_][2].append(sigil + name)
tell(len(tables) >= 18, 'the tables are read (%d)' % len(tables))

for name, args, columns in tables:
    status, out, err = picket('doc', '--json', name)
    shown = [e for e in json.loads(out)['entries'] if e['kind'] == 'table']
    tell(status == 0 and len(shown) == 1 and
         [c['name'] for c in shown[0]['columns']] == columns and
         all(c['help'] for c in shown[0]['columns']),
         'picket doc %s has its %d columns' % (name, len(columns)), out, err)
    least = args.split('|')[0]
    call = '%s(%s)' % (name, ', '.join(SAMPLE[a] for a in least)) \
        if least else name
    # from the last column to the first: the line has them in order
    with open(name + '.pikt', 'w') as f:
        f.write('All\n\tinit\n\t\tinput table %s\n\trule\n' % call)
        for c in reversed(columns):
            f.write('\t\tset %sv_%s = %s\n' % (c[0], c[1:], c))
        f.write('\t\toutput "#{#fields()} $inlin"\n')
    status, out, err = picket('compile', name + '.pikt')
    tell(status == 0 and not err, 'all columns of %s compile' % name, err)
    status, out, err = picket('disasm', name + '.pkc')
    tell(status == 0 and 'input table ' + name in out and
         all('column %s of the table' % c[1:] in out for c in columns),
         'and are listed', out, err)

# Each kind of argument, and one that may be left out.
for name, args, columns in tables:
    if '|' not in args:
        continue
    full = args.replace('|', '')
    with open('full.pikt', 'w') as f:
        f.write('All\n\tinit\n\t\tinput table %s(%s)\n\trule\n\t\toutput '
                '"x"\n' % (name, ', '.join(SAMPLE[a] for a in full)))
    status, out, err = picket('check', 'full.pikt')
    tell(status == 0, '%s with all its arguments' % name, err)

# A table is no page of lines.
with open('load.pikt', 'w') as f:
    f.write('Load\n\tinit\n\t\tinput table load\n\trule\n\t\toutput "x"\n')
status, out, err = picket('run', '--mail', 'stdout', '--input', '/dev/null',
                          'load.pikt')
tell(status == 1 and 'leave out --input' in err, 'not with --input', err)

status, out, err = picket('doc', 'tables')
tell(status == 0 and all(re.search(r'^%s\b' % t[0], out, re.M)
                         for t in tables), 'picket doc tables', out)
status, out, err = picket('doc', 'procesess')
tell(status == 1 and 'processes' in err, 'a table that is spelt wrong', err)
end()
