/*
 * sockets [talking]: what a NETLINK_XFRM socket answers to calls that are odd or wrong, a line for each kind.
 * sockets.expected is what a kernel answers (MailboxTest). With "talking" each socket has been in dialogue before, so
 * that under the preload library it has a mailbox. Each line is made by a process of its own: what that dies of, or
 * that it waits, is a result, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 8192, MOST_PARTS = 1024, DIALOGUES = 64, WAIT_SECONDS = 20, SOON_US = 50000, PAGE = 65536 };

/*
 * Between two pages that nobody may touch: `page` can be written, `constant` only read. `bad` is the first byte behind
 * `page`.
 */
static char *page, *constant, *bad;

/* No constant: compilers know that it is wrong. */
static volatile int negative = -1;

static char room[ROOM], second[ROOM];
static struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

/* NLMSG_NOOP, acknowledged with 36 bytes. */
static struct nlmsghdr noop = {
        .nlmsg_len = sizeof noop, .nlmsg_type = NLMSG_NOOP, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};

static void end_after(struct timeval time)
{
    const struct itimerval limit = {.it_value = time};
    setitimer(ITIMER_REAL, &limit, NULL);
}

static void ask(int fd)
{
    noop.nlmsg_seq++;
    if (send(fd, &noop, sizeof noop, 0) != sizeof noop)
        _exit(100);
}

static void expect(int fd)
{
    char answer[64];
    if (recv(fd, answer, sizeof answer, 0) != 36 || ((struct nlmsghdr *) answer)->nlmsg_seq != noop.nlmsg_seq)
        _exit(101);
}

static void tell(long result)
{
    if (result < 0)
        printf(" %s", strerrorname_np(errno));
    else
        printf(" %ld", result);
}

/* How many messages are left, as a client sees it that asks once more: nothing of ours may be in its way. */
static void tell_rest(int fd)
{
    int rest = 0;
    while (recv(fd, room, sizeof room, MSG_DONTWAIT) >= 0)
        rest++;
    printf(", %d left", rest);
    ask(fd);
    expect(fd);
}

static struct iovec parts[MOST_PARTS + 1];

static struct msghdr message_of(void *data, size_t length)
{
    parts[0] = (struct iovec) {data, length};
    return (struct msghdr) {.msg_iov = parts, .msg_iovlen = 1};
}

/* Sending */

static char *at_end_of_page(size_t length)
{
    return memcpy(bad - length, &noop, length);
}

static void send_from_bad_memory(int fd)
{
    tell(send(fd, bad, sizeof noop, 0));
    tell(send(fd, NULL, sizeof noop, 0));
    tell(send(fd, at_end_of_page(12), sizeof noop, 0));
    tell(write(fd, bad, sizeof noop));
    tell(sendto(fd, bad, sizeof noop, MSG_DONTWAIT, (struct sockaddr *) &kernel, sizeof kernel));
    tell(send(fd, at_end_of_page(sizeof noop), sizeof noop, 0));
    expect(fd);
    tell(send(fd, constant, sizeof noop, 0));
}

static void send_bad_message(int fd)
{
    struct msghdr message = message_of(bad, sizeof noop);
    tell(sendmsg(fd, &message, 0));
    message = message_of(&noop, sizeof noop);
    parts[1] = (struct iovec) {bad, 4};
    message.msg_iovlen = 2;
    tell(sendmsg(fd, &message, 0));
    message.msg_iov = (struct iovec *) bad;
    tell(sendmsg(fd, &message, 0));
    tell(sendmsg(fd, (struct msghdr *) bad, 0));
    tell(sendmsg(fd, NULL, 0));
    tell(writev(fd, (struct iovec *) bad, 1));
    tell(writev(fd, parts, 2));
}

