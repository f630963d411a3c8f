/* What a client sees while the bridge is away and after it came back. */
#include "suite.h"

#include <fcntl.h>
#include <linux/pfkeyv2.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>

static void restart(void)
{
    mock_kill();
    mock_start();
}

static long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void listener_learns_that_events_were_lost(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW | SOCK_CLOEXEC), on = 1;
    bind_netlink(fd, 4711, 0xc3);
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on) == 0);
    int copy = dup(fd);
    restart();
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    CHECK(poll(&wait, 1, 1000) == 1 && (wait.revents & POLLIN));
    CHECK_FAILS(recv(fd, data, sizeof data, MSG_DONTWAIT), ENOBUFS);
    CHECK_FAILS(recv(fd, data, sizeof data, MSG_DONTWAIT), EAGAIN);
    struct mock_client client = tell(fd);
    CHECK(client.port == 4711 && port_of(fd) == 4711 && client.groups == 0xc3
            && client.options == 1u << NETLINK_EXT_ACK);
    CHECK(tell(copy).groups == 0xc3 && port_of(copy) == 4711);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) && !(fcntl(copy, F_GETFD) & FD_CLOEXEC));
}

static void copy_that_outlives_the_first_descriptor_keeps_its_groups(void)
{
    int fd = open_netlink(SOCK_RAW);
    bind_netlink(fd, 0, 6);
    int copy = dup(fd);
    close(fd);
    char byte;
    restart();
    CHECK_FAILS(recv(copy, &byte, 1, 0), ENOBUFS);
    CHECK(tell(copy).groups == 6);
}

static void send_is_repeated(void)
{
    int fd = open_netlink(SOCK_RAW);
    bind_netlink(fd, 0, 0);
    restart();
    CHECK(tell(fd).port == (uint32_t) getpid());
}

static void listener_that_sends_first_learns_it_too(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW);
    bind_netlink(fd, 0, 1);
    restart();
    CHECK(request(fd, MOCK_TELL, 0) > 0);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), ENOBUFS);
    CHECK(recv(fd, data, sizeof data, 0) == sizeof(struct nlmsghdr) + sizeof(struct mock_client));
}

static void poll_loop_does_not_spin_while_the_bridge_is_away(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW | SOCK_NONBLOCK);
    bind_netlink(fd, 0, 1);
    mock_kill();
    long start = milliseconds();
    CHECK_FAILS(recv(fd, data, sizeof data, 0), EAGAIN);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), EAGAIN);
    CHECK_FAILS(request(fd, MOCK_TELL, 0), EAGAIN);
    CHECK(milliseconds() - start >= 300);
    mock_start();
    CHECK_FAILS(recv(fd, data, sizeof data, 0), ENOBUFS);
    CHECK(request(fd, MOCK_TELL, 0) > 0);
}

static void *restart_later(void *unused)
{
    poll(NULL, 0, 300);
    mock_start();
    return unused;
}

static void blocking_receive_waits_for_the_bridge(void)
{
    char data[64];
    pthread_t thread;
    int fd = open_netlink(SOCK_RAW);
    mock_kill();
    CHECK(pthread_create(&thread, NULL, restart_later, NULL) == 0);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), ENOBUFS);
    pthread_join(thread, NULL);
    tell(fd);
}

static void *start_after_end(void *unused)
{
    mock_await_end();
    mock_start();
    return unused;
}

static void send_outlives_a_second_bridge_that_ends(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW);
    bind_netlink(fd, 0, 0);
    for (int copies = 0; copies < 200; copies++)
        dup(fd); /* all are replaced after the new connection is made: time for it to end */
    for (int tries = 0; tries < 3; tries++) {
        pthread_t thread;
        mock_kill();
        mock_start_to_end();
        CHECK(pthread_create(&thread, NULL, start_after_end, NULL) == 0);
        CHECK(request(fd, MOCK_TELL, 0) > 0);
        recv(fd, data, sizeof data, 0); /* an answer, or that the request was lost */
        pthread_join(thread, NULL);
    }
    tell(fd);
}

struct refusal {
    struct nlmsghdr header;
    struct nlmsgerr error;
};

static void check_delay_refused(const struct refusal *answer)
{
    CHECK(answer->header.nlmsg_type == NLMSG_ERROR && answer->error.error == -ENOBUFS);
    CHECK(answer->error.msg.nlmsg_type == MOCK_DELAY && answer->header.nlmsg_seq == answer->error.msg.nlmsg_seq);
}

