"""Random sequences of operations for incidents, and what must hold of them.

A sequence is a list of lines as tests/incident/drive.c reads them.  Three
things say what is right: reference.py, which is an incident written anew from
the text; the laws below, which only look at what was told; and the machine
with a restart after each operation.
"""

import os
import random
import subprocess

from reference import Site

STEPS = (0, 5, 10, 60, 60, 60, 60, 300, 300, 700, 1800, 1800, 3600, 4000, 7200,
         14400, 86400)
BACK = (-5, -60, -3600, -90000, -31536000)
PATTERNS = ('a', 'b', '*', 'a*', '[ab]', 'nodata*', 'c')


def make(rng):
    """One sequence, without its head."""
    ops = []
    has_until = {}

    def says(key):
        has_until[key] = rng.random() < .4
        unless = 'a' if key == 'b' and rng.random() < .6 else '-'
        ops.append('set %s %d %d %d %d %s' % (
            key, rng.choice((0, 0, 0, 60, 120, 3600)),
            rng.choice((0, 0, 3600, 14400)), rng.choice((0, 0, 1, 2)),
            has_until[key], unless))

    for key in 'abc':
        says(key)
    restless = rng.choice((.05, .2, .5, .95))    # how often a condition turns
    doubt = rng.choice((0, .05, .3, .6))        # NIL
    failing = rng.choice((0, .1, .3, .7))
    steps = rng.choice((STEPS, STEPS, (5, 60, 60, 300),
                        (60, 300, 700, 700, 900, 1200)))
    bad = {k: rng.random() < .5 for k in 'abc'}
    silences = window = 0
    for _ in range(rng.randint(3, 30)):
        r = rng.random()
        if r < .62:
            seen = []
            for key in 'abc':
                if rng.random() < restless:
                    bad[key] = not bad[key]
                if rng.random() < .12:          # the key is not there
                    continue
                when = 'n' if rng.random() < doubt else '01'[bad[key]]
                until = 'n' if not has_until[key] or rng.random() < doubt / 2 \
                    else '01'[rng.random() < (.1 if bad[key] else .7)]
                seen.append('%s:%s:%s' % (key, when, until))
            ops.append('run %d %d %d %s' % (
                rng.random() >= failing, rng.random() >= failing / 2,
                rng.random() >= .04, ' '.join(seen)))
        elif r < .68:
            ops.append('ack ' + rng.choice('abc'))
        elif r < .73 and silences < 30:
            ops.append('silence %s %d' % (rng.choice(PATTERNS),
                                          rng.choice((60, 1800, 7200))))
            silences += 1
        elif r < .76 and silences:
            ops.append('unsilence %d' % rng.randrange(silences))
        elif r < .79:
            window = not window
            ops.append('window %d' % window)
        elif r < .81:
            ops.append('remove')
        elif r < .85:
            ops.append('restart')
        elif r < .89:
            says(rng.choice('abc'))
        else:
            ops.append('tick')
        ops.append('clock %d' % (rng.choice(BACK) if rng.random() < .04 else
                                 rng.choice(steps)))
    # and all comes to rest
    ops += ['unsilence %d' % i for i in range(silences)]
    ops += ['window 0', 'clock 10', 'run 1 1 1 ' + ' '.join(
        '%s:%d:%d' % (k, bad[k], not bad[k]) for k in 'abc'),
        'clock 7200', 'tick']
    return ops


def expect(ops):
    """What the reference tells."""
    site = Site()
    truth = {'1': True, '0': False, 'n': None}
    out = []
    for op in ops:
        w = op.split()
        what = w[0]
        if what == 'run':
            seen = [(s[0], truth[s[2]], truth[s[4]]) for s in w[4:]]
            if w[3] == '1':
                out.append(site.run(w[1] == '1', w[2] == '1', seen))
            else:                   # killed: it has not been
                out.append('| ' + ' '.join([x.state() for x in site.all]))
        elif what == 'clock':
            site.now += int(w[1])
        elif what == 'tick':
            out.append(site.tick())
        elif what == 'set':
            site.watch[w[1]].script = (int(w[2]), int(w[3]), int(w[4]),
                                       w[5] == '1', w[6])
        elif what == 'ack':
            site.ack(w[1])
        elif what == 'silence':
            site.silences.append((w[1], site.now, int(w[2])))
        elif what == 'unsilence':
            if int(w[1]) < len(site.silences):
                site.silences[int(w[1])] = ('', 0, 0)
        elif what == 'window':
            site.window = w[1] == '1'
        elif what == 'remove':
            out.append(site.remove())
    return out


