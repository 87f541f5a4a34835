/*
 * user: see user.h.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/effect/spawn.h"

#define USER_ENTRY	4096		/* bytes of a passwd entry at first */
#define LIM_USER_ENTRY	(1 << 20)	/* and at most: databases can be broken */

void
user_free(struct user *u)
{
	if (u->mem == NULL)
		return;
	if (u->group != NULL)
		mem_free(u->mem, u->group, u->ngroup * sizeof *u->group);
	if (u->text != NULL)
		mem_free(u->mem, u->text, u->ntext);
	memset(u, 0, sizeof *u);
}

/* Packs NAME=VALUE after the others. */
static char *
put(char *p, const char *name, const char *value)
{
	return p + sprintf(p, "%s=%s", name, value) + 1;
}

/*
 * Children get these six and nothing of ours: what a daemon was started with
 * must not decide what a rule does.  No LANG: tools answer in C, which is
 * what rules match.
 */
static void
make_env(struct user *u, const char *home, const char *path,
    const char *run_id)
{
	const char *tz = getenv("TZ");
	size_t n = 0;
	char *p;

	u->ntext = strlen(path) + strlen(home) + 2 * strlen(u->name) +
	    (tz == NULL ? 0 : strlen(tz)) +
	    (run_id == NULL ? 0 : strlen(run_id)) +
	    sizeof "PATH= HOME= LOGNAME= USER= TZ= PICKET_RUN_ID=";
	u->text = p = mem_alloc(u->mem, u->ntext);
	u->env[n++] = p;
	p = put(p, "PATH", path);
	u->env[n++] = p;
	p = put(p, "HOME", home);
	u->env[n++] = p;
	p = put(p, "LOGNAME", u->name);
	u->env[n++] = p;
	p = put(p, "USER", u->name);
	if (tz != NULL) {
		u->env[n++] = p;
		p = put(p, "TZ", tz);
	}
	if (run_id != NULL) {
		u->env[n++] = p;
		put(p, SPAWN_RUN_ID, run_id);
	}
	u->env[n] = NULL;
}

/* The groups of initgroups(3); false if there are too many. */
static bool
find_groups(struct user *u)
{
	int cap = 64, n;

	for (;;) {
		u->ngroup = (size_t)cap;
		u->group = mem_alloc(u->mem, (size_t)cap * sizeof *u->group);
		n = cap;
		if (getgrouplist(u->name, u->gid, u->group, &n) >= 0)
			break;
		mem_free(u->mem, u->group, u->ngroup * sizeof *u->group);
		u->group = NULL;
		u->ngroup = 0;
		if (cap >= LIM_USER_GROUPS)
			return false;
		cap = n > cap ? n : 2 * cap;
		if (cap > LIM_USER_GROUPS)
			cap = LIM_USER_GROUPS;
	}
	if ((size_t)n < u->ngroup)
		u->group = mem_realloc(u->mem, u->group,
		    u->ngroup * sizeof *u->group, (size_t)n * sizeof *u->group);
	u->ngroup = (size_t)n;
	return true;
}

bool
user_find(struct user *u, struct mem *mem, const char *name, const char *path,
    const char *run_id, char *why, size_t nwhy)
{
	struct passwd pw, *found = NULL;
	size_t cap = USER_ENTRY;
	char *text;
	int error;

	memset(u, 0, sizeof *u);
	u->mem = mem;
	for (;;) {
		text = mem_alloc(mem, cap);
		if (name != NULL)
			error = getpwnam_r(name, &pw, text, cap, &found);
		else
			error = getpwuid_r(geteuid(), &pw, text, cap, &found);
		if (error != ERANGE || cap >= LIM_USER_ENTRY)
			break;
		mem_free(mem, text, cap);
		cap *= 2;
	}
	if (found != NULL && strlen(found->pw_name) < sizeof u->name) {
		u->uid = found->pw_uid;
		u->gid = found->pw_gid;
		strcpy(u->name, found->pw_name);
		make_env(u, found->pw_dir[0] == '\0' ? "/" : found->pw_dir,
		    path, run_id);
	} else if (name == NULL) {
		u->uid = geteuid();
		u->gid = getegid();
		snprintf(u->name, sizeof u->name, "%lu", (unsigned long)u->uid);
		make_env(u, "/", path, run_id);
	} else {
		/* some systems report an absent user as one of these */
		if (error == 0 || error == ENOENT || error == ESRCH)
			snprintf(why, nwhy, "no user %s", name);
		else
			snprintf(why, nwhy, "cannot look up user %s: %s", name,
			    strerror(error));
		mem_free(mem, text, cap);
		return false;
	}
	mem_free(mem, text, cap);
	if (name != NULL && !find_groups(u)) {
		snprintf(why, nwhy, "user %s is in too many groups", name);
		user_free(u);
		return false;
	}
	return true;
}
