package org.xfrmbridge.daemon.os;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Type;
import java.lang.ref.Reference;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * The C library's calls, as C declares them, by jffi: the part of jnr that calls. The other part writes a class for all
 * of them whenever a program starts, which took as long as everything else until a bridge was ready. {@code long} is
 * C's {@code long}, {@code size_t} and every pointer, 0 for none. Whatever a pointer is to is native memory.
 */
final class Libc {
    private static final Library LIBRARY = Library.getDefault();
    private static final Invoker INVOKER = Invoker.getInstance();
    private static final int MOST_ARGUMENTS = 6;

    /** By number of arguments. The kernel's interface is one of words: of an int the lower half counts. */
    private static final CallContext[] WITH_ERRNO = contexts(true);

    private static final CallContext[] WITHOUT_ERRNO = contexts(false);

    private static final long OPEN = LIBRARY.getSymbolAddress("open");
    private static final long CLOSE = LIBRARY.getSymbolAddress("close");
    private static final long FCNTL = LIBRARY.getSymbolAddress("fcntl");
    private static final long IOCTL = LIBRARY.getSymbolAddress("ioctl");
    private static final long FLOCK = LIBRARY.getSymbolAddress("flock");
    private static final long POLL = LIBRARY.getSymbolAddress("poll");
    private static final long EPOLL_CREATE1 = LIBRARY.getSymbolAddress("epoll_create1");
    private static final long EPOLL_CTL = LIBRARY.getSymbolAddress("epoll_ctl");
    private static final long SOCKET = LIBRARY.getSymbolAddress("socket");
    private static final long BIND = LIBRARY.getSymbolAddress("bind");
    private static final long CONNECT = LIBRARY.getSymbolAddress("connect");
    private static final long LISTEN = LIBRARY.getSymbolAddress("listen");
    private static final long ACCEPT4 = LIBRARY.getSymbolAddress("accept4");
    private static final long GETSOCKNAME = LIBRARY.getSymbolAddress("getsockname");
    private static final long GETPEERNAME = LIBRARY.getSymbolAddress("getpeername");
    private static final long GETSOCKOPT = LIBRARY.getSymbolAddress("getsockopt");
    private static final long SETSOCKOPT = LIBRARY.getSymbolAddress("setsockopt");
    private static final long RECV = LIBRARY.getSymbolAddress("recv");
    private static final long RECVMSG = LIBRARY.getSymbolAddress("recvmsg");
    private static final long SENDMMSG = LIBRARY.getSymbolAddress("sendmmsg");
    private static final long SEND = LIBRARY.getSymbolAddress("send");
    private static final long SENDMSG = LIBRARY.getSymbolAddress("sendmsg");
    private static final long WRITE = LIBRARY.getSymbolAddress("write");
    private static final long READ = LIBRARY.getSymbolAddress("read");
    private static final long MMAP = LIBRARY.getSymbolAddress("mmap");
    private static final long MUNMAP = LIBRARY.getSymbolAddress("munmap");
    private static final long EVENTFD = LIBRARY.getSymbolAddress("eventfd");
    private static final long IF_NAMETOINDEX = LIBRARY.getSymbolAddress("if_nametoindex");
    private static final long CHMOD = LIBRARY.getSymbolAddress("chmod");
    private static final long GETEUID = LIBRARY.getSymbolAddress("geteuid");
    private static final long UNSHARE = LIBRARY.getSymbolAddress("unshare");
    private static final long GETGRNAM_R = LIBRARY.getSymbolAddress("getgrnam_r");
    private static final long SETFSGID = LIBRARY.getSymbolAddress("setfsgid");
    private static final long PRCTL = LIBRARY.getSymbolAddress("prctl");
    private static final long SETPRIORITY = LIBRARY.getSymbolAddress("setpriority");
    private static final long SIGNAL = LIBRARY.getSymbolAddress("signal");
    private static final long EPOLL_WAIT = LIBRARY.getSymbolAddress("epoll_wait");
    private static final long RECVMMSG = LIBRARY.getSymbolAddress("recvmmsg");
    private static final long NANOSLEEP = LIBRARY.getSymbolAddress("nanosleep");
    private static final long STRERROR = LIBRARY.getSymbolAddress("strerror");

