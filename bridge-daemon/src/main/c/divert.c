/*
 * Making and naming sockets: what opens a NETLINK_XFRM or PF_KEY socket gets a connection to the bridge, which then answers
 * as such a socket would. Also here: what makes, copies and ends descriptors.
 */
#include "bridge.h"
#include "channel.h"
#include "control.h"
#include "mailbox.h"
#include "memory.h"
#include "pages.h"
#include "registry.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>

static int result(int negative_errno)
{
    return negative_errno == 0 ? 0 : fail(-negative_errno);
}

/* Whatever keeps us from the bridge, the program must not get a socket of the kernel instead. */
static int open_diverted(enum protocol protocol, int type)
{
    int fd = channel_open(protocol, type);
    if (fd >= 0)
        return fd;
    bridge_complain(-fd);
    bool own_limit = fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -EACCES;
    return fail(own_limit ? -fd : ECONNREFUSED);
}

INTERPOSE(int, socket, (int domain, int type, int protocol))
{
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (domain == AF_NETLINK && protocol == NETLINK_XFRM)
        return kind == SOCK_RAW || kind == SOCK_DGRAM ? open_diverted(NETLINK, type) : fail(ESOCKTNOSUPPORT);
    if (domain == AF_KEY) {
        if (kind != SOCK_RAW)
            return fail(ESOCKTNOSUPPORT);
        return protocol == PF_KEY_V2 ? open_diverted(PFKEY, type) : fail(EPROTONOSUPPORT);
    }
    return mark_foreign(REAL(socket)(domain, type, protocol));
}

INTERPOSE(int, bind, (int fd, const struct sockaddr *address, socklen_t length))
{
    struct name name;
    if (!name_of(fd, &name)) {
        int bound = REAL(bind)(fd, address, length);
        if (bound == 0 && kind_of(fd) == REGISTERED)
            registry_moved(fd);
        return bound;
    }
    if (name.protocol == PFKEY)
        return fail(EOPNOTSUPP);
    struct sockaddr_nl wanted;
    if (length < sizeof wanted || length > sizeof(struct sockaddr_storage))
        return fail(EINVAL);
    if (!pages_readable(address, length))
        return fail(EFAULT);
    memcpy(&wanted, address, sizeof wanted);
    if (wanted.nl_family != AF_NETLINK)
        return fail(EINVAL);
    /* Events hold keys: who may not ask for them may not listen, either. */
    if (wanted.nl_groups != 0 && !bridge_obeys_us())
        return fail(EPERM);
    return result(channel_bind(fd, &name, wanted.nl_pid, wanted.nl_groups));
}

INTERPOSE(int, connect, (int fd, const struct sockaddr *address, socklen_t length))
{
    struct name name;
    if (!name_of(fd, &name)) {
        int connected = REAL(connect)(fd, address, length);
        if (connected == 0 && kind_of(fd) == REGISTERED)
            registry_moved(fd);
        return connected;
    }
    if (name.protocol == PFKEY)
        return fail(EOPNOTSUPP);
    struct sockaddr_nl peer;
    if (length > sizeof(struct sockaddr_storage))
        return fail(EINVAL);
    if (!pages_readable(address, length))
        return fail(EFAULT);
    if (length < sizeof address->sa_family || (address->sa_family == AF_NETLINK && length < sizeof peer))
        return fail(EINVAL);
    if (address->sa_family == AF_UNSPEC)
        return 0;
    memcpy(&peer, address, length < sizeof peer ? length : sizeof peer);
    if (peer.nl_family != AF_NETLINK)
        return fail(EINVAL);
    return peer.nl_pid == 0 ? 0 : fail(ECONNREFUSED);
}

/* Where a program says how much room it has: 0 or an errno. */
static int check_length(const socklen_t *length)
{
    if (!pages_writable(length, sizeof *length))
        return EFAULT;
    return *length > INT_MAX ? EINVAL : 0;
}

static int answer(const void *value, size_t size, void *room, socklen_t *length)
{
    int error = check_length(length);
    if (error != 0)
        return fail(error);
    size_t part = *length < size ? *length : size;
    if (!pages_writable(room, part))
        return fail(EFAULT);
    if (part != 0)
        memcpy(room, value, part);
    *length = (socklen_t) size;
    return 0;
}

/* An option, of which a program may ask for a part. */
static int answer_number(int number, void *room, socklen_t *length)
{
    int error = check_length(length);
    return error == 0 ? answer(&number, *length < sizeof number ? *length : sizeof number, room, length) : fail(error);
}

