#!/usr/bin/env python3
"""How functions fail, the same everywhere: what a function cannot work with
gives ERR and one ERROR line; a call to the system that fails gives -1, or ERR
of functions that give strings, one WARNING line, and its reason in $errtext().
The line names the place and the function.  After either the script goes on.

Every function is here, or in TOTAL with the reason why it cannot fail.
"""
# runner: timeout=120

import json
import os
import re
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']

# An argument that it cannot work with.
NUL = '"a" . $char(0)'
DOMAIN = '''
#sqrt(-1): no result for -1
#pow(-8, 0.5): negative
#pow(10, 400): out of range
#exp(1000): 1000
#ln(0): no result for 0
#ln(-1): no result for -1
#log10(0): no result for 0
#mod(1, 0): division by zero
#random(0): 0 is no integer from 1 on
#random(1.5): 1.5 is no integer
#percentile(101, 1, 2): 101 is no percentage
#percentile(-1, 1, 2): -1 is no percentage
#min($a): array of texts
#max($a): array of texts
#sum(1e308, 1e308): out of range
#avg(1e308, 1e308): out of range
#median($a): array of texts
#stddev(1e308, -1e308): out of range
$arg(0): 0 is no integer from 1 on
$arg(1.5): 1.5 is no integer
$char(256): 256 is no integer from 0 to 255
$char(-1): -1 is no integer
$text(1, 2000): 2000 is no number of decimals
$text(1, 1.5): 1.5 is no number of decimals
$left("abc", -1): -1 is no integer
$left("abc", 1.5): 1.5 is no integer
$right("abc", -1): -1 is no integer
$mid("abc", 0): 0 is no integer from 1 on
$mid("abc", 1, -1): -1 is no integer
$chop("abc", -1): -1 is no integer
$repeat("ab", -1): -1 is no integer
$repeat("ab", 1e15): more than
$pad("ab", -1): -1 is no integer
$pad("ab", 5, "xy"): one byte
$padleft("ab", 5, ""): one byte
$replace("abc", "", "x"): empty
$subst("abc", "(", "x"): bad pattern "\\(": missing closing parenthesis
$gsubst("abc", "[", "x"): bad pattern "\\["
$translate("abc", "z-a", "x"): z-a is no range
#split("a", ""): no separators
$field("a b", 0): 0 is no integer from 1 on
$format($char(37) . "y", 1): format %y
$format($char(37) . "d", "x"): no value for %d
#count("abc", "("): bad pattern
$quote(NUL): NUL byte
#datevalue(2023, 2, 29): no 2023-02-29
#timevalue(24, 0): 24 is no integer
#timevalue(1, 2, 60): 60 is no second
#year(1e300): 1e\\+300 is no time
#month(1e300): no time
#day(1e300): no time
#hour(1e300): no time
#minute(1e300): no time
#second(1e300): no time
#weekday(1e300): no time
#yearday(1e300): no time
$date(1e300): no time
$date(0, "%9999999d"): more than 65536 bytes
$time(-1e300): no time
$dayname(1e300): no time
$monthname(1e300): no time
$ampm(1e300): no time
#parsetime("1", NUL): NUL byte
$duration(1e300): no duration
#fileage("Foo", "1", "2001"): Foo 1 2001 is no date
#fileage("Jan", "1"): without year
#filesize(NUL): NUL byte
#filemtime(NUL): NUL byte
#fileatime(NUL): NUL byte
#filectime(NUL): NUL byte
#filemode(NUL): NUL byte
#fileuid(NUL): NUL byte
#filegid(NUL): NUL byte
#filelinks(NUL): NUL byte
#fileinode(NUL): NUL byte
$fileowner(NUL): NUL byte
$filegroup(NUL): NUL byte
$filetype(NUL): NUL byte
$filelink(NUL): NUL byte
$realpath(NUL): NUL byte
$checksum(7, "/etc/passwd"): 7 is no integer from -3 to 6
$checksum(0.5, "/etc/passwd"): 0.5 is no integer
#diskfree(NUL): NUL byte
#diskused(NUL): NUL byte
#glob(NUL, $a): NUL byte
#glob("*", #n): array of numbers
#fopen(F, "/etc/passwd", "x"): the mode "x"
#fopen(F, NUL, "r"): NUL byte
#popen(P, "true", "a"): the mode "a"
#pid(NUL): NUL byte
$env(NUL): NUL byte
#uid(NUL): NUL byte
#gid(NUL): NUL byte
$username(-1): -1 is no integer
$username(4294967295): 4294967295 is no integer
$groupname(1.5): 1.5 is no integer
$home(NUL): NUL byte
#loggedin(NUL): NUL byte
$resolve(""): empty name
$resolve(NUL): NUL byte
#inobject("no-such-set", "x"): no object set "no-such-set"
$lookup("no-such-set", "x"): no object set "no-such-set"
#talk(NUL, "", "", 1): NUL byte
#talk("unix:/x", "", "(", 1): bad pattern "\\("
#talk("unix:/x", "", "", 0): 0 is no time above 0
#tcpcheck("127.0.0.1", 65536, 1): 65536 is no integer from 1 to 65535
#tcpcheck("127.0.0.1", 1, 3601): 3601 is no time above 0
#httpcheck(NUL, 1): NUL byte
$httpget("http://127.0.0.1:1/", -1): -1 is no time above 0
#certdays("127.0.0.1", 0): 0 is no integer from 1 to 65535
#kill(0, "TERM"): 0 is no integer
#killall("", "x", "TERM"): an empty name
#terminate(0, 1): 0 is no integer
#renice(0, 1): 0 is no integer
#setlimit(0, "cpu", 1, 1): 0 is no integer
#oomadjust(0, 1): 0 is no integer
#freeze(0): 0 is no integer
#thaw(0): 0 is no integer
#archive(NUL): NUL byte
#quarantine(NUL): NUL byte
#rotate(NUL, 1): NUL byte
#column("no" . $char(97), "x"): no table "noa"
$column("no" . $char(97), "x"): no table "noa"
#tally("no" . $char(97), "x", "", #n): no table "noa"
'''

