package org.xfrmbridge.daemon.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * A transaction of nftables: all of its messages take effect at once, or none does (linux/netfilter/nf_tables.h). In
 * the order in which they are written; {@link NetfilterSocket#commit} sends it.
 */
public final class Batch {
    /** A family of nftables; {@code enum nf_inet_protocols}. */
    public enum Family {
        INET(1),
        IP(2),
        NETDEV(5),
        IP6(10);

        final int number;

        Family(int number) {
            this.number = number;
        }
    }

    /**
     * Where a chain is entered.
     *
     * @param type {@code filter}, {@code route} or {@code nat}
     * @param number {@code enum nf_inet_hooks} or {@code enum nf_dev_hooks}
     * @param device of a chain of {@link Family#NETDEV}, else null
     */
    public record Hook(String type, int number, int priority, String device) {
        public static final int PREROUTING = 0;
        public static final int INPUT = 1;
        public static final int FORWARD = 2;
        public static final int OUTPUT = 3;
        public static final int POSTROUTING = 4;
        public static final int INGRESS = 0;
        public static final int EGRESS = 1;

        Hook(String type, int number, int priority) {
            this(type, number, priority, null);
        }
    }

    /** What becomes of a packet that no rule decides on. */
    public enum Policy {
        DROP,
        ACCEPT
    }

    static final int NESTED = 0x8000;
    static final int NF_TABLES = 10;
    static final int NEW_TABLE = 0;
    static final int GET_TABLE = 1;
    static final int DELETE_TABLE = 2;
    static final int NEW_CHAIN = 3;
    static final int GET_CHAIN = 4;
    static final int DELETE_CHAIN = 5;
    static final int NEW_RULE = 6;
    static final int DELETE_RULE = 8;
    static final int NEW_SET = 9;
    static final int DELETE_SET = 11;
    static final int NEW_ELEMENTS = 12;
    static final int DELETE_ELEMENTS = 14;
    static final int GET_FLOWTABLE = 23;
    private static final int BATCH_BEGIN = 0x10;
    private static final int BATCH_END = 0x11;
    private static final int TABLE_NAME = 1;
    private static final int TABLE_FLAGS = 2;
    private static final int CHAIN_NAME = 3;
    private static final int CHAIN_HOOK = 4 | NESTED;
    private static final int CHAIN_POLICY = 5;
    private static final int CHAIN_TYPE = 7;
    private static final int HOOK_NUMBER = 1;
    private static final int HOOK_PRIORITY = 2;
    private static final int HOOK_DEVICE = 3;
    private static final int RULE_CHAIN = 2;
    private static final int RULE_EXPRESSIONS = 4 | NESTED;
    private static final int SET_NAME = 2;
    private static final int SET_FLAGS = 3;
    private static final int SET_KEY_TYPE = 4;
    private static final int SET_KEY_BYTES = 5;
    private static final int SET_ID = 10;
    private static final int SET_USER_DATA = 13;
    private static final int ELEMENTS = 3 | NESTED;
    private static final int LIST_ELEMENT = 1 | NESTED;
    private static final int ELEMENT_KEY = 1 | NESTED;
    private static final int DATA_VALUE = 1;
    /** The length of an attribute has 16 bits; the last element may pass this by its own. */
    private static final int MOST_ELEMENT_BYTES = 60_000;

    private static final int FLAGS_AT = 6;

    private Family family;
    private final String table;
    private final NetlinkWriter out = new NetlinkWriter(4096);
    private final List<String> texts = new ArrayList<>();
    private int setId;
    private int lastOffset;

    public Batch(Family family, String table) {
        this.family = family;
        this.table = table;
        begin(out, BATCH_BEGIN, 0, 0, 0, NF_TABLES);
        texts.add("begin");
        out.end();
    }

    /** What follows is about the table of the same name of that family. */
    public Batch in(Family other) {
        family = other;
        return this;
    }

    /** {@code struct nfgenmsg}: family, version and, for a batch, its subsystem in network order. */
    static void begin(NetlinkWriter out, int type, int flags, int sequence, int family, int resource) {
        out.begin(type, NetlinkHeader.REQUEST | flags, sequence, 0);
        out.room(4).put((byte) family).put((byte) 0).put((byte) (resource >> 8)).put((byte) resource);
    }

    static void putNumber(NetlinkWriter out, int type, int value) {
        out.putBytes(type, ByteBuffer.allocate(4).putInt(value).array());
    }

    private NetlinkWriter message(int type, int flags, String text) {
        lastOffset = out.sizeBytes();
        begin(out, NF_TABLES << 8 | type, flags, texts.size(), family.number, 0);
        texts.add(text + " of table " + family.name().toLowerCase(Locale.ROOT) + ' ' + table);
        return out;
    }

    /** @param flags {@code enum nft_table_flags} */
    public Batch addTable(int flags) {
        message(NEW_TABLE, NetlinkHeader.CREATE, "add table").putString(TABLE_NAME, table);
        if (flags != 0) {
            putNumber(out, TABLE_FLAGS, flags);
        }
        out.end();
        return this;
    }

    public Batch deleteTable() {
        message(DELETE_TABLE, 0, "delete table").putString(TABLE_NAME, table).end();
        return this;
    }

    /** A chain that others jump to. */
    public Batch addChain(String name) {
        message(NEW_CHAIN, NetlinkHeader.CREATE, "add chain " + name)
                .putString(TABLE_NAME, table)
                .putString(CHAIN_NAME, name)
                .end();
        return this;
    }

    public Batch addChain(String name, Hook hook, Policy policy) {
        message(NEW_CHAIN, NetlinkHeader.CREATE, "add chain " + name)
                .putString(TABLE_NAME, table)
                .putString(CHAIN_NAME, name);
        int place = out.beginAttribute(CHAIN_HOOK);
        putNumber(out, HOOK_NUMBER, hook.number());
        putNumber(out, HOOK_PRIORITY, hook.priority());
        if (hook.device() != null) {
            out.putString(HOOK_DEVICE, hook.device());
        }
        out.endAttribute(place);
        putNumber(out, CHAIN_POLICY, policy.ordinal());
        out.putString(CHAIN_TYPE, hook.type()).end();
        return this;
    }

    /** With its rules. */
    Batch deleteChain(String name) {
        message(DELETE_CHAIN, 0, "delete chain " + name)
                .putString(TABLE_NAME, table)
                .putString(CHAIN_NAME, name)
                .end();
        return this;
    }

    /** Behind those that are there. */
    Batch addRule(String chain, Rule rule) {
        message(NEW_RULE, NetlinkHeader.CREATE | NetlinkHeader.APPEND, "add rule " + chain)
                .putString(TABLE_NAME, table)
                .putString(RULE_CHAIN, chain);
        int expressions = out.beginAttribute(RULE_EXPRESSIONS);
        out.putBytes(rule.toBytes()).endAttribute(expressions).end();
        return this;
    }

    /** All rules of a chain go. */
    Batch flushChain(String chain) {
        message(DELETE_RULE, 0, "flush chain " + chain)
                .putString(TABLE_NAME, table)
                .putString(RULE_CHAIN, chain)
                .end();
        return this;
    }

    Batch addSet(String name, SetKey key) {
        message(NEW_SET, NetlinkHeader.CREATE, "add set " + name)
                .putString(TABLE_NAME, table)
                .putString(SET_NAME, name);
        putNumber(out, SET_FLAGS, 0);
        putNumber(out, SET_KEY_TYPE, key.type());
        putNumber(out, SET_KEY_BYTES, key.bytes());
        putNumber(out, SET_ID, ++setId);
        if (key.userData().length > 0) {
            out.putBytes(SET_USER_DATA, key.userData());
        }
        out.end();
        return this;
    }

    Batch deleteSet(String name) {
        message(DELETE_SET, 0, "delete set " + name)
                .putString(TABLE_NAME, table)
                .putString(SET_NAME, name)
                .end();
        return this;
    }

    Batch addElements(String set, Iterable<byte[]> keys) {
        return elements(NEW_ELEMENTS, NetlinkHeader.CREATE, "add element " + set, set, keys);
    }

    Batch deleteElements(String set, Iterable<byte[]> keys) {
        return elements(DELETE_ELEMENTS, 0, "delete element " + set, set, keys);
    }

    /** All its elements go. */
    Batch flushSet(String name) {
        message(DELETE_ELEMENTS, 0, "flush set " + name)
                .putString(TABLE_NAME, table)
                .putString(SET_NAME, name)
                .end();
        return this;
    }

    private Batch elements(int type, int flags, String text, String set, Iterable<byte[]> keys) {
        int list = -1;
        for (byte[] key : keys) {
            if (list < 0) {
                message(type, flags, text).putString(TABLE_NAME, table).putString(SET_NAME, set);
                list = out.beginAttribute(ELEMENTS);
            }
            int element = out.beginAttribute(LIST_ELEMENT);
            int data = out.beginAttribute(ELEMENT_KEY);
            out.putBytes(DATA_VALUE, key).endAttribute(data).endAttribute(element);
            if (out.sizeBytes() - list > MOST_ELEMENT_BYTES) {
                out.endAttribute(list).end();
                list = -1;
            }
        }
        if (list >= 0) {
            out.endAttribute(list).end();
        }
        return this;
    }

    /** Ends it; the last message but the one that ends it is acknowledged. */
    byte[] end() {
        ByteBuffer last = out.written().order(ByteOrder.nativeOrder());
        last.putShort(lastOffset + FLAGS_AT, (short) (last.getShort(lastOffset + FLAGS_AT) | NetlinkHeader.ACK));
        begin(out, BATCH_END, 0, texts.size(), 0, NF_TABLES);
        out.end();
        return out.toBytes();
    }

    /** The last message, whose number is what it is acknowledged by; the first has 0. */
    int last() {
        return texts.size() - 1;
    }

    boolean isEmpty() {
        return texts.size() == 1;
    }

    /** What a message asks, as {@code nft} would say it. */
    String text(int message) {
        return texts.get(message);
    }
}
