/* What a diverted socket answers while the bridge is there. */
#include "suite.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/pfkeyv2.h>
#include <linux/sockios.h>
#include <linux/xfrm.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>

static int try_bind(int fd, int family, uint32_t port, socklen_t length)
{
    struct sockaddr_nl address = {.nl_family = (sa_family_t) family, .nl_pid = port};
    return bind(fd, (struct sockaddr *) &address, length);
}

static void first_unbound_socket_has_the_process_id_and_others_the_top_bit(void)
{
    int first = open_netlink(SOCK_RAW), second = open_netlink(SOCK_RAW);
    CHECK(port_of(first) == (uint32_t) getpid() && tell(first).port == port_of(first));
    CHECK((port_of(second) & 0x80000000u) && tell(second).port == port_of(second));
}

static void unused_socket_leaves_the_process_id_to_one_that_asks_for_it(void)
{
    int unused = open_netlink(SOCK_RAW), asking = open_netlink(SOCK_RAW), late = open_netlink(SOCK_RAW);
    bind_netlink(asking, (uint32_t) getpid(), 5);
    CHECK(tell(asking).port == (uint32_t) getpid() && tell(asking).groups == 5);
    CHECK((port_of(unused) & 0x80000000u) && tell(unused).port == port_of(unused));
    CHECK_FAILS(try_bind(late, AF_NETLINK, (uint32_t) getpid(), 12), EADDRINUSE);
}

static void binding_makes_no_second_connection(void)
{
    uint32_t before = 0;
    for (int i = 0; i < 3; i++) {
        int fd = open_netlink(SOCK_RAW | SOCK_CLOEXEC);
        bind_netlink(fd, 0, 1);
        uint32_t connections = tell(fd).connections;
        CHECK(before == 0 || connections == before + 1);
        before = connections;
        close(fd);
    }
}

/* Of this process: others may have the machine meanwhile. */
static long cpu_microseconds(void)
{
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000L + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void opening_and_closing_costs_less_than_a_tenth_of_a_millisecond(void)
{
    enum { TIMES = 300 };
    long start = cpu_microseconds();
    for (int i = 0; i < TIMES; i++) {
        int fd = open_netlink(SOCK_RAW | SOCK_CLOEXEC);
        bind_netlink(fd, 0, 0);
        close(fd);
    }
    CHECK(cpu_microseconds() - start < TIMES * 100L);
}

static void used_socket_keeps_the_process_id(void)
{
    int used = open_netlink(SOCK_RAW), asking = open_netlink(SOCK_RAW);
    CHECK(tell(used).port == (uint32_t) getpid());
    CHECK_FAILS(try_bind(asking, AF_NETLINK, (uint32_t) getpid(), 12), EADDRINUSE);
}

static void bind_gives_the_process_id_once(void)
{
    int first = open_netlink(SOCK_RAW), second = open_netlink(SOCK_DGRAM);
    bind_netlink(first, 0, 0);
    bind_netlink(second, 0, 0);
    CHECK(port_of(first) == (uint32_t) getpid() && tell(first).port == port_of(first));
    CHECK((port_of(second) & 0x80000000u) && tell(second).port == port_of(second));
    close(first);
    int third = open_netlink(SOCK_RAW);
    bind_netlink(third, (uint32_t) getpid(), 0);
    CHECK(port_of(third) == (uint32_t) getpid());
}

static void bind_fails_as_in_the_kernel(void)
{
    int first = open_netlink(SOCK_RAW), second = open_netlink(SOCK_RAW);
    bind_netlink(first, 4711, 0);
    CHECK_FAILS(try_bind(second, AF_NETLINK, 4711, 12), EADDRINUSE);
    CHECK_FAILS(try_bind(first, AF_NETLINK, 4712, 12), EINVAL);
    CHECK_FAILS(try_bind(second, AF_INET, 0, 12), EINVAL);
    CHECK_FAILS(try_bind(second, AF_NETLINK, 0, 8), EINVAL);
    CHECK(try_bind(first, AF_NETLINK, 4711, 12) == 0);
    CHECK(try_bind(second, AF_NETLINK, 4712, 12) == 0);
}

static void groups_and_options_reach_the_bridge_and_survive_bind(void)
{
    int fd = open_netlink(SOCK_RAW), group = XFRMNLGRP_MAPPING, on = 1, bad = 33;
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on) == 0);
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on) == 0);
    bind_netlink(fd, 0, 0xc3);
    struct mock_client client = tell(fd);
    CHECK(client.groups == 0xc3 && client.options == (1u << NETLINK_CAP_ACK | 1u << NETLINK_EXT_ACK));
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group) == 0);
    group = XFRMNLGRP_SA;
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0);
    CHECK(tell(fd).groups == 0x47);
    CHECK_FAILS(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &bad, sizeof bad), EINVAL);
    CHECK_FAILS(setsockopt(fd, SOL_NETLINK, NETLINK_RX_RING, &on, sizeof on), ENOPROTOOPT);
    uint32_t groups = 0;
    socklen_t length = sizeof groups;
    CHECK(getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, &groups, &length) == 0 && groups == 0x47
            && length == 4);
    CHECK(getsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, &length) == 0 && on == 1);
    CHECK(getsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, &length) == 0 && on == 0);
}

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof value;
    CHECK(getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && length == sizeof value);
    return value;
}

