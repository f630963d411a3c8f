/*
 * policies [-p] KIND N...: the load of the stress program "many-policies" on a NETLINK_XFRM socket, for the running
 * kernel or, under "xfrm-bridge exec --", for the bridge. KIND is exact, networks or prefixed; the same policies by
 * number as Entries.java makes, without templates. With -p also what the kernel takes to find the policy of a packet:
 * datagrams from anywhere to anywhere, as many with policies as without. Prints lines as Stress does. Run it in a
 * network namespace of its own: it flushes all policies.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { EXACT, NETWORKS, PREFIXED };
static const char *const kinds[] = {"exact", "networks", "prefixed"};

enum { BATCH = 64, MESSAGE_BYTES = 512, CHANGES = 2000, FLOWS = 1000, PACKETS = 200000 };

static enum kind kind;
static int netlink_fd;
static uint32_t sequence;
static long refused;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static uint64_t scatter(uint64_t number)
{
    uint64_t x = (number ^ number >> 33) * 0xff51afd7ed558ccdu;
    x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static uint32_t daddr(long number)
{
    return (uint32_t) scatter((uint64_t) number * 2);
}

static uint32_t saddr(long number)
{
    return (uint32_t) scatter((uint64_t) number * 2 + 1);
}

static uint32_t prefix(uint32_t address, unsigned bits)
{
    return bits == 0 ? 0 : address & 0xffffffffu << (32 - bits);
}

static void select_flows(struct xfrm_selector *selector, long number)
{
    uint64_t lengths = scatter((uint64_t) number * 31 + 7);
    selector->family = AF_INET;
    selector->prefixlen_d = kind == EXACT ? 32 : kind == NETWORKS ? 24 : (uint32_t) (lengths >> 32) % 33;
    selector->prefixlen_s = kind == EXACT ? 32 : kind == NETWORKS ? 24 : (uint32_t) lengths % 33;
    selector->daddr.a4 = htonl(prefix(daddr(number), selector->prefixlen_d));
    selector->saddr.a4 = htonl(prefix(saddr(number), selector->prefixlen_s));
}

static struct nlmsghdr *message(char *at, int type, int flags, size_t bytes)
{
    struct nlmsghdr *header = (struct nlmsghdr *) at;
    memset(at, 0, MESSAGE_BYTES);
    header->nlmsg_type = (uint16_t) type;
    header->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
    header->nlmsg_len = NLMSG_LENGTH(bytes);
    header->nlmsg_seq = ++sequence;
    return header;
}

static struct nlmsghdr *request(char *at, int type, long number)
{
    if (type == XFRM_MSG_DELPOLICY) {
        struct nlmsghdr *header = message(at, type, 0, sizeof(struct xfrm_userpolicy_id));
        struct xfrm_userpolicy_id *id = NLMSG_DATA(header);
        select_flows(&id->sel, number);
        id->dir = XFRM_POLICY_OUT;
        return header;
    }
    struct nlmsghdr *header = message(at, type, 0, sizeof(struct xfrm_userpolicy_info));
    struct xfrm_userpolicy_info *policy = NLMSG_DATA(header);
    select_flows(&policy->sel, number);
    policy->lft.soft_byte_limit = policy->lft.hard_byte_limit = XFRM_INF;
    policy->lft.soft_packet_limit = policy->lft.hard_packet_limit = XFRM_INF;
    policy->dir = XFRM_POLICY_OUT;
    policy->action = XFRM_POLICY_ALLOW;
    policy->priority = kind == PREFIXED ? (uint32_t) scatter(~(uint64_t) number) : 1000;
    return header;
}

/*
 * Reads until the answer to the message of that number, or the end of a dump; returns the messages that were neither.
 */
static long drain(uint32_t until)
{
    static char buffer[1 << 18];
    long seen = 0;
    for (;;) {
        ssize_t got = recv(netlink_fd, buffer, sizeof buffer, 0);
        if (got < 0)
            die("recv");
        unsigned left = (unsigned) got;
        for (struct nlmsghdr *h = (void *) buffer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type == NLMSG_DONE)
                return seen;
            if (h->nlmsg_type != NLMSG_ERROR) {
                seen++;
                continue;
            }
            if (((struct nlmsgerr *) NLMSG_DATA(h))->error != 0)
                refused++;
            if (h->nlmsg_seq == until)
                return seen;
        }
    }
}

/*
 * Sends requests by the batch, without acknowledgements, and waits for the last to be done; returns how long that took.
 */
static uint64_t run(int type, long from, long to)
{
    static char buffer[BATCH * MESSAGE_BYTES];
    uint64_t start = now_ns();
    for (long number = from; number < to;) {
        size_t bytes = 0;
        struct nlmsghdr *last = NULL;
        for (int i = 0; i < BATCH && number < to; i++, number++) {
            last = request(buffer + bytes, type, number);
            bytes += NLMSG_ALIGN(last->nlmsg_len);
        }
        if (number == to)
            last->nlmsg_flags |= NLM_F_ACK;
        if (send(netlink_fd, buffer, bytes, 0) < 0)
            die("send");
        if (number == to)
            drain(last->nlmsg_seq);
    }
    return now_ns() - start;
}

