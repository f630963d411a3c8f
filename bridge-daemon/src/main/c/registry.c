/*
 * Socket policies and encapsulation, registered at the bridge as lines of text on one connection per process. A child
 * made by fork() keeps the parent's connection open, so that nothing ends with a parent that only wanted to become a
 * daemon, and makes its own as soon as it has something to say. After a restart of the bridge everything is registered
 * again.
 */
#include "registry.h"

#include "bridge.h"
#include "control.h"
#include "entry.h"
#include "mailbox.h"
#include "memory.h"
#include "pages.h"

#include <errno.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TCP_ULP_OPTION = 31 };

/* What is closed goes to `ended` and is freed later: a signal handler may close sockets, and may not call free(). */
static struct entry *_Atomic entries, *ended;

static struct entry *find(ino_t cookie)
{
    struct entry *entry = bridge_memory_is_ours() ? entries : NULL;
    while (entry != NULL && entry->cookie != cookie)
        entry = entry->next;
    return entry;
}

/* False if the connection died: what follows would wait in vain. */
static bool register_again(const struct entry *entry)
{
    if (socket_inode(entry->fd) != entry->cookie)
        return true;
    entry_ask_socket(entry);
    for (int i = 0; i < DIRECTIONS; i++) {
        if (entry->policies[i].length != 0 && entry_ask_policy(entry, &entry->policies[i]) < 0)
            return false;
    }
    return entry->encapsulation == 0 || entry_ask_encapsulation(entry, entry->encapsulation) >= 0;
}

static void register_all(void)
{
    const struct entry *entry = entries;
    while (entry != NULL && register_again(entry))
        entry = entry->next;
}

/* 0 or an errno. */
static int reconnect(void)
{
    struct control old = control;
    if (!control_open())
        return ECONNREFUSED;
    register_all();
    control_close(&old);
    return 0;
}

static int connect_if_needed(void)
{
    return control_is_open() ? 0 : reconnect();
}

/*
 * Sockets that were closed behind our back, or whose first descriptor is being closed (`closing`) while a copy may live
 * on.
 */
static void sweep(int closing)
{
    struct entry *before = NULL, *next;
    for (struct entry *entry = entries; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->fd >= 0 && (entry->fd == closing || socket_inode(entry->fd) != entry->cookie)) {
            entry->fd = socket_alias(entry->cookie, 0, closing);
            set_kind(entry->fd, REGISTERED);
        }
        if (entry->fd >= 0) {
            before = entry;
            continue;
        }
        if (control_is_open())
            entry_ask_closed(entry);
        if (before == NULL)
            entries = next;
        else
            before->next = next;
        entry->next = ended;
        ended = entry;
    }
}

static void free_ended(void)
{
    while (ended != NULL) {
        struct entry *entry = ended;
        ended = entry->next;
        for (int i = 0; i < DIRECTIONS; i++)
            policy_clear(&entry->policies[i]);
        free(entry);
    }
}

/* The entry of a socket, made if need be, with the connection ready; NULL with `error` set if that failed. */
static struct entry *open_entry(int fd, int *error)
{
    *error = ECONNREFUSED;
    if (!bridge_memory_is_ours())
        return NULL;
    sweep(-1);
    free_ended();
    ino_t cookie = socket_inode(fd);
    *error = connect_if_needed();
    if (*error != 0)
        return NULL;
    struct entry *entry = find(cookie);
    if (entry != NULL) {
        entry->fd = fd;
        return entry;
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        *error = ENOMEM;
        return NULL;
    }
    *entry = (struct entry) {.cookie = cookie, .fd = fd, .next = entries};
    entries = entry;
    set_kind(fd, REGISTERED);
    entry_ask_socket(entry);
    return entry;
}

