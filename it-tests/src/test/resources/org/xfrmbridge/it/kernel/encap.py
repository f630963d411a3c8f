"""Which sockets of a port lose their ESP to UDP_ENCAP.

encap.py receive          opens sockets in several ways, prints "open", and then which of them got what,
                          until its standard input ends
encap.py send V4 V6       sends, to each port, what looks like ESP, and then what looks like IKE
"""
import select
import socket
import sys

ESP, IKE = b"\x11" * 64, b"\0" * 4 + b"\x11" * 60
V4, DUAL, V6 = "v4", "v6+v4", "v6"

# By port, the sockets in the order they are made: what of, and whether UDP_ENCAP is set before or after bind(), or
# never.
PORTS = {
    4501: [(V4, "never"), (V6, "after")],
    4502: [(V4, "never"), (V6, "before")],
    4503: [(V4, "after"), (V6, "never")],
    4504: [(DUAL, "after")],
    4505: [(V6, "after"), (V4, "after")],
}


def opened(port, kind, encapsulated):
    """UDP_ENCAP before bind() is before IPV6_V6ONLY, too."""
    s = socket.socket(socket.AF_INET if kind == V4 else socket.AF_INET6, socket.SOCK_DGRAM)
    if encapsulated == "before":
        s.setsockopt(socket.IPPROTO_UDP, 100, 2)
    if kind != V4:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, kind == V6)
    s.bind(("0.0.0.0" if kind == V4 else "::", port))
    if encapsulated == "after":
        s.setsockopt(socket.IPPROTO_UDP, 100, 2)
    return s


def receive():
    sockets = {opened(port, *how): (port, how[0]) for port, all in PORTS.items() for how in all}
    print("open", flush=True)
    while sys.stdin not in (ready := select.select([sys.stdin, *sockets], [], [])[0]):
        for s in ready:
            data, sender = s.recvfrom(2048)
            what, version = "IKE" if data == IKE else "ESP", "v4" if "." in sender[0] else "v6"
            print("%d %s got %s over %s" % (*sockets[s], what, version), flush=True)


def send(addresses):
    for address in addresses:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as s:
            for port in PORTS:
                s.sendto(ESP, (address, port))
                s.sendto(IKE, (address, port))


receive() if sys.argv[1] == "receive" else send(sys.argv[2:])
