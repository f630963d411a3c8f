/*
 * Messages in a program's memory, in parts, and read with the kernel's suspicion: what it calls an error here is one,
 * and no crash.
 */
#ifndef XFRM_BRIDGE_MESSAGE_H
#define XFRM_BRIDGE_MESSAGE_H

#include "real.h"

#include <stdbool.h>

/* No message has more parts, and no call more messages. */
enum { MESSAGE_PARTS = 1024 };

/* Copies what a program passed to sendmsg() or recvmsg(): 0 or an errno. */
int message_copy(const struct msghdr *given, struct msghdr *copy);

/* The same for readv() and writev(), which say EINVAL of too many parts; with the length. */
int message_of_parts(const struct iovec *parts, int count, struct msghdr *message, size_t *length);

/* The length of all parts together: 0 or an errno. Everything below needs a message that passed this. */
int message_measure(const struct msghdr *message, size_t *length);

/* Whether the first `length` bytes may be read, or written. */
bool message_readable(const struct msghdr *message, size_t length);
bool message_writable(const struct msghdr *message, size_t length);

/* Copies the first bytes out of a message, or `length` bytes into one; both return how many there was room for. */
size_t message_gather(const struct msghdr *message, void *to, size_t room);
size_t message_scatter(const struct msghdr *message, const void *from, size_t length);

#endif
