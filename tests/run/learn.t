#!/usr/bin/env python3
"""picket learn: what the alerts would tell of in a while, thresholds that would
not have been met, and a baseline of what is known."""

import json
import os
import signal
import time

import small
from small import write
from tap import end, tell

SLOW = 3 if os.environ.get('PICKET_SANITIZERS') else 1
STATE = os.path.abspath('state')
OURS = {'lib': 'lib', 'env': {'XDG_STATE_HOME': STATE}}


def picket(*args):
    return small.picket(*args, **OURS)


write('lib/macros.cfg', 'most 50%\nleast 10\nbytes 2M\nclear 40%\nother 7\n')
write('lib/alerts.cfg', '''
Often
	every	1s
	alarms	Disk Few Asleep
Seldom
	timing	0 0 1 1 *
	alarms	Big Broken
''')
write('lib/Disk.pikt', '''Disk
	init
		level error
		input proc "printf '/a 0.6\\n/[b]* 0.8\\n/c 0.1\\n'"
		dat   $name 1
		dat   #used 2
	rule
		incident "disk:$name"
			when    #used >= =most
			until   #used < =clear
			message "$name is full: $text(#used)"
			onset   exec "touch touched"
		endincident
		output log "written" "a line"
''')
write('lib/Few.pikt', '''Few
	init
		level warning
	begin
		set #n = 5 + #runs()
		incident "few"
			when    #n < =least
			message "only $text(#n)"
		endincident
		incident "two"
			when    #n > 1 && #n < =least
			message "two conditions"
		endincident
''')
write('lib/Asleep.pikt', '''Asleep
	init
		status inactive
	begin
		output mail "x"
''')
write('lib/Big.pikt', '''Big
	begin
		set #size = 10M
		incident "big"
			when    #size > =bytes
			message "big"
		endincident
''')
write('lib/Broken.pikt', '''Broken
	init
		input file "no/such"
	rule
		output mail "x"
''')

code, out, err = picket('learn', '--for', '3s', '--json')
j = json.loads(out) if code == 0 else {'findings': [], 'thresholds': []}
found = {f['key']: f for f in j['findings']}
tell(code == 0 and set(found) == {'disk:/a', 'disk:/[b]*', 'few', 'two', 'big'},
     'all that would be told of', code, out, err)
tell(found['disk:/a']['held'] == found['disk:/a']['runs'] >= 2 and
     found['disk:/a']['now'] and found['disk:/a']['high'] == 0.6 and
     found['disk:/a']['level'] == 'error', 'how often, and the values', out)
tell(found['few']['low'] == 6 and found['few']['high'] > 6,
     'values are kept from run to run', out)
tell(found['big']['runs'] == 1, 'an alert that is not due again ran once', out)
tell({t['macro']: t['value'] for t in j['thresholds']} ==
     {'most': '90%', 'least': '4.8', 'bytes': '12M'},
     'thresholds that would not have been met', j['thresholds'])
tell(j['onsets'] == 5 and j['failed'] == 1 and j['accepted'] == 0,
     'onsets, once each; the run that failed', out)
tell(not os.path.exists('touched') and not os.path.exists('written') and
     not os.path.exists(STATE), 'nothing was done or kept')
code, out, err = picket('learn', '--for', '2s', 'Few')
tell(code == 0 and 'only 6' not in out and 'only ' in out and
     'disk' not in out and 'would have told of 2 onsets' in out and
     'least' in out and '4.8' in out and '// was 10; few' in out,
     'one script; as text', code, out, err)
code, out, err = picket('learn', '--for', '1s', '-M', 'most=99%', '-M',
                        'bytes=1G', '-M', 'least=1', 'Often')
tell(code == 0 and 'of 0 onsets' in out and 'macros.cfg' not in out,
     'nothing found: nothing proposed', code, out, err)
code, out, err = picket('learn', '--for', '1s', '--accept', 'Disk')
tell(code == 0 and '2 accepted' in out, 'what fires can be accepted', code,
     out, err)
code, out, err = picket('silences', '--json')
j = json.loads(out)['silences'] if code == 0 else []
tell(sorted(s['pattern'] for s in j) == ['disk:/[b]*'.replace(
    '[', '\\[').replace('*', '\\*'), 'disk:/a'] and
     all('baseline' in s['why'] for s in j),
     'each is a silence of its own; a key with * is no pattern', out, err)

p = small.start('learn', '--for', '1h', 'Often', **OURS)
time.sleep(2 * SLOW)
p.send_signal(signal.SIGINT)
out, err = p.communicate(timeout=60)
tell(p.returncode == 0 and b'watched for' in out,
     'an interrupt ends it with what was seen', p.returncode, out, err)
code, out, err = picket('learn', '--for', 'x')
tell(code == 2 and '--for wants' in err, 'a bad duration', code, err)
code, out, err = picket('learn', 'Nothing')
tell(code == 1 and 'no such alert or script' in err, 'an unknown name', code,
     err)
write('site/alerts.cfg', 'Own\n\tevery 1s\n\talarms Mine\n')
write('site/macros.cfg', 'mine 3\n')
write('site/scripts/Mine.pikt', '''Mine
	begin
		set #x = 10
		incident "mine"
			when #x > =mine
			message "x"
		endincident
''')
code, out, err = picket('learn', '--config', 'site', '--for', '1s')
tell(code == 0 and 'mine' in out and '// was 3' in out and 'disk' not in out,
     'a site: its own alerts and macros', code, out, err)
end()