INTERPOSE(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length))
{
    struct name name;
    if (!name_of(fd, &name))
        return REAL(getsockname)(fd, address, length);
    if (name.protocol == PFKEY)
        return fail(EOPNOTSUPP);
    struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_pid = name.port, .nl_groups = memory_settings(fd).groups};
    return answer(&own, sizeof own, address, length);
}

INTERPOSE(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length))
{
    struct name name;
    if (!name_of(fd, &name))
        return REAL(getpeername)(fd, address, length);
    if (name.protocol == PFKEY)
        return fail(EOPNOTSUPP);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    return answer(&kernel, sizeof kernel, address, length);
}

static int answer_socket_option(int fd, const struct name *name, int option, void *value, socklen_t *length)
{
    int type = memory_settings(fd).type;
    int number = option == SO_DOMAIN ? (name->protocol == NETLINK ? AF_NETLINK : AF_KEY)
        : option == SO_PROTOCOL ? (name->protocol == NETLINK ? NETLINK_XFRM : PF_KEY_V2)
        : type >= 0 ? type : SOCK_RAW;
    return answer_number(number, value, length);
}

static int answer_netlink_option(int fd, int option, void *value, socklen_t *length)
{
    struct settings settings = memory_settings(fd);
    if (option == NETLINK_LIST_MEMBERSHIPS)
        return answer(&settings.groups, sizeof settings.groups, value, length);
    int error = check_length(length);
    if (error != 0)
        return fail(error);
    if (option < NETLINK_PKTINFO || option > NETLINK_GET_STRICT_CHK || option == NETLINK_RX_RING || option == NETLINK_TX_RING)
        return fail(ENOPROTOOPT);
    if (*length < sizeof(int))
        return fail(EINVAL);
    int on = settings.options >> option & 1;
    return answer(&on, sizeof on, value, length);
}

INTERPOSE(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *length))
{
    struct name name;
    bool of_socket = level == SOL_SOCKET && (option == SO_DOMAIN || option == SO_PROTOCOL || option == SO_TYPE);
    if (of_socket && name_of(fd, &name))
        return answer_socket_option(fd, &name, option, value, length);
    if (level == SOL_NETLINK && name_of(fd, &name))
        return name.protocol == NETLINK ? answer_netlink_option(fd, option, value, length) : fail(ENOPROTOOPT);
    int encapsulation;
    if (kind_of(fd) == REGISTERED && level == IPPROTO_UDP && registry_get(fd, option, &encapsulation))
        return answer_number(encapsulation, value, length);
    return REAL(getsockopt)(fd, level, option, value, length);
}

static int set_netlink_option(int fd, int option, const void *value, socklen_t length)
{
    uint32_t number = 0;
    if (length > INT_MAX)
        return fail(EINVAL);
    if (length >= sizeof number && !pages_readable(value, sizeof number))
        return fail(EFAULT);
    if (length >= sizeof number)
        memcpy(&number, value, sizeof number);
    switch (option) {
    case NETLINK_ADD_MEMBERSHIP:
    case NETLINK_DROP_MEMBERSHIP:
        if (!bridge_obeys_us())
            return fail(EPERM);
        if (number == 0 || number > CHANNEL_GROUPS)
            return fail(EINVAL);
        memory_set_group(fd, number, option == NETLINK_ADD_MEMBERSHIP);
        return 0;
    case NETLINK_BROADCAST_ERROR:
    case NETLINK_LISTEN_ALL_NSID: /* the bridge is one namespace */
    case NETLINK_NO_ENOBUFS:
    case NETLINK_CAP_ACK:
    case NETLINK_EXT_ACK:
    case NETLINK_GET_STRICT_CHK:
        memory_set_option(fd, (uint32_t) option, number != 0);
        return 0;
    default:
        return fail(ENOPROTOOPT);
    }
}

INTERPOSE(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length))
{
    struct name name;
    int error;
    if (level == SOL_NETLINK && name_of(fd, &name))
        return name.protocol == NETLINK ? set_netlink_option(fd, option, value, length) : fail(ENOPROTOOPT);
    if (registry_takes(fd, level, option, value, length, &error))
        return result(-error);
    int set = REAL(setsockopt)(fd, level, option, value, length);
    if (set == 0 && level == SOL_SOCKET && (option == SO_RCVBUF || option == SO_RCVBUFFORCE) && name_of(fd, &name))
        memory_tell_buffer(fd);
    return set;
}

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
