/*
 * The bridge as this process reaches it: its directory, its sockets, and the lock around everything this library remembers.
 */
#ifndef XFRM_BRIDGE_BRIDGE_H
#define XFRM_BRIDGE_BRIDGE_H

#include "real.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

/*
 * How long a call waits for an answer of a bridge that is there; and for one that is away, counted from when this process first missed it:
 * a daemon that makes hundreds of requests while it ends must not wait for each.
 */
enum { BRIDGE_PATIENCE_MS = 5000, BRIDGE_GRACE_MS = 2000, BRIDGE_RETRY_MS = 100 };

/* Connects `fd` to DIR/`file`; 0 or a negative errno. */
int bridge_connect(int fd, const char *file);

/* A number that differs between two lives of the bridge that serves DIR/`file`, 0 if there is none. */
uint64_t bridge_instance(const char *file);

/* Whether the bridge obeys this user: root, and the members of the group that its socket file belongs to. */
bool bridge_obeys_us(void);

/* A connection to control.sock on which `request` was sent, or a negative errno. */
int bridge_request(const char *request);

/* Says on stderr, once per process and only if asked to, why a socket or file was refused. */
void bridge_complain(int error);

/* True in a process made by fork(), after its handlers, and false in a child of vfork(), which shares our memory. */
bool bridge_memory_is_ours(void);

/* The inode number of a socket, 0 if `fd` is none. */
ino_t socket_inode(int fd);

/* The next descriptor from `from` on, other than `except`, that is the socket with this inode; -1 if there is none. */
int socket_alias(ino_t inode, int from, int except);

/* One lock for all memory of this library. Signals are blocked under it: a handler may close descriptors, too. */
void bridge_lock(sigset_t *before);
void bridge_unlock(const sigset_t *before);

#endif