static void only_root_listens(void)
{
    struct sockaddr_nl all = {.nl_family = AF_NETLINK, .nl_groups = 0xff}, none = {.nl_family = AF_NETLINK};
    int group = 3, fd = open_netlink(SOCK_RAW);
    CHECK(seteuid(65534) == 0);
    CHECK_FAILS(bind(fd, (struct sockaddr *) &all, sizeof all), EPERM);
    CHECK_FAILS(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group), EPERM);
    CHECK(seteuid(0) == 0);
    CHECK(bind(fd, (struct sockaddr *) &none, sizeof none) == 0);
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0);
}

static void socket_describes_itself_as_netlink(void)
{
    int fd = open_netlink(SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC), size = 32768;
    CHECK(socket_option(fd, SO_DOMAIN) == AF_NETLINK && socket_option(fd, SO_PROTOCOL) == NETLINK_XFRM);
    CHECK(socket_option(fd, SO_TYPE) == SOCK_DGRAM);
    bind_netlink(fd, 0, 0);
    CHECK(socket_option(fd, SO_TYPE) == SOCK_DGRAM);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0 && socket_option(fd, SO_RCVBUF) == 2 * size);
    struct sockaddr_nl peer;
    socklen_t length = sizeof peer;
    CHECK(getpeername(fd, (struct sockaddr *) &peer, &length) == 0 && length == 12);
    CHECK(peer.nl_family == AF_NETLINK && peer.nl_pid == 0);
    CHECK_FAILS(socket(AF_NETLINK, SOCK_STREAM, NETLINK_XFRM), ESOCKTNOSUPPORT);
    char byte;
    CHECK_FAILS(recv(fd, &byte, 1, 0), EAGAIN);
}

static void sender_is_the_kernel(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK}, from;
    struct nlmsghdr ask = {.nlmsg_len = sizeof ask, .nlmsg_type = XFRM_MSG_GETSA, .nlmsg_flags = NLM_F_DUMP};
    CHECK(sendto(fd, &ask, sizeof ask, 0, (struct sockaddr *) &kernel, sizeof kernel) == sizeof ask);
    socklen_t length = sizeof from;
    memset(&from, 0xff, sizeof from);
    CHECK(recvfrom(fd, data, sizeof data, 0, (struct sockaddr *) &from, &length) == 20);
    CHECK(length == 12 && from.nl_family == AF_NETLINK && from.nl_pid == 0 && from.nl_groups == 0);
    CHECK(request(fd, MOCK_TELL, 0) > 0);
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    memset(&from, 0xff, sizeof from);
    CHECK(recvmsg(fd, &message, 0) > 0 && message.msg_namelen == 12 && from.nl_pid == 0);
    kernel.nl_pid = 1;
    CHECK_FAILS(sendto(fd, &ask, sizeof ask, 0, (struct sockaddr *) &kernel, sizeof kernel), ECONNREFUSED);
    CHECK_FAILS(sendto(fd, &ask, sizeof ask, 0, (struct sockaddr *) &kernel, 4), EINVAL);
    CHECK_FAILS(send(fd, &ask, 0, 0), ENODATA);
}

