"""Which packets policies take: "choices.py PEER CLIENT", two namespaces, on a host between them. Each trial sends two
datagrams, a miss and a hit of all caches, and says how many arrived and what was counted for the others."""
import contextlib, ctypes, os, socket, subprocess, sys, time

HERE, HERE_TWO, HERE_LAN = "192.0.2.1", "203.0.113.1", "10.1.0.100"
PEER, PEER_TWO, FAR, CLIENT = "192.0.2.2", "203.0.113.2", "10.9.0.1", "10.1.0.1"
HERE6, PEER6, FAR6, CLIENT6 = "2001:db8:1::1", "2001:db8:1::2", "2001:db8:9::1", "2001:db8:3::1"
SO_MARK, SO_BINDTODEVICE, LIMIT_S = 36, 25, 20
LIBC = ctypes.CDLL(None, use_errno=True)
HOST = os.open("/proc/self/ns/net", os.O_RDONLY)
NAMESPACES = {"host": HOST} | {
    role: os.open("/run/netns/" + name, os.O_RDONLY) for role, name in zip(("peer", "client"), sys.argv[1:])}
port = 30000


def run(line):
    subprocess.run(line.split(), check=True)


def policy(text):
    run("ip xfrm policy " + text)


def rules(*lines):
    text = "table inet marks\ndelete table inet marks\n"
    if lines:
        text += ("table inet marks {\nchain out { type route hook output priority mangle;\n" + "\n".join(lines)
                 + "\n}\nchain pre { type filter hook prerouting priority mangle;\n" + "\n".join(lines) + "\n}\n}\n")
    subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True)


@contextlib.contextmanager
def place(role):
    assert LIBC.setns(NAMESPACES[role], 0) == 0
    try:
        yield
    finally:
        assert LIBC.setns(HOST, 0) == 0


def udp(role, family=socket.AF_INET):
    with place(role):
        return socket.socket(family, socket.SOCK_DGRAM)


def counters():
    with open("/proc/net/xfrm_stat") as file:
        return {name: int(value) for name, value in (line.split() for line in file)}


def moved(before):
    return {name: value - before[name] for name, value in counters().items() if value != before[name]}


def trial(text, sender, receiver, destination, source=None, mark=0, device=None, size=100, counted=True):
    global port
    port += 1
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    here, there = udp(sender, family), udp(receiver, family)
    there.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    there.setblocking(False)
    if source:
        here.bind((source, 0))
    if mark:
        here.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
    if device:
        here.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode())
    before, arrived, limit = counters(), 0, time.monotonic() + LIMIT_S
    for _ in range(2):
        with contextlib.suppress(OSError):
            here.sendto(bytes(size), (destination, port))
    if not counted:
        time.sleep(0.5)
        print(text, port, flush=True)
        return
    while arrived + sum(moved(before).values()) < 2 and time.monotonic() < limit:
        with contextlib.suppress(BlockingIOError):
            there.recv(65536)
            arrived += 1
            continue
        time.sleep(0.01)
    print(text, port, "arrived", arrived, *(f"{name} {value}" for name, value in sorted(moved(before).items())),
            flush=True)


def out(text, destination, **options):
    trial(text, "host", "peer", destination, **options)


def through(text, destination, **options):
    trial(text, "client", "peer", destination, **options)


def into(text, destination, **options):
    trial(text, "peer", "host", destination, **options)


def back(text, destination, **options):
    trial(text, "peer", "client", destination, **options)


def next_port(count=1):
    return port + count


def nothing():
    out("no policy", PEER)
    out("no policy by the second", FAR)
    out("no policy, ipv6", PEER6)
    through("no policy, forwarded", FAR)
    into("no policy, in", HERE)
    back("no policy, back", CLIENT)


