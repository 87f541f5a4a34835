#!/usr/bin/env python3
"""picket test: the language of rule tests, what failures look like, coverage,
TAP and JSON.  That broken tests are told of: tests/reject/rule-tests*."""

import json
import os
import random
import re
import socket
import subprocess

from tap import end, tell

PICKET = os.environ['PICKET']
SRC = os.environ['SRCDIR']
ENV = dict(os.environ, COLUMNS='80', TZ='Asia/Tokyo')
ENV.pop('PICKET_CLOCK', None)


def picket(*args, **env):
    p = subprocess.run([PICKET] + list(args), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(ENV, **env), timeout=60)
    return (p.returncode, p.stdout.decode('utf-8', 'replace'),
            p.stderr.decode('utf-8', 'replace'))


def write(path, text):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, 0o644)


def test(name, steps, script=None, want=0, args=(), say=()):
    """One test of a script in a file of its own: it passes, or it fails and
    says each of `say`."""
    if script is not None:
        write('t.pikt', script)
    write('t_test.pikt', 'test "%s"\n%s\nendtest\n' % (
        name.replace('"', '\\"'), steps))
    code, out, err = picket('test', *args, 't_test.pikt')
    tell(code == want and all(s in out for s in say), name, code, out, err)
    return out


os.umask(0o022)

# --- the example of the manual, word for word ---
STORM = '''\
MailStorm
        init
                level   emergency
                task    "Report unusually many processes per user"
                input   proc "=ps -eo user,comm | =sort | =uniq -c"
                dat     #count 1
                dat     $user  2
                dat     $proc  3
        rule    // few
                incident "storm:$user"
                        when    #count >= 60
                        message "$user is storming"
                endincident
                if #count < 60
                        next
                fi
        rule
                output mail "$text(#count) $user $proc"
                if -f "/var/mail/$user"
                        exec wait "=cp -p /var/mail/$user
                            /var/mail/arc/$user.$text(#now())"
                fi
                repeat
                        set #left = 0
                        foreach line $l in "=ps -eo pid,user,comm"
                                if $l =~ "^ *([0-9]+) $user $proc$"
                                        set #left += 1
                                        exec wait "=kill -KILL $1"
                                fi
                        endforeach
                until #left == 0
                output mail "killed all $user $proc processes"
'''
EXAMPLE = '''\
test "a storm of imapd is archived, then killed"
        script  MailStorm
        host    "moscow"   now "2000-04-25 00:17:02"
        input   "    404 groucho imapd"
                "      3 chico imapd"
        command "=ps -eo pid,user,comm" gives "17 groucho imapd" then ""
        file    "/var/mail/groucho" size 2048
        expect  exec "=cp -p /var/mail/groucho /var/mail/arc/groucho.956639822"
        expect  mail =~ "killed all groucho imapd"
        expect  no mail =~ "chico"
        later 5m input "  1 groucho imapd"
        expect  resolved "storm:groucho"
endtest
'''
write('storm/MailStorm.pikt', STORM)
write('storm/MailStorm_test.pikt', 'tz "America/Chicago"\n' + EXAMPLE)
code, out, err = picket('test', 'storm')
tell(code == 0 and out == '''\
ok    storm/MailStorm_test.pikt: 1 test
1 test in 1 file: 1 passed, 0 failed
''' and err == '', "the example of the manual passes", code, out, err)
code, out, err = picket('test', 'storm/MailStorm.pikt')
tell(code == 0 and '1 passed' in out, 'a script stands for its tests', code,
     out, err)
os.chdir('storm')
code, out, err = picket('test')
tell(code == 0 and 'ok    MailStorm_test.pikt' in out,
     'without a path: the folder at hand', code, out, err)
os.chdir('..')

# --- each word ---
PLAIN = 't\n\tinit\n\t\tinput proc "nothing"\n\trule\n\t\t%s\n'
BEGIN = 't\n\tbegin\n\t\t%s\n'

