/*
 * Options of real sockets that belong to the IPsec of the bridge, not of the kernel: per-socket policies and UDP
 * encapsulation. They are registered at the bridge under the socket's inode number, and the kernel never sees them.
 */
#ifndef XFRM_BRIDGE_REGISTRY_H
#define XFRM_BRIDGE_REGISTRY_H

#include "names.h"

/* True if the option is ours to set; then `error` is what setsockopt() has to report, 0 or an errno. */
bool registry_takes(int fd, int level, int option, const void *value, socklen_t length, int *error);

/* True if the IPPROTO_UDP option was set here; then `value` is what getsockopt() has to report. */
bool registry_get(int fd, int option, int *value);

/*
 * A registered socket got another local address; sends from others than its own, too; is about to be closed, by the
 * process that has it registered.
 */
void registry_moved(int fd);
void registry_roams(int fd);
void registry_closed(int fd);

/* The bridge came back: registers everything again. */
void registry_revive(void);

#endif
