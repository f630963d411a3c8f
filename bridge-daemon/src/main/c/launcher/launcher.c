/*
 * launcher LD_PRELOAD COMMAND [ARGUMENT ...]: runs a command with this LD_PRELOAD, unless it would run without the
 * library and speak to the kernel's IPsec, for which the caller would have no sign, or no bridge is there. The end of
 * exec.sh.
 */
#include "program.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REFUSED = 1, NOT_RUN = 126, NOT_FOUND = 127 };

/* Who was killed has left its sockets. Whatever else may be wrong with them the library says. */
static bool is_deserted(const char *directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/control.sock", directory);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool deserted = length < (int) sizeof address.sun_path && fd >= 0
            && connect(fd, (struct sockaddr *) &address, sizeof address) != 0 && errno == ECONNREFUSED;
    close(fd);
    return deserted;
}

int main(int argc, char **argv)
{
    const char *directory = getenv("XFRM_BRIDGE_DIR");
    char path[PATH_ROOM], reason[REASON_ROOM];
    if (argc < 3)
        return 2;
    if (!program_find(argv[2], path)) {
        fprintf(stderr, "xfrm-bridge: there is no command %s.\n", argv[2]);
        return NOT_FOUND;
    }
    if (!program_takes_library(path, reason)) {
        fprintf(stderr,
                "xfrm-bridge: %s: it would speak to the kernel's IPsec and not to the bridge; "
                "exec --force runs it all the same.\n",
                reason);
        return REFUSED;
    }
    if (directory != NULL && is_deserted(directory)) {
        fprintf(stderr, "xfrm-bridge: the bridge in %s has ended: start it again with \"xfrm-bridge run --dir %s\".\n",
                directory, directory);
        return REFUSED;
    }
    setenv("LD_PRELOAD", argv[1], 1);
    execvp(path, argv + 2); /* what was looked at: with a slash in it, nothing is searched for */
    int error = errno;
    fprintf(stderr, "xfrm-bridge: %s can't be run: %s.\n", argv[2], strerror(error));
    return error == ENOENT ? NOT_FOUND : NOT_RUN;
}
