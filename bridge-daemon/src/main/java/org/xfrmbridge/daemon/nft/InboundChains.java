package org.xfrmbridge.daemon.nft;

import static org.xfrmbridge.daemon.nft.Conditions.VERY_LAST;

import java.util.List;
import java.util.Map;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * What comes in, in the order in which a packet meets the chains. In the clear and selected by policies: given to the
 * queue at input or forward. ESP in UDP: to the bridge's own socket, whose packets leave by the daemon's port.
 */
final class InboundChains {
    private static final String SOURCE_CHECK = "source-check";
    private static final String SOURCE_CHECKED = "source-checked";
    private static final String INPUT = "input";
    private static final String FORWARD = "forward";
    private static final String ENCAPSULATED = "encapsulated";
    private static final String ENCAPSULATE = "encapsulate";

    /** Connection tracking is at -200, rules without it at -300. */
    private static final int BEFORE_TRACKING = -310;

    private static final int IPIP = 4;
    private static final int UDP = 17;
    private static final int IPV6_IN_IP = 41;

    private final Conditions conditions;
    private final BridgedFrames bridged;
    private final boolean nativeQueue;
    private final int queue;

    /**
     * @param nativeQueue whether rules can give packets to a queue without an extension of iptables
     * @param queue the number of the queue
     */
    InboundChains(Conditions conditions, BridgedFrames bridged, boolean nativeQueue, int queue) {
        this.conditions = conditions;
        this.bridged = bridged;
        this.nativeQueue = nativeQueue;
        this.queue = queue;
    }

    /** Chains that others lead to. */
    void addChains(Batch batch) {
        addAskInput(batch);
        addAskForward(batch);
        batch.addChain(ENCAPSULATED);
    }

    /** The chain that gives a packet to the queue, but for those that nothing is asked about. */
    static String ask(Direction direction) {
        return direction == Direction.IN ? "ask-in" : "ask-forward";
    }

    private Rule ask() {
        return nativeQueue ? new Rule().queue(queue) : new Rule().target("NFQUEUE", 1, IptablesExtensions.queue(queue));
    }

    private void addAskInput(Batch batch) {
        String chain = ask(Direction.IN);
        batch.addChain(chain);
        batch.addRule(chain, Conditions.isLoopback(Meta.IIF).accept());
        batch.addRule(chain, conditions.isTap(Meta.IIF).accept());
        batch.addRule(chain, Conditions.isOpened().accept());
        batch.addRule(
                chain, Conditions.isIpsec(new Rule().load(Meta.PROTOCOL, 0)).accept());
        for (int tunnel : List.of(IPIP, IPV6_IN_IP)) {
            batch.addRule(
                    chain, new Rule().is(Meta.PROTOCOL, Rule.bytes(tunnel)).accept());
        }
        batch.addRule(chain, ask());
    }

    private void addAskForward(Batch batch) {
        String chain = ask(Direction.FWD);
        batch.addChain(chain);
        batch.addRule(chain, conditions.isTap(Meta.IIF).accept());
        bridged.accept(batch, chain);
        batch.addRule(chain, ask());
    }

    void add(Batch batch, Hooks hooks) {
        hooks.firewalldAt().ifPresent(at -> addSourceCheck(batch, at));
        if (hooks.input()) {
            addInput(batch, hooks);
        }
        if (hooks.forward()) {
            batch.addChain(FORWARD, new Hook("filter", Hook.FORWARD, VERY_LAST), Policy.ACCEPT);
            goByFamily(batch, FORWARD, Direction.FWD);
            bridged.add(batch, FORWARD, Hook.FORWARD, hooks);
        }
    }

    void delete(Batch batch, Hooks hooks) {
        if (hooks.firewalldAt().isPresent()) {
            batch.deleteChain(SOURCE_CHECK).deleteChain(SOURCE_CHECKED);
        }
        if (hooks.input()) {
            batch.deleteChain(INPUT);
        }
        if (hooks.forward()) {
            batch.deleteChain(FORWARD);
            bridged.delete(batch, FORWARD, hooks);
        }
    }

    /**
     * firewalld's check of sources follows marks, but no rule for the device: of what was opened it finds the way back
     * by the bit, which others' rules see no longer than it takes.
     */
    private void addSourceCheck(Batch batch, int at) {
        batch.addChain(SOURCE_CHECK, new Hook("filter", Hook.PREROUTING, at - 1), Policy.ACCEPT)
                .addRule(SOURCE_CHECK, conditions.setMark(isOpenedIpv6()));
        batch.addChain(SOURCE_CHECKED, new Hook("filter", Hook.PREROUTING, at + 1), Policy.ACCEPT)
                .addRule(SOURCE_CHECKED, conditions.clearMark(isOpenedIpv6()));
    }

    private Rule isOpenedIpv6() {
        return conditions.isTap(Meta.IIF).is(Meta.FAMILY, Rule.bytes(Conditions.IPV6));
    }

    private void addInput(Batch batch, Hooks hooks) {
        batch.addChain(INPUT, new Hook("filter", Hook.INPUT, VERY_LAST), Policy.ACCEPT);
        // There is nothing to ask about what the bridge opens, and much of it.
        batch.addRule(
                INPUT, new Rule().is(Meta.PROTOCOL, Rule.bytes(IpProtocol.ESP)).accept());
        if (hooks.encapsulation()) {
            batch.addRule(INPUT, new Rule().is(Meta.PROTOCOL, Rule.bytes(UDP)).jump(ENCAPSULATED));
        }
        if (hooks.directions().contains(Direction.IN)) {
            goByFamily(batch, INPUT, Direction.IN);
        }
    }

    private static void goByFamily(Batch batch, String from, Direction direction) {
        batch.addRule(
                from,
                new Rule()
                        .is(Meta.FAMILY, Rule.bytes(Conditions.IPV6))
                        .goTo(SelectionRules.chain(new WideScope(direction, Conditions.IPV6))));
        batch.addRule(from, new Rule().goTo(SelectionRules.chain(new WideScope(direction, Conditions.IPV4))));
    }

    /**
     * @param before ports that it has rules for now
     * @param ports encapsulation ports, and for each the port of the bridge's own socket
     */
    void writeEncapsulation(Batch batch, Map<Integer, Integer> before, Map<Integer, Integer> ports) {
        if (!before.isEmpty()) {
            batch.flushChain(ENCAPSULATED).deleteChain(ENCAPSULATE);
        }
        if (!ports.isEmpty()) {
            batch.addChain(ENCAPSULATE, new Hook("filter", Hook.OUTPUT, BEFORE_TRACKING), Policy.ACCEPT);
            // What comes from the bridge may be ESP in UDP that it has given back: else that went round for ever.
            batch.addRule(ENCAPSULATED, conditions.isTap(Meta.IIF).accept());
        }
        ports.forEach((port, own) -> {
            batch.addRule(ENCAPSULATED, EncapsulationRules.keepalive(port));
            EncapsulationRules.inbound(port, own).forEach(rule -> batch.addRule(ENCAPSULATED, rule));
            EncapsulationRules.outbound(port, own).forEach(rule -> batch.addRule(ENCAPSULATE, rule));
        });
    }
}
