/*
 * Receiving on diverted sockets. The sender is the kernel (port id 0); an OVERRUN frame and the death of the bridge
 * become ENOBUFS, after which every netlink listener knows that it missed something.
 */
#include "channel.h"
#include "clock.h"
#include "dialogue.h"
#include "mailbox.h"
#include "memory.h"
#include "message.h"
#include "pages.h"
#include "sender.h"

#include <limits.h>
#include <linux/netlink.h>
#include <string.h>

enum arrival { MESSAGE, EVENTS_LOST, BRIDGE_DIED, FAILED };

/* Its full length, and the group if it is an event; that is 0 of everything else. */
struct received {
    ssize_t length;
    uint32_t group;
};

/* `start` is the beginning of what was received, `length` its full length. */
static enum arrival judge(ssize_t length, const struct frame *start)
{
    if (length < 0)
        return errno == ECONNRESET || errno == ENOTCONN ? BRIDGE_DIED : FAILED;
    if (length == 0)
        return BRIDGE_DIED;
    bool overrun = length == sizeof *start && start->zero == 0 && start->operation == OVERRUN;
    return overrun ? EVENTS_LOST : MESSAGE;
}

/*
 * What is next in the queue, without waiting, but for the moment in which an answer comes to what was just sent; -1 and
 * EAGAIN if nothing is.
 */
