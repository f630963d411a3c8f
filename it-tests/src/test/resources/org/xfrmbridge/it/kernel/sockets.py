"""What sockets with policies send: "sockets.py all" on one host, "sockets.py peer" on the other, and
"sockets.py wire DEVICE" between them."""
import os, select, socket, struct, subprocess, sys, time

HERE, OTHER, PEER, PEER6 = "192.0.2.2", "192.0.2.12", "192.0.2.1", "2001:db8:7::1"
CALL, MARK = 7777, 7778
IP_XFRM_POLICY, IPV6_XFRM_POLICY, SO_REUSEPORT = 17, 35, 15
INFINITE = struct.pack("=4Q", *[2**64 - 1] * 4)


def policy(family, direction):
    """struct xfrm_userpolicy_info and one xfrm_user_tmpl: ESP in transport mode, of reqid 5."""
    selector = struct.pack("=32x4HHBBB3xiI", 0, 0, 0, 0, family, 0, 0, 0, 0, 0)
    info = selector + INFINITE + bytes(64) + struct.pack("=IIBBBB4x", 0, 0, direction, 0, 0, 0)
    return info + struct.pack("=16xIB3xH2x16xIBBBx3I", 0, 50, family, 5, 0, 0, 0, *[2**32 - 1] * 3)


def protect(sock, family=None, direction=1):
    six = sock.family == socket.AF_INET6
    sock.setsockopt(41 if six else 0, IPV6_XFRM_POLICY if six else IP_XFRM_POLICY,
            policy(family or sock.family, direction))


def udp(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_DGRAM)


def protected(family=socket.AF_INET):
    sock = udp(family)
    protect(sock)
    return sock


def to(sock, port=53):
    sock.sendto(b"hello", (PEER, port))


def unbound(): to(protected())
def message(): protected().sendmsg([b"hello"], [], 0, (PEER, 53))


def connected():
    sock = protected()
    sock.connect((PEER, 53))
    sock.send(b"hello")


def connected_elsewhere():
    sock = protected()
    sock.connect((PEER, 53))
    to(sock, 54)


def dissolved():
    """connect(AF_UNSPEC) takes the port that the kernel chose."""
    import ctypes
    sock = protected()
    sock.connect((PEER, 53))
    assert ctypes.CDLL(None).connect(sock.fileno(), bytes(16), 16) == 0
    to(sock)


def bound():
    sock = protected()
    sock.bind((HERE, 0))
    to(sock)


def bound_before():
    sock = udp()
    sock.bind(("0.0.0.0", 0))
    protect(sock)
    to(sock)


def after_traffic():
    sock = udp()
    sock.sendto(b"", ("127.0.0.1", 9))
    protect(sock)
    to(sock)


def cleared():
    sock = protected()
    sock.bind((HERE, 0))
    sock.setsockopt(0, IP_XFRM_POLICY, None, 0)
    to(sock)


def mapped():
    """A dual-stack socket has policies of either family."""
    sock = udp(socket.AF_INET6)
    protect(sock, socket.AF_INET)
    sock.sendto(b"hello", ("::ffff:" + PEER, 53))


def mapped_connected():
    sock = udp(socket.AF_INET6)
    sock.connect(("::ffff:" + PEER, 53))
    protect(sock, socket.AF_INET)
    sock.send(b"hello")


def mapped_bound():
    sock = udp(socket.AF_INET6)
    sock.bind(("::ffff:" + HERE, 0))
    protect(sock, socket.AF_INET)
    sock.sendto(b"hello", ("::ffff:" + PEER, 53))


def mapped_of_ipv6():
    protected(socket.AF_INET6).sendto(b"hello", ("::ffff:" + PEER, 53))


def six(): protected(socket.AF_INET6).sendto(b"hello", (PEER6, 53))


