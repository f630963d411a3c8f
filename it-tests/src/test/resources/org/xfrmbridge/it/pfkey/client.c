/*
 * A PF_KEY client of our own that speaks the sequences of racoon and of setkey; prints all it hears, without what two
 * runs cannot share.
 *
 *   client racoon      an IKE daemon's start, one negotiation with NAT-T, its rekey and its end
 *   client setkey      a manual configuration: flush, add, list, delete, listen to everything
 *   client sockets     socket policies in all forms
 *   client load N      N SAs; prints how many the kernel has taken
 *   client dump        registers, dumps all SAs, and prints how many it was told of and the milliseconds that took
 */
#include "messages.h"
#include "options.h"

#include <errno.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int open_key(void)
{
    int fd = socket(PF_KEY, SOCK_RAW, PF_KEY_V2);

    check(fd < 0, "socket(PF_KEY)");
    return fd;
}

/* Halves what it wants until the socket has it, as libipsec does. */
static void size_buffer(int fd, int option, int wanted)
{
    int has = 0;
    socklen_t length = sizeof has;

    while (wanted > 1024) {
        if (setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof wanted) == 0
                && getsockopt(fd, SOL_SOCKET, option, &has, &length) == 0 && has >= wanted)
            break;
        wanted /= 2;
    }
    printf("buffer %s\n", wanted > 1024 ? "as wanted or less" : "too small");
}

static int open_ike(int port, int encapsulated)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sadb_x_policy bypass = {2, SADB_X_EXT_POLICY, IPSEC_POLICY_BYPASS, IPSEC_DIR_INBOUND, 0, 0, 0};
    int on = 1, type = UDP_ENCAP_ESPINUDP, fd = socket(AF_INET, SOCK_DGRAM, 0);

    check(fd < 0, "socket(AF_INET)");
    check(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), "IP_PKTINFO");
    check(setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, &bypass, sizeof bypass), "in bypass");
    bypass.sadb_x_policy_dir = IPSEC_DIR_OUTBOUND;
    check(setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, &bypass, sizeof bypass), "out bypass");
    check(encapsulated && setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type), "UDP_ENCAP");
    check(bind(fd, (struct sockaddr *) &here, sizeof here), "bind");
    return fd;
}

/* Socket policies that ask for IPsec: what racoon never does, but other programs may. */
static void socket_policies(int fd)
{
    struct {
        struct sadb_x_policy policy;
        struct sadb_x_ipsecrequest request;
    } ipsec = {
            {sizeof ipsec / 8, SADB_X_EXT_POLICY, IPSEC_POLICY_IPSEC, IPSEC_DIR_OUTBOUND, 0, 0, 0},
            {.sadb_x_ipsecrequest_len = 16,
                    .sadb_x_ipsecrequest_proto = IPPROTO_ESP,
                    .sadb_x_ipsecrequest_mode = IPSEC_MODE_TRANSPORT,
                    .sadb_x_ipsecrequest_level = IPSEC_LEVEL_REQUIRE},
    };
    static const int changes[][2] = {
            {0, 0}, {0, 1}, {16, 17}, {16, 8}, {18, 6}, {20, 0}, {20, 9}, {20, 2}, {6, 3}, {4, 9}};

    printf("policy of a socket");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        unsigned char value[sizeof ipsec];

        memcpy(value, &ipsec, sizeof ipsec);
        if (i)
            value[changes[i][0]] = changes[i][1];
        printf(" %d", setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, value, sizeof value) ? errno : 0);
    }
    printf(" %d\n", setsockopt(fd, IPPROTO_IP, IP_IPSEC_POLICY, NULL, 0) ? errno : 0);
}

/* How many PF_KEY sockets there are, as /proc tells it. */
static void list_sockets(void)
{
    char line[256];
    int lines = 0;
    FILE *file = fopen("/proc/net/pfkey", "r");

    check(!file, "/proc/net/pfkey");
    for (; fgets(line, sizeof line, file); lines++)
        if (!lines)
            fputs(line, stdout);
    fclose(file);
    printf("%d sockets\n", lines - 1);
}

