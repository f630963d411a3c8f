"""Two gateways in the host's stack, disturbed at random under traffic, and nothing may pass in the clear.

  chaos.py run DIRECTORY LAUNCHER [--seconds N] [--seed N] [--only NAME,NAME]    ends with 1 and says why, or with 0
  chaos.py sniff | watch | send | inject ...                                     its parts, one in each host

         hosta --lan-- a ==eth1== wires ==eth1== b --lan-- hostb       charon: 10.1 <-> 10.2, fd01 <-> fd02, by eth1
                         ==eth2==       ==eth2==                       by hand: 10.11 <-> 10.12, fd11 <-> fd12, by eth2

A policy that blocks, of low priority, stands behind each that protects. What is to be protected says SECRET, what is
sent in the clear towards the gateways says FORGED: neither may be seen on a wire, nor behind a gateway.
"""
import argparse
import ctypes
import itertools
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from ipaddress import ip_address, ip_network

SECRET = b"to-be-protected!"
FORGED = b"sent-in-the-clear"
CONTROL = b"control"
PROTECTED = [ip_network(n) for n in ("10.1.0.0/16", "10.2.0.0/16", "10.11.0.0/16", "10.12.0.0/16",
                                     "fd01::/16", "fd02::/16", "fd11::/16", "fd12::/16", "239.7.7.7/32")]
PAIRS = [("10.1.0.0/16", "10.2.0.0/16"), ("fd01::/16", "fd02::/16"),
         ("10.11.0.0/16", "10.12.0.0/16"), ("fd11::/16", "fd12::/16")]
SO_PRIORITY, SO_MARK, SO_BINDTODEVICE, SO_ATTACH_FILTER, SO_RCVBUFFORCE = 12, 36, 25, 26, 33
KEY = "0x000102030405060708090a0b0c0d0e0f10111213"
MAC = "02:aa:00:00:%02x:%02x"
PLUGINS = ("random nonce pem pkcs1 pkcs8 pubkey x509 openssl curve25519 hmac kdf aes sha1 sha2 gmp gcm kernel-netlink"
           " socket-default vici")


# What is seen -----------------------------------------------------------------------------------------------------

def addresses(packet):
    """Source, destination, protocol, and the rest of an IP packet; None for anything else."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        return ip_address(packet[12:16]), ip_address(packet[16:20]), packet[9], packet[(packet[0] & 15) * 4:]
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        return ip_address(packet[8:24]), ip_address(packet[24:40]), packet[6], packet[40:]
    return None


def is_protected(address):
    return any(address in net for net in PROTECTED if net.version == address.version)


def is_error(protocol, rest):
    """ICMP errors quote what they are about, which was not delivered, and are of nobody's policy."""
    return bool(rest) and (protocol == 1 and rest[0] in (3, 11, 12) or protocol == 58 and rest[0] < 128)


def say(*words):
    print("%.3f" % time.time(), *words, flush=True)


