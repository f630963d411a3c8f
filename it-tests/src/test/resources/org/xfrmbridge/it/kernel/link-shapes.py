# Frames of all shapes around IP packets, and who on the receiving host gets one: link-shapes.py send DEVICE MAC...,
# link-shapes.py receive DEVICE. The first MAC address is the host's, the others are of its ports or of nobody.
# Everything is drawn from one seed: two runs send the same.
import random
import select
import socket
import struct
import sys
import time

SEED = 20261129
SHAPES = 400
END_TYPE = 0x88B5
PORTS = (7777, 7778)
RAW_PROTOCOL = 253
HOST4, PEER4 = "192.0.2.1", "192.0.2.2"
HOST6, PEER6 = "2001:db8:7::1", "2001:db8:7::2"
GROUPS = ["ffffffffffff", "0180c2000000", "0180c2000001", "0180c2000002", "0180c2000003", "0180c200000e",
          "01005e000001", "333300000001", "333300000016", "030000000001", "000000000000", "020000000099"]
TAGS = ["81000000", "8100e000", "81000005", "81001fff", "88a80000", "88a82000", "88a8002a", "91000000"]
WRAPPINGS = ["TTTT"] * 6 + ["0000aaaa03000000TTTT", "0000aaaa030000f8TTTT", "0000060603", "884700010140",
                            "886411000001001a0021", "0000aaaa0380c20007020000000001020000000099TTTT"]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, payload):
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp4(source, destination, port, number):
    return ipv4(source, destination, 17, struct.pack("!HHHHI", 1111, port, 12, 0, number))


def udp6(source, destination, port, number):
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination)
    udp = struct.pack("!HHHHI", 1111, port, 12, 0, number)
    sum_ = checksum(ends + struct.pack("!II", 12, 17) + udp) or 0xffff
    return struct.pack("!IHBB", 6 << 28, 12, 17, 64) + ends + udp[:6] + struct.pack("!H", sum_) + udp[8:]


def packets(port, number):
    yield udp4(PEER4, HOST4, port, number)
    yield udp4("0.0.0.0", "255.255.255.255", port, number + 1)
    yield udp4("0.0.0.0", "224.0.0.1", port, number + 2)
    yield udp4("0.0.0.0", HOST4, port, number + 3)
    yield udp4(PEER4, "255.255.255.255", port, number + 4)
    yield udp4(PEER4, "192.0.2.255", port, number + 5)
    yield udp4(PEER4, "224.0.0.1", port, number + 6)
    yield udp6(PEER6, HOST6, port, number + 7)
    yield udp6(PEER6, "ff02::1", port, number + 8)
    yield udp6("fe80::99", "ff02::1", port, number + 9)
    yield ipv4(PEER4, HOST4, RAW_PROTOCOL, struct.pack("!I", number + 10))
    yield ipv4("0.0.0.0", "255.255.255.255", RAW_PROTOCOL, struct.pack("!I", number + 11))


def frame(destination, tags, wrapping, packet):
    packet_type = "0800" if packet[0] >> 4 == 4 else "86dd"
    inner = bytes.fromhex(wrapping.replace("TTTT", packet_type)) + packet
    if inner[:2] == b"\0\0":
        inner = struct.pack("!H", len(inner) - 2) + inner[2:]
    return bytes.fromhex(destination + "0200000000fe" + "".join(tags)) + inner


def shapes(macs):
    draw = random.Random(SEED)
    for mac in macs + GROUPS:
        for tags in range(4):
            yield mac, ["81000000"] * tags, "TTTT"
    for _ in range(SHAPES):
        tags = [draw.choice(TAGS[:2] if draw.random() < 0.6 else TAGS) for _ in range(draw.choice((0, 1, 2, 3, 5, 9)))]
        yield draw.choice(macs + GROUPS), tags, draw.choice(WRAPPINGS)


def send(device, macs):
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((device, 0))
    number = 0
    for shape, (mac, tags, wrapping) in enumerate(shapes(macs)):
        for packet in packets(PORTS[shape % 2], number):
            out.send(frame(mac, tags, wrapping, packet))
        print("%d-%d to %d, tags %s, %s" % (number, number + 11, (macs + GROUPS).index(mac), " ".join(tags), wrapping))
        number += 12
        time.sleep(0.002)
    out.send(bytes.fromhex("ffffffffffff0200000000fe") + struct.pack("!H", END_TYPE) + b"\0" * 46)


def receive(device):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(END_TYPE))
    end.bind((device, END_TYPE))
    sockets = [end]
    for port in PORTS:
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            opened = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind((address, port))
            sockets.append(opened)
    sockets.append(socket.socket(socket.AF_INET, socket.SOCK_RAW, RAW_PROTOCOL))
    for opened in sockets:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    print("open", flush=True)
    select.select([end], [], [])
    time.sleep(0.5)
    got = []
    for opened in sockets[1:]:
        opened.setblocking(False)
        try:
            while True:
                got.append(struct.unpack("!I", opened.recv(2048)[-4:])[0])
        except BlockingIOError:
            pass
    for number in sorted(got):
        print(number)


if sys.argv[1] == "send":
    send(sys.argv[2], sys.argv[3:])
else:
    receive(sys.argv[2])
