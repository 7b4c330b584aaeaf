/* A host whose wall clock is wrong, for tests of the built desk: LD_PRELOAD, on Linux.
 *
 * The file named by CLOCK_STEP holds the seconds by which CLOCK_REALTIME is off; a missing or empty file means none. The
 * monotonic clocks are the host's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long step(void) {
    const char *path = getenv("CLOCK_STEP");
    char text[32];
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = 0;
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, at);
    if (code == 0 && clock == CLOCK_REALTIME) at->tv_sec += step();
    return code;
}
