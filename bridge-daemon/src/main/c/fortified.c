/*
 * What programs call that were compiled with _FORTIFY_SOURCE, with the size of their buffer; glibc only. Those of
 * open() are in procfs.c.
 */
#include "real.h"

#include <stdlib.h>

/* Defined in receive.c. */
ssize_t preload_read(int fd, void *data, size_t room) __asm__("read");
ssize_t preload_recv(int fd, void *data, size_t room, int flags) __asm__("recv");
ssize_t preload_recvfrom(
        int fd, void *data, size_t room, int flags, struct sockaddr *from, socklen_t *from_length) __asm__("recvfrom");

extern void __chk_fail(void) __attribute__((weak, noreturn));

static void check_room(size_t wanted, size_t room)
{
    if (wanted <= room)
        return;
    if (__chk_fail != NULL)
        __chk_fail();
    abort();
}

INTERPOSE(ssize_t, __read_chk, (int fd, void *data, size_t wanted, size_t room))
{
    check_room(wanted, room);
    return preload_read(fd, data, wanted);
}

INTERPOSE(ssize_t, __recv_chk, (int fd, void *data, size_t wanted, size_t room, int flags))
{
    check_room(wanted, room);
    return preload_recv(fd, data, wanted, flags);
}

INTERPOSE(ssize_t, __recvfrom_chk,
        (int fd, void *data, size_t wanted, size_t room, int flags, struct sockaddr *from, socklen_t *from_length))
{
    check_room(wanted, room);
    return preload_recvfrom(fd, data, wanted, flags, from, from_length);
}
