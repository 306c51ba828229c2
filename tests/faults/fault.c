/* Preloaded into every process of a run (LD_PRELOAD): counts what they write, and at one of these moments kills, or
   lets the disk be full from then on. injected.py compiles it and says how the environment steers it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static struct { long count, begun; } *shared; /* in a file, for all processes */
static const char *pattern, *action, *under;
static long at;
static int report = -1;

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("FAULT_STATE"), *log = getenv("FAULT_LOG");
    int state = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (state < 0) return;
    void *mapped = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, state, 0);
    close(state);
    if (mapped == MAP_FAILED) return;
    pattern = getenv("FAULT_PATH"), action = getenv("FAULT_DO"), under = getenv("FAULT_UNDER");
    at = atol(getenv("FAULT_AT"));
    if (log) report = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
    char root[16];
    snprintf(root, sizeof root, "%d", getpid());
    setenv("FAULT_ROOT", root, 0); /* the first process of the run */
    shared = mapped;
}

static void path_of(int folder, const char *path, char *out) { /* absolute, of an open file if path is NULL */
    char link[64];
    ssize_t length = 0;
    out[0] = 0;
    if (!path || path[0] != '/') {
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        length = readlink(link, out, PATH_MAX - 1);
        if (length < 0) length = 0;
        out[length] = 0;
        if (!path) return;
        out[length++] = '/';
    }
    snprintf(out + length, PATH_MAX - length, "%s", path);
}

static void die(void) {
    const char *root = getenv("FAULT_ROOT");
    pid_t first = root ? atoi(root) : getpid();
    if (!strcmp(action, "group")) {
        syscall(SYS_kill, -getpgid(first), SIGKILL);
        syscall(SYS_kill, first, SIGKILL);
    } else if (!strcmp(action, "first"))
        syscall(SYS_kill, first, SIGKILL);
    else
        syscall(SYS_kill, getpid(), SIGKILL);
}

/* Whether this operation is the one. It always is, once the disk is full, if the operation needs space. */
static int is_hit(const char *what, int folder, const char *path, int space) {
    char name[2 * PATH_MAX];
    if (!shared) return 0;
    int before = errno;
    path_of(folder, path, name);
    errno = before;
    if (strncmp(name, under, strlen(under))) return 0;
    int full = !strcmp(action, "full");
    if (report >= 0) {
        char line[2 * PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%d %s %s\n", getpid(), what, name);
        syscall(SYS_write, report, line, length);
    }
    if (full && __atomic_load_n(&shared->begun, __ATOMIC_SEQ_CST)) return space;
    if ((full && !space) || fnmatch(pattern, name, 0)) return 0;
    if (__atomic_add_fetch(&shared->count, 1, __ATOMIC_SEQ_CST) != at) return 0;
    __atomic_store_n(&shared->begun, 1, __ATOMIC_SEQ_CST);
    return 1;
}

/* A hit before anything of the operation is done. */
static int fails(const char *what, int folder, const char *path, int space) {
    if (!is_hit(what, folder, path, space)) return 0;
    if (strcmp(action, "full")) { die(); return 0; }
    errno = ENOSPC;
    return 1;
}

/* How many bytes go to the disk: half of them at the hit, and then the process dies, or learns it at its next write. */
static ssize_t part(int file, size_t size) {
    static __thread int second;
    if (!is_hit("write", file, NULL, 1)) return size;
    if (strcmp(action, "full")) return size / 2;
    second = !second;
    if (second && size > 1) return size / 2;
    errno = ENOSPC;
    return -1;
}

#define CUT(real)                                              \
    ssize_t length = part(file, size);                         \
    if (length < 0) return -1;                                 \
    ssize_t done = real;                                       \
    if ((size_t)length < size && strcmp(action, "full")) die(); \
    return done;

ssize_t write(int file, const void *from, size_t size) { CUT(REAL(write)(file, from, length)) }
ssize_t pwrite(int file, const void *from, size_t size, off_t place) { CUT(REAL(pwrite)(file, from, length, place)) }
ssize_t pwrite64(int file, const void *from, size_t size, off64_t place) {
    CUT(REAL(pwrite64)(file, from, length, place))
}
ssize_t writev(int file, const struct iovec *parts, int count) {
    return fails("write", file, NULL, 1) ? -1 : REAL(writev)(file, parts, count);
}
ssize_t copy_file_range(int from, off64_t *a, int file, off64_t *b, size_t size, unsigned flags) {
    CUT(REAL(copy_file_range)(from, a, file, b, length, flags))
}
ssize_t sendfile(int file, int from, off_t *a, size_t size) { CUT(REAL(sendfile)(file, from, a, length)) }
ssize_t sendfile64(int file, int from, off64_t *a, size_t size) { CUT(REAL(sendfile64)(file, from, a, length)) }

#define CREATES (O_CREAT | O_TRUNC)
#define OPEN(name)                                                                       \
    int name(const char *path, int flags, ...) {                                         \
        va_list rest;                                                                    \
        va_start(rest, flags);                                                           \
        mode_t mode = va_arg(rest, mode_t);                                              \
        va_end(rest);                                                                    \
        if (flags & CREATES && fails("open", AT_FDCWD, path, 0)) return -1;              \
        return REAL(name)(path, flags, mode);                                            \
    }
#define OPENAT(name)                                                                     \
    int name(int folder, const char *path, int flags, ...) {                             \
        va_list rest;                                                                    \
        va_start(rest, flags);                                                           \
        mode_t mode = va_arg(rest, mode_t);                                              \
        va_end(rest);                                                                    \
        if (flags & CREATES && fails("open", folder, path, 0)) return -1;                \
        return REAL(name)(folder, path, flags, mode);                                    \
    }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

int mkdir(const char *path, mode_t mode) {
    return fails("mkdir", AT_FDCWD, path, 1) ? -1 : REAL(mkdir)(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    return fails("mkdir", folder, path, 1) ? -1 : REAL(mkdirat)(folder, path, mode);
}
int rename(const char *old, const char *path) {
    return fails("rename", AT_FDCWD, path, 0) ? -1 : REAL(rename)(old, path);
}
int renameat(int a, const char *old, int folder, const char *path) {
    return fails("rename", folder, path, 0) ? -1 : REAL(renameat)(a, old, folder, path);
}
int link(const char *old, const char *path) {
    return fails("link", AT_FDCWD, path, 1) ? -1 : REAL(link)(old, path);
}
int linkat(int a, const char *old, int folder, const char *path, int flags) {
    return fails("link", folder, path, 1) ? -1 : REAL(linkat)(a, old, folder, path, flags);
}
int symlink(const char *old, const char *path) {
    return fails("link", AT_FDCWD, path, 1) ? -1 : REAL(symlink)(old, path);
}
int unlink(const char *path) { return fails("unlink", AT_FDCWD, path, 0) ? -1 : REAL(unlink)(path); }
int unlinkat(int folder, const char *path, int flags) {
    return fails("unlink", folder, path, 0) ? -1 : REAL(unlinkat)(folder, path, flags);
}
int rmdir(const char *path) { return fails("unlink", AT_FDCWD, path, 0) ? -1 : REAL(rmdir)(path); }
int chmod(const char *path, mode_t mode) {
    return fails("chmod", AT_FDCWD, path, 0) ? -1 : REAL(chmod)(path, mode);
}
int ftruncate64(int file, off64_t size) {
    return fails("truncate", file, NULL, 0) ? -1 : REAL(ftruncate64)(file, size);
}
int ftruncate(int file, off_t size) { return fails("truncate", file, NULL, 0) ? -1 : REAL(ftruncate)(file, size); }