static void peek_and_truncate_tell_the_full_length(void)
{
    static char data[8192];
    int fd = open_netlink(SOCK_RAW);
    CHECK(request(fd, MOCK_FLOOD, 4000) > 0);
    struct iovec part = {NULL, 0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    CHECK(recvmsg(fd, &message, MSG_PEEK | MSG_TRUNC) == 4016 && (message.msg_flags & MSG_TRUNC));
    CHECK(recv(fd, data, 100, MSG_PEEK) == 100);
    CHECK(recv(fd, data, 8, MSG_PEEK | MSG_TRUNC) == 4016);
    part = (struct iovec) {data, sizeof data};
    CHECK(recvmsg(fd, &message, 0) == 4016 && message.msg_flags == 0);
    CHECK_FAILS(recv(fd, data, sizeof data, MSG_DONTWAIT), EAGAIN);
    CHECK(request(fd, MOCK_FLOOD, 4000) > 0);
    CHECK(recv(fd, data, 100, MSG_TRUNC) == 4016);
}

static void every_way_to_send_and_receive_works(void)
{
    char data[2][64];
    int fd = open_netlink(SOCK_RAW);
    struct nlmsghdr ask = {.nlmsg_len = sizeof ask, .nlmsg_type = XFRM_MSG_GETSA, .nlmsg_flags = NLM_F_DUMP};
    struct iovec halves[2] = {{&ask, 8}, {(char *) &ask + 8, 8}};
    struct iovec parts[2] = {{data[0], 10}, {data[1], 54}}, whole[2] = {{data[0], 64}, {data[1], 64}};
    struct mmsghdr out[2] = {
            {.msg_hdr = {.msg_iov = halves, .msg_iovlen = 2}}, {.msg_hdr = {.msg_iov = halves, .msg_iovlen = 2}}};
    struct mmsghdr in[2] = {
            {.msg_hdr = {.msg_iov = &whole[0], .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &whole[1], .msg_iovlen = 1}}};
    CHECK(write(fd, &ask, sizeof ask) == sizeof ask && read(fd, data, sizeof data) == 20);
    CHECK(writev(fd, halves, 2) == sizeof ask && readv(fd, parts, 2) == 20);
    CHECK(out[0].msg_hdr.msg_iovlen == 2 && sendmmsg(fd, out, 2, 0) == 2 && out[1].msg_len == sizeof ask);
    CHECK(recv(fd, data, sizeof data, MSG_PEEK) == 20);
    int received = recvmmsg(fd, in, 2, 0, NULL);
    CHECK(received == 1 || received == 2);
    CHECK(in[0].msg_len == 20 && (received == 2 || recv(fd, data, sizeof data, 0) == 20));
}

static void overrun_is_reported_once(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW);
    CHECK(request(fd, MOCK_OVERRUN, 0) > 0);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), ENOBUFS);
    CHECK(request(fd, MOCK_OVERRUN, 0) > 0);
    CHECK_FAILS(recv(fd, data, sizeof data, MSG_PEEK), ENOBUFS);
    CHECK(request(fd, MOCK_OVERRUN, 0) > 0);
    CHECK_FAILS(recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC), ENOBUFS);
    CHECK(request(fd, MOCK_OVERRUN, 0) > 0);
    CHECK_FAILS(read(fd, data, 4), ENOBUFS);
    CHECK_FAILS(recv(fd, data, sizeof data, MSG_DONTWAIT), EAGAIN);
    tell(fd);
}

