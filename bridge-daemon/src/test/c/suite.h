/*
 * The frame of the preload library's tests: each runs in a process of its own, with the library loaded, a fresh
 * XFRM_BRIDGE_DIR, and a mock bridge (path in XFRM_BRIDGE_MOCK) running in it. A failed CHECK ends the process with the
 * reason on stderr.
 */
#ifndef XFRM_BRIDGE_SUITE_H
#define XFRM_BRIDGE_SUITE_H

#define _GNU_SOURCE
#include "mock.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            check_failed(#condition, __FILE__, __LINE__); \
    } while (0)

#define CHECK_FAILS(call, expected) \
    do { \
        errno = 0; \
        long result = (long) (call); \
        if (result != -1 || errno != (expected)) \
            check_failed(#call " fails with " #expected, __FILE__, __LINE__); \
    } while (0)

/* Not in every libc; the library has them. */
int close_range(unsigned first, unsigned last, int flags) __attribute__((weak));
void closefrom(int first) __attribute__((weak));

struct test {
    const char *name;
    void (*run)(void);
};

extern const struct test netlink_tests[], restart_tests[], registry_tests[], process_tests[], caller_tests[];

void check_failed(const char *what, const char *file, int line) __attribute__((noreturn));

void mock_start(void);
void mock_kill(void);

/* One that ends as soon as somebody has connected. */
void mock_start_to_end(void);
void mock_await_end(void);

/* A stopped mock answers nothing, and its queues fill up. */
void mock_stop(void);
void mock_go_on(void);

/* Called behind each recvmsg() of libc that the library makes, if the next library is loaded that has it (late.c). */
extern void (*after_receive)(void);

/* Waits until DIR/log holds `text`, at most two seconds. */
bool log_shows(const char *text);

/* DIR/log does not hold `text` now. */
bool log_lacks(const char *text);

int open_netlink(int type);
void bind_netlink(int fd, uint32_t port, uint32_t groups);
uint32_t port_of(int fd);

/* Sends a request of this type with one number as its payload. */
ssize_t request(int fd, int type, uint32_t argument);

/* What the mock knows about the socket. */
struct mock_client tell(int fd);

/* A real UDP socket bound to 127.0.0.1 and any port; its inode number and port. */
int open_udp(unsigned long *cookie, int *port);

#endif
