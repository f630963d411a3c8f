"""Which way ESP takes, and in which pieces: on a host with two devices, "ways.py" sends one or two datagrams under each
of many policies. Way N has reqid N, the SPI 0x1000 + N, the destination 10.9.N.1 and the source port 4000 + N."""
import contextlib, socket, subprocess, time

HERE, HERE_TWO, PEER, PEER_TWO, ALL_OF = "192.0.2.1", "203.0.113.1", "192.0.2.2", "203.0.113.2", "192.0.2.5"
HERE6, HERE6_TWO, PEER6, PEER6_TWO = "2001:db8:1::1", "2001:db8:2::1", "2001:db8:1::2", "2001:db8:2::2"
SO_MARK, IP_MTU, MTU_DISCOVER, DO, DONT = 36, 14, 10, 2, 0
GCM = "aead rfc4106(gcm(aes)) 0x1111111111111111111111111111111111111111 128"
sends = []


def ip(line):
    subprocess.run(["ip"] + line.split(), check=True)


def far(number):
    return f"10.9.{number}.1"


def state(number, source, destination, mode="tunnel", rest="", algorithm=GCM, protocol="esp", spi=0):
    ip(f"xfrm state add src {source} dst {destination} proto {protocol} spi {hex(spi or 0x1000 + number)} "
       f"reqid {number} mode {mode} {algorithm} {rest}")


def policy(number, selector, source=None, destination=None, mode="tunnel"):
    ends = f"src {source} dst {destination} " if source else ""
    ip(f"xfrm policy add {selector} dir out tmpl {ends}proto esp reqid {number} mode {mode}")


def protect(number, selector, source, destination, mode="tunnel", rest=""):
    state(number, source, destination, mode, rest)
    policy(number, selector, *((source, destination) if mode == "tunnel" else ()), mode=mode)


def send(number, destination, source=None, mark=0, size=100, text=None, times=2, option=None):
    sends.append((number, destination, source, mark, size, text, times, option))


def to_anywhere():
    ip(f"address add {ALL_OF}/24 dev eth0")
    protect(1, f"src {ALL_OF} dst 0.0.0.0/0", HERE, "198.51.100.1")
    send(1, PEER, source=ALL_OF)
    send(1, "198.51.100.77", source=ALL_OF)


def by_the_second():
    protect(2, f"src 0.0.0.0/0 dst {far(2)}", HERE_TWO, PEER_TWO)
    send(2, far(2))


def by_mark():
    ip("rule add fwmark 7 lookup 100")
    ip(f"route add {far(3)} via {PEER_TWO} table 100")
    ip(f"route add unreachable {far(3)}")
    protect(3, f"src {HERE_TWO} dst {far(3)}", HERE_TWO, far(3), mode="transport")
    send(3, far(3), source=HERE_TWO, mark=7)


def by_mark6():
    ip("-6 rule add fwmark 7 lookup 100")
    ip(f"route add 2001:db8:9:4::1 via {PEER6_TWO} table 100")
    ip("route add unreachable 2001:db8:9:4::1")
    protect(4, f"src {HERE6_TWO} dst 2001:db8:9:4::1", HERE6_TWO, "2001:db8:9:4::1", mode="transport")
    send(4, "2001:db8:9:4::1", source=HERE6_TWO, mark=7)


def marked_policy():
    protect(5, f"src 0.0.0.0/0 dst {far(5)} mark 5", HERE, PEER, rest="mark 5")
    send(5, far(5), mark=5)
    send(5, far(5), mark=6)
    send(5, far(5), mark=0x105)


def masked_policy():
    protect(6, f"src 0.0.0.0/0 dst {far(6)} mark 0x60 mask 0xf0", HERE, PEER, rest="mark 0x60 mask 0xf0")
    send(6, far(6), mark=0x69)
    send(6, far(6), mark=0x79)


def marked_states():
    policy(7, f"src 0.0.0.0/0 dst {far(7)}", HERE, PEER)
    state(7, HERE, PEER, rest="mark 1")
    state(7, HERE, PEER, rest="mark 2", spi=0x1107)
    send(7, far(7), mark=1)
    send(7, far(7), mark=2)


def output_mark():
    ip(f"route add 198.51.100.8 via {PEER_TWO} table 100")
    protect(8, f"src 0.0.0.0/0 dst {far(8)}", HERE_TWO, "198.51.100.8", rest="output-mark 7")
    send(8, far(8))


