"""Sends one packet to the host of DropScenario.java, as a peer that does something wrong.

Arguments: the host's MAC address, then words: esp (in a tunnel), transport, clear, short; and what is changed of it,
as spi=0x1001, seq=1, src=10.2.0.1, dst=10.1.0.1, size=64, times=1, df=1, corrupt=1.
"""
import sys
import warnings

warnings.filterwarnings("ignore")
from scapy.all import ESP, IP, UDP, Ether, SecurityAssociation, conf, get_if_hwaddr, raw, sendp

conf.verb = 0
mac, shape = sys.argv[1:3]
say = dict(spi="0x1001", seq="1", src="10.2.0.1", dst="10.1.0.1", size="64", times="1", df="0", corrupt="0")
say.update(word.split("=") for word in sys.argv[3:])
OUTER = ("192.0.2.2", "192.0.2.1")


def sealed(packet, tunnel):
    header = IP(src=OUTER[0], dst=OUTER[1]) if tunnel else None
    association = SecurityAssociation(ESP, spi=int(say["spi"], 0), crypt_algo="AES-GCM", crypt_key=bytes(range(1, 21)),
                                      tunnel_header=header)
    return association.encrypt(packet, seq_num=int(say["seq"]))


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
    sendp(Ether(src=get_if_hwaddr("eth0"), dst=mac, type=0x0800) / packet, iface="eth0")