static uint64_t flush(void)
{
    char buffer[MESSAGE_BYTES];
    struct nlmsghdr *header = message(buffer, XFRM_MSG_FLUSHPOLICY, NLM_F_ACK, 0);
    uint64_t start = now_ns();
    long before = refused;
    if (send(netlink_fd, buffer, header->nlmsg_len, 0) < 0)
        die("send");
    drain(header->nlmsg_seq);
    refused = before;
    return now_ns() - start;
}

static long dump(void)
{
    char buffer[MESSAGE_BYTES];
    struct nlmsghdr *header = message(buffer, XFRM_MSG_GETPOLICY, NLM_F_DUMP, 0);
    if (send(netlink_fd, buffer, header->nlmsg_len, 0) < 0)
        die("send");
    return drain(0);
}

static long slab_kb(void)
{
    char line[128];
    long kb = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "Slab: %ld", &kb);
    if (file)
        fclose(file);
    return kb;
}

/* Numbers of flows whose addresses may be sent from and to. */
static long next_flow(long number)
{
    for (;; number++) {
        uint32_t d = daddr(number) >> 24, s = saddr(number) >> 24;
        if (d != 0 && d != 127 && d < 224 && s != 0 && s != 127 && s < 224)
            return number;
    }
}

/*
 * Mean time per datagram, each a flow of its own among FLOWS; from a transparent socket, which may send from any
 * address.
 */
static double packet_ns(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    if (fd < 0 || setsockopt(fd, SOL_IP, IP_TRANSPARENT, &one, sizeof one))
        die("transparent socket");
    static long flows[FLOWS];
    for (long i = 0, number = 0; i < FLOWS; i++, number++)
        flows[i] = number = next_flow(number);
    uint64_t start = 0;
    for (long i = -FLOWS; i < PACKETS; i++) {
        if (i == 0)
            start = now_ns();
        long number = flows[(i + FLOWS) % FLOWS];
        struct sockaddr_in to = {
                .sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(daddr(number))};
        struct iovec payload = {"stress", 6};
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
        } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
                             .cmsg_level = SOL_IP,
                             .cmsg_type = IP_PKTINFO}};
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(saddr(number))};
        memcpy(CMSG_DATA(&control.header), &info, sizeof info);
        struct msghdr datagram = {
                .msg_name = &to,
                .msg_namelen = sizeof to,
                .msg_iov = &payload,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        if (sendmsg(fd, &datagram, 0) < 0)
            die("sendmsg: is there a default route to a device that is up?");
    }
    double ns = (double) (now_ns() - start) / PACKETS;
    close(fd);
    return ns;
}

static void measure(const char *name, long entries, int with_packets)
{
    flush();
    refused = 0;
    double bare = with_packets ? packet_ns() : 0;
    long slab = slab_kb();
    uint64_t add = run(XFRM_MSG_UPDPOLICY, 0, entries);
    long bytes = with_packets ? (slab_kb() - slab) * 1024 / entries : 0;
    double loaded = with_packets ? packet_ns() : 0;
    long changes = entries / 2 < CHANGES ? entries / 2 : CHANGES;
    uint64_t dump_start = now_ns();
    long dumped = dump();
    uint64_t dump_ns = now_ns() - dump_start;
    uint64_t update = run(XFRM_MSG_UPDPOLICY, 0, changes);
    uint64_t delete = run(XFRM_MSG_DELPOLICY, 0, changes);
    uint64_t flush_ns = flush();
    printf("changes  %-22s %9ld %9.0f %9.0f %9.0f %9.0f %11.2f %9ld %9ld\n", name, entries, entries * 1e9 / add,
            changes * 1e9 / update, changes * 1e9 / delete, dumped * 1e9 / dump_ns, flush_ns / 1e6, bytes, entries);
    if (with_packets)
        printf("classify %-22s %9ld %9.0f ns (a datagram: %.0f ns with policies, %.0f without)\n", name, entries,
                loaded - bare, loaded, bare);
    fflush(stdout);
}

int main(int count, char **arguments)
{
    int with_packets = count > 1 && !strcmp(arguments[1], "-p");
    char **rest = arguments + 1 + with_packets;
    for (kind = EXACT; kind <= PREFIXED && (!*rest || strcmp(*rest, kinds[kind])); kind++) {}
    if (kind > PREFIXED) {
        fprintf(stderr, "usage: policies [-p] exact|networks|prefixed N...\n");
        return 2;
    }
    netlink_fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
    int bytes = 64 << 20;
    if (netlink_fd < 0)
        die("NETLINK_XFRM");
    setsockopt(netlink_fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    setsockopt(netlink_fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
    char name[64];
    snprintf(name, sizeof name, "%s %s", with_packets ? "kernel" : "netlink", kinds[kind]);
    while (*++rest)
        measure(name, atol(*rest), with_packets);
    return 0;
}
