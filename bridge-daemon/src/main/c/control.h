/*
 * The connection to control.sock on which this process registers sockets. All under REGISTRY_LOCK, but for what is
 * said.
 */
#ifndef XFRM_BRIDGE_CONTROL_H
#define XFRM_BRIDGE_CONTROL_H

#include "real.h"

#include <stdbool.h>

struct control {
    _Atomic int fd;
    _Atomic ino_t inode; /* the program may have closed the number and used it again */
    pid_t owner;         /* a child of fork() must not speak on its parent's connection */
};

extern struct control control;

/* Makes a new connection in `control`; the old one stays open. */
bool control_open(void);
void control_close(const struct control *old);

/* Is there a living connection of this process? */
bool control_is_open(void);

/* Without the lock: is this descriptor the connection? Its number, -1 if there is none. */
bool control_owns(int fd);
int control_descriptor_number(void);

/* Takes the lock: `fd` is about to be overwritten, and the connection gets another number if it is that. */
void control_make_way(int fd);

/* Sends a line and reads its answer: 0, an errno, or -1 if the connection is dead. */
int control_ask(const char *line);

#endif