def packet_socket(text):
    """All devices of this namespace, also those that come later; the filter is tcpdump's."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    program = subprocess.run(["tcpdump", "-ddd", "-y", "RAW", text], capture_output=True, text=True).stdout.split()
    code = b"".join(struct.pack("=HBBI", *map(int, program[i:i + 4])) for i in range(1, len(program), 4))
    room = ctypes.create_string_buffer(code)
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", int(program[0]), ctypes.addressof(room)))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    return sock


def look(judge):
    sock = packet_socket("not (ip proto 50 or ip6 proto 50)")
    say("looking")
    sock.settimeout(1)
    while True:
        try:
            packet, (device, _, kind, *_) = sock.recvfrom(65535)
            judge(packet, device, kind)
        except TimeoutError:
            pass
        lost = struct.unpack("II", sock.getsockopt(263, 6, 8))[1]
        if lost:
            say("MISSED", lost)


def sniff():
    """On the wires: everything that should have been protected."""
    counts = {"control": 0, "forged": 0}

    def judge(packet, device, _):
        if FORGED in packet:
            return
        found = addresses(packet)
        if found is None:
            return
        source, destination, protocol, rest = found
        between = is_protected(source) and is_protected(destination) or destination == ip_address("239.7.7.7")
        if SECRET + CONTROL in packet:
            say("CONTROL", device)
        elif between or SECRET in packet and not is_error(protocol, rest):
            say("LEAK", device, source, destination, protocol, rest[:24].hex())
    look(judge)


def watch():
    """Behind a gateway: everything that was sent in the clear towards it."""
    def judge(packet, device, _):
        found = addresses(packet)
        if FORGED + CONTROL in packet:
            say("CONTROL", device)
        elif FORGED in packet and not (found and is_error(*found[2:])):
            say("LEAK", device, *(found or ["?"])[:3])
    look(judge)


def accept():
    """On a gateway: what its stack delivers of that."""
    def listen(family, protocol):
        sock = socket.socket(family, socket.SOCK_RAW, protocol)
        while True:
            packet = sock.recv(65535)
            if FORGED + CONTROL in packet:
                say("CONTROL", "local")
            elif FORGED in packet and not is_error(protocol, packet[20 if family == socket.AF_INET else 0:]):
                say("LEAK", "local", family.name, protocol, packet[:40].hex())
    for family, protocols in ((socket.AF_INET, (1, 6, 17)), (socket.AF_INET6, (58, 6, 17))):
        for protocol in protocols:
            threading.Thread(target=listen, args=(family, protocol), daemon=True).start()
    say("looking")
    signal.pause()


# What is sent -----------------------------------------------------------------------------------------------------

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(*flows):
    """Flows: SOURCE>DESTINATION, which may be followed by @DEVICE."""
    chance = random.Random()
    parsed = [re.match(r"(.*)>([^@]*)@?(.*)", flow).groups() for flow in flows]
    for family in (socket.AF_INET, socket.AF_INET6):
        threading.Thread(target=serve_tcp, args=(family,), daemon=True).start()
    for source, destination, device in parsed:
        if not device:
            threading.Thread(target=keep_tcp, args=(source, destination), daemon=True).start()
    kept = {}
    while True:
        flow = chance.choice(parsed)
        try:
            send_one(chance, kept, *flow)
        except OSError:
            for sock in kept.pop(flow, []):
                sock.close()
        time.sleep(0.01)


def send_one(chance, kept, source, destination, device):
    family = family_of(destination)
    flow = (source, destination, device)
    if flow not in kept or chance.random() < 0.02:
        for sock in kept.pop(flow, []):
            sock.close()
        kept[flow] = [datagrams(source, destination, device, 17, chance), datagrams(source, destination, device,
                      1 if family == socket.AF_INET else 58, chance)]
    udp, icmp = kept[flow]
    kind = chance.randrange(4)
    size = chance.choice((0, 0, 0, 100, 1380, 1500, 4000))
    if kind == 0:
        echo = struct.pack("!BBHHH", 8 if family == socket.AF_INET else 128, 0, 0, 0x7777, 1) + SECRET + bytes(size)
        if family == socket.AF_INET:
            echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
        icmp.send(echo)
    elif kind == 1:
        with datagrams(source, destination, device, 17, chance) as fresh:
            fresh.send(SECRET + bytes(size))
    else:
        udp.send(SECRET + bytes(size))


def datagrams(source, destination, device, protocol, chance):
    family = family_of(destination)
    sock = socket.socket(family, socket.SOCK_DGRAM if protocol == 17 else socket.SOCK_RAW,
                         0 if protocol == 17 else protocol)
    if chance.random() < 0.5:
        sock.setsockopt(socket.SOL_SOCKET, SO_MARK,
                        struct.pack("I", chance.choice((1, 0x77, 0x80000000, 0x40000000, 0xffffffff))))
    if device:
        sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode())
    if source:
        sock.bind((source, 0))
    sock.setblocking(False)
    sock.connect((destination, 7777 if protocol == 17 else 0))
    return sock


def serve_tcp(family):
    server = socket.create_server(("", 7777), family=family)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=answer_tcp, args=(connection,), daemon=True).start()


def answer_tcp(connection):
    try:
        connection.settimeout(20)
        while connection.recv(4096):
            connection.sendall(SECRET + bytes(3000))
    except OSError:
        pass
    finally:
        connection.close()


def keep_tcp(source, destination):
    while True:
        try:
            with socket.socket(family_of(destination)) as sock:
                sock.settimeout(3)
                if source:
                    sock.bind((source, 0))
                sock.connect((destination, 7777))
                for _ in range(100):
                    sock.sendall(SECRET + bytes(1000))
                    sock.recv(4096)
                    time.sleep(0.1)
        except OSError:
            time.sleep(0.2)


def ip_packet(source, destination, protocol, payload):
    source, destination = ip_address(source), ip_address(destination)
    if protocol in (6, 17, 58) and source.version == 6 or protocol in (6, 17):
        at = {6: 16, 17: 6, 58: 2}[protocol]
        value = checksum(source.packed + destination.packed + struct.pack("!II", len(payload), protocol) + payload)
        payload = payload[:at] + struct.pack("!H", value) + payload[at + 2:]
    elif protocol == 1:
        payload = payload[:2] + struct.pack("!H", checksum(payload)) + payload[4:]
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 60) + source.packed + destination.packed + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 60, protocol, 0)
    head += source.packed + destination.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def transport(protocol, text):
    if protocol == 17:
        return struct.pack("!HHHH", 7777, 7777, 8 + len(text), 0) + text
    if protocol == 6:
        return struct.pack("!HHIIBBHHH", 7777, 7777, 1, 0, 0x50, 2, 1000, 0, 0) + text
    return struct.pack("!BBHHH", 128 if protocol == 58 else 8, 0, 0, 1, 1) + text


def frame(mac, packet):
    kind = 0x86dd if packet[0] >> 4 == 6 else 0x800
    return bytes.fromhex(mac.replace(":", "")) + bytes.fromhex("02ee00000001") + struct.pack("!H", kind) + packet


def forged(side, host, chance, text):
    """A packet for a gateway or the host behind it, from the other's protected net."""
    there = {"a": ("2", "12"), "b": ("1", "11")}[side]
    here = {"a": ("1", "11"), "b": ("2", "12")}[side]
    net = chance.randrange(2)
    if chance.random() < 0.5:
        source, destination = "10.%s.0.2" % there[net], "10.%s.0.%d" % (here[net], host)
        protocol = chance.choice((1, 6, 17))
    else:
        source, destination = "fd%02d::2" % int(there[net]), "fd%02d::%d" % (int(here[net]), host)
        protocol = chance.choice((58, 6, 17))
    return ip_packet(source, destination, protocol, transport(protocol, text))


def inject():
    """On the wires: packets in the clear towards both gateways, from where only protected ones may come."""
    chance = random.Random()
    while True:
        side, uplink = chance.choice("ab"), chance.choice((1, 2))
        packet = forged(side, chance.choice((1, 2)), chance, FORGED)
        try:
            put(side + str(uplink), frame(MAC % (ord(side), uplink), packet))
        except OSError:
            pass
        time.sleep(0.02)


def put(device, data):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((device, 0))
        sock.send(data)


