#!/usr/bin/env python3
# runner: timeout=300
"""picket-runner: a run out of an image does what `picket run` does; a killed
one is told of once and has its row; disarmed, held, stopped with all that it
started; what is detached lives; children start as picketd did."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import tap

PICKET = os.environ['PICKET']
LIBEXEC = os.environ.get('PICKET_LIBEXEC') or os.path.dirname(PICKET)
RUNNER = os.path.join(LIBEXEC, 'picket-runner')
TOP = os.path.realpath(os.environ.get('TMPDIR', '/tmp'))
SLOW = 5 if os.environ.get('PICKET_SANITIZERS') else 1
tell = tap.tell


class Site:
    """A site of scripts with an alert of the same name each, its image, and a
    state for each way to run it."""

    def __init__(self, name, scripts, alerts=None, conf='', **files):
        self.dir = os.path.join(TOP, name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.mark = self.dir + '/mark'
        self.box = self.dir + '/box'
        self.write('picket.conf', 'mailto root@localhost\nmailfrom '
                   'picket@localhost\nhostname moscow\nfile %s\n'
                   'logdir %s/log\n%s' % (self.box, self.dir, conf))
        os.mkdir(self.dir + '/log')
        for file, text in files.items():
            self.write(file.replace('_', '.'), text)
        self.names = list(alerts or scripts)
        self.strace = []
        self.write('alarms.cfg', '\n'.join(
            n + '\n' + t.replace('MARK', self.mark)
            for n, t in scripts.items()))
        self.write('alerts.cfg', '\n'.join(
            '%s\n\ttiming 0 0 1 1 *\n%s\n' % (n, (alerts or {}).get(
                n, '\talarms ' + n)) for n in self.names))
        self.env = dict(os.environ, NO_COLOR='1',
                        XDG_STATE_HOME=self.dir + '/home')
        self.state = self.dir + '/home/picket'
        self.image = self.dir + '/image'
        p = subprocess.run([PICKET, 'compile', '--site', '--config', self.dir,
                            '--state', self.state, '-o', self.image],
                           env=self.env, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        if p.returncode != 0:
            tell(False, name + ': the site compiles', p.stdout.decode())

    def write(self, name, text):
        with open(os.path.join(self.dir, name), 'w') as f:
            f.write(text)

    def picket(self, *args):
        p = subprocess.run([PICKET, args[0], '--config', self.dir] +
                           list(args[1:]), env=self.env,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=60 * SLOW)
        return p.returncode, p.stdout.decode('utf-8', 'replace')

    def start(self, role, *args, state=None):
        """Descriptor 3 is the image; 4 and 5 are none."""
        def give():
            fd = os.open(self.image, os.O_RDONLY)
            if fd != 3:
                os.dup2(fd, 3)
                os.close(fd)
            os.set_inheritable(3, True)
        return subprocess.Popen(self.strace + [RUNNER, role, '--state',
                                 state or self.state] + list(args),
                                env=self.env,
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, preexec_fn=give,
                                pass_fds=(3,), start_new_session=True)

    def role(self, role, *args):
        p = self.start(role, *args)
        out = p.communicate(timeout=90 * SLOW)[0].decode('utf-8', 'replace')
        return p.returncode, out

    def run(self, name, due=None, *args):
        return self.role('run', '--entry', str(self.names.index(name)),
                         *(('--due', str(due), '--reason', 'scheduled')
                           if due else ()), *args)

    def mail(self):
        """What was delivered since: the bodies."""
        self.picket('deliver')
        if not os.path.exists(self.box):
            return ''
        with open(self.box) as f:
            text = f.read()
        os.unlink(self.box)
        return text

    def rows(self, sql):
        path = self.state + '/state.db'
        if not os.path.exists(path):
            return []
        db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
        try:
            return [tuple(c.decode() if isinstance(c, bytes) else c
                          for c in r) for r in db.execute(sql)]
        finally:
            db.close()

    def log(self, name):
        try:
            with open('%s/log/%s.log' % (self.dir, name)) as f:
                return f.read()
        except FileNotFoundError:
            return ''


def until(what, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()


def alive(word):
    """Processes with that word in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                argv = f.read().split(b'\0')
            with open('/proc/%s/stat' % pid) as f:
                dead = f.read().rpartition(')')[2].split()[0] in 'ZX'
        except OSError:
            continue
        if word.encode() in argv and not dead:
            found.append(int(pid))
    return found


