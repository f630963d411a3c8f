package org.xfrmbridge.daemon.nft;

import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.os.OsException;

/**
 * The barrier's part of {@code table inet}: with it the host sends to and hears from itself alone. What is bound to a
 * device finds a way where routing rules leave it none, and what comes in needs none.
 */
final class ShutChains {
    private static final String OUTPUT = "shut-output";
    private static final String INPUT = "shut-input";

    private ShutChains() {}

    /** Written twice it is there once. */
    static void add(Batch batch) {
        batch.addChain(OUTPUT, new Hook("filter", Hook.OUTPUT, Conditions.VERY_LAST), Policy.DROP)
                .flushChain(OUTPUT)
                .addRule(OUTPUT, Conditions.isLoopback(Meta.OIF).accept());
        batch.addChain(INPUT, new Hook("filter", Hook.INPUT, Conditions.VERY_LAST), Policy.DROP)
                .flushChain(INPUT)
                .addRule(INPUT, Conditions.isLoopback(Meta.IIF).accept());
    }

    static boolean areThere(NetfilterSocket netfilter) throws OsException {
        return netfilter.hasChain(Family.INET, StackNames.TABLE, OUTPUT);
    }

    static void delete(Batch batch) {
        batch.deleteChain(OUTPUT).deleteChain(INPUT);
    }
}
