#!/usr/bin/env python3
# runner: serial timeout=240
"""What goes wrong while a script runs: each fault has its message, word for
word, the mail that was said so far still comes, nothing hangs, memory stays
bounded, and no process is left but those that shall be.
"""

import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from runs import (SLOW, Run, alive, case, end, number, tap)	# noqa: E402

DEADLINE = "the run's deadline of %gs has passed"
ENDS = 'ERROR: T: the run ends: '
COUNT = '''
	rule
		output mail "$text(#length($inlin)): $left($inlin, 20)"
	end
		output mail "end $text(#inputexit()) $text(#innum())"
'''

#
# The input
#

why = '/no/such/program: not found'
case('missing input command', '''
	init
		input proc "/no/such/program -x"
	begin
		output mail "began"
''' + COUNT, ['began', 'ERROR: ' + why], [ENDS + why])

why = 'no-such-program: not found in PATH'
case('missing input command without a folder', '''
	init
		input proc "no-such-program -x"
''' + COUNT, ['ERROR: ' + why], [ENDS + why])

said = 'sh: 2: no-such-program: not found'
why = 'input command ended with exit 127: ' + said
r = Run('''
	init
		input proc "echo a; no-such-program"
''' + COUNT)
# each shell says it in its own words
r.err = re.sub(r'(sh|/bin/sh): .*not found', said, r.err)
r.mail = [re.sub(r'(sh|/bin/sh): .*not found', said, l) for l in r.mail]
r.log = re.sub(r'(sh|/bin/sh): .*not found', said, r.log)
case('missing command in a shell', r, ['1: a', 'ERROR: ' + why],
     ['WARNING: T: | ' + said, ENDS + why])

os.mkdir('folder')
with open('plain', 'w') as f:
	f.write('echo a\n')
why = os.getcwd() + '/plain: not executable'
case('input that is no program', '''
	init
		input proc "%s/plain"
''' % os.getcwd() + COUNT, ['ERROR: ' + why], [ENDS + why])

why = DEADLINE % 2
case('input that never ends', '''
	init
		timeout 2s
		input proc "echo a; sleep 1000"
''' + COUNT, ['1: a', 'ERROR: ' + why], [ENDS + why], seconds=4)

why = DEADLINE % 1
r = case('input that never ends and ignores TERM', '''
	init
		timeout 1s
		input proc "trap '' TERM; echo \\$\\$ > stubborn; while :; do sleep 1; done"
''' + COUNT, ['ERROR: ' + why], [ENDS + why], seconds=6)
tap.ok(number('stubborn') > 1 and not alive(number('stubborn')),
       'it is ended')

for status in (1, 2, 125, 128):
	case('input that exits with %d' % status, '''
	init
		input proc "echo a; exit %d"
''' % status + COUNT, ['1: a', 'end %d 1' % status], [])
case('grep that finds nothing', '''
	init
		input proc "grep nothing /dev/null"
''' + COUNT, ['end 1 0'], [])
for status in (126, 127, 137):
	why = 'input command ended with exit %d' % status
	case('input that exits with %d' % status, '''
	init
		input proc "echo a; exit %d"
''' % status + COUNT, ['1: a', 'ERROR: ' + why], [ENDS + why])
why = 'input command ended with signal 9'
case('input that is killed', '''
	init
		input proc "echo a; kill -KILL \\$\\$"
''' + COUNT, ['1: a', 'ERROR: ' + why], [ENDS + why])

case('input that is not read to its end', '''
	init
		input proc "yes"
	rule
		if #innum() == 3
			last
		fi
	end
		output mail "end $text(#innum())"
''', ['end 3'], [], seconds=4)
why = DEADLINE % 1
case('input that closes early and stays', '''
	init
		timeout 1s
		input proc "echo a; exec >&-; sleep 1000"
''' + COUNT, ['1: a', 'ERROR: ' + why], [ENDS + why], seconds=3)
case('a filter that has seen enough', '''
	init
		input proc "yes"
		filter "head -n 2"
''' + COUNT, ['1: y', '1: y', 'end 141 2'], [], seconds=4)
why = 'no-such-filter: not found in PATH'
case('a missing filter', '''
	init
		input proc "echo a"
		filter "no-such-filter -x"
''' + COUNT, ['ERROR: ' + why], [ENDS + why])

cut = 'WARNING: T: 1 input line longer than %d bytes: the rest was cut'
case('1 GB without a newline', '''
	init
		input proc "head -c 1000000000 /dev/zero | tr '\\\\0' x"
''' + COUNT, ['1048576: ' + 20 * 'x', 'end 0 1'], [cut % 1048576], seconds=60)
case('a line of 10 MB', '''
	init
		line 64K
		input proc "head -c 10000000 /dev/zero | tr '\\\\0' x; echo; echo b"
''' + COUNT, ['65536: ' + 20 * 'x', '1: b', 'end 0 2'], [cut % 65536])
with open('long', 'wb') as f:
	f.write(b'x' * 1048576 + b'\n' + b'y' * 1048577 + b'\nz')
