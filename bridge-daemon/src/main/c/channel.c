/* Diverted sockets: connections to the bridge, and what puts one in the place of another. */
#include "channel.h"

#include "bridge.h"
#include "clock.h"
#include "dialogue.h"
#include "memory.h"
#include "registry.h"
#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/*
 * A blocking receive of events comes back after this long: a program that was told by poll() expects to be back at
 * once.
 */
enum { UNIQUE_ATTEMPTS = 64, LISTENING_MS = 1000, BUSY_RETRY_MS = 10 };

/* When this process found the bridge away, in milliseconds of CLOCK_MONOTONIC; 0 while it is there. */
static _Atomic long away_since;

static long milliseconds(void)
{
    return (long) (nanoseconds() / 1000000);
}

static void note_away(void)
{
    long there = 0;
    atomic_compare_exchange_strong(&away_since, &there, milliseconds());
}

static bool is_given_up(void)
{
    long since = atomic_load(&away_since);
    return since != 0 && milliseconds() - since >= BRIDGE_GRACE_MS;
}

static const char *socket_file(enum protocol protocol)
{
    return protocol == NETLINK ? "netlink.sock" : "pfkey.sock";
}

/*
 * A connected socket with this name, non-blocking and close-on-exec; or a negative errno: EADDRINUSE if the port id is
 * taken, EAGAIN if the bridge has too many to accept. Does not wait.
 */
static int open_named(const struct name *name)
{
    struct sockaddr_un address;
    socklen_t length = name_write(name, &address);
    int fd = (int) syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = syscall(SYS_bind, fd, &address, length) == 0 ? 0 : -errno;
    if (error == 0)
        error = bridge_connect(fd, socket_file(name->protocol));
    if (error == 0) {
        atomic_store(&away_since, 0);
        return fd;
    }
    syscall(SYS_close, fd);
    return error;
}

/* The same with any port id: one with the top bit set, which no process id has. */
static int open_unique(enum protocol protocol)
{
    struct name name = {.protocol = protocol, .instance = bridge_instance(socket_file(protocol))};
    int fd = -EADDRINUSE;
    for (int i = 0; fd == -EADDRINUSE && i < UNIQUE_ATTEMPTS; i++) {
        if (syscall(SYS_getrandom, &name.port, sizeof name.port, 0) != sizeof name.port)
            name.port = (uint32_t) nanoseconds() * 2654435761u + (uint32_t) i;
        name.port |= 0x80000000u;
        fd = open_named(&name);
    }
    return fd;
}

/*
 * Not a point where a thread is cancelled, and no signal ends it, as it is in a call that does not wait in the kernel.
 */
static void pause_briefly(void)
{
    const struct timespec time = {.tv_nsec = BUSY_RETRY_MS * 1000000L};
    syscall(SYS_nanosleep, &time, NULL);
}

/*
 * An unbound netlink socket has its process's id, if that is free, as the kernel gives it to the first that sends: most
 * are bound to it next.
 */
static int open_first(enum protocol protocol)
{
    struct name name = {
            .protocol = protocol, .instance = bridge_instance(socket_file(protocol)), .port = (uint32_t) getpid()};
    int fd = protocol == NETLINK ? open_named(&name) : -EADDRINUSE;
    return fd == -EADDRINUSE ? open_unique(protocol) : fd;
}

int channel_open(enum protocol protocol, int type)
{
    int fd = open_first(protocol);
    for (int waited = 0; fd == -EAGAIN && waited < BRIDGE_PATIENCE_MS; waited += BUSY_RETRY_MS) {
        pause_briefly();
        fd = open_first(protocol);
    }
    if (fd < 0)
        return fd;
    if (!(type & SOCK_NONBLOCK))
        syscall(SYS_fcntl, fd, F_SETFL, O_RDWR);
    if (!(type & SOCK_CLOEXEC))
        syscall(SYS_fcntl, fd, F_SETFD, 0);
    request_none(fd);
    memory_begin(fd, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
    return fd;
}

static int receive_buffer_of(int fd)
{
    int size = 0;
    socklen_t length = sizeof size;
    syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_RCVBUF, &size, &length);
    return size;
}

