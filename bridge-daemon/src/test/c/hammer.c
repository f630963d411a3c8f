/*
 * hammer SECONDS: asks a bridge, under the preload library, in every way there is to send and receive, and compares
 * each answer with its request. One process alone; then threads of two processes on sockets of their own, on one socket
 * in turns, and on one socket all at once. hammer claimed: a client without the library that claims its mailbox's box
 * of requests and never fills it.
 */
#define _GNU_SOURCE
#include "../../main/c/box.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not true: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            _exit(1); \
        } \
    } while (0)

enum { PATIENCE_MS = 10000, DIALOGUES = 100, THREADS = 2, CROWD = 1 << 24, ROOM = 65536 };

/* What processes share. */
struct shared {
    pthread_mutex_t turn;
    _Atomic uint32_t sequence;
    _Atomic long requests;
    _Atomic unsigned char answered[CROWD];
};

static struct shared *shared;
static double deadline;
static int turn_socket, crowd_socket;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + now.tv_nsec / 1e9;
}

static int open_socket(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
    CHECK(fd >= 0);
    return fd;
}

/* Requests */

static void put(int fd, struct nlmsghdr *request, int type, int flags, uint32_t sequence)
{
    request->nlmsg_type = (uint16_t) type;
    request->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
    request->nlmsg_seq = sequence;
    CHECK(send(fd, request, request->nlmsg_len, 0) == request->nlmsg_len);
    atomic_fetch_add(&shared->requests, 1);
}

static void ask(int fd, uint32_t sequence)
{
    struct nlmsghdr request = {.nlmsg_len = sizeof request};
    put(fd, &request, NLMSG_NOOP, NLM_F_ACK, sequence);
}

/* Adds a policy and deletes it: the second is in vain if it comes first. */
static void change(int fd, uint32_t sequence, uint32_t worker)
{
    struct {
        struct nlmsghdr header;
        struct xfrm_userpolicy_info policy;
    } add = {.header.nlmsg_len = sizeof add};
    struct {
        struct nlmsghdr header;
        struct xfrm_userpolicy_id name;
    } delete = {.header.nlmsg_len = sizeof delete};
    const struct xfrm_lifetime_cfg forever = {XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0};
    add.policy.sel =
            (struct xfrm_selector) {.daddr.a4 = htonl(0x0a000000 + worker), .prefixlen_d = 32, .family = AF_INET};
    add.policy.lft = forever;
    delete.name.sel = add.policy.sel;
    put(fd, &add.header, XFRM_MSG_NEWPOLICY, 0, sequence - 1);
    put(fd, &delete.header, XFRM_MSG_DELPOLICY, NLM_F_ACK, sequence);
}

/* Answers */

static const struct nlmsghdr *receive_any(int fd, char *room, int flags)
{
    ssize_t length;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    do {
        length = recv(fd, room, ROOM, flags);
        if (length < 0 && errno == EAGAIN)
            CHECK(poll(&wait, 1, PATIENCE_MS) != 0);
    } while (length < 0 && (errno == EINTR || errno == EAGAIN));
    CHECK(length >= (ssize_t) sizeof(struct nlmsghdr));
    return (const struct nlmsghdr *) room;
}

static void expect(int fd, int flags, uint32_t sequence)
{
    char room[ROOM];
    const struct nlmsghdr *answer = receive_any(fd, room, flags);
    CHECK(answer->nlmsg_seq == sequence);
    CHECK(answer->nlmsg_type == NLMSG_ERROR && ((const struct nlmsgerr *) NLMSG_DATA(answer))->error == 0);
}

static void expect_when_told(int fd, uint32_t sequence)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int told;
    while ((told = poll(&wait, 1, PATIENCE_MS)) < 0 && errno == EINTR) {}
    CHECK(told == 1 && wait.revents == POLLIN);
    char byte;
    CHECK(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1);
    expect(fd, MSG_DONTWAIT, sequence);
}

static void expect_cut(int fd, uint32_t sequence)
{
    struct nlmsghdr start[2];
    struct sockaddr_nl sender = {.nl_pid = 1};
    struct iovec parts[2] = {{&start[0], 8}, {(char *) &start[0] + 8, 12}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2, .msg_name = &sender, .msg_namelen = sizeof sender};
    ssize_t length;
    while ((length = recvmsg(fd, &message, MSG_TRUNC)) < 0 && errno == EINTR) {}
    CHECK(length == start[0].nlmsg_len && length > 20 && start[0].nlmsg_seq == sequence);
    CHECK((message.msg_flags & MSG_TRUNC) && message.msg_namelen == sizeof sender && sender.nl_pid == 0);
}

