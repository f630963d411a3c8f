package org.xfrmbridge.daemon.demo;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One of the two hosts: a network namespace. One thread. */
final class Host {
    static final String DEVICE = "eth0";
    /** What a bridge makes of it. */
    static final String TAP = "xfrm0";

    /** ARP requests name an address of the wire as their sender, never an inner one. */
    private static final String QUIET_ARP = "echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce";
    /** Duplicate address detection and router solicitation would only cost time here. */
    private static final String QUIET_IPV6 =
            "cd /proc/sys/net/ipv6/conf && for i in all default; do echo 0 >$i/accept_dad; echo 0 >$i/accept_ra; done";

    private final Lab lab;
    private final String name;
    private final String namespace;
    private final int number;

    Host(Lab lab, String name, String namespace, int number) {
        this.lab = lab;
        this.name = name;
        this.namespace = namespace;
        this.number = number;
    }

    @Override
    public String toString() {
        return "host " + name;
    }

    String namespace() {
        return namespace;
    }

    /** A name for files of this host. */
    String file(String suffix) {
        return "host-" + name + suffix;
    }

    /** The address on the wire. */
    String outer4() {
        return "192.0.2." + number;
    }

    String outer6() {
        return "2001:db8::" + number;
    }

    /** The address the tunnel is for. */
    String inner4() {
        return "198.18.0." + number;
    }

    String inner6() {
        return "2001:db8:18::" + number;
    }

    /** Its inner addresses as selectors, IPv4 first; IPv6 where the machine has it. */
    List<String> inner() {
        String selector4 = inner4() + "/32";
        return Machine.hasIpv6() ? List.of(selector4, inner6() + "/128") : List.of(selector4);
    }

    /** Where its bridge's sockets are. */
    Path bridge() {
        return lab.file(file(""));
    }

    void make() throws DemoException, InterruptedException {
        Command.Result added =
                lab.command(List.of("ip", "netns", "add", namespace)).result();
        if (!added.succeeded()) {
            throw new DemoException(
                    "network namespaces can't be made here (a container has to be privileged): " + added.reason());
        }
        ip("link", "set", "lo", "up");
        ip("address", "add", inner4() + "/32", "dev", "lo");
        command("sh", "-c", QUIET_ARP).run();
        if (Machine.hasIpv6()) {
            command("sh", "-c", QUIET_IPV6).run();
            ip("address", "add", inner6() + "/128", "dev", "lo", "nodad");
        }
    }

    /** Addresses on the wire, and the way to the peer's inner addresses. */
    void connect(Host peer) throws DemoException, InterruptedException {
        ip("address", "add", outer4() + "/24", "dev", DEVICE);
        ip("link", "set", DEVICE, "up");
        ip("route", "add", peer.inner4(), "via", peer.outer4(), "src", inner4());
        if (Machine.hasIpv6()) {
            ip("address", "add", outer6() + "/64", "dev", DEVICE, "nodad");
            ip("route", "add", peer.inner6(), "via", peer.outer6(), "src", inner6());
        }
    }

    void remove() throws DemoException, InterruptedException {
        if (lab.command(List.of("ip", "netns", "list"))
                .run()
                .lines()
                .anyMatch(line -> line.split(" ")[0].equals(namespace))) {
            lab.command(List.of("ip", "netns", "delete", namespace)).run();
        }
    }

    /** {@code ip} with the namespace's devices. */
    void ip(String... arguments) throws DemoException, InterruptedException {
        lab.command(joined(List.of("ip", "-n", namespace), arguments)).run();
    }

    /** A command on this host. */
    Command command(String... arguments) {
        return lab.command(joined(List.of("ip", "netns", "exec", namespace), arguments));
    }

    /** A command of the {@code xfrm-bridge} script on this host. */
    Command bridgeCommand(String... arguments) throws DemoException {
        return lab.command(joined(List.of("ip", "netns", "exec", namespace, Machine.launcher()), arguments));
    }

    /** A command on this host that takes the bridge for its kernel. */
    Command underBridge(String... arguments) throws DemoException {
        return lab.command(joined(
                List.of(
                        "ip",
                        "netns",
                        "exec",
                        namespace,
                        Machine.launcher(),
                        "exec",
                        "--dir",
                        bridge().toString(),
                        "--"),
                arguments));
    }

    private static List<String> joined(List<String> first, String... rest) {
        List<String> all = new ArrayList<>(first);
        all.addAll(List.of(rest));
        return all;
    }
}