static void send_to_bad_address(int fd)
{
    struct sockaddr_nl other = {.nl_family = AF_NETLINK, .nl_pid = 1},
                       group = {.nl_family = AF_NETLINK, .nl_groups = 1};
    struct sockaddr_nl wrong = {.nl_family = AF_INET};
    char large[256] = {AF_NETLINK};
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) bad, sizeof kernel));
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) &kernel, sizeof kernel - 1));
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) large, sizeof large));
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) &kernel, (socklen_t) -1));
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) &other, sizeof other));
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) &wrong, sizeof wrong));
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) large, 128));
    expect(fd);
    tell(sendto(fd, &noop, sizeof noop, 0, NULL, sizeof kernel));
    expect(fd);
    tell(sendto(fd, &noop, sizeof noop, 0, (struct sockaddr *) &group, sizeof group));
    expect(fd);
    struct msghdr message = message_of(&noop, sizeof noop);
    message.msg_name = bad;
    message.msg_namelen = sizeof kernel;
    tell(sendmsg(fd, &message, 0));
    message.msg_namelen = 0;
    tell(sendmsg(fd, &message, 0));
}

static void send_nothing(int fd)
{
    struct msghdr message = message_of(&noop, 0);
    tell(send(fd, &noop, 0, 0));
    tell(send(fd, NULL, 0, 0));
    tell(write(fd, &noop, 0));
    tell(sendmsg(fd, &message, 0));
    tell(writev(fd, parts, 1));
    tell(writev(fd, parts, 0));
    message.msg_iovlen = 0;
    tell(sendmsg(fd, &message, 0));
    tell(sendto(fd, &noop, 0, 0, (struct sockaddr *) &kernel, 4));
}

static void send_many_parts(int fd)
{
    struct msghdr message = message_of(&noop, sizeof noop);
    for (size_t i = 0; i < sizeof noop; i++) {
        parts[2 * i] = (struct iovec) {NULL, 0};
        parts[2 * i + 1] = (struct iovec) {(char *) &noop + i, 1};
    }
    message.msg_iovlen = 2 * sizeof noop;
    tell(sendmsg(fd, &message, 0));
    expect(fd);
    tell(writev(fd, parts, (int) message.msg_iovlen));
    expect(fd);
    for (size_t i = message.msg_iovlen; i <= MOST_PARTS; i++)
        parts[i] = (struct iovec) {NULL, 0};
    message.msg_iovlen = MOST_PARTS;
    tell(sendmsg(fd, &message, 0));
    expect(fd);
    message.msg_iovlen = MOST_PARTS + 1;
    tell(sendmsg(fd, &message, 0));
    tell(writev(fd, parts, MOST_PARTS + 1));
    tell(writev(fd, parts, negative));
    message.msg_iovlen = (size_t) -1;
    tell(sendmsg(fd, &message, 0));
}

static void send_too_much(int fd)
{
    struct msghdr message = message_of(page, (size_t) 1 << 63);
    tell(sendmsg(fd, &message, 0));
    parts[0].iov_len = (size_t) 1 << 40;
    tell(sendmsg(fd, &message, 0));
    tell(send(fd, page, (size_t) 1 << 40, 0));
    parts[0].iov_len = parts[1].iov_len = SIZE_MAX / 2;
    parts[1].iov_base = page;
    message.msg_iovlen = 2;
    tell(sendmsg(fd, &message, 0));
    tell(send(fd, page, 1 << 22, 0));
}

static void send_with_flags(int fd)
{
    static const int flags[] = {MSG_OOB, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_EOR, MSG_MORE, MSG_DONTROUTE, MSG_CONFIRM,
            MSG_PEEK, MSG_TRUNC, 1 << 28};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        noop.nlmsg_seq++;
        ssize_t sent = send(fd, &noop, sizeof noop, flags[i]);
        tell(sent);
        if (sent > 0)
            expect(fd);
    }
}

static void send_control_data(int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct msghdr message = message_of(&noop, sizeof noop);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int));
    tell(sendmsg(fd, &message, 0));
    control.header.cmsg_len = 1000;
    tell(sendmsg(fd, &message, 0));
    control.header.cmsg_len = CMSG_LEN(sizeof(struct ucred));
    control.header.cmsg_type = SCM_CREDENTIALS;
    const struct ucred self = {getpid(), getuid(), getgid()};
    memcpy(CMSG_DATA(&control.header), &self, sizeof self);
    message.msg_controllen = sizeof control;
    tell(sendmsg(fd, &message, 0));
    expect(fd);
    message.msg_control = bad;
    tell(sendmsg(fd, &message, 0));
    message.msg_control = NULL;
    tell(sendmsg(fd, &message, 0));
}

