/* SIGKILL of the built desk at a named point of its work, for tests: LD_PRELOAD, on Linux. The desk itself has no such switch.
 *
 * The file named by CRASH_POINT holds one line: the name of a point, and at which of its hits from now on the process dies. While the
 * file is missing nothing is counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int hits;

/* Counts a hit of the point, if it is the one, and dies at the last of them. */
static void reach(const char *name) {
    const char *path = getenv("CRASH_POINT");
    char text[80], point[64];
    int last, saved = errno;
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    int fd = path ? real_open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        ssize_t length = read(fd, text, sizeof text - 1);
        close(fd);
        text[length > 0 ? length : 0] = 0;
        if (sscanf(text, "%63s %d", point, &last) == 2 && !strcmp(point, name) && ++hits >= last) {
            kill(getpid(), SIGKILL);
            for (;;) pause();
        }
    }
    errno = saved;
}

static int has(const char *path, const char *part) { return strstr(path, part) != NULL; }

/* The name of a point on a file's way to the disk; NULL where there is none. */
static const char *of_write(const char *path, int after) {
    if (has(path, "/journal/truth-")) return after ? "after_flush" : "before_flush";
    if (has(path, "/kill.json") && !has(path, ".new")) return after ? "latch_written" : "before_latch";
    return NULL;
}

static const char *of_sync(const char *path, int after) {
    if (has(path, "/journal/truth-")) return after ? "after_sync" : "before_sync";
    if (has(path, ".new")) return after ? "replacement_synced" : "replacement_written";
    if (has(path, "/kill.json") && after) return "latch_synced";
    return NULL;
}

static const char *of_file(const char *path, int after) {
    if (has(path, "/journal/truth-")) return after ? "after_rotation" : "before_rotation";
    if (has(path, ".new") && !after) return "before_replacement";
    return NULL;
}

static void on_fd(const char *(*point)(const char *, int), int fd, int after) {
    char link[64], path[1024];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    const char *name = point(path, after);
    errno = saved;
    if (name) reach(name);
}

/* Points on the way to the exchange, by what a request begins with. */
static const struct { const char *begin, *before, *after; } REQUESTS[] = {
    {"POST /api/v3/order", "before_order", "order_sent"},
    {"DELETE /api/v3/order", "before_cancel", "cancel_sent"},
    {"GET /api/v3/exchangeInfo", "start_rules", NULL},
    {"GET /api/v3/account?", "start_account", NULL},
    {"GET /api/v3/myTrades", "start_trades", NULL},
    {"GET /api/v3/openOrders", "start_orders", NULL},
};

static void on_request(const char *bytes, size_t count, int after) {
    for (size_t i = 0; i < sizeof REQUESTS / sizeof *REQUESTS; i++) {
        size_t length = strlen(REQUESTS[i].begin);
        const char *name = after ? REQUESTS[i].after : REQUESTS[i].before;
        if (name && count >= length && !memcmp(bytes, REQUESTS[i].begin, length)) reach(name);
    }
}

/* What came from the exchange is in memory, and nothing was done about it yet. */
static void on_answer(const char *bytes, ssize_t count) {
    if (count <= 0) return;
    if (memmem(bytes, count, "\"executionReport\"", 17)) reach("report_read");
    if (memmem(bytes, count, "\"transactTime\"", 14)) reach("answer_read");
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define AROUND(type, point, fd, call) do { on_fd(point, fd, 0); type done = call; on_fd(point, fd, 1); return done; } while (0)

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { AROUND(ssize_t, of_write, fd, REAL(pwrite64)(fd, bytes, count, at)); }
int fsync(int fd) { AROUND(int, of_sync, fd, REAL(fsync)(fd)); }
int fdatasync(int fd) { AROUND(int, of_sync, fd, REAL(fdatasync)(fd)); }

int rename(const char *from, const char *to) {
    int done = REAL(rename)(from, to);
    if (has(from, ".new")) reach("replacement_renamed");
    return done;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    const char *before = flags & O_CREAT ? of_file(path, 0) : NULL, *after = flags & O_CREAT ? of_file(path, 1) : NULL;
    if (before) reach(before);
    int done = ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64"))(path, flags, mode);
    if (after) reach(after);
    return done;
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    on_request(bytes, count, 0);
    ssize_t done = REAL(send)(fd, bytes, count, flags);
    on_request(bytes, count, 1);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (count > 0) on_request(parts->iov_base, parts->iov_len, 0);
    ssize_t done = REAL(writev)(fd, parts, count);
    if (count > 0) on_request(parts->iov_base, parts->iov_len, 1);
    return done;
}

ssize_t recv(int fd, void *bytes, size_t count, int flags) {
    ssize_t done = REAL(recv)(fd, bytes, count, flags);
    on_answer(bytes, done);
    return done;
}
