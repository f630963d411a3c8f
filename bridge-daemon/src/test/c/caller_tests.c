/*
 * Calls from everywhere: signal handlers, around fork(), children of vfork(), small stacks, other threads; and with bad
 * pointers.
 */
#include "suite.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

static int subject = -1;
static _Atomic int handled;
static _Atomic bool timing;

/* Handlers call it at their end: a timer that goes on by itself leaves a slow machine no time for anything else. */
static void set_timer(void)
{
    if (timing)
        setitimer(ITIMER_REAL, &(struct itimerval) {.it_value.tv_usec = 53}, NULL);
}

static void start_timer(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    timing = true;
    set_timer();
}

static void stop_timer(void)
{
    timing = false;
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval) {0}, NULL) == 0);
}

static void use_a_copy(int unused)
{
    struct sockaddr_nl address;
    socklen_t length = sizeof address;
    int before = errno, copy = dup(subject);
    (void) unused;
    if (copy >= 0) {
        getsockname(copy, (struct sockaddr *) &address, &length);
        close(copy);
    }
    handled++;
    set_timer();
    errno = before;
}

static void signal_handlers_run_around_fork(void)
{
    subject = open_netlink(SOCK_RAW);
    start_timer(use_a_copy);
    for (int i = 0; i < 1000; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        CHECK(child > 0 && waitpid(child, NULL, 0) == child);
    }
    stop_timer();
    CHECK(handled > 0 && tell(subject).port == (uint32_t) getpid());
}

/* Registered before the library's own, and so called within those; musl calls no functions that early. */
#ifdef __GLIBC__
enum { FORK_CALLS = 2 };
#else
enum { FORK_CALLS = 0 };
#endif
static int fork_calls;

static void around_fork(void)
{
    if (subject < 0)
        return;
    fork_calls++;
    use_a_copy(0);
}

static void register_early(void)
{
    pthread_atfork(around_fork, around_fork, around_fork);
}

__attribute__((section(".preinit_array"), used)) static void (*early)(void) = register_early;

static void handlers_of_fork_may_close(void)
{
    int status;
    subject = open_netlink(SOCK_RAW);
    pid_t child = fork();
    if (child == 0)
        _exit(fork_calls == FORK_CALLS && tell(subject).port == port_of(subject) ? 0 : 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0 && fork_calls == FORK_CALLS);
}

static void open_and_close(int unused)
{
    int before = errno, fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
    (void) unused;
    close(fd);
    handled++;
    set_timer();
    errno = before;
}

static void *sleep_long(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    poll(NULL, 0, 100000);
    return unused;
}

/* With a second thread malloc() has locks. */
static void signal_handlers_interrupt_malloc(void)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sleep_long, NULL) == 0);
    start_timer(open_and_close);
    for (int i = 0; i < 100 || handled < 2000; i++) {
        void *blocks[64];
        for (size_t j = 0; j < 64; j++)
            blocks[j] = malloc(16 + j * 40);
        for (size_t j = 0; j < 64; j++)
            free(blocks[j]);
    }
    stop_timer();
}

static void restart(void)
{
    mock_kill();
    mock_start();
}

static void wait_for_event(int set, uint64_t data)
{
    struct epoll_event seen = {0};
    CHECK(epoll_wait(set, &seen, 1, 1000) == 1 && seen.data.u64 == data);
}

static void child_of_vfork_that_closes_an_epoll_set_takes_no_watch(void)
{
    int fd = open_netlink(SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC), set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 42};
    char byte;
    bind_netlink(fd, 0, XFRMGRP_SA);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
    pid_t child = vfork();
    if (child == 0) {
        for (int i = 3; i < 64; i++)
            close(i);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    restart();
    wait_for_event(set, 42);
    CHECK_FAILS(recv(fd, &byte, 1, 0), ENOBUFS);
    CHECK(epoll_wait(set, &event, 1, 0) == 0 && request(fd, MOCK_ANNOUNCE, XFRMNLGRP_SA) > 0);
    wait_for_event(set, 42);
}

static void child_of_vfork_hides_no_socket_behind_its_own_numbers(void)
{
    int fd = open_netlink(SOCK_RAW);
    char byte;
    pid_t child = vfork();
    if (child == 0) {
        close(fd);
        int file = open("/dev/zero", O_RDONLY);
        bool good = file == fd && read(file, &byte, 1) == 1;
        close(file);
        int other = socket(AF_INET, SOCK_DGRAM, 0);
        _exit(good && other == fd ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(request(fd, MOCK_OVERRUN, 0) > 0);
    CHECK_FAILS(recv(fd, &byte, 1, 0), ENOBUFS);
}

static void *bind_with_groups(void *result)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = XFRMGRP_SA, .nl_pid = (uint32_t) getpid()};
    *(int *) result = bind(subject, (struct sockaddr *) &address, sizeof address) == 0 ? 0 : errno;
    return NULL;
}

