package org.xfrmbridge.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One host of a lab: a network namespace with a unique name. Closing it ends what still runs in it and deletes it. */
public final class Namespace implements AutoCloseable {
    /** Whether this machine has IPv6. */
    public static final boolean HAS_IPV6 = Files.isDirectory(Path.of("/proc/sys/net/ipv6"));

    private final String name;
    private final String role;

    /**
     * Makes the namespace, which the lab owns, with loopback up, IPv6 without duplicate address detection, which would
     * cost seconds, and no forwarding, which it would otherwise inherit from the machine.
     */
    public Namespace(Lab lab, String role) {
        this.role = role;
        this.name = lab.uniqueName();
        lab.own(this);
        Command.Result added = Command.of("ip", "netns", "add", name).result();
        if (!added.succeeded()) {
            throw new LabException(
                    "network namespaces can't be made here (a container has to be privileged): " + added.reason());
        }
        List<String> lines = new ArrayList<>(List.of("ip link set lo up", setting("ipv4.ip_forward", 0)));
        if (HAS_IPV6) {
            lines.add(setting("ipv6.conf.all.forwarding", 0));
            lines.add(setting("ipv6.conf.default.accept_dad", 0));
            lines.add(setting("ipv6.conf.default.accept_ra", 0));
            lines.add(setting("ipv6.conf.all.accept_ra", 0));
        }
        script(lines);
    }

    public String name() {
        return name;
    }

    public String role() {
        return role;
    }

    public Command command(List<String> arguments) {
        List<String> line = new ArrayList<>(List.of("ip", "netns", "exec", name));
        line.addAll(arguments);
        return new Command(line);
    }

    public Command command(String... arguments) {
        return command(List.of(arguments));
    }

    public String run(String... arguments) {
        return command(arguments).run();
    }

    public Daemon start(String program, Path log, Command command) {
        return Daemon.start(program + " on " + role, log, command);
    }

    /** {@code ip -n NAMESPACE ...}. */
    public String ip(String... arguments) {
        List<String> line = new ArrayList<>(List.of("ip", "-n", name));
        line.addAll(List.of(arguments));
        return new Command(line).run();
    }

    public void address(String device, String address) {
        addresses(device, List.of(address));
    }

    public void addresses(String device, List<String> addresses) {
        script(addresses.stream()
                .map(address ->
                        "ip address add " + address + " dev " + device + (address.contains(":") ? " nodad" : ""))
                .toList());
    }

    public void route(String destination, String gateway) {
        ip("route", "add", destination, "via", gateway);
    }

    /** @param key below {@code net}, with dots */
    public void sysctl(String key, int value) {
        script(List.of(setting(key, value)));
    }

    private static String setting(String key, int value) {
        return "echo " + value + " >/proc/sys/net/" + key.replace('.', '/');
    }

    public void forwarding() {
        script(List.of(setting("ipv4.ip_forward", 1), setting("ipv6.conf.all.forwarding", 1)));
    }

    /** Lines of a shell up to the first that fails: much cheaper than a command for each. */
    void script(List<String> lines) {
        run("sh", "-ec", String.join("\n", lines));
    }

    /** A veth pair between two hosts, both ends up. */
    public static void connect(Namespace left, String leftDevice, Namespace right, String rightDevice) {
        left.ip("link", "add", leftDevice, "up", "type", "veth", "peer", "name", rightDevice, "netns", right.name);
        right.ip("link", "set", rightDevice, "up");
    }

    @Override
    public void close() {
        if (!Files.exists(Path.of("/run/netns", name))) {
            return;
        }
        for (String pid :
                Command.of("ip", "netns", "pids", name).result().output().split("\\s+")) {
            if (!pid.isBlank()) {
                ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
            }
        }
        Command.of("ip", "netns", "delete", name).run();
    }

    @Override
    public String toString() {
        return role + " (" + name + ")";
    }
}
