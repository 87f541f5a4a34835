#!/usr/bin/python3
# runner: timeout=120
"""A real journald and a real rsyslogd take what Picket tells them, locally, by
UDP, TCP and TLS: the right entries, fields and levels."""

import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import roots						# noqa: E402
from delivery import Tap, certificate, picket, skip_all	# noqa: E402
from servers import command, text, wait_for, write	# noqa: E402

TMP = os.environ.get('TMPDIR', '/tmp')
SITE = os.path.join(TMP, 'site')
JOURNALD = '/usr/lib/systemd/systemd-journald'
LINES = ['the disk is full', '<0>not a head: $PATH', 'grüße', 'two  blanks']
SCRIPT = '''DiskFull

	init
		status  active
		level   critical
		task    "Say what a log must carry unchanged."
		input   proc "=printf '%%s\\\\n' %s"
		dat     $line   1-
	rule
		output mail "$line"
''' % ' '.join("'%s'" % x.replace('$', '\\$') for x in LINES)
INCIDENT = '''Incident

	init
		status  active
		level   critical
		task    "An incident for a log."
	begin
		set #full = #value($env("FULL"))
		incident "disk"
			when    #full > 90
			message "the disk is full"
		endincident
'''
tap = Tap()


def tell(way, *more):
    """The script runs, its alert goes this way; nothing is left to send."""
    shutil.rmtree(roots.STATE, ignore_errors=True)
    write(os.path.join(SITE, 'picket.conf'),
          'hostname moscow\n%s\n' % way)
    write(os.path.join(SITE, 'DiskFull.pikt'), SCRIPT)
    r = picket('run', '--config', SITE, '-M', 'printf=/usr/bin/printf', *more,
               os.path.join(SITE, 'DiskFull.pikt'))
    return r


def sent(way):
    r = tell(way)
    tap.eq((r.status, r.out, r.err), (0, '', ''), way + ': sent')


def changes(way):
    """An incident begins and ends."""
    shutil.rmtree(roots.STATE, ignore_errors=True)
    write(os.path.join(SITE, 'picket.conf'), 'hostname moscow\n%s\n' % way)
    write(os.path.join(SITE, 'Incident.pikt'), INCIDENT)
    for full in ('95', '50'):
        r = picket('run', '--config', SITE, os.path.join(SITE, 'Incident.pikt'),
                   FULL=full)
        tap.eq((r.status, r.out, r.err), (0, '', ''), '%s: at %s %%' %
               (way, full))


def daemon(argv, ready):
    """One that logs to our own output; killed with all here at the end."""
    with open(os.path.join(TMP, 'daemon'), 'wb') as log:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                             stderr=log)
    tap.ok(wait_for(ready), argv[0] + ' starts',
           text(os.path.join(TMP, 'daemon')))
    return p


