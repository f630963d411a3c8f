"""Two L2TP clients behind one NAT, whose server sees them at one address: transport mode for UDP port 1701, ESP in UDP.
"l2tp-nat.py hosts" makes the namespaces; "l2tp-nat.py XFRM..." tries, with states and policies that the command XFRM,
in front of others, brings to the server: without one they are its kernel's, as those of the clients always are. A line
for each trial: how many answers each client got that were its own, and how many packets passed in the clear."""
import subprocess, sys, time

KEY = "0x000102030405060708090a0b0c0d0e0f10111213"
SERVER, ROUTER = "192.0.2.1", "192.0.2.9"
MAPPED = {1: 20001, 2: 20002}
TIMES = 10
xfrm = sys.argv[1:]

HOLD = """
import socket, time
holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
holder.bind(("", 4500))
holder.setsockopt(socket.IPPROTO_UDP, 100, 2)
print("holds", flush=True)
time.sleep(10000)
"""
ANSWER = """
import socket
daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
daemon.bind(("", 1701))
print("serves", flush=True)
while True:
    question, client = daemon.recvfrom(2000)
    daemon.sendto(question, client)
"""
ASK = f"""
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("", int(sys.argv[2])))
client.settimeout(3)
own = 0
for number in range({TIMES}):
    question = (sys.argv[1] + " " + str(number)).encode() * 20
    client.sendto(question, ("{SERVER}", 1701))
    try:
        own += client.recv(2000) == question
    except socket.timeout:
        pass
print(own)
"""
RULES = """
table inet marks {
    chain arriving {
        type filter hook prerouting priority mangle;
        udp sport 20001 udp dport 4500 meta mark set 1
        udp sport 20002 udp dport 4500 meta mark set 2
    }
    chain entering {
        type filter hook input priority mangle;
        udp dport 1701 meta mark != 0 ct mark set meta mark
    }
    chain leaving {
        type route hook output priority mangle;
        udp sport 1701 meta mark set ct mark
    }
}
"""


def run(words, check=True, stdin=None):
    done = subprocess.run(words, capture_output=True, text=True, input=stdin)
    if check and done.returncode:
        sys.exit(f"{words}: {done.stdout} {done.stderr}")
    return done.stdout


def ip(namespace, line):
    return run(["ip", "-n", namespace, *line.split()])


def prefix(namespace):
    return ["ip", "netns", "exec", namespace, *(xfrm if namespace == "server" else [])]


def database(namespace, line):
    words = ["rfc4106(gcm(aes))" if word == "ALGORITHM" else word for word in line.split()]
    run([*prefix(namespace), "ip", "xfrm", *words])


def python(namespace, program, *arguments):
    return subprocess.Popen([*prefix(namespace), sys.executable, "-c", program, *map(str, arguments)],
                            stdout=subprocess.PIPE, text=True)


def started(namespace, program):
    process = python(namespace, program)
    process.stdout.readline()
    return process


def state(namespace, source, destination, spi, ports, reqid, mark):
    database(namespace, f"state add src {source} dst {destination} proto esp spi {spi} reqid {reqid} mode transport "
             f"{mark} aead ALGORITHM {KEY} 128 encap espinudp {ports[0]} {ports[1]} 0.0.0.0")


def policies(namespace, here, there, out, into, reqid, mark=""):
    for direction, source, destination, ports in ("out", here, there, out), ("in", there, here, into):
        database(namespace, f"policy update src {source} dst {destination} proto udp {ports} dir {direction} {mark} "
                 f"tmpl proto esp reqid {reqid} mode transport")