static void events_reach_members(void)
{
    char data[64];
    int listener = open_netlink(SOCK_RAW), other = open_netlink(SOCK_RAW);
    bind_netlink(listener, 0, XFRMGRP_EXPIRE);
    tell(listener);
    CHECK(request(other, MOCK_ANNOUNCE, XFRMNLGRP_EXPIRE) > 0);
    CHECK(recv(listener, data, sizeof data, 0) == 20 && ((struct nlmsghdr *) data)->nlmsg_type == MOCK_EVENT);
    CHECK_FAILS(recv(other, data, sizeof data, MSG_DONTWAIT), EAGAIN);
}

/*
 * Announces an event and receives it into `room` bytes: the sender's groups. The flags that the bridge put the group in
 * are empty again.
 */
static uint32_t groups_of_event(int other, int listener, void *data, size_t room, int flags)
{
    struct sockaddr_nl from = {0};
    socklen_t length = sizeof from;
    struct nlmsghdr header = {0};
    CHECK(request(other, MOCK_ANNOUNCE, XFRMNLGRP_SA) > 0);
    CHECK(recvfrom(listener, data, room, flags, (struct sockaddr *) &from, &length) >= 0 && length == sizeof from);
    memcpy(&header, data, room < sizeof header ? room : sizeof header);
    CHECK(header.nlmsg_flags == 0 && from.nl_pid == 0);
    return from.nl_groups;
}

static void event_is_sent_to_a_group(void)
{
    char data[64];
    int listener = open_netlink(SOCK_RAW), other = open_netlink(SOCK_RAW);
    bind_netlink(listener, 0, XFRMGRP_SA);
    tell(listener);
    for (size_t room = 0; room <= sizeof data; room++)
        CHECK(groups_of_event(other, listener, data, room, 0) == XFRMGRP_SA);
    CHECK(groups_of_event(other, listener, data, sizeof data, MSG_PEEK) == XFRMGRP_SA);
    CHECK(groups_of_event(other, listener, data, 4, MSG_PEEK | MSG_TRUNC) == XFRMGRP_SA);
    CHECK(recv(listener, data, sizeof data, 0) == 20 && ((struct nlmsghdr *) data)->nlmsg_flags == 0);
    CHECK(read(listener, data, 7) == 7 && data[6] == 0);
}

/* Receives with `room` bytes for control data: how many there are, and the flags. */
static size_t receive_info(int fd, size_t room, int *flags, struct nl_pktinfo *info)
{
    char data[64], control[64] = {0};
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    CHECK(recvmsg(fd, &message, 0) > 0);
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL) {
        CHECK(header->cmsg_level == SOL_NETLINK && header->cmsg_type == NETLINK_PKTINFO);
        memcpy(info, CMSG_DATA(header), sizeof *info);
    }
    *flags = message.msg_flags;
    return message.msg_controllen;
}

static void group_comes_as_control_data(void)
{
    struct nl_pktinfo info;
    int listener = open_netlink(SOCK_RAW), other = open_netlink(SOCK_RAW), on = 1, flags;
    bind_netlink(listener, 0, XFRMGRP_SA | XFRMGRP_EXPIRE);
    tell(listener);
    CHECK(request(other, MOCK_ANNOUNCE, XFRMNLGRP_SA) > 0);
    CHECK(receive_info(listener, 64, &flags, &info) == 0 && flags == 0);
    CHECK(setsockopt(listener, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof on) == 0);
    CHECK(request(other, MOCK_ANNOUNCE, XFRMNLGRP_SA) > 0 && request(other, MOCK_ANNOUNCE, XFRMNLGRP_EXPIRE) > 0);
    CHECK(receive_info(listener, 64, &flags, &info) == CMSG_SPACE(4) && flags == 0 && info.group == XFRMNLGRP_SA);
    CHECK(receive_info(listener, CMSG_LEN(4), &flags, &info) == CMSG_LEN(4) && flags == 0
            && info.group == XFRMNLGRP_EXPIRE);
    CHECK(request(listener, MOCK_TELL, 0) > 0);
    CHECK(receive_info(listener, 64, &flags, &info) == CMSG_SPACE(4) && info.group == 0);
    CHECK(request(listener, MOCK_TELL, 0) > 0);
    CHECK(receive_info(listener, 8, &flags, &info) == 0 && flags == MSG_CTRUNC);
}

