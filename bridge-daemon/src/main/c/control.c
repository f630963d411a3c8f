/* The connection to control.sock on which this process registers sockets: one line asked, one line answered. */
#include "control.h"

#include "bridge.h"
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The connection's number is out of the way of programs that count on low ones. */
enum { NUMBERS_FROM = 100, ANSWER_ROOM = 32 };

static const char REFUSAL[] = "errno ";

struct control control = {.fd = -1};

bool control_open(void)
{
    int low = bridge_request("sockets\n");
    if (low < 0)
        return false;
    int high = (int) syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, NUMBERS_FROM);
    if (high >= 0)
        syscall(SYS_close, low);
    int fd = high >= 0 ? high : low;
    control.owner = getpid();
    control.inode = socket_inode(fd);
    control.fd = fd;
    set_kind(fd, CONTROL);
    return true;
}

void control_close(const struct control *old)
{
    if (old->fd >= 0 && socket_inode(old->fd) == old->inode) {
        set_kind(old->fd, UNKNOWN);
        syscall(SYS_close, old->fd);
    }
}

bool control_owns(int fd)
{
    return fd == control.fd && socket_inode(fd) == control.inode;
}

int control_descriptor_number(void)
{
    int fd = control.fd;
    return fd >= 0 && control_owns(fd) ? fd : -1;
}

void control_make_way(int fd)
{
    sigset_t signals;
    bridge_lock(REGISTRY_LOCK, &signals);
    int other = bridge_memory_is_ours() && control_owns(fd)
            ? (int) syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, NUMBERS_FROM)
            : -1;
    if (other >= 0) {
        control.fd = other;
        set_kind(other, CONTROL);
        set_kind(fd, UNKNOWN);
    }
    bridge_unlock(REGISTRY_LOCK, &signals);
}

bool control_is_open(void)
{
    char byte;
    return control.fd >= 0 && control.owner == getpid() && control_owns(control.fd)
            && syscall(SYS_recvfrom, control.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, NULL, NULL) < 0 && errno == EAGAIN;
}

static bool send_line(const char *line)
{
    size_t length = strlen(line);
    while (length > 0) {
        ssize_t sent = syscall(SYS_sendto, control.fd, line, length, MSG_NOSIGNAL, NULL, 0);
        if (sent <= 0)
            return false;
        line += sent;
        length -= (size_t) sent;
    }
    return true;
}

static bool read_answer(char *answer)
{
    size_t filled = 0;
    do {
        ssize_t got = syscall(SYS_recvfrom, control.fd, answer + filled, ANSWER_ROOM - 1 - filled, 0, NULL, NULL);
        if (got <= 0)
            return false;
        filled += (size_t) got;
        answer[filled] = '\0';
    } while (strchr(answer, '\n') == NULL && filled < ANSWER_ROOM - 1);
    return true;
}

/* Of up to four digits. With glibc's sscanf or strtol the library could not be loaded by one older than 2.38. */
static int number(const char *digits)
{
    int value = 0;
    for (const char *digit = digits; *digit >= '0' && *digit <= '9' && digit < digits + 4; digit++)
        value = 10 * value + *digit - '0';
    return value;
}

int control_ask(const char *line)
{
    char answer[ANSWER_ROOM];
    if (!send_line(line) || !read_answer(answer)) {
        syscall(SYS_shutdown, control.fd, SHUT_RDWR); /* a late answer must not pass for the next one */
        return -1;
    }
    if (strcmp(answer, "ok\n") == 0)
        return 0;
    int error = strncmp(answer, REFUSAL, strlen(REFUSAL)) == 0 ? number(answer + strlen(REFUSAL)) : 0;
    return error > 0 ? error : EINVAL;
}
