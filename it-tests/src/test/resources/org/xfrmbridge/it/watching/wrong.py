"""Sends one packet to the host of DropScenario.java, as a peer that does something wrong.

Arguments: the host's MAC address, then words: esp (in a tunnel), transport, clear, short, pieces (in a tunnel, IPv6
whose first fragment ends with its options); and what is changed of it, as spi=0x1001, seq=1,
src=10.2.0.1, dst=10.1.0.1, size=64, times=1, every=0 (seconds between those), df=1, corrupt=1. "options" is what the
host itself sends with IP options that end in the middle.
"""
import socket
import sys
import time
import warnings

warnings.filterwarnings("ignore")
from scapy.all import (ESP, IP, UDP, Ether, IPv6, IPv6ExtHdrFragment, SecurityAssociation, conf,
                       get_if_hwaddr, raw, sendp)

conf.verb = 0
mac, shape = sys.argv[1:3]
say = dict(spi="0x1001", seq="1", src="10.2.0.1", dst="10.1.0.1", size="64", times="1", df="0", corrupt="0",
           every="0")
say.update(word.split("=") for word in sys.argv[3:])
OUTER = ("192.0.2.2", "192.0.2.1")


def sealed(packet, tunnel):
    header = IP(src=OUTER[0], dst=OUTER[1]) if tunnel else None
    association = SecurityAssociation(ESP, spi=int(say["spi"], 0), crypt_algo="AES-GCM", crypt_key=bytes(range(1, 21)),
                                      tunnel_header=header)
    return association.encrypt(packet, seq_num=int(say["seq"]))


def send(packet):
    sendp(Ether(src=get_if_hwaddr("eth0"), dst=mac, type=0x0800) / packet, iface="eth0")


if shape == "options":
    # A route of 40 bytes, of which 4 are there.
    unfinished = raw(IP(src=OUTER[1], dst=OUTER[0], ihl=6, len=92, proto=17))[:20] + b"\x07\x28\x04\x00" + bytes(68)
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(unfinished, (OUTER[0], 0))
    sys.exit()
if shape == "pieces":
    options = bytes([17, 62]) + bytes(502)
    for part, place, more in (options, 0, 1), (raw(UDP(sport=1111, dport=2222, len=8, chksum=1)), 63, 0):
        piece = IPv6ExtHdrFragment(nh=60, id=1, offset=place, m=more) / part
        send(raw(sealed(IPv6(raw(IPv6(src="fd02::1", dst="fd01::1", nh=44) / piece)), True)))
        say["seq"] = "2"
    sys.exit()

inner = IP(src=say["src"], dst=say["dst"], flags="DF" if say["df"] == "1" else 0) \
    / UDP(sport=1111, dport=2222) / bytes(int(say["size"]))
if shape == "clear":
    packet = raw(inner)
elif shape == "short":
    packet = raw(IP(src=OUTER[0], dst=OUTER[1], proto=50) / bytes(7))
elif shape == "transport":
    packet = raw(sealed(IP(raw(IP(src=OUTER[0], dst=OUTER[1]) / UDP(sport=1111, dport=2222) / bytes(64))), False))
else:
    packet = raw(sealed(IP(raw(inner)), True))
if say["corrupt"] == "1":
    packet = packet[:-1] + bytes([packet[-1] ^ 1])
for _ in range(int(say["times"])):
    send(packet)
    time.sleep(float(say["every"]))
