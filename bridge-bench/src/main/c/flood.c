/*
 * flood KIND SECONDS [NETWORK]: what an ordinary user can do to a bridge, and flood client SECONDS: a root client
 * beside it.
 *
 *     accept        connects and closes, again and again, on all three sockets, and keeps as many connections as it
 *                   gets
 *     datagrams     65,536 requests in one datagram, or as many as a socket takes, back to back; reads the answers,
 *                   and on other connections none
 *     send-buffer   many connections that ask for dumps and statistics, and never read
 *     descriptors   messages with open files, and empty ones
 *     traps         UDP to random hosts of NETWORK (10.9.0.0/16): each another flow for a policy that asks for an SA
 *
 * The floods speak to the sockets in $XFRM_BRIDGE_DIR, without the preload library. The client runs under it, or on a
 * kernel: it adds, reads and deletes a policy, one after the other, and every 20th time opens a socket for it. It
 * prints a line a second,
 *
 *     SECOND COUNT P50 P99 MAX OPEN_P99 OPEN_MAX        (microseconds)
 *
 * and one for all of the time, with how many requests were answered wrongly; and ends with 1 if any was.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 20, MOST_KEPT = 900, ROOM = 65536, PATIENCE_MS = 10000, OPEN_EVERY = 20 };

static double deadline;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static bool goes_on(void)
{
    return seconds() < deadline;
}

static void fail(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The floods */

static int connect_to(const char *file, int type)
{
    struct sockaddr_un bridge = {.sun_family = AF_UNIX};
    snprintf(bridge.sun_path, sizeof bridge.sun_path, "%s/%s", getenv("XFRM_BRIDGE_DIR"), file);
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &bridge, sizeof bridge) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int connect_any(unsigned i)
{
    static const char *const files[] = {"netlink.sock", "pfkey.sock", "control.sock"};
    return connect_to(files[i % 3], i % 3 == 2 ? SOCK_STREAM : SOCK_SEQPACKET);
}

/* Whether the bridge has ended the connection. */
static bool is_over(int fd)
{
    char byte;
    ssize_t length = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return length == 0 || (length < 0 && errno != EAGAIN);
}

static long flood_accept(void)
{
    static int kept[MOST_KEPT];
    long connections = 0;
    memset(kept, -1, sizeof kept);
    for (unsigned i = 0; goes_on(); i++) {
        int fd = connect_any(i);
        connections += fd >= 0;
        int *place = &kept[i % MOST_KEPT];
        if (i % 2 == 0 && fd >= 0) {
            close(fd);
        } else if (fd >= 0 && (*place < 0 || is_over(*place))) {
            if (*place >= 0)
                close(*place);
            *place = fd;
        } else if (fd >= 0) {
            close(fd);
        }
    }
    return connections;
}

static void drain(int fd)
{
    static char room[ROOM];
    while (recv(fd, room, sizeof room, MSG_DONTWAIT) > 0) {}
}