case('lines at the limit and over it, of a file', '''
	init
		input file "long"
''' + COUNT, ['1048576: ' + 20 * 'x', '1048576: ' + 20 * 'y', '1: z',
	      'end 0 3'], [cut % 1048576])
case('100 MB on standard error', '''
	init
		input proc "echo a; head -c 100000000 /dev/zero >&2; echo b"
''' + COUNT, ['1: a', '1: b', 'end 0 2'],
     ['WARNING: T: the input command says: ' + 160 * '\\x00'], seconds=30)
case('a command that complains and ends well', '''
	init
		input proc "cat nosuch 2>&1 | sed p >&2; echo last words >&2; echo a"
''' + COUNT, ['1: a', 'end 0 1'],
     ['WARNING: T: the input command says: last words'])

with open('binary', 'wb') as f:
	f.write(b'a\0b\xff\n\0\n\x1b[31mred\r\n\n' + bytes(range(32)) + b'\nend')
LOW = ''.join('\\x%02x' % i for i in range(9)) + '\\t'
case('binary input', '''
	init
		input file "binary"
	rule
		output mail "$text(#length($inlin)) $inlin"
		output log "copy" $inlin
	rule
		exec wait "touch $inlin"
''', ['4 a\\x00b\\xff', '1 \\x00', '9 \\x1b[31mred\\x0d', '0 ',
      '10 ' + LOW.replace('\\t', '\t'),
      '21 ' + ''.join('\\x%02x' % i for i in range(11, 32)), '3 end'],
     ['ERROR: T: T.pikt:8: not run: $inlin: "a\\x00b\\xff": a NUL byte is '
      'not run (rule 5) (input line 1: "a\\x00b\\xff")',
      'ERROR: T: T.pikt:8: not run: $inlin: "\\x00": a NUL byte is not run '
      '(rule 5) (input line 2: "\\x00")',
      'ERROR: T: T.pikt:8: not run: $inlin: "' + LOW + '": a NUL byte is not '
      'run (rule 5) (input line 5: "' + LOW + '")'], status=0)

why = os.getcwd() + '/none: No such file or directory'
case('a missing input file', '''
	init
		input file "%s/none"
''' % os.getcwd() + COUNT, ['ERROR: ' + why], [ENDS + why])
why = 'folder: Is a directory'
case('a folder as input', '''
	init
		input file "folder"
''' + COUNT, ['ERROR: ' + why], [ENDS + why])
os.mkfifo('fifo')
why = DEADLINE % 1
case('a FIFO that nobody writes to', '''
	init
		timeout 1s
		input file "fifo"
''' + COUNT, ['ERROR: ' + why], [ENDS + why], seconds=3)
with open('sparse', 'wb') as f:
	f.truncate(1 << 40)
case('a file that is too long for the time', '''
	init
		timeout 1s
		input file "sparse"
''' + COUNT, ['ERROR: ' + why], [cut % 1048576, ENDS + why], seconds=3)
os.unlink('sparse')

#
# Commands
#

r = Run('''
	begin
		exec detached "sh -c 'echo \\$\\$ > service; exec sleep 300'"
''')
until = time.time() + 5
while not number('service') and time.time() < until:
	time.sleep(0.01)
pid = number('service')
time.sleep(0.3)
tap.ok(alive(pid), 'exec detached: what it started lives on', r)
tap.ok(pid > 1 and os.getsid(pid) != os.getsid(0) and
       os.getpgid(pid) != os.getpgid(0), 'exec detached: in a session of its own')
tap.ok('exec detached, pid %d: ' % pid in r.log, 'exec detached: logged',
       r.log)
end(pid, 'sleep')

r = Run('''
	begin
		exec wait "sh -c 'sleep 300 & echo \\$! > service; echo started'"
		output mail "$text(#exitcode()) $output()"
''')
pid = number('service')
time.sleep(0.3)
case('exec wait of what starts a daemon', r, ['0 started'], [], seconds=4)
tap.ok(alive(pid, 'sleep'), 'the daemon lives on')
end(pid, 'sleep')