static void send_several(int fd)
{
    struct mmsghdr messages[3];
    struct iovec whole = {&noop, sizeof noop}, broken = {bad, sizeof noop};
    for (int i = 0; i < 3; i++)
        messages[i].msg_hdr = (struct msghdr) {.msg_iov = &whole, .msg_iovlen = 1};
    tell(sendmmsg(fd, messages, 0, 0));
    tell(sendmmsg(fd, (struct mmsghdr *) bad, 1, 0));
    tell(sendmmsg(fd, messages, 3, 0));
    messages[1].msg_hdr.msg_iov = &broken;
    tell(sendmmsg(fd, messages, 3, 0));
    tell(sendmmsg(fd, messages + 1, 2, 0));
    struct mmsghdr *last = (struct mmsghdr *) bad - 1;
    last->msg_hdr = (struct msghdr) {.msg_iov = &whole, .msg_iovlen = 1};
    tell(sendmmsg(fd, last, 2, 0));
    printf(" of %u", last->msg_len);
}

/* Receiving */

static void receive_into_bad_memory(int fd)
{
    void *places[] = {bad, NULL, constant, bad - 12};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        ask(fd);
        tell(recv(fd, places[i], 64, 0));
        tell_rest(fd);
    }
    ask(fd);
    tell(read(fd, bad, 64));
    ask(fd);
    tell(recv(fd, bad, 64, MSG_TRUNC));
    ask(fd);
    tell(recv(fd, bad, 64, MSG_PEEK));
    tell(recv(fd, bad - 36, 1 << 20, 0)); /* what comes has room */
    ask(fd);
    tell(recv(fd, bad - 10, 10, 0));
}

static void receive_bad_message(int fd)
{
    struct msghdr message = message_of(bad, 64);
    ask(fd);
    tell(recvmsg(fd, &message, 0));
    ask(fd);
    message.msg_iov = (struct iovec *) bad;
    tell(recvmsg(fd, &message, 0));
    tell(recvmsg(fd, (struct msghdr *) bad, 0));
    tell(recvmsg(fd, NULL, 0));
    tell(readv(fd, (struct iovec *) bad, 1));
    message = message_of(page, 10);
    parts[1] = (struct iovec) {bad, 64};
    message.msg_iovlen = 2;
    tell(recvmsg(fd, &message, 0));
    ask(fd);
    parts[0].iov_len = 64;
    tell(recvmsg(fd, &message, 0)); /* the second part is not needed */
    ask(fd);
    parts[0].iov_len = 10;
    tell(readv(fd, parts, 2));
}

static void receive_bad_sender(int fd)
{
    struct sockaddr_nl from = {0};
    socklen_t length = sizeof from;
    ask(fd);
    tell(recvfrom(fd, room, sizeof room, 0, (struct sockaddr *) bad, &length));
    tell_rest(fd);
    ask(fd);
    tell(recvfrom(fd, room, sizeof room, 0, (struct sockaddr *) &from, NULL));
    tell_rest(fd);
    ask(fd);
    tell(recvfrom(fd, room, sizeof room, 0, (struct sockaddr *) &from, (socklen_t *) bad));
    tell_rest(fd);
    ask(fd);
    length = (socklen_t) -1;
    tell(recvfrom(fd, room, sizeof room, 0, (struct sockaddr *) &from, &length));
    tell_rest(fd);
    ask(fd);
    tell(recvfrom(fd, room, sizeof room, 0, NULL, (socklen_t *) bad));
}