def end_all(word):
    for pid in alive(word):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


INIT = '\tinit\n\t\tstatus active\n\t\tlevel critical\n\t\ttask "A task."\n'

# --- the same as picket run ---

SAME = {
    'Plain': INIT + '''
		input table processes
	rule
		if #pid == 1
			output mail "the first is $type(#pid)"
			output "said"
			output log "MARK.own" "a line"
		fi
'''.replace('$type(#pid)', '#{#pid}'),
    'Values': INIT + '''
	begin
		if %n > 0
			set #n = %n + 1
		else
			set #n = 1
		fi
		record #n as "counted"
		output mail "run #{#n}, with $value in it"
		output mail to "other@localhost" "for another"
'''.replace('$value', '#{#n}'),
    'Incident': INIT + '''
	begin
		incident "thing:one"
			when	1 == 1
			level	critical
			message	"it is so"
			onset	exec wait "/bin/echo began"
		endincident
''',
    'Commands': INIT + '''
		input proc "printf 'a\\nb\\n'"
	rule
		exec wait "/bin/echo did $inlin"
		output mail "$command("/bin/echo told $inlin")"
''',
    'Sets': INIT + '''
		input object "names"
	rule
		output mail "set: $inlin"
	end
		output mail "$command("/bin/cat =objdir/names.obj")"
''',
    'Fails': INIT + '''
		input file "/nowhere/at/all"
	rule
		output mail "never"
''',
    'Quits': INIT + '\tbegin\n\t\tquit 3\n',
}


def plain(text):
    """Without moments, numbers of processes and ids."""
    text = re.sub(r'^(Date|Message-ID|From|X-Picket-Run|Received|.*boundary).*'
                  r'(\n[ \t].*)*\n', '', text, flags=re.M | re.I)
    text = re.sub(r'\d{10}\.\d+(\.\d+)*', 'N', text)
    text = re.sub(r'\b\d\d:\d\d:\d\d\b', 'T', text)
    text = re.sub(r'(id |why |ack )[0-9a-f]{8}', r'\1ID', text)
    return re.sub(r'\d{4}-\d\d-\d\dT\S+|\[\d+\]|pid \d+', 'N', text)


def effects(by_hand):
    s = Site('same', SAME, objects_cfg='names\n\tgroucho\n\tchico\n')
    said = []
    for turn in range(2):
        for name in s.names:
            r, out = s.picket('run', name) if by_hand else s.run(
                name, 1000 + turn)
            said.append((name, r, re.sub('^picket: ', '', out, flags=re.M)))
    mails = sorted(plain(m) for m in re.split('^From .*\n', s.mail(),
                                              flags=re.M) if m)
    return dict(
        status=[(n, r) for n, r, _ in said if n != 'Quits'],
        said=[plain(o) for _, _, o in said],
        mails=mails,
        values=s.rows('SELECT o.alert, o.script, v.name, v.text FROM value v '
                      'JOIN owner o ON o.id = -v.line ORDER BY 1, 2, 3'),
        series=s.rows('SELECT s.name, p.value FROM point p JOIN series s ON '
                      's.id = p.series ORDER BY 1, 2'),
        incidents=s.rows('SELECT key, state, episode, told FROM incident '
                         'ORDER BY key'),
        runs=s.rows("SELECT alert, result, CASE lines > 9 WHEN 1 THEN 'some' "
                    'ELSE lines END, error FROM run ORDER BY id'),
        logs=[plain(s.log(n)) for n in s.names],
        own=os.path.exists(s.mark + '.own') and open(s.mark + '.own').read(),
        set=open(s.state + '/objects/names.obj').read(),
        left=os.listdir(s.state + '/run'))


one, other = effects(True), effects(False)
for what in one:
    tell(one[what] == other[what], 'picket run and picket-runner agree: ' +
         what, 'picket run:', one[what], 'picket-runner:', other[what])
tell(len(one['mails']) == 13 and 'run 2' in str(one['mails']) and
     one['values'] == [('Values', 'Values', '#n', '2')] and
     one['series'] == [('counted', 1), ('counted', 2)] and
     one['incidents'] == [('thing:one', 2, 1, 1)] and 'said' in
     str(one['said']) and 'did b' in str(one['logs']),
     'and it is what was to be', len(one['mails']), one['values'],
     one['series'], one['incidents'], one)

# --- rows ---

