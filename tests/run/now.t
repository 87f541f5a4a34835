#!/usr/bin/env python3
"""picket now: every bundled script looks once, nothing is changed."""

import json
import os
import re

import small
from small import write
from tap import end, tell

NOBODY = 65534


def picket(*args, lib='lib', user=None):
    env = {} if user is None else {'HOME': '/nonexistent',
                                   'XDG_STATE_HOME': ''}
    return small.picket(*args, lib=lib, env=env, user=user)


def files():
    found = {}
    for at, _, names in os.walk('.'):
        for n in names:
            p = os.path.join(at, n)
            found[p] = os.stat(p).st_mtime_ns
    return found


write('lib/macros.cfg', 'most 3\n')
write('lib/alerts.cfg', '''
Soon
	timing	*/5 * * * *
	alarms	Cups Plates Asleep
Often
	every	30s
	alarms	Fire Cups Broken Slow
''')
write('lib/Cups.pikt', '''Cups
	init
		level warning
		input proc "printf '7 3'"
		dat   #n 1
	rule
		incident "cups"
			when    #n > =most
			message "$text(#n) cups"
			onset   exec "touch touched"
		endincident
		output mail "one is blue"
		output "on the standard output"
		output log "written" "a line"
''')
write('lib/Plates.pikt', '''Plates
	init
		level error
	begin
		output mail "a plate is broken"
		output mail "another one"
''')
write('lib/Asleep.pikt', '''Asleep
	init
		status inactive
	begin
		output mail "never said"
''')
write('lib/Fire.pikt', '''Fire
	init
		level emergency
	begin
		incident "fire"
			when 1 hold 2m
			message "it \\x1b[31mburns"
		endincident
		incident "water"
			when 0
			message "no"
		endincident
''')
write('lib/Broken.pikt', '''Broken
	init
		input file "no/such/file"
	rule
		output mail "x"
''')
write('lib/Slow.pikt', '''Slow
	init
		timeout 1h
		input proc "sleep 30"
	rule
		output mail "x"
''')
before = files()
code, out, err = picket('now')
lines = out.split('\n')
tell(code == 1 and err == '', 'findings: the status is 1, no error line',
     code, err, out)
tell([x.split()[0] for x in lines if re.match('[a-z]+ +[^ ]', x)][:3] ==
     ['emergency', 'error', 'warning'], 'the worst comes first', out)
tell('it ?[31mburns  (if it lasts 2m)' in out,
     "one that must last says so; no control character gets through", out)
tell('a plate is broken\n               another one' in out,
     'further lines stand below', out)
tell('*/5 * * * *  root  picket run Plates' in out and
     '* * * * *  root  picket run Fire' in out, 'the crontab line of each',
     out)
tell(out.count('7 cups') == 1, 'a script in two alerts looks once', out)
tell('never said' not in out, 'an inactive one does not look', out)
tell('could not look: Broken: ' in out and 'no/such/file' in out and
     'could not look: Slow: ' in out and '2s' in out,
     'who could not look, and why', out)
tell(re.search(r'\n3 scripts looked, 3 findings, 2\.[0-9] s; nothing was',
               out), 'the sum; a slow one has two seconds', out)
tell(files() == before and 'on the standard' not in out,
     'nothing was changed or printed', files())
code, out, err = picket('now', '-M', 'most=9')
tell('cups' not in out.split('could not')[0].replace('Cups', '') or
     'one is blue' in out, 'a macro of the caller', out)
code, out, err = picket('now', '--json')
j = json.loads(out)
tell(code == 1 and [f['script'] for f in j['findings']] ==
     ['Fire', 'Plates', 'Cups'] and j['findings'][2]['key'] == 'cups' and
     j['findings'][0]['hold'] == 120 and len(j['could_not_look']) == 2,
     'as JSON', out, err)
write('lib/alerts.cfg', 'Soon\n\ttiming */5 * * * *\n\talarms Quiet\n')
write('lib/Quiet.pikt', 'Quiet\n\tbegin\n\t\tset #x = 1\n')
code, out, err = picket('now')
tell(code == 0 and out.startswith('1 script looked, 0 findings') and
     err == '', 'nothing found: status 0', code, out, err)
os.chmod('.', 0o755)
code, out, err = picket('now', user=NOBODY)
tell(code == 0 and err == '' and 'root sees more' in out,
     'an ordinary user without a home', code, out, err)
write('lib/Quiet.pikt', 'Quiet\n\tbegin\n\t\toutput =nothing\n')
code, out, err = picket('now')
tell(code == 1 and 'have errors' in err, 'a library with errors', code, err)
code, out, err = picket('now', lib='none')
tell(code == 1 and err != '', 'no library', code, err)
code, out, err = picket('now', 'x')
tell(code == 2, 'it takes no argument', code, err)
end()
