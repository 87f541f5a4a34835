#!/usr/bin/env python3
"""The machine of incidents against a reference that shares no code with it.

100,000 random sequences of condition, NIL, failed and incomplete and killed
runs, acks, silences, windows, restarts, reloads, missing keys, a removed
script and jumps of the clock; in make check a fifth of them.  What is wrong
is shrunk to the shortest that is still wrong.  MODEL_SEED repeats a run.
"""
# runner: timeout=300 long-timeout=1200

import concurrent.futures
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
from model import chunk, shrink	# noqa: E402
from tap import end, tell	# noqa: E402

LONG = os.environ.get('PICKET_LONG', '') not in ('', '0')
COUNT = 100000 if LONG else 5000 if os.environ.get(
    'PICKET_SANITIZERS') else 20000
PIECE = 500
SEED = int(os.environ.get('MODEL_SEED', '') or random.randrange(10 ** 9))
DRIVE = os.path.join(os.environ['BUILDDIR'], 'tests/incident/drive')


def main():
    # each third one with a restart after every operation
    work = [(DRIVE, '%d/%d' % (SEED, i), PIECE, i % 3 == 2)
            for i in range(COUNT // PIECE)]
    bad = []
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for (_, _, _, restarts), found in zip(work, pool.map(chunk, work)):
            bad += [(ops, why, restarts) for ops, why in found]
    tell(not bad, '%d sequences as the reference has them, seed %d'
         % (COUNT, SEED), '%d pieces have a wrong one' % len(bad))
    for ops, why, restarts in bad[:2]:
        less = shrink(DRIVE, ops, restarts)
        print('# ' + why)
        for op in less:
            print('#     ' + op)
    end()


if __name__ == '__main__':
    main()
