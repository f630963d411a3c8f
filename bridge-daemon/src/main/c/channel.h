/* Diverted sockets: making them, giving them another port id, and connecting them again after the bridge restarted. */
#ifndef XFRM_BRIDGE_CHANNEL_H
#define XFRM_BRIDGE_CHANNEL_H

#include "names.h"

/* socket(): a descriptor, or a negative errno. */
int channel_open(enum protocol protocol, int type);

/* bind() to `port` (0: any) and a mask of groups: 0 or a negative errno. */
int channel_bind(int fd, const struct name *name, uint32_t port, uint32_t groups);

enum wait { SENDING, RECEIVING };

/*
 * Puts a new connection in the place of the dead one that had the name `seen`. False with errno set while the bridge is
 * away. A non-blocking call reports EAGAIN. A blocking one waits for the bridge during its first two seconds away, and
 * from then on reports ECONNREFUSED: a send at once, a receive after a nap, lest a poll loop spin. A receive of a
 * socket that listens to events never reports that, but EAGAIN once a second.
 */
bool channel_await(int fd, const struct name *seen, int flags, enum wait wait);

#endif
