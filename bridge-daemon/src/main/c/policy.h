/* The value of a socket policy option, of netlink's form or PF_KEY's, as the bridge is told it. */
#ifndef XFRM_BRIDGE_POLICY_H
#define XFRM_BRIDGE_POLICY_H

#include "real.h"

#include <stdbool.h>

/* The kernel takes at most a page. */
enum { POLICY_LENGTH = 4096, DIRECTIONS = 2 };

/* Length 0 stands for "none, in both directions"; `verb` begins the line that tells the bridge. */
struct policy {
    const char *verb;
    int direction;
    size_t length;
    unsigned char *value;
};

/*
 * IP_XFRM_POLICY, IPV6_XFRM_POLICY: struct xfrm_userpolicy_info and templates; 0 or an errno. An option that is
 * `foreign`, of the other family than the socket, can only clear.
 */
int policy_copy(const void *value, socklen_t length, bool foreign, struct policy *policy);

/* IP_IPSEC_POLICY, IPV6_IPSEC_POLICY: a struct sadb_x_policy and its requests. */
int policy_copy_pfkey(const void *value, socklen_t length, bool foreign, struct policy *policy);

void policy_clear(struct policy *policy);

#endif