def masked_output_mark():
    ip("rule add fwmark 0x95 lookup 101")
    ip(f"route add 198.51.100.9 via {PEER_TWO} table 101")
    protect(9, f"src 0.0.0.0/0 dst {far(9)}", HERE_TWO, "198.51.100.9", rest="output-mark 0x5 mask 0xf")
    send(9, far(9), mark=0x92)


def without_output_mark():
    ip(f"route add 198.51.100.10 via {PEER_TWO} table 100")
    protect(10, f"src {HERE} dst {far(10)}", HERE, "198.51.100.10")
    send(10, far(10), source=HERE, mark=7)


def device():
    ip(f"route add {far(11)} via {PEER_TWO}")
    protect(11, f"src 0.0.0.0/0 dst {far(11)} dev eth1", HERE_TWO, PEER_TWO)
    protect(12, f"src 0.0.0.0/0 dst {far(12)} dev eth1", HERE_TWO, PEER_TWO)
    send(11, far(11))
    send(12, far(12))


def both_devices():
    ip(f"route add {far(13)} via {PEER_TWO}")
    protect(13, f"src 0.0.0.0/0 dst {far(13)}", HERE, PEER)
    send(13, far(13))


def six():
    protect(14, f"src ::/0 dst {PEER6}", HERE6, PEER6, mode="transport")
    protect(15, "src ::/0 dst 2001:db8:9:15::1", HERE6_TWO, PEER6_TWO)
    protect(16, f"src 0.0.0.0/0 dst {far(16)}", HERE6_TWO, PEER6_TWO)
    for number, destination in (14, PEER6), (15, "2001:db8:9:15::1"), (16, far(16)):
        send(number, destination)
        send(number, destination, size=4000)


def narrow():
    protect(17, f"src 0.0.0.0/0 dst {far(17)}", HERE_TWO, PEER_TWO)
    send(17, far(17), size=1300, option=DONT)
    send(17, far(17), size=1400, option=DONT)
    send(17, far(17), size=4000, option=DONT)
    protect(18, f"src 0.0.0.0/0 dst {PEER}", HERE, PEER, mode="transport")
    send(18, PEER, size=4000, option=DONT)


def told():
    protect(19, f"src 0.0.0.0/0 dst {far(19)}", HERE_TWO, PEER_TWO)
    protect(20, f"src 0.0.0.0/0 dst {far(20)}", HERE, PEER)
    for number in 19, 20:
        send(number, far(number), size=1450, option=DO, text="path MTU")


def compressed():
    state(21, HERE6_TWO, PEER6_TWO, algorithm="comp deflate", protocol="comp")
    state(21, HERE6_TWO, PEER6_TWO, mode="transport")
    ends = f"src {HERE6_TWO} dst {PEER6_TWO}"
    ip(f"xfrm policy add src ::/0 dst 2001:db8:9:21::1 dir out tmpl {ends} proto comp reqid 21 mode tunnel "
       "tmpl proto esp reqid 21 mode transport")
    send(21, "2001:db8:9:21::1", size=10000)


def port():
    protect(22, f"src 0.0.0.0/0 dst {far(22)} proto udp dport 2222", HERE, PEER)
    send(22, far(22))


def deliver(number, destination, source, mark, size, text, times, option):
    six = ":" in destination
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if mark:
            sock.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_IP, MTU_DISCOVER, option)
        sock.bind((source or ("::" if six else "0.0.0.0"), 4000 + number))
        sock.connect((destination, 2222 if number == 22 else 2000))
        if text:
            return learn(sock, number, size, text)
        for _ in range(times):
            with contextlib.suppress(OSError):
                sock.send(bytes(size))


def learn(sock, number, size, text):
    """Datagrams that may not be divided, until the stack knows that they are too long."""
    before = sock.getsockopt(socket.IPPROTO_IP, IP_MTU)
    for _ in range(200):
        try:
            sock.send(bytes(size))
        except OSError as error:
            print(text, number, error.errno, sock.getsockopt(socket.IPPROTO_IP, IP_MTU), flush=True)
            return
        time.sleep(0.1)
    print(text, number, "never told", before, flush=True)


for prepare in (to_anywhere, by_the_second, by_mark, by_mark6, marked_policy, masked_policy, marked_states, output_mark,
                masked_output_mark, without_output_mark, device, both_devices, six, narrow, told, compressed, port):
    prepare()
for one in sends:
    deliver(*one)
print("sent", flush=True)
