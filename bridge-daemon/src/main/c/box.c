/* Sending and receiving through a box: the transitions that box.h describes. */
#include "box.h"

#include "clock.h"
#include "message.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Most answers come within two microseconds. Who stops looking earlier, to see what is in the socket, makes the bridge
 * use the socket; but where the bridge shares the core with us nothing comes while we look. So the looks get short when
 * many in a row were in vain. A pause between two glances takes 10 to 60 ns, reading the clock 20. A sender that
 * claimed the box is given the time in which the largest message is copied many times.
 */
enum {
    LONG_LOOK_NS = 5000,
    SHORT_LOOK_NS = 1000,
    LONG_LOOKS_IN_VAIN = 8,
    GLANCES_PER_CLOCK = 16,
    CLAIMED_GLANCES = 4096,
    PROMISE_NS = 1000000
};

/* In a row, of all threads, counted up to that number. */
static _Atomic unsigned looks_in_vain;

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
    return state_of(box) == BOX_LOOKING
            && nanoseconds() - atomic_load_explicit(&box->since, memory_order_relaxed) < PROMISE_NS;
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
    atomic_store_explicit(&box->length, (uint32_t) length, memory_order_relaxed);
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
    uint32_t said = atomic_load_explicit(&box->length, memory_order_relaxed),
             length = said <= BOX_ROOM ? said : BOX_ROOM;
    ssize_t result = scatter(box->bytes, length, message, flags);
    memset(box->bytes, 0, length);
    atomic_store_explicit(&box->state, BOX_IDLE, memory_order_release);
    return result;
}

/* Several may look at once: whoever begins, and whoever ends it, does so for all. */
static void begin(struct box *box, uint64_t now)
{
    atomic_store_explicit(&box->since, now, memory_order_relaxed);
    move(box, BOX_IDLE, BOX_LOOKING);
}

static bool is_awaited(struct box *box)
{
    uint32_t state = state_of(box);
    return state == BOX_LOOKING || state == BOX_CLAIMED;
}

static ssize_t end(struct box *box, struct msghdr *message, int flags)
{
    if (move(box, BOX_LOOKING, BOX_IDLE))
        return fail(EAGAIN);
    for (int i = 0; i < CLAIMED_GLANCES && state_of(box) == BOX_CLAIMED; i++)
        pause_briefly();
    return move(box, BOX_CLAIMED, BOX_REVOKED) ? fail(EAGAIN) : take(box, message, flags);
}

static void note_look(unsigned before, bool found)
{
    unsigned now = found ? 0 : before < LONG_LOOKS_IN_VAIN ? before + 1 : before;
    if (now != before)
        atomic_store_explicit(&looks_in_vain, now, memory_order_relaxed);
}

ssize_t box_receive(struct box *box, struct msghdr *message, int flags)
{
    unsigned before = atomic_load_explicit(&looks_in_vain, memory_order_relaxed);
    uint64_t start = nanoseconds(), limit = before < LONG_LOOKS_IN_VAIN ? LONG_LOOK_NS : SHORT_LOOK_NS;
    begin(box, start);
    for (unsigned i = 1; is_awaited(box) && (i % GLANCES_PER_CLOCK != 0 || nanoseconds() - start < limit); i++)
        pause_briefly();
    note_look(before, !is_awaited(box));
    return end(box, message, flags);
}
