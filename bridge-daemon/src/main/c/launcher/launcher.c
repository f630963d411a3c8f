/*
 * launcher LD_PRELOAD COMMAND [ARGUMENT ...]: runs a command with this LD_PRELOAD, unless it would run without the
 * library and speak to the kernel's IPsec, for which the caller would have no sign. The end of exec.sh.
 */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REFUSED = 1, NOT_RUN = 126, NOT_FOUND = 127 };

int main(int argc, char **argv)
{
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
    setenv("LD_PRELOAD", argv[1], 1);
    execvp(path, argv + 2); /* what was looked at: with a slash in it, nothing is searched for */
    int error = errno;
    fprintf(stderr, "xfrm-bridge: %s can't be run: %s.\n", argv[2], strerror(error));
    return error == ENOENT ? NOT_FOUND : NOT_RUN;
}
