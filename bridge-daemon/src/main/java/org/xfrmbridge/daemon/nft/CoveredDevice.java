package org.xfrmbridge.daemon.nft;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A device that packets may leave the host by.
 *
 * @param isEthernet what is selected but not routed to the TAP is sent there when it leaves by this; by others it is
 *     dropped
 * @param isTunnel whether it may put packets into others, which the host then sends
 * @param isBridge whether frames between its ports may be seen as packets of this host
 * @param vrfMac its link address if it is the device of a VRF, else 0
 */
public record CoveredDevice(
        int index, String name, boolean isEthernet, boolean isTunnel, boolean isBridge, long vrfMac) {
    private static final int NAME_BYTES = 16;

    /** A device has its chain by its name, and loses it with that. */
    byte[] key() {
        return ByteBuffer.allocate(4 + NAME_BYTES)
                .put(Rule.nativeInt(index))
                .put(name.getBytes(StandardCharsets.UTF_8))
                .array();
    }

    boolean isVrf() {
        return vrfMac != 0;
    }

    /** How a frame begins that was opened and is to come in by this VRF. */
    byte[] beginOfOpened() {
        return ByteBuffer.allocate(8).putLong(vrfMac << 16 | index & 0xffff).array();
    }

    String chain() {
        return "egress-" + index;
    }

    // As a record's own, but without the classes that the JVM makes for these at each start.

    @Override
    public boolean equals(Object object) {
        return object instanceof CoveredDevice other
                && index == other.index
                && name.equals(other.name)
                && isEthernet == other.isEthernet
                && isTunnel == other.isTunnel
                && isBridge == other.isBridge
                && vrfMac == other.vrfMac;
    }

    @Override
    public int hashCode() {
        return 31 * index + name.hashCode();
    }
}
