/*
 * Sending on diverted sockets. The destination is dropped (there is only the bridge), no send raises SIGPIPE, and a send that finds the
 * bridge dead is repeated on a new connection. A PF_KEY message is answered when its send returns, as in the kernel.
 */
#include "channel.h"
#include "dialogue.h"
#include "mailbox.h"
#include "memory.h"
#include "registry.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum { FULL_QUEUE_PATIENCE_MS = 1000, ANSWER_PATIENCE_MS = 1000, ANSWER_LOOK_US = 50 };

static size_t total_length(const struct msghdr *message)
{
    size_t length = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        length += message->msg_iov[i].iov_len;
    return length;
}

/* As netlink_sendmsg(): only the kernel, port id 0, listens here. */
static int check_destination(const struct name *name, const struct msghdr *message)
{
    if (name->protocol == PFKEY || message->msg_name == NULL || message->msg_namelen == 0)
        return 0;
    struct sockaddr_nl destination;
    if (message->msg_namelen < sizeof destination)
        return EINVAL;
    memcpy(&destination, message->msg_name, sizeof destination);
    if (destination.nl_family != AF_NETLINK)
        return EINVAL;
    return destination.nl_pid == 0 ? 0 : ECONNREFUSED;
}

/* The first bytes of a message, up to the header's size; returns how many there are. */
static size_t copy_header(const struct msghdr *message, struct sadb_msg *header)
{
    size_t length = 0;
    for (size_t i = 0; i < message->msg_iovlen && length < sizeof *header; i++) {
        size_t part = message->msg_iov[i].iov_len;
        if (part > sizeof *header - length)
            part = sizeof *header - length;
        memcpy((char *) header + length, message->msg_iov[i].iov_base, part);
        length += part;
    }
    return length;
}

/* As pfkey_get_base_msg(): of a header that is wrong the call says so, and no message. */
static int check_pfkey(int fd, const struct msghdr *message)
{
    struct sadb_msg header;
    if (copy_header(message, &header) < sizeof header)
        return EMSGSIZE;
    if (header.sadb_msg_version != PF_KEY_V2 || header.sadb_msg_reserved != 0 || header.sadb_msg_type == SADB_RESERVED
        || header.sadb_msg_type > SADB_MAX)
        return EINVAL;
    if (header.sadb_msg_len < sizeof header / 8 || header.sadb_msg_len != total_length(message) / 8)
        return EMSGSIZE;
    if (header.sadb_msg_type == SADB_REGISTER)
        memory_note_register(fd, header.sadb_msg_satype);
    return 0;
}

/*
 * The kernel handles a PF_KEY message in the call that sends it, and iked waits a millisecond for the answer. The bridge takes a message out
 * of the queue when it has answered it.
 */
static void await_answer(int fd)
{
    const struct timespec pause = {.tv_nsec = ANSWER_LOOK_US * 1000};
    struct dialogue dialogue;
    int unread = 0, before = errno;
    dialogue_begin(&dialogue);
    bool soon = true;
    for (int i = 0; i < ANSWER_PATIENCE_MS * 1000 / ANSWER_LOOK_US; i += !soon) {
        if (ioctl(fd, SIOCOUTQ, &unread) != 0 || unread == 0)
            break;
        soon = soon && dialogue_goes_on(&dialogue);
        if (!soon)
            nanosleep(&pause, NULL);
    }
    errno = before;
}

/* The kernel reads a netlink message in the call that sends it: there is no full queue. */
static bool wait_for_room(int fd)
{
    struct pollfd queue = {.fd = fd, .events = POLLOUT};
    bool room = poll(&queue, 1, FULL_QUEUE_PATIENCE_MS) > 0;
    errno = EAGAIN;
    return room;
}

static bool bridge_died(int error)
{
    return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

/* What this socket listened for was lost with the old connection. */
static void mark_lost(int fd, const struct name *name)
{
    if (name->protocol == NETLINK && memory_settings(fd).groups != 0)
        set_kind(fd, LOST);
}

/* Whether the request is with the bridge already: control data and unusual flags are for the socket. */
static bool send_in_box(int fd, const struct name *name, const struct msghdr *message, int flags)
{
    struct mailbox *mailbox = mailbox_enter(fd, name);
    if (mailbox == NULL)
        return false;
    bool plain = message->msg_controllen == 0 && (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) == 0;
    bool sent = plain && box_send(&mailbox->requests, fd, message, total_length(message));
    mailbox_leave(fd);
    return sent;
}

static ssize_t send_diverted(int fd, const struct name *name, const struct msghdr *message, int flags)
{
    struct msghdr nameless = *message;
    nameless.msg_name = NULL;
    nameless.msg_namelen = 0;
    int error = check_destination(name, message);
    if (error == 0 && name->protocol == PFKEY)
        error = check_pfkey(fd, message);
    else if (error == 0 && total_length(message) == 0)
        error = ENODATA;
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (send_in_box(fd, name, &nameless, flags)) {
        dialogue_asked(fd);
        return (ssize_t) total_length(message);
    }
    for (;;) {
        ssize_t sent = REAL(sendmsg)(fd, &nameless, flags | MSG_NOSIGNAL);
        if (sent >= 0) {
            if (name->protocol == PFKEY)
                await_answer(fd);
            else
                dialogue_asked(fd);
            return sent;
        }
        if (errno == EAGAIN && wait_for_room(fd))
            continue;
        if (!bridge_died(errno) || !channel_await(fd, name, flags, SENDING))
            return -1;
        mark_lost(fd, name);
    }
}

static ssize_t send_buffer(int fd, const struct name *name, const void *data, size_t length, int flags)
{
    struct iovec part = {(void *) data, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return send_diverted(fd, name, &message, flags);
}

INTERPOSE(ssize_t, send, (int fd, const void *data, size_t length, int flags))
{
    struct name name;
    return is_diverted(fd, &name) ? send_buffer(fd, &name, data, length, flags) : REAL(send)(fd, data, length, flags);
}

INTERPOSE(ssize_t, write, (int fd, const void *data, size_t length))
{
    struct name name;
    return is_diverted(fd, &name) ? send_buffer(fd, &name, data, length, 0) : REAL(write)(fd, data, length);
}

INTERPOSE(ssize_t, sendto, (int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t to_length))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(sendto)(fd, data, length, flags, to, to_length);
    struct iovec part = {(void *) data, length};
    struct msghdr message = {.msg_name = (void *) to, .msg_namelen = to_length, .msg_iov = &part, .msg_iovlen = 1};
    return send_diverted(fd, &name, &message, flags);
}

INTERPOSE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags))
{
    struct name name;
    if (is_diverted(fd, &name))
        return send_diverted(fd, &name, message, flags);
    registry_passed(message);
    return REAL(sendmsg)(fd, message, flags);
}

INTERPOSE(ssize_t, writev, (int fd, const struct iovec *parts, int count))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(writev)(fd, parts, count);
    struct msghdr message = {.msg_iov = (struct iovec *) parts, .msg_iovlen = (size_t) count};
    return send_diverted(fd, &name, &message, 0);
}

INTERPOSE(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(sendmmsg)(fd, messages, count, flags);
    for (unsigned i = 0; i < count; i++) {
        ssize_t sent = send_diverted(fd, &name, &messages[i].msg_hdr, flags);
        if (sent < 0)
            return i > 0 ? (int) i : -1;
        messages[i].msg_len = (unsigned) sent;
    }
    return (int) count;
}