test('host and alert', '''host "moscow.example.org" alert "Urgent"
    expect stdout "moscow.example.org Urgent moscow.example.org"''',
     BEGIN % 'output "$hostname() $alert() =pikthostname"')
test('the host is the one of #if', '''host "moscow.example.org"
     expect stdout "moscow" expect stdout "linux" expect no stdout "here"''',
     't\n\tbegin\n#if moscow\n\t\toutput "moscow"\n#endif\n'
     '#if linux\n\t\toutput "linux"\n#endif\n#if %s\n\t\toutput "here"\n'
     '#endif\n' % re.sub(r'[^\w.-]', '', socket.gethostname()))
test('now is UTC', 'now "2000-04-25 00:17:02" expect stdout "956621822"',
     BEGIN % 'output "$text(#now())"')
test('now without seconds, as a day, as a number',
     '''now "2000-04-25 00:17" expect stdout "956621820"
     now "2000-04-25" expect stdout "956620800"
     now 5 expect stdout "5"''')
test('tz', 'tz "Europe/Berlin" now "2000-04-25 00:17:02" '
     'expect stdout "956614622"')
test('without now it is 2000', 'expect stdout "946684800"')
test('later', 'later 5m expect stdout "946685100" '
     'later 1d expect stdout "946771500"')
test('a run begins where it is first asked for, once',
     '''expect #n == 1
     expect #n == 1
     later 1m
     later 1m
     expect #n == 3''', BEGIN % 'set #n = %n set #n += 1')
test('define', 'define blue expect stdout "blue"',
     '#ifdef blue\n' + BEGIN % 'output "blue"' + '#elsedef\n' +
     BEGIN % 'output "red"' + '#endifdef\n', args=('-D', 'blue=FALSE'))
test('define FALSE', 'define blue FALSE expect stdout "red"',
     args=('-D', 'blue'))
test('macro holds on both sides', '''macro tea "green"
     expect stdout "=tea tea" expect stdout "green tea"''',
     BEGIN % 'output "=tea tea"', args=('-M', 'tea=black'))
test('doexec acts where it is defined',
     'define doexec expect exec "rm x" expect no mail',
     BEGIN % 'doexec "rm x"')
test('and else only tells', 'expect no exec expect mail =~ "rm x"')
test('input', '''input "a" "b"
     expect lines 2 expect lines >= 2 expect no lines 3
     expect stdout "a" expect stdout "b" times 1
     input """
        c
          d
        """
     expect lines 2 expect stdout =~ "d" expect no stdout "a"
     input empty expect lines 0''', PLAIN % 'output $inlin')
test('strings are those of scripts', r'''input "a\tb" 'c\td' "it's" "x\=y"
     expect stdout "a	b" expect stdout 'c\td' expect stdout "it's"
     expect stdout "x\=y" expect no stdout "two
        lines"''')
test("an input's command", '''command "ps | sort" gives "b" "" ''',
     want=1)
test("the input's command", '''command "ps | sort" gives "b" then "c"
     expect stdout "b" expect read "ps | sort" later 1m expect stdout "c"
     later 1m expect stdout "c"''',
     't\n\tinit\n\t\tinput proc "ps | sort"\n\trule\n\t\toutput $inlin\n')
test('a command by its pattern, with a status',
     '''command =~ "^ls " gives "x" status 3 expect stdout "x3"''',
     BEGIN % 'output "$command("ls /tmp")$text(#exitcode())"')
test('an exec has its status', 'command "false" gives "" status 1 '
     'expect exec "false" expect #e == 1',
     BEGIN % 'exec wait "false" set #e = #exitcode()')
test('file', '''file "/a/b" content "hello" mode 0640 owner "groucho"
        group "wheel" age 2h links 2
     file "/a/l" type link content "/a/b"
     nofile "/a/c"
     expect stdout "5 groucho 7200 file" expect #l == 1
     expect #e == 0''', BEGIN % '''\
output "$text(#filesize("/a/b")) $fileowner("/a/b") ${#now() - #filemtime("/a/b")} $filetype("/a/b")"
                set #l = -l "/a/l"
                set #e = -e "/a/c"''')