def control():
    """What the checker has to find: in the clear on the wires, and through each gateway by no policy's addresses."""
    put("a1", frame("02:ee:00:00:00:02", ip_packet("10.1.0.2", "10.2.0.2", 17, transport(17, SECRET + CONTROL))))
    put("b2", frame("02:ee:00:00:00:02", ip_packet("fd02::2", "fd01::2", 17, transport(17, SECRET + CONTROL))))
    for side, own in (("a", 1), ("b", 2)):
        for destination in ("192.0.2.%d" % own, "10.%d.0.2" % own):
            packet = ip_packet("192.0.2.9", destination, 17, transport(17, FORGED + CONTROL))
            put(side + "1", frame(MAC % (ord(side), 1), packet))


# The scene --------------------------------------------------------------------------------------------------------

class Failure(Exception):
    pass


def sh(*words, check=False, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if check and done.returncode:
        raise Failure("%s: %s" % (" ".join(words), done.stderr.strip() or done.stdout.strip()))
    return done


class Gateway:
    def __init__(self, scene, side):
        self.scene, self.side = scene, side
        self.own, self.other = (1, 2) if side == "a" else (2, 1)
        self.ns = scene.ns(side)
        self.directory = os.path.join(scene.directory, side)
        self.bridge = self.charon = None
        self.starts = 0
        # Held by who flushes tables, and by who ends what keeps them closed meanwhile.
        self.tables = threading.RLock()
        self.nobodys = False

    def ip(self, *words, check=False):
        return sh("ip", "-n", self.ns, *words, check=check)

    def inside(self, *words, **more):
        return sh("ip", "netns", "exec", self.ns, *words, **more)

    # Network

    def nets(self):
        return ("10.%d" % self.own, "fd0%d" % self.own), ("10.1%d" % self.own, "fd1%d" % self.own)

    def uplink(self, number):
        """Makes the uplink, or what is missing of it."""
        device, port = "eth%d" % number, "%s%d" % (self.side, number)
        if self.ip("link", "show", device).returncode:
            self.ip("link", "add", device, "address", MAC % (ord(self.side), number), "type", "veth", "peer", "name",
                    port, "netns", self.scene.ns("w"), check=True)
            sh("ip", "-n", self.scene.ns("w"), "link", "set", port, "master", "wire%d" % number, "up", check=True)
        self.ip("link", "set", device, "up", check=True)
        net4, net6 = ("192.0.2", "2001:db8:1:") if number == 1 else ("198.51.100", "2001:db8:2:")
        self.ip("address", "replace", "%s.%d/24" % (net4, self.own), "dev", device, check=True)
        self.ip("address", "replace", "%s:%d/64" % (net6, self.own), "dev", device, "nodad", check=True)
        far = (("10.%d.0.0/16", "fd0%d::/16"), ("10.1%d.0.0/16", "fd1%d::/16"))[number - 1]
        self.ip("route", "replace", far[0] % self.other, "via", "%s.%d" % (net4, self.other), "dev", device,
                check=True)
        self.ip("-6", "route", "replace", far[1] % self.other, "via", "%s:%d" % (net6, self.other), "dev", device,
                check=True)

    def network(self):
        """Everything as it is to be, whatever was done to it."""
        for family in ("-4", "-6"):
            rules = self.ip(family, "rule", "list").stdout
            for preference, table in (("0", "local"), ("32766", "main"), ("32767", "default")):
                if not re.search(r"^%s:.*lookup %s" % (preference, table), rules, re.M):
                    if family == "-4" or table != "default":
                        self.ip(family, "rule", "add", "pref", preference, "lookup", table)
        self.ip("link", "set", "lan", "up", check=True)
        for net4, net6 in self.nets():
            self.ip("address", "replace", net4 + ".0.1/24", "dev", "lan", check=True)
            self.ip("address", "replace", net6 + "::1/64", "dev", "lan", "nodad", check=True)
            # What was flushed with others' routes does not come back with its address.
            self.ip("route", "replace", net4 + ".0.0/24", "dev", "lan", "src", net4 + ".0.1")
            self.ip("-6", "route", "replace", net6 + "::/64", "dev", "lan")
        self.ip("link", "set", "lo", "up")
        for number in (1, 2):
            device, net = "eth%d" % number, ("192.0.2", "198.51.100")[number - 1]
            self.ip("link", "set", device, "up")
            self.ip("route", "replace", net + ".0/24", "dev", device, "src", "%s.%d" % (net, self.own))
            self.ip("-6", "route", "replace", "2001:db8:%d::/64" % number, "dev", device)
            self.uplink(number)
            self.ip("link", "set", device, "mtu", "1500")

    # Bridge

    def start_bridge(self):
        log = open(os.path.join(self.scene.directory, self.side + "-bridge.log"), "a")
        self.bridge = subprocess.Popen(["ip", "netns", "exec", self.ns, self.scene.launcher, "run", "--dir",
                                        self.directory], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       start_new_session=True)
        self.starts += 1

    def log(self):
        with open(os.path.join(self.scene.directory, self.side + "-bridge.log")) as text:
            return text.read()

    def await_bridge(self):
        def is_ready():
            if self.bridge.poll() is not None:
                raise Failure("the bridge of %s ended: %s" % (self.side, self.log()[-800:]))
            return self.is_served()
        self.scene.wait("the bridge of %s to be ready" % self.side, 90, is_ready)

    def is_served(self):
        return self.bridge.poll() is None and len(re.findall("^ready", self.log(), re.M)) >= self.starts

    def end_bridge(self, by):
        with self.tables:
            if self.bridge.poll() is None:
                self.bridge.send_signal(by)
                try:
                    self.bridge.wait(30)
                except subprocess.TimeoutExpired:
                    trace = sh("jstack", str(self.bridge.pid)).stdout
                    self.bridge.kill()
                    raise Failure("the bridge of %s does not end: %s" % (self.side, trace)) from None
            self.nobodys = self.nobodys or not self.guard_pids()

    def guard_pids(self):
        found = sh("pgrep", "-f", "xfrm-bridge-guard %s$" % re.escape(self.directory)).stdout.split()
        return [int(pid) for pid in found]

    def kill_guard(self):
        for pid in self.guard_pids():
            os.kill(pid, signal.SIGKILL)
        self.nobodys = self.nobodys or not self.is_served()

    def flush(self, *commands):
        """Tables of nobody stay; who flushes them then opens them, which no program that has ended can prevent."""
        with self.tables:
            if self.is_served():
                self.nobodys = False
            if not self.nobodys:
                for command in commands:
                    self.inside("nft", command)

    def exec(self, *words, **more):
        return self.inside(self.scene.launcher, "exec", "--dir", self.directory, "--", *words, timeout=60, **more)

    def batch(self, lines, check=False):
        """ip -batch for XFRM."""
        path = os.path.join(self.scene.directory, "%s-%d.batch" % (self.side, next(self.scene.counter)))
        with open(path, "w") as file:
            file.write("".join("xfrm " + line + "\n" for line in lines))
        done = self.exec("ip", "-force", "-batch", path)
        os.unlink(path)
        if check and done.returncode:
            raise Failure("ip -batch of %s: %s" % (self.side, (done.stdout + done.stderr)[-500:]))
        return done

    def covers(self):
        """
        What blocks behind all that protects: wider, as a policy takes the place of one of the same selector whatever
        its priority.
        """
        for pair in PAIRS:
            left, right = (ip_network(net).supernet() for net in pair)
            here, there = (left, right) if self.side == "a" else (right, left)
            yield "policy update src %s dst %s dir out action block priority 900000" % (here, there)
            for direction in ("in", "fwd"):
                yield "policy update src %s dst %s dir %s action block priority 900000" % (there, here, direction)
        for direction in ("out", "in"):
            yield ("policy update src 198.51.100.0/24 dst 198.51.100.0/24 dir %s action block priority 900000"
                   % direction)
        yield "policy update src 0.0.0.0/0 dst 239.7.7.7/32 dir out action block priority 900000"
        yield ("policy update src 0.0.0.0/0 dst 0.0.0.0/0 proto udp dport 7777 dir out action block priority 900000"
               " mark 0x77 mask 0xff")

    def protections(self):
        own, other = "198.51.100.%d" % self.own, "198.51.100.%d" % self.other
        tunnel = "tmpl src %s dst %s proto esp reqid 7 mode tunnel"
        for left, right in PAIRS[2:]:
            here, there = (left, right) if self.side == "a" else (right, left)
            yield "policy update src %s dst %s dir out priority 100 " % (here, there) + tunnel % (own, other)
            for direction in ("in", "fwd"):
                yield "policy update src %s dst %s dir %s priority 100 " % (there, here, direction) + tunnel % (
                    other, own)
        transport_mode = "tmpl proto esp reqid 8 mode transport"
        yield "policy update src %s dst %s dir out priority 100 %s" % (own, other, transport_mode)
        yield "policy update src %s dst %s dir in priority 100 %s" % (other, own, transport_mode)
        yield ("policy update src 198.51.100.0/24 dst 239.7.7.7/32 dir out priority 100 tmpl proto esp reqid 9"
               " mode transport")

    def states(self):
        own, other = "198.51.100.%d" % self.own, "198.51.100.%d" % self.other
        aead = " aead rfc4106(gcm(aes)) %s 128" % KEY
        for source, destination, spi in ((own, other, 0x700 + self.own), (other, own, 0x700 + self.other)):
            yield "state add src %s dst %s proto esp spi %d reqid 7 mode tunnel flag af-unspec" % (
                source, destination, spi) + aead
            yield "state add src %s dst %s proto esp spi %d reqid 8 mode transport" % (
                source, destination, spi + 0x100) + aead
        yield "state add src %s dst 239.7.7.7 proto esp spi 2304 reqid 9 mode transport" % own + aead

    def protect(self):
        """What is made by hand, again where it is lost."""
        self.batch(itertools.chain(self.covers(), self.protections()), check=True)
        for state in self.states():
            # One at a time: ip ends with the first that is there already, whatever -force says.
            unmade = self.batch([state]).stderr
            if re.search("answers: (?!File exists)", unmade):
                raise Failure("states of %s: %s" % (self.side, unmade))
        # Who was killed before a burst of policies was written down has closed for good.
        self.batch(["policy setdefault in accept fwd accept out accept"], check=True)

    # Daemon

    def start_charon(self):
        home = os.path.join(self.scene.directory, "charon-" + self.side)
        os.makedirs(home, exist_ok=True)
        with open(os.path.join(home, "strongswan.conf"), "w") as file:
            file.write("""charon-systemd {
 load_modular = no
 load = %s
 retransmit_timeout = 1
 retransmit_tries = 3
 install_routes = no
 make_before_break = yes
 plugins { vici { socket = unix://%s/vici } }
 syslog { daemon { default = -1 } }
 filelog { log { path = %s.log
  flush_line = yes
  time_format = %%H:%%M:%%S
  append = yes
  default = 1 } }
}
swanctl { load = random nonce pem pkcs1 pkcs8 x509 pubkey openssl }
""" % (PLUGINS, home, home))
        own, other = self.own, self.other
        with open(os.path.join(home, "swanctl.conf"), "w") as file:
            file.write("""connections { ab {
 version = 2
 proposals = aes128-sha256-x25519
 local_addrs = 192.0.2.%d
 remote_addrs = 192.0.2.%d
 mobike = no
 encap = %s
 dpd_delay = 2s
 rekey_time = 0
 local { auth = psk
  id = %s }
 remote { auth = psk
  id = %s }
 children {
  four { local_ts = 10.%d.0.0/16
   remote_ts = 10.%d.0.0/16
   %s }
  six { local_ts = fd0%d::/16
   remote_ts = fd0%d::/16
   %s }
 } } }
secrets { ike-any { secret = "a key for chaos" } }
""" % (own, other, self.scene.encap, self.side, "ab".replace(self.side, ""),
       own, other, CHILD, own, other, CHILD))
        self.environment = dict(os.environ, STRONGSWAN_CONF=home + "/strongswan.conf", SWANCTL_DIR=home)
        self.vici = "unix://%s/vici" % home
        log = open(os.path.join(self.scene.directory, self.side + "-charon.out"), "a")
        self.charon = subprocess.Popen(
            ["ip", "netns", "exec", self.ns, self.scene.launcher, "exec", "--dir", self.directory, "--", "unshare",
             "--mount", "sh", "-c", "mount -t tmpfs run /run && exec charon-systemd"], env=self.environment,
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def swanctl(self, *words):
        return self.inside("timeout", "30", "swanctl", *words, "--uri", self.vici, env=self.environment)

    def load_charon(self):
        def is_loaded():
            if self.charon.poll() is not None:
                raise Failure("charon of %s ended with %s" % (self.side, self.charon.returncode))
            return self.swanctl("--load-all", "--noprompt").returncode == 0
        self.scene.wait("charon of %s to take its connections" % self.side, 60, is_loaded)

    def end_charon(self, by):
        if self.charon.poll() is None:
            self.charon.send_signal(by)
            try:
                self.charon.wait(20)
            except subprocess.TimeoutExpired:
                self.charon.kill()
                self.charon.wait()


CHILD = """esp_proposals = aes128gcm16
   rekey_time = 6s
   life_time = 60s
   start_action = trap
   dpd_action = trap
   close_action = trap"""


class Scene:
    def __init__(self, options):
        self.directory, self.launcher = os.path.abspath(options.directory), os.path.abspath(options.launcher)
        self.prefix, self.seed = options.prefix, options.seed
        self.chance = random.Random(options.seed)
        self.liveness = options.liveness
        self.encap = self.chance.choice(("yes", "no"))
        self.counter = itertools.count()
        self.parts, self.controls, self.read = {}, {}, {}
        self.gateways = {side: Gateway(self, side) for side in "ab"}
        self.recoveries = []

    def ns(self, role):
        return self.prefix + role

    def wait(self, what, seconds, condition):
        end = time.monotonic() + seconds
        while not condition():
            self.judge()
            if time.monotonic() > end:
                raise Failure("waited %d s in vain for %s" % (seconds, what))
            time.sleep(0.1)

    def build(self):
        os.makedirs(self.directory, exist_ok=True)
        for role in ("a", "b", "hosta", "hostb", "w"):
            sh("ip", "netns", "add", self.ns(role), check=True)
            sh("ip", "-n", self.ns(role), "link", "set", "lo", "up", check=True)
            sh("ip", "netns", "exec", self.ns(role), "sh", "-c",
               "cd /proc/sys/net; echo 0 >ipv6/conf/default/accept_dad; echo 0 >ipv6/conf/all/accept_dad;"
               "echo %d >ipv6/conf/all/forwarding; echo %d >ipv4/ip_forward; echo 1 >ipv6/conf/all/keep_addr_on_down;"
               "echo 0 >ipv4/conf/all/rp_filter; echo 0 >ipv4/conf/default/rp_filter"
               % ((1, 1) if role in "ab" else (0, 0)))
        wires = ("ip", "-n", self.ns("w"))
        for number in (1, 2):
            sh(*wires, "link", "add", "wire%d" % number, "type", "bridge", "mcast_snooping", "0", check=True)
            sh(*wires, "link", "set", "wire%d" % number, "up", check=True)
        for side, gateway in self.gateways.items():
            host = ("ip", "-n", self.ns("host" + side))
            sh(*host, "link", "add", "eth0", "type", "veth", "peer", "name", "lan", "netns", gateway.ns, check=True)
            sh(*host, "link", "set", "eth0", "up", check=True)
            gateway.ip("link", "set", "lan", "up", check=True)
            for net4, net6 in gateway.nets():
                sh(*host, "address", "add", net4 + ".0.2/24", "dev", "eth0", check=True)
                sh(*host, "address", "add", net6 + "::2/64", "dev", "eth0", "nodad", check=True)
            for far in ("10.%d", "10.1%d"):
                near = far % gateway.own
                sh(*host, "route", "add", far % gateway.other + ".0.0/16", "via", near + ".0.1", "src", near + ".0.2",
                   check=True)
            sh(*host, "route", "add", "default", "via", "10.%d.0.1" % gateway.own, check=True)
            for far in ("fd0%d", "fd1%d"):
                near = far % gateway.own
                sh(*host, "-6", "route", "add", far % gateway.other + "::/16", "via", near + "::1", "src",
                   near + "::2", check=True)
            gateway.network()

    def part(self, role, name, *words):
        log = os.path.join(self.directory, "%s-%s.log" % (role, name))
        with open(log, "a") as output:
            process = subprocess.Popen(["ip", "netns", "exec", self.ns(role), sys.executable, __file__, name, *words],
                                       stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        self.parts[log] = process
        self.read[log] = 0
        return log

    def start(self):
        checkers = [self.part("w", "sniff")]
        for side in "ab":
            checkers += [self.part("host" + side, "watch"), self.part(side, "accept")]
        for log in checkers:
            self.controls[log] = 0
            self.wait("the checkers", 30, lambda log=log: "looking" in open(log).read())
        for gateway in self.gateways.values():
            gateway.start_bridge()
        for gateway in self.gateways.values():
            gateway.await_bridge()
            gateway.protect()
            gateway.start_charon()
        for gateway in self.gateways.values():
            gateway.load_charon()
        self.control()
        self.part("w", "inject")
        for side, gateway in self.gateways.items():
            own, other = gateway.own, gateway.other
            self.part("host" + side, "send", *[flow % (own, other) for flow in (
                "10.%d.0.2>10.%d.0.2", "fd0%d::2>fd0%d::2", "10.1%d.0.2>10.1%d.0.2", "fd1%d::2>fd1%d::2")],
                "10.%d.0.2>10.%d.0.1" % (own, other), "fd1%d::2>fd1%d::1" % (own, other))
            here = ["10.%d.0.1>10.%d.0.2", "fd0%d::1>fd0%d::1", "10.1%d.0.1>10.1%d.0.1", "fd1%d::1>fd1%d::2"]
            self.part(side, "send", *[flow % (own, other) + device for flow in here
                                      for device in ("", "@eth1", "@eth2")],
                      *["%s>239.7.7.7%s" % (source, device) for source, device in (
                          ("198.51.100.%d" % own, "@eth2"), ("192.0.2.%d" % own, "@eth1"))],
                      "198.51.100.%d>198.51.100.%d" % (own, other))
        self.alive("the start")

    def control(self):
        """The checkers have to find what they are shown."""
        before = dict(self.controls)
        end = time.monotonic() + 60
        while any(self.controls[log] == count for log, count in before.items()):
            if time.monotonic() > end:
                raise Failure("a checker does not see what it is shown: %s" % [
                    log for log in before if self.controls[log] == before[log]])
            sh("ip", "netns", "exec", self.ns("w"), sys.executable, __file__, "control", check=True)
            time.sleep(0.5)
            self.judge()

    def judge(self):
        for log, process in list(self.parts.items()):
            if process.poll() is not None:
                raise Failure("%s ended: %s" % (log, open(log).read()[-500:]))
            with open(log) as text:
                text.seek(self.read[log])
                lines = text.read()
                self.read[log] = text.tell()
            if log in self.controls:
                self.controls[log] += lines.count(" CONTROL ")
            found = [line for line in lines.splitlines() if "LEAK" in line or "MISSED" in line]
            if found:
                raise Failure("%d in the clear, seen by %s:\n%s" % (
                    len(found), os.path.basename(log), "\n".join(found[:20])))

    def pings(self):
        for side, gateway in self.gateways.items():
            own, other = gateway.own, gateway.other
            for role in ("host" + side, side):
                here = 2 if role != side else 1
                for near, far in (("10.%d.0.", "10.%d.0."), ("fd0%d::", "fd0%d::"), ("10.1%d.0.", "10.1%d.0."),
                                  ("fd1%d::", "fd1%d::")):
                    yield role, (near % own) + str(here), (far % other) + "2"

    def alive(self, after):
        """Everybody reaches everybody, within a time."""
        began = time.monotonic()
        waiting = list(self.pings())
        while waiting:
            self.judge()
            running = [(ping, subprocess.Popen(["ip", "netns", "exec", self.ns(ping[0]), "ping", "-q", "-n", "-c", "1",
                        "-W", "1", "-I", ping[1], ping[2]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                       for ping in waiting]
            waiting = [ping for ping, process in running if process.wait() != 0]
            if time.monotonic() - began > self.liveness:
                raise Failure("%d s after %s these do not pass:\n%s" % (
                    self.liveness, after, "\n".join(" ".join(ping) for ping in waiting)))
        took = time.monotonic() - began
        self.recoveries.append(took)
        return took

    def heal(self):
        for gateway in self.gateways.values():
            gateway.network()
            if gateway.bridge.poll() is not None:
                gateway.start_bridge()
        for gateway in self.gateways.values():
            gateway.await_bridge()
            if gateway.charon.poll() is not None:
                gateway.start_charon()
                gateway.load_charon()
            gateway.protect()

    def disturb(self, names):
        count = self.chance.choice((1, 1, 1, 2, 2, 3))
        chosen = [(self.chance.choice(names), self.gateways[self.chance.choice("ab")]) for _ in range(count)]
        what = ", ".join("%s of %s" % (name, gateway.side) for name, gateway in chosen)
        say("#", what)
        threads, failures = [], []

        def run(name, gateway, seed):
            try:
                DISTURBANCES[name](gateway, random.Random(seed))
            except Exception as failure:
                failures.append(failure)
        for name, gateway in chosen:
            threads.append(threading.Thread(target=run, args=(name, gateway, self.chance.random())))
            threads[-1].start()
            time.sleep(self.chance.random())
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
                self.judge()
        for failure in failures:
            raise Failure("%s: %s" % (what, failure))
        self.judge()
        self.heal()
        say("  passes again after %.1f s" % self.alive(what))

    def end(self):
        for process in self.parts.values():
            process.kill()
        for gateway in self.gateways.values():
            for process in (gateway.charon, gateway.bridge):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()
            for pid in gateway.guard_pids():
                os.kill(pid, signal.SIGKILL)
        for role in ("a", "b", "hosta", "hostb", "w"):
            sh("ip", "netns", "del", self.ns(role))


# What is done to it -----------------------------------------------------------------------------------------------

def moment(chance, most=1.5):
    time.sleep(chance.random() * most)


def kill_bridge(gateway, chance):
    gateway.end_bridge(signal.SIGKILL)
    moment(chance, 3)


def end_bridge(gateway, chance):
    gateway.end_bridge(signal.SIGTERM)
    moment(chance, 3)


def kill_starting_bridge(gateway, chance):
    gateway.end_bridge(signal.SIGKILL)
    gateway.start_bridge()
    moment(chance, 6)
    gateway.end_bridge(signal.SIGKILL)
    gateway.starts = len(re.findall("^ready", gateway.log(), re.M))


def stop_bridge(gateway, chance):
    gateway.bridge.send_signal(signal.SIGSTOP)
    moment(chance, 3)
    gateway.bridge.send_signal(signal.SIGCONT)


def kill_charon(gateway, chance):
    gateway.end_charon(signal.SIGKILL)
    moment(chance)


def end_charon(gateway, chance):
    gateway.end_charon(signal.SIGTERM)
    moment(chance)


def link(device):
    def down_up(gateway, chance):
        gateway.ip("link", "set", device, "down")
        moment(chance)
        gateway.ip("link", "set", device, "up")
    return down_up


def delete_tap(gateway, chance):
    for _ in range(chance.randrange(1, 4)):
        gateway.ip("link", "del", "xfrm0")
        moment(chance, 0.5)


def make_anew(gateway, chance):
    number = chance.choice((1, 2))
    index = re.match(r"(\d+):", gateway.ip("-o", "link", "show", "eth%d" % number).stdout)
    gateway.ip("link", "del", "eth%d" % number)
    if chance.random() < 0.5:
        moment(chance)
    if index and chance.random() < 0.5:
        gateway.ip("link", "add", "eth%d" % number, "index", index.group(1), "address",
                   MAC % (ord(gateway.side), number), "type", "veth", "peer", "name",
                   "%s%d" % (gateway.side, number), "netns", gateway.scene.ns("w"))
        sh("ip", "-n", gateway.scene.ns("w"), "link", "set", "%s%d" % (gateway.side, number), "master",
           "wire%d" % number, "up")
    try:
        gateway.uplink(number)
    except Failure:
        # Another disturbance is at the same device.
        pass


def rename(gateway, chance):
    number = chance.choice((1, 2))
    for old, new in (("eth%d", "other%d"), ("other%d", "eth%d")):
        gateway.ip("link", "set", old % number, "down")
        gateway.ip("link", "set", old % number, "name", new % number)
        gateway.ip("link", "set", new % number, "up")
        moment(chance, 0.7)
        for far, via in (("10.%d.0.0/16", "192.0.2.%d"), ("10.1%d.0.0/16", "198.51.100.%d")):
            gateway.ip("route", "replace", far % gateway.other, "via", via % gateway.other)


def out_and_in(gateway, chance):
    """A device leaves its namespace and comes back, with the name and the number that it had."""
    number = chance.choice((1, 2))
    gateway.ip("link", "set", "eth%d" % number, "netns", gateway.scene.ns("w"))
    sh("ip", "-n", gateway.scene.ns("w"), "link", "set", "eth%d" % number, "netns", gateway.ns)
    try:
        gateway.uplink(number)
    except Failure:
        pass


def other_route(gateway, chance):
    for _ in range(chance.randrange(1, 6)):
        number = chance.choice((1, 2))
        via = (("192.0.2.%d", "2001:db8:1::%d"), ("198.51.100.%d", "2001:db8:2::%d"))[number - 1]
        for far in ("10.%d.0.0/16", "10.1%d.0.0/16"):
            gateway.ip("route", "replace", far % gateway.other, "via", via[0] % gateway.other, "dev",
                       "eth%d" % number)
        for far in ("fd0%d::/16", "fd1%d::/16"):
            gateway.ip("-6", "route", "replace", far % gateway.other, "via", via[1] % gateway.other, "dev",
                       "eth%d" % number)
        moment(chance, 0.5)


def flush_routes(gateway, chance):
    gateway.ip(chance.choice(("-4", "-6")), "route", "flush", "table", chance.choice(("main", "58", "58")))
    moment(chance)


def flush_rules(gateway, chance):
    gateway.ip(chance.choice(("-4", "-6")), "rule", "flush")
    for family in ("-4", "-6"):
        for preference, table in (("32766", "main"), ("32767", "default")):
            gateway.ip(family, "rule", "add", "pref", preference, "lookup", table)
    moment(chance)


def delete_rules(gateway, chance):
    for family in ("-4", "-6"):
        for preference in ("50", "51"):
            gateway.ip(family, "rule", "del", "pref", preference)
    moment(chance)


def flush_tables(gateway, chance):
    for command in chance.sample(("flush ruleset", "delete table inet xfrm-bridge", "delete table netdev xfrm-bridge",
                                  "flush table inet xfrm-bridge"), 2):
        gateway.flush(command)
    moment(chance)


def others_nat(gateway, chance):
    gateway.inside("nft", "add table ip others; add chain ip others post { type nat hook postrouting priority 100; };"
                          "add rule ip others post oifname eth1 masquerade;"
                          "add rule ip others post oifname eth2 masquerade")
    moment(chance, 3)
    gateway.flush(chance.choice(("flush ruleset", "delete table ip others")))
    gateway.inside("nft", "delete table ip others")


def kill_guard(gateway, chance):
    with gateway.tables:
        gateway.kill_guard()
        if chance.random() < 0.5:
            gateway.flush("flush ruleset")
    moment(chance)


def kill_guard_and_bridge(gateway, chance):
    with gateway.tables:
        # In the other order the bridge would have another guard by then.
        gateway.end_bridge(signal.SIGKILL)
        gateway.kill_guard()
    moment(chance)


def many_policies(gateway, chance):
    first = chance.randrange(1 << 14)
    count = chance.choice((300, 1500, 3000))
    names = ["src 10.%d.0.0/16 dst 172.%d.%d.%d/32 dir %s" % (
        gateway.own, 16 + number // 65536, number // 256 % 256, number % 256, chance.choice(("out", "in", "fwd")))
        for number in range(first, first + count)]
    end = "" if chance.random() < 0.5 else " proto udp dport 99"
    gateway.batch("policy update %s%s action block priority 50" % (name.replace(" dir", end + " dir"), "")
                  for name in names)
    gateway.batch("policy delete %s" % name.replace(" dir", end + " dir") for name in names)


def killed_in_burst(gateway, chance):
    thread = threading.Thread(target=lambda: quietly(many_policies, gateway, chance))
    thread.start()
    moment(chance, 2)
    gateway.end_bridge(signal.SIGKILL)
    thread.join()


def quietly(what, *arguments):
    try:
        what(*arguments)
    except (Failure, subprocess.TimeoutExpired):
        pass


def other_policy(gateway, chance):
    for _ in range(chance.randrange(1, 8)):
        line = chance.choice(list(gateway.protections()))
        if chance.random() < 0.5:
            name = re.match(r"policy update (.*?) priority", line).group(1)
            gateway.batch(["policy delete " + name])
        else:
            gateway.batch([line])
    if chance.random() < 0.3:
        for cover in list(gateway.covers()):
            gateway.batch([cover])


def flush_states(gateway, chance):
    gateway.exec("ip", "xfrm", "state", "deleteall", "reqid", "7")
    moment(chance)


def moved_address(gateway, chance):
    address, device = chance.choice((("10.1%d.0.1/24" % gateway.own, "lan"), ("198.51.100.%d/24" % gateway.own, "eth2"),
                                     ("192.0.2.%d/24" % gateway.own, "eth1")))
    elsewhere = "eth1" if device == "eth2" else "eth2"
    gateway.ip("address", "del", address, "dev", device)
    moment(chance, 0.5)
    gateway.ip("address", "add", address, "dev", elsewhere)
    moment(chance, 0.5)
    gateway.ip("address", "del", address, "dev", elsewhere)
    gateway.ip("address", "add", address, "dev", device)


def other_mtu(gateway, chance):
    for _ in range(chance.randrange(1, 5)):
        gateway.ip("link", "set", chance.choice(("eth1", "eth2", "lan", "xfrm0")), "mtu",
                   chance.choice(("1280", "1300", "1400", "1500")))
        moment(chance, 0.5)
    gateway.ip("link", "set", "lan", "mtu", "1500")


def other_settings(gateway, chance):
    """What udev and network managers set for a device that they take for theirs."""
    for _ in range(chance.randrange(1, 5)):
        what = chance.choice(("ipv4/conf/xfrm0/rp_filter 1", "ipv4/conf/xfrm0/rp_filter 2", "ipv4/conf/all/rp_filter 2",
                              "ipv4/conf/xfrm0/forwarding 0", "ipv6/conf/xfrm0/disable_ipv6 1", "flush", "arp"))
        if what == "flush":
            gateway.ip("address", "flush", "dev", "xfrm0")
        elif what == "arp":
            gateway.ip("link", "set", "xfrm0", "arp", "on", "addrgenmode", "eui64")
        else:
            path, value = what.split()
            gateway.inside("sh", "-c", "echo %s >/proc/sys/net/%s" % (value, path))
        moment(chance, 0.7)
    gateway.inside("sh", "-c", "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter")


DISTURBANCES = {
    "kill-bridge": kill_bridge, "end-bridge": end_bridge, "kill-starting-bridge": kill_starting_bridge,
    "stop-bridge": stop_bridge, "kill-charon": kill_charon, "end-charon": end_charon, "eth1-down": link("eth1"),
    "eth2-down": link("eth2"), "xfrm0-down": link("xfrm0"), "lan-down": link("lan"), "delete-tap": delete_tap,
    "make-anew": make_anew, "rename": rename, "out-and-in": out_and_in, "other-route": other_route,
    "flush-routes": flush_routes, "flush-rules": flush_rules, "delete-rules": delete_rules,
    "flush-tables": flush_tables, "others-nat": others_nat, "kill-guard": kill_guard,
    "kill-guard-and-bridge": kill_guard_and_bridge, "many-policies": many_policies,
    "killed-in-burst": killed_in_burst, "other-policy": other_policy, "flush-states": flush_states,
    "moved-address": moved_address, "other-mtu": other_mtu, "other-settings": other_settings,
}


def broken(scene):
    """The tables of nobody, opened: what a checker that sees anything has to see."""
    gateway = scene.gateways["a"]
    kill_guard_and_bridge(gateway, random.Random(0))
    for chain in ("output", "prerouting", "leaving", "input", "forward"):
        gateway.inside("nft", "flush chain inet xfrm-bridge " + chain)
    try:
        scene.wait("packets in the clear", 20, lambda: False)
    except Failure as failure:
        if "in the clear, seen" in str(failure):
            say("open tables are seen:", str(failure).splitlines()[0])
            return
        raise


def run(options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    scene = Scene(options)
    say("seed", options.seed, "ESP in UDP:", scene.encap)
    names = options.only.split(",") if options.only else list(DISTURBANCES)
    try:
        scene.build()
        scene.start()
        end = time.monotonic() + options.seconds
        rounds = 0
        while time.monotonic() < end:
            scene.disturb(names)
            rounds += 1
        scene.control()
        say("nothing in the clear in %d rounds; back after %.1f s at most" % (rounds, max(scene.recoveries)))
        broken(scene)
        return 0
    except Failure as failure:
        say("FAILED with seed %d: %s" % (options.seed, failure))
        return 1
    finally:
        if options.keep and sys.exc_info()[0] is None:
            for process in scene.parts.values():
                process.kill()
            signal.pause()
        scene.end()


def main():
    parts = {"sniff": sniff, "watch": watch, "accept": accept, "send": send, "inject": inject, "control": control}
    if sys.argv[1] in parts:
        parts[sys.argv[1]](*sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("directory")
    parser.add_argument("launcher")
    parser.add_argument("--prefix", default="chaos")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--only")
    parser.add_argument("--liveness", type=int, default=120)
    parser.add_argument("--keep", action="store_true")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
