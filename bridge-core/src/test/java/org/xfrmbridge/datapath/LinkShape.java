package org.xfrmbridge.datapath;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;

/**
 * What a frame can be around an IP packet: to whom, behind which tags, and in which other things. Made of numbers, so
 * that a fuzzer can make all of them.
 *
 * @param destination link address
 * @param tags TPID and TCI of each, outermost first
 * @param wrapping what stands between tags and packet
 */
record LinkShape(long destination, int[] tags, Wrapping wrapping) {
    /** Link addresses that lead to a host's stack, or might: its own, groups of every kind, others. */
    private static final long[] DESTINATIONS = {
        StaticNetwork.HOST_MAC,
        MacAddress.BROADCAST,
        0x0180_c200_0000L,
        0x0180_c200_0001L,
        0x0180_c200_0002L,
        0x0180_c200_000eL,
        0x0100_5e00_0001L,
        0x3333_0000_0001L,
        0x0200_0000_0099L,
        0x0300_0000_0001L,
        0
    };

    private static final int[] TAG_TYPES = {0x8100, 0x88a8};
    private static final int[] TAG_CONTROLS = {0, 0xe000, 0x1000, 5, 42, 0x6fff};

    /**
     * How a packet stands behind the tags: its bytes before the packet, with their EtherType or length first; null for
     * the packet's own EtherType.
     */
    enum Wrapping {
        NONE,
        SNAP("0000 aaaa0300 0000TTTT"),
        SNAP_BRIDGE_TUNNEL("0000 aaaa0300 00f8TTTT"),
        SNAP_IN_TAG("0000 aaaa0300 00008100 0000TTTT"),
        SNAP_BRIDGED("0000 aaaa0300 80c20007 020000000001020000000099TTTT"),
        LLC_IP("0000 060603"),
        LLC_UNKNOWN("0000 121203"),
        LLC_OSI_IP("0000 fefe03cc"),
        OLD_TAG("9100 0005TTTT"),
        OLDER_TAG("9200 0005TTTT"),
        MPLS("8847 00010140"),
        MPLS_MULTICAST("8848 00010140"),
        PPPOE("8864 11000001001a0021"),
        BACKBONE("88e7 00000001 020000000001020000000099TTTT"),
        MACSEC("88e5 2c000000 00000001"),
        SERVICE_HEADER("894f 0fc60103 00000100"),
        BRIDGED("6558 020000000001020000000099TTTT"),
        JUMBO_LLC("8870 aaaa0300 0000TTTT"),
        PRP("88fb 00000001TTTT");

        private final String before;

        Wrapping() {
            this(null);
        }

        Wrapping(String before) {
            this.before = before;
        }

        private byte[] bytes(String typeText) {
            String text = before == null ? typeText : before.replace(" ", "").replace("TTTT", typeText);
            return HexFormat.of().parseHex(text);
        }
    }

    static LinkShape plain(int... tags) {
        return new LinkShape(StaticNetwork.HOST_MAC, tags, Wrapping.NONE);
    }

    static LinkShape random(RandomGenerator random) {
        int most = random.nextInt(4) == 0 ? 12 : 4;
        int wrapping = random.nextInt(3) == 0 ? random.nextInt(1 << 16) : 0;
        return of(random.nextInt(1 << 16), random.nextInt(most), random.nextInt(), wrapping);
    }

    /** Any numbers make one. @param wrapping a multiple of the number of wrappings for none */
    static LinkShape of(int destination, int tags, int tagSeed, int wrapping) {
        int[] all = new int[tags];
        for (int i = 0; i < tags; i++) {
            int seed = (tagSeed >>> 3 * i % 29) + i * tagSeed & 0xff;
            all[i] = TAG_TYPES[seed & 1] << 16 | TAG_CONTROLS[(seed >> 1) % TAG_CONTROLS.length];
        }
        Wrapping[] wrappings = Wrapping.values();
        long to = DESTINATIONS[destination % DESTINATIONS.length];
        return new LinkShape(to, all, wrappings[wrapping % wrappings.length]);
    }

    /** A frame that holds the packet. @param source link address */
    byte[] frame(long source, byte[] packet) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] addresses = new byte[Ethernet.TYPE];
        MacAddress.write(addresses, Ethernet.DESTINATION, destination);
        MacAddress.write(addresses, Ethernet.SOURCE, source);
        out.writeBytes(addresses);
        for (int tag : tags) {
            byte[] bytes = new byte[Ethernet.TAG_BYTES];
            Bytes.putI32(bytes, 0, tag);
            out.writeBytes(bytes);
        }
        int typeAt = out.size();
        out.writeBytes(wrapping.bytes(packet[0] >>> 4 == 4 ? "0800" : "86dd"));
        out.writeBytes(packet);
        byte[] frame = out.toByteArray();
        if (Bytes.u16(frame, typeAt) == 0) {
            Bytes.putU16(frame, typeAt, frame.length - typeAt - 2);
        }
        return frame;
    }

    @Override
    public String toString() {
        String tagText =
                Arrays.toString(Arrays.stream(tags).mapToObj("%08x"::formatted).toArray());
        return "to %s, tags %s, %s".formatted(MacAddress.toText(destination), tagText, wrapping);
    }
}