test('table', '''table processes "pid user comm rss" "17 groucho 'my d' 4096"
        "18 root x -"
     expect stdout "17 groucho my d 4096" expect lines 1
     expect no stdout =~ "^18"''',
     't\n\tinit\n\t\tinput table processes where #rss > 1\n\trule\n'
     '\t\toutput "$text(#pid) $user $comm $text(#rss)"\n')
test('fact', '''fact uid "groucho" "1017" fact env "HOME" "/root"
     expect stdout "1017 /root"''',
     BEGIN % 'output "$text(#uid("groucho")) $env("HOME")"')
KILL = BEGIN % ('set #k = #killall("groucho", "imapd", "KILL")'
                ' set $e = $errtext()')
test('kill and survivor', '''
     table processes "pid user comm" "17 groucho imapd" "18 chico imapd"
     expect kill =~ "groucho imapd" expect act =~ "^killall" expect #k == 1
     expect no kill =~ "chico"
     table processes "pid user comm" "17 groucho imapd"
     survivor "groucho" "imapd" "in uninterruptible sleep"
     expect #k == -1 expect $e =~ "uninterruptible"''', KILL)
test('contact', '''contact "tcp:mx:25" in 5
     contact "tcp:mx:26" fails
     contact "http://w/" gives "hello" in 404
     contact "mx:25" gives "220 mx ESMTP" in 7
     contact "cert:w:443" in 12 contact "cert:x:443" in -3
     contact "cert:y:443" fails expect #f == -3 expect #g == 0
     expect #a == 5 expect #b == -1 expect #c == 404 expect #d == 7
     expect #e == 12''', BEGIN % '''\
set #a = #tcpcheck("mx", 25, 3) set #b = #tcpcheck("mx", 26, 3)
                set #c = #httpcheck("http://w/", 3)
                set #d = #talk("mx:25", "", "^220", 3)
                set #e = #certdays("w", 443, 3)
                set #f = #certdays("x", 443, 3)
                set #g = #defined(#certdays("y", 443, 3))''')
test('an act that changes the world', '''file "/m/g" content "From"
     define doexec
     expect act "archive /m/g" expect #n == 4
     expect no kill''', BEGIN % 'set #n = #archive("/m/g")')
test('what is refused is not done', '''file "/m/l" type link content "/x"
     table processes "pid user comm" "1 root init" "7 root x"
     expect no act "kill 1 KILL" expect no act "kill 8 TERM"
     expect no act "kill 7 0" expect no act =~ "archive|rotate"
     expect kill "kill 7 TERM"
     expect warning =~ "first process" expect warning =~ "process 8"
     expect warning times 4 expect #a == -1 expect #b == 0''', BEGIN % '''\
set #a = #kill(1, 9) set #a = #kill(8, "TERM") set #b = #kill(7, 0)
                set #b += #kill(7, "TERM") set #a = #archive("/m/l")
                set #a = #rotate("/m/l", 3)''')
test('rotated', '''file "/l/a" content "0" file "/l/a.1" content "1"
     file "/l/a.3" content "3"
     expect #n == 2 expect $s eq "0 1 3" expect #m == -1''', BEGIN % '''\
set #n = #rotate("/l/a", 5) do #fopen(A, "/l/a.1", "r") do #read(A)
                set $s = $rdlin do #fopen(A, "/l/a.2", "r") do #read(A)
                set $s .= " " . $rdlin do #fopen(A, "/l/a.3", "r") do #read(A)
                set $s .= " " . $rdlin set #m = #rotate("/l/a", 5)''')