static void dump(int fd, uint32_t sequence)
{
    char room[ROOM];
    struct nlmsghdr request = {.nlmsg_len = sizeof request};
    put(fd, &request, XFRM_MSG_GETPOLICY, NLM_F_DUMP, sequence);
    const struct nlmsghdr *answer;
    do {
        answer = receive_any(fd, room, 0);
        CHECK(answer->nlmsg_seq == sequence && (answer->nlmsg_flags & NLM_F_MULTI));
    } while (answer->nlmsg_type != NLMSG_DONE);
}

/* Nobody hears anything in this group: only its frames matter here. */
static void regroup(int fd)
{
    int group = XFRMNLGRP_MAPPING;
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0);
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group) == 0);
}

static void ask_several(int fd, uint32_t *sequence, int count)
{
    for (int i = 1; i <= count; i++)
        ask(fd, *sequence + (uint32_t) i);
    for (int i = 1; i <= count; i++)
        expect(fd, 0, *sequence + (uint32_t) i);
    *sequence += (uint32_t) count;
}

static void act(int fd, uint32_t *sequence, unsigned *dice, uint32_t worker)
{
    int action = rand_r(dice) % 32;
    if (action < 16) {
        ask_several(fd, sequence, 1);
        return;
    }
    *sequence += 2;
    if (action > 23 && action < 29)
        ask(fd, *sequence);
    switch (action) {
    case 16:
    case 17:
    case 18: ask_several(fd, sequence, 2 + rand_r(dice) % 8); break;
    case 19:
    case 20:
    case 21:
        change(fd, *sequence, worker);
        expect(fd, 0, *sequence);
        break;
    case 22: dump(fd, *sequence); break;
    case 23: regroup(fd); break;
    case 24: expect_when_told(fd, *sequence); break;
    case 25:
        expect(fd, MSG_PEEK, *sequence);
        expect(fd, 0, *sequence);
        break;
    case 26: expect_cut(fd, *sequence); break;
    case 27: expect(fd, MSG_DONTWAIT, *sequence); break;
    case 28: expect(fd, 0, *sequence); break;
    case 29: usleep((unsigned) rand_r(dice) % 300); break;
    default: ask_several(fd, sequence, 30); break;
    }
}

/* Workers */

static void *work_alone(void *argument)
{
    uint32_t worker = (uint32_t) (uintptr_t) argument, sequence = 1;
    unsigned dice = worker;
    while (seconds() < deadline) {
        int fd = open_socket();
        for (int i = rand_r(&dice) % 4000; i > 0 && seconds() < deadline; i--)
            act(fd, &sequence, &dice, worker);
        CHECK(close(fd) == 0);
    }
    return NULL;
}

static void *work_in_turns(void *argument)
{
    unsigned dice = (unsigned) (uintptr_t) argument;
    while (seconds() < deadline) {
        uint32_t sequence = atomic_fetch_add(&shared->sequence, 100);
        CHECK(pthread_mutex_lock(&shared->turn) == 0);
        act(turn_socket, &sequence, &dice, (uint32_t) (uintptr_t) argument);
        CHECK(pthread_mutex_unlock(&shared->turn) == 0);
    }
    return NULL;
}

/* Each receives as often as it sent, whosever answer that is; each answer comes once. */
static void *work_in_crowd(void *argument)
{
    char room[ROOM];
    unsigned dice = (unsigned) (uintptr_t) argument;
    while (seconds() < deadline) {
        int count = 1 + rand_r(&dice) % 3;
        for (int i = 0; i < count; i++)
            ask(crowd_socket, atomic_fetch_add(&shared->sequence, 1));
        for (int i = 0; i < count; i++)
            CHECK(atomic_fetch_add(&shared->answered[receive_any(crowd_socket, room, 0)->nlmsg_seq % CROWD], 1) == 0);
    }
    return NULL;
}

static void run_threads(void *(*work)(void *), uintptr_t first)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *) (first + i)) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void run_processes(const char *name, void *(*work)(void *), double duration)
{
    long before = shared->requests;
    deadline = seconds() + duration;
    pid_t child = fork();
    run_threads(work, child == 0 ? 100 : 200);
    if (child == 0)
        _exit(0);
    int status;
    pid_t ended;
    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) {}
    CHECK(ended == child && status == 0);
    printf("%s: %ld requests\n", name, shared->requests - before);
}