static void pfkey_has_no_names(void)
{
    struct sadb_msg message = {.sadb_msg_version = PF_KEY_V2, .sadb_msg_type = SADB_FLUSH, .sadb_msg_len = 2};
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int fd = socket(PF_KEY, SOCK_RAW, PF_KEY_V2);
    CHECK(fd >= 0 && socket_option(fd, SO_DOMAIN) == AF_KEY && socket_option(fd, SO_PROTOCOL) == PF_KEY_V2);
    CHECK_FAILS(getsockname(fd, (struct sockaddr *) &address, &length), EOPNOTSUPP);
    CHECK(write(fd, &message, sizeof message) == sizeof message);
    CHECK(recvfrom(fd, &message, sizeof message, 0, (struct sockaddr *) &address, &length) == sizeof message
            && length == 0);
    CHECK_FAILS(socket(PF_KEY, SOCK_DGRAM, PF_KEY_V2), ESOCKTNOSUPPORT);
    CHECK_FAILS(socket(PF_KEY, SOCK_RAW, 1), EPROTONOSUPPORT);
}

static void pfkey_headers_are_judged_by_the_call(void)
{
    struct {
        struct sadb_msg header;
        uint64_t more;
    } message = {.header = {.sadb_msg_version = PF_KEY_V2, .sadb_msg_type = SADB_FLUSH, .sadb_msg_len = 2}};
    size_t whole = sizeof message.header;
    int fd = socket(PF_KEY, SOCK_RAW, PF_KEY_V2);
    CHECK_FAILS(send(fd, &message, 0, 0), EMSGSIZE);
    CHECK_FAILS(send(fd, &message, whole - 1, 0), EMSGSIZE);
    CHECK_FAILS(send(fd, &message, sizeof message, 0), EMSGSIZE);
    struct iovec parts[] = {{&message, 4}, {(char *) &message + 4, whole - 4}};
    CHECK(writev(fd, parts, 2) == (ssize_t) whole);
    CHECK(recv(fd, &message, sizeof message, MSG_DONTWAIT) == (ssize_t) whole); /* answered already */
    message.header.sadb_msg_reserved = 1;
    CHECK_FAILS(send(fd, &message, whole, 0), EINVAL);
    message.header =
            (struct sadb_msg) {.sadb_msg_version = PF_KEY_V2, .sadb_msg_type = SADB_MAX + 1, .sadb_msg_len = 2};
    CHECK_FAILS(send(fd, &message, whole, 0), EINVAL);
    message.header = (struct sadb_msg) {.sadb_msg_len = 2};
    CHECK_FAILS(send(fd, &message, whole, 0), EINVAL);
}

static void ethtool_requests_reach_the_kernel(void)
{
    struct ethtool_sset_info info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1 << ETH_SS_FEATURES};
    struct ifreq ask = {.ifr_name = "lo", .ifr_data = (char *) &info};
    CHECK(ioctl(open_netlink(SOCK_DGRAM), SIOCETHTOOL, &ask) == 0 && info.sset_mask != 0);
}

static void other_sockets_stay_real(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    CHECK(fd >= 0 && syscall(SYS_getsockname, fd, &address, &length) == 0 && address.ss_family == AF_NETLINK);
    bind_netlink(fd, (uint32_t) getpid(), 1);
    int diverted = open_netlink(SOCK_RAW);
    bind_netlink(diverted, (uint32_t) getpid(), 1);
    CHECK(port_of(fd) == port_of(diverted));
}