static void receive_short_sender(int fd)
{
    struct sockaddr_nl from = {1, 2, 3, 4};
    socklen_t length = 2;
    struct msghdr message = message_of(room, sizeof room);
    ask(fd);
    tell(recvfrom(fd, room, sizeof room, 0, (struct sockaddr *) &from, &length));
    printf(" (%u: %d %d %u %u)", length, from.nl_family, from.nl_pad, from.nl_pid, from.nl_groups);
    ask(fd);
    length = 100;
    tell(recvfrom(fd, room, sizeof room, 0, (struct sockaddr *) &from, &length));
    printf(" (%u: %d %d %u %u)", length, from.nl_family, from.nl_pad, from.nl_pid, from.nl_groups);
    message.msg_name = &from;
    message.msg_namelen = (socklen_t) -1;
    tell(recvmsg(fd, &message, MSG_DONTWAIT));
    ask(fd);
    message.msg_namelen = 0;
    tell(recvmsg(fd, &message, 0));
    printf(" (%u)", message.msg_namelen);
    ask(fd);
    message.msg_name = NULL;
    message.msg_namelen = 77;
    tell(recvmsg(fd, &message, 0));
    printf(" (%u)", message.msg_namelen);
    ask(fd);
    message.msg_name = bad;
    message.msg_namelen = 12;
    tell(recvmsg(fd, &message, 0));
    tell_rest(fd);
}

static void receive_little(int fd)
{
    ask(fd);
    tell(recv(fd, room, 0, 0));
    ask(fd);
    tell(recv(fd, NULL, 0, MSG_TRUNC));
    ask(fd);
    tell(read(fd, room, 0));
    tell(readv(fd, parts, 0));
    struct msghdr message = message_of(room, 0);
    tell(readv(fd, parts, 1));
    tell(recvmsg(fd, &message, 0));
    printf(" %x", message.msg_flags);
    tell_rest(fd);
    ask(fd);
    message.msg_iovlen = 0;
    tell(recvmsg(fd, &message, MSG_TRUNC));
    printf(" %x", message.msg_flags);
    ask(fd);
    tell(recv(fd, room, 7, 0));
    tell_rest(fd);
}

static void receive_many_parts(int fd)
{
    struct msghdr message = message_of(room, 0);
    for (int i = 0; i <= MOST_PARTS; i++)
        parts[i] = (struct iovec) {room + i, i % 2 ? 1 : 0};
    message.msg_iovlen = MOST_PARTS;
    ask(fd);
    memset(room, 0, sizeof room);
    tell(recvmsg(fd, &message, 0));
    printf(" %x %d %d", message.msg_flags, room[1], room[9]);
    ask(fd);
    message.msg_iovlen = MOST_PARTS + 1;
    tell(recvmsg(fd, &message, 0));
    tell(readv(fd, parts, MOST_PARTS + 1));
    tell(readv(fd, parts, negative));
    parts[0].iov_len = (size_t) 1 << 63;
    message.msg_iovlen = 1;
    tell(recvmsg(fd, &message, 0));
    parts[0].iov_len = SIZE_MAX / 2;
    tell(recvmsg(fd, &message, MSG_PEEK));
    parts[1].iov_len = SIZE_MAX / 2;
    message.msg_iovlen = 2;
    tell(recvmsg(fd, &message, 0));
}

static void receive_with_flags(int fd)
{
    static const int flags[] = {0, MSG_TRUNC, MSG_PEEK, MSG_PEEK | MSG_TRUNC, MSG_DONTWAIT, MSG_DONTWAIT | MSG_TRUNC,
            MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC, MSG_WAITALL, MSG_OOB, MSG_ERRQUEUE, MSG_CMSG_CLOEXEC, MSG_NOSIGNAL,
            MSG_WAITFORONE, MSG_CTRUNC, 1 << 28};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        for (size_t length = 20; length <= 64; length += 44) {
            bool at_once = flags[i] & (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE);
            struct msghdr message = message_of(room, length);
            ask(fd);
            if (at_once)
                recv(fd, second, sizeof second, MSG_PEEK);
            tell(recvmsg(fd, &message, flags[i]));
            printf(" %x", message.msg_flags);
            tell_rest(fd);
        }
    }
    tell(recv(fd, room, sizeof room, MSG_DONTWAIT));
    tell(recv(fd, bad, 10, MSG_DONTWAIT));
    tell(recv(fd, room, sizeof room, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC));
}

