#!/usr/bin/env python3
# runner: timeout=300
"""Runs that share a state: one that is killed in the middle, a store that is
killed, two at once, many keys, and ones that need no state."""

import glob
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from tap import end, skip, tell			# noqa: E402
from store import SAN, Place			# noqa: E402

DF = '''
DiskWatch
	init
		input file "df"
		dat $fs   1
		dat #used 2
		keys $fs
	rule
		if #defined(%used) && #used > %used + 5%
			output "$fs grew from $text(%used * 100)% to $text(#used * 100)%"
		fi
		if -e "wait"
			output "at $fs"
			pause 100
		fi
'''


def wait_for(what, text):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.01)
    tell(False, 'waited in vain for ' + text)


def child(pid, name):
    """The process of that name which pid has started."""
    for stat in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(stat) as f:
                m = re.match(r'(\d+) \((.*)\) (\S) (\d+)', f.read())
        except OSError:
            continue
        if m and int(m[4]) == pid and m[2] == name and m[3] != 'Z':
            return int(m[1])
    return 0


# --- a watcher of file systems over three runs, the third of them killed ---

p = Place(DF)
p.file('df', '/ 50%\n/usr 20%\n/home 90%\n')
r = p.run()
tell(r == (0, '', ''), 'the first run has no previous values', r)
p.file('df', '/home 96%\n/ 53%\n/usr 40%\n')
r = p.run()
tell(r == (0, '/home grew from 90% to 96%\n/usr grew from 20% to 40%\n', ''),
     'the second compares each file system with itself', r)
before = p.sql('SELECT key, name, text FROM line JOIN value ON '
               'line = line.id ORDER BY 1, 2')
p.file('df', '/home 99%\n/ 99%\n/usr 99%\n')
p.file('wait', '')
run = p.start()
wait_for(lambda: child(run.pid, 'picket-store'), 'the store')
store = child(run.pid, 'picket-store')
time.sleep(0.2)
run.kill()
run.wait()
wait_for(lambda: not os.path.exists('/proc/%d' % store), 'its end')
after = p.sql('SELECT key, name, text FROM line JOIN value ON '
              'line = line.id ORDER BY 1, 2')
tell(before == after and len(after) == 3,
     'a third that is killed leaves the second\'s', before, after)
os.remove(os.path.join(p.at, 'wait'))
p.file('df', '/home 97%\n/ 54%\n/usr 46%\n')
r = p.run()
tell(r[1] == '/usr grew from 40% to 46%\n', 'and the fourth goes on from them',
     r)
p.file('df', '/home 100%\n')
p.file('wait', '')
for sig in (signal.SIGINT, signal.SIGTERM):
    run = p.start()
    wait_for(lambda: child(run.pid, 'picket-store'), 'the store')
    time.sleep(0.2)
    run.send_signal(sig)
    out = run.communicate()
    tell(run.returncode == 1 and len(p.sql('SELECT 1 FROM line')) == 3,
         'a run ended by signal %d changes no value' % sig, out)
p.remove()

# --- a store that is killed at any point ---

p = Place('''
Count
	begin
		output "was #{%n}"
		pause 0.05
		set #n = #value($arg(1))
		for #i = 1 #i <= 500 #i += 1
			set #a[#i] = #n
		endfor
		if #defined(%a[1]) && (%a[1] != %n || %a[500] != %n)
			output "half a run"
		fi
''')
n, killed, bad, last = 0, 0, [], {'<<NIL>>'}
# where in a run a kill comes is chance: until there were enough
BASE = 20 if SAN else 60
while n < BASE or (killed <= BASE / 4 and n < 4 * BASE):
    n += 1
    run = p.start(str(n))
    until = time.monotonic() + (0.02 if SAN else 0.002) * \
        ((n - 1) % BASE + 1)
    while time.monotonic() < until and run.poll() is None:
        pid = child(run.pid, 'picket-store')
        if pid and time.monotonic() > until - 0.02:
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
    out, err = run.communicate()
    out = out.decode()
    if b'no previous values' in err:	# killed twice before it answered
        bad += [] if run.returncode == 1 else [(n, err)]
        continue
    if not any('was %s\n' % k in out for k in last) or 'half' in out:
        bad.append((n, last, out, err))
    last = {re.search(r'was (\S+)', out)[1]}
    # what could not be kept was said; else it is there
    if b'not known whether' in err:
        last.add(str(n))
    elif b'nothing was kept' not in err:
        last = {str(n)}
    # or all was kept, and then what waits could not be sent
    if (run.returncode == 1) != (b'ERROR' in err or b'the outbox' in err):
        bad.append((n, run.returncode, err))
tell(not bad and killed > BASE / 4,
     'what a run kept is there or said to be lost, never half', killed, bad)
tell(not glob.glob(p.db + '.corrupt*'), 'and the file stays whole')
p.remove()

# --- two at once ---

p = Place('''
Count
	begin
		output "#{#runs()}"
		set #a["x"] = %a["x"]
		record #runs() as "runs"
''')
runs = [p.start() for k in range(8)]
ends = [(r.communicate(), r.returncode) for r in runs]
tell(all(code == 0 and not said[1] for said, code in ends),
     'eight runs at once all end well', ends)
