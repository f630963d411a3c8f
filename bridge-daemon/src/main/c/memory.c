/* What programs have set on their diverted sockets. None of this is touched by calls that move data. */
#include "memory.h"

#include "bridge.h"
#include "clock.h"
#include "dialogue.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Not from malloc(): a signal handler may open and close sockets, also one that interrupted malloc(). What is unused is
 * used again.
 */
enum { FIRST_CHANNELS = 32, MORE_BYTES = 16384, MORE_CHANNELS = MORE_BYTES / sizeof(struct channel) };

static struct channel first_channels[FIRST_CHANNELS], *channels, *unused;
static bool first_are_spread;

static void spread(struct channel *block, int count)
{
    for (int i = 0; i < count; i++) {
        block[i].next = unused;
        unused = &block[i];
    }
}

static struct channel *take_unused(void)
{
    if (!first_are_spread)
        spread(first_channels, FIRST_CHANNELS);
    first_are_spread = true;
    if (unused == NULL) {
        void *more = mmap(NULL, MORE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more != MAP_FAILED)
            spread(more, MORE_CHANNELS);
    }
    struct channel *taken = unused;
    if (taken != NULL)
        unused = taken->next;
    return taken;
}

struct channel *memory_recall(ino_t inode)
{
    struct channel *channel = bridge_memory_is_ours() ? channels : NULL;
    while (channel != NULL && channel->inode != inode)
        channel = channel->next;
    return channel;
}

/*
 * Never NULL: without memory the settings of all such sockets fall together, and only a reconnect would show it. So it
 * is for children of vfork(), and nothing shows it as they have no time to reconnect.
 */
struct channel *memory_of(ino_t inode)
{
    static struct channel last_resort;
    struct channel *channel = memory_recall(inode);
    if (channel != NULL)
        return channel;
    channel = bridge_memory_is_ours() ? take_unused() : NULL;
    if (channel == NULL) {
        last_resort = (struct channel) {.type = -1, .fd = -1};
        return &last_resort;
    }
    *channel = (struct channel) {.inode = inode, .type = -1, .fd = -1, .next = channels};
    channels = channel;
    return channel;
}

/*
 * What the bridge knows of each descriptor, in units of 256 bytes: most receives find nothing new here and take no
 * lock.
 */
static _Atomic unsigned char rooms[KINDS];

/* Whether something was sent on each. */
static _Atomic bool used[KINDS];

void memory_note_use(int fd)
{
    if ((unsigned) fd < KINDS && !atomic_load_explicit(&used[fd], memory_order_relaxed))
        atomic_store_explicit(&used[fd], true, memory_order_relaxed);
}

void memory_begin(int fd, int type)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    struct channel *channel = memory_of(socket_inode(fd));
    channel->type = type;
    channel->fd = fd;
    if ((unsigned) fd < KINDS) {
        atomic_store_explicit(&rooms[fd], 0, memory_order_relaxed);
        atomic_store_explicit(&used[fd], false, memory_order_relaxed);
    }
    set_kind(fd, DIVERTED);
    bridge_unlock(MEMORY_LOCK, &signals);
}

void memory_note_copy(int fd)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    struct channel *channel = memory_recall(socket_inode(fd));
    if (channel != NULL)
        channel->fd = -1;
    bridge_unlock(MEMORY_LOCK, &signals);
}

struct channel *memory_of_holder(uint32_t port)
{
    struct name name;
    struct channel *channel = bridge_memory_is_ours() ? channels : NULL;
    for (; channel != NULL; channel = channel->next) {
        int fd = channel->fd;
        bool idle = !channel->bound && channel->groups == 0 && (unsigned) fd < KINDS && !used[fd];
        if (idle && name_of(fd, &name) && name.port == port && socket_inode(fd) == channel->inode)
            return channel;
    }
    return NULL;
}

static bool waited_for_room(int fd, uint64_t deadline)
{
    uint64_t now = nanoseconds();
    struct pollfd queue = {.fd = fd, .events = POLLOUT};
    struct timespec left = {
            .tv_sec = (time_t) ((deadline - now) / 1000000000), .tv_nsec = (long) ((deadline - now) % 1000000000)};
    if (now >= deadline)
        return false;
    long ready = syscall(SYS_ppoll, &queue, 1, &left, NULL, sizeof(uint64_t));
    return ready > 0 || (ready < 0 && errno == EINTR);
}

static void send_frame(int fd, const struct frame *frame)
{
    uint64_t deadline = 0;
    while (syscall(SYS_sendto, fd, frame, sizeof *frame, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0) < 0) {
        if (errno != EAGAIN && errno != EINTR)
            return; /* the connection is dead */
        if (deadline == 0)
            deadline = nanoseconds() + BRIDGE_PATIENCE_MS * 1000000ull;
        if (!waited_for_room(fd, deadline)) {
            syscall(SYS_shutdown, fd, SHUT_RDWR);
            return;
        }
    }
}

