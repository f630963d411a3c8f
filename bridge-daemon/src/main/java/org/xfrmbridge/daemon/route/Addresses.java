package org.xfrmbridge.daemon.route;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** Addresses as rtnetlink carries them: 4 or 16 bytes in network order. */
final class Addresses {
    private Addresses() {}

    /** {@link Address#ANY} for null and for any other length. */
    static Address of(byte[] bytes) {
        if (bytes == null) {
            return Address.ANY;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return switch (bytes.length) {
            case 4 -> Address.ofIpv4(buffer.getInt());
            case Address.BYTES -> new Address(buffer.getLong(), buffer.getLong());
            default -> Address.ANY;
        };
    }

    static byte[] bytes(int family, Address address) {
        return family == AddressFamily.INET
                ? ByteBuffer.allocate(4).putInt(address.ipv4()).array()
                : ByteBuffer.allocate(Address.BYTES)
                        .putLong(address.high())
                        .putLong(address.low())
                        .array();
    }
}
