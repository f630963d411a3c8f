/*
 * Receiving on diverted sockets. The sender is the kernel (port id 0); an OVERRUN frame and the death of the bridge
 * become ENOBUFS, after which every netlink listener knows that it missed something. Who listens to nothing and waits
 * for an answer gets one that says so. receive_diverted() is the path of
 * all calls.
 */
#include "channel.h"
#include "clock.h"
#include "dialogue.h"
#include "mailbox.h"
#include "memory.h"
#include "message.h"
#include "pages.h"
#include "requests.h"
#include "sender.h"

#include <limits.h>
#include <linux/netlink.h>
#include <string.h>

/* How every message and every frame begins. */
union start {
    struct frame frame;
    struct nlmsghdr message;
};

static bool is_overrun(ssize_t length, const union start *start)
{
    return length == sizeof *start && start->frame.zero == 0 && start->frame.operation == OVERRUN;
}

static bool is_message(ssize_t length, const union start *start)
{
    return length > 0 && !is_overrun(length, start);
}

/* One look at the mailbox, and at the socket, through which control data and what has flags comes alone. */
static ssize_t receive_if_there(int fd, const struct name *name, struct msghdr *message, int flags)
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
static ssize_t receive(int fd, const struct name *name, struct msghdr *message, int flags)
{
    if ((flags & MSG_DONTWAIT) || !dialogue_is_open(fd))
        return REAL(recvmsg)(fd, message, flags);
    struct dialogue dialogue;
    dialogue_begin(&dialogue);
    ssize_t length;
    do {
        length = receive_if_there(fd, name, message, flags);
    } while (length < 0 && errno == EAGAIN && dialogue_goes_on(&dialogue));
    bool answered = length >= 0 || errno != EAGAIN;
    dialogue_ended(answered);
    return answered ? length : REAL(recvmsg)(fd, message, flags);
}

/* Waits for the next datagram as the program would, and leaves it in the queue: how it begins, and its full length. */
static ssize_t peek(int fd, const struct name *name, union start *start, int flags)
{
    struct iovec part = {start, sizeof *start};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return receive(fd, name, &message, (flags & MSG_DONTWAIT) | MSG_PEEK | MSG_TRUNC);
}

/* The answer to a request that a bridge took with it; -1 if none is due. */
static ssize_t receive_refusal(int fd, const struct name *name, struct msghdr *message, int flags)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
    } answer = {.header = {.nlmsg_len = sizeof answer, .nlmsg_type = NLMSG_ERROR, .nlmsg_pid = name->port}};
    if (!request_refused(fd, flags & MSG_PEEK, &answer.error))
        return -1;
    answer.error.msg.nlmsg_pid = name->port;
    answer.header.nlmsg_seq = answer.error.msg.nlmsg_seq;
    if (!message_writable(message, sizeof answer))
        return -1;
    size_t done = message_scatter(message, &answer, sizeof answer);
    struct msghdr bare = {.msg_flags = done < sizeof answer ? MSG_TRUNC : 0};
    if (!sender_tell(name, message, &bare, 0, false))
        return -1;
    return (ssize_t) (flags & MSG_TRUNC ? sizeof answer : done);
}

/* What the program is told where no message came, but an error, the end of the bridge, or the frame of an overrun. */
static ssize_t report(int fd, const struct name *name, struct msghdr *message, int flags, ssize_t length)
{
    bool died = length == 0 || (length < 0 && (errno == ECONNRESET || errno == ENOTCONN));
    if (!died)
        return length < 0 ? -1 : fail(ENOBUFS);
    bool back = channel_await(fd, name, flags, RECEIVING);
    int error = back ? ENOBUFS : errno;
    if (!back && error != ECONNREFUSED)
        return -1;
    bool waits = name->protocol == NETLINK && memory_settings(fd).groups == 0 && request_lost(fd);
    ssize_t refusal = waits ? receive_refusal(fd, name, message, flags) : -1;
    return refusal >= 0 ? refusal : fail(error);
}

/* Reads how a message begins that was received with this result, and returns how many bytes there are of it. */
static size_t read_start(const struct msghdr *message, ssize_t length, union start *start)
{
    size_t had = length < 0 ? 0 : (size_t) length;
    return message_gather(message, start, had < sizeof *start ? had : sizeof *start);
}

/* Takes the group of an event out of what the program sees. Behind a part of a dump the next one comes at once. */
static uint32_t read_header(int fd, const struct msghdr *message, union start *start, size_t seen, int flags)
{
    uint32_t group = sender_take_group(&start->message);
    if (group != 0)
        message_scatter(message, start, seen);
    else if (seen == sizeof *start && !(flags & MSG_PEEK))
        request_answered(fd, &start->message);
    if (seen == sizeof *start && (start->message.nlmsg_flags & NLM_F_MULTI) && start->message.nlmsg_type != NLMSG_DONE)
        dialogue_asked(fd);
    return group;
}

static ssize_t receive_diverted(int fd, const struct name *name, struct msghdr *message, int flags)
{
    if (kind_of(fd) == LOST) {
        set_kind(fd, DIVERTED);
        return fail(ENOBUFS);
    }
    size_t room;
    int error = message_measure(message, &room);
    if (error != 0)
        return fail(error);
    bool netlink = name->protocol == NETLINK, informed = netlink && memory_has_option(fd, NETLINK_PKTINFO);
    if (netlink && !(flags & MSG_PEEK))
        memory_note_room(fd, room);
    ssize_t refusal = netlink ? receive_refusal(fd, name, message, flags) : -1;
    if (refusal >= 0)
        return refusal;

    /* A peek must not show a frame, and a tiny buffer could not tell it from a message. */
    union start start = {.frame = {1, 0, 0, 0}};
    bool peeks = (flags & MSG_PEEK) || room < sizeof start;
    if (peeks) {
        ssize_t next = peek(fd, name, &start, flags);
        struct frame frame;
        if (is_overrun(next, &start))
            REAL(recv)(fd, &frame, sizeof frame, MSG_DONTWAIT);
        if (!is_message(next, &start))
            return report(fd, name, message, flags, next);
    }

    struct msghdr bare = sender_hide(message, informed);
    ssize_t length = receive(fd, name, &bare, flags);
    size_t seen = read_start(&bare, length, &start);
    if (length < 0 || !(peeks || is_message(length, &start)))
        return report(fd, name, message, flags, length);
    uint32_t group = netlink ? read_header(fd, &bare, &start, seen, flags) : 0;
    return sender_tell(name, message, &bare, group, informed) ? length : fail(EFAULT);
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
    union start next = {.frame = {1, 0, 0, 0}};
    while (done < count && (done == 0 || is_message(peek(fd, name, &next, later), &next))) {
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
