/* A registered socket, and the lines by which the bridge is asked about it. All under REGISTRY_LOCK. */
#ifndef XFRM_BRIDGE_ENTRY_H
#define XFRM_BRIDGE_ENTRY_H

#include "policy.h"

struct entry {
    ino_t cookie;
    int fd;
    int encapsulation;    /* UDP_ENCAP, 0 for none */
    bool receive_offload; /* UDP_GRO was asked for */
    bool roams;           /* sends from other addresses than its own, too */
    struct policy policies[DIRECTIONS];
    struct entry *next;
};

/* An IPv6 socket that gets the IPv4 packets of its port, too. */
bool entry_is_dual(int fd, int family);

/* "socket INODE COOKIE TYPE": by this the bridge can ask the kernel for the socket, whoever has it. */
void entry_ask_socket(const struct entry *entry);

/* All of these: as control_ask(). */
int entry_ask_policy(const struct entry *entry, const struct policy *policy);
int entry_ask_encapsulation(const struct entry *entry, int type);
int entry_ask_moved(const struct entry *entry);
int entry_ask_closed(const struct entry *entry);

#endif
