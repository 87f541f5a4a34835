#!/usr/bin/env python3
"""What the compiler makes of a few scripts, instruction by instruction.

disasm/NAME.pikt is listed by `picket disasm`; disasm/NAME.out is the listing.
The numbers of built-in functions, which change with the table, are left out.
DISASM_UPDATE=1 writes the .out files instead: read the diff.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'disasm')
names = sorted(f[:-5] for f in os.listdir(HERE) if f.endswith('.pikt'))
os.makedirs('lib', exist_ok=True)
failed = False
print('1..%d' % len(names))
for i, name in enumerate(names):
    shutil.copy(os.path.join(HERE, name + '.pikt'), '.')
    p = subprocess.run([os.environ['PICKET'], 'disasm', '--color', 'never',
                        name + '.pikt'], stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                       env=dict(os.environ, PICKET_LIB='lib'))
    got = re.sub(r'(?m)^(.*CALL[NS] +\d+) \d+ *;', r'\1 F ;',
                 p.stdout.decode())
    path = os.path.join(HERE, name + '.out')
    if os.environ.get('DISASM_UPDATE'):
        with open(path, 'w') as f:
            f.write(got)
    with open(path) as f:
        want = f.read()
    ok = got == want and p.returncode == 0
    failed = failed or not ok
    print('%sok %d - %s' % ('' if ok else 'not ', i + 1, name))
    if not ok:
        print('#   status %d' % p.returncode)
        a, b = want.split('\n'), got.split('\n')
        for k in range(max(len(a), len(b))):
            x = a[k] if k < len(a) else '(end)'
            y = b[k] if k < len(b) else '(end)'
            if x != y:
                print('#   line %d\n#   want %s\n#   got  %s' % (k + 1, x, y))
                break
sys.exit(1 if failed else 0)
