"""Sends one TCP frame to 10.3.0.1, by the host of DropScenario.java, as a device makes it of 640 segments.

Arguments: the host's MAC address, and the port that it is from.
"""
import fcntl
import socket
import struct
import sys

SOL_PACKET, PACKET_VNET_HDR, SIOCGIFHWADDR = 263, 15, 0x8927
SEGMENT, SEGMENTS = 64, 640
NEEDS_CHECKSUM, TCP4 = 1, 1
LINK, IP, TCP = 14, 20, 20


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
wire.bind(("eth0", 0))
own = fcntl.ioctl(wire, SIOCGIFHWADDR, struct.pack("16s16x", b"eth0"))[18:24]
link = bytes.fromhex(sys.argv[1].replace(":", "")) + own + b"\x08\x00"
ends = socket.inet_aton("10.2.0.1") + socket.inet_aton("10.3.0.1")
size = TCP + SEGMENTS * SEGMENT
ip = struct.pack(">BBHHHBBH", 0x45, 0, IP + size, 1, 0, 64, socket.IPPROTO_TCP, 0) + ends
ip = ip[:10] + struct.pack(">H", ~checksum(ip) & 0xffff) + ip[12:]
# Who cuts the frame finishes the checksums, which begin with that of the pseudo header.
pseudo = checksum(ends + struct.pack(">HH", socket.IPPROTO_TCP, size))
tcp = struct.pack(">HHIIBBHHH", int(sys.argv[2]), 2222, 1, 1, TCP << 2, 0x10, 1000, pseudo, 0)
merged = struct.pack("=BBHHHH", NEEDS_CHECKSUM, TCP4, LINK + IP + TCP, SEGMENT, LINK + IP, 16)
wire.send(merged + link + ip + tcp + bytes(size - TCP))