static int set_policy(int fd, struct policy *policy)
{
    int error;
    struct entry *entry = open_entry(fd, &error);
    if (entry != NULL) {
        error = entry_ask_policy(entry, policy);
        if (error < 0)
            error = reconnect() == 0 ? entry_ask_policy(entry, policy) : ECONNREFUSED;
    }
    if (error == 0 && policy->length == 0) {
        for (int i = 0; i < DIRECTIONS; i++)
            policy_clear(&entry->policies[i]);
    } else if (error == 0) {
        policy_clear(&entry->policies[policy->direction]);
        entry->policies[policy->direction] = *policy;
        policy->value = NULL;
    }
    policy_clear(policy);
    return error < 0 ? ECONNREFUSED : error;
}

enum { CHANNELS_LOOKED_AT = 1024 };

/*
 * A process that was confined (chroot) cannot connect to the bridge, and one that gave up its rights may not ask it,
 * but both may hold a PF_KEY socket that their parent opened: what that carries stands for every address of the port,
 * and ends with it. Returns whether there is one.
 */
static bool encapsulate_through_channel(int fd, int type)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    syscall(SYS_getsockname, fd, &address, &length);
    uint16_t port = address.ss_family == AF_INET ? ((const struct sockaddr_in *) &address)->sin_port
                                                 : ((const struct sockaddr_in6 *) &address)->sin6_port;
    struct name name;
    for (int other = 0; other < CHANNELS_LOOKED_AT; other++) {
        if (is_diverted(other, &name) && name.protocol == PFKEY) {
            frame_send(other, ENCAPSULATE, (uint32_t) address.ss_family << 16 | ntohs(port), (uint32_t) type);
            if (entry_is_dual(fd, address.ss_family))
                frame_send(other, ENCAPSULATE, AF_INET << 16 | ntohs(port), (uint32_t) type);
            return true;
        }
    }
    return false;
}

static int set_encapsulation(int fd, int type)
{
    int error;
    if (type == 0 && find(socket_inode(fd)) == NULL)
        return 0;
    struct entry *entry = open_entry(fd, &error);
    if (entry == NULL)
        return error == ECONNREFUSED && encapsulate_through_channel(fd, type) ? 0 : error;
    error = entry_ask_encapsulation(entry, type);
    if (error < 0)
        error = reconnect() == 0 ? entry_ask_encapsulation(entry, type) : ECONNREFUSED;
    if (error == EPERM && encapsulate_through_channel(fd, type))
        error = 0;
    if (error == 0)
        entry->encapsulation = type;
    return error < 0 ? ECONNREFUSED : error;
}

static int socket_number(int fd, int option)
{
    int number = -1;
    socklen_t length = sizeof number;
    syscall(SYS_getsockopt, fd, SOL_SOCKET, option, &number, &length);
    return number;
}

/*
 * L2TP's type of UDP_ENCAP is the kernel's business. UDP_GRO on an encapsulated socket would only matter to the
 * kernel's ESP.
 */
static bool takes_udp(int fd, int option, const void *value, socklen_t length, int *error)
{
    int number;
    if (length < sizeof number || value == NULL || socket_number(fd, SO_PROTOCOL) != IPPROTO_UDP)
        return false;
    memcpy(&number, value, sizeof number);
    if (option == UDP_GRO) {
        struct entry *entry = find(socket_inode(fd));
        if (entry == NULL || entry->encapsulation == 0)
            return false;
        entry->receive_offload = number != 0;
        *error = 0;
        return true;
    }
    if (number != 0 && number != UDP_ENCAP_ESPINUDP && number != UDP_ENCAP_ESPINUDP_NON_IKE)
        return false;
    *error = set_encapsulation(fd, number);
    return true;
}

enum form { NO_POLICY, KERNEL_FORM, PFKEY_FORM };

static enum form policy_form(int level, int option)
{
    if ((level == IPPROTO_IP && option == IP_XFRM_POLICY) || (level == IPPROTO_IPV6 && option == IPV6_XFRM_POLICY))
        return KERNEL_FORM;
    if ((level == IPPROTO_IP && option == IP_IPSEC_POLICY) || (level == IPPROTO_IPV6 && option == IPV6_IPSEC_POLICY))
        return PFKEY_FORM;
    return NO_POLICY;
}

