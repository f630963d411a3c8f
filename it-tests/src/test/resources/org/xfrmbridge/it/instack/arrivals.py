"""A host on a wire with a peer and another member of their groups. "arrivals.py wires" makes the namespaces;
"arrivals.py XFRM..." tries, with states and policies that the command XFRM, in front of others, brings to the host:
without one they are its kernel's, as those of the others always are. A line for each trial: what came of it, whether
there was ESP, how many packets of it in the clear."""
import re, socket, struct, subprocess, sys, time

KEY = "0x000102030405060708090a0b0c0d0e0f10111213"
HERE, PEER, MEMBER, INNER, FAR, GROUP = (
    "192.0.2.1", "192.0.2.2", "192.0.2.3", "10.1.0.1", "10.2.0.1", "224.0.0.200")
HERE6, PEER6, INNER6, FAR6, GROUP6 = "2001:db8::1", "2001:db8::2", "fd01::1", "fd02::1", "ff02::200"
LINK, PEER_LINK, MEMBER_LINK = "fe80::1", "fe80::2", "fe80::3"
HOSTS = {"host": (HERE, HERE6, LINK), "peer": (PEER, PEER6, PEER_LINK), "member": (MEMBER, "2001:db8::3", MEMBER_LINK)}
BYTES, COUNT, PORT, ROUTING = 400_000, 10, 7, 89
xfrm = sys.argv[1:]

# What runs in a namespace: "serve KIND PLACE" prints what it got, "ask KIND PLACE ADDRESS" sends. PLACE is the device
# that the socket is bound to, or "-".
PROGRAM = r"""
import socket, struct, sys
what, kind, place, address = (sys.argv[1:] + [""])[:4]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
types = {"tcp": (socket.SOCK_STREAM, 0), "udp": (socket.SOCK_DGRAM, 0), "raw": (socket.SOCK_RAW, ROUTING)}
own = socket.socket(family, *types[kind])
own.settimeout(20)
if place != "-":
    own.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, place.encode())
there = socket.getaddrinfo(address.split(",")[0], PORT, family, socket.SOCK_DGRAM)[0][4]
if what == "serve":
    index = socket.if_nametoindex("eth0")
    if kind == "tcp":
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind != "raw":
        own.bind(("", PORT))
    if address.startswith("224."):
        own.setsockopt(0, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4xI", socket.inet_aton(address), index))
    if address.startswith("ff02:"):
        group = socket.inet_pton(family, address.split("%")[0])
        own.setsockopt(41, socket.IPV6_JOIN_GROUP, group + struct.pack("I", index))
    own.setsockopt(*((41, 49, 1) if ":" in address else (0, 8, 1)))
    print("serves", flush=True)
    if kind == "tcp":
        own.listen()
        stream = own.accept()[0]
        got = 0
        while got < BYTES:
            got += len(stream.recv(65536))
        stream.sendall(b"x" * BYTES)
        stream.recv(1)
    else:
        own.settimeout(30)
        got, devices = 0, set()
        try:
            while got < COUNT:
                _, control, _, sender = own.recvmsg(2000, 200)
                for level, number, data in control:
                    if (level, number) == (0, 8):
                        devices.add(struct.unpack("i", data[:4])[0])
                    if (level, number) == (41, 50):
                        devices.add(struct.unpack("i", data[16:20])[0])
                got += 1
                own.settimeout(4)
                if place != "-":
                    own.sendto(b"answer", sender)
        except TimeoutError:
            pass
        print(got, *sorted(map(socket.if_indextoname, devices)))
else:
    if address.startswith("ff02:") or address.startswith("224."):
        index = socket.if_nametoindex("eth0")
        own.setsockopt(*((41, socket.IPV6_MULTICAST_IF, struct.pack("i", index)) if ":" in address
                         else (0, socket.IP_MULTICAST_IF, struct.pack("8xi", index))))
    if kind == "tcp":
        if "," in address:
            own.bind((address.split(",")[1], 0))
        own.connect(there)
        own.sendall(b"x" * BYTES)
        got = 0
        while got < BYTES:
            got += len(own.recv(65536)) or exit("ended")
        print("carried")
    else:
        import time
        answers = 0
        own.settimeout(0.2)
        for _ in range(COUNT):
            own.sendto(b"x" * 100, there if kind == "udp" else (there[0], 0) + tuple(there[2:]))
            try:
                answers += own.recv(100) == b"answer"
            except TimeoutError:
                pass
        print(answers)
"""
PROGRAM = PROGRAM.replace("ROUTING", str(ROUTING)).replace("BYTES", str(BYTES)).replace("COUNT", str(COUNT)).replace(
    "PORT", str(PORT))


