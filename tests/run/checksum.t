#!/usr/bin/env python3
"""$checksum says of files what cksum, sum, md5sum and sha256sum say, its types
-3 to -1 word for word; MD4 is that of RFC 1320 and of openssl where it still
has it.  Sizes around the blocks of the sums and of the reads."""

import os
import random
import shutil
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']
SIZES = (0, 1, 2, 3, 55, 56, 57, 63, 64, 65, 119, 120, 511, 512, 513, 1023,
         1024, 1025, 4095, 65535, 65536, 65537, 100003, 1 << 20,
         (1 << 20) + 1)
MD4 = {'': '31d6cfe0d16ae931b73c59d7e0c089c0',
       'a': 'bde52cb31de33e46245e05fbdbd6fb24',
       'message digest': 'd9130a8164549fe818874806e1c7014b'}


def said(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL)
    return p.stdout.decode('latin-1').rstrip('\n') if p.returncode == 0 \
        else None


with open('sums.pikt', 'w') as f:
    f.write('''for #i = 1 #i <= #args() #i += 1
    for #type = -3 #type <= 6 #type += 1
        output $checksum(#type, $arg(#i))
    endfor
endfor
''')


def sums(*names):
    p = subprocess.run([PICKET, 'run', 'sums.pikt', '--', *names],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    lines = p.stdout.decode('latin-1').split('\n')[:-1]
    if p.returncode != 0 or p.stderr or len(lines) != 10 * len(names):
        tell(False, 'sums of %s' % (names,), p.stderr, lines[:20])
        end()
    return {n: dict(zip(range(-3, 7), lines[10 * i:]))
            for i, n in enumerate(names)}


bytes_ = random.Random(3).randbytes(max(SIZES))
names = []
for size in SIZES:
    names.append('f%d' % size)
    with open(names[-1], 'wb') as f:
        f.write(bytes_[:size])
names.append('two words')
with open(names[-1], 'wb') as f:
    f.write(b'\0\n\xff' * 1000)

openssl = shutil.which('openssl')
for name, got in sums(*names).items():
    size = os.path.getsize(name)
    tell(got[-3] == got[3] == said('cksum', name), name + ': cksum', got[-3],
         got[3], said('cksum', name))
    tell(got[-2] == got[2] == said('sum', '-s', name), name + ': sum -s',
         got[-2], got[2], said('sum', '-s', name))
    bsd = said('sum', '-r', name)
    # newer ones name the file, too; PIKT's blocks have 512 bytes
    tell(got[-1] in (bsd, '%s %s' % (bsd, name)), name + ': sum -r', got[-1],
         bsd)
    tell(got[1] == '%d %d %s' % (int(bsd.split()[0]), (size + 511) // 512,
                                 name), name + ': BSD', got[1], bsd)
    for type_, tool in ((5, 'md5sum'), (6, 'sha256sum')):
        tell(got[type_] == '%s %d %s' % (said(tool, name).split()[0], size,
                                         name), name + ': ' + tool, got[type_])
    tell(got[0] == '0 %d %s' % (size, name), name + ': none', got[0])
    md4 = openssl and said(openssl, 'dgst', '-provider', 'legacy', '-md4',
                           '-r', name)
    if md4:
        tell(got[4] == '%s %d %s' % (md4.split()[0], size, name),
             name + ': MD4', got[4], md4)
for i, (text, sum_) in enumerate(MD4.items()):
    with open('md4', 'w') as f:
        f.write(text)
    tell(sums('md4')['md4'][4] == '%s %d md4' % (sum_, len(text)),
         'MD4 of "%s"' % text)
end()