static void receive_control_data(int fd)
{
    char control[256];
    struct msghdr message = message_of(room, sizeof room);
    int on = 1;
    ask(fd);
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    tell(recvmsg(fd, &message, 0));
    printf(" %zu", message.msg_controllen);
    ask(fd);
    message.msg_controllen = (size_t) 1 << 40;
    tell(recvmsg(fd, &message, 0));
    printf(" %zu", message.msg_controllen);
    tell_rest(fd);
    ask(fd);
    message.msg_control = bad;
    message.msg_controllen = sizeof control;
    tell(recvmsg(fd, &message, 0));
    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    ask(fd);
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    tell(recvmsg(fd, &message, 0));
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    printf(" %zu", message.msg_controllen);
    if (first != NULL)
        printf(" %d %d %d", first->cmsg_level, first->cmsg_type, ((struct ucred *) CMSG_DATA(first))->pid);
}

/* Events */

static void request(int fd, int type, const void *payload, size_t length)
{
    struct {
        struct nlmsghdr header;
        char payload[512];
    } message = {.header = {.nlmsg_len = NLMSG_LENGTH(length), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST}};
    memcpy(message.payload, payload, length);
    if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
        _exit(105);
}

static void join_all(int fd)
{
    for (int group = XFRMNLGRP_ACQUIRE; group <= XFRMNLGRP_MAX; group++) {
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
            _exit(106);
    }
}

static struct xfrm_userpolicy_info policy(void)
{
    return (struct xfrm_userpolicy_info) {.sel = {.family = AF_INET, .prefixlen_d = 32},
            .dir = XFRM_POLICY_OUT,
            .lft = {XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0}};
}

/* ACQUIRE, POLEXPIRE, FLUSHSA and NEWPOLICY, and what answers ALLOCSPI, whether it is to come first or not. */
static void ask_for(int fd, int type)
{
    struct {
        struct xfrm_user_acquire acquire;
        struct nlattr attribute;
        struct xfrm_user_tmpl template;
    } acquire = {.acquire = {.policy = policy(), .id.proto = IPPROTO_ESP},
            .attribute = {sizeof acquire - offsetof(typeof(acquire), attribute), XFRMA_TMPL},
            .template = {.id.proto = IPPROTO_ESP, .family = AF_INET, .reqid = 1}};
    struct xfrm_userspi_info spi = {
            .info = {.id.proto = IPPROTO_ESP, .family = AF_INET, .reqid = 77}, .min = 0x777, .max = 0x777};
    struct xfrm_user_polexpire expire = {.pol = policy(), .hard = 1};
    struct xfrm_userpolicy_info plain = policy();
    struct xfrm_usersa_flush flush = {0};
    switch (type) {
    case XFRM_MSG_ACQUIRE: request(fd, type, &acquire, sizeof acquire); break;
    case XFRM_MSG_ALLOCSPI: request(fd, type, &spi, sizeof spi); break;
    case XFRM_MSG_POLEXPIRE: request(fd, type, &expire, sizeof expire); break;
    case XFRM_MSG_NEWPOLICY: request(fd, type, &plain, sizeof plain); break;
    default: request(fd, type, &flush, sizeof flush);
    }
}

static const int news[] = {
        XFRM_MSG_ACQUIRE, XFRM_MSG_NEWPOLICY, XFRM_MSG_POLEXPIRE, XFRM_MSG_ALLOCSPI, XFRM_MSG_FLUSHSA};
enum { NEWS = sizeof news / sizeof *news };

static void tell_sender(int fd, size_t length, int flags)
{
    struct sockaddr_nl from = {.nl_groups = 77};
    socklen_t known = sizeof from;
    struct nlmsghdr header = {0};
    if (recvfrom(fd, room, length, flags, (struct sockaddr *) &from, &known) < 0)
        tell(-1);
    memcpy(&header, room, length < sizeof header ? length : sizeof header);
    printf(" %x:%x:%u", from.nl_groups, header.nlmsg_flags, from.nl_pid);
}

static void receive_events(int fd)
{
    join_all(fd);
    for (int i = 0; i < NEWS; i++) {
        ask_for(fd, news[i]);
        tell_sender(fd, 8, MSG_PEEK);
        tell_sender(fd, 7, MSG_PEEK | MSG_TRUNC);
        tell_sender(fd, sizeof room, 0);
    }
    for (size_t length = 0; length < 24; length += 5) {
        ask_for(fd, news[1]);
        ask_for(fd, news[2]);
        tell_sender(fd, length, 0);
        tell_sender(fd, length, 0);
    }
}

