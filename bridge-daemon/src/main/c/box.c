/* Sending and receiving through a box: the transitions that box.h describes. */
#include "box.h"

#include "clock.h"
#include "message.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A look takes 10 to 60 ns. A sender that claimed the box is given the time in which the largest message is copied many times. */
enum { LOOKS = 64, CLAIMED_LOOKS = 4096, PROMISE_NS = 1000000 };

static void pause_briefly(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("isb");
#endif
}

static uint32_t state_of(struct box *box)
{
    return atomic_load_explicit(&box->state, memory_order_acquire);
}

static bool move(struct box *box, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong(&box->state, &from, to);
}

static bool is_promised(struct box *box)
{
    return state_of(box) == BOX_LOOKING && nanoseconds() - atomic_load_explicit(&box->since, memory_order_relaxed) < PROMISE_NS;
}

static bool has_unread(int fd)
{
    int unread = 0;
    return syscall(SYS_ioctl, fd, SIOCOUTQ, &unread) != 0 || unread != 0;
}

bool box_send(struct box *box, int fd, const struct msghdr *message, size_t length)
{
    int before = errno;
    bool ready = length <= BOX_ROOM && is_promised(box) && !has_unread(fd);
    errno = before;
    if (!ready || !move(box, BOX_LOOKING, BOX_CLAIMED))
        return false;
    message_gather(message, box->bytes, length);
    box->length = (uint32_t) length;
    if (move(box, BOX_CLAIMED, BOX_FULL))
        return true;
    memset(box->bytes, 0, length);
    atomic_store(&box->state, BOX_IDLE);
    return false;
}

/* As recvmsg(): what does not fit is lost, and said; what there is no memory for is lost altogether. */
static ssize_t scatter(const char *from, size_t length, struct msghdr *message, int flags)
{
    if (!message_writable(message, length))
        return fail(EFAULT);
    size_t done = message_scatter(message, from, length);
    message->msg_controllen = 0;
    message->msg_flags = done < length ? MSG_TRUNC : 0;
    return (ssize_t) (flags & MSG_TRUNC ? length : done);
}

static ssize_t take(struct box *box, struct msghdr *message, int flags)
{
    if (!move(box, BOX_FULL, BOX_TAKEN))
        return fail(EAGAIN);
    size_t length = box->length <= BOX_ROOM ? box->length : BOX_ROOM;
    ssize_t result = scatter(box->bytes, length, message, flags);
    memset(box->bytes, 0, length);
    atomic_store_explicit(&box->state, BOX_IDLE, memory_order_release);
    return result;
}

/* Several may look at once: whoever begins, and whoever ends it, does so for all. */
static void begin(struct box *box)
{
    atomic_store_explicit(&box->since, nanoseconds(), memory_order_relaxed);
    move(box, BOX_IDLE, BOX_LOOKING);
}

static ssize_t end(struct box *box, struct msghdr *message, int flags)
{
    if (move(box, BOX_LOOKING, BOX_IDLE))
        return fail(EAGAIN);
    for (int i = 0; i < CLAIMED_LOOKS && state_of(box) == BOX_CLAIMED; i++)
        pause_briefly();
    return move(box, BOX_CLAIMED, BOX_REVOKED) ? fail(EAGAIN) : take(box, message, flags);
}

ssize_t box_receive(struct box *box, struct msghdr *message, int flags)
{
    begin(box);
    uint32_t state = state_of(box);
    for (int i = 0; i < LOOKS && (state == BOX_LOOKING || state == BOX_CLAIMED); i++) {
        pause_briefly();
        state = state_of(box);
    }
    return end(box, message, flags);
}