static void largest_receive_is_told(void)
{
    static char data[65536];
    int fd = open_netlink(SOCK_RAW);
    CHECK(tell(fd).room == 0);
    CHECK(request(fd, MOCK_TELL, 0) > 0 && recv(fd, data, 8192, 0) > 0);
    CHECK(tell(fd).room == 8192);
    CHECK(request(fd, MOCK_TELL, 0) > 0 && recv(fd, data, sizeof data, 0) > 0 && tell(fd).room == 32768);
    close(fd);
    CHECK(open_netlink(SOCK_RAW) == fd && tell(fd).room == 0);
    CHECK(request(fd, MOCK_TELL, 0) > 0 && recv(fd, data, 8192, 0) > 0);
    mock_kill();
    mock_start();
    CHECK(tell(fd).room == 8192);
}

static void receive_buffer_is_told(void)
{
    int fd = open_netlink(SOCK_RAW), size = 5000, forced = 1 << 22;
    CHECK(tell(fd).buffer == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0 && tell(fd).buffer == 10000);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &forced, sizeof forced) == 0 && tell(fd).buffer == 10000);
    bind_netlink(fd, 0, 0);
    CHECK(tell(fd).buffer == 10000);
    mock_kill();
    mock_start();
    CHECK(tell(fd).buffer == 10000);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &forced, sizeof forced) == 0)
        CHECK(tell(fd).buffer == 1 << 23);
    fd = open_netlink(SOCK_RAW);
    bind_netlink(fd, 0, 0);
    CHECK(tell(fd).buffer == 0);
}

static void late_answers_are_waited_for(void)
{
    char data[256];
    int fd = open_netlink(SOCK_RAW), idle = open_netlink(SOCK_RAW | SOCK_NONBLOCK);
    struct timeval soon = {.tv_usec = 2000};
    for (int i = 0; i < 5; i++)
        CHECK(request(fd, MOCK_DELAY, 3) > 0 && recv(fd, data, sizeof data, 0) > 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
    CHECK(request(fd, MOCK_DELAY, 200) > 0);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), EAGAIN);
    CHECK(request(idle, MOCK_DELAY, 0) > 0);
    CHECK_FAILS(recv(idle, data, sizeof data, 0), EAGAIN);
}

static void socket_is_refused_without_bridge(void)
{
    mock_kill();
    CHECK_FAILS(socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM), ECONNREFUSED);
    CHECK_FAILS(socket(PF_KEY, SOCK_RAW, PF_KEY_V2), ECONNREFUSED);
}

#define TEST(name) {#name, name}
const struct test netlink_tests[] = {
        TEST(first_unbound_socket_has_the_process_id_and_others_the_top_bit),
        TEST(unused_socket_leaves_the_process_id_to_one_that_asks_for_it),
        TEST(used_socket_keeps_the_process_id),
        TEST(binding_makes_no_second_connection),
        TEST(opening_and_closing_costs_less_than_a_tenth_of_a_millisecond),
        TEST(bind_gives_the_process_id_once),
        TEST(bind_fails_as_in_the_kernel),
        TEST(groups_and_options_reach_the_bridge_and_survive_bind),
        TEST(socket_describes_itself_as_netlink),
        TEST(only_root_listens),
        TEST(sender_is_the_kernel),
        TEST(peek_and_truncate_tell_the_full_length),
        TEST(every_way_to_send_and_receive_works),
        TEST(overrun_is_reported_once),
        TEST(events_reach_members),
        TEST(event_is_sent_to_a_group),
        TEST(group_comes_as_control_data),
        TEST(pfkey_has_no_names),
        TEST(pfkey_headers_are_judged_by_the_call),
        TEST(ethtool_requests_reach_the_kernel),
        TEST(other_sockets_stay_real),
        TEST(largest_receive_is_told),
        TEST(receive_buffer_is_told),
        TEST(late_answers_are_waited_for),
        TEST(socket_is_refused_without_bridge),
        {NULL, NULL},
};
