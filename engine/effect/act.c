/*
 * act: the acting functions: what is done is first written down, in the
 * trail, the alert's log and the system's audit log; the dry host looks at
 * everything as the live one does, tells, and stops there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lang/base/signals.h"
#include "engine/effect/act.h"
#include "engine/effect/archive.h"

bool
act_begins(struct live *l, bool dry, const char *what, const char *text,
    struct act_result *r, double plausible)
{
	if (dry) {
		dry_tell(l, what, STR_NIL, str_c(text));
		r->n = plausible;
		r->suppressed = true;
		return false;
	}
	l->effects++;
	live_did(l, what, str_c(text));
	log_command(l, what, str_c(text));
	log_audit(l, what, text);
	return true;
}

/* The reason of a system call that was refused, with what would help. */
static void
refused(struct live *l, const char *what, const struct target *t, int error)
{
	char who[LIM_WHO];

	process_who(&t->p, who);
	if (error == ESRCH)
		live_fail(l, "process %ld (%s) has ended meanwhile",
		    (long)t->p.pid, who);
	else if (error == EPERM)
		live_fail(l, "%s: process %ld (%s): %s: Picket must run as "
		    "that user, or as root with CAP_KILL", what,
		    (long)t->p.pid, who, strerror(error));
	else
		live_fail(l, "%s: process %ld (%s): %s", what,
		    (long)t->p.pid, who, strerror(error));
}

bool
act_kill(struct live *l, const struct act *a, bool dry, struct act_result *r)
{
	char text[LIM_WHO + 64], who[LIM_WHO];
	struct target t;
	int error, sig = signal_number(a->sig);

	if (!target_open(l, a->pid, a->start, sig != 0, &t))
		return false;
	process_who(&t.p, who);
	snprintf(text, sizeof text, "%.0f %.*s (%s)", a->pid, (int)a->sig.n,
	    a->sig.p, who);
	/* 0 only asks */
	if (sig != 0 && !act_begins(l, dry, "kill", text, r, 0)) {
		target_close(l, &t);
		return true;
	}
	error = target_signal(&t, sig);
	target_close(l, &t);
	if (error != 0) {
		refused(l, "kill", &t, error);
		return false;
	}
	r->n = 0;
	return true;
}

bool
act_terminate(struct live *l, const struct act *a, bool dry,
    struct act_result *r)
{
	char text[LIM_WHO + 64], who[LIM_WHO];
	struct target t;
	int error, how;

	if (!target_open(l, a->pid, a->start, true, &t))
		return false;
	process_who(&t.p, who);
	snprintf(text, sizeof text, "%.0f, %gs (%s)", a->pid, a->value, who);
	if (!act_begins(l, dry, "terminate", text, r, 1)) {
		target_close(l, &t);
		return true;
	}
	for (r->n = 1; ; r->n++) {
		error = target_signal(&t, r->n == 1 ? SIGTERM : SIGKILL);
		if (error == ESRCH)
			break;		/* it was quicker */
		if (error != 0) {
			refused(l, "terminate", &t, error);
			break;
		}
		how = target_wait(l, &t, live_now() + (r->n == 1 ? a->value :
		    WAIT_KILL));
		error = how == 1 ? 0 : ETIMEDOUT;
		if (how == 1)
			break;
		if (how == -1)
			break;		/* the reason is that of the run's end */
		if (r->n == 2) {
			live_fail(l, "process %.0f (%s) has had KILL and does "
			    "not end: it waits in the kernel", a->pid, who);
			break;
		}
		log_command(l, "terminate", STR_LIT("TERM was not enough: "
		    "KILL"));
	}
	target_close(l, &t);
	if (error != 0 && error != ESRCH)
		return false;
	return true;
}

static void
act(struct live *l, const struct act *a, struct act_result *r, bool dry)
{
	static bool (*const how[ACT_KINDS])(struct live *, const struct act *,
	    bool, struct act_result *) = {
		[ACT_KILL] = act_kill,
		[ACT_TERMINATE] = act_terminate,
		[ACT_KILLALL] = act_killall,
		[ACT_RENICE] = act_renice,
		[ACT_SETLIMIT] = act_setlimit,
		[ACT_OOMADJUST] = act_oomadjust,
		[ACT_FREEZE] = act_freeze,
		[ACT_THAW] = act_freeze,
		[ACT_ARCHIVE] = archive_act,
		[ACT_QUARANTINE] = archive_act,
		[ACT_ROTATE] = archive_rotate,
	};

	*r = (struct act_result){ .n = -1, .text = STR_EMPTY, .note = STR_NIL };
	if (l->o.root != NULL && l->o.root[0] != '\0' && a->kind <
	    ACT_ARCHIVE) {
		live_fail(l, "refused: processes are read below %.200s (--root), "
		    "and are not those of this machine", l->o.root);
		return;
	}
	if (how[a->kind] == NULL)
		live_fail(l, "this host cannot do that");
	else if (!how[a->kind](l, a, dry, r))
		r->n = -1;
}

void
live_act(void *h, const struct act *a, struct act_result *r)
{
	act(h, a, r, false);
}

void
dry_act(void *h, const struct act *a, struct act_result *r)
{
	act(h, a, r, true);
}
