/* The mailboxes of this process: a table that threads read without a lock. */
#include "mailbox.h"

#include "bridge.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

/* Sockets with larger numbers have none. After how many answers one is offered, and again if that was in vain. */
enum { SLOTS = 256, OFFER_AT = 16, OFFER_EVERY = 256 };

/*
 * `use`: how many threads are inside, and whether more may come in. What else is here changes only when both are not
 * so.
 */
enum { OPEN = 1 << 30, CHANGING = 1 << 29 };

struct slot {
    _Atomic uint32_t use;
    _Atomic unsigned answers;
    uint64_t cookie;
    struct name name;
    struct mailbox *mailbox;
};

/*
 * NULL until the first is made. A child of fork() finds nothing in it, however it was made (_Fork(), a raw clone()),
 * and the mailboxes themselves are not mapped there.
 */
static struct slot *_Atomic slots;

static struct slot *slot_of(int fd)
{
    struct slot *first = atomic_load_explicit(&slots, memory_order_acquire);
    return first != NULL && (unsigned) fd < SLOTS ? first + fd : NULL;
}

static void make_slots(void)
{
    struct slot *unmade = NULL,
                *made = mmap(NULL, SLOTS * sizeof *made, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED)
        return;
    if (madvise(made, SLOTS * sizeof *made, MADV_WIPEONFORK) != 0
            || !atomic_compare_exchange_strong(&slots, &unmade, made))
        munmap(made, SLOTS * sizeof *made);
}

/* A number that no other socket has or will have, 0 if there is none. */
static uint64_t socket_cookie(int fd)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    int before = errno;
    long answered = syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
    errno = before;
    return answered == 0 ? cookie : 0;
}

static struct slot *enter(int fd)
{
    struct slot *slot = slot_of(fd);
    if (slot == NULL || !(atomic_load_explicit(&slot->use, memory_order_relaxed) & OPEN))
        return NULL;
    if (atomic_fetch_add(&slot->use, 1) & OPEN)
        return slot;
    mailbox_leave(fd);
    return NULL;
}

void mailbox_leave(int fd)
{
    atomic_fetch_sub(&slot_of(fd)->use, 1);
}

bool mailbox_name(int fd, struct name *name)
{
    const struct slot *slot = enter(fd);
    if (slot == NULL)
        return false;
    bool same = socket_cookie(fd) == slot->cookie;
    if (same)
        *name = slot->name;
    mailbox_leave(fd);
    return same;
}

struct mailbox *mailbox_enter(int fd, const struct name *name)
{
    const struct slot *slot = name->cookie != 0 ? enter(fd) : NULL;
    if (slot == NULL || slot->cookie == name->cookie)
        return slot == NULL ? NULL : slot->mailbox;
    mailbox_leave(fd);
    return NULL;
}

static struct mailbox *map(int memory)
{
    if (syscall(SYS_ftruncate, memory, sizeof(struct mailbox)) != 0
            || syscall(SYS_fcntl, memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return NULL;
    void *mapped = mmap(NULL, sizeof(struct mailbox), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (mapped == MAP_FAILED)
        return NULL;
    if (madvise(mapped, sizeof(struct mailbox), MADV_DONTFORK) == 0)
        return mapped;
    munmap(mapped, sizeof(struct mailbox));
    return NULL;
}

static bool pass(int fd, int memory)
{
    struct frame frame = {0, MAILBOX, 0, 0};
    struct iovec part = {&frame, sizeof frame};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof memory)];
    } control = {0};
    struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.header =
            (struct cmsghdr) {.cmsg_len = CMSG_LEN(sizeof memory), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &memory, sizeof memory);
    return syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Under the lock; nobody is inside. `fd` is a number that no other thread knows. */
static bool fill(struct slot *slot, int fd, const struct name *name)
{
    struct name now;
    bool same = name_of(fd, &now) && now.protocol == name->protocol && now.instance == name->instance
            && now.port == name->port;
    slot->cookie = same ? socket_cookie(fd) : 0;
    slot->name = *name;
    slot->name.cookie = slot->cookie;
    int memory = slot->cookie == 0
            ? -1
            : (int) syscall(SYS_memfd_create, "xfrm-bridge-mailbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0)
        return false;
    slot->mailbox = map(memory);
    bool passed = slot->mailbox != NULL && pass(fd, memory);
    syscall(SYS_close, memory);
    return passed;
}

static void empty(struct slot *slot)
{
    if (slot->mailbox != NULL)
        munmap(slot->mailbox, sizeof(struct mailbox));
    slot->mailbox = NULL;
}

/* Whether nobody is inside: then nobody comes in until CHANGING is taken away. */
static bool begin_change(struct slot *slot)
{
    uint32_t unused = 0;
    return atomic_compare_exchange_strong(&slot->use, &unused, CHANGING);
}

/*
 * While the last answer was received another thread may have closed the descriptor, and opened something else of that
 * number: what is offered goes through a copy, behind a look whether that is the socket that answered.
 */
static void offer(int fd, const struct name *name)
{
    sigset_t signals;
    int before = errno;
    mailbox_close(fd);
    bridge_lock(MEMORY_LOCK, &signals);
    struct slot *slot = slot_of(fd);
    int copy = bridge_memory_is_ours() ? (int) syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy >= 0 && begin_change(slot)) {
        empty(slot);
        bool filled = fill(slot, copy, name);
        if (!filled)
            empty(slot);
        atomic_fetch_add(&slot->use, (filled ? OPEN : 0) - CHANGING);
    }
    if (copy >= 0) {
        set_kind(copy, UNKNOWN);
        syscall(SYS_close, copy);
    }
    bridge_unlock(MEMORY_LOCK, &signals);
    errno = before;
}

void mailbox_answered(int fd, const struct name *name)
{
    if (atomic_load_explicit(&slots, memory_order_relaxed) == NULL)
        make_slots();
    struct slot *slot = slot_of(fd);
    if (slot != NULL && atomic_fetch_add_explicit(&slot->answers, 1, memory_order_relaxed) % OFFER_EVERY == OFFER_AT)
        offer(fd, name);
}

void mailbox_close(int fd)
{
    struct slot *slot = slot_of(fd);
    if (slot == NULL)
        return;
    atomic_store_explicit(&slot->answers, 0, memory_order_relaxed);
    if (!(atomic_load_explicit(&slot->use, memory_order_relaxed) & OPEN) || !bridge_memory_is_ours())
        return;
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    atomic_fetch_and(&slot->use, ~OPEN);
    if (begin_change(slot)) {
        empty(slot);
        atomic_fetch_sub(&slot->use, CHANGING);
    }
    bridge_unlock(MEMORY_LOCK, &signals);
}

void mailbox_close_all(void)
{
    for (int fd = 0; fd < SLOTS && atomic_load(&slots) != NULL; fd++)
        mailbox_close(fd);
}