test('what an incident says against its script', '''input "a" "b"
     expect warning =~ "incident k ignored: its key was evaluated in this run"
     expect error =~ "its key is empty"''', '''\
t
        init    input file "/x"
        rule    incident "k" when 1 message "m" endincident
        end     incident $trim(" ") when 1 message "m" endincident
''')
test('expectations of each kind', '''command "true" gives ""
     expect mail "a mail" expect mail to "x@example.org" "to you"
     expect mail to =~ "you" expect log "/var/log/t.log" "a log"
     expect log =~ "a log" expect print "a print" expect stdout "out"
     expect syslog "sys" expect journal "jour" expect exec "true"
     expect error =~ "division" expect warning =~ "open"
     expect variable #n == 3 expect #n != 4 expect #n > 2 expect #n >= 3
     expect #n < 4 expect #n <= 3 expect $s eq "a" expect $s ne "b"
     expect $s =~ "^a$" expect $s !~ "b" expect $s =~~ "A" expect $s !~~ "B"
     expect $a["k"] eq "v" expect #b[1] == 5 expect no #never
     expect no nothing expect no mail "none" expect no $s eq "b"
     expect mail times 1 expect write "/tmp/x" =~ "written"''',
     BEGIN % '''\
output mail "a mail" output mail to "x@example.org" "to you"
                output log "/var/log/t.log" "a log"
                output print "a print" output "out" output syslog "sys"
                output journal "jour" exec wait "true"
                set #zero = 0 set #z = 1 / #zero
                do #popen(P, "true", "r") do #popen(P, "true", "r")
                set #n = 3 set $s = "a" set $a["k"] = "v" set #b[1] = 5
                do #fopen(F, "/tmp/x", "w") do #write(F, "written")
                do #fclose(F)''')

# --- several scripts, several lines, several runs ---
write('more/a.pikt', """\
One
        begin
                output mail "one"
Two
        begin
                set #n = 2
                output mail "two"
                if #hour() == 1
                        die "enough"
                fi
Three
        begin
                output mail "three"
""")
write('more/a_test.pikt', """\
script  Two
test "scripts run in their order, of whatever file"
        script  One Two
        script  Three
        expect  mail =~ "(?s)one.*two.*three"
endtest
test "what stands before the first test holds, unless the test says more"
        expect  mail "two"
        expect  no mail =~ "one|three"
        expect  #n == 2
endtest
test "one that dies ends the alert, and that is expected"
        now     "2000-01-01 01:00"
        script  One Two Three
        expect  error =~ "enough"
        expect  mail "one"
        expect  no mail =~ "three"
endtest
""")
code, out, err = picket('test', 'more')
tell(code == 0 and '3 passed' in out, 'scripts of one file', code, out, err)

# --- a site: its macros, its alerts, its scripts ---
write('site/macros.cfg', 'greeting\thello\n')
write('site/alerts.cfg', 'Urgent\n\ttiming 0 * * * *\n\talarms Greet\n')
write('site/scripts/Greet.pikt',
      'Greet\n\tbegin\n\t\toutput mail "=greeting =piktalert"\n')
write('site/tests/all_test.pikt', """\
test "an alert's scripts"
        alert   Urgent
        expect  mail "=greeting Urgent"
        expect  mail "hello Urgent"
endtest
test "a script of the site"
        script  Greet
        expect  mail "hello test"
endtest
""")
code, out, err = picket('test', '--config', 'site')
tell(code == 0 and '2 passed' in out, 'the tests of a site', code, out, err)
code, out, err = picket('test', 'site/tests/all_test.pikt')
tell(code == 0 and '2 passed' in out, 'their site is found', code, out, err)
code, out, err = picket('test', 'site/scripts', 'site')
tell(code == 0 and '2 passed' in out, 'also of several folders', code, out, err)
os.makedirs('other/tests')
write('other/macros.cfg', 'greeting\tgood day\n')
write('other/tests/none_test.pikt', 'test "x"\n\tscript Greet\nendtest\n')
code, out, err = picket('test', 'site', 'other')
tell(code == 1 and 'cannot be read' in out and 'Greet' in out, 'of two sites none is taken', code, out,
     err)
write('other/macros.cfg', 'greeting(\n')
code, out, err = picket('test', 'other/tests')
tell(code == 1 and 'other/macros.cfg:1' in err and
     'nothing is checked by it' in err, 'a site with errors', code, out, err)