def other_source():
    sock = protected()
    sock.bind((HERE, 0))
    info = struct.pack("=i4s4s", 0, socket.inet_aton(OTHER), bytes(4))
    sock.sendmsg([b"hello"], [(0, 8, info)], 0, (PEER, 53))


def raw_icmp():
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
    protect(sock)
    sock.sendto(struct.pack(">BBHHH", 8, 0, 0xf7fe, 0, 1), (PEER, 0))


def raw_udp():
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 17)
    protect(sock)
    sock.sendto(struct.pack(">HHHH", 4000, 53, 8, 0), (PEER, 0))


def copy():
    sock = protected()
    other = os.dup(sock.fileno())
    sock.close()
    to(socket.socket(fileno=other))


def child():
    sock = protected()
    if os.fork() == 0:
        time.sleep(0.5)
        to(sock)
        os._exit(0)
    sock.close()
    os.wait()


def orphan():
    """The parent has ended before the child sends."""
    sock = protected()
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.5)
            to(sock)
        os._exit(0)
    os.wait()


PLAIN = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def executed():
    """Another program has the socket, and no library."""
    sock = protected()
    sock.set_inheritable(True)
    program = "import socket; socket.socket(fileno=%d).sendto(b'hello', ('%s', 53))" % (sock.fileno(), PEER)
    subprocess.run([sys.executable, "-c", program], env=PLAIN, close_fds=False, check=True)


def executed_and_left():
    sock = protected()
    sock.set_inheritable(True)
    program = """import socket, time
time.sleep(1)
socket.socket(fileno=%d).sendto(b'hello', ('%s', 53))
time.sleep(0.5)""" % (sock.fileno(), PEER)
    with subprocess.Popen([sys.executable, "-c", program], env=PLAIN, close_fds=False):
        sock.close()


def passed():
    sock = protected()
    ours, theirs = socket.socketpair()
    theirs.set_inheritable(True)
    program = ("import socket; fd = socket.recv_fds(socket.socket(fileno=%d), 9, 1)[1][0]\n"
               "socket.socket(fileno=fd).sendto(b'hello', ('%s', 53))") % (theirs.fileno(), PEER)
    with subprocess.Popen([sys.executable, "-c", program], env=PLAIN, close_fds=False):
        socket.send_fds(ours, [b"x"], [sock.fileno()])
        sock.close()


def stream(prepare=lambda sock: None):
    sock = socket.socket()
    protect(sock)
    prepare(sock)
    sock.connect((PEER, 7000))
    return sock


def tcp_closed():
    """Nearly all of it is sent after close()."""
    sock = stream(lambda sock: sock.setsockopt(1, 7, 1000000))
    sock.setblocking(False)
    try:
        while True:
            sock.send(bytes(65536))
    except BlockingIOError:
        pass
    sock.close()
    time.sleep(3)


def tcp_reset():
    sock = stream(lambda sock: sock.setsockopt(1, 13, struct.pack("ii", 1, 0)))
    sock.send(b"hello")
    sock.close()


def tcp_late():
    sock = stream(lambda sock: sock.setsockopt(0, 24, 1))
    sock.send(b"hello")
    time.sleep(0.5)


def accepted():
    """What was accepted inherits; the listening socket is closed, and the other end speaks."""
    listening = socket.socket()
    protect(listening)
    listening.bind((HERE, 7001))
    listening.listen()
    ask = udp()
    ask.sendto(b"call", (PEER, CALL))
    sock, _ = listening.accept()
    listening.close()
    time.sleep(2.5)
    sock.sendall(b"hello" * 1000)
    sock.close()
    time.sleep(1)


def refused():
    """A connection that fails takes the port; the next one gets another."""
    sock = socket.socket()
    protect(sock)
    try:
        sock.connect((PEER, 7009))
    except ConnectionRefusedError:
        pass
    sock.connect((PEER, 7000))


