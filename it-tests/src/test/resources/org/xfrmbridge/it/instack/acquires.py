"""For what ACQUIREs ask: "acquires.py CLIENT", a namespace, on a host before it. Each trial sends a datagram that has
no SA, and says the selector of the ACQUIRE, less the port it was sent from."""
import ctypes, os, queue, re, socket, subprocess, sys, threading

SO_BINDTODEVICE, LIMIT_S = 25, 20
LIBC = ctypes.CDLL(None, use_errno=True)
HOST = os.open("/proc/self/ns/net", os.O_RDONLY)
CLIENT = os.open("/run/netns/" + sys.argv[1], os.O_RDONLY)
FAR = {socket.AF_INET: "10.9.0.1", socket.AF_INET6: "2001:db8:9::1"}
SECOND = {socket.AF_INET: "203.0.113.1", socket.AF_INET6: "2001:db8:2::1"}
selectors = queue.Queue()


def run(line):
    subprocess.run(line.split(), check=True)


def listen():
    monitor = subprocess.Popen(["ip", "xfrm", "monitor", "acquire"], stdout=subprocess.PIPE, text=True)
    threading.Thread(target=lambda: [selectors.put(line) for line in monitor.stdout if " sel " in line],
                     daemon=True).start()
    return monitor


def send(family, namespace=HOST, device=None, source=None):
    assert LIBC.setns(namespace, 0) == 0
    here = socket.socket(family, socket.SOCK_DGRAM)
    assert LIBC.setns(HOST, 0) == 0
    if device:
        here.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode())
    if source:
        here.bind((source, 0))
    try:
        here.sendto(b"x", (FAR[family], 7))
    except OSError:
        # As a kernel tells who sends.
        pass


def trial(text, family, **options):
    send(family, **options)
    selector = selectors.get(timeout=LIMIT_S)
    print(text, re.sub(r" sport \d+", "", " ".join(selector.split())), flush=True)
    run("ip xfrm state flush")


def first():
    while True:
        send(socket.AF_INET)
        try:
            selectors.get(timeout=0.2)
            run("ip xfrm state flush")
            return
        except queue.Empty:
            continue


def policies(device):
    run("ip xfrm policy flush")
    run(f"ip xfrm policy add src 0.0.0.0/0 dst 10.9.0.0/16 {device} dir out"
        " tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel")
    run(f"ip xfrm policy add src ::/0 dst 2001:db8:9::/48 {device} dir out"
        " tmpl src 2001:db8:1::1 dst 2001:db8:1::2 proto esp mode tunnel")


policies("")
monitor = listen()
first()
for family in FAR:
    trial("of the host", family)
    trial("bound to the device of the route", family, device="eth0")
    trial("bound to the other device", family, device="eth1")
    trial("from the address of the other device", family, source=SECOND[family])
    trial("forwarded", family, namespace=CLIENT)
policies("dev eth0")
trial("a policy of a device", socket.AF_INET)
for family in FAR:
    trial("a policy of a device, bound to it", family, device="eth0")
    trial("a policy of a device, forwarded", family, namespace=CLIENT)
monitor.terminate()
