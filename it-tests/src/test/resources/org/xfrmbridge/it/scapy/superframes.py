"""What SuperFrameScenario.java runs on its hosts, and its judge.

superframes.py encapsulate              opens port 4500 as an IKE daemon does, for both families
superframes.py serve ADDRESS            takes a stream, then trains of datagrams, and says what came
superframes.py send ADDRESS             sends both
superframes.py count PCAP SPI FAMILY    how many packets of ESP in UDP there are of that SPI, and how many are long
superframes.py judge PCAP SPI FAMILY    the same, each judged by Scapy, which shares no line with ours
"""
import random
import socket
import sys
import time
import warnings

PORT, STREAM_BYTES, TRAINS, DATAGRAMS, DATAGRAM_BYTES = 7000, 2_000_000, 20, 40, 64
UDP_SEGMENT, UDP_ENCAP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, MTU = 103, 100, 10, 0, 1500
KEY = bytes(range(1, 21))
CONTENT = random.Random(3).randbytes(STREAM_BYTES)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def encapsulate():
    sockets = []
    for family, address in (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"):
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, 4500))
        s.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, 2)
        sockets.append(s)
    print("open", flush=True)
    time.sleep(600)


def train(number):
    return random.Random(number).randbytes(DATAGRAMS * DATAGRAM_BYTES - 7)


def serve(address):
    datagrams = socket.socket(family_of(address), socket.SOCK_DGRAM)
    datagrams.bind((address, PORT))
    datagrams.settimeout(20)
    with socket.create_server((address, PORT), family=family_of(address)) as server:
        print("open", flush=True)
        connection, _ = server.accept()
    content = b""
    while part := connection.recv(1 << 20):
        content += part
    print("stream", content == CONTENT, flush=True)
    for number in range(TRAINS):
        got = [datagrams.recvfrom(2048) for _ in range(DATAGRAMS)]
        assert b"".join(data for data, _ in got) == train(number), number
        assert {len(data) for data, _ in got[:-1]} == {DATAGRAM_BYTES}
        if number % 2:
            datagrams.sendto(b"more", got[0][1])
    print("datagrams True", flush=True)


def send(address):
    with socket.create_connection((address, PORT), timeout=20) as connection:
        connection.sendall(CONTENT)
    datagrams = socket.socket(family_of(address), socket.SOCK_DGRAM)
    datagrams.settimeout(20)
    datagrams.connect((address, PORT))
    datagrams.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, DATAGRAM_BYTES)
    if ":" not in address:
        # May be divided, and so has an identification.
        datagrams.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    for number in range(TRAINS):
        # Two together, of which the first ends with a shorter one.
        datagrams.send(train(number))
        if number % 2:
            datagrams.recv(100)


def intact(packet, layer, field):
    """Whether a checksum is what Scapy makes of the same packet."""
    copy = packet.copy()
    delattr(copy[layer], field)
    return getattr(type(packet)(bytes(copy))[layer], field) == getattr(packet[layer], field)


def outer_packets(pcap, spi, family):
    warnings.filterwarnings("ignore")
    from scapy.all import IP, UDP, IPv6, rdpcap
    header = IP if family == "4" else IPv6
    return [header(bytes(frame[header])) for frame in rdpcap(pcap) if header in frame and UDP in frame
            and bytes(frame[UDP].payload)[:4] == int(spi, 16).to_bytes(4, "big")]


def long_ones(packets):
    return sum(len(packet) > MTU for packet in packets)


def count(pcap, spi, family):
    packets = outer_packets(pcap, spi, family)
    print("packets", len(packets), "long", long_ones(packets), "datagrams 0")


def judge(pcap, spi, family):
    packets = outer_packets(pcap, spi, family)
    from scapy.all import ESP, IP, UDP, IPv6, SecurityAssociation, TCP
    header = IP if family == "4" else IPv6
    association = SecurityAssociation(ESP, spi=int(spi, 16), crypt_algo="AES-GCM", crypt_key=KEY,
                                      tunnel_header=header(), nat_t_header=UDP(sport=4500, dport=4500))
    sequences, identifications, datagrams = [], [], 0
    for outer in packets:
        payload = bytes(outer[UDP].payload)
        assert len(outer) == (outer.len if header is IP else 40 + outer.plen) and outer[UDP].len == 8 + len(payload)
        assert outer[UDP].chksum == 0 and header is IP or intact(outer, UDP, "chksum"), outer.summary()
        if header is IP:
            assert intact(outer, IP, "chksum") and not outer.frag and "MF" not in outer.flags, outer.summary()
            if "DF" not in outer.flags:
                identifications.append(outer.id)
        sequences.append(int.from_bytes(payload[4:8], "big"))
        sealed = header(bytes(outer))
        sealed[UDP].remove_payload()
        opened = association.decrypt(sealed / ESP(payload))
        inner = type(opened)(bytes(opened))
        transport = TCP if TCP in inner else UDP
        assert intact(inner, transport, "chksum"), inner.summary()
        datagrams += transport is UDP
    assert sequences == list(range(1, len(sequences) + 1)), "gap, repetition or another order"
    assert len(set(identifications)) == len(identifications), "an identification twice"
    assert header is IPv6 or len(identifications) == TRAINS * DATAGRAMS, len(identifications)
    print("packets", len(packets), "long", long_ones(packets), "datagrams", datagrams)


globals()[sys.argv[1]](*sys.argv[2:])
