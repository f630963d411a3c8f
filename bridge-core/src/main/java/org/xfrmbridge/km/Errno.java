package org.xfrmbridge.km;

/**
 * The errno values that XFRM requests are answered with; numbers as on Linux for x86-64 and arm64
 * (asm-generic/errno.h).
 */
public enum Errno {
    EPERM(1),
    ENOENT(2),
    ESRCH(3),
    EINTR(4),
    E2BIG(7),
    EAGAIN(11),
    ENOMEM(12),
    EBUSY(16),
    EEXIST(17),
    EINVAL(22),
    ENOSPC(28),
    ERANGE(34),
    ENOSYS(38),
    ELOOP(40),
    ENODATA(61),
    EMSGSIZE(90),
    ENOPROTOOPT(92),
    EPROTONOSUPPORT(93),
    EOPNOTSUPP(95),
    EAFNOSUPPORT(97),
    EADDRINUSE(98),
    ENOBUFS(105);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
