package org.xfrmbridge.daemon.nft;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * One rule of nftables: expressions in the order in which a packet meets them, {@code struct nft_expr_ops}. The first
 * that does not hold ends the rule. Values are compared as they are in the packet; those of {@link Meta} in native
 * order. Of the sixteen registers of four bytes the first is 0.
 */
final class Rule {
    /** What a packet has beside its bytes; {@code enum nft_meta_keys}. */
    enum Meta {
        PRIORITY(2),
        MARK(3),
        IIF(4),
        OIF(5),
        OIF_NAME(7),
        SOCKET_GROUP(11),
        FAMILY(15),
        PROTOCOL(16),
        PACKET_TYPE(19);

        private final int key;

        Meta(int key) {
            this.key = key;
        }
    }

    /** Where an offset counts from; {@code enum nft_payload_bases}. */
    enum Header {
        LINK,
        NETWORK,
        TRANSPORT
    }

    /** {@code enum nft_cmp_ops}. */
    enum Comparison {
        EQUAL,
        UNEQUAL,
        LESS,
        AT_MOST,
        MORE,
        AT_LEAST
    }

    /** What the host's connection tracking knows of a packet; {@code enum nft_ct_keys}. */
    enum Connection {
        STATE(0),
        DIRECTION(1),
        STATUS(2),
        SOURCE_PORT(11),
        SOURCE_IPV4(19),
        SOURCE_IPV6(21);

        private final int key;

        Connection(int key) {
            this.key = key;
        }
    }

    private static final int NESTED = 0x8000;
    private static final int REGISTERS = 8;
    private static final int QUEUE_BYPASS = 1;
    private static final int VERDICT_REGISTER = 0;
    private static final int NFTA_LIST_ELEM = 1 | NESTED;
    private static final int NFTA_EXPR_NAME = 1;
    private static final int NFTA_EXPR_DATA = 2 | NESTED;
    private static final int NFTA_DATA_VALUE = 1;
    private static final int NFTA_DATA_VERDICT = 2 | NESTED;
    private static final int NFTA_VERDICT_CODE = 1;
    private static final int NFTA_VERDICT_CHAIN = 2;
    private static final int NF_DROP = 0;
    private static final int NF_ACCEPT = 1;
    private static final int NFT_JUMP = -3;
    private static final int NFT_GOTO = -4;
    private static final int NFT_RETURN = -5;
    private static final int CHECKSUM_INET = 1;
    private static final int PSEUDO_HEADER = 1;
    private static final int FIB_OUTPUT_DEVICE = 1;
    private static final int FIB_OUTPUT_NAME = 2;
    private static final int FIB_ADDRESS_TYPE = 3;
    private static final int FIB_DESTINATION = 1 << 1;
    private static final int FIB_MARK = 1 << 2;
    private static final int FRAGMENT_HEADER = 44;

    private final NetlinkWriter out = new NetlinkWriter();

    /** The expressions, as NFTA_RULE_EXPRESSIONS has them. */
    byte[] toBytes() {
        return out.toBytes();
    }

