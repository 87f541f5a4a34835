#!/usr/bin/python3
# runner: timeout=300
"""alertmanager: what is sent; and Debian's prometheus-alertmanager, which
receives, groups and resolves it, alone and as a cluster."""

import os
import re
import shutil
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import *				# noqa: E402,F403
from web import *				# noqa: E402,F403

tap = Tap()
NOW = 956639822
FIXED = {'PICKET_CLOCK': str(NOW)}


def send(urls, said, options='', env=FIXED):
    return deliver(web_job('alertmanager %s timeout 5s %s' % (
        ' '.join(urls), options), said), env)


# The request.
MX = dict(alertname='MXQueue', host='moscow', alert='Urgent', script='MXQueue',
          level='critical', incident='mxqueue:moscow', picket='3fa2b1c9')
SAYS = dict(summary='MX moscow has many queued messages: 5210',
            state='firing', evidence='#queued >= 5000 (#queued = 5210)',
            place='mx.pikt:14', done='exec wait: /usr/sbin/postqueue -f',
            notice='run-1.1@moscow')
PROC = dict(labels=dict(alertname='ProcNumChk', host='moscow', alert='Urgent',
                        script='ProcNumChk', level='urgent'),
            annotations=dict(summary='Count processes.',
                             description='404 groucho imapd\nkilled them',
                             notice='run-1.1@moscow'),
            startsAt='2000-04-25T05:17:02.000Z',
            endsAt='2000-04-25T06:17:02.000Z')
for what, ended, end in (('firing', 0, '2000-05-26T05:17:02.000Z'),
                         ('still firing', 0, '2000-05-26T05:17:02.000Z'),
                         ('unknown', 0, '2000-05-26T05:17:02.000Z'),
                         ('flapping', 0, '2000-05-26T05:17:02.000Z'),
                         ('acknowledged', 0, '2000-05-26T05:17:02.000Z'),
                         ('escalated', 0, '2000-05-26T05:17:02.000Z'),
                         ('silenced', 0, '2000-05-26T05:17:02.000Z'),
                         ('resolved', NOW - 1.25, '2000-04-25T05:17:00.750Z'),
                         ('resolved', 0, '2000-04-25T05:17:02.000Z'),
                         ('resolved', NOW + 99, '2000-04-25T05:17:02.000Z')):
    with Web() as w:
        got = send([w.url + '/prefix/'], notice([change(
            what=what, says=what, ended=ended)], [script()]))
        r = w.got[0]
        tap.eq((got.status, r.method, r.path, r.headers['content-type'],
                r.json),
               (SENT, 'POST', '/prefix/api/v2/alerts', 'application/json',
                [dict(labels=MX, annotations=dict(SAYS, state=what),
                      startsAt='2000-04-25T05:16:00.000Z', endsAt=end), PROC]),
               '%s: what is sent' % what)
with Web() as w:
    send([w.url], notice([change()], [script(script='MXQueue')]),
         'resend 10m')
    tap.eq([(a['labels']['incident'], a['endsAt']) for a in w.got[0].json],
           [('mxqueue:moscow', '2000-04-25T05:57:02.000Z')],
           'resend; a script with a change is in it')
with Web() as w:
    send([w.url], notice([change(fired=NOW + 1e6, what='resolved')]))
    tap.eq([w.got[0].json[0][k] for k in ('startsAt', 'endsAt')],
           2 * ['2000-04-25T05:17:02.000Z'], 'no end before its begin')
with Web() as w:
    got = send([w.url], None)
    tap.eq((got.status, w.got[0].json),
           (SENT, [dict(labels=dict(alertname='Picket', level='warning',
                                    host='test.example.org'),
                        annotations=dict(summary='t', description='body'),
                        startsAt='2000-04-25T05:17:02.000Z',
                        endsAt='2000-04-25T06:17:02.000Z')]),
           'a mail without a notice')
TOKEN = 'sEcReT-token'
with Web() as w:
    send([w.url], notice([change()]), 'tokenfile ' + secret('token', TOKEN))
    send([w.url], notice([change()]),
         'user picket passfile ' + secret('pw', 'open sesame'))
    tap.eq([r.headers.get('authorization') for r in w.got],
           ['Bearer ' + TOKEN, 'Basic cGlja2V0Om9wZW4gc2VzYW1l'], 'log in')