def laws(ops, answers):
    """The first thing in what was told that may never be, or None."""
    keys = ('a', 'b', 'c', 'nodata:a/S')
    state = dict.fromkeys(keys, (0, 0))
    told = dict.fromkeys(keys, 0)       # the episode whose onset was told
    last = dict.fromkeys(keys, 0)
    acked = set()
    window = False
    lines = iter(answers)
    for op in ops:
        w = op.split()
        if w[0] == 'ack' and state[w[1]][0] == 2:
            acked.add((w[1], state[w[1]][1]))
        elif w[0] == 'window':
            window = w[1] == '1'
        if w[0] not in ('run', 'tick', 'remove'):
            continue
        text, _, states = next(lines).partition('| ')
        news = text.split()
        if news and window:
            return 'told in a window: ' + text
        if news and w[0] == 'run' and w[3] == '0':
            return 'told by a run that was not: ' + text
        for one in news:
            key, kind, episode = one.rsplit(':', 2)
            episode = int(episode)
            if kind == '1':
                if told[key]:
                    return 'an onset before the end: ' + one
                if episode <= last[key]:
                    return 'a second onset: ' + one
                told[key] = last[key] = episode
            elif kind == '3':
                if told[key] != episode or not episode:
                    return 'an end without an onset: ' + one
                told[key] = 0
            elif kind in ('2', '6', '71', '72'):
                if told[key] != episode or not episode:
                    return 'of what nobody knows: ' + one
                if kind != '6' and (key, episode) in acked:
                    return 'though it was acknowledged: ' + one
                if kind == '6' and (key, episode) not in acked:
                    return 'nobody acknowledged it: ' + one
        for key, s in zip(keys, states.split()):
            now = tuple(map(int, s.split('.')))
            was = state[key]
            if now[1] < was[1] or now[1] > was[1] + 1:
                return 'episodes of %s: %s, %s' % (key, was, now)
            if was[0] == 2 and now[0] != 2:
                fine = w[0] == 'remove' or (
                    w[0] == 'run' and w[1] == '1' and w[3] == '1' and
                    (w[2] == '1' or key.startswith('nodata')))
                if not fine:
                    return '%s ended by %s' % (key, op)
            if now[0] == 2 and was[0] != 2 and w[0] != 'run':
                return '%s began by %s' % (key, op)
            if w[0] == 'run' and w[3] == '0' and now != was:
                return '%s changed by a run that was not' % key
            state[key] = now
    # at rest all that fires is known, and nothing else is
    unless = {}
    for op in ops:
        if op.startswith('set '):
            unless[op[4]] = op.split()[6]
    for key in keys:
        cause = unless.get(key, '-')
        if state[key][0] == 2 and told[key] != state[key][1] and not (
                cause != '-' and state[cause][0] == 2):
            return '%s fires, and nobody knows' % key
        if state[key][0] != 2 and told[key]:
            return '%s is over, and nobody knows' % key
    return None


def drive(program, sequences, restarts=False):
    """What the machine tells of each sequence: a list of lists."""
    text = ''.join(['= %d\n%s\n' % (i, '\n'.join(ops))
                    for i, ops in enumerate(sequences)])
    env = dict(os.environ)
    env.pop('RESTARTS', None)
    if restarts:
        env['RESTARTS'] = '1'
    r = subprocess.run([program], input=text.encode(), env=env,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out = r.stdout.decode().split('\n')[:-1]
    answers = []
    for line in out:
        if line.startswith('= '):
            answers.append([])
        else:
            answers[-1].append(line)
    if r.returncode or len(answers) != len(sequences):
        raise RuntimeError('drive: %d %s' % (r.returncode,
                                             r.stderr.decode()[-2000:]))
    return answers


def wrong(ops, answers):
    """Why the answers cannot be, or None."""
    law = laws(ops, answers)
    if law:
        return law
    reference = expect(ops)
    if reference != answers:
        at = next((i for i, (x, y) in enumerate(zip(reference, answers))
                   if x != y), min(len(reference), len(answers)))
        return 'answer %d should be %s, is %s' % (
            at + 1, (reference + ['?'])[at], (answers + ['?'])[at])
    return None


def judge(program, ops, restarts=False):
    try:
        return wrong(ops, drive(program, [ops], restarts)[0])
    except (RuntimeError, StopIteration) as e:
        return str(e)


def shrink(program, ops, restarts=False):
    """The shortest that is still wrong, by leaving out what can go."""
    # what brings it to rest stays: the last five, and what ends silences
    rest = len(ops) - 5
    while ops[rest - 1].startswith('unsilence'):
        rest -= 1
    rest = ops[rest:]
    size = max(1, len(ops) // 2)
    while size:
        i = 3           # behind what the script says
        while i < len(ops) - len(rest):
            less = ops[:i] + ops[i + size:]
            if less[-len(rest):] == rest and judge(program, less, restarts):
                ops = less
            else:
                i += size
        size //= 2
    return ops


def chunk(args):
    """(program, seed, how many, restarts): [] or the first wrong one."""
    program, seed, count, restarts = args
    rng = random.Random(seed)
    sequences = [make(rng) for _ in range(count)]
    try:
        answers = drive(program, sequences, restarts)
    except RuntimeError:
        answers = None
    for i, ops in enumerate(sequences):
        why = wrong(ops, answers[i]) if answers else \
            judge(program, ops, restarts)
        if why:
            return [(ops, why)]
    return []