/* charon waits in select(), and takes an error of recv() for no answer. */
static void request_that_died_with_the_bridge_is_answered(void)
{
    struct refusal answer = {0};
    int fd = open_netlink(SOCK_RAW);
    tell(fd);
    CHECK(request(fd, MOCK_DELAY, 60000) > 0);
    restart();
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    CHECK(poll(&wait, 1, 1000) == 1);
    for (int peeked = 0; peeked < 2; peeked++) {
        CHECK(recv(fd, &answer, sizeof answer, peeked ? 0 : MSG_PEEK) == sizeof answer);
        check_delay_refused(&answer);
    }
    CHECK_FAILS(recv(fd, &answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
    restart();
    CHECK_FAILS(recv(fd, &answer, sizeof answer, 0), ENOBUFS);
    tell(fd);
}

/* As charon ends: it asks for its policies to be deleted, and waits for each answer. */
static void request_is_answered_when_the_bridge_stays_away(void)
{
    struct refusal answer = {0};
    int fd = open_netlink(SOCK_RAW);
    tell(fd);
    CHECK(request(fd, MOCK_DELAY, 60000) > 0);
    mock_kill();
    long start = milliseconds();
    CHECK(recv(fd, &answer, sizeof answer, 0) == sizeof answer);
    CHECK(milliseconds() - start >= 1500 && milliseconds() - start < 5000);
    check_delay_refused(&answer);
    CHECK_FAILS(recv(fd, &answer, sizeof answer, 0), ECONNREFUSED);
    CHECK_FAILS(request(fd, MOCK_TELL, 0), ECONNREFUSED);
    mock_start();
    tell(fd);
}

static void requests_fail_at_once_when_the_bridge_stays_away(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW), quick = open_netlink(SOCK_RAW | SOCK_NONBLOCK), listener = open_netlink(SOCK_RAW);
    bind_netlink(listener, 0, XFRMGRP_SA);
    mock_kill();
    long start = milliseconds();
    CHECK_FAILS(request(fd, MOCK_TELL, 0), ECONNREFUSED);
    CHECK(milliseconds() - start >= 1500 && milliseconds() - start < 5000);
    start = milliseconds();
    for (int i = 0; i < 1000; i++)
        CHECK_FAILS(request(i % 2 ? fd : quick, MOCK_TELL, 0), ECONNREFUSED);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), ECONNREFUSED);
    CHECK(milliseconds() - start < 1000);
    CHECK_FAILS(recv(listener, data, sizeof data, 0), EAGAIN);
    CHECK(milliseconds() - start < 3000);
    mock_start();
    tell(fd);
    CHECK_FAILS(recv(listener, data, sizeof data, 0), ENOBUFS);
    mock_kill();
    start = milliseconds();
    CHECK_FAILS(request(fd, MOCK_TELL, 0), ECONNREFUSED);
    CHECK(milliseconds() - start >= 1500);
}

static void epoll_set_goes_on_watching(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW | SOCK_NONBLOCK), other = open_netlink(SOCK_RAW), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 42}, seen = {0};
    bind_netlink(fd, 0, XFRMGRP_SA);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
    event.data.u64 = 43;
    CHECK(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0);
    restart();
    CHECK(epoll_wait(set, &seen, 1, 1000) == 1 && seen.data.u64 == 43);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), ENOBUFS);
    CHECK(epoll_wait(set, &seen, 1, 0) == 0);
    CHECK(request(other, MOCK_ANNOUNCE, XFRMNLGRP_SA) > 0);
    CHECK(epoll_wait(set, &seen, 1, 1000) == 1 && seen.data.u64 == 43);
    CHECK(recv(fd, data, sizeof data, 0) == 20);
    CHECK(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL) == 0);
    restart();
    CHECK(request(fd, MOCK_TELL, 0) > 0 && epoll_wait(set, &seen, 1, 100) == 0);
}

static void one_connection_ended_by_the_bridge_gets_a_new_port_id(void)
{
    char data[64];
    int fd = open_netlink(SOCK_RAW);
    bind_netlink(fd, 0, 2);
    CHECK(request(fd, MOCK_HANG_UP, 0) > 0);
    CHECK_FAILS(recv(fd, data, sizeof data, 0), ENOBUFS);
    CHECK((port_of(fd) & 0x80000000u) && tell(fd).groups == 2);
}

