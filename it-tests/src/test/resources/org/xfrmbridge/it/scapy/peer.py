"""One ESP peer for one exchange: sends an echo request under ESP, expects the answer under ESP.

Arguments: mode (tunnel, transport), inner and outer family (4, 6), encapsulation (plain, udp), algorithm (gcm, cbc),
MAC address of the host. Addresses, SPIs and keys are those of ScapyScenario.java.
"""
import os
import socket
import sys
import time
import warnings

warnings.filterwarnings("ignore")
from scapy.all import (ESP, ICMP, IP, UDP, AsyncSniffer, Ether, ICMPv6EchoReply, ICMPv6EchoRequest, IPv6,
                       SecurityAssociation, conf, raw, sendp)

conf.verb = 0
mode, inner, outer, encapsulation, algorithm, mac = sys.argv[1:]
OUTER = {"4": ("192.0.2.2", "192.0.2.1"), "6": ("2001:db8:7::2", "2001:db8:7::1")}
INNER = {"4": ("10.2.0.1", "10.1.0.1"), "6": ("fd02::1", "fd01::1")}
HEADER = {"4": IP, "6": IPv6}
TO_HOST, TO_PEER = 0x1001, 0x1002
ALGORITHMS = {
    "gcm": dict(crypt_algo="AES-GCM", crypt_key=bytes(range(1, 21))),
    "cbc": dict(crypt_algo="AES-CBC", crypt_key=bytes(range(1, 17)),
                auth_algo="SHA2-256-128", auth_key=bytes(range(1, 33))),
}


def association(spi, source, destination):
    options = dict(ALGORITHMS[algorithm])
    if mode == "tunnel":
        options["tunnel_header"] = HEADER[outer](src=source, dst=destination)
    if encapsulation == "udp":
        options["nat_t_header"] = UDP(sport=4500, dport=4500)
    return SecurityAssociation(ESP, spi=spi, **options)


def quiet_kernel():
    """Keeps this host's own kernel from answering ESP, which it knows nothing of, with ICMP errors."""
    if encapsulation == "udp":
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("192.0.2.2", 4500))
        return listener
    return socket.socket(socket.AF_INET if outer == "4" else socket.AF_INET6, socket.SOCK_RAW, 50)


def is_answer(packet):
    data = bytes(packet)
    return packet.haslayer(HEADER[outer]) and packet[HEADER[outer]].dst == OUTER[outer][0] \
        and TO_PEER.to_bytes(4, "big") in data[:90]


def parsed(packet):
    """The outer packet with ESP as its upper layer, which Scapy does not see by itself inside UDP."""
    packet = packet[HEADER[outer]]
    if encapsulation == "udp" and not packet.haslayer(ESP):
        payload = bytes(packet[UDP].payload)
        packet[UDP].remove_payload()
        packet = packet / ESP(payload)
    return packet


source, destination = INNER[inner] if mode == "tunnel" else OUTER[outer]
payload = os.urandom(64)
echo = ICMP(id=77, seq=1) if inner == "4" else ICMPv6EchoRequest(id=77, seq=1, data=payload)
request = HEADER[inner](src=source, dst=destination) / echo
if inner == "4":
    request = request / payload
request = HEADER[inner](raw(request))

listener = quiet_kernel()
sniffer = AsyncSniffer(iface="eth0", lfilter=is_answer, count=1, timeout=5)
sniffer.start()
time.sleep(0.3)
sealed = association(TO_HOST, *OUTER[outer]).encrypt(request, seq_num=1)
if encapsulation == "udp":
    # Scapy 2.5 leaves the length of the UDP header alone there
    sealed[UDP].len = len(sealed[UDP])
    del sealed.chksum
sendp(Ether(dst=mac) / sealed, iface="eth0")
sniffer.join()
assert sniffer.results, "no answer under ESP"
answer = parsed(sniffer.results[0])
opened = association(TO_PEER, *reversed(OUTER[outer])).decrypt(answer)
opened = HEADER[inner](raw(opened))
assert (opened.src, opened.dst) == (destination, source), opened.summary()
if inner == "4":
    assert opened[ICMP].type == 0 and bytes(opened[ICMP].payload) == payload, opened.summary()
else:
    assert opened[ICMPv6EchoReply].data == payload, opened.summary()
print("opened", opened.summary())