static void tell_info(int fd, size_t control_length)
{
    char control[128] = {0};
    struct msghdr message = message_of(room, sizeof room);
    message.msg_control = control_length == 0 ? NULL : control;
    message.msg_controllen = control_length;
    tell(recvmsg(fd, &message, 0) < 0 ? -1 : 0);
    const struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    printf(" %zu:%x", message.msg_controllen, message.msg_flags);
    for (; first != NULL; first = CMSG_NXTHDR(&message, (struct cmsghdr *) first))
        printf(":%d:%d:%zu:%d", first->cmsg_level, first->cmsg_type, first->cmsg_len, *(int *) CMSG_DATA(first));
}

static void receive_group_as_control_data(int fd)
{
    static const size_t rooms[] = {0, 8, 16, 18, 20, 22, 24, 32, 48, 56, 64, 128};
    int on = 1;
    join_all(fd);
    tell(setsockopt(fd, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof on));
    for (int credentials = 0; credentials < 2; credentials++) {
        for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
            ask_for(fd, news[1]);
            ask_for(fd, news[2]);
            tell_info(fd, rooms[i]);
            tell_info(fd, rooms[i]);
        }
        setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    }
    ask_for(fd, news[3]);
    tell_info(fd, sizeof(struct cmsghdr) + 4);
    on = 0;
    tell(setsockopt(fd, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof on));
    ask_for(fd, news[4]);
    tell_info(fd, 0);
}

static void ask_often(int fd, int times)
{
    for (int i = 0; i < times; i++) {
        ask(fd);
        recv(fd, room, sizeof room, MSG_PEEK);
    }
    /* The kernel has answered by now. Of a unix socket this tells how many bytes are there. */
    for (int unread = 0; ioctl(fd, FIONREAD, &unread) == 0 && unread < 36 * times;) {}
}

static struct mmsghdr several[5];
static struct iovec places[5];

static int receive_several(int fd, unsigned count, int flags, struct timespec *timeout)
{
    for (int i = 0; i < 5; i++) {
        places[i] = (struct iovec) {second + 100 * i, 100};
        several[i] = (struct mmsghdr) {.msg_hdr = {.msg_iov = &places[i], .msg_iovlen = 1}};
    }
    return recvmmsg(fd, several, count, flags, timeout);
}

static void receive_messages_at_once(int fd)
{
    struct timespec none = {0}, wrong = {.tv_nsec = -1}, second_long = {.tv_sec = 1};
    tell(receive_several(fd, 0, 0, NULL));
    tell(receive_several(fd, 5, MSG_DONTWAIT, NULL));
    tell(recvmmsg(fd, (struct mmsghdr *) bad, 1, MSG_DONTWAIT, NULL));
    tell(receive_several(fd, 5, 0, &wrong));
    tell(receive_several(fd, 5, MSG_DONTWAIT, (struct timespec *) bad));
    ask_often(fd, 3);
    tell(receive_several(fd, 5, MSG_WAITFORONE, NULL));
    printf(" of %u %u", several[0].msg_len, several[2].msg_len);
    ask_often(fd, 3);
    tell(receive_several(fd, 2, MSG_DONTWAIT, NULL));
    tell(receive_several(fd, 2, MSG_DONTWAIT | MSG_TRUNC | MSG_PEEK, NULL));
    tell(receive_several(fd, 5, MSG_WAITFORONE, NULL));
    ask_often(fd, 3);
    tell(receive_several(fd, 5, 0, &none));
    tell(receive_several(fd, 2, 0, &second_long));
    printf(" %ld", (long) second_long.tv_sec);
    ask_often(fd, 3);
    tell(receive_several(fd, 3, 0, NULL));
}

static void receive_too_few_at_once(int fd)
{
    ask_often(fd, 3);
    end_after((struct timeval) {.tv_usec = SOON_US});
    tell(receive_several(fd, 5, 0, NULL));
}