static struct msghdr carrying(struct iovec *byte, char *control, size_t room)
{
    return (struct msghdr) {.msg_iov = byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
}

/* Privilege separation: a child that may not open one gets the PF_KEY socket of its parent, and asks through it. */
static void separate(int fd)
{
    int pair[2], status;
    char byte = 0, control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec place = {&byte, 1};
    struct msghdr passed = carrying(&place, control, sizeof control);
    struct cmsghdr *head = CMSG_FIRSTHDR(&passed);

    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    fflush(stdout);
    pid_t child = fork();
    check(child < 0, "fork");
    if (child) {
        *head = (struct cmsghdr) {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(head), &fd, sizeof fd);
        check(sendmsg(pair[0], &passed, 0) < 0, "sendmsg");
        waitpid(child, &status, 0);
        check(status, "the child");
        hear(fd, "the parent");
        return;
    }
    close(fd);
    check(recvmsg(pair[1], &passed, 0) < 0 || !CMSG_FIRSTHDR(&passed), "recvmsg");
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&passed)), sizeof fd);
    begin(SADB_FLUSH, SADB_SATYPE_UNSPEC);
    ask(fd, "FLUSH by the child");
    exit(0);
}

static void negotiate(int fd, int type, const char *from, const char *to, uint32_t spi, int direction)
{
    begin(type, SADB_SATYPE_ESP);
    put_sa(spi);
    put_lifetimes();
    put_hosts(from, to);
    put_keys(direction);
    put_sa2(IPSEC_MODE_TUNNEL, direction);
    put_nat();
    ask(fd, type == SADB_ADD ? "ADD" : "UPDATE");
}

static void delete(int fd, const char *from, const char *to, uint32_t spi)
{
    begin(SADB_DELETE, SADB_SATYPE_ESP);
    put_sa(spi);
    put_hosts(from, to);
    ask(fd, "DELETE");
}

static void racoon(void)
{
    int fd = open_key();
    static const int types[] = {SADB_SATYPE_AH, SADB_SATYPE_ESP, SADB_X_SATYPE_IPCOMP};
    uint32_t inbound[2];

    size_buffer(fd, SO_SNDBUF, 128 * 1024);
    size_buffer(fd, SO_RCVBUF, 2 * 1024 * 1024);
    for (int i = 0; i < 3; i++) {
        begin(SADB_REGISTER, types[i]);
        ask(fd, "REGISTER");
    }
    begin(SADB_X_SPDDUMP, SADB_SATYPE_UNSPEC);
    ask(fd, "X_SPDDUMP");
    int ike = open_ike(5500, 0), nat = open_ike(5501, 1);
    list_sockets();
    separate(fd);
    socket_policies(ike);
    for (int direction = IPSEC_DIR_INBOUND; direction <= IPSEC_DIR_FWD; direction++) {
        begin(SADB_X_SPDUPDATE, SADB_SATYPE_UNSPEC);
        put_policy(direction, 0, 1);
        put_lifetimes();
        put_nets(direction);
        ask(fd, "X_SPDUPDATE");
    }
    for (int i = 0; i < 2; i++) {
        begin(SADB_GETSPI, SADB_SATYPE_ESP);
        put_sa2(IPSEC_MODE_TUNNEL, 1);
        put_hosts(THERE, HERE);
        put_range(0x10000, 0xfffffff);
        ask(fd, "GETSPI");
        inbound[i] = last_spi;
        negotiate(fd, SADB_UPDATE, THERE, HERE, inbound[i], 1);
        negotiate(fd, SADB_ADD, HERE, THERE, 0x1000 + i, 2);
        if (i)
            delete (fd, THERE, HERE, inbound[0]);
        if (i)
            delete (fd, HERE, THERE, 0x1000);
    }
    begin(SADB_ACQUIRE, SADB_SATYPE_ESP);
    struct sadb_msg *head = (struct sadb_msg *) message;
    head->sadb_msg_errno = ETIMEDOUT;
    ask(fd, "ACQUIRE of nothing");
    begin(SADB_FLUSH, SADB_SATYPE_UNSPEC);
    ask(fd, "FLUSH");
    for (int direction = IPSEC_DIR_INBOUND; direction <= IPSEC_DIR_FWD; direction++) {
        begin(SADB_X_SPDDELETE, SADB_SATYPE_UNSPEC);
        put_policy(direction, 0, 1);
        put_nets(direction);
        ask(fd, "X_SPDDELETE");
    }
    close(nat);
}

