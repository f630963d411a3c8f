"""What passes a firewall, and whom it comes from, as those see it who ask and answer.

serve PORT,... ADDRESS...
    answers datagrams and connections with their source, numbers with themselves; prints each source once
ask PROTOCOL SOURCE DESTINATION OPEN OTHERS FIRST
    prints the ports that answer, each with the sources it has seen; waits for all of OPEN, and sends to OTHERS before;
    datagrams go out from port FIRST and those above it: a firewall must not take them for a flow of another question
send SOURCE DESTINATION PORT
    sends datagrams until it is ended
stream SOURCE DESTINATION PORT
    the same until its input ends; prints how many there were, and answers
"""
import ipaddress
import itertools
import select
import selectors
import socket
import sys
import time

LIMIT_S = 20
ROUND_S = 1
ROUNDS = 3


def opened(kind, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened_socket = socket.socket(family, kind)
    opened_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return opened_socket


def serve(ports, addresses):
    selector = selectors.DefaultSelector()
    seen = set()

    def tell(address, port, protocol, source):
        if (address, port, protocol, source) not in seen:
            seen.add((address, port, protocol, source))
            print(protocol, "from", source, "at", address, port, flush=True)
        return source.encode()

    def datagram(server, address, port):
        asked, peer = server.recvfrom(2000)
        source = tell(address, port, "udp", peer[0])
        server.sendto(asked if asked.isdigit() else source, peer)

    def connection(server, address, port):
        client, peer = server.accept()
        with client:
            client.sendall(tell(address, port, "tcp", peer[0]))

    for address in addresses:
        for port in ports:
            for kind, handler in ((socket.SOCK_DGRAM, datagram), (socket.SOCK_STREAM, connection)):
                server = opened(kind, address)
                server.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    server.listen()
                selector.register(server, selectors.EVENT_READ, (handler, address, port))
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            handler, address, port = key.data
            try:
                handler(key.fileobj, address, port)
            except OSError as error:
                print(error, flush=True)


def ask_datagrams(source, source_port, destination, awaited, others, heard):
    """One try for each port; whether the last one answered: what was sent before it has had its time."""
    with opened(socket.SOCK_DGRAM, source) as asking:
        asking.bind((source, source_port))
        for port in others + awaited:
            try:
                asking.sendto(b"who am I", (destination, port))
            except OSError:
                # A rule for what is sent may say so.
                pass
        answered = set()
        until = time.monotonic() + ROUND_S
        while not answered.issuperset(awaited) and (left := until - time.monotonic()) > 0:
            asking.settimeout(left)
            try:
                answer, peer = asking.recvfrom(2000)
            except OSError:
                continue
            if ipaddress.ip_address(peer[0]) == ipaddress.ip_address(destination):
                answered.add(peer[1])
                heard.setdefault(peer[1], set()).add(answer.decode())
        return awaited[-1] in answered


def ask_connections(source, _, destination, awaited, __, heard):
    for port in awaited:
        with opened(socket.SOCK_STREAM, source) as asking:
            asking.settimeout(LIMIT_S)
            try:
                asking.bind((source, 0))
                asking.connect((destination, port))
                heard.setdefault(port, set()).add(asking.recv(2000).decode())
            except OSError:
                return False
    return True


def ask(protocol, source, destination, awaited, others, first_port):
    heard = {}
    until = time.monotonic() + LIMIT_S
    rounds = 0
    ports = itertools.count(first_port)
    while (rounds < ROUNDS or not set(awaited).issubset(heard)) and time.monotonic() < until:
        one = ask_datagrams if protocol == "udp" else ask_connections
        rounds += one(source, next(ports), destination, awaited, others, heard)
    for port in sorted(heard):
        print(port, *sorted(heard[port]))


def send(source, destination, port):
    with opened(socket.SOCK_DGRAM, source) as sending:
        sending.bind((source, 0))
        print("ready", flush=True)
        while True:
            try:
                sending.sendto(b"stray", (destination, port))
            except OSError as error:
                print(error, flush=True)
            time.sleep(0.01)


def stream(source, destination, port):
    """Datagrams have numbers, and a server that answers with them."""
    sent = 0
    answered = set()
    with opened(socket.SOCK_DGRAM, source) as streaming:
        streaming.bind((source, 0))
        streaming.connect((destination, port))
        print("ready", flush=True)
        until = None
        while until is None or len(answered) < sent and time.monotonic() < until:
            if until is None:
                streaming.send(b"%d" % sent)
                sent += 1
            time.sleep(0.01)
            while select.select([streaming], [], [], 0)[0]:
                answered.add(streaming.recv(2000))
            if until is None and select.select([sys.stdin], [], [], 0)[0]:
                until = time.monotonic() + LIMIT_S
    print(sent, "sent", len(answered), "answered")


def numbers(text):
    return [int(number) for number in text.split(",") if number]


if sys.argv[1] == "serve":
    serve(numbers(sys.argv[2]), sys.argv[3:])
elif sys.argv[1] == "ask":
    ask(*sys.argv[2:5], numbers(sys.argv[5]), numbers(sys.argv[6]), int(sys.argv[7]))
elif sys.argv[1] == "send":
    send(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    stream(sys.argv[2], sys.argv[3], int(sys.argv[4]))
