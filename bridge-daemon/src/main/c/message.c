/* Messages in parts. The limits are those of the kernel's copy_msghdr_from_user() and import_iovec(). */
#include "message.h"

#include "pages.h"

#include <limits.h>
#include <string.h>

enum { MOST_BYTES = INT_MAX & ~4095 };

/* A size_t in glibc, an int in musl. */
static size_t parts_of(const struct msghdr *message)
{
    return (size_t) message->msg_iovlen;
}

/* How much of a part there is within the `left` bytes that are still to come. */
static size_t within(const struct iovec *part, size_t left)
{
    return part->iov_len < left ? part->iov_len : left;
}

int message_copy(const struct msghdr *given, struct msghdr *copy)
{
    if (!pages_readable(given, sizeof *given))
        return EFAULT;
    *copy = *given;
    if (copy->msg_name == NULL)
        copy->msg_namelen = 0;
    return copy->msg_namelen > INT_MAX ? EINVAL : 0;
}

int message_of_parts(const struct iovec *parts, int count, struct msghdr *message, size_t *length)
{
    *message = (struct msghdr) {.msg_iov = (struct iovec *) parts, .msg_iovlen = count};
    return count < 0 || count > MESSAGE_PARTS ? EINVAL : message_measure(message, length);
}

int message_measure(const struct msghdr *message, size_t *length)
{
    if (parts_of(message) > MESSAGE_PARTS)
        return EMSGSIZE;
    if (!pages_readable(message->msg_iov, parts_of(message) * sizeof *message->msg_iov))
        return EFAULT;
    *length = 0;
    for (size_t i = 0; i < parts_of(message); i++) {
        if (message->msg_iov[i].iov_len > SSIZE_MAX)
            return EINVAL;
        *length += within(&message->msg_iov[i], MOST_BYTES - *length);
    }
    return 0;
}

typedef bool pages_allow(const void *start, size_t length);

static bool all_allow(const struct msghdr *message, size_t length, pages_allow *allow)
{
    for (size_t i = 0; i < parts_of(message) && length > 0; i++) {
        size_t part = within(&message->msg_iov[i], length);
        if (!allow(message->msg_iov[i].iov_base, part))
            return false;
        length -= part;
    }
    return true;
}

bool message_readable(const struct msghdr *message, size_t length)
{
    return all_allow(message, length, pages_readable);
}

bool message_writable(const struct msghdr *message, size_t length)
{
    return all_allow(message, length, pages_writable);
}

size_t message_gather(const struct msghdr *message, void *to, size_t room)
{
    size_t done = 0;
    for (size_t i = 0; i < parts_of(message) && done < room; i++) {
        size_t part = within(&message->msg_iov[i], room - done);
        if (part != 0)
            memcpy((char *) to + done, message->msg_iov[i].iov_base, part);
        done += part;
    }
    return done;
}

size_t message_scatter(const struct msghdr *message, const void *from, size_t length)
{
    size_t done = 0;
    for (size_t i = 0; i < parts_of(message) && done < length; i++) {
        size_t part = within(&message->msg_iov[i], length - done);
        if (part != 0)
            memcpy(message->msg_iov[i].iov_base, (const char *) from + done, part);
        done += part;
    }
    return done;
}