    private static CallContext[] contexts(boolean saveErrno) {
        return IntStream.rangeClosed(0, MOST_ARGUMENTS)
                .mapToObj(arguments -> {
                    Type[] words = new Type[arguments];
                    Arrays.fill(words, Type.SINT64);
                    return CallContext.getCallContext(Type.SINT64, words, CallingConvention.DEFAULT, saveErrno);
                })
                .toArray(CallContext[]::new);
    }

    int open(String path, int flags, int mode) {
        Memory text = Memory.ofString(path);
        try {
            return (int) INVOKER.invokeN3(WITH_ERRNO[3], OPEN, text.pointer, flags, mode);
        } finally {
            Reference.reachabilityFence(text);
        }
    }

    int close(int fd) {
        return (int) INVOKER.invokeN1(WITH_ERRNO[1], CLOSE, fd);
    }

    int fcntl(int fd, int command, long argument) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], FCNTL, fd, command, argument);
    }

    int ioctl(int fd, long request, long argument) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], IOCTL, fd, request, argument);
    }

    int flock(int fd, int operation) {
        return (int) INVOKER.invokeN2(WITH_ERRNO[2], FLOCK, fd, operation);
    }

    int poll(long descriptors, long count, int timeoutMs) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], POLL, descriptors, count, timeoutMs);
    }

    int epoll_create1(int flags) {
        return (int) INVOKER.invokeN1(WITH_ERRNO[1], EPOLL_CREATE1, flags);
    }

    int epoll_ctl(int set, int operation, int fd, long event) {
        return (int) INVOKER.invokeN4(WITH_ERRNO[4], EPOLL_CTL, set, operation, fd, event);
    }

    int socket(int domain, int type, int protocol) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], SOCKET, domain, type, protocol);
    }

    int bind(int fd, long address, int addressBytes) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], BIND, fd, address, addressBytes);
    }

    int connect(int fd, long address, int addressBytes) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], CONNECT, fd, address, addressBytes);
    }

    int listen(int fd, int backlog) {
        return (int) INVOKER.invokeN2(WITH_ERRNO[2], LISTEN, fd, backlog);
    }

    int accept4(int fd, long address, long addressBytes, int flags) {
        return (int) INVOKER.invokeN4(WITH_ERRNO[4], ACCEPT4, fd, address, addressBytes, flags);
    }

    int getsockname(int fd, long address, long addressBytes) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], GETSOCKNAME, fd, address, addressBytes);
    }

    int getpeername(int fd, long address, long addressBytes) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], GETPEERNAME, fd, address, addressBytes);
    }

    int getsockopt(int fd, int level, int name, long value, long valueBytes) {
        return (int) INVOKER.invokeN5(WITH_ERRNO[5], GETSOCKOPT, fd, level, name, value, valueBytes);
    }

    int setsockopt(int fd, int level, int name, long value, int valueBytes) {
        return (int) INVOKER.invokeN5(WITH_ERRNO[5], SETSOCKOPT, fd, level, name, value, valueBytes);
    }

    long recv(int fd, long buffer, long bytes, int flags) {
        return INVOKER.invokeN4(WITH_ERRNO[4], RECV, fd, buffer, bytes, flags);
    }

    long recvmsg(int fd, long message, int flags) {
        return INVOKER.invokeN3(WITH_ERRNO[3], RECVMSG, fd, message, flags);
    }

    int sendmmsg(int fd, long messages, int count, int flags) {
        return (int) INVOKER.invokeN4(WITH_ERRNO[4], SENDMMSG, fd, messages, count, flags);
    }

    long send(int fd, long buffer, long bytes, int flags) {
        return INVOKER.invokeN4(WITH_ERRNO[4], SEND, fd, buffer, bytes, flags);
    }

    long sendmsg(int fd, long message, int flags) {
        return INVOKER.invokeN3(WITH_ERRNO[3], SENDMSG, fd, message, flags);
    }

    long write(int fd, long buffer, long bytes) {
        return INVOKER.invokeN3(WITH_ERRNO[3], WRITE, fd, buffer, bytes);
    }

    long read(int fd, long buffer, long bytes) {
        return INVOKER.invokeN3(WITH_ERRNO[3], READ, fd, buffer, bytes);
    }

    long mmap(long address, long bytes, int protection, int flags, int fd, long offset) {
        return INVOKER.invokeN6(WITH_ERRNO[6], MMAP, address, bytes, protection, flags, fd, offset);
    }

    int munmap(long address, long bytes) {
        return (int) INVOKER.invokeN2(WITH_ERRNO[2], MUNMAP, address, bytes);
    }

    int eventfd(int initial, int flags) {
        return (int) INVOKER.invokeN2(WITH_ERRNO[2], EVENTFD, initial, flags);
    }

    int if_nametoindex(String name) {
        Memory text = Memory.ofString(name);
        try {
            return (int) INVOKER.invokeN1(WITH_ERRNO[1], IF_NAMETOINDEX, text.pointer);
        } finally {
            Reference.reachabilityFence(text);
        }
    }

    int chmod(String path, int mode) {
        Memory text = Memory.ofString(path);
        try {
            return (int) INVOKER.invokeN2(WITH_ERRNO[2], CHMOD, text.pointer, mode);
        } finally {
            Reference.reachabilityFence(text);
        }
    }

    int geteuid() {
        return (int) INVOKER.invokeN0(WITH_ERRNO[0], GETEUID);
    }

    int unshare(int flags) {
        return (int) INVOKER.invokeN1(WITH_ERRNO[1], UNSHARE, flags);
    }

    /** Returns an error number; the group found is null if there is none. */
    int getgrnam_r(String name, long group, long strings, long stringsBytes, long found) {
        Memory text = Memory.ofString(name);
        try {
            return (int) INVOKER.invokeN5(WITH_ERRNO[5], GETGRNAM_R, text.pointer, group, strings, stringsBytes, found);
        } finally {
            Reference.reachabilityFence(text);
        }
    }

    /** Returns the group before, whether it could be changed or not. */
    int setfsgid(int group) {
        return (int) INVOKER.invokeN1(WITH_ERRNO[1], SETFSGID, group);
    }

    int prctl(int option, long second, long third, long fourth, long fifth) {
        return (int) INVOKER.invokeN5(WITH_ERRNO[5], PRCTL, option, second, third, fourth, fifth);
    }

    int setpriority(int which, int who, int nice) {
        return (int) INVOKER.invokeN3(WITH_ERRNO[3], SETPRIORITY, which, who, nice);
    }

    /** The handler is an address, or SIG_IGN; so is the one before, which is returned. */
    long signal(int signal, long handler) {
        return INVOKER.invokeN2(WITH_ERRNO[2], SIGNAL, signal, handler);
    }

    String strerror(int errno) {
        long text = INVOKER.invokeN1(WITHOUT_ERRNO[1], STRERROR, errno);
        return new String(MemoryIO.getInstance().getZeroTerminatedByteArray(text), Charset.defaultCharset());
    }

    /** Calls whose failure is nothing but nothing: no frame, a frame that is dropped, no event. */
    static final class Fast {
        int epoll_wait(int set, long events, int most, int timeoutMs) {
            return (int) INVOKER.invokeN4(WITHOUT_ERRNO[4], EPOLL_WAIT, set, events, most, timeoutMs);
        }

        int recvmmsg(int fd, long messages, int count, int flags, long timeout) {
            return (int) INVOKER.invokeN5(WITHOUT_ERRNO[5], RECVMMSG, fd, messages, count, flags, timeout);
        }

        int nanosleep(long duration, long left) {
            return (int) INVOKER.invokeN2(WITHOUT_ERRNO[2], NANOSLEEP, duration, left);
        }

        long read(int fd, long buffer, long bytes) {
            return INVOKER.invokeN3(WITHOUT_ERRNO[3], READ, fd, buffer, bytes);
        }

        long write(int fd, long buffer, long bytes) {
            return INVOKER.invokeN3(WITHOUT_ERRNO[3], WRITE, fd, buffer, bytes);
        }
    }
}
