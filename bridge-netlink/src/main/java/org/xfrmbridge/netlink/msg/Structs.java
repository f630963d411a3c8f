package org.xfrmbridge.netlink.msg;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.km.XfrmService.HashThresholds;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;
import org.xfrmbridge.xfrm.Usage;

/**
 * The small structures that others are made of, straight to and from the core's values. Buffers are in native order;
 * every method reads or writes from the buffer's position on and leaves it behind the structure, padding included,
 * which is written as zero.
 */
public final class Structs {
    public static final int ADDRESS_BYTES = Address.BYTES;
    public static final int SELECTOR_BYTES = 56;
    public static final int ID_BYTES = 24;
    public static final int LIFETIME_CONFIG_BYTES = 64;
    public static final int LIFETIME_CURRENT_BYTES = 32;
    public static final int MARK_BYTES = 8;
    public static final int ENCAP_BYTES = 24;
    public static final int TEMPLATE_BYTES = UserTmpl.BYTES;
    public static final int OFFLOAD_BYTES = 8;

    /** Bytes of {@code struct xfrm_user_sec_ctx}, the label behind it not counted. */
    public static final int SECURITY_CONTEXT_BYTES = 8;

    private Structs() {}

    /** {@code xfrm_address_t}. */
    public static Address readAddress(ByteBuffer in) {
        long high = bigEndian(in.getLong());
        return new Address(high, bigEndian(in.getLong()));
    }

    public static void writeAddress(ByteBuffer out, Address address) {
        out.putLong(bigEndian(address.high())).putLong(bigEndian(address.low()));
    }

    /** {@code struct xfrm_id}. */
    public static StateId readId(ByteBuffer in) {
        Address daddr = readAddress(in);
        int spi = bigEndian(in.getInt());
        return new StateId(daddr, spi, readByteAndSkip(in, 3));
    }

    public static void writeId(ByteBuffer out, StateId id) {
        writeAddress(out, id.daddr());
        out.putInt(bigEndian(id.spi()));
        writeByteAndPad(out, id.protocol(), 3);
    }

    /** {@code struct xfrm_selector}. */
    public static Selector readSelector(ByteBuffer in) {
        Address daddr = readAddress(in);
        Address saddr = readAddress(in);
        int dport = readPort(in);
        int dportMask = readPort(in);
        int sport = readPort(in);
        int sportMask = readPort(in);
        int family = Short.toUnsignedInt(in.getShort());
        int daddrPrefix = Byte.toUnsignedInt(in.get());
        int saddrPrefix = Byte.toUnsignedInt(in.get());
        int protocol = readByteAndSkip(in, 3);
        int ifindex = in.getInt();
        return Selector.of(family)
                .saddr(saddr, saddrPrefix)
                .daddr(daddr, daddrPrefix)
                .sport(sport, sportMask)
                .dport(dport, dportMask)
                .protocol(protocol)
                .ifindex(ifindex)
                .user(in.getInt())
                .build();
    }

    public static void writeSelector(ByteBuffer out, Selector selector) {
        writeAddress(out, selector.daddr());
        writeAddress(out, selector.saddr());
        writePort(out, selector.dport());
        writePort(out, selector.dportMask());
        writePort(out, selector.sport());
        writePort(out, selector.sportMask());
        out.putShort((short) selector.family());
        out.put((byte) selector.daddrPrefix()).put((byte) selector.saddrPrefix());
        writeByteAndPad(out, selector.protocol(), 3);
        out.putInt(selector.ifindex()).putInt(selector.user());
    }

    /** {@code struct xfrm_lifetime_cfg}. */
    public static Lifetime readLifetime(ByteBuffer in) {
        Lifetime lifetime = new Lifetime(
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong(),
                in.getLong());
        // Most have no limits: a million of them need one object.
        return lifetime.equals(Lifetime.UNLIMITED) ? Lifetime.UNLIMITED : lifetime;
    }

