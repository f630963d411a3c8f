/*
 * What a diverted socket says of itself, its names and options, and what programs set on it; and the options of real
 * sockets that are the bridge's business.
 */
#include "bridge.h"
#include "memory.h"
#include "pages.h"
#include "registry.h"

#include <limits.h>
#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
#include <netinet/in.h>
#include <string.h>

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
            : option == SO_PROTOCOL  ? (name->protocol == NETLINK ? NETLINK_XFRM : PF_KEY_V2)
            : type >= 0              ? type
                                     : SOCK_RAW;
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
    if (option < NETLINK_PKTINFO || option > NETLINK_GET_STRICT_CHK || option == NETLINK_RX_RING
            || option == NETLINK_TX_RING)
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
    case NETLINK_PKTINFO:
    case NETLINK_BROADCAST_ERROR:
    case NETLINK_LISTEN_ALL_NSID: /* the bridge is one namespace */
    case NETLINK_NO_ENOBUFS:
    case NETLINK_CAP_ACK:
    case NETLINK_EXT_ACK:
    case NETLINK_GET_STRICT_CHK: memory_set_option(fd, (uint32_t) option, number != 0); return 0;
    default: return fail(ENOPROTOOPT);
    }
}

INTERPOSE(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length))
{
    struct name name;
    int error;
    if (level == SOL_NETLINK && name_of(fd, &name))
        return name.protocol == NETLINK ? set_netlink_option(fd, option, value, length) : fail(ENOPROTOOPT);
    if (registry_takes(fd, level, option, value, length, &error))
        return error == 0 ? 0 : fail(error);
    int set = REAL(setsockopt)(fd, level, option, value, length);
    if (set == 0 && level == SOL_SOCKET && (option == SO_RCVBUF || option == SO_RCVBUFFORCE) && name_of(fd, &name))
        memory_tell_buffer(fd);
    return set;
}
