/*
 * The release that uname() tells. Daemons ask nothing else to learn what NETLINK_XFRM can do: strongSwan uses LASTUSED
 * from 6.2 on and directions of SAs from 6.10 on, libreswan likewise. XFRM_BRIDGE_KERNEL_LEVEL names the release they
 * shall see; the bridge serves every level alike.
 */
#include "real.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

INTERPOSE(int, uname, (struct utsname *name))
{
    int result = (int) syscall(SYS_uname, name);
    const char *level = getenv("XFRM_BRIDGE_KERNEL_LEVEL");
    if (result == 0 && level != NULL && *level != '\0' && strlen(level) < sizeof name->release)
        strcpy(name->release, level);
    return result;
}
