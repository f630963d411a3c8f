/*
 * ask DIRECTORY QUESTION: prints what the bridge of that directory answers to a line on its control socket. The exit
 * status is 100, and nothing is printed, if none answers within two seconds or what it says is no answer: then the
 * caller asks another way, which can say why.
 *
 * In front of the answer to "status text" and "status json" stands a line with the exit status, the time that is
 * missing at the end of the text's first line, and the network namespace in which all of it is true, for root.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* Room for ten times the longest answer there is. */
enum { NOT_ANSWERED = 100, NOT_PRINTED = 101, ROOM = 1 << 20, PATIENCE_SECONDS = 2 };

/* Root and the bridge's group have a socket of their own. */
static bool address_of(const char *directory, struct sockaddr_un *address)
{
    static const char *const names[] = {"control-admin.sock", "control.sock"};
    for (int i = 0; i < 2; i++) {
        int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/%s", directory, names[i]);
        if (length < (int) sizeof address->sun_path && access(address->sun_path, W_OK) == 0)
            return true;
    }
    return false;
}

static bool send_line(int bridge, const char *question)
{
    char line[64];
    int length = snprintf(line, sizeof line, "%s\n", question);
    return length < (int) sizeof line && send(bridge, line, length, MSG_NOSIGNAL) == length;
}

/* Its size; -1 if there is none. */
static ssize_t receive_all(int bridge, char *answer)
{
    ssize_t size = 0, got;
    while ((got = recv(bridge, answer + size, ROOM - size, 0)) > 0)
        size += got;
    return got == 0 && size > 0 && size < ROOM ? size : -1;
}

static bool print(const char *text, ssize_t size)
{
    return fwrite(text, 1, size, stdout) == (size_t) size && fflush(stdout) == 0;
}

/* Whether this process is in that network namespace; before Linux 5.14 it has no number. */
static bool is_here(int any_socket, unsigned long long cookie)
{
    uint64_t here = 0;
    socklen_t length = sizeof here;
    getsockopt(any_socket, SOL_SOCKET, SO_NETNS_COOKIE, &here, &length);
    return here == cookie;
}

/* Reads digits and what stands behind them. With glibc's sscanf this would need a glibc of 2.38 or newer. */
static bool read_number(const char **text, char end, unsigned long long *value)
{
    const char *digit = *text;
    for (*value = 0; *digit >= '0' && *digit <= '9'; digit++)
        *value = 10 * *value + *digit - '0';
    bool is_read = digit > *text && *digit == end;
    *text = digit + is_read;
    return is_read;
}

/* The exit status that the answer asks for. */
static int print_status(int bridge, const char *answer, ssize_t size, bool is_text)
{
    unsigned long long status, since, cookie;
    const char *text = answer;
    if (!read_number(&text, ' ', &status) || !read_number(&text, ' ', &since) || !read_number(&text, '\n', &cookie)
            || geteuid() != 0 || !is_here(bridge, cookie))
        return NOT_ANSWERED;
    size -= text - answer;
    if (is_text) {
        const char *end = memchr(text, '\n', size);
        time_t time = since;
        struct tm parts;
        char shown[32];
        if (end == NULL || localtime_r(&time, &parts) == NULL)
            return NOT_ANSWERED;
        strftime(shown, sizeof shown, "%Y-%m-%d %H:%M:%S", &parts);
        if (!print(text, end - text) || !print(shown, strlen(shown)))
            return NOT_PRINTED;
        size -= end - text;
        text = end;
    }
    return print(text, size) ? status : NOT_PRINTED;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (argc != 3 || !address_of(argv[1], &address))
        return NOT_ANSWERED;
    int bridge = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *answer = malloc(ROOM);
    if (bridge < 0 || answer == NULL || setsockopt(bridge, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0
            || setsockopt(bridge, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0
            || connect(bridge, (struct sockaddr *) &address, sizeof address) != 0 || !send_line(bridge, argv[2]))
        return NOT_ANSWERED;
    ssize_t size = receive_all(bridge, answer);
    if (size < 0 || strncmp(answer, "errno ", size < 6 ? size : 6) == 0)
        return NOT_ANSWERED;
    answer[size] = '\0';
    if (strncmp(argv[2], "status", 6) == 0)
        return print_status(bridge, answer, size, strcmp(argv[2], "status text") == 0);
    return print(answer, size) ? EXIT_SUCCESS : NOT_PRINTED;
}