static void be_setkey(void)
{
    int fd = open_key(), other = open_key();

    begin(SADB_X_PROMISC, 1);
    ask(other, "X_PROMISC");
    hear(fd, "the other hears");
    begin(SADB_FLUSH, SADB_SATYPE_UNSPEC);
    ask(fd, "FLUSH");
    begin(SADB_X_SPDFLUSH, SADB_SATYPE_UNSPEC);
    ask(fd, "X_SPDFLUSH");
    for (int i = 0; i < 3; i++) {
        begin(SADB_ADD, SADB_SATYPE_ESP);
        put_sa(0x1000 + i / 2);
        put_lifetimes();
        put_sa2(IPSEC_MODE_ANY, 0);
        put_hosts(HERE, THERE);
        put_keys(0x40);
        ask(fd, "ADD");
    }
    begin(SADB_X_SPDADD, SADB_SATYPE_UNSPEC);
    put_policy(IPSEC_DIR_OUTBOUND, 0, 1);
    put_nets(IPSEC_DIR_OUTBOUND);
    ask(fd, "X_SPDADD");
    uint32_t id = last_id;
    begin(SADB_X_SPDGET, SADB_SATYPE_UNSPEC);
    put_policy(IPSEC_DIR_OUTBOUND, id, 0);
    ask(fd, "X_SPDGET");
    begin(SADB_GET, SADB_SATYPE_ESP);
    put_sa(0x1000);
    put_hosts(HERE, THERE);
    ask(fd, "GET");
    begin(SADB_DUMP, SADB_SATYPE_UNSPEC);
    ask(fd, "DUMP");
    begin(SADB_X_SPDDUMP, SADB_SATYPE_UNSPEC);
    ask(fd, "X_SPDDUMP");
    delete (fd, HERE, THERE, 0x1001);
    delete (fd, HERE, THERE, 0x1001);
    begin(SADB_X_SPDDELETE2, SADB_SATYPE_UNSPEC);
    put_policy(IPSEC_DIR_OUTBOUND, id, 0);
    ask(fd, "X_SPDDELETE2");
    begin(SADB_FLUSH, SADB_SATYPE_ESP);
    ask(fd, "FLUSH");
    begin(SADB_DUMP, SADB_SATYPE_UNSPEC);
    ask(fd, "DUMP of nothing");
    printf("heard by the promiscuous one\n");
    hear(other, " ");
}

enum { ON_THEIR_WAY = 32 };

static long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int is_taken(int fd)
{
    check(recv(fd, answer, sizeof answer, 0) < 0, "ADD");
    return answer[2] == 0;
}

/* Some requests at a time are on their way: on a busy machine each turn between two programs takes milliseconds. */
static void load(int count)
{
    int fd = open_key(), taken = 0;

    for (int i = 0; i < count; i++) {
        begin(SADB_ADD, SADB_SATYPE_ESP);
        put_sa(0x100000 + i);
        put_hosts(HERE, THERE);
        put_keys(i & 0xff);
        struct sadb_msg *head = (struct sadb_msg *) message;
        head->sadb_msg_len = filled / 8;
        check(send(fd, message, filled, 0) < 0, "ADD");
        if (i >= ON_THEIR_WAY)
            taken += is_taken(fd);
    }
    for (int i = 0; i < count && i < ON_THEIR_WAY; i++)
        taken += is_taken(fd);
    printf("%d\n", taken);
}

/* As setkey -D: one message after the other, each looked at. The last one has number 0. */
static void dump(void)
{
    int fd = open_key(), told = 0, bytes = 2 << 20;
    struct sadb_msg head;
    struct timeval patience = {.tv_sec = 20};

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    begin(SADB_REGISTER, SADB_SATYPE_ESP);
    ((struct sadb_msg *) message)->sadb_msg_len = filled / 8;
    check(send(fd, message, filled, 0) < 0 || recv(fd, answer, sizeof answer, 0) < 0, "REGISTER");
    long before = milliseconds();
    begin(SADB_DUMP, SADB_SATYPE_UNSPEC);
    ((struct sadb_msg *) message)->sadb_msg_len = filled / 8;
    check(send(fd, message, filled, 0) < 0, "DUMP");
    do {
        ssize_t length = recv(fd, answer, sizeof answer, 0);
        check(length < (ssize_t) sizeof head, "DUMP");
        memcpy(&head, answer, sizeof head);
        told += head.sadb_msg_errno == 0;
    } while (head.sadb_msg_seq != 0);
    printf("%d SAs in %ld ms\n", told, milliseconds() - before);
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "racoon") == 0)
        racoon();
    else if (strcmp(what, "setkey") == 0)
        be_setkey();
    else if (strcmp(what, "sockets") == 0)
        try_options();
    else if (strcmp(what, "load") == 0 && count > 2)
        load(atoi(arguments[2]));
    else if (strcmp(what, "dump") == 0)
        dump();
    else
        return 2;
    return 0;
}