/* What is told of a socket comes before its small send buffer: nothing waits while one takes the place of another. */
static void new_connection_does_not_wait_for_room(void)
{
    static char data[16384];
    int fd = open_netlink(SOCK_RAW), on = 1, small = 1, size = 100000;
    for (int option = NETLINK_PKTINFO; option <= NETLINK_GET_STRICT_CHK; option++)
        setsockopt(fd, SOL_NETLINK, option, &on, sizeof on);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0 && request(fd, MOCK_DELAY, 0) > 0);
    CHECK(recv(fd, data, sizeof data, 0) > 0 && tell(fd).room == sizeof data);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    mock_stop();
    long start = milliseconds();
    bind_netlink(fd, 4711, 0);
    CHECK(milliseconds() - start < 2000);
    mock_go_on();
    CHECK(tell(fd).port == 4711);
}

static void membership_waits_a_second_for_a_bridge_that_does_not_read(void)
{
    int fd = open_netlink(SOCK_RAW), group = 1;
    tell(fd);
    mock_stop();
    long start = milliseconds();
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0);
    CHECK(milliseconds() - start < 2000);
    mock_go_on();
    CHECK(tell(fd).groups == 1);
}

static void pfkey_send_waits_seconds_for_a_bridge_that_does_not_answer(void)
{
    const struct sadb_msg message = {
            .sadb_msg_version = PF_KEY_V2, .sadb_msg_type = SADB_FLUSH, .sadb_msg_len = sizeof message / 8};
    int fd = socket(PF_KEY, SOCK_RAW, PF_KEY_V2);
    mock_stop();
    long start = milliseconds();
    CHECK(send(fd, &message, sizeof message, 0) == sizeof message);
    CHECK(milliseconds() - start >= 5000 && milliseconds() - start < 6000);
    mock_go_on();
}

static void credentials_are_still_passed(void)
{
    int fd = open_netlink(SOCK_RAW), on = 1, seen = 0;
    socklen_t length = sizeof seen;
    CHECK(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    restart();
    CHECK(tell(fd).port == (uint32_t) getpid());
    CHECK(getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &seen, &length) == 0 && seen == 1);
}

static void pfkey_stays_registered(void)
{
    struct {
        struct sadb_msg header;
        uint32_t registered;
    } message = {.header = {.sadb_msg_version = PF_KEY_V2,
                         .sadb_msg_type = SADB_REGISTER,
                         .sadb_msg_satype = SADB_SATYPE_ESP,
                         .sadb_msg_len = 2}};
    int fd = socket(PF_KEY, SOCK_RAW, PF_KEY_V2);
    CHECK(send(fd, &message, sizeof message.header, 0) == sizeof message.header
            && recv(fd, &message, sizeof message, 0) > 0);
    restart();
    message.header.sadb_msg_type = MOCK_SADB_TELL;
    CHECK(send(fd, &message, sizeof message.header, 0) > 0);
    CHECK(recv(fd, &message, sizeof message, 0) == 20 && message.registered == 1u << SADB_SATYPE_ESP);
}

#define TEST(name) {#name, name}
const struct test restart_tests[] = {
        TEST(listener_learns_that_events_were_lost),
        TEST(copy_that_outlives_the_first_descriptor_keeps_its_groups),
        TEST(send_is_repeated),
        TEST(send_outlives_a_second_bridge_that_ends),
        TEST(listener_that_sends_first_learns_it_too),
        TEST(poll_loop_does_not_spin_while_the_bridge_is_away),
        TEST(blocking_receive_waits_for_the_bridge),
        TEST(request_that_died_with_the_bridge_is_answered),
        TEST(request_is_answered_when_the_bridge_stays_away),
        TEST(requests_fail_at_once_when_the_bridge_stays_away),
        TEST(epoll_set_goes_on_watching),
        TEST(one_connection_ended_by_the_bridge_gets_a_new_port_id),
        TEST(new_connection_does_not_wait_for_room),
        TEST(membership_waits_a_second_for_a_bridge_that_does_not_read),
        TEST(pfkey_send_waits_seconds_for_a_bridge_that_does_not_answer),
        TEST(credentials_are_still_passed),
        TEST(pfkey_stays_registered),
        {NULL, NULL},
};