# --- what failures look like ---
write('f/Fail.pikt', """\
Fail
        init
                task  "Adds"
                input proc "ps"
                dat   #n 1
        rule
                set #sum += #n
                output mail "the sum is $text(#sum)"
                if #n > 5
                        exec wait "kill -TERM $text(#n)"
                fi
                if -e "/etc/x=y" && $command("uptime -p") =~ "up"
                        set $f = $env("HOME")
                fi
""")
write('f/Fail_test.pikt', """\
test "nothing is right"
        input   "17"
        expect  mail "the sum is 18, which is far more than anybody thought it could be"
        expect  mail =~ "difference"
        expect  no mail =~ "sum"
        expect  exec "kill -KILL 17"
        expect  #sum < 17
        expect  $none eq "x"
        expect  #n == 17
        expect  no exec
        expect  incident "x"
        expect  firing "x"
        expect  mail times 2
endtest
test "nothing is asked"
        input   empty
        expect  nothing
endtest
""")
WANT = """\
FAIL  f/Fail_test.pikt: 1 of 2 tests failed

f/Fail_test.pikt:1: nothing is right
f/Fail_test.pikt:1:1: failed: the script asked what the test does not say: file /etc/x=y
test "nothing is right"
^
hint: add to the test: nofile "/etc/x\\=y"
f/Fail_test.pikt:3:9: failed: expect mail "the sum is 18, which is far more than anybody thought it could be"
        expect  mail "the sum is 18, which is far more than anybody thought it could be"
        ^
        expected                           | got
        the sum is 18, which is far more   | the sum is 17
        than anybody thought it could be   | NOTICE:
                                           | Fail
                                           | Adds
f/Fail_test.pikt:4:9: failed: expect mail =~ "difference"
        expect  mail =~ "difference"
        ^
        expected                           | got
        =~ difference                      | NOTICE:
                                           | Fail
                                           | Adds
                                           | the sum is 17
f/Fail_test.pikt:5:9: failed: expect no mail =~ "sum"
        expect  no mail =~ "sum"
        ^
        expected                           | got
        no =~ sum                          | the sum is 17
f/Fail_test.pikt:6:9: failed: expect exec "kill -KILL 17"
        expect  exec "kill -KILL 17"
        ^
        expected                           | got
        kill -KILL 17                      | kill -TERM 17
f/Fail_test.pikt:7:9: failed: expect #sum < 17
        expect  #sum < 17
        ^
        expected                           | got
        #sum < 17                          | 17
f/Fail_test.pikt:8:9: failed: expect $none eq "x"
        expect  $none eq "x"
        ^
        expected                           | got
        $none eq "x"                       | no script has such a variable, or
                                           | element
f/Fail_test.pikt:9:9: failed: expect #n == 17
        expect  #n == 17
        ^
        expected                           | got
        #n == 17                           | a dat variable ends with its
                                           | line; set another to it
f/Fail_test.pikt:10:9: failed: expect no exec
        expect  no exec
        ^
        expected                           | got
        no any                             | kill -TERM 17
f/Fail_test.pikt:11:9: failed: expect incident "x"
        expect  incident "x"
        ^
        expected                           | got
        x                                  | nobody knows it
f/Fail_test.pikt:12:9: failed: expect firing "x"
        expect  firing "x"
        ^
        expected                           | got
        x                                  | no firing at all
f/Fail_test.pikt:13:9: failed: expect mail times 2
        expect  mail times 2
        ^
        expected                           | got
        2 times any                        | 1 time
                                           | NOTICE:
                                           | Fail
                                           | Adds
                                           | the sum is 17

2 tests in 1 file: 1 passed, 1 failed
"""
code, out, err = picket('test', 'f')
want, got = WANT.split('\n'), out.split('\n')
tell(code == 1 and out == WANT and err == '', 'failures, word for word', code,
     err, *['%r\n%r' % (w, g) for w, g in zip(want + [''] * 99, got) if w != g])
