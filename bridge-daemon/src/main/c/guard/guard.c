/*
 * guard DIRECTORY: keeps one descriptor that a bridge gave it, for the next bridge: the netlink socket to which the
 * bridge's tables of nftables belong, since those of a closed socket are anybody's. Speaks to root alone, on the unix
 * socket DIRECTORY/guard, one letter a message:
 *
 *   H and a descriptor  hold it, and forget the one before; the answer is Y
 *   G                   give it: the answer is Y and the descriptor, or N if there is none
 *   E                   end, answered with Y
 *
 * It is there as soon as its first process ends with 0.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_CLIENTS = 16, NONE = -1 };

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static int held = NONE;

static bool is_root(int client)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

static void answer(int client, char letter, int descriptor)
{
    union control control = {0};
    struct iovec text = {&letter, 1};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    if (descriptor != NONE) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    }
    sendmsg(client, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int received(struct msghdr *message)
{
    int descriptor = NONE;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

static void hold(int descriptor)
{
    if (held != NONE)
        close(held);
    held = descriptor;
}

/* False when the client has gone. */
static bool serve(int client, const char *path)
{
    char letter = 0;
    union control control;
    struct iovec text = {&letter, 1};
    struct msghdr message = {
            .msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(client, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0)
        return false;
    int descriptor = received(&message);
    if (letter == 'H' && descriptor != NONE) {
        hold(descriptor);
        answer(client, 'Y', NONE);
        return true;
    }
    if (descriptor != NONE)
        close(descriptor);
    if (letter == 'E') {
        unlink(path);
        answer(client, 'Y', NONE);
        _exit(0);
    }
    answer(client, letter == 'G' && held != NONE ? 'Y' : 'N', letter == 'G' ? held : NONE);
    return true;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    int listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    unlink(path);
    umask(0177);
    if (listening < 0 || bind(listening, (struct sockaddr *) &address, sizeof address) != 0
            || listen(listening, MOST_CLIENTS) != 0)
        return -1;
    return listening;
}

/* Nothing of whoever started it stays: no terminal, no directory, no descriptor. */
static bool detach(int listening)
{
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere < 0 || setsid() < 0 || chdir("/") != 0)
        return false;
    for (int standard = 0; standard <= 2; standard++)
        dup2(nowhere, standard);
    for (int other = 3; other < 1024; other++)
        if (other != listening)
            close(other);
    signal(SIGHUP, SIG_IGN);
    return true;
}

static void run(int listening, const char *path)
{
    struct pollfd waiting[1 + MOST_CLIENTS] = {{.fd = listening, .events = POLLIN}};
    for (int clients = 0;;) {
        waiting[0].events = clients < MOST_CLIENTS ? POLLIN : 0;
        poll(waiting, (nfds_t) clients + 1, -1);
        for (int i = clients; i > 0; i--)
            if (waiting[i].revents != 0 && !serve(waiting[i].fd, path)) {
                close(waiting[i].fd);
                waiting[i] = waiting[clients--];
            }
        if (waiting[0].revents == 0)
            continue;
        int client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0 && !is_root(client))
            close(client);
        else if (client >= 0)
            waiting[++clients] = (struct pollfd) {.fd = client, .events = POLLIN};
    }
}

int main(int argc, char **argv)
{
    char path[sizeof((struct sockaddr_un *) NULL)->sun_path];
    if (argc != 2 || argv[1][0] != '/' || snprintf(path, sizeof path, "%s/guard", argv[1]) >= (int) sizeof path) {
        fputs("usage: guard DIRECTORY, with a short absolute path\n", stderr);
        return 2;
    }
    int listening = listen_at(path);
    if (listening < 0) {
        perror(path);
        return 1;
    }
    pid_t child = fork();
    if (child != 0)
        return child < 0;
    if (!detach(listening))
        return 1;
    run(listening, path);
}
