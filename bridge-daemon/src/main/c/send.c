/*
 * Sending on diverted sockets. The destination is dropped (there is only the bridge), no send raises SIGPIPE, and a
 * send that finds the bridge dead is repeated on a new connection. A PF_KEY message is answered when its send returns,
 * as in the kernel.
 */
#include "bridge.h"
#include "channel.h"
#include "dialogue.h"
#include "mailbox.h"
#include "memory.h"
#include "message.h"
#include "pages.h"
#include "requests.h"
#include "settle.h"

#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
#include <poll.h>
#include <string.h>

enum { FULL_QUEUE_PATIENCE_MS = 1000 };

/*
 * The bridge takes no longer one. The socket itself refuses what its send buffer does not hold, as the kernel's, 212960
 * bytes by default, and what no unix socket takes, whatever its buffer.
 */
enum { MOST_BYTES = 1 << 20, MOST_OF_ANY_SOCKET = 1 << 30 };

/* As netlink_sendmsg(): only the kernel, port id 0, listens here. */
static int check_destination(const struct name *name, const struct msghdr *message)
{
    if (name->protocol == PFKEY || message->msg_namelen == 0)
        return 0;
    struct sockaddr_nl destination;
    if (message->msg_namelen < sizeof destination)
        return EINVAL;
    memcpy(&destination, message->msg_name, sizeof destination);
    if (destination.nl_family != AF_NETLINK)
        return EINVAL;
    return destination.nl_pid == 0 ? 0 : ECONNREFUSED;
}

/* As pfkey_get_base_msg(): of a header that is wrong the call says so, and no message. */
static int check_pfkey(int fd, const struct msghdr *message, size_t length)
{
    struct sadb_msg header;
    if (!message_readable(message, sizeof header))
        return EFAULT;
    if (message_gather(message, &header, sizeof header) < sizeof header)
        return EMSGSIZE;
    if (header.sadb_msg_version != PF_KEY_V2 || header.sadb_msg_reserved != 0 || header.sadb_msg_type == SADB_RESERVED
            || header.sadb_msg_type > SADB_MAX)
        return EINVAL;
    if (header.sadb_msg_len < sizeof header / 8 || header.sadb_msg_len != length / 8)
        return EMSGSIZE;
    if (header.sadb_msg_type == SADB_REGISTER)
        memory_note_register(fd, header.sadb_msg_satype);
    return 0;
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

/*
 * Descriptors are for unix sockets: netlink passes none. Of control data that the program has no memory for the socket
 * says so.
 */
static int check_control_data(const struct msghdr *message)
{
    if (message->msg_controllen == 0 || !pages_readable(message->msg_control, message->msg_controllen))
        return 0;
    struct msghdr copy = *message;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&copy); part != NULL; part = CMSG_NXTHDR(&copy, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
            return EINVAL;
    }
    return 0;
}

/* 0 or an errno, and the length of the message. */
static int check(int fd, const struct name *name, const struct msghdr *message, size_t *length)
{
    int error = pages_readable(message->msg_name, message->msg_namelen) ? message_measure(message, length) : EFAULT;
    if (error == 0 && *length > MOST_BYTES && *length <= MOST_OF_ANY_SOCKET)
        error = EMSGSIZE;
    if (error == 0 && name->protocol == PFKEY)
        error = check_pfkey(fd, message, *length);
    else if (error == 0 && *length == 0)
        error = ENODATA;
    if (error == 0)
        error = check_control_data(message);
    return error == 0 ? check_destination(name, message) : error;
}

/*
 * Whether the request is with the bridge already: control data and unusual flags are for the socket, and memory that
 * can't be read.
 */
static bool send_in_box(int fd, const struct name *name, const struct msghdr *message, size_t length, int flags)
{
    struct mailbox *mailbox = mailbox_enter(fd, name);
    if (mailbox == NULL)
        return false;
    bool plain = message->msg_controllen == 0 && (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL)) == 0;
    bool sent = plain && message_readable(message, length) && box_send(&mailbox->requests, fd, message, length);
    mailbox_leave(fd);
    return sent;
}

/* Before it is sent: the answer may come to another thread. */
static void note_request(int fd, const struct name *name, const struct msghdr *message)
{
    struct nlmsghdr first;
    if (name->protocol == NETLINK && message_readable(message, sizeof first)
            && message_gather(message, &first, sizeof first) == sizeof first)
        request_sent(fd, &first);
}

