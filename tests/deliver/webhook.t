#!/usr/bin/python3
# runner: timeout=600
"""webhook: each template's request, byte for byte; servers in trouble; what
must not be shown."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from delivery import *				# noqa: E402,F403
from web import *				# noqa: E402,F403

tap = Tap()
TOKEN = 'sEcReT-token-0123456789'
token = secret('token', TOKEN + '\n')
NOTICE = notice([change()], [script()])
TEXT = ('PIKT Alert on moscow: Urgent (run-1.1@moscow)\n'
        'critical: [firing] MX moscow has many queued messages: 5210 '
        '(mxqueue:moscow, 3fa2b1c9)\n'
        '    #queued >= 5000 (#queued = 5210)\n'
        '    mx.pikt:14\n'
        '    exec wait: /usr/sbin/postqueue -f\n'
        'urgent: ProcNumChk: Count processes.\n'
        '    404 groucho imapd\n'
        '    killed them')


def send(web, options='', said=NOTICE, path='', **more):
    return deliver(web_job('webhook %s%s timeout 5s %s'
                           % (web.url, path, options), said, **more))


def one(web, got, status, what):
    """It went by one request, and this came of it."""
    return tap.ok(got.status == status and len(web.got) == 1 and
                  len(got.lines) >= 1, what, got, web.got)


# What each service is sent.
with Web() as w:
    got = send(w, path='/hook?a=b')
    one(w, got, SENT, 'json: taken')
    r = w.got[0]
    tap.eq((r.method, r.path, r.json), ('POST', '/hook?a=b', NOTICE),
           'json: the whole notice')
    tap.eq({k: r.headers.get(k) for k in ('content-type', 'user-agent',
                                          'authorization', 'expect')},
           {'content-type': 'application/json; charset=utf-8',
            'user-agent': 'picket', 'authorization': None, 'expect': None},
           'json: headers')
    tap.eq(got.lines, ['ok webhook:127.0.0.1:%d 200' % w.port], 'its report')
with Web() as w:
    got = send(w, said=None, message=b'Subject: two\n words\nMessage-ID: <i@h>'
               b'\nX-Picket-Alert: A\nX-Picket-Level: error\n\nx\n')
    one(w, got, SENT, 'json without a notice')
    told = w.got[0].json
    tap.ok(abs(told.pop('time') - time.time()) < 100, 'the time is now')
    tap.eq(told, dict(id='i@h', run='run-1', host='test.example.org',
                      alert='A', level='error', subject='two words',
                      text='body', scripts=[], changes=[]),
           'what its headers say')
for name, answer, want in (
        ('slack', (200, 'ok'), {
            'text': TEXT.replace('>', '&gt;'), 'mrkdwn': False,
            'unfurl_links': False, 'unfurl_media': False}),
        ('mattermost', (200, 'ok'), {
            'text': TEXT.replace('@', '@\u200b').replace(']', ']\u200b')}),
        ('googlechat', (200, '{}'), {'text': TEXT}),
        ('discord', (200, '{}'), {
            'content': TEXT.replace(']', ']\u200b'), 'allowed_mentions': {'parse': []}, 'flags': 4}),
        ('teams', (202, ''), {
            'type': 'message', 'attachments': [{
                'contentType': 'application/vnd.microsoft.card.adaptive',
                'content': {
                    '$schema':
                        'http://adaptivecards.io/schemas/adaptive-card.json',
                    'type': 'AdaptiveCard', 'version': '1.4', 'body': [
                        {'type': 'TextBlock', 'wrap': True, 'size': 'medium',
                         'weight': 'bolder',
                         'text': 'PIKT Alert on moscow: Urgent'},
                        {'type': 'TextBlock', 'wrap': True,
                         'fontType': 'monospace',
                         'text': TEXT.replace('[', '\\[').replace(']', '\\]')
                         }]}}]})):
    with Web(answer) as w:
        got = send(w, 'template ' + name, path='/x/y')
        one(w, got, SENT, name + ': taken')
        tap.eq((w.got[0].method, w.got[0].path, w.got[0].json),
               ('POST', '/x/y' + ('?wait=true' if name == 'discord' else ''),
                want), name + ': its request')
with Web((200, '{}')) as w:
    send(w, 'template discord', path='/x?thread_id=1')
    tap.eq(w.got[0].path, '/x?thread_id=1&wait=true', 'discord: more query')
for level, priority in (('emergency', 5), ('urgent', 5), ('critical', 5),
                        ('error', 4), ('warning', 3), ('notice', 2),
                        ('info', 2), ('debug', 2)):
    with Web() as w:
        send(w, 'template ntfy to topic-1 tokenfile ' + token,
             notice([change()], [script()], level=level))
        tap.eq((w.got[0].path, w.got[0].json,
                w.got[0].headers['authorization']),
               ('/', dict(topic='topic-1', message=TEXT, priority=priority,
                          title='PIKT Alert on moscow: Urgent'),
                'Bearer ' + TOKEN), 'ntfy: level %s' % level)
with Web((200, '{"event_id":"$x"}')) as w:
    room = '!a/b?c#d:example.org'
    for _ in 1, 2:
        got = send(w, 'template matrix to "%s" tokenfile %s' % (room, token))
    path = ('/_matrix/client/v3/rooms/%21a%2Fb%3Fc%23d%3Aexample.org/send/'
            'm.room.message/run-1.1%40moscow')
    tap.eq([(r.method, r.path, r.json, r.headers['authorization'])
            for r in w.got],
           2 * [('PUT', path, {'msgtype': 'm.text', 'body': TEXT,
                               'm.mentions': {}}, 'Bearer ' + TOKEN)],
           'matrix: the same transaction when it is sent again')
with Web((200, '{"ok":true}')) as w:
    got = send(w, 'template telegram to -1001 tokenfile ' + token)
    tap.eq((got.status, w.got[0].path, w.got[0].json,
            w.got[0].headers.get('authorization')),
           (SENT, '/bot%s/sendMessage' % TOKEN,
            {'chat_id': '-1001', 'text': TEXT,
             'link_preview_options': {'is_disabled': True}}, None),
           'telegram: its request')
with Web() as w:
    got = deliver(web_job('webhook urlfile ' + secret(
        'url', w.url + '/services/T0123456789/B0123456789'), NOTICE))
    tap.ok(got.status == SENT and w.got[0].path ==
           '/services/T0123456789/B0123456789' and
           '0123456789' not in got.out, 'a URL by file', got)
with Web() as w:
    got = send(w, 'user picket passfile ' + secret('pw', 'open sesame'))
    tap.eq(w.got[0].headers.get('authorization'),
           'Basic cGlja2V0Om9wZW4gc2VzYW1l', 'a password')

# What is an answer.
for template, answer, status, what in (
        ('slack', (200, 'no_text'), LATER, 'slack: 200 without ok'),
        ('slack', (200, '<html>sign in</html>'), LATER, 'slack: a sign-in'),
        ('slack', (200, ' ok\n'), SENT, 'slack: ok with blanks'),
        ('slack', (404, 'no_service'), LATER, 'slack: 404'),
        ('slack', (410, 'channel_is_archived'), LATER, 'slack: 410'),
        ('slack', Web.FLOOD, LATER, 'slack: ok is not in a flood'),
        ('json', (500, ''), LATER, '500'), ('json', (502, ''), LATER, '502'),
        ('json', (503, ''), LATER, '503'), ('json', (429, ''), LATER, '429'),
        ('json', (408, ''), LATER, '408'), ('json', (400, ''), REFUSED, '400'),
        ('json', (401, ''), LATER, '401'), ('json', (403, ''), LATER, '403'),
        ('json', (422, ''), REFUSED, '422'),
        ('json', (413, ''), REFUSED, '413'), ('json', (204, ''), SENT, '204'),
        ('json', (301, '', {'Location': 'http://127.0.0.1:1/secret0123'}),
         LATER, 'a redirect'),
        ('json', (307, '', {'Location': '/other'}), LATER,
         'a redirect on the same host'),
        ('json', b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n'
         b'Content-Length: 0\r\n\r\n', SENT, '100, then 200'),
        ('json', b'garbage\r\n\r\n', LATER, 'garbage'),
        ('json', b'HTTP/0.9 x', LATER, 'another version'),
        ('json', b'', LATER, 'an answer of nothing'),
        ('json', Web.DROP, LATER, 'closed without an answer'),
        ('json', b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab', SENT,
         'closed in the middle of what follows a 200'),
        ('json', b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 100000 + b'\r\n',
         SENT, 'a 200 with headers beyond all limits'),
        ('json', Web.FLOOD, SENT, 'a body without an end')):
    with Web(answer) as w:
        got = send(w, 'template ' + template)
        tap.ok(got.status == status and len(w.got) == 1 and got.seconds < 20 and
               len(got.lines) == 1 and 'secret0123' not in got.out, what, got)
with Web() as w:
    got = send(w, 'timeout 2s')
    tap.ok(got.status == REFUSED and 'given twice' in got.out and not w.got,
           'an option twice', got)
for answer, what in ((Web.STALL, 'stalls'), (Web.DRIP, 'a byte at a time')):
    with Web(answer) as w:
        got = deliver(web_job('webhook %s timeout 2s' % w.url, NOTICE))
        tap.ok(got.status in (LATER, SENT) and 1 < got.seconds < 15,
               what + ': until its timeout', got)
got = deliver(web_job('webhook http://127.0.0.1:%d' % free_port(), NOTICE))
tap.ok(got.status == LATER, 'nobody listens', got)
got = deliver(web_job('webhook http://no.such.host.invalid timeout 5s', NOTICE))
tap.ok(got.status == LATER and got.seconds < 20, 'an unknown host', got)

# To be asked to wait.
with Web((429, '{"ok":false,"parameters":{"retry_after":1}}'),
         (200, '{"ok":true}')) as w:
    got = send(w, 'template telegram to 1 tokenfile ' + token)
    tap.ok(got.status == SENT and len(w.got) == 2 and got.seconds > 0.9,
           'telegram: retry_after is obeyed', got)
with Web((429, '{"retry_after":0.5}'), (200, '{}')) as w:
    got = send(w, 'template discord')
    tap.ok(got.status == SENT and len(w.got) == 2 and got.seconds > 0.4,
           'discord: retry_after is obeyed', got)
with Web((429, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":400}'),
         (200, '{}')) as w:
    got = send(w, 'template matrix to r tokenfile ' + token)
    tap.ok(got.status == SENT and len(w.got) == 2 and got.seconds > 0.3,
           'matrix: retry_after_ms is obeyed', got)
with Web((503, '', {'Retry-After': '1'}), (200, '')) as w:
    got = send(w)
    tap.ok(got.status == SENT and len(w.got) == 2, 'Retry-After', got)
with Web((429, '', {'Retry-After': '1'})) as w:
    got = send(w)
    tap.ok(got.status == LATER and len(w.got) == 2, 'once only', got)
with Web((429, '', {'Retry-After': '90'})) as w:
    got = send(w)
    tap.ok(got.status == LATER and len(w.got) == 1 and got.seconds < 20 and
           got.lines[0].endswith('; again in 90s'), 'not for long', got)
for bad in ('-5', '1e400', 'x', '99999999999999999999'):
    with Web((429, '{"retry_after":%s}' % bad, {'Retry-After': bad})) as w:
        got = send(w)
        tap.ok(got.status == LATER and got.seconds < 20, 'a wait of ' + bad, got)

# TLS.
cert, key = certificate('right', ip='127.0.0.1')
other, other_key = certificate('wrong', 'elsewhere.example.org')
with Web(tls=server_tls(cert, key)) as w:
    got = send(w, 'ca ' + cert)
    tap.ok(got.status == SENT and len(w.got) == 1, 'https', got)
    got = send(w)
    tap.ok(got.status == LATER and 'certificate' in got.out and
           len(w.got) == 1, 'a certificate that nobody signed', got)
    got = send(w, 'ca ' + other)
    tap.ok(got.status == LATER and len(w.got) == 1, 'or somebody else', got)
    got = send(w, 'insecure')
    tap.ok(got.status == SENT and len(w.got) == 2, 'insecure', got)
with Web(tls=server_tls(other, other_key)) as w:
    got = send(w, 'ca ' + other)
    tap.ok(got.status == LATER and w.got == [],
           'a certificate of another host', got)

# Lengths: at the limit nothing is cut; above it at a character's end.
HEAD = 'S (i)\nwarning: P: \n    '


def units(s, how):
    return len(s.encode({8: 'utf-8', 16: 'utf-16-le'}[how])) // (how // 8)


def of_length(n, how, char):
    """A notice whose text has n units."""
    rest = n - units(HEAD, how)
    k = rest // units(char, how)
    return notice([], [script(script='P', level='warning', task='', lines=char
                              * k + 'x' * (rest - k * units(char, how)))],
                  id='i', subject='S')


HEAD = 'S (i)\nwarning: P\n    '
for name, field_, limit, how, more in (
        ('slack', 'text', 4000, 16, ''), ('mattermost', 'text', 4000, 16, ''),
        ('googlechat', 'text', 4096, 16, ''),
        ('discord', 'content', 2000, 16, ''),
        ('telegram', 'text', 4096, 16, 'to 1 tokenfile ' + token),
        ('ntfy', 'message', 4096, 8, 'to t'),
        ('matrix', 'body', 30000, 8, 'to r tokenfile ' + token)):
    for char in 'a', 'é', '\U0001f525':
        for n in limit, limit + 1, limit * 3:
            with Web((200, '{"ok":true}' if name == 'telegram' else 'ok')) as w:
                said = of_length(n, how, char)
                got = send(w, 'template %s %s' % (name, more), said)
                text = w.got[0].json[field_]
                full = HEAD + said['scripts'][0]['lines']
                good = text == full if n == limit else (
                    text.endswith('...') and full.startswith(text[:-3]) and
                    limit - 8 < units(text, how) <= limit)
                if not (good and got.status == SENT):
                    break
        tap.ok(good and got.status == SENT, '%s: %d of %r' % (name, limit,
                                                              char),
               n, units(text, how), text[-20:], got)
for name, most, more in (('slack', 100000, ''), ('teams', 28000, ''),
                         ('googlechat', 32000, ''), ('json', 1000000, ''),
                         ('discord', 100000, ''), ('mattermost', 100000, '')):
    for line in '&<>@"\\', '\u00e9' * 10, '\tx', '[*_]', 'plain':
        with Web((200, 'ok')) as w:
            got = send(w, 'template ' + name, notice([change()], [script(
                lines=(line * 100 + '\n') * (2000000 // len(line) // 100))]))
            size = len(w.got[0].body) if w.got else -1
            tap.ok(got.status == SENT and 0 < size <= most and w.got[0].json and
                   size > (1000 if name != 'json' else 100000),
                   '%s: 2 MB of %r' % (name, line[:6]), size, got)
with Web() as w:
    got = send(w, '', notice([change()] * 20000))
    tap.ok(got.status == SENT and 0 < len(w.got[0].body) <= 1000000 and
           w.got[0].json['subject'] == 'PIKT Alert on moscow: Urgent',
           'json: 20000 changes', got)

# Hostile values, in every field.
HOSTILE = ['"', "'", '\\', '\\"', '\n', '\r\nX-Evil: 1\r\n', '\0', '\x1b[2J',
           '\ud800'.encode('utf-8', 'surrogatepass'), b'\xff\xfe', '\u202e',
           '\u0085', '{"a":1}', '</script>', '<!channel>', '@everyone',
           '$(id)`id`', '%s%n', '../..', '\U0010ffff', 'x' * 1000000]
TEMPLATES = (('json', ''), ('slack', ''), ('mattermost', ''), ('teams', ''),
             ('discord', ''), ('googlechat', ''), ('ntfy', 'to t'),
             ('matrix', 'to r tokenfile ' + token),
             ('telegram', 'to 1 tokenfile ' + token))


def raw(value):
    """JSON of a string that may be no UTF-8."""
    if isinstance(value, bytes):
        return b'"' + value + b'"'
    return json.dumps(value, ensure_ascii=False).encode('utf-8')


for name, more in TEMPLATES:
    wrong = []
    for h in HOSTILE:
        c = b'{' + b','.join(raw(k) + b':' + raw(h) for k in change()) + b'}'
        s = b'{' + b','.join(raw(k) + b':' + raw(h) for k in script()) + b'}'
        n = (b'{' + b','.join(raw(k) + b':' + raw(h) for k in notice()
                              if k not in ('scripts', 'changes')) +
             b',"changes":[' + c + b'],"scripts":[' + s + b']}')
        ok = '{"ok":true}' if name == 'telegram' else 'ok'
        with Web((200, ok)) as w:
            got = send(w, 'template %s %s' % (name, more), n)
            try:
                good = (got.status == SENT and len(w.got) == 1 and
                        w.got[0].json is not None and
                        'x-evil' not in w.got[0].headers)
            except ValueError as e:
                good = e
            if good is not True:
                wrong.append((h[:20], good, got, w.got))
    tap.eq(wrong, [], '%s: %d hostile values in every field' % (
        name, len(HOSTILE)))
for bad in (b'', b'{', b'[]', b'null', b'"x"', b'\xff', b'{"changes":1}',
            b'{"changes":[1,null,[],"x"],"scripts":{"a":1}}',
            b'{"id":5,"subject":{},"time":1e308,"level":"no"}',
            b'[' * 100000, b'{"a":' * 3000):
    for name, more in TEMPLATES[:2]:
        with Web((200, 'ok')) as w:
            got = send(w, 'template ' + name, bad)
            tap.ok(got.status == SENT and w.got and w.got[0].json,
                   '%s: no notice: %r' % (name, bad[:20]), got, w.got)
with Web((200, 'ok')) as w:
    send(w, 'template slack', notice([change(message='<!channel> <@U1> &amp;')]))
    tap.ok('&lt;!channel&gt; &lt;@U1&gt; &amp;amp;' in w.got[0].json['text'],
           'slack: nobody is called', w.got)

with Web((200, 'ok')) as w:
    send(w, 'template slack', notice([], [
        script(lines='', error='ran too long'), script(lines='', error=''),
        script(lines='', interrupted='exec: rm x'),
        script(lines='a', interrupted='')]))
    tap.eq(w.got[0].json['text'].split('\n')[1:],
           ['urgent: ProcNumChk: Count processes.', '    ran too long',
            'urgent: ProcNumChk: Count processes.',
            '    interrupted, and had done: exec: rm x',
            'urgent: ProcNumChk: Count processes.', '    a',
            '    interrupted'], 'a script that failed, that has nothing to '
           'say, that was killed')
with Web((500, 'x' * 5000)) as w:
    got = send(w)
    tap.ok(len(got.lines[0]) < 300, 'of an answer only its begin is shown',
           got)

# Secrets are not shown, whoever says them.

def echo(r):
    return (403, 'denied: %s %s %s %s' % (
        r.path, json.dumps(r.path).replace('/', '\\/'), r.headers, r.line))


with Web(echo) as w:
    path = '/services/T00SECRET/B00SECRET?key=abcdefghij'
    ways = ['webhook urlfile ' + secret('url2', w.url + path),
            'webhook %s template telegram to 1 tokenfile %s' % (w.url, token),
            'webhook %s tokenfile %s' % (w.url, token),
            'webhook %s user picket passfile %s' % (w.url, secret(
                'pw2', 'open-sesame'))]
    for way in ways:
        got = deliver(web_job(way, NOTICE))
        tap.ok(got.status == LATER and 'denied' in got.out and
               not any(x in got.out + got.err for x in (
                   'T00SECRET', 'B00SECRET', 'abcdefghij', TOKEN,
                   'open-sesame', 'cGlja2V0Om9wZW4tc2VzYW1l')),
               'a server that tells our secrets: ' + way[:40], got)
for way, why in (
        ('webhook urlfile ' + secret('open', 'http://127.0.0.1/x', 0o644),
         'readable'),
        ('webhook urlfile /no/such', 'missing'),
        ('webhook urlfile ' + secret('blank', 'http://127.0.0.1/a b'),
         'no blanks'),
        ('webhook urlfile ' + secret('ftp', 'ftp://127.0.0.1/SECRET'),
         'begins with https'),
        ('webhook urlfile ' + secret('user', 'http://u:SECRET@127.0.0.1/'),
         'no password'),
        ('webhook http://127.0.0.1 tokenfile ' + secret('ctl', 'a\x01b'),
         'control'),
        ('webhook http://127.0.0.1 tokenfile ' + secret('none', '\n'), '')):
    got = deliver(web_job(way + ' timeout 2s', NOTICE))
    tap.ok(got.status == LATER and why in got.out and 'SECRET' not in got.out,
           'a secret that is none: ' + why, got)
with Web() as w:
    home = os.path.join(TMP, 'home')
    os.makedirs(home, exist_ok=True)
    secret('home/.netrc', 'machine 127.0.0.1 login x password y\n')
    got = deliver(web_job('webhook ' + w.url, NOTICE), {
        'http_proxy': 'http://127.0.0.1:1', 'ALL_PROXY': 'socks5://127.0.0.1:1',
        'HOME': home})
    tap.ok(got.status == SENT and 'authorization' not in w.got[0].headers,
           'no proxy and no netrc from the surroundings', got)
tap.done()
