/*
 * observer: counts a user's living processes of one name, in /proc, without
 * any part of Picket.
 *
 *	observer UID NAME
 *
 * Prints "SECONDS COUNT" (time of day) first and whenever the count has
 * changed, about 200 times a second, until its standard input is closed; the
 * time is that of the end of the look.  Zombies and dead ones are not counted,
 * and looked at once: they keep their folder, with its inode, until somebody
 * waits for them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAUSE	5		/* milliseconds */
#define PIDS	(4 << 20)	/* as many as there can be */

static ino_t dead[PIDS];	/* of a process that has ended: its folder's */

/* Is it that process, and alive?  stat's second field is (NAME), its third
 * the state; the folder belongs to the effective user. */
static int
counts(const char *pid, ino_t inode, uid_t uid, const char *name)
{
	char path[300], text[512], *open_, *close_;
	unsigned long i = strtoul(pid, NULL, 10) % PIDS;
	struct stat st;
	ssize_t n;
	int fd;

	if (dead[i] == inode)
		return 0;
	snprintf(path, sizeof path, "/proc/%s", pid);
	if (stat(path, &st) != 0 || st.st_uid != uid)
		return 0;
	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	open_ = strchr(text, '(');
	close_ = strrchr(text, ')');
	if (open_ == NULL || close_ == NULL || close_ < open_ ||
	    close_[1] != ' ')
		return 0;
	if (strchr("ZXx", close_[2]) != NULL) {
		dead[i] = inode;
		return 0;
	}
	*close_ = '\0';
	return strcmp(open_ + 1, name) == 0;
}

int
main(int argc, char **argv)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	struct timespec t;
	struct dirent *e;
	int count, last = -1;
	uid_t uid;
	DIR *d;

	if (argc != 3) {
		fprintf(stderr, "usage: observer UID NAME\n");
		return 2;
	}
	uid = (uid_t)strtoul(argv[1], NULL, 10);
	d = opendir("/proc");
	if (d == NULL) {
		perror("/proc");
		return 1;
	}
	do {
		count = 0;
		rewinddir(d);
		while ((e = readdir(d)) != NULL)
			if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
				count += counts(e->d_name, e->d_ino, uid,
				    argv[2]);
		if (count == last)
			continue;
		last = count;
		clock_gettime(CLOCK_REALTIME, &t);
		printf("%lld.%09ld %d\n", (long long)t.tv_sec, t.tv_nsec,
		    count);
		fflush(stdout);
	} while (poll(&in, 1, PAUSE) == 0);
	closedir(d);
	return 0;
}
