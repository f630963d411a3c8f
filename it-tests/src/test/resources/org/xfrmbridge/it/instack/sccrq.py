"""A stranger who asks an L2TP server for a control connection (SCCRQ of RFC 2661): "sccrq.py SERVER" says whether it
was answered within two seconds."""
import socket, struct, sys

MANDATORY, CONTROL = 0x8000, 0xC802
MESSAGE_TYPE, VERSION, FRAMING = (0, b"\0\1"), (2, b"\1\0"), (3, b"\0\0\0\3")
HOST_NAME, TUNNEL = (7, b"s"), (9, b"\0\7")


def attribute(kind, value):
    return struct.pack(">HHH", MANDATORY | 6 + len(value), 0, kind) + value


body = b"".join(attribute(*each) for each in (MESSAGE_TYPE, VERSION, FRAMING, HOST_NAME, TUNNEL))
request = struct.pack(">6H", CONTROL, 12 + len(body), 0, 0, 0, 0) + body
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(2)
    sock.sendto(request, (sys.argv[1], 1701))
    try:
        sock.recv(2000)
        print("answered")
    except TimeoutError:
        print("silence")