s = Site('rows', {'One': INIT + '\tbegin\n\t\toutput mail "x"\n'})
r = [s.run('One', 5000)[0], s.run('One', 5060)[0], s.run('One', 5060)[0],
     s.run('One')[0]]
tell(r == [0] * 4 and s.rows('SELECT alert, due, reason, result FROM run '
                             'ORDER BY id') ==
     [('One', 5000, 'scheduled', 'ok'), ('One', 5060, 'scheduled', 'ok'),
      ('One', None, 'by-hand', 'ok')],
     'one row for each alert and due, any number by hand', r,
     s.rows('SELECT * FROM run'))
r, out = s.role('last')
tell((r, out) == (0, '5060 One\n'), 'last says what was due last', r, out)
tell(s.rows('SELECT count(*) FROM outbox') != [(0,)] and 'x' in s.mail(),
     'a run leaves the sending to others')

# --- killed ---

s = Site('killed', {'Long': INIT + '''
	begin
		output mail "begun"
		exec wait "/bin/sleep 71.1"
'''})
p = s.start('run', '--entry', '0', '--due', '7000', '--reason', 'made-up')
until(lambda: alive('71.1'))
r, out = s.run('Long', 7060)
tell(r == 75 and 'this run is skipped' in out, 'a held lock is 75', r, out)
p.kill()
p.wait()
end_all('71.1')
r, out = s.role('left')
tell(r == 0 and s.rows('SELECT alert, due, reason, result, pid FROM run') ==
     [('Long', 7000, 'made-up', 'interrupted', p.pid)],
     'a killed run is a row, interrupted', r, out, s.rows('SELECT * FROM run'))
mail = s.mail()
tell('[interrupted]' in mail and 'begun' in mail and
     'exec wait: /bin/sleep 71.1' in mail, 'and a mail says what it had done',
     mail)
s.role('left')
tell(s.mail() == '' and len(s.rows('SELECT * FROM run')) == 1,
     'once', s.rows('SELECT * FROM run'))

# a store that cannot be asked: the mail goes all the same, the row follows
p = s.start('run', '--entry', '0', '--due', '7120', '--reason', 'scheduled')
until(lambda: alive('71.1'))
p.kill()
p.wait()
end_all('71.1')
libexec = s.dir + '/libexec'
os.mkdir(libexec)
for f in os.listdir(LIBEXEC):
    if f.startswith('picket-') and f != 'picket-store':
        os.symlink(os.path.join(LIBEXEC, f), os.path.join(libexec, f))
s.env['PICKET_LIBEXEC'] = libexec
r, out = s.role('left')
tell(r != 0 and os.path.exists(s.state + '/run/Long.run') and
     os.path.exists(s.box) and 'begun' in open(s.box).read(),
     'without a store: the mail goes, and what was left stays', r, out)
s.env['PICKET_LIBEXEC'] = LIBEXEC
os.unlink(s.box)
r, out = s.role('left')
tell(r == 0 and s.mail() == '' and not os.listdir(s.state + '/run') and
     s.rows('SELECT due, result FROM run ORDER BY due') ==
     [(7000, 'interrupted'), (7120, 'interrupted')],
     'with it again: the row, and no second mail', r, out,
     s.rows('SELECT * FROM run'))

# --- killed at every step: one row for each that was due, whenever it died ---

if os.environ.get('PICKET_SANITIZERS'):
    tap.skip('killed at its calls', 'strace and the sanitizers exclude each '
             'other')
else:
    s = Site('steps', {'Step': INIT + '\tbegin\n\t\toutput mail "x"\n'})
    s.run('Step', 1)
    trace = s.dir + '/trace'
    s.strace = ['strace', '-q', '-o', trace]
    s.run('Step', 2)
    calls, count = [], {}
    with open(trace) as f:
        for line in f:
            m = re.match(r'([a-z_0-9]+)\(', line)
            if m and not m[1].startswith('exit'):
                count[m[1]] = count.get(m[1], 0) + 1
                calls.append((m[1], count[m[1]]))
    step = 1 if os.environ.get('PICKET_LONG') else 9
    due, died, bad = 2, 0, []
    for name, nth in calls[3::step]:
        due += 1
        s.strace = ['strace', '-q', '-o', trace, '-e', 'trace=' + name, '-e',
                    'inject=%s:signal=SIGKILL:when=%d' % (name, nth)]
        r, _ = s.run('Step', due)
        died += r < 0
        s.strace = []
        if r < 0:
            r, out = s.role('left', '--died', '%d Step' % due)
            if r != 0 or os.listdir(s.state + '/run'):
                bad.append(((name, nth), r, out, os.listdir(s.state +
                                                            '/run')))
    rows = s.rows('SELECT due, count(*) FROM run GROUP BY due ORDER BY due')
    tell(died > 5 and not bad and rows == [(d, 1) for d in range(1, due + 1)],
         'killed at %d of its %d calls: one row each' % (died, len(calls)),
         bad, [r for r in rows if r[1] != 1], due, len(rows))
    done = s.rows("SELECT count(*) FROM run WHERE result = x'%s'" %
                  b'ok'.hex())[0][0]
    tell(2 < done < due, 'some had ended, some had not', done, due)

