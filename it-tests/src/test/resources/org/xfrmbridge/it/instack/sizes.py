"""Sends datagrams and streams of many sizes, and prints what became of each.

serve ADDRESS...             echoes datagrams, counts the bytes of streams; prints "ready"
udp SOURCE ADDRESS SIZE...   each once by every kind of path MTU discovery; over each the first long one meets no
                             knowledge of the path if the caller sees to that; prints lines "KIND SIZE OUTCOME"
tcp SOURCE ADDRESS BYTES     sends so many and prints how many arrived
"""

import os
import socket
import sys
import threading

PORT = 7777
PATIENCE = 20
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER = 10, 23
KINDS = {"dont": 0, "want": 1, "do": 2}


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def echo(address):
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    sock.bind((address, PORT))
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(data, peer)


def count(address):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    listener.bind((address, PORT))
    listener.listen()
    while True:
        stream, _ = listener.accept()
        received = 0
        while data := stream.recv(65536):
            received += len(data)
        stream.sendall(b"%d" % received)
        stream.close()


def udp(kind, source, address, size):
    with socket.socket(family(address), socket.SOCK_DGRAM) as sock:
        if family(address) == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, KINDS[kind])
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, KINDS[kind])
        sock.bind((source, 0))
        sock.settimeout(PATIENCE)
        data = os.urandom(size)
        try:
            sock.sendto(data, (address, PORT))
            return "arrived" if sock.recv(65536) == data else "changed"
        except socket.timeout:
            return "lost"
        except OSError as error:
            return os.strerror(error.errno)


def tcp(source, address, size):
    with socket.socket(family(address), socket.SOCK_STREAM) as stream:
        stream.bind((source, 0))
        stream.settimeout(PATIENCE)
        stream.connect((address, PORT))
        stream.sendall(bytes(size))
        stream.shutdown(socket.SHUT_WR)
        return stream.recv(64).decode()


def main(what, *rest):
    if what == "serve":
        for address in rest:
            for service in (echo, count):
                threading.Thread(target=service, args=(address,)).start()
        print("ready", flush=True)
    elif what == "udp":
        for kind in KINDS:
            for size in rest[2:]:
                print(kind, size, udp(kind, rest[0], rest[1], int(size)))
    else:
        print(tcp(rest[0], rest[1], int(rest[2])))


main(*sys.argv[1:])