code, out, err = picket('test', 'f', COLUMNS='120')
tell(code == 1 and re.search(r'\n {8}the sum is 18, which .* thought +\| '
                             r'the sum is 17\n', out),
     'columns are as wide as the terminal', out)
code, out, err = picket('test', '--color', 'always', 'f')
tell('\033[31m' in out, 'colours where they are wanted', out)
code, out, err = picket('test', '--color', 'never', 'f')
tell('\033' not in out, 'and not where they are not', out)
code, out, err = picket('test', '-k', 'asked', 'f')
tell(code == 0 and '1 test in 1 file: 1 passed' in out, '--only a part', out)
code, out, err = picket('test', '--only=no*right', 'f')
tell(code == 1 and '1 test in 1 file: 0 passed' in out, '--only a pattern',
     out)

# each unanswered question shows the line that answers it
test('unanswered questions', 'expect no nothing', BEGIN % '''\
set $a = $command("uptime -p x=y") set #b = -e "/x"
                set #c = #uid("groucho") set $d = $env("HOME")
                foreach line $l in "ls -l" endforeach''', want=1,
     say=('command "uptime -p x\\=y" gives "..."', 'nofile "/x"',
          'fact uid "groucho" "..."', 'fact env "HOME" "..."',
          'command "ls -l" gives "..."'))
test('an input that nobody has said', 'expect nothing expect error =~ "x"',
     PLAIN % 'output $inlin', want=1, say=('command "nothing" gives "..."',))
test('a run that does not end well', 'expect no exec',
     BEGIN % 'assert 1 > 2 "one is less"', want=1,
     say=('did not end well', 'one is less'))
test('unless that is expected', 'expect error =~ "one is less"')
test('a script with errors', 'expect nothing', 't\n\tbegin\n\t\tset x\n',
     want=1, say=('t does not compile', 't.pikt:3:'))
test('a script that is not there', 'script Nowhere expect nothing', want=1,
     say=('there is no script Nowhere',))
test('a loop without end is stopped', 'expect nothing', '''t
        init
                budget 100000
        begin
                while 1
                        set #x += 1
                endwhile
''', want=1, say=('did not end well', 'more than 100000 instructions'))
test('pause takes no time', 'expect #t == 60', BEGIN % '''\
set #a = #now() pause 60 set #t = #now() - #a''')

# --- other forms ---
code, out, err = picket('test', '--tap', 'f', 'more')
lines = out.split('\n')
points = [x for x in lines if re.match(r'(not )?ok \d+ - \S', x)]
numbers = [int(re.search(r'\d+', x).group()) for x in points]
yaml = re.findall(r'^  ---\n((?:  (?!\.\.\.).*\n)*)  \.\.\.\n', out, re.M)
tell(code == 1 and lines[0] == 'TAP version 13' and '1..5' in lines and
     numbers == [1, 2, 3, 4, 5] and points[0].startswith('not ok') and
     len(yaml) == 1 and 'at: f/Fail_test.pikt:3:9' in yaml[0] and
     all(re.match(r'TAP version 13$|1\.\.\d+$|(not )?ok |  |$', x)
         for x in lines), 'TAP 13', out)
code, out, err = picket('test', '--json', '--coverage', 'f', 'more')
try:
    got = json.loads(out)
except ValueError as e:
    got = {'files': [{'tests': [{}, {}]}], 'coverage': {}}
    tell(False, 'it is JSON', e, out)
first = got['files'][0]['tests'][0].get('failures', [{}, {}])
tell(code == 1 and got.get('passed') == 4 and got.get('failed') == 1 and
     first[1]['expected'].startswith('the sum is 18') and
     first[0]['add'] == 'nofile "/etc/x\\=y"' and
     got['files'][0]['tests'][1]['failures'] == [] and
     got['coverage']['rules'] == 4, 'JSON', out)