def marks():
    policy(f"add src {HERE} dst {PEER} dir out action block mark 7")
    policy(f"add src {HERE6} dst {PEER6} dir out action block mark 7")
    policy(f"add src {CLIENT} dst {FAR} dir out action block mark 0x10 mask 0xf0")
    rules(f"udp dport {{ {next_port(1)}, {next_port(3)} }} meta mark set 7",
          f"udp dport {next_port(2)} meta mark set 8",
            f"udp dport {next_port(7)} meta mark set 0x517", f"udp dport {next_port(8)} meta mark set 0x527")
    out("mark by a rule", PEER)
    out("another mark by a rule", PEER)
    out("mark by a rule, ipv6", PEER6)
    out("mark of a socket", PEER, mark=7)
    out("another mark of a socket", PEER, mark=0x107)
    out("no mark", PEER)
    through("mark of a forwarded packet under a mask", FAR)
    through("another mark of a forwarded packet", FAR)
    through("no mark, forwarded", FAR)
    rules()


def marks_in():
    policy(f"add src {PEER} dst {HERE} dir in action block mark 7")
    policy(f"add src {FAR} dst {CLIENT} dir fwd action block mark 7")
    rules(f"udp dport {{ {next_port(1)}, {next_port(3)} }} meta mark set 7")
    into("mark in", HERE, source=PEER)
    into("no mark in", HERE, source=PEER)
    back("mark back", CLIENT, source=FAR)
    back("no mark back", CLIENT, source=FAR)
    rules()


def devices():
    policy(f"add src 0.0.0.0/0 dst {FAR} dev eth0 dir out action block")
    policy(f"add src ::/0 dst {FAR6} dev eth0 dir out action block")
    out("device of a policy, route by the other", FAR)
    through("device of a policy, route by the other, forwarded", FAR)
    out("device of a policy, route by the other, ipv6", FAR6)
    run(f"ip route replace {FAR} via {PEER}")
    run(f"ip route replace {FAR6} via {PEER6}")
    out("device of a policy", FAR)
    out("device of a policy, ipv6", FAR6)
    through("device of a policy, forwarded", FAR)
    run(f"ip route delete {FAR} via {PEER}")
    run(f"ip route delete {FAR6} via {PEER6}")
    out("device of a policy, route is back", FAR)
    out("device of a policy, route is back, ipv6", FAR6)


def devices_in():
    policy(f"add src {PEER} dst 0.0.0.0/0 dev eth0 dir in action block")
    into("device of a policy in", HERE, source=PEER)
    into("device of a policy in, by the other", HERE_TWO, source=PEER, device="two")
    policy(f"add src {PEER} dst 0.0.0.0/0 dev lo dir in action block")
    into("loopback as the device of a policy in", HERE, source=PEER)


def another_way():
    policy(f"add src 0.0.0.0/0 dst {FAR}/24 dir out action block")
    policy(f"add src ::/0 dst {FAR6}/64 dir out action block")
    out("a network by the second", FAR)
    out("a network by the second, bound to it", FAR, device="eth1")
    out("a network by the second, bound to the first", FAR, device="eth0")
    out("a network by the second, ipv6", FAR6)
    through("a network by the second, forwarded", FAR)
    out("a peer on the second", PEER_TWO)


def ports():
    policy(f"add src {HERE} dst {PEER} proto udp dport {next_port(1)} dir out action block")
    policy(f"add src {HERE6} dst {PEER6} proto udp dport {next_port(3)} dir out action block")
    policy(f"add src {HERE} dst {PEER} proto udp dport {next_port(5)} dir out action block")
    out("port", PEER)
    out("next port", PEER)
    out("port, ipv6", PEER6)
    out("next port, ipv6", PEER6)
    out("port of a long datagram", PEER, size=4000)
    out("next port of a long datagram", PEER, size=4000)
    policy(f"add src {CLIENT} dst {FAR} proto udp dport {next_port(1)} dir fwd action block")
    policy(f"add src {CLIENT} dst {FAR} proto udp dport {next_port(2)} dir out action block")
    through("port that may not be forwarded", FAR)
    through("port that may not leave", FAR)
    through("next port, forwarded", FAR)
    through("next port of a long datagram, forwarded", FAR, size=4000)


