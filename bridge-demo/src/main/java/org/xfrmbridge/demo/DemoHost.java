package org.xfrmbridge.demo;

import java.util.List;
import org.xfrmbridge.lab.Attachment;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Gateway;

/** One of the two hosts, as it is called on the screen. One thread. */
final class DemoHost {
    private final String name;
    private final Gateway gateway;
    private BridgeProcess bridge;

    /** @param name A or B */
    DemoHost(String name, Gateway gateway) {
        this.name = name;
        this.gateway = gateway;
    }

    @Override
    public String toString() {
        return "host " + name;
    }

    Gateway gateway() {
        return gateway;
    }

    /** The address on the wire. */
    String outer() {
        return gateway.outer().v4();
    }

    /** The addresses the tunnel is for: IPv4, and IPv6 where the machine has it. */
    List<String> inner() {
        return gateway.inner().families().stream().map(gateway.inner()::of).toList();
    }

    /** Its inner addresses as selectors, in the same order. */
    List<String> selectors() {
        return gateway.inner().families().stream()
                .map(family -> family.host(gateway.inner().of(family)))
                .toList();
    }

    /** Starts a bridge, which is ready later. */
    void launchBridge(DemoLab lab, Attachment attachment) {
        bridge = BridgeProcess.launch(lab, gateway.host(), attachment, List.of());
    }

    BridgeProcess bridge() {
        return bridge;
    }

    Command command(String... arguments) {
        return gateway.host().command(arguments);
    }
}
