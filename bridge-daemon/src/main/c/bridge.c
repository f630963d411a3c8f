/*
 * Reaching the bridge. Every system call here is made with syscall(): libc's functions would come back to this library,
 * and are cancellation points, at which a thread must not end while it holds the lock.
 */
#include "bridge.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* Descriptors beyond this number are not searched for copies of a socket. */
enum { ALIAS_SEARCH = 1024, FEW_GROUPS = 64 };

static const char DEFAULT_DIRECTORY[] = "/run/xfrm-bridge";

static char directory[sizeof(((struct sockaddr_un *) 0)->sun_path)];
static bool verbose;
static _Atomic pid_t owner;
static pthread_mutex_t locks[LOCKS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

/*
 * The thread that is in fork() has all locks: what other libraries do there, before and after it, must not ask for them
 * again.
 */
static _Atomic uintptr_t forking;
static sigset_t signals_before_fork;

static uintptr_t this_thread(void)
{
    return (uintptr_t) pthread_self();
}

static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static void lock_before_fork(void)
{
    sigset_t before;
    block_signals(&before);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_lock(&locks[i]);
    signals_before_fork = before;
    atomic_store(&forking, this_thread());
}

static void unlock_after_fork(void)
{
    sigset_t before = signals_before_fork;
    atomic_store(&forking, 0);
    for (int i = LOCKS - 1; i >= 0; i--)
        pthread_mutex_unlock(&locks[i]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void begin_child(void)
{
    owner = getpid();
    unlock_after_fork();
}

static void read_environment(void)
{
    const char *value = secure_getenv("XFRM_BRIDGE_DIR");
    if (value == NULL || *value == '\0')
        value = DEFAULT_DIRECTORY;
    if (strlen(value) < sizeof directory)
        strcpy(directory, value);
    value = secure_getenv("XFRM_BRIDGE_VERBOSE");
    verbose = value != NULL && *value != '\0';
}

__attribute__((constructor)) static void begin_process(void)
{
    read_environment();
    owner = getpid();
    pthread_atfork(lock_before_fork, unlock_after_fork, begin_child);
}

/* Another library's constructor may come here before ours ran. */
static int socket_address(const char *file, struct sockaddr_un *address)
{
    if (directory[0] == '\0')
        read_environment();
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/%s", directory, file);
    return directory[0] != '\0' && (size_t) length < sizeof address->sun_path ? 0 : -ENAMETOOLONG;
}

static int connect_to(int fd, const char *file)
{
    struct sockaddr_un address;
    int error = socket_address(file, &address);
    if (error != 0)
        return error;
    return syscall(SYS_connect, fd, &address, sizeof address) == 0 ? 0 : -errno;
}

/* Beside NAME.sock there is NAME-admin.sock, for who may do what root may: nobody else can keep them waiting there. */
int bridge_connect(int fd, const char *file)
{
    char privileged[32];
    snprintf(privileged, sizeof privileged, "%.*s-admin.sock", (int) (strlen(file) - strlen(".sock")), file);
    int error = connect_to(fd, privileged);
    bool closed = error == -EACCES || error == -ENOENT || error == -ECONNREFUSED || error == -ENAMETOOLONG;
    return closed ? connect_to(fd, file) : error;
}

uint64_t bridge_instance(const char *file)
{
    struct sockaddr_un address;
    struct stat status;
    if (socket_address(file, &address) != 0 || REAL(stat)(address.sun_path, &status) != 0)
        return 0;
    uint64_t born = (uint64_t) status.st_mtim.tv_sec * 1000000000u + (uint64_t) status.st_mtim.tv_nsec;
    return born ^ (uint64_t) status.st_ino << 32 ^ (uint64_t) status.st_ino >> 32;
}

static bool is_listed(const gid_t *groups, int count, gid_t group)
{
    for (int i = 0; i < count; i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}

/* Of many groups the list is too long for a thread's stack. */
static bool is_in_long_list(size_t room, gid_t group)
{
    size_t bytes = room * sizeof group;
    gid_t *groups = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (groups == MAP_FAILED)
        return false;
    bool listed = is_listed(groups, getgroups((int) room, groups), group);
    munmap(groups, bytes);
    return listed;
}

static bool is_in_group(gid_t group)
{
    gid_t groups[FEW_GROUPS];
    int count = getgroups(FEW_GROUPS, groups);
    bool listed = count < 0 ? is_in_long_list(NGROUPS_MAX, group) : is_listed(groups, count, group);
    return listed || getegid() == group;
}

bool bridge_obeys_us(void)
{
    struct sockaddr_un address;
    struct stat status;
    if (geteuid() == 0)
        return true;
    return socket_address("netlink.sock", &address) == 0 && REAL(stat)(address.sun_path, &status) == 0
            && is_in_group(status.st_gid);
}

int bridge_request(const char *request)
{
    int fd = (int) syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval patience = {.tv_sec = BRIDGE_PATIENCE_MS / 1000};
    syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int error = bridge_connect(fd, "control.sock");
    if (error == 0 && syscall(SYS_sendto, fd, request, strlen(request), MSG_NOSIGNAL, NULL, 0) < 0)
        error = -errno;
    if (error == 0)
        return fd;
    syscall(SYS_close, fd);
    return error;
}

void bridge_complain(int error)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    /* A daemon's descriptor of that number may be anything. */
    if (!(verbose || isatty(STDERR_FILENO)) || atomic_flag_test_and_set(&said))
        return;
    char text[320];
    int length = snprintf(text, sizeof text,
            "xfrm-bridge: the bridge in %s can't be reached (%s): see \"xfrm-bridge status --dir %s\"\n", directory,
            strerror(error), directory);
    if (syscall(SYS_write, STDERR_FILENO, text, length) < 0)
        return;
}

/* Of the first who asks: another library's constructor may come here before ours ran. */
bool bridge_memory_is_ours(void)
{
    pid_t asking = getpid(), known = owner;
    return known == asking || (known == 0 && atomic_compare_exchange_strong(&owner, &known, asking));
}

ino_t socket_inode(int fd)
{
    struct stat status;
    int before = errno;
    bool is_socket = fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
    errno = before;
    return is_socket ? status.st_ino : 0;
}

int socket_alias(ino_t inode, int from, int except)
{
    for (int fd = from; fd < ALIAS_SEARCH; fd++) {
        if (fd != except && socket_inode(fd) == inode)
            return fd;
    }
    return -1;
}

/* A child of vfork(), which may be killed at any time, takes no lock of its parent, and finds nothing remembered. */
static bool needs_lock(void)
{
    return atomic_load(&forking) != this_thread() && bridge_memory_is_ours();
}

void bridge_lock(enum lock lock, sigset_t *before)
{
    block_signals(before);
    if (needs_lock())
        pthread_mutex_lock(&locks[lock]);
}

void bridge_unlock(enum lock lock, const sigset_t *before)
{
    if (needs_lock())
        pthread_mutex_unlock(&locks[lock]);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}