/*
 * Whether the option gets to XFRM: what is of another level than the socket a kernel refuses before, but IPv4's of most
 * IPv6 sockets.
 */
static bool reaches_xfrm(int domain, int type, int level)
{
    if (level == IPPROTO_IPV6)
        return domain == AF_INET6;
    return domain == AF_INET || (domain == AF_INET6 && type != SOCK_RAW);
}

static bool takes_policy(int fd, int level, int option, const void *value, socklen_t length, int *error)
{
    int domain = socket_number(fd, SO_DOMAIN);
    if (!reaches_xfrm(domain, socket_number(fd, SO_TYPE), level))
        return false;
    struct policy policy;
    bool foreign = domain != (level == IPPROTO_IP ? AF_INET : AF_INET6);
    *error = policy_form(level, option) == PFKEY_FORM ? policy_copy_pfkey(value, length, foreign, &policy)
                                                      : policy_copy(value, length, foreign, &policy);
    if (*error == 0)
        *error = set_policy(fd, &policy);
    return true;
}

bool registry_takes(int fd, int level, int option, const void *value, socklen_t length, int *error)
{
    static const char espintcp[] = "espintcp";
    bool ulp = level == IPPROTO_TCP && option == TCP_ULP_OPTION;
    bool udp = level == IPPROTO_UDP && (option == UDP_ENCAP || option == UDP_GRO);
    if (!ulp && !udp && policy_form(level, option) == NO_POLICY)
        return false;
    if (value != NULL && !pages_readable(value, length < POLICY_LENGTH ? length : POLICY_LENGTH))
        return false; /* the kernel says so */
    if (ulp) {
        *error = ENOENT; /* as a kernel without that module */
        return value != NULL && length >= sizeof espintcp - 1 && memcmp(value, espintcp, sizeof espintcp - 1) == 0;
    }
    sigset_t signals;
    int before = errno;
    bridge_lock(REGISTRY_LOCK, &signals);
    bool taken =
            udp ? takes_udp(fd, option, value, length, error) : takes_policy(fd, level, option, value, length, error);
    bridge_unlock(REGISTRY_LOCK, &signals);
    if (taken && *error == ECONNREFUSED)
        bridge_complain(ECONNREFUSED);
    errno = before;
    return taken;
}

bool registry_get(int fd, int option, int *value)
{
    sigset_t signals;
    bridge_lock(REGISTRY_LOCK, &signals);
    const struct entry *entry = find(socket_inode(fd));
    bool known = entry != NULL && (option == UDP_ENCAP || (option == UDP_GRO && entry->receive_offload));
    if (known)
        *value = option == UDP_ENCAP ? entry->encapsulation : 1;
    bridge_unlock(REGISTRY_LOCK, &signals);
    return known;
}

void registry_moved(int fd)
{
    sigset_t signals;
    int before = errno;
    bridge_lock(REGISTRY_LOCK, &signals);
    const struct entry *entry = find(socket_inode(fd));
    if (entry == NULL) {
        set_kind(fd, UNKNOWN);
    } else if (!control_is_open() || entry_ask_moved(entry) < 0) {
        reconnect(); /* tells the new address with everything else */
    }
    bridge_unlock(REGISTRY_LOCK, &signals);
    errno = before;
}

void registry_roams(int fd)
{
    sigset_t signals;
    bridge_lock(REGISTRY_LOCK, &signals);
    struct entry *entry = find(socket_inode(fd));
    bool news = entry != NULL && !entry->roams;
    if (news)
        entry->roams = true;
    bridge_unlock(REGISTRY_LOCK, &signals);
    if (news)
        registry_moved(fd);
}

void registry_closed(int fd)
{
    sigset_t signals;
    bridge_lock(REGISTRY_LOCK, &signals);
    sweep(fd);
    bridge_unlock(REGISTRY_LOCK, &signals);
}

void registry_revive(void)
{
    sigset_t signals;
    bridge_lock(REGISTRY_LOCK, &signals);
    if (entries != NULL && !control_is_open())
        reconnect();
    bridge_unlock(REGISTRY_LOCK, &signals);
}
