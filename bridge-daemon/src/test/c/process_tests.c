/* Descriptors that move between numbers and processes, and what is not ours. */
#include "suite.h"

#include <fcntl.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void pass(int through, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof fd)];
    struct iovec part = {&byte, 1};
    struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr) {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    CHECK(sendmsg(through, &message, 0) == 1);
}

static int take(int through)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    int fd;
    struct iovec part = {&byte, 1};
    struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    CHECK(recvmsg(through, &message, 0) == 1 && CMSG_FIRSTHDR(&message) != NULL);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

static void wait_for(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void passed_descriptor_is_recognised(void)
{
    int ends[2], foreign[2];
    char byte;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && pipe(foreign) == 0);
    CHECK(write(foreign[1], "", 1) == 1 && read(foreign[0], &byte, 1) == 1); /* now known as foreign */
    syscall(SYS_close, foreign[0]);                                          /* and gone unseen */
    pid_t child = fork();
    if (child == 0) {
        int fd = open_netlink(SOCK_RAW);
        bind_netlink(fd, 4711, 1);
        pass(ends[1], fd);
        _exit(0);
    }
    int fd = take(ends[0]);
    CHECK(fd == foreign[0]);
    CHECK(request(fd, MOCK_OVERRUN, 0) > 0);
    CHECK_FAILS(recv(fd, &byte, 1, 0), ENOBUFS); /* and no other call before, which would ask the kernel */
    CHECK(tell(fd).port == 4711 && tell(fd).groups == 1 && port_of(fd) == 4711);
    wait_for(child);
}

static void copies_are_recognised(void)
{
    int fd = open_netlink(SOCK_RAW), foreign[2];
    char byte;
    CHECK(pipe(foreign) == 0 && write(foreign[1], "", 1) == 1 && read(foreign[0], &byte, 1) == 1);
    bind_netlink(fd, 0, 0);
    CHECK(dup2(fd, foreign[0]) == foreign[0] && tell(foreign[0]).port == (uint32_t) getpid());
    CHECK(tell(dup(fd)).port == (uint32_t) getpid());
    CHECK(tell(fcntl(fd, F_DUPFD_CLOEXEC, 20)).port == (uint32_t) getpid());
    close(fd);
    CHECK(tell(foreign[0]).port == (uint32_t) getpid());
}

static void number_used_again_unseen_is_foreign(void)
{
    int fd = open_netlink(SOCK_RAW), ends[2];
    char text[8] = "";
    tell(fd);
    syscall(SYS_close, fd);
    CHECK(pipe(ends) == 0 && ends[0] == fd);
    CHECK(write(ends[1], "abc", 3) == 3 && read(ends[0], text, sizeof text) == 3 && strcmp(text, "abc") == 0);
    CHECK_FAILS(send(ends[0], text, 1, 0), ENOTSOCK);
}

static void child_shares_the_socket(void)
{
    int fd = open_netlink(SOCK_RAW);
    bind_netlink(fd, 0, 0);
    uint32_t port = port_of(fd);
    pid_t child = fork();
    if (child == 0) {
        CHECK(tell(fd).port == port);
        close(fd);
        int own = open_netlink(SOCK_RAW);
        bind_netlink(own, 0, 0);
        CHECK(port_of(own) == (uint32_t) getpid());
        _exit(0);
    }
    wait_for(child);
    CHECK(tell(fd).port == port);
}

static void child_of_vfork_changes_nothing(void)
{
    unsigned long cookie;
    int port, udp = open_udp(&cookie, &port), fd = open_netlink(SOCK_RAW), type = UDP_ENCAP_ESPINUDP;
    char byte;
    bind_netlink(fd, 0, 5);
    CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    pid_t child = vfork();
    if (child == 0) {
        for (int i = 3; i < 256; i++)
            close(i);
        _exit(0);
    }
    wait_for(child);
    mock_kill();
    mock_start();
    CHECK_FAILS(recv(fd, &byte, 1, 0), ENOBUFS);
    CHECK(tell(fd).groups == 5);
    CHECK(log_shows("\n1 encap ") && log_lacks("close"));
}

static void child_of_vfork_takes_no_registration(void)
{
    unsigned long cookie;
    int port, udp = open_udp(&cookie, &port), other = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP, seen = 0;
    socklen_t length = sizeof seen;
    CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    pid_t child = vfork();
    if (child == 0) {
        close(udp);
        setsockopt(other, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type);
        _exit(0);
    }
    wait_for(child);
    CHECK(getsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &seen, &length) == 0 && seen == type);
}

static void daemon_keeps_its_registrations(void)
{
    unsigned long cookie;
    int port, udp = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP, done[2];
    char line[64], byte;
    CHECK(pipe(done) == 0);
    pid_t parent = fork();
    if (parent == 0) {
        CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
        if (fork() != 0)
            _exit(0);
        CHECK(read(done[0], &byte, 1) == 1);
        close(udp); /* the parent's connection says nothing of it, but ends with this process */
        _exit(0);
    }
    close(udp);
    wait_for(parent);
    snprintf(line, sizeof line, "encap %lu", cookie);
    CHECK(log_shows(line) && log_lacks("end\n"));
    CHECK(write(done[1], "", 1) == 1 && log_shows("1 end\n"));
}

static void child_registers_on_its_own_connection(void)
{
    unsigned long cookie;
    int port, udp = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP;
    char line[64];
    CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
        _exit(0);
    }
    wait_for(child);
    snprintf(line, sizeof line, "2 encap %lu", cookie);
    CHECK(log_shows(line) && log_shows("2 end\n"));
    type = 0;
    CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    snprintf(line, sizeof line, "1 encap %lu 2 17 127.0.0.1 %d 0\n", cookie, port);
    CHECK(log_shows(line));
}

static void copies_and_what_closes_them_leave_the_groups_to_the_last(void)
{
    int fd = open_netlink(SOCK_RAW | SOCK_CLOEXEC), ends[2];
    char byte;
    bind_netlink(fd, 0, 5);
    int second = fcntl(fd, F_DUPFD_CLOEXEC, 30), third = dup3(second, 40, O_CLOEXEC);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    pass(ends[1], third);
    int last = take(ends[0]);
    close(fd);
    CHECK(dup2(ends[0], second) == second && close_range(40, 40, 0) == 0);
    mock_kill();
    mock_start();
    CHECK_FAILS(recv(last, &byte, 1, 0), ENOBUFS);
    CHECK(tell(last).groups == 5);
}

static void *exchange(void *unused)
{
    for (int i = 0; i < 200; i++) {
        int fd = open_netlink(SOCK_RAW);
        bind_netlink(fd, 0, 3);
        CHECK(tell(fd).port == port_of(fd));
        close(fd);
    }
    return unused;
}

static void threads_do_not_disturb_each_other(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, exchange, NULL) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

#define TEST(name) {#name, name}
const struct test process_tests[] = {
        TEST(passed_descriptor_is_recognised),
        TEST(copies_are_recognised),
        TEST(number_used_again_unseen_is_foreign),
        TEST(child_shares_the_socket),
        TEST(copies_and_what_closes_them_leave_the_groups_to_the_last),
        TEST(child_of_vfork_changes_nothing),
        TEST(child_of_vfork_takes_no_registration),
        TEST(daemon_keeps_its_registrations),
        TEST(child_registers_on_its_own_connection),
        TEST(threads_do_not_disturb_each_other),
        {NULL, NULL},
};