static void copy_size(int from, int to, int option, int forced)
{
    int size;
    socklen_t length = sizeof size;
    if (syscall(SYS_getsockopt, from, SOL_SOCKET, option, &size, &length) != 0)
        return;
    size /= 2; /* the kernel reports twice what was set */
    if (syscall(SYS_setsockopt, to, SOL_SOCKET, forced, &size, length) != 0)
        syscall(SYS_setsockopt, to, SOL_SOCKET, option, &size, length);
}

/* The size of the send buffer is the last: the frames before it must not wait for room. */
static void copy_socket_options(int from, int to)
{
    bool resized = receive_buffer_of(from) != receive_buffer_of(to);
    static const int plain[] = {SO_RCVTIMEO, SO_SNDTIMEO, SO_PASSCRED};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct timeval value;
        socklen_t length = sizeof value;
        if (syscall(SYS_getsockopt, from, SOL_SOCKET, plain[i], &value, &length) == 0)
            syscall(SYS_setsockopt, to, SOL_SOCKET, plain[i], &value, length);
    }
    copy_size(from, to, SO_RCVBUF, SO_RCVBUFFORCE);
    if (resized)
        memory_tell_buffer(to);
    copy_size(from, to, SO_SNDBUF, SO_SNDBUFFORCE);
    long flags = syscall(SYS_fcntl, from, F_GETFL);
    if (flags >= 0)
        syscall(SYS_fcntl, to, F_SETFL, flags);
}

static void restore_settings(int fd, const struct channel *channel)
{
    if (channel->groups != 0)
        frame_send(fd, GROUPS, channel->groups, 0);
    if (channel->room != 0)
        frame_send(fd, ROOM, channel->room, 0);
    for (uint32_t i = 0; i < 32; i++) {
        if (channel->options >> i & 1)
            frame_send(fd, OPTION, i, 1);
        if (channel->registered >> i & 1)
            frame_send(fd, REGISTER, i, 0);
    }
}

/* Repeats for epoll sets what the program asked of them; the number of a set may be stale, and nothing is lost then. */
static void watch_again(int fd, int operation, const struct channel *channel)
{
    for (int i = 0; i < channel->watched; i++) {
        struct epoll_event event = channel->watches[i].event;
        if (channel->watches[i].fd == fd)
            syscall(SYS_epoll_ctl, channel->watches[i].epoll, operation, fd, &event);
    }
}

/*
 * An epoll set watches the old socket until its last copy, which a child may have, is closed: it is taken out by hand.
 */
static void put_in_place(int new, int fd, const struct channel *channel)
{
    long flags = syscall(SYS_fcntl, fd, F_GETFD);
    watch_again(fd, EPOLL_CTL_DEL, channel);
    syscall(SYS_dup3, new, fd, flags > 0 && (flags & FD_CLOEXEC) ? O_CLOEXEC : 0);
    set_kind(fd, DIVERTED);
    watch_again(fd, EPOLL_CTL_ADD, channel);
}

/* Puts `new` in the place of `fd` and of all its copies in this process. */
static void replace(int fd, int new, struct channel *channel)
{
    ino_t old = channel->inode;
    restore_settings(new, channel); /* first: there is room for it, whatever buffer the program wants */
    copy_socket_options(fd, new);
    channel->inode = socket_inode(new);
    put_in_place(new, fd, channel);
    for (int copy = channel->fd == fd ? -1 : socket_alias(old, 0, new); copy >= 0;
            copy = socket_alias(old, copy + 1, new))
        put_in_place(new, copy, channel);
    syscall(SYS_close, new);
}

static int take_port(int fd, const struct name *name, uint32_t port, struct channel *channel)
{
    struct name wanted = {
            .protocol = name->protocol, .instance = bridge_instance(socket_file(name->protocol)), .port = port};
    int new = open_named(&wanted);
    if (new < 0)
        return new;
    replace(fd, new, channel);
    return 0;
}

/* A socket that was not bound and not used has no right to the port id that it got. */
static bool make_way(const struct name *name, uint32_t port)
{
    struct channel *holder = memory_of_holder(port);
    int new = holder == NULL ? -1 : open_unique(name->protocol);
    if (new >= 0)
        replace(holder->fd, new, holder);
    return new >= 0;
}

