#!/usr/bin/env python3
"""Records what a kernel's PF_KEY sockets answer to a fixed list of requests: run as root where AF_KEY is (a
user-mode-linux guest), in an empty network namespace; prints a transcript (see Transcript.java for its lines)."""
import errno, select, socket, struct, sys, time

AF_KEY, PID = 15, 4711
GETSPI, UPDATE, ADD, DELETE, GET, ACQUIRE, REGISTER, EXPIRE, FLUSH, DUMP, PROMISC, PCHANGE, SPDUPDATE, \
    SPDADD, SPDDELETE, SPDGET, SPDACQUIRE, SPDDUMP, SPDFLUSH, SPDSETIDX, SPDEXPIRE, SPDDELETE2, MAPPING, \
    MIGRATE = range(1, 25)
SA, CURRENT, HARD, SOFT, SRC, DST, PROXY, KEY_AUTH, KEY_ENCRYPT, ID_SRC, ID_DST, SENS, PROP, SUP_A, SUP_E, \
    SPIRANGE, KMPRIVATE, POLICY, SA2, NAT_TYPE, NAT_SPORT, NAT_DPORT, NAT_OA, SEC_CTX, KMADDRESS, FILTER = range(1, 27)
UNSPEC, AH, ESP, IPCOMP = 0, 2, 3, 9
sequence = 0


