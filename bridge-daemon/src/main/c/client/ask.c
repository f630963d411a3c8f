/*
 * ask DIRECTORY QUESTION: prints what the bridge of that directory answers to a line on its control socket. The exit
 * status is 1, and nothing is printed, if none answers within two seconds or what it says is an error: then the caller
 * asks another way, which can say why.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Room for ten times the longest answer there is. */
enum { NOT_PRINTED = 4, ROOM = 1 << 20, PATIENCE_SECONDS = 2 };

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

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (argc != 3 || !address_of(argv[1], &address))
        return EXIT_FAILURE;
    int bridge = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *answer = malloc(ROOM);
    if (bridge < 0 || answer == NULL || setsockopt(bridge, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0
            || setsockopt(bridge, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0
            || connect(bridge, (struct sockaddr *) &address, sizeof address) != 0 || !send_line(bridge, argv[2]))
        return EXIT_FAILURE;
    ssize_t size = receive_all(bridge, answer);
    if (size < 0 || strncmp(answer, "errno ", size < 6 ? size : 6) == 0)
        return EXIT_FAILURE;
    return print(answer, size) ? EXIT_SUCCESS : NOT_PRINTED;
}
