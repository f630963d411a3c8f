package org.xfrmbridge.daemon.nft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * What others on this host have in their chains that the bridge's own must mind, of nftables or of the older iptables.
 * Of the older there are no events: ask every few seconds. One thread.
 */
public final class OthersChains implements AutoCloseable {
    private static final int CHAIN_TABLE = 1;
    private static final int CHAIN_NAME = 3;
    private static final int CHAIN_HOOK = 4;
    private static final int CHAIN_TYPE = 7;
    private static final int HOOK_NUMBER = 1;
    private static final int HOOK_PRIORITY = 2;
    private static final int FLOWTABLE_FLAGS = 7;
    private static final int OFFLOAD = 1;
    private static final int GENERIC_MESSAGE_BYTES = 4;
    /** Prerouting, which is the ingress of a device in tables netdev, and the ingress of tables inet. */
    private static final Set<Integer> BEFORE_ROUTING = Set.of(0, 5);
    /** Names of the tables that the older iptables has here. */
    static final List<Path> OLDER = List.of(
            Path.of("/proc/thread-self/net/ip_tables_names"), Path.of("/proc/thread-self/net/ip6_tables_names"));

    private final NetfilterSocket netfilter;
    private boolean translate;
    private boolean seeArriving;
    private OptionalInt firewalldAt = OptionalInt.empty();
    private Flowtables flowtables = Flowtables.NONE;

    private OthersChains() throws OsException {
        netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter());
    }

    public static OthersChains open() throws OsException {
        return new OthersChains();
    }

    /**
     * What there is.
     *
     * @param translate whether chains translate addresses
     * @param seeArriving whether chains see what arrives before it is routed, and so may set marks that routes follow
     * @param firewalldAt the priority of the prerouting chain where firewalld checks sources of IPv6
     */
    public record Others(boolean translate, boolean seeArriving, OptionalInt firewalldAt, Flowtables flowtables) {
        public static final Others NONE = new Others(false, false, OptionalInt.empty(), Flowtables.NONE);

        /** As a record's own, but without the classes that the JVM makes for that at each start. */
        @Override
        public boolean equals(Object object) {
            return object instanceof Others others
                    && translate == others.translate
                    && seeArriving == others.seeArriving
                    && firewalldAt.equals(others.firewalldAt)
                    && flowtables == others.flowtables;
        }

        @Override
        public int hashCode() {
            return flowtables.hashCode();
        }
    }

    /** Who forwards flows past all chains. */
    public enum Flowtables {
        NONE,
        THE_HOST,
        /** Network cards may, too. */
        CARDS
    }

    /** What there is now. */
    public Others look() throws OsException {
        translate = OLDER.stream().anyMatch(names -> namesAny(names, Set.of("nat")));
        seeArriving = OLDER.stream().anyMatch(names -> namesAny(names, Set.of("nat", "mangle", "raw")));
        firewalldAt = OptionalInt.empty();
        flowtables = Flowtables.NONE;
        netfilter.eachChain(this::look);
        netfilter.eachFlowtable(this::lookAtFlowtable);
        return new Others(translate, seeArriving, firewalldAt, flowtables);
    }

    private void look(NetlinkReader chain) {
        Attributes attributes = Attributes.parse(chain.payload(), GENERIC_MESSAGE_BYTES, CHAIN_TYPE);
        String table = attributes.getString(CHAIN_TABLE);
        boolean isOwn = StackNames.isOwnTable(table);
        translate |= "nat".equals(attributes.getString(CHAIN_TYPE)) && !isOwn;
        if (!isOwn && attributes.get(CHAIN_HOOK) != null) {
            byte[] number = attributes.nested(CHAIN_HOOK, HOOK_PRIORITY).getBytes(HOOK_NUMBER);
            seeArriving |= BEFORE_ROUTING.contains(ByteBuffer.wrap(number).getInt());
        }
        if ("firewalld".equals(table) && "filter_PREROUTING".equals(attributes.getString(CHAIN_NAME))) {
            byte[] priority = attributes.nested(CHAIN_HOOK, HOOK_PRIORITY).getBytes(HOOK_PRIORITY);
            firewalldAt = OptionalInt.of(ByteBuffer.wrap(priority).getInt());
        }
    }

    private void lookAtFlowtable(NetlinkReader flowtable) {
        Attributes attributes = Attributes.parse(flowtable.payload(), GENERIC_MESSAGE_BYTES, FLOWTABLE_FLAGS);
        int flags = Integer.reverseBytes(attributes.getInt(FLOWTABLE_FLAGS, 0));
        if ((flags & OFFLOAD) != 0) {
            flowtables = Flowtables.CARDS;
        } else if (flowtables == Flowtables.NONE) {
            flowtables = Flowtables.THE_HOST;
        }
    }

    private static boolean namesAny(Path names, Set<String> tables) {
        try {
            return !Collections.disjoint(Files.readAllLines(names), tables);
        } catch (IOException e) {
            // A kernel without the older iptables has no such file.
            return false;
        }
    }

    @Override
    public void close() {
        netfilter.close();
    }
}
