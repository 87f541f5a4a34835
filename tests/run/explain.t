#!/usr/bin/env python3
"""picket explain: what a script reads, its thresholds, what it would do."""

import json

from small import picket, write
from tap import end, tell


write('s/macros.cfg', 'tea_low  3\ntea_file /var/tea\nunused 1\n')
write('s/alerts.cfg', 'Kitchen\n\ttiming */10 * * * *\n\tlevel urgent\n'
      '\talarms Tea\n')
write('s/Tea.pikt', '''// Tea: says how much tea there is
//
// Purpose
//	Tea.
Tea
	init
		input file "=tea_file"
		dat   #cups 1
		keys  #cups
	rule
		incident "tea"
			when    #cups < =tea_low
			until   #cups > =tea_low + 1
			hold    2m
			message "little tea: $text(#cups)"
			onset   doexec wait timeout 5s "=touch /tmp/tea"
		endincident
		record #cups
		if #cups < %#cups
			output log "=logdir/tea.log" "less tea"
			exec "=touch /tmp/less"
		fi
Milk
	begin
		output mail "milk"
''')
code, out, err = picket('explain', '--config', 's', 'Tea')


def has(what, *lines, no=()):
    tell(code == 0 and all(w in out for w in lines) and
         not any(w in out for w in no), what, code, out, err)


has('the script and its file', 'Tea: says how much tea there is', 's/Tea.pikt')
has('when it runs', 'in alert Kitchen: */10 * * * *', 'urgent')
has('its input', 'reads       file "/var/tea"')
has('its thresholds with their values, and where they are set',
    'tea_low', ' 3  s/macros.cfg:1\n', no=['unused', 'touch  '])
has('its incidents, macros expanded', 'incident "tea"  Tea.pikt:11',
    'when #cups < 3', 'until #cups > 3 + 1', 'hold 2m', 'message "little')
has('what it writes', 'log "', 'tea.log" "less tea"', no=['milk'])
has('what it does', 'exec wait "touch /tmp/tea"',
    '(not done: define doexec is FALSE)', 'exec "touch /tmp/less"')
has('what it keeps', 'keeps       #cups', 'records     #cups')
code, out, err = picket('explain', '--config', 's', '-D', 'doexec', 'Tea')
has('with the define', '(define doexec is TRUE)')
write('near/macros.cfg', 'disk_ful\t50%\ndisk_clear\t40%\n'
      'disk_hour\t9h\nload_hig\t2\nelsewhere\t1\n')
write('near/alerts.cfg', 'A\n\ttiming 5 * * * *\n\talarms DiskFilling Own\n')
write('near/Own.pikt', 'Own\n\tbegin\n\t\tset #n = =load_hig\n'
      '\t\toutput mail "#{#n}"\n')
code, out, err = picket('check', 'near')
tell(code == 0 and err.count('nothing uses the macro') == 2 and
     'near/macros.cfg:1:1: warning: nothing uses the macro disk_ful\n' in err
     and 'hint: did you mean disk_full?' in err and
     'hint: did you mean disk_hours?' in err,
     'a threshold misspelt in macros.cfg', code, err)
for name, want in (('Te', 'Tea'), ('LodHigh', 'LoadHigh')):
    code, out, err = picket('explain', '--config', 's', name)
    tell(code == 1 and err == 'picket: explain: %s: no such script or file; '
         'did you mean %s?\n' % (name, want), 'a name misspelt: ' + name, err)
code, out, err = picket('explain', '--config', 's', '--json', 'Tea')
j = json.loads(out)['scripts'][0] if code == 0 else {}
tell(j.get('script') == 'Tea' and
     {'name': 'tea_low', 'value': '3', 'file': 's/macros.cfg', 'line': 1} in
     j['thresholds'] and
     [i['text'] for i in j['items'] if i['kind'] == 'incident'] == ['"tea"'],
     'as JSON', out, err)
code, out, err = picket('explain', 's/Tea.pikt')
tell(code == 1 and 'tea_low' in err,
     'a file without its site: what it lacks is said', code, out, err)
code, out, err = picket('explain', 'ProcNumChkEmergency')
has('a bundled one', 'procnum_imapd_kill', 'macros.cfg', 'kill -KILL')
write('./Table.pikt', 'Table\n\tinit\n\t\tinput table files("/etc", 2) '
      'where #size > 1M &&\n\t\t\t$owner ne "root"\n\trule\n\t\toutput $path\n')
code, out, err = picket('explain', './Table.pikt')
has('a table with its arguments and condition',
    'reads       table files("/etc", 2) where #size > 1M && $owner ne "root"')
code, out, err = picket('explain', '--config', 's', 'Nothing')
tell(code == 1 and 'no such script' in err, 'one that is not there', code, err)
code, out, err = picket('explain')
tell(code == 2 and 'explain' in err, 'without a name', code, err)
end()
