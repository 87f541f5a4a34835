#!/usr/bin/env python3
"""A machine of incidents with one fault is found by the model.

Each fault is a change of one place in a copy of its sources; drive is built
with it, and random sequences run until one is wrong.
"""
# runner: timeout=300

import concurrent.futures
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
from model import chunk		# noqa: E402
from tap import end, skip, tell	# noqa: E402

SRC, BUILD = os.environ['SRCDIR'], os.environ['BUILDDIR']
CC = shlex.split(os.environ.get('CC', 'cc'))
FILES = ['engine/incident/incident.c', 'engine/incident/tell.c',
         'engine/incident/silence.c', 'engine/state/incidents.c']
MACHINE, TELL, SILENCE, ROWS = FILES
PIECE, MOST = 100, 30		# sequences; pieces until it has survived

# What it is, where, what stands there (once), and what does instead.
FAULTS = [
    ('a failed run ends', MACHINE,
     '''	if (!run->good)
		return VERDICT_NOTHING;
	if (num_none(seen->when) || (seen''',
     '''	if (num_none(seen->when) || (seen'''),
    ('an incomplete run ends', MACHINE,
     '''	if (!may(in, run))
		return VERDICT_NOTHING;
	changes''', '''	changes'''),
    ('what an incomplete run may not do is no unknown', MACHINE,
     'run->complete ? 0 : in->unknown + 1', '0'),
    ('NIL ends', MACHINE,
     '''	if (num_none(seen->when) || (seen->has_until &&
	    num_none(seen->until))) {''',
     '''	if (seen->has_until && num_none(seen->until)) {'''),
    ('NIL of until ends', MACHINE,
     '''	if (num_none(seen->when) || (seen->has_until &&
	    num_none(seen->until))) {''', '''	if (num_none(seen->when)) {'''),
    ('until is not asked', MACHINE,
     '''	    (seen->has_until && !num_true(seen->until))) {''',
     '''	    false) {'''),
    ('it ends although when holds', MACHINE,
     '''	if (num_true(seen->when) ||
	    (seen->has_until''', '''	if ((!seen->has_until && num_true(seen->when)) ||
	    (seen->has_until'''),
    ('hold is not waited for', MACHINE,
     'run->now - in->since < in->hold', 'false'),
    ('hold is a second more', MACHINE,
     'run->now - in->since < in->hold', 'run->now - in->since <= in->hold'),
    ('hold goes on over what did not hold', MACHINE,
     '''			in->state = INCIDENT_QUIET;
			in->unknown = 0;
		}''', '''			in->unknown = 0;
		}'''),
    ('an onset without hold waits for a good run', MACHINE,
     'if (holds && in->hold <= 0)', 'if (holds && run->good && in->hold <= 0)'),
    ('an onset with hold counts in a failed run', MACHINE,
     '''	if (!run->good)
		return VERDICT_NOTHING;
	if (num_none(seen->when))''', '''	if (num_none(seen->when))'''),
    ('no number for the next episode', MACHINE,
     '		in->episode++;\n', '		in->episode = 1;\n'),
    ('a new episode while it flaps', MACHINE,
     'if (!flapped) {', 'if (true) {'),
    ('it never flaps', MACHINE, 'in->flapping = 1;', ';'),
    ('it flaps for ever', MACHINE,
     'if (recent <= INCIDENT_CALM)', 'if (false)'),
    ('it calms down too soon', MACHINE,
     'recent <= INCIDENT_CALM', 'recent <= INCIDENT_CALM + 1'),
    ('changes of long ago count', MACHINE,
     'now - *change[i] >= INCIDENT_FLAP_TIME',
     'now - *change[i] >= 2 * INCIDENT_FLAP_TIME'),
    ('a clock set back stops time', MACHINE,
     '''		if (*times[i] > now)
			*times[i] = now;
''', ''),
    ('missing runs need not be in a row', MACHINE,
     '	in->missed = 0;\n	v = in', '	v = in'),
    ('missed in a failed run', MACHINE,
     '''			in->blind++;
		return;
	}''', '''			in->blind++;
	}'''),
    ('missed in an incomplete run', MACHINE,
     '''	if (!run->complete)
		return;
''', ''),
    ('absent is not asked', MACHINE,
     'in->absent > 0 ? in->absent : INCIDENT_ABSENT', 'INCIDENT_ABSENT'),
    ('what is pending and missing stays so', MACHINE,
     '''	if (in->state == INCIDENT_PENDING)
		in->state = INCIDENT_QUIET;
	if (in->state == INCIDENT_QUIET) {''',
     '''	if (in->state != INCIDENT_FIRES) {'''),
    ('a removed script leaves it', MACHINE,
     '''		(void)end(in, END_WITHDRAWN, now);
	in->state = INCIDENT_QUIET;
''', '''		return;
'''),
    ('no data after two runs', MACHINE,
     'missed >= INCIDENT_UNKNOWN;', 'missed >= INCIDENT_UNKNOWN - 1;'),
    ('a silence tells nobody when it ends', TELL,
     '''			in->told_held = 1;
''', '''			;
'''),
    ('silence is no silence', TELL, 'if (t->held) {', 'if (false) {'),
    ('a silence forgets what it held back', TELL,
     '''		if (lasts)
			in->told_held = 1;
''', '''		if (lasts)
			in->told_held = 1;
		else
			in->told = in->state == INCIDENT_FIRES ?
			    in->episode : 0;
'''),
    ('unless is not asked', TELL,
     'if (fires && free && in->told == 0) {', 'if (fires && in->told == 0) {'),
    ('an end is not told while inhibited', TELL,
     'if (in->told != 0 && !lasts) {', 'if (in->told != 0 && !lasts && free) {'),
    ('an end of what was not told', TELL,
     '''	if (in->told != 0 && !lasts) {''',
     '''	if (!fires && in->told < in->episode) {
		in->told = in->episode;
		return told(in, NOTICE_RESOLVED, t->now);
	}
	if (in->told != 0 && !lasts) {'''),
    ('the next episode hides an end', TELL,
     'fires && in->told != 0 && in->told == in->episode;',
     'fires && in->told != 0;'),
    ('reminders although acknowledged', TELL,
     '''		if (in->told_ack != 0)
			return NOTICE_NONE;
''', '''		if (in->told_ack != 0)
			return remind(in, t, bit);
'''),
    ('an ack is told again', TELL,
     '		in->told_ack = in->acked_at > 0 ? in->acked_at : t->now;\n'
     '		return told(in, NOTICE_ACKED, t->now);',
     '		if (in->told_at == t->now)\n			return NOTICE_NONE;\n'
     '		return told(in, NOTICE_ACKED, t->now);'),
    ('an ack is for ever', MACHINE, 'in->acked == in->episode', 'in->acked > 0'),
    ('escalated again and again', TELL,
     '		in->escalated = (uint32_t)in->escalated | UINT32_C(1) << e->bit;\n',
     '		in->told_onset = t->now;\n'),
    ('escalations of the last episode count', TELL,
     'in->told_held = in->told_ack = in->escalated = 0;',
     'in->told_held = in->told_ack = 0;'),
    ('a reminder each time', TELL,
     't->now - in->told_at >= in->remind', 't->now - in->told_onset >= in->remind'),
    ('unknown is told each time', TELL, 'in->told_unknown = 1;', 'in->unknown = 0;'),
    ('unknown is told once for ever', TELL,
     '''	if (in->unknown == 0)
		in->told_unknown = 0;
''', ''),
    ('flapping is told for ever', TELL,
     'in->told_flapping != 0 || !free ||', 'in->told_at == t->now || !free ||'),
    ('a silence lasts as long as the clock is wrong', SILENCE,
     ' && now >= s->made - (s->until - s->made) &&', ' &&'),
    ('patterns are keys', SILENCE,
     ''' ||
	    glob_match(pattern, in->key);''', ';'),
    ('a restart forgets whose unless', ROWS,
     'in->name = text(column[i++]);',
     'in->name = text(column[i++]); in->unless = STR_EMPTY;'),
    ('a restart rounds times', ROWS,
     'return num_fine(d) ? d : 0;', 'return num_fine(d) ? trunc(d / 100) * 100 : 0;'),
    ('a restart forgets what was told', ROWS,
     '	if (!(in->how >=', '	in->told = 0;\n	if (!(in->how >='),
]