# --- coverage ---
write('c/Cover.pikt', """\
Cover
        init
                input proc "ps"
                dat   #n 1
        begin
                set #max = 3
        rule
                if #n > #max && #n < 10 || #n == 99
                        output "big"
                elif ! #defined(#n)
                        next
                fi
        rule
                switch #n
                case 1
                        output "one"
                        breaksw
                case 2
                        output "two"
                        breaksw
                default
                        output "more"
                endsw
                if #n != 77
                        next
                fi
        rule
                output "never"
        end
                set #k[1] = 1
                for $k in #keys(#k)
                        output $k
                endfor
                while #max > 0
                        set #max -= #one(1)
                endwhile
                if #max == 3
                        set #max = #two(1)
                fi
function #one(#x)
        return #x
endfunction
function #two(#x)
        return #x
endfunction
""")
write('c/Cover_test.pikt', """\
test "some of it"
        input "1" "5" "12"
        expect stdout "one"
endtest
""")
code, out, err = picket('test', '--coverage', 'c')
gaps = re.findall(r'^(\S+:\d+:\d+): (.*)\n(.*)\n( *)\^$', out, re.M)
seen = [(at, what, line[len(sp):]) for at, what, line, sp in gaps]
WANTED = [
    ('c/Cover.pikt:8:44', 'never true', '#n == 99'),
    ('c/Cover.pikt:10:24', 'never false', '#defined(#n)'),
    ('c/Cover.pikt:18:22', 'never true', '2'),
    ('c/Cover.pikt:24:20', 'never false', '#n != 77'),
    ('c/Cover.pikt:27:9', 'this rule never ran', 'rule'),
    ('c/Cover.pikt:37:20', 'never true', '#max == 3'),
    ('c/Cover.pikt:43:10', 'this function was never called', '#two(#x)'),
]
tell(code == 0 and seen == WANTED, 'gaps are named by place', out, seen)
tell('Cover: rules 5 of 7' in out, 'and counted', out)
code, out, err = picket('test', '--coverage=60', 'c')
tell(code == 0, 'enough is covered', code, out)
code, out, err = picket('test', '--coverage=90', 'c')
tell(code == 1 and 'coverage is below 90 %' in out, 'too little is', code, out)
code, out, err = picket('test', '--tap', '--coverage=90', 'c')
tell(code == 1 and 'not ok 2 - coverage of at least 90 %' in out,
     'as a point of TAP, too', code, out)
write('c/Cover_test.pikt', """\
test "some of it"
        input "1" "5" "12"
        expect stdout "one"
endtest
test "more of it"
        input "99" "2" "77" "" "4"
        expect stdout "never"
endtest
""")
code, out, err = picket('test', '--coverage', 'c')
tell(code == 0 and len(re.findall(': never|was never', out)) == 2,
     'what one test leaves out another reaches', out)

write('c/Untested.pikt', BEGIN.replace('t\n', 'Untested\n', 1) % 'output "x"')
code, out, err = picket('test', '--coverage', 'c')
tell(code == 0 and 'Untested: rules 0 of 1' in out and
     'Cover: rules 6 of 7' in out, 'a script without a test counts', out)
code, out, err = picket('test', '--coverage', 'c/Cover_test.pikt')
tell(code == 0 and 'Untested' not in out, 'unless a file is named', out)
code, out, err = picket('test', '--coverage', '--config', 'site', 'site')
tell(code == 0 and out.count('Greet: rules') == 1,
     'a script is one by whatever path', out)

# --- what is no test ---
os.makedirs('empty', exist_ok=True)
code, out, err = picket('test', 'empty')
tell(code == 1 and 'there are no tests' in err and out == '',
     'an empty folder', code, out, err)
code, out, err = picket('test', '-k', 'zzz', 'f')
tell(code == 1 and 'no tests called zzz' in err, 'no such name', err)
code, out, err = picket('test', 'nowhere')
tell(code == 1 and 'nowhere: No such file' in err, 'no such path', code, err)
code, out, err = picket('test', 'more/a.pikt')
tell(code == 0, 'a script that has tests', code, out, err)
write('lone.pikt', BEGIN % 'output "x"')
code, out, err = picket('test', 'lone.pikt')
tell(code == 1 and 'there is no lone_test.pikt' in err,
     'and one that has none', code, err)