def protect(client, port, told_apart_by):
    """Its policies, and the server's: for the client's port, or for all ports and packets with a mark, or for all."""
    here, mapped = f"10.7.{client}.2", MAPPED[client]
    mark = f"mark {client}" if told_apart_by == "mark" else ""
    name = f"client{client}"
    for place, source, destination, spi, ports in (
            (name, here, SERVER, f"0x10{client}", (4500, 4500)), (name, SERVER, here, f"0x20{client}", (4500, 4500)),
            ("server", ROUTER, SERVER, f"0x10{client}", (mapped, 4500)),
            ("server", SERVER, ROUTER, f"0x20{client}", (4500, mapped))):
        state(place, source, destination, spi, ports, client, mark if place == "server" else "")
    policies(name, here, SERVER, f"sport {port} dport 1701", f"sport 1701 dport {port}", client)
    far = f"dport {port}" if told_apart_by == "port" else ""
    near = f"sport {port}" if told_apart_by == "port" else ""
    policies("server", SERVER, ROUTER, f"sport 1701 {far}", f"{near} dport 1701", client, mark)


def attempt(name, ports, told_apart_by):
    for client, port in ports.items():
        protect(client, port, told_apart_by)
    sniffer = subprocess.Popen(["ip", "netns", "exec", "router", "tcpdump", "-U", "-Z", "root", "-i", "outside", "-w",
                                "/run/outside.pcap"], stderr=subprocess.DEVNULL)
    time.sleep(3)
    asking = {client: python(f"client{client}", ASK, f"client {client}", port) for client, port in ports.items()}
    own = {client: process.communicate()[0].strip() for client, process in asking.items()}
    time.sleep(1)
    sniffer.terminate()
    sniffer.wait()
    clear = len(run(["tcpdump", "-n", "-r", "/run/outside.pcap", "ip and not udp port 4500"]).splitlines())
    print(name, *(f"client {client}: {count}" for client, count in own.items()), f"clear {clear}", flush=True)
    for place in "client1", "client2", "server":
        database(place, "state flush")
        database(place, "policy flush")


def hosts():
    for namespace in "client1", "client2", "router", "server":
        run(["ip", "netns", "add", namespace])
        ip(namespace, "link set lo up")
        for devices in "all", "default":
            run(["ip", "netns", "exec", namespace, "sysctl", "-qw", f"net.ipv6.conf.{devices}.disable_ipv6=1"])
    for namespace, port, address, router in (
            ("client1", "inside1", "10.7.1.2", "10.7.1.1"), ("client2", "inside2", "10.7.2.2", "10.7.2.1"),
            ("server", "outside", SERVER, ROUTER)):
        run(f"ip link add eth0 netns {namespace} type veth peer name {port} netns router".split())
        ip(namespace, "link set eth0 up")
        ip("router", f"link set {port} up")
        ip(namespace, f"address add {address}/24 dev eth0")
        ip("router", f"address add {router}/24 dev {port}")
        if namespace != "server":
            ip(namespace, f"route add default via {router}")
    run("ip netns exec router sysctl -qw net.ipv4.ip_forward=1".split())
    translations = "".join(f"ip saddr 10.7.{client}.2 udp sport 4500 snat to {ROUTER}:{port}\n"
                           for client, port in MAPPED.items())
    run("ip netns exec router nft -f -".split(), stdin="table ip nat {\nchain leaving {\n"
        "type nat hook postrouting priority srcnat;\n" + translations + "oifname outside masquerade\n}\n}\n")


if sys.argv[1:] == ["hosts"]:
    hosts()
    sys.exit()
running = [started("client1", HOLD), started("client2", HOLD), started("server", HOLD)]
running.append(subprocess.Popen(["ip", "netns", "exec", "server", sys.executable, "-c", ANSWER],
                                stdout=subprocess.PIPE, text=True))
running[-1].stdout.readline()
attempt("by_port", {1: 1701, 2: 40001}, "port")
attempt("alike", {1: 1701, 2: 1701}, "nothing")
run("ip netns exec server nft -f -".split(), stdin=RULES)
attempt("by_mark", {1: 1701, 2: 40001}, "mark")
run("ip netns exec server nft delete table inet marks".split())
for process in running:
    process.kill()
