"""Connections that a flowtable of nftables carries past all rules, when policies come that are for them. "flowtables.py
XFRM...": in the namespace host, where a bridge runs, between two neighbours of it; XFRM, in front of others, brings
policies to it. There are no SAs, so nothing may leave. A line for each way to carry: whether the flowtable carried, and
how many datagrams left in the clear after a policy was acknowledged."""
import os, re, subprocess, sys, time

xfrm = sys.argv[1:]
FLOW = "src 10.61.0.0/24 dst 10.62.0.0/24"
RULES = """table inet fast {
    flowtable f { hook ingress priority 0; devices = { f0, f1 }; }
    chain c { type filter hook forward priority 0; meta l4proto udp counter flow add @f; }
}
"""
MASQUERADE = "table ip source { chain c { type nat hook postrouting priority 100; oifname f1 masquerade; }; }\n"
SENDER = """import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(str(time.monotonic()).encode(), ("10.62.0.2", 9))
    except OSError:
        pass
    print(flush=True)
    time.sleep(0.02)
"""
RECEIVER = """import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.62.0.2", 9))
print(flush=True)
while True:
    print(s.recv(99).decode(), flush=True)
"""


def run(words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{words}: {done.stdout} {done.stderr}")
    return done.stdout


def ip(namespace, line):
    return run(["ip", "-n", namespace, *line.split()])


def on(namespace, *words, **options):
    return run(["ip", "netns", "exec", namespace, *words], **options)


def policies(*lines):
    on("host", *xfrm, "ip", "-batch", "-", input="".join(f"xfrm policy {line}\n" for line in lines))


def protect(selectors):
    policies(*(f"add {selector} dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel"
               for selector in selectors))


def connect(bridged):
    for number, namespace in enumerate(("left", "right")):
        device, net = f"f{number}", f"10.6{number + 1}.0"
        run(["ip", "netns", "add", namespace])
        run(f"ip link add {device} netns host type veth peer name eth0 netns {namespace}".split())
        inner = device
        if bridged:
            inner = f"b{number}"
            ip("host", f"link add {inner} type bridge")
            ip("host", f"link set {device} master {inner}")
            ip("host", f"link set {inner} up")
        ip("host", f"link set {device} up")
        ip("host", f"address add {net}.1/24 dev {inner}")
        ip(namespace, "link set eth0 up")
        ip(namespace, f"address add {net}.2/24 dev eth0")
        ip(namespace, f"route add default via {net}.1")


def disconnect():
    policies("flush")
    tables = "table inet fast", "table ip source"
    on("host", "nft", "-f", "-", input="".join(f"{table}\ndelete {table}\n" for table in tables))
    for namespace in "left", "right":
        run(["ip", "netns", "delete", namespace])
    for number in 0, 1:
        subprocess.run(["ip", "-n", "host", "link", "delete", f"b{number}"], capture_output=True)
    time.sleep(1)


class Stream:
    """Datagrams from left to right."""

    def __init__(self):
        self.receiver = self.start("right", RECEIVER)
        self.sender = self.start("left", SENDER)

    @staticmethod
    def start(namespace, program):
        process = subprocess.Popen(["ip", "netns", "exec", namespace, sys.executable, "-c", program],
                                   stdout=subprocess.PIPE)
        process.stdout.readline()
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def sent(self):
        """Waits until 50 more have been sent."""
        lines = 0
        while lines < 50:
            time.sleep(0.1)
            lines += len(self.sender.stdout.read() or b"")

    def received(self, since):
        """How many of those came that were sent since then."""
        self.sent()
        return sum(float(sent) > since for sent in (self.receiver.stdout.read() or b"").split())

    def end(self):
        for process in self.sender, self.receiver:
            process.kill()
            process.wait()


def attempt(name, bridged=False, masquerade=False, selectors=(FLOW,), before=False):
    connect(bridged)
    ping = ["ping", "-q", "-c", "2", "-W", "5", "10.62.0.2"]
    on("left", *ping)
    if before:
        protect(selectors)
    on("host", "nft", "-f", "-", input=RULES + (MASQUERADE if masquerade else ""))
    time.sleep(2)
    stream, since, carried = Stream(), 0, []
    if not before:
        passed = stream.received(0)
        seen = int(re.search(r"packets (\d+)", on("host", "nft", "list", "table", "inet", "fast")).group(1))
        carried = ["carried"] if passed > 10 and seen < passed / 2 else [f"not carried: {seen} of {passed}"]
        protect(selectors)
        since = time.monotonic()
    print(name, *carried, "clear", stream.received(since), flush=True)
    stream.end()
    disconnect()


on("host", "sysctl", "-qw", "net.ipv4.ip_forward=1")
attempt("flowtable")
attempt("flowtable_of_bridges", bridged=True)
attempt("flowtable_and_masquerade", masquerade=True)
attempt("flowtable_and_burst", bridged=True,
        selectors=[f"src 10.{i}.0.0/16 dst 10.62.0.0/16" for i in range(70, 130)] + [FLOW])
attempt("flowtable_under_all", selectors=("src 0.0.0.0/0 dst 0.0.0.0/0",), before=True)
