#!/usr/bin/env python3
"""The bundled scripts' own tests pass, and reach all rules and 90 % of the
branches of each script."""
# runner: timeout=300

import json
import os
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']
LIB = os.environ['PICKET_LIB']
BRANCHES = 90

p = subprocess.run([PICKET, 'test', '--coverage', '--json', LIB],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, timeout=280)
try:
    got = json.loads(p.stdout)
except ValueError as e:
    got = {'files': [], 'coverage': {'scripts': []}}
    tell(False, 'the report is JSON', e, p.stdout[:1000], p.stderr)
tell(p.returncode == 0, 'picket test ends well', p.returncode, p.stderr)
for f in got['files']:
    name = os.path.basename(f['file'])
    tell('error' not in f, name + ' can be read', f.get('error'))
    for t in f.get('tests', []):
        tell(t['ok'], '%s: %s' % (name, t['name']),
             *[json.dumps(x, indent=1) for x in t['failures']])
for s in got['coverage']['scripts']:
    gaps = ['%s:%d:%d: %s' % (g['file'], g['line'], g['column'], g['what'])
            for g in s['missed']]
    tell(s['rules_met'] == s['rules'], s['script'] + ': all rules', *gaps)
    tell(s['branches_met'] * 100 >= s['branches'] * BRANCHES,
         '%s: %d of %d branches' % (s['script'], s['branches_met'],
                                    s['branches']), *gaps)
tested = {s['script'] for s in got['coverage']['scripts']}
there = {f[:-5] for f in os.listdir(LIB)
         if f.endswith('.pikt') and not f.endswith('_test.pikt')}
for f in sorted(there):
    tell(os.path.exists(os.path.join(LIB, f + '_test.pikt')) and
         f in tested, f + ' has tests')
tell(len(tested) > 0, 'there are scripts')
end()
