package org.xfrmbridge.demo;

import java.util.List;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Lab;
import org.xfrmbridge.lab.Namespace;
import org.xfrmbridge.lab.Topology;

/** Two hosts and the wire between them; logs and sockets are in its directory. One thread. */
final class DemoLab extends Lab {
    private DemoHost a;
    private DemoHost b;
    private Namespace wire;

    /** Nothing is made yet but the directory. */
    DemoLab() {
        super("xfrm-bridge-demo-", "xbdemo-");
    }

    /** Makes both hosts and joins them. */
    void build() {
        Topology topology = Topology.direct(this, "host-A", "host-B");
        a = new DemoHost("A", topology.left());
        b = new DemoHost("B", topology.right());
        wire = topology.wire();
        connect(a, b);
        connect(b, a);
    }

    private static void connect(DemoHost from, DemoHost to) {
        // ARP requests name an address of the wire as their sender, never an inner one.
        from.gateway().host().sysctl("ipv4.conf.all.arp_announce", 2);
        for (Family family : from.gateway().inner().families()) {
            from.gateway().routeTo(to.gateway(), family);
        }
    }

    DemoHost a() {
        return a;
    }

    DemoHost b() {
        return b;
    }

    List<DemoHost> hosts() {
        return List.of(a, b);
    }

    /** Where a sniffer sees what has left a host for good. */
    Namespace wire() {
        return wire;
    }

    /** Starts a program that is ended with the lab, before all that was started earlier. */
    Daemon start(String name, String logName, Command command) {
        return own(Daemon.start(name, file(logName), command));
    }
}
