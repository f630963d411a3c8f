/*
 * The mailboxes of this process, by descriptor. One is offered to the bridge when a socket has been in dialogue for a
 * while: a program that asks once has none. They may be used by a thread while another closes the descriptor, and are
 * then unmapped later.
 *
 * Memory has no credentials: what is in a mailbox is from a process that was allowed to ask. So a child of fork()
 * inherits none, and a process that changes its user or groups loses its own.
 */
#ifndef XFRM_BRIDGE_MAILBOX_H
#define XFRM_BRIDGE_MAILBOX_H

#include "box.h"
#include "names.h"

/* As name_of(), for sockets with a mailbox. */
bool mailbox_name(int fd, struct name *name);

/*
 * Whether `fd` is one of ours, for calls that move data: free for foreign descriptors, and one question to the kernel
 * for others.
 */
static inline bool is_diverted(int fd, struct name *name)
{
    return __builtin_expect(kind_of(fd) < FOREIGN, 0) && (mailbox_name(fd, name) || name_of(fd, name));
}

/* The mailbox of a socket whose name was just asked for, or NULL. If it is not, mailbox_leave() must follow. */
struct mailbox *mailbox_enter(int fd, const struct name *name);
void mailbox_leave(int fd);

/* An answer was looked for on this socket, which has no mailbox, and it came: now and then this makes one. */
void mailbox_answered(int fd, const struct name *name);

/* `fd` is about to be closed, or stands for another socket. */
void mailbox_close(int fd);

/* The credentials of this process are about to change. */
void mailbox_close_all(void);

#endif
