"""What a cluster does with SAs, on NETLINK_XFRM sockets.

    sa.py get DESTINATION SPI     prints the SA: GETSA and GETAE, one message per line in hexadecimal
    sa.py install                 makes such an SA of standard input: NEWSA and NEWAE
    sa.py advance                 only brings an existing SA's windows and counts up to date: NEWAE
    sa.py replay PCAP SPI DEVICE MAC   sends the captured packets of an SA again; prints how many
"""
import socket
import struct
import sys

NETLINK_XFRM = 6
REQUEST, ACK, REPLACE = 1, 4, 0x100
ERROR, NEWSA, GETSA, NEWAE, GETAE = 2, 0x10, 0x12, 0x1E, 0x1F
REPLAY_AND_LIFETIME = 2 | 4
ESP = 50


def ask(kind, flags, body):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM) as netlink:
        netlink.bind((0, 0))
        netlink.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body)
        answer = netlink.recv(65536)
    length, kind = struct.unpack_from("=IH", answer)
    if kind == ERROR and struct.unpack_from("=i", answer, 16)[0] != 0:
        sys.exit("errno %d" % -struct.unpack_from("=i", answer, 16)[0])
    return answer[16:length]


def get(destination, spi):
    identity = struct.pack("!16sI", socket.inet_aton(destination), int(spi, 0))
    identity += struct.pack("=HBx", socket.AF_INET, ESP)
    print(ask(GETSA, 0, identity).hex())
    print(ask(GETAE, 0, identity + struct.pack("=16xII", REPLAY_AND_LIFETIME, 0)).hex())


def put(first):
    messages = [(NEWSA, 0), (NEWAE, REPLACE)]
    for (kind, flags), line in list(zip(messages, sys.stdin))[first:]:
        ask(kind, ACK | flags, bytes.fromhex(line))


def replay(pcap, spi, device, mac):
    with open(pcap, "rb") as file:
        data = file.read()
    position, count = 24, 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((device, 0))
        while position + 16 <= len(data):
            size = struct.unpack_from("=I", data, position + 8)[0]
            frame = data[position + 16:position + 16 + size]
            position += 16 + size
            if frame[12:14] == b"\x08\x00" and frame[23] == ESP and frame[34:38] == struct.pack("!I", int(spi, 0)):
                wire.send(bytes.fromhex(mac.replace(":", "")) + frame[6:])
                count += 1
    print(count)


commands = {"get": get, "install": lambda: put(0), "advance": lambda: put(1), "replay": replay}
commands[sys.argv[1]](*sys.argv[2:])
