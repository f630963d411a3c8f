/*
 * What is known of the dialogue with the bridge: one for the process, as most have one thread that asks. Wrong guesses
 * cost time only.
 */
#include "dialogue.h"

#include "clock.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOKING_NS = 150000, YIELD_NS = 1000, MOST_MISSES = 6, PAUSE_NS = 20000 };

static _Atomic int asked = -1;

/* Dialogues in a row that were too slow, and how many are to be left alone because of them. */
static _Atomic unsigned misses, skipped;

void dialogue_asked(int fd)
{
    atomic_store_explicit(&asked, fd, memory_order_relaxed);
}

bool dialogue_is_open(int fd)
{
    if (atomic_load_explicit(&asked, memory_order_relaxed) != fd)
        return false;
    atomic_store_explicit(&asked, -1, memory_order_relaxed);
    unsigned left = atomic_load_explicit(&skipped, memory_order_relaxed);
    if (left != 0)
        atomic_store_explicit(&skipped, left - 1, memory_order_relaxed);
    return left == 0;
}

void dialogue_begin(struct dialogue *dialogue)
{
    dialogue->start_ns = dialogue->yielded_ns = nanoseconds();
}

bool dialogue_goes_on(struct dialogue *dialogue)
{
    if (nanoseconds() - dialogue->yielded_ns < YIELD_NS)
        return true;
    sched_yield();
    dialogue->yielded_ns = nanoseconds();
    return dialogue->yielded_ns - dialogue->start_ns < LOOKING_NS;
}

void dialogue_ended(bool answered)
{
    unsigned before = atomic_load_explicit(&misses, memory_order_relaxed);
    unsigned now = answered ? 0 : before < MOST_MISSES ? before + 1 : MOST_MISSES;
    if (now != before)
        atomic_store_explicit(&misses, now, memory_order_relaxed);
    if (now != 0)
        atomic_store_explicit(&skipped, 1u << now, memory_order_relaxed);
}

/* By the clock: a pause is several times as long as it says. */
void dialogue_settle(int fd, uint64_t patience_ms)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int unread = 0, before = errno;
    struct dialogue dialogue;
    dialogue_begin(&dialogue);
    while (syscall(SYS_ioctl, fd, SIOCOUTQ, &unread) == 0 && unread != 0
            && nanoseconds() - dialogue.start_ns < patience_ms * 1000000) {
        if (!dialogue_goes_on(&dialogue))
            nanosleep(&pause, NULL);
    }
    errno = before;
}
