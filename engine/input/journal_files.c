/* journal_files: see journal.h.  Part of picket-journal. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "engine/input/journal.h"

#define LIM_JOURNAL_PATH	4096	/* bytes, as the system's */

struct look {
	size_t	folders, good, shut, bad;
	char	first[200];		/* of the bad ones, and why */
};

static const char *const place[] = { "/run/log/journal", "/var/log/journal" };

static bool
ends(const char *name, const char *with)
{
	size_t n = strlen(name), k = strlen(with);

	return n > k && strcmp(name + n - k, with) == 0;
}

static void
look_file(struct look *k, const char *path)
{
	const char *one[] = { path, NULL };
	sd_journal *j;
	int r = sd_journal_open_files(&j, one, 0);

	if (r >= 0) {
		k->good++;
		sd_journal_close(j);
	} else if (r == -EACCES || r == -EPERM)
		k->shut++;
	else if (r != -ENOENT && k->bad++ == 0)
		/* ENOENT: removed since the folder was read */
		(void)snprintf(k->first, sizeof k->first, "%.150s: %s", path,
		    strerror(-r));
}

static void
look_folder(struct look *k, const char *folder, int depth)
{
	char path[LIM_JOURNAL_PATH];
	DIR *d = opendir(folder);
	struct dirent *e;
	struct stat st;
	int n;

	if (d == NULL) {
		if (errno == EACCES) {
			k->folders++;
			k->shut++;
		}
		return;
	}
	k->folders++;
	while ((e = readdir(d)) != NULL) {
		n = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof path)
			continue;
		if (ends(e->d_name, ".journal") || ends(e->d_name, ".journal~"))
			look_file(k, path);
		else if (depth > 0 && stat(path, &st) == 0 &&
		    S_ISDIR(st.st_mode))
			look_folder(k, path, depth - 1);
	}
	(void)closedir(d);
}

/* The machine's: only what it wrote itself. */
static bool
look_machine(struct look *k, char why[JOURNAL_WHY])
{
	char path[100], id[SD_ID128_STRING_MAX];
	sd_id128_t machine;
	size_t i;
	int r = sd_id128_get_machine(&machine);

	if (r < 0) {
		(void)snprintf(why, JOURNAL_WHY, "there is no journal here: "
		    "/etc/machine-id: %s", strerror(-r));
		return false;
	}
	for (i = 0; i < sizeof place / sizeof place[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", place[i],
		    sd_id128_to_string(machine, id));
		look_folder(k, path, 0);
	}
	if (k->folders > 0)
		return true;
	(void)snprintf(why, JOURNAL_WHY, "there is no journal here: neither "
	    "%s/%s nor one below %s; does systemd-journald run?", place[0],
	    sd_id128_to_string(machine, id), place[1]);
	return false;
}

bool
journal_files(const char *folder, char why[JOURNAL_WHY])
{
	static const char groups[] = "root and the groups systemd-journal and "
	    "adm may";
	struct look k;
	int n = 0;

	memset(&k, 0, sizeof k);
	why[0] = '\0';
	if (folder[0] == '\0') {
		if (!look_machine(&k, why))
			return false;
	} else {
		look_folder(&k, folder, 1);
		if (k.folders == 0) {
			(void)snprintf(why, JOURNAL_WHY, "there is no journal "
			    "in %.200s: %s", folder, strerror(errno));
			return false;
		}
	}
	if (k.good == 0 && k.shut > 0) {
		(void)snprintf(why, JOURNAL_WHY, "this user may not read the "
		    "journal: %s", groups);
		return false;
	}
	if (k.good == 0 && k.bad > 0) {
		(void)snprintf(why, JOURNAL_WHY, "no file of the journal can "
		    "be read; the first: %s", k.first);
		return false;
	}
	if (k.bad > 0)
		n = snprintf(why, JOURNAL_WHY, "journal: %zu file%s cannot be "
		    "read and %s passed over; the first: %s", k.bad,
		    k.bad == 1 ? "" : "s", k.bad == 1 ? "is" : "are", k.first);
	if (k.shut > 0)
		(void)snprintf(why + n, JOURNAL_WHY - (size_t)n, "%s%zu "
		    "file%s may not be read by this user: %s", n > 0 ? "; " :
		    "journal: ", k.shut, k.shut == 1 ? "" : "s", groups);
	return true;
}