def build(folder, number, file, old, new):
    with open(os.path.join(SRC, file), encoding='utf-8') as f:
        text = f.read()
    if text.count(old) != 1:
        return None, '%s: %d times:\n%s' % (file, text.count(old), old)
    program = os.path.join(folder, 'drive%d' % number)
    changed = program + '.c'
    with open(changed, 'w', encoding='utf-8') as f:
        f.write(text.replace(old, new))
    r = subprocess.run(
        CC + ['-std=c11', '-O1', '-w', '-D_GNU_SOURCE', '-I', SRC, '-I', BUILD,
              '-o', program, os.path.join(SRC, 'tests/incident/drive.c'),
              changed] +
        [os.path.join(SRC, f) for f in FILES if f != file] +
        [os.path.join(BUILD, 'engine/libengine.a'),
         os.path.join(BUILD, 'lang/liblang.a'), '-lm'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return program, r.stdout.decode() if r.returncode else None


def hunt(args):
    """(name, why it could not be tried, sequences until it was found)."""
    folder, number, (name, file, old, new) = args
    program, why = build(folder, number, file, old, new)
    if why:
        return name, why, 0
    for i in range(MOST):
        if chunk((program, 'mutant/%d/%d' % (number, i), PIECE, i % 2)):
            return name, None, (i + 1) * PIECE
    return name, None, 0


def main():
    if shutil.which(CC[0]) is None:
        skip('faults are found', 'no compiler ' + CC[0])
        end()
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ProcessPoolExecutor() as pool:
        sound = ('a sound one', MACHINE, 'in->episode++;', 'in->episode += 1;')
        work = [(folder, i, f) for i, f in enumerate([sound] + FAULTS)]
        for i, (name, why, found) in enumerate(pool.map(hunt, work)):
            if i == 0:
                tell(why is None and not found, 'a sound machine is right',
                     why or 'wrong after %d sequences' % found)
                continue
            tell(why is None and found, 'found: %s' % name,
                 why or 'not in %d sequences' % (PIECE * MOST))
    end()


if __name__ == '__main__':
    main()
