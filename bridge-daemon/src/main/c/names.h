/*
 * Names of diverted sockets, and what is known about each descriptor of this process.
 *
 * A diverted socket is bound to the abstract unix name
 *     \0xfrm-bridge/<n|p>/<instance, 16 hex digits>/<port id, 8 hex digits>
 * which is all that another process needs to recognise it.
 */
#ifndef XFRM_BRIDGE_NAMES_H
#define XFRM_BRIDGE_NAMES_H

#include "real.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

enum protocol { NETLINK = 'n', PFKEY = 'p' };

struct name {
    enum protocol protocol;
    uint64_t instance;
    uint32_t port;
    uint64_t cookie; /* the kernel's number of the socket if a mailbox is known for it, else 0 */
};

/* Writes the socket address of a name and returns its length. */
socklen_t name_write(const struct name *name, struct sockaddr_un *address);
bool name_read(const struct sockaddr_un *address, socklen_t length, struct name *name);

/*
 * What a descriptor number stands for. The kinds from FOREIGN on are passed to libc by every call that moves data.
 *   UNKNOWN     ask the kernel
 *   DIVERTED    was ours when last asked; asked again at each use
 *   LOST        the same, and its next receive has to report that events were lost
 *   FOREIGN     not ours
 *   REGISTERED  a real socket with a policy or encapsulation registered at the bridge
 *   CONTROL     this library's own connection for those
 *   EPOLL       an epoll set that watches one of ours
 */
enum kind { UNKNOWN, DIVERTED, LOST, FOREIGN, REGISTERED, CONTROL, EPOLL };

/* Larger numbers are always UNKNOWN. */
enum { KINDS = 65536 };
extern _Atomic unsigned char kinds[KINDS];

static inline enum kind kind_of(int fd)
{
    return (unsigned) fd < KINDS ? (enum kind) atomic_load_explicit(&kinds[fd], memory_order_relaxed) : UNKNOWN;
}

/*
 * A child of vfork() has this table in common with its parent, and numbers of its own: all that it may change is
 * FOREIGN to UNKNOWN, which hides nothing.
 */
void change_kind(int fd, enum kind kind);

static inline void set_kind(int fd, enum kind kind)
{
    if ((unsigned) fd < KINDS && kind_of(fd) != kind)
        change_kind(fd, kind);
}

/* A new descriptor that is certainly not ours: its first use need not ask. Returns it. */
static inline int mark_foreign(int fd)
{
    set_kind(fd, FOREIGN);
    return fd;
}

/* Asks the kernel whether `fd` is one of ours, whatever the table says, and corrects the table. Keeps errno. */
bool name_of(int fd, struct name *name);

#endif