static void run_in_small_thread(void *(*run)(void *), void *argument)
{
    pthread_attr_t small;
    pthread_t thread;
    CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 32768) == 0);
    CHECK(pthread_create(&thread, &small, run, argument) == 0 && pthread_join(thread, NULL) == 0);
}

static void ordinary_user_is_refused_on_a_small_stack(void)
{
    char parent[256];
    int error = -1;
    snprintf(parent, sizeof parent, "%s/..", getenv("XFRM_BRIDGE_DIR"));
    CHECK(chmod(getenv("XFRM_BRIDGE_DIR"), 0755) == 0 && chmod(parent, 0755) == 0);
    subject = open_netlink(SOCK_RAW);
    bool root = geteuid() == 0;
    CHECK(!root || (setgroups(0, NULL) == 0 && setresgid(65534, 65534, 0) == 0 && setresuid(65534, 65534, 0) == 0));
    run_in_small_thread(bind_with_groups, &error);
    CHECK(!root || setresuid(0, 0, 0) == 0);
    CHECK(!root || error == EPERM);
}

static void *set_everything(void *unused)
{
    unsigned long cookie;
    int port, udp = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP, group = 1;
    struct xfrm_userpolicy_info in = {.dir = XFRM_POLICY_IN, .sel.family = AF_INET};
    CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
    CHECK(setsockopt(udp, IPPROTO_IP, IP_XFRM_POLICY, &in, sizeof in) == 0);
    CHECK(close(udp) == 0);
    int fd = open_netlink(SOCK_RAW), file = open("/proc/net/xfrm_stat", O_RDONLY);
    CHECK(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0 && tell(fd).groups == 1);
    CHECK(file >= 0 && close(file) == 0 && access("/proc/net/xfrm_stat", F_OK) == 0 && close(fd) == 0);
    return unused;
}

static void all_calls_do_with_a_small_stack(void)
{
    run_in_small_thread(set_everything, NULL);
}

/* A page that may be used, before one that may not. */
static char *end_of_memory(void)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    return pages + 4096;
}

static void paths_that_are_no_memory_are_found_out(void)
{
    char *volatile bad = (char *) 8, *end = end_of_memory();
    static const char ours[] = "/proc/net/xfrm_stat";
    struct stat status;
    CHECK_FAILS(open(bad, O_RDONLY), EFAULT);
    CHECK_FAILS(openat(AT_FDCWD, bad, O_RDONLY), EFAULT);
    CHECK_FAILS(access(bad, F_OK), EFAULT);
    CHECK_FAILS(faccessat(AT_FDCWD, bad, F_OK, 0), EFAULT);
    CHECK_FAILS(stat(bad, &status), EFAULT);
    CHECK_FAILS(stat(ours, (struct stat *) bad), EFAULT);
    CHECK_FAILS(open(memcpy(end - 10, ours, 10), O_RDONLY), EFAULT);
    int fd = open(memcpy(end - sizeof ours, ours, sizeof ours), O_RDONLY);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK_FAILS(open(end, O_RDONLY), EFAULT);
}

static void messages_that_are_no_memory_are_found_out(void)
{
    char *volatile bad = end_of_memory();
    unsigned long cookie;
    int port, udp = open_udp(&cookie, &port), type = UDP_ENCAP_ESPINUDP;
    CHECK(setsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0);
#ifdef __GLIBC__ /* musl reads these itself */
    CHECK_FAILS(sendmsg(udp, (struct msghdr *) bad, 0), EFAULT);
    CHECK_FAILS(sendmmsg(udp, (struct mmsghdr *) bad, 1, 0), EFAULT);
    CHECK_FAILS(recvmsg(udp, (struct msghdr *) bad, MSG_DONTWAIT), EFAULT);
    CHECK_FAILS(sendmsg(udp, &(struct msghdr) {.msg_control = bad, .msg_controllen = 64}, 0), EFAULT);
#endif
    CHECK_FAILS(bind(udp, (struct sockaddr *) bad, 16), EFAULT);
    CHECK_FAILS(getsockopt(udp, IPPROTO_UDP, UDP_ENCAP, &type, (socklen_t *) bad), EFAULT);
}

