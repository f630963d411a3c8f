/*
 * mock DIR: a bridge that knows no IPsec. It acknowledges every netlink request, ends every dump at once, tells what it
 * knows about a client, and appends what it hears on control.sock to DIR/log. Writes one byte to stdout when it
 * listens.
 */
#define _GNU_SOURCE
#include "mock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
#include <linux/xfrm.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 256, NETLINK_LISTENER = 0, PFKEY_LISTENER = 1, CONTROL_LISTENER = 2, LISTENERS = 3, LINE = 16384 };

struct client {
    int listener; /* by which it came */
    struct mock_client known;
    uint32_t registered;
    int mode;   /* of a control connection: 0 request, 's' sockets, 'v' value of a set */
    int number; /* of a connection that registers sockets, from 1 */
    size_t filled;
    char line[LINE];
};

static struct pollfd polled[CLIENTS];
static struct client clients[CLIENTS];
static int count;
static uint32_t connections;
static FILE *journal;

static void listen_on(const char *directory, const char *file, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", directory, file);
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *) &address, sizeof address) != 0 || listen(fd, 64) != 0) {
        perror(address.sun_path);
        exit(1);
    }
    polled[count++] = (struct pollfd) {.fd = fd, .events = POLLIN};
}

static void accept_from(int listener)
{
    struct sockaddr_un peer = {0};
    socklen_t length = sizeof peer;
    int fd = accept(polled[listener].fd, (struct sockaddr *) &peer, &length);
    if (fd < 0 || count == CLIENTS)
        abort();
    struct client *client = &clients[count];
    *client = (struct client) {.listener = listener};
    connections += listener == NETLINK_LISTENER;
    if (listener != CONTROL_LISTENER && length > 8)
        client->known.port = (uint32_t) strtoul((char *) &peer + length - 8, NULL, 16);
    polled[count++] = (struct pollfd) {.fd = fd, .events = POLLIN};
}

static void drop(int i)
{
    if (clients[i].mode == 's')
        fprintf(journal, "%d end\n", clients[i].number);
    if (clients[i].mode == 'v')
        fprintf(journal, "value %.*s\n", (int) clients[i].filled, clients[i].line);
    close(polled[i].fd);
    count--;
    polled[i] = polled[count];
    clients[i] = clients[count];
}

static void send_message(int i, int type, int flags, const struct nlmsghdr *request, const void *payload, size_t length)
{
    static char buffer[65536];
    struct nlmsghdr *header = (struct nlmsghdr *) buffer;
    *header = (struct nlmsghdr) {.nlmsg_len = NLMSG_LENGTH(length),
            .nlmsg_type = type,
            .nlmsg_flags = flags,
            .nlmsg_seq = request->nlmsg_seq,
            .nlmsg_pid = clients[i].known.port};
    memcpy(NLMSG_DATA(header), payload, length);
    if (send(polled[i].fd, buffer, header->nlmsg_len, MSG_NOSIGNAL) < 0)
        perror("mock: send");
}

static void send_acknowledgement(int i, const struct nlmsghdr *request)
{
    struct nlmsgerr error = {.error = 0, .msg = *request};
    send_message(i, NLMSG_ERROR, 0, request, &error, sizeof error);
}

static void take_frame(struct client *client, const uint32_t *frame)
{
    uint32_t bit = 1u << (frame[2] - 1);
    switch (frame[1]) {
    case 1: client->known.groups = frame[2]; break;
    case 2: client->known.groups |= bit; break;
    case 3: client->known.groups &= ~bit; break;
    case 4:
        client->known.options =
                frame[3] ? client->known.options | 1u << frame[2] : client->known.options & ~(1u << frame[2]);
        break;
    case 7: client->known.room = frame[2]; break;
    case 9: client->known.buffer = frame[2]; break;
    case 6: client->registered |= 1u << frame[2]; break;
    default: fprintf(journal, "unknown frame %u\n", frame[1]);
    }
}

static void announce(uint32_t group, const struct nlmsghdr *request)
{
    for (int i = LISTENERS; i < count; i++) {
        if (clients[i].listener == NETLINK_LISTENER && clients[i].known.groups >> (group - 1) & 1)
            send_message(i, MOCK_EVENT, (int) (group << 12), request, &group, sizeof group);
    }
}

static void answer_netlink(int i, const struct nlmsghdr *request)
{
    static char zeros[65536];
    const uint32_t overrun[4] = {0, 5, 0, 0};
    uint32_t argument, flags = 0;
    memcpy(&argument, NLMSG_DATA(request), sizeof argument);
    switch (request->nlmsg_type) {
    case MOCK_TELL:
        clients[i].known.connections = connections;
        send_message(i, MOCK_TELL, 0, request, &clients[i].known, sizeof clients[i].known);
        break;
    case MOCK_FLOOD: send_message(i, MOCK_FLOOD, 0, request, zeros, argument); break;
    case MOCK_OVERRUN: send(polled[i].fd, overrun, sizeof overrun, MSG_NOSIGNAL); break;
    case MOCK_ANNOUNCE: announce(argument, request); break;
    case MOCK_DELAY:
        usleep(argument * 1000);
        send_acknowledgement(i, request);
        break;
    case XFRM_MSG_GETSPDINFO: send_message(i, XFRM_MSG_NEWSPDINFO, 0, request, &flags, sizeof flags); break;
    default:
        if (request->nlmsg_flags & NLM_F_DUMP)
            send_message(i, NLMSG_DONE, NLM_F_MULTI, request, &flags, sizeof flags);
        else
            send_acknowledgement(i, request);
    }
}

