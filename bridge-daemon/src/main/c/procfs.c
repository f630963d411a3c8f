/*
 * The files of /proc that tell of XFRM and PF_KEY. A read finds a memory file with what the bridge says, a write goes
 * to the bridge; the kernel's own files of these names are never opened.
 */
#include "bridge.h"
#include "names.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Macros of musl, for programs; we mean the names. */
#undef open64
#undef openat64

enum { REQUEST_ROOM = 64, PATH_ROOM = 64, PART = 1024 };

/* What follows `prefix` in `path`, else NULL. */
static const char *after(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

static const char *name_in_proc_net(const char *path)
{
    static const char *const names[] = {"xfrm_stat", "pfkey", NULL};
    static const char *const places[] = {"/proc/net/", "/proc/self/net/", "/proc/thread-self/net/"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *name = after(path, places[i]);
        if (name != NULL)
            return is_one_of(name, names) ? name : NULL;
    }
    return NULL;
}

static const char *name_of_sysctl(const char *path)
{
    static const char *const names[] = {
            "xfrm_acq_expires", "xfrm_aevent_etime", "xfrm_aevent_rseqth", "xfrm_larval_drop", NULL};
    const char *name = after(path, "/proc/sys/net/core/");
    return name != NULL && is_one_of(name, names) ? name : NULL;
}

static const char PROC[] = "/proc/";

/*
 * What a program says is a path may be no memory of it. Copies the beginning, byte by byte and asking for each page; no
 * name of ours is longer. False if there is no such memory, which is the kernel's to say.
 */
static bool copy_path(const char *path, char copy[PATH_ROOM])
{
    for (size_t i = 0; i < PATH_ROOM - 1; i++) {
        if ((i == 0 || (uintptr_t) (path + i) % (1 << PAGE_BITS) == 0) && !page_is_readable(path + i))
            return false;
        copy[i] = path[i];
        if (copy[i] == '\0')
            return true;
        if (i < sizeof PROC - 1 && copy[i] != PROC[i])
            return false;
    }
    return false;
}

static bool is_ours(const char *path)
{
    char copy[PATH_ROOM];
    return path != NULL && copy_path(path, copy) && (name_in_proc_net(copy) != NULL || name_of_sysctl(copy) != NULL);
}

/* The answer to `request` as a file to be read, or a negative errno: no bridge, no file. */
static int open_answer(const char *request, bool close_on_exec)
{
    int from = bridge_request(request);
    if (from < 0) {
        bridge_complain(-from);
        return -ENOENT;
    }
    int to = (int) syscall(SYS_memfd_create, "xfrm-bridge", close_on_exec ? MFD_CLOEXEC : 0);
    int error = to < 0 ? -errno : 0;
    char part[PART];
    bool first = true;
    for (ssize_t length = 1; error == 0 && length != 0; first = false) {
        length = syscall(SYS_recvfrom, from, part, sizeof part, 0, NULL, NULL);
        bool refused = first && length > 6 && memcmp(part, "errno ", 6) == 0;
        if (length < 0 || refused || (length > 0 && syscall(SYS_write, to, part, length) != length))
            error = -ENOENT;
    }
    syscall(SYS_close, from);
    if (error == 0) {
        syscall(SYS_lseek, to, 0, SEEK_SET);
        return to;
    }
    if (to >= 0)
        syscall(SYS_close, to);
    return error;
}

/* What the program writes is the value, the end of the connection completes it; there is nothing to read. */
static int open_setting(const char *name, bool close_on_exec)
{
    char request[REQUEST_ROOM];
    snprintf(request, sizeof request, "set %s\n", name);
    int fd = bridge_request(request);
    if (fd < 0) {
        bridge_complain(-fd);
        return -ENOENT;
    }
    syscall(SYS_shutdown, fd, SHUT_RD);
    if (!close_on_exec)
        syscall(SYS_fcntl, fd, F_SETFD, 0);
    return fd;
}

static int open_ours(const char *path, int flags)
{
    char request[REQUEST_ROOM];
    const char *statistics = name_in_proc_net(path);
    bool close_on_exec = flags & O_CLOEXEC, reads = (flags & O_ACCMODE) == O_RDONLY;
    int fd;
    if (statistics != NULL && !reads) {
        fd = -EACCES;
    } else if (statistics == NULL && !reads) {
        fd = open_setting(name_of_sysctl(path), close_on_exec);
    } else {
        snprintf(request, sizeof request, "%s %s\n", statistics != NULL ? "proc" : "sysctl",
                statistics != NULL ? statistics : name_of_sysctl(path));
        fd = open_answer(request, close_on_exec);
    }
    if (fd < 0) {
        errno = -fd;
        return -1;
    }
    return fd;
}

static FILE *open_stream(const char *path, const char *mode)
{
    int flags = strchr(mode, '+') != NULL ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
    int fd = open_ours(path, flags | (strchr(mode, 'e') != NULL ? O_CLOEXEC : 0));
    return fd < 0 ? NULL : fdopen(fd, mode);
}

static bool takes_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* A mode is passed only with flags that create a file; what follows `path` is the call for all other files. */
#define OPEN(name, parameters, path, ...) \
    INTERPOSE(int, name, parameters) \
    { \
        mode_t mode = 0; \
        if (takes_mode(flags)) { \
            va_list arguments; \
            va_start(arguments, flags); \
            mode = va_arg(arguments, mode_t); \
            va_end(arguments); \
        } \
        return mark_foreign(is_ours(path) ? open_ours(path, flags) : __VA_ARGS__); \
    }

OPEN(open, (const char *path, int flags, ...), path, REAL(open)(path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), path, REAL(open)(path, flags, mode))
OPEN(openat, (int directory, const char *path, int flags, ...), path, REAL(openat)(directory, path, flags, mode))
OPEN(openat64, (int directory, const char *path, int flags, ...), path, REAL(openat)(directory, path, flags, mode))

/* The fortified forms, used where no mode is given. */
INTERPOSE(int, __open_2, (const char *path, int flags))
{
    return preload_open(path, flags);
}

INTERPOSE(int, __open64_2, (const char *path, int flags))
{
    return preload_open(path, flags);
}

INTERPOSE(int, __openat_2, (int directory, const char *path, int flags))
{
    return preload_openat(directory, path, flags);
}

INTERPOSE(int, __openat64_2, (int directory, const char *path, int flags))
{
    return preload_openat(directory, path, flags);
}

INTERPOSE(FILE *, fopen, (const char *path, const char *mode))
{
    return is_ours(path) ? open_stream(path, mode) : REAL(fopen)(path, mode);
}

INTERPOSE(FILE *, fopen64, (const char *path, const char *mode))
{
    return is_ours(path) ? open_stream(path, mode) : REAL(fopen)(path, mode);
}

/* Does the bridge have this file? Scripts and libreswan up to 4.15 ask before they open. */
static bool exists(const char *path)
{
    int fd = open_ours(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        syscall(SYS_close, fd);
    return fd >= 0;
}

INTERPOSE(int, access, (const char *path, int mode))
{
    if (!is_ours(path))
        return REAL(access)(path, mode);
    return exists(path) ? 0 : -1;
}

INTERPOSE(int, faccessat, (int directory, const char *path, int mode, int flags))
{
    if (!is_ours(path))
        return REAL(faccessat)(directory, path, mode, flags);
    return exists(path) ? 0 : -1;
}

static int describe(const char *path, struct stat *status)
{
    if (!exists(path))
        return -1;
    if (!pages_writable(status, sizeof *status))
        return fail(EFAULT);
    bool setting = name_of_sysctl(path) != NULL;
    *status = (struct stat) {.st_mode = S_IFREG | (setting ? 0644 : 0444), .st_nlink = 1, .st_blksize = 1024};
    return 0;
}

INTERPOSE(int, stat, (const char *path, struct stat *status))
{
    return is_ours(path) ? describe(path, status) : REAL(stat)(path, status);
}

INTERPOSE(int, stat64, (const char *path, struct stat *status))
{
    return is_ours(path) ? describe(path, status) : REAL(stat)(path, status);
}
