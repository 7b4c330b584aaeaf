/* Calls of the C library that fail as a disk's do, for tests of the built desk: LD_PRELOAD, on Linux.
 *
 * The file named by DISK_FAULTS holds one line: an error number, what fails, and a part of the path. What fails is any of
 * w (writes and lengths), s (syncs), o (opening for writing, renaming, removing), h (syncs do not return while it is there)
 * and H (nor do writes). While the file is missing or empty nothing fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

struct fault {
    int error;
    char what[16];
    char part[512];
};

static int read_fault(struct fault *fault) {
    const char *path = getenv("DISK_FAULTS");
    char text[600];
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    int fd = path ? real_open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = 0;
    return sscanf(text, "%d %15s %511s", &fault->error, fault->what, fault->part) == 3;
}

/* The error that a call on a path fails with, or 0. */
static int fault_of(char kind, const char *path) {
    int saved = errno;
    struct fault fault;
    int found = read_fault(&fault) && strchr(fault.what, kind) && strstr(path, fault.part);
    errno = saved;
    return found ? fault.error : 0;
}

static int fault_of_fd(char kind, int fd) {
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fault_of(kind, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_FD(kind, fd) do { int e = fault_of_fd(kind, fd); if (e) { errno = e; return -1; } } while (0)
#define FAIL_PATH(path) do { int e = fault_of('o', path); if (e) { errno = e; return -1; } } while (0)

static void hang(char kind, int fd) {
    while (fault_of_fd(kind, fd)) usleep(20000);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { hang('H', fd); FAIL_FD('w', fd); return REAL(pwrite64)(fd, bytes, count, at); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { FAIL_FD('w', fd); return REAL(pwrite)(fd, bytes, count, at); }
ssize_t write(int fd, const void *bytes, size_t count) { FAIL_FD('w', fd); return REAL(write)(fd, bytes, count); }
int ftruncate64(int fd, off64_t length) { FAIL_FD('w', fd); return REAL(ftruncate64)(fd, length); }
int ftruncate(int fd, off_t length) { FAIL_FD('w', fd); return REAL(ftruncate)(fd, length); }
int rename(const char *from, const char *to) { FAIL_PATH(to); return REAL(rename)(from, to); }
int unlink(const char *path) { FAIL_PATH(path); return REAL(unlink)(path); }

int fsync(int fd) { hang('h', fd); FAIL_FD('s', fd); return REAL(fsync)(fd); }
int fdatasync(int fd) { hang('h', fd); FAIL_FD('s', fd); return REAL(fdatasync)(fd); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        if (flags & (O_WRONLY | O_RDWR | O_CREAT)) FAIL_PATH(path); \
        return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
