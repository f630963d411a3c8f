"""A host whose interface is in a VRF, on a wire with a peer and a stranger. "vrf.py wires" makes the namespaces;
"vrf.py XFRM..." tries, with states and policies that the command XFRM, in front of others, brings to the host: without
one they are its kernel's, as those of the peer always are. A line for each trial: what came of it, whether there was
ESP, how many packets of it in the clear. "vrf.py forwarded XFRM..." says why a bridge drops what it is to forward."""
import json, re, subprocess, sys, time

KEY = "0x000102030405060708090a0b0c0d0e0f10111213"
HERE, PEER, STRANGER, INNER, FAR = "192.0.2.1", "192.0.2.2", "192.0.2.3", "10.1.0.1", "10.2.0.1"
HERE6, PEER6, INNER6, FAR6 = "2001:db8::1", "2001:db8::2", "fd01::1", "fd02::1"
BYTES = 400_000
SERVE = f"""
import socket
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"red")
server.bind(("", 7))
server.listen()
print("listens", flush=True)
stream = server.accept()[0]
got = 0
while got < {BYTES}:
    got += len(stream.recv(65536))
stream.sendall(b"x" * {BYTES})
stream.recv(1)
"""
ASK = f"""
import socket
stream = socket.create_connection(("%s", 7), 20)
stream.sendall(b"x" * {BYTES})
got = 0
while got < {BYTES}:
    got += len(stream.recv(65536)) or exit("ended")
print("carried")
"""
xfrm = [word for word in sys.argv[1:] if word != "forwarded"]


def run(words, check=True):
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(f"{words}: {done.stdout} {done.stderr}")
    return done.stdout


def on(namespace, line, check=True):
    return run(["ip", "netns", "exec", namespace, *line.split()], check)


def ip(namespace, line):
    return run(["ip", "-n", namespace, *line.split()])


def database(namespace, line):
    prefix = xfrm if namespace == "host" else []
    words = ["rfc4106(gcm(aes))" if word == "ALGORITHM" else word for word in line.split()]
    run(["ip", "netns", "exec", namespace, *prefix, "ip", "xfrm", *words])


def flush():
    for namespace in "host", "peer":
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


def ping(namespace, options):
    answer = on(namespace, f"ping -q -c 10 -i 0.2 -W 5 {options}", check=False)
    return int(re.search(r"(\d+) received", answer).group(1))


def carried(address):
    server = subprocess.Popen(["ip", "netns", "exec", "host", sys.executable, "-c", SERVE], stdout=subprocess.PIPE,
                              text=True)
    server.stdout.readline()
    answer = run(["ip", "netns", "exec", "peer", sys.executable, "-c", ASK % address], check=False)
    server.kill()
    return answer.strip() or "not carried"


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
    print(name, result, "ESP" if seen("ip proto 50 or ip6 proto 50") >= 10 else "no ESP", "clear", seen(clear),
          flush=True)


def both_ways(here, there):
    return lambda: f"sent {ping('host', f'-I red -I {here} {there}')} received {ping('peer', here)}"


def between(here, there):
    echoes = "icmp[0] == 8 or icmp[0] == 0 or icmp6[0] == 128 or icmp6[0] == 129"
    return f"({echoes} or tcp) and host {here} and host {there}"


def forwarded():
    """The program that runs commands by the bridge, "PROGRAM exec --dir DIRECTORY --", traces, too."""
    behind = "10.1.0.9"
    tmpl = f"tmpl src {PEER} dst {HERE} proto esp mode tunnel"
    protect(HERE, PEER, INNER, FAR, "tunnel")
    database("peer", f"policy add src {FAR} dst {behind} dir out {tmpl}")
    database("host", f"policy add src {FAR} dst {behind} dir fwd {tmpl}")
    trace = subprocess.Popen(["ip", "netns", "exec", "host", xfrm[0], "trace", "--drops", "--json", *xfrm[2:4]],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    next(line for line in trace.stderr if "watching packets" in line)
    ping("peer", f"-I {FAR} {behind}")
    drop = json.loads(trace.stdout.readline())
    trace.terminate()
    trace.wait()
    print(drop["reason"], drop["cause"])
    print(drop["sentence"])
    print("policy", drop["policies"][0]["selector"], "SPI", drop["states"][0]["spi"])


def wires():
    for namespace in "host", "peer", "stranger", "wire":
        run(["ip", "netns", "add", namespace])
        ip(namespace, "link set lo up")
    ip("wire", "link add switch type bridge")
    ip("wire", "link set switch up")
    for namespace, port in ("host", "h0"), ("peer", "p0"), ("stranger", "s0"):
        run(f"ip link add eth0 netns {namespace} type veth peer name {port} netns wire".split())
        ip("wire", f"link set {port} up master switch")
    ip("host", "link add red type vrf table 10")
    ip("host", "link set red up")
    ip("host", "route add unreachable default metric 4278198272 table 10")
    ip("host", "link set eth0 up master red")
    for namespace, address, address6 in (
            ("host", HERE, HERE6), ("peer", PEER, PEER6), ("stranger", STRANGER, "2001:db8::3")):
        ip(namespace, f"address add {address}/24 dev eth0")
        ip(namespace, f"address add {address6}/64 dev eth0 nodad")
        ip(namespace, "link set eth0 up")
    for namespace, device, address, address6 in ("host", "red", INNER, INNER6), ("peer", "lo", FAR, FAR6):
        ip(namespace, f"address add {address}/32 dev {device}")
        ip(namespace, f"address add {address6}/128 dev {device} nodad")
    # A policy for all of ICMPv6 is one for advertisements of neighbours, too.
    for namespace, there, port in ("host", PEER6, "peer"), ("peer", HERE6, "host"):
        mac = re.search("ether (\\S+)", ip(port, "link show eth0")).group(1)
        ip(namespace, f"neighbour add {there} lladdr {mac} dev eth0 nud permanent")
    ip("host", f"route add 10.2.0.0/24 via {PEER} vrf red")
    ip("host", f"route add fd02::/64 via {PEER6} vrf red")
    ip("peer", f"route add 10.1.0.0/24 via {HERE}")
    ip("peer", f"route add fd01::/64 via {HERE6}")


if sys.argv[1:] == ["wires"]:
    wires()
    sys.exit()
if "forwarded" in sys.argv:
    forwarded()
    sys.exit()
attempt("unprotected", between(HERE, PEER), both_ways(HERE, PEER))
protect(HERE, PEER)
attempt("transport", between(HERE, PEER), both_ways(HERE, PEER))
attempt("stranger", between(HERE, STRANGER), lambda: f"sent {ping('host', f'-I red {STRANGER}')}")
attempt("transport_tcp", between(HERE, PEER), lambda: carried(HERE))
flush()
protect(HERE, PEER, INNER, FAR, "tunnel")
attempt("tunnel", between(INNER, FAR), both_ways(INNER, FAR))
flush()
protect(HERE6, PEER6)
attempt("transport6", between(HERE6, PEER6), both_ways(HERE6, PEER6))
flush()
protect(HERE6, PEER6, INNER6, FAR6, "tunnel")
attempt("tunnel6", between(INNER6, FAR6), both_ways(INNER6, FAR6))
flush()
protect(HERE, PEER)
database("peer", "policy flush")
attempt("clear_in", f"icmp[0] == 0 and src host {HERE}", lambda: f"received {ping('peer', HERE)}")
flush()
