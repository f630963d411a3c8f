"""lacking.py WHAT COMMAND ...: runs a command on a kernel that lacks something.

netfilter    NETLINK_NETFILTER sockets are refused.
nf_tables    There is netfilter, but no nftables.
rules        There is no policy routing (CONFIG_IP_MULTIPLE_TABLES).
rules-ipv6   There is for IPv4 alone (CONFIG_IPV6_MULTIPLE_TABLES).
tc           There are no filters of tc (CONFIG_NET_SCHED).

seccomp stops the command at socket() and sendto(). What it asks of the missing part becomes a question of a number that
no part has, so it is the kernel that answers.
"""
import ctypes, errno, fcntl, os, platform, select, socket, struct, sys

SOCKET, SENDTO, SECCOMP = {"x86_64": (41, 44, 317), "aarch64": (198, 206, 277)}[platform.machine()]
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06
ALLOW, NOTIFY = 0x7FFF0000, 0x7FC00000
PR_SET_NO_NEW_PRIVS, SECCOMP_SET_MODE_FILTER, NEW_LISTENER = 38, 1, 8
NOTIFICATION, ANSWER = struct.Struct("QII iIQ6Q"), struct.Struct("QqiI")
RECEIVE, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1

AF_NETLINK, AF_INET6, NETLINK_NETFILTER = 16, 10, 12
HEADER = struct.Struct("IHHII")
BATCH_BEGIN, NF_TABLES, NO_SUBSYSTEM, NO_SUCH_SUBSYSTEM = 16, 10, 0, 13
RULES, FILTERS = range(32, 35), range(36, 47)
NO_SUCH_RULES, NO_SUCH_FAMILY, NO_SUCH_FILTERS = 20, 28, 200

what, command = sys.argv[1], sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)


def stopped():
    """In the command's process: the descriptor at which its system calls are answered."""
    steps = [
        (LOAD, 0, 0, 0), (EQUALS, 1, 0, SOCKET), (EQUALS, 0, 1, SENDTO),
        (RETURN, 0, 0, NOTIFY), (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        sys.exit("no_new_privs: " + os.strerror(ctypes.get_errno()))
    listener = libc.syscall(SECCOMP, SECCOMP_SET_MODE_FILTER, NEW_LISTENER, program)
    if listener < 0:
        sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
    return listener


def changed(message):
    """The message that asks for what is nowhere, or None."""
    length, kind, *rest = HEADER.unpack_from(message)
    body = HEADER.size
    if what == "nf_tables" and kind == BATCH_BEGIN and message[body + 2:body + 4] == bytes([0, NF_TABLES]):
        message[body + 3] = NO_SUBSYSTEM
    elif what == "nf_tables" and kind >> 8 == NF_TABLES:
        HEADER.pack_into(message, 0, length, NO_SUCH_SUBSYSTEM << 8 | kind & 255, *rest)
    elif what == "rules" and kind in RULES:
        HEADER.pack_into(message, 0, length, kind + NO_SUCH_RULES, *rest)
    elif what == "tc" and kind in FILTERS:
        HEADER.pack_into(message, 0, length, kind + NO_SUCH_FILTERS, *rest)
    elif what == "rules-ipv6" and kind in RULES and message[body] == AF_INET6:
        message[body] = NO_SUCH_FAMILY
    else:
        return None
    return message


def refused(pid, call, arguments):
    """The error of a system call, or 0 to go on with it."""
    if call == SOCKET:
        is_netfilter = arguments[0] == AF_NETLINK and arguments[2] == NETLINK_NETFILTER
        return errno.EPROTONOSUPPORT if what == "netfilter" and is_netfilter else 0
    _, address, length, *_ = arguments
    if length > HEADER.size:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        message = changed(bytearray(os.pread(memory, length, address)))
        if message:
            os.pwrite(memory, message, address)
        os.close(memory)
    return 0


def answer(listener):
    notification = bytearray(NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, RECEIVE, notification)
        number, pid, _, call, _, _, *arguments = NOTIFICATION.unpack(notification)
        error = refused(pid, call, arguments)
        fcntl.ioctl(listener, SEND, ANSWER.pack(number, 0, -error, 0 if error else CONTINUE))
    except FileNotFoundError:
        pass  # it was killed meanwhile


ours, theirs = socket.socketpair()
child = os.fork()
if child == 0:
    ours.close()
    socket.send_fds(theirs, [b"."], [stopped()])
    theirs.close()
    os.execvp(command[0], command)
theirs.close()
_, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
events = select.poll()
for listener in descriptors:
    events.register(listener, select.POLLIN)
    while not any(event & select.POLLHUP for _, event in events.poll()):
        answer(listener)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