static ssize_t peek_answer(int fd, struct frame *start)
{
    struct dialogue dialogue;
    dialogue_begin(&dialogue);
    ssize_t length;
    do {
        length = REAL(recv)(fd, start, sizeof *start, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    } while (length < 0 && errno == EAGAIN && dialogue_goes_on(&dialogue));
    dialogue_ended(length >= 0 || errno != EAGAIN);
    return length;
}

/* Waits for the next datagram as the program would, and leaves it in the queue. */
static enum arrival look(int fd, int flags, uint32_t *group)
{
    struct frame start = {1, 0, 0, 0};
    bool waits = !(flags & MSG_DONTWAIT);
    ssize_t length = -1;
    bool looked = waits && dialogue_is_open(fd);
    if (looked)
        length = peek_answer(fd, &start);
    if (!looked || (length < 0 && errno == EAGAIN))
        length = REAL(recv)(fd, &start, sizeof start, (flags & MSG_DONTWAIT) | MSG_PEEK | MSG_TRUNC);
    *group = length >= (ssize_t) sizeof start ? sender_group(&start) : 0;
    return judge(length, &start);
}

/* Control data comes through the socket only. */
static ssize_t look_once(int fd, const struct name *name, struct msghdr *message, int flags)
{
    bool plain = message->msg_controllen == 0 && (flags & ~MSG_TRUNC) == 0;
    struct mailbox *mailbox = plain ? mailbox_enter(fd, name) : NULL;
    ssize_t length = -1;
    if (mailbox != NULL) {
        length = box_receive(&mailbox->answers, message, flags);
        mailbox_leave(fd);
    }
    if (length >= 0 || (mailbox != NULL && errno != EAGAIN))
        return length;
    length = REAL(recvmsg)(fd, message, flags | MSG_DONTWAIT);
    if (length >= 0 && plain && mailbox == NULL && name->protocol == NETLINK)
        mailbox_answered(fd, name);
    return length;
}

/* recvmsg(), which looks for the answer to a request that was just sent before it sleeps. */
static ssize_t receive_answer(int fd, const struct name *name, struct msghdr *message, int flags)
{
    if ((flags & MSG_DONTWAIT) || !dialogue_is_open(fd))
        return REAL(recvmsg)(fd, message, flags);
    struct dialogue dialogue;
    dialogue_begin(&dialogue);
    ssize_t length;
    do {
        length = look_once(fd, name, message, flags);
    } while (length < 0 && errno == EAGAIN && dialogue_goes_on(&dialogue));
    bool answered = length >= 0 || errno != EAGAIN;
    dialogue_ended(answered);
    return answered ? length : REAL(recvmsg)(fd, message, flags);
}

/* Behind a part of a dump the next one comes at once. */
static void expect_more(int fd, const struct msghdr *message, ssize_t length)
{
    struct nlmsghdr first = {0};
    if ((size_t) length >= sizeof first && message_gather(message, &first, sizeof first) == sizeof first
            && (first.nlmsg_flags & NLM_F_MULTI) && first.nlmsg_type != NLMSG_DONE)
        dialogue_asked(fd);
}

static enum arrival receive(int fd, const struct name *name, struct msghdr *message, int flags, struct received *got)
{
    size_t room;
    int error = message_measure(message, &room);
    if (error != 0) {
        errno = error;
        return FAILED;
    }
    if (name->protocol == NETLINK && !(flags & MSG_PEEK))
        memory_note_room(fd, room);
    /* A peek must not show a frame, and a tiny buffer could not tell it from a message. */
    bool look_first = (flags & MSG_PEEK) || room < sizeof(struct frame);
    enum arrival arrival = look_first ? look(fd, flags, &got->group) : MESSAGE;
    if (arrival == EVENTS_LOST) {
        struct frame frame;
        REAL(recv)(fd, &frame, sizeof frame, MSG_DONTWAIT);
    }
    if (arrival != MESSAGE)
        return arrival;
    got->length = receive_answer(fd, name, message, flags);
    if (look_first)
        return got->length < 0 ? judge(got->length, NULL) : MESSAGE;
    struct frame start = {1, 0, 0, 0};
    if (got->length == sizeof start)
        message_gather(message, &start, sizeof start);
    return judge(got->length, &start);
}

/* What is netlink's about a message that has come. */
static void read_header(int fd, struct msghdr *message, struct received *got)
{
    uint32_t group = sender_take_group(message, got->length);
    if (group != 0)
        got->group = group;
    expect_more(fd, message, got->length);
    sender_write_credentials(message);
}

static ssize_t receive_diverted(int fd, const struct name *name, struct msghdr *message, int flags)
{
    if (kind_of(fd) == LOST) {
        set_kind(fd, DIVERTED);
        return fail(ENOBUFS);
    }
    struct msghdr nameless = *message;
    nameless.msg_name = NULL;
    nameless.msg_namelen = 0;
    bool informed = name->protocol == NETLINK && memory_has_option(fd, NETLINK_PKTINFO);
    if (informed)
        sender_reserve_info(&nameless);
    struct received got = {-1, 0};
    switch (receive(fd, name, &nameless, flags, &got)) {
    case FAILED: return -1;
    case BRIDGE_DIED:
        if (!channel_await(fd, name, flags, RECEIVING))
            return -1;
        /* fall through */
    case EVENTS_LOST: return fail(ENOBUFS);
    case MESSAGE: break;
    }
    if (name->protocol == NETLINK)
        read_header(fd, &nameless, &got);
    if (informed)
        sender_write_info(message, &nameless, got.group);
    message->msg_controllen = nameless.msg_controllen;
    message->msg_flags = nameless.msg_flags;
    return sender_write_address(name, message, got.group) ? got.length : fail(EFAULT);
}

/* As the kernel, recvmsg() tells the length of the sender's address only where there is room for one. */
static ssize_t receive_message(int fd, const struct name *name, struct msghdr *given, int flags)
{
    struct msghdr message;
    int error = message_copy(given, &message);
    if (error != 0)
        return fail(error);
    ssize_t length = receive_diverted(fd, name, &message, flags);
    if (length < 0)
        return -1;
    if (!pages_writable(given, sizeof *given))
        return fail(EFAULT);
    given->msg_controllen = message.msg_controllen;
    given->msg_flags = message.msg_flags;
    if (given->msg_name != NULL)
        given->msg_namelen = message.msg_namelen;
    return length;
}

static ssize_t receive_buffer(int fd, const struct name *name, void *data, size_t room, int flags)
{
    struct iovec part = {data, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return receive_diverted(fd, name, &message, flags);
}

/* Descriptors may have come with a message, on numbers that were last seen as foreign. */
static void forget_passed(const struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
            part = CMSG_NXTHDR((struct msghdr *) message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS || part->cmsg_len < CMSG_LEN(0))
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            set_kind(fd, UNKNOWN);
            memory_note_copy(fd);
        }
    }
}

INTERPOSE(ssize_t, recv, (int fd, void *data, size_t room, int flags))
{
    struct name name;
    return is_diverted(fd, &name) ? receive_buffer(fd, &name, data, room, flags) : REAL(recv)(fd, data, room, flags);
}

