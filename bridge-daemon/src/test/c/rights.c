/*
 * Sockets that change hands, and processes that change: who is answered what. Runs as root, under the preload library
 * or on the kernel, and prints one line for each case; the last number of a line is an errno. Without AF_KEY the cases
 * of PF_KEY are left out with the argument "netlink".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOBODY = 65534, PATIENCE_MS = 30000, TALK = 2000 };

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not true: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            exit(1); \
        } \
    } while (0)

static uint32_t sequence;

static int open_netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
    CHECK(fd >= 0);
    return fd;
}

/* What the socket's other end says to a harmless request. */
static int ask(int fd)
{
    struct {
        struct nlmsghdr header;
        uint32_t flags;
    } request = {{sizeof request, XFRM_MSG_GETSADINFO, NLM_F_REQUEST, ++sequence, 0}, 0};
    char answer[8192];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    CHECK(send(fd, &request, sizeof request, 0) == sizeof request);
    CHECK(poll(&readable, 1, PATIENCE_MS) == 1);
    CHECK(recv(fd, answer, sizeof answer, 0) >= (ssize_t) sizeof(struct nlmsghdr));
    const struct nlmsghdr *header = (const void *) answer;
    CHECK(header->nlmsg_seq == sequence);
    return header->nlmsg_type == NLMSG_ERROR ? -((const struct nlmsgerr *) NLMSG_DATA(header))->error : 0;
}

/* Until there is a mailbox, if there ever is. */
static void talk(int fd)
{
    for (int i = 0; i < TALK; i++)
        CHECK(ask(fd) == 0);
}

static void drop_rights(void)
{
    CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static void drop_rights_unseen(void)
{
    CHECK(syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) == 0
            && syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0);
}

/* Runs a case in a process of its own. */
static void run(const char *name, void (*test)(const char *))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        test(name);
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void in_this_process(const char *name)
{
    int fd = open_netlink();
    talk(fd);
    drop_rights();
    printf("%s: %d\n", name, ask(fd));
}

/* The library does not see these calls: a mailbox is not looked into for long. */
static void behind_the_library(const char *name)
{
    int fd = open_netlink(), error = 0;
    struct timespec start, now;
    talk(fd);
    drop_rights_unseen();
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        error = ask(fd);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (error == 0 && now.tv_sec - start.tv_sec < PATIENCE_MS / 1000);
    printf("%s: %d\n", name, error);
    for (int i = 0; i < TALK; i++)
        CHECK(ask(fd) == EPERM);
}

static void in_a_child(const char *name)
{
    int fd = open_netlink();
    talk(fd);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        drop_rights_unseen();
        _exit(ask(fd));
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    sequence++;
    printf("%s: %d\n", name, WEXITSTATUS(status));
    printf("%s, then its parent: %d\n", name, ask(fd));
}

static void pass(int over, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *CMSG_FIRSTHDR(&message) =
            (struct cmsghdr) {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof fd);
    CHECK(sendmsg(over, &message, 0) == 1);
}

static int take(int over)
{
    int fd;
    char byte, control[CMSG_SPACE(sizeof fd)];
    struct iovec part = {&byte, 1};
    struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK(recvmsg(over, &message, 0) == 1 && CMSG_FIRSTHDR(&message) != NULL);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void from_root_to_nobody(const char *name)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    pid_t child = fork();
    if (child == 0) {
        drop_rights();
        _exit(ask(take(pair[1])));
    }
    int fd = open_netlink(), status;
    CHECK(ask(fd) == 0);
    pass(pair[0], fd);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    printf("%s: %d\n", name, WEXITSTATUS(status));
}

static void from_nobody_to_root(const char *name)
{
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    pid_t child = fork();
    if (child == 0) {
        drop_rights();
        pass(pair[1], open_netlink());
        _exit(0);
    }
    int fd = take(pair[0]), status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    printf("%s: %d\n", name, ask(fd));
}

static int ask_pfkey(int fd)
{
    const struct sadb_msg request = {.sadb_msg_version = PF_KEY_V2,
            .sadb_msg_type = SADB_FLUSH,
            .sadb_msg_satype = SADB_SATYPE_ESP,
            .sadb_msg_len = sizeof request / 8,
            .sadb_msg_seq = ++sequence,
            .sadb_msg_pid = (uint32_t) getpid()};
    struct sadb_msg answer;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    CHECK(send(fd, &request, sizeof request, 0) == sizeof request);
    CHECK(poll(&readable, 1, PATIENCE_MS) == 1 && recv(fd, &answer, sizeof answer, 0) == sizeof answer);
    return answer.sadb_msg_errno;
}

static void pfkey_of_root(const char *name)
{
    int fd = socket(AF_KEY, SOCK_RAW, PF_KEY_V2);
    CHECK(fd >= 0);
    int before = ask_pfkey(fd);
    drop_rights();
    printf("%s: %d\n", name, ask_pfkey(fd) == before ? 0 : EPERM);
}

static void pfkey_of_nobody(const char *name)
{
    drop_rights();
    printf("%s: %d\n", name, socket(AF_KEY, SOCK_RAW, PF_KEY_V2) < 0 ? errno : 0);
}

int main(int argc, char **argv)
{
    run("opened as root, rights dropped", in_this_process);
    run("opened as root, rights dropped unseen", behind_the_library);
    run("opened as root, sent by a child without rights", in_a_child);
    run("opened as root, passed to nobody", from_root_to_nobody);
    run("opened as nobody, passed to root", from_nobody_to_root);
    if (argc == 2 && strcmp(argv[1], "netlink") == 0)
        return 0;
    run("PF_KEY, opened as root, rights dropped", pfkey_of_root);
    run("PF_KEY, opened as nobody", pfkey_of_nobody);
    return 0;
}
