/*
 * messages KIND COUNT BATCH quiet|ack VERB... - how fast NETLINK_XFRM takes requests.
 *
 * KIND     exact        policies, one address to one address
 *          prefixed     policies, any to a /24 of their own, 4096 priorities
 *          overlapping  policies, any to one of 256 /24s, told apart by port, 4096 priorities
 *          random       policies, both prefixes of random length from 8 to 32 bits, random addresses and priorities
 *          larval       SPIs to allocate, each for a peer of its own
 *          states       SAs, AES-GCM, each with a peer of its own
 * COUNT    of entries; BATCH of requests in one send
 * ack      asks for an acknowledgement of each request; with quiet only errors come back, and a request behind the last
 *          one tells the end
 * VERB     add, get, update, delete, dump or flush: done to all entries, in this order, and printed as
 *          "VERB SECONDS OPERATIONS/SECOND", times by the clock on the wall, from the first request to the last answer
 *
 * Flushes both databases before and after: for a network namespace of its own, or a bridge of its own under
 * "xfrm-bridge exec". An error that was not expected ends it with exit code 1. That a random policy is already there is
 * expected.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { EXACT, PREFIXED, OVERLAPPING, RANDOM, LARVAL, STATES, KINDS };

static const char *const KIND_NAMES[KINDS] = {"exact", "prefixed", "overlapping", "random", "larval", "states"};

enum {
    RECEIVE_BYTES = 65536,
    RECEIVES = 64,
    REQUEST_BYTES = 512,
    SOCKET_BUFFER_BYTES = 256 << 20,
    FIRST_SPI = 0x10000
};

static enum kind kind;
static int fd, count, batch;
static bool acknowledged;
static uint32_t sequence;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + now.tv_nsec / 1e9;
}

/* A different number for each number, and the same in every run. */
static uint32_t scramble(uint32_t number)
{
    number = (number ^ number >> 16) * 0x7feb352du;
    number = (number ^ number >> 15) * 0x846ca68bu;
    return number ^ number >> 16;
}

/* Requests */

static void *begin(struct nlmsghdr *request, int type, size_t length)
{
    memset(request, 0, REQUEST_BYTES);
    request->nlmsg_type = (uint16_t) type;
    request->nlmsg_flags = NLM_F_REQUEST;
    request->nlmsg_len = (uint32_t) NLMSG_LENGTH(length);
    request->nlmsg_seq = ++sequence;
    return NLMSG_DATA(request);
}

static void *append(struct nlmsghdr *request, int type, size_t length)
{
    struct nlattr *attribute = (struct nlattr *) ((char *) request + NLMSG_ALIGN(request->nlmsg_len));
    attribute->nla_type = (uint16_t) type;
    attribute->nla_len = (uint16_t) (NLA_HDRLEN + length);
    request->nlmsg_len = NLMSG_ALIGN(request->nlmsg_len) + (uint32_t) NLA_ALIGN(attribute->nla_len);
    return attribute + 1;
}

static const struct xfrm_lifetime_cfg FOREVER = {XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0};

static uint32_t self(void)
{
    return htonl(0x0a000001);
}

static uint32_t peer(int i)
{
    return htonl(0x0b000000 + (uint32_t) i);
}

static uint32_t prefix(uint32_t bits, int length)
{
    return htonl(bits & ~0u << (32 - length));
}

static struct xfrm_selector selector(int i)
{
    uint32_t n = (uint32_t) i;
    struct xfrm_selector selector = {.family = AF_INET};
    switch (kind) {
    case EXACT:
        selector.saddr.a4 = self();
        selector.daddr.a4 = peer(i);
        selector.prefixlen_s = selector.prefixlen_d = 32;
        break;
    case OVERLAPPING:
        selector.daddr.a4 = htonl(0x10000000 + n % 256 * 256);
        selector.prefixlen_d = 24;
        selector.proto = IPPROTO_UDP;
        selector.dport = htons((uint16_t) (1 + n / 256 % 65535));
        selector.dport_mask = 0xffff;
        break;
    case RANDOM:
        selector.prefixlen_s = (uint8_t) (8 + scramble(4 * n) % 25);
        selector.prefixlen_d = (uint8_t) (8 + scramble(4 * n + 1) % 25);
        selector.saddr.a4 = prefix(scramble(4 * n + 2), selector.prefixlen_s);
        selector.daddr.a4 = prefix(scramble(4 * n + 3), selector.prefixlen_d);
        break;
    default:
        selector.daddr.a4 = htonl(0x10000000 + n * 256);
        selector.prefixlen_d = 24;
        break;
    }
    return selector;
}

static void write_policy(struct nlmsghdr *request, int type, int i)
{
    struct xfrm_userpolicy_info *policy = begin(request, type, sizeof *policy);
    policy->sel = selector(i);
    policy->dir = XFRM_POLICY_OUT;
    policy->priority = kind == EXACT ? 1000 : scramble((uint32_t) i) >> 20;
    policy->lft = FOREVER;
    struct xfrm_user_tmpl *template = append(request, XFRMA_TMPL, sizeof *template);
    template->id.proto = IPPROTO_ESP;
    template->id.daddr.a4 = peer(i);
    template->saddr.a4 = self();
    template->family = AF_INET;
    template->mode = XFRM_MODE_TUNNEL;
    template->reqid = 1;
    template->aalgos = template->ealgos = template->calgos = ~0u;
}