STUBBORN = '''"sh -c 'trap \\"\\" TERM; echo \\$\\$ > stubborn; sleep 300 & echo \\$! > grandchild; while :; do sleep 1; done'"'''
for mode, most in (('wait', 5), ('', 1)):
	for f in ('stubborn', 'grandchild'):
		if os.path.exists(f):
			os.unlink(f)
	r = Run('''
	begin
		exec %s timeout 1s %s
		output mail "next"
''' % (mode, STUBBORN))
	name = 'exec %s timeout of what ignores TERM' % mode
	case(name, r, ['next'], [
	    "ERROR: T: T.pikt:3: exec: ended at its time-out: sh -c 'trap \"\" "
	    "TERM; echo $$ > stubborn; sleep 300 & echo $! > grandchild; while "
	    ":; do sleep 1; done'"] if mode else [], status=0, seconds=most)
	until = time.time() + 6 * SLOW
	while time.time() < until and (alive(number('stubborn')) or
				       alive(number('grandchild'))):
		time.sleep(0.05)
	tap.ok(number('stubborn') > 1 and not alive(number('stubborn')),
	       name + ': it is ended')
	tap.ok(number('grandchild') > 1 and
	       not alive(number('grandchild'), 'sleep'),
	       name + ': with its group')

why = DEADLINE % 1
for name, text, more in (
    ('exec wait', 'exec wait "sleep 1000"', ['ERROR: T: T.pikt:6: exec: ended '
     'at its time-out: sleep 1000']),
    ('#system', 'set #x = #system("sleep 1000")', []),
    ('$command', 'set $x = $command("sleep 1000")', []),
    ('#read', 'do #popen(P, "sleep 1000", "r") do #read(P)',
     ['WARNING: T: T.pikt:6: #read: P: ' + why]),
    ('#pclose', 'do #popen(P, "cat; sleep 1000", "w") do #pclose(P)', []),
    ('pause', 'pause 1000', []),
    ('a loop', 'while 1 set #i += 1 endwhile', []),
    ('a loop over lines', 'do #popen(P, "yes", "r") while #read(P) > 0 '
     'set #i += 1 endwhile', None)):
	r = Run('''
	init
		timeout 1s
	begin
		output mail "before"
		%s
		output mail "after"
''' % text)
	if more is None:	# whichever of the two notices first
		more = re.findall('(WARNING: T: T.pikt:6: #read: P: .*)\n',
				  r.err)
	case('the deadline ends ' + name, r, ['before', 'ERROR: ' + why],
	     more + [ENDS + why], seconds=4)

case('1 GB of output: $command', '''
	begin
		set $s = $command("head -c 1000000000 /dev/zero")
		output mail "$text(#length($s))"
''', ['4194304'], ['WARNING: T: T.pikt:3: head -c 1000000000 /dev/zero: output '
		   'cut after 4194304 bytes'], seconds=60)
case('1 GB of output: #read', '''
	begin
		do #popen(P, "head -c 1000000000 /dev/zero", "r")
		output mail "$text(#read(P))"
		output mail "$text(#read(P)) $text(#pclose(P))"
''', ['1048576', '0 0'],
     ['WARNING: T: head -c 1000000000 /dev/zero: 1 line longer than 1048576 '
      'bytes: the rest was cut'], seconds=60)
case('1 GB of output: exec wait', '''
	begin
		exec wait "head -c 1000000000 /dev/zero"
		output mail "$text(#length($output()))"
''', ['16384'], [], seconds=60)

case('commands that cannot be started', '''
	begin
		exec wait "/no/such/program"
		output mail "exec $text(#exitcode())"
		output mail "system $text(#system("/no/such/program"))"
		output mail "popen $text(#popen(P, "/no/such/program", "r"))"
		output mail "command $command("/no/such/program")"
		exec wait in "/no/such/folder" "true"
		exec wait as "no-such-user-here" "true"
''', ['exec 127', 'system -1', 'popen -1', 'command <<ERR>>'],
     ['ERROR: T: T.pikt:3: exec: /no/such/program: not found',
      'WARNING: T: T.pikt:5: #system: /no/such/program: not found',
      'WARNING: T: T.pikt:6: #popen: /no/such/program: not found',
      'WARNING: T: T.pikt:7: $command: /no/such/program: not found',
      'ERROR: T: T.pikt:8: exec: cannot enter folder /no/such/folder: No such file or directory',
      'ERROR: T: T.pikt:9: exec: no user no-such-user-here'], status=0)


class Interrupted(Run):
	def begin(self):
		until = time.time() + 10
		while not number('stubborn') and time.time() < until:
			time.sleep(0.01)
		time.sleep(0.1)
		self.process.send_signal(signal.SIGTERM)


os.unlink('stubborn')
r = Interrupted('''
	init
		input proc "echo a; echo \\$\\$ > stubborn; exec sleep 1000"
''' + COUNT)
case('a run that is told to end', r, ['1: a', 'ERROR: ended by signal 15'],
     [ENDS + 'ended by signal 15'], seconds=4)