void frame_send(int fd, enum operation operation, uint32_t first, uint32_t second)
{
    int before = errno;
    send_frame(fd, &(struct frame) {0, operation, first, second});
    errno = before;
}

struct settings memory_settings(int fd)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    const struct channel *channel = memory_recall(socket_inode(fd));
    struct settings settings = {.type = -1};
    if (channel != NULL)
        settings = (struct settings) {channel->type, channel->groups, channel->options};
    bridge_unlock(MEMORY_LOCK, &signals);
    return settings;
}

/* Bit n: some socket of this process has had option n. */
static _Atomic uint32_t options_seen;

bool memory_has_option(int fd, uint32_t option)
{
    uint32_t seen = atomic_load_explicit(&options_seen, memory_order_relaxed);
    return (seen >> option & 1) && (memory_settings(fd).options >> option & 1);
}

void memory_set_group(int fd, uint32_t group, bool member)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    struct channel *channel = memory_of(socket_inode(fd));
    uint32_t bit = 1u << (group - 1);
    channel->groups = member ? channel->groups | bit : channel->groups & ~bit;
    bridge_unlock(MEMORY_LOCK, &signals);
    frame_send(fd, member ? JOIN : LEAVE, group, 0);
    dialogue_settle(fd, MEMBERSHIP_PATIENCE_MS);
}

void memory_set_option(int fd, uint32_t option, bool on)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    struct channel *channel = memory_of(socket_inode(fd));
    uint32_t bit = 1u << option;
    if (on)
        atomic_fetch_or_explicit(&options_seen, bit, memory_order_relaxed);
    channel->options = on ? channel->options | bit : channel->options & ~bit;
    bridge_unlock(MEMORY_LOCK, &signals);
    frame_send(fd, OPTION, option, on);
}

void memory_note_register(int fd, uint8_t satype)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    if (satype < 32)
        memory_of(socket_inode(fd))->registered |= 1u << satype;
    bridge_unlock(MEMORY_LOCK, &signals);
}

/* Kept by the socket itself: a new connection copies it from the old one. */
void memory_tell_buffer(int fd)
{
    int size, before = errno;
    socklen_t length = sizeof size;
    if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_RCVBUF, &size, &length) == 0)
        frame_send(fd, BUFFER, (uint32_t) size, 0);
    errno = before;
}

/* Smaller rooms are what every socket starts with, and larger ones no kernel fills. */
enum { LEAST_ROOM = 3776, MOST_ROOM = 32768 };

void memory_note_room(int fd, size_t bytes)
{
    uint32_t room = bytes < MOST_ROOM ? (uint32_t) bytes : MOST_ROOM;
    if (room <= LEAST_ROOM || (unsigned) fd >= KINDS || room / 256 <= rooms[fd])
        return;
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    struct channel *channel = memory_of(socket_inode(fd));
    bool news = channel->room < room;
    if (news)
        channel->room = room;
    rooms[fd] = (unsigned char) (channel->room / 256);
    bridge_unlock(MEMORY_LOCK, &signals);
    if (!news)
        return;
    /* It must not wait: the bridge may be waiting for this very program to read. */
    struct frame frame = {0, ROOM, room, 0};
    int before = errno;
    syscall(SYS_sendto, fd, &frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
    errno = before;
}

static struct watch *find_watch(struct channel *channel, int epoll, int fd)
{
    for (int i = 0; i < channel->watched; i++) {
        if (channel->watches[i].epoll == epoll && channel->watches[i].fd == fd)
            return &channel->watches[i];
    }
    return NULL;
}

void memory_note_watch(int epoll, int operation, int fd, const struct epoll_event *event)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    struct channel *channel = memory_of(socket_inode(fd));
    struct watch *watch = find_watch(channel, epoll, fd);
    if (operation == EPOLL_CTL_DEL && watch != NULL)
        *watch = channel->watches[--channel->watched];
    if (operation != EPOLL_CTL_DEL && watch == NULL && channel->watched < WATCHES)
        watch = &channel->watches[channel->watched++];
    if (operation != EPOLL_CTL_DEL && watch != NULL) {
        *watch = (struct watch) {epoll, fd, *event};
        set_kind(epoll, EPOLL);
    }
    bridge_unlock(MEMORY_LOCK, &signals);
}

void memory_drop_epoll(int epoll)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    for (struct channel *channel = channels; channel != NULL; channel = channel->next) {
        for (int i = channel->watched - 1; i >= 0; i--) {
            if (channel->watches[i].epoll == epoll)
                channel->watches[i] = channel->watches[--channel->watched];
        }
    }
    bridge_unlock(MEMORY_LOCK, &signals);
}

void memory_forget(int fd)
{
    struct channel **link = &channels;
    ino_t inode = socket_inode(fd);
    while (*link != NULL && (*link)->inode != inode)
        link = &(*link)->next;
    struct channel *gone = *link;
    if (gone == NULL || (gone->fd != fd && socket_alias(inode, 0, fd) >= 0))
        return;
    *link = gone->next;
    gone->next = unused;
    unused = gone;
}
