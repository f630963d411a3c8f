package org.xfrmbridge.netlink.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * A field that two kernels of one version would fill differently, and why. All else must be equal.
 *
 * @param messages where it is
 * @param attribute within which, or {@link #FIXED}
 * @param offsetBytes from the beginning of the fixed part or of the attribute's payload
 */
public record VolatileField(Set<Integer> messages, int attribute, int offsetBytes, Kind kind) {
    /** The structure behind the header. */
    public static final int FIXED = 0;

    /** From here on the generator of requests names indexes of policies; a kernel does not get that far by itself. */
    public static final int FIRST_NAMED_INDEX = 0x40000000;

    /** Where a kernel is made to choose SPIs; nothing else uses these. */
    public static final int CHOSEN_SPI_MIN = 0x90000000;

    public static final int CHOSEN_SPI_MAX = 0x9fffffff;
    public static final int CHOSEN_COMP_SPI_MIN = 0x9000;
    public static final int CHOSEN_COMP_SPI_MAX = 0x9fff;

    /** Where PF_KEY chooses SPIs if it is not told, above those that requests name often. */
    private static final int DEFAULT_SPI_MIN = 0x2000;

    private static final int DEFAULT_SPI_MAX = 0x0fffffff;

    /** IPSEC_MANUAL_REQID_MAX: above it, a kernel chooses. */
    private static final int MAX_MANUAL_REQID = 0x3fff;

    /** What may differ in a field. */
    public enum Kind {
        /** Seconds since the epoch, taken from the clock. Small ones were given by the client and count. */
        TIME("the clock went on") {
            @Override
            public void mask(ByteBuffer field) {
                if (field.getLong(0) >= 1_000_000_000L && field.getLong(0) <= 0xffffffffL) {
                    field.putLong(0, -1);
                }
            }
        },
        /**
         * The index of a policy: chosen by counting up whatever happened before; its low bits, the direction, count.
         */
        INDEX("a kernel counts indexes up from its start") {
            @Override
            public void mask(ByteBuffer field) {
                if (Integer.compareUnsigned(field.getInt(0), FIRST_NAMED_INDEX) < 0) {
                    field.putInt(0, field.getInt(0) & 7);
                }
            }
        },
        /** An SPI chosen at random: the generator asks for those in a range that nothing else uses. */
        SPI("a kernel chooses SPIs at random") {
            @Override
            public void mask(ByteBuffer field) {
                int spi = field.order(ByteOrder.BIG_ENDIAN).getInt(0);
                // What stands beside IPComp over IPv6 is numbered; its protocol comes behind the SPI.
                boolean counted = field.limit() > Integer.BYTES && field.get(Integer.BYTES) == IpProtocol.IPV6;
                boolean chosen = counted
                        || spi >= CHOSEN_SPI_MIN && spi <= CHOSEN_SPI_MAX
                        || spi >= DEFAULT_SPI_MIN && spi <= DEFAULT_SPI_MAX
                        || spi >= CHOSEN_COMP_SPI_MIN && spi <= CHOSEN_COMP_SPI_MAX;
                if (chosen) {
                    field.putInt(0, CHOSEN_SPI_MIN);
                }
            }
        },
        /** The number of an ACQUIRE. */
        COUNTER("a kernel counts acquires up from its start") {
            @Override
            public void mask(ByteBuffer field) {
                field.putInt(0, 0);
            }
        },
        /** The number of a PF_KEY policy's own states. Clients may not choose such numbers there. */
        REQID("a kernel counts the reqids of PF_KEY policies up from its start") {
            @Override
            public void mask(ByteBuffer field) {
                if (Integer.compareUnsigned(field.getInt(0), MAX_MANUAL_REQID) > 0) {
                    field.putInt(0, -1);
                }
            }
        },
        /** Four bytes behind an IPv6 address in a PF_KEY message: zero in ours. */
        MEMORY("a kernel does not clear what it sends as padding") {
            @Override
            public void mask(ByteBuffer field) {
                field.putInt(0, 0);
            }
        },
        /** Three bytes behind a protocol's number: a kernel keeps and repeats what a client put there. */
        PADDING("bytes that carry nothing are zero in all we send") {
            @Override
            public void mask(ByteBuffer field) {
                field.put(0, (byte) 0).put(1, (byte) 0).put(2, (byte) 0);
            }
        },
        /** Size and limit of a hash table. */
        HASH_SIZES("tables grow when the kernel, or the bridge, sees fit") {
            @Override
            public void mask(ByteBuffer field) {
                field.putLong(0, 0);
            }
        };

        public final String reason;

        Kind(String reason) {
            this.reason = reason;
        }

        /** @param field in native order, at least eight bytes or to the end */
        public abstract void mask(ByteBuffer field);
    }

    private static final Set<Integer> STATES = Set.of(XfrmMessage.NEWSA, XfrmMessage.UPDSA, XfrmMessage.EXPIRE);
    private static final Set<Integer> STATE_NAMES = Set.of(XfrmMessage.DELSA, XfrmMessage.NEWAE);
    private static final Set<Integer> POLICIES =
            Set.of(XfrmMessage.NEWPOLICY, XfrmMessage.UPDPOLICY, XfrmMessage.POLEXPIRE);
    private static final Set<Integer> ACQUIRE = Set.of(XfrmMessage.ACQUIRE);
    private static final Set<Integer> DELSA = Set.of(XfrmMessage.DELSA);
    private static final Set<Integer> DELPOLICY = Set.of(XfrmMessage.DELPOLICY);
    private static final Set<Integer> INFOS = Set.of(XfrmMessage.NEWSADINFO, XfrmMessage.NEWSPDINFO);

    public static final List<VolatileField> ALL = List.of(
            new VolatileField(STATES, FIXED, 45, Kind.PADDING),
            new VolatileField(STATES, FIXED, 77, Kind.PADDING),
            new VolatileField(DELSA, XfrmAttribute.SA, 45, Kind.PADDING),
            new VolatileField(DELSA, XfrmAttribute.SA, 77, Kind.PADDING),
            new VolatileField(POLICIES, FIXED, 45, Kind.PADDING),
            new VolatileField(DELPOLICY, FIXED, 45, Kind.PADDING),
            new VolatileField(DELPOLICY, XfrmAttribute.POLICY, 45, Kind.PADDING),
            new VolatileField(ACQUIRE, FIXED, 21, Kind.PADDING),
            new VolatileField(ACQUIRE, FIXED, 40 + 45, Kind.PADDING),
            new VolatileField(ACQUIRE, FIXED, 96 + 45, Kind.PADDING),
            new VolatileField(Set.of(XfrmMessage.MIGRATE), FIXED, 45, Kind.PADDING),
            new VolatileField(Set.of(XfrmMessage.MIGRATE_STATE), FIXED, 64 + 45, Kind.PADDING),
            new VolatileField(STATES, FIXED, 72, Kind.SPI),
            new VolatileField(STATES, FIXED, 176, Kind.TIME),
            new VolatileField(STATES, FIXED, 184, Kind.TIME),
            new VolatileField(STATE_NAMES, FIXED, 16, Kind.SPI),
            new VolatileField(DELSA, XfrmAttribute.SA, 72, Kind.SPI),
            new VolatileField(DELSA, XfrmAttribute.SA, 176, Kind.TIME),
            new VolatileField(DELSA, XfrmAttribute.SA, 184, Kind.TIME),
            new VolatileField(Set.of(XfrmMessage.NEWAE), XfrmAttribute.LTIME_VAL, 16, Kind.TIME),
            new VolatileField(Set.of(XfrmMessage.NEWAE), XfrmAttribute.LTIME_VAL, 24, Kind.TIME),
            new VolatileField(POLICIES, FIXED, 136, Kind.TIME),
            new VolatileField(POLICIES, FIXED, 156, Kind.INDEX),
            new VolatileField(DELPOLICY, FIXED, 56, Kind.INDEX),
            new VolatileField(DELPOLICY, XfrmAttribute.POLICY, 136, Kind.TIME),
            new VolatileField(DELPOLICY, XfrmAttribute.POLICY, 156, Kind.INDEX),
            new VolatileField(ACQUIRE, FIXED, 96 + 136, Kind.TIME),
            new VolatileField(ACQUIRE, FIXED, 96 + 156, Kind.INDEX),
            new VolatileField(ACQUIRE, FIXED, 276, Kind.COUNTER),
            new VolatileField(INFOS, XfrmAttribute.SAD_HINFO, 0, Kind.HASH_SIZES));

    /** Blanks the volatile fields of a fixed part or an attribute's payload. */
    static void maskAll(int message, int attribute, byte[] bytes) {
        for (VolatileField field : ALL) {
            if (field.attribute == attribute && field.messages.contains(message) && field.offsetBytes < bytes.length) {
                ByteBuffer view = ByteBuffer.wrap(bytes, field.offsetBytes, bytes.length - field.offsetBytes)
                        .slice();
                field.kind.mask(view.order(ByteOrder.nativeOrder()));
            }
        }
    }
}