static void receive_none_before_the_timeout(int fd)
{
    const struct timeval soon = {.tv_usec = SOON_US};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    tell(recv(fd, room, sizeof room, 0));
    ask_often(fd, 2);
    tell(receive_several(fd, 5, 0, NULL));
}

/* Other calls that take pointers. */

static void name_with_bad_memory(int fd)
{
    struct sockaddr_nl name;
    socklen_t length = sizeof name, less_than_none = (socklen_t) -1;
    tell(getsockname(fd, (struct sockaddr *) bad, &length));
    tell(getsockname(fd, (struct sockaddr *) &name, (socklen_t *) bad));
    tell(getsockname(fd, (struct sockaddr *) &name, &less_than_none));
    tell(getpeername(fd, (struct sockaddr *) bad, &length));
    tell(getpeername(fd, (struct sockaddr *) &name, NULL));
    tell(connect(fd, (struct sockaddr *) bad, sizeof name));
    tell(bind(fd, (struct sockaddr *) bad, sizeof name));
    tell(bind(fd, NULL, sizeof name));
    tell(bind(fd, (struct sockaddr *) &kernel, 200));
}

static void set_options_with_bad_memory(int fd)
{
    int value = 1;
    socklen_t length = sizeof value, less_than_none = (socklen_t) -1;
    tell(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, bad, sizeof value));
    tell(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, NULL, sizeof value));
    tell(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &value, (socklen_t) -1));
    tell(getsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, bad, &length));
    tell(getsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &value, (socklen_t *) bad));
    tell(getsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &value, &less_than_none));
    tell(getsockopt(fd, SOL_SOCKET, SO_TYPE, bad, &length));
    tell(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, NULL));
    tell(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &less_than_none));
}

struct test {
    const char *name;
    void (*run)(int fd);
};

#define TEST(name) {#name, name}
static const struct test tests[] = {TEST(send_from_bad_memory), TEST(send_bad_message), TEST(send_to_bad_address),
        TEST(send_nothing), TEST(send_many_parts), TEST(send_too_much), TEST(send_with_flags), TEST(send_control_data),
        TEST(send_several), TEST(receive_into_bad_memory), TEST(receive_bad_message), TEST(receive_bad_sender),
        TEST(receive_short_sender), TEST(receive_little), TEST(receive_many_parts), TEST(receive_with_flags),
        TEST(receive_control_data), TEST(receive_events), TEST(receive_group_as_control_data),
        TEST(receive_messages_at_once), TEST(receive_too_few_at_once), TEST(receive_none_before_the_timeout),
        TEST(name_with_bad_memory), TEST(set_options_with_bad_memory)};

static void make_memory(void)
{
    char *area = mmap(NULL, 5 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page = area + PAGE;
    bad = page + PAGE;
    constant = bad + PAGE;
    if (area == MAP_FAILED || mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0
            || mprotect(constant, PAGE, PROT_READ | PROT_WRITE) != 0)
        _exit(102);
    memcpy(constant, &noop, sizeof noop);
    mprotect(constant, PAGE, PROT_READ);
}

static void run(const struct test *test, bool talking)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
    if (fd < 0)
        _exit(103);
    for (int i = 0; talking && i < DIALOGUES; i++) {
        ask(fd);
        expect(fd);
    }
    end_after((struct timeval) {.tv_sec = WAIT_SECONDS});
    test->run(fd);
}

int main(int argc, char **argv)
{
    (void) argv;
    make_memory();
    if (unshare(CLONE_NEWNET) != 0 && getenv("LD_PRELOAD") == NULL)
        return 104; /* somebody may listen */
    setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        fflush(stdout);
        int status;
        pid_t child = fork();
        if (child == 0) {
            printf("%s:", tests[i].name);
            run(&tests[i], argc > 1);
            fflush(stdout);
            _exit(0);
        }
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status))
            printf("%s: %s", tests[i].name, WTERMSIG(status) == SIGALRM ? "waits" : strsignal(WTERMSIG(status)));
        else if (status != 0)
            printf("%s: ends with %d", tests[i].name, WEXITSTATUS(status));
        puts("");
    }
    return 0;
}
