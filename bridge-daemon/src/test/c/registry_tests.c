/* Options of real sockets that the bridge has to know and the kernel must not see; and the files of /proc. */
#include "suite.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ipsec.h>
#include <linux/pfkeyv2.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct xfrm_userpolicy_info allow(uint8_t direction)
{
    return (struct xfrm_userpolicy_info) {.dir = direction, .priority = 1, .sel.family = AF_INET};
}

static bool log_shows_line(const char *verb, unsigned long cookie, const char *rest)
{
    char line[256];
    snprintf(line, sizeof line, "%s %lu%s", verb, cookie, rest);
    return log_shows(line);
}

static bool log_shows_socket(const char *verb, unsigned long cookie, int port, const char *rest)
{
    char line[256];
    snprintf(line, sizeof line, "%s %lu 2 17 127.0.0.1 %d%s", verb, cookie, port, rest);
    return log_shows(line);
}

static void policies_are_registered(void)
{
    unsigned long cookie;
    int port, fd = open_udp(&cookie, &port);
    struct xfrm_userpolicy_info out = allow(XFRM_POLICY_OUT), in = allow(XFRM_POLICY_IN),
                                forward = allow(XFRM_POLICY_FWD);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &out, sizeof out) == 0);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &in, sizeof in) == 0);
    CHECK(log_shows_socket("policy", cookie, port, " 0000000000000000"));
    CHECK_FAILS(setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &forward, sizeof forward), EINVAL);
    CHECK_FAILS(setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &in, 20), EINVAL);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, NULL, 0) == 0);
    CHECK(log_shows_socket("policy", cookie, port, " -\n"));
    close(fd);
    CHECK(log_shows_line("close", cookie, "\n"));
}

static void pfkey_policies_are_registered_as_they_are(void)
{
    unsigned long cookie;
    int port, fd = open_udp(&cookie, &port);
    struct {
        struct sadb_x_policy policy;
        struct sadb_x_ipsecrequest request;
    } ipsec = {.policy = {.sadb_x_policy_len = 4,
                       .sadb_x_policy_exttype = SADB_X_EXT_POLICY,
                       .sadb_x_policy_type = IPSEC_POLICY_IPSEC,
                       .sadb_x_policy_dir = IPSEC_DIR_OUTBOUND},
            .request = {.sadb_x_ipsecrequest_len = 16,
                    .sadb_x_ipsecrequest_proto = IPPROTO_ESP,
                    .sadb_x_ipsecrequest_mode = IPSEC_MODE_TRANSPORT,
                    .sadb_x_ipsecrequest_level = IPSEC_LEVEL_REQUIRE}};
    char expected[100] = " ";
    for (size_t i = 0; i < sizeof ipsec; i++)
        sprintf(expected + 1 + 2 * i, "%02x", ((unsigned char *) &ipsec)[i]);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, &ipsec, sizeof ipsec) == 0);
    CHECK(log_shows_socket("ipsec", cookie, port, strcat(expected, "\n")));
    CHECK_FAILS(setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, &ipsec, sizeof ipsec - 1), EINVAL);
    ipsec.policy.sadb_x_policy_dir = IPSEC_DIR_FWD;
    CHECK_FAILS(setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, &ipsec, sizeof ipsec), EINVAL);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, NULL, 0) == 0);
    CHECK(log_shows_socket("policy", cookie, port, " -\n"));
}

static void encapsulation_is_registered_and_hidden_from_the_kernel(void)
{
    unsigned long cookie;
    int port, fd = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP, bad = 1, on = 1, seen = -1;
    socklen_t length = sizeof seen;
    CHECK(setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    CHECK(log_shows_socket("encap", cookie, port, " 2\n"));
    CHECK(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0);
    CHECK(getsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &seen, &length) == 0 && seen == 2);
    CHECK(syscall(SYS_getsockopt, fd, IPPROTO_UDP, UDP_ENCAP, &seen, &length) == 0 && seen == 0);
    CHECK(syscall(SYS_getsockopt, fd, IPPROTO_UDP, UDP_GRO, &seen, &length) == 0 && seen == 0);
    CHECK_FAILS(setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &bad, sizeof bad), ENOPROTOOPT);
    int other = open_udp(&cookie, &port);
    CHECK(setsockopt(other, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0);
    CHECK(syscall(SYS_getsockopt, other, IPPROTO_UDP, UDP_GRO, &seen, &length) == 0 && seen == 1);
}

