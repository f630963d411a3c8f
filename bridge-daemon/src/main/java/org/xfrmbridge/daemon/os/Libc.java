package org.xfrmbridge.daemon.os;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.IgnoreError;

/**
 * The C library's calls, as C declares them. Public because generated code implements it; everybody else goes through
 * the classes of this package. {@code long} is C's {@code long} and {@code size_t}. Buffers are native memory: a
 * {@code byte[]} argument costs 110 ns more.
 */
public interface Libc {
    int open(String path, int flags, int mode);

    int close(int fd);

    int fcntl(int fd, int command, long argument);

    int ioctl(int fd, long request, Pointer argument);

    int flock(int fd, int operation);

    int poll(Pointer descriptors, long count, int timeoutMs);

    int epoll_create1(int flags);

    int epoll_ctl(int set, int operation, int fd, Pointer event);

    int socket(int domain, int type, int protocol);

    int bind(int fd, Pointer address, int addressBytes);

    int connect(int fd, Pointer address, int addressBytes);

    int listen(int fd, int backlog);

    int accept4(int fd, Pointer address, Pointer addressBytes, int flags);

    int getsockname(int fd, Pointer address, Pointer addressBytes);

    int getpeername(int fd, Pointer address, Pointer addressBytes);

    int getsockopt(int fd, int level, int name, Pointer value, Pointer valueBytes);

    int setsockopt(int fd, int level, int name, Pointer value, int valueBytes);

    long recv(int fd, Pointer buffer, long bytes, int flags);

    long recvmsg(int fd, Pointer message, int flags);

    int sendmmsg(int fd, Pointer messages, int count, int flags);

    long send(int fd, Pointer buffer, long bytes, int flags);

    long sendmsg(int fd, Pointer message, int flags);

    long write(int fd, Pointer buffer, long bytes);

    long read(int fd, Pointer buffer, long bytes);

    int eventfd(int initial, int flags);

    int if_nametoindex(String name);

    int chmod(String path, int mode);

    int geteuid();

    int unshare(int flags);

    /** Returns an error number; the group found is null if there is none. */
    int getgrnam_r(String name, Pointer group, Pointer strings, long stringsBytes, Pointer found);

    /** Returns the group before, whether it could be changed or not. */
    int setfsgid(int group);

    int prctl(int option, long second, long third, long fourth, long fifth);

    int setpriority(int which, int who, int nice);

    /** The handler is an address, or SIG_IGN; so is the one before, which is returned. */
    long signal(int signal, long handler);

    String strerror(int errno);

    /** Calls whose failure is nothing but nothing: no frame, a frame that is dropped, no event. */
    interface Fast {
        @IgnoreError
        int epoll_wait(int set, Pointer events, int most, int timeoutMs);

        @IgnoreError
        int recvmmsg(int fd, Pointer messages, int count, int flags, Pointer timeout);

        @IgnoreError
        int nanosleep(Pointer duration, Pointer left);

        @IgnoreError
        long read(int fd, Pointer buffer, long bytes);

        @IgnoreError
        long write(int fd, Pointer buffer, long bytes);
    }
}