static size_t fill_with_requests(char *datagram, size_t bytes)
{
    for (size_t at = 0; at + sizeof(struct nlmsghdr) <= bytes; at += sizeof(struct nlmsghdr)) {
        struct nlmsghdr request = {.nlmsg_len = sizeof request,
                .nlmsg_type = XFRM_MSG_GETSADINFO,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
        memcpy(datagram + at, &request, sizeof request);
    }
    return bytes / sizeof(struct nlmsghdr);
}

static long flood_datagrams(void)
{
    static char datagram[MOST_BYTES];
    enum { CONNECTIONS = 4 };
    int sockets[CONNECTIONS], most = MOST_BYTES;
    long requests = 0;
    memset(sockets, -1, sizeof sockets);
    fill_with_requests(datagram, sizeof datagram);
    for (unsigned i = 0; goes_on(); i++) {
        int *fd = &sockets[i % CONNECTIONS];
        if (*fd < 0) {
            *fd = connect_to("netlink.sock", SOCK_SEQPACKET);
            if (*fd < 0)
                continue;
            setsockopt(*fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
        }
        if (i % CONNECTIONS % 2 == 0)
            drain(*fd);
        ssize_t sent = -1;
        for (size_t bytes = sizeof datagram; sent < 0 && bytes >= 4096; bytes /= 2) {
            sent = send(*fd, datagram, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EMSGSIZE && errno != ENOBUFS)
                break;
        }
        if (sent >= 0) {
            requests += sent / (ssize_t) sizeof(struct nlmsghdr);
        } else if (errno != EAGAIN) {
            close(*fd);
            *fd = -1;
        } else {
            struct pollfd readable = {.fd = *fd, .events = POLLIN};
            poll(&readable, 1, 1);
        }
    }
    return requests;
}

static bool ask_for_much(int fd, unsigned kind)
{
    static const char text[] = "stat json\n";
    struct {
        struct nlmsghdr header;
        struct xfrm_usersa_id id;
    } dump = {{sizeof dump, XFRM_MSG_GETSA, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {.family = AF_INET}};
    const unsigned char pfkey[16] = {2, 10, 0, 0, 2};
    ssize_t sent = kind == 0 ? send(fd, &dump, sizeof dump, MSG_NOSIGNAL | MSG_DONTWAIT)
            : kind == 1      ? send(fd, pfkey, sizeof pfkey, MSG_NOSIGNAL | MSG_DONTWAIT)
                             : send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 || errno == EAGAIN || errno == ENOBUFS;
}

static long flood_send_buffer(void)
{
    static int kept[MOST_KEPT];
    long connections = 0;
    memset(kept, -1, sizeof kept);
    for (unsigned i = 0; goes_on(); i++) {
        int *fd = &kept[i % MOST_KEPT];
        if (*fd < 0) {
            *fd = connect_any(i);
            connections += *fd >= 0;
        }
        if (*fd >= 0 && !ask_for_much(*fd, i % 3)) {
            close(*fd);
            *fd = -1;
        }
    }
    return connections;
}

static ssize_t send_descriptors(int fd, int file, size_t bytes, unsigned count)
{
    uint32_t frame[4] = {0, 10, 0, 0};
    struct iovec part = {frame, bytes};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof file)] = {0};
    struct msghdr message = {.msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = control,
            .msg_controllen = CMSG_SPACE(count * sizeof file)};
    *CMSG_FIRSTHDR(&message) = (struct cmsghdr) {
            .cmsg_len = CMSG_LEN(count * sizeof file), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    for (unsigned i = 0; i < count; i++)
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof file, &file, sizeof file);
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* In the order in which they are most likely to be met by the bridge: it ends a connection for an empty message. */
static long flood_descriptors(void)
{
    static const char *const doors[][2] = {{"netlink.sock", "netlink-admin.sock"}, {"pfkey.sock", "pfkey-admin.sock"}};
    int file = open("/dev/null", O_RDONLY);
    long messages = 0;
    for (unsigned i = 0; goes_on(); i++) {
        int fd = connect_to(doors[i % 2][i / 2 % 2], SOCK_SEQPACKET);
        if (fd < 0)
            continue;
        messages += send_descriptors(fd, file, 16, 1) >= 0;
        messages += send_descriptors(fd, file, 5, 1 + i % 16) >= 0;
        messages += send_descriptors(fd, file, 0, 1 + i % 3) >= 0;
        close(fd);
    }
    return messages;
}

static long flood_traps(const char *network)
{
    uint32_t address, packets = 0;
    unsigned bits = 16;
    char text[32];
    snprintf(text, sizeof text, "%s", network);
    char *slash = strchr(text, '/');
    if (slash != NULL) {
        *slash = '\0';
        bits = (unsigned) atoi(slash + 1);
    }
    if (inet_pton(AF_INET, text, &address) != 1)
        fail(network);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET};
    for (unsigned dice = (unsigned) getpid(); goes_on();) {
        uint32_t host = (uint32_t) rand_r(&dice) << 16 ^ (uint32_t) rand_r(&dice);
        to.sin_addr.s_addr = htonl(ntohl(address) | (host & (bits < 32 ? 0xffffffffu >> bits : 0)));
        to.sin_port = htons((uint16_t) (1 + rand_r(&dice) % 65535));
        packets += sendto(fd, "x", 1, 0, (struct sockaddr *) &to, sizeof to) == 1;
    }
    return packets;
}

/* The client */

/* Times in microseconds, in classes of a hundredth of their size. */
enum { CLASSES = 2400 };

struct times {
    long counts[CLASSES], count;
    double most;
};

static void note(struct times *times, double microseconds)
{
    int bucket = 0;
    for (double limit = 1; limit < microseconds && bucket < CLASSES - 1; limit *= 1.01)
        bucket++;
    times->counts[bucket]++;
    times->count++;
    if (microseconds > times->most)
        times->most = microseconds;
}

static double share(const struct times *times, double part)
{
    double limit = 1;
    long left = (long) ((double) times->count * (1 - part));
    for (int bucket = CLASSES - 1; bucket >= 0; bucket--) {
        left -= times->counts[bucket];
        if (left < 0) {
            for (int i = 0; i < bucket; i++)
                limit *= 1.01;
            return limit < times->most ? limit : times->most;
        }
    }
    return 0;
}

static void add(struct times *sum, const struct times *times)
{
    for (int i = 0; i < CLASSES; i++)
        sum->counts[i] += times->counts[i];
    sum->count += times->count;
    if (times->most > sum->most)
        sum->most = times->most;
}

static int open_client(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
    if (fd < 0)
        fail("socket");
    return fd;
}

/* Sends a request; returns the type of its answer, or minus its errno. */
static int ask(int fd, struct nlmsghdr *request)
{
    static uint32_t sequence;
    static char answer[ROOM];
    request->nlmsg_seq = ++sequence;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (send(fd, request, request->nlmsg_len, 0) != (ssize_t) request->nlmsg_len || poll(&readable, 1, PATIENCE_MS) != 1
            || recv(fd, answer, sizeof answer, 0) < (ssize_t) sizeof(struct nlmsghdr))
        return -EIO;
    const struct nlmsghdr *header = (const void *) answer;
    if (header->nlmsg_seq != sequence)
        return -EIO;
    int error = header->nlmsg_type == NLMSG_ERROR ? ((const struct nlmsgerr *) NLMSG_DATA(header))->error : 0;
    return error != 0 ? error : header->nlmsg_type;
}

/* Adds, reads and deletes a policy of its own; returns how many answers were wrong. */
static int work(int fd, uint32_t number, struct times *times, struct times *opening, double opened)
{
    struct {
        struct nlmsghdr header;
        struct xfrm_userpolicy_info info;
    } new = {.header = {sizeof new, XFRM_MSG_NEWPOLICY, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0, 0}};
    struct {
        struct nlmsghdr header;
        struct xfrm_userpolicy_id id;
    } old = {.header = {sizeof old, XFRM_MSG_GETPOLICY, NLM_F_REQUEST, 0, 0}};
    new.info.sel = (struct xfrm_selector) {
            .daddr.a4 = htonl(0xc6120000 | (number & 0xffff)), .prefixlen_d = 32, .family = AF_INET};
    new.info.lft = (struct xfrm_lifetime_cfg) {XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0};
    new.info.dir = old.id.dir = XFRM_POLICY_IN;
    old.id.sel = new.info.sel;
    int wrong = 0;
    for (int step = 0; step < 3; step++) {
        double start = opened > 0 && step == 0 ? opened : seconds();
        if (step == 2) {
            old.header.nlmsg_type = XFRM_MSG_DELPOLICY;
            old.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        }
        int answer = ask(fd, step == 0 ? &new.header : &old.header);
        bool right = answer == (step == 1 ? XFRM_MSG_NEWPOLICY : NLMSG_ERROR);
        if (!right)
            fprintf(stderr, "flood: step %d was answered %d\n", step, answer);
        wrong += !right;
        note(opened > 0 && step == 0 ? opening : times, (seconds() - start) * 1e6);
    }
    return wrong;
}

static void print(const char *name, const struct times *times, const struct times *opening)
{
    printf("%s %ld %.0f %.0f %.0f %.0f %.0f", name, times->count, share(times, 0.5), share(times, 0.99), times->most,
            share(opening, 0.99), opening->most);
}

static int run_client(void)
{
    static struct times all, all_opening;
    double begin = seconds();
    int fd = open_client(), wrong = 0;
    uint32_t number = (uint32_t) getpid() << 8;
    for (int second = 0; goes_on(); second++) {
        static struct times times, opening;
        memset(&times, 0, sizeof times);
        memset(&opening, 0, sizeof opening);
        while (seconds() < begin + second + 1) {
            if (++number % OPEN_EVERY == 0) {
                double start = seconds();
                int other = open_client();
                wrong += work(other, number, &times, &opening, start);
                close(other);
            } else {
                wrong += work(fd, number, &times, &opening, 0);
            }
            usleep(1000);
        }
        char name[16];
        snprintf(name, sizeof name, "%d", second + 1);
        print(name, &times, &opening);
        printf("\n");
        fflush(stdout);
        add(&all, &times);
        add(&all_opening, &opening);
    }
    print("all", &all, &all_opening);
    printf(" wrong %d\n", wrong);
    return wrong != 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || (getenv("XFRM_BRIDGE_DIR") == NULL && strcmp(argv[1], "client") != 0))
        return fprintf(stderr, "flood: KIND SECONDS [NETWORK], and XFRM_BRIDGE_DIR\n"), 2;
    deadline = seconds() + atof(argv[2]);
    if (strcmp(argv[1], "client") == 0)
        return run_client();
    long count = strcmp(argv[1], "accept") == 0   ? flood_accept()
            : strcmp(argv[1], "datagrams") == 0   ? flood_datagrams()
            : strcmp(argv[1], "send-buffer") == 0 ? flood_send_buffer()
            : strcmp(argv[1], "descriptors") == 0 ? flood_descriptors()
            : strcmp(argv[1], "traps") == 0       ? flood_traps(argc > 3 ? argv[3] : "10.9.0.0/16")
                                                  : -1;
    if (count < 0)
        return fprintf(stderr, "flood: there is no %s\n", argv[1]), 2;
    printf("%s: %ld in %s s\n", argv[1], count, argv[2]);
    return 0;
}