static void bind_moves_the_registration(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct stat status;
    int fd = socket(AF_INET6, SOCK_DGRAM, 0), type = UDP_ENCAP_ESPINUDP, only = 1;
    CHECK(fstat(fd, &status) == 0 && setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    CHECK(log_shows_line("encap", status.st_ino, " 10+2 17 :: 0 2\n"));
    CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0);
    CHECK(bind(fd, (struct sockaddr *) &address, sizeof address) == 0);
    CHECK(log_shows_line("moved", status.st_ino, " 10 17 ::1 "));
}

static int open_protected(int type, unsigned long *inode)
{
    struct xfrm_userpolicy_info out = allow(XFRM_POLICY_OUT);
    struct stat status;
    int fd = socket(AF_INET, type, 0);
    CHECK(fstat(fd, &status) == 0 && setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &out, sizeof out) == 0);
    *inode = status.st_ino;
    return fd;
}

static int local_port(int fd)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    CHECK(getsockname(fd, (struct sockaddr *) &own, &length) == 0);
    return ntohs(own.sin_port);
}

static bool log_shows_port(unsigned long inode, int protocol, const char *address, int port)
{
    char rest[64];
    snprintf(rest, sizeof rest, " 2 %d %s %d\n", protocol, address, port);
    return log_shows_line("moved", inode, rest);
}

static const struct sockaddr_in NOBODY = {.sin_family = AF_INET, .sin_port = 0x0900, .sin_addr = {0x0100007f}};

static void sockets_are_named_as_the_kernel_knows_them(void)
{
    unsigned long inode;
    uint64_t cookie;
    socklen_t length = sizeof cookie;
    char rest[64];
    int fd = open_protected(SOCK_DGRAM, &inode);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0);
    snprintf(rest, sizeof rest, " %llu %d\n", (unsigned long long) cookie, SOCK_DGRAM);
    CHECK(log_shows_line("socket", inode, rest));
}

/*
 * The bridge knows the port before the first datagram is sent; what is sent from a copy, or from another address, too.
 */
static void a_port_is_told_before_it_is_used(void)
{
    unsigned long inode;
    int fd = open_protected(SOCK_DGRAM, &inode), other = dup(fd);
    CHECK(local_port(fd) == 0);
    CHECK(sendto(other, "", 0, 0, (struct sockaddr *) &NOBODY, sizeof NOBODY) == 0);
    CHECK(local_port(fd) != 0 && log_shows_port(inode, IPPROTO_UDP, "0.0.0.0", local_port(fd)));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK(connect(fd, (struct sockaddr *) &NOBODY, sizeof NOBODY) == 0);
    CHECK(log_shows_port(inode, IPPROTO_UDP, "127.0.0.1", local_port(fd)));
    CHECK(connect(fd, &none, sizeof none) == 0 && local_port(fd) == 0);
    struct iovec part = {"", 0};
    struct mmsghdr message = {
            .msg_hdr = {.msg_name = (void *) &NOBODY, .msg_namelen = sizeof NOBODY, .msg_iov = &part, .msg_iovlen = 1}};
    CHECK(sendmmsg(fd, &message, 1, 0) == 1);
    CHECK(log_shows_port(inode, IPPROTO_UDP, "0.0.0.0", local_port(fd)));
}

/* A refused connection takes the port, though getsockname() goes on telling it. */
static void a_stream_has_a_port_before_it_is_connected(void)
{
    unsigned long inode;
    int fd = open_protected(SOCK_STREAM, &inode);
    CHECK_FAILS(connect(fd, (struct sockaddr *) &NOBODY, sizeof NOBODY), ECONNREFUSED);
    int first = local_port(fd);
    CHECK(log_shows_port(inode, IPPROTO_TCP, "0.0.0.0", first));
    CHECK_FAILS(connect(fd, (struct sockaddr *) &NOBODY, sizeof NOBODY), ECONNREFUSED);
    CHECK(local_port(fd) != first && log_shows_port(inode, IPPROTO_TCP, "0.0.0.0", local_port(fd)));
    int listening = open_protected(SOCK_STREAM, &inode);
    CHECK(listen(listening, 1) == 0 && log_shows_port(inode, IPPROTO_TCP, "0.0.0.0", local_port(listening)));
}

