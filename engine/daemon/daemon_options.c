/* daemon_options: what picketd is started with. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/daemon/daemon.h"

#define RUN_DIR		"/run/picket"

static const char usage[] =
    "usage: picketd [OPTIONS]\n"
    "\n"
    "Runs the alerts of a site when they are due, and tells of what they find.\n"
    "\n"
    "Options\n"
    "      --config DIR     folder of picket.conf and of the site; default:\n"
    "                       " PICKET_SYSCONFDIR "\n"
    "      --state DIR      folder of what outlives a run; default: for root\n"
    "                       /var/lib/picket, else ~/.local/state/picket\n"
    "      --run DIR        folder of the control socket; default: for root\n"
    "                       " RUN_DIR ", else that of the state\n"
    "  -f, --foreground     stay in front; messages go to standard error\n"
    "  -n, --check          only check the configuration, and run nothing\n"
    "      --log WHERE      syslog, journal, stderr or a file, and a level:\n"
    "                       \"stderr debug\"\n"
    "      --pid-file FILE  write the process's number there\n"
    "      --trust-permissions\n"
    "                       take a configuration that others may write to\n"
    "  -h, --help           show this\n"
    "  -V, --version        show the version\n";

static int
wrong(const char *what, const char *arg)
{
	fprintf(stderr, "picketd: %s%s%s\npicketd: try picketd --help\n", what,
	    arg == NULL ? "" : ": ", arg == NULL ? "" : arg);
	return EXIT_USAGE;
}

/* An absolute path of what was given: a daemon leaves its folder. */
static bool
take_path(char to[PATH_MAX], const char *given)
{
	char here[PATH_MAX];
	size_t n;
	int k;

	if (given[0] == '/')
		k = snprintf(to, PATH_MAX, "%s", given);
	else if (getcwd(here, sizeof here) == NULL)
		return false;
	else
		k = snprintf(to, PATH_MAX, "%s/%s", here, given);
	if (k < 0 || k >= PATH_MAX || given[0] == '\0')
		return false;
	for (n = (size_t)k; n > 1 && to[n - 1] == '/'; n--)
		to[n - 1] = '\0';
	return true;
}

/* As picket does it. */
static bool
default_state(char to[PATH_MAX])
{
	const char *xdg = secure_getenv("XDG_STATE_HOME");
	const char *home = secure_getenv("HOME");
	int k;

	if (xdg != NULL && xdg[0] == '/')
		k = snprintf(to, PATH_MAX, "%s/picket", xdg);
	else if (geteuid() == 0)
		k = snprintf(to, PATH_MAX, "/var/lib/picket");
	else if (home != NULL && home[0] == '/')
		k = snprintf(to, PATH_MAX, "%s/.local/state/picket", home);
	else
		return false;
	return k > 0 && k < PATH_MAX;
}

/* WHERE [LEVEL], as the logger takes it. */
static bool
is_log(const char *s)
{
	static const char *const where[] = { "syslog", "journal", "stderr" };
	size_t i, n = strcspn(s, " ");

	if (s[0] == '/')
		return true;
	for (i = 0; i < sizeof where / sizeof *where; i++)
		if (strlen(where[i]) == n && strncmp(s, where[i], n) == 0)
			return s[n] == '\0' ||
			    logger_level_named(s + n + 1) != LOG_LEVELS;
	return false;
}

int
options_take(struct options *o, int argc, char **argv)
{
	enum { CONFIG = 256, STATE, RUN, LOG, PIDFILE, TRUST };
	static const struct option known[] = {
		{ "config", required_argument, NULL, CONFIG },
		{ "state", required_argument, NULL, STATE },
		{ "run", required_argument, NULL, RUN },
		{ "log", required_argument, NULL, LOG },
		{ "pid-file", required_argument, NULL, PIDFILE },
		{ "trust-permissions", no_argument, NULL, TRUST },
		{ "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	char letter[] = "-?";
	bool state_given;
	char *to;
	int c;

	while ((c = getopt_long(argc, argv, "+:fnhV", known, NULL)) != -1) {
		to = NULL;
		switch (c) {
		case 'f': o->foreground = true; break;
		case 'n': o->check_only = true; break;
		case TRUST: o->trust = true; break;
		case CONFIG: to = o->config; break;
		case STATE: to = o->state; break;
		case RUN: to = o->run; break;
		case PIDFILE: to = o->pidfile; break;
		case LOG:
			if (!is_log(optarg))
				return wrong("--log wants syslog, journal, "
				    "stderr or an absolute path, and perhaps "
				    "a level, not", optarg);
			if (snprintf(o->log, sizeof o->log, "%s", optarg) >=
			    (int)sizeof o->log)
				return wrong("--log: too long", NULL);
			break;
		case 'h':
			return fputs(usage, stdout) == EOF ||
			    fflush(stdout) != 0 ? EXIT_PROBLEMS : EXIT_FINE;
		case 'V':
			return puts("picketd " PACKAGE_VERSION) == EOF ||
			    fflush(stdout) != 0 ? EXIT_PROBLEMS : EXIT_FINE;
		case ':':
			return wrong("a value is missing after",
			    argv[optind - 1]);
		default:
			if (optopt != 0) {	/* a letter, perhaps of several */
				letter[1] = (char)optopt;
				return wrong("unknown option", letter);
			}
			return wrong("unknown option", argv[optind - 1]);
		}
		if (to != NULL && !take_path(to, optarg))
			return wrong("no usable path", optarg);
	}
	if (optind < argc)
		return wrong("commands are of picket, as in \"picket status\"; "
		    "what is this", argv[optind]);
	if (o->config[0] == '\0')
		(void)take_path(o->config, PICKET_SYSCONFDIR);
	state_given = o->state[0] != '\0';
	if (!state_given && !default_state(o->state)) {
		fputs("picketd: there is no folder for the state: give "
		    "--state DIR\n", stderr);
		return EXIT_PROBLEMS;
	}
	/* root's own has a place that all know; others beside their state */
	if (o->run[0] == '\0' && geteuid() == 0 && !state_given)
		memcpy(o->run, RUN_DIR, sizeof RUN_DIR);
	else if (o->run[0] == '\0')
		memcpy(o->run, o->state, sizeof o->run);
	return -1;
}