# A cluster: each is sent to.
ONE = notice([change()])
with Web() as a, Web() as b, Web((500, 'full')) as c, Web((400, 'bad')) as d:
    def via(*webs):
        before = [len(w.got) for w in webs]
        got = send([w.url for w in webs], ONE)
        return got, [len(w.got) - n for w, n in zip(webs, before)]

    def name(w):
        return '127.0.0.1:%d' % w.port

    got, sent = via(a, b)
    tap.eq((got.lines, sent), (['ok alertmanager:%s %s: taken; %s: taken' % (
        name(a), name(a), name(b))], [1, 1]), 'both')
    got, sent = via(c, b)
    tap.eq((got.status, got.lines, sent), (SENT, [
        'ok alertmanager:%s %s: 500 full; %s: taken' % (
            name(c), name(c), name(b))], [1, 1]), 'one that is full')
    got, sent = via(d, b)
    tap.ok(got.status == SENT and sent == [1, 1] and '400 bad' in got.out,
           'one that refuses', got)
    got, sent = via(c, d)
    tap.ok(got.status == LATER and sent == [1, 1], 'full and refused: later',
           got)
    got, sent = via(d)
    tap.ok(got.status == REFUSED and sent == [1],
           '400: not again, its good ones are stored', got)
    got, sent = via(c)
    tap.ok(got.status == LATER, '500: again', got)
    with Web(Web.STALL) as s:
        got, sent = via(s, b)
        tap.ok(got.status == SENT and sent == [1, 1] and 2 < got.seconds < 4.9,
               'one that stalls leaves the other half of the time', got)
    got = send(['http://127.0.0.1:%d' % free_port(), b.url], ONE)
    tap.ok(got.status == SENT and 'taken' in got.out, 'one that is down', got)
    with Web(lambda r: (403, r.headers['authorization'])) as e:
        got = send([e.url], ONE, 'tokenfile ' + secret('token', TOKEN))
        tap.ok(got.status == LATER and TOKEN not in got.out,
               'the token is not shown', got)
for line, why in (('', 'needs URL...'),
                  (' http://a.example.org tokenfile /x', 'https'),
                  (' https://u:pw@a.example.org', 'no password'),
                  (' https://a user x', 'go together'),
                  (' https://a resend 1s', 'resend must be'),
                  (''.join(' https://a%d' % i for i in range(9)),
                   'no option')):
    got = deliver(web_job('alertmanager' + line, ONE))
    tap.ok(got.status == REFUSED and why in got.out and 'u:pw' not in got.out,
           'a line that is none: ' + why, got)
HOSTILE = ['"', '\\', '\n', '\0', '\x1b[2J', '\u202e', '\u0085', '{"a":1}',
           '{{ template }}', '$(id)', '=', '', ' ', '\U0010ffff', 'x' * 1000000]
for h in HOSTILE:
    with Web() as w:
        got = send([w.url], notice(
            [change(**dict.fromkeys(change(), h))],
            [script(**dict.fromkeys(script(), h))], host=h, alert=h, id=h))
        tap.ok(got.status == SENT and len(w.got[0].body) < 200000 and all(
            v and len(v) <= 1000 for x in w.got[0].json
            for v in x['labels'].values()), 'hostile: %r' % h[:12], got)

# The real one.
PROGRAM = shutil.which('prometheus-alertmanager')
AMTOOL = shutil.which('amtool')
if not tap.ok(PROGRAM and AMTOOL, 'prometheus-alertmanager is installed',
              'apt-get install prometheus-alertmanager'):
    tap.done()


