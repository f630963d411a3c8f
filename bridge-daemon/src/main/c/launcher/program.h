/* What a program is, as far as it decides whether the preload library takes effect in it. */
#ifndef XFRM_BRIDGE_PROGRAM_H
#define XFRM_BRIDGE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

enum { REASON_ROOM = 512, PATH_ROOM = 4096 };

/*
 * Whether the library is loaded into the program in this file, and sees what it does; else `reason` says why not, as
 * the end of a sentence.
 */
bool program_takes_library(const char *path, char reason[REASON_ROOM]);

/* Where a command is, as a shell finds it, always with a slash; false if nowhere. */
bool program_find(const char *command, char path[PATH_ROOM]);

#endif