# A call to the system that fails.
SYSTEM = '''
#fileage("/no/such"): /no/such: No such file
#filesize("/no/such"): /no/such: No such file
#filemtime("/no/such"): No such file
#fileatime("/no/such"): No such file
#filectime("/no/such"): No such file
#filemode("/no/such"): No such file
#fileuid("/no/such"): No such file
#filegid("/no/such"): No such file
#filelinks("/no/such"): No such file
#fileinode("/no/such"): No such file
$fileowner("/no/such"): No such file
$filegroup("/no/such"): No such file
$filetype("/no/such"): No such file
$filelink("/no/such"): No such file
$realpath("/no/such"): No such file
$realpath("/etc/passwd/x"): Not a directory
$checksum(3, "/no/such"): No such file
$checksum(3, "/dev/null"): no regular file
$checksum(5, "/etc"): no regular file
#diskfree("/no/such"): No such file
#diskused("/no/such"): No such file
#fopen(F, "/no/such", "r"): No such file
#fopen(F, "/no/such", "w"): No such file
#read(F): F is not open
#write(F, "x"): F is not open
#writeln(F, "x"): F is not open
#fflush(F): F is not open
#fclose(F): F is not open
#popen(P, "/no/such", "r"): not found
#pclose(P): P is not open
$command("/no/such"): not found
#system("/no/such"): not found
#talk("unix:/no/such", "", "", 1): unix:/no/such: No such file
#talk("unix:such", "", "", 1): a socket's path begins with /
#talk("udp:127.0.0.1:1", "", "", 1): an address is unix:/PATH or tcp:HOST:PORT
#talk("tcp:127.0.0.1:0", "", "", 1): no port from 1 to 65535
#talk("tcp:127.0.0.1:1x", "", "", 1): no port from 1 to 65535
#talk("tcp:127.0.0.1", "", "", 1): no port from 1 to 65535
#talk("tcp::25", "", "", 1): no name or address
#talk("tcp:::1:25", "", "", 1): IPv6 stands in brackets
#talk("tcp:[::1:25", "", "", 1): no name or address
#tcpcheck("127.0.0.1", 1, 1): 127.0.0.1:1: Connection refused
#tcpcheck("a b", 1, 1): no name or address
#tcpcheck("-x", 1, 1): no name or address
#httpcheck("http://127.0.0.1:1/", 1): http://127.0.0.1:1/: Failed to connect
#httpcheck("file:///etc/passwd", 1): begins with http
#httpcheck("http:///x", 1): needs a host
#httpcheck("http://a@127.0.0.1:1/", 1): no user and no password
#httpcheck("http://127.0.0.1:1/a b", 1): no blanks
$httpget("http://127.0.0.1:1/"): Failed to connect
'''

# A command that its rules refuse: ERR and one ERROR, which names the rule.
REFUSED = '''
$command("ls $dash"): rule 4
$command("ls $nil()"): rule 5
#system("ls $dash"): rule 4
#popen(P, "ls $dash", "r"): rule 4
$command("ls $opt($nil())"): rule 5
$command("ls $words($dash)"): rule 4
$command($raw($nil())): rule 5
'''