static void write_policy_name(struct nlmsghdr *request, int type, int i)
{
    struct xfrm_userpolicy_id *name = begin(request, type, sizeof *name);
    name->sel = selector(i);
    name->dir = XFRM_POLICY_OUT;
}

static void fill_state(struct xfrm_usersa_info *state, int i)
{
    state->id.daddr.a4 = peer(i);
    state->id.proto = IPPROTO_ESP;
    state->saddr.a4 = self();
    state->family = state->sel.family = AF_INET;
    state->mode = XFRM_MODE_TUNNEL;
    state->reqid = 1;
    state->replay_window = 32;
    state->lft = FOREVER;
}

static void write_state(struct nlmsghdr *request, int type, int i)
{
    enum { KEY_BYTES = 20 };
    struct xfrm_usersa_info *state = begin(request, type, sizeof *state);
    fill_state(state, i);
    state->id.spi = htonl((uint32_t) (FIRST_SPI + i));
    struct xfrm_algo_aead *cipher = append(request, XFRMA_ALG_AEAD, sizeof *cipher + KEY_BYTES);
    strcpy(cipher->alg_name, "rfc4106(gcm(aes))");
    cipher->alg_key_len = KEY_BYTES * 8;
    cipher->alg_icv_len = 128;
    for (int k = 0; k < KEY_BYTES; k++)
        cipher->alg_key[k] = (char) (7 * k + i);
}

static void write_allocation(struct nlmsghdr *request, int i)
{
    struct xfrm_userspi_info *allocation = begin(request, XFRM_MSG_ALLOCSPI, sizeof *allocation);
    fill_state(&allocation->info, i);
    allocation->min = allocation->max = (uint32_t) (FIRST_SPI + i);
}

static void write_state_name(struct nlmsghdr *request, int type, int i)
{
    struct xfrm_usersa_id *name = begin(request, type, sizeof *name);
    name->daddr.a4 = peer(i);
    name->spi = htonl((uint32_t) (FIRST_SPI + i));
    name->family = AF_INET;
    name->proto = IPPROTO_ESP;
}

static void write_request(struct nlmsghdr *request, int type, int i)
{
    switch (type) {
    case XFRM_MSG_NEWPOLICY:
    case XFRM_MSG_UPDPOLICY: write_policy(request, type, i); break;
    case XFRM_MSG_GETPOLICY:
    case XFRM_MSG_DELPOLICY: write_policy_name(request, type, i); break;
    case XFRM_MSG_NEWSA:
    case XFRM_MSG_UPDSA: write_state(request, type, i); break;
    case XFRM_MSG_ALLOCSPI: write_allocation(request, i); break;
    default: write_state_name(request, type, i);
    }
}

/* Answers */

static void send_all(const void *requests, size_t length)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(fd, requests, length, 0, (const struct sockaddr *) &kernel, sizeof kernel) < 0)
        fail("sendto");
}

static void check(const struct nlmsghdr *answer)
{
    const struct nlmsgerr *error = NLMSG_DATA(answer);
    if (error->error == 0 || (kind == RANDOM && error->error == -EEXIST))
        return;
    fprintf(stderr, "request %u was refused: %s\n", answer->nlmsg_seq, strerror(-error->error));
    exit(1);
}

/* What has come in: answers of all kinds, the last one's number, and whether it was the end of a dump. */
struct arrivals {
    long messages;
    uint32_t last;
    bool done;
};

