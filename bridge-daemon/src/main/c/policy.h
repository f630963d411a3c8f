/* The value of a socket policy option, in the one form that the bridge is told: struct xfrm_userpolicy_info and templates. */
#ifndef XFRM_BRIDGE_POLICY_H
#define XFRM_BRIDGE_POLICY_H

#include "real.h"

/* The kernel takes at most a page. */
enum { POLICY_LENGTH = 4096, DIRECTIONS = 2 };

/* Length 0 stands for "none, in both directions". */
struct policy {
    int direction;
    size_t length;
    unsigned char *value;
};

/* IP_XFRM_POLICY, IPV6_XFRM_POLICY; 0 or an errno. */
int policy_copy(const void *value, socklen_t length, struct policy *policy);

/* IP_IPSEC_POLICY, IPV6_IPSEC_POLICY: a struct sadb_x_policy. Those that name IPsec requests are refused with EINVAL. */
int policy_translate(const void *value, socklen_t length, sa_family_t family, struct policy *policy);

void policy_clear(struct policy *policy);

#endif