static void answer_pfkey(int i, struct sadb_msg *request, size_t length)
{
    if (request->sadb_msg_type == MOCK_SADB_TELL) {
        memcpy(request + 1, &clients[i].registered, sizeof clients[i].registered);
        length = sizeof *request + sizeof clients[i].registered;
    }
    send(polled[i].fd, request, length, MSG_NOSIGNAL);
}

static void take_datagram(int i)
{
    static _Alignas(8) char buffer[65536];
    const struct nlmsghdr *request = (struct nlmsghdr *) buffer;
    bool keeps = clients[i].listener == PFKEY_LISTENER;
    ssize_t length = recv(polled[i].fd, buffer, sizeof buffer, keeps ? MSG_PEEK : 0);
    const uint32_t *words = (uint32_t *) buffer;
    if (length <= 0
            || (words[0] != 0 && clients[i].listener == NETLINK_LISTENER && request->nlmsg_type == MOCK_HANG_UP))
        drop(i);
    else if (length == 16 && words[0] == 0)
        take_frame(&clients[i], words);
    else if (clients[i].listener == PFKEY_LISTENER)
        answer_pfkey(i, (struct sadb_msg *) buffer, (size_t) length);
    else
        answer_netlink(i, request);
    if (keeps && length > 0)
        recv(polled[i].fd, buffer, sizeof buffer, MSG_DONTWAIT); /* when it is answered */
}

/* Returns whether the connection stays. */
static int take_line(int i, const char *line)
{
    static int numbers;
    const char *answer = "errno 22\n";
    if (clients[i].mode == 's') {
        fprintf(journal, "%d %s\n", clients[i].number, line);
        const char *last = strrchr(line, ' ');
        answer = strncmp(line, "encap", 5) == 0 && strcmp(last, " 1") == 0 ? "errno 92\n" : "ok\n";
    } else if (strcmp(line, "sockets") == 0) {
        clients[i].mode = 's';
        clients[i].number = ++numbers;
        return 1;
    } else if (strncmp(line, "set ", 4) == 0) {
        fprintf(journal, "%s\n", line);
        clients[i].mode = 'v';
        return 1;
    } else if (strcmp(line, "proc xfrm_stat") == 0) {
        answer = "XfrmInError             \t7\n";
    } else if (strcmp(line, "sysctl xfrm_acq_expires") == 0) {
        answer = "165\n";
    }
    send(polled[i].fd, answer, strlen(answer), MSG_NOSIGNAL);
    return clients[i].mode == 's';
}

static void take_text(int i)
{
    struct client *client = &clients[i];
    ssize_t length = recv(polled[i].fd, client->line + client->filled, sizeof client->line - client->filled, 0);
    if (length <= 0) {
        drop(i);
        return;
    }
    client->filled += (size_t) length;
    char *end;
    while (client->mode != 'v' && (end = memchr(client->line, '\n', client->filled)) != NULL) {
        *end = '\0';
        int stays = take_line(i, client->line);
        client->filled -= (size_t) (end + 1 - client->line);
        memmove(client->line, end + 1, client->filled);
        if (!stays) {
            drop(i);
            return;
        }
    }
}

/* Before the client can send anything, mostly: a process that waits would be too late. */
static int end_with_first_connection(void)
{
    int client = -1;
    fcntl(polled[NETLINK_LISTENER].fd, F_SETFL, O_NONBLOCK);
    while (client < 0)
        client = accept(polled[NETLINK_LISTENER].fd, NULL, NULL);
    close(client);
    return 0;
}

int main(int argc, char **argv)
{
    char path[256];
    if (argc != 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    listen_on(argv[1], "netlink.sock", SOCK_SEQPACKET);
    listen_on(argv[1], "pfkey.sock", SOCK_SEQPACKET);
    listen_on(argv[1], "control.sock", SOCK_STREAM);
    snprintf(path, sizeof path, "%s/log", argv[1]);
    journal = fopen(path, "ae");
    setvbuf(journal, NULL, _IOLBF, 0);
    if (write(STDOUT_FILENO, "r", 1) != 1)
        return 1;
    if (getenv("MOCK_ENDS") != NULL)
        return end_with_first_connection();
    for (;;) {
        if (poll(polled, (nfds_t) count, -1) < 0 && errno != EINTR)
            return 1;
        for (int i = count - 1; i >= 0; i--) {
            if (polled[i].revents == 0)
                continue;
            polled[i].revents = 0;
            if (i < LISTENERS)
                accept_from(i);
            else if (clients[i].listener == CONTROL_LISTENER)
                take_text(i);
            else
                take_datagram(i);
        }
    }
}
