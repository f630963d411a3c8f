"""Protects and opens whole IP packets with Scapy, one request a line, for the test that holds them against ours.

Request:  VERB key=value ...   with VERB one of
          seal  suite spi seq src dst nat packet    answer: the outer packet
          open  suite spi src dst nat packet        answer: the inner packet
          src and dst are the tunnel's ends, "-" for transport mode; nat is 1 for ESP in UDP, else 0. A suite that
          begins with AH is for AH; then esn, if there, is the high half of the sequence number.
Answer:   "ok HEX" or "error TEXT". The first line, before any request, is "ready" and what follows is ignored.
"""
import struct
import sys
import warnings

warnings.filterwarnings("ignore")

from scapy.all import IP, UDP, IPv6, raw
from scapy.packet import bind_layers, split_layers
from scapy.layers.ipsec import AH, ESP, SecurityAssociation

KEY = bytes((7 * i + 1) & 0xFF for i in range(64))
SUITES = {
    "GCM": dict(crypt_algo="AES-GCM", crypt_key=KEY[:20]),
    "CBC_SHA256": dict(crypt_algo="AES-CBC", crypt_key=KEY[:16], auth_algo="SHA2-256-128", auth_key=KEY[:32]),
    "NULL_SHA1": dict(crypt_algo="NULL", crypt_key=b"", auth_algo="HMAC-SHA1-96", auth_key=KEY[:20]),
    "AH_md5": dict(auth_algo="HMAC-MD5-96", auth_key=KEY[:16]),
    "AH_sha1": dict(auth_algo="HMAC-SHA1-96", auth_key=KEY[:20]),
    "AH_sha256": dict(auth_algo="SHA2-256-128", auth_key=KEY[:32]),
    "AH_sha512": dict(auth_algo="SHA2-512-256", auth_key=KEY[:64]),
    "AH_cmac": dict(auth_algo="AES-CMAC-96", auth_key=KEY[:16]),
}


def ip(data):
    return IP(data) if data[0] >> 4 == 4 else IPv6(data)


def association(request):
    tunnel = None
    if request["src"] != "-":
        family = IPv6 if ":" in request["src"] else IP
        tunnel = family(src=request["src"], dst=request["dst"])
    nat = UDP(sport=4500, dport=4500) if request["nat"] == "1" else None
    protocol = AH if request["suite"].startswith("AH") else ESP
    return SecurityAssociation(protocol, spi=int(request["spi"]), tunnel_header=tunnel, nat_t_header=nat,
            **SUITES[request["suite"]])


def extended(request):
    return dict(esn_en=True, esn=int(request["esn"])) if "esn" in request else {}


def opaque_esp(bind):
    """Scapy 2.5 signs the first ESP it sees, also where it was asked for AH around it."""
    for layer, field in ((IP, "proto"), (IPv6, "nh"), (AH, "nh")):
        bind(layer, ESP, **{field: 50})


def seal(request):
    if not request["suite"].startswith("AH"):
        return seal_as_seen(request)
    opaque_esp(split_layers)
    try:
        return seal_as_seen(request)
    finally:
        opaque_esp(bind_layers)


def seal_as_seen(request):
    packet = ip(bytes.fromhex(request["packet"]))
    sealed = association(request).encrypt(packet, seq_num=int(request["seq"]), **extended(request))
    data = bytearray(raw(sealed))
    if request["nat"] == "1" and data[0] >> 4 == 4:
        # Scapy 2.5 fills in the UDP length before the header has a payload.
        struct.pack_into("!H", data, 24, len(data) - 20)
    return data.hex()


def open_(request):
    packet = ip(bytes.fromhex(request["packet"]))
    if request["nat"] == "1" and packet.version == 6:
        # Scapy 2.5 knows ESP in UDP over IPv4 only: look at the UDP header, then take it off.
        udp = packet[UDP]
        checksum, udp.chksum = udp.chksum, None
        if (udp.sport, udp.dport, udp.len) != (4500, 4500, packet.plen) or ip(raw(packet))[UDP].chksum != checksum:
            raise ValueError("UDP header " + repr(udp))
        packet = IPv6(src=packet.src, dst=packet.dst, hlim=packet.hlim, tc=packet.tc, fl=packet.fl,
                nh=50) / ESP(raw(udp)[8:])
        request = dict(request, nat="0")
    return raw(association(request).decrypt(packet, **extended(request))).hex()


def main():
    print("ready scapy", flush=True)
    for line in sys.stdin:
        verb, *fields = line.split()
        request = dict(field.split("=") for field in fields)
        try:
            print("ok", seal(request) if verb == "seal" else open_(request), flush=True)
        except Exception as error:
            print("error", type(error).__name__, str(error).replace("\n", " "), flush=True)


main()