# --- disarmed ---

s = Site('disarmed', {'Acts': INIT + '''
	begin
		output mail "first"
		exec wait "/usr/bin/touch MARK.exec"
		exec "/usr/bin/touch MARK.go"
		exec detached "/usr/bin/touch MARK.away"
		do #fopen(F, "MARK.file", "w")
		do #write(F, "x")
		do #fclose(F)
		do #popen(P, "/bin/cat >MARK.pipe", "w")
		do #write(P, "x")
		do #pclose(P)
		do #kill(#pid("disarmed-one"), "KILL")
		output log "MARK.log" "logs are written"
		output mail "$command("/bin/echo read")"
		incident "thing:two"
			when	1 == 1
			level	critical
			message	"it is so"
			onset	exec wait "/usr/bin/touch MARK.onset"
		endincident
''', 'Silent': INIT + '\tbegin\n\t\texec wait "/usr/bin/touch MARK.s"\n'})
shutil.copy('/bin/sleep', s.dir + '/disarmed-one')
victim = subprocess.Popen([s.dir + '/disarmed-one', '72.2'])
r, out = s.run('Acts', 100, '--disarmed')
done = sorted(f for f in os.listdir(s.dir) if f.startswith('mark'))
tell(r == 0 and done == ['mark.log'] and victim.poll() is None,
     'disarmed: nothing is done but logs', r, out, done)
mail = s.mail()
tell(mail.count('[disarmed]') == 1 and 'first' in mail and 'read' in mail and
     '[firing] it is so' in mail and
     'not done (disarmed): exec wait: /usr/bin/touch' in mail,
     'mail and incidents go out and say it', mail)
log = s.log('Acts')
tell(log.count('not done (disarmed)') >= 6 and 'mark.go' in log and
     'mark.pipe' in log and 'mark.file' in log and 'kill' in log,
     'the log has what was not done', log)
r, out = s.run('Silent', 100, '--disarmed')
tell(r == 0 and s.mail() == '' and not os.path.exists(s.mark + '.s'),
     'no mail for that alone', r, out)
r, out = s.run('Acts', 160)
until(lambda: os.path.exists(s.mark + '.away'))
done = sorted(f for f in os.listdir(s.dir) if f.startswith('mark'))
tell(len(done) >= 6 and 'mark.exec' in done and 'mark.pipe' in done,
     'armed again it acts', r, out, done)
victim.kill()
victim.wait()

# --- what a run starts ---

