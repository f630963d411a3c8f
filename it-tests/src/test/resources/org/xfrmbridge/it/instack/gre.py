"""GRE over IPv4 where a kernel has none: "gre.py NAME LOCAL REMOTE" makes a TUN device and puts GRE before its
packets."""
import contextlib, fcntl, os, select, socket, struct, sys

TUNSETIFF, IFF_TUN_WITHOUT_HEADER, SO_RCVBUFFORCE, PROTOCOL, IPV4_INSIDE = 0x400454CA, 0x1001, 33, 47, b"\0\0\x08\0"
name, local, remote = sys.argv[1:]

tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_WITHOUT_HEADER))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL)
# Of what finds it full a kernel says in the clear that it knows no such protocol, and quotes it.
raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
raw.bind((local, 0))
raw.connect((remote, 0))
print("ready", flush=True)
while True:
    for ready in select.select([tun, raw], [], [])[0]:
        # A device that is down, a way that is not there: lost, as anywhere.
        with contextlib.suppress(OSError):
            if ready is raw:
                packet = raw.recv(65535)
                os.write(tun, packet[(packet[0] & 15) * 4 + len(IPV4_INSIDE):])
            else:
                raw.send(IPV4_INSIDE + os.read(tun, 65535))