static struct arrivals receive_some(unsigned most)
{
    static char buffers[RECEIVES][RECEIVE_BYTES];
    static struct iovec parts[RECEIVES];
    static struct mmsghdr datagrams[RECEIVES];
    for (unsigned i = 0; i < most; i++) {
        parts[i] = (struct iovec) {buffers[i], RECEIVE_BYTES};
        datagrams[i].msg_hdr = (struct msghdr) {.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int received = recvmmsg(fd, datagrams, most, MSG_WAITFORONE, NULL);
    if (received < 0)
        fail("recvmmsg");
    struct arrivals arrivals = {0};
    for (int i = 0; i < received; i++) {
        unsigned left = datagrams[i].msg_len;
        for (struct nlmsghdr *answer = (struct nlmsghdr *) buffers[i]; NLMSG_OK(answer, left);
                answer = NLMSG_NEXT(answer, left)) {
            if (answer->nlmsg_type == NLMSG_ERROR)
                check(answer);
            arrivals.messages++;
            arrivals.last = answer->nlmsg_seq;
            arrivals.done = answer->nlmsg_type == NLMSG_DONE;
        }
    }
    return arrivals;
}

static void await_messages(long expected)
{
    while (expected > 0)
        expected -= receive_some(expected < RECEIVES ? (unsigned) expected : RECEIVES).messages;
}

static void await_answer(uint32_t number)
{
    while (receive_some(1).last != number) {}
}

/* Verbs */

static bool has_answer(int type)
{
    return type == XFRM_MSG_GETPOLICY || type == XFRM_MSG_GETSA || type == XFRM_MSG_ALLOCSPI;
}

/* A request that does nothing, and whose acknowledgement comes behind everything else. */
static void await_all(void)
{
    char request[REQUEST_BYTES];
    struct nlmsghdr *nothing = (struct nlmsghdr *) request;
    begin(nothing, NLMSG_NOOP, 0);
    nothing->nlmsg_flags |= NLM_F_ACK;
    send_all(nothing, nothing->nlmsg_len);
    await_answer(nothing->nlmsg_seq);
}

static void run(int type)
{
    char *requests = malloc((size_t) batch * REQUEST_BYTES);
    int answers = (acknowledged ? 1 : 0) + (has_answer(type) ? 1 : 0);
    for (int i = 0; i < count;) {
        char *next = requests;
        int inside = 0;
        for (; inside < batch && i < count; inside++, i++) {
            struct nlmsghdr *request = (struct nlmsghdr *) next;
            write_request(request, type, i);
            if (acknowledged)
                request->nlmsg_flags |= NLM_F_ACK;
            next += NLMSG_ALIGN(request->nlmsg_len);
        }
        send_all(requests, (size_t) (next - requests));
        await_messages((long) inside * answers);
    }
    if (answers == 0)
        await_all();
    free(requests);
}

/* A dump makes its next part when the one before is fetched: each receive takes one. */
static long dump(int type)
{
    char request[REQUEST_BYTES];
    struct nlmsghdr *inquiry = (struct nlmsghdr *) request;
    begin(inquiry, type, 0);
    inquiry->nlmsg_flags |= NLM_F_DUMP;
    send_all(inquiry, inquiry->nlmsg_len);
    long entries = -1;
    for (struct arrivals arrivals = {0}; !arrivals.done; entries += arrivals.messages)
        arrivals = receive_some(1);
    return entries;
}

static void flush(int type)
{
    char request[REQUEST_BYTES];
    struct nlmsghdr *order = (struct nlmsghdr *) request;
    begin(order, type, type == XFRM_MSG_FLUSHSA ? sizeof(struct xfrm_usersa_flush) : 0);
    order->nlmsg_flags |= NLM_F_ACK;
    send_all(order, order->nlmsg_len);
    await_answer(order->nlmsg_seq);
}

static void expect_whole_dump(long entries)
{
    if (entries == count || (kind == RANDOM && entries > count / 100 * 99))
        return;
    fprintf(stderr, "the dump has %ld of %d entries\n", entries, count);
    exit(1);
}

static void carry_out(const char *verb)
{
    bool policies = kind < LARVAL;
    if (strcmp(verb, "add") == 0)
        run(policies ? XFRM_MSG_NEWPOLICY : kind == LARVAL ? XFRM_MSG_ALLOCSPI : XFRM_MSG_NEWSA);
    else if (strcmp(verb, "get") == 0)
        run(policies ? XFRM_MSG_GETPOLICY : XFRM_MSG_GETSA);
    else if (strcmp(verb, "update") == 0)
        run(policies ? XFRM_MSG_UPDPOLICY : XFRM_MSG_UPDSA);
    else if (strcmp(verb, "delete") == 0)
        run(policies ? XFRM_MSG_DELPOLICY : XFRM_MSG_DELSA);
    else if (strcmp(verb, "dump") == 0)
        expect_whole_dump(dump(policies ? XFRM_MSG_GETPOLICY : XFRM_MSG_GETSA));
    else
        flush(policies ? XFRM_MSG_FLUSHPOLICY : XFRM_MSG_FLUSHSA);
}

static void measure(const char *verb)
{
    double start = seconds();
    carry_out(verb);
    double taken = seconds() - start;
    printf("%s %.6f %.0f\n", verb, taken, count / taken);
    fflush(stdout);
}

static void flush_both(void)
{
    flush(XFRM_MSG_FLUSHSA);
    flush(XFRM_MSG_FLUSHPOLICY);
}

static void open_socket(void)
{
    const int bytes = SOCKET_BUFFER_BYTES, on = 1;
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
    if (fd < 0 || bind(fd, (const struct sockaddr *) &any, sizeof any) != 0)
        fail("NETLINK_XFRM");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
}

int main(int argc, char **argv)
{
    enum { KIND = 1, COUNT, BATCH, ANSWERS, FIRST_VERB };
    for (kind = EXACT; argc > FIRST_VERB && kind < KINDS && strcmp(argv[KIND], KIND_NAMES[kind]) != 0; kind++) {}
    if (argc <= FIRST_VERB || kind == KINDS || (count = atoi(argv[COUNT])) <= 0 || (batch = atoi(argv[BATCH])) <= 0) {
        fprintf(stderr, "usage: messages KIND COUNT BATCH quiet|ack VERB... (the head of messages.c explains)\n");
        return 2;
    }
    acknowledged = strcmp(argv[ANSWERS], "ack") == 0;
    open_socket();
    flush_both();
    for (int i = FIRST_VERB; i < argc; i++)
        measure(argv[i]);
    flush_both();
    return 0;
}
