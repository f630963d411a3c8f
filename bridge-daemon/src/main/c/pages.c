/* Asking the kernel about memory, with system calls that touch it and do nothing else. */
#include "pages.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of a page its second word is asked for: a null pointer would ask for nothing. */
enum { ASKED_AT = 8 };

_Atomic uintptr_t pages_remembered[PAGES_REMEMBERED];

/* Reads a signal mask, and then doesn't know what to do with it. */
static void read_word(uintptr_t word)
{
    syscall(SYS_rt_sigprocmask, ~0, word, NULL, sizeof(uint64_t));
}

/* Adds nothing to a number, in one step, and wakes nobody. */
static void write_word(uintptr_t word)
{
    static uint32_t nobody;
    syscall(SYS_futex, &nobody, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, word,
            FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0));
}

/* Any other error than EFAULT says nothing of the memory: a filter of system calls may have made it. */
static bool kernel_allows(uintptr_t number, enum access access)
{
    int before = errno;
    errno = 0;
    (access == READ ? read_word : write_word)((number << PAGE_BITS) + ASKED_AT);
    bool allowed = errno != EFAULT;
    errno = before;
    return allowed;
}

bool page_is_readable(const void *at)
{
    return kernel_allows((uintptr_t) at >> PAGE_BITS, READ);
}

static bool is_allowed(uintptr_t number, enum access access)
{
    if (page_remembered(number, access))
        return true;
    if (!kernel_allows(number, access))
        return false;
    enum access other = access == READ ? WRITE : READ;
    uintptr_t known = number << 2 | access | (page_remembered(number, other) ? other : 0);
    atomic_store_explicit(&pages_remembered[number % PAGES_REMEMBERED], known, memory_order_relaxed);
    return true;
}

bool pages_allowed(const void *start, size_t length, enum access access)
{
    uintptr_t from = (uintptr_t) start, last = from + length - 1;
    if (length == 0)
        return true;
    for (uintptr_t number = from >> PAGE_BITS; number <= last >> PAGE_BITS; number++) {
        if (!is_allowed(number, access))
            return false;
    }
    return last >= from;
}