INTERPOSE(ssize_t, read, (int fd, void *data, size_t room))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(read)(fd, data, room);
    return room == 0 ? 0 : receive_buffer(fd, &name, data, room, 0);
}

/* The kernel looks at the room for the sender's address when it has the message. */
static ssize_t receive_from(
        int fd, const struct name *name, struct iovec *part, int flags, struct sockaddr *from, socklen_t *from_length)
{
    bool known = pages_writable(from_length, sizeof *from_length);
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 1, .msg_name = from};
    message.msg_namelen = known && *from_length <= INT_MAX ? *from_length : 0;
    ssize_t length = receive_diverted(fd, name, &message, flags);
    if (length >= 0 && (!known || *from_length > INT_MAX))
        return fail(known ? EINVAL : EFAULT);
    if (length >= 0)
        *from_length = message.msg_namelen;
    return length;
}

INTERPOSE(
        ssize_t, recvfrom, (int fd, void *data, size_t room, int flags, struct sockaddr *from, socklen_t *from_length))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(recvfrom)(fd, data, room, flags, from, from_length);
    return from == NULL ? receive_buffer(fd, &name, data, room, flags)
                        : receive_from(fd, &name, &(struct iovec) {data, room}, flags, from, from_length);
}

INTERPOSE(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags))
{
    struct name name;
    if (is_diverted(fd, &name))
        return receive_message(fd, &name, message, flags);
    ssize_t length = REAL(recvmsg)(fd, message, flags);
    if (length >= 0 && message->msg_controllen != 0)
        forget_passed(message);
    return length;
}

INTERPOSE(ssize_t, readv, (int fd, const struct iovec *parts, int count))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(readv)(fd, parts, count);
    struct msghdr message;
    size_t room;
    int error = message_of_parts(parts, count, &message, &room);
    if (error != 0)
        return fail(error);
    return room == 0 ? 0 : receive_diverted(fd, &name, &message, 0);
}

/* recvmmsg() of the kernel looks at its time only behind a message. */
static bool is_over(uint64_t deadline_ns, struct timespec *timeout)
{
    uint64_t now = nanoseconds(), left = now < deadline_ns ? deadline_ns - now : 0;
    *timeout = (struct timespec) {.tv_sec = (time_t) (left / 1000000000), .tv_nsec = (long) (left % 1000000000)};
    return left == 0;
}

/* What happens behind the first message is left for the next call: a frame, the bridge's end, a signal. */
static int receive_many(
        int fd, const struct name *name, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    uint64_t deadline_ns =
            timeout == NULL ? 0 : nanoseconds() + (uint64_t) timeout->tv_sec * 1000000000 + (uint64_t) timeout->tv_nsec;
    int later = flags & MSG_WAITFORONE ? MSG_DONTWAIT : flags & MSG_DONTWAIT;
    unsigned done = 0;
    uint32_t group;
    while (done < count && (done == 0 || look(fd, later, &group) == MESSAGE)) {
        ssize_t length =
                receive_message(fd, name, &messages[done].msg_hdr, (flags | (done > 0 ? later : 0)) & ~MSG_WAITFORONE);
        if (length < 0)
            return done > 0 ? (int) done : -1;
        if (!pages_writable(&messages[done].msg_len, sizeof messages[done].msg_len))
            return done > 0 ? (int) done : fail(EFAULT);
        messages[done++].msg_len = (unsigned) length;
        if (timeout != NULL && is_over(deadline_ns, timeout))
            break;
    }
    return (int) done;
}

static int check_timeout(const struct timespec *timeout)
{
    if (timeout == NULL)
        return 0;
    if (!pages_writable(timeout, sizeof *timeout))
        return EFAULT;
    return timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000 ? EINVAL : 0;
}

INTERPOSE(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout))
{
    struct name name;
    if (is_diverted(fd, &name)) {
        int error = check_timeout(timeout);
        return error == 0 ? receive_many(fd, &name, messages, count, flags, timeout) : fail(error);
    }
    int received = REAL(recvmmsg)(fd, messages, count, flags, timeout);
    for (int i = 0; i < received; i++) {
        if (messages[i].msg_hdr.msg_controllen != 0)
            forget_passed(&messages[i].msg_hdr);
    }
    return received;
}
