"""Uplinks and tunnels that many kernels have no module for, on a host with two wires to a peer. "links.py wires" makes
the namespaces; "links.py XFRM..." tries each, with states and policies that the command XFRM, in front of others,
brings to the host; those of the peer are its kernel's. A line for each: whether 40 echo requests were answered (where a
device loses its carrier, most of them), ESP on which wires, how many packets in the clear."""
import re, subprocess, sys, time

WIRES, KEY = ("h0", "h1"), "aead rfc4106(gcm(aes)) 0x000102030405060708090a0b0c0d0e0f10111213 128"
TIMES, INTERVAL, CLEAR = 40, "0.1", "icmp or (vlan and icmp)"
ESP = "ip proto 50 or (vlan and ip proto 50)"
xfrm = sys.argv[1:]


def run(words, check=True):
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(f"{words}: {done.stdout} {done.stderr}")
    return done.stdout


def on(namespace, line, check=True):
    return run(["ip", "netns", "exec", namespace, *line.split()], check)


def ip(namespace, line, check=True):
    return run(["ip", "-n", namespace, *line.split()], check)


def database(namespace, line):
    prefix = xfrm if namespace == "host" else []
    words = line.replace("aead rfc4106(gcm(aes))", "aead ALGORITHM").split()
    words = ["rfc4106(gcm(aes))" if word == "ALGORITHM" else word for word in words]
    run(["ip", "netns", "exec", namespace, *prefix, "ip", "xfrm", *words])


def protect(here, there, selector="", device=""):
    """Transport mode between two addresses."""
    for namespace in "host", "peer":
        for source, destination, spi in (here, there, "0x1001"), (there, here, "0x1002"):
            database(namespace, f"state add src {source} dst {destination} proto esp spi {spi} mode transport {KEY}")
    for namespace, local, remote in ("host", here, there), ("peer", there, here):
        dev = f"dev {device}" if namespace == "host" and device else ""
        tmpl = "tmpl proto esp mode transport"
        database(namespace, f"policy add src {local} dst {remote} {selector} {dev} dir out {tmpl}")
        database(namespace, f"policy add src {remote} dst {local} {selector} dir in {tmpl}")


def unplug():
    for namespace in "host", "peer":
        database(namespace, "state flush")
        database(namespace, "policy flush")
        for link in "eth0.5", "bond0", "gre1", "l2tp1":
            ip(namespace, f"link delete {link}", check=False)
        on(namespace, "ip l2tp del tunnel tunnel_id 1", check=False)
        for device in "eth0", "eth1":
            ip(namespace, f"link set {device} nomaster", check=False)
            ip(namespace, f"address flush dev {device}", check=False)
            ip(namespace, f"link set {device} up", check=False)
    for wire in WIRES:
        ip("wire", f"link set {wire} up")


def addresses(net, host, peer="eth0"):
    ip("host", f"address add {net}.1/24 dev {host}")
    ip("peer", f"address add {net}.2/24 dev {peer}")


def vlan(policy_device=""):
    for namespace in "host", "peer":
        ip(namespace, "link add link eth0 name eth0.5 type vlan id 5")
        ip(namespace, "link set eth0.5 up")
    addresses("192.0.5", "eth0.5", "eth0.5")
    protect("192.0.5.1", "192.0.5.2", device=policy_device)
    return "192.0.5.2"


def vlan_by_device():
    return vlan("eth0.5")


def bond(mode):
    ip("host", f"link add bond0 type bond miimon 20 mode {mode}")
    for device in "eth0", "eth1":
        ip("host", f"link set {device} down")
        ip("host", f"link set {device} master bond0")
    ip("host", "link set bond0 up")
    addresses("192.0.2", "bond0")
    protect("192.0.2.1", "192.0.2.2")
    return "192.0.2.2"


def active_backup():
    return bond("active-backup")


def balance_rr():
    return bond("balance-rr")


def gre():
    addresses("192.0.2", "eth0")
    for namespace, local, remote in ("host", 1, 2), ("peer", 2, 1):
        ip(namespace, f"link add gre1 type gre local 192.0.2.{local} remote 192.0.2.{remote}")
        ip(namespace, "link set gre1 up")
    addresses("10.47.0", "gre1", "gre1")
    protect("192.0.2.1", "192.0.2.2", "proto gre")
    return "10.47.0.2"


def l2tp():
    addresses("192.0.2", "eth0")
    protect("192.0.2.1", "192.0.2.2", "proto udp sport 1701 dport 1701")
    for namespace, local, remote in ("host", 1, 2), ("peer", 2, 1):
        ip(namespace, f"l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap udp local 192.0.2.{local} "
           f"remote 192.0.2.{remote} udp_sport 1701 udp_dport 1701")
        ip(namespace, "l2tp add session name l2tp1 tunnel_id 1 session_id 1 peer_session_id 1")
        ip(namespace, "link set l2tp1 up")
    addresses("10.17.0", "l2tp1", "l2tp1")
    return "10.17.0.2"


def seen(wire, expression):
    return len(run(["tcpdump", "-n", "-r", f"/run/{wire}.pcap", expression]).splitlines())


def attempt(name, prepare, loses_carrier=False):
    unplug()
    destination = prepare()
    sniffers = [subprocess.Popen(["ip", "netns", "exec", "wire", "tcpdump", "-U", "-Z", "root", "-i", wire, "-w",
                                  f"/run/{wire}.pcap"], stderr=subprocess.DEVNULL) for wire in WIRES]
    time.sleep(3)
    on("host", f"ping -c 2 -i 0.5 -W 2 {destination}", check=False)
    ping = subprocess.Popen(["ip", "netns", "exec", "host", "ping", "-q", "-c", str(TIMES), "-i", INTERVAL, "-W", "5",
                             *destination.split()], stdout=subprocess.PIPE, text=True)
    if loses_carrier:
        time.sleep(1.5)
        ip("wire", "link set h0 down")
    answered = int(re.search(r"(\d+) received", ping.communicate()[0]).group(1))
    time.sleep(1)
    for sniffer in sniffers:
        sniffer.terminate()
        sniffer.wait()
    protected = [wire for wire in WIRES if seen(wire, ESP) >= 10]
    clear = sum(seen(wire, CLEAR) for wire in WIRES)
    print(name, "answered" if answered >= (TIMES * 3 // 4 if loses_carrier else TIMES) else f"answered only {answered}",
          "ESP by", *protected, "clear", clear, flush=True)


def wires():
    for namespace in "host", "peer", "wire":
        run(["ip", "netns", "add", namespace])
        ip(namespace, "link set lo up")
        for devices in "all", "default":
            on(namespace, f"sysctl -qw net.ipv6.conf.{devices}.disable_ipv6=1")
            on(namespace, f"sysctl -qw net.ipv4.conf.{devices}.rp_filter=0")
    ip("wire", "link add switch type bridge")
    ip("wire", "link set switch up")
    for namespace, device, port in ("host", "eth0", "h0"), ("host", "eth1", "h1"), ("peer", "eth0", "p0"):
        run(f"ip link add {device} netns {namespace} type veth peer name {port} netns wire".split())
        ip(namespace, f"link set {device} up")
        ip("wire", f"link set {port} up")
        ip("wire", f"link set {port} master switch")


if sys.argv[1:] == ["wires"]:
    wires()
    sys.exit()
for trial in vlan, vlan_by_device, gre, l2tp:
    attempt(trial.__name__, trial)
attempt("active_backup", active_backup, loses_carrier=True)
attempt("balance_rr", balance_rr, loses_carrier=True)
unplug()
