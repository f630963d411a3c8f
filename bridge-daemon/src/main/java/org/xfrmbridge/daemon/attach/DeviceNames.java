package org.xfrmbridge.daemon.attach;

/**
 * In front of an interface: the four interfaces of that.
 *
 * @param original the interface that the bridge stands in for, eth0
 * @param host the TAP that the host's IP configuration moves to, xfrm0
 * @param network the TAP on the network's side, xfrm0n
 * @param bridge the Linux bridge of {@code original} and {@code network}, xfrm0b
 */
public record DeviceNames(String original, String host, String network, String bridge) {
    /** IFNAMSIZ less the zero byte. */
    static final int MAX_NAME = 15;

    static final String BRIDGE_SUFFIX = "b";

    /** IFNAMSIZ less the zero byte and the letter that is added. */
    public static final int MAX_TAP_NAME = 14;

    public static DeviceNames of(String original, String tap) {
        return new DeviceNames(original, tap, tap + "n", tap + BRIDGE_SUFFIX);
    }
}
