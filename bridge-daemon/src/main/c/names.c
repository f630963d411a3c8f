/* Names of diverted sockets, and the table of descriptors. */
#include "names.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char PREFIX[] = "xfrm-bridge/";

enum { PROTOCOL_AT = sizeof PREFIX - 1, INSTANCE_AT = PROTOCOL_AT + 2, PORT_AT = INSTANCE_AT + 17, NAME_LENGTH = PORT_AT + 8 };

_Atomic unsigned char kinds[KINDS];

socklen_t name_write(const struct name *name, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un) {.sun_family = AF_UNIX};
    snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "%s%c/%016llx/%08x",
             PREFIX, (char) name->protocol, (unsigned long long) name->instance, name->port);
    return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + NAME_LENGTH);
}

static bool read_hex(const char *text, int digits, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *value = *value << 4 | (uint64_t) digit;
    }
    return true;
}

bool name_read(const struct sockaddr_un *address, socklen_t length, struct name *name)
{
    const char *text = address->sun_path + 1;
    if (length != offsetof(struct sockaddr_un, sun_path) + 1 + NAME_LENGTH || address->sun_family != AF_UNIX
        || address->sun_path[0] != '\0' || memcmp(text, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    uint64_t port;
    if ((text[PROTOCOL_AT] != NETLINK && text[PROTOCOL_AT] != PFKEY)
        || !read_hex(text + INSTANCE_AT, 16, &name->instance) || !read_hex(text + PORT_AT, 8, &port))
        return false;
    name->protocol = (enum protocol) text[PROTOCOL_AT];
    name->port = (uint32_t) port;
    name->cookie = 0;
    return true;
}

bool name_of(int fd, struct name *name)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int before = errno;
    bool ours = syscall(SYS_getsockname, fd, &address, &length) == 0 && name_read(&address, length, name);
    errno = before;
    enum kind kind = kind_of(fd);
    if (ours && kind != DIVERTED && kind != LOST)
        set_kind(fd, DIVERTED);
    else if (!ours && kind < FOREIGN)
        set_kind(fd, FOREIGN);
    return ours;
}
