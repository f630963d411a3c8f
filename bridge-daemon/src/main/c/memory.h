/*
 * What programs have set on their diverted sockets, kept because the next connection needs it. It belongs to a socket's
 * inode number, so that copies made by dup() share it, as they share the socket in the kernel, and a descriptor number
 * used again finds nothing.
 */
#ifndef XFRM_BRIDGE_MEMORY_H
#define XFRM_BRIDGE_MEMORY_H

#include "names.h"

/* A control frame: a datagram that no netlink or PF_KEY message can be. */
enum operation {
    GROUPS = 1,
    JOIN = 2,
    LEAVE = 3,
    OPTION = 4,
    OVERRUN = 5,
    REGISTER = 6,
    ROOM = 7,
    ENCAPSULATE = 8,
    BUFFER = 9,
    MAILBOX = 10
};

struct frame {
    uint32_t zero, operation, first, second;
};

/*
 * Waits for room if the bridge is slow, at most five seconds; then the connection is ended, as the next one begins with
 * what is remembered.
 */
void frame_send(int fd, enum operation operation, uint32_t first, uint32_t second);

/* NETLINK_XFRM has 32 groups, as every netlink protocol with fewer. */
enum { CHANNEL_GROUPS = 32 };

enum { WATCHES = 4 };

struct watch {
    int epoll, fd;
    struct epoll_event event;
};

struct channel {
    ino_t inode;
    int type;
    int fd; /* the only one of the socket that was seen in this process; -1 if it has copies or came from elsewhere */
    bool bound;
    uint32_t groups;     /* bit n - 1: member of group n */
    uint32_t options;    /* bit n: SOL_NETLINK option n is on */
    uint32_t room;       /* largest receive so far, in bytes, as the bridge was told */
    uint32_t registered; /* bit n: SADB_REGISTER was sent for SA type n */
    int watched;
    struct watch watches[WATCHES];
    struct channel *next;
};

/* Under MEMORY_LOCK only: the memory of a socket; memory_of() makes it if there is none and never returns NULL. */
struct channel *memory_recall(ino_t inode);
struct channel *memory_of(ino_t inode);

/* The same: a socket that has `port` without being bound to it, and that nothing has used; NULL if there is none. */
struct channel *memory_of_holder(uint32_t port);

/* `fd` is a new socket of this process. */
void memory_begin(int fd, int type);

/* Something is sent on `fd`. */
void memory_note_use(int fd);

/* `fd` got a copy. */
void memory_note_copy(int fd);

/* What was set on the socket; -1 as type if it came from another process. */
struct settings {
    int type;
    uint32_t groups, options;
};

struct settings memory_settings(int fd);

/* Whether a SOL_NETLINK option is on. Costs a load if this process never set it on any socket. */
bool memory_has_option(int fd, uint32_t option);

/* Remember a setting and tell the bridge. */
void memory_set_group(int fd, uint32_t group, bool member);
void memory_set_option(int fd, uint32_t option, bool on);

/* The program sent SADB_REGISTER for this type of SA. */
void memory_note_register(int fd, uint8_t satype);

/* The program has set the receive buffer of the socket: the bridge loses events for it as its own socket would. */
void memory_tell_buffer(int fd);

/* The program receives into this many bytes. Costs a load if it did so before. */
void memory_note_room(int fd, size_t room);

/* An epoll_ctl() on `fd` succeeded; the epoll set itself was closed. */
void memory_note_watch(int epoll, int operation, int fd, const struct epoll_event *event);
void memory_drop_epoll(int epoll);

/* Under MEMORY_LOCK, before `fd` is closed. */
void memory_forget(int fd);

#endif