static int bind_locked(int fd, const struct name *name, uint32_t port, struct channel *channel)
{
    if (channel->bound)
        return port == name->port ? 0 : -EINVAL;
    uint32_t wanted = port != 0 ? port : (uint32_t) getpid();
    int error = wanted == name->port ? 0 : take_port(fd, name, wanted, channel);
    if (error == -EADDRINUSE && port != 0 && make_way(name, port))
        error = take_port(fd, name, wanted, channel);
    if (error == -EADDRINUSE && port == 0)
        error = 0; /* the port id it has is as good */
    if (error == 0)
        channel->bound = true;
    return error;
}

/* Whether the bridge is to be told of groups. */
static int bind_once(int fd, const struct name *name, uint32_t port, uint32_t groups, bool *joins)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    struct channel *channel = memory_of(socket_inode(fd));
    int error = bind_locked(fd, name, port, channel);
    *joins = error == 0 && (groups | channel->groups) != 0;
    if (*joins)
        channel->groups = groups;
    bridge_unlock(MEMORY_LOCK, &signals);
    return error;
}

int channel_bind(int fd, const struct name *name, uint32_t port, uint32_t groups)
{
    bool joins;
    int error = bind_once(fd, name, port, groups, &joins);
    for (int waited = 0; error == -EAGAIN && waited < BRIDGE_PATIENCE_MS; waited += BUSY_RETRY_MS) {
        pause_briefly();
        error = bind_once(fd, name, port, groups, &joins);
    }
    if (joins) {
        frame_send(fd, GROUPS, groups, 0);
        dialogue_settle(fd, MEMBERSHIP_PATIENCE_MS);
    }
    return error == -EAGAIN ? -ECONNREFUSED : error;
}

static bool reconnect(int fd, const struct name *seen)
{
    sigset_t signals;
    int before = errno, error = 0;
    struct name now;
    bridge_lock(MEMORY_LOCK, &signals);
    bool dead = name_of(fd, &now) && now.instance == seen->instance && now.port == seen->port;
    if (dead) { /* else another thread was faster */
        struct channel *channel = memory_of(socket_inode(fd));
        error = take_port(fd, seen, seen->port, channel);
        if (error == -EADDRINUSE) {
            int new = open_unique(seen->protocol);
            error = new < 0 ? new : 0;
            if (new >= 0)
                replace(fd, new, channel);
        }
    }
    bridge_unlock(MEMORY_LOCK, &signals);
    if (dead && error == 0)
        registry_revive();
    else if (dead)
        note_away();
    errno = before;
    return error == 0;
}

/* A receive timeout counts as non-blocking: the program wants to get back to its loop. */
static bool may_block(int fd, int flags)
{
    struct timeval time = {0};
    socklen_t length = sizeof time;
    syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &time, &length);
    long status = syscall(SYS_fcntl, fd, F_GETFL);
    return !(flags & MSG_DONTWAIT) && !(status > 0 && (status & O_NONBLOCK)) && time.tv_sec == 0 && time.tv_usec == 0;
}

/* No lock is held here: this is where a thread may be cancelled, and a signal ends the wait. */
static bool nap(void)
{
    struct timespec time = {.tv_nsec = BRIDGE_RETRY_MS * 1000000L};
    return nanosleep(&time, NULL) == 0;
}

static bool is_listening(int fd)
{
    sigset_t signals;
    bridge_lock(MEMORY_LOCK, &signals);
    const struct channel *channel = memory_recall(socket_inode(fd));
    bool listening = channel != NULL && (channel->groups | channel->registered) != 0;
    bridge_unlock(MEMORY_LOCK, &signals);
    return listening;
}

bool channel_await(int fd, const struct name *seen, int flags, enum wait wait)
{
    bool blocking = may_block(fd, flags), listening = wait == RECEIVING && is_listening(fd);
    for (int waited = BRIDGE_RETRY_MS; !reconnect(fd, seen); waited += BRIDGE_RETRY_MS) {
        bool refused = !listening && is_given_up();
        if (!(refused && wait == SENDING) && !nap())
            return false;
        if (refused || !blocking || (listening && waited >= LISTENING_MS)) {
            errno = refused ? ECONNREFUSED : EAGAIN;
            return false;
        }
    }
    return true;
}
