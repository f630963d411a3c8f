/*
 * Whether a program may read or write the memory that it names. The kernel says EFAULT where it may not; what this
 * library reads or writes itself would crash. The kernel is asked once for each page, 80 ns to read and 140 ns to
 * write; the last pages for which it said yes are remembered, since most programs use one buffer again and again. So
 * memory that was just good and has been unmapped since is not found out.
 */
#ifndef XFRM_BRIDGE_PAGES_H
#define XFRM_BRIDGE_PAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The smallest pages there are: larger ones are asked for in parts. */
enum { PAGE_BITS = 12, PAGES_REMEMBERED = 64 };

enum access { READ = 1, WRITE = 2 };

/* Page numbers, shifted by two, and what may be done to each; found by their last bits. */
extern _Atomic uintptr_t pages_remembered[PAGES_REMEMBERED];

/* Asks anew, for what must not be taken for good if it is not. */
bool page_is_readable(const void *at);

bool pages_allowed(const void *start, size_t length, enum access access);

static inline bool page_remembered(uintptr_t number, enum access access)
{
    uintptr_t known = atomic_load_explicit(&pages_remembered[number % PAGES_REMEMBERED], memory_order_relaxed);
    return known >> 2 == number && (known & access);
}

/* Most is within one page that is known. */
static inline bool pages_quickly_allowed(const void *start, size_t length, enum access access)
{
    uintptr_t at = (uintptr_t) start, room = (1 << PAGE_BITS) - at % (1 << PAGE_BITS);
    return (length <= room && page_remembered(at >> PAGE_BITS, access)) || pages_allowed(start, length, access);
}

static inline bool pages_readable(const void *start, size_t length)
{
    return pages_quickly_allowed(start, length, READ);
}

static inline bool pages_writable(const void *start, size_t length)
{
    return pages_quickly_allowed(start, length, WRITE);
}

#endif