FORKS = '/bin/sh -c \'%s\''
s = Site('ends', {
    'Deadline': INIT + '''
		timeout 1s
	begin
		exec detached "/bin/sleep 73.1"
		exec "/usr/bin/setsid /bin/sleep 73.2"
		exec wait "/bin/sh -c '/usr/bin/setsid /bin/sleep 73.3 & /usr/bin/setsid /usr/bin/env -i /bin/sleep 73.3 & /bin/sleep 73.4'"
''',
    'Well': INIT + '''
	begin
		exec wait "/bin/sh -c '/usr/bin/setsid /bin/sleep 74.1 >/dev/null 2>&1 &'"
		exec "/bin/sleep 74.2"
		exec timeout 60s "/bin/sleep 74.4"
		set $x = $command("/bin/sh -c '/usr/bin/setsid /bin/sleep 74.3 >/dev/null 2>&1 & echo x'")
''',
    'Bomb': INIT + '''
	begin
		exec "/bin/sh MARK.bomb"
		exec wait "/bin/sleep 0.3"
''',
    'Ignores': INIT + '''
		timeout 1s
		input proc "trap '' TERM; /usr/bin/setsid /bin/sh -c 'trap \\"\\" TERM; /bin/sleep 75.1' & /bin/sleep 75.1"
	rule
		output "x"
''',
})
try:
    began = time.monotonic()
    r, out = s.run('Deadline', 10)
    took = time.monotonic() - began
    tell(r == 1 and took < 8 * SLOW and not alive('73.2') and
         not alive('73.3') and not alive('73.4') and 'ended' in out,
         'the deadline ends all that descends from a script, other sessions, '
         'too', r, took, out, alive('73.2'), alive('73.3'), alive('73.4'))
    mail = s.mail()
    tell(s.rows('SELECT result FROM run') == [('stopped',)] and
         'deadline' in mail.lower(), 'and it is told', mail,
         s.rows('SELECT * FROM run'))
    tell(len(alive('73.1')) == 1, 'what is detached lives', alive('73.1'))
    pid = (alive('73.1') or [0])[0]
    with open('/proc/%d/environ' % pid, 'rb') as f:
        env = f.read()
    tell(b'PICKET_RUN_ID' in env or b'HOME=' in env, 'it has an environment',
         env)
    r, out = s.run('Well', 10)
    tell(r == 0 and len(alive('74.1')) == 1 and len(alive('74.2')) == 1 and
         len(alive('74.4')) == 1,
         'what exec started outlives a run that ended well', r, out,
         alive('74.1'), alive('74.2'), alive('74.4'))
    tell(not alive('74.3'), 'what a command that is read from has left does '
         'not', out, alive('74.3'))
    end_all('74.1')
    end_all('74.2')
    end_all('74.4')
    with open(s.mark + '.bomb', 'w') as f:
        f.write('while [ ! -e %s.stop ]; do /usr/bin/setsid /bin/sleep 76.1 &'
                '\n/bin/sleep 0.005; done\n' % s.mark)
    r, out = s.run('Bomb', 10, '--origin', '0,0,22,' + ','.join(['-:-'] * 16))
    tell(r == 1 and not alive('76.1') and 'more and more' in out,
         'what becomes more and more is ended', r, out, len(alive('76.1')))
    began = time.monotonic()
    r, out = s.run('Ignores', 10)
    took = time.monotonic() - began
    tell(r == 1 and took < 12 * SLOW and not alive('75.1'),
         'who ignores TERM is ended', r, took, out, alive('75.1'))
finally:
    with open(s.mark + '.stop', 'w'):
        pass
    for word in ('73.1', '73.2', '73.3', '73.4', '74.1', '74.2', '74.3',
                 '74.4', '75.1', '76.1'):
        end_all(word)

# TERM: what picketd sends
s = Site('term', {'Long': INIT + '''
	begin
		output mail "begun"
		exec wait "/bin/sh -c '/usr/bin/setsid /bin/sleep 77.1 & /bin/sleep 77.2'"
'''})
p = s.start('run', '--entry', '0', '--due', '10')
until(lambda: alive('77.1') and alive('77.2'))
p.terminate()
out = p.communicate(timeout=30 * SLOW)[0].decode()
tell(p.returncode == 1 and not alive('77.1') and not alive('77.2') and
     s.rows('SELECT due, result FROM run') == [(10, 'stopped')] and
     'begun' in s.mail(), 'TERM ends it, it tells and has its row',
     p.returncode, out, s.rows('SELECT * FROM run'))

# --- how children start ---

s = Site('origin', {'Asks': INIT + '''
	begin
		exec wait "/bin/sh -c 'ulimit -a; nice; umask; cat /proc/self/oom_score_adj' >MARK"
		output "limits: $command("/bin/sh -c 'ulimit -v; ulimit -t; ulimit -n; ulimit -c; umask; nice'")"
'''})
limits = ['-:-'] * 16
limits[7] = '77:1000'		# RLIMIT_NOFILE
r, out = s.run('Asks', 10, '--origin', '3,50,27,' + ','.join(limits))
tell(r == 0 and re.search(r'limits: unlimited\s+unlimited\s+77\s+\S+\s+0027'
                          r'\s+3', out), 'children start as picketd did',
     r, out)
r, out = s.run('Asks', 10, '--origin', '3,50,27')
tell(r == 2 and '--origin wants' in out, 'what is no origin is refused', r,
     out)

# --- the groups that picketd makes: here two files ---

