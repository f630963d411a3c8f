/* Who a message comes from, as netlink says it: the kernel, and of an event the group that it was sent to. */
#ifndef XFRM_BRIDGE_SENDER_H
#define XFRM_BRIDGE_SENDER_H

#include "message.h"
#include "names.h"

#include <linux/netlink.h>

/* Takes the group out of the header that an event begins with; 0 of anything else. */
uint32_t sender_take_group(struct nlmsghdr *first);

/*
 * A message of the program as the socket is to fill it: without an address and, if the program wants NETLINK_PKTINFO,
 * with room for that, which comes first among the control data.
 */
struct msghdr sender_hide(const struct msghdr *message, bool informed);

/*
 * Tells the program in its `message` who sent what is in `bare`, which came from the call above: address, credentials,
 * and the group that an event was sent to. False if there is no memory for the address.
 */
bool sender_tell(const struct name *name, struct msghdr *message, struct msghdr *bare, uint32_t group, bool informed);

#endif