def run(words, check=True):
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(f"{words}: {done.stdout} {done.stderr}")
    return done.stdout


def on(namespace, line, check=True):
    return run(["ip", "netns", "exec", namespace, *line.split()], check)


def ip(namespace, line):
    return run(["ip", "-n", namespace, *line.split()])


def start(namespace, line):
    return subprocess.Popen(["ip", "netns", "exec", namespace, sys.executable, "-c", PROGRAM, *line.split()],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def database(namespace, line):
    prefix = xfrm if namespace == "host" else PREFIXES.get(namespace, [])
    words = ["rfc4106(gcm(aes))" if word == "ALGORITHM" else word for word in line.split()]
    run(["ip", "netns", "exec", namespace, *prefix, "ip", "xfrm", *words])


PREFIXES = {}


def flush():
    for namespace in HOSTS:
        database(namespace, "state flush")
        database(namespace, "policy flush")


def protect(here, there, inner="", far="", mode="transport"):
    tunnel = mode == "tunnel"
    for namespace in "host", "peer":
        for source, destination, spi in (here, there, "0x1001"), (there, here, "0x1002"):
            database(namespace, f"state add src {source} dst {destination} proto esp spi {spi} mode {mode} "
                     f"aead ALGORITHM {KEY} 128")
    for namespace, outer, ends in ("host", (here, there), (inner or here, far or there)), (
            "peer", (there, here), (far or there, inner or here)):
        for direction, step in ("out", 1), ("in", -1):
            source, destination = ends[::step]
            tmpl = "tmpl " + ("src %s dst %s " % outer[::step] if tunnel else "") + f"proto esp mode {mode}"
            database(namespace, f"policy add src {source} dst {destination} dir {direction} {tmpl}")


def protect_group(group, sources):
    """One key for all, as manual keys of routing protocols are."""
    for namespace in HOSTS:
        database(namespace, f"state add src {'::' if ':' in group else '0.0.0.0'} dst {group} proto esp spi 0x2001 "
                 f"mode transport aead ALGORITHM {KEY} 128")
        for direction in "out", "in":
            database(namespace, f"policy add src {sources} dst {group} dir {direction} "
                     "tmpl proto esp mode transport")


def ping(namespace, options):
    answer = on(namespace, f"ping -q -c {COUNT} -i 0.2 -W 5 {options}", check=False)
    return int(re.search(r"(\d+) received", answer).group(1))


def serve_and_ask(server, server_line, client, client_line):
    serves = start(server, "serve " + server_line)
    serves.stdout.readline()
    if server == "host":
        # Which are bound is looked for every ten seconds.
        time.sleep(11 if xfrm and "eth0" in server_line.split()[1] else 0)
    asks = start(client, "ask " + client_line)
    answer = asks.communicate()[0].strip() or "nothing"
    if "tcp" in server_line:
        serves.kill()
        return answer
    return f"{serves.communicate()[0].strip()} answered {answer}"


def members(sender, group):
    receive = [start(namespace, f"serve udp - {group}") for namespace in HOSTS if namespace != sender]
    for one in receive:
        one.stdout.readline()
    start(sender, f"ask udp - {group}").communicate()
    return ", ".join(one.communicate()[0].strip() for one in receive)


def seen(expression):
    return len(run(["tcpdump", "-n", "-r", "/run/h0.pcap", expression]).splitlines())


def attempt(name, clear, trial):
    sniffer = subprocess.Popen(["ip", "netns", "exec", "wire", "tcpdump", "-U", "-Z", "root", "-i", "h0", "-w",
                                "/run/h0.pcap"], stderr=subprocess.DEVNULL)
    time.sleep(3)
    result = trial()
    time.sleep(1)
    sniffer.terminate()
    sniffer.wait()
    print(name, result, "ESP" if seen("ip proto 50 or ip6 proto 50") >= COUNT else "no ESP", "clear", seen(clear),
          flush=True)


def between(here, there):
    echoes = "icmp[0] == 8 or icmp[0] == 0 or icmp6[0] == 128 or icmp6[0] == 129"
    return f"({echoes} or tcp or udp or ip proto {ROUTING}) and host {here} and host {there}"


def wires():
    for namespace in *HOSTS, "wire":
        run(["ip", "netns", "add", namespace])
        ip(namespace, "link set lo up")
    ip("wire", "link add switch type bridge mcast_snooping 0")
    ip("wire", "link set switch up")
    for namespace, (address, address6, link) in HOSTS.items():
        port = namespace[0] + "0"
        run(f"ip link add eth0 netns {namespace} type veth peer name {port} netns wire".split())
        ip("wire", f"link set {port} up master switch")
        ip(namespace, "link set eth0 addrgenmode none")
        ip(namespace, f"address add {address}/24 dev eth0")
        ip(namespace, f"address add {address6}/64 dev eth0 nodad")
        ip(namespace, f"address add {link}/64 dev eth0 nodad")
        ip(namespace, "link set eth0 up")
    for namespace, address, address6 in ("host", INNER, INNER6), ("peer", FAR, FAR6):
        ip(namespace, f"address add {address}/32 dev eth0")
        ip(namespace, f"address add {address6}/128 dev eth0 nodad")
    # A policy for all of ICMPv6 is one for advertisements of neighbours, too.
    for namespace, other in ("host", "peer"), ("peer", "host"):
        mac = re.search("ether (\\S+)", ip(other, "link show eth0")).group(1)
        for there in HOSTS[other][1:]:
            ip(namespace, f"neighbour add {there} lladdr {mac} dev eth0 nud permanent")
    ip("host", f"route add 10.2.0.0/24 via {PEER}")
    ip("host", f"route add fd02::/64 via {PEER6}")
    ip("peer", f"route add 10.1.0.0/24 via {HERE}")
    ip("peer", f"route add fd01::/64 via {HERE6}")


def trials():
    protect(HERE, PEER)
    attempt("ping", between(HERE, PEER), lambda: ping("host", f"-I eth0 {PEER}"))
    attempt("client", between(HERE, PEER), lambda: serve_and_ask("peer", "tcp - " + PEER, "host", "tcp eth0 " + PEER))
    attempt("server", between(HERE, PEER), lambda: serve_and_ask("host", "tcp eth0 " + HERE, "peer", "tcp - " + HERE))
    attempt("datagrams", between(HERE, PEER),
            lambda: serve_and_ask("host", "udp eth0 " + HERE, "peer", "udp - " + HERE))
    attempt("questions", between(HERE, PEER),
            lambda: serve_and_ask("peer", "udp eth0 " + PEER, "host", "udp eth0 " + PEER))
    attempt("routing", between(HERE, PEER), lambda: serve_and_ask("host", "raw - " + HERE, "peer", "raw - " + HERE))
    flush()
    protect(HERE6, PEER6)
    attempt("ping6", between(HERE6, PEER6), lambda: ping("host", f"-I eth0 {PEER6}"))
    attempt("server6", between(HERE6, PEER6),
            lambda: serve_and_ask("host", "tcp eth0 " + HERE6, "peer", "tcp - " + HERE6))
    flush()
    protect(LINK, PEER_LINK)
    attempt("link", between(LINK, PEER_LINK),
            lambda: f"{ping('host', PEER_LINK + '%eth0')} {ping('peer', LINK + '%eth0')} "
            + serve_and_ask("peer", f"tcp - {PEER_LINK}%eth0", "host", f"tcp - {PEER_LINK}%eth0") + " "
            + serve_and_ask("host", f"udp - {LINK}%eth0", "peer", f"udp - {LINK}%eth0"))
    flush()
    protect(HERE, PEER, INNER, FAR, "tunnel")
    attempt("tunnel", between(INNER, FAR),
            lambda: f"{ping('host', f'-I eth0 -I {INNER} {FAR}')} "
            + serve_and_ask("peer", "tcp - " + FAR, "host", f"tcp eth0 {FAR},{INNER}") + " "
            + serve_and_ask("host", "tcp eth0 " + INNER, "peer", f"tcp - {INNER},{FAR}"))
    flush()
    protect(HERE6, PEER6, INNER6, FAR6, "tunnel")
    attempt("tunnel6", between(INNER6, FAR6),
            lambda: serve_and_ask("peer", "tcp - " + FAR6, "host", f"tcp eth0 {FAR6},{INNER6}"))
    flush()
    protect_group(GROUP, "192.0.2.0/24")
    attempt("group_in", f"udp and host {GROUP}", lambda: members("peer", GROUP))
    attempt("group_out", f"udp and host {GROUP}", lambda: members("host", GROUP))
    database("peer", "policy flush")
    attempt("group_clear", f"src {HERE} and udp", lambda: members("peer", GROUP))
    flush()
    protect_group(GROUP6, "fe80::/10")
    attempt("group6_in", f"udp and host {GROUP6}", lambda: members("peer", GROUP6 + "%eth0"))
    attempt("group6_out", f"udp and host {GROUP6}", lambda: members("host", GROUP6 + "%eth0"))
    flush()


if __name__ == "__main__":
    if sys.argv[1:] == ["wires"]:
        wires()
    else:
        trials()
