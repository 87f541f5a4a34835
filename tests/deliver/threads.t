#!/usr/bin/env python3
"""Mails of incidents thread: what Picket composes goes through a mailbox and
into threads by References and In-Reply-To, as mail readers make them (the
algorithm of jwz.org/doc/threading.html)."""

import email
import email.policy
import mailbox
import os
import subprocess

from tap import end, tell

MKMAIL = os.path.join(os.environ['BUILDDIR'], 'tests/deliver/mkmail')
FIRING, STILL, RESOLVED, UNKNOWN, FLAPPING, ACKED, ESCALATED = range(1, 8)
URGENT, CRITICAL, ERROR = 1, 2, 3
ID = '<%s.1@moscow>'


def compose(*mails):
    """mails: (run, changes); a change is (what, id, level, run of the onset).
    """
    text = ''.join('%s %d %s\n' % (run, 1795521605 + 60 * i, ' '.join(
        '%d:%s:%d:%s' % (what, ident, level, thread and thread + '.1@moscow')
        for what, ident, level, thread in changes))
        for i, (run, changes) in enumerate(mails))
    out = subprocess.run([MKMAIL], input=text.encode(), check=True,
                         stdout=subprocess.PIPE).stdout
    got = []
    while out:
        n, out = out.split(b'\n', 1)
        got.append(out[:int(n)])
        out = out[int(n):]
    return got


def through_mailbox(mails, name):
    """As a reader finds them."""
    box = mailbox.mbox(name)
    for m in mails:
        box.add(mailbox.mboxMessage(m))
    box.flush()
    box.close()
    return [email.message_from_bytes(m.as_bytes(),
                                     policy=email.policy.default)
            for m in mailbox.mbox(name)]


def threads(mails):
    """The set of threads, each a frozenset of Message-IDs."""
    parent = {}

    def leads_to(a, b):
        while a is not None:
            if a == b:
                return True
            a = parent.get(a)
        return False

    for m in mails:
        own = m['Message-ID']
        chain = (m['References'] or m['In-Reply-To'] or '').split()
        for a, b in zip(chain, chain[1:]):
            if parent.get(b) is None and not leads_to(a, b):
                parent[b] = a
        if chain and not leads_to(chain[-1], own):
            parent[own] = chain[-1]
        parent.setdefault(own, None)
    groups = {}
    for m in mails:
        top = m['Message-ID']
        while parent.get(top) is not None:
            top = parent[top]
        groups.setdefault(top, set()).add(m['Message-ID'])
    return set(map(frozenset, groups.values()))


def check(what, want, *mails):
    got = through_mailbox(compose(*mails), what.replace(' ', '-'))
    tell(len(got) == len(mails) and
         all(not m.defects and m['Auto-Submitted'] == 'auto-generated' and
             m['Date'].datetime is not None and
             len(m['Message-ID'].split()) == 1 for m in got),
         what + ': they are mails', '\n'.join(map(str, got)))
    found = threads(got)
    tell(found == set(frozenset(ID % run for run in t.split()) for t in want),
         what, '\n'.join(' '.join(sorted(t)) for t in found))
    return got


A = 'aaaaaaaa', CRITICAL
B = 'bbbbbbbb', ERROR
C = 'cccccccc', URGENT


def about(what, incident, thread):
    return what, incident[0], incident[1], thread


got = check('one episode', ['a b c d'],
            ('a', [about(FIRING, A, 'a')]),
            ('b', [about(STILL, A, 'a')]),
            ('c', [about(ACKED, A, 'a')]),
            ('d', [about(RESOLVED, A, 'a')]))
tell([m['X-Picket-Incident'] for m in got] == ['aaaaaaaa'] * 4 and
     [m['References'] for m in got] == [None] + [ID % 'a'] * 3 and
     [m['In-Reply-To'] for m in got] == [None] + [ID % 'a'] * 3,
     'the headers', str(got[1]))
check('two episodes', ['a b', 'c d e'],
      ('a', [about(FIRING, A, 'a')]),
      ('b', [about(RESOLVED, A, 'a')]),
      ('c', [about(FIRING, A, 'c')]),
      ('d', [about(ESCALATED, A, 'c')]),
      ('e', [about(RESOLVED, A, 'c')]))
check('two incidents', ['a c', 'b d'],
      ('a', [about(FIRING, A, 'a')]),
      ('b', [about(FIRING, B, 'b')]),
      ('c', [about(RESOLVED, A, 'a')]),
      ('d', [about(UNKNOWN, B, 'b')]))
# a mail of both goes to the worse one, and does not tie the others together
got = check('a mail of three', ['a', 'b', 'c d e'],
            ('a', [about(FIRING, A, 'a')]),
            ('b', [about(FIRING, B, 'b')]),
            ('c', [about(FIRING, C, 'c')]),
            ('d', [about(STILL, B, 'b'), about(STILL, C, 'c'),
                   about(STILL, A, 'a')]),
            ('e', [about(RESOLVED, C, 'c')]))
tell(got[3]['X-Picket-Incident'] == 'bbbbbbbb, cccccccc, aaaaaaaa',
     'all of its incidents', got[3]['X-Picket-Incident'])
# an end that nobody has an onset of, as the mail of that was lost
check('no onset there', ['b c'],
      ('b', [about(STILL, A, 'a')]),
      ('c', [about(RESOLVED, A, 'a')]))
check('no thread known', ['b', 'c'],
      ('b', [about(STILL, A, '')]),
      ('c', [about(RESOLVED, A, '')]))
many = [(FIRING, '%08x' % i, ERROR, 'a') for i in range(20)]
got = check('twenty at once', ['a b'], ('a', many),
            ('b', [(RESOLVED, '%08x' % i, ERROR, 'a') for i in range(20)]))
tell(got[0]['X-Picket-Incident'].split(', ') == [i for _, i, _, _ in many],
     'all ids of twenty, unfolded', got[0]['X-Picket-Incident'])
end()
