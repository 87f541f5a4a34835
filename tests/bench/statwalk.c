/*
 * statwalk: opens, reads and closes each /proc/N/stat, and looks at nothing:
 * the least that it costs to know of all processes.  Prints how many.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int
main(void)
{
	char path[300], text[2048];
	struct dirent *e;
	DIR *d = opendir("/proc");
	int fd, n = 0;

	if (d == NULL)
		return 1;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
			continue;
		n += read(fd, text, sizeof text) > 0;
		close(fd);
	}
	closedir(d);
	printf("%d\n", n);
	return 0;
}