static ssize_t send_diverted(int fd, const struct name *name, struct msghdr *message, int flags)
{
    size_t length;
    int error = check(fd, name, message, &length);
    if (error != 0)
        return fail(error);
    memory_note_use(fd);
    note_request(fd, name, message);
    message->msg_name = NULL;
    message->msg_namelen = 0;
    if (send_in_box(fd, name, message, length, flags)) {
        dialogue_asked(fd);
        return (ssize_t) length;
    }
    struct name connected = *name;
    for (;;) {
        ssize_t sent = REAL(sendmsg)(fd, message, flags | MSG_NOSIGNAL);
        if (sent >= 0) {
            /*
             * A kernel handles a PF_KEY message in the call that sends it: iked waits a millisecond for the answer, and
             * ends without. A bridge that was just started may take a second for its first one.
             */
            if (name->protocol == PFKEY)
                dialogue_settle(fd, BRIDGE_PATIENCE_MS);
            else
                dialogue_asked(fd);
            return sent;
        }
        if (errno == EAGAIN && wait_for_room(fd))
            continue;
        if (!bridge_died(errno) || !channel_await(fd, &connected, flags, SENDING)) {
            request_none(fd);
            return -1;
        }
        mark_lost(fd, name);
        name_of(fd, &connected); /* the bridge that is there now may have ended before it has the message */
    }
}

static ssize_t send_buffer(int fd, const struct name *name, const void *data, size_t length, int flags)
{
    struct iovec part = {(void *) data, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return send_diverted(fd, name, &message, flags);
}

static ssize_t send_message(int fd, const struct name *name, const struct msghdr *given, int flags)
{
    struct msghdr message;
    int error = message_copy(given, &message);
    return error == 0 ? send_diverted(fd, name, &message, flags) : fail(error);
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

INTERPOSE(ssize_t, sendto,
        (int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t to_length))
{
    struct name name;
    if (kind_of(fd) == REGISTERED && to != NULL) {
        int error = settle(fd);
        return error == 0 ? REAL(sendto)(fd, data, length, flags, to, to_length) : fail(error);
    }
    if (!is_diverted(fd, &name))
        return REAL(sendto)(fd, data, length, flags, to, to_length);
    if (to != NULL && to_length > sizeof(struct sockaddr_storage))
        return fail(EINVAL);
    struct iovec part = {(void *) data, length};
    struct msghdr message = {
            .msg_name = (void *) to, .msg_namelen = to != NULL ? to_length : 0, .msg_iov = &part, .msg_iovlen = 1};
    return send_diverted(fd, &name, &message, flags);
}

INTERPOSE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags))
{
    struct name name;
    if (is_diverted(fd, &name))
        return send_message(fd, &name, message, flags);
    int error = kind_of(fd) == REGISTERED ? settle_message(fd, message) : 0;
    if (error != 0)
        return fail(error);
    return REAL(sendmsg)(fd, message, flags);
}

INTERPOSE(ssize_t, writev, (int fd, const struct iovec *parts, int count))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(writev)(fd, parts, count);
    struct msghdr message;
    size_t length;
    int error = message_of_parts(parts, count, &message, &length);
    if (error != 0)
        return fail(error);
    return length == 0 ? 0 : send_diverted(fd, &name, &message, 0);
}

INTERPOSE(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags))
{
    struct name name;
    if (!is_diverted(fd, &name)) {
        int error = 0;
        for (unsigned i = 0; kind_of(fd) == REGISTERED && i < count && i < MESSAGE_PARTS && error == 0; i++)
            error = settle_message(fd, &messages[i].msg_hdr);
        return error == 0 ? REAL(sendmmsg)(fd, messages, count, flags) : fail(error);
    }
    unsigned done = 0;
    while (done < count && done < MESSAGE_PARTS) {
        ssize_t sent = send_message(fd, &name, &messages[done].msg_hdr, flags);
        if (sent < 0)
            break;
        if (!pages_writable(&messages[done].msg_len, sizeof messages[done].msg_len))
            return done > 0 ? (int) done : fail(EFAULT);
        messages[done++].msg_len = (unsigned) sent;
    }
    return done > 0 || count == 0 ? (int) done : -1;
}
