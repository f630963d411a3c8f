/* Requests that wait for their answer: one for each socket, the last that was sent. */
#ifndef XFRM_BRIDGE_REQUESTS_H
#define XFRM_BRIDGE_REQUESTS_H

#include <linux/netlink.h>
#include <stdbool.h>

/* Nothing waits for an answer at `fd`: it is a new socket, or what was noted could not be sent. */
void request_none(int fd);

/* A netlink message that begins so was sent; another that begins so was received. */
void request_sent(int fd, const struct nlmsghdr *first);
void request_answered(int fd, const struct nlmsghdr *first);

/* The bridge died: whether a request was with it. Its answer is due from now on. */
bool request_lost(int fd);

/* Whether an answer is due that says that the bridge died; a peek leaves it there. */
bool request_refused(int fd, bool peeks, struct nlmsgerr *error);

#endif
