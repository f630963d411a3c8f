/*
 * What copies, watches and ends descriptors: each number must be known anew, and what was remembered of a socket ends
 * with its last one.
 */
#include "bridge.h"
#include "control.h"
#include "mailbox.h"
#include "memory.h"
#include "registry.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of Linux 5.9 and 5.11; the headers of some libcs are older. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1u << 2)
#endif

/* What closefrom() goes to where the kernel has no close_range(). */
enum { MOST_NUMBERS = 65536 };

/*
 * A descriptor number ends, by close() or because dup2() overwrites it. One of ours ends in one step with what is
 * remembered of it, so that no other thread puts a new connection in the place of what comes next. A child of vfork()
 * ends numbers of its own.
 */
struct ending {
    int fd;
    enum kind kind;
    sigset_t signals;
};

static bool is_remembered(enum kind kind)
{
    return kind != UNKNOWN && kind != FOREIGN && bridge_memory_is_ours();
}

static void begin_end(struct ending *ending, int fd)
{
    int before = errno;
    enum kind kind = kind_of(fd);
    *ending = (struct ending) {.fd = fd, .kind = is_remembered(kind) ? kind : UNKNOWN};
    switch (ending->kind) {
    case DIVERTED:
    case LOST:
        mailbox_close(fd);
        bridge_lock(MEMORY_LOCK, &ending->signals);
        memory_forget(fd);
        break;
    case REGISTERED: registry_closed(fd); break;
    case EPOLL: memory_drop_epoll(fd); break;
    default: break;
    }
    set_kind(fd, UNKNOWN);
    errno = before;
}

static void end(const struct ending *ending)
{
    if (ending->kind == DIVERTED || ending->kind == LOST)
        bridge_unlock(MEMORY_LOCK, &ending->signals);
}

INTERPOSE(int, close, (int fd))
{
    struct ending ending;
    if (kind_of(fd) == CONTROL && control_owns(fd))
        return 0; /* a daemon closes all it does not know */
    begin_end(&ending, fd);
    if (ending.kind != DIVERTED && ending.kind != LOST)
        return REAL(close)(fd);
    int closed = (int) syscall(SYS_close, fd);
    end(&ending);
    return closed;
}

static void end_range(unsigned first, unsigned last)
{
    struct ending ending;
    for (unsigned fd = first; fd <= last && fd < KINDS; fd++) {
        if (kind_of((int) fd) == UNKNOWN || kind_of((int) fd) == CONTROL)
            continue;
        begin_end(&ending, (int) fd);
        end(&ending);
    }
}

/* As close() of each. The connection for registrations stays. */
INTERPOSE(int, close_range, (unsigned first, unsigned last, int flags))
{
    int kept = control_descriptor_number();
    bool keeps = kept >= 0 && first <= (unsigned) kept && (unsigned) kept <= last && !(flags & CLOSE_RANGE_CLOEXEC);
    if (!(flags & CLOSE_RANGE_CLOEXEC) && first <= last)
        end_range(first, last);
    if (!keeps)
        return (int) syscall(SYS_close_range, first, last, flags);
    if (first < (unsigned) kept && syscall(SYS_close_range, first, kept - 1, flags) != 0)
        return -1;
    return (unsigned) kept == last ? 0 : (int) syscall(SYS_close_range, kept + 1, last, flags);
}

INTERPOSE(void, closefrom, (int first))
{
    if (preload_close_range(first < 0 ? 0 : (unsigned) first, ~0u, 0) == 0)
        return;
    for (int fd = first < 0 ? 0 : first; fd < MOST_NUMBERS; fd++)
        preload_close(fd);
}

/* A copy of what is remembered is known as such. */
static int note_copy(int fd, int copy)
{
    int before = errno;
    enum kind kind = kind_of(fd);
    if (copy < 0 || copy == fd || !is_remembered(kind)) {
        set_kind(copy, UNKNOWN);
        return copy;
    }
    if (kind == DIVERTED || kind == LOST)
        memory_note_copy(fd);
    set_kind(copy, kind == REGISTERED ? REGISTERED : kind == DIVERTED || kind == LOST ? DIVERTED : UNKNOWN);
    errno = before;
    return copy;
}

INTERPOSE(int, dup, (int fd))
{
    return note_copy(fd, REAL(dup)(fd));
}

/* A call that fails must leave what is there: only the descriptor that is to be copied can make it fail, and flags. */
static bool may_overwrite(int fd, int copy, int flags)
{
    int before = errno;
    bool may = fd != copy && (flags & ~O_CLOEXEC) == 0 && syscall(SYS_fcntl, fd, F_GETFD) >= 0;
    errno = before;
    if (may && kind_of(copy) == CONTROL)
        control_make_way(copy);
    return may;
}

INTERPOSE(int, dup2, (int fd, int copy))
{
    struct ending ending;
    if (!may_overwrite(fd, copy, 0))
        return REAL(dup2)(fd, copy);
    begin_end(&ending, copy);
    int made = REAL(dup2)(fd, copy);
    end(&ending);
    return note_copy(fd, made);
}

INTERPOSE(int, dup3, (int fd, int copy, int flags))
{
    struct ending ending;
    if (!may_overwrite(fd, copy, flags))
        return REAL(dup3)(fd, copy, flags);
    begin_end(&ending, copy);
    int made = REAL(dup3)(fd, copy, flags);
    end(&ending);
    return note_copy(fd, made);
}

static int control_descriptor(int fd, int command, void *argument)
{
    int answered = REAL(fcntl)(fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return note_copy(fd, answered);
    return answered;
}

/* Every argument of fcntl() fits a pointer, and libc itself reads it as one. */
INTERPOSE(int, fcntl, (int fd, int command, ...))
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return control_descriptor(fd, command, argument);
}

INTERPOSE(int, fcntl64, (int fd, int command, ...))
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return control_descriptor(fd, command, argument);
}

INTERPOSE(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event))
{
    struct name name;
    int done = REAL(epoll_ctl)(epoll, operation, fd, event);
    if (done == 0 && is_diverted(fd, &name))
        memory_note_watch(epoll, operation, fd, event);
    return done;
}
