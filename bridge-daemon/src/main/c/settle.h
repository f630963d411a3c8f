/*
 * A registered socket gets its port before it sends: the kernel gives one to a socket without on its first sendto(),
 * connect() or listen(), and what it sends then is under way before anybody could tell the bridge.
 */
#ifndef XFRM_BRIDGE_SETTLE_H
#define XFRM_BRIDGE_SETTLE_H

#include "names.h"

/* Before a registered socket sends to an address or listens. 0, or the errno that the call has to fail with. */
int settle(int fd);

/* The same before it is connected: it may have had another peer. */
int settle_to_connect(int fd);

/* The same before a message is sent, which may name another source address than the socket's. */
int settle_message(int fd, const struct msghdr *message);

#endif