def allowed():
    policy(f"add src 0.0.0.0/0 dst {PEER}/24 dir out action block priority 9")
    policy(f"add src {HERE} dst {PEER} dir out priority 1")
    policy(f"add src {PEER}/24 dst 0.0.0.0/0 dir in action block priority 9")
    policy(f"add src {PEER} dst {HERE} dir in priority 1")
    out("allowed before blocked", PEER)
    out("allowed before blocked, long", PEER, size=4000)
    out("allowed before blocked, other source", PEER, source=HERE_TWO)
    into("allowed before blocked, in", HERE, source=PEER)
    into("allowed before blocked, long, in", HERE, source=PEER, size=4000)
    into("allowed before blocked, in, other address", HERE_TWO, source=PEER)


def templates():
    tunnel = f"tmpl src {PEER_TWO} dst {HERE_TWO} proto esp mode tunnel"
    policy(f"add src {PEER} dst {HERE} dir in tmpl proto esp mode transport")
    policy(f"add src {PEER6} dst {HERE6} dir in tmpl proto esp mode transport")
    policy(f"add src {FAR} dst {CLIENT} dir fwd {tunnel}")
    policy(f"add src {FAR6} dst {CLIENT6} dir fwd tmpl src {PEER6} dst {HERE6} proto esp mode tunnel")
    policy(f"add src {FAR} dst {HERE} dir in {tunnel} level use")
    into("clear where ESP is wanted", HERE, source=PEER)
    into("clear where ESP is wanted, by the second", HERE, source=PEER, device="two")
    into("clear where ESP is wanted, long", HERE, source=PEER, size=4000)
    into("clear where ESP is wanted, ipv6", HERE6, source=PEER6)
    into("clear where ESP is wanted, ipv6, by the second", HERE6, source=PEER6, device="two")
    back("clear where ESP is wanted, forwarded", CLIENT, source=FAR)
    back("clear where ESP is wanted, forwarded, by the second", CLIENT, source=FAR, device="two")
    back("clear where ESP is wanted, forwarded, ipv6", CLIENT6, source=FAR6)
    into("clear where ESP may be", HERE, source=FAR)
    into("clear of somebody else", HERE, source=PEER_TWO)


def blocked_in():
    policy(f"add src {PEER} dst {HERE} dir in action block")
    policy(f"add src {FAR} dst {CLIENT} dir fwd action block")
    into("blocked in", HERE, source=PEER)
    into("blocked in, by the second", HERE, source=PEER, device="two")
    back("blocked, forwarded", CLIENT, source=FAR)


def itself():
    policy("add src 0.0.0.0/0 dst 0.0.0.0/0 dir out action block")
    policy("add src 0.0.0.0/0 dst 0.0.0.0/0 dir in action block")
    trial("to itself", "host", "host", "127.0.0.1")
    trial("to an address of its own", "host", "host", HERE)
    trial("from an address of its own to another", "host", "host", HERE, source=HERE_TWO)


def default_block():
    policy("setdefault in block fwd block out block")
    for direction in ("in", "out"):
        policy(f"add src ::/0 dst ::/0 proto ipv6-icmp dir {direction}")
    out("blocked by default", PEER, counted=False)
    into("blocked by default, in", HERE)
    into("blocked by default, in, ipv6", HERE6)
    through("blocked by default, forwarded", FAR)
    policy(f"add src 0.0.0.0/0 dst {PEER} dir out")
    policy(f"add src {PEER} dst 0.0.0.0/0 dir in")
    out("allowed where the rest is blocked", PEER)
    into("allowed where the rest is blocked, in", HERE)
    policy("setdefault in accept fwd accept out accept")


for part in (nothing, marks, marks_in, devices, devices_in, another_way, ports, allowed, templates, blocked_in,
             itself, default_block, nothing):
    part()
    policy("flush")