def peer():
    """Takes connections and reads; connects when it is told to."""
    server = socket.create_server((PEER, 7000))
    told = udp()
    told.bind((PEER, CALL))
    open_ones = []
    print("ready", flush=True)
    while True:
        for sock in select.select([server, told] + open_ones, [], [])[0]:
            if sock is server:
                open_ones.append(server.accept()[0])
            elif sock is told:
                open_ones.append(socket.create_connection((told.recvfrom(9)[1][0], 7001)))
            else:
                try:
                    more = sock.recv(65536)
                except ConnectionResetError:
                    more = b""
                if not more:
                    sock.close()
                    open_ones.remove(sock)


def kind(packet):
    """ESP, or what is in the clear; None for what is not a case's."""
    kinds = {50: "esp", 1: "icmp", 6: "tcp", 17: "udp"}
    six = packet[0] >> 4 == 6
    protocol = packet[6] if six else packet[9]
    source = socket.inet_ntop(10, packet[8:24]) if six else socket.inet_ntoa(packet[12:16])
    call = not six and protocol == 17 and packet[22:24] == struct.pack(">H", CALL)
    return None if source in (PEER, PEER6) or call or answers_for_nobody(packet) else kinds.get(protocol)


def answers_for_nobody(packet):
    """A RST without ACK: a kernel has no socket when it sends this, and so no policy; a socket's own RST has ACK."""
    return packet[0] == 0x45 and packet[9] == 6 and packet[33] & 0x14 == 0x04


def marked(packet):
    """The name of the case that has ended."""
    mark = packet[0] >> 4 == 4 and packet[9] == 17 and packet[22:24] == struct.pack(">H", MARK)
    return packet[28:].decode() if mark else None


def wire(device):
    """Tells what left in each case."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    sock.setsockopt(1, 33, 8000000)
    sock.bind((device, 0))
    print("ready", flush=True)
    seen = set()
    while True:
        packet, address = sock.recvfrom(65536)
        if address[1] not in (0x800, 0x86dd):
            continue
        name = marked(packet)
        if name is None:
            seen.add(kind(packet))
        else:
            print("%s: %s" % (name, " ".join(sorted(filter(None, seen))) or "nothing"), flush=True)
            seen.clear()


CASES = [unbound, message, connected, connected_elsewhere, dissolved, bound, bound_before, after_traffic, cleared,
        mapped, mapped_connected,
         mapped_bound, mapped_of_ipv6, six, other_source, raw_icmp, raw_udp, copy, child, orphan, executed,
         executed_and_left, passed,
         tcp_closed, tcp_reset, tcp_late, accepted, refused]



def every_case():
    with udp() as mark:
        mark.sendto(b"start", (PEER, MARK))
        time.sleep(1)
        for case in CASES:
            subprocess.run([sys.executable, __file__, "case", case.__name__], check=True)
            time.sleep(1.5 if case is orphan else 0.3)
            mark.sendto(case.__name__.encode(), (PEER, MARK))
        mark.sendto(b"end", (PEER, MARK))


def late(go):
    """Several sockets with policies; they send when the file exists."""
    sock, listening, ask = protected(), socket.socket(), udp()
    sock.bind((HERE, 0))
    protect(listening)
    listening.bind((HERE, 7001))
    listening.listen()
    ask.sendto(b"call", (PEER, CALL))
    child, _ = listening.accept()
    listening.close()
    unused = protected()
    ask.sendto(b"start", (PEER, MARK))
    print("protected", flush=True)
    while not os.path.exists(go):
        time.sleep(0.1)
    for either in sock, unused:
        to(either)
    child.sendall(b"hello")
    time.sleep(0.5)
    ask.sendto(b"late", (PEER, MARK))
    ask.sendto(b"end", (PEER, MARK))


def one_case(name):
    next(case for case in CASES if case.__name__ == name)()
    time.sleep(0.2)


if __name__ == "__main__":
    {"all": every_case, "case": one_case, "late": late, "peer": peer, "wire": wire}[sys.argv[1]](*sys.argv[2:])
