/* The connection to control.sock on which this process registers sockets. All under bridge_lock(), but for control_owns(). */
#ifndef XFRM_BRIDGE_CONTROL_H
#define XFRM_BRIDGE_CONTROL_H

#include "real.h"

#include <stdbool.h>

struct control {
    int fd;
    ino_t inode;    /* the program may have closed the number and used it again */
    pid_t owner;    /* a child of fork() must not speak on its parent's connection */
};

extern struct control control;

/* Makes a new connection in `control`; the old one stays open. */
bool control_open(void);
void control_close(const struct control *old);

/* Is there a living connection of this process? */
bool control_is_open(void);

/* Is this descriptor the connection? */
bool control_owns(int fd);

/* Sends a line and reads its answer: 0, an errno, or -1 if the connection is dead. */
int control_ask(const char *line);

#endif
