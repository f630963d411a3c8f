/*
 * Values of socket policy options. The checks are those the kernel makes before it looks at templates, which the bridge
 * does.
 */
#include "policy.h"

#include <errno.h>
#include <linux/ipsec.h>
#include <linux/pfkeyv2.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

static int keep(const void *value, size_t length, int direction, struct policy *policy)
{
    policy->value = malloc(length);
    if (policy->value == NULL)
        return ENOMEM;
    memcpy(policy->value, value, length);
    policy->length = length;
    policy->direction = direction;
    return 0;
}

static int check(const void *value, socklen_t length, size_t least, bool foreign)
{
    if (length == 0 || length > POLICY_LENGTH)
        return EMSGSIZE;
    if (value == NULL)
        return EFAULT;
    if (foreign)
        return EOPNOTSUPP;
    return length < least ? EINVAL : 0;
}

int policy_copy(const void *value, socklen_t length, bool foreign, struct policy *policy)
{
    struct xfrm_userpolicy_info info;
    *policy = (struct policy) {.verb = "policy"};
    if (value == NULL && length == 0)
        return 0;
    int error = check(value, length, sizeof info, foreign);
    if (error != 0)
        return error;
    memcpy(&info, value, sizeof info);
    return info.dir <= XFRM_POLICY_OUT ? keep(value, length, info.dir, policy) : EINVAL;
}

int policy_copy_pfkey(const void *value, socklen_t length, bool foreign, struct policy *policy)
{
    struct sadb_x_policy asked;
    *policy = (struct policy) {.verb = "policy"};
    if (value == NULL && length == 0)
        return 0;
    int error = check(value, length, sizeof asked, foreign);
    if (error != 0)
        return error;
    memcpy(&asked, value, sizeof asked);
    bool known = asked.sadb_x_policy_dir == IPSEC_DIR_INBOUND || asked.sadb_x_policy_dir == IPSEC_DIR_OUTBOUND;
    if (!known || asked.sadb_x_policy_len * 8u > length || asked.sadb_x_policy_type > IPSEC_POLICY_BYPASS)
        return EINVAL;
    policy->verb = "ipsec";
    return keep(value, length, asked.sadb_x_policy_dir == IPSEC_DIR_INBOUND ? XFRM_POLICY_IN : XFRM_POLICY_OUT, policy);
}

void policy_clear(struct policy *policy)
{
    free(policy->value);
    *policy = (struct policy) {0};
}