def ext(kind, body, words=None):
    body += bytes(-(len(body) + 4) % 8)
    return struct.pack("=HH", (len(body) + 4) // 8 if words is None else words, kind) + body


def msg(kind, satype, *exts, seq=None, pid=PID, version=2, reserved=0, words=None, err=0, tail=b""):
    global sequence
    if seq is None:
        sequence += 1
        seq = 1000 + sequence
    body = b"".join(exts) + tail
    return struct.pack("=BBBBHHII", version, kind, err, satype, (len(body) + 16) // 8 if words is None else words,
            reserved, seq, pid) + body


def sockaddr(text, port=0):
    if ":" in text:
        number = socket.inet_pton(socket.AF_INET6, text)
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + number + bytes(4)
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(text) + bytes(8)


def addr(kind, text, prefix=None, proto=0, port=0, words=None):
    if prefix is None:
        prefix = 128 if ":" in text else 32
    return ext(kind, struct.pack("=BBH", proto, prefix, 0) + sockaddr(text, port), words)


def pair(src="192.0.2.1", dst="192.0.2.2"):
    return addr(SRC, src) + addr(DST, dst)


def sa(spi, auth=3, encrypt=12, replay=32, flags=0, state=1):
    return ext(SA, struct.pack("!I", spi) + struct.pack("=BBBBI", replay, state, auth, encrypt, flags))


def sa2(mode=1, reqid=0, seq=0):
    return ext(SA2, struct.pack("=BBHII", mode, 0, 0, seq, reqid))


def key(kind, bits, byte=0x11, words=None):
    return ext(kind, struct.pack("=HH", bits, 0) + bytes([byte]) * ((bits + 7) // 8), words)


def life(kind, packets=0, size=0, add=0, use=0):
    return ext(kind, struct.pack("=IQQQ", packets, size, add, use))


def policy(kind=2, direction=2, index=0, priority=0, requests=b"", words=None):
    return ext(POLICY, struct.pack("=HBBII", kind, direction, 0, index, priority) + requests, words)


def request(proto=50, mode=1, level=2, reqid=0, ends=b"", length=None):
    return struct.pack("=HHBBHII", 16 + len(ends) if length is None else length, proto, mode, level, 0, reqid, 0) + ends


def spirange(low, high):
    return ext(SPIRANGE, struct.pack("=III", low, high, 0))


def natt(kind=2, sport=4500, dport=4500):
    return ext(NAT_TYPE, struct.pack("=BBBB", kind, 0, 0, 0)) + port(NAT_SPORT, sport) + port(NAT_DPORT, dport)


def port(kind, number):
    return ext(kind, struct.pack("!H", number) + bytes(2))


def ends(src="198.51.100.1", dst="198.51.100.2"):
    return sockaddr(src) + sockaddr(dst)


KEYS = key(KEY_AUTH, 160, 0xa1) + key(KEY_ENCRYPT, 128, 0xe1)
TUNNEL = request(mode=2, ends=ends())


class Recorder:
    def __init__(self):
        self.sockets = {}

    def name(self, name):
        print("#", name)

    def open(self, name):
        print("@ open", name)
        self.sockets[name] = socket.socket(AF_KEY, socket.SOCK_RAW, 2)

    def close(self, name):
        print("@ close", name)
        self.sockets.pop(name).close()

    def send(self, name, data):
        print(">", name, data.hex())
        try:
            self.sockets[name].send(data)
        except OSError as e:
            print("=", e.errno)
        return self.drain()

    def drain(self, patience=0):
        answers = {}
        for name, sock in self.sockets.items():
            while select.select([sock], [], [], patience)[0]:
                data = sock.recv(1 << 17)
                print("<", name, data.hex())
                answers.setdefault(name, []).append(data)
        return answers

    def wait(self, seconds):
        print("@ wait", seconds)
        time.sleep(seconds)
        return self.drain(0.2)

    def packet(self, destination):
        """One UDP packet: what an outbound policy sees."""
        print("@ packet", destination)
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            try:
                udp.bind((("2001:db8::1" if ":" in destination else "192.0.2.1"), 7000))
                udp.sendto(b"x", (destination, 7))
            except OSError:
                pass
        return self.drain(0.2)


r = Recorder()


def step(name, data, who="c"):
    r.name(name)
    return r.send(who, data)


def registration():
    r.name("sockets")
    for who in "clrp":
        r.open(who)
    step("register ESP", msg(REGISTER, ESP), "r")
    step("register ESP again", msg(REGISTER, ESP), "r")
    step("register AH: others that are registered hear", msg(REGISTER, AH), "r")
    step("register UNSPEC", msg(REGISTER, UNSPEC))
    step("register beyond the last type", msg(REGISTER, 10), "l")
    step("register a type without a protocol", msg(REGISTER, 5), "r")
    step("register with an error number", msg(REGISTER, IPCOMP, err=9), "r")
    step("promiscuous with a wrong type", msg(PROMISC, 2), "p")
    step("promiscuous", msg(PROMISC, 1), "p")
    step("promiscuous hears a request and its answer", msg(GET, ESP, sa(1), pair()))
    step("promiscuous hears itself twice", msg(GET, ESP, sa(1), pair()), "p")
    step("promiscuous no more", msg(PROMISC, 0), "p")
    step("relay", msg(PROMISC, ESP, ext(ID_SRC, struct.pack("=HHQ", 2, 0, 7) + b"relay..."), err=5))
    r.name("close promiscuous")
    r.close("p")


def headers():
    whole = msg(GET, ESP, sa(1), pair())
    step("version 1", msg(GET, ESP, version=1))
    step("version 0", msg(FLUSH, ESP, version=0, words=3))
    step("type 0", msg(0, ESP))
    step("type 25", msg(25, ESP))
    step("reserved", msg(GET, ESP, reserved=1))
    step("length too small", msg(GET, ESP, sa(1), pair(), words=2))
    step("length too large", msg(GET, ESP, words=3))
    step("length 0", msg(GET, ESP, words=0))
    step("length 1", msg(GET, ESP, words=1))
    step("short header", whole[:15])
    step("one byte", b"\x02")
    for extra in (1, 3, 4, 7):
        step("%d bytes behind" % extra, msg(GET, ESP, sa(1), pair(), tail=bytes(extra)))
    step("8 zero bytes behind", msg(GET, ESP, sa(1), pair(), tail=bytes(8)))
    step("length beyond what is there", msg(REGISTER, ESP, words=65535))
    for kind in (EXPIRE, PCHANGE, SPDACQUIRE, SPDEXPIRE, MAPPING):
        step("type %d has no handler" % kind, msg(kind, ESP))
    step("type %d has no handler, and is malformed" % EXPIRE, msg(EXPIRE, ESP, sa(1)[:8]))


def extensions():

    step("extension of length 0", msg(GET, ESP, ext(SA, bytes(12), words=0), pair()))
    step("extension longer than the message", msg(GET, ESP, pair(), ext(SA, bytes(12), words=3)))
    step("extension 0", msg(GET, ESP, ext(0, bytes(12)), sa(1), pair()))
    step("extension 27 is ignored", msg(GET, ESP, ext(27, bytes(12)), sa(1), pair()))
    step("extension 65535 twice is ignored", msg(GET, ESP, ext(65535, bytes(4)), ext(65535, bytes(4)), sa(1), pair()))
    step("SA twice", msg(GET, ESP, sa(1), sa(1), pair()))
    step("address twice", msg(GET, ESP, sa(1), pair(), addr(SRC, "192.0.2.1")))
    step("another order", msg(GET, ESP, addr(DST, "192.0.2.2"), sa(1), addr(SRC, "192.0.2.1")))
    least = {SA: 16, CURRENT: 32, HARD: 32, SOFT: 32, SRC: 8, DST: 8, PROXY: 8, KEY_AUTH: 8, KEY_ENCRYPT: 8,
             ID_SRC: 16, ID_DST: 16, SENS: 16, PROP: 8, SUP_A: 8, SUP_E: 8, SPIRANGE: 16, KMPRIVATE: 8, POLICY: 16,
             SA2: 16, NAT_TYPE: 8, NAT_SPORT: 8,
             NAT_DPORT: 8, NAT_OA: 8, SEC_CTX: 8, KMADDRESS: 8, FILTER: 40}
    for kind, size in least.items():
        if size > 8:
            step("extension %d too short" % kind, msg(DUMP, ESP, ext(kind, bytes(size - 12))))
        step("extension %d of least length and zeroes" % kind, msg(DUMP, ESP, ext(kind, bytes(size - 4))))
        step("extension %d longer by a word" % kind, msg(DUMP, ESP, ext(kind, bytes(size + 4))))
    for kind in (SRC, PROXY, NAT_OA):
        step("address %d with prefix 33" % kind, msg(DUMP, ESP, addr(kind, "192.0.2.1", 33)))
        step("address %d with prefix 129" % kind, msg(DUMP, ESP, addr(kind, "2001:db8::1", 129)))
        step("address %d cut" % kind, msg(DUMP, ESP, addr(kind, "192.0.2.1")[:16]))
        step("address %d of AF_UNIX" % kind, msg(DUMP, ESP, ext(kind, bytes(4) + struct.pack("=H", 1) + bytes(14))))
        step("IPv6 address %d as long as IPv4" % kind,
                msg(DUMP, ESP, ext(kind, bytes(4) + struct.pack("=H", 10) + bytes(14))))
        step("IPv4 address %d as long as IPv6" % kind,
                msg(DUMP, ESP, ext(kind, bytes(4) + struct.pack("=H", 2) + bytes(30))))
    step("key with fewer bytes than bits", msg(DUMP, ESP, ext(KEY_AUTH, struct.pack("=HH", 129, 0) + bytes(16))))
    step("key with 65535 bits", msg(DUMP, ESP, ext(KEY_ENCRYPT, struct.pack("=HH", 65535, 0) + bytes(16))))
    step("key with spare bytes", msg(DUMP, ESP, ext(KEY_AUTH, struct.pack("=HH", 8, 0) + bytes(32))))
    context = struct.pack("=BBH", 1, 1, 8) + b"context\0"
    step("security context", msg(DUMP, ESP, ext(SEC_CTX, context)))
    step("security context too long for its text", msg(DUMP, ESP, ext(SEC_CTX, context + bytes(8))))
    step("security context cut", msg(DUMP, ESP, ext(SEC_CTX, struct.pack("=BBH", 1, 1, 16) + b"context\0")))
    step("security context of 5000 bytes", msg(DUMP, ESP, ext(SEC_CTX, struct.pack("=BBH", 1, 1, 5000) + bytes(5000))))


def spis():
    one = spirange(0x1000, 0x1000)
    step("getspi", msg(GETSPI, ESP, pair(), one))
    step("getspi in another mode", msg(GETSPI, ESP, pair(), spirange(0x1001, 0x1001), sa2(2, 5)))
    step("getspi for BEET", msg(GETSPI, ESP, pair(), spirange(0x1004, 0x1004), sa2(3, 5)))
    step("getspi for mode any", msg(GETSPI, ESP, pair("192.0.2.9"), spirange(0x1005, 0x1005), sa2(0)))
    step("getspi for a wrong mode", msg(GETSPI, ESP, pair(), spirange(0x1002, 0x1002), sa2(4)))
    step("getspi without range", msg(GETSPI, ESP, pair("192.0.2.7")))
    step("getspi IPv6", msg(GETSPI, ESP, pair("2001:db8::1", "2001:db8::2"), spirange(0x1006, 0x1006)))
    step("getspi of two families", msg(GETSPI, ESP, pair("192.0.2.1", "2001:db8::2"), one))
    step("getspi without destination", msg(GETSPI, ESP, addr(SRC, "192.0.2.1"), one))
    step("getspi without addresses", msg(GETSPI, ESP, one))
    step("getspi for a type without a protocol", msg(GETSPI, 5, pair(), one))
    step("larval: get", msg(GET, ESP, sa(0x1000), pair()))
    step("larval: dump", msg(DUMP, ESP))
    step("larval: dump of AH", msg(DUMP, AH))
    step("larval: update", msg(UPDATE, ESP, sa(0x1000), pair(), KEYS, sa2(1, 0)))
    step("larval: update of an unknown SPI", msg(UPDATE, ESP, sa(0x9999), pair(), KEYS))
    step("larval: add in its place", msg(ADD, ESP, sa(0x1001), pair(), KEYS, sa2(2, 5)))
    step("larval: delete", msg(DELETE, ESP, sa(0x1006), pair("2001:db8::1", "2001:db8::2")))
    # Each of the next three leaves a larval state without SPI: a dump would show them.
    step("getspi again: its only SPI is taken", msg(GETSPI, ESP, pair(), spirange(0x1005, 0x1005)))
    step("getspi for another mode: its only SPI is taken", msg(GETSPI, ESP, pair(), spirange(0x1005, 0x1005), sa2(2)))
    step("getspi of a range that ends before it begins", msg(GETSPI, ESP, pair(), spirange(0x1009, 0x1008)))
    step("getspi for IPComp beyond its range", msg(GETSPI, IPCOMP, pair(), spirange(0x10000, 0x10000)))
    step("getspi of type UNSPEC", msg(GETSPI, UNSPEC, pair(), spirange(0x1009, 0x1009)))
    step("flush", msg(FLUSH, UNSPEC))
    step("flush of nothing", msg(FLUSH, UNSPEC))
    step("dump of nothing", msg(DUMP, UNSPEC))


def states():
    step("add", msg(ADD, ESP, sa(0x2000), pair(), KEYS))
    step("add again", msg(ADD, ESP, sa(0x2000), pair(), KEYS))
    step("get", msg(GET, ESP, sa(0x2000), pair()))
    step("get with another source", msg(GET, ESP, sa(0x2000), pair("192.0.2.99")))
    step("get of another type", msg(GET, AH, sa(0x2000), pair()))
    step("get of UNSPEC", msg(GET, UNSPEC, sa(0x2000), pair()))
    step("get of a type without a protocol", msg(GET, 8, sa(0x2000), pair()))
    step("get without SA", msg(GET, ESP, pair()))
    step("get without source", msg(GET, ESP, sa(0x2000), addr(DST, "192.0.2.2")))
    step("get of two families", msg(GET, ESP, sa(0x2000), pair("2001:db8::1", "192.0.2.2")))
    step("update", msg(UPDATE, ESP, sa(0x2000), pair(), KEYS, life(HARD, 9, 9000, 900, 90),
            life(SOFT, 8, 8000, 800, 80)))
    step("update: what is kept", msg(GET, ESP, sa(0x2000), pair()))
    step("update to encapsulation", msg(UPDATE, ESP, sa(0x2000), pair(), KEYS, natt()))
    step("update of nothing", msg(UPDATE, ESP, sa(0x2001), pair(), KEYS))
    step("delete without SA", msg(DELETE, ESP, pair()))
    step("delete of UNSPEC", msg(DELETE, UNSPEC, sa(0x2000), pair()))
    step("delete without destination", msg(DELETE, ESP, sa(0x2000), addr(SRC, "192.0.2.1")))
    step("delete", msg(DELETE, ESP, sa(0x2000), pair()))
    step("delete again", msg(DELETE, ESP, sa(0x2000), pair()))
    step("add with all it can say",
            msg(ADD, ESP, sa(0x2010, 5, 12, 64, 0xe0000000), pair(), addr(PROXY, "10.1.0.0", 16, 17, 53),
                    key(KEY_AUTH, 256, 0xa2), key(KEY_ENCRYPT, 256, 0xe2), life(HARD, 5, 6, 7000, 8000),
                    life(SOFT, 4, 5, 6000, 7000), life(CURRENT, 1, 2, 3, 4), sa2(2, 77, 5), natt(2, 4500, 40000),
                    addr(NAT_OA, "10.9.9.9"), ext(ID_SRC, struct.pack("=HHQ", 2, 0, 7) + b"a.test\0\0"),
                    ext(KMPRIVATE, bytes(4)), ext(SEC_CTX, struct.pack("=BBH", 1, 1, 8) + b"context\0")))
    step("get it", msg(GET, ESP, sa(0x2010), pair()))
    step("update encapsulation", msg(UPDATE, ESP, sa(0x2010, 5), pair(), key(KEY_AUTH, 256), key(KEY_ENCRYPT, 256),
            natt(2, 4500, 40001)))
    step("get it with the new port", msg(GET, ESP, sa(0x2010), pair()))
    step("update it to none", msg(UPDATE, ESP, sa(0x2010, 5), pair(), key(KEY_AUTH, 256), key(KEY_ENCRYPT, 256)))
    step("add IPv6", msg(ADD, ESP, sa(0x2020), pair("2001:db8::1", "2001:db8::2"), KEYS, sa2(2, 3)))
    step("add IPv6 with an IPv4 proxy in tunnel mode", msg(ADD, ESP, sa(0x2021), pair("2001:db8::1", "2001:db8::2"),
                                                           addr(PROXY, "10.1.0.0", 16), KEYS, sa2(2, 3)))
    step("add IPv6 with an IPv4 proxy in transport mode", msg(ADD, ESP, sa(0x2022), pair("2001:db8::1", "2001:db8::2"),
                                                              addr(PROXY, "10.1.0.0", 16), KEYS, sa2(1, 3)))
    step("add BEET", msg(ADD, ESP, sa(0x2023), pair(), KEYS, sa2(3, 3)))
    step("add mode any", msg(ADD, ESP, sa(0x2024), pair(), KEYS, sa2(0, 3)))
    step("add a wrong mode", msg(ADD, ESP, sa(0x2025), pair(), KEYS, sa2(4, 3)))
    step("dump", msg(DUMP, ESP))
    step("dump all", msg(DUMP, UNSPEC))
    step("dump of a type without a protocol", msg(DUMP, 6))
    empty = bytes(16)
    left = socket.inet_aton("192.0.2.1") + bytes(12)
    for name, kind in (("source", struct.pack("=HBB", 2, 32, 0)), ("no", struct.pack("=HBB", 0, 0, 0)),
            ("family", struct.pack("=HBB", 10, 0, 0)),
                       ("a too long", struct.pack("=HBB", 2, 129, 0))):
        step("dump with %s filter" % name, msg(DUMP, ESP, ext(FILTER, left + empty + kind)))
    step("add without encryption key", msg(ADD, ESP, sa(0x2030), pair(), key(KEY_AUTH, 160)))
    step("add without authentication", msg(ADD, ESP, sa(0x2031, 0), pair(), key(KEY_ENCRYPT, 128)))
    step("add with an authentication key for none", msg(ADD, ESP, sa(0x2032, 0), pair(), KEYS))
    step("add without either algorithm", msg(ADD, ESP, sa(0x2033, 0, 0), pair(), KEYS))
    step("add without encryption algorithm", msg(ADD, ESP, sa(0x2034, 3, 0), pair(), KEYS))
    step("add null encryption", msg(ADD, ESP, sa(0x2035, 3, 11), pair(), key(KEY_AUTH, 160), key(KEY_ENCRYPT, 0)))
    step("add null authentication", msg(ADD, ESP, sa(0x2036, 251, 12), pair(), key(KEY_AUTH, 0), key(KEY_ENCRYPT, 128)))
    step("add an empty authentication key",
            msg(ADD, ESP, sa(0x2037, 3, 12), pair(), key(KEY_AUTH, 0), key(KEY_ENCRYPT, 128)))
    step("add an empty encryption key",
            msg(ADD, ESP, sa(0x2038, 3, 12), pair(), key(KEY_AUTH, 160), key(KEY_ENCRYPT, 0)))
    step("add without authentication key", msg(ADD, ESP, sa(0x2039, 3, 12), pair(), key(KEY_ENCRYPT, 128)))
    step("add a key of 120 bits", msg(ADD, ESP, sa(0x203a, 3, 12), pair(), key(KEY_AUTH, 160), key(KEY_ENCRYPT, 120)))
    step("add a hard limit without a soft one", msg(ADD, ESP, sa(0x203b), pair(), KEYS, life(HARD)))
    step("add a soft limit without a hard one", msg(ADD, ESP, sa(0x203c), pair(), KEYS, life(SOFT)))
    step("add without SA", msg(ADD, ESP, pair(), KEYS))
    step("add without source", msg(ADD, ESP, sa(0x203d), addr(DST, "192.0.2.2"), KEYS))
    step("add of two families", msg(ADD, ESP, sa(0x203e), pair("192.0.2.1", "2001:db8::2"), KEYS))
    step("add of UNSPEC", msg(ADD, UNSPEC, sa(0x203f), pair(), KEYS))
    step("add of a type without a protocol", msg(ADD, 7, sa(0x2040), pair(), KEYS))
    step("add AH", msg(ADD, AH, sa(0x2041, 3, 0), pair(), key(KEY_AUTH, 160), sa2(1, 6)))
    step("add AH in tunnel mode", msg(ADD, AH, sa(0x2042, 5, 0), pair(), key(KEY_AUTH, 256), sa2(2, 6)))
    step("add AH without key", msg(ADD, AH, sa(0x2043, 3, 0), pair()))
    step("add AH without algorithm", msg(ADD, AH, sa(0x2044, 0, 0), pair(), key(KEY_AUTH, 160)))
    step("add AH with encapsulation", msg(ADD, AH, sa(0x2046, 3, 0), pair(), key(KEY_AUTH, 160), natt()))
    step("add AH with the SPI of ESP", msg(ADD, AH, sa(0x2010, 3, 0), pair(), key(KEY_AUTH, 160)))
    step("get AH", msg(GET, AH, sa(0x2010), pair()))
    step("dump AH", msg(DUMP, AH))
    step("getspi AH", msg(GETSPI, AH, pair("192.0.2.8"), spirange(0x2047, 0x2047)))
    step("update AH", msg(UPDATE, AH, sa(0x2047, 3, 0), pair("192.0.2.8"), key(KEY_AUTH, 160)))
    step("add IPComp", msg(ADD, IPCOMP, sa(0x2050, 0, 2), pair()))
    step("add IPComp in tunnel mode", msg(ADD, IPCOMP, sa(0x2051, 0, 2), pair(), sa2(2, 6)))
    step("add IPComp without code", msg(ADD, IPCOMP, sa(0x2052, 0, 3), pair()))
    step("add IPComp with an unknown algorithm", msg(ADD, IPCOMP, sa(0x2053, 0, 5), pair()))
    step("add IPComp without algorithm", msg(ADD, IPCOMP, sa(0x2054, 0, 0), pair()))
    step("getspi IPComp", msg(GETSPI, IPCOMP, pair("192.0.2.8"), spirange(0x55, 0x55)))
    step("update IPComp", msg(UPDATE, IPCOMP, sa(0x55, 0, 2), pair("192.0.2.8")))
    step("dump IPComp", msg(DUMP, IPCOMP))
    step("delete IPComp", msg(DELETE, IPCOMP, sa(0x2050), pair()))
    step("flush IPComp", msg(FLUSH, IPCOMP))
    step("dump AH, ESP and IPComp", msg(DUMP, UNSPEC))
    step("add encapsulation 0", msg(ADD, ESP, sa(0x2046), pair(), KEYS, natt(0)))
    step("add ports without encapsulation", msg(ADD, ESP, sa(0x2048), pair(), KEYS, port(NAT_SPORT, 1)))
    step("add SPI 0", msg(ADD, ESP, sa(0), pair(), KEYS))
    for number in range(1, 26):
        if number in (2, 3, 6, 7, 11, 12, 13, 22, 24):
            continue
        step("add with unknown encryption %d" % number,
                msg(ADD, ESP, sa(0x2100 + number, 0, number), pair(), key(KEY_ENCRYPT, 160)))
    for number, bits in ((2, 64), (3, 192), (6, 128), (7, 128), (13, 160), (22, 128), (252, 128), (253, 128)):
        step("add with encryption %d" % number,
                msg(ADD, ESP, sa(0x2100 + number, 2, number), pair(), key(KEY_AUTH, 128), key(KEY_ENCRYPT, bits)))
    step("add with encryption 254", msg(ADD, ESP, sa(0x21fe, 3, 254), pair(), KEYS))
    for number, bits in ((2, 128), (3, 160), (5, 256), (6, 384), (7, 512), (8, 160), (9, 128)):
        step("add with authentication %d" % number,
                msg(ADD, ESP, sa(0x2200 + number, number, 12), pair(), key(KEY_AUTH, bits), key(KEY_ENCRYPT, 128)))
    for number in (1, 4, 11, 250, 252, 255):
        step("add with authentication %d" % number, msg(ADD, ESP, sa(0x2200 + number, number, 12), pair(), KEYS))
    step("add with key sizes other than usual",
            msg(ADD, ESP, sa(0x2300), pair(), key(KEY_AUTH, 1), key(KEY_ENCRYPT, 121)))
    step("add with a long authentication key",
            msg(ADD, ESP, sa(0x2301), pair(), key(KEY_AUTH, 2048), key(KEY_ENCRYPT, 256)))
    step("add with 3DES and 64 bits", msg(ADD, ESP, sa(0x2302, 2, 3), pair(), key(KEY_AUTH, 128), key(KEY_ENCRYPT, 64)))
    for window in (0, 1, 31, 32, 33, 255):
        step("add with a window of %d" % window, msg(ADD, ESP, sa(0x2310 + window, replay=window), pair(), KEYS))
    for flags in (1, 0x20000000, 0x40000000, 0x80000000, 0x1fffffff):
        step("add with flags 0x%x" % flags, msg(ADD, ESP, sa(0x2400 + (flags >> 20), flags=flags), pair(), KEYS))
    for limit in (0, 1, (1 << 32) - 1):
        wide = limit if limit < 2 else (1 << 64) - 1
        step("add with limits of %d" % limit,
                msg(ADD, ESP, sa(0x2500 + (limit & 0xff)), pair(), KEYS, life(HARD, limit, wide, 0, 0),
                life(SOFT, limit, wide, 0, 0)))
    step("add with state dead", msg(ADD, ESP, sa(0x2600, state=3), pair(), KEYS))
    step("add with pid and sequence 0", msg(ADD, ESP, sa(0x2601), pair(), KEYS, seq=0, pid=0))
    step("add with an error number", msg(ADD, ESP, sa(0x2602), pair(), KEYS, err=22))
    step("add to a multicast address", msg(ADD, ESP, sa(0x2603), pair("192.0.2.1", "224.0.0.9"), KEYS))
    step("add from and to any", msg(ADD, ESP, sa(0x2604), pair("0.0.0.0", "0.0.0.0"), KEYS))
    step("add a source prefix", msg(ADD, ESP, sa(0x2605),
            addr(SRC, "192.0.2.1", 8, 6, 80) + addr(DST, "192.0.2.2", 0, 17, 53), KEYS))
    step("add with a policy and other extensions that mean nothing here",
            msg(ADD, ESP, sa(0x2606), pair(), KEYS, policy(), spirange(1, 2), ext(SENS, bytes(12)),
                    ext(PROP, bytes(4)), ext(40, bytes(12))))
    step("add BEET with a proxy", msg(ADD, ESP, sa(0x2607), pair(), addr(PROXY, "10.0.0.1", 32), KEYS, sa2(3, 3)))
    step("add IPv4 with an IPv6 proxy in tunnel mode",
            msg(ADD, ESP, sa(0x2608), pair(), addr(PROXY, "2001:db8::", 32), KEYS, sa2(2, 3)))
    step("get by the sequence of another", msg(GET, ESP, sa(0x2607), pair(), seq=3))
    step("dump of many", msg(DUMP, ESP))
    step("flush AH", msg(FLUSH, AH))
    step("flush a type without a protocol", msg(FLUSH, 5))
    step("flush ESP", msg(FLUSH, ESP))


def policies():
    last = {}

    def added(name, *args, **kwargs):
        answers = step(name, msg(*args, **kwargs))
        for data in answers.get("c", []):
            if len(data) > 16:
                at = 16
                while at < len(data):
                    size, kind = struct.unpack_from("=HH", data, at)
                    if kind == POLICY:
                        last["index"] = struct.unpack_from("=I", data, at + 8)[0]
                    at += size * 8
        return answers

    nets = addr(SRC, "10.1.0.0", 16, 255) + addr(DST, "10.2.0.0", 16, 255)
    step("spddump of nothing", msg(SPDDUMP, UNSPEC))
    step("spdflush of nothing", msg(SPDFLUSH, UNSPEC))
    added("spdadd", SPDADD, UNSPEC, nets, policy(requests=request()))
    step("spdget", msg(SPDGET, UNSPEC, policy(index=last["index"])))
    step("spdget of another type and direction", msg(SPDGET, ESP, policy(kind=0, direction=0, index=last["index"])))
    step("spdget of an unknown index", msg(SPDGET, UNSPEC, policy(index=last["index"] + 8000)))
    step("spdget of index 0", msg(SPDGET, UNSPEC, policy(index=0)))
    step("spdget of index 3", msg(SPDGET, UNSPEC, policy(index=3)))
    step("spdget of index 7", msg(SPDGET, UNSPEC, policy(index=7)))
    step("spdget without policy", msg(SPDGET, UNSPEC, nets))
    step("spdadd again", msg(SPDADD, UNSPEC, nets, policy(requests=request())))
    added("spdupdate", SPDUPDATE, UNSPEC, nets, policy(priority=9, requests=TUNNEL))
    added("spdupdate of none", SPDUPDATE, ESP, nets, policy(direction=1, requests=TUNNEL))
    added("spdsetidx", SPDSETIDX, UNSPEC, nets, policy(direction=3, requests=TUNNEL))
    step("spddump", msg(SPDDUMP, UNSPEC))
    step("spddump of ESP", msg(SPDDUMP, ESP))
    step("spddelete", msg(SPDDELETE, UNSPEC, nets, policy(direction=1)))
    step("spddelete again", msg(SPDDELETE, UNSPEC, nets, policy(direction=1)))
    step("spddelete with another prefix",
            msg(SPDDELETE, UNSPEC, addr(SRC, "10.1.0.0", 24, 255), addr(DST, "10.2.0.0", 16, 255), policy()))
    step("spddelete with a protocol",
            msg(SPDDELETE, UNSPEC, addr(SRC, "10.1.0.0", 16, 17), addr(DST, "10.2.0.0", 16, 17), policy()))
    step("spddelete in direction 0", msg(SPDDELETE, UNSPEC, nets, policy(direction=0)))
    step("spddelete in direction 4", msg(SPDDELETE, UNSPEC, nets, policy(direction=4)))
    step("spddelete without policy", msg(SPDDELETE, UNSPEC, nets))
    step("spddelete2", msg(SPDDELETE2, UNSPEC, policy(index=last["index"])))
    step("spddelete2 again", msg(SPDDELETE2, UNSPEC, policy(index=last["index"])))
    step("spdadd of two families", msg(SPDADD, UNSPEC, addr(SRC, "10.1.0.0", 16), addr(DST, "2001:db8::", 32),
            policy()))
    step("spdadd without source", msg(SPDADD, UNSPEC, addr(DST, "10.2.0.0", 16), policy()))
    step("spdadd without policy", msg(SPDADD, UNSPEC, nets))
    for kind in (3, 4, 5):
        step("spdadd of type %d" % kind, msg(SPDADD, UNSPEC, nets, policy(kind=kind)))
    for direction in (0, 4, 5):
        step("spdadd in direction %d" % direction, msg(SPDADD, UNSPEC, nets, policy(direction=direction)))
    hosts = addr(SRC, "10.3.0.1", 32, 17, 5000) + addr(DST, "10.3.0.2", 32, 17, 53)
    added("spdadd discard with ports", SPDADD, UNSPEC, hosts, policy(kind=0, direction=1, priority=0xfffffff0))
    added("spdadd none with requests, which do not count", SPDADD, UNSPEC, hosts,
            policy(kind=1, direction=2, requests=request()))
    added("spdadd with two protocols: the destination's counts", SPDADD, UNSPEC, addr(SRC, "10.3.0.3", 32, 6),
            addr(DST, "10.3.0.4", 32, 17), policy(1))
    added("spdadd with lifetimes", SPDADD, UNSPEC, addr(SRC, "10.3.0.5"), addr(DST, "10.3.0.6"), policy(1),
            life(HARD, 1, 2, 3000, 4000),
          life(SOFT, 5, 6, 7000, 8000), life(CURRENT, 1, 1, 1, 1))
    added("spdadd with a hard lifetime only", SPDADD, UNSPEC, addr(SRC, "10.3.0.7"), addr(DST, "10.3.0.8"), policy(1),
            life(HARD, 1, 2, 3000, 4000))
    added("spdadd IPsec without requests", SPDADD, UNSPEC, addr(SRC, "10.3.0.9"), addr(DST, "10.3.0.10"), policy(2))
    added("spdadd IPv6", SPDADD, UNSPEC, addr(SRC, "2001:db8:1::", 48, 58, 1), addr(DST, "2001:db8:2::", 48, 58, 2),
          policy(requests=request(mode=2, ends=ends("2001:db8::1", "2001:db8::2"))))
    added("spdadd IPv6 in IPv4", SPDADD, UNSPEC, addr(SRC, "2001:db8:3::", 48), addr(DST, "2001:db8:2::", 48),
            policy(requests=TUNNEL))
    added("spdadd IPv4 in IPv6", SPDADD, UNSPEC, addr(SRC, "10.4.0.0", 16), addr(DST, "10.2.0.0", 16),
          policy(requests=request(mode=2, ends=ends("2001:db8::1", "2001:db8::2"))))
    for level in (0, 1, 2, 3, 4, 255):
        added("spdadd level %d" % level, SPDADD, UNSPEC, addr(SRC, "10.5.0.%d" % level), addr(DST, "10.2.0.0", 16),
              policy(requests=request(level=level)))
        added("spdadd level %d with reqid" % level, SPDADD, UNSPEC, addr(SRC, "10.6.0.%d" % level),
                addr(DST, "10.2.0.0", 16),
              policy(requests=request(level=level, reqid=21)))
    added("spdadd unique with the last manual reqid", SPDADD, UNSPEC, addr(SRC, "10.7.0.1"), addr(DST, "10.2.0.0", 16),
          policy(requests=request(level=3, reqid=0x3fff)))
    added("spdadd unique with a reqid too large", SPDADD, UNSPEC, addr(SRC, "10.7.0.2"), addr(DST, "10.2.0.0", 16),
          policy(requests=request(level=3, reqid=0x4000)))
    added("spdadd tunnel use in", SPDADD, UNSPEC, addr(SRC, "10.7.0.3"), addr(DST, "10.2.0.0", 16),
          policy(direction=1, requests=request(mode=2, level=1, ends=ends())))
    step("spdadd tunnel use out", msg(SPDADD, UNSPEC, addr(SRC, "10.7.0.4"), addr(DST, "10.2.0.0", 16),
                                      policy(requests=request(mode=2, level=1, ends=ends()))))
    step("spdadd BEET use out", msg(SPDADD, UNSPEC, addr(SRC, "10.7.0.4"), addr(DST, "10.2.0.0", 16),
            policy(requests=request(mode=3, level=1))))
    added("spdadd BEET", SPDADD, UNSPEC, addr(SRC, "10.7.0.5"), addr(DST, "10.2.0.0", 16),
            policy(requests=request(mode=3)))
    for proto in (51, 108, 60, 43):
        added("spdadd protocol %d" % proto, SPDADD, UNSPEC, addr(SRC, "10.8.0.%d" % proto), addr(DST, "10.2.0.0", 16),
              policy(requests=request(proto=proto)))
    for proto in (0, 6, 255, 306):
        step("spdadd protocol %d" % proto,
                msg(SPDADD, UNSPEC, addr(SRC, "10.8.1.1"), addr(DST, "10.2.0.0", 16),
                policy(requests=request(proto=proto))))
    for mode in (0, 4, 5):
        step("spdadd mode %d" % mode, msg(SPDADD, UNSPEC, addr(SRC, "10.8.1.1"), addr(DST, "10.2.0.0", 16),
                policy(requests=request(mode=mode))))
    host = addr(SRC, "10.8.1.2") + addr(DST, "10.2.0.0", 16)
    step("spdadd tunnel without ends", msg(SPDADD, UNSPEC, host, policy(requests=request(mode=2))))
    step("spdadd tunnel with one end",
            msg(SPDADD, UNSPEC, host, policy(requests=request(mode=2, ends=sockaddr("10.0.0.1")))))
    step("spdadd tunnel with ends of two families",
            msg(SPDADD, UNSPEC, host, policy(requests=request(mode=2,
            ends=sockaddr("10.0.0.1") + sockaddr("2001:db8::1") + bytes(4)))))
    step("spdadd tunnel with ends of AF_UNIX",
            msg(SPDADD, UNSPEC, host, policy(requests=request(mode=2, ends=struct.pack("=H", 1) + bytes(30)))))
    step("spdadd tunnel with ends of AF_UNSPEC",
            msg(SPDADD, UNSPEC, host, policy(requests=request(mode=2, ends=bytes(32)))))
    step("spdadd request of length 0", msg(SPDADD, UNSPEC, host, policy(requests=request(length=0))))
    step("spdadd request of length 15", msg(SPDADD, UNSPEC, host, policy(requests=request(length=15))))
    step("spdadd request longer than the policy", msg(SPDADD, UNSPEC, host, policy(requests=request(length=24))))
    added("spdadd with 8 bytes behind the request", SPDADD, UNSPEC, host, policy(requests=request() + bytes(8)))
    added("spdadd transport request with ends", SPDADD, UNSPEC, addr(SRC, "10.8.1.3"), addr(DST, "10.2.0.0", 16),
            policy(requests=request(ends=ends())))
    added("spdadd six requests", SPDADD, UNSPEC, addr(SRC, "10.8.1.4"), addr(DST, "10.2.0.0", 16),
            policy(requests=request() * 5 + TUNNEL))
    step("spdadd seven requests", msg(SPDADD, UNSPEC, addr(SRC, "10.8.1.5"), addr(DST, "10.2.0.0", 16),
            policy(requests=request() * 7)))
    added("spdadd AH and ESP", SPDADD, UNSPEC, addr(SRC, "10.8.1.6"), addr(DST, "10.2.0.0", 16),
          policy(requests=request(level=3, reqid=4) + request(proto=51, mode=2, level=3, reqid=4, ends=ends())))
    step("spddump of many", msg(SPDDUMP, UNSPEC))
    for length in (16, 24, 32, 40):
        step("spdadd tunnel request of length %d" % length,
                msg(SPDADD, UNSPEC, host, policy(requests=request(mode=2, ends=ends(), length=length) + bytes(16))))
    step("spdupdate to other ends and reqid", msg(SPDUPDATE, UNSPEC, addr(SRC, "10.8.1.6"), addr(DST, "10.2.0.0", 16),
         policy(priority=7, requests=request(mode=2, level=3, reqid=5, ends=ends("198.51.100.3", "198.51.100.4")))))
    step("spdupdate to none", msg(SPDUPDATE, UNSPEC, addr(SRC, "10.8.1.6"), addr(DST, "10.2.0.0", 16), policy(kind=1)))
    step("spdupdate to discard", msg(SPDUPDATE, UNSPEC, addr(SRC, "10.8.1.6"), addr(DST, "10.2.0.0", 16),
            policy(kind=0)))
    step("spdadd of everything", msg(SPDADD, UNSPEC, addr(SRC, "0.0.0.0", 0, 255), addr(DST, "0.0.0.0", 0, 255),
            policy(1)))
    step("spdadd of everything of IPv6",
            msg(SPDADD, UNSPEC, addr(SRC, "::", 0, 255), addr(DST, "::", 0, 255), policy(1)))
    step("spdadd of everything with protocol 0",
            msg(SPDADD, UNSPEC, addr(SRC, "0.0.0.0", 0, 0), addr(DST, "0.0.0.0", 0, 0), policy(1)))
    step("spdadd with an id", msg(SPDADD, UNSPEC, addr(SRC, "10.8.2.1"), addr(DST, "10.2.0.0", 16),
            policy(1, index=0x7771)))
    step("spdadd with host bits", msg(SPDADD, UNSPEC, addr(SRC, "10.8.2.1", 8), addr(DST, "10.2.0.1", 16), policy(1)))
    step("spddelete with other host bits",
            msg(SPDDELETE, UNSPEC, addr(SRC, "10.9.2.1", 8), addr(DST, "10.2.0.2", 16), policy(1)))
    step("spddelete with the same",
            msg(SPDDELETE, UNSPEC, addr(SRC, "10.8.2.1", 8), addr(DST, "10.2.0.1", 16), policy(1)))
    step("spdflush of type ESP", msg(SPDFLUSH, ESP))


def negotiation():
    step("acquire with extensions", msg(ACQUIRE, ESP, sa(1), err=3))
    step("acquire without error", msg(ACQUIRE, ESP, seq=77))
    step("acquire with error for nothing", msg(ACQUIRE, ESP, seq=77, err=3))
    step("acquire of sequence 0", msg(ACQUIRE, ESP, seq=0, err=3))
    step("acquire: policy", msg(SPDADD, UNSPEC, addr(SRC, "0.0.0.0", 0), addr(DST, "192.0.2.40", 32),
            policy(requests=request())))
    r.name("acquire: packet")
    answers = r.packet("192.0.2.40")
    seq = struct.unpack_from("=I", answers["r"][0], 8)[0]
    r.name("acquire: packet while one asks already")
    r.packet("192.0.2.40")
    step("acquire: larval state", msg(DUMP, ESP))
    step("acquire: spi", msg(GETSPI, ESP, pair("192.0.2.1", "192.0.2.40"), spirange(0x3000, 0x3000), seq=seq))
    step("acquire: add", msg(ADD, ESP, sa(0x3001), pair("192.0.2.1", "192.0.2.40"), KEYS, seq=seq))
    step("acquire: dump", msg(DUMP, ESP))
    step("acquire: flush", msg(FLUSH, ESP))
    r.name("acquire: second packet")
    answers = r.packet("192.0.2.40")
    seq = struct.unpack_from("=I", answers["r"][0], 8)[0]
    step("acquire: failed", msg(ACQUIRE, ESP, seq=seq, err=110))
    step("acquire: failed, dump", msg(DUMP, ESP))
    r.name("acquire: packet after failure")
    r.packet("192.0.2.40")
    step("acquire: flush after failure", msg(FLUSH, ESP))
    step("acquire: tunnel policy", msg(SPDUPDATE, UNSPEC, addr(SRC, "0.0.0.0", 0), addr(DST, "192.0.2.40", 32),
            policy(priority=5, requests=request(mode=2, level=3, reqid=9, ends=ends("192.0.2.1", "192.0.2.50")))))
    r.name("acquire: packet for the tunnel")
    r.packet("192.0.2.40")
    step("acquire: tunnel, larval state", msg(DUMP, ESP))
    step("acquire: end", msg(FLUSH, ESP))
    step("acquire: end of policies", msg(SPDFLUSH, UNSPEC))


def expiry():
    step("expiry: add", msg(ADD, ESP, sa(0x4000), pair(), KEYS, life(HARD, add=6), life(SOFT, add=3)))
    r.name("expiry: soft")
    r.wait(4)
    step("expiry: dying", msg(GET, ESP, sa(0x4000), pair()))
    r.name("expiry: hard")
    r.wait(4)
    step("expiry: gone", msg(GET, ESP, sa(0x4000), pair()))
    step("expiry: policy", msg(SPDADD, UNSPEC, addr(SRC, "10.3.0.5"), addr(DST, "10.3.0.6"), policy(1),
            life(HARD, add=6), life(SOFT, add=3)))
    r.name("expiry: policy goes in silence")
    r.wait(8)
    step("expiry: no policy", msg(SPDDUMP, UNSPEC))


for part in (registration, headers, extensions, spis, states, policies, negotiation, expiry):
    part()