got = p.sql('SELECT runs, good, (SELECT count(*) FROM point) FROM owner')
tell(got == [(8, 8, 8)], 'and all are counted', got)
tell(p.run()[1] == '9\n', '#runs says so')
p.remove()

# --- many keys ---

p = Place('''
Many
	init
		input file "in"
		dat $k 1
		dat #v 2
		keys $k
	rule
		if #defined(%v) && %v != #v
			set #changed += 1
		fi
	end
		output "#{#innum()} #{#changed}"
''')
many = 10000 if SAN else 100000
p.file('in', ''.join('key-number-%d %d\n' % (k, k * 7) for k in range(many)))
for want, change in (('<<NIL>>', 0), ('<<NIL>>', 1), (str(many), 0)):
    out, mib, secs = p.measured()
    tell(out == '%d %s\n' % (many, want) and (SAN or mib < 64 and secs < 60),
         '%d keys' % many, out, mib, secs)
    print('# %.1f s, %.0f MiB, %.1f MB of file' % (
        secs, mib, os.path.getsize(p.db) / 1e6))
    if change:
        p.file('in', ''.join('key-number-%d %d\n' % (k, k * 7 + 1)
                             for k in range(many)))
p.file('in', 'one 1\n')
p.run()
tell(p.sql('SELECT count(*) FROM value') == [(2,)], 'they are forgotten')
p.script(open(os.path.join(p.at, 's.pikt')).read().replace(
    'init', 'init\n\t\tmemory 2M'))
p.file('in', ''.join('key-number-%d %d\n' % (k, k) for k in range(100000)))
r = p.run()
tell(r[0] == 1 and 'more than 2 MiB of memory' in r[2] and
     p.sql('SELECT count(*) FROM value') == [(2,)],
     'a run whose keys need more than its memory ends, and changes nothing', r)
p.remove()

# --- names that come and go, types that change ---

p = Place('A\n\tbegin\n\t\toutput "#{%x} ${%y}"\n\t\tset #x = 1\n'
          '\t\tset $y = "y"\n')
p.run()
p.script('A\n\tbegin\n\t\toutput "${%x}"\n\t\tset $x = "s"\n')
r = p.run()
tell(r[1] == '<<NIL>>\n', 'a name of another kind is new', r)
tell(p.sql('SELECT name FROM value') == [(b'$x',)],
     'only names that appear as %x are kept')
p.script('A\n\tbegin\n\t\toutput "#{%x[1]}"\n\t\tset #x[1] = 1\n')
tell(p.run()[1] == '<<NIL>>\n' and p.run()[1] == '1\n',
     'an array of a scalar\'s name is new')
p.remove()

# --- series ---

p = Place('''
Series
	begin
		record 7 as "load"
		record 8 as "other"
''')
p.run()
most = 600000
p.sql('INSERT INTO point SELECT 1, (SELECT min(time) FROM point) - value, '
      'value FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT '
      'value + 1 FROM n WHERE value < ?) SELECT value FROM n)', most - 1)
p.sql('UPDATE series SET points = ? WHERE id = 1', most)
p.sql('INSERT INTO point SELECT 2, (SELECT max(time) FROM point) - 401 * 86400 '
      '- value, 9 FROM point WHERE series = 1 AND value BETWEEN 1 AND 12000')
p.sql('UPDATE series SET points = 12001 WHERE id = 2')
r = p.run()
got = p.sql('SELECT count(*), min(value), max(value) FROM point WHERE '
            'series = 1')
tell(r == (0, '', '') and got == [(most, 1, most - 2)],
     'a series of %d points loses the oldest' % most, r, got)
got = p.sql('SELECT count(*), sum(value = 8), (max(time) - min(time)) / 86400 '
            'FROM point WHERE series = 2')[0]
tell(got[:2] == (10000, 2) and 401 < got[2] < 401.2,
     'and points of more than 400 days ago, but for the newest 10000', got)
p.remove()

# --- runs that need no state ---

NONE = '''
None
	init
		input file "s.pikt"
		dat $x 1
		keys $x
	rule
		set $y = @x
	end
		output "#{#innum() > 3}"
'''


def traced(p, *options):
    out = os.path.join(p.at, 'trace')
    r = p.run(before=['strace', '-f', '-o', out, '-e',
                      'trace=execve,openat,socketpair,mkdir'],
              options=options)
    with open(out) as f:
        return r, f.read()


if subprocess.run(['strace', '-o', '/dev/null', 'true'],
                  stderr=subprocess.DEVNULL).returncode == 0 and not SAN:
    p = Place(NONE)
    r, trace = traced(p)
    tell(r[1] == '1\n' and 'exec' in trace and 'picket-store' not in trace and
         'socketpair' not in trace and 'state.db' not in trace,
         'a run that needs no state starts no store, opens nothing', r, trace)
    p.script(NONE.replace('@x', '%x'))
    r, trace = traced(p)
    tell('picket-store' in trace and 'state.db' in trace,
         'as one that needs it does', r, trace)
    r, trace = traced(p, '-n')
    tell('state.db' in trace and not re.search(
        r'"[^"]*/picket/state[^"]*", [^)]*(O_RDWR|O_WRONLY|O_CREAT)', trace),
        'a dry run opens it for reading only', r, trace)
    p.remove()
else:
    skip('what is started and opened', 'needs strace and no sanitizers')
end()
