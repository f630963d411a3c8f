package org.xfrmbridge.pfkey.msg;

import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** {@code struct sockaddr_in} or {@code sockaddr_in6}. @param port in host order, 0 for none */
public record Sockaddr(int family, int port, Address address) {
    private static final int INET_BYTES = 16;
    private static final int INET6_BYTES = 28;
    private static final int PAD_BYTES = 8;

    /** 0 for a family that is neither. */
    public static int bytes(int family) {
        return switch (family) {
            case AddressFamily.INET -> INET_BYTES;
            case AddressFamily.INET6 -> INET6_BYTES;
            default -> 0;
        };
    }

    /** The family of the one at the buffer's position, which stays. */
    public static int familyAt(ByteBuffer in) {
        return Short.toUnsignedInt(in.getShort(in.position()));
    }

    /** The family must be one of the two. */
    public static Sockaddr read(ByteBuffer in) {
        int family = Short.toUnsignedInt(in.getShort());
        int port = Short.toUnsignedInt(BigEndian.of(in.getShort()));
        if (family == AddressFamily.INET) {
            int address = BigEndian.of(in.getInt());
            in.position(in.position() + PAD_BYTES);
            return new Sockaddr(family, port, Address.ofIpv4(address));
        }
        in.getInt();
        long high = BigEndian.of(in.getLong());
        Address address = new Address(high, BigEndian.of(in.getLong()));
        in.getInt();
        return new Sockaddr(family, port, address);
    }

    public int bytes() {
        return bytes(family);
    }

    public void write(ByteBuffer out) {
        out.putShort((short) family).putShort(BigEndian.of((short) port));
        if (family == AddressFamily.INET) {
            out.putInt(BigEndian.of(address.ipv4())).putLong(0);
        } else {
            out.putInt(0);
            out.putLong(BigEndian.of(address.high())).putLong(BigEndian.of(address.low()));
            out.putInt(0);
        }
    }
}