def entries():
    """Picket's entries in the journal."""
    p = subprocess.run(['journalctl', '--directory=/run/log/journal', '-o',
                        'json', '--all', '--no-pager', '-t', 'picket'],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [json.loads(x) for x in p.stdout.splitlines()]


def journald():
    roots.enter()
    roots.bare_dev()
    os.makedirs('/run/systemd/journal')
    os.makedirs('/run/log/journal')
    os.symlink('/run/systemd/journal/dev-log', '/dev/log')
    r = tell('journal')
    tap.ok(r.status != 0 and '/run/systemd/journal/socket' in r.err,
           'no journald: told', r)
    write('/etc/machine-id', '0123456789abcdef0123456789abcdef\n')
    write('/etc/systemd/journald.conf', '[Journal]\nStorage=volatile\n'
          'ReadKMsg=no\nAudit=no\n')
    daemon([JOURNALD], lambda: os.path.exists('/run/systemd/journal/dev-log'))
    sent('journal facility local3')
    got = wait_for(entries)
    if tap.ok(len(got) == 1, 'the journal has one entry', got):
        e = got[0]
        tap.eq(e['MESSAGE'].splitlines(), ['DiskFull: Say what a log must '
               'carry unchanged.'] + LINES, 'its lines')
        for name, want in (('PRIORITY', '2'), ('SYSLOG_FACILITY', '19'),
                           ('_TRANSPORT', 'journal'), ('PICKET_HOST', 'moscow'),
                           ('PICKET_SCRIPT', 'DiskFull'),
                           ('PICKET_LEVEL', 'critical')):
            tap.eq(e.get(name), want, 'its field ' + name)
    sent('syslog facility local4')
    got = wait_for(lambda: len(entries()) == 1 + len(LINES) and entries())
    got = [e for e in got or entries() if e['_TRANSPORT'] == 'syslog']
    tap.eq([e['MESSAGE'] for e in got], ['DiskFull: ' + x for x in LINES],
           'by /dev/log: an entry for each line')
    tap.eq({(e['PRIORITY'], e['SYSLOG_FACILITY']) for e in got},
           {('2', '20')}, 'their level and facility')
    changes('journal')

    def about(what):
        return [e.get(what) for e in entries() if 'PICKET_INCIDENT' in e]
    wait_for(lambda: len(about('MESSAGE')) == 2)
    tap.eq(about('PICKET_WHAT'), ['firing', 'resolved'],
           'an incident: two entries')
    tap.eq(about('PICKET_INCIDENT'), ['disk', 'disk'], 'with its key')
    tap.eq(len(set(about('PICKET_INCIDENT_ID'))), 1, 'and its id')


def rsyslogd():
    roots.enter('rsyslog')
    roots.bare_dev()
    r = tell('syslog')
    tap.ok(r.status != 0 and '/dev/log' in r.err, 'no syslogd: told', r)
    cert, key = certificate('ours')
    other, _ = certificate('other')
    got = '/var/log/got'
    write('/etc/rsyslog.conf', '''
global(workDirectory="/var/spool" defaultNetstreamDriverCAFile="%s"
       defaultNetstreamDriverCertFile="%s" defaultNetstreamDriverKeyFile="%s")
module(load="imuxsock")
module(load="imudp")
module(load="imtcp")
template(name="json" type="list" option.jsonf="on") {
    property(outname="text" name="msg" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="name" name="programname" format="jsonf")
    property(outname="level" name="syslogseverity" format="jsonf")
    property(outname="facility" name="syslogfacility" format="jsonf")
    property(outname="msgid" name="msgid" format="jsonf")
    property(outname="version" name="protocol-version" format="jsonf")
    property(outname="by" name="inputname" format="jsonf")
}
ruleset(name="keep") { action(type="omfile" file="%s" template="json") }
input(type="imudp" address="127.0.0.1" port="514" ruleset="keep")
input(type="imtcp" address="127.0.0.1" port="601" ruleset="keep")
input(type="imtcp" address="127.0.0.1" port="6514" ruleset="keep"
      streamDriver.name="gtls" streamDriver.mode="1"
      streamDriver.authMode="anon")
call keep
''' % (cert, cert, key, got))
    daemon(['rsyslogd', '-n', '-f', '/etc/rsyslog.conf', '-i', '/run/rs.pid'],
           lambda: os.path.exists('/dev/log') and b':1972 ' in open(
               '/proc/net/tcp', 'rb').read())
    before = 0

    def came():
        rows = [json.loads(x) for x in text(got).splitlines()]
        return [r for r in rows if r['name'] == 'picket'][before:]

    for way, host, version, msgid in (
            ('syslog', 'moscow', '0', '-'),
            ('syslog 127.0.0.1 udp', 'moscow', '1', 'lines'),
            ('syslog localhost:601 tcp', 'moscow', '1', 'lines'),
            ('syslog localhost tls ca ' + cert, 'moscow', '1', 'lines')):
        sent(way + ' facility auth')
        wait_for(lambda: len(came()) == len(LINES))
        rows = came()
        tap.eq([r['text'].strip() for r in rows],
               ['DiskFull: ' + x for x in LINES], way + ': its lines')
        tap.eq({(r['host'], r['level'], r['facility'], r['version'],
                 r['msgid']) for r in rows},
               {(host, '2', '4', version, msgid)}, way + ': its head')
        before += len(rows)
    changes('syslog')
    wait_for(lambda: len(came()) == 2)
    tap.ok(len(came()) == 2 and '[firing] the disk is full' in
           came()[0]['text'] and '[resolved' in came()[1]['text'],
           'syslog: an incident, two messages', came())
    before += 2
    r = tell('syslog localhost tls ca ' + other)
    tap.ok(r.status != 0 and 'certificate' in r.err, 'a wrong certificate: told',
           r)
    r = tell('syslog localhost:600 tcp')
    tap.ok(r.status != 0 and 'onnect' in r.err, 'nobody listens: told', r)
    time.sleep(0.3)
    tap.eq(came(), [], 'and nothing has come')


SCENES = {f.__name__: f for f in (journald, rsyslogd)}
if len(sys.argv) > 1:
    SCENES[sys.argv[1]]()
    tap.done()
why = roots.why_not('rsyslog')
if not os.path.exists(JOURNALD):
    why['journald'] = 'systemd is not installed'
there = [x for x in SCENES if x not in why and x[:-1] not in why]
if not there:
    skip_all('; '.join(sorted(why.values())))
roots.run_each([(x,) for x in there], tap)
for x in SCENES:
    if x not in there:
        tap.skip(x, why.get(x) or why[x[:-1]])
tap.done()
