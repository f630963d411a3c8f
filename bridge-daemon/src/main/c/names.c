/* Names of diverted sockets, and the table of descriptors. */
#include "names.h"

#include "bridge.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char PREFIX[] = "xfrm-bridge/";

enum {
    PROTOCOL_AT = sizeof PREFIX - 1,
    INSTANCE_AT = PROTOCOL_AT + 2,
    PORT_AT = INSTANCE_AT + 17,
    NAME_LENGTH = PORT_AT + 8
};

_Atomic unsigned char kinds[KINDS];

void change_kind(int fd, enum kind kind)
{
    unsigned char foreign = FOREIGN;
    if (bridge_memory_is_ours())
        atomic_store_explicit(&kinds[fd], (unsigned char) kind, memory_order_relaxed);
    else if (kind == UNKNOWN)
        atomic_compare_exchange_strong(&kinds[fd], &foreign, UNKNOWN);
}

/* Not by snprintf(), which a signal handler may not call. */
static void write_hex(char *text, int digits, uint64_t value)
{
    for (int i = digits - 1; i >= 0; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
}

socklen_t name_write(const struct name *name, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un) {.sun_family = AF_UNIX};
    char *text = address->sun_path + 1;
    memcpy(text, PREFIX, PROTOCOL_AT);
    text[PROTOCOL_AT] = (char) name->protocol;
    text[PROTOCOL_AT + 1] = text[PORT_AT - 1] = '/';
    write_hex(text + INSTANCE_AT, 16, name->instance);
    write_hex(text + PORT_AT, 8, name->port);
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

/*
 * Only if the number means what it did before the question: another thread may have opened one of ours there meanwhile.
 */
static void note_foreign(int fd, unsigned char before)
{
    if ((unsigned) fd < KINDS && before < FOREIGN && bridge_memory_is_ours())
        atomic_compare_exchange_strong(&kinds[fd], &before, FOREIGN);
}

bool name_of(int fd, struct name *name)
{
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int before = errno;
    enum kind kind = kind_of(fd);
    bool answered = syscall(SYS_getsockname, fd, &address, &length) == 0, open = answered || errno != EBADF;
    bool ours = answered && name_read(&address, length, name);
    errno = before;
    if (ours && kind != DIVERTED && kind != LOST)
        set_kind(fd, DIVERTED);
    else if (!ours && open)
        note_foreign(fd, (unsigned char) kind);
    return ours;
}
