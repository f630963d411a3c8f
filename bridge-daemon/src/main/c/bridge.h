/*
 * The bridge as this process reaches it: its directory, its sockets, and the lock around everything this library
 * remembers.
 */
#ifndef XFRM_BRIDGE_BRIDGE_H
#define XFRM_BRIDGE_BRIDGE_H

#include "real.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

/*
 * How long a call waits for an answer of a bridge that is there; and for one that is away, counted from when this
 * process first missed it: a daemon that makes hundreds of requests while it ends must not wait for each.
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

/*
 * True in a process made by fork(), after its handlers, and false in a child of vfork(), which shares our memory but
 * not our descriptors: what it does to them must not be remembered. False, too, in children that no handler was called
 * in (_Fork(), a raw clone()).
 */
bool bridge_memory_is_ours(void);

/* The inode number of a socket, 0 if `fd` is none. */
ino_t socket_inode(int fd);

/* The next descriptor from `from` on, other than `except`, that is the socket with this inode; -1 if there is none. */
int socket_alias(ino_t inode, int from, int except);

/*
 * What this library remembers of diverted sockets is under MEMORY_LOCK, and nothing waits while it is held.
 * REGISTRY_LOCK is held over questions to control.sock; who has it may ask for the other. Signals are blocked under
 * both, since a handler may close descriptors, too, and fork() takes both. A child of vfork() has neither and must not
 * use what is under them.
 */
enum lock { REGISTRY_LOCK, MEMORY_LOCK, LOCKS };

void bridge_lock(enum lock lock, sigset_t *before);
void bridge_unlock(enum lock lock, const sigset_t *before);

#endif
