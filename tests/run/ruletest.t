#!/usr/bin/env python3
"""picket test: the language of rule tests, what failures look like, coverage,
TAP and JSON.  That broken tests are told of: tests/reject/rule-tests*."""

import json
import os
import re
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
end()