class Manager:
    def __init__(self, name, hook, port=None, cluster=None, peers=()):
        self.folder = os.path.join(TMP, name)
        os.makedirs(self.folder, exist_ok=True)
        self.config = os.path.join(self.folder, 'config.yml')
        with open(self.config, 'w') as f:
            f.write('route:\n  receiver: hook\n  group_by: [alert, host]\n'
                    '  group_wait: 1s\n  group_interval: 1s\n'
                    'receivers:\n- name: hook\n  webhook_configs:\n'
                    '  - url: %s/\n    send_resolved: true\n' % hook.url)
        self.port = port or free_port()
        self.cluster = cluster or free_port()
        self.url = 'http://127.0.0.1:%d' % self.port
        argv = [PROGRAM, '--config.file=' + self.config,
                '--storage.path=' + os.path.join(self.folder, 'data'),
                '--web.listen-address=127.0.0.1:%d' % self.port,
                '--cluster.listen-address=127.0.0.1:%d' % self.cluster,
                '--cluster.advertise-address=127.0.0.1:%d' % self.cluster,
                '--cluster.peer-timeout=3s', '--cluster.settle-timeout=2s',
                '--cluster.gossip-interval=100ms',
                '--cluster.pushpull-interval=2s',
                '--cluster.reconnect-interval=1s'] + [
                    '--cluster.peer=127.0.0.1:%d' % p for p in peers]
        self.log = open(os.path.join(self.folder, 'log'), 'ab')
        self.process = subprocess.Popen(argv, stdout=self.log,
                                        stderr=self.log)

    def ready(self):
        return wait_for(lambda: self.get('/-/ready') is not None)

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as f:
                return f.read()
        except OSError:
            return None

    def alerts(self):
        return json.loads(self.get('/api/v2/alerts') or b'[]')

    def amtool(self, *args):
        p = subprocess.run([AMTOOL, '--alertmanager.url=' + self.url] +
                           list(args), stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=30)
        return p.stdout.decode()

    def peers(self):
        status = json.loads(self.get('/api/v2/status') or b'{}')
        return len(status.get('cluster', {}).get('peers') or [])

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.1)
    return what()


def told(hook, status, key):
    """What the manager has told its receiver of an incident."""
    return [a for r in hook.got for a in r.json['alerts']
            if a['status'] == status and
            a['labels'].get('incident') == key]


def now_change(key, **more):
    now = time.time()
    return change(**dict(dict(key=key, id='id-' + key, since=now - 70,
                              fired=now - 10), **more))


