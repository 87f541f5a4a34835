"""What tests in Python say: TAP, a line for each thing that holds or not.

The runner puts this folder on the path of modules.
"""

import sys

number = failed = 0


def tell(good, what, *why):
    """One result; why it failed is shown cut to what a person reads."""
    global number, failed
    number += 1
    failed += not good
    print('%sok %d - %s' % ('' if good else 'not ', number, what))
    for text in () if good else why:
        for line in str(text).split('\n')[:40]:
            print('#   ' + line[:400])
    sys.stdout.flush()


def skip(what, why):
    global number
    number += 1
    print('ok %d - %s # skip %s' % (number, what, why), flush=True)


def end():
    """The plan, and the exit status."""
    print('1..%d' % number)
    sys.exit(1 if failed else 0)
