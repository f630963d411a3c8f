/*
 * Receiving on diverted sockets. The sender is the kernel (port id 0); an OVERRUN frame and the death of the bridge become
 * ENOBUFS, after which every netlink listener knows that it missed something.
 */
#include "channel.h"
#include "dialogue.h"
#include "mailbox.h"
#include "memory.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum arrival { MESSAGE, EVENTS_LOST, BRIDGE_DIED, FAILED };

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

/* Copies the first bytes out of scattered buffers; returns how many there were. */
static size_t gather(const struct msghdr *message, void *start, size_t room)
{
    size_t filled = 0;
    for (size_t i = 0; i < message->msg_iovlen && filled < room; i++) {
        size_t part = message->msg_iov[i].iov_len < room - filled ? message->msg_iov[i].iov_len : room - filled;
        if (part != 0 && message->msg_iov[i].iov_base != NULL)
            memcpy((char *) start + filled, message->msg_iov[i].iov_base, part);
        filled += part;
    }
    return filled;
}

static size_t room_of(const struct msghdr *message)
{
    size_t room = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        room += message->msg_iov[i].iov_len;
    return room;
}

/* Waits for the next datagram as the program would, and leaves it in the queue. */
static enum arrival look(int fd, int flags)
{
    struct frame start = {1, 0, 0, 0};
    ssize_t length = REAL(recv)(fd, &start, sizeof start, (flags & MSG_DONTWAIT) | MSG_PEEK | MSG_TRUNC);
    return judge(length, &start);
}

/* The sender's address as netlink gives it: the kernel has port id 0. PF_KEY gives none. */
static socklen_t write_sender(const struct name *name, void *sender, socklen_t room)
{
    if (name->protocol == PFKEY)
        return 0;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sender != NULL)
        memcpy(sender, &kernel, room < sizeof kernel ? room : sizeof kernel);
    return sizeof kernel;
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
    if (length >= 0)
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

static enum arrival receive(int fd, const struct name *name, struct msghdr *message, int flags, ssize_t *length)
{
    /* A peek must not show a frame, and a tiny buffer could not tell it from a message. */
    bool look_first = (flags & MSG_PEEK) || room_of(message) < sizeof(struct frame);
    enum arrival arrival = look_first ? look(fd, flags) : MESSAGE;
    if (arrival == EVENTS_LOST) {
        struct frame frame;
        REAL(recv)(fd, &frame, sizeof frame, MSG_DONTWAIT);
    }
    if (arrival != MESSAGE)
        return arrival;
    *length = receive_answer(fd, name, message, flags);
    if (look_first)
        return *length < 0 ? judge(*length, NULL) : MESSAGE;
    struct frame start = {1, 0, 0, 0};
    if (*length == sizeof start)
        gather(message, &start, sizeof start);
    return judge(*length, &start);
}

/* Behind a part of a dump the next one comes at once. */
static void expect_more(int fd, const struct msghdr *message, ssize_t length)
{
    struct nlmsghdr first = {0};
    if ((size_t) length >= sizeof first && gather(message, &first, sizeof first) == sizeof first
        && (first.nlmsg_flags & NLM_F_MULTI) && first.nlmsg_type != NLMSG_DONE)
        dialogue_asked(fd);
}

static ssize_t receive_diverted(int fd, const struct name *name, struct msghdr *message, int flags)
{
    if (kind_of(fd) == LOST) {
        set_kind(fd, DIVERTED);
        errno = ENOBUFS;
        return -1;
    }
    struct msghdr nameless = *message;
    nameless.msg_name = NULL;
    nameless.msg_namelen = 0;
    ssize_t length = -1;
    if (name->protocol == NETLINK && !(flags & MSG_PEEK))
        memory_note_room(fd, room_of(message));
    switch (receive(fd, name, &nameless, flags, &length)) {
    case FAILED:
        return -1;
    case BRIDGE_DIED:
        if (!channel_await(fd, name, flags, RECEIVING))
            return -1;
        /* fall through */
    case EVENTS_LOST:
        errno = ENOBUFS;
        return -1;
    case MESSAGE:
        break;
    }
    if (name->protocol == NETLINK)
        expect_more(fd, &nameless, length);
    message->msg_controllen = nameless.msg_controllen;
    message->msg_flags = nameless.msg_flags;
    message->msg_namelen = write_sender(name, message->msg_name, message->msg_namelen);
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
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR((struct msghdr *) message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS || part->cmsg_len < CMSG_LEN(0))
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            set_kind(fd, UNKNOWN);
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

INTERPOSE(ssize_t, recvfrom, (int fd, void *data, size_t room, int flags, struct sockaddr *from, socklen_t *from_length))
{
    struct name name;
    if (!is_diverted(fd, &name))
        return REAL(recvfrom)(fd, data, room, flags, from, from_length);
    struct iovec part = {data, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_name = from};
    if (from != NULL && from_length != NULL)
        message.msg_namelen = *from_length;
    ssize_t length = receive_diverted(fd, &name, &message, flags);
    if (length >= 0 && from != NULL && from_length != NULL)
        *from_length = message.msg_namelen;
    return length;
}

INTERPOSE(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags))
{
    struct name name;
    if (is_diverted(fd, &name))
        return receive_diverted(fd, &name, message, flags);
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
    struct msghdr message = {.msg_iov = (struct iovec *) parts, .msg_iovlen = (size_t) count};
    return receive_diverted(fd, &name, &message, 0);
}

/* Waits for the first message only, as if MSG_WAITFORONE were always set, and leaves a frame that follows for the next call. */
static int receive_many(int fd, const struct name *name, struct mmsghdr *messages, unsigned count, int flags)
{
    unsigned done = 0;
    while (done < count && (done == 0 || look(fd, MSG_DONTWAIT) == MESSAGE)) {
        ssize_t length = receive_diverted(fd, name, &messages[done].msg_hdr, flags & ~MSG_WAITFORONE);
        if (length < 0)
            return done > 0 ? (int) done : -1;
        messages[done++].msg_len = (unsigned) length;
    }
    return (int) done;
}

INTERPOSE(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout))
{
    struct name name;
    if (is_diverted(fd, &name)) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (timeout != NULL && ppoll(&wait, 1, timeout, NULL) <= 0)
            flags |= MSG_DONTWAIT;
        return receive_many(fd, &name, messages, count, flags);
    }
    int received = REAL(recvmmsg)(fd, messages, count, flags, timeout);
    for (int i = 0; i < received; i++) {
        if (messages[i].msg_hdr.msg_controllen != 0)
            forget_passed(&messages[i].msg_hdr);
    }
    return received;
}

/* What programs compiled with _FORTIFY_SOURCE call; glibc only. */
extern void __chk_fail(void) __attribute__((weak, noreturn));

static void check_room(size_t wanted, size_t room)
{
    if (wanted <= room)
        return;
    if (__chk_fail != NULL)
        __chk_fail();
    abort();
}

INTERPOSE(ssize_t, __read_chk, (int fd, void *data, size_t wanted, size_t room))
{
    check_room(wanted, room);
    return preload_read(fd, data, wanted);
}

INTERPOSE(ssize_t, __recv_chk, (int fd, void *data, size_t wanted, size_t room, int flags))
{
    check_room(wanted, room);
    return preload_recv(fd, data, wanted, flags);
}

INTERPOSE(ssize_t, __recvfrom_chk,
          (int fd, void *data, size_t wanted, size_t room, int flags, struct sockaddr *from, socklen_t *from_length))
{
    check_room(wanted, room);
    return preload_recvfrom(fd, data, wanted, flags, from, from_length);
}