static void other_source_addresses_are_told(void)
{
    unsigned long inode;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {0x0100007f}};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
                         .cmsg_level = IPPROTO_IP,
                         .cmsg_type = IP_PKTINFO}};
    struct in_pktinfo info = {.ipi_spec_dst = {0x0200007f}};
    memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    struct iovec part = {"", 0};
    struct msghdr message = {.msg_name = (void *) &NOBODY,
            .msg_namelen = sizeof NOBODY,
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = &control,
            .msg_controllen = sizeof control};
    int fd = open_protected(SOCK_DGRAM, &inode);
    CHECK(bind(fd, (struct sockaddr *) &own, sizeof own) == 0
            && log_shows_port(inode, IPPROTO_UDP, "127.0.0.1", local_port(fd)));
    CHECK(sendmsg(fd, &message, 0) == 0 && log_shows_port(inode, IPPROTO_UDP, "0.0.0.0", local_port(fd)));
}

/* An IPv6 socket of an IPv4 address, and IPv4's control data. */
static void other_source_addresses_of_mapped_sockets_are_told(void)
{
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = {{{[10] = 0xff, 0xff, 127, 0, 0, 1}}}}, peer = own;
    struct xfrm_userpolicy_info out = {.dir = XFRM_POLICY_OUT, .priority = 1, .sel.family = AF_INET6};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
                         .cmsg_level = IPPROTO_IP,
                         .cmsg_type = IP_PKTINFO}};
    struct in_pktinfo info = {.ipi_spec_dst = {0x0200007f}};
    memcpy(CMSG_DATA(&control.header), &info, sizeof info);
    peer.sin6_port = 0x0900;
    struct iovec part = {"", 0};
    struct msghdr message = {.msg_name = &peer,
            .msg_namelen = sizeof peer,
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = &control,
            .msg_controllen = sizeof control};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    CHECK(bind(fd, (struct sockaddr *) &own, sizeof own) == 0);
    CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_XFRM_POLICY, &out, sizeof out) == 0 && log_shows(" ::ffff:127.0.0.1 "));
    CHECK(sendmsg(fd, &message, 0) == 0 && log_shows(" 10+2 17 :: "));
}

static void control_data_longer_than_its_memory_is_not_read(void)
{
    unsigned long inode;
    int fd = open_protected(SOCK_DGRAM, &inode);
    char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && mprotect(memory + 4096, 4096, PROT_NONE) == 0);
    struct cmsghdr *header = (struct cmsghdr *) (memory + 4096) - 1;
    *header = (struct cmsghdr) {
            .cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    struct iovec part = {"", 0};
    struct msghdr message = {.msg_name = (void *) &NOBODY,
            .msg_namelen = sizeof NOBODY,
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = header,
            .msg_controllen = sizeof *header};
    CHECK_FAILS(sendmsg(fd, &message, 0), EINVAL);
}

/* As in the kernel: a later bind() finds it without one. */
static void what_does_not_connect_gives_a_stream_no_port(void)
{
    unsigned long inode;
    int fd = open_protected(SOCK_STREAM, &inode);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_FAILS(connect(fd, (struct sockaddr *) 8, sizeof own), EFAULT);
    CHECK_FAILS(connect(fd, &none, 1), EINVAL);
    CHECK(connect(fd, &none, sizeof none) == 0 && local_port(fd) == 0);
    CHECK(bind(fd, (struct sockaddr *) &own, sizeof own) == 0);
}

static void policies_of_another_family_only_clear(void)
{
    struct xfrm_userpolicy_info in = allow(XFRM_POLICY_IN);
    struct sadb_x_policy bypass = {2, SADB_X_EXT_POLICY, IPSEC_POLICY_BYPASS, IPSEC_DIR_INBOUND, 0, 0, 0};
    int four = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0),
        raw = socket(AF_INET6, SOCK_RAW, IPPROTO_UDP);
    CHECK_FAILS(setsockopt(six, IPPROTO_IP, IP_XFRM_POLICY, &in, sizeof in), EOPNOTSUPP);
    CHECK_FAILS(setsockopt(six, IPPROTO_IP, IP_IPSEC_POLICY, &bypass, sizeof bypass), EOPNOTSUPP);
    CHECK_FAILS(setsockopt(four, IPPROTO_IPV6, IPV6_XFRM_POLICY, &in, sizeof in), ENOPROTOOPT);
    CHECK_FAILS(setsockopt(four, IPPROTO_IPV6, IPV6_IPSEC_POLICY, &bypass, sizeof bypass), ENOPROTOOPT);
    CHECK_FAILS(setsockopt(raw, IPPROTO_IP, IP_XFRM_POLICY, &in, sizeof in), ENOPROTOOPT);
    CHECK(log_lacks("policy") && log_lacks("ipsec"));
    CHECK(setsockopt(six, IPPROTO_IP, IP_XFRM_POLICY, NULL, 0) == 0);
    CHECK(log_shows(" 10+2 17 :: 0 -\n"));
}

