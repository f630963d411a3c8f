#!/usr/bin/python3
"""What xl2tpd starts instead of pppd, where a kernel has no PPP: negotiates nothing, and passes IPv4 between the
terminal and a TUN device ppp0. The file of options that xl2tpd names has the addresses: LOCAL REMOTE."""
import contextlib, fcntl, os, select, struct, subprocess, sys, tty

TUNSETIFF, IFF_TUN_WITHOUT_HEADER, MTU = 0x400454CA, 0x1001, "1400"
FLAG, ESCAPE, FLIP, IPV4 = 0x7E, 0x7D, 0x20, b"\xff\x03\0\x21"


def checksum(frame):
    fcs = 0xFFFF
    for byte in frame:
        fcs ^= byte
        for _ in range(8):
            fcs = fcs >> 1 ^ (0x8408 if fcs & 1 else 0)
    return struct.pack("<H", fcs ^ 0xFFFF)


def framed(packet):
    frame = IPV4 + packet
    plain = frame + checksum(frame)
    escaped = b"".join(bytes((ESCAPE, byte ^ FLIP)) if byte in (FLAG, ESCAPE) or byte < 0x20 else bytes((byte,))
                       for byte in plain)
    return bytes((FLAG,)) + escaped + bytes((FLAG,))


def packets(data):
    """Of a stream of frames; what is behind the last flag is the beginning of the next one."""
    *frames, rest = data.split(bytes((FLAG,)))
    found = []
    for frame in frames:
        plain, flip = bytearray(), 0
        for byte in frame:
            if byte == ESCAPE:
                flip = FLIP
            else:
                plain.append(byte ^ flip)
                flip = 0
        if plain[:4] == IPV4 and checksum(plain[:-2]) == plain[-2:]:
            found.append(bytes(plain[4:-2]))
    return found, rest


def write(frame):
    """A terminal takes no more than it has room for."""
    while frame:
        frame = frame[os.write(1, frame):]


with open(sys.argv[sys.argv.index("file") + 1]) as options:
    local, remote = options.read().split()
tty.setraw(0)
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"ppp0", IFF_TUN_WITHOUT_HEADER))
subprocess.run(["ip", "address", "add", local, "peer", remote, "dev", "ppp0"], check=True)
subprocess.run(["ip", "link", "set", "ppp0", "mtu", MTU, "up"], check=True)
received = b""
while True:
    for ready in select.select([tun, 0], [], [])[0]:
        if ready == tun:
            write(framed(os.read(tun, 65535)))
        else:
            data = os.read(0, 65535)
            if not data:
                sys.exit()
            inside, received = packets(received + data)
            for packet in inside:
                with contextlib.suppress(OSError):
                    os.write(tun, packet)