tap.ok(not alive(number('stubborn')), 'its input command is ended, too')

#
# Limits and mistakes
#

BEFORE = '''
	begin
		output mail "before"
'''
why = 'more than 100000 instructions in one pass (budget)'
case('the budget', '''
	init
		budget 100000
''' + BEFORE + '''
		while 1
			set #i += 1
		endwhile
		output mail "after"
''', ['before', 'ERROR: ' + why], [ENDS + why])
why = 'more than 2 MiB of memory (memory)'
for name, text in (
    ('a string that grows', 'set $s .= "0123456789"'),
    ('an array that grows', 'set #i += 1 set $a[#i] = "x"'),
    ('a string that doubles', 'set $s = "x" . $s . $s'),
    ('keys', 'set #i += 1 set #n[$text(#i) . $repeat("x", 1000)] = 1')):
	case('memory: ' + name, '''
	init
		memory 2M
''' + BEFORE + '''
		while 1
			%s
		endwhile
		output mail "after"
''' % text, ['before', 'ERROR: ' + why], [ENDS + why], mib=12)
why = 'more than 64 MiB of memory (memory)'
case('memory without a limit of its own', BEFORE + '''
		while 1
			set $s .= "0123456789"
		endwhile
''', ['before', 'ERROR: ' + why], [ENDS + why], mib=80)
why = 'more than 16 MiB of memory (mail and output)'
r = Run(BEFORE + '''
		set $x = $repeat("x", 900)
		while 1
			output mail $x
		endwhile
''')
tap.ok(r.mail[0] == 'before' and set(r.mail[1:-2]) == {900 * 'x'} and
       re.match(r'\[[0-9]+ more lines, [0-9]+ bytes, are not shown\]$',
		r.mail[-2]) and r.mail[-1] == 'ERROR: ' + why,
       'memory: endless mail', r.mail[-3:])
tap.eq((r.status, r.err), (1, 'picket: %s\n' % (ENDS + why)),
       'memory: endless mail: the message')

def arithmetic(n, text, values):
	return ['ERROR: T: T.pikt:%d: %s (input line %d: "%s")' %
		(line, what, n, text) for line, what in values]


case('arithmetic', '''
	init
		input proc "printf '3 0\\\\n4 x\\\\n'"
		dat #a 1
		dat #b 2
	begin
		set #big = 10
	rule
		output mail "$text(#a / #b)"
		output mail "$text(#a % #b)"
		output mail "$text(#sqrt(0 - #a))"
		output mail "$text(1 << 15 * #a + #big)"
		output mail "$text(#big ** 400)"
		set $z[0 - #a] = "x"
		output mail "$char(0 - #a) $repeat("x", 1G)"
''', ['<<NIL>>', '<<NIL>>', '<<ERR>>', '<<ERR>>', '<<ERR>>',
      '<<ERR>> <<ERR>>', '<<NIL>>', '<<NIL>>', '<<ERR>>', '<<ERR>>',
      '<<ERR>>', '<<ERR>> <<ERR>>'],
     [e for n, text, a, zero in ((1, '3 0', 3, True), (2, '4 x', 4, False))
      for e in arithmetic(n, text, (
	  ((9, 'division by zero'), (10, 'division by zero')) if zero else ()) +
	  ((11, '#sqrt: no result for -%d' % a),
	   (12, 'shift by less than 0 or more than 52 bits'),
	   (13, 'result out of range'),
	   (14, 'array index -%d: negative' % a),
	   (15, '$char: -%d is no integer from 0 to 255' % a),
	   (15, '$repeat: 1 bytes 1073741824 times are more than 1048576 '
	    'bytes')))] +
     ['WARNING: T: 1 value missing or no number; the first: #b in input line 2 '
      'is no number: "x"'], status=0)

case('a pattern that would take for ever', '''
	begin
		if $repeat("a", 100000) . "b" =~ "^(a|aa)*$"
			output mail "yes"
		else
			output mail "no"
		fi
''', ['no'], ['ERROR: T: T.pikt:3: the pattern needs too much work on this '
	      'text (match limit)'], status=0)

case('output that cannot be written', '''
	begin
		output log "/no/such/folder/log" "x"
		output log "/dev/full" "x"
		do #fopen(F, "/no/such/folder/file", "w")
		output mail "after"
''', ['after'],
     ['WARNING: T: T.pikt:3: output: /no/such/folder/log: No such file or '
      'directory',
      'WARNING: T: T.pikt:4: output: /dev/full: not a regular file',
      'WARNING: T: T.pikt:5: #fopen: /no/such/folder/file: No such file or '
      'directory'], status=0)
tap.done()