static void registration_lives_as_long_as_the_socket(void)
{
    unsigned long cookie;
    int port, fd = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP;
    char line[64];
    CHECK(setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    int copy = dup(fd);
    close(fd);
    for (int i = 50; i < 300; i++)
        close(i); /* a daemon that closes all it does not know */
    CHECK(setsockopt(copy, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    close(copy);
    snprintf(line, sizeof line, "\n1 close %lu\n", cookie);
    CHECK(log_shows(line));
}

static int open_encapsulated(unsigned long *cookie)
{
    int port, fd = open_udp(cookie, &port), type = UDP_ENCAP_ESPINUDP;
    CHECK(setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    return fd;
}

static void close_range_ends_registrations_and_not_their_connection(void)
{
    unsigned long cookie, other_cookie;
    int kept = open_encapsulated(&cookie), closed = open_encapsulated(&other_cookie);
    CHECK(kept < closed && close_range((unsigned) closed, ~0u, 0) == 0);
    CHECK(log_shows_line("\n1 close", other_cookie, "\n") && log_lacks("end\n"));
    CHECK(fcntl(closed, F_GETFD) == -1 && fcntl(kept, F_GETFD) >= 0);
    int again = open_encapsulated(&other_cookie);
    closefrom(kept + 1);
    CHECK(log_shows_line("\n1 close", other_cookie, "\n") && log_lacks("end\n") && fcntl(again, F_GETFD) == -1);
}

static void failed_dup2_ends_nothing(void)
{
    unsigned long cookie;
    int fd = open_encapsulated(&cookie), diverted = open_netlink(SOCK_RAW);
    bind_netlink(diverted, 0, 6);
    CHECK_FAILS(dup2(1000, fd), EBADF);
    CHECK_FAILS(dup3(1000, diverted, 0), EBADF);
#ifdef __GLIBC__ /* musl asks for nothing but O_CLOEXEC */
    CHECK_FAILS(dup3(0, diverted, 1), EINVAL);
#endif
    struct sockaddr_nl address = {0};
    socklen_t length = sizeof address;
    CHECK(getsockname(diverted, (struct sockaddr *) &address, &length) == 0 && address.nl_groups == 6);
    CHECK(log_lacks("close"));
}

static void connection_makes_way_for_dup2(void)
{
    unsigned long cookie;
    int fd = open_encapsulated(&cookie);
    for (int number = 90; number < 300; number++)
        CHECK(dup2(0, number) == number);
    CHECK(log_lacks("end\n") && close(fd) == 0 && log_shows_line("\n1 close", cookie, "\n"));
}

static void copy_of_a_registered_socket_is_one(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), type = UDP_ENCAP_ESPINUDP;
    CHECK(setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    int copy = dup(fd);
    CHECK(bind(copy, (struct sockaddr *) &address, sizeof address) == 0 && log_shows("moved"));
    close(copy);
    CHECK(log_lacks("close"));
}

/* Sends it alone, or as the second of two messages. */
static void send_descriptor(int through, int fd, bool second)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    struct iovec part = {"", 1};
    struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct mmsghdr both[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}, {.msg_hdr = message}};
    CHECK(second ? sendmmsg(through, both, 2, 0) == 2 : sendmsg(through, &message, 0) == 1);
}

static void passed_socket_is_closed_like_others(void)
{
    unsigned long cookie, second_cookie;
    int fd = open_encapsulated(&cookie), second = open_encapsulated(&second_cookie), ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    send_descriptor(ends[0], fd, false);
    send_descriptor(ends[0], second, true);
    close(fd);
    close(second);
    CHECK(log_shows_line("close", cookie, "\n") && log_shows_line("close", second_cookie, "\n"));
}

static void restarted_bridge_is_told_again(void)
{
    unsigned long cookie;
    int port, fd = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP, diverted = open_netlink(SOCK_RAW);
    struct xfrm_userpolicy_info in = allow(XFRM_POLICY_IN);
    char path[256], byte;
    CHECK(setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    CHECK(setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &in, sizeof in) == 0);
    mock_kill();
    snprintf(path, sizeof path, "%s/log", getenv("XFRM_BRIDGE_DIR"));
    CHECK(unlink(path) == 0);
    CHECK_FAILS(setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type), ECONNREFUSED);
    mock_start();
    CHECK_FAILS(recv(diverted, &byte, 1, 0), ENOBUFS);
    CHECK(log_shows_socket("encap", cookie, port, " 2\n") && log_shows_socket("policy", cookie, port, " 00"));
}

static void espintcp_is_unknown(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_FAILS(setsockopt(fd, IPPROTO_TCP, TCP_ULP, "espintcp", sizeof "espintcp"), ENOENT);
}

static void bad_pointers_are_found_out_by_the_kernel(void)
{
    int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    void *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_FAILS(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, bad, sizeof(int)), EFAULT);
    CHECK_FAILS(setsockopt(tcp, IPPROTO_TCP, TCP_ULP, bad, 8), EFAULT);
    CHECK(setsockopt(udp, IPPROTO_IP, IP_XFRM_POLICY, bad, 300) == -1);
}

