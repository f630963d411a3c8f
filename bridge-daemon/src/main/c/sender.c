/* What a receive says of the sender: address, group and credentials. */
#include "sender.h"

#include "pages.h"

#include <linux/netlink.h>
#include <string.h>

/* The bridge puts an event's group into the highest bits of nlmsg_flags, which a kernel leaves 0. */
enum { GROUP_SHIFT = 12, FLAGS_BELOW = (1 << GROUP_SHIFT) - 1 };

uint32_t sender_group(const void *start)
{
    struct nlmsghdr header;
    memcpy(&header, start, sizeof header);
    return header.nlmsg_flags >> GROUP_SHIFT;
}

uint32_t sender_take_group(const struct msghdr *message, ssize_t length)
{
    struct nlmsghdr header = {0};
    size_t part = length < (ssize_t) sizeof header ? (size_t) length : sizeof header;
    size_t had = message_gather(message, &header, part);
    uint32_t group = header.nlmsg_flags >> GROUP_SHIFT;
    header.nlmsg_flags &= FLAGS_BELOW;
    if (group != 0)
        message_scatter(message, &header, had);
    return group;
}

bool sender_write_address(const struct name *name, struct msghdr *message, uint32_t group)
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

void sender_write_credentials(struct msghdr *message)
{
    const struct ucred kernel = {0};
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
        size_t length = part->cmsg_len - CMSG_LEN(0); /* less than all where there was no room */
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS && length <= sizeof kernel)
            memcpy(CMSG_DATA(part), &kernel, length);
    }
}

void sender_reserve_info(struct msghdr *message)
{
    size_t space = CMSG_SPACE(sizeof(struct nl_pktinfo));
    bool more = message->msg_control != NULL && message->msg_controllen > space;
    message->msg_control = more ? (char *) message->msg_control + space : NULL;
    message->msg_controllen = more ? message->msg_controllen - space : 0;
}

/* As the kernel's put_cmsg(): what does not fit is cut, and said; what there is no memory for is not there. */
void sender_write_info(const struct msghdr *given, struct msghdr *message, uint32_t group)
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
