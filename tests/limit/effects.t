#!/usr/bin/env python3
# runner: serial timeout=120
"""The limits of what a script does to the world, each reached and passed:
commands at once, arguments, log files, output that is kept, process numbers.
"""

import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from runs import SLOW, Run, case, tap				# noqa: E402


class Watched(Run):
	"""Counts the run's children while it runs."""

	def begin(self):
		self.most = 0
		self.thread = threading.Thread(target=self.watch)
		self.thread.start()

	def children(self, pid):
		try:
			with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
				return f.read().split()
		except OSError:
			return []

	def watch(self):
		while self.process.poll() is None:
			for p in self.children(self.process.pid):
				self.most = max(self.most,
						len(self.children(int(p))))
			time.sleep(0.002)


# LIM_GO: 256 commands that nobody waits for; the next one waits.
r = Watched('''
	begin
		for #i = 1 #i <= 300 #i += 1
			exec "sh -c 'echo x >> ran; sleep 3'"
		endfor
''')
r.thread.join()
case('300 commands at once', r, [], [], seconds=20)
tap.ok(200 < r.most <= 256 or SLOW > 1 and r.most <= 256,
       '300 commands at once: 256 run', r.most)
tap.eq(r.log.count("exec: sh -c 'echo x >> ran; sleep 3'"), 300,
       '300 commands at once: all were started')
until = time.time() + 5 * SLOW
while time.time() < until and os.path.getsize('ran') < 600:
	time.sleep(0.02)
tap.eq(os.path.getsize('ran'), 600, '300 commands at once: all were run')

# LIM_ARG, LIM_ARGV: what one argument, and all together, may hold.
case('an argument of 131071 bytes', '''
	begin
		set $s = $repeat("x", 131071)
		output mail $command("printf %s $s | wc -c")
		exec wait "true $s"
		output mail "$text(#exitcode())"
''', ['131071', '0'], [])
R5 = ' over 128 KiB is not run (rule 5)'
case('an argument of 131072 bytes', '''
	begin
		set $s = $repeat("x", 131072)
		exec wait "true $s"
		output mail "$text(#exitcode())"
		exec wait "true a$left($s, 131071)"
		output mail "$text(#exitcode())"
''', ['126', '126'],
     ['ERROR: T: T.pikt:4: not run: $s: "' + 200 * 'x' + '...":' + R5,
      'ERROR: T: T.pikt:6: not run: an argument' + R5], status=0)
case('arguments over 1 MiB', '''
	begin
		set $s = $repeat("abcdefg ", 16000)
		exec wait "true $words($s) $words($s) $words($s) $words($s)"
		output mail "$text(#exitcode())"
		exec wait "true $words($s) $words($s) $words($s) $words($s) $words($s) $words($s) $words($s) $words($s) $words($s)"
		output mail "$text(#exitcode())"
''', ['0', '126'],
     ['ERROR: T: T.pikt:6: not run: arguments over 1 MiB are not run '
      '(rule 5)'], status=0)

# LIM_LOG_FILES: 8 are kept open, and any number can be written.
case('20 log files', '''
	begin
		for #round = 1 #round <= 3 #round += 1
			for #i = 1 #i <= 20 #i += 1
				output log "many.$text(#i)" "round $text(#round)"
			endfor
		endfor
''', [], [])
for i in range(1, 21):
	with open('many.%d' % i) as f:
		text = f.read()
	if text != 'round 1\nround 2\nround 3\n':
		break
tap.eq(text, 'round 1\nround 2\nround 3\n', '20 log files: each has all')

# LIM_LOG_OUTPUT, LIM_LOG_TEXT, LIM_EXEC_OUTPUT: what is kept of output.
r = Run('''
	begin
		exec wait "seq 100"
''')
tap.eq([l.rpartition('| ')[2] for l in r.log.splitlines() if '| ' in l],
       [str(i) for i in range(81, 101)], 'the log has the last 20 lines')
r = Run('''
	begin
		output piktlog $repeat("x", 5000)
''')
tap.ok(' ' + 2000 * 'x' + '...\n' in r.log, 'a log line is cut at 2000 bytes',
       r.log)
r = Run('''
	begin
		exec wait "seq 100000"
		output mail "$text(#length($output())) $right($output(), 6)"
''')
tap.eq(r.mail, ['16380 100000'], '$output() has whole lines, 16 KiB of them')

# Process numbers that kill must never get.
bad = ['1', '0', '-1', '2147483648', '99999999999999999999', '4294967297',
       '1.5', '0x10', '', ' ', '12 1', '-9', '+5', '007', '1e3', '$$']
with open('pids', 'w') as f:
	f.write('\n'.join(bad) + '\n')
r = Run('''
	init
		input file "pids"
	rule
		exec wait "kill -0 $inlin"
		output mail "$text(#exitcode())"
''')
want = [('ERROR: T: T.pikt:5: not run: $inlin: "%s": kill takes only integers '
	 'above 1 (rule 4) (input line %d: "%s")' % (b, i + 1, b))
	for i, b in enumerate(bad)]
case('process numbers for kill', r, ['126'] * len(bad), want, status=0)

# Longest values that are shown, and line numbers beside them.
r = Run('''
	init
		input proc "head -c 1000 /dev/zero | tr '\\\\0' y"
	rule
		set #x = 1 / (#innum() - 1)
''')
tap.eq(r.err, 'picket: ERROR: T: T.pikt:5: division by zero (input line 1: '
       '"%s...")\n' % (200 * 'y'), 'a long input line is cut at 200 bytes')
tap.done()
