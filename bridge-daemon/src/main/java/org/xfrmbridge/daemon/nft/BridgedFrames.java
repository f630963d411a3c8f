package org.xfrmbridge.daemon.nft;

import java.util.List;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Meta;

/**
 * Frames between two ports of a Linux bridge. Where br_netfilter is loaded they come by the host's chains, and are no
 * business of ours: they get a priority that says so to the chain after this one. The match for them is one of
 * iptables, and knows the families ip and ip6 alone, so that it takes two tables more.
 */
final class BridgedFrames {
    private static final List<Family> FAMILIES = List.of(Family.IP, Family.IP6);

    private final Conditions conditions;
    /** Whether br_netfilter is there. */
    private final boolean mayBe;

    BridgedFrames(Conditions conditions, boolean mayBe) {
        this.conditions = conditions;
        this.mayBe = mayBe;
    }

    /** The tables, which hold nothing yet. */
    void addTables(Batch batch, int flags) {
        if (mayBe) {
            FAMILIES.forEach(family -> batch.in(family).addTable(flags));
            batch.in(Family.INET);
        }
    }

    /**
     * Just before a chain of that name of {@code table inet}.
     *
     * @param hook FORWARD, or POSTROUTING, where only what is marked is looked at
     */
    void add(Batch batch, String chain, int hook, Hooks hooks) {
        if (!areMarked(hooks)) {
            return;
        }
        for (Family family : FAMILIES) {
            batch.in(family).addChain(chain, new Hook("filter", hook, Conditions.VERY_LAST - 1), Policy.ACCEPT);
            batch.addRule(chain, clearPriority(is()));
            batch.addRule(
                    chain,
                    (hook == Hook.FORWARD ? new Rule() : conditions.isMarked())
                            .match("physdev", 0, IptablesExtensions.isBridged())
                            .immediate(0, Rule.nativeInt(StackNames.BRIDGED))
                            .set(Meta.PRIORITY, 0));
        }
        batch.in(Family.INET);
    }

    void delete(Batch batch, String chain, Hooks hooks) {
        if (areMarked(hooks)) {
            FAMILIES.forEach(family -> batch.in(family).deleteChain(chain));
            batch.in(Family.INET);
        }
    }

    private boolean areMarked(Hooks hooks) {
        return mayBe && hooks.bridging();
    }

    /** On their way. */
    void accept(Batch batch, String chain) {
        if (mayBe) {
            batch.addRule(chain, is().accept());
        }
    }

    /** At its end, where nothing is to be left of what was written on them. */
    void acceptLeaving(Batch batch, String chain) {
        if (mayBe) {
            batch.addRule(chain, conditions.clearMark(clearPriority(is())).accept());
        }
    }

    private static Rule is() {
        return new Rule().is(Meta.PRIORITY, Rule.nativeInt(StackNames.BRIDGED));
    }

    private static Rule clearPriority(Rule rule) {
        return rule.immediate(0, Rule.nativeInt(0)).set(Meta.PRIORITY, 0);
    }
}