    static byte[] bytes(int... values) {
        byte[] result = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (byte) values[i];
        }
        return result;
    }

    static byte[] networkShort(int value) {
        return ByteBuffer.allocate(2).putShort((short) value).array();
    }

    static byte[] nativeInt(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }

    Rule load(Meta what, int register) {
        return expression("meta", () -> {
            number(1, REGISTERS + register);
            number(2, what.key);
        });
    }

    /** Sets it to what the register has. */
    Rule set(Meta what, int register) {
        return expression("meta", () -> {
            number(2, what.key);
            number(3, REGISTERS + register);
        });
    }

    Rule load(Header header, int offset, int bytes, int register) {
        return expression("payload", () -> {
            number(1, REGISTERS + register);
            field(header, offset, bytes);
        });
    }

    /** Writes the register into the packet; no checksum changes. */
    Rule store(Header header, int offset, int bytes, int register) {
        return expression("payload", () -> {
            field(header, offset, bytes);
            number(5, REGISTERS + register);
        });
    }

    /** The same, and mends the checksum at that offset of the same header. */
    Rule storeSummed(Header header, int offset, int bytes, int register, int checksumOffset) {
        return expression("payload", () -> {
            field(header, offset, bytes);
            number(5, REGISTERS + register);
            number(6, CHECKSUM_INET);
            number(7, checksumOffset);
        });
    }

    /** Writes a register into the address of the packet, and mends all checksums. @param checksumOffset -1: none */
    Rule storeAddress(int offset, int bytes, int register, int checksumOffset) {
        return expression("payload", () -> {
            field(Header.NETWORK, offset, bytes);
            number(5, REGISTERS + register);
            number(6, checksumOffset < 0 ? 0 : CHECKSUM_INET);
            number(7, Math.max(checksumOffset, 0));
            number(8, PSEUDO_HEADER);
        });
    }

    /** Of a packet that is not tracked it does not hold. @param original what the connection's first packet had */
    Rule load(Connection what, boolean original, int register) {
        return expression("ct", () -> {
            number(1, REGISTERS + register);
            number(2, what.key);
            if (original) {
                out.putByte(3, 0);
            }
        });
    }

    /** Holds if any of the bits is set, or if none is. */
    Rule hasBits(Connection what, int bits, boolean any) {
        return load(what, false, 0)
                .mask(0, nativeInt(bits), nativeInt(0))
                .compare(0, any ? Comparison.UNEQUAL : Comparison.EQUAL, nativeInt(0));
    }

    /** The host does not track the packet's connection. */
    Rule untracked() {
        return expression("notrack", () -> {});
    }

    /** Index (0 if the packet is for this host or has no route) and name of the device that routes send it to. */
    Rule loadOutputDevice(int register) {
        return fib(FIB_OUTPUT_DEVICE, FIB_DESTINATION | FIB_MARK, register)
                .fib(FIB_OUTPUT_NAME, FIB_DESTINATION | FIB_MARK, register + 1);
    }

    /** Whether the destination is one of this host's addresses, of many hosts, or neither: RTN_ in native order. */
    Rule loadDestinationType(int register) {
        return fib(FIB_ADDRESS_TYPE, FIB_DESTINATION, register);
    }

    private Rule fib(int result, int of, int register) {
        return expression("fib", () -> {
            number(1, REGISTERS + register);
            number(2, result);
            number(3, of);
        });
    }

    private void field(Header header, int offset, int bytes) {
        number(2, header.ordinal());
        number(3, offset);
        number(4, bytes);
    }

    /** register = register & mask ^ bits. */
    Rule mask(int register, byte[] mask, byte[] bits) {
        return expression("bitwise", () -> {
            number(1, REGISTERS + register);
            number(2, REGISTERS + register);
            number(3, mask.length);
            value(4, mask);
            value(5, bits);
        });
    }

    Rule compare(int register, Comparison comparison, byte[] value) {
        return expression("cmp", () -> {
            number(1, REGISTERS + register);
            number(2, comparison.ordinal());
            value(3, value);
        });
    }

    Rule immediate(int register, byte[] value) {
        return expression("immediate", () -> {
            number(1, REGISTERS + register);
            value(2, value);
        });
    }

    /** Holds if the set has what the registers from that one on have. */
    Rule lookup(String set, int register) {
        return expression("lookup", () -> {
            out.putString(1, set);
            number(2, REGISTERS + register);
        });
    }

    Rule is(Meta what, byte[] value) {
        return load(what, 0).compare(0, Comparison.EQUAL, value);
    }

    Rule is(Header header, int offset, byte[] value) {
        return has(header, offset, Comparison.EQUAL, value);
    }

    Rule has(Header header, int offset, Comparison comparison, byte[] value) {
        return load(header, offset, value.length, 0).compare(0, comparison, value);
    }

    /** Holds if any of the bits is set, or if none is. */
    Rule hasBits(Meta what, int bits, boolean any) {
        return load(what, 0)
                .mask(0, nativeInt(bits), nativeInt(0))
                .compare(0, any ? Comparison.UNEQUAL : Comparison.EQUAL, nativeInt(0));
    }

    /** mark = mark & mask | bits. */
    Rule setMark(int mask, int bits) {
        return load(Meta.MARK, 0).mask(0, nativeInt(mask), nativeInt(bits)).set(Meta.MARK, 0);
    }

    /** Holds for an IPv6 packet with a fragment header. */
    Rule isIpv6Fragment() {
        return expression("exthdr", () -> {
                    number(1, REGISTERS);
                    out.putByte(2, FRAGMENT_HEADER);
                    number(3, 0);
                    number(4, 1);
                    number(5, 1);
                    number(6, 0);
                })
                .compare(0, Comparison.EQUAL, bytes(1));
    }

    Rule counter() {
        return expression("counter", () -> {});
    }

    Rule accept() {
        return verdict(NF_ACCEPT, null);
    }

    Rule drop() {
        return verdict(NF_DROP, null);
    }

    /** Back to the chain that jumped here. */
    Rule leave() {
        return verdict(NFT_RETURN, null);
    }

    Rule jump(String chain) {
        return verdict(NFT_JUMP, chain);
    }

    Rule goTo(String chain) {
        return verdict(NFT_GOTO, chain);
    }

    private Rule verdict(int code, String chain) {
        return expression("immediate", () -> {
            number(1, VERDICT_REGISTER);
            int data = out.beginAttribute(2 | NESTED);
            int verdict = out.beginAttribute(NFTA_DATA_VERDICT);
            number(NFTA_VERDICT_CODE, code);
            if (chain != null) {
                out.putString(NFTA_VERDICT_CHAIN, chain);
            }
            out.endAttribute(verdict).endAttribute(data);
        });
    }

    /** Sends the packet out of the device whose index the register has. */
    Rule forward(int register) {
        return expression("fwd", () -> number(1, REGISTERS + register));
    }

    /** Sends a copy, which belongs to no socket, out of the device whose index the register has. */
    Rule copyTo(int register) {
        return expression("dup", () -> number(2, REGISTERS + register));
    }

    /** Gives the packet to a queue; one that nobody reads drops it. */
    Rule queue(int number) {
        return expression("queue", () -> {
            out.putBytes(1, networkShort(number));
            out.putBytes(2, networkShort(1));
        });
    }

    /** The same, but past it if nobody reads the queue. */
    Rule queueOrPass(int number) {
        return expression("queue", () -> {
            out.putBytes(1, networkShort(number));
            out.putBytes(2, networkShort(1));
            out.putBytes(3, networkShort(QUEUE_BYPASS));
        });
    }

    /** A target of iptables, {@code struct xt_target}. */
    Rule target(String name, int revision, byte[] info) {
        return expression("target", () -> extension(name, revision, info));
    }

    /** A match of iptables, {@code struct xt_match}. */
    Rule match(String name, int revision, byte[] info) {
        return expression("match", () -> extension(name, revision, info));
    }

    private void extension(String name, int revision, byte[] info) {
        out.putString(1, name);
        number(2, revision);
        out.putBytes(3, info);
    }

    private Rule expression(String name, Runnable attributes) {
        int element = out.beginAttribute(NFTA_LIST_ELEM);
        out.putString(NFTA_EXPR_NAME, name);
        int data = out.beginAttribute(NFTA_EXPR_DATA);
        attributes.run();
        out.endAttribute(data).endAttribute(element);
        return this;
    }

    private void number(int type, int value) {
        Batch.putNumber(out, type, value);
    }

    private void value(int type, byte[] bytes) {
        int mark = out.beginAttribute(type | NESTED);
        out.putBytes(NFTA_DATA_VALUE, bytes).endAttribute(mark);
    }
}