static int count_mailboxes(void)
{
    char line[512];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, "xfrm-bridge-mailbox") != NULL;
    fclose(maps);
    return count;
}

/* A socket that has a mailbox by now. */
static int open_talking(void)
{
    int fd = open_socket(), before = count_mailboxes();
    uint32_t sequence = 0;
    for (double end = seconds() + PATIENCE_MS / 1000; seconds() < end && count_mailboxes() == before;)
        ask_several(fd, &sequence, 1);
    CHECK(count_mailboxes() == before + 1);
    return fd;
}

static void nothing(int number)
{
    (void) number;
}

static void interrupt_often(void)
{
    const struct sigaction action = {.sa_handler = nothing};
    const struct itimerval often = {{0, 700}, {0, 700}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
}

static void share(void)
{
    pthread_mutexattr_t attributes;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    CHECK(pthread_mutexattr_init(&attributes) == 0
            && pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutex_init(&shared->turn, &attributes) == 0);
    shared->sequence = 1000;
}

static void hammer(double duration)
{
    deadline = seconds() + duration / 4;
    work_alone((void *) 1);
    printf("one: %ld requests\n", (long) shared->requests);
    interrupt_often();
    turn_socket = open_talking();
    crowd_socket = open_talking();
    CHECK(count_mailboxes() == 2);
    run_processes("sockets of their own", work_alone, duration / 4);
    run_processes("one socket in turns", work_in_turns, duration / 4);
    run_processes("one socket at once", work_in_crowd, duration / 4);
    struct pollfd left = {.fd = crowd_socket, .events = POLLIN};
    CHECK(poll(&left, 1, 0) == 0);
}

/* Without the library */

static int connect_raw(void)
{
    struct sockaddr_un bridge = {.sun_family = AF_UNIX};
    snprintf(bridge.sun_path, sizeof bridge.sun_path, "%s/netlink-admin.sock", getenv("XFRM_BRIDGE_DIR"));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK(connect(fd, (struct sockaddr *) &bridge, sizeof bridge) == 0);
    return fd;
}

static struct mailbox *offer(int fd)
{
    uint32_t frame[4] = {0, 10, 0, 0};
    int memory = memfd_create("mailbox", MFD_ALLOW_SEALING);
    CHECK(ftruncate(memory, sizeof(struct mailbox)) == 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
    struct iovec part = {frame, sizeof frame};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof memory)] = {0};
    struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *CMSG_FIRSTHDR(&message) =
            (struct cmsghdr) {.cmsg_len = CMSG_LEN(sizeof memory), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &memory, sizeof memory);
    CHECK(sendmsg(fd, &message, 0) == sizeof frame);
    return mmap(NULL, sizeof(struct mailbox), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
}

/* The bridge looks into the box behind each answer: one of these looks is met. */
static void claim(int fd, struct box *box, uint32_t *sequence)
{
    for (double end = seconds() + PATIENCE_MS / 1000; seconds() < end;) {
        ask_several(fd, sequence, 1);
        for (int i = 0; i < 100000; i++) {
            uint32_t looking = BOX_LOOKING;
            if (atomic_compare_exchange_strong(&box->state, &looking, BOX_CLAIMED))
                return;
        }
    }
    CHECK(!"claimed");
}

static void die_with_claimed_box(void)
{
    int fd = connect_raw(), other = connect_raw();
    uint32_t sequence = 0;
    struct mailbox *mailbox = offer(fd);
    claim(fd, &mailbox->requests, &sequence);
    for (int i = 0; i < DIALOGUES; i++) {
        ask_several(fd, &sequence, 1);
        ask_several(other, &sequence, 1);
    }
    CHECK(mailbox->requests.state == BOX_REVOKED);
    mailbox->requests.length = 0xffffffff;
    mailbox->requests.state = BOX_IDLE;
    claim(fd, &mailbox->requests, &sequence);
    mailbox->requests.state =
            BOX_FULL; /* of a length that can't be: this client is not served further, and the other is */
    char byte;
    CHECK(recv(fd, &byte, 1, 0) == 0);
    ask_several(other, &sequence, 1);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    share();
    if (argc == 2 && strcmp(argv[1], "claimed") == 0)
        die_with_claimed_box();
    else
        hammer(argc == 2 ? atof(argv[1]) : 60);
    return 0;
}
