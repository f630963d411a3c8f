/* What copies, watches and ends descriptors: each number must be known anew, and what was remembered of a socket ends with its last one. */
#include "bridge.h"
#include "control.h"
#include "mailbox.h"
#include "memory.h"
#include "registry.h"

#include <fcntl.h>
#include <stdarg.h>

/* Before a descriptor number ends, by close() or because dup2() overwrites it. */
static void end(int fd)
{
    int before = errno;
    switch (kind_of(fd)) {
    case DIVERTED:
    case LOST:
        if (bridge_memory_is_ours())
            mailbox_close(fd);
        memory_forget(fd);
        break;
    case REGISTERED:
        registry_closed(fd);
        break;
    case EPOLL:
        memory_drop_epoll(fd);
        break;
    default:
        break;
    }
    set_kind(fd, UNKNOWN);
    errno = before;
}

INTERPOSE(int, close, (int fd))
{
    if (kind_of(fd) == CONTROL && control_owns(fd))
        return 0; /* a daemon closes all it does not know */
    end(fd);
    return REAL(close)(fd);
}

INTERPOSE(int, dup, (int fd))
{
    int copy = REAL(dup)(fd);
    set_kind(copy, UNKNOWN);
    return copy;
}

INTERPOSE(int, dup2, (int fd, int copy))
{
    if (fd != copy)
        end(copy);
    return REAL(dup2)(fd, copy);
}

INTERPOSE(int, dup3, (int fd, int copy, int flags))
{
    if (fd != copy)
        end(copy);
    return REAL(dup3)(fd, copy, flags);
}

static int control_descriptor(int fd, int command, void *argument)
{
    int answered = REAL(fcntl)(fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        set_kind(answered, UNKNOWN);
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
