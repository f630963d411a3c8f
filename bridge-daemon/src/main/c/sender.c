/* What a receive says of the sender: address, group and credentials. */
#include "sender.h"

#include "pages.h"

#include <string.h>

/* The bridge puts an event's group into the highest bits of nlmsg_flags, which a kernel leaves 0. */
enum { GROUP_SHIFT = 12, FLAGS_BELOW = (1 << GROUP_SHIFT) - 1 };

uint32_t sender_take_group(struct nlmsghdr *first)
{
    uint32_t group = first->nlmsg_flags >> GROUP_SHIFT;
    first->nlmsg_flags &= FLAGS_BELOW;
    return group;
}

struct msghdr sender_hide(const struct msghdr *message, bool informed)
{
    struct msghdr bare = *message;
    size_t space = informed ? CMSG_SPACE(sizeof(struct nl_pktinfo)) : 0;
    bool more = bare.msg_control != NULL && bare.msg_controllen > space;
    bare.msg_name = NULL;
    bare.msg_namelen = 0;
    if (informed) {
        bare.msg_control = more ? (char *) bare.msg_control + space : NULL;
        bare.msg_controllen = more ? bare.msg_controllen - space : 0;
    }
    return bare;
}

/* The kernel has port id 0, and PF_KEY gives no address. */
static bool write_address(const struct name *name, struct msghdr *message, uint32_t group)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = group == 0 ? 0 : 1u << (group - 1)};
    size_t size = name->protocol == NETLINK ? sizeof kernel : 0;
    size_t part = message->msg_name == NULL ? 0 : message->msg_namelen < size ? message->msg_namelen : size;
    if (!pages_writable(message->msg_name, part))
        return false;
    if (part != 0)
        memcpy(message->msg_name, &kernel, part);
    message->msg_namelen = (socklen_t) size;
    return true;
}

/* The kernel's, in the place of the bridge's. */
static void write_credentials(struct msghdr *message)
{
    const struct ucred kernel = {0};
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
        size_t length = part->cmsg_len - CMSG_LEN(0); /* less than all where there was no room */
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS && length <= sizeof kernel)
            memcpy(CMSG_DATA(part), &kernel, length);
    }
}

/* As the kernel's put_cmsg(): what does not fit is cut, and said; what there is no memory for is not there. */
static void write_info(const struct msghdr *given, struct msghdr *message, uint32_t group)
{
    struct nl_pktinfo info = {group};
    struct cmsghdr header = {
            .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = SOL_NETLINK, .cmsg_type = NETLINK_PKTINFO};
    char whole[CMSG_LEN(sizeof info)];
    size_t room = given->msg_control == NULL ? 0 : given->msg_controllen, space = CMSG_SPACE(sizeof info);
    if (room < header.cmsg_len) {
        message->msg_flags |= MSG_CTRUNC;
        header.cmsg_len = room;
    }
    memcpy(whole, &header, sizeof header);
    memcpy(whole + CMSG_LEN(0), &info, sizeof info);
    if (room < sizeof header || !pages_writable(given->msg_control, header.cmsg_len))
        return;
    memcpy(given->msg_control, whole, header.cmsg_len);
    message->msg_controllen += room < space ? room : space;
}

bool sender_tell(const struct name *name, struct msghdr *message, struct msghdr *bare, uint32_t group, bool informed)
{
    if (name->protocol == NETLINK)
        write_credentials(bare);
    if (informed)
        write_info(message, bare, group);
    message->msg_controllen = bare->msg_controllen;
    message->msg_flags = bare->msg_flags;
    return write_address(name, message, group);
}