managers = []
try:
    with Web() as hook:
        m = Manager('one', hook)
        managers.append(m)
        tap.ok(m.ready(), 'prometheus-alertmanager runs',
               slurp(os.path.join(m.folder, 'log')))
        a, b = now_change('a'), now_change('b', message='second')
        got = send([m.url], notice([a, b], [script()], time=time.time()),
                   env={})
        tap.ok(got.status == SENT, 'it takes three alerts', got)
        names = sorted(x['labels'].get('incident', '') for x in m.alerts())
        tap.eq(names, ['', 'a', 'b'], 'and has them')
        out = m.amtool('alert', 'query', 'incident=a', '-o', 'json')
        seen = json.loads(out)
        tap.ok(len(seen) == 1 and seen[0]['labels'] == dict(
            MX, incident='a', picket='id-a') and
            seen[0]['annotations'] == SAYS and
            seen[0]['status']['state'] in ('active', 'unprocessed'),
            'amtool: labels and annotations', out)
        tap.ok('second' in m.amtool('alert', 'query', '-o', 'extended'),
               'amtool: the message')
        # they began longer ago than group_wait, so it may tell of the first
        # before it has got the others
        whole = wait_for(lambda: [r.json for r in hook.got if
            {x['labels'].get('incident') for x in r.json['alerts']} ==
            {None, 'a', 'b'}])
        groups = [r.json for r in hook.got]
        tap.ok(whole and all(g['groupLabels'] == {'alert': 'Urgent',
                                                  'host': 'moscow'}
                             for g in groups),
               'it tells of them as one group', groups)
        before = len(m.alerts())
        for what in 'still firing', 'acknowledged', 'firing':
            got = send([m.url], notice([dict(a, what=what, says=what,
                                             message='now 6000')]), env={})
        tap.eq((got.status, len(m.alerts())), (SENT, before),
               'reminders and copies are the same alert')
        ends = [x['endsAt'] for x in m.alerts()
                if x['labels'].get('incident') == 'a']
        hours = (time.mktime(time.strptime(ends[0][:19], '%Y-%m-%dT%H:%M:%S'))
                 - time.time()) / 3600
        tap.ok(30.9 * 24 < hours < 31.1 * 24, 'which lasts until its end is told',
               ends)
        got = send([m.url], notice([dict(a, what='resolved',
                                         says='resolved after 10s',
                                         ended=time.time())]), env={})
        done = wait_for(lambda: told(hook, 'resolved', 'a'))
        tap.ok(got.status == SENT and done and
               not told(hook, 'resolved', 'b'), 'it resolves one', got,
               [r.json for r in hook.got])
        left = json.loads(m.amtool('alert', 'query', '-o', 'json'))
        tap.eq(sorted(x['labels'].get('incident', '') for x in left),
               ['', 'b'], 'amtool: the others are left')
        got = send([m.url], notice([dict(a, fired=time.time(),
                                         since=time.time())]), env={})
        tap.ok(wait_for(lambda: 'a' in [x['labels'].get('incident')
                                        for x in m.alerts()]),
               'and it fires again', got)
        hostile = [now_change('h%d' % i, message=h, evidence=h, place=h,
                              done=h, script='s' + h, why=h, who=h)
                   for i, h in enumerate(HOSTILE)]
        got = send([m.url], notice(hostile, [], alert='Hostile'), env={})
        tap.eq((got.status, len([x for x in m.alerts()
                                 if x['labels']['alert'] == 'Hostile'])),
               (SENT, len(HOSTILE)), 'hostile values are taken, all')
        log = slurp(os.path.join(m.folder, 'log'))
        tap.ok(b'level=error' not in log, 'and it complains of nothing', log)

    with Web() as hook1, Web() as hook2:
        c1, c2 = free_port(), free_port()
        m1 = Manager('m1', hook1, cluster=c1, peers=[c2])
        managers.append(m1)
        dead = free_port()
        tap.ok(m1.ready(), 'a cluster of which one member runs')
        x = now_change('x')
        got = send([m1.url, 'http://127.0.0.1:%d' % dead], notice([x]), env={})
        tap.ok(got.status == SENT and len(got.lines) == 1 and re.match(
            'ok alertmanager:127.0.0.1:%d 127.0.0.1:%d: taken; 127.0.0.1:%d: '
            % (m1.port, m1.port, dead), got.lines[0]),
            'it takes it; the report names the other', got)
        got = send(['http://127.0.0.1:%d' % dead, m1.url],
                   notice([now_change('y')]), env={})
        tap.ok(got.status == SENT, 'in the other order as well', got)
        m2 = Manager('m2', hook2, port=dead, cluster=c2, peers=[c1])
        managers.append(m2)
        tap.ok(m2.ready() and wait_for(lambda: m1.peers() == m2.peers() == 2),
               'then the other one comes, and they meet',
               slurp(os.path.join(m2.folder, 'log')))
        got = send([m1.url, m2.url], notice([x, now_change('z')]), env={})
        tap.ok(got.status == SENT and
               {'x', 'z'} <= {a['labels']['incident'] for a in m2.alerts()} and
               {'x', 'y', 'z'} <= {a['labels']['incident']
                                   for a in m1.alerts()},
               'both have what is told of from then on', got, m2.alerts())
        tap.ok('y' not in {a['labels']['incident'] for a in m2.alerts()},
               'they do not tell each other: each has to be sent to')
        wait_for(lambda: told(hook1, 'firing', 'z') or
                 told(hook2, 'firing', 'z'))
        time.sleep(7)		# group_wait, and twice the peer-timeout
        n = len(told(hook1, 'firing', 'z')) + len(told(hook2, 'firing', 'z'))
        both = [len(told(h, 'firing', 'z')) for h in (hook1, hook2)]
        tap.ok(n == 1,
               'what both were sent is told of once, by gossip', both)
        got = send([m1.url, m2.url], notice([dict(
            x, what='resolved', ended=time.time())]), env={})
        tap.ok(got.status == SENT and wait_for(
            lambda: all('x' not in [a['labels']['incident']
                                    for a in m.alerts()] for m in (m1, m2))),
               'and both resolve it', got)
        m1.stop()
        managers.remove(m1)
        got = send([m1.url, m2.url], notice([now_change('w')]), env={})
        tap.ok(got.status == SENT and 'w' in [a['labels']['incident']
                                              for a in m2.alerts()],
               'the first one down: the second one takes it', got)
finally:
    for m in managers:
        m.stop()
tap.done()
