/* A panic in the engine of the built desk, for tests: LD_PRELOAD, on Linux. The desk itself has no such switch.
 *
 * Once the file named by PANIC_AT is there, the first reading of the monotonic clock that follows a write of the journal's truth on the
 * same thread fails, once: the standard library panics, within the engine's turn. The file is removed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static __thread int is_armed;

static int is_truth(int fd) {
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    return strstr(path, "/journal/truth-") != NULL;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    const char *path = getenv("PANIC_AT");
    ssize_t done = REAL(pwrite64)(fd, bytes, count, at);
    int saved = errno;
    if (path && !access(path, F_OK) && is_truth(fd)) is_armed = 1;
    errno = saved;
    return done;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    const char *path = getenv("PANIC_AT");
    if (is_armed && clock == CLOCK_MONOTONIC) {
        is_armed = 0;
        if (path && !unlink(path)) {
            errno = EINVAL;
            return -1;
        }
    }
    return REAL(clock_gettime)(clock, at);
}