for args, want in ((['--coverage=x'], 'from 0 to 100'),
                   (['--coverage=101'], 'from 0 to 100'),
                   (['--tap', '--json'], 'choose one'),
                   (['--nothing'], 'unknown option')):
    code, out, err = picket('test', *args)
    tell(code == 2 and want in err, 'usage: ' + ' '.join(args), code, err)
write('b/broken_test.pikt', 'test "x"\n        expect males\n')
code, out, err = picket('test', 'b', 'more')
tell(code == 1 and 'FAIL  b/broken_test.pikt: it cannot be read' in out and
     'broken_test.pikt:2:16: error' in err and '3 passed' in out,
     'a broken file is told of, the others run', code, out, err)
code, out, err = picket('test', '--json', 'b')
tell(code == 1 and json.loads(out)['broken'] == 1, 'in JSON, too', out)
write('n/nul_test.pikt', 'test "x"\n\0\nendtest\n')
code, out, err = picket('test', 'n')
tell(code == 1 and 'NUL byte' in err, 'a NUL byte', code, err)
write('l/l_test.pikt', 'test "x"\n        input\n' + '        "a"\n' * 10001 +
      '        expect nothing\nendtest\n')
code, out, err = picket('test', 'l')
tell(code == 1 and 'more than 10000 lines' in err, 'too many lines', code,
     err[:300])
write('l/l_test.pikt', 'test "x"\n        input """\n' + 'a\n' * 10001 +
      '        """\n        expect lines 10001\nendtest\n')
write('l/l.pikt', PLAIN.replace('t\n', 'l\n', 1) % 'set #n += 1')
code, out, err = picket('test', 'l')
tell(code == 0, 'a text of so many is one', code, out, err[:300])
code, out, err = picket('fmt', '--check', 'more/a_test.pikt')
tell(code == 1 and 'is not known' in err, 'fmt leaves tests alone', code, err)
code, out, err = picket('check', 'site')
tell(code == 0 and out.startswith('4 files, 1 script:'),
     'and those of a site, with its macros', out, err)
write('site/tests/all_test.pikt', 'test "x" expect males endtest\n')
code, out, err = picket('check', 'site')
tell(code == 1 and 'all_test.pikt:1:17: error' in err, 'what is wrong there',
     out, err)

# --- texts that nobody writes ---
PIECES = ['"', "'", '"""', '\\', '\n', '[', ']', '$', '#', '=~', 'times',
          'expect', 'then', 'gives', 'test', 'endtest', '\u00e9', '-', '1e999',
          '5G', '//', '/*', '=', '=ps', 'no', 'file', 'table', '#if x\n']
SEED = int(os.environ.get('FUZZ_SEED', '17'))
rand = random.Random(SEED)
sources = []
for name in ('stdlib-scripts/ProcNumChk_test.pikt',
             'tests/reject/rule-tests_test.pikt',
             'tests/reject/rule-tests-expect_test.pikt'):
    with open(os.path.join(SRC, name), encoding='utf-8') as f:
        sources.append(f.read())
for i in range(300):
    t = rand.choice(sources)
    at = rand.randrange(len(t))
    t = t[at:at + rand.randrange(50, 3000)]
    for _ in range(rand.randrange(1, 12)):
        at = rand.randrange(len(t) + 1)
        t = t[:at] + rand.choice(PIECES + [t[:at][-40:]]) + \
            t[at + rand.randrange(0, 20):]
    write('z/z%03d_test.pikt' % i, t)
code, out, err = picket('check', '--no-commands', 'z')
tell(code == 1 and out.startswith('300 files'),
     '300 broken texts (FUZZ_SEED=%d)' % SEED, code, out, err[-300:])
code, out, err = picket('check', 'more')
tell(code == 0 and '2 files, 3 scripts' in out, 'check reads them', out, err)
end()