static long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fill_queue(int fd)
{
    static struct {
        struct nlmsghdr header;
        char rest[30000];
    } large = {.header = {.nlmsg_len = sizeof large, .nlmsg_type = MOCK_EVENT, .nlmsg_flags = NLM_F_REQUEST}};
    for (int i = 0; syscall(SYS_sendto, fd, &large, sizeof large, MSG_DONTWAIT, NULL, 0) >= 0; i++)
        CHECK(i < 1000);
    struct nlmsghdr small = {.nlmsg_len = sizeof small, .nlmsg_type = MOCK_EVENT, .nlmsg_flags = NLM_F_REQUEST};
    while (syscall(SYS_sendto, fd, &small, sizeof small, MSG_DONTWAIT, NULL, 0) >= 0) {}
}

static void note_signal(int unused)
{
    (void) unused;
    handled++;
}

static void bind_that_waits_for_the_bridge_holds_up_nothing_else(void)
{
    pthread_t binder;
    int error = -1, other;
    subject = open_netlink(SOCK_RAW);
    bind_netlink(subject, 0, 0);
    other = open_netlink(SOCK_RAW);
    struct sigaction action = {.sa_handler = note_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    mock_stop();
    fill_queue(subject);
    CHECK(pthread_create(&binder, NULL, bind_with_groups, &error) == 0);
    poll(NULL, 0, 300);
    long start = milliseconds();
    CHECK(pthread_kill(binder, SIGUSR1) == 0 && close(other) == 0 && close(open("/dev/null", O_RDONLY)) == 0);
    while (!handled)
        CHECK(milliseconds() - start < 1000 && poll(NULL, 0, 1) == 0);
    CHECK(milliseconds() - start < 1000);
    mock_go_on();
    CHECK(pthread_join(binder, NULL) == 0 && error == 0);
}

static void *go_on_later(void *unused)
{
    poll(NULL, 0, 300);
    mock_go_on();
    return unused;
}

static void group_of_a_socket_with_a_full_queue_is_not_lost(void)
{
    pthread_t thread;
    int group = XFRMNLGRP_SA, other = open_netlink(SOCK_RAW);
    char byte;
    subject = open_netlink(SOCK_RAW | SOCK_NONBLOCK);
    mock_stop();
    fill_queue(subject);
    CHECK(pthread_create(&thread, NULL, go_on_later, NULL) == 0);
    CHECK(setsockopt(subject, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0);
    pthread_join(thread, NULL);
    while (recv(subject, &byte, 1, 0) > 0) {}
    CHECK(request(other, MOCK_ANNOUNCE, XFRMNLGRP_SA) > 0);
    struct pollfd wait = {.fd = subject, .events = POLLIN};
    struct nlmsghdr event = {0};
    do {
        CHECK(poll(&wait, 1, 1000) == 1 && recv(subject, &event, sizeof event, 0) > 0);
    } while (event.nlmsg_type != MOCK_EVENT);
}

/* Another thread closes the descriptor while an answer is received, and opens a foreign one of that number. */
static int foreign[2], kept;

static void swap(void)
{
    syscall(SYS_dup3, foreign[0], subject, 0);
}

static void what_took_the_number_of_a_closed_socket_is_offered_no_mailbox(void)
{
    char answer[256];
    subject = open_netlink(SOCK_RAW);
    kept = (int) syscall(SYS_dup, subject);
    CHECK(kept >= 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, foreign) == 0);
    for (int i = 0; i < 4000; i++) {
        CHECK(request(subject, MOCK_TELL, 0) > 0);
        after_receive = swap;
        CHECK(recv(subject, answer, sizeof answer, 0) > 0);
        after_receive = NULL;
        CHECK(syscall(SYS_dup3, kept, subject, 0) == subject);
        CHECK_FAILS(recv(foreign[1], answer, sizeof answer, MSG_DONTWAIT), EAGAIN);
    }
}

#define TEST(name) {#name, name}
const struct test caller_tests[] = {
        TEST(signal_handlers_run_around_fork),
        TEST(handlers_of_fork_may_close),
        TEST(signal_handlers_interrupt_malloc),
        TEST(child_of_vfork_that_closes_an_epoll_set_takes_no_watch),
        TEST(child_of_vfork_hides_no_socket_behind_its_own_numbers),
        TEST(ordinary_user_is_refused_on_a_small_stack),
        TEST(all_calls_do_with_a_small_stack),
        TEST(paths_that_are_no_memory_are_found_out),
        TEST(messages_that_are_no_memory_are_found_out),
        TEST(bind_that_waits_for_the_bridge_holds_up_nothing_else),
        TEST(group_of_a_socket_with_a_full_queue_is_not_lost),
        TEST(what_took_the_number_of_a_closed_socket_is_offered_no_mailbox),
        {NULL, NULL},
};
