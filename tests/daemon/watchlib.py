"""What a harness sees of a picketd from outside: its processes, by a mark in
their environment or in their words, what they hold, and its mail, as a real
server got it."""

import collections
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get('SRCDIR', '.'),
                                'tests/deliver'))

MARK = 'PICKET_TEST_MARK=%d.%d' % (os.getpid(), int(time.time()))
# what scripts leave has none of our environment, but this word in its line
WORD = '60%d.%d' % (os.getpid(), int(time.time()) % 10000)
KINDS = ('picketd', 'picket-store', 'run', 'courier', 'emergency',
         'picket-deliver', 'picket-http', 'short', 'command', 'other')


def slurp(path, mode='r'):
    try:
        with open(path, mode, **({} if 'b' in mode
                                 else {'errors': 'replace'})) as f:
            return f.read()
    except OSError:
        return b'' if 'b' in mode else ''


def kind(words):
    name = os.path.basename(words[0])
    if WORD in ' '.join(words):
        return 'command'
    if name == 'picket-runner':
        role = words[1] if len(words) > 1 else ''
        return role if role in ('run', 'courier', 'emergency') else 'short'
    return name if name in KINDS else 'other'


BEGAN = slurp('/proc/self/stat').rpartition(')')[2].split()[19]
known = {}			# {pid: when it started}, of all that were seen


def processes():
    """{pid: kind} of all that came of this test and live: those with its mark,
    what they started, and what was seen before, whoever is its parent now.
    Nothing that is older than this test is ever among them."""
    mine, other, parent, started = {}, {}, {}, {}
    mark = MARK.encode()
    for pid in filter(str.isdigit, os.listdir('/proc')):
        n = int(pid)
        stat = slurp('/proc/%s/stat' % pid).rpartition(')')[2].split()
        words = slurp('/proc/%s/cmdline' % pid).rstrip('\0').split('\0')
        if n == os.getpid() or not stat or stat[0] in 'ZX' or not words[0] \
                or int(stat[19]) < int(BEGAN):
            continue		# ours, or of the kernel, or it has ended
        parent[n], started[n] = int(stat[1]), stat[19]
        if WORD in ' '.join(words) or known.get(n) == stat[19] or \
                mark in slurp('/proc/%s/environ' % pid, 'rb').split(b'\0'):
            mine[n] = kind(words)
        else:
            other[n] = kind(words)
    # what they started: one generation after the other
    while True:
        more = [n for n in other if parent[n] in mine]
        if not more:
            break
        for n in more:
            mine[n] = other.pop(n)
    known.update((n, started[n]) for n in mine)
    return mine


def end_known(pids):
    """KILL to those, if each is still the one that was seen."""
    for pid in pids:
        stat = slurp('/proc/%d/stat' % pid).rpartition(')')[2].split()
        if stat and known.get(pid) == stat[19]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def status(pid, key):
    m = re.search(r'^%s:\s*(\d+)' % key, slurp('/proc/%d/status' % pid), re.M)
    return int(m.group(1)) if m else 0


def descriptors(pid):
    """{number: what it is}."""
    found = {}
    try:
        for fd in os.listdir('/proc/%d/fd' % pid):
            try:
                found[int(fd)] = os.readlink('/proc/%d/fd/%s' % (pid, fd))
            except OSError:
                pass
    except OSError:
        pass
    return found


def idle_descriptors(pid, seconds=6):
    """{kind: the least that there were of it}: what runs have comes and
    goes."""
    least = None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = collections.Counter(re.sub(r'\d+', 'N', x)
                                  for x in descriptors(pid).values())
        if now:
            least = now if least is None else least & now
        time.sleep(0.01)
    return least or collections.Counter()


def groups(pid):
    """Its cgroups (v2) that are picketd's own."""
    return set(re.findall(r'^0::(/.*picketd-[0-9a-f]{8})',
                          slurp('/proc/%d/cgroup' % pid), re.M))


def group_folders(names):
    found = []
    for line in slurp('/proc/mounts').split('\n'):
        words = line.split()
        if len(words) > 2 and words[2] == 'cgroup2':
            found += [words[1] + n for n in names
                      if os.path.isdir(words[1] + n)]
    return found


def locks(folder):
    """Files below it that somebody has locked."""
    held = {}
    for line in slurp('/proc/locks').split('\n'):
        m = re.search(r' (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) ', line)
        if m:
            held[int(m.group(2))] = line
    return ['%s: %s' % (os.path.join(at, name), held[inode])
            for at, _, names in os.walk(folder) for name in names
            for inode in [os.lstat(os.path.join(at, name)).st_ino]
            if inode in held]


def bodies(relay):
    """{Message-ID: [its lines, of each copy]} of all that the server took."""
    found = collections.defaultdict(list)
    for m in list(relay.mails):
        text = m.content.decode('utf-8', 'replace').replace('\r\n', '\n')
        head, _, body = text.partition('\n\n')
        ident = re.search(r'^Message-ID:\s*(<[^>]*>)', head, re.M | re.I)
        found[ident.group(1) if ident else '?'].append(
            [x.strip() for x in body.split('\n') if x.strip()])
    return found


def where(mails, pattern):
    """{what the pattern's groups match: [Message-ID, ...]}, in order."""
    found = collections.defaultdict(list)
    rx = re.compile(pattern)
    for ident, copies in mails.items():
        for line in copies[0]:
            m = rx.match(line)
            if m:
                found[m.groups()].append(ident)
    return found