    public static void writeLifetime(ByteBuffer out, Lifetime lifetime) {
        out.putLong(lifetime.softBytes()).putLong(lifetime.hardBytes());
        out.putLong(lifetime.softPackets()).putLong(lifetime.hardPackets());
        out.putLong(lifetime.softAddSeconds()).putLong(lifetime.hardAddSeconds());
        out.putLong(lifetime.softUseSeconds()).putLong(lifetime.hardUseSeconds());
    }

    /** {@code struct xfrm_lifetime_cur}. */
    public static LifetimeCurrent readLifetimeCurrent(ByteBuffer in) {
        long bytes = in.getLong();
        long packets = in.getLong();
        long addSeconds = in.getLong();
        return new LifetimeCurrent(bytes, packets, addSeconds, in.getLong());
    }

    public static void writeLifetimeCurrent(ByteBuffer out, LifetimeCurrent current) {
        out.putLong(current.bytes()).putLong(current.packets());
        out.putLong(current.addSeconds()).putLong(current.useSeconds());
    }

    /** {@code struct xfrm_lifetime_cur}. */
    static void writeUsage(ByteBuffer out, Usage usage) {
        out.putLong(usage.bytes()).putLong(usage.packets());
        out.putLong(usage.addSeconds()).putLong(usage.useSeconds());
    }

    /** {@code struct xfrmu_spdhthresh}. */
    public static HashThresholds readHashThresholds(ByteBuffer in) {
        int localPrefix = Byte.toUnsignedInt(in.get());
        return new HashThresholds(localPrefix, Byte.toUnsignedInt(in.get()));
    }

    public static byte[] hashThresholds(HashThresholds thresholds) {
        return new byte[] {(byte) thresholds.localPrefix(), (byte) thresholds.remotePrefix()};
    }

    /** {@code struct xfrm_mark}. */
    public static Mark readMark(ByteBuffer in) {
        int value = in.getInt();
        return new Mark(value, in.getInt());
    }

    public static void writeMark(ByteBuffer out, Mark mark) {
        out.putInt(mark.value()).putInt(mark.mask());
    }

    /** {@code struct xfrm_userpolicy_type}. */
    public static void writePolicyType(ByteBuffer out, PolicySpec.Type type) {
        writeByteAndPad(out, type.ordinal(), XfrmAttribute.POLICY_TYPE_BYTES - 1);
    }

    /** {@code struct xfrm_encap_tmpl}. */
    public static Encapsulation readEncapsulation(ByteBuffer in) {
        int type = Short.toUnsignedInt(in.getShort());
        int sport = readPort(in);
        int dport = readPort(in);
        in.getShort();
        return new Encapsulation(type, sport, dport, readAddress(in));
    }

    public static void writeEncapsulation(ByteBuffer out, Encapsulation encapsulation) {
        out.putShort((short) encapsulation.type());
        writePort(out, encapsulation.sport());
        writePort(out, encapsulation.dport());
        out.putShort((short) 0);
        writeAddress(out, encapsulation.originalAddress());
    }

    /** A port in network order. */
    static int readPort(ByteBuffer in) {
        return bigEndian(in.getShort());
    }

    static void writePort(ByteBuffer out, int port) {
        out.putShort((short) bigEndian((short) port));
    }

    static int readByteAndSkip(ByteBuffer in, int paddingBytes) {
        int value = Byte.toUnsignedInt(in.get());
        in.position(in.position() + paddingBytes);
        return value;
    }

    static void writeByteAndPad(ByteBuffer out, int value, int paddingBytes) {
        out.put((byte) value);
        pad(out, paddingBytes);
    }

    static void pad(ByteBuffer out, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.put((byte) 0);
        }
    }

    /** From native to network order or back. The result is unsigned. */
    private static int bigEndian(short value) {
        return Short.toUnsignedInt(ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Short.reverseBytes(value));
    }

    /** The same. */
    static int bigEndian(int value) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value);
    }

    private static long bigEndian(long value) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Long.reverseBytes(value);
    }
}
