/* Ports for registered sockets. Nothing is remembered here, and no lock is taken. */
#include "settle.h"

#include "pages.h"
#include "registry.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static int number_of(int fd, int option)
{
    int number = -1;
    socklen_t length = sizeof number;
    syscall(SYS_getsockopt, fd, SOL_SOCKET, option, &number, &length);
    return number;
}

static socklen_t name_socket(int fd, union address *address)
{
    socklen_t length = sizeof *address;
    *address = (union address) {0};
    return syscall(SYS_getsockname, fd, address, &length) == 0 ? length : 0;
}

/* Of a TCP socket whose connection failed the kernel goes on telling the port that it has lost. */
static bool may_be_without_port(int fd, const union address *address)
{
    int protocol = number_of(fd, SO_PROTOCOL), type = number_of(fd, SO_TYPE);
    bool internet = address->any.sa_family == AF_INET || address->any.sa_family == AF_INET6;
    bool has_ports = type != SOCK_RAW && protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6;
    return internet && has_ports && (address->four.sin_port == 0 || type == SOCK_STREAM);
}

/*
 * As the kernel does it itself, but for sockets that want their port to be chosen later (IP_BIND_ADDRESS_NO_PORT): not
 * too late for us.
 */
static int bind_to_any_port(int fd, union address *address, socklen_t length)
{
    int late = 0, now = 0;
    socklen_t size = sizeof late;
    address->four.sin_port = 0; /* at the same place in both families */
    syscall(SYS_getsockopt, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, &size);
    if (late)
        syscall(SYS_setsockopt, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &now, sizeof now);
    int bound = (int) syscall(SYS_bind, fd, address, length), error = errno;
    if (late)
        syscall(SYS_setsockopt, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    return bound == 0 ? 0 : error;
}

int settle(int fd)
{
    union address address;
    socklen_t length = name_socket(fd, &address);
    int before = errno, error = EINVAL;
    if (length != 0 && may_be_without_port(fd, &address))
        error = bind_to_any_port(fd, &address, length);
    if (error == 0)
        registry_moved(fd);
    errno = before;
    return error == EINVAL ? 0 : error == EADDRINUSE ? EAGAIN : error; /* EINVAL: it has one */
}

int settle_to_connect(int fd)
{
    int error = settle(fd);
    if (error == 0)
        registry_moved(fd);
    return error;
}

static struct in6_addr mapped(struct in_addr four)
{
    struct in6_addr six = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&six.s6_addr[12], &four, sizeof four);
    return six;
}

static bool is_any(const struct in6_addr *address)
{
    return IN6_IS_ADDR_UNSPECIFIED(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr32[3] == INADDR_ANY);
}

/* An IPv6 socket that sends IPv4 takes IPv4's control data, too. */
static bool read_source(const struct cmsghdr *part, struct in6_addr *source)
{
    struct in_pktinfo four;
    struct in6_pktinfo six;
    int type = part->cmsg_type;
    bool is_four = part->cmsg_level == IPPROTO_IP && type == IP_PKTINFO && part->cmsg_len >= CMSG_LEN(sizeof four);
    bool is_six = part->cmsg_level == IPPROTO_IPV6 && (type == IPV6_PKTINFO || type == IPV6_2292PKTINFO)
            && part->cmsg_len >= CMSG_LEN(sizeof six);
    if (is_four)
        memcpy(&four, CMSG_DATA(part), sizeof four);
    if (is_six)
        memcpy(&six, CMSG_DATA(part), sizeof six);
    *source = is_four ? mapped(four.ipi_spec_dst) : is_six ? six.ipi6_addr : in6addr_any;
    return !is_any(source);
}

static bool is_other_source(const union address *address, const struct cmsghdr *part)
{
    bool is_four = address->any.sa_family == AF_INET;
    struct in6_addr source, own = is_four ? mapped(address->four.sin_addr) : address->six.sin6_addr;
    return read_source(part, &source) && !is_any(&own) && !IN6_ARE_ADDR_EQUAL(&source, &own);
}

/* The kernel refuses what is longer than its memory. */
static bool is_whole(const struct msghdr *message, const struct cmsghdr *part)
{
    size_t before = (size_t) ((const char *) part - (const char *) message->msg_control);
    return part->cmsg_len <= message->msg_controllen - before;
}

int settle_message(int fd, const struct msghdr *message)
{
    if (message == NULL || !pages_readable(message, sizeof *message))
        return 0; /* the kernel says so */
    int error = message->msg_namelen == 0 ? 0 : settle(fd);
    if (message->msg_controllen == 0 || !pages_readable(message->msg_control, message->msg_controllen))
        return error;
    union address own;
    name_socket(fd, &own);
    struct msghdr copy = *message;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&copy); part != NULL; part = CMSG_NXTHDR(&copy, part)) {
        if (is_whole(&copy, part) && is_other_source(&own, part))
            registry_roams(fd);
    }
    return error;
}
