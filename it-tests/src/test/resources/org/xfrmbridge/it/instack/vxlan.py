"""Somebody on the wire who forges VXLAN: "vxlan.py DEVICE MAC SOURCE DESTINATION VNI TIMES" sends echo requests of
10.VNI.0.9 inside."""
import sys

from scapy.all import ICMP, IP, UDP, VXLAN, Ether, sendp

OWN = "02:00:00:00:00:09"
device, mac, source, destination, vni, times = sys.argv[1:]
net = int(vni) % 256
inside = Ether(src=OWN, dst="ff:ff:ff:ff:ff:ff") / IP(src=f"10.{net}.0.9", dst=f"10.{net}.0.1") / ICMP()
outside = Ether(src=OWN, dst=mac) / IP(src=source, dst=destination) / UDP(sport=40000, dport=4789)
sendp(outside / VXLAN(vni=int(vni), flags=8) / inside, iface=device, count=int(times), verbose=False)
