/* The lines on which this process says to the bridge what is registered. */
#include "entry.h"

#include "control.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_ROOM = 2 * POLICY_LENGTH + 256 };

/* The line that is being written: too long for a thread's stack. Under the lock. */
static char line[LINE_ROOM];

bool entry_is_dual(int fd, int family)
{
    int only = 0;
    socklen_t length = sizeof only;
    return family == AF_INET6 && syscall(SYS_getsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length) == 0
            && only == 0;
}

/* "VERB COOKIE FAMILY PROTOCOL ADDRESS PORT"; returns the length. */
static int write_head(const char *verb, const struct entry *entry)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    int protocol = 0;
    syscall(SYS_getsockname, entry->fd, &address, &length);
    length = sizeof protocol;
    syscall(SYS_getsockopt, entry->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length);
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in *four = (struct sockaddr_in *) &address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *) &address;
    bool is_four = address.ss_family == AF_INET;
    void *own = is_four ? (void *) &four->sin_addr : (void *) &six->sin6_addr;
    if (entry->roams)
        memset(own, 0, is_four ? sizeof four->sin_addr : sizeof six->sin6_addr);
    inet_ntop(address.ss_family, own, text, sizeof text);
    const char *families = is_four ? "2" : entry_is_dual(entry->fd, address.ss_family) ? "10+2" : "10";
    return snprintf(line, LINE_ROOM, "%s %lu %s %d %s %d", verb, (unsigned long) entry->cookie, families, protocol,
            text, ntohs(is_four ? four->sin_port : six->sin6_port));
}

void entry_ask_socket(const struct entry *entry)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    int type = 0;
    if (syscall(SYS_getsockopt, entry->fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0)
        return;
    length = sizeof type;
    syscall(SYS_getsockopt, entry->fd, SOL_SOCKET, SO_TYPE, &type, &length);
    snprintf(line, sizeof line, "socket %lu %llu %d\n", (unsigned long) entry->cookie, (unsigned long long) cookie,
            type);
    control_ask(line);
}

int entry_ask_policy(const struct entry *entry, const struct policy *policy)
{
    int length = write_head(policy->verb, entry);
    line[length++] = ' ';
    for (size_t i = 0; i < policy->length; i++)
        length += snprintf(line + length, 3, "%02x", policy->value[i]);
    if (policy->length == 0)
        line[length++] = '-';
    strcpy(line + length, "\n");
    return control_ask(line);
}

int entry_ask_encapsulation(const struct entry *entry, int type)
{
    int length = write_head("encap", entry);
    snprintf(line + length, sizeof line - (size_t) length, " %d\n", type);
    return control_ask(line);
}

int entry_ask_moved(const struct entry *entry)
{
    strcpy(line + write_head("moved", entry), "\n");
    return control_ask(line);
}

int entry_ask_closed(const struct entry *entry)
{
    snprintf(line, sizeof line, "close %lu\n", (unsigned long) entry->cookie);
    return control_ask(line);
}
