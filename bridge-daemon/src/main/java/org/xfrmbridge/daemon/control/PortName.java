package org.xfrmbridge.daemon.control;

import java.nio.charset.StandardCharsets;

/** The abstract name of a diverted socket, {@code \0xfrm-bridge/n/INODE/PORTID}: docs/preload-protocol.md. */
final class PortName {
    private static final String PREFIX = "\0xfrm-bridge/";
    private static final int PORT_ID_DIGITS = 8;

    private PortName() {}

    /** The port id in a peer's name, or {@code otherwise} if it is none of ours. */
    static int portId(byte[] peerName, int otherwise) {
        String name = new String(peerName, StandardCharsets.ISO_8859_1);
        int lastSlash = name.lastIndexOf('/');
        if (!name.startsWith(PREFIX) || name.length() != lastSlash + 1 + PORT_ID_DIGITS) {
            return otherwise;
        }
        try {
            return Integer.parseUnsignedInt(name.substring(lastSlash + 1), 16);
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }
}
