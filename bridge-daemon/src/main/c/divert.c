/*
 * Making and naming sockets: what opens a NETLINK_XFRM or PF_KEY socket gets a connection to the bridge, which then
 * answers as such a socket would.
 */
#include "bridge.h"
#include "channel.h"
#include "pages.h"
#include "registry.h"
#include "settle.h"

#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
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
        if (!bridge_obeys_us())
            return fail(EPERM);
        if (kind != SOCK_RAW)
            return fail(ESOCKTNOSUPPORT);
        return protocol == PF_KEY_V2 ? open_diverted(PFKEY, type) : fail(EPROTONOSUPPORT);
    }
    return mark_foreign(REAL(socket)(domain, type, protocol));
}

/* As move_addr_to_kernel(): 0 or an errno. */
static int check_address(const struct sockaddr *address, socklen_t length)
{
    if (length > sizeof(struct sockaddr_storage))
        return EINVAL;
    return pages_readable(address, length) ? 0 : EFAULT;
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
    int error = length < sizeof wanted ? EINVAL : check_address(address, length);
    if (error != 0)
        return fail(error);
    memcpy(&wanted, address, sizeof wanted);
    if (wanted.nl_family != AF_NETLINK)
        return fail(EINVAL);
    /* Events hold keys: who may not ask for them may not listen, either. */
    if (wanted.nl_groups != 0 && !bridge_obeys_us())
        return fail(EPERM);
    return result(channel_bind(fd, &name, wanted.nl_pid, wanted.nl_groups));
}

/* What the kernel refuses before anything else, and what ends a connection, gives a socket no port. */
static bool may_connect(const struct sockaddr *address, socklen_t length)
{
    return length >= sizeof address->sa_family && check_address(address, length) == 0
            && address->sa_family != AF_UNSPEC;
}

INTERPOSE(int, connect, (int fd, const struct sockaddr *address, socklen_t length))
{
    struct name name;
    if (!name_of(fd, &name)) {
        bool registered = kind_of(fd) == REGISTERED;
        int error = registered && may_connect(address, length) ? settle_to_connect(fd) : 0;
        if (error != 0)
            return fail(error);
        int connected = REAL(connect)(fd, address, length);
        if (registered)
            registry_moved(fd); /* a failure may have taken the port */
        return connected;
    }
    if (name.protocol == PFKEY)
        return fail(EOPNOTSUPP);
    struct sockaddr_nl peer;
    int error = check_address(address, length);
    if (error != 0)
        return fail(error);
    if (length < sizeof address->sa_family || (address->sa_family == AF_NETLINK && length < sizeof peer))
        return fail(EINVAL);
    if (address->sa_family == AF_UNSPEC)
        return 0;
    memcpy(&peer, address, length < sizeof peer ? length : sizeof peer);
    if (peer.nl_family != AF_NETLINK)
        return fail(EINVAL);
    return peer.nl_pid == 0 ? 0 : fail(ECONNREFUSED);
}

/* What a registered socket accepts inherits its policies: the bridge sees that it listens. */
INTERPOSE(int, listen, (int fd, int backlog))
{
    bool registered = kind_of(fd) == REGISTERED;
    int error = registered ? settle(fd) : 0;
    if (error != 0)
        return fail(error);
    int listens = REAL(listen)(fd, backlog);
    if (registered)
        registry_moved(fd);
    return listens;
}