s = Site('groups', {'Away': INIT + '''
	begin
		exec detached "/usr/bin/touch MARK.away"
''', 'Nice': INIT + '\tbegin\n\t\toutput "$command("nice")"\n'}, {
    'Away': '\talarms Away', 'Nice': '\tpriority 7\n\talarms Nice'})
for n in '45':
    with open(s.dir + '/fd' + n, 'w'):
        pass
p = subprocess.run(['/bin/sh', '-c', 'exec "$0" "$@" 3<%s 4>%s/fd4 5>%s/fd5' %
                    (s.image, s.dir, s.dir), RUNNER, 'run', '--state', s.state,
                    '--entry', '0'], env=s.env, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT)
until(lambda: os.path.exists(s.mark + '.away'))
wrote = [open(s.dir + '/fd' + n).read() for n in '45']
tell(p.returncode == 0 and wrote == ['0', '0'], 'a run goes into its group, '
     'what is detached out of it', p.stdout, wrote)
r, out = s.run('Nice', None, '--origin', '2,0,22,' + ','.join(['-:-'] * 16))
tell((r, out) == (0, '7\n'), "an alert's priority is its commands', too", r,
     out)

# --- what takes too much ---

s = Site('much', {
    'Loops': INIT + '\t\ttimeout 1s\n\tbegin\n\t\tset #i = 0\n\t\twhile '
             '#i < 1\n\t\t\tset #n = #n + 1\n\t\tendwhile\n',
    'Eats': INIT + '''
		memory 8M
	begin
		set $x = "0123456789abcdef"
		while 1 == 1
			set $x = $x . $x
		endwhile
''',
    'Writes': INIT + '''
		timeout 1s
	begin
		do #fopen(F, "/dev/null", "w")
		while 1 == 1
			do #write(F, "a line that goes nowhere")
		endwhile
''',
    'Says': INIT + '''
		timeout 1s
		input proc "yes"
	rule
		output $inlin
'''})
for name, want in (('Loops', 'stopped|failed'), ('Eats', 'failed'),
                   ('Writes', 'stopped|failed'), ('Says', 'stopped|failed')):
    began = time.monotonic()
    r, out = s.run(name, 20)
    took = time.monotonic() - began
    got = s.rows("SELECT CAST(result AS TEXT), error FROM run WHERE alert = "
                 "x'%s'" % name.encode().hex())
    tell(r == 1 and took < 10 * SLOW and len(got) == 1 and
         re.match(want, got[0][0]) and got[0][1], 'it is ended and told: ' +
         name, r, took, out[:300], got)

# --- what is wrong ---

for args, want in ((('run', '--entry', '0', '--due', 'soon'), '--due wants'),
                   (('run', '--entry', '-1'), '--entry wants'),
                   (('run',), 'wants --state --entry'),
                   (('run', '--what'), 'no value'),
                   (('walk',), 'no such role: walk')):
    r, out = s.role(*args)
    tell(r == 2 and want in out and 'picket run' in out,
         'usage: ' + ' '.join(args), r, out)
r, out = s.role('run', '--entry', '77')
tell(r == 1 and 'entry 77' in out, 'an entry that is not there', r, out)
with open(s.image, 'rb') as f:
    image = f.read()
for what, data in (('empty', b''), ('other', b'x' * 5000),
                   ('cut', image[:len(image) // 2])):
    with open(s.image, 'wb') as f:
        f.write(data)
    r, out = s.role('run', '--entry', '0')
    tell(r == 1 and "image" in out, 'an image that is ' + what, r, out)
with open(s.image, 'wb') as f:
    f.write(image)

# --- what it is made of ---

if os.environ.get('PICKET_SANITIZERS'):
    tap.skip('no compiler in it', 'the sanitizers link other things')
else:
    names = subprocess.run(['nm', RUNNER], stdout=subprocess.PIPE,
                           text=True).stdout
    have = [n for n in names.split() if re.match(
        r'(yy|parser_|lexer_|preprocess|compile_|site_read|codegen_|ast_|'
        r'check_script|fmt_)', n)]
    tell('run_script' in names and not have, 'no compiler in it', have)
    libs = subprocess.run(['ldd', RUNNER], stdout=subprocess.PIPE,
                          text=True).stdout
    tell('pcre2' in libs and not re.search('curl|sqlite|systemd|event', libs),
         'nor libraries that it does not need', libs)

tap.end()
