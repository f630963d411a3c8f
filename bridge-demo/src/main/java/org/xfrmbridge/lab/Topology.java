package org.xfrmbridge.lab;

import java.util.List;

/**
 * Two sites and the wire between them. Every frame between the hosts passes the namespace {@code wire}, whose devices
 * {@code left} and {@code right} lead to the hosts: what a sniffer sees there has left the host for good.
 *
 * <pre>
 *   direct:   left eth0 === left [bridge] right === eth0 right
 *   gateways: client --- lan left eth0 === left [bridge] right === eth0 right lan --- client
 *   natted:   left eth0 === left [masquerading router] right === eth0 right
 * </pre>
 */
public record Topology(Gateway left, Gateway right, Namespace wire) {
    /** The port towards the left host, which every frame passes. */
    public static final String LEFT_PORT = "left";
    /** The port towards the right host: what has passed the router, where there is one. */
    public static final String RIGHT_PORT = "right";

    private static final Gateway.Addresses OUTER_LEFT = Gateway.Addresses.ofThisMachine("192.0.2.1", "2001:db8:7::1");
    private static final Gateway.Addresses OUTER_RIGHT = Gateway.Addresses.ofThisMachine("192.0.2.2", "2001:db8:7::2");
    private static final Gateway.Addresses PRIVATE_LEFT = new Gateway.Addresses("192.168.7.2", null);
    private static final Gateway.Addresses INNER_LEFT = Gateway.Addresses.ofThisMachine("10.1.0.1", "fd01::1");
    private static final Gateway.Addresses INNER_RIGHT = Gateway.Addresses.ofThisMachine("10.2.0.1", "fd02::1");
    private static final String ROUTER_INSIDE = "192.168.7.1";
    /** The router's address on the outside when a natted topology is made. */
    public static final String ROUTER_OUTSIDE = "192.0.2.1";

    public Gateway site(Side side) {
        return side == Side.LEFT ? left : right;
    }

    /** Two hosts on one link; their inner addresses are on loopback. */
    public static Topology direct(Lab lab) {
        return direct(lab, "left", "right");
    }

    /** The same; log files and messages name the hosts so. */
    public static Topology direct(Lab lab, String leftRole, String rightRole) {
        Namespace wire = new Namespace(lab, "wire");
        Gateway left = standalone(lab, leftRole, OUTER_LEFT, INNER_LEFT);
        Gateway right = standalone(lab, rightRole, OUTER_RIGHT, INNER_RIGHT);
        Topology topology = new Topology(left, right, wire);
        topology.join();
        topology.makeSwitch();
        left.addOuter();
        right.addOuter();
        return topology;
    }

    /** Two forwarding hosts on one link with a client behind each. */
    public static Topology gateways(Lab lab) {
        Namespace wire = new Namespace(lab, "wire");
        Topology topology = new Topology(
                gateway(lab, "left", OUTER_LEFT, INNER_LEFT), gateway(lab, "right", OUTER_RIGHT, INNER_RIGHT), wire);
        topology.join();
        topology.makeSwitch();
        topology.left.addOuter();
        topology.right.addOuter();
        return topology;
    }

    /** A host on a private network, a router that masquerades it, and a host on the public side. IPv4 only. */
    public static Topology natted(Lab lab) {
        Namespace wire = new Namespace(lab, "router");
        Gateway left = standalone(lab, "left", PRIVATE_LEFT, INNER_LEFT);
        Gateway right = standalone(lab, "right", new Gateway.Addresses(OUTER_RIGHT.v4(), null), INNER_RIGHT);
        Topology topology = new Topology(left, right, wire);
        topology.join();
        wire.forwarding();
        wire.address(LEFT_PORT, ROUTER_INSIDE + "/24");
        wire.address(RIGHT_PORT, ROUTER_OUTSIDE + "/24");
        left.addOuter();
        left.host().route("default", ROUTER_INSIDE);
        right.addOuter();
        topology.masquerade("20000-29999");
        return topology;
    }

    /** Makes the router give new mappings source ports of this range. */
    public void masquerade(String ports) {
        List<String> rules = List.of(
                "add table ip nat",
                "flush table ip nat",
                "add chain ip nat post { type nat hook postrouting priority 100 ; }",
                "add rule ip nat post oifname " + RIGHT_PORT + " meta l4proto udp masquerade to :" + ports,
                "add rule ip nat post oifname " + RIGHT_PORT + " masquerade");
        wire.run("nft", String.join("\n", rules));
    }

    /** What makes a home router get a new address: all its mappings are forgotten with the old one. */
    public void renumberRouter(String oldAddress, String newAddress) {
        wire.ip("address", "delete", oldAddress + "/24", "dev", RIGHT_PORT);
        wire.address(RIGHT_PORT, newAddress + "/24");
    }

    private static Gateway standalone(Lab lab, String role, Gateway.Addresses outer, Gateway.Addresses inner) {
        Namespace host = new Namespace(lab, role);
        host.addresses(
                "lo",
                inner.families().stream()
                        .map(family -> family.host(inner.of(family)))
                        .toList());
        return new Gateway(host, host, outer, inner);
    }

    private static Gateway gateway(Lab lab, String role, Gateway.Addresses outer, Gateway.Addresses inner) {
        Namespace host = new Namespace(lab, role);
        Namespace client = new Namespace(lab, role + "-client");
        host.forwarding();
        Namespace.connect(host, "lan", client, Gateway.DEVICE);
        // 10.1.0.1 has the router 10.1.0.100, fd01::1 the router fd01::100
        String router4 = inner.v4() + "00";
        String router6 = inner.v6() + "00";
        host.addresses("lan", List.of(router4 + "/24", router6 + "/64"));
        client.addresses(Gateway.DEVICE, List.of(inner.v4() + "/24", inner.v6() + "/64"));
        client.route("default", router4);
        client.route("default", router6);
        return new Gateway(host, client, outer, inner);
    }

    private void join() {
        Namespace.connect(left.host(), Gateway.DEVICE, wire, LEFT_PORT);
        Namespace.connect(right.host(), Gateway.DEVICE, wire, RIGHT_PORT);
    }

    private void makeSwitch() {
        if (Namespace.HAS_IPV6) {
            wire.sysctl("ipv6.conf.all.disable_ipv6", 1);
        }
        wire.script(List.of(
                "ip link add switch up type bridge",
                "ip link set " + LEFT_PORT + " master switch",
                "ip link set " + RIGHT_PORT + " master switch"));
    }
}
