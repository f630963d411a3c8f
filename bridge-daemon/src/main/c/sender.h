/* Who a message comes from, as netlink says it: the kernel, and of an event the group that it was sent to. */
#ifndef XFRM_BRIDGE_SENDER_H
#define XFRM_BRIDGE_SENDER_H

#include "message.h"
#include "names.h"

/* The group of the event that begins with these 16 bytes, 0 of anything else. */
uint32_t sender_group(const void *start);

/*
 * Takes the group out of what the program will see; returns it if it was there, which it is not where the room ends
 * before it.
 */
uint32_t sender_take_group(const struct msghdr *message, ssize_t length);

/* The kernel has port id 0, and PF_KEY gives no address. False if there is no memory for it. */
bool sender_write_address(const struct name *name, struct msghdr *message, uint32_t group);

/* The kernel's credentials in the place of the bridge's. */
void sender_write_credentials(struct msghdr *message);

/*
 * NETLINK_PKTINFO comes first among the control data. Leaves room for it there, and writes it behind the receive:
 * `given` has the memory as the program gave it, `message` gets what the program is told.
 */
void sender_reserve_info(struct msghdr *message);
void sender_write_info(const struct msghdr *given, struct msghdr *message, uint32_t group);

#endif
