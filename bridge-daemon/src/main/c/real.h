/*
 * The functions that this library stands in front of.
 *
 * INTERPOSE(type, name, arguments) begins the definition of a function that programs call instead of libc's `name`;
 * inside it is called preload_name, so that no libc declaration or fortified inline version of `name` can clash with
 * it. REAL(name) is the next definition of `name`, libc's as a rule. Inner work that must not be interposed or
 * cancelled (pthread_cancel) uses syscall() instead.
 */
#ifndef XFRM_BRIDGE_REAL_H
#define XFRM_BRIDGE_REAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/* stat and stat64, off_t and off64_t, open and open64 are the same functions only here. */
_Static_assert(sizeof(long) == 8, "only 64-bit systems");

#define INTERPOSE(type, name, arguments) \
    __attribute__((visibility("default"))) type preload_##name arguments __asm__(#name); \
    type preload_##name arguments

/* clang-format off: it takes the lists of arguments for casts. */
#define REAL_FUNCTIONS(X) \
    X(int, socket, (int, int, int) ) \
    X(int, bind, (int, const struct sockaddr *, socklen_t)) \
    X(int, connect, (int, const struct sockaddr *, socklen_t)) \
    X(int, listen, (int, int) ) \
    X(int, getsockname, (int, struct sockaddr *, socklen_t *) ) \
    X(int, getpeername, (int, struct sockaddr *, socklen_t *) ) \
    X(int, getsockopt, (int, int, int, void *, socklen_t *) ) \
    X(int, setsockopt, (int, int, int, const void *, socklen_t)) \
    X(ssize_t, send, (int, const void *, size_t, int) ) \
    X(ssize_t, sendto, (int, const void *, size_t, int, const struct sockaddr *, socklen_t)) \
    X(ssize_t, sendmsg, (int, const struct msghdr *, int) ) \
    X(int, sendmmsg, (int, struct mmsghdr *, unsigned, int) ) \
    X(ssize_t, write, (int, const void *, size_t) ) \
    X(ssize_t, writev, (int, const struct iovec *, int) ) \
    X(ssize_t, recv, (int, void *, size_t, int) ) \
    X(ssize_t, recvfrom, (int, void *, size_t, int, struct sockaddr *, socklen_t *) ) \
    X(ssize_t, recvmsg, (int, struct msghdr *, int) ) \
    X(int, recvmmsg, (int, struct mmsghdr *, unsigned, int, struct timespec *) ) \
    X(ssize_t, read, (int, void *, size_t) ) \
    X(ssize_t, readv, (int, const struct iovec *, int) ) \
    X(int, close, (int) ) \
    X(int, dup, (int) ) \
    X(int, dup2, (int, int) ) \
    X(int, dup3, (int, int, int) ) \
    X(int, fcntl, (int, int, ...)) \
    X(int, epoll_ctl, (int, int, int, struct epoll_event *) ) \
    X(int, open, (const char *, int, ...)) \
    X(int, openat, (int, const char *, int, ...)) \
    X(FILE *, fopen, (const char *, const char *) ) \
    X(int, access, (const char *, int) ) \
    X(int, faccessat, (int, const char *, int, int) ) \
    X(int, stat, (const char *, struct stat *) ) \
    X(int, setuid, (uid_t)) \
    X(int, seteuid, (uid_t)) \
    X(int, setreuid, (uid_t, uid_t)) \
    X(int, setresuid, (uid_t, uid_t, uid_t)) \
    X(int, setgid, (gid_t)) \
    X(int, setegid, (gid_t)) \
    X(int, setregid, (gid_t, gid_t)) \
    X(int, setresgid, (gid_t, gid_t, gid_t)) \
    X(int, setgroups, (size_t, const gid_t *) ) \
    X(int, initgroups, (const char *, gid_t))
/* clang-format on */

static inline int fail(int error)
{
    errno = error;
    return -1;
}

struct real {
#define REAL_FIELD(type, name, arguments) type(*name) arguments;
    REAL_FUNCTIONS(REAL_FIELD)
#undef REAL_FIELD
};

extern struct real real;

void real_resolve(void);

/* Another library's constructor may call us before our own constructor ran, hence the test. */
#define REAL(name) (*(__builtin_expect(real.name != NULL, 1) ? real.name : (real_resolve(), real.name)))

#endif