static void files_of_proc_come_from_the_bridge(void)
{
    char text[64] = "";
    struct stat status;
    FILE *file = fopen("/proc/net/xfrm_stat", "r");
    CHECK(file != NULL && fgets(text, sizeof text, file) != NULL && strcmp(text, "XfrmInError             \t7\n") == 0);
    CHECK(fgets(text, sizeof text, file) == NULL);
    int fd = open("/proc/self/net/xfrm_stat", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && read(fd, text, sizeof text) == 27 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    fd = openat(AT_FDCWD, "/proc/sys/net/core/xfrm_acq_expires", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof text) == 4 && memcmp(text, "165\n", 4) == 0
            && !(fcntl(fd, F_GETFD) & FD_CLOEXEC));
    CHECK(stat("/proc/net/xfrm_stat", &status) == 0 && S_ISREG(status.st_mode));
    CHECK(access("/proc/sys/net/core/xfrm_acq_expires", F_OK) == 0);
    CHECK_FAILS(access("/proc/net/pfkey", F_OK), ENOENT); /* the mock has none */
    CHECK_FAILS(open("/proc/net/pfkey", O_RDONLY), ENOENT);
    CHECK_FAILS(open("/proc/net/xfrm_stat", O_WRONLY), EACCES);
    CHECK(access("/proc/net/dev", R_OK) == 0 && (fd = open("/proc/net/dev", O_RDONLY)) >= 0 && read(fd, text, 5) == 5);
    mock_kill();
    CHECK_FAILS(open("/proc/net/xfrm_stat", O_RDONLY), ENOENT);
}

static void written_settings_reach_the_bridge(void)
{
    FILE *file = fopen("/proc/sys/net/core/xfrm_acq_expires", "w");
    CHECK(file != NULL && fprintf(file, "%u", 99) == 2 && fclose(file) == 0);
    CHECK(log_shows("set xfrm_acq_expires\nvalue 99\n"));
}

#define TEST(name) {#name, name}
const struct test registry_tests[] = {
        TEST(policies_are_registered),
        TEST(pfkey_policies_are_registered_as_they_are),
        TEST(policies_of_another_family_only_clear),
        TEST(encapsulation_is_registered_and_hidden_from_the_kernel),
        TEST(bind_moves_the_registration),
        TEST(sockets_are_named_as_the_kernel_knows_them),
        TEST(a_port_is_told_before_it_is_used),
        TEST(a_stream_has_a_port_before_it_is_connected),
        TEST(other_source_addresses_are_told),
        TEST(other_source_addresses_of_mapped_sockets_are_told),
        TEST(control_data_longer_than_its_memory_is_not_read),
        TEST(what_does_not_connect_gives_a_stream_no_port),
        TEST(registration_lives_as_long_as_the_socket),
        TEST(passed_socket_is_closed_like_others),
        TEST(close_range_ends_registrations_and_not_their_connection),
        TEST(failed_dup2_ends_nothing),
        TEST(connection_makes_way_for_dup2),
        TEST(copy_of_a_registered_socket_is_one),
        TEST(restarted_bridge_is_told_again),
        TEST(espintcp_is_unknown),
        TEST(bad_pointers_are_found_out_by_the_kernel),
        TEST(files_of_proc_come_from_the_bridge),
        TEST(written_settings_reach_the_bridge),
        {NULL, NULL},
};
