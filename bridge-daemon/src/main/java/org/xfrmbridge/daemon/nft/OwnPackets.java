package org.xfrmbridge.daemon.nft;

import java.util.Collection;
import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.nft.SetKey.Field;
import org.xfrmbridge.daemon.os.StackSigns;

/**
 * Rules that know the bridge's own packets. Their priority is quick to look at, but rules of others may give them
 * another, or give this one to others' packets. What nobody changes on the way is the group of their socket.
 *
 * <p>A packet that a tunnel's device wraps in another keeps its socket. So that the outer one is not taken for the
 * bridge's, a copy that belongs to none is sent by such devices, and by one that is not known nothing.
 */
final class OwnPackets {
    private static final String OWN = "own";
    private static final String OWN_LEAVING = "own-leaving";
    private static final String LEFT = "own-left";
    private static final String KNOWN = "known";
    private static final String COPIED = "own-copied";

    private final StackNames names;
    private final boolean haveGroup;

    /** @param haveGroup whether their sockets have groups of {@link StackSigns}; else their priority alone tells */
    OwnPackets(StackNames names, boolean haveGroup) {
        this.names = names;
        this.haveGroup = haveGroup;
    }

    /** Sets and chains that the others go to. */
    void addChains(Batch batch) {
        batch.addSet(KNOWN, SetKey.of(Field.INTERFACE, Field.INTERFACE_NAME));
        addLeft(batch);
        addOwn(batch, OWN, rule -> rule.accept());
        addOwn(batch, OWN_LEAVING, rule -> rule.goTo(LEFT));
    }

    private interface Verdict {
        Rule of(Rule condition);
    }

    /** Of a packet with the priority. Before Linux 6.9 one that connection tracking has put together has no socket. */
    private void addOwn(Batch batch, String chain, Verdict own) {
        batch.addChain(chain);
        if (haveGroup) {
            batch.addRule(chain, own.of(hasGroup()));
            batch.addRule(
                    chain,
                    new Rule()
                            .load(Meta.SOCKET_GROUP, 0)
                            .compare(0, Comparison.AT_LEAST, Rule.nativeInt(0))
                            .leave());
        }
        batch.addRule(chain, own.of(new Rule().is(Meta.IIF, Rule.nativeInt(0))));
    }

    /** For the last time: what others' rules want of the priority is kept. */
    private void addLeft(Batch batch) {
        batch.addChain(LEFT);
        batch.addRule(LEFT, hasPriority().immediate(0, Rule.nativeInt(0)).set(Meta.PRIORITY, 0));
        batch.addRule(LEFT, new Rule().setMark(names.userBits(), 0));
        if (haveGroup) {
            batch.addRule(LEFT, Conditions.isLoopback(Meta.OIF).accept());
            batch.addRule(LEFT, Conditions.leavesBy(new Rule(), KNOWN).accept());
            batch.addRule(LEFT, new Rule().counter().drop());
        } else {
            batch.addRule(LEFT, new Rule().accept());
        }
    }

    /** At an end of the way: of a packet that nothing has been done to, or one that a rule may have changed. */
    void acceptByPriority(Batch batch, String chain) {
        batch.addRule(chain, hasPriority().jump(OWN));
    }

    /** What {@link #acceptByPriority} has not known. */
    void acceptByGroup(Batch batch, String chain) {
        if (haveGroup) {
            batch.addRule(chain, hasGroup().setMark(names.userBits(), 0).accept());
        }
    }

    void accept(Batch batch, String chain) {
        acceptByPriority(batch, chain);
        acceptByGroup(batch, chain);
    }

    /**
     * Where packets leave the host, all but those that NAT has made others of. Most packets of the host have no
     * priority: of them the group is asked behind the selection ({@link #acceptSelected}), as that takes long.
     */
    void acceptLeaving(Batch batch, String chain) {
        if (haveGroup) {
            batch.addRule(
                    chain,
                    hasGroup(new Rule()
                                    .load(Meta.PRIORITY, 0)
                                    .compare(0, Comparison.UNEQUAL, Rule.nativeInt(0))
                                    .compare(0, Comparison.UNEQUAL, Rule.nativeInt(StackNames.TRANSLATED)))
                            .goTo(LEFT));
        }
        batch.addRule(chain, hasPriority().jump(OWN_LEAVING));
    }

    /** What rules of others have taken all priority from, of what is selected. */
    void acceptSelected(Batch batch, String chain) {
        if (haveGroup) {
            batch.addRule(
                    chain,
                    hasGroup(new Rule().is(Meta.PRIORITY, Rule.nativeInt(0))).goTo(LEFT));
        }
    }

    /** Of those with one priority: by it, or by the group that is theirs. */
    void acceptOf(Batch batch, String chain, int priority) {
        batch.addRule(
                chain, new Rule().is(Meta.PRIORITY, Rule.nativeInt(priority)).accept());
        if (haveGroup) {
            batch.addRule(chain, isOfGroup(priority).accept());
        }
    }

    /** The same, and connection tracking is not to know them. */
    void doNotTrack(Batch batch, String chain, int priority) {
        batch.addRule(
                chain, new Rule().is(Meta.PRIORITY, Rule.nativeInt(priority)).untracked());
        if (haveGroup) {
            batch.addRule(chain, isOfGroup(priority).untracked());
        }
    }

    /** All devices that packets may leave the host by, from now on. */
    void know(Batch batch, Collection<CoveredDevice> devices) {
        batch.flushSet(KNOWN)
                .addElements(KNOWN, devices.stream().map(CoveredDevice::key).toList());
    }

    /**
     * Where chains of tunnels' devices go to. There with the tables, so that a kernel that cannot copy refuses those.
     */
    void addCopied(Batch batch) {
        if (haveGroup) {
            batch.addChain(COPIED)
                    .addRule(
                            COPIED,
                            hasGroup().counter().load(Meta.OIF, 0).copyTo(0).drop());
        }
    }

    /** In a chain of the egress of a tunnel's device. */
    void addTunnel(Batch batch, String chain) {
        if (haveGroup) {
            batch.addRule(chain, new Rule().jump(COPIED));
        }
    }

    private static Rule hasPriority() {
        return new Rule()
                .load(Meta.PRIORITY, 0)
                .mask(0, Rule.nativeInt(~3), Rule.nativeInt(0))
                .compare(0, Comparison.EQUAL, Rule.nativeInt(StackSigns.OWN_PRIORITIES));
    }

    private static Rule hasGroup() {
        return hasGroup(new Rule());
    }

    private static Rule hasGroup(Rule condition) {
        return condition
                .load(Meta.SOCKET_GROUP, 0)
                .mask(0, Rule.nativeInt(~3), Rule.nativeInt(0))
                .compare(0, Comparison.EQUAL, Rule.nativeInt(StackSigns.OWN_GROUPS));
    }

    private static Rule isOfGroup(int priority) {
        return new Rule().is(Meta.SOCKET_GROUP, Rule.nativeInt(StackSigns.group(priority)));
    }
}
