#!/usr/bin/env python3
"""Bundled scripts: an alert names one of the library, picket run and picket
doc take its name, a site's own script of that name goes before it."""

import json
import os

import small
from small import write
from tap import end, tell

REAL = os.environ['PICKET_LIB']


def picket(*args, lib='lib'):
    return small.picket(*args, lib=lib)


write('lib/macros.cfg', 'tea_most  3\n')
write('lib/Tea.pikt', '''// Tea: says how much tea there is
//
// Purpose
//	Tells of tea.
Tea
	init
		task "Count the tea"
	begin
		output "at most =tea_most cups"
''')
write('lib/Tea_test.pikt', 'this is none of the scripts\n')
write('site/alerts.cfg', 'Kitchen\n\ttiming 0 * * * *\n\talarms Tea Coffee\n')
write('site/scripts/Coffee.pikt', 'Coffee\n\tbegin\n\t\toutput "coffee"\n')

code, out, err = picket('run', '--config', 'site', 'Kitchen')
tell(code == 0 and out == 'at most 3 cups\ncoffee\n',
     'an alert runs a bundled script beside its own', code, out, err)
code, out, err = picket('list', 'site')
tell(code == 0 and 'Tea' in out and 'Coffee' in out, 'list shows both',
     code, out, err)
code, out, err = picket('run', 'Tea')
tell(code == 0 and out == 'at most 3 cups\n', 'run takes its name', code, out,
     err)
code, out, err = picket('run', '--config', 'site', '-M', 'tea_most=5', 'Tea')
tell(code == 0 and out == 'at most 5 cups\n', 'run of the site, with -M', code,
     out, err)
write('site/scripts/Tea.pikt', 'Tea\n\tbegin\n\t\toutput "own tea"\n')
code, out, err = picket('run', '--config', 'site', 'Kitchen')
tell(code == 0 and out == 'own tea\ncoffee\n', "the site's own goes before",
     code, out, err)
os.unlink('site/scripts/Tea.pikt')
write('site/alerts.cfg', 'Kitchen\n\ttiming 0 * * * *\n\talarms Milk\n')
code, out, err = picket('check', 'site')
tell(code == 1 and 'Milk' in err, 'an unknown one is an error', code, out, err)
write('site/alerts.cfg', 'Kitchen\n\ttiming 0 * * * *\n\talarms Tea Coffee\n')
write('lib/Tea.pikt', 'Tea\n\tbegin\n\t\toutput =no_such_macro\n')
code, out, err = picket('check', 'site')
tell(code == 1 and 'lib/Tea.pikt' in err and 'no_such_macro' in err,
     'an error in a bundled script names its file', code, out, err)

code, out, err = picket('doc', 'ProcNumChkEmergency', lib=REAL)
tell(code == 0 and out.startswith('ProcNumChkEmergency: ') and
     'Thresholds' in out and 'alarms ProcNumChkEmergency' in out,
     'picket doc NAME shows its page', code, out, err)
code, out, err = picket('doc', lib=REAL)
tell(code == 0 and 'Bundled scripts' in out and 'ProcNumChkEmergency' in out,
     'picket doc lists them', code, out, err)
code, out, err = picket('doc', '--json', 'ProcNumChkEmergency', lib=REAL)
page = json.loads(out)['entries'][0] if code == 0 else {}
tell(page.get('kind') == 'script' and 'Remedy' in page.get('page', ''),
     'as JSON', code, out, err)
code, out, err = picket('doc', 'Tea', lib='none')
tell(code == 1 and 'nothing is called Tea' in err,
     'without a library there is none', code, out, err)
end()