TOTAL = {
    'what there is none of does not fire': '#firing #acked #since',
    'any value': '#defined #if $if #and #or #not #exists',
    'no argument': '#true #false #nil $nil #err $err #rule #innum #eoi $task '
    '$alarm $alert $level $status $mailcmd $lpcmd #fields #exitcode $output '
    '#inputexit $infile #runs #args $errtext $dquote $squote $newline $tab '
    '#now #clock #uptime $hostname $domain $os $osversion $arch $user '
    '#doexec $archived',
    'any number': '#abs #ceiling #floor #round #trunc #int #sign',
    'any text': '#code #value #length #index #rindex $chomp $trim $ltrim '
    '$rtrim $upper $lower $proper $reverse $requote $urlencode $base64 $hex '
    '$json $basename $dirname',
    'any array': '#keys #elements #sort #clear $join',
    'the first run knows nothing: rates-overflow.pikt': '#delta #rate #ewma '
    '#window',
    'a handle that is not open is at its end': '#feof',
}

cases = []
for kind, table in (('domain', DOMAIN), ('system', SYSTEM),
                    ('refused', REFUSED)):
    for line in table.strip().split('\n'):
        expr, _, says = line.rpartition('): ')
        if kind == 'system' and '/no/such"): /no/such' in line:
            expr, _, says = line.partition('): ')
        cases.append((kind, expr.replace('NUL', NUL) + ')', says))

SCRIPT = '''T%d
    begin
\tset $dash = "-x"
\tset #n["x"] = 1
\tset $a["x"] = "v"
\toutput "%d=" . (%s)
\toutput "%d+" . $errtext()
'''
with open('t.pikt', 'w') as f:
    for i, (kind, expr, says) in enumerate(cases):
        f.write(SCRIPT % (i, i, expr, i))
p = subprocess.run([PICKET, 'run', '--color', 'never', '--mail', 'stdout',
                    't.pikt'], stdin=subprocess.DEVNULL, timeout=100,
                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                   env=dict(os.environ, TZ='UTC', XDG_STATE_HOME=os.getcwd()))
out, err = p.stdout.decode('latin-1'), p.stderr.decode('latin-1')
value = dict(re.findall(r'^(\d+)=(.*)$', out, re.M))
reason = dict(re.findall(r'^(\d+)\+(.*)$', out, re.M))
lines = {}
for kind, script, line, text in re.findall(
        r'^picket: (ERROR|WARNING): T(\d+): t\.pikt:(\d+): (.*)$', err, re.M):
    lines.setdefault(script, []).append((kind, int(line), text))


if len(value) != len(cases):
    for t in err.split('\n')[:40]:
        print('# ' + t)
for i, (kind, expr, says) in enumerate(cases):
    name = expr.partition('(')[0]
    log = lines.get(str(i), [])
    bad = []
    want = '-1' if kind == 'system' and name[0] == '#' else '<<ERR>>'
    if value.get(str(i)) != want:
        bad.append('gives %r, not %s' % (value.get(str(i)), want))
    if len(log) != 1:
        bad.append('%d lines, not one: %s' % (len(log), log))
    else:
        level, line, text = log[0]
        if level != ('WARNING' if kind == 'system' else 'ERROR'):
            bad.append('says ' + level)
        if line != 7 * i + 6:
            bad.append('line %d, not %d' % (line, 7 * i + 6))
        if kind != 'refused' and not text.startswith(name + ': '):
            bad.append('does not begin with its name: ' + text)
        if not re.search(says, text):
            bad.append('does not say "%s": %s' % (says, text))
        if kind == 'system' and name + ': ' + reason.get(str(i), '') != text:
            bad.append('$errtext(): %r' % reason.get(str(i)))
    if str(i) not in reason:
        bad.append('the script does not go on')
    tell(not bad, expr, *bad)

# --- every function is here ---
status = subprocess.run([PICKET, 'doc', '--json'], stdout=subprocess.PIPE)
known = {e['names'][0] for e in json.loads(status.stdout)['entries']
         if e['kind'] == 'function'}
here = {expr.partition('(')[0] for kind, expr, says in cases} | \
    {'$raw', '$words', '$opt'}
total = {t for names in TOTAL.values() for t in names.split()}
tell(known == here | total, 'every function fails, or cannot',
     'neither: %s' % sorted(known - here - total),
     'unknown: %s' % sorted((here | total) - known))
tell(not here & total, 'and not both', here & total)
end()
